/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal: the only writer of logs. Each process has a ring; the journal
 * checks that a record is a line, appends it to the file, and only then takes
 * it out of the ring. This header is its settings (group `journal`).
 */
#pragma once

#include "proxy/base/setting.h"

struct journal_settings {
	const char *file;
	size_t queue;              /* bytes of each process's ring */
	uint64_t sync_interval_ms; /* fdatasync at most this often; 0: never */
};

extern const struct setting journal_table[];
extern const size_t journal_table_n;
