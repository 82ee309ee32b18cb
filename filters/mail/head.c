/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/head.h"

#include <ctype.h>
#include <stdio.h>

#include "filters/mail/address.h"
#include "filters/mail/date.h"
#include "filters/mail/words.h"

#define ID_MAX ((size_t)512)
#define IDS_MAX 100             /* of References: the first and the last */
#define TRACE_MAX ((size_t)900) /* bytes of one Received */
#define TRACES_MAX 100
#define TOKEN_MAX ((size_t)64)
#define SUBJECT_MAX ((size_t)8192)
#define MAILBOXES_MAX 10000
#define SPEC_WORDS_MAX ((size_t)400) /* of a sender that is no address */

enum kind {
	KIND_GOES,
	KIND_MIME, /* written with the body */
	KIND_SILENT,
	KIND_SIGNATURE,
	KIND_RESULTS, /* Authentication-Results */
	KIND_TRACE,
	KIND_DATE,
	KIND_ONE_MAILBOX,
	KIND_MAILBOXES,
	KIND_ID,
	KIND_IDS,
	KIND_TEXT,
	KIND_TOKEN,
	KIND_LIST, /* <http...>, <mailto...> */
	KIND_LIST_ID,
};

static const struct rule {
	const char *name;
	enum kind kind;
	bool once;
} rules[] = {
	{ "Received", KIND_TRACE, false },
	{ "Date", KIND_DATE, true },
	{ "From", KIND_ONE_MAILBOX, true },
	{ "Sender", KIND_ONE_MAILBOX, true },
	{ "Reply-To", KIND_MAILBOXES, true },
	{ "To", KIND_MAILBOXES, true },
	{ "Cc", KIND_MAILBOXES, true },
	{ "Message-ID", KIND_ID, true },
	{ "In-Reply-To", KIND_IDS, true },
	{ "References", KIND_IDS, true },
	{ "Subject", KIND_TEXT, true },
	{ "Organization", KIND_TEXT, true },
	{ "List-Id", KIND_LIST_ID, true },
	{ "List-Help", KIND_LIST, true },
	{ "List-Unsubscribe", KIND_LIST, true },
	{ "List-Subscribe", KIND_LIST, true },
	{ "List-Post", KIND_LIST, true },
	{ "List-Owner", KIND_LIST, true },
	{ "List-Archive", KIND_LIST, true },
	{ "List-Unsubscribe-Post", KIND_TOKEN, true },
	{ "Auto-Submitted", KIND_TOKEN, true },
	{ "Precedence", KIND_TOKEN, true },
	{ "Importance", KIND_TOKEN, true },
	{ "Priority", KIND_TOKEN, true },
	{ "Sensitivity", KIND_TOKEN, true },
	/* What programs that answer by themselves look at, lest they answer
	 * each other; how urgent it is, which readers show. */
	{ "X-Auto-Response-Suppress", KIND_TOKEN, true },
	{ "X-Priority", KIND_TOKEN, true },
	{ "X-MSMail-Priority", KIND_TOKEN, true },
	{ "MIME-Version", KIND_MIME, true },
	{ "Content-Type", KIND_MIME, true },
	{ "Content-Transfer-Encoding", KIND_MIME, true },
	{ "Content-Disposition", KIND_MIME, true },
	{ "Content-ID", KIND_MIME, true },
	{ "Content-Description", KIND_SILENT, true },
	{ "Content-Language", KIND_SILENT, true },
	{ "Return-Path", KIND_SILENT, false },
	{ "Delivered-To", KIND_SILENT, false },
	{ "DKIM-Signature", KIND_SIGNATURE, false },
	{ "DomainKey-Signature", KIND_SIGNATURE, false },
	{ "ARC-Seal", KIND_SIGNATURE, false },
	{ "ARC-Message-Signature", KIND_SIGNATURE, false },
	{ "ARC-Authentication-Results", KIND_SIGNATURE, false },
	{ "X-Google-DKIM-Signature", KIND_SIGNATURE, false },
	{ "Authentication-Results", KIND_RESULTS, false },
};

static const struct rule other = { NULL, KIND_GOES, false };

static size_t
rule_of(struct bytes name)
{
	size_t i = 0;

	while (i < COUNT(rules) &&
	    !bytes_equal_nocase(name, bytes_of(rules[i].name)))
		i++;
	return i;
}

/* What is written of one header. */
struct writer {
	struct detox *d;
	const struct mail_order *order;
	struct buf *out;
	unsigned traces;
	unsigned results; /* that were seen */
	bool seen[COUNT(rules)];
};

static void
removed(struct writer *w, enum detox_removal what, const char *where)
{
	detox_removed(w->d, what, where, (struct bytes){ 0 });
}

/* Bytes of ASCII that are seen; others go. Of the arena. */
static struct bytes
ascii(struct detox *d, struct bytes b, size_t max)
{
	uint8_t *p = arena_alloc(&d->arena, b.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < b.n && n < max; i++)
		if (b.p[i] >= ' ' && b.p[i] < 0x7f)
			p[n++] = b.p[i];
	return bytes_trim((struct bytes){ p, n });
}

