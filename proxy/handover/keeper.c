/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/handover/keeper.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/file.h"
#include "proxy/base/log.h"
#include "proxy/detox/detox.h"

#define FILES_MAX 4096
#define EXPIRE_MS 60000
#define WRONG_MAX 20 /* numbers of one client */
#define WRONG_S 600  /* within so long */
#define NUMBERS 10000000000ull
#define LISTED_MAX ((size_t)1 << 19) /* of slips on one page */

/* An edge. */
struct peer {
	struct keeper *keeper;
	struct channel *channel;
	struct peer *next;
	struct buf slip; /* what has come of it */
	uint32_t slip_job;
};

static void
tell(struct peer *p, enum handover_message type, uint32_t job,
    struct bytes words, int fd)
{
	if (channel_send(p->channel, type, job, words, fd) < 0)
		log_say(EVENT_FAILURE, "handover: an edge does not listen");
}

/* What is there. */

enum handover_state
keeper_state(const struct keeper_lot *lot)
{
	/* What the slip says is bound to the files by their encryption; what
	 * the settings say by now may be stricter. */
	bool asked = lot->slip.approval != 0 ||
	    (lot->way != NULL && lot->way->approves == HANDOVER_OTHER);

	if (asked && lot->row.approved_by[0] == '\0')
		return HANDOVER_WAITS;
	return lot->row.state == SHELF_RELEASED ? HANDOVER_DONE
						: HANDOVER_READY;
}

static bool
read_lot(struct keeper *k, struct keeper_lot *out, struct arena *a)
{
	if (slip_unpack(&out->slip, out->row.about, a) < 0) {
		log_say(EVENT_FAILURE, "handover: %s is not understood",
		    out->row.id);
		return false;
	}
	out->way = handover_way(k->settings, out->slip.way);
	return true;
}

bool
keeper_find(struct keeper *k, struct bytes number, struct keeper_lot *out,
    struct arena *a)
{
	struct err e = { 0 };

	switch (shelf_find(k->shelf, number, &out->row, a, &e)) {
	case SHELF_FOUND:
		return read_lot(k, out, a);
	case SHELF_FAILED:
		log_say(EVENT_FAILURE, "%s", e.text);
		return false;
	case SHELF_NONE:
		break;
	}
	return false;
}

static int
write_piece(void *owner, struct bytes piece, struct err *e)
{
	const int *fd = owner;

	return file_write(*fd, piece) < 0 ? err_set(e, "memfd: %m") : 0;
}

