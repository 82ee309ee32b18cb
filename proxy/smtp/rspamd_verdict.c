/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/smtp/rspamd.h"

#define SYMBOLS_MAX 512 /* that are looked at */
#define SYMBOL_NAME_MAX 64
#define SCORE_LIMIT 1e6

const char *const rspamd_action_names[RSPAMD_ACTIONS] = {
	[RSPAMD_UNASKED] = "",
	[RSPAMD_REJECT] = "reject",
	[RSPAMD_QUARANTINE] = "quarantine",
	[RSPAMD_SOFT_REJECT] = "soft reject",
	[RSPAMD_GREYLIST] = "greylist",
	[RSPAMD_REWRITE_SUBJECT] = "rewrite subject",
	[RSPAMD_ADD_HEADER] = "add header",
	[RSPAMD_NO_ACTION] = "no action",
};

/* What its symbols say of a sender when its milter block does not, which it
 * has by setting alone (milter_headers). */
static const struct {
	const char *symbol;
	enum result_method method;
	enum result_word word;
} senders[] = {
	{ "R_SPF_ALLOW", RESULT_SPF, RESULT_PASS },
	{ "R_SPF_FAIL", RESULT_SPF, RESULT_FAIL },
	{ "R_SPF_SOFTFAIL", RESULT_SPF, RESULT_SOFTFAIL },
	{ "R_SPF_NEUTRAL", RESULT_SPF, RESULT_NEUTRAL },
	{ "R_SPF_DNSFAIL", RESULT_SPF, RESULT_TEMPERROR },
	{ "R_SPF_PERMFAIL", RESULT_SPF, RESULT_PERMERROR },
	{ "R_SPF_NA", RESULT_SPF, RESULT_NONE },
	{ "R_DKIM_ALLOW", RESULT_DKIM, RESULT_PASS },
	{ "R_DKIM_REJECT", RESULT_DKIM, RESULT_FAIL },
	{ "R_DKIM_TEMPFAIL", RESULT_DKIM, RESULT_TEMPERROR },
	{ "R_DKIM_PERMFAIL", RESULT_DKIM, RESULT_PERMERROR },
	{ "R_DKIM_NA", RESULT_DKIM, RESULT_NONE },
	{ "DMARC_POLICY_ALLOW", RESULT_DMARC, RESULT_PASS },
	{ "DMARC_POLICY_REJECT", RESULT_DMARC, RESULT_FAIL },
	{ "DMARC_POLICY_QUARANTINE", RESULT_DMARC, RESULT_FAIL },
	{ "DMARC_POLICY_SOFTFAIL", RESULT_DMARC, RESULT_FAIL },
	{ "DMARC_BAD_POLICY", RESULT_DMARC, RESULT_PERMERROR },
	{ "DMARC_DNSFAIL", RESULT_DMARC, RESULT_TEMPERROR },
	{ "DMARC_NA", RESULT_DMARC, RESULT_NONE },
	{ "ARC_ALLOW", RESULT_ARC, RESULT_PASS },
	{ "ARC_REJECT", RESULT_ARC, RESULT_FAIL },
	{ "ARC_INVALID", RESULT_ARC, RESULT_PERMERROR },
	{ "ARC_DNSFAIL", RESULT_ARC, RESULT_TEMPERROR },
	{ "ARC_NA", RESULT_ARC, RESULT_NONE },
};

struct symbol {
	const char *name;
	int64_t score;
};

char *
rspamd_score(int64_t hundredths, char out[RSPAMD_SCORE_MAX])
{
	int64_t n = hundredths < 0 ? -hundredths : hundredths;

	snprintf(out, RSPAMD_SCORE_MAX, "%s%lld.%02d",
	    hundredths < 0 ? "-" : "", (long long)(n / 100), (int)(n % 100));
	return out;
}

static int
fail(struct rspamd_verdict *v, const char *words)
{
	*v = (struct rspamd_verdict){ 0 };
	snprintf(v->words, sizeof(v->words), "%s", words);
	return -1;
}

static bool
take_score(const json_t *of, const char *key, int64_t *out)
{
	const json_t *n = json_object_get(of, key);
	double score = json_number_value(n);

	if (!json_is_number(n) || !isfinite(score) || fabs(score) > SCORE_LIMIT)
		return false;
	*out = llround(score * 100);
	return true;
}

static bool
take_action(const json_t *of, enum rspamd_action *out)
{
	const char *name = json_string_value(json_object_get(of, "action"));

	if (name == NULL)
		return false;
	/* It is to be thrown away and nobody told; here nothing is. */
	if (strcmp(name, "discard") == 0)
		name = rspamd_action_names[RSPAMD_REJECT];
	for (int i = RSPAMD_REJECT; i < RSPAMD_ACTIONS; i++)
		if (strcmp(name, rspamd_action_names[i]) == 0) {
			*out = (enum rspamd_action)i;
			return true;
		}
	return false;
}

static bool
is_symbol(const char *name)
{
	size_t n = strspn(name,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	    "_.-");

	return n > 0 && n <= SYMBOL_NAME_MAX && name[n] == '\0';
}

static int64_t
weight(const struct symbol *s)
{
	return s->score < 0 ? -s->score : s->score;
}

static int
heavier(const void *a, const void *b)
{
	const struct symbol *x = a;
	const struct symbol *y = b;

	if (weight(x) != weight(y))
		return weight(x) < weight(y) ? 1 : -1;
	return strcmp(x->name, y->name);
}

