/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/control/control.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/log.h"
#include "proxy/base/stream.h"
#include "proxy/process.h"

#define ADMINS_MAX 16
#define REQUEST_MAX 4096
#define RULE_NAME_MAX 64
#define ANSWER_MAX 65536
#define WAIT_MS 30000 /* for a request, for the parent, for the reader */
#define ORDER_WORDS_MAX ((size_t)64 << 20)
#define SAMPLES 10 /* seconds that rates are over */

const struct setting control_table[] = {
	SETTING_TEXT_ROW(control_settings, socket, "/run/sekisho/control.sock",
	    1, 100, "The UNIX socket for sekishoctl.",
	    "sekishoctl のための UNIX ソケット。"),
};
const size_t control_table_n = COUNT(control_table);

/* One administrator's connection: a line comes, an answer goes. */
struct admin {
	bool used;
	uint32_t job; /* that the parent was asked about; 0: none */
	struct stream *stream;
	struct timer *timer;
	struct buf request;
	bool answered;
	uid_t user; /* as the kernel says */
	/* of an order to other processes */
	unsigned answers_due;
	enum order_answer best;
	struct buf words;
};

static struct control {
	struct child *child;
	struct watch *accepting;
	struct timer *sampling;
	struct admin admins[ADMINS_MAX];
	uint32_t jobs;
	uint64_t samples[SAMPLES][COUNTER_COUNT]; /* one a second */
	size_t sampled;
} control;

static void
admin_free(struct admin *a)
{
	stream_free(a->stream);
	timer_free(a->timer);
	buf_release(&a->request);
	buf_release(&a->words);
	*a = (struct admin){ 0 };
}

static void
answer(struct admin *a, const char *first, struct bytes text)
{
	a->answered = true;
	stream_put(a->stream, bytes_of(first));
	stream_put(a->stream, BYTES("\n"));
	stream_write(a->stream, text);
	stream_shutdown(a->stream);
	if (stream_queued(a->stream) == 0)
		admin_free(a);
}

/* Rates. */

static void
sample(void *owner)
{
	(void)owner;
	for (size_t i = 0; i < COUNTER_COUNT; i++)
		control.samples[control.sampled % SAMPLES][i] =
		    counter_sum(control.child->board, (enum counter)i);
	control.sampled++;
	timer_start(control.sampling, 1000);
}

static double
rate(enum counter c)
{
	size_t n = control.sampled < SAMPLES ? control.sampled : SAMPLES;
	uint64_t first;
	uint64_t last;

	if (n < 2)
		return 0;
	first = control.samples[(control.sampled - n) % SAMPLES][c];
	last = control.samples[(control.sampled - 1) % SAMPLES][c];
	return last < first ? 0 : (double)(last - first) / (double)(n - 1);
}

/* The status. */

static uint64_t
row_counter(const struct board_row *r, enum counter c)
{
	return atomic_load(&r->counters[c]);
}

enum format {
	FORMAT_EN = 0,
	FORMAT_JA,
	FORMAT_JSON,
};

/* The heads of the tables, spaced by hand: a Japanese character is two columns
 * wide and three bytes long. */
static const struct {
	const char *processes, *counters, *serving, *draining;
} status_words[] = {
	[FORMAT_EN] = { "process           pid  gen    up (s) connections     "
			"requests"
			" state\n",
	    "\ncounter                               now     per second\n",
	    "serving", "draining" },
	[FORMAT_JA] = { "プロセス          pid 世代  稼働(秒)      接続数      "
			" 要求数"
			" 状態\n",
	    "\n項目                                 現在           毎秒\n",
	    "稼働中", "終了待ち" },
};

static int
write_process(const struct board_row *r, enum format f, struct buf *out)
{
	unsigned long long connections = row_counter(r, COUNTER_CONNECTIONS);
	unsigned long long requests = row_counter(r, COUNTER_EXCHANGES);

	connections += row_counter(r, COUNTER_MAIL_SESSIONS);
	requests += row_counter(r, COUNTER_MAILS);
	return buf_printf(out, "%-12.12s %8d %4u %9lld %11llu %12llu %s\n",
	    r->process, (int)atomic_load(&r->pid), atomic_load(&r->generation),
	    (long long)time(NULL) - (long long)atomic_load(&r->started),
	    connections, requests,
	    atomic_load(&r->draining) != 0 ? status_words[f].draining
					   : status_words[f].serving);
}