int
keeper_open(struct keeper *k, const struct keeper_lot *lot, struct err *e)
{
	int fd = memfd_create("handover", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return err_set(e, "memfd: %m");
	if (shelf_read(k->shelf, &lot->row, write_piece, &fd, e) == 0 &&
	    detox_seal_fd(fd, e) == 0)
		return fd;
	close(fd);
	return -1;
}

int
keeper_change(struct keeper *k, const struct shelf_row *r, struct err *e)
{
	return shelf_change(k->shelf, r, e) < 0 ? -1
						: shelf_commit(k->shelf, e);
}

int
keeper_delete(struct keeper *k, const struct shelf_row *r, struct err *e)
{
	if (shelf_delete(k->shelf, r, e) < 0 || shelf_commit(k->shelf, e) < 0)
		return -1;
	shelf_scrub(k->shelf);
	return 0;
}

/* Expiry. A row's `kept` is when its time is over. One that is killed on the
 * way writes its record twice rather than never. */

static void
expire_due(void *owner)
{
	struct keeper *k = owner;
	uint64_t now = (uint64_t)time(NULL);
	struct err e = { 0 };
	struct arena a = { 0 };
	struct keeper_lot lot;

	while (
	    shelf_find_before(k->shelf, now, &lot.row, &a, &e) == SHELF_FOUND) {
		if (read_lot(k, &lot, &a) &&
		    keeper_record(
			k, EVENT_HANDOVER_EXPIRED, &lot, NULL, -1, &e) < 0)
			break;
		if (keeper_delete(k, &lot.row, &e) < 0)
			break;
	}
	if (e.text[0] != '\0')
		log_say(EVENT_FAILURE, "%s", e.text);
	arena_release(&a);
	timer_start(k->expiring, EXPIRE_MS);
}

/* Keeping. */

/* Ten digits by chance, in two groups; they look like no individual number. */
static int
choose_number(struct keeper *k, char out[HANDOVER_NUMBER_N + 1], struct err *e)
{
	struct arena a = { 0 };
	struct shelf_row row;
	enum shelf_found found;

	do {
		uint64_t random;

		must(getrandom(&random, sizeof(random), 0) == sizeof(random));
		random %= NUMBERS;
		snprintf(out, HANDOVER_NUMBER_N + 1, "%05u-%05u",
		    (unsigned)(random / 100000), (unsigned)(random % 100000));
		found = shelf_find(k->shelf, bytes_of(out), &row, &a, e);
	} while (found == SHELF_FOUND);
	arena_release(&a);
	return found == SHELF_NONE ? 0 : -1;
}

static int
has_room(struct keeper *k, uint64_t bytes, struct err *e)
{
	struct shelf_counts c;

	shelf_counts(k->shelf, &c);
	return c.bytes + bytes <= k->settings->bytes_max
	    ? 0
	    : err_set(e,
		  "handover: full: %llu bytes of handover.bytes_max %llu are"
		  " in use",
		  (unsigned long long)c.bytes,
		  (unsigned long long)k->settings->bytes_max);
}

/* The record stands before anybody may fetch them. */
static int
keep_new(struct keeper *k, struct bytes about, struct bytes content,
    const struct slip *s, char id_out[SHELF_ID_MAX], struct err *e)
{
	char number[HANDOVER_NUMBER_N + 1];
	struct shelf_object object = {
		.leg = s->key.n > 0 ? s->key : s->token,
		.about = about,
		.content = content,
		.now = s->until,
	};
	struct keeper_lot lot = { .slip = *s };
	struct shelf_counts before, after;

	if (choose_number(k, number, e) < 0)
		return -1;
	object.mail = bytes_of(number);
	shelf_counts(k->shelf, &before);
	if (shelf_keep(k->shelf, &object, id_out, e) < 0)
		return -1;
	shelf_counts(k->shelf, &after);
	if (after.originals == before.originals)
		return 0; /* it was given before */
	snprintf(lot.row.id, sizeof(lot.row.id), "%s", id_out);
	lot.way = handover_way(k->settings, s->way);
	return keeper_record(k, EVENT_HANDOVER_GIVEN, &lot, NULL, -1, e) < 0
	    ? -1
	    : shelf_commit(k->shelf, e);
}

static int
keep_object(struct keeper *k, struct bytes about, const struct slip *s, int fd,
    char id_out[SHELF_ID_MAX], struct err *e)
{
	struct stat st;
	void *p = NULL;
	int result;

	if (fd < 0 || !detox_is_sealed(fd) || fstat(fd, &st) < 0 ||
	    (uint64_t)st.st_size != slip_offset(s, s->files_n))
		return err_set(e, "handover: the files are not sealed");
	if (has_room(k, (uint64_t)st.st_size, e) < 0)
		return -1;
	if (st.st_size > 0)
		p = mmap(
		    NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return err_set(e, "handover: no memory for the files");
	result = keep_new(
	    k, about, (struct bytes){ p, (size_t)st.st_size }, s, id_out, e);
	if (p != NULL)
		munmap(p, (size_t)st.st_size);
	return result;
}

/* An edge may have been taken over: what it says is held against the ways. */
static bool
is_permitted(struct keeper *k, const struct slip *s)
{
	const struct handover_way *w = handover_way(k->settings, s->way);
	uint64_t now = (uint64_t)time(NULL);

	if (w == NULL || !handover_way_is_open(w, (time_t)now) ||
	    !bytes_equal(s->from, bytes_of(w->from->name)) ||
	    !bytes_equal(s->to, bytes_of(w->to->name)) ||
	    s->approval != (w->approves == HANDOVER_OTHER) ||
	    s->files_n > w->files_max ||
	    s->until > now + (uint64_t)w->keep_days * 86400 + 60 ||
	    slip_offset(s, s->files_n) > w->size_max || s->token.n != 64)
		return false;
	for (size_t i = 0; i < w->bodies_n; i++)
		if (bytes_equal(s->body, bytes_of(w->bodies[i]->code)))
			return true;
	return w->bodies_n == 0;
}

static void
take_slip(struct peer *p, const struct ipc_message *m)
{
	struct keeper *k = p->keeper;
	struct arena a = { 0 };
	struct slip s;
	struct err e = { 0 };
	char id[SHELF_ID_MAX];
	int result = -1;

	if (slip_unpack(&s, buf_bytes(&p->slip), &a) < 0)
		err_set(&e, "handover: what is said of the files is malformed");
	else if (!is_permitted(k, &s))
		err_set(&e, "handover: the settings have no such way");
	else
		result = keep_object(k, buf_bytes(&p->slip), &s, m->fd, id, &e);
	arena_release(&a);
	if (result < 0) {
		/* What the record could not be written of is not kept. */
		shelf_undo(k->shelf);
		log_say(EVENT_FAILURE, "%s", e.text);
		tell(p, HANDOVER_NOT_KEPT, m->job, bytes_of(e.text), -1);
		return;
	}
	tell(p, HANDOVER_KEPT, m->job, bytes_of(id), -1);
	drops_deliver(k);
}

/* Fetching. */

static struct keeper_tries *
tries_of(struct keeper *k, struct bytes client)
{
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < client.n; i++)
		hash = (hash ^ client.p[i]) * 1099511628211u;
	return &k->tries[hash % KEEPER_TRIES];
}

static bool
is_guessing(struct keeper *k, struct bytes client)
{
	struct keeper_tries *t = tries_of(k, client);
	uint64_t now = (uint64_t)time(NULL);

	if (now - t->since > WRONG_S)
		*t = (struct keeper_tries){ .since = now };
	return t->wrong >= WRONG_MAX;
}

/* By its number, or by the token that only who gave it was told. */
static bool
find_asked(struct keeper *k, const struct slip_ask *ask, struct keeper_lot *out,
    struct arena *a)
{
	char number[SHELF_ID_MAX] = "";
	char digest[65];
	struct err e = { 0 };

	if (ask->by == SLIP_BY_NUMBER)
		return keeper_find(k, ask->value, out, a);
	slip_digest(ask->value, digest);
	if (shelf_find_leg(k->shelf, bytes_of(digest), number, &e) !=
	    SHELF_FOUND)
		return false;
	return keeper_find(k, bytes_of(number), out, a);
}

/* Of that body, and of the zone that gives or takes. */
static bool
may_see(const struct keeper_lot *lot, const struct slip_ask *ask)
{
	return lot->way != NULL && lot->row.kept > (uint64_t)time(NULL) &&
	    bytes_equal(ask->body, lot->slip.body) &&
	    (bytes_equal(ask->zone, lot->slip.to) ||
		(bytes_equal(ask->zone, lot->slip.from) &&
		    ask->by == SLIP_BY_TOKEN));
}

static void
answer(struct peer *p, const struct ipc_message *m, enum handover_message type,
    enum handover_state state, const char *words, int fd)
{
	uint8_t body[256];
	struct bytes text = bytes_of(words);

	body[0] = (uint8_t)state;
	text = bytes_take(&text, sizeof(body) - 1);
	if (text.n > 0)
		memcpy(body + 1, text.p, text.n);
	tell(p, type, m->job, (struct bytes){ body, text.n + 1 }, fd);
	if (fd >= 0)
		close(fd);
}

static void
show(struct peer *p, const struct ipc_message *m, const struct keeper_lot *lot)
{
	struct err e;
	int fd = detox_seal(lot->row.about, &e);

	answer(p, m, HANDOVER_SEEN,
	    fd < 0 ? HANDOVER_UNKNOWN : keeper_state(lot), lot->row.id, fd);
}

/* One file of all, as a descriptor of its own: the edge gets no other. */
static int
cut_file(
    struct keeper *k, const struct keeper_lot *lot, size_t nth, struct err *e)
{
	const struct slip_file *f = &lot->slip.files[nth];
	uint64_t total = slip_offset(&lot->slip, lot->slip.files_n);
	int all = keeper_open(k, lot, e);
	int fd = -1;
	char digest[65];
	void *map = NULL;
	struct bytes b;

	if (all < 0)
		return -1;
	if (total > 0)
		map = mmap(NULL, total, PROT_READ, MAP_PRIVATE, all, 0);
	close(all);
	if (map == MAP_FAILED || lot->row.bytes != total)
		return err_set(e, "handover: %s cannot be read", lot->row.id);
	b = (struct bytes){ map, total };
	bytes_take(&b, slip_offset(&lot->slip, nth));
	b.n = f->bytes;
	slip_digest(b, digest);
	if (bytes_equal(bytes_of(digest), f->sha256))
		fd = detox_seal(b, e);
	else
		err_set(e, "handover: %s is not what was kept", lot->row.id);
	if (map != NULL)
		munmap(map, total);
	return fd;
}

static int
fetch(struct keeper *k, struct keeper_lot *lot, const struct slip_ask *ask,
    struct err *e)
{
	char by[ADDRESS_TEXT_MAX];
	int fd = cut_file(k, lot, ask->nth, e);

	if (fd < 0)
		return -1;
	snprintf(by, sizeof(by), "%.*s", BYTES_PRINTF(ask->client));
	if (keeper_record(
		k, EVENT_HANDOVER_PASSED, lot, by, (ssize_t)ask->nth, e) == 0) {
		lot->row.state = SHELF_RELEASED;
		if (keeper_change(k, &lot->row, e) == 0)
			return fd;
	}
	close(fd);
	return -1;
}

/* By a page, where the way has one, and only to who takes. */
static void
give(struct peer *p, const struct ipc_message *m, struct keeper_lot *lot,
    const struct slip_ask *ask)
{
	enum handover_state state = keeper_state(lot);
	struct err e = { 0 };
	int fd = -1;

	if (!bytes_equal(ask->zone, lot->slip.to) ||
	    lot->way->to->kind == ZONE_MYNUMBER || lot->way->out[0] != '\0' ||
	    !handover_way_is_open(lot->way, time(NULL)) ||
	    ask->nth >= lot->slip.files_n)
		state = HANDOVER_UNKNOWN;
	if (state == HANDOVER_READY || state == HANDOVER_DONE) {
		fd = fetch(p->keeper, lot, ask, &e);
		if (fd < 0) {
			log_say(EVENT_FAILURE, "%s", e.text);
			state = HANDOVER_UNKNOWN;
		}
	}
	answer(p, m, HANDOVER_TAKEN, state, "", fd);
}

static void
take_ask(struct peer *p, const struct ipc_message *m)
{
	struct keeper *k = p->keeper;
	enum handover_message type =
	    m->type == HANDOVER_TAKE ? HANDOVER_TAKEN : HANDOVER_SEEN;
	struct arena a = { 0 };
	struct slip_ask ask;
	struct keeper_lot lot = { 0 };

	if (slip_ask_unpack(&ask, m->body) < 0) {
		answer(p, m, type, HANDOVER_UNKNOWN, "", -1);
	} else if (is_guessing(k, ask.client)) {
		answer(p, m, type, HANDOVER_BUSY, "", -1);
	} else if (!find_asked(k, &ask, &lot, &a) || !may_see(&lot, &ask)) {
		tries_of(k, ask.client)->wrong++;
		answer(p, m, type, HANDOVER_UNKNOWN, "", -1);
	} else if (type == HANDOVER_TAKEN) {
		give(p, m, &lot, &ask);
	} else {
		show(p, m, &lot);
	}
	arena_release(&a);
}

/* Approving by a page: clients that the way names. Who gave it is another, as
 * far as the address tells. */

static bool
may_decide(const struct keeper_lot *lot, const struct slip_ask *ask)
{
	struct address client;

	return lot->way != NULL && keeper_state(lot) == HANDOVER_WAITS &&
	    lot->row.kept > (uint64_t)time(NULL) &&
	    bytes_equal(ask->body, lot->slip.body) &&
	    !bytes_equal(ask->client, lot->slip.client) &&
	    address_parse(&client, ask->client) == 0 &&
	    handover_way_has_approver(lot->way, &client);
}

struct waiting {
	struct keeper *keeper;
	const struct slip_ask *ask;
	struct buf *out;
};

static bool
note_waiting(void *owner, const struct shelf_row *r)
{
	struct waiting *w = owner;
	struct arena a = { 0 };
	struct keeper_lot lot = { .row = *r };
	size_t before = w->out->n;

	if (slip_unpack(&lot.slip, r->about, &a) == 0) {
		lot.way = handover_way(w->keeper->settings, lot.slip.way);
		if (may_decide(&lot, w->ask) &&
		    (buf_printf(w->out, "%s\n%zu\n", r->id, r->about.n) < 0 ||
			buf_append(w->out, r->about) < 0))
			w->out->n = before; /* the rest comes later */
	}
	arena_release(&a);
	return true;
}

static void
take_list(struct peer *p, const struct ipc_message *m)
{
	struct slip_ask ask;
	struct buf out;
	struct waiting w = { p->keeper, &ask, &out };
	struct err e = { 0 };
	int fd = -1;

	buf_init(&out, LISTED_MAX);
	if (slip_ask_unpack(&ask, m->body) == 0 &&
	    shelf_each(p->keeper->shelf, note_waiting, &w, &e) == 0)
		fd = detox_seal(buf_bytes(&out), &e);
	buf_release(&out);
	answer(p, m, HANDOVER_LISTED,
	    fd < 0 ? HANDOVER_UNKNOWN : HANDOVER_READY, "", fd);
}

static int
decide(struct keeper *k, const struct ipc_message *m,
    const struct slip_ask *ask, struct keeper_lot *lot)
{
	char by[SHELF_PERSON_MAX];
	struct err e = { 0 };
	int result;

	snprintf(by, sizeof(by), "%.*s(%.*s)", BYTES_PRINTF(ask->name),
	    BYTES_PRINTF(ask->client));
	result = m->type == HANDOVER_APPROVE ? keeper_approve(k, lot, by, &e)
					     : keeper_decline(k, lot, by, &e);
	if (result < 0)
		log_say(EVENT_FAILURE, "%s", e.text);
	return result;
}

static void
take_decision(struct peer *p, const struct ipc_message *m)
{
	struct keeper *k = p->keeper;
	struct arena a = { 0 };
	struct slip_ask ask;
	struct keeper_lot lot = { 0 };
	enum handover_state state = HANDOVER_UNKNOWN;

	if (slip_ask_unpack(&ask, m->body) == 0 && ask.name.n > 0 &&
	    ask.name.n <= HANDOVER_APPROVER_MAX &&
	    keeper_find(k, ask.value, &lot, &a) && may_decide(&lot, &ask) &&
	    decide(k, m, &ask, &lot) == 0)
		state = HANDOVER_READY;
	answer(p, m, HANDOVER_DECIDED, state, "", -1);
	arena_release(&a);
	drops_deliver(k);
}

/* Edges. */

static void
take_piece(struct peer *p, const struct ipc_message *m)
{
	if (m->job != p->slip_job)
		buf_release(&p->slip);
	p->slip_job = m->job;
	if (buf_append(&p->slip, m->body) < 0)
		buf_release(&p->slip); /* what is left is malformed */
	if (m->type != HANDOVER_KEEP)
		return;
	take_slip(p, m);
	buf_release(&p->slip);
	p->slip_job = 0;
}

static void
peer_message(void *owner, const struct ipc_message *m)
{
	struct peer *p = owner;

	if (m->type == HANDOVER_SLIP || m->type == HANDOVER_KEEP)
		take_piece(p, m);
	else if (m->type == HANDOVER_LOOK || m->type == HANDOVER_TAKE)
		take_ask(p, m);
	else if (m->type == HANDOVER_LIST)
		take_list(p, m);
	else if (m->type == HANDOVER_APPROVE || m->type == HANDOVER_DECLINE)
		take_decision(p, m);
	else if (m->type == HANDOVER_JUDGED)
		drops_judged(p->keeper, p, m);
	if (m->fd >= 0)
		close(m->fd);
}

static void
peer_free(struct peer *p)
{
	struct peer **at = &p->keeper->peers;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	drops_peer_gone(p->keeper, p);
	channel_free(p->channel);
	buf_release(&p->slip);
	free(p);
}

static void
peer_gone(void *owner)
{
	peer_free(owner);
}

static void
peer_new(struct keeper *k, int fd)
{
	struct peer *p = calloc(1, sizeof(*p));

	must(p != NULL);
	p->keeper = k;
	buf_init(&p->slip, HANDOVER_SLIP_MAX);
	p->channel =
	    channel_new(k->child->loop, fd, peer_message, peer_gone, p);
	p->next = k->peers;
	k->peers = p;
}

bool
keeper_ask(struct keeper *k, uint32_t job, struct bytes words, int fd,
    struct peer **peer_out)
{
	/* The first is the one that came last. */
	for (struct peer *p = k->peers; p != NULL; p = p->next)
		if (channel_send(p->channel, HANDOVER_JUDGE, job, words, fd) ==
		    0) {
			*peer_out = p;
			return true;
		}
	return false;
}

/* The process. */

/* A new year's file, which the parent opened for this process. */
static void
take_crossings(struct keeper *k, int fd)
{
	struct err e = { 0 };
	struct chain *c = chain_open(
	    fd, k->child->settings->isolation->settings.crossings, NULL, &e);

	if (c == NULL) {
		log_say(EVENT_FAILURE, "%s", e.text);
		return;
	}
	chain_free(k->crossings);
	k->crossings = c;
}

static void
parent_message(void *owner, const struct ipc_message *m)
{
	struct keeper *k = owner;

	/* Not before it is ready: the parent knows. */
	if (m->type == PARENT_CHANNEL && m->fd >= 0) {
		peer_new(k, m->fd);
		return;
	}
	if (m->type == PARENT_CROSSINGS && m->fd >= 0 && k->crossings != NULL) {
		take_crossings(k, m->fd);
		return;
	}
	if (m->fd >= 0)
		close(m->fd);
	if (m->type == PARENT_ORDER && k->shelf != NULL)
		keeper_order(k, m);
}

static int
prepare(struct keeper *k, struct err *e)
{
	struct child *c = k->child;
	const struct sandbox sandbox = {
		.user = c->settings->processes.handover_user,
		.root = c->settings->handover.folder,
		.needs = SANDBOX_FOLDER | SANDBOX_OBJECTS | SANDBOX_DATABASE,
		.folder = c->store_folder_fd,
		.folders = c->drop_fds,
		.folders_n = c->drop_fds_n,
		.files_max = FILES_MAX,
	};
	char seed[8];

	k->vault = vault_new(c->key_fd, e);
	close(c->key_fd);
	c->key_fd = -1;
	if (k->vault == NULL)
		return -1;
	k->crossings = chain_open(c->crossings_fd,
	    c->settings->isolation->settings.crossings, NULL, e);
	if (k->crossings == NULL)
		return -1;
	/* Both would look for a file, later. */
	sqlite3_randomness(sizeof(seed), seed);
	json_object_seed(0);
	umask(007); /* the group of an out folder reads what is delivered */
	if (sandbox_enter(&sandbox, e) < 0)
		return -1;
	k->shelf = shelf_open("/" HANDOVER_FILE, k->vault, e);
	return k->shelf == NULL ? -1 : 0;
}

static void
end(struct keeper *k)
{
	drops_end(k);
	while (k->peers != NULL)
		peer_free(k->peers);
	timer_free(k->expiring);
	shelf_close(k->shelf);
	chain_free(k->crossings);
	vault_free(k->vault);
}

int
handover_start(struct child *c)
{
	static struct keeper keeper;
	struct keeper *k = &keeper;
	struct err e = { 0 };
	int result = 0;

	k->child = c;
	k->settings = &c->settings->handover;
	/* The key lives on locked pages that no core dump holds. */
	CRYPTO_secure_malloc_init(1 << 16, 32);
	process_begin(c, parent_message, k);
	k->expiring = timer_new(c->loop, expire_due, k);
	if (prepare(k, &e) < 0) {
		result = process_failed(c, &e);
		goto end;
	}
	drops_begin(k);
	process_ready(c);
	timer_start(k->expiring, 0);
	loop_run(c->loop);
	log_say(EVENT_STOPPED, "pid %d", (int)getpid());
end:
	end(k);
	return result;
}
