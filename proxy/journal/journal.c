/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/log.h"
#include "proxy/process.h"

#define BATCH_MAX ((size_t)1 << 18)
/* Between two looks while lines come: long enough that a checkpoint with a
 * dozen requests per second does not pay a wake-up for each; a ring that
 * becomes half full does not wait for it. */
#define BUSY_MS 100
#define RETRY_MS 1000 /* after a failed write */
#define LOCK_TRIES 100
#define LOCK_WAIT_NS 20000000
#define TAIL_MAX 65536 /* looked through for a torn line at the start */
#define LINE_MIN 60    /* shorter than the fixed members of any line */

const struct setting journal_table[] = {
	SETTING_TEXT_ROW(journal_settings, file,
	    "/var/log/sekisho/journal.jsonl", 1, 4096,
	    "The file that lines are appended to.", "ログを追記するファイル。"),
	SETTING(journal_settings, queue, SIZE, 4194304, 65536, 1073741824,
	    "Lines that may wait, in bytes, for each process; what comes"
	    " beyond is dropped and counted.",
	    "プロセスごとの待ち行列の大きさ。あふれた行は捨てて数える。"),
	SETTING_SECONDS_ROW(journal_settings, sync_interval, 1, 0, 3600,
	    "How often the file is forced to the disk; 0: never.",
	    "ディスクへ確実に書き出す間隔。0 は行わない。"),
};
const size_t journal_table_n = COUNT(journal_table);

struct source {
	struct ring *ring;
	char process[32];
	bool caught_up; /* with what was written before a restart */
};

static struct journal {
	struct child *child;
	const char *name; /* in the folder */
	int folder;
	int file;
	struct source sources[BOARD_SLOTS];
	struct watch *wake;
	struct timer *timer;
	struct timer *sync;
	bool unsynced;
	int trouble; /* errno of a write that failed and was told */
	bool failing;
	off_t whole; /* what the file should be cut to; -1: nothing */
	struct buf batch;
	size_t lines; /* in the batch */
} journal;

/* A record that a process of ours wrote is one line of JSON; one that was
 * taken over may have written anything. */
static bool
is_line(struct bytes b)
{
	if (b.n < LINE_MIN || !bytes_start_with(b, BYTES("{\"time\":\"")) ||
	    b.p[b.n - 1] != '}')
		return false;
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < 0x20 || b.p[i] == 0x7f)
			return false;
	return true;
}

/* The id of a line, which all lines have at one place. */
static struct bytes
id_of(struct bytes line)
{
	static const size_t before =
	    sizeof("{\"time\":\"2026-01-01T00:00:00.000000Z\",\"id\":\"") - 1;

	if (line.n < before + LOG_ID_MAX)
		return (struct bytes){ 0 };
	return (struct bytes){ line.p + before, LOG_ID_MAX - 1 };
}

