/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upstream: origin connections. resolve -> judge the addresses -> race ->
 * verify -> keep. This header is the settings (groups `upstream` and
 * `tls_origin`) and what an exchange asks for.
 */
#pragma once

#include <openssl/ssl.h>

#include "proxy/base/setting.h"
#include "proxy/base/stream.h"
#include "proxy/policy/url.h"
#include "proxy/upstream/reach.h"
#include "proxy/zone/zone.h"

struct static_host {
	const char *name; /* canonical */
	struct address *addresses;
	size_t n;
	const char *file;
	unsigned line;
};

struct upstream_settings {
	struct texts nameservers; /* "192.0.2.53:53"; none: the system's */
	uint64_t resolve_timeout_ms;
	uint64_t connect_timeout_ms; /* all addresses together, with TLS */
	uint64_t race_delay_ms;      /* RFC 8305 section 5 */
	uint64_t idle_timeout_ms;    /* of a kept connection */
	uint32_t idle_max;           /* kept connections of one edge */
	uint32_t idle_per_origin_max;
	uint64_t dns_ttl_max_ms, dns_ttl_min_ms, dns_negative_ttl_ms;
	uint32_t dns_cache_max; /* names */
	/* parsed from the lists `hosts` and `refused` */
	struct static_host *hosts; /* by name, each once */
	size_t hosts_n;
	struct reach_limits reach; /* refused: LGWAN prefixes and the like, as
				    * they say; the rest is set by who knows
				    * of zones and endpoints */
};

extern const struct setting upstream_table[], host_table[];
extern const size_t upstream_table_n, host_table_n;
int upstream_load(const config_setting_t *root, struct arena *a,
    struct upstream_settings *out, struct err *e) MUST_CHECK;

/* What a certificate can fail in; a set. */
#define VERIFY_NAMES_MAX 64
enum verify_check {
	VERIFY_CHAIN = 1,
	VERIFY_NAME = 2,
	VERIFY_TIME = 4,
	VERIFY_USAGE = 8,
	VERIFY_STRENGTH = 16,
	VERIFY_REVOKED = 32,
	VERIFY_PROTOCOL = 64, /* no common TLS version or cipher */
};

struct verify_exception {
	const char *destination; /* host name */
	unsigned checks;         /* that may fail */
	const char *owner, *reason;
	time_t expires; /* after this day it has no effect */
	const char *file;
	unsigned line;
};

struct verify_settings {
	const char *system_store; /* PEM file; "" for none */
	struct texts trust_files;
	/* parsed from the list `exceptions` */
	struct verify_exception *exceptions;
	size_t exceptions_n;
};

extern const struct setting verify_table[], exception_table[];
extern const size_t verify_table_n, exception_table_n;
int verify_load(const config_setting_t *root, struct arena *a,
    struct verify_settings *out, struct err *e) MUST_CHECK;

/* "chain,time": the words of the settings for a set of checks. */
const char *verify_names(unsigned checks, char out[VERIFY_NAMES_MAX]);

/* The trust anchors, read once at load, shared by forks. NULL and *e. */
struct trust;
struct trust *trust_new(const struct verify_settings *s, const char *folder,
    struct err *e) MUST_CHECK;
void trust_free(struct trust *t);
/* Its own; whose SSL_CTX takes it as its store takes a reference. */
X509_STORE *trust_store(struct trust *t);

/*
 * The client side of TLS to origins, of one edge: one SSL_CTX, a cache of
 * verified chains by digest, sessions to resume.
 */
struct verifier;
struct verifier *verifier_new(
    const struct verify_settings *s, struct trust *t, struct err *e) MUST_CHECK;
void verifier_free(struct verifier *v);
/* An SSL for host (SNI unless it is an address), set up to be verified in the
 * handshake, with a session to resume when there is one. host must outlive
 * the SSL. NULL: out of memory. */
enum verifier_alpn {
	VERIFIER_H1,
	VERIFIER_H2_OR_H1,
};
SSL *verifier_ssl(
    struct verifier *v, const struct url *destination, enum verifier_alpn alpn);
/* Whether a verified certificate holds for that name, too. */
bool verifier_covers(X509 *certificate, struct bytes host);
/* After a failed handshake: which check, in enum verify_check, 0 when it was
 * not the certificate; and the words ("certificate has expired"). */
