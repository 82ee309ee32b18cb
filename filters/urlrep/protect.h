/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protect: names that no feed may list, whatever it says. A zone (lg.jp) is
 * protected with all that lies below it, down to its URLs; a name (of a top
 * list) as a whole host, while a single URL on it may be listed; a public
 * suffix against an entry that would cover everybody below it.
 */
#pragma once

#include "filters/urlrep/canon.h"
#include "proxy/base/err.h"

enum protection {
	PROTECT_ZONE = 0,
	PROTECT_ABOVE, /* the entry would cover something protected */
	PROTECT_NAME,
	PROTECT_SUFFIX, /* a public suffix */
	PROTECT_NOTHING,
};

struct protect *protect_new(void);
void protect_free(struct protect *p);
/* 0, or -1: no host. */
int protect_zone(struct protect *p, struct bytes zone) MUST_CHECK;
int protect_name(struct protect *p, struct bytes name) MUST_CHECK;
/* The text of the public suffix list, which is newer than libpsl's own and
 * costs no more than the other names. 0, or -1 and *e. */
int protect_suffixes(struct protect *p, struct bytes text, struct err *e)
    MUST_CHECK;
/* A file with a name a line ("*.lg.jp": a zone; "12,example.jp": the rank of
 * a top list before it). 0, or -1 and *e. */
int protect_read(struct protect *p, const char *path, struct err *e) MUST_CHECK;
int protect_read_text(struct protect *p, const char *name, struct bytes text,
    struct err *e) MUST_CHECK;

/* What forbids an entry for that URL (path empty: its host) with that scope. */
enum protection protect_judge(
    const struct protect *p, const struct canon *c, unsigned scope);
const char *protection_words(enum protection p);
