/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/detox/client.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/base/log.h"

struct detox_ask {
	struct detox_client *client;
	struct detox_ask *prev, *next;
	uint32_t id;
	const struct detox_profile *profile;
	struct buf order; /* as it was sent: the object's names */
	int object;       /* a copy */
	int report;       /* -1: not there yet */
	uint64_t begun_us;
	void (*done)(void *owner, struct detox_outcome *outcome);
	void *owner;
};

struct detox_fetch {
	struct detox_client *client;
	struct detox_fetch *prev, *next;
	uint32_t id;
	void (*done)(
	    void *owner, enum parcel_state state, struct bytes words, int fd);
	void *owner;
};

struct detox_client {
	struct channel *channel; /* NULL: there is no zygote now */
	struct loop *loop;
	const struct detox_profile *profiles;
	size_t profiles_n;
	struct detox_ask *asked;
	struct detox_fetch *fetches;
	uint32_t next_id;
	void (*gone)(void *owner);
	void *owner;
};

static void
ask_free(struct detox_ask *a)
{
	if (a->prev != NULL)
		a->prev->next = a->next;
	else
		a->client->asked = a->next;
	if (a->next != NULL)
		a->next->prev = a->prev;
	close(a->object);
	if (a->report >= 0)
		close(a->report);
	buf_release(&a->order);
	free(a);
}

/* A memfd's content, which cannot change any more; NULL: not mapped (an empty
 * one is not, and has *n_out 0). */
static const uint8_t *
map(int fd, uint64_t max, size_t *n_out)
{
	struct stat st;
	void *p;

	*n_out = SIZE_MAX;
	if (fstat(fd, &st) < 0 || st.st_size < 0 || (uint64_t)st.st_size > max)
		return NULL;
	*n_out = (size_t)st.st_size;
	if (*n_out == 0)
		return NULL;
	p = mmap(NULL, *n_out, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED) {
		*n_out = SIZE_MAX;
		return NULL;
	}
	return p;
}

static void
unmap(const uint8_t *p, size_t n)
{
	if (p != NULL)
		munmap((void *)(uintptr_t)p, n);
}

static int
refuse(struct detox_outcome *o, enum detox_refusal r, const char *why)
{
	o->report.refusal = r;
	snprintf(o->report.why, sizeof(o->report.why), "%s", why);
	return -1;
}

static int
read_report(struct detox_ask *a, struct detox_outcome *o)
{
	const uint8_t *p;
	size_t n;
	int result;

	if (a->report < 0)
		return refuse(o, REFUSED_FORGED, "no report came");
	p = map(a->report, DETOX_REPORT_MAX, &n);
	if (p == NULL)
		return refuse(
		    o, REFUSED_FORGED, "the report is empty or too large");
	result = detox_report_unpack(&o->report, (struct bytes){ p, n });
	unmap(p, n);
	if (result < 0) {
		memset(&o->report, 0, sizeof(o->report));
		return refuse(o, REFUSED_FORGED, "the report is not one");
	}
	return 0;
}

static void
digest(const uint8_t *p, size_t n, uint8_t out[DETOX_DIGEST_SIZE])
{
	must(EVP_Digest(p != NULL ? p : (const uint8_t *)"", n, out, NULL,
		 EVP_sha256(), NULL) == 1);
}

static enum magic_type
type_before(const struct detox_ask *a, struct bytes in)
{
	struct detox_order o;

	must(detox_order_unpack(&o, buf_bytes(&a->order)) == 0);
	return detox_type_of(
	    &(const struct detox_object){ in, o.name, o.declared, DETOX_FILE });
}

/* Whether bytes of that type may come out of what the object is. */
static int
check_type(const struct detox_ask *a, const struct detox_outcome *o,
    struct bytes in, struct bytes out)
{
	enum magic_type before = type_before(a, in);
	enum magic_type after = magic_type_of(out, true);

	if (in.n == 0)
		return out.n == 0 ? 0 : -1;
	switch (a->profile->treatment[before]) {
	case DETOX_REFUSE:
	case DETOX_HOLD:
		return -1;
	case DETOX_PASS:
		return bytes_equal(in, out) ? 0 : -1;
	case DETOX_REBUILD:
		break;
	}
	if (o->report.format == NULL ||
	    (o->report.format->types & MAGIC_BIT(before)) == 0)
		return -1;
	return (o->report.format->out_types & MAGIC_BIT(after)) != 0 ? 0 : -1;
}

static int
judge_output(
    struct detox_ask *a, struct detox_outcome *o, int fd, struct bytes in)
{
	const uint8_t *p;
	struct bytes out;
	size_t n;
	int result = 0;

