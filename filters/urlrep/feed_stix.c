/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A STIX 2.1 bundle: the indicators in it whose pattern names hosts and URLs
 * by "=" or IN, joined by OR. What has AND, FOLLOWEDBY, NOT, LIKE, MATCHES or
 * a qualifier says more than a list can, and is passed over. Validity,
 * confidence, revocation and TLP are the indicator's own.
 */
#include <jansson.h>

#include "filters/urlrep/feed.h"

#define VALUE_MAX FEED_LINE_MAX
#define OBJECTS_MAX 4000000u

static const struct {
	const char *id;
	enum tlp tlp;
} markings[] = {
	/* TLP 1, of STIX 2.1 section 7.2.1.4 */
	{ "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
	    TLP_CLEAR },
	{ "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
	    TLP_GREEN },
	{ "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
	    TLP_AMBER },
	{ "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", TLP_RED },
	/* TLP 2, of its extension definition */
	{ "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
	    TLP_CLEAR },
	{ "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
	    TLP_GREEN },
	{ "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
	    TLP_AMBER },
	{ "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
	    TLP_AMBER_STRICT },
	{ "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", TLP_RED },
};

/* The strictest of what it is marked with. */
static enum tlp
read_tlp(const json_t *indicator)
{
	const json_t *refs = json_object_get(indicator, "object_marking_refs");
	enum tlp tlp = TLP_NONE;

	for (size_t i = 0; i < json_array_size(refs); i++) {
		const char *id = json_string_value(json_array_get(refs, i));

		for (size_t k = 0; id != NULL && k < COUNT(markings); k++)
			if (strcmp(id, markings[k].id) == 0 &&
			    markings[k].tlp > tlp)
				tlp = markings[k].tlp;
	}
	return tlp;
}

/* The pattern, token by token. */

enum token {
	TOKEN_WRONG = 0,
	TOKEN_END,
	TOKEN_MARK, /* one of [ ] ( ) , = */
	TOKEN_STRING,
	TOKEN_WORD,
};

struct pattern {
	struct bytes rest;
	enum token token;
	uint8_t mark;
	struct bytes word;
	uint8_t value[VALUE_MAX];
	size_t value_n;
};

static enum token
take_string(struct pattern *p)
{
	p->value_n = 0;
	while (p->rest.n > 0) {
		uint8_t c = *bytes_take(&p->rest, 1).p;

		if (c == '\'')
			return TOKEN_STRING;
		if (c == '\\') {
			if (p->rest.n == 0)
				return TOKEN_WRONG;
			c = *bytes_take(&p->rest, 1).p;
		}
		if (p->value_n == VALUE_MAX)
			return TOKEN_WRONG;
		p->value[p->value_n++] = c;
	}
	return TOKEN_WRONG;
}

static bool
is_word_byte(uint8_t c)
{
	return (c >= '0' && c <= '9') ||
	    ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '_' ||
	    c == ':' || c == '.';
}

static void
next(struct pattern *p)
{
	size_t n = 0;

	while (p->rest.n > 0 &&
	    (p->rest.p[0] == ' ' || p->rest.p[0] == '\t' ||
		p->rest.p[0] == '\n' || p->rest.p[0] == '\r'))
		bytes_take(&p->rest, 1);
	if (p->rest.n == 0) {
		p->token = TOKEN_END;
		return;
	}
	p->mark = p->rest.p[0];
	if (strchr("[](),=", p->mark) != NULL && p->mark != 0) {
		bytes_take(&p->rest, 1);
		p->token = TOKEN_MARK;
	} else if (p->mark == '\'') {
		bytes_take(&p->rest, 1);
		p->token = take_string(p);
	} else {
		while (n < p->rest.n && is_word_byte(p->rest.p[n]))
			n++;
		p->word = bytes_take(&p->rest, n);
		p->token = n > 0 ? TOKEN_WORD : TOKEN_WRONG;
	}
}

static bool
take_mark(struct pattern *p, uint8_t mark)
{
	if (p->token != TOKEN_MARK || p->mark != mark)
		return false;
	next(p);
	return true;
}

static bool
take_word(struct pattern *p, const char *word)
{
	if (p->token != TOKEN_WORD || !bytes_equal(p->word, bytes_of(word)))
		return false;
	next(p);
	return true;
}

enum observable {
	OBSERVABLE_OTHER = 0,
	OBSERVABLE_HOST,
	OBSERVABLE_URL,
};

static enum observable
observable_of(struct bytes path)
{
	if (bytes_equal(path, BYTES("url:value")))
		return OBSERVABLE_URL;
	if (bytes_equal(path, BYTES("domain-name:value")) ||
	    bytes_equal(path, BYTES("ipv4-addr:value")) ||
	    bytes_equal(path, BYTES("ipv6-addr:value")))
		return OBSERVABLE_HOST;
	return OBSERVABLE_OTHER;
}

/* Where the values go; the first walk only sees whether all can be taken. */
struct sink {
	struct feed *f; /* NULL on the first walk */
	unsigned line;
	const struct detail *d;
};

