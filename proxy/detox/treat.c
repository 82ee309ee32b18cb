/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/detox/treat.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct treat {
	struct loop *loop;
	struct detox_client *client;
	const struct detox_profiles *profiles;
	struct timer *begin; /* so that done is never called from treat_new */
	int object;
	void *map;
	size_t n;
	struct detox_order order;
	char *name; /* the order's names are in these */
	char *declared;
	uint8_t passwords[DETOX_PASSWORDS_MAX * DETOX_PASSWORD_MAX];
	size_t scanner; /* the next */
	struct av_ask *scan;
	struct detox_ask *ask;
	uint64_t begun_us;
	void (*done)(void *owner, struct detox_outcome *outcome);
	void *owner;
};

static void
treat_free(struct treat *t)
{
	timer_free(t->begin);
	if (t->map != NULL)
		munmap(t->map, t->n);
	free(t->name);
	free(t->declared);
	explicit_bzero(t->passwords, sizeof(t->passwords));
	free(t);
}

static void
on_rebuilt(void *owner, struct detox_outcome *o)
{
	struct treat *t = owner;

	o->us = clock_us() - t->begun_us;
	t->done(t->owner, o);
	treat_free(t);
}

static enum magic_type
type_of(const struct treat *t)
{
	return detox_type_of(&(const struct detox_object){
	    { t->map, t->n }, t->order.name, t->order.declared, DETOX_FILE });
}

static void
refuse(struct treat *t, enum detox_refusal r, const char *who, const char *why)
{
	struct detox_outcome *o = calloc(1, sizeof(*o));

	must(o != NULL);
	o->fd = -1;
	o->report.refusal = r;
	o->report.type = type_of(t);
	snprintf(o->report.why, sizeof(o->report.why), "%s: %s", who, why);
	o->in_size = t->n;
	must(EVP_Digest(t->n > 0 ? t->map : "", t->n, o->in_digest, NULL,
		 EVP_sha256(), NULL) == 1);
	on_rebuilt(t, o);
	free(o);
}

/* By a signed exception, where there is one; a program never is. */
static const struct detox_exception *
excepted(const struct treat *t)
{
	const struct detox_profiles *p = t->profiles;
	const struct bytes content = { t->map, t->n };
	uint8_t digest[DETOX_DIGEST_SIZE];

	if (p->exceptions.n == 0 || t->n == 0 ||
	    magic_is_program(magic_type_of(content, true)))
		return NULL;
	must(EVP_Digest(t->map, t->n, digest, NULL, EVP_sha256(), NULL) == 1);
	return detox_exceptions_find(
	    &p->exceptions, digest, p->all[t->order.profile].name, time(NULL));
}

static void
pass(struct treat *t, const struct detox_exception *x)
{
	struct detox_outcome *o = calloc(1, sizeof(*o));

	must(o != NULL);
	o->verdict = DETOX_IS_UNCHANGED;
	o->exception = x;
	o->report.type = type_of(t);
	o->fd = fcntl(t->object, F_DUPFD_CLOEXEC, 0);
	o->size = o->in_size = t->n;
	memcpy(o->digest, x->digest, DETOX_DIGEST_SIZE);
	memcpy(o->in_digest, x->digest, DETOX_DIGEST_SIZE);
	if (o->fd < 0) {
		o->verdict = DETOX_IS_REFUSED;
		o->report.refusal = REFUSED_BUSY;
	}
	on_rebuilt(t, o);
	free(o);
}

static void go_on(void *owner);

static void
on_scanned(void *owner, const struct av_answer *a)
{
	struct treat *t = owner;
	const char *who = t->profiles->scanners[t->scanner - 1].name;

	t->scan = NULL;
	switch (a->verdict) {
	case AV_FOUND:
		refuse(t, REFUSED_MALWARE, who, a->words);
		return;
	case AV_FAILED:
		refuse(t, REFUSED_SCANNER, who, a->words);
		return;
	case AV_CLEAN:
		go_on(t);
		return;
	}
}

/* The next scanner, or the sandbox. */
static void
go_on(void *owner)
{
	struct treat *t = owner;
	const struct detox_exception *x;
	uint32_t set = t->profiles->scan[t->order.profile];
	struct err e;

	while (t->scanner < t->profiles->scanners_n)
		if ((set >> t->scanner++ & 1) != 0) {
			t->scan = av_ask(t->loop,
			    &t->profiles->scanners[t->scanner - 1],
			    (struct bytes){ t->map, t->n }, t->name, on_scanned,
			    t);
			return;
		}
	x = excepted(t);
	if (x != NULL) {
		pass(t, x);
		return;
	}
	t->ask = detox_client_ask(
	    t->client, t->object, &t->order, on_rebuilt, t, &e);
	if (t->ask == NULL)
		refuse(t, REFUSED_BUSY, "detox", e.text);
}

static char *
copy(struct bytes b)
{
	char *s = calloc(1, b.n + 1);

	must(s != NULL);
	if (b.n > 0)
		memcpy(s, b.p, b.n);
	return s;
}

static void
copy_passwords(struct treat *t)
{
	struct detox_passwords *p = &t->order.passwords;
	size_t at = 0;

	must(p->n <= DETOX_PASSWORDS_MAX);
	for (size_t i = 0; i < p->n; i++) {
		must(p->all[i].n <= DETOX_PASSWORD_MAX);
		memcpy(t->passwords + at, p->all[i].p, p->all[i].n);
		p->all[i].p = t->passwords + at;
		at += p->all[i].n;
	}
}

struct treat *
treat_new(struct loop *l, struct detox_client *c,
    const struct detox_profiles *p, int object, const struct detox_order *o,
    void (*done)(void *owner, struct detox_outcome *outcome), void *owner,
    struct err *e)
{
	struct treat *t;
	struct stat st;
	void *map = NULL;

	if (fstat(object, &st) < 0) {
		err_set(e, "detox: %m");
		return NULL;
	}
	if (st.st_size > 0)
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE,
		    object, 0);
	if (map == MAP_FAILED) {
		err_set(e, "detox: %m");
		return NULL;
	}
	t = calloc(1, sizeof(*t));
	must(t != NULL);
	*t = (struct treat){ .loop = l,
		.client = c,
		.profiles = p,
		.object = object,
		.map = map,
		.n = (size_t)st.st_size,
		.order = *o,
		.name = copy(o->name),
		.declared = copy(o->declared),
		.begun_us = clock_us(),
		.done = done,
		.owner = owner };
	t->order.name = bytes_of(t->name);
	t->order.declared = bytes_of(t->declared);
	copy_passwords(t);
	t->begin = timer_new(l, go_on, t);
	timer_start(t->begin, 0);
	return t;
}

void
treat_cancel(struct treat *t)
{
	if (t->scan != NULL)
		av_cancel(t->scan);
	if (t->ask != NULL)
		detox_ask_cancel(t->ask);
	treat_free(t);
}
