/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profiles: which objects are rebuilt, how, and within which limits, as an
 * administrator writes it (policies/detox.conf).
 */
#pragma once

#include "filters/detox.h"
#include "proxy/av/av.h"
#include "proxy/base/setting.h"
#include "proxy/detox/exceptions.h"

#define DETOX_PROFILES_MAX 32
/* The one by which texts are taken out, to be looked into. */
#define DETOX_TEXT_PROFILE "text"
#define DETOX_SCANNERS_MAX 8

struct detox_profiles {
	struct detox_profile all[DETOX_PROFILES_MAX];
	/* Which scanners judge the original first: a bit for each below. */
	uint32_t scan[DETOX_PROFILES_MAX];
	struct av_scanner scanners[DETOX_SCANNERS_MAX];
	size_t scanners_n;
	/* SHA-256 of all that the profile says and of our version: the same
	 * object under the same digest gives the same bytes. */
	uint8_t digests[DETOX_PROFILES_MAX][DETOX_DIGEST_SIZE];
	size_t n;
	struct detox_exceptions exceptions;
	struct arena arena;
};

extern const struct setting detox_profile_table[];
extern const size_t detox_profile_table_n;
extern const struct setting detox_scanner_table[];
extern const size_t detox_scanner_table_n;
extern const struct setting detox_pass_table[];
extern const size_t detox_pass_table_n;

/* path NULL: those that are built in (standard, strict, text). 0, or -1 and *e;
 * release in any case. */
int detox_profiles_load(
    struct detox_profiles *p, const char *path, struct err *e) MUST_CHECK;
void detox_profiles_release(struct detox_profiles *p);
/* The index, or -1. */
ssize_t detox_profiles_find(const struct detox_profiles *p, const char *name);
