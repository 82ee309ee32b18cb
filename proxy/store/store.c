/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/store/store.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/log.h"
#include "proxy/detox/detox.h"
#include "proxy/store/store_state.h"

#define FILES_MAX 1024
#define EXPIRE_MS 60000
#define EXPIRE_BURST 100 /* that go at once; the rest a little later */
#define SHA256_SIZE 32
#define LEG_MAX 1024
#define CONTACTS_S ((uint64_t)400 * 24 * 3600) /* senders are known so long */

/* A mail process. */
struct peer {
	struct store *store;
	struct channel *channel;
	struct peer *next;
	struct buf about; /* what has come of it */
	uint32_t about_job;
};

/* An original that is on the shelf and not durable yet. */
struct waiting {
	struct waiting *next;
	struct peer *peer; /* NULL: gone */
	uint32_t job;
	char id[SHELF_ID_MAX];
	bool is_new;
};

static void
tell(struct peer *p, enum store_message type, uint32_t job, struct bytes words)
{
	if (p != NULL && channel_send(p->channel, type, job, words, -1) < 0)
		log_say(EVENT_FAILURE, "store: a mail process does not listen");
}

static void
record_kept(struct store *st, const struct waiting *w)
{
	struct arena a = { 0 };
	struct shelf_row row;
	struct err e;

	if (shelf_find(st->shelf, bytes_of(w->id), &row, &a, &e) == SHELF_FOUND)
		store_record(EVENT_ORIGINAL_KEPT, &row, NULL, NULL);
	arena_release(&a);
}

static void
answer(struct store *st, const struct waiting *w, int committed,
    const struct err *e)
{
	if (committed < 0) {
		tell(w->peer, STORE_NOT_KEPT, w->job, bytes_of(e->text));
		return;
	}
	if (w->is_new) {
		counter_add(COUNTER_ORIGINALS_KEPT, 1);
		record_kept(st, w);
	}
	tell(w->peer, STORE_KEPT, w->job, bytes_of(w->id));
}

void
store_settle(struct store *st)
{
	struct err e = { 0 };
	int committed = shelf_commit(st->shelf, &e);

	if (st->waiting == NULL && committed < 0)
		log_say(EVENT_FAILURE, "%s", e.text);
	while (st->waiting != NULL) {
		struct waiting *w = st->waiting;

		st->waiting = w->next;
		answer(st, w, committed, &e);
		free(w);
	}
	st->waiting_last = NULL;
}

static void
settle_tick(void *owner)
{
	struct store *st = owner;

	st->committing = false;
	store_settle(st);
}

static void
settle_soon(struct store *st)
{
	if (!st->committing)
		loop_defer(st->child->loop, settle_tick, st);
	st->committing = true;
}

/* Those deleted, in rows; they are not durable yet. */
static size_t
delete_before(struct store *st, uint64_t before, struct shelf_row *rows,
    struct arena *a, struct err *e)
{
	size_t n = 0;

	while (n < EXPIRE_BURST &&
	    shelf_find_before(st->shelf, before, &rows[n], a, e) ==
		SHELF_FOUND &&
	    shelf_delete(st->shelf, &rows[n], e) == 0)
		n++;
	return n;
}

size_t
store_expire(struct store *st)
{
	uint64_t now = (uint64_t)time(NULL);
	uint64_t before = now > st->limits.keep_s ? now - st->limits.keep_s : 0;
	struct arena a = { 0 };
	struct shelf_row *rows =
	    ARENA_ARRAY(&a, struct shelf_row, EXPIRE_BURST);
	struct err e = { 0 };
	size_t n;

	store_settle(st);
	n = delete_before(st, before, rows, &a, &e);
	if (n == 0 &&
	    shelf_forget_contacts(
		st->shelf, now > CONTACTS_S ? now - CONTACTS_S : 0, &e) < 0)
		log_say(EVENT_FAILURE, "%s", e.text);
	if (shelf_commit(st->shelf, &e) < 0)
		n = 0;
	if (e.text[0] != '\0')
		log_say(EVENT_FAILURE, "%s", e.text);
	for (size_t i = 0; i < n; i++)
		store_record(EVENT_ORIGINAL_EXPIRED, &rows[i], NULL, NULL);
	if (n > 0)
		shelf_scrub(st->shelf);
	arena_release(&a);
	return n;
}

static void
expire_due(void *owner)
{
	struct store *st = owner;
	size_t n = store_expire(st);

	timer_start(st->expiring, n == EXPIRE_BURST ? 1000 : EXPIRE_MS);
}