/* What the parent says of separated systems; nothing where there are none. */

static int
write_incident(const json_t *i, enum format f, struct buf *out)
{
	const char *where = "";
	json_int_t number = 0, count = 0;

	if (json_unpack((json_t *)(uintptr_t)i, "{s:I, s:s, s:I}", "number",
		&number, "where", &where, "count", &count) < 0)
		return -1;
	return buf_printf(out,
	    f == FORMAT_JA ? "  事案 %lld  %s、%lld 回\n"
			   : "  incident %lld  %s, %lld times\n",
	    (long long)number, where, (long long)count);
}

static int
write_names(const json_t *names, enum format f, struct buf *out)
{
	int result = 0;

	for (size_t i = 0; i < json_array_size(names) && result == 0; i++)
		result = buf_printf(out,
		    f == FORMAT_JA ? "  停止中  %s\n" : "  suspended  %s\n",
		    json_string_value(json_array_get(names, i)));
	return result;
}

static int
write_standings(const json_t *all, enum format f, struct buf *out)
{
	json_int_t systems, separated, suspended, open;
	const json_t *names, *incidents;
	int result;

	if (json_unpack((json_t *)(uintptr_t)all,
		"{s:I, s:I, s:I, s:o, s:I, s:o}", "systems", &systems,
		"separated", &separated, "suspended_n", &suspended, "suspended",
		&names, "incidents_n", &open, "incidents", &incidents) < 0)
		return 0;
	if (buf_printf(out,
		f == FORMAT_JA
		    ? "システム %lld（分離確認済み %lld、停止中 %lld）、"
		      "継続中の事案 %lld\n"
		    : "systems %lld, separated %lld, suspended %lld; open"
		      " incidents %lld\n",
		(long long)systems, (long long)separated, (long long)suspended,
		(long long)open) < 0)
		return -1;
	result = write_names(names, f, out);
	for (size_t i = 0; i < json_array_size(incidents) && result == 0; i++)
		result = write_incident(json_array_get(incidents, i), f, out);
	return result < 0 ? -1 : buf_append_string(out, "\n");
}

/* It may be changed while it is read: then it is left out for once. */
static int
write_separation(const struct board *b, enum format f, struct buf *out)
{
	json_t *all = json_loads(board_separation(b), 0, NULL);
	int result = all == NULL ? 0 : write_standings(all, f, out);

	json_decref(all);
	return result;
}

static int
write_text(const struct board *b, enum format f, struct buf *out)
{
	if (buf_printf(out,
		f == FORMAT_JA
		    ? "世代 %u、再読み込み %llu 回、拒否 %llu 回\n\n"
		    : "generation %u, reloads %llu, refused %llu\n\n",
		atomic_load(&b->generation),
		(unsigned long long)atomic_load(&b->reloads),
		(unsigned long long)atomic_load(&b->reloads_refused)) < 0 ||
	    write_separation(b, f, out) < 0 ||
	    buf_append_string(out, status_words[f].processes) < 0)
		return -1;
	for (size_t i = 0; i < BOARD_SLOTS; i++)
		if (atomic_load(&b->rows[i].pid) != 0 &&
		    write_process(&b->rows[i], f, out) < 0)
			return -1;
	if (buf_append_string(out, status_words[f].counters) < 0)
		return -1;
	for (size_t i = 0; i < COUNTER_COUNT; i++)
		if (buf_printf(out, "%-24s %16llu %14.1f\n",
			counter_name((enum counter)i),
			(unsigned long long)counter_sum(b, (enum counter)i),
			rate((enum counter)i)) < 0)
			return -1;
	return 0;
}