static void
take_value(const struct pattern *p, enum observable o, const struct sink *s)
{
	struct bytes value = { p->value, p->value_n };

	if (s->f == NULL)
		return;
	if (o == OBSERVABLE_URL) {
		feed_url(s->f, s->line, value, 0, s->d);
		return;
	}
	if (bytes_index(value, '/') >= 0) {
		feed_pass(s->f, s->line, "a range of addresses");
		return;
	}
	/* A domain-name is that name; its subdomains are not said. */
	feed_host(s->f, s->line, value, SCOPE_SELF, s->d);
}

/* path = 'value', or path IN ('value', …) */
static bool
take_comparison(struct pattern *p, const struct sink *s)
{
	enum observable o;

	if (p->token != TOKEN_WORD)
		return false;
	o = observable_of(p->word);
	if (o == OBSERVABLE_OTHER)
		return false;
	next(p);
	if (take_mark(p, '=')) {
		if (p->token != TOKEN_STRING)
			return false;
		take_value(p, o, s);
		next(p);
		return true;
	}
	if (!take_word(p, "IN") || !take_mark(p, '('))
		return false;
	do {
		if (p->token != TOKEN_STRING)
			return false;
		take_value(p, o, s);
		next(p);
	} while (take_mark(p, ','));
	return take_mark(p, ')');
}

static bool
walk(struct bytes pattern, const struct sink *s)
{
	struct pattern p = { .rest = pattern };

	next(&p);
	do {
		if (!take_mark(&p, '['))
			return false;
		do {
			if (!take_comparison(&p, s))
				return false;
		} while (take_word(&p, "OR"));
		if (!take_mark(&p, ']'))
			return false;
	} while (take_word(&p, "OR"));
	return p.token == TOKEN_END;
}

/* An absent time leaves *out as it is. False: there is one, and it is none. */
static bool
read_time(const json_t *indicator, const char *key, time_t *out)
{
	const json_t *value = json_object_get(indicator, key);

	return value == NULL ||
	    (json_is_string(value) &&
		feed_time(json_string_value(value), out) == 0);
}

static bool
read_detail(struct feed *f, const json_t *indicator, struct detail *d)
{
	const json_t *confidence = json_object_get(indicator, "confidence");
	time_t from = f->terms.now;
	time_t until = 0;
	json_int_t value;

	if (!read_time(indicator, "valid_from", &from) ||
	    !read_time(indicator, "valid_until", &until))
		return false;
	*d = feed_dated(f, from);
	d->tlp = read_tlp(indicator);
	if (from > f->terms.now)
		d->from = from;
	if (until != 0)
		d->until = until;
	if (confidence == NULL)
		return true;
	value = json_integer_value(confidence);
	if (!json_is_integer(confidence) || value < 0 || value > 100)
		return false;
	/* 0 is "none was given" (STIX 2.1, appendix A). */
	if (value > 0)
		d->confidence = (uint8_t)value;
	return true;
}

static void
take_indicator(struct feed *f, unsigned number, const json_t *indicator)
{
	const json_t *text = json_object_get(indicator, "pattern");
	const char *type =
	    json_string_value(json_object_get(indicator, "pattern_type"));
	struct bytes pattern = { NULL, 0 };
	struct detail d;

	if (json_is_true(json_object_get(indicator, "revoked"))) {
		feed_pass(f, number, "revoked");
		return;
	}
	if (json_is_string(text))
		pattern =
		    (struct bytes){ (const uint8_t *)json_string_value(text),
			    json_string_length(text) };
	if (pattern.n == 0) {
		feed_bad(f, number, "an indicator without a pattern");
	} else if (type != NULL && strcmp(type, "stix") != 0) {
		feed_pass(f, number, "a pattern of another language");
	} else if (!walk(pattern, &(struct sink){ NULL, number, NULL })) {
		feed_pass(f, number, "a pattern that is more than hosts");
	} else if (!read_detail(f, indicator, &d)) {
		feed_bad(f, number, "a time or confidence that is none");
	} else {
		struct sink s = { f, number, &d };

		must(walk(pattern, &s));
	}
}

int
feed_stix(struct feed *f, struct bytes text, struct err *e)
{
	json_error_t error;
	json_t *bundle = json_loadb(
	    (const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &error);
	const json_t *objects = json_object_get(bundle, "objects");
	int result = 0;

	if (bundle == NULL)
		return err_set(
		    e, "%s:%d: no JSON: %s", f->path, error.line, error.text);
	if (!json_is_array(objects) || json_array_size(objects) > OBJECTS_MAX)
		result =
		    err_set(e, "%s: no STIX bundle, expected objects", f->path);
	else
		for (size_t i = 0; i < json_array_size(objects); i++) {
			const json_t *o = json_array_get(objects, i);
			const char *type =
			    json_string_value(json_object_get(o, "type"));

			if (type != NULL && strcmp(type, "indicator") == 0)
				take_indicator(f, (unsigned)i + 1, o);
		}
	json_decref(bundle);
	return result;
}
