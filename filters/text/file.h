/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file: how a compiled set stands in its file. It is of one machine's kind:
 * written and read by the same version of this program and of Vectorscan.
 */
#pragma once

#include "proxy/base/bytes.h"

#define SET_MAGIC "SKSET001"

struct set_part {
	uint32_t at;
	uint32_t n; /* of bytes, or of elements of an array */
};

struct set_head {
	uint8_t sum[32]; /* SHA-256 of all that follows */
	char magic[8];
	uint32_t size; /* of the file */
	uint32_t kind;
	struct set_part records;
	struct set_part db;
	struct set_part literals_db;
	struct set_part literals;
	struct set_part wanted;
	struct set_part always;
};
