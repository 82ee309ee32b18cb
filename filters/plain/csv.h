/* SPDX-License-Identifier: Apache-2.0 */
/* csv: tables as text, whose formulas become words (plain.h says which). */
#pragma once

#include "filters/plain/clean.h"

enum csv_separator {
	CSV_SNIFFED = 0,
	CSV_TAB = '\t',
};

/* Reports each cell that it changes. */
enum detox_result csv_defuse(struct detox *d, const struct clean *text,
    enum csv_separator separator, struct detox_output *out) MUST_CHECK;
