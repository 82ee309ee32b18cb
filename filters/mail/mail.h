/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mail: a whole mail, read once and written anew: its header by table, its
 * texts and pages, each file rebuilt by the format that it is of. What cannot
 * be kept is left out, and a text in its place says so. A mail is written of
 * what was judged, so that no reader sees another: no byte of the old MIME
 * structure comes out.
 *
 *   part.c    entities -> tree       entity.c  header, delimiters
 *   body.c    texts, pages           params.c  Content-Type, names of files
 *   file.c    files, notes           head.c    other fields; address.c, date.c
 *   notice.c  what is told           write.c   tree -> bytes
 */
#pragma once

#include "filters/detox.h"

/* Of a file that became text: the SHA-256 of what came. */
#define MAIL_DIGEST_FIELD "Sekisho-SHA-256"

extern const struct detox_format mail_format;
