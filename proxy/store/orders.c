/* SPDX-License-Identifier: Apache-2.0 */
/* orders: what administrators order of originals; who that is, person.h says.
 */
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/log.h"
#include "proxy/detox/detox.h"
#include "proxy/store/store_state.h"
#include "proxy/store/words.h"

#define LIST_MAX ((size_t)48 << 20)
#define WORDS_MAX ((size_t)4 << 20) /* recipients, and the head */
#define HEAD_MAX ((size_t)64 << 10)

static const char *const state_words[SHELF_STATES] = {
	[SHELF_KEPT] = "kept",
	[SHELF_ASKED] = "asked",
	[SHELF_APPROVED] = "approved",
	[SHELF_RELEASED] = "released",
};

void
store_answer(struct store *st, uint32_t job, enum order_answer answer,
    struct bytes words)
{
	const uint8_t byte = (uint8_t)answer;
	struct err e;
	int fd = words.n == 0 ? -1 : detox_seal(words, &e);

	channel_send(st->child->parent, PARENT_ORDER_ANSWER, job,
	    (struct bytes){ &byte, 1 }, fd);
	if (fd >= 0)
		close(fd);
}

static void PRINTF_LIKE(3, 4)
    refuse(struct store *st, uint32_t job, const char *format, ...)
{
	char words[ERR_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	store_answer(st, job, ORDER_REFUSED, bytes_of(words));
}

void
store_record(enum log_event event, const struct shelf_row *r, const char *by,
    const char *approved_by)
{
	struct arena a = { 0 };
	struct original o;
	struct log_line l;

	log_begin(&l, event, NULL);
	log_string(&l, "original", r->id);
	if (original_unpack(&o, r->about, &a) == 0) {
		log_text(&l, "mail", o.mail);
		log_text(&l, "message_id", o.message_id);
		if (o.body.n > 0)
			log_text(&l, "body", o.body);
		log_text(&l, "sender", o.sender);
		log_number(&l, "recipients", o.to_n);
		log_text(&l, "recipient", o.to[0]);
		log_text(&l, "route", o.route);
		log_text(&l, "detox", o.result);
		log_text(&l, "removed", o.removed);
		log_text(&l, "sha256", o.sha256);
	}
	log_number(&l, "bytes", r->bytes);
	if (by != NULL)
		log_string(&l, "by", by);
	if (approved_by != NULL && approved_by[0] != '\0')
		log_string(&l, "approved_by", approved_by);
	if (event == EVENT_ORIGINAL_RELEASED)
		log_string(&l, "released_as", r->released_as);
	log_end(&l);
	arena_release(&a);
}

/* Words for people. */

static int
put_line(struct buf *out, const char *name, struct bytes value)
{
	return buf_printf(out, "  %-11s ", name) < 0 ||
		words_plain(out, value) < 0 || buf_append(out, BYTES("\n")) < 0
	    ? -1
	    : 0;
}

struct listing {
	struct buf *out;
	json_t *json; /* or NULL */
	uint64_t keep_s;
};

static int
put_persons(struct buf *out, const struct shelf_row *r)
{
	char when[WORDS_DATE_MAX];

	if (r->asked_by[0] != '\0' &&
	    buf_printf(out, "  asked by    %s %s\n", r->asked_by,
		words_date(r->asked, when)) < 0)
		return -1;
	if (r->approved_by[0] != '\0' &&
	    buf_printf(out, "  approved by %s %s\n", r->approved_by,
		words_date(r->approved, when)) < 0)
		return -1;
	return r->released_as[0] == '\0'
	    ? 0
	    : buf_printf(out, "  released as %s\n", r->released_as);
}

static int
put_row(const struct listing *l, const struct shelf_row *r,
    const struct original *o)
{
	char kept[WORDS_DATE_MAX];
	struct buf *out = l->out;

	if (buf_printf(out, "%s %s %s %llu ", r->id, words_date(r->kept, kept),
		state_words[r->state], (unsigned long long)r->bytes) < 0 ||
	    buf_append(out, BYTES("<")) < 0 ||
	    words_plain(out, o->sender) < 0 ||
	    buf_append(out, BYTES(">\n")) < 0)
		return -1;
	for (size_t i = 0; i < o->to_n; i++)
		if (put_line(out, "to", o->to[i]) < 0)
			return -1;
	if (put_line(out, "route", o->route) < 0 ||
	    put_line(out, "result", o->result) < 0 ||
	    put_line(out, "removed", o->removed) < 0)
		return -1;
	return put_persons(out, r);
}

static json_t *
json_of(struct bytes b)
{
	json_t *j = json_stringn((const char *)b.p, b.n);

	/* What is no UTF-8 is told as such. */
	return j != NULL ? j : json_string(b.n == 0 ? "" : "?");
}

static json_t *
json_row(const struct listing *l, const struct shelf_row *r,
    const struct original *o)
{
	json_t *j = json_object();
	json_t *to = json_array();
	char when[WORDS_DATE_MAX];
	const struct {
		const char *key;
		struct bytes value;
	} texts[] = {
		{ "mail", o->mail },
		{ "message_id", o->message_id },
		{ "client", o->client },
		{ "body", o->body },
		{ "route", o->route },
		{ "profile", o->profile },
		{ "result", o->result },
		{ "removed", o->removed },
		{ "sender", o->sender },
		{ "sha256", o->sha256 },
		{ "state", bytes_of(state_words[r->state]) },
		{ "asked_by", bytes_of(r->asked_by) },
		{ "approved_by", bytes_of(r->approved_by) },
		{ "released_as", bytes_of(r->released_as) },
	};

	json_object_set_new(j, "id", json_string(r->id));
	for (size_t i = 0; i < COUNT(texts); i++)
		json_object_set_new(j, texts[i].key, json_of(texts[i].value));
	for (size_t i = 0; i < o->to_n; i++)
		json_array_append_new(to, json_of(o->to[i]));
	json_object_set_new(j, "recipients", to);
	json_object_set_new(j, "bytes", json_integer((json_int_t)r->bytes));
	json_object_set_new(j, "kept", json_string(words_date(r->kept, when)));
	json_object_set_new(
	    j, "expires", json_string(words_date(r->kept + l->keep_s, when)));
	return j;
}

static bool
list_one(void *owner, const struct shelf_row *r)
{
	struct listing *l = owner;
	struct arena a = { 0 };
	struct original o;
	int result = 0;

	if (original_unpack(&o, r->about, &a) < 0)
		result = buf_printf(l->out, "%s is not understood\n", r->id);
	else if (l->json != NULL)
		json_array_append_new(l->json, json_row(l, r, &o));
	else
		result = put_row(l, r, &o);
	arena_release(&a);
	return result == 0;
}

static void
list(struct store *st, uint32_t job, bool as_json)
{
	struct buf out;
	struct listing l = { .out = &out, .keep_s = st->limits.keep_s };
	char *text = NULL;
	struct err e = { 0 };

	buf_init(&out, LIST_MAX);
	if (as_json)
		l.json = json_array();
	if (shelf_each(st->shelf, list_one, &l, &e) < 0) {
		refuse(st, job, "%s", e.text);
	} else if (as_json) {
		text = json_dumps(l.json, JSON_INDENT(1));
		store_answer(st, job, ORDER_DONE, bytes_of(text));
	} else {
		store_answer(st, job, ORDER_DONE, buf_bytes(&out));
	}
	free(text);
	json_decref(l.json);
	buf_release(&out);
}

/* Show: all of it is read, so that it is known to be whole; its head is told.
 */

static int
take_head(void *owner, struct bytes piece, struct err *e)
{
	struct buf *head = owner;
	struct bytes fits = bytes_take(&piece, head->max - head->n);

	(void)e;
	must(buf_append(head, fits) == 0);
	return 0;
}

static struct bytes
head_only(struct bytes all)
{
	struct bytes rest = all;

	while (rest.n > 0) {
		const uint8_t *line = rest.p;
		struct bytes l = bytes_take_until(&rest, '\n');

		if (l.n == 0 || (l.n == 1 && *l.p == '\r')) {
			all.n = (size_t)(line - all.p);
			break;
		}
	}
	return all;
}

static int
put_details(struct store *st, struct buf *out, const struct shelf_row *r,
    const struct original *o)
{
	char kept[WORDS_DATE_MAX], arrived[WORDS_DATE_MAX];

	if (put_line(out, "mail", o->mail) < 0 ||
	    put_line(out, "message-id", o->message_id) < 0 ||
	    put_line(out, "client", o->client) < 0 ||
	    put_line(out, "helo", o->helo) < 0 ||
	    put_line(out, "body", o->body) < 0 ||
	    put_line(out, "profile", o->profile) < 0 ||
	    put_line(out, "sha256", o->sha256) < 0)
		return -1;
	return buf_printf(out, "  arrived     %s\n  expires     %s\n\n",
	    words_date(o->arrived, arrived),
	    words_date(r->kept + st->limits.keep_s, kept));
}

static int
put_head(struct buf *out, struct bytes head)
{
	while (head.n > 0)
		if (buf_append(out, BYTES("  | ")) < 0 ||
		    words_plain(out, bytes_take_until(&head, '\n')) < 0 ||
		    buf_append(out, BYTES("\n")) < 0)
			return -1;
	return 0;
}

static void
show(
    struct store *st, uint32_t job, const struct person *p, struct shelf_row *r)
{
	struct buf out, head;
	const struct listing l = { .out = &out };
	struct arena a = { 0 };
	struct original o;
	struct err e = { 0 };

	buf_init(&out, WORDS_MAX);
	buf_init(&head, HEAD_MAX);
	if (original_unpack(&o, r->about, &a) < 0)
		refuse(st, job, "%s is not understood", r->id);
	else if (shelf_read(st->shelf, r, take_head, &head, &e) < 0)
		refuse(st, job, "%s", e.text);
	else if (put_row(&l, r, &o) < 0 || put_details(st, &out, r, &o) < 0 ||
	    put_head(&out, head_only(buf_bytes(&head))) < 0)
		refuse(st, job, "%s has too much to be shown", r->id);
	else {
		store_record(EVENT_ORIGINAL_SHOWN, r, p->name, NULL);
		store_answer(st, job, ORDER_DONE, buf_bytes(&out));
	}
	arena_release(&a);
	buf_release(&head);
	buf_release(&out);
}

/* Release. */

static int
change(struct store *st, uint32_t job, const struct shelf_row *r)
{
	struct err e = { 0 };

	if (shelf_change(st->shelf, r, &e) == 0 &&
	    shelf_commit(st->shelf, &e) == 0)
		return 0;
	refuse(st, job, "%s", e.text);
	return -1;
}

/* Root by itself is whoever knows its password. */
static bool
is_person(struct store *st, uint32_t job, const struct person *p)
{
	if (p->known || st->limits.approves == STORE_NO_APPROVAL)
		return true;
	refuse(st, job,
	    "root alone is not known to be one person, expected sudo or a"
	    " user of one's own");
	return false;
}

static void
record_refused(const struct shelf_row *r, const struct person *p)
{
	store_record(EVENT_ORIGINAL_REFUSED, r, p->name, NULL);
}

static void
release(
    struct store *st, uint32_t job, const struct person *p, struct shelf_row *r)
{
	bool alone = st->limits.approves == STORE_NO_APPROVAL;
	char words[256];

	if (!is_person(st, job, p)) {
		record_refused(r, p);
		return;
	}
	if (r->state == SHELF_ASKED && !alone) {
		refuse(st, job, "%s has asked for it; another person approves",
		    r->asked_by);
		return;
	}
	if (r->state == SHELF_APPROVED) {
		refuse(st, job, "it is being released");
		return;
	}
	r->state = alone ? SHELF_APPROVED : SHELF_ASKED;
	snprintf(r->asked_by, sizeof(r->asked_by), "%s", p->name);
	r->asked = (uint64_t)time(NULL);
	r->approved_by[0] = r->released_as[0] = '\0';
	r->approved = 0;
	if (change(st, job, r) < 0)
		return;
	store_record(EVENT_ORIGINAL_ASKED, r, p->name, NULL);
	if (alone) {
		release_wait(st, r->id, job);
		return;
	}
	snprintf(words, sizeof(words),
	    "%s waits for another person: sekishoctl quarantine approve %s\n",
	    r->id, r->id);
	store_answer(st, job, ORDER_DONE, bytes_of(words));
}

static void
approve(
    struct store *st, uint32_t job, const struct person *p, struct shelf_row *r)
{
	if (!is_person(st, job, p)) {
		record_refused(r, p);
		return;
	}
	if (r->state != SHELF_ASKED) {
		refuse(st, job, "nobody asks for its release; it is %s",
		    state_words[r->state]);
		return;
	}
	if (strcmp(r->asked_by, p->name) == 0 &&
	    st->limits.approves != STORE_NO_APPROVAL) {
		record_refused(r, p);
		refuse(st, job,
		    "%s asked for it, expected another person to approve",
		    r->asked_by);
		return;
	}
	r->state = SHELF_APPROVED;
	snprintf(r->approved_by, sizeof(r->approved_by), "%s", p->name);
	r->approved = (uint64_t)time(NULL);
	if (change(st, job, r) < 0)
		return;
	store_record(EVENT_ORIGINAL_APPROVED, r, r->asked_by, r->approved_by);
	release_wait(st, r->id, job);
}

static void delete (
    struct store *st, uint32_t job, const struct person *p, struct shelf_row *r)
{
	struct err e = { 0 };
	char words[64];

	if (r->state == SHELF_APPROVED) {
		refuse(st, job, "it is being released");
		return;
	}
	if (shelf_delete(st->shelf, r, &e) < 0 ||
	    shelf_commit(st->shelf, &e) < 0) {
		refuse(st, job, "%s", e.text);
		return;
	}
	shelf_scrub(st->shelf);
	store_record(EVENT_ORIGINAL_DELETED, r, p->name, NULL);
	snprintf(words, sizeof(words), "%s\n", r->id);
	store_answer(st, job, ORDER_DONE, bytes_of(words));
}

static const struct {
	const char *name;
	void (*run)(struct store *st, uint32_t job, const struct person *p,
	    struct shelf_row *r);
} orders[] = {
	{ "show", show },
	{ "release", release },
	{ "approve", approve },
	{ "delete", delete },
};

static void
order_one(struct store *st, uint32_t job, const struct person *p,
    struct bytes verb, struct bytes id)
{
	struct arena a = { 0 };
	struct shelf_row r;
	struct err e = { 0 };
	size_t i = 0;

	while (
	    i < COUNT(orders) && !bytes_equal(verb, bytes_of(orders[i].name)))
		i++;
	if (i == COUNT(orders)) {
		store_answer(st, job, ORDER_MALFORMED, (struct bytes){ 0 });
		return;
	}
	switch (shelf_find(st->shelf, id, &r, &a, &e)) {
	case SHELF_FOUND:
		orders[i].run(st, job, p, &r);
		break;
	case SHELF_NONE:
		refuse(st, job, "there is no such original");
		break;
	case SHELF_FAILED:
		refuse(st, job, "%s", e.text);
		break;
	}
	arena_release(&a);
}

void
store_order(struct store *st, const struct ipc_message *order)
{
	struct bytes rest = order->body;
	struct person p;
	struct bytes verb;

	store_settle(st);
	if (person_take(&rest, &p) < 0) {
		store_answer(
		    st, order->job, ORDER_MALFORMED, (struct bytes){ 0 });
		return;
	}
	verb = bytes_take_until(&rest, ' ');
	if (bytes_equal(verb, BYTES("list")))
		list(st, order->job, bytes_equal(rest, BYTES("json")));
	else
		order_one(st, order->job, &p, verb, rest);
}
