/* SPDX-License-Identifier: Apache-2.0 */
/* explain: what would be decided about a mail before its content, and by which
 * line of the files, asked offline. */
#pragma once

#include "proxy/policy/explain.h"
#include "proxy/smtp/routes.h"
#include "proxy/smtp/settings.h"

struct mail_question {
	struct address from;
	const char *helo;               /* NULL: not told */
	const char *sender, *recipient; /* "a@b.test", "<a@b.test>"; "" and "<>"
					 * are the null sender */
	const struct mail_settings *settings;
};

/*
 * Prints the verdict on client, sender and recipient, each with its rule and
 * file:line, and the route: next hops, TLS, detox; and whether rspamd is asked
 * about the content. 0: accepted, 2: one of them
 * is refused, 1: an address is malformed (said in the output).
 */
int mail_explain(const struct routes *r, const struct zones *zones,
    const struct mail_question *q, enum explain_format format, FILE *out);
