/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exceptions: objects that pass as they are, each by its digest, for a time,
 * because somebody who answers for it has signed so. The list is a file of the
 * administrator's; beside it stands its signature, by a key that the checkpoint
 * does not have:
 *
 *	openssl pkeyutl -sign -rawin -inkey KEY -in FILE -out FILE.sig
 */
#pragma once

#include <time.h>

#include "filters/detox.h"
#include "proxy/base/setting.h"

struct detox_exception {
	uint8_t digest[DETOX_DIGEST_SIZE]; /* SHA-256 of the object */
	struct texts profiles;             /* none: all */
	time_t until;                      /* the first second behind it */
	const char *owner, *reason;
};

struct detox_exceptions {
	struct detox_exception *all;
	size_t n;
};

/* `exceptions` of a file of profiles, and of the list that it names. */
extern const struct setting detox_exceptions_table[];
extern const size_t detox_exceptions_table_n;
extern const struct setting detox_exception_table[];
extern const size_t detox_exception_table_n;

/* group: `exceptions`; names in it are relative to folder. 0, or -1 and *e:
 * also when the signature does not hold. */
int detox_exceptions_load(struct detox_exceptions *x,
    const config_setting_t *group, const char *folder, struct arena *a,
    struct err *e) MUST_CHECK;
/* For an object of that digest, under that profile, now; or NULL. */
const struct detox_exception *detox_exceptions_find(
    const struct detox_exceptions *x, const uint8_t digest[DETOX_DIGEST_SIZE],
    const char *profile, time_t now);
