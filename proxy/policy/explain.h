/* SPDX-License-Identifier: Apache-2.0 */
/* explain: what would be decided, and by which line, asked offline. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "proxy/policy/policy.h"

enum explain_format {
	EXPLAIN_TEXT,
	EXPLAIN_JSON,
};

/* For whatever is explained: a line of text in the reader's language, none when
 * value is NULL or empty; the whole as JSON, which is let go. */
void explain_line(FILE *out, const char *ja, const char *en, const char *value);
void explain_json(FILE *out, json_t *all);

/*
 * Prints verdict, rule, file:line, body, zone, category and reason; for https
 * of the CONNECT and of the request in it. 0: allowed or tunnelled, 2:
 * blocked, 1: the URL is malformed (said in the output).
 */
int explain_print(const struct policy *p, const struct zones *zones,
    const struct address *from, struct bytes url, struct bytes method,
    time_t now, enum explain_format format, FILE *out);
