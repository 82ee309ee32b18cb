/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspect: looks for what must not leave in a mail's texts. What it reads the
 * sandbox wrote of the mail, all of it as text (profile "text"); here its
 * parts are found, decoded and given to a scan. So hostile formats are read
 * where there is nothing else, and the key of the hashes is not there. Still
 * that writer had read hostile bytes: nothing of it is trusted.
 */
#pragma once

#include "proxy/policy/inspection.h"

struct inspect_result {
	struct dlp_report report;
	uint32_t unread; /* parts that are no text */
};

/* All of a mail's texts and of its names: one scan, so that a word in the
 * subject is near a number in the text. */
void inspect_mail(
    const struct inspection *i, struct bytes mail, struct inspect_result *out);
/* A mail as it came, byte by byte: no form of it is read. What stands where no
 * text is taken from (other fields, what surrounds parts, links) is found where
 * it is not coded. */
void inspect_bytes(
    const struct inspection *i, struct bytes mail, struct inspect_result *out);
