/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drop: folders. A file that is put in one, and does not change any more, goes
 * the same way as one of a page; it is taken out of the folder when it is kept.
 * What may be delivered is written beside its place in the other folder and
 * renamed to it: there it stands whole or not at all, and once.
 *
 *	NAME.refused.txt	why NAME stays; without it, it is tried again
 *	.sekisho-…		ours
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/file.h"
#include "proxy/base/log.h"
#include "proxy/detox/detox.h"
#include "proxy/handover/keeper.h"

#define LOOK_MS 1000
#define JUDGE_MS 300000 /* then it is asked again */
#define SEEN_MAX 1024   /* files of a folder that are looked at, at once */
#define NAME_ROOM 256
#define REFUSED ".refused.txt"
#define OWN ".sekisho-"
#define TAKING OWN "taking-" /* and the file's key */
#define SETTLED_MS 2000      /* unchanged for so long it is all there */
#define COPIES_MAX 1000      /* "name (2).txt" and so on */

/* What a file was when it was last looked at. */
struct look {
	uint64_t name; /* a hash */
	uint64_t since_ms;
	ino_t inode;
	off_t size;
	struct timespec modified;
	bool met; /* when all of the folder was last looked through */
};

struct drop {
	const struct handover_way *way;
	int in, out; /* folders; or -1 */
	/* The one that an edge judges. */
	uint32_t job; /* 0: none */
	struct peer *peer;
	uint64_t asked_ms;
	char name[NAME_ROOM];
	char key[65];
	struct stat st;
	struct look *looks;
	size_t looks_n;
};

static uint64_t
hash_of(const char *name)
{
	uint64_t hash = 14695981039346656037u;

	for (; *name != '\0'; name++)
		hash = (hash ^ (uint8_t)*name) * 1099511628211u;
	return hash;
}

static bool
is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Refusing: a file beside it that says why. */

static void
refused_name(const char *name, char out[NAME_ROOM])
{
	size_t most = NAME_ROOM - sizeof(REFUSED);
	size_t n = strlen(name);

	/* Whole characters. */
	if (n > most)
		n = most;
	while (n > 0 && n < strlen(name) && ((uint8_t)name[n] & 0xc0) == 0x80)
		n--;
	snprintf(out, NAME_ROOM, "%.*s" REFUSED, (int)n, name);
}

/* Who may write in the folder may have put anything in its place. */
static int
create(int folder, const char *name)
{
	if (unlinkat(folder, name, 0) < 0 && errno != ENOENT)
		return -1;
	return openat(folder, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0660);
}

static void
refuse(struct drop *d, const char *name, struct bytes words)
{
	char told[NAME_ROOM];
	int fd = create(d->in, OWN "refused");

	refused_name(name, told);
	if (fd < 0 ||
	    /* Windows' editors take it as UTF-8 by its first bytes. */
	    file_write(fd, BYTES("\xef\xbb\xbf")) < 0 ||
	    file_write(fd, words) < 0 || fsync(fd) < 0 ||
	    renameat(d->in, OWN "refused", d->in, told) < 0)
		log_say(EVENT_FAILURE,
		    "handover: %s: cannot say why a file was"
		    " refused: %m",
		    d->way->name);
	if (fd >= 0)
		close(fd);
}