static int
open_file(struct err *e)
{
	journal.file = openat(journal.folder, journal.name,
	    O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (journal.file < 0)
		return err_set(e, "%s: cannot be opened: %m", journal.name);
	return 0;
}

/* Two that write one file would cut each other's lines. Whoever has it may be
 * about to end: the journal of a parent that died a moment ago. */
static int
lock_file(struct err *e)
{
	const struct timespec pause = { .tv_nsec = LOCK_WAIT_NS };
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	for (int tries = 0; fcntl(journal.file, F_OFD_SETLK, &whole) < 0;
	     tries++) {
		if (errno != EAGAIN && errno != EACCES)
			return err_set(
			    e, "%s: cannot be locked: %m", journal.name);
		if (tries == LOCK_TRIES)
			return err_set(e,
			    "%s: another sekishod writes this file",
			    journal.name);
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* Asked each time: rotation by copying may have cut the file. */
static off_t
file_size(void)
{
	struct stat st;

	return fstat(journal.file, &st) < 0 ? 0 : st.st_size;
}

/*
 * A power cut may have torn the last line. What stands behind the last line
 * end is cut off, and the loss is told.
 */
static size_t
cut_torn_line(void)
{
	static uint8_t tail[TAIL_MAX];
	off_t size = file_size();
	size_t n = size < TAIL_MAX ? (size_t)size : TAIL_MAX;
	ssize_t got = pread(journal.file, tail, n, size - (off_t)n);
	size_t torn = 0;

	if (got != (ssize_t)n)
		return 0;
	while (torn < n && tail[n - 1 - torn] != '\n')
		torn++;
	if (torn == 0 || ftruncate(journal.file, size - (off_t)torn) < 0)
		return 0;
	return torn;
}

/* Whether the line stands in the file's tail already: written, but not taken
 * out of the ring before the journal before us was killed. */
static bool
is_written(struct bytes line)
{
	static uint8_t tail[BATCH_MAX + TAIL_MAX];
	struct bytes id = id_of(line);
	off_t size = file_size();
	size_t n = (size_t)size < sizeof(tail) ? (size_t)size : sizeof(tail);

	if (n == 0 || id.n == 0 ||
	    pread(journal.file, tail, n, size - (off_t)n) != (ssize_t)n)
		return false;
	return memmem(tail, n, id.p, id.n) != NULL;
}

static void
add_line(struct bytes line)
{
	must(buf_append(&journal.batch, line) == 0 &&
	    buf_append(&journal.batch, BYTES("\n")) == 0);
	journal.lines++;
}

/* A line of the journal's own, straight into the batch. */
static void
add_own(
    enum log_event event, const char *process, const char *key, uint64_t number)
{
	struct log_line l;

	log_begin(&l, event, NULL);
	log_string(&l, "name", process);
	if (key != NULL)
		log_number(&l, key, number);
	l.text[l.n++] = '}';
	add_line((struct bytes){ (uint8_t *)l.text, l.n });
}

/* What the source has, into the batch. False: nothing was there. */
static bool
collect(struct source *s)
{
	uint8_t record[RING_RECORD_MAX];
	struct bytes line = { .p = record };
	uint64_t dropped;

	while (
	    journal.batch.n + RING_RECORD_MAX + 2 * LOG_LINE_MAX < BATCH_MAX) {
		switch (ring_peek(s->ring, record, &line.n)) {
		case RING_EMPTY:
			dropped = ring_dropped(s->ring);
			if (dropped > 0) {
				counter_add(COUNTER_LOG_DROPPED, dropped);
				add_own(EVENT_DROPPED, s->process, "count",
				    dropped);
			}
			s->caught_up = true;
			return journal.lines > 0;
		case RING_BROKEN:
			add_own(EVENT_MALFORMED, s->process, NULL, 0);
			break;
		case RING_TAKEN:
			if (!is_line(line))
				add_own(EVENT_MALFORMED, s->process, NULL, 0);
			else if (s->caught_up || !is_written(line)) {
				s->caught_up = true;
				add_line(line);
			}
			break;
		}
	}
	return true;
}

static void
sync_due(void *owner)
{
	(void)owner;
	if (journal.unsynced)
		fdatasync(journal.file);
	journal.unsynced = false;
}

/* All of the batch, or what was written of it is taken back. 0 or -1. */
static int
write_batch(void)
{
	struct bytes b = buf_bytes(&journal.batch);
	uint64_t interval = journal.child->settings->journal.sync_interval_ms;
	off_t size;

	if (journal.whole >= 0 && ftruncate(journal.file, journal.whole) < 0)
		return -1;
	journal.whole = -1;
	size = file_size();
	/* Room first: a disk that fills up in the middle of a write would
	 * show half a line to whoever reads along. */
	if (fallocate(journal.file, FALLOC_FL_KEEP_SIZE, size, (off_t)b.n) <
		0 &&
	    errno == ENOSPC)
		return -1;
	while (b.n > 0) {
		ssize_t n = write(journal.file, b.p, b.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int why = n < 0 ? errno : ENOSPC;

			if (ftruncate(journal.file, size) < 0)
				journal.whole = size;
			errno = why;
			return -1;
		}
		bytes_take(&b, (size_t)n);
	}
	counter_add(COUNTER_LOG_LINES, journal.lines);
	if (!journal.unsynced && interval > 0)
		timer_start(journal.sync, interval);
	journal.unsynced = interval > 0;
	return 0;
}

static void
taken(void)
{
	for (size_t i = 0; i < BOARD_SLOTS; i++)
		if (journal.sources[i].ring != NULL)
			ring_taken(journal.sources[i].ring);
	journal.batch.n = 0;
	journal.lines = 0;
}

/* Where no line can be written, the service manager's log is what is left. */
static void
tell_trouble(int why)
{
	if (journal.trouble == why)
		return;
	journal.trouble = why;
	fprintf(stderr, "sekishod: journal: %s: %s; lines wait in memory\n",
	    journal.name, strerror(why));
}

static void
tell_recovery(void)
{
	if (journal.trouble == 0)
		return;
	log_say(EVENT_FAILURE, "%s could not be written for a while: %s",
	    journal.name, strerror(journal.trouble));
	journal.trouble = 0;
}

/* Lines first into the file, then out of the rings. False: nothing came. */
static bool
drain(void)
{
	bool some = journal.batch.n > 0;

	for (size_t i = 0; i < BOARD_SLOTS && !journal.failing; i++)
		if (journal.sources[i].ring != NULL)
			some |= collect(&journal.sources[i]);
	if (journal.batch.n == 0)
		return some;
	if (write_batch() < 0) {
		/* The rings fill, and count what they cannot hold. */
		tell_trouble(errno);
		journal.failing = true;
		timer_start(journal.timer, RETRY_MS);
		return false;
	}
	journal.failing = false;
	taken();
	tell_recovery();
	return true;
}

static bool
all_asleep(void)
{
	bool asleep = true;

	for (size_t i = 0; i < BOARD_SLOTS; i++)
		if (journal.sources[i].ring != NULL)
			asleep &= ring_sleep(journal.sources[i].ring);
	return asleep;
}

static void
look(void *owner)
{
	(void)owner;
	journal.failing = false;
	if (drain() || (!journal.failing && !all_asleep()))
		timer_start(journal.timer, BUSY_MS);
}

static void
woken(void *owner, unsigned events)
{
	uint64_t count;

	(void)events;
	if (read(journal.child->wake_fd, &count, sizeof(count)) < 0 ||
	    journal.failing)
		return;
	look(owner);
}

static void
take_ring(const struct ipc_message *m)
{
	struct source *s;
	struct err e = { 0 };

	if (m->job >= BOARD_SLOTS || m->fd < 0)
		return;
	s = &journal.sources[m->job];
	snprintf(s->process, sizeof(s->process), "%.*s", BYTES_PRINTF(m->body));
	if (s->ring == NULL)
		s->ring = ring_map(m->fd, -1, &e);
	if (s->ring == NULL)
		log_say(EVENT_FAILURE, "%s", e.text);
	timer_start(journal.timer, 0);
}

static void
rotate(void)
{
	struct err e = { 0 };
	int old = journal.file;

	drain();
	if (open_file(&e) < 0) {
		journal.file = old;
		log_say(EVENT_FAILURE, "%s", e.text);
		return;
	}
	close(old);
	if (lock_file(&e) < 0)
		log_say(EVENT_FAILURE, "%s", e.text);
	log_say(EVENT_ROTATED, "%s", journal.name);
}

static void
parent_message(void *owner, const struct ipc_message *m)
{
	(void)owner;
	if (m->type == PARENT_RING)
		take_ring(m);
	else if (m->type == PARENT_ROTATE)
		rotate();
	if (m->fd >= 0)
		close(m->fd);
}

int
journal_start(struct child *c)
{
	const char *slash = strrchr(c->settings->journal.file, '/');
	struct err e = { 0 };
	char root[64];
	struct sandbox sandbox = {
		.user = c->settings->processes.journal_user,
		.root = root,
		.needs = SANDBOX_FILES,
		.files_max = 1024,
	};
	size_t torn;

	journal.child = c;
	journal.name = slash == NULL ? c->settings->journal.file : slash + 1;
	journal.folder = c->journal_fd;
	buf_init(&journal.batch, BATCH_MAX + 4 * LOG_LINE_MAX);
	process_begin(c, parent_message, &journal);
	snprintf(root, sizeof(root), "/proc/self/fd/%d", c->journal_fd);
	journal.whole = -1;
	if (sandbox_enter(&sandbox, &e) < 0 || open_file(&e) < 0 ||
	    lock_file(&e) < 0)
		return process_failed(c, &e);
	torn = cut_torn_line();
	journal.wake = watch_new(c->loop, c->wake_fd, woken, &journal);
	must(journal.wake != NULL);
	journal.timer = timer_new(c->loop, look, &journal);
	journal.sync = timer_new(c->loop, sync_due, &journal);
	watch_want(journal.wake, WATCH_READ);
	process_ready(c);
	if (torn > 0)
		log_say(EVENT_FAILURE,
		    "%zu bytes of a torn line were cut off the end of %s", torn,
		    journal.name);
	loop_run(c->loop);
	while (drain())
		;
	fdatasync(journal.file);
	return 0;
}