static json_t *
json_row(const struct board_row *r)
{
	json_t *counters = json_object();

	for (size_t i = 0; i < COUNTER_COUNT; i++)
		json_object_set_new(counters, counter_name((enum counter)i),
		    json_integer((json_int_t)row_counter(r, (enum counter)i)));
	return json_pack("{s:s, s:i, s:i, s:I, s:b, s:o}", "name", r->process,
	    "pid", (int)atomic_load(&r->pid), "generation",
	    (int)atomic_load(&r->generation), "started",
	    (json_int_t)atomic_load(&r->started), "draining",
	    (int)atomic_load(&r->draining), "counters", counters);
}

static int
write_json(const struct board *b, struct buf *out)
{
	json_t *processes = json_array();
	json_t *rates = json_object();
	json_t *separation;
	json_t *all;
	char *text;

	for (size_t i = 0; i < BOARD_SLOTS; i++)
		if (atomic_load(&b->rows[i].pid) != 0)
			json_array_append_new(processes, json_row(&b->rows[i]));
	for (size_t i = 0; i < COUNTER_COUNT; i++)
		json_object_set_new(rates, counter_name((enum counter)i),
		    json_real(rate((enum counter)i)));
	all = json_pack("{s:i, s:I, s:I, s:o, s:o}", "generation",
	    (int)atomic_load(&b->generation), "reloads",
	    (json_int_t)atomic_load(&b->reloads), "reloads_refused",
	    (json_int_t)atomic_load(&b->reloads_refused), "processes",
	    processes, "per_second", rates);
	separation = json_loads(board_separation(b), 0, NULL);
	if (separation != NULL)
		json_object_set_new(all, "separation", separation);
	text = json_dumps(all, JSON_INDENT(2));
	json_decref(all);
	if (text == NULL || buf_append_string(out, text) < 0) {
		free(text);
		return -1;
	}
	free(text);
	return buf_append_string(out, "\n");
}

static void
tell_status(struct admin *a, enum format f)
{
	const struct board *b = control.child->board;
	struct buf out;
	int written;

	buf_init(&out, ANSWER_MAX * 8);
	written =
	    f == FORMAT_JSON ? write_json(b, &out) : write_text(b, f, &out);
	if (written < 0)
		answer(a, "error", BYTES("the status is too long\n"));
	else
		answer(a, "ok", buf_bytes(&out));
	buf_release(&out);
}

/* Requests. */

static void
ask_parent(struct admin *a, enum parent_message type, struct bytes words)
{
	if (++control.jobs == 0)
		control.jobs = 1;
	a->job = control.jobs;
	if (channel_send(control.child->parent, type, a->job, words, -1) < 0)
		answer(a, "error", BYTES("the parent does not listen\n"));
}

/* "ADDRESS SECONDS RULE", as sekishoctl read them from settings and words. */
static void
release_for(struct admin *a, struct bytes words)
{
	struct bytes address = bytes_take_until(&words, ' ');
	struct bytes seconds = bytes_take_until(&words, ' ');
	char rule[RULE_NAME_MAX + 1];
	struct address client;
	struct log_line l;
	long n = seconds.n > 0 ? strtol((const char *)seconds.p, NULL, 10) : 0;

	if (address_parse(&client, address) < 0 || n < 1 || n > 86400 ||
	    words.n == 0 || words.n > RULE_NAME_MAX) {
		answer(a, "error", BYTES("no address, time and rule\n"));
		return;
	}
	snprintf(rule, sizeof(rule), "%.*s", BYTES_PRINTF(words));
	passes_give(
	    &control.child->board->passes, &client, rule, time(NULL) + n);
	log_begin(&l, EVENT_RELEASED, NULL);
	log_text(&l, "client", address);
	log_string(&l, "rule", rule);
	log_string(&l, "text", "approved by sekishoctl");
	log_number(&l, "seconds", (uint64_t)n);
	log_end(&l);
	answer(a, "ok", BYTES("done\n"));
}

/* The words of an order, behind those that say whom it is for. */
static void
ask_for_order(struct admin *a, enum process_kind kind, const char *who,
    struct bytes words)
{
	const uint8_t byte = (uint8_t)kind;
	struct buf order;

