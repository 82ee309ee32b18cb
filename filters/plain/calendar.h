/* SPDX-License-Identifier: Apache-2.0 */
/* calendar: iCalendar (RFC 5545) and vCard (RFC 6350, 2426, and 2.1). */
#pragma once

#include "filters/detox.h"

/* text: without hidden characters, in a charset in which bytes below 0x40 are
 * always ASCII. What stays of it stays byte for byte. Its own rebuilding:
 * calendar_rebuild of the output changes nothing. */
enum detox_result calendar_rebuild(
    struct detox *d, struct bytes text, struct detox_output *out) MUST_CHECK;
