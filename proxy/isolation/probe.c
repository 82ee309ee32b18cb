/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/isolation/probe.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdlib.h>

#include "proxy/base/signature.h"
#include "proxy/isolation/model.h"

#define VERSION_LINE "sekisho-probe 1"
#define PROBE_LINE_MAX 1024

static const char *const kind_names[PROBE_KINDS] = {
	[PROBE_KIND_NONE] = "",
	[PROBE_TCP] = "tcp",
	[PROBE_UDP] = "udp",
	[PROBE_ICMP] = "icmp",
	[PROBE_NAME] = "name",
	[PROBE_ROUTE] = "route",
	[PROBE_ADDRESS] = "address",
	[PROBE_RESOLVER] = "resolver",
};

static const char *const outcome_names[PROBE_OUTCOMES] = {
	[PROBE_FOUND] = "found",
	[PROBE_UNTRIED] = "untried",
	[PROBE_CLOSED] = "closed",
	[PROBE_TOLD] = "told",
};

const char *
probe_kind_name(enum probe_kind k)
{
	return k < PROBE_KINDS ? kind_names[k] : "";
}

const char *
probe_outcome_name(enum probe_outcome o)
{
	return o < PROBE_OUTCOMES ? outcome_names[o] : "";
}

static bool
is_attempt(enum probe_kind k)
{
	return k >= PROBE_TCP && k <= PROBE_NAME;
}

bool
probe_item_is_finding(const struct probe_item *i)
{
	switch (i->outcome) {
	case PROBE_FOUND:
		return true;
	case PROBE_UNTRIED:
		return i->kind != PROBE_ICMP;
	case PROBE_CLOSED:
	case PROBE_TOLD:
	case PROBE_OUTCOMES:
		break;
	}
	return false;
}

/* What attempts can come to, and what facts can. */
static bool
is_outcome_of(enum probe_kind k, enum probe_outcome o)
{
	switch (o) {
	case PROBE_FOUND:
		return true;
	case PROBE_UNTRIED: /* of a fact: its list could not be read */
		return true;
	case PROBE_CLOSED:
		return is_attempt(k);
	case PROBE_TOLD:
		return k >= PROBE_NAME;
	case PROBE_OUTCOMES:
		break;
	}
	return false;
}

static void
count(const struct probe *p, struct probe_report *out)
{
	for (size_t i = 0; i < p->items_n; i++) {
		if (is_attempt(p->items[i].kind))
			out->attempts++;
		if (probe_item_is_finding(&p->items[i]))
			out->findings++;
	}
	out->good = out->attempts > 0 && out->findings == 0;
}

bool
probe_is_good(const struct probe *p)
{
	struct probe_report counted = { 0 };

	count(p, &counted);
	return counted.good;
}

static void
make_printable(char *text, char least)
{
	for (; *text != '\0'; text++)
		if (*text < least || *text > '~')
			*text = '?';
}

struct probe_item *
probe_add(struct probe *p, enum probe_kind kind, const char *target)
{
	struct probe_item *i;

	if (p->items_n == PROBE_ITEMS_MAX)
		return NULL;
	i = &p->items[p->items_n++];
	*i = (struct probe_item){ kind, PROBE_UNTRIED, "", "" };
	snprintf(i->target, sizeof(i->target), "%s",
	    target[0] == '\0' ? "?" : target);
	make_printable(i->target, '!');
	return i;
}

void
probe_say(
    struct probe_item *i, enum probe_outcome outcome, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(i->detail, sizeof(i->detail), format, args);
	va_end(args);
	make_printable(i->detail, ' ');
	i->outcome = outcome;
}

/* The texts of a message: what may stand in them. */

static bool
is_name(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < ' ' || b.p[i] == 0x7f)
			return false;
	return b.n > 0 && b.n < PROBE_NAME_MAX;
}

static bool
is_target(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] <= ' ' || b.p[i] > '~')
			return false;
	return b.n > 0 && b.n < PROBE_TARGET_MAX;
}

static bool
is_detail(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < ' ' || b.p[i] > '~')
			return false;
	return b.n < PROBE_DETAIL_MAX;
}

/* An address is written in one way, so that it can be compared as text. */
static bool
is_canonical(enum probe_kind k, struct bytes target)
{
	char text[ADDRESS_TEXT_MAX];
	struct address a;

	switch (k) {
	case PROBE_TCP:
	case PROBE_UDP:
		return address_parse_port(&a, target) == 0 && a.port != 0 &&
		    bytes_equal(bytes_of(address_text_port(&a, text)), target);
	case PROBE_ICMP:
		return address_parse(&a, target) == 0 &&
		    bytes_equal(bytes_of(address_text(&a, text)), target);
	case PROBE_NAME:
	case PROBE_ROUTE:
	case PROBE_ADDRESS:
	case PROBE_RESOLVER:
		return true;
	case PROBE_KIND_NONE:
	case PROBE_KINDS:
		break;
	}
	return false;
}