	buf_init(&order, REQUEST_MAX + sizeof(byte) + 32);
	must(buf_append(&order, (struct bytes){ &byte, 1 }) == 0 &&
	    buf_append_string(&order, who) == 0 &&
	    buf_append(&order, words) == 0);
	ask_parent(a, PARENT_ORDER, buf_bytes(&order));
	buf_release(&order);
}

/* "TOLD VERB …": who carries it out has to know whose order it is. */
static void
ask_as_person(struct admin *a, enum process_kind kind, struct bytes words)
{
	char who[32];

	snprintf(who, sizeof(who), "%u ", (unsigned)a->user);
	ask_for_order(a, kind, who, words);
}

static void
serve(struct admin *a, struct bytes line)
{
	const struct bytes nothing = { 0 };
	struct bytes rest = line;
	struct bytes verb = bytes_take_until(&rest, ' ');

	if (bytes_equal(line, BYTES("status")))
		tell_status(a, FORMAT_EN);
	else if (bytes_equal(line, BYTES("status ja")))
		tell_status(a, FORMAT_JA);
	else if (bytes_equal(line, BYTES("status json")))
		tell_status(a, FORMAT_JSON);
	else if (bytes_equal(line, BYTES("reload")))
		ask_parent(a, PARENT_RELOAD, nothing);
	else if (bytes_equal(line, BYTES("rotate")))
		ask_parent(a, PARENT_ROTATE_ASKED, nothing);
	else if (bytes_equal(verb, BYTES("release")))
		release_for(a, rest);
	else if (bytes_equal(verb, BYTES("queue")))
		ask_for_order(a, PROCESS_MAIL, "", rest);
	else if (bytes_equal(verb, BYTES("handover")))
		ask_as_person(a, PROCESS_HANDOVER, rest);
	else if (bytes_equal(verb, BYTES("quarantine")))
		ask_as_person(a, PROCESS_STORE, rest);
	else if (bytes_equal(verb, BYTES("separation")))
		ask_as_person(a, ORDER_FOR_PARENT, rest);
	else
		answer(a, "error", BYTES("unknown request\n"));
}

static void
admin_readable(void *owner)
{
	struct admin *a = owner;
	uint8_t bytes[REQUEST_MAX];
	struct bytes line;
	size_t n;

	if (stream_read(a->stream, bytes, sizeof(bytes), &n) != STREAM_READ) {
		if (n == 0 && !a->answered && a->job == 0)
			admin_free(a);
		else
			stream_want_read(a->stream, false);
		return;
	}
	if (a->job != 0 || a->answered)
		return;
	if (buf_append(&a->request, (struct bytes){ bytes, n }) < 0) {
		answer(a, "error", BYTES("the request is too long\n"));
		return;
	}
	line = buf_bytes(&a->request);
	if (bytes_index(line, '\n') >= 0)
		serve(a, bytes_take_until(&line, '\n'));
}

static void
admin_drained(void *owner)
{
	struct admin *a = owner;

	if (a->answered)
		admin_free(a);
}

static const struct stream_events admin_events = {
	.on_readable = admin_readable,
	.on_drained = admin_drained,
};

static void
admin_late(void *owner)
{
	admin_free(owner);
}

/* Nobody's number when the kernel does not say. */
static uid_t
user_of(int fd)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0
	    ? (uid_t)-1
	    : peer.uid;
}

