/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/intake.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "filters/dlp/body.h"
#include "proxy/base/file.h"
#include "proxy/base/log.h"
#include "proxy/edge.h"
#include "proxy/http/media_types.h"
#include "proxy/isolation/trips.h"

#define INTAKES_MAX 32 /* of an edge at once; one more comes again */
#define REMOVED_MAX 1024

struct intake {
	struct edge *edge;
	struct intake_order order;
	struct arena arena;
	struct slip slip;
	struct intake_result *results;
	struct timer *begin; /* so that done is never called from intake_new */
	size_t at;           /* of the files */
	int object;          /* the file at hand, sealed; or -1 */
	int rebuilt;         /* what came of it; or -1 */
	int all;             /* what came of all so far */
	uint64_t all_n;
	struct treat *treat;
	struct detox_ask *texts;
	struct handover_asked *keeping;
	char token[HANDOVER_TOKEN_HEX + 1];
	void (*done)(void *owner, const struct intake_outcome *outcome);
	void *owner;
};

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void
intake_cancel(struct intake *i)
{
	struct arena a = i->arena;

	if (i->treat != NULL)
		treat_cancel(i->treat);
	if (i->texts != NULL)
		detox_ask_cancel(i->texts);
	handover_asked_cancel(i->keeping);
	timer_free(i->begin);
	close_fd(&i->object);
	close_fd(&i->rebuilt);
	close_fd(&i->all);
	i->edge->intakes--;
	arena_release(&a);
}

static void
finish(struct intake *i, enum intake_end end, const char *why)
{
	const struct intake_outcome outcome = {
		.end = end,
		.why = why,
		.slip = &i->slip,
		.number = end == INTAKE_KEPT ? why : NULL,
		.token = i->token,
		.results = i->results,
	};

	i->done(i->owner, &outcome);
	intake_cancel(i);
}

/* What is told. */

/* Kinds and how many of each, in words for programs. */
static struct bytes
sum_up(struct intake *i, const struct detox_report *r)
{
	uint64_t counts[DETOX_REMOVAL_KINDS] = { 0 };
	char out[REMOVED_MAX] = "";
	size_t n = 0;

	for (size_t k = 0; k < r->rows_n; k++)
		counts[r->rows[k].what] += r->rows[k].count;
	for (int k = 0; k < DETOX_REMOVAL_KINDS; k++)
		if (counts[k] > 0 && n + 64 < REMOVED_MAX)
			n += (size_t)snprintf(out + n, REMOVED_MAX - n,
			    "%s%s:%llu", n == 0 ? "" : " ",
			    detox_removal_words[k].name,
			    (unsigned long long)counts[k]);
	return arena_copy(&i->arena, bytes_of(out));
}

static struct bytes
hex(struct intake *i, const uint8_t digest[DETOX_DIGEST_SIZE])
{
	char *out = arena_alloc(&i->arena, 2 * DETOX_DIGEST_SIZE + 1);

	for (size_t k = 0; k < DETOX_DIGEST_SIZE; k++)
		snprintf(out + 2 * k, 3, "%02x", digest[k]);
	return bytes_of(out);
}

static void
record_refused(struct intake *i)
{
	const struct intake_result *r = &i->results[i->at];
	struct log_line l;

	log_begin(&l, EVENT_HANDOVER_REFUSED, NULL);
	log_string(&l, "body", i->order.body->code);
	log_string(&l, "way", i->order.way->name);
	log_text(&l, "client", i->order.client);
	log_text(&l, "giver", i->slip.giver);
	log_string(&l, "refusal",
	    r->refusal == REFUSED_NOT ? "dlp"
				      : detox_refusal_words[r->refusal].name);
	log_string(&l, "why", r->why);
	log_text(&l, "in_sha256", i->slip.files[i->at].in_sha256);
	log_number(&l, "in_bytes", i->slip.files[i->at].in_bytes);
	log_end(&l);
}

/* File by file. */

static void begin_file(void *owner);

static void
next_file(struct intake *i)
{
	close_fd(&i->object);
	close_fd(&i->rebuilt);
	i->at++;
	begin_file(i);
}

static void
refuse_file(struct intake *i, enum detox_refusal refusal, const char *why)
{
	struct intake_result *r = &i->results[i->at];

	r->refused = true;
	r->refusal = refusal;
	snprintf(r->why, sizeof(r->why), "%s", why);
	record_refused(i);
	next_file(i);
}

