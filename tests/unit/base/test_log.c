/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/log.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	struct bytes value;
	const char *want;
} escapes[] = {
	{ "nothing", BYTES(""), "" },
	{ "letters", BYTES("aZ09 ~[]{}^_`"), "aZ09 ~[]{}^_`" },
	{ "a line end", BYTES("a\r\nb"), "a\\u000d\\u000ab" },
	{ "a tab", BYTES("\t"), "\\u0009" },
	{ "a NUL", BYTES("a\0b"), "a\\u0000b" },
	{ "the signs of JSON", BYTES("\"\\/"), "\\\"\\\\/" },
	{ "a terminal's escape", BYTES("\x1b[31m"), "\\u001b[31m" },
	{ "DEL", BYTES("\x7f"), "\\u007f" },
	{ "C1, also a terminal's escape",
	    BYTES("\xc2\x9b"
		  "31m"),
	    "\\u009b31m" },
	{ "the first behind C1", BYTES("\xc2\xa0"), "\xc2\xa0" },
	{ "Japanese", BYTES("関所"), "関所" },
	{ "outside the basic plane", BYTES("𠮟"), "𠮟" },
	{ "the last code point", BYTES("\xf4\x8f\xbf\xbf"),
	    "\xf4\x8f\xbf\xbf" },
	{ "one past the last code point", BYTES("\xf4\x90\x80\x80"),
	    "\\ufffd\\ufffd\\ufffd\\ufffd" },
	{ "too long a form", BYTES("\xc0\xaf"), "\\ufffd\\ufffd" },
	{ "too long a form of three", BYTES("\xe0\x80\xaf"),
	    "\\ufffd\\ufffd\\ufffd" },
	{ "a surrogate", BYTES("\xed\xa0\x80"), "\\ufffd\\ufffd\\ufffd" },
	{ "a lone byte",
	    BYTES("a\xff"
		  "b"),
	    "a\\ufffdb" },
	{ "a lone continuation", BYTES("\x80"), "\\ufffd" },
	{ "half a character", BYTES("\xe9\x96"), "\\ufffd\\ufffd" },
	{ "half a character before a letter",
	    BYTES("\xe9\x96"
		  "a"),
	    "\\ufffd\\ufffda" },
	{ "right-to-left override", BYTES("\xe2\x80\xae"), "\\u202e" },
	{ "an isolate", BYTES("\xe2\x81\xa6"), "\\u2066" },
	{ "the Arabic letter mark", BYTES("\xd8\x9c"), "\\u061c" },
	{ "a zero-width space", BYTES("\xe2\x80\x8b"), "\\u200b" },
	{ "a line separator", BYTES("\xe2\x80\xa8"), "\\u2028" },
	{ "a byte order mark", BYTES("\xef\xbb\xbf"), "\\ufeff" },
};

START_TEST(log_escapes_what_deceives)
{
	char out[64];
	size_t n = strlen(escapes[_i].want);

	ck_assert_msg(
	    log_escape(out, sizeof(out), escapes[_i].value) == (ssize_t)n &&
		memcmp(out, escapes[_i].want, n) == 0,
	    "%s", escapes[_i].name);
	/* room of that size is enough, and less is not */
	ck_assert(log_escape(out, n, escapes[_i].value) == (ssize_t)n);
	for (size_t room = 0; room < n; room++)
		ck_assert(log_escape(out, room, escapes[_i].value) == -1);
}
END_TEST

