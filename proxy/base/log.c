/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/log.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Kept free behind the values for `,"cut":true}` and the line's end. */
#define TAIL_MAX 16

static struct {
	char process[32];
	unsigned slot;
	struct ring *ring;
	uint64_t number; /* of the last id, where there is no ring */
	time_t second;   /* that second_text tells */
	char second_text[32];
} sink = { .process = "sekisho" };

/* 2026-01-01T00:00:00Z: ids count seconds from here in 32 bits. */
#define ID_EPOCH ((uint64_t)1767225600)

static const struct {
	const char *name, *level, *words_en, *words_ja;
} events[] = {
#define EVENT_ROW(symbol, name, level, en, ja) { name, #level, en, ja },
	EVENTS(EVENT_ROW)
#undef EVENT_ROW
};

void
log_open(const char *process, unsigned slot, struct ring *ring)
{
	snprintf(sink.process, sizeof(sink.process), "%s", process);
	sink.slot = slot;
	sink.ring = ring;
}

/* 32 bits of seconds, 8 of slot, 20 of their fraction and count, in Crockford's
 * base 32: no letter that a person on the telephone takes for a digit. */
void
log_id(char out[LOG_ID_MAX])
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint64_t count =
	    sink.ring == NULL ? ++sink.number : ring_number(sink.ring);
	uint64_t second = sink.ring == NULL ? 0 : (count >> 20) - ID_EPOCH;
	uint64_t number = (second & 0xffffffff) << 28 |
	    (uint64_t)(sink.slot & 0xff) << 20 | (count & 0xfffff);
	size_t at = 0;

	for (int shift = 55; shift >= 0; shift -= 5) {
		if (at == 4 || at == 9)
			out[at++] = '-';
		out[at++] = digits[number >> shift & 31];
	}
	out[at] = '\0';
}

static void
put(struct log_line *l, struct bytes b)
{
	if (l->cut || b.n > LOG_LINE_MAX - TAIL_MAX - l->n) {
		l->cut = true;
		return;
	}
	memcpy(l->text + l->n, b.p, b.n);
	l->n += b.n;
}

/* The length of the UTF-8 sequence (RFC 3629) at b, or 0 when it is none. */
static size_t
utf8_length(struct bytes b)
{
	static const struct {
		uint8_t from, to, second_from, second_to;
		uint8_t length;
	} rows[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (b.p[0] < rows[i].from || b.p[0] > rows[i].to)
			continue;
		if (b.n < rows[i].length || b.p[1] < rows[i].second_from ||
		    b.p[1] > rows[i].second_to)
			return 0;
		for (size_t k = 2; k < rows[i].length; k++)
			if ((b.p[k] & 0xc0) != 0x80)
				return 0;
		return rows[i].length;
	}
	return 0;
}

/*
 * What must not stand in a line as it is: controls (C0, DEL, C1), the two
 * signs of JSON, line separators and bidi controls, which would change what a
 * person sees in a terminal. Gives the escape's length, or 0.
 */
static size_t
escape_one(struct bytes b, size_t length, char out[8])
{
	uint32_t code = b.p[0];

	if (length == 0)
		code = 0xfffd;
	else if (length == 2)
		code = (code & 0x1f) << 6 | (b.p[1] & 0x3f);
	else if (length == 3)
		code = (code & 0x0f) << 12 | (uint32_t)(b.p[1] & 0x3f) << 6 |
		    (b.p[2] & 0x3f);
	else if (length == 4)
		return 0;
	if (code == '"' || code == '\\') {
		out[0] = '\\';
		out[1] = (char)code;
		return 2;
	}
	if (code < 0x20 || (code >= 0x7f && code < 0xa0) || length == 0 ||
	    code == 0x061c || (code >= 0x200b && code <= 0x200f) ||
	    (code >= 0x2028 && code <= 0x202e) ||
	    (code >= 0x2066 && code <= 0x2069) || code == 0xfeff)
		return (size_t)snprintf(out, 8, "\\u%04x", code);
	return 0;
}

/* How many bytes from the first on stand in a line as they are. */
static size_t
plain_length(struct bytes b)
{
	size_t n = 0;

	while (n < b.n && b.p[n] >= 0x20 && b.p[n] < 0x7f && b.p[n] != '"' &&
	    b.p[n] != '\\')
		n++;
	return n;
}

