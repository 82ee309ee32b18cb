/* SPDX-License-Identifier: Apache-2.0 */
/* scan: what is looked at before the parser sees a document. */
#pragma once

#include "filters/xml/xml.h"

/* *text_out: the document in UTF-8 without mark and declaration; of content
 * or, when it had to be converted, of *room (made here; the caller releases
 * it). */
enum detox_result xml_to_utf8(struct detox *d, struct bytes content,
    struct buf *room, struct bytes *text_out) MUST_CHECK;
/* No DOCTYPE, no element with too many attributes. */
enum detox_result xml_scan(struct detox *d, struct bytes text) MUST_CHECK;
