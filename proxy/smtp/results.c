/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/results.h"

#include <stdio.h>

#define ENTRY_MAX 512
#define VALUE_MAX 128
#define UNFIT '\1' /* stands for a byte that no value of ours has */

const char *const result_method_names[RESULT_METHODS] = {
	[RESULT_SPF] = "spf",
	[RESULT_DKIM] = "dkim",
	[RESULT_DMARC] = "dmarc",
	[RESULT_ARC] = "arc",
};

const char *const result_word_names[RESULT_WORDS] = {
	[RESULT_UNSAID] = "",
	[RESULT_PASS] = "pass",
	[RESULT_FAIL] = "fail",
	[RESULT_SOFTFAIL] = "softfail",
	[RESULT_NEUTRAL] = "neutral",
	[RESULT_NONE] = "none",
	[RESULT_TEMPERROR] = "temperror",
	[RESULT_PERMERROR] = "permerror",
};

/* Section 2.7; what else a property says is not for those behind us. */
static const char *const properties[] = { "smtp.mailfrom", "smtp.helo",
	"header.from", "header.d", "header.i", "header.s" };

/* An entry without comments, quotes and folds. */
struct entry {
	char text[ENTRY_MAX];
	size_t n;
	bool bad; /* too long, or what it says is open */
};

static bool
is_plain(uint8_t c)
{
	return c > ' ' && c < 0x7f && strchr("\"();<>\\,|", c) == NULL;
}

bool
results_is_plain(struct bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!is_plain(text.p[i]) && text.p[i] != ' ' &&
		    text.p[i] != ';')
			return false;
	return text.n < RESULTS_TEXT_MAX;
}

static void
put(struct entry *e, char c)
{
	if (c == ' ' && (e->n == 0 || e->text[e->n - 1] == ' '))
		return;
	if (e->n == ENTRY_MAX - 1)
		e->bad = true;
	else
		e->text[e->n++] = c;
}

/* Behind "(", up to its own ")". */
static void
skip_comment(struct entry *e, struct bytes *in)
{
	size_t depth = 1;

	while (in->n > 0 && depth > 0)
		switch (*bytes_take(in, 1).p) {
		case '\\':
			bytes_take(in, 1);
			break;
		case '(':
			depth++;
			break;
		case ')':
			depth--;
			break;
		default:
			break;
		}
	e->bad = e->bad || depth > 0;
	put(e, ' ');
}

static void
take_quoted(struct entry *e, struct bytes *in)
{
	while (in->n > 0) {
		uint8_t c = *bytes_take(in, 1).p;

		if (c == '"')
			return;
		put(e, is_plain(c) ? (char)c : UNFIT);
		if (c == '\\')
			bytes_take(in, 1);
	}
	e->bad = true;
}

/* Up to the ";" that ends it, or to the end. */
static void
take_entry(struct entry *e, struct bytes *in)
{
	e->n = 0;
	e->bad = false;
	while (in->n > 0) {
		uint8_t c = *bytes_take(in, 1).p;

		if (c == ';')
			break;
		if (c == '(')
			skip_comment(e, in);
		else if (c == '"')
			take_quoted(e, in);
		else if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			put(e, ' ');
		else
			put(e, is_plain(c) ? (char)c : UNFIT);
	}
	e->text[e->n] = '\0';
}

/* Index of the name among n; n: none of them. */
static size_t
find(const char *const *names, size_t n, struct bytes name)
{
	size_t i = 0;

	while (i < n && !bytes_equal_nocase(name, bytes_of(names[i])))
		i++;
	return i;
}

/* rspamd has words of DMARC's policies and of ARC beside those of RFC 8601. */
static enum result_word
word_of(struct bytes word)
{
	size_t i;

	if (bytes_equal_nocase(word, BYTES("reject")) ||
	    bytes_equal_nocase(word, BYTES("quarantine")))
		return RESULT_FAIL;
	i = find(result_word_names, RESULT_WORDS, word);
	return i < RESULT_WORDS ? (enum result_word)i : RESULT_UNSAID;
}

static void
note(struct results *r, enum result_method method, enum result_word word)
{
	if (r->said[method] == RESULT_UNSAID || word == RESULT_PASS)
		r->said[method] = word;
}

static void
append(struct results *r, const char *entry)
{
	size_t n = strlen(r->text);
	size_t m = n == 0 ? 0 : 2;
	size_t entry_n = strlen(entry);

	if (n + m + entry_n >= sizeof(r->text))
		return;
	memcpy(r->text + n, "; ", m);
	memcpy(r->text + n + m, entry, entry_n + 1);
}

void
results_add(struct results *r, enum result_method method, enum result_word word)
{
	char entry[64];

	note(r, method, word);
	snprintf(entry, sizeof(entry), "%s=%s", result_method_names[method],
	    result_word_names[word]);
	append(r, entry);
}

/* " header.d=a.test" for each property that is known and plain. */
static size_t
write_properties(struct bytes in, char *out, size_t size)
{
	size_t n = 0;

	while (in.n > 0) {
		struct bytes value = bytes_take_until(&in, ' ');
		struct bytes name = bytes_take_until(&value, '=');
		size_t i = find(properties, COUNT(properties), name);

		if (i == COUNT(properties) || value.n == 0 ||
		    value.n > VALUE_MAX || bytes_index(value, UNFIT) >= 0 ||
		    n + value.n + 20 > size)
			continue;
		n += (size_t)snprintf(out + n, size - n, " %s=%.*s",
		    properties[i], BYTES_PRINTF(value));
	}
	return n;
}

static void
read_entry(struct results *r, const struct entry *e)
{
	struct bytes in = { (const uint8_t *)e->text, e->n };
	struct bytes word = bytes_take_until(&in, ' ');
	struct bytes name = bytes_take_until(&word, '=');
	size_t method = find(result_method_names, RESULT_METHODS, name);
	char text[ENTRY_MAX + 64];
	int n;

	if (e->bad || method == RESULT_METHODS ||
	    word_of(word) == RESULT_UNSAID)
		return;
	note(r, (enum result_method)method, word_of(word));
	n = snprintf(text, sizeof(text), "%s=%s", result_method_names[method],
	    result_word_names[word_of(word)]);
	text[(size_t)n +
	    write_properties(in, text + n, sizeof(text) - (size_t)n)] = '\0';
	append(r, text);
}

void
results_read(struct results *r, struct bytes value)
{
	struct entry e;

	take_entry(&e, &value); /* who says it */
	while (value.n > 0) {
		take_entry(&e, &value);
		read_entry(r, &e);
	}
}