/* It was told of this very file, and nobody wants it tried again. */
static bool
is_refused(const struct drop *d, const char *name, const struct stat *st)
{
	char told[NAME_ROOM];
	struct stat other;

	refused_name(name, told);
	if (fstatat(d->in, told, &other, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return other.st_ctim.tv_sec > st->st_ctim.tv_sec ||
	    (other.st_ctim.tv_sec == st->st_ctim.tv_sec &&
		other.st_ctim.tv_nsec >= st->st_ctim.tv_nsec);
}

/* Taking. */

/* What we make, and what programs make while they write. */
static bool
is_left_alone(const char *name)
{
	struct bytes b = bytes_of(name);

	return name[0] == '.' || bytes_start_with(b, BYTES("~$")) ||
	    bytes_end_with(b, BYTES(REFUSED)) ||
	    bytes_end_with(b, BYTES(".part")) ||
	    bytes_end_with(b, BYTES(".tmp")) ||
	    bytes_end_with(b, BYTES(".crdownload"));
}

/* Whether it has been so for a while; else it is noted as it is. */
static bool
is_settled(
    struct drop *d, const char *name, const struct stat *st, uint64_t now_ms)
{
	const struct look now = { hash_of(name), now_ms, st->st_ino,
		st->st_size, st->st_mtim, true };
	struct look *l = d->looks;

	while (l < d->looks + d->looks_n && l->name != now.name)
		l++;
	/* It waits until some of these are gone. */
	if (l == d->looks + SEEN_MAX)
		return false;
	l->met = true;
	if (l < d->looks + d->looks_n && l->inode == now.inode &&
	    l->size == now.size && l->modified.tv_sec == now.modified.tv_sec &&
	    l->modified.tv_nsec == now.modified.tv_nsec)
		return now_ms - l->since_ms >= SETTLED_MS;
	if (l == d->looks + d->looks_n)
		d->looks_n++;
	*l = now;
	return false;
}

/* All that is there was looked at: the others are gone, or refused. */
static void
forget_gone(struct drop *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->looks_n; i++)
		if (d->looks[i].met)
			d->looks[kept++] = d->looks[i];
	d->looks_n = kept;
}

/* A copy that nobody changes any more. -1: it changed while it was read. */
static int
copy_file(int from, const struct stat *st)
{
	int fd = memfd_create("drop", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint8_t piece[65536];
	off_t left = st->st_size;
	struct stat after;
	struct err e;
	ssize_t n;

	if (fd < 0)
		return -1;
	while ((n = read(from, piece, sizeof(piece))) > 0 && n <= left) {
		left -= n;
		if (file_write(fd, (struct bytes){ piece, (size_t)n }) < 0)
			break;
	}
	if (n == 0 && left == 0 && fstat(from, &after) == 0 &&
	    is_same_file(st, &after) && detox_seal_fd(fd, &e) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Of a file's content, which others may cut meanwhile: not of the file itself.
 */
static bool
digest_of(int from, const struct stat *st, char out[65])
{
	int fd = copy_file(from, st);
	size_t size = (size_t)st->st_size;
	void *map = NULL;

	if (fd < 0)
		return false;
	if (size > 0)
		map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return false;
	slip_digest((struct bytes){ map, size }, out);
	if (map != NULL)
		munmap(map, size);
	return true;
}

/* Tells a file that was given before from another: a process that died behind
 * keeping it, and before it was taken out, meets it again. The time of its last
 * change is the kernel's: a copy with all its other times is another. */
static void
make_key(struct drop *d, const char *name, const struct stat *st)
{
	struct arena a = { 0 };

	slip_digest(
	    bytes_of(arena_printf(&a, "%s/%s/%llu/%lld.%09ld/%lld.%09ld/%lld",
		d->way->name, name, (unsigned long long)st->st_ino,
		(long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec,
		(long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
		(long long)st->st_size)),
	    d->key);
	arena_release(&a);
}

static void
ask(struct keeper *k, struct drop *d, const char *name, int from,
    const struct stat *st)
{
	int copy = copy_file(from, st);
	struct arena a = { 0 };
	struct bytes words;

	if (copy < 0)
		return;
	make_key(d, name, st);
	/* A line each: a name with an end of line in it has another here. */
	words = bytes_of(arena_printf(&a, "%s\n%s\n%.*s\nuid:%u\n%s",
	    d->way->name, d->way->bodies[0]->code,
	    BYTES_PRINTF(slip_name(bytes_of(name), &a)), (unsigned)st->st_uid,
	    d->key));
	if (++k->jobs == 0)
		k->jobs = 1;
	if (keeper_ask(k, k->jobs, words, copy, &d->peer)) {
		d->job = k->jobs;
		d->asked_ms = loop_now_ms(k->child->loop);
		d->st = *st;
		snprintf(d->name, sizeof(d->name), "%s", name);
	}
	close(copy);
	arena_release(&a);
}

static const char *
why_not(const struct drop *d, int fd, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "通常のファイルではありません。\r\n"
		       "It is no regular file.\r\n";
	if (st->st_nlink > 1)
		return "別の名前でも参照されています（ハードリンク）。\r\n"
		       "It has another name (a hard link).\r\n";
	if (st->st_size > (off_t)d->way->size_max)
		return "大きすぎます。\r\nIt is too large.\r\n";
	return fd < 0 ? "読む権限がありません。\r\nIt cannot be read.\r\n"
		      : NULL;
}

/* Never waits for a pipe, never follows a link. */
static void
look_at(struct keeper *k, struct drop *d, const char *name)
{
	struct stat st, opened;
	const char *why;
	int fd = -1;

	if (fstatat(d->in, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    is_refused(d, name, &st) ||
	    !is_settled(d, name, &st, loop_now_ms(k->child->loop)))
		return;
	if (S_ISREG(st.st_mode))
		fd = openat(d->in, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 &&
	    (fstat(fd, &opened) < 0 || !is_same_file(&st, &opened))) {
		close(fd);
		return;
	}
	why = why_not(d, fd, &st);
	if (why != NULL)
		refuse(d, name, bytes_of(why));
	else
		ask(k, d, name, fd, &st);
	if (fd >= 0)
		close(fd);
}

/* In the folder's order, one at a time. */
static void
look_through(struct keeper *k, struct drop *d)
{
	int fd = openat(d->in, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (folder == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (size_t i = 0; i < d->looks_n; i++)
		d->looks[i].met = false;
	while (d->job == 0 && (entry = readdir(folder)) != NULL)
		if (!is_left_alone(entry->d_name))
			look_at(k, d, entry->d_name);
	if (d->job == 0)
		forget_gone(d);
	closedir(folder);
}

/* It is kept: the very file goes, and no other that has its name by now. */
static void
take_out(struct drop *d)
{
	char taking[sizeof(TAKING) + 64];
	struct stat st;

	snprintf(taking, sizeof(taking), TAKING "%s", d->key);
	if (renameat(d->in, d->name, d->in, taking) < 0)
		return;
	if (fstatat(d->in, taking, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    is_same_file(&st, &d->st)) {
		unlinkat(d->in, taking, 0);
		return;
	}
	if (renameat2(d->in, taking, d->in, d->name, RENAME_NOREPLACE) < 0)
		log_say(EVENT_FAILURE, "handover: %s: a file waits as %s",
		    d->way->name, taking);
}

static void
forget_refusal(struct drop *d)
{
	char told[NAME_ROOM];

	refused_name(d->name, told);
	unlinkat(d->in, told, 0);
}

static struct drop *
drop_of(struct keeper *k, uint32_t job)
{
	for (size_t i = 0; i < k->drops_n; i++)
		if (k->drops[i].job == job && job != 0)
			return &k->drops[i];
	return NULL;
}

void
drops_judged(struct keeper *k, struct peer *p, const struct ipc_message *m)
{
	struct drop *d = drop_of(k, m->job);
	struct bytes words = m->body;
	struct bytes how = bytes_take(&words, 1);

	if (d == NULL || d->peer != p || how.n != 1)
		return;
	d->job = 0;
	d->peer = NULL;
	if (*how.p == HANDOVER_JUDGED_REFUSED) {
		refuse(d, d->name, words);
	} else if (*how.p == HANDOVER_JUDGED_KEPT) {
		struct arena a = { 0 };
		struct keeper_lot lot = { 0 };

		/* An edge's word alone takes nothing out. */
		if (keeper_find(k, words, &lot, &a)) {
			take_out(d);
			forget_refusal(d);
		}
		arena_release(&a);
	}
}

void
drops_peer_gone(struct keeper *k, const struct peer *p)
{
	for (size_t i = 0; i < k->drops_n; i++)
		if (k->drops[i].peer == p) {
			k->drops[i].peer = NULL;
			k->drops[i].job = 0;
		}
}

void
drops_declined(struct keeper *k, const struct keeper_lot *lot)
{
	struct arena a = { 0 };

	for (size_t i = 0; i < k->drops_n; i++)
		if (k->drops[i].way == lot->way && k->drops[i].in >= 0 &&
		    bytes_equal(lot->slip.client, BYTES("drop")))
			refuse(&k->drops[i],
			    arena_string(&a, lot->slip.files[0].name),
			    BYTES("承認されませんでした。\r\n"
				  "A second person did not approve it.\r\n"));
	arena_release(&a);
}

/* Delivering. */

static void
own_name(const struct keeper_lot *lot, size_t nth, char out[NAME_ROOM])
{
	snprintf(out, NAME_ROOM, OWN "%s-%zu", lot->row.id, nth);
}

static int
write_file(struct drop *d, const struct keeper_lot *lot, size_t nth,
    struct bytes content, struct err *e)
{
	char name[NAME_ROOM];
	char digest[65];
	int fd;
	int result = 0;

	slip_digest(content, digest);
	if (!bytes_equal(bytes_of(digest), lot->slip.files[nth].sha256))
		return err_set(
		    e, "handover: %s is not what was kept", lot->row.id);
	own_name(lot, nth, name);
	fd = create(d->out, name);
	if (fd < 0)
		return err_set(e, "handover: %s: out: %m", d->way->name);
	if (file_write(fd, content) < 0 || fsync(fd) < 0)
		result = err_set(e, "handover: %s: out: %m", d->way->name);
	close(fd);
	return result;
}

static int
write_files(struct keeper *k, struct drop *d, const struct keeper_lot *lot,
    struct err *e)
{
	uint64_t total = slip_offset(&lot->slip, lot->slip.files_n);
	int fd = keeper_open(k, lot, e);
	struct bytes rest;
	void *map = NULL;
	int result = 0;

	if (fd < 0)
		return -1;
	if (total > 0)
		map = mmap(NULL, total, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED || total != lot->row.bytes)
		return err_set(e, "handover: %s cannot be read", lot->row.id);
	rest = (struct bytes){ map, total };
	for (size_t i = 0; i < lot->slip.files_n && result == 0; i++)
		result = write_file(
		    d, lot, i, bytes_take(&rest, lot->slip.files[i].bytes), e);
	if (map != NULL)
		munmap(map, total);
	return result == 0 && fsync(d->out) < 0
	    ? err_set(e, "handover: %s: out: %m", d->way->name)
	    : result;
}

/* "report.docx", "report (2).docx" */
static void
copy_name(struct bytes name, unsigned nth, char out[NAME_ROOM])
{
	size_t dot = name.n;

	while (dot > 0 && name.p[dot - 1] != '.')
		dot--;
	dot = dot > 1 ? dot - 1 : name.n;
	if (nth == 1)
		snprintf(out, NAME_ROOM, "%.*s", BYTES_PRINTF(name));
	else
		snprintf(out, NAME_ROOM, "%.*s (%u)%.*s", (int)dot,
		    (const char *)name.p, nth, (int)(name.n - dot),
		    (const char *)name.p + dot);
}

/* What was renamed before a process died is not there any more. */
static int
rename_file(
    struct drop *d, const struct keeper_lot *lot, size_t nth, struct err *e)
{
	char from[NAME_ROOM];
	char to[NAME_ROOM];

	own_name(lot, nth, from);
	for (unsigned i = 1; i < COPIES_MAX; i++) {
		copy_name(lot->slip.files[nth].name, i, to);
		if (renameat2(d->out, from, d->out, to, RENAME_NOREPLACE) ==
			0 ||
		    errno == ENOENT)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return err_set(e, "handover: %s: out: %m", d->way->name);
}

/* Once: what stands beside its place, and is recorded, is marked so before it
 * is renamed; from then on what is missing has arrived. */
static int
deliver(struct keeper *k, struct drop *d, struct keeper_lot *lot, struct err *e)
{
	if (lot->row.state == SHELF_KEPT) {
		if (write_files(k, d, lot, e) < 0 ||
		    keeper_record(k, EVENT_HANDOVER_PASSED, lot, "out", -1, e) <
			0)
			return -1;
		lot->row.state = SHELF_APPROVED;
		if (keeper_change(k, &lot->row, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < lot->slip.files_n; i++)
		if (rename_file(d, lot, i, e) < 0)
			return -1;
	if (fsync(d->out) < 0)
		return err_set(e, "handover: %s: out: %m", d->way->name);
	lot->row.state = SHELF_RELEASED;
	return keeper_change(k, &lot->row, e);
}

struct due {
	struct keeper *keeper;
	struct arena *arena;
	char (*ids)[SHELF_ID_MAX];
	size_t n, max;
};

static bool
note_due(void *owner, const struct shelf_row *r)
{
	struct due *due = owner;

	if (r->state == SHELF_KEPT || r->state == SHELF_APPROVED)
		memcpy(due->ids[due->n++], r->id, SHELF_ID_MAX);
	return due->n < due->max;
}

static struct drop *
out_of(struct keeper *k, const struct keeper_lot *lot)
{
	for (size_t i = 0; i < k->drops_n; i++)
		if (k->drops[i].way == lot->way && k->drops[i].out >= 0)
			return &k->drops[i];
	return NULL;
}

static bool
may_leave(const struct keeper_lot *lot)
{
	if (lot->row.state == SHELF_APPROVED)
		return true; /* it is half there */
	return lot->way != NULL && keeper_state(lot) == HANDOVER_READY &&
	    handover_way_is_open(lot->way, time(NULL)) &&
	    lot->row.kept > (uint64_t)time(NULL);
}

void
drops_deliver(struct keeper *k)
{
	struct arena a = { 0 };
	struct shelf_counts counts;
	struct due due = { .keeper = k, .arena = &a };
	struct err e = { 0 };

	shelf_counts(k->shelf, &counts);
	due.max = (size_t)counts.originals;
	if (k->drops_n == 0 || due.max == 0)
		return;
	due.ids = arena_alloc(&a, size_mul(due.max, SHELF_ID_MAX));
	if (shelf_each(k->shelf, note_due, &due, &e) < 0)
		log_say(EVENT_FAILURE, "%s", e.text);
	for (size_t i = 0; i < due.n; i++) {
		struct keeper_lot lot = { 0 };
		struct drop *d;

		if (!keeper_find(k, bytes_of(due.ids[i]), &lot, &a) ||
		    !may_leave(&lot))
			continue;
		d = out_of(k, &lot);
		if (d != NULL && deliver(k, d, &lot, &e) < 0)
			log_say(EVENT_FAILURE, "%s", e.text);
	}
	arena_release(&a);
}

/* The timer. */

static void
look_due(void *owner)
{
	struct keeper *k = owner;
	uint64_t now = loop_now_ms(k->child->loop);

	for (size_t i = 0; i < k->drops_n; i++) {
		struct drop *d = &k->drops[i];

		if (d->job != 0 && now - d->asked_ms > JUDGE_MS)
			d->job = 0;
		if (d->in >= 0 && d->job == 0 &&
		    handover_way_is_open(d->way, time(NULL)))
			look_through(k, d);
	}
	timer_start(k->looking, LOOK_MS);
}

/* Who may write in the folder may have put anything there by that name. */
static bool
is_kept(const struct drop *d, const char *taking, const struct slip_file *kept)
{
	int fd = openat(
	    d->in, taking, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char digest[65];
	struct stat st;
	bool same = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (uint64_t)st.st_size == kept->in_bytes &&
	    digest_of(fd, &st, digest) &&
	    bytes_equal(kept->in_sha256, bytes_of(digest));

	if (fd >= 0)
		close(fd);
	return same;
}

/* One that a process was taking out when it died: what is kept goes, another
 * that had its name comes back. */
static void
put_back(struct keeper *k, const struct drop *d, const char *taking)
{
	struct bytes key = bytes_of(taking + sizeof(TAKING) - 1);
	struct keeper_lot lot = { 0 };
	char id[SHELF_ID_MAX];
	const char *name = "file";
	struct arena a = { 0 };
	struct err e;

	if (shelf_find_leg(k->shelf, key, id, &e) == SHELF_FOUND &&
	    keeper_find(k, bytes_of(id), &lot, &a)) {
		name = arena_string(&a, lot.slip.files[0].name);
		if (is_kept(d, taking, &lot.slip.files[0])) {
			unlinkat(d->in, taking, 0);
			goto done;
		}
	}
	if (renameat2(d->in, taking, d->in, name, RENAME_NOREPLACE) < 0)
		log_say(EVENT_FAILURE, "handover: %s: a file waits as %s",
		    d->way->name, taking);
done:
	arena_release(&a);
}

static void
put_all_back(struct keeper *k, const struct drop *d)
{
	int fd = openat(d->in, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (folder == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(folder)) != NULL)
		if (bytes_start_with(bytes_of(entry->d_name), BYTES(TAKING)))
			put_back(k, d, entry->d_name);
	closedir(folder);
}

void
drops_begin(struct keeper *k)
{
	const struct handover_settings *s = k->settings;
	size_t at = 0;

	k->looking = timer_new(k->child->loop, look_due, k);
	k->drops = calloc(s->ways_n + 1, sizeof(*k->drops));
	must(k->drops != NULL);
	for (size_t i = 0; i < s->ways_n; i++) {
		const struct handover_way *w = &s->ways[i];
		struct drop *d = &k->drops[k->drops_n];

		if (w->drop[0] == '\0' && w->out[0] == '\0')
			continue;
		*d = (struct drop){ .way = w, .in = -1, .out = -1 };
		if (w->drop[0] != '\0')
			d->in = k->child->drop_fds[at++];
		if (w->out[0] != '\0')
			d->out = k->child->drop_fds[at++];
		d->looks = calloc(SEEN_MAX, sizeof(*d->looks));
		must(d->looks != NULL);
		if (d->in >= 0)
			put_all_back(k, d);
		k->drops_n++;
	}
	must(at == k->child->drop_fds_n);
	if (k->drops_n == 0)
		return;
	drops_deliver(k);
	timer_start(k->looking, LOOK_MS);
}

void
drops_end(struct keeper *k)
{
	timer_free(k->looking);
	k->looking = NULL;
	for (size_t i = 0; i < k->drops_n; i++)
		free(k->drops[i].looks);
	free(k->drops);
	k->drops = NULL;
	k->drops_n = 0;
}