static int
put_text(struct writer *w, const char *name, struct bytes text)
{
	size_t column = strlen(name) + 2;

	if (text.n == 0)
		return 0;
	return buf_printf(w->out, "%s: ", name) < 0 ||
		mail_put_words(w->out, text, &column) < 0 ||
		buf_append(w->out, BYTES("\r\n")) < 0
	    ? -1
	    : 0;
}

static int
put_subject(struct writer *w, const char *name, struct bytes text)
{
	text = mail_clean_line(w->d, mail_words_decode(w->d, text));
	if (text.n > SUBJECT_MAX) {
		text.n = SUBJECT_MAX;
		while (text.n > 0 && (text.p[text.n] & 0xc0) == 0x80)
			text.n--;
		removed(w, REMOVED_TRAILING, name);
	}
	return put_text(w, name, text);
}

static int
put_token(struct writer *w, const char *name, struct bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!isalnum(text.p[i]) && strchr(" -_()=,", text.p[i]) == NULL)
			text.n = i;
	if (text.n > TOKEN_MAX)
		text.n = TOKEN_MAX;
	return put_text(w, name, bytes_trim(text));
}

/* An address of nobody stands for one that is none, so that the mail has a
 * sender that can be seen. */
static int
put_mailboxes(struct writer *w, const char *name, struct bytes text, size_t max)
{
	size_t column = strlen(name) + 2;
	size_t before = w->out->n;
	size_t n = 0;
	size_t bad = 0;

	if (buf_printf(w->out, "%s: ", name) < 0 ||
	    mail_put_addresses(w->d, text, max, w->out, &column, &n, &bad) < 0)
		return -1;
	if (bad > 0)
		removed(w, REMOVED_DAMAGED, name);
	if (n == 0 && strcmp(name, "From") == 0) {
		if (bytes_index(text, '<') > 0)
			text.n = (size_t)bytes_index(text, '<');
		text = mail_clean_line(w->d, mail_words_decode(w->d, text));
		if (text.n > SPEC_WORDS_MAX)
			text.n = 0;
		return mail_put_display(text, w->out, &column) < 0 ||
			buf_append(
			    w->out, BYTES(" <unknown@sender.invalid>\r\n")) < 0
		    ? -1
		    : 0;
	}
	if (n == 0) {
		w->out->n = before;
		return 0;
	}
	return buf_append(w->out, BYTES("\r\n"));
}

struct bytes
mail_id(struct bytes text)
{
	ssize_t begin = bytes_index(text, '<');
	struct bytes id;

	if (begin < 0)
		return (struct bytes){ 0 };
	bytes_take(&text, (size_t)begin);
	id = text;
	for (size_t i = 1; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c == '>') {
			id.n = i + 1;
			return i > 1 && id.n <= ID_MAX ? id
						       : (struct bytes){ 0 };
		}
		if (c <= ' ' || c >= 0x7f || strchr("<\"\\()", c) != NULL)
			break;
	}
	return (struct bytes){ 0 };
}

