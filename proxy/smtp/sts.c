/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/sts.h"

#include <arpa/nameser.h>
#include <ctype.h>
#include <stdlib.h>

#include "proxy/base/log.h"
#include "proxy/smtp/common.h"
#include "proxy/smtp/link.h"
#include "proxy/smtp/sts_state.h"

/* How long a domain is not asked for its record again. */
#define RECHECK_MS 300000
/* How old a policy becomes before its page is read again, though its id is the
 * same: who waits until it ends leaves a moment in which keeping us from the
 * page is enough (RFC 8461 section 3.3). */
#define RENEW_MS (24 * 60 * 60 * (uint64_t)1000)
#define TXT_MAX 512

/* The record. */

/* The strings of one TXT record, joined. -1: too long, or cut. */
static int
join_strings(uint8_t out[TXT_MAX], size_t *n_out, struct bytes data)
{
	size_t n = 0;

	while (data.n > 0) {
		size_t length = data.p[0];
		struct bytes text;

		bytes_take(&data, 1);
		if (length > data.n || length > TXT_MAX - n)
			return -1;
		text = bytes_take(&data, length);
		memcpy(out + n, text.p, text.n);
		n += text.n;
	}
	*n_out = n;
	return 0;
}

static int
take_id(char out[STS_ID_MAX + 1], struct bytes text)
{
	while (text.n > 0) {
		struct bytes field = bytes_trim(bytes_take_until(&text, ';'));

		if (!bytes_start_with(field, BYTES("id=")))
			continue;
		bytes_take(&field, 3);
		if (field.n == 0 || field.n > STS_ID_MAX)
			return -1;
		for (size_t i = 0; i < field.n; i++)
			if (isalnum(field.p[i]) == 0)
				return -1;
		memcpy(out, field.p, field.n);
		out[field.n] = '\0';
		return 0;
	}
	return -1;
}

int
sts_record_parse(char out[STS_ID_MAX + 1], struct bytes message)
{
	uint8_t text[TXT_MAX];
	unsigned found = 0;
	int result = -1;
	ns_msg m;
	ns_rr rr;

	if (message.n > UINT16_MAX ||
	    ns_initparse(message.p, (int)message.n, &m) < 0)
		return -1;
	for (int i = 0; i < ns_msg_count(m, ns_s_an); i++) {
		struct bytes all = { text, 0 };
		struct bytes data;

		if (ns_parserr(&m, ns_s_an, i, &rr) < 0)
			return -1;
		data = (struct bytes){ ns_rr_rdata(rr), ns_rr_rdlen(rr) };
		if (ns_rr_type(rr) != ns_t_txt ||
		    join_strings(text, &all.n, data) < 0 ||
		    !bytes_start_with(all, BYTES("v=STSv1;")))
			continue;
		found++;
		result = take_id(out, all);
	}
	return found == 1 ? result : -1;
}

/* The policy. */

/* A name of a host in lower case, or "*." and one. */
static int
add_host(struct sts_policy *p, struct bytes value)
{
	struct bytes name = value;
	char *out;

	if (bytes_start_with(name, BYTES("*.")))
		bytes_take(&name, 2);
	if (name.n == 0 || value.n > HOST_MAX)
		return -1;
	for (size_t i = 0; i < name.n; i++)
		if (isalnum(name.p[i]) == 0 && name.p[i] != '-' &&
		    name.p[i] != '.')
			return -1;
	if (p->hosts_n == STS_HOSTS_MAX)
		return 0;
	out = p->hosts[p->hosts_n++];
	for (size_t i = 0; i < value.n; i++)
		out[i] = (char)tolower(value.p[i]);
	out[value.n] = '\0';
	return 0;
}