/* What log_end wrote for l, as text and as JSON. */
static json_t *
end(struct log_line *l, char *text, size_t size)
{
	char path[] = "/tmp/sekisho-log-XXXXXX";
	int fd = mkstemp(path);
	int kept = dup(STDERR_FILENO);
	ssize_t n;
	json_t *line;
	int result;

	ck_assert(fd >= 0 && kept >= 0);
	unlink(path);
	dup2(fd, STDERR_FILENO);
	result = log_end(l);
	dup2(kept, STDERR_FILENO);
	close(kept);
	ck_assert(result == 0);
	n = pread(fd, text, size - 1, 0);
	close(fd);
	ck_assert(n > 0 && n <= LOG_LINE_MAX);
	text[n] = '\0';
	ck_assert(text[n - 1] == '\n');
	ck_assert(strchr(text, '\n') == text + n - 1);
	line = json_loadb(
	    text, (size_t)n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	ck_assert_msg(line != NULL, "%s", text);
	return line;
}

static const char *
text_of(const json_t *line, const char *key)
{
	return json_string_value(json_object_get(line, key));
}

START_TEST(log_line_is_one_object)
{
	struct log_line l;
	char text[LOG_LINE_MAX + 1];
	json_t *line;

	log_open("edge.0", 3, NULL);
	log_begin(&l, EVENT_EXCHANGE, NULL);
	log_string(&l, "host", "a\"\n.test");
	log_string(&l, "none", NULL);
	log_number(&l, "zero", 0);
	log_number(&l, "most", INT64_MAX);
	log_flag(&l, "yes", true);
	log_flag(&l, "no", false);
	line = end(&l, text, sizeof(text));
	ck_assert_str_eq(text_of(line, "process"), "edge.0");
	ck_assert_str_eq(text_of(line, "level"), "INFO");
	ck_assert_str_eq(text_of(line, "event"), "exchange");
	ck_assert_str_eq(text_of(line, "host"), "a\"\n.test");
	ck_assert_str_eq(text_of(line, "none"), "");
	ck_assert_uint_eq(strlen(text_of(line, "time")), 27);
	ck_assert_uint_eq(strlen(text_of(line, "id")), 14);
	ck_assert(strstr(text, ",\"zero\":0,") != NULL);
	ck_assert(strstr(text, ",\"most\":9223372036854775807,") != NULL);
	ck_assert(json_is_true(json_object_get(line, "yes")));
	ck_assert(json_is_false(json_object_get(line, "no")));
	ck_assert(json_object_get(line, "cut") == NULL);
	json_decref(line);
}
END_TEST

START_TEST(log_line_keeps_the_id_given)
{
	struct log_line l;
	char text[LOG_LINE_MAX + 1];
	json_t *line;

	log_begin(&l, EVENT_BACKOFF, "0000-0000-0000");
	line = end(&l, text, sizeof(text));
	ck_assert_str_eq(text_of(line, "id"), "0000-0000-0000");
	ck_assert_str_eq(text_of(line, "level"), "ERROR");
	json_decref(line);
}
END_TEST

static const uint8_t letters[2 * LOG_VALUE_MAX] = { [0 ... 2 * LOG_VALUE_MAX -
							1] = 'a' };
static const uint8_t nothings[LOG_VALUE_MAX]; /* six bytes each, escaped */

static const struct {
	const char *name;
	size_t n, want;
} lengths[] = {
	{ "at the limit", LOG_VALUE_MAX, LOG_VALUE_MAX },
	{ "one past the limit", LOG_VALUE_MAX + 1, LOG_VALUE_MAX },
	{ "twice the limit", 2 * LOG_VALUE_MAX, LOG_VALUE_MAX },
};

START_TEST(log_cuts_long_values)
{
	struct log_line l;
	char text[LOG_LINE_MAX + 1];
	json_t *line;

	log_begin(&l, EVENT_EXCHANGE, NULL);
	log_text(&l, "a", (struct bytes){ letters, lengths[_i].n });
	log_number(&l, "after", 1);
	line = end(&l, text, sizeof(text));
	ck_assert_uint_eq(strlen(text_of(line, "a")), lengths[_i].want);
	ck_assert(json_object_get(line, "after") != NULL);
	json_decref(line);
}
END_TEST

/* However many values of whatever length, the line is one object, holds the
 * first values whole, and says when others did not fit. */
START_TEST(log_line_has_a_limit)
{
	static const char *const keys[] = { "a", "b", "c", "d", "e", "f", "g",
		"h", "i", "j" };
	struct log_line l;
	char text[LOG_LINE_MAX + 1];

	for (size_t n = 0; n <= LOG_VALUE_MAX; n += 7) {
		bool missing = false;
		json_t *line;

		log_begin(&l, EVENT_EXCHANGE, NULL);
		for (size_t i = 0; i < COUNT(keys); i++)
			log_text(&l, keys[i],
			    (struct bytes){ i < 3 ? letters : nothings, n });
		log_number(&l, "number", 123456789);
		log_flag(&l, "flag", true);
		line = end(&l, text, sizeof(text));
		for (size_t i = 0; i < COUNT(keys); i++) {
			json_t *v = json_object_get(line, keys[i]);

			ck_assert(v == NULL || !missing);
			missing |= v == NULL;
		}
		missing |= json_object_get(line, "flag") == NULL;
		ck_assert(
		    json_is_true(json_object_get(line, "cut")) == missing);
		json_decref(line);
	}
}
END_TEST

/* The room ends anywhere in a number, a flag or a text. */
START_TEST(log_line_ends_anywhere)
{
	char text[LOG_LINE_MAX + 1];

	for (size_t left = 0; left < 80; left++) {
		struct log_line l;
		char key[] = "a";
		json_t *line;

		log_begin(&l, EVENT_EXCHANGE, NULL);
		for (; LOG_LINE_MAX - l.n > LOG_VALUE_MAX + 100; key[0]++)
			log_text(
			    &l, key, (struct bytes){ letters, LOG_VALUE_MAX });
		log_text(&l, "t",
		    (struct bytes){ letters, LOG_LINE_MAX - l.n - 6 - left });
		log_number(&l, "number", 123456789);
		log_flag(&l, "flag", true);
		log_string(&l, "string", "ab");
		line = end(&l, text, sizeof(text));
		ck_assert(json_is_true(json_object_get(line, "cut")) ==
		    (json_object_get(line, "string") == NULL));
		json_decref(line);
	}
}
END_TEST

START_TEST(log_ids_differ)
{
	char before[LOG_ID_MAX];
	char id[LOG_ID_MAX];

	log_open("edge.1", 7, NULL);
	log_id(before);
	for (int i = 0; i < 1000; i++) {
		log_id(id);
		ck_assert_uint_eq(strlen(id), 14);
		ck_assert(id[4] == '-' && id[9] == '-');
		ck_assert_uint_eq(
		    strspn(id, "0123456789ABCDEFGHJKMNPQRSTVWXYZ-"), 14);
		ck_assert_int_gt(strcmp(id, before), 0);
		memcpy(before, id, sizeof(before));
	}
	log_open("edge.2", 8, NULL);
	log_id(id);
	ck_assert_int_gt(strcmp(id, before), 0);
}
END_TEST

/* A process that is replaced within a moment gives new ones. */
START_TEST(log_ids_differ_over_lives)
{
	struct err e;
	int fd = ring_create(65536, &e);
	char before[LOG_ID_MAX] = "";
	char id[LOG_ID_MAX];
	struct ring *r;

	for (int i = 0; i < 10; i++) {
		r = ring_map(fd, -1, &e);
		ck_assert(r != NULL);
		log_open("edge.0", 3, r);
		for (int k = 0; k < 3; k++) {
			log_id(id);
			ck_assert_int_gt(strcmp(id, before), 0);
			memcpy(before, id, sizeof(before));
		}
		log_open("edge.0", 3, NULL);
		ring_unmap(r);
	}
	close(fd);
	/* nor does a ring that is made anew give an old one */
	fd = ring_create(65536, &e);
	r = ring_map(fd, -1, &e);
	log_open("edge.0", 3, r);
	log_id(id);
	ck_assert_int_gt(strcmp(id, before), 0);
	log_open("edge.0", 3, NULL);
	ring_unmap(r);
	close(fd);
}
END_TEST

START_TEST(log_goes_to_the_ring_without_line_end)
{
	struct err e;
	int fd = ring_create(65536, &e);
	struct ring *r = ring_map(fd, -1, &e);
	uint8_t record[RING_RECORD_MAX];
	size_t n = 0;

	ck_assert(r != NULL);
	log_open("edge.0", 0, r);
	log_say(EVENT_FAILURE, "disk %d", 7);
	ck_assert_int_eq(ring_peek(r, record, &n), RING_TAKEN);
	ck_assert(record[0] == '{' && record[n - 1] == '}');
	ck_assert(memmem(record, n, "\"text\":\"disk 7\"}", 16) != NULL);
	log_open("edge.0", 0, NULL);
	ring_unmap(r);
	close(fd);
}
END_TEST

START_TEST(log_manual_has_every_event)
{
	char *words = NULL;
	size_t n = 0;
	size_t lines = 0;
	FILE *out = open_memstream(&words, &n);

	ck_assert(out != NULL);
	log_manual(out, "ja");
	fclose(out);
	for (size_t i = 0; i < n; i++)
		lines += words[i] == '\n';
	ck_assert_uint_eq(lines, EVENT_COUNT + 2);
	ck_assert(strstr(words, "| `started` | NOTICE |") != NULL);
	free(words);
}
END_TEST

Suite *log_suite(void);

Suite *
log_suite(void)
{
	Suite *s = suite_create("log");
	TCase *t = tcase_create("log");

	tcase_add_loop_test(t, log_escapes_what_deceives, 0, COUNT(escapes));
	tcase_add_test(t, log_line_is_one_object);
	tcase_add_test(t, log_line_keeps_the_id_given);
	tcase_add_loop_test(t, log_cuts_long_values, 0, COUNT(lengths));
	tcase_add_test(t, log_line_has_a_limit);
	tcase_add_test(t, log_line_ends_anywhere);
	tcase_add_test(t, log_ids_differ);
	tcase_add_test(t, log_ids_differ_over_lives);
	tcase_add_test(t, log_goes_to_the_ring_without_line_end);
	tcase_add_test(t, log_manual_has_every_event);
	suite_add_tcase(s, t);
	return s;
}