static bool
is_item(const struct probe_item *i)
{
	struct bytes target = bytes_of(i->target);

	return is_target(target) && is_detail(bytes_of(i->detail)) &&
	    is_canonical(i->kind, target) && is_outcome_of(i->kind, i->outcome);
}

/* Writing. */

static int
append_hex(struct buf *out, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t two[2];

	for (size_t i = 0; i < n; i++) {
		two[0] = (uint8_t)digits[p[i] >> 4];
		two[1] = (uint8_t)digits[p[i] & 15];
		if (buf_append(out, (struct bytes){ two, 2 }) < 0)
			return -1;
	}
	return 0;
}

static int
append_head(const struct probe *p, struct buf *out)
{
	if (buf_append_string(out, VERSION_LINE "\nnonce ") < 0 ||
	    append_hex(out, p->nonce, sizeof(p->nonce)) < 0)
		return -1;
	return buf_printf(out, "\nsystem %s\nhost %s\ntime %jd\n", p->system,
	    p->host, (intmax_t)p->time);
}

static int
append_item(const struct probe_item *i, struct buf *out)
{
	return buf_printf(out, "%s %s %s%s%s", kind_names[i->kind],
	    outcome_names[i->outcome], i->target,
	    i->detail[0] == '\0' ? "" : " ", i->detail);
}

int
probe_lines(const struct probe *p, struct buf *out, struct err *e)
{
	if (!is_name(bytes_of(p->system)) || !is_name(bytes_of(p->host)) ||
	    p->time < 0)
		return err_set(e,
		    "a name with control characters, an empty one, or a time"
		    " before 1970 cannot be told");
	if (p->items_n > PROBE_ITEMS_MAX)
		return err_set(e, "%zu attempts and facts, expected at most %d",
		    p->items_n, PROBE_ITEMS_MAX);
	if (append_head(p, out) < 0)
		goto full;
	for (size_t i = 0; i < p->items_n; i++) {
		if (!is_item(&p->items[i]))
			return err_set(e, "\"%s %s\" cannot be told",
			    probe_kind_name(p->items[i].kind),
			    p->items[i].target);
		if (append_item(&p->items[i], out) < 0 ||
		    buf_append(out, BYTES("\n")) < 0)
			goto full;
	}
	if (buf_printf(
		out, "verdict %s\n", probe_is_good(p) ? "good" : "bad") == 0)
		return 0;
full:
	return err_set(e, "the message has more than %zu bytes", out->max);
}

int
probe_write(const struct probe *p, EVP_PKEY *private_key, struct buf *out,
    struct err *e)
{
	uint8_t signature[PROBE_SIGNATURE_N];
	const size_t begun = out->n;

	if (probe_lines(p, out, e) < 0)
		return -1;
	if (signature_make(private_key,
		(struct bytes){ out->p + begun, out->n - begun },
		signature) < 0)
		return err_set(e, "the key does not sign: is it of Ed25519?");
	if (buf_append_string(out, "signature ") < 0 ||
	    append_hex(out, signature, sizeof(signature)) < 0 ||
	    buf_append(out, BYTES("\n")) < 0)
		return err_set(
		    e, "the message has more than %zu bytes", out->max);
	return 0;
}

void
probe_length_write(size_t n, uint8_t out[PROBE_LENGTH_N])
{
	for (size_t i = 0; i < PROBE_LENGTH_N; i++)
		out[i] = (uint8_t)(n >> (8 * (PROBE_LENGTH_N - 1 - i)));
}

int
probe_length_read(const uint8_t head[PROBE_LENGTH_N], size_t *n_out)
{
	size_t n = 0;

	for (size_t i = 0; i < PROBE_LENGTH_N; i++)
		n = n << 8 | head[i];
	if (n == 0 || n > PROBE_MESSAGE_MAX)
		return -1;
	*n_out = n;
	return 0;
}

/* Reading. */

/* A line without its LF; false: it has none, or is too long. */
static bool
take_line(struct bytes *rest, struct bytes *line_out)
{
	ssize_t end = bytes_index(*rest, '\n');

	if (end < 0 || end > PROBE_LINE_MAX)
		return false;
	*line_out = bytes_take(rest, (size_t)end);
	bytes_take(rest, 1);
	return true;
}