/* Behind those before it. */
static int
append(struct intake *i, int fd, uint64_t size)
{
	void *p = NULL;
	int result;

	if (size > i->order.way->size_max ||
	    i->all_n + size > i->order.way->size_max)
		return -1;
	if (size > 0)
		p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -1;
	result = file_write(i->all, (struct bytes){ p, size });
	if (p != NULL)
		munmap(p, size);
	i->all_n += size;
	return result;
}

static void
keep_file(struct intake *i)
{
	struct slip_file *f = &i->slip.files[i->at];

	if (append(i, i->rebuilt, f->bytes) < 0)
		refuse_file(i, REFUSED_SIZE, "more than the way takes");
	else
		next_file(i);
}

/* Looking into it. */

struct looking {
	struct dlp_body *body;
};

static void
take_text(void *owner, struct bytes text)
{
	dlp_body_push(((struct looking *)owner)->body, text);
}

static void
scan_text(struct dlp *scan, struct bytes text, enum dlp_container c)
{
	struct looking l = { dlp_body_new(scan, c, (struct bytes){ 0 }) };
	struct reader reader;

	reader_init(&reader, (struct bytes){ 0 }, c == DLP_HTML, true);
	reader_push(&reader, text, true, take_text, &l);
	(void)dlp_body_end(l.body);
	dlp_body_free(l.body);
	explicit_bzero(&reader, sizeof(reader));
	dlp_feed(scan, BYTES("\n"));
}

/* As it is, and so that "number.txt" is no number with a fraction. */
static void
scan_name(struct intake *i, struct dlp *scan, struct bytes name)
{
	struct bytes copy = arena_copy(&i->arena, name);
	uint8_t *p = (uint8_t *)(uintptr_t)copy.p;

	for (size_t k = 0; k < copy.n; k++)
		if (p[k] == '.')
			p[k] = ' ';
	scan_text(scan, name, DLP_PLAIN);
	scan_text(scan, copy, DLP_PLAIN);
}

static void
record_found(
    struct intake *i, const struct inspection *by, const struct dlp_report *r)
{
	struct log_line l;

	log_begin(&l, EVENT_FOUND, NULL);
	log_string(&l, "body", i->order.body->code);
	log_string(&l, "way", i->order.way->name);
	log_text(&l, "client", i->order.client);
	log_string(&l, "rule", by->block.name);
	log_string(&l, "verdict", dlp_verdict_name(r->verdict));
	for (int k = 0; k < DLP_POLICY_KINDS; k++)
		if (r->kinds[k].distinct > 0)
			log_number(&l, dlp_kind_name((enum dlp_kind)k),
			    r->kinds[k].distinct);
	log_text(&l, "in_sha256", i->slip.files[i->at].in_sha256);
	log_end(&l);
}

/* All of a file that people and programs read. */
static void
scan_all(struct intake *i, struct dlp *scan, struct bytes texts)
{
	const struct slip_file *f = &i->slip.files[i->at];
	uint8_t digest[DLP_DIGEST_BYTES];

	scan_name(i, scan, f->name);
	scan_text(scan, i->slip.giver, DLP_PLAIN);
	scan_text(scan, i->slip.note, DLP_PLAIN);
	scan_text(scan, texts, dlp_container_of(f->media));
	if (bytes_unhex(f->in_sha256, digest, sizeof(digest)) == 0)
		dlp_file(scan, digest);
}

static void
look_by(struct intake *i, const struct inspection *by, struct bytes texts,
    struct dlp_report *out)
{
	struct dlp *scan = dlp_new(by->dlp);

	scan_all(i, scan, texts);
	dlp_end(scan, out);
	dlp_free(scan);
}

static void
record_canary(struct intake *i, const struct dlp_finding *f)
{
	const struct intake_order *o = &i->order;
	struct address from = { 0 };
	const struct address nowhere = { 0 };
	char words[TRIP_TEXT_MAX];
	struct log_line l;

	log_begin(&l, EVENT_CANARY_SEEN, NULL);
	log_string(&l, "body", o->body->code);
	log_text(&l, "client", o->client);
	log_string(&l, "way", o->way->name);
	log_string(&l, "canary", f->context);
	log_number(&l, "places", f->hits);
	log_end(&l);
	/* A drop folder has no address. */
	if (address_parse(&from, o->client) < 0)
		from = (struct address){ 0 };
	snprintf(
	    words, sizeof(words), "%s, hand-over %s", f->context, o->way->name);
	trips_seen(
	    i->edge->leaks, f->context, &from, &nowhere, bytes_of(words));
}

