/* SPDX-License-Identifier: Apache-2.0 */
/*
 * name: an entry's path, from what writers of many systems put to what Windows
 * and all others take for the same: UTF-8, '/' between the parts, composed
 * (NFC, of kana and Latin letters), without characters that are not seen or
 * turn the writing around, without those that Windows forbids or reserves.
 */
#pragma once

#include "filters/detox.h"

#define NAME_RAW_MAX 1024 /* bytes of a path, before and after */
/* Bytes between two '/': file systems take 255, of which a counter and another
 * extension may need some. */
#define NAME_PART_MAX 240
#define NAME_PARTS_MAX 64

/* In what a name that is not UTF-8 may be. */
enum name_charset {
	NAME_CP932, /* Windows of this country; else guessed */
	NAME_GUESS,
};

struct name {
	const char *path; /* in the job's arena; "": the top itself */
	bool folder;      /* it ended with '/' */
	bool changed;     /* it was dangerous in a way that could be mended */
	bool ours;        /* it is not what the archive says, whyever */
};

/* DETOX_REFUSED (PATH): it is absolute, leads out, or is empty, or too long.
 * text_prepare must have been called. */
enum detox_result name_clean(struct detox *d, struct bytes raw,
    enum name_charset charset, struct name *out) MUST_CHECK;
/* Whether a link at path that says target leads out of the archive; hard links
 * say it from the top. */
enum name_link {
	NAME_LINK_SYMBOLIC,
	NAME_LINK_HARD,
};
bool name_link_leaves(
    struct bytes path, struct bytes target, enum name_link kind);
/* For name.c: how a letter and a mark are one; 0: they are not. */
uint32_t name_compose(uint32_t letter, uint32_t mark);
