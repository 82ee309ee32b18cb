/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/control/mails.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/base/language.h"
#include "proxy/base/log.h"

#define IDS_MAX 64 /* mails of one Message-ID */

struct trace {
	const struct trace_order *order;
	char ids[IDS_MAX][LOG_ID_MAX];
	size_t ids_n;
	size_t lines;
};

static const char *
text_of(const json_t *line, const char *key)
{
	const char *text = json_string_value(json_object_get(line, key));

	return text == NULL ? "" : text;
}

static bool
is_known(const struct trace *t, const char *id)
{
	for (size_t i = 0; i < t->ids_n; i++)
		if (strcmp(t->ids[i], id) == 0)
			return true;
	return false;
}

/* With or without its angle brackets. */
static bool
is_same_message(const char *id, const char *asked)
{
	size_t n = strlen(asked);

	if (strcmp(id, asked) == 0)
		return true;
	return id[0] == '<' && strncmp(id + 1, asked, n) == 0 &&
	    strcmp(id + 1 + n, ">") == 0;
}

/* The mail's own number: of the line that tells its answer, and of others. */
static const char *
number_of(const json_t *line)
{
	const char *mail = text_of(line, "mail");

	if (mail[0] != '\0')
		return mail;
	return strcmp(text_of(line, "event"), "mail") == 0 ? text_of(line, "id")
							   : "";
}

static bool
is_of(struct trace *t, const json_t *line)
{
	const char *id = number_of(line);

	if (id[0] == '\0')
		return false;
	if (is_known(t, id))
		return true;
	if (strcmp(id, t->order->id) != 0 &&
	    !is_same_message(text_of(line, "message_id"), t->order->id))
		return false;
	if (t->ids_n < IDS_MAX)
		snprintf(t->ids[t->ids_n++], LOG_ID_MAX, "%s", id);
	return true;
}

static void
print_number(const json_t *line, const char *key)
{
	const json_t *n = json_object_get(line, key);

	if (json_is_integer(n))
		printf(" %s=%lld", key, (long long)json_integer_value(n));
}

static void
print_text(const json_t *line, const char *key)
{
	const char *text = text_of(line, key);

	if (text[0] != '\0')
		printf(" %s=%s", key, text);
}

static void
print(const json_t *line)
{
	static const char *const texts[] = { "client", "sender", "recipient",
		"route", "peer", "tls", "detox", "removed", "refusal", "why",
		"order", "suspect", "action", "score", "required", "spf",
		"dkim", "dmarc", "arc", "symbols", "original", "by",
		"approved_by", "released_as" };

	printf("%s %s %s %s\n", text_of(line, "time"), number_of(line),
	    text_of(line, "event"), text_of(line, "result"));
	printf("   ");
	for (size_t i = 0; i < COUNT(texts); i++)
		print_text(line, texts[i]);
	print_number(line, "bytes");
	print_number(line, "age_s");
	print_number(line, "attempts");
	if (json_is_integer(json_object_get(line, "code")))
		printf("\n    %lld %s %s",
		    (long long)json_integer_value(
			json_object_get(line, "code")),
		    text_of(line, "enhanced"), text_of(line, "reply"));
	printf("\n");
}

static void
take_line(struct trace *t, const char *text)
{
	/* Most lines are of something else: looked at before they are read. */
	bool mail = strstr(text, "\"event\":\"mail") != NULL;
	json_t *line = mail ? json_loads(text, 0, NULL) : NULL;

	if (line != NULL && is_of(t, line)) {
		t->lines++;
		if (t->order->json)
			fputs(text, stdout);
		else
			print(line);
	}
	json_decref(line);
}

int
mail_trace(const struct trace_order *o)
{
	struct trace t = { .order = o };
	bool from_stdin = strcmp(o->journal, "-") == 0;
	FILE *f = from_stdin ? stdin : fopen(o->journal, "re");
	char *text = NULL;
	size_t size = 0;

	if (f == NULL) {
		perror(o->journal);
		return 1;
	}
	while (getline(&text, &size, f) > 0)
		take_line(&t, text);
	free(text);
	if (!from_stdin)
		fclose(f);
	if (t.lines == 0)
		fprintf(stderr,
		    language_is_japanese()
			? "sekishoctl: %s の記録はありません\n"
			: "sekishoctl: nothing is told of %s\n",
		    o->id);
	return t.lines == 0 ? 1 : 0;
}
