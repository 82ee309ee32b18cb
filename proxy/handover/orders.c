/* SPDX-License-Identifier: Apache-2.0 */
/* orders: what administrators, and second persons, order of what waits. */
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/log.h"
#include "proxy/base/person.h"
#include "proxy/detox/detox.h"
#include "proxy/handover/keeper.h"
#include "proxy/store/words.h"

#define LIST_MAX ((size_t)16 << 20)

static const char *const state_words[HANDOVER_STATES] = {
	[HANDOVER_UNKNOWN] = "unknown",
	[HANDOVER_WAITS] = "waits",
	[HANDOVER_READY] = "ready",
	[HANDOVER_DONE] = "fetched",
	[HANDOVER_BUSY] = "busy",
};

static void
answer(
    struct keeper *k, uint32_t job, enum order_answer how, struct bytes words)
{
	const uint8_t byte = (uint8_t)how;
	struct err e;
	int fd = words.n == 0 ? -1 : detox_seal(words, &e);

	channel_send(k->child->parent, PARENT_ORDER_ANSWER, job,
	    (struct bytes){ &byte, 1 }, fd);
	if (fd >= 0)
		close(fd);
}

static void PRINTF_LIKE(3, 4)
    refuse(struct keeper *k, uint32_t job, const char *format, ...)
{
	char words[ERR_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	answer(k, job, ORDER_REFUSED, bytes_of(words));
}

/* Listing. */

struct listing {
	struct keeper *keeper;
	struct buf *out;
	json_t *json; /* or NULL */
};

static int
put_line(struct buf *out, const char *name, struct bytes value)
{
	return value.n == 0 ? 0
	    : buf_printf(out, "  %-13s ", name) < 0 ||
		words_plain(out, value) < 0
	    ? -1
	    : buf_append(out, BYTES("\n"));
}

static int
put_lot(struct buf *out, const struct keeper_lot *lot)
{
	const struct slip *s = &lot->slip;
	char given[WORDS_DATE_MAX];
	char until[WORDS_DATE_MAX];

	if (buf_printf(out, "%s %s %s %.*s %.*s %zu %llu\n", lot->row.id,
		words_date(s->given, given), state_words[keeper_state(lot)],
		BYTES_PRINTF(s->body), BYTES_PRINTF(s->way), s->files_n,
		(unsigned long long)lot->row.bytes) < 0 ||
	    put_line(out, "giver", s->giver) < 0 ||
	    put_line(out, "client", s->client) < 0 ||
	    put_line(out, "note", s->note) < 0 ||
	    put_line(out, "until", bytes_of(words_date(s->until, until))) < 0 ||
	    put_line(out, "approved by", bytes_of(lot->row.approved_by)) < 0)
		return -1;
	for (size_t i = 0; i < s->files_n; i++)
		if (put_line(out, "file", s->files[i].name) < 0 ||
		    put_line(out, "removed", s->files[i].removed) < 0)
			return -1;
	return 0;
}

static json_t *
json_of(struct bytes b)
{
	json_t *j = json_stringn((const char *)b.p, b.n);

	/* What is no UTF-8 is told as such. */
	return j != NULL ? j : json_string(b.n == 0 ? "" : "?");
}

static json_t *
json_file(const struct slip_file *f)
{
	json_t *j = json_object();

	json_object_set_new(j, "name", json_of(f->name));
	json_object_set_new(j, "media", json_of(f->media));
	json_object_set_new(j, "bytes", json_integer((json_int_t)f->bytes));
	json_object_set_new(
	    j, "in_bytes", json_integer((json_int_t)f->in_bytes));
	json_object_set_new(j, "sha256", json_of(f->sha256));
	json_object_set_new(j, "in_sha256", json_of(f->in_sha256));
	json_object_set_new(j, "removed", json_of(f->removed));
	return j;
}

static json_t *
json_lot(const struct keeper_lot *lot)
{
	const struct slip *s = &lot->slip;
	json_t *j = json_object();
	json_t *files = json_array();
	char when[WORDS_DATE_MAX];
	const struct {
		const char *key;
		struct bytes value;
	} texts[] = {
		{ "number", bytes_of(lot->row.id) },
		{ "state", bytes_of(state_words[keeper_state(lot)]) },
		{ "way", s->way },
		{ "body", s->body },
		{ "from", s->from },
		{ "to", s->to },
		{ "giver", s->giver },
		{ "client", s->client },
		{ "note", s->note },
		{ "profile", s->profile },
		{ "communication", s->communication },
		{ "approved_by", bytes_of(lot->row.approved_by) },
	};

	for (size_t i = 0; i < COUNT(texts); i++)
		json_object_set_new(j, texts[i].key, json_of(texts[i].value));
	json_object_set_new(
	    j, "given", json_string(words_date(s->given, when)));
	json_object_set_new(
	    j, "until", json_string(words_date(s->until, when)));
	for (size_t i = 0; i < s->files_n; i++)
		json_array_append_new(files, json_file(&s->files[i]));
	json_object_set_new(j, "files", files);
	return j;
}

static bool
list_one(void *owner, const struct shelf_row *r)
{
	struct listing *l = owner;
	struct arena a = { 0 };
	struct keeper_lot lot = { .row = *r };
	bool known = slip_unpack(&lot.slip, r->about, &a) == 0;
	int result = 0;

	lot.way = handover_way(l->keeper->settings, lot.slip.way);
	if (!known)
		result = buf_printf(l->out, "%s is not understood\n", r->id);
	else if (l->json != NULL)
		json_array_append_new(l->json, json_lot(&lot));
	else
		result = put_lot(l->out, &lot);
	arena_release(&a);
	return result == 0;
}

static void
list(struct keeper *k, uint32_t job, bool as_json)
{
	struct buf out;
	struct listing l = { .keeper = k, .out = &out };
	char *text = NULL;
	struct err e = { 0 };

	buf_init(&out, LIST_MAX);
	if (as_json)
		l.json = json_array();
	if (shelf_each(k->shelf, list_one, &l, &e) < 0) {
		refuse(k, job, "%s", e.text);
	} else if (as_json) {
		text = json_dumps(l.json, JSON_INDENT(1));
		answer(k, job, ORDER_DONE, bytes_of(text));
	} else {
		answer(k, job, ORDER_DONE, buf_bytes(&out));
	}
	free(text);
	json_decref(l.json);
	buf_release(&out);
}

static void
show(struct keeper *k, uint32_t job, const struct person *p,
    struct keeper_lot *lot)
{
	char *text;
	json_t *j = json_lot(lot);

	(void)p;
	text = json_dumps(j, JSON_INDENT(1));
	json_decref(j);
	answer(k, job, ORDER_DONE, bytes_of(text == NULL ? "?" : text));
	free(text);
}

/* Approval. */

/* Root by itself is whoever knows its password. */
static bool
is_person(struct keeper *k, uint32_t job, const struct person *p)
{
	if (p->known)
		return true;
	refuse(k, job,
	    "root alone is not known to be one person, expected sudo or a"
	    " user of one's own");
	return false;
}

/* "hanako:1001(sudo)" and "uid:1001" are one. */
static bool
is_same_person(const struct slip *s, const struct person *p)
{
	struct bytes name = bytes_of(p->name);
	struct bytes giver = s->giver;
	struct bytes number;

	if (bytes_equal(giver, name))
		return true;
	if (!bytes_start_with(giver, BYTES("uid:")))
		return false;
	bytes_take(&giver, 4);
	bytes_take_until(&name, ':');
	number = bytes_take_until(&name, '(');
	return number.n > 0 && bytes_equal(number, giver);
}

int
keeper_approve(
    struct keeper *k, struct keeper_lot *lot, const char *by, struct err *e)
{
	if (lot->way == NULL || !handover_way_is_open(lot->way, time(NULL)))
		return err_set(e, "the way is closed");
	snprintf(lot->row.approved_by, sizeof(lot->row.approved_by), "%s", by);
	lot->row.approved = (uint64_t)time(NULL);
	return keeper_record(k, EVENT_HANDOVER_APPROVED, lot, by, -1, e) < 0
	    ? -1
	    : keeper_change(k, &lot->row, e);
}

int
keeper_decline(
    struct keeper *k, struct keeper_lot *lot, const char *by, struct err *e)
{
	if (keeper_record(k, EVENT_HANDOVER_DECLINED, lot, by, -1, e) < 0 ||
	    keeper_delete(k, &lot->row, e) < 0)
		return -1;
	drops_declined(k, lot);
	return 0;
}

static void
approve(struct keeper *k, uint32_t job, const struct person *p,
    struct keeper_lot *lot)
{
	struct err e = { 0 };
	char words[128];

	if (!is_person(k, job, p))
		return;
	if (keeper_state(lot) != HANDOVER_WAITS) {
		refuse(k, job, "it waits for nobody; it is %s",
		    state_words[keeper_state(lot)]);
		return;
	}
	if (is_same_person(&lot->slip, p)) {
		refuse(k, job,
		    "%s handed it over, expected another person to approve",
		    p->name);
		return;
	}
	if (keeper_approve(k, lot, p->name, &e) < 0) {
		refuse(k, job, "%s", e.text);
		return;
	}
	snprintf(words, sizeof(words), "%s\n", lot->row.id);
	answer(k, job, ORDER_DONE, bytes_of(words));
	drops_deliver(k);
}

static void
decline(struct keeper *k, uint32_t job, const struct person *p,
    struct keeper_lot *lot)
{
	struct err e = { 0 };
	char words[64];

	if (!is_person(k, job, p))
		return;
	if (keeper_state(lot) != HANDOVER_WAITS) {
		refuse(k, job, "it waits for nobody; it is %s",
		    state_words[keeper_state(lot)]);
		return;
	}
	if (keeper_decline(k, lot, p->name, &e) < 0) {
		refuse(k, job, "%s", e.text);
		return;
	}
	snprintf(words, sizeof(words), "%s\n", lot->row.id);
	answer(k, job, ORDER_DONE, bytes_of(words));
}

static void
delete_lot(struct keeper *k, uint32_t job, const struct person *p,
    struct keeper_lot *lot)
{
	struct err e = { 0 };
	char words[64];

	if (lot->row.state == SHELF_APPROVED) {
		refuse(k, job, "it is being delivered");
		return;
	}
	if (keeper_record(k, EVENT_HANDOVER_DELETED, lot, p->name, -1, &e) <
		0 ||
	    keeper_delete(k, &lot->row, &e) < 0) {
		refuse(k, job, "%s", e.text);
		return;
	}
	snprintf(words, sizeof(words), "%s\n", lot->row.id);
	answer(k, job, ORDER_DONE, bytes_of(words));
}

static const struct {
	const char *name;
	void (*run)(struct keeper *k, uint32_t job, const struct person *p,
	    struct keeper_lot *lot);
} orders[] = {
	{ "show", show },
	{ "approve", approve },
	{ "refuse", decline },
	{ "delete", delete_lot },
};

static void
order_one(struct keeper *k, uint32_t job, const struct person *p,
    struct bytes verb, struct bytes words)
{
	char number[HANDOVER_NUMBER_N + 1];
	struct arena a = { 0 };
	struct keeper_lot lot = { 0 };
	size_t i = 0;

	while (
	    i < COUNT(orders) && !bytes_equal(verb, bytes_of(orders[i].name)))
		i++;
	if (i == COUNT(orders))
		answer(k, job, ORDER_MALFORMED, (struct bytes){ 0 });
	else if (slip_number(words, number) < 0 ||
	    !keeper_find(k, bytes_of(number), &lot, &a))
		refuse(k, job, "nothing of that number waits");
	else
		orders[i].run(k, job, p, &lot);
	arena_release(&a);
}

void
keeper_order(struct keeper *k, const struct ipc_message *order)
{
	struct bytes rest = order->body;
	struct person p;
	struct bytes verb;

	if (person_take(&rest, &p) < 0) {
		answer(k, order->job, ORDER_MALFORMED, (struct bytes){ 0 });
		return;
	}
	verb = bytes_take_until(&rest, ' ');
	if (bytes_equal(verb, BYTES("list")))
		list(k, order->job, bytes_equal(rest, BYTES("json")));
	else
		order_one(k, order->job, &p, verb, rest);
}