/* What stands behind a word and its blank. */
static bool
take_field(struct bytes *rest, struct bytes word, struct bytes *value_out)
{
	struct bytes line;

	if (!take_line(rest, &line) || !bytes_start_with(line, word))
		return false;
	bytes_take(&line, word.n);
	*value_out = line;
	return true;
}

static bool
read_hex(struct bytes hex, uint8_t *out, size_t n)
{
	if (hex.n != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = byte_hex(hex.p[2 * i]);
		int low = byte_hex(hex.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
	}
	for (size_t i = 0; i < hex.n; i++)
		if (hex.p[i] >= 'A' && hex.p[i] <= 'F')
			return false;
	return true;
}

/* Into an array with room for b and a NUL. */
static void
keep(struct bytes b, char *out)
{
	if (b.n > 0)
		memcpy(out, b.p, b.n);
	out[b.n] = '\0';
}

/* Zeros before a number would be another way to write it. */
static bool
read_time(struct bytes text, time_t *out)
{
	uint64_t value;

	if ((text.n > 1 && text.p[0] == '0') ||
	    bytes_number(text, INT64_MAX, &value) < 0)
		return false;
	*out = (time_t)value;
	return true;
}

static bool
read_head(struct probe *p, struct bytes *rest)
{
	struct bytes v;

	if (!take_line(rest, &v) || !bytes_equal(v, BYTES(VERSION_LINE)) ||
	    !take_field(rest, BYTES("nonce "), &v) ||
	    !read_hex(v, p->nonce, sizeof(p->nonce)))
		return false;
	if (!take_field(rest, BYTES("system "), &v) || !is_name(v))
		return false;
	keep(v, p->system);
	if (!take_field(rest, BYTES("host "), &v) || !is_name(v))
		return false;
	keep(v, p->host);
	return take_field(rest, BYTES("time "), &v) && read_time(v, &p->time);
}

static int
find(const char *const *names, size_t n, struct bytes word)
{
	for (size_t i = 0; i < n; i++)
		if (bytes_equal(bytes_of(names[i]), word))
			return (int)i;
	return -1;
}

static bool
read_item(struct bytes line, struct probe_item *i)
{
	int kind = find(kind_names, PROBE_KINDS, bytes_take_until(&line, ' '));
	int outcome =
	    find(outcome_names, PROBE_OUTCOMES, bytes_take_until(&line, ' '));
	ssize_t blank = bytes_index(line, ' ');
	struct bytes target = bytes_take_until(&line, ' ');

	/* A blank at the end of it would be another way to write none. */
	if (kind <= 0 || outcome < 0 || !is_target(target) ||
	    !is_detail(line) || (blank >= 0 && line.n == 0))
		return false;
	i->kind = (enum probe_kind)kind;
	i->outcome = (enum probe_outcome)outcome;
	keep(target, i->target);
	keep(line, i->detail);
	return is_item(i);
}

/* Up to the verdict, whose word is given. */
static bool
read_items(struct probe *p, struct bytes *rest, struct bytes *verdict_out)
{
	const struct bytes end = BYTES("verdict ");
	struct bytes line;

	p->items_n = 0;
	while (take_line(rest, &line)) {
		if (bytes_start_with(line, end)) {
			bytes_take(&line, end.n);
			*verdict_out = line;
			return true;
		}
		if (p->items_n == PROBE_ITEMS_MAX ||
		    !read_item(line, &p->items[p->items_n]))
			return false;
		p->items_n++;
	}
	return false;
}

int
probe_parse(struct probe *p, struct bytes message, struct bytes *signed_out,
    uint8_t signature_out[PROBE_SIGNATURE_N], struct err *e)
{
	struct bytes rest = message;
	struct bytes verdict, signature;

	if (message.n > PROBE_MESSAGE_MAX)
		return err_set(e, "has %zu bytes, expected at most %zu",
		    message.n, PROBE_MESSAGE_MAX);
	if (!read_head(p, &rest))
		return err_set(e,
		    "its head is no message of version 1, expected nonce,"
		    " system, host and time");
	if (!read_items(p, &rest, &verdict))
		return err_set(e,
		    "its item %zu cannot be read, expected at most %d of KIND"
		    " OUTCOME TARGET and then a verdict",
		    p->items_n + 1, PROBE_ITEMS_MAX);
	if (!bytes_equal(
		verdict, probe_is_good(p) ? BYTES("good") : BYTES("bad")))
		return err_set(e, "its verdict is not what its items say");
	*signed_out = (struct bytes){ message.p, message.n - rest.n };
	if (!take_field(&rest, BYTES("signature "), &signature) ||
	    !read_hex(signature, signature_out, PROBE_SIGNATURE_N) ||
	    rest.n > 0)
		return err_set(e, "does not end with a signature");
	return 0;
}

/* Judging. */

static bool
is_signed(const char *pem, struct bytes text,
    const uint8_t signature[PROBE_SIGNATURE_N])
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key;
	bool result;

	must(bio != NULL);
	key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	result = key != NULL && EVP_PKEY_is_a(key, "ED25519") &&
	    signature_holds(
		key, text, (struct bytes){ signature, PROBE_SIGNATURE_N });
	EVP_PKEY_free(key);
	BIO_free(bio);
	ERR_clear_error();
	return result;
}