static bool
has_canary(struct intake *i, struct bytes texts)
{
	const struct inspection *canaries =
	    policy_canaries(i->edge->settings->policy, true);
	struct dlp_report report;

	if (canaries == NULL)
		return false;
	look_by(i, canaries, texts, &report);
	for (size_t k = 0; k < report.findings_n; k++)
		if (report.findings[k].kind == DLP_CANARY)
			record_canary(i, &report.findings[k]);
	return report.verdict == DLP_BLOCK;
}

/* Whether any inspection at least warns of it. */
static bool
has_found(struct intake *i, struct bytes texts)
{
	const struct handover_way *w = i->order.way;
	bool found = has_canary(i, texts);

	for (size_t k = 0; k < w->dlp.n; k++) {
		struct dlp_report report;

		look_by(i, w->inspections[k], texts, &report);
		if (report.verdict < DLP_PASS)
			record_found(i, w->inspections[k], &report);
		found = found || report.verdict <= DLP_WARN;
	}
	return found;
}

static void
on_texts(void *owner, struct detox_outcome *o)
{
	struct intake *i = owner;
	void *p = NULL;
	bool found;

	i->texts = NULL;
	if (o->verdict == DETOX_IS_REFUSED && i->order.way->dlp.n > 0) {
		refuse_file(i, o->report.refusal,
		    "it cannot be looked into for what must not leave");
		return;
	}
	/* Its digest tells something still. */
	if (o->verdict == DETOX_IS_REFUSED)
		o->size = 0;
	if (o->size > 0)
		p = mmap(NULL, o->size, PROT_READ, MAP_PRIVATE, o->fd, 0);
	close(o->fd);
	if (p == MAP_FAILED) {
		refuse_file(i, REFUSED_BUSY, "no memory");
		return;
	}
	found = has_found(i, (struct bytes){ p, o->size });
	if (p != NULL)
		munmap(p, o->size);
	if (found)
		refuse_file(i, REFUSED_NOT, "it has what must not leave");
	else
		keep_file(i);
}

/* Its texts are taken out where nothing else is. */
static void
look_into(struct intake *i)
{
	const struct slip_file *f = &i->slip.files[i->at];
	const struct detox_order order = {
		.profile = i->order.way->text_at,
		.name = f->name,
		.declared = f->media,
	};
	struct err e;

	if (i->order.way->dlp.n == 0 &&
	    policy_canaries(i->edge->settings->policy, true) == NULL) {
		keep_file(i);
		return;
	}
	i->texts = detox_client_ask(
	    i->edge->detox, i->rebuilt, &order, on_texts, i, &e);
	if (i->texts == NULL)
		refuse_file(i, REFUSED_BUSY, e.text);
}

static struct bytes
renamed(struct intake *i, struct bytes name, const char *extension)
{
	size_t n = name.n;

	while (n > 0 && name.p[n - 1] != '.')
		n--;
	if (extension[0] == '\0')
		return name;
	return slip_name(bytes_of(arena_printf(&i->arena, "%.*s.%s",
			     (int)(n > 1 ? n - 1 : name.n),
			     (const char *)name.p, extension)),
	    &i->arena);
}

static void
on_treated(void *owner, struct detox_outcome *o)
{
	struct intake *i = owner;
	struct slip_file *f = &i->slip.files[i->at];

	i->treat = NULL;
	f->in_sha256 = hex(i, o->in_digest);
	f->in_bytes = o->in_size;
	if (o->verdict == DETOX_IS_REFUSED) {
		refuse_file(i, o->report.refusal, o->report.why);
		return;
	}
	i->rebuilt = o->fd;
	f->bytes = o->size;
	f->sha256 = hex(i, o->digest);
	f->removed = sum_up(i, &o->report);
	f->name = renamed(i, f->name, o->report.extension);
	f->media = bytes_of(media_type_of(o->fd, o->size, f->name));
	look_into(i);
}

/* Goes as it is: a way out of the My Number zone may say so. */
static void
pass_as_it_is(struct intake *i, struct bytes content)
{
	struct slip_file *f = &i->slip.files[i->at];
	char digest[65];

	slip_digest(content, digest);
	f->in_sha256 = f->sha256 = arena_copy(&i->arena, bytes_of(digest));
	f->in_bytes = f->bytes = content.n;
	f->removed = BYTES("");
	i->rebuilt = i->object;
	i->object = -1;
	f->media = bytes_of(media_type_of(i->rebuilt, f->bytes, f->name));
	look_into(i);
}