static int
put_ids(struct writer *w, const char *name, struct bytes text, size_t max)
{
	struct bytes ids[IDS_MAX];
	size_t n = 0;

	while (text.n > 0) {
		struct bytes id = mail_id(text);

		bytes_take_until(&text, id.n > 0 ? '>' : '<');
		if (id.n == 0)
			continue;
		if (n == IDS_MAX) {
			memmove(ids + 1, ids + 2, (n - 2) * sizeof(ids[0]));
			n--;
		}
		ids[n++] = id;
		if (n == max)
			break;
	}
	if (n == 0) {
		removed(w, REMOVED_DAMAGED, name);
		return 0;
	}
	if (buf_printf(w->out, "%s:", name) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (buf_printf(w->out, "%s %.*s", i == 0 ? "" : "\r\n",
			BYTES_PRINTF(ids[i])) < 0)
			return -1;
	return buf_append(w->out, BYTES("\r\n"));
}

static int
put_trace(struct writer *w, const char *name, struct bytes text)
{
	if (w->traces++ >= TRACES_MAX) {
		removed(w, REMOVED_METADATA, name);
		return 0;
	}
	return put_text(w, name, ascii(w->d, text, TRACE_MAX));
}

static int
put_date(struct writer *w, const char *name, struct bytes text)
{
	char date[MAIL_DATE_MAX];

	if (mail_date_write(text, date) < 0) {
		removed(w, REMOVED_DAMAGED, name);
		return 0;
	}
	return buf_printf(w->out, "%s: %s\r\n", name, date);
}

/* Ours stay: those right behind the order, as many as it says. */
static int
put_results(struct writer *w, size_t at, const char *name, struct bytes text)
{
	struct bytes host = text;

	host = bytes_trim(bytes_take_until(&host, ';'));
	if (at < w->order->results && w->order->host.n > 0 &&
	    bytes_equal_nocase(host, w->order->host))
		return put_text(w, name, ascii(w->d, text, TRACE_MAX));
	removed(w, REMOVED_SIGNATURE, name);
	return 0;
}

/* RFC 2369: addresses in <>, of which the profile lets some stay. */
static int
put_list(struct writer *w, const char *name, struct bytes text)
{
	struct buf kept;
	int result = 0;

	buf_init(&kept, size_mul(text.n + 4, 2));
	text = ascii(w->d, text, text.n);
	while (text.n > 0) {
		struct bytes address;

		bytes_take_until(&text, '<');
		if (bytes_index(text, '>') < 0)
			break;
		address = bytes_trim(bytes_take_until(&text, '>'));
		if (address.n == 0 || address.n > TRACE_MAX ||
		    bytes_index(address, ' ') >= 0 || address.p[0] == '#' ||
		    !detox_link_stays(w->d, address))
			continue;
		must(buf_printf(&kept, "%s<%.*s>", kept.n > 0 ? ",\r\n " : "",
			 BYTES_PRINTF(address)) == 0);
	}
	if (kept.n > 0)
		result = buf_printf(
		    w->out, "%s: %.*s\r\n", name, BYTES_PRINTF(kept));
	else
		removed(w, REMOVED_METADATA, name);
	buf_release(&kept);
	return result;
}

static int
put_field(struct writer *w, const struct rule *r, size_t at, struct bytes text)
{
	switch (r->kind) {
	case KIND_GOES:
		removed(w, REMOVED_METADATA, "header");
		return 0;
	case KIND_MIME:
	case KIND_SILENT:
		return 0;
	case KIND_SIGNATURE:
		removed(w, REMOVED_SIGNATURE, r->name);
		return 0;
	case KIND_RESULTS:
		return put_results(w, at, r->name, text);
	case KIND_TRACE:
		return put_trace(w, r->name, text);
	case KIND_DATE:
		return put_date(w, r->name, text);
	case KIND_ONE_MAILBOX:
		return put_mailboxes(w, r->name, text, 1);
	case KIND_MAILBOXES:
		return put_mailboxes(w, r->name, text, MAILBOXES_MAX);
	case KIND_ID:
		return put_ids(w, r->name, text, 1);
	case KIND_IDS:
		return put_ids(w, r->name, text, IDS_MAX + 1);
	case KIND_TEXT:
		return put_subject(w, r->name, text);
	case KIND_TOKEN:
		return put_token(w, r->name, text);
	case KIND_LIST:
		return put_list(w, r->name, text);
	case KIND_LIST_ID:
		return put_text(w, r->name, ascii(w->d, text, TOKEN_MAX * 4));
	}
	return 0;
}

enum detox_result
mail_head_write(struct detox *d, const struct mail_head *h,
    const struct mail_order *order, struct buf *out)
{
	struct writer w = { .d = d, .order = order, .out = out };

	for (size_t i = 0; i < h->n; i++) {
		size_t k = rule_of(h->fields[i].name);
		const struct rule *r = k < COUNT(rules) ? &rules[k] : &other;

		if (k < COUNT(rules) && r->once && w.seen[k]) {
			removed(&w, REMOVED_DAMAGED, r->name);
			continue;
		}
		if (k < COUNT(rules))
			w.seen[k] = true;
		if (put_field(&w, r, i, mail_unfold(d, h->fields[i].value)) < 0)
			return detox_refuse(d, REFUSED_SIZE,
			    "a header of more than %zu bytes", out->max);
	}
	return DETOX_REBUILT;
}

/* The order. */

static void
take_banners(struct bytes list, struct mail_order *out)
{
	while (list.n > 0) {
		uint64_t number;

		if (bytes_number(bytes_trim(bytes_take_until(&list, ',')), 31,
			&number) == 0)
			out->banners |= UINT32_C(1) << number;
	}
}

void
mail_order_take(struct detox *d, struct mail_head *h, struct mail_order *out)
{
	struct bytes text;

	if (h->n == 0 ||
	    !bytes_equal_nocase(h->fields[0].name, BYTES(MAIL_ORDER_FIELD)))
		return;
	text = mail_unfold(d, h->fields[0].value);
	while (text.n > 0) {
		struct bytes value = bytes_trim(bytes_take_until(&text, ';'));
		struct bytes key = bytes_trim(bytes_take_until(&value, '='));
		uint64_t number;

		value = bytes_trim(value);
		if (bytes_equal(key, BYTES("ref")))
			out->reference = ascii(d, value, TOKEN_MAX);
		else if (bytes_equal(key, BYTES("banner")))
			take_banners(value, out);
		else if (bytes_equal(key, BYTES("authserv")))
			out->host = ascii(d, value, TOKEN_MAX * 4);
		else if (bytes_equal(key, BYTES("results")) &&
		    bytes_number(value, 16, &number) == 0)
			out->results = (unsigned)number;
	}
	h->fields++;
	h->n--;
}