static void
write_symbols(struct rspamd_verdict *v, struct symbol *all, size_t n)
{
	char score[RSPAMD_SCORE_MAX];
	size_t at = 0;

	qsort(all, n, sizeof(*all), heavier);
	for (size_t i = 0; i < n; i++) {
		size_t need = strlen(all[i].name) + RSPAMD_SCORE_MAX + 3;

		if (at + need > sizeof(v->symbols))
			break;
		at += (size_t)snprintf(v->symbols + at, sizeof(v->symbols) - at,
		    "%s%s(%s)", at == 0 ? "" : " ", all[i].name,
		    rspamd_score(all[i].score, score));
	}
}

static void
take_symbols(struct rspamd_verdict *v, json_t *symbols)
{
	struct symbol all[SYMBOLS_MAX];
	const char *name;
	json_t *value;
	size_t n = 0;

	json_object_foreach(symbols, name, value)
	{
		if (n == SYMBOLS_MAX)
			break;
		if (is_symbol(name) &&
		    take_score(value, "score", &all[n].score))
			all[n++].name = name;
	}
	write_symbols(v, all, n);
}

/* Its value is a text, an object with one, or a list of those. */
static void
read_results(struct rspamd_verdict *v, const json_t *field)
{
	const json_t *value = json_object_get(field, "value");
	const json_t *text = value == NULL ? field : value;

	if (json_is_array(field))
		for (size_t i = 0; i < json_array_size(field); i++) {
			const json_t *one = json_array_get(field, i);

			if (!json_is_array(one))
				read_results(v, one);
		}
	else if (json_is_string(text))
		results_read(&v->results, bytes_of(json_string_value(text)));
}

static void
take_results(struct rspamd_verdict *v, const json_t *root)
{
	const json_t *add =
	    json_object_get(json_object_get(root, "milter"), "add_headers");
	const json_t *symbols = json_object_get(root, "symbols");

	read_results(v, json_object_get(add, "Authentication-Results"));
	for (size_t i = 0; i < COUNT(senders); i++)
		if (v->results.said[senders[i].method] == RESULT_UNSAID &&
		    json_object_get(symbols, senders[i].symbol) != NULL)
			results_add(
			    &v->results, senders[i].method, senders[i].word);
}

/* It stands in our answer to the sender and in the journal. */
static void
take_words(struct rspamd_verdict *v, const json_t *messages)
{
	const char *text =
	    json_string_value(json_object_get(messages, "smtp_message"));
	size_t n = 0;

	for (; text != NULL && *text != '\0' && n + 1 < sizeof(v->words);
	     text++)
		v->words[n++] = *text >= ' ' && *text <= '~' ? *text : '?';
	v->words[n] = '\0';
}

int
rspamd_judge(struct rspamd_verdict *out, struct bytes json)
{
	json_t *root =
	    json_loadb((const char *)json.p, json.n, 0, &(json_error_t){ 0 });
	int result = 0;

	*out = (struct rspamd_verdict){ 0 };
	if (!json_is_object(root))
		result = fail(out, "an answer that is no JSON object");
	else if (!take_action(root, &out->action))
		result = fail(out, "an answer without an action that is known");
	else if (!take_score(root, "score", &out->score) ||
	    !take_score(root, "required_score", &out->required))
		result = fail(out, "an answer without a score");
	if (result == 0) {
		take_symbols(out, json_object_get(root, "symbols"));
		take_results(out, root);
		take_words(out, json_object_get(root, "messages"));
	}
	json_decref(root);
	return result;
}

/* "ACTION SCORE REQUIRED SPF DKIM DMARC ARC|RESULTS|SYMBOLS"; numbers, scores
 * moved to be positive. */
#define MOVED ((int64_t)(SCORE_LIMIT * 100))

int
rspamd_verdict_pack(const struct rspamd_verdict *v, struct buf *out)
{
	return buf_printf(out, "%d %lld %lld %d %d %d %d|%s|%s\n", v->action,
	    (long long)v->score + MOVED, (long long)v->required + MOVED,
	    v->results.said[RESULT_SPF], v->results.said[RESULT_DKIM],
	    v->results.said[RESULT_DMARC], v->results.said[RESULT_ARC],
	    v->results.text, v->symbols);
}

static int
take_number(struct bytes *in, uint64_t max, uint64_t *out)
{
	return bytes_number(bytes_take_until(in, ' '), max, out);
}

static int
take_text(struct bytes text, char *out, size_t size)
{
	if (text.n >= size)
		return -1;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < ' ' || text.p[i] > '~')
			return -1;
	if (text.n > 0)
		memcpy(out, text.p, text.n);
	out[text.n] = '\0';
	return 0;
}

int
rspamd_verdict_unpack(struct rspamd_verdict *out, struct bytes *in)
{
	struct bytes line = bytes_take_until(in, '\n');
	struct bytes head = bytes_take_until(&line, '|');
	struct bytes results = bytes_take_until(&line, '|');
	uint64_t action, score, required, said;

	*out = (struct rspamd_verdict){ 0 };
	if (take_number(&head, RSPAMD_ACTIONS - 1, &action) < 0 ||
	    take_number(&head, 2 * (uint64_t)MOVED, &score) < 0 ||
	    take_number(&head, 2 * (uint64_t)MOVED, &required) < 0 ||
	    !results_is_plain(results))
		return -1;
	for (size_t i = 0; i < RESULT_METHODS; i++) {
		if (take_number(&head, RESULT_WORDS - 1, &said) < 0)
			return -1;
		out->results.said[i] = (enum result_word)said;
	}
	out->action = (enum rspamd_action)action;
	out->score = (int64_t)score - MOVED;
	out->required = (int64_t)required - MOVED;
	return head.n > 0 ||
		take_text(results, out->results.text,
		    sizeof(out->results.text)) < 0 ||
		take_text(line, out->symbols, sizeof(out->symbols)) < 0
	    ? -1
	    : 0;
}
