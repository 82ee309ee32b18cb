/* SPDX-License-Identifier: Apache-2.0 */
/* inside: what the files of archive share. */
#pragma once

#include <locale.h>

#include "filters/archive/archive.h"
#include "filters/archive/pack.h"

/* All entries of a ZIP file into *p. */
enum detox_result archives_read_zip(
    struct detox *d, const struct detox_object *o, struct pack *p) MUST_CHECK;
/* Of all else, by libarchive. */
enum detox_result archives_read_other(struct detox *d, enum magic_type t,
    const struct detox_object *o, struct pack *p) MUST_CHECK;
/* Once, before files can no more be opened. */
int archives_prepare(struct err *e);
/* Switches to the C library's locale in which libarchive converts UTF-16 and
 * UTF-8 names by itself, without iconv; gives the one before. */
locale_t archives_locale(void);
/* What can be told without reading entries: REFUSED when it is encrypted as a
 * whole, or one of several volumes. */
enum detox_result archives_check_volume(struct detox *d, enum magic_type t,
    const struct detox_object *o) MUST_CHECK;
