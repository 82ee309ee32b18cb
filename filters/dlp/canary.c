/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/dlp/canary.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "filters/dlp/chain.h"
#include "filters/dlp/check.h"
#include "filters/dlp/words.h"

#define TAILS 10000 /* of four digits */
#define TWELVE UINT64_C(1000000000000)

struct canary {
	char name[DLP_NAME_MAX + 1];
	char marker[WORD_BYTES_MAX + 1];
	uint64_t number, modulus; /* modulus 0: it is no number */
	uint8_t digits;           /* without leading zeros */
	bool is_file;
	uint8_t digest[DLP_DIGEST_BYTES];
};

struct canaries {
	size_t n;
	bool numbers, files;
	uint8_t tails[TAILS]; /* whether a number ends so */
	struct canary p[];
};

static void
copy(char *to, size_t size, const char *from)
{
	if (from == NULL)
		return;
	must(strlen(from) < size);
	memcpy(to, from, strlen(from) + 1);
}

static void
take_number(struct canaries *c, struct canary *to, const char *number)
{
	const size_t zeros = strspn(number, "0");

	must(strlen(number) == INDIVIDUAL_DIGITS && zeros < INDIVIDUAL_DIGITS);
	to->number = check_value((const uint8_t *)number, INDIVIDUAL_DIGITS);
	to->digits = (uint8_t)(INDIVIDUAL_DIGITS - zeros);
	to->modulus = TWELVE;
	for (size_t i = 0; i < zeros; i++)
		to->modulus /= 10;
	c->tails[to->number % TAILS] = 1;
	c->numbers = true;
}

struct canaries *
canaries_new(const struct dlp_canary *all, size_t n)
{
	struct canaries *c = calloc(1, sizeof(*c) + n * sizeof(c->p[0]));

	must(c != NULL && n <= DLP_CANARIES_MAX);
	c->n = n;
	for (size_t i = 0; i < n; i++) {
		struct canary *to = &c->p[i];

		copy(to->name, sizeof(to->name), all[i].name);
		if (all[i].number != NULL)
			take_number(c, to, all[i].number);
		copy(to->marker, sizeof(to->marker), all[i].marker);
		to->is_file = all[i].digest != NULL;
		if (to->is_file)
			memcpy(to->digest, all[i].digest, sizeof(to->digest));
		c->files |= to->is_file;
	}
	return c;
}

void
canaries_free(struct canaries *c)
{
	if (c == NULL)
		return;
	OPENSSL_cleanse(c, sizeof(*c) + c->n * sizeof(c->p[0]));
	free(c);
}

size_t
canaries_count(const struct canaries *c)
{
	return c->n;
}

const char *
canaries_name(const struct canaries *c, size_t index)
{
	return c->p[index].name;
}

bool
canaries_have_files(const struct canaries *c)
{
	return c->files;
}

/* The text with another blank in place of its own; false: it would be too
 * long. */
static bool
with_blank(const char *text, const char *blank, char out[WORD_BYTES_MAX + 1])
{
	size_t n = 0;

	for (; *text != '\0'; text++) {
		const struct bytes sign = *text == ' '
		    ? bytes_of(blank)
		    : (struct bytes){ (const uint8_t *)text, 1 };

		if (n + sign.n > WORD_BYTES_MAX)
			return false;
		memcpy(out + n, sign.p, sign.n);
		n += sign.n;
	}
	out[n] = '\0';
	return true;
}

size_t
canaries_words(const struct canaries *c, struct canary_word *out)
{
	static const char *const blanks[] = { " ", "　", "" };
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		for (size_t b = 0; b < COUNT(blanks); b++) {
			const char *marker = c->p[i].marker;
			struct canary_word w = { .canary = (uint8_t)i };

			if (marker[0] == '\0' ||
			    (b > 0 && strchr(marker, ' ') == NULL) ||
			    !with_blank(marker, blanks[b], w.text))
				continue;
			if (out != NULL)
				out[n] = w;
			n++;
		}
	return n;
}

static int
find_number(const struct canaries *c, const struct canary_roll *r)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct canary *k = &c->p[i];

		if (k->modulus > 0 && r->n >= k->digits &&
		    r->last % k->modulus == k->number)
			return (int)i;
	}
	return -1;
}

static void
roll(struct canary_roll *r, uint8_t byte)
{
	uint8_t digit = (uint8_t)(byte - '0');

	if (digit < 10) {
		r->last = (r->last * 10 + digit) % TWELVE;
		if (r->n < INDIVIDUAL_DIGITS)
			r->n++;
		r->gap = 0;
	} else if (++r->gap > CANARY_GAP || (byte | 0x20U) - 'a' < 26) {
		r->n = 0;
		r->gap = 0;
	}
}

int
canaries_roll(
    const struct canaries *c, struct canary_roll *r, struct bytes *text)
{
	if (!c->numbers)
		text->n = 0;
	while (text->n > 0) {
		if (r->n == 0)
			bytes_take(text, chain_next_digit(text->p, 0, text->n));
		if (text->n == 0)
			break;
		roll(r, *bytes_take(text, 1).p);
		if (r->gap == 0 && r->n > 0 && c->tails[r->last % TAILS] &&
		    find_number(c, r) >= 0)
			return find_number(c, r);
	}
	return -1;
}

int
canaries_digest(
    const struct canaries *c, const uint8_t digest[DLP_DIGEST_BYTES])
{
	for (size_t i = 0; i < c->n; i++)
		if (c->p[i].is_file &&
		    memcmp(c->p[i].digest, digest, DLP_DIGEST_BYTES) == 0)
			return (int)i;
	return -1;
}

void
file_digest_begin(struct file_digest *f, const struct dlp *scan)
{
	if (!dlp_wants_files(scan))
		return;
	f->context = EVP_MD_CTX_new();
	must(f->context != NULL &&
	    EVP_DigestInit_ex(f->context, EVP_sha256(), NULL) == 1);
}

void
file_digest_push(struct file_digest *f, struct bytes b)
{
	if (f->context != NULL)
		must(EVP_DigestUpdate(f->context, b.p, b.n) == 1);
}

void
file_digest_end(struct file_digest *f, struct dlp *scan)
{
	uint8_t digest[DLP_DIGEST_BYTES];

	if (f->context == NULL)
		return;
	must(EVP_DigestFinal_ex(f->context, digest, NULL) == 1);
	dlp_file(scan, digest);
	file_digest_release(f);
}

void
file_digest_release(struct file_digest *f)
{
	EVP_MD_CTX_free(f->context);
	f->context = NULL;
}
