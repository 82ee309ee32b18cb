/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suspect: what makes a mail from outside look like a targeted one (標的型): a
 * sender who pretends to be of here. It reads the header that the sandbox
 * wrote, never the one that came. Each finding is a reason with points; the
 * journal has both, and a banner in the mail says the reasons when the points
 * are enough.
 */
#pragma once

#include "proxy/detox/report.h"
#include "proxy/smtp/routes.h"

/* REASON(symbol, banner of filters/mail/notice.h or 0, points, "name") */
#define SUSPECT_REASONS(REASON)                 \
	REASON(FIRST, 1, 10, "first_contact")   \
	REASON(IMITATES, 2, 40, "imitates")     \
	REASON(FORGES, 2, 60, "forges")         \
	REASON(REPLY, 3, 20, "reply_to")        \
	REASON(LOOKALIKE, 4, 40, "lookalike")   \
	REASON(UNVERIFIED, 5, 30, "unverified") \
	REASON(PROGRAM, 0, 40, "program")

enum suspect_reason {
#define SUSPECT_ENUM(symbol, banner, points, name) SUSPECT_##symbol,
	SUSPECT_REASONS(SUSPECT_ENUM)
#undef SUSPECT_ENUM
	SUSPECT_KINDS,
};

#define SUSPECT_FROM_MAX 320

struct suspicion {
	unsigned reasons; /* a bit for each enum suspect_reason */
	unsigned points;
	char from[SUSPECT_FROM_MAX + 1]; /* the address; "": none */
};

/* Whom a stranger may pretend to be: bodies and their domains. */
struct suspect_names;
struct suspect_names *suspect_names_new(
    const struct zones *z, const struct routes *r);
void suspect_names_free(struct suspect_names *n);

/* head: the rebuilt mail's; report: what was taken out of it. */
void suspect_judge(const struct suspect_names *n, struct bytes head,
    const struct detox_report *report, struct suspicion *out);
void suspect_add(struct suspicion *s, enum suspect_reason r);
/* "imitates,reply_to" */
#define SUSPECT_WORDS_MAX 128
const char *suspect_words(
    const struct suspicion *s, char out[SUSPECT_WORDS_MAX]);
/* "2,3": the banners of its reasons; "" for none. */
const char *suspect_banners(
    const struct suspicion *s, char out[SUSPECT_WORDS_MAX]);
