/* SPDX-License-Identifier: Apache-2.0 */
/*
 * results: Authentication-Results (RFC 8601): what somebody says of who a
 * mail's sender proved to be. Read strictly, and written anew: of an entry
 * only what is understood goes on, of a value only plain ASCII.
 */
#pragma once

#include "proxy/base/bytes.h"

enum result_method {
	RESULT_SPF = 0,
	RESULT_DKIM,
	RESULT_DMARC,
	RESULT_ARC,
	RESULT_METHODS,
};

enum result_word {
	RESULT_UNSAID = 0,
	RESULT_PASS,
	RESULT_FAIL,
	RESULT_SOFTFAIL,
	RESULT_NEUTRAL,
	RESULT_NONE,
	RESULT_TEMPERROR,
	RESULT_PERMERROR,
	RESULT_WORDS,
};

/* "spf"; "pass", "" for what was not said. */
extern const char *const result_method_names[RESULT_METHODS];
extern const char *const result_word_names[RESULT_WORDS];

#define RESULTS_TEXT_MAX 900

struct results {
	/* Of several the first, but a pass before all. */
	enum result_word said[RESULT_METHODS];
	/* "spf=pass smtp.mailfrom=a@b.test; dkim=none"; what does not fit is
	 * left out entry by entry. */
	char text[RESULTS_TEXT_MAX];
};

/* Adds the entries of a field's value, which begins with the name of who says
 * it; folded or not. */
void results_read(struct results *r, struct bytes value);
/* Adds one without properties. */
void results_add(
    struct results *r, enum result_method method, enum result_word word);
/* Whether a text is one that could stand there. */
bool results_is_plain(struct bytes text);