ssize_t
log_escape(char *out, size_t n, struct bytes value)
{
	size_t used = 0;

	while (value.n > 0) {
		struct bytes plain = bytes_take(&value, plain_length(value));
		char escape[8];

		if (plain.n == 0) {
			size_t length =
			    value.p[0] < 0x80 ? 1 : utf8_length(value);
			size_t escaped = escape_one(value, length, escape);

			plain = bytes_take(&value, length == 0 ? 1 : length);
			if (escaped > 0)
				plain = (struct bytes){ (uint8_t *)escape,
					escaped };
		}
		if (plain.n > n - used)
			return -1;
		memcpy(out + used, plain.p, plain.n);
		used += plain.n;
	}
	return (ssize_t)used;
}

static void
put_key(struct log_line *l, struct bytes key)
{
	put(l, BYTES(",\""));
	put(l, key);
	put(l, BYTES("\":"));
}

void
log_value(struct log_line *l, struct bytes key, struct bytes value)
{
	size_t before = l->n;
	size_t room;
	ssize_t n;

	if (l->cut)
		return;
	if (value.n > LOG_VALUE_MAX)
		value.n = LOG_VALUE_MAX;
	put_key(l, key);
	put(l, BYTES("\""));
	if (!l->cut) {
		room = LOG_LINE_MAX - TAIL_MAX - l->n;
		n = log_escape(l->text + l->n, room, value);
		if (n < 0)
			l->cut = true;
		else
			l->n += (size_t)n;
	}
	put(l, BYTES("\""));
	if (l->cut)
		l->n = before;
}

static void
put_digits(struct log_line *l, uint64_t value, size_t least)
{
	uint8_t digits[BYTES_DECIMAL_MAX];

	put(l, (struct bytes){ digits, bytes_decimal(digits, value, least) });
}

void
log_digits(struct log_line *l, struct bytes key, uint64_t value)
{
	size_t before = l->n;

	put_key(l, key);
	put_digits(l, value, 1);
	if (l->cut)
		l->n = before;
}

void
log_flag(struct log_line *l, const char *key, bool value)
{
	size_t before = l->n;

	put_key(l, bytes_of(key));
	put(l, value ? BYTES("true") : BYTES("false"));
	if (l->cut)
		l->n = before;
}

static void
put_time(struct log_line *l)
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != sink.second) {
		gmtime_r(&now.tv_sec, &tm);
		strftime(sink.second_text, sizeof(sink.second_text),
		    "%Y-%m-%dT%H:%M:%S.", &tm);
		sink.second = now.tv_sec;
	}
	put(l, bytes_of(sink.second_text));
	put_digits(l, (uint64_t)now.tv_nsec / 1000, 6);
	put(l, BYTES("Z"));
}

void
log_begin(struct log_line *l, enum log_event event, const char *id)
{
	char fresh[LOG_ID_MAX];

	l->n = 0;
	l->cut = false;
	if (id == NULL) {
		log_id(fresh);
		id = fresh;
	}
	put(l, BYTES("{\"time\":\""));
	put_time(l);
	put(l, BYTES("\""));
	log_string(l, "id", id);
	log_string(l, "process", sink.process);
	log_string(l, "level", events[event].level);
	log_string(l, "event", events[event].name);
}

int
log_end(struct log_line *l)
{
	static const char cut[] = ",\"cut\":true";

	if (l->cut) {
		memcpy(l->text + l->n, cut, sizeof(cut) - 1);
		l->n += sizeof(cut) - 1;
	}
	l->text[l->n++] = '}';
	if (sink.ring != NULL)
		return ring_put(
		    sink.ring, (struct bytes){ (uint8_t *)l->text, l->n });
	l->text[l->n++] = '\n';
	return write(STDERR_FILENO, l->text, l->n) == (ssize_t)l->n ? 0 : -1;
}

void
log_say(enum log_event event, const char *format, ...)
{
	char text[LOG_VALUE_MAX];
	struct log_line l;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_begin(&l, event, NULL);
	log_string(&l, "text", text);
	log_end(&l);
}

void
log_manual(FILE *out, const char *language)
{
	bool ja = strcmp(language, "ja") == 0;

	fputs(ja ? "| 名前 | 重さ | 意味 |\n|---|---|---|\n"
		 : "| name | level | meaning |\n|---|---|---|\n",
	    out);
	for (size_t i = 0; i < COUNT(events); i++)
		fprintf(out, "| `%s` | %s | %s |\n", events[i].name,
		    events[i].level,
		    ja ? events[i].words_ja : events[i].words_en);
}