static bool
has_tried(const struct probe *p, enum probe_kind kind, const char *target)
{
	for (size_t i = 0; i < p->items_n; i++)
		if (p->items[i].kind == kind &&
		    p->items[i].outcome != PROBE_UNTRIED &&
		    strcmp(p->items[i].target, target) == 0)
			return true;
	return false;
}

/* A probe that tries nothing proves nothing. */
static int
check_canaries(
    const struct probe *p, const struct isolation_settings *s, struct err *e)
{
	static const enum probe_kind kinds[] = { PROBE_TCP, PROBE_UDP };
	char text[ADDRESS_TEXT_MAX];

	if (s->canaries_n == 0)
		return err_set(e, "no canaries are registered to be tried");
	for (size_t i = 0; i < s->canaries_n; i++) {
		address_text_port(&s->canaries_at[i], text);
		for (size_t k = 0; k < COUNT(kinds); k++)
			if (!has_tried(p, kinds[k], text))
				return err_set(e,
				    "did not try the registered canary %s by"
				    " %s",
				    text, probe_kind_name(kinds[k]));
	}
	return 0;
}

static int
check_time(time_t told, time_t now, struct err *e)
{
	if (told > now && told - now > PROBE_SKEW_MAX_S)
		return err_set(e,
		    "its time is %jd s ahead of this clock, expected at most"
		    " %d",
		    (intmax_t)(told - now), PROBE_SKEW_MAX_S);
	if (told < now && now - told > PROBE_SKEW_MAX_S)
		return err_set(e,
		    "its time is %jd s behind this clock, expected at most %d",
		    (intmax_t)(now - told), PROBE_SKEW_MAX_S);
	return 0;
}

static int
judge(const struct probe_asked *asked, struct probe *p, struct bytes message,
    struct err *e)
{
	uint8_t signature[PROBE_SIGNATURE_N];
	struct bytes text = { 0 };

	if (asked->system->probe_key[0] == '\0')
		return err_set(e, "no probe is registered for the system");
	if (probe_parse(p, message, &text, signature, e) < 0)
		return -1;
	if (!is_signed(asked->system->probe_key, text, signature))
		return err_set(e, "is not signed by the system's probe_key");
	if (memcmp(p->nonce, asked->nonce, sizeof(p->nonce)) != 0)
		return err_set(e, "is for another nonce: it was made before");
	if (strcmp(p->system, asked->system->name) != 0)
		return err_set(e, "is of the system \"%s\"", p->system);
	return check_time(p->time, asked->now, e) < 0
	    ? -1
	    : check_canaries(p, asked->isolation, e);
}

static void
tell(const struct probe_asked *asked, const struct probe *p,
    struct probe_report *out)
{
	struct buf line;

	*out = (struct probe_report){
		.time = p->time < asked->now ? p->time : asked->now,
	};
	count(p, out);
	buf_init(&line, sizeof(out->finding) - 1);
	for (size_t i = 0; i < p->items_n && line.n == 0; i++)
		if (probe_item_is_finding(&p->items[i]))
			must(append_item(&p->items[i], &line) == 0);
	keep(buf_bytes(&line), out->finding);
	buf_release(&line);
}

int
probe_read(const struct probe_asked *asked, struct bytes message,
    struct probe_report *out, struct err *e)
{
	struct probe p = {
		.items = calloc(PROBE_ITEMS_MAX, sizeof(struct probe_item)),
	};
	struct err why = { 0 };
	int result;

	*out = (struct probe_report){ 0 };
	must(p.items != NULL);
	result = judge(asked, &p, message, &why);
	if (result == 0)
		tell(asked, &p, out);
	else
		err_set(e, "probe of \"%.64s\": %.400s", asked->system->name,
		    why.text);
	free(p.items);
	return result;
}

/* Words for people. */