unsigned verifier_failure(SSL *ssl, const char **words_out);
/* After a handshake: the checks that failed and were excused. */
unsigned verifier_excused(SSL *ssl);
/* Whether a leaf and chain as seen passively in TLS 1.2 hold for host: the
 * failed check, 0 when all is well. */
unsigned verifier_judge_chain(struct verifier *v, X509 *leaf,
    STACK_OF(X509) * chain, const struct url *destination,
    const char **words_out);

/* One edge's way out. */
struct upstream;
struct upstream_wait;

/* A connection that several use at once: HTTP/2. */
struct sharing {
	/* Whether it takes one user more. */
	bool (*has_room)(void *session);
	/* Whether that may be an upgrade (RFC 8441). */
	bool (*takes_upgrades)(void *session);
	/* It is closed now; frees the session. */
	void (*end)(void *session);
};

/* A connection to an origin, taken from the pool or new. */
struct origin {
	struct stream *stream; /* the user's own while it is taken */
	struct address address;
	bool tls;
	X509 *certificate;       /* verified; NULL without TLS. Owned here */
	const char *tls_version; /* "TLSv1.3", or NULL; static */
	unsigned excused;        /* checks that failed, by an exception */
	bool reused; /* carried a request before: RFC 9110 section 9.2.2 */
	bool h2;     /* by ALPN */
	const struct sharing *sharing; /* NULL: one user at a time */
	void *session;                 /* of a shared one */
};

enum upstream_failure {
	UPSTREAM_FAILED = 0, /* connect refused or reset */
	UPSTREAM_NO_ADDRESS,
	UPSTREAM_ELSEWHERE, /* the name does not lead to where was dialled */
	UPSTREAM_FORBIDDEN,
	UPSTREAM_TIMEOUT,
	UPSTREAM_UNVERIFIED,
	UPSTREAM_OK,
};

struct upstream_result {
	enum upstream_failure failure;
	struct origin *origin; /* when OK; give back or free */
	unsigned check;        /* UNVERIFIED: enum verify_check */
	const char *words;     /* until the callback returns */
	uint64_t resolve_us, connect_us, tls_us; /* durations; 0: not needed */
};

struct upstream *upstream_new(const struct upstream_settings *s,
    struct verifier *v, struct loop *l, struct err *e) MUST_CHECK;
void upstream_free(struct upstream *u);

/*
 * Asks for a connection to destination's host and port, over TLS when tls is
 * set, for a client of that zone. A kept one is given at once:
 * *result_out is filled and NULL returned. Else done is called later, never
 * under this call. Kept connections are shared by clients of the same zone
 * and body; fresh asks for a new one (a retry).
 */
enum upstream_transport {
	UPSTREAM_PLAIN,
	UPSTREAM_TLS,
	UPSTREAM_TLS_H1,      /* h2 is not offered */
	UPSTREAM_TLS_UPGRADE, /* a shared one that takes upgrades; else _H1 */
};
enum upstream_choice {
	UPSTREAM_ANY,
	UPSTREAM_FRESH,
};
struct upstream_wait *upstream_get(struct upstream *u,
    const struct url *destination, const struct segment *segment,
    enum upstream_transport transport, enum upstream_choice choice,
    struct upstream_result *result_out,
    void (*done)(void *owner, const struct upstream_result *r), void *owner);
void upstream_cancel(struct upstream_wait *w);
/* Whether the connection is one that upstream_get could give for these. */
bool origin_fits(const struct origin *o, const struct url *destination,
    const struct segment *segment, enum upstream_transport transport);
/* The name that it was opened for. */
struct bytes origin_host(const struct origin *o);
/* Nobody uses it now; the connection must stand between messages. */
void upstream_keep(struct origin *o);
/* Given to whoever it fits from now on, while it has room. It is upstream's:
 * users say when the last of them leaves it (upstream_keep) and the first
 * comes again (upstream_use). Any of them may end it for all. */
void upstream_share(
    struct origin *o, const struct sharing *sharing, void *session);
void upstream_use(struct origin *o);
/* Closes it. NULL does nothing. */
void origin_free(struct origin *o);