	if (!detox_is_sealed(fd))
		return refuse(o, REFUSED_FORGED, "the output is not sealed");
	p = map(fd, a->profile->out_max, &n);
	if (n == SIZE_MAX)
		return refuse(o, REFUSED_FORGED, "the output is too large");
	out = (struct bytes){ p, n };
	if (check_type(a, o, in, out) < 0)
		result = refuse(o, REFUSED_FORGED,
		    "the output is not of the type that it should be");
	else if (bytes_equal(in, out))
		o->verdict = DETOX_IS_UNCHANGED;
	else
		o->verdict = DETOX_IS_SANITISED;
	digest(p, n, o->digest);
	o->size = n;
	unmap(p, n);
	return result;
}

static void
judge_exit(
    struct detox_ask *a, struct detox_outcome *o, int fd, struct bytes in)
{
	if (read_report(a, o) < 0 || o->report.refusal != REFUSED_NOT)
		return;
	if (fd < 0)
		refuse(o, REFUSED_FORGED, "no output came");
	else if (judge_output(a, o, fd, in) == 0)
		o->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static void
judge(struct detox_ask *a, struct detox_outcome *o, enum detox_end end,
    unsigned detail, int fd, struct bytes in)
{
	char why[64];

	switch (end) {
	case DETOX_END_EXITED:
		if (detail == 0) {
			judge_exit(a, o, fd, in);
			return;
		}
		snprintf(why, sizeof(why), "exit status %u", detail);
		refuse(o, REFUSED_CRASHED, why);
		return;
	case DETOX_END_KILLED:
		snprintf(why, sizeof(why), "signal %u", detail);
		refuse(o, REFUSED_CRASHED, why);
		return;
	case DETOX_END_DEADLINE:
		refuse(o, REFUSED_DEADLINE, "not done in its time");
		return;
	case DETOX_END_BUSY:
		refuse(o, REFUSED_BUSY, "too many jobs wait");
		return;
	case DETOX_END_REFUSED:
	case DETOX_ENDS:
		break;
	}
	refuse(o, REFUSED_FORGED, "the zygote did not take it");
}

static void
finish(struct detox_ask *a, enum detox_end end, unsigned detail, int fd)
{
	struct detox_outcome *o = calloc(1, sizeof(*o));
	size_t n;
	const uint8_t *p = map(a->object, UINT64_MAX, &n);
	void (*done)(void *owner, struct detox_outcome *outcome) = a->done;
	void *owner = a->owner;

	must(o != NULL);
	o->fd = -1;
	if (n == SIZE_MAX) {
		refuse(o, REFUSED_MEMORY, "the object cannot be mapped");
	} else {
		o->in_size = n;
		digest(p, n, o->in_digest);
		judge(a, o, end, detail, fd, (struct bytes){ p, n });
	}
	unmap(p, n);
	o->us = clock_us() - a->begun_us;
	ask_free(a);
	done(owner, o);
	explicit_bzero(&o->report.hints, sizeof(o->report.hints));
	free(o);
}

void
detox_fetch_cancel(struct detox_fetch *f)
{
	if (f->prev != NULL)
		f->prev->next = f->next;
	else
		f->client->fetches = f->next;
	if (f->next != NULL)
		f->next->prev = f->prev;
	free(f);
}

static void
finish_fetch(
    struct detox_fetch *f, enum parcel_state state, struct bytes words, int fd)
{
	struct detox_fetch copy = *f;

	detox_fetch_cancel(f);
	copy.done(copy.owner, state, words, fd);
}

/* Takes over m->fd. */
static void
take_parcel(struct detox_client *c, const struct ipc_message *m)
{
	struct bytes words = m->body;
	struct bytes state = bytes_take(&words, words.n > 0);
	struct detox_fetch *f = c->fetches;

	while (f != NULL && f->id != m->job)
		f = f->next;
	if (f == NULL && m->fd >= 0)
		close(m->fd);
	if (f != NULL)
		finish_fetch(f,
		    state.n == 1 && state.p[0] <= PARCEL_READY
			? (enum parcel_state)state.p[0]
			: PARCEL_UNKNOWN,
		    words, m->fd);
}

static struct detox_ask *
ask_of(struct detox_client *c, uint32_t id)
{
	struct detox_ask *a = c->asked;

	while (a != NULL && a->id != id)
		a = a->next;
	return a;
}

static void
on_message(void *owner, const struct ipc_message *m)
{
	struct detox_client *c = owner;
	struct detox_ask *a = ask_of(c, m->job);

	if (m->type == DETOX_PARCEL) {
		take_parcel(c, m);
		return;
	}

	if (a != NULL && m->type == DETOX_REPORT && m->fd >= 0 &&
	    a->report < 0) {
		a->report = m->fd;
		return;
	}
	if (a != NULL && m->type == DETOX_END && m->body.n == 2)
		finish(a,
		    m->body.p[0] < DETOX_ENDS ? (enum detox_end)m->body.p[0]
					      : DETOX_END_REFUSED,
		    m->body.p[1], m->fd);
	if (m->fd >= 0)
		close(m->fd);
}

static void
on_gone(void *owner)
{
	struct detox_client *c = owner;

	channel_free(c->channel);
	c->channel = NULL;
	if (c->gone != NULL)
		c->gone(c->owner);
	while (c->asked != NULL)
		finish(c->asked, DETOX_END_KILLED, 0, -1);
	while (c->fetches != NULL)
		finish_fetch(
		    c->fetches, PARCEL_UNKNOWN, (struct bytes){ 0 }, -1);
}

void
detox_client_keep(struct detox_client *c, struct bytes key,
    enum parcel_state state, struct bytes words, int fd)
{
	const uint8_t byte = (uint8_t)state;
	struct buf body;

