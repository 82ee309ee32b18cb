/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canary: what was registered so that it is known again wherever it is seen:
 * numbers that are nobody's, words, and files by their digest. Words are found
 * with the keywords (words.h); the rest is looked up here.
 */
#pragma once

#include <openssl/evp.h>

#include "filters/dlp/dlp.h"
#include "filters/dlp/words.h"

struct canaries;

/* Texts are copied. All are good (dlp.h). */
struct canaries *canaries_new(const struct dlp_canary *all, size_t n);
/* Wipes them. */
void canaries_free(struct canaries *c);
size_t canaries_count(const struct canaries *c);
const char *canaries_name(const struct canaries *c, size_t index);
bool canaries_have_files(const struct canaries *c);
/* Words to look for, and whose they are: each marker as it is, and where it has
 * blanks with wide ones and with none, as names are written. */
struct canary_word {
	uint8_t canary;
	char text[WORD_BYTES_MAX + 1];
};
/* How many; into out, which has room for that many, unless it is NULL. */
size_t canaries_words(const struct canaries *c, struct canary_word *out);
/*
 * The last digits of a text, whatever separates them: up to CANARY_GAP bytes
 * that are no letters. It begins as zeroes.
 */
#define CANARY_GAP 6
struct canary_roll {
	uint64_t last; /* the latest twelve, as a number */
	uint8_t n;     /* of them, at most twelve */
	uint8_t gap;   /* bytes since */
};
/* Goes on in the text up to behind a number that is registered, whose index it
 * returns, or to the text's end: -1. Of one with leading zeros the rest is
 * enough, as spreadsheets keep it. */
int canaries_roll(
    const struct canaries *c, struct canary_roll *r, struct bytes *text);
int canaries_digest(
    const struct canaries *c, const uint8_t digest[DLP_DIGEST_BYTES]);

/* The digest of a file that comes in pieces, for a scan that wants files; else
 * nothing. It begins as zeroes. */
struct file_digest {
	EVP_MD_CTX *context;
};
void file_digest_begin(struct file_digest *f, const struct dlp *scan);
void file_digest_push(struct file_digest *f, struct bytes b);
/* Tells the scan. */
void file_digest_end(struct file_digest *f, struct dlp *scan);
void file_digest_release(struct file_digest *f);