/* Keeping. */

static int
has_room(struct store *st, uint64_t bytes, struct err *e)
{
	struct shelf_counts c;

	shelf_counts(st->shelf, &c);
	if (c.bytes + bytes > st->limits.bytes_max && store_expire(st) > 0)
		shelf_counts(st->shelf, &c);
	if (c.bytes + bytes <= st->limits.bytes_max)
		return 0;
	return err_set(e,
	    "store: full: %llu bytes of store.bytes_max %llu are in use",
	    (unsigned long long)c.bytes,
	    (unsigned long long)st->limits.bytes_max);
}

static void
hash(struct bytes b, char out[2 * SHA256_SIZE + 1])
{
	uint8_t digest[SHA256_SIZE];

	must(EVP_Digest(b.p, b.n, digest, NULL, EVP_sha256(), NULL) == 1);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static int
keep_content(struct store *st, const struct original *o, struct bytes content,
    char id_out[SHELF_ID_MAX], struct err *e)
{
	struct shelf_object object = {
		.mail = o->mail,
		.content = content,
		.now = (uint64_t)time(NULL),
	};
	struct original kept = *o;
	char sha256[2 * SHA256_SIZE + 1];
	char leg[LEG_MAX];
	struct buf about;
	int n =
	    snprintf(leg, sizeof(leg), "%.*s %.*s %.*s", BYTES_PRINTF(o->mail),
		BYTES_PRINTF(o->route), BYTES_PRINTF(o->domain));
	int result = -1;

	hash(content, sha256);
	kept.sha256 = bytes_of(sha256);
	kept.skip = 0;
	buf_init(&about, STORE_ABOUT_MAX);
	if (n >= LEG_MAX || original_pack(&kept, &about) < 0) {
		err_set(e, "store: too much is said of the mail");
	} else {
		object.leg = bytes_of(leg);
		object.about = buf_bytes(&about);
		result = shelf_keep(st->shelf, &object, id_out, e);
	}
	buf_release(&about);
	return result;
}

static int
keep_object(struct store *st, const struct original *o, int fd,
    char id_out[SHELF_ID_MAX], struct err *e)
{
	struct stat s;
	struct bytes content;
	void *p;
	int result;

	if (!detox_is_sealed(fd) || fstat(fd, &s) < 0 ||
	    s.st_size <= (off_t)o->skip)
		return err_set(e, "store: the original is not sealed");
	if (has_room(st, (uint64_t)s.st_size - o->skip, e) < 0)
		return -1;
	p = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return err_set(e, "store: no memory for the original");
	content = (struct bytes){ p, (size_t)s.st_size };
	bytes_take(&content, o->skip);
	result = keep_content(st, o, content, id_out, e);
	munmap(p, (size_t)s.st_size);
	return result;
}

static void
take_original(struct peer *p, const struct ipc_message *m)
{
	struct store *st = p->store;
	struct waiting *w = calloc(1, sizeof(*w));
	struct arena a = { 0 };
	struct shelf_counts before, after;
	struct original o;
	struct err e = { 0 };
	int result = -1;

	must(w != NULL);
	if (m->fd < 0 || original_unpack(&o, buf_bytes(&p->about), &a) < 0) {
		err_set(&e, "store: what is said of the mail is malformed");
	} else {
		shelf_counts(st->shelf, &before);
		result = keep_object(st, &o, m->fd, w->id, &e);
		shelf_counts(st->shelf, &after);
	}
	arena_release(&a);
	if (result < 0) {
		tell(p, STORE_NOT_KEPT, m->job, bytes_of(e.text));
		free(w);
		return;
	}
	w->peer = p;
	w->job = m->job;
	w->is_new = after.originals > before.originals;
	if (st->waiting == NULL)
		st->waiting = w;
	else
		st->waiting_last->next = w;
	st->waiting_last = w;
	settle_soon(st);
}

/* Noted behind the answer, with whatever is committed next: what is lost with
 * the power is one more first mail. */
static void
take_contact(struct peer *p, const struct ipc_message *m)
{
	struct store *st = p->store;
	struct store_contact seen = { 0 };
	struct err e;

	if (m->body.n == 0 || m->body.n > STORE_CONTACT_MAX)
		return;
	if (shelf_contact(
		st->shelf, m->body, (uint64_t)time(NULL), &seen.last, &e) < 0) {
		log_say(EVENT_FAILURE, "%s", e.text);
		return;
	}
	tell(p, STORE_CONTACT_LAST, m->job,
	    (struct bytes){ (const uint8_t *)&seen, sizeof(seen) });
	settle_soon(st);
}

static void
peer_message(void *owner, const struct ipc_message *m)
{
	struct peer *p = owner;

	if (m->type == STORE_CONTACT) {
		take_contact(p, m);
		if (m->fd >= 0)
			close(m->fd);
		return;
	}

	if (m->job != p->about_job)
		buf_release(&p->about);
	p->about_job = m->job;
	if ((m->type == STORE_ABOUT || m->type == STORE_KEEP) &&
	    buf_append(&p->about, m->body) < 0)
		buf_release(&p->about); /* what is left is malformed */
	if (m->type == STORE_KEEP) {
		take_original(p, m);
		buf_release(&p->about);
		p->about_job = 0;
	}
	if (m->fd >= 0)
		close(m->fd);
}

static void
peer_free(struct peer *p)
{
	struct peer **at = &p->store->peers;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	for (struct waiting *w = p->store->waiting; w != NULL; w = w->next)
		if (w->peer == p)
			w->peer = NULL;
	channel_free(p->channel);
	buf_release(&p->about);
	free(p);
}

static void
peer_gone(void *owner)
{
	peer_free(owner);
}

static void
peer_new(struct store *st, int fd)
{
	struct peer *p = calloc(1, sizeof(*p));

	must(p != NULL);
	p->store = st;
	buf_init(&p->about, STORE_ABOUT_MAX);
	p->channel =
	    channel_new(st->child->loop, fd, peer_message, peer_gone, p);
	p->next = st->peers;
	st->peers = p;
}

/* The process. */

static void
take_limits(struct store *st, struct bytes body)
{
	if (body.n != sizeof(st->limits))
		return;
	memcpy(&st->limits, body.p, sizeof(st->limits));
	timer_start(st->expiring, 0);
}

static void
parent_message(void *owner, const struct ipc_message *m)
{
	struct store *st = owner;

	/* Not before it is ready: the parent knows. */
	if (m->type == PARENT_CHANNEL && m->fd >= 0) {
		peer_new(st, m->fd);
		return;
	}
	if (m->fd >= 0)
		close(m->fd);
	if (st->shelf == NULL)
		return;
	if (m->type == PARENT_ORDER)
		store_order(st, m);
	else if (m->type == PARENT_RELEASED)
		release_answered(st, m);
	else if (m->type == PARENT_LIMITS)
		take_limits(st, m->body);
}

static int
prepare(struct store *st, struct err *e)
{
	struct child *c = st->child;
	const struct sandbox sandbox = {
		.user = c->settings->processes.store_user,
		.root = c->settings->store.folder,
		.needs = SANDBOX_FOLDER | SANDBOX_OBJECTS | SANDBOX_DATABASE,
		.folder = c->store_folder_fd,
		.files_max = FILES_MAX,
	};
	char seed[8];

	st->vault = vault_new(c->key_fd, e);
	close(c->key_fd);
	c->key_fd = -1;
	if (st->vault == NULL)
		return -1;
	/* Both would look for a file, later. */
	sqlite3_randomness(sizeof(seed), seed);
	json_object_seed(0);
	umask(077);
	if (sandbox_enter(&sandbox, e) < 0)
		return -1;
	/* Below the folder, as the user that it belongs to. */
	st->shelf = shelf_open("/" STORE_FILE, st->vault, e);
	return st->shelf == NULL ? -1 : 0;
}

static void
end(struct store *st)
{
	while (st->peers != NULL)
		peer_free(st->peers);
	if (st->shelf != NULL)
		store_settle(st);
	release_end(st);
	timer_free(st->expiring);
	shelf_close(st->shelf);
	vault_free(st->vault);
}

int
store_start(struct child *c)
{
	struct store st = { .child = c,
		.limits = store_limits_of(&c->settings->store) };
	struct err e = { 0 };
	int result = 0;

	/* The key lives on locked pages that no core dump holds. */
	CRYPTO_secure_malloc_init(1 << 16, 32);
	process_begin(c, parent_message, &st);
	st.expiring = timer_new(c->loop, expire_due, &st);
	release_begin(&st);
	if (prepare(&st, &e) < 0) {
		result = process_failed(c, &e);
		goto end;
	}
	process_ready(c);
	timer_start(st.expiring, 0);
	release_next(&st);
	loop_run(c->loop);
	log_say(EVENT_STOPPED, "pid %d", (int)getpid());
end:
	end(&st);
	return result;
}