	must(key.n == PARCEL_KEY_N && words.n <= PARCEL_WORDS_MAX);
	buf_init(&body, IPC_BODY_MAX);
	must(buf_append(&body, key) == 0 &&
	    buf_append(&body, (struct bytes){ &byte, 1 }) == 0 &&
	    buf_append(&body, words) == 0);
	if (c->channel != NULL &&
	    channel_send(c->channel, DETOX_KEEP, 0, buf_bytes(&body), fd) < 0)
		log_say(EVENT_FAILURE, "detox: a parcel was lost");
	buf_release(&body);
}

struct detox_fetch *
detox_client_fetch(struct detox_client *c, struct bytes key,
    void (*done)(
	void *owner, enum parcel_state state, struct bytes words, int fd),
    void *owner)
{
	struct detox_fetch *f;

	if (c->channel == NULL ||
	    channel_send(c->channel, DETOX_FETCH, ++c->next_id, key, -1) < 0)
		return NULL;
	f = calloc(1, sizeof(*f));
	must(f != NULL);
	*f = (struct detox_fetch){ .client = c,
		.id = c->next_id,
		.done = done,
		.owner = owner,
		.next = c->fetches };
	if (f->next != NULL)
		f->next->prev = f;
	c->fetches = f;
	return f;
}

void
detox_client_connect(struct detox_client *c, int fd)
{
	if (c->channel != NULL)
		on_gone(c);
	c->channel = channel_new(c->loop, fd, on_message, on_gone, c);
}

struct detox_client *
detox_client_new(struct loop *l, const struct detox_profile *profiles,
    size_t profiles_n, void (*gone)(void *owner), void *owner)
{
	struct detox_client *c = calloc(1, sizeof(*c));

	must(c != NULL);
	*c = (struct detox_client){ .loop = l,
		.profiles = profiles,
		.profiles_n = profiles_n,
		.gone = gone,
		.owner = owner };
	return c;
}

void
detox_client_free(struct detox_client *c)
{
	if (c == NULL)
		return;
	while (c->asked != NULL)
		ask_free(c->asked);
	while (c->fetches != NULL)
		detox_fetch_cancel(c->fetches);
	channel_free(c->channel);
	free(c);
}

struct detox_ask *
detox_client_ask(struct detox_client *c, int object,
    const struct detox_order *o,
    void (*done)(void *owner, struct detox_outcome *outcome), void *owner,
    struct err *e)
{
	struct detox_order names = *o;
	struct detox_ask *a;
	struct buf body, kept;
	int sent;

	must(o->profile < c->profiles_n);
	if (c->channel == NULL) {
		err_set(e, "the zygote is being started");
		return NULL;
	}
	buf_init(&body, IPC_BODY_MAX);
	if (detox_order_pack(o, &body) < 0) {
		buf_release(&body);
		err_set(e,
		    "detox: a name of more than %d bytes, or too many "
		    "passwords",
		    DETOX_NAME_MAX);
		return NULL;
	}
	sent = channel_send(
	    c->channel, DETOX_JOB, ++c->next_id, buf_bytes(&body), object);
	explicit_bzero(body.p, body.n);
	buf_release(&body);
	if (sent < 0) {
		err_set(e, "detox: the zygote cannot be reached");
		return NULL;
	}
	names.passwords.n = 0;
	buf_init(&kept, IPC_BODY_MAX);
	must(detox_order_pack(&names, &kept) == 0);
	a = calloc(1, sizeof(*a));
	must(a != NULL);
	*a = (struct detox_ask){ .client = c,
		.id = c->next_id,
		.profile = &c->profiles[o->profile],
		.order = kept,
		.object = fcntl(object, F_DUPFD_CLOEXEC, 0),
		.report = -1,
		.begun_us = clock_us(),
		.done = done,
		.owner = owner,
		.next = c->asked };
	if (a->next != NULL)
		a->next->prev = a;
	c->asked = a;
	return a;
}

void
detox_ask_cancel(struct detox_ask *a)
{
	ask_free(a);
}