static int
set_mode(struct sts_policy *p, struct bytes value)
{
	static const char *const names[] = {
		[STS_NONE] = "none",
		[STS_TESTING] = "testing",
		[STS_ENFORCE] = "enforce",
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (bytes_equal(value, bytes_of(names[i]))) {
			p->mode = (enum sts_mode)i;
			return 0;
		}
	return -1;
}

/* Of a key that is there twice the first counts (RFC 8461 section 3.2). */
struct reading {
	struct sts_policy *policy;
	bool version, mode, life;
};

static const char *
take_line(struct reading *r, struct bytes key, struct bytes value)
{
	uint64_t life;

	if (bytes_equal(key, BYTES("version")) && !r->version) {
		r->version = true;
		return bytes_equal(value, BYTES("STSv1")) ? NULL : "not STSv1";
	}
	if (bytes_equal(key, BYTES("mode")) && !r->mode) {
		r->mode = true;
		return set_mode(r->policy, value) == 0 ? NULL
						       : "an unknown mode";
	}
	if (bytes_equal(key, BYTES("max_age")) && !r->life) {
		r->life = true;
		if (bytes_number(value, STS_LIFE_MAX_S, &life) < 0)
			return "max_age is no number of seconds up to a year";
		r->policy->life_s = (uint32_t)life;
		return NULL;
	}
	if (bytes_equal(key, BYTES("mx")))
		return add_host(r->policy, value) == 0 ? NULL : "mx is no host";
	return NULL;
}

int
sts_policy_parse(
    struct sts_policy *out, struct bytes text, const char **why_out)
{
	struct reading r = { .policy = out };

	*out = (struct sts_policy){ 0 };
	*why_out = NULL;
	while (text.n > 0 && *why_out == NULL) {
		struct bytes line = bytes_take_until(&text, '\n');
		struct bytes key;

		if (bytes_end_with(line, BYTES("\r")))
			line.n--;
		if (bytes_index(line, ':') < 0) {
			if (bytes_trim(line).n > 0)
				*why_out = "a line without a colon";
			continue;
		}
		key = bytes_trim(bytes_take_until(&line, ':'));
		*why_out = take_line(&r, key, bytes_trim(line));
	}
	if (*why_out == NULL && !(r.version && r.mode && r.life))
		*why_out = "version, mode or max_age is missing";
	if (*why_out == NULL && out->mode != STS_NONE && out->hosts_n == 0)
		*why_out = "no mx";
	return *why_out == NULL ? 0 : -1;
}

bool
sts_covers(const struct sts_policy *p, struct bytes host)
{
	for (size_t i = 0; i < p->hosts_n; i++) {
		struct bytes pattern = bytes_of(p->hosts[i]);
		ssize_t dot;

		if (bytes_equal(pattern, host))
			return true;
		if (!bytes_start_with(pattern, BYTES("*.")))
			continue;
		/* One label (RFC 8461 section 4.1). */
		dot = bytes_index(host, '.');
		bytes_take(&pattern, 1);
		if (dot > 0 &&
		    bytes_equal(pattern,
			(struct bytes){ host.p + dot, host.n - (size_t)dot }))
			return true;
	}
	return false;
}

struct sts_wait {
	struct asking *asking;
	struct sts_wait *next;
	void (*done)(void *owner, const struct sts_policy *p);
	void *owner;
};

/* What is being found out about one domain, for all who wait for it. */
struct asking {
	struct sts *sts;
	struct asking *next;
	struct resolve_query *query;
	struct sts_fetch *fetch;
	struct sts_wait *waits;
	char domain[HOST_MAX + 1];
	char id[STS_ID_MAX + 1];
};

/* Of what all mail processes remember. */
static bool
recall(const struct sts *s, struct bytes domain, struct sts_known *out)
{
	const struct sts_known *k;

	common_lock(s->common);
	k = sts_memory_find(&s->common->policies, domain);
	if (k != NULL)
		*out = *k;
	common_unlock(s->common);
	return k != NULL;
}

static bool
is_in_force(const struct sts *s, const struct sts_known *k)
{
	return k->expires_ms > loop_now_ms(s->loop);
}

/* In force, and not so old that its page is read again: of a short life not
 * behind its half. */
static bool
is_new(const struct sts *s, const struct sts_known *k)
{
	uint64_t life = (uint64_t)k->policy.life_s * 1000;
	uint64_t most = life / 2 < RENEW_MS ? life / 2 : RENEW_MS;

	return k->expires_ms + most > loop_now_ms(s->loop) + life;
}

static void
forget_asking(struct asking *a)
{
	struct asking **at = &a->sts->askings;

	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	resolver_query_cancel(a->query);
	sts_fetch_cancel(a->fetch);
	free(a);
}

/* What has not changed stays in force. */
static void
learn(const struct asking *a, const struct sts_policy *fresh,
    struct sts_known *out)
{
	struct sts_memory *m = &a->sts->common->policies;
	uint64_t now = loop_now_ms(a->sts->loop);
	const struct sts_known *before;

	*out = (struct sts_known){ 0 };
	memcpy(out->domain, a->domain, sizeof(out->domain));
	common_lock(a->sts->common);
	before = sts_memory_find(m, bytes_of(a->domain));
	if (before != NULL)
		*out = *before;
	if (fresh != NULL) {
		out->policy = *fresh;
		memcpy(out->id, a->id, sizeof(out->id));
		out->expires_ms = now + (uint64_t)fresh->life_s * 1000;
	}
	out->recheck_ms = now + RECHECK_MS;
	sts_memory_keep(m, out, now);
	common_unlock(a->sts->common);
}

/* Tells all who wait. */
static void
finish(struct asking *a, const struct sts_policy *fresh)
{
	struct sts_policy told = { 0 };
	struct sts_wait *w = a->waits;
	struct sts_wait *next;
	struct sts_known k;

	learn(a, fresh, &k);
	if (is_in_force(a->sts, &k))
		told = k.policy;
	a->query = NULL;
	a->fetch = NULL;
	forget_asking(a);
	for (; w != NULL; w = next) {
		next = w->next;
		w->done(w->owner, &told);
		free(w);
	}
}

/* That is a domain's fault, or somebody's who wants mail to go unprotected. */
static void
fetched(void *owner, const struct sts_policy *p, const char *why)
{
	const struct asking *a = owner;

	if (p == NULL)
		log_say(EVENT_MAIL_POLICY_MISSING, "%s: %s", a->domain, why);
	finish(owner, p);
}

static void
record_known(void *owner, enum resolve_status status, struct bytes message)
{
	struct asking *a = owner;
	struct bytes domain = bytes_of(a->domain);
	struct sts_known k;

	a->query = NULL;
	if (status != RESOLVE_ANSWERED ||
	    sts_record_parse(a->id, message) < 0 ||
	    (recall(a->sts, domain, &k) && is_new(a->sts, &k) &&
		strcmp(k.id, a->id) == 0)) {
		finish(a, NULL);
		return;
	}
	a->fetch = sts_fetch_new(a->sts, domain, fetched, a);
}

static struct asking *
ask(struct sts *s, struct bytes domain)
{
	static const char prefix[] = "_mta-sts.";
	uint8_t name[HOST_MAX];
	struct asking *a = calloc(1, sizeof(*a));
	size_t n = sizeof(prefix) - 1;

	must(a != NULL);
	memcpy(name, prefix, n);
	memcpy(name + n, domain.p, domain.n);
	memcpy(a->domain, domain.p, domain.n);
	a->sts = s;
	a->next = s->askings;
	s->askings = a;
	a->query = resolver_query(s->resolver,
	    (struct bytes){ name, n + domain.n }, ns_t_txt, record_known, a);
	return a;
}

struct sts_wait *
sts_get(struct sts *s, struct bytes domain, struct sts_policy *out,
    void (*done)(void *owner, const struct sts_policy *p), void *owner)
{
	struct asking *a = s->askings;
	struct sts_known k;
	struct sts_wait *w;

	*out = (struct sts_policy){ 0 };
	/* The record's and the page's names would be too long. */
	if (domain.n > HOST_MAX - sizeof("_mta-sts."))
		return NULL;
	if (recall(s, domain, &k) && k.recheck_ms > loop_now_ms(s->loop)) {
		if (is_in_force(s, &k))
			*out = k.policy;
		return NULL;
	}
	while (a != NULL && !bytes_equal(bytes_of(a->domain), domain))
		a = a->next;
	if (a == NULL)
		a = ask(s, domain);
	w = calloc(1, sizeof(*w));
	must(w != NULL);
	*w = (struct sts_wait){
		.asking = a, .next = a->waits, .done = done, .owner = owner
	};
	a->waits = w;
	return w;
}

/* The question goes on: its answer is for the next one. */
void
sts_cancel(struct sts_wait *w)
{
	struct sts_wait **at;

	if (w == NULL)
		return;
	at = &w->asking->waits;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	free(w);
}

void
sts_set_port(struct sts *s, uint16_t port, const struct zone *permitted)
{
	s->port = port;
	s->permitted = permitted;
}

struct sts *
sts_new(const struct upstream_settings *u, struct resolver *r,
    struct trust *trust, struct common *common, struct loop *l, struct err *e)
{
	struct sts *s = calloc(1, sizeof(*s));

	must(s != NULL);
	s->upstream = u;
	s->resolver = r;
	s->common = common;
	s->loop = l;
	s->port = STS_PORT;
	s->ctx = link_ctx_new(trust);
	if (s->ctx == NULL) {
		err_set(e, "TLS to policy hosts: out of memory");
		free(s);
		return NULL;
	}
	return s;
}

void
sts_free(struct sts *s)
{
	if (s == NULL)
		return;
	while (s->askings != NULL) {
		must(s->askings->waits == NULL);
		forget_asking(s->askings);
	}
	SSL_CTX_free(s->ctx);
	free(s);
}
