/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/detoxed.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "proxy/http/detoxing.h"
#include "proxy/http/inspect.h"
#include "proxy/http/stages.h"

/* What the journal is told. */

static const char *const results[] = {
	[DETOX_IS_REFUSED] = "refused",
	[DETOX_IS_UNCHANGED] = "unchanged",
	[DETOX_IS_SANITISED] = "sanitised",
};

/* Kinds and how many of each, in words for programs. */
static void
sum_up(const struct detox_report *r, char out[REMOVED_MAX])
{
	uint64_t counts[DETOX_REMOVAL_KINDS] = { 0 };
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < r->rows_n; i++)
		counts[r->rows[i].what] += r->rows[i].count;
	for (int k = 0; k < DETOX_REMOVAL_KINDS; k++)
		if (counts[k] > 0 && n + 64 < REMOVED_MAX)
			n += (size_t)snprintf(out + n, REMOVED_MAX - n,
			    "%s%s:%llu", n == 0 ? "" : " ",
			    detox_removal_words[k].name,
			    (unsigned long long)counts[k]);
}

static const char *
hex(const uint8_t digest[DETOX_DIGEST_SIZE], char out[65])
{
	for (size_t i = 0; i < DETOX_DIGEST_SIZE; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
	return out;
}

static void
record(const struct detoxing *d, const struct detox_outcome *o)
{
	struct exchange *x = d->x;
	const struct detox_report *r = &o->report;
	char text[ADDRESS_TEXT_MAX];
	char removed[REMOVED_MAX];
	char digest[65];
	struct log_line l;

	if (x->id[0] == '\0')
		log_id(x->id);
	sum_up(r, removed);
	log_begin(&l, EVENT_DETOXED, x->id);
	log_string(&l, "body", x->segment->body->code);
	log_string(&l, "zone", x->segment->zone->name);
	log_string(&l, "client", address_text(&x->address, text));
	log_text(&l, "host", x->url.host);
	log_string(&l, "way", d->up ? "up" : "down");
	log_string(&l, "rule", d->now->block.name);
	log_string(&l, "profile", d->now->profile);
	log_string(&l, "result", results[o->verdict]);
	log_string(&l, "type", magic_type_name(r->type));
	if (o->verdict == DETOX_IS_REFUSED) {
		log_string(&l, "refusal", detox_refusal_words[r->refusal].name);
		log_string(&l, "why", r->why);
	}
	if (r->disagrees[0] != '\0')
		log_string(&l, "disagrees", r->disagrees);
	if (removed[0] != '\0')
		log_string(&l, "removed", removed);
	if (o->exception != NULL) {
		log_string(&l, "exception", o->exception->owner);
		log_string(&l, "reason", o->exception->reason);
	}
	log_number(&l, "in_bytes", o->in_size);
	log_string(&l, "in_sha256", hex(o->in_digest, digest));
	if (o->verdict != DETOX_IS_REFUSED) {
		log_number(&l, "out_bytes", o->size);
		log_string(&l, "out_sha256", hex(o->digest, digest));
	}
	log_number(&l, "us", o->us);
	log_end(&l);
}

/* The work. */

static void
refuse(struct detoxing *d, const struct detox_report *r)
{
	struct exchange *x = d->x;
	struct detox_report *kept = ARENA_NEW(&x->arena, struct detox_report);

	*kept = *r;
	x->refused = kept;
	x->sending = d->up;
	x->decision.category = NULL;
	x->decision.rule = &d->now->block;
	x->decision.verdict = VERDICT_BLOCK;
	counter_add(COUNTER_BLOCKED, 1);
	/* Where it ends, detoxed_end takes d. */
	exchange_refuse(x,
	    r->refusal == REFUSED_BUSY ? ANSWER_BUSY : ANSWER_HARMFUL,
	    detox_refusal_words[r->refusal].name);
}

void
detoxing_finish(struct detoxing *d)
{
	struct exchange *x = d->x;
	struct content *c = d->content;
	bool up = d->up;
	int fd = d->fd;

	detoxing_rewrite(d);
	d->fd = -1;
	if (!content_replace(c, fd, d->size)) {
		exchange_refuse(x, ANSWER_BUSY, "no room for what was made");
		return;
	}
	detoxed_end(x);
	if (up) {
		x->trailers_up_n = 0;
		inspect_replaced_up(x);
		return;
	}
	x->trailers_down_n = 0;
	exchange_deadline(x, exchange_limits(x)->body_timeout_ms);
	inspect_send_down(x);
}

static void
on_done(void *owner, struct detox_outcome *o)
{
	struct detoxing *d = owner;

	d->treat = NULL;
	record(d, o);
	if (o->verdict == DETOX_IS_REFUSED) {
		refuse(d, &o->report);
		return;
	}
	if (d->fd >= 0)
		close(d->fd);
	d->fd = o->fd;
	d->size = o->size;
	d->sanitised |= o->verdict == DETOX_IS_SANITISED;
	if (o->report.rows_n > 0)
		sum_up(&o->report, d->removed);
	if (o->report.extension[0] != '\0') {
		d->extension =
		    arena_string(&d->x->arena, bytes_of(o->report.extension));
		d->shown =
		    detoxing_rename(&d->x->arena, d->shown, d->extension);
		d->name = d->shown;
	}
	detoxing_go_on(d);
}

/* The next profile that asks for it, each once. */
static const struct inspection *
take_next(struct detoxing *d)
{
	while (d->left != 0) {
		const struct inspection *i =
		    d->object.inspections[__builtin_ctzll(d->left)];

		d->left &= d->left - 1;
		if ((d->profiles >> i->profile_at & 1) != 0)
			continue;
		d->profiles |= UINT32_C(1) << i->profile_at;
		return i;
	}
	return NULL;
}

static void
refuse_for(struct detoxing *d, enum detox_refusal r, const char *why)
{
	struct detox_outcome *o = calloc(1, sizeof(*o));

	must(o != NULL);
	o->report.refusal = r;
	o->report.type = d->object.type;
	snprintf(o->report.why, sizeof(o->report.why), "%s", why);
	record(d, o);
	refuse(d, &o->report);
	free(o);
}

void
detoxing_go_on(struct detoxing *d)
{
	struct exchange *x = d->x;
	const struct inspection *next = take_next(d);
	struct detox_order order;
	struct err e;

	if (next == NULL && detoxing_look(d))
		return;
	if (next == NULL && d->form != NULL) {
		detoxing_end_part(d);
		return;
	}
	if (next == NULL) {
		detoxing_finish(d);
		return;
	}
	d->now = next;
	order = (struct detox_order){
		.profile = next->profile_at,
		.name = d->name,
		/* It was of what came, not of what was made of it. */
		.declared =
		    d->fd >= 0 ? (struct bytes){ 0 } : d->object.declared,
	};
	if (order.name.n > DETOX_NAME_MAX)
		bytes_take(&order.name, order.name.n - DETOX_NAME_MAX);
	if (order.declared.n > DETOX_NAME_MAX)
		order.declared.n = DETOX_NAME_MAX;
	d->treat =
	    treat_new(x->edge->loop, x->edge->detox, detoxing_profiles(x),
		d->fd >= 0            ? d->fd
		    : d->part_fd >= 0 ? d->part_fd
				      : d->object.fd,
		&order, on_done, d, &e);
	if (d->treat == NULL)
		refuse_for(d, REFUSED_MEMORY, e.text);
}

/* Of a path, where bytes are escaped. */
static struct bytes
without_escapes(struct arena *a, struct bytes name)
{
	uint8_t *p = arena_alloc(a, name.n + 1);
	size_t n = 0;

	while (name.n > 0) {
		bool escape = name.n > 2 && name.p[0] == '%' &&
		    byte_hex(name.p[1]) >= 0 && byte_hex(name.p[2]) >= 0;

		p[n] = name.p[0];
		if (escape)
			p[n] = (uint8_t)((unsigned)byte_hex(name.p[1]) << 4 |
			    (unsigned)byte_hex(name.p[2]));
		n++;
		bytes_take(&name, escape ? 3 : 1);
	}
	return (struct bytes){ p, n };
}

static struct bytes
shown_name(struct exchange *x)
{
	bool guessed;
	struct bytes name = inspect_file_name(x, &guessed);

	return guessed ? without_escapes(&x->arena, name) : name;
}

static struct detoxing *
detoxing_new(struct exchange *x, struct content *c)
{
	struct detoxing *d = ARENA_NEW(&x->arena, struct detoxing);

	*d = (struct detoxing){
		.x = x,
		.content = c,
		.up = c == x->content_up,
		.fd = -1,
		.part_fd = -1,
		.built = -1,
		.extension = "",
		.shown = shown_name(x),
	};
	return d;
}

bool
detoxed_begin(struct exchange *x, struct content *c)
{
	struct detoxing *d = detoxing_new(x, c);
	struct err e;

	if (content_object(c, &d->object, &e) < 0) {
		exchange_refuse(x, ANSWER_BUSY, "the file cannot be sealed");
		return false;
	}
	d->left = d->object.asked;
	d->name = d->object.name;
	x->detoxing = d;
	/* Scanners and jobs have deadlines of their own. */
	exchange_deadline(x, UINT32_MAX);
	if (d->up && detoxed_is_form(d->object.declared))
		detoxing_begin_form(d, content_object_size(c));
	else
		detoxing_go_on(d);
	return !x->finished;
}

void
detoxed_refuse_large(struct exchange *x, struct content *c)
{
	struct detoxing *d = detoxing_new(x, c);
	struct err e;

	if (content_object(c, &d->object, &e) < 0) {
		exchange_refuse(x, ANSWER_BUSY, "the file cannot be sealed");
		return;
	}
	d->left = d->object.asked;
	d->now = take_next(d);
	refuse_for(d, REFUSED_SIZE, "larger than the profile allows");
}

void
detoxed_end(struct exchange *x)
{
	struct detoxing *d = x->detoxing;

	x->detoxing = NULL;
	if (d == NULL)
		return;
	if (d->treat != NULL)
		treat_cancel(d->treat);
	if (d->texts != NULL)
		detox_ask_cancel(d->texts);
	detoxing_close(&d->fd);
	detoxing_close(&d->part_fd);
	detoxing_close(&d->built);
	if (d->map != NULL)
		munmap(d->map, d->map_n);
	d->map = NULL;
}