static void
accept_ready(void *owner, unsigned events)
{
	int fd = accept4(control.child->control_fd, NULL, NULL,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct admin *a = control.admins;

	(void)owner;
	(void)events;
	if (fd < 0)
		return;
	while (a < control.admins + ADMINS_MAX && a->used)
		a++;
	if (a == control.admins + ADMINS_MAX) {
		close(fd);
		return;
	}
	a->used = true;
	a->user = user_of(fd);
	buf_init(&a->request, REQUEST_MAX);
	a->stream = stream_new(control.child->loop, fd, &admin_events, a);
	a->timer = timer_new(control.child->loop, admin_late, a);
	timer_start(a->timer, WAIT_MS);
	stream_want_read(a->stream, true);
}

static void
parent_answered(const struct ipc_message *m)
{
	char text[ERR_TEXT_MAX + 1];

	for (size_t i = 0; i < ADMINS_MAX; i++) {
		struct admin *a = &control.admins[i];

		if (!a->used || a->job != m->job || a->answered)
			continue;
		snprintf(text, sizeof(text), "%.*s\n", BYTES_PRINTF(m->body));
		if (m->body.n == 0)
			answer(a, "ok", BYTES("done\n"));
		else
			answer(a, "error", bytes_of(text));
		return;
	}
}

/* Orders to other processes: of several each answers for what it has. */

static struct admin *
admin_of(const struct ipc_message *m)
{
	for (size_t i = 0; i < ADMINS_MAX; i++)
		if (control.admins[i].used && control.admins[i].job == m->job &&
		    !control.admins[i].answered)
			return &control.admins[i];
	return NULL;
}

static void
answer_order(struct admin *a)
{
	switch (a->best) {
	case ORDER_DONE:
		answer(a, "ok", buf_bytes(&a->words));
		return;
	case ORDER_REFUSED:
		if (buf_append(&a->words, BYTES("\n")) == 0)
			answer(a, "error", buf_bytes(&a->words));
		return;
	case ORDER_MALFORMED:
		answer(a, "error", BYTES("unknown request\n"));
		return;
	case ORDER_UNKNOWN:
		answer(a, "error", BYTES("there is no such mail\n"));
		return;
	}
}

static void
order_sent(const struct ipc_message *m)
{
	struct admin *a = admin_of(m);

	if (a == NULL || m->body.n != 1)
		return;
	a->answers_due = m->body.p[0];
	a->best = ORDER_UNKNOWN;
	buf_init(&a->words, ORDER_WORDS_MAX);
	if (a->answers_due == 0)
		answer(a, "error", BYTES("no process for that serves\n"));
}

static void
order_answered(const struct ipc_message *m)
{
	struct admin *a = admin_of(m);
	uint8_t piece[16384];
	ssize_t n;

	if (a == NULL || m->body.n != 1 || a->answers_due == 0 ||
	    m->body.p[0] > ORDER_MALFORMED)
		return;
	while (m->fd >= 0 && (n = read(m->fd, piece, sizeof(piece))) > 0)
		if (buf_append(&a->words, (struct bytes){ piece, (size_t)n }) <
		    0)
			break;
	if (m->body.p[0] > a->best)
		a->best = (enum order_answer)m->body.p[0];
	if (--a->answers_due == 0)
		answer_order(a);
}

static void
parent_message(void *owner, const struct ipc_message *m)
{
	(void)owner;
	if (m->type == PARENT_ORDER_SENT)
		order_sent(m);
	else if (m->type == PARENT_ORDER_ANSWER)
		order_answered(m);
	if (m->fd >= 0)
		close(m->fd);
	if (m->type == PARENT_ANSWER)
		parent_answered(m);
}

int
control_start(struct child *c)
{
	struct err e = { 0 };
	const struct sandbox sandbox = {
		.user = c->settings->processes.control_user,
		.root = c->settings->processes.root,
		.needs = SANDBOX_ACCEPT,
		.files_max = 64,
	};

	control.child = c;
	process_begin(c, parent_message, &control);
	/* Jansson would seed its tables from a file, later. */
	json_object_seed(0);
	if (sandbox_enter(&sandbox, &e) < 0)
		return process_failed(c, &e);
	control.accepting =
	    watch_new(c->loop, c->control_fd, accept_ready, &control);
	must(control.accepting != NULL);
	watch_want(control.accepting, WATCH_READ);
	control.sampling = timer_new(c->loop, sample, &control);
	sample(&control);
	process_ready(c);
	loop_run(c->loop);
	log_say(EVENT_STOPPED, "pid %d", (int)getpid());
	return 0;
}