static void
on_kept(void *owner, const struct handover_answer *a)
{
	struct intake *i = owner;
	const char *words = arena_string(&i->arena, a->words);

	i->keeping = NULL;
	if (a->fd >= 0)
		close(a->fd);
	finish(
	    i, a->type == HANDOVER_KEPT ? INTAKE_KEPT : INTAKE_FAILED, words);
}

static void
end_files(struct intake *i)
{
	bool busy = false;
	bool refused = false;
	struct err e;

	for (size_t k = 0; k < i->order.files_n; k++) {
		refused = refused || i->results[k].refused;
		busy = busy || i->results[k].refusal == REFUSED_BUSY;
	}
	if (refused) {
		finish(i, busy ? INTAKE_FAILED : INTAKE_REFUSED,
		    busy ? "too many files are being made harmless" : NULL);
		return;
	}
	if (detox_seal_fd(i->all, &e) < 0) {
		finish(i, INTAKE_FAILED,
		    arena_string(&i->arena, bytes_of(e.text)));
		return;
	}
	i->keeping = handover_client_keep(
	    i->edge->handover, &i->slip, i->all, on_kept, i);
}

static void
begin_file(void *owner)
{
	struct intake *i = owner;
	const struct intake_file *from = &i->order.files[i->at];
	struct slip_file *f = &i->slip.files[i->at];
	struct detox_order order;
	struct err e;

	if (i->at == i->order.files_n) {
		end_files(i);
		return;
	}
	f->name = slip_name(from->name, &i->arena);
	i->object = detox_seal(from->content, &e);
	if (i->object < 0) {
		refuse_file(i, REFUSED_BUSY, e.text);
		return;
	}
	if (!i->order.way->has_profile) {
		pass_as_it_is(i, from->content);
		return;
	}
	order = (struct detox_order){
		.profile = i->order.way->profile_at,
		.name = f->name,
		.declared = from->declared.n > DETOX_NAME_MAX
		    ? (struct bytes){ 0 }
		    : from->declared,
	};
	i->treat = treat_new(i->edge->loop, i->edge->detox,
	    &i->edge->settings->profiles, i->object, &order, on_treated, i, &e);
	if (i->treat == NULL)
		refuse_file(i, REFUSED_BUSY, e.text);
}

/* Who has this number may fetch them; what is kept is its digest. */
static void
make_token(struct intake *i)
{
	uint8_t random[HANDOVER_TOKEN_N];
	char digest[65];

	must(getrandom(random, sizeof(random), 0) == sizeof(random));
	for (size_t k = 0; k < sizeof(random); k++)
		snprintf(i->token + 2 * k, 3, "%02x", random[k]);
	slip_digest(bytes_of(i->token), digest);
	i->slip.token = arena_copy(&i->arena, bytes_of(digest));
}

static void
too_many(void *owner)
{
	struct intake *i = owner;

	finish(i, INTAKE_FAILED,
	    i->all < 0 ? "no memory" : "too many hand over at once");
}

static struct slip
slip_of(struct intake *i)
{
	const struct intake_order *o = &i->order;
	const struct handover_way *w = o->way;
	uint64_t now = (uint64_t)time(NULL);

	return (struct slip){
		.way = bytes_of(w->name),
		.body = bytes_of(o->body->code),
		.from = bytes_of(w->from->name),
		.to = bytes_of(w->to->name),
		.giver = slip_text(o->giver, INTAKE_GIVER_MAX, &i->arena),
		.client = o->client,
		.note = slip_text(o->note, INTAKE_NOTE_MAX, &i->arena),
		.key = o->key,
		.communication = bytes_of(
		    w->communication == NULL ? "" : w->communication->name),
		.profile = bytes_of(w->profile),
		.given = now,
		.until = now + (uint64_t)w->keep_days * 86400,
		.approval = w->approves == HANDOVER_OTHER,
		.files = ARENA_ARRAY(&i->arena, struct slip_file, o->files_n),
		.files_n = o->files_n,
	};
}

