/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pack: what comes out of an archive, entry by entry: each rebuilt and by a
 * name of its own, or left out and told of in a text.
 */
#pragma once

#include "filters/archive/names.h"
#include "filters/package/package.h"

/* The text's name; it is there when an entry was left out. */
#define PACK_NOTICE "\u7121\u5bb3\u5316\u7d50\u679c.txt" /* 無害化結果 */

struct pack {
	struct package_writer *writer;
	struct names names;
	struct buf notice;
};

void pack_init(struct pack *p);
void pack_release(struct pack *p);
/* A folder stays as it is; the top itself is none. */
enum detox_result pack_folder(
    struct detox *d, struct pack *p, const struct name *n) MUST_CHECK;
/* A file goes through detox_inside. REFUSED: the whole archive is; an entry
 * that cannot be kept was left out. */
enum detox_result pack_file(struct detox *d, struct pack *p,
    const struct name *n, struct bytes content) MUST_CHECK;
/* An entry that was left out and reported already, for the text: why, in
 * Japanese and English. */
void pack_left_out(
    struct pack *p, const struct name *n, const char *const why[2]);
enum detox_result pack_finish(
    struct detox *d, struct pack *p, struct detox_output *out) MUST_CHECK;
