/* SPDX-License-Identifier: Apache-2.0 */
/* drive: one object through detox, outside its sandbox. */
#pragma once

#include "filters/detox.h"

struct drive_detox {
	struct detox_profile profile;
	const char *declared; /* NULL: nothing */
	struct detox_passwords passwords;
	struct detox d;
	struct detox_output out;
	enum detox_result result;
};

/* The standard profile; a test changes it before drive_detox_run. */
void drive_detox_init(struct drive_detox *t);
/* content may be any bytes; each is copied to memory of exactly that size, so
 * that the sanitizer sees a read beyond. May be called again. */
void drive_detox_run(
    struct drive_detox *t, struct bytes content, const char *name);
void drive_detox_release(struct drive_detox *t);
/* How often it was taken out; at that place, or (NULL) anywhere. */
uint32_t drive_detox_removed(
    const struct drive_detox *t, enum detox_removal what, const char *where);
