/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link: addresses within Office's binary formats: hyperlink objects
 * ([MS-OSHARED] 2.3.7) wherever they stand, and pictures that a drawing loads
 * from outside
 * ([MS-ODRAW] 2.3.23). All is changed in place; nothing moves.
 */
#pragma once

#include "filters/detox.h"

/* Whether an address of UTF-16 stays; what follows a NUL does not count. */
bool link_stays(const struct detox *d, const uint8_t *utf16, size_t units);
/* Whether p is one hyperlink object with its class id, of which all is known: a
 * place within, or a moniker of an address that stays. */
bool link_is_plain(const struct detox *d, const uint8_t *p, size_t n);
/* Blanks every bad address of hyperlink objects within p: they are found by
 * their class ids. How many; each is reported. */
size_t link_clean(struct detox *d, uint8_t *p, size_t n, const char *where);
/* Within p are records of OfficeArt; a picture from outside becomes one
 * without a place. */
void link_clean_art(struct detox *d, uint8_t *p, size_t n, const char *where);
/* The same of one record's properties (OPT): p is behind its header. */
void link_clean_properties(
    struct detox *d, uint8_t *p, size_t n, unsigned count, const char *where);
