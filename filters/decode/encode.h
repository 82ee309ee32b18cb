/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode: a body that was decoded, coded anew in gzip, which all clients read.
 * What each push brought can be decoded when it arrives.
 */
#pragma once

#include "filters/filter.h"

struct encode_settings {
	int level; /* 1 to 9 */
};

/* Settings: struct encode_settings. Memory: 260 KiB. */
extern const struct filter_type encode_filter;