struct intake *
intake_new(struct edge *e, const struct intake_order *o,
    void (*done)(void *owner, const struct intake_outcome *outcome),
    void *owner)
{
	struct arena a = { 0 };
	struct intake *i = ARENA_NEW(&a, struct intake);

	must(o->files_n > 0 && o->files_n <= HANDOVER_FILES_MAX);
	*i = (struct intake){
		.edge = e,
		.order = *o,
		.arena = a,
		.object = -1,
		.rebuilt = -1,
		.all =
		    memfd_create("handover", MFD_CLOEXEC | MFD_ALLOW_SEALING),
		.done = done,
		.owner = owner,
	};
	i->slip = slip_of(i);
	i->results = ARENA_ARRAY(&i->arena, struct intake_result, o->files_n);
	make_token(i);
	i->begin = timer_new(e->loop,
	    i->all < 0 || e->intakes >= INTAKES_MAX ? too_many : begin_file, i);
	timer_start(i->begin, 0);
	e->intakes++;
	return i;
}

/* A file of a drop folder. */

struct judging {
	struct edge *edge;
	uint32_t job;
	struct arena arena;
	struct intake_file file;
	struct intake *intake;
	void *map;
	size_t map_n;
};

static void
judging_free(struct judging *j)
{
	struct arena a = j->arena;

	if (j->map != NULL)
		munmap(j->map, j->map_n);
	arena_release(&a);
}

/* In both languages: who reads it may have either. */
static struct bytes
refusal_words(struct judging *j, const struct intake_result *r)
{
	if (r->refusal == REFUSED_NOT)
		return BYTES("外へ出してはならない情報が含まれています。\r\n"
			     "It has what must not leave.\r\n");
	return bytes_of(arena_printf(&j->arena, "%s。\r\n%s.\r\n(%s%s%s)\r\n",
	    detox_refusal_words[r->refusal].text[0],
	    detox_refusal_words[r->refusal].text[1],
	    detox_refusal_words[r->refusal].name, r->why[0] == '\0' ? "" : ": ",
	    r->why));
}

static void
on_judged(void *owner, const struct intake_outcome *o)
{
	struct judging *j = owner;
	enum handover_judged how = HANDOVER_JUDGED_NOT;
	struct bytes words = { 0 };

	if (o->end == INTAKE_REFUSED) {
		how = HANDOVER_JUDGED_REFUSED;
		words = refusal_words(j, &o->results[0]);
	} else if (o->end == INTAKE_KEPT) {
		how = HANDOVER_JUDGED_KEPT;
		words = bytes_of(o->number);
	}
	handover_client_judged(j->edge->handover, j->job, how, words);
	judging_free(j);
}

static bool
map_file(struct judging *j, int fd)
{
	struct stat st;

	if (fd < 0 || !detox_is_sealed(fd) || fstat(fd, &st) < 0)
		return false;
	j->map_n = (size_t)st.st_size;
	if (j->map_n == 0)
		return true;
	j->map = mmap(NULL, j->map_n, PROT_READ, MAP_PRIVATE, fd, 0);
	if (j->map == MAP_FAILED)
		j->map = NULL;
	return j->map != NULL;
}

void
intake_judge(void *edge, const struct ipc_message *m)
{
	struct edge *e = edge;
	struct arena a = { 0 };
	struct judging *j = ARENA_NEW(&a, struct judging);
	struct bytes rest = arena_copy(&a, m->body);
	struct intake_order order = { .client = BYTES("drop"), .files_n = 1 };
	bool mapped;

	j->edge = e;
	j->job = m->job;
	order.way =
	    handover_way(&e->settings->handover, bytes_take_until(&rest, '\n'));
	order.body = zones_body_by_code(
	    e->settings->zones, bytes_take_until(&rest, '\n'));
	j->file.name = bytes_take_until(&rest, '\n');
	order.giver = bytes_take_until(&rest, '\n');
	order.key = bytes_take_until(&rest, '\n');
	j->arena = a;
	mapped = map_file(j, m->fd);
	if (m->fd >= 0)
		close(m->fd);
	j->file.content = (struct bytes){ j->map, j->map_n };
	order.files = &j->file;
	/* Of an edge whose settings are not the keeper's: the next has them. */
	if (!mapped || order.way == NULL || order.body == NULL ||
	    !handover_way_is_of(order.way, order.body) ||
	    !handover_way_is_open(order.way, time(NULL))) {
		handover_client_judged(e->handover, j->job, HANDOVER_JUDGED_NOT,
		    (struct bytes){ 0 });
		judging_free(j);
		return;
	}
	j->intake = intake_new(e, &order, on_judged, j);
}