static const struct {
	const char *detail, *ja;
} details[] = {
	{ PROBE_WHY_CONNECTED, "接続できました" },
	{ PROBE_WHY_RESET, "接続を断る応答（RST）が届きました" },
	{ PROBE_WHY_DATAGRAM, "データグラムが返りました" },
	{ PROBE_WHY_ECHO, "エコー応答が返りました" },
	{ PROBE_WHY_REFUSED, "受け付けないという通知が届きました" },
	{ PROBE_WHY_UNREACHABLE, "ほかの機器から到達不能の通知が届きました" },
	{ PROBE_WHY_RESOLVED, "名前が解決できました" },
	{ PROBE_WHY_SILENT, "応答なし" },
	{ PROBE_WHY_NO_WAY, "このシステムから送り出せません" },
	{ PROBE_WHY_NEIGHBOUR, "このシステムから先に届きません" },
	{ PROBE_WHY_NO_NAME, "名前は解決できません" },
	{ PROBE_WHY_NOT_PERMITTED, "このプログラムに権限がありません" },
	{ PROBE_WHY_FAILED, "試せません" },
	{ PROBE_WHY_UNREADABLE, "読めません" },
};

const char *
probe_detail_text(
    const char *detail, bool in_japanese, char out[PROBE_DETAIL_TEXT_MAX])
{
	struct bytes behind = bytes_of(detail);
	struct bytes head = bytes_take_until(&behind, ':');

	snprintf(out, PROBE_DETAIL_TEXT_MAX, "%s", detail);
	for (size_t i = 0; in_japanese && i < COUNT(details); i++)
		if (bytes_equal(bytes_of(details[i].detail), head))
			snprintf(out, PROBE_DETAIL_TEXT_MAX, "%s%s%.*s",
			    details[i].ja, behind.n > 0 ? ":" : "",
			    BYTES_PRINTF(behind));
	return out;
}

struct words {
	const char *before, *behind; /* the target */
};

static const struct words found_words[PROBE_KINDS][2] = {
	[PROBE_TCP] = { { "the canary ", " answered to TCP" },
	    { "カナリアアドレス ", " が TCP に応答しました" } },
	[PROBE_UDP] = { { "the canary ", " answered to UDP" },
	    { "カナリアアドレス ", " が UDP に応答しました" } },
	[PROBE_ICMP] = { { "the canary ", " answered to an ICMP echo" },
	    { "カナリアアドレス ", " が ICMP エコーに応答しました" } },
	[PROBE_NAME] = { { "the canary name ", " resolves" },
	    { "カナリアの名前 ", " が解決できました" } },
	[PROBE_ROUTE] = { { "there is the default route ", "" },
	    { "既定経路 ", " があります" } },
	[PROBE_ADDRESS] = { { "the address ", " is not registered" },
	    { "登録されていないアドレス ", " があります" } },
	[PROBE_RESOLVER] = { { "the name server ", " is configured" },
	    { "ネームサーバー ", " が設定されています" } },
};

static const struct words untried_words[2] = {
	{ "", " could not be tried" },
	{ "", " を確かめられませんでした" },
};

/* " (DETAIL)" */
static void
put_in_brackets(const char *detail, bool in_japanese, char *out, size_t n)
{
	char text[PROBE_DETAIL_TEXT_MAX];

	out[0] = '\0';
	if (detail[0] != '\0')
		snprintf(out, n, in_japanese ? "（%s）" : " (%s)",
		    probe_detail_text(detail, in_japanese, text));
}

const char *
probe_report_text(const struct probe_report *p, bool in_japanese,
    char out[PROBE_REPORT_TEXT_MAX])
{
	struct probe_item first;
	struct words w;
	char detail[PROBE_DETAIL_TEXT_MAX + 8];
	char more[32] = "";

	if (p->findings == 0 || !read_item(bytes_of(p->finding), &first)) {
		snprintf(out, PROBE_REPORT_TEXT_MAX, "%s",
		    in_japanese ? "応答はありませんでした"
				: "nothing answered");
		return out;
	}
	w = first.outcome == PROBE_UNTRIED
	    ? untried_words[in_japanese]
	    : found_words[first.kind][in_japanese];
	put_in_brackets(first.detail, in_japanese, detail, sizeof(detail));
	if (p->findings > 1)
		snprintf(more, sizeof(more),
		    in_japanese ? "、ほか %zu 件" : " and %zu more",
		    p->findings - 1);
	snprintf(out, PROBE_REPORT_TEXT_MAX, "%s%s%s%s%s", w.before,
	    first.target, w.behind, detail, more);
	return out;
}
