/* SPDX-License-Identifier: Apache-2.0 */
/* doctype: what XML declares of itself, taken out before it is read. */
#pragma once

#include "filters/detox.h"

/*
 * text: UTF-8 behind the XML declaration. *out (made here; the caller releases
 * it) is text without <!DOCTYPE>, when that has no subset or one of nothing but
 * short entities of plain text, which are put in place, and of what says how
 * elements are made. Any other stays, for xml_read to refuse.
 */
enum detox_result doctype_take_out(
    struct detox *d, struct bytes text, struct buf *out) MUST_CHECK;
