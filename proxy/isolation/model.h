/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model: what is registered of separated networks. Systems, provision
 * endpoints, specific communications (特定通信) and leak canaries stand in the
 * settings' groups `systems`, `provision`, `communications` and
 * `leak_canaries`; zones and segments are
 * zone/'s. Read-only once loaded; everything lives in the settings' arena.
 * DOMAIN: the far end of a specific communication is never on the internet.
 */
#pragma once

#include <time.h>

#include "filters/dlp/dlp.h"
#include "proxy/base/address.h"
#include "proxy/base/setting.h"
#include "proxy/policy/hours.h"
#include "proxy/zone/zone.h"

#define SYSTEMS_MAX 16384
#define ENDPOINTS_MAX 64
#define COMMUNICATIONS_MAX 16384
#define MODEL_DIGEST_N 32 /* SHA-256 */

/* Where an address stands; what nobody named is outside. */
enum place {
	PLACE_OUTSIDE = 0, /* the internet */
	PLACE_MYNUMBER,    /* segments of the zones' kinds */
	PLACE_LGWAN,
	PLACE_INTERNET,
	PLACE_LGWAN_NETWORK, /* isolation.lgwan: LGWAN beyond the bodies */
	PLACE_PROVISION,     /* addresses of provision endpoints */
	PLACE_CHECKPOINT,    /* isolation.machine: addresses of this machine */
	PLACES,
};

/* Where the settings say something. */
struct model_source {
	const char *file;
	unsigned line;
};

/* An intermediate server (中間サーバー) of the provision network. */
struct endpoint {
	unsigned index;
	const char *name;
	struct address *at; /* each with the port */
	size_t at_n;
	uint16_t port;
	const char *server_name;             /* of TLS (SNI); "" sends none */
	uint8_t certificate[MODEL_DIGEST_N]; /* of its DER */
	const char *owner;
	struct model_source source;
};

/* A system that uses individual numbers. */
struct system {
	unsigned index; /* 0 … SYSTEMS_MAX - 1, in the order of the settings */
	const char *name; /* of all systems' */
	const struct body *body;
	struct prefix *addresses; /* inside one mynumber segment of the body */
	size_t addresses_n;
	uint8_t
	    certificate[MODEL_DIGEST_N]; /* of its client certificate's DER */
	struct texts purposes;           /* 事務 */
	const char *owner;
	const struct endpoint *
	    *endpoints; /* which it may reach; at least one */
	size_t endpoints_n;
	struct hours *hours; /* when the gate is open to it; none: always */
	size_t hours_n;
	const char *probe_key; /* text in PEM of its probe's public Ed25519
				* key; "": no probe is registered (the
				* settings must say so: "none") */
	/* SHA-256 over all that is registered: it is another system to the
	 * register when any of it changes. */
	uint8_t digest[MODEL_DIGEST_N];
	struct model_source source;
};

enum protocol {
	PROTOCOL_NONE = 0,
	PROTOCOL_ICMP = 1, /* as numbered by IANA */
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_ICMPV6 = 58,
};

/* Two-way state systems that the schema itself declares permitted beyond the
 * LGWAN; no other name can make a far end outside of it. */
enum communication_kind {
	COMMUNICATION_PLAIN = 0, /* both ends are registered places */
	COMMUNICATION_ELTAX,     /* eLTAX, over LGWAN */
	COMMUNICATION_PITTARI,   /* ぴったりサービス, over LGWAN */
	COMMUNICATION_JUKI,      /* 住民基本台帳ネットワーク */
	COMMUNICATION_JLIS,      /* J-LIS: certificates, 自動交付 */
};

/* Ports of one communication: the range that operating systems give out
 * themselves (RFC 6335 section 6), as remote calls use it. */
#define COMMUNICATION_PORTS_MAX 16384
/* It ends within three years, and is looked at anew then. */
#define COMMUNICATION_DAYS_MAX 1096
#define COMMUNICATION_SOON_DAYS 60

/* 特定通信. Whoever asks stands at from; answers come back on the same
 * connection. */
struct communication {
	unsigned index;
	const char *name;
	enum communication_kind kind;
	struct prefix *from, *to;
	size_t from_n, to_n;
	enum protocol protocol;
	uint16_t port_first, port_last; /* 0 and 65535 for ICMP */
	bool has_mac;
	uint8_t mac[6]; /* of the source, where it stands on our segment */
	const char *purpose, *owner, *approval;
	time_t expires; /* its first second in which it is over */
	struct model_source source;
};

#define LEAK_ITEMS_MAX 64 /* of one kind, of one canary */

/* What is laid among separated systems' data and stands nowhere else: where it
 * is seen, data has left. What it is known by is in the model's leak_items. */
struct leak_canary {
	const char *name;
	const struct system *system; /* in which it was laid, or NULL */
	const char *owner;
	struct model_source source;
};

/* Where office terminals stand: DOMAIN, "models". */
enum body_model {
	BODY_MODEL_ALPHA = 0,
	BODY_MODEL_ALPHA_PRIME,
	BODY_MODEL_BETA,
	BODY_MODEL_BETA_PRIME,
	BODY_MODELS,
};

/* Who reaches this machine beside its listeners. */
struct admin_access {
	struct prefix from;
	uint8_t protocol;               /* IANA's */
	uint16_t port_first, port_last; /* 0 and 65535 where it has none */
};

/* Group `isolation`. */
struct isolation_settings {
	const char *gate; /* "192.0.2.1:8445"; "": there is no gate */
	const char *gate_certificate, *gate_key; /* PEM files of the gate */
	struct texts auditor_keys; /* PEM files of Ed25519 public keys */
	struct texts contractor_certificates; /* digests or issuers' digests
					       * that are refused: 64 digits
					       * in lower case */
	const char *contractor_oid;  /* an extension that marks them; "" */
	const char *statements;      /* folder of separation statements */
	const char *suspensions;     /* file of the register: ledger.h */
	const char *crossings;       /* file of the chained crossing log */
	struct texts lgwan, machine; /* prefixes; addresses of this machine */
	struct texts canaries;       /* "ADDRESS:PORT" that probes may try */
	uint64_t probe_age_max_ms;   /* an older good probe counts no more */
	uint64_t idle_max_ms;        /* of a crossing */
	uint32_t crossings_max;      /* open at once, of one system */
	size_t crossing_bytes_max;   /* of one crossing, each way; 0: none */
	bool kernel; /* the parent loads the rule set and verifies it */
	uint64_t verify_every_ms;
	struct texts admin; /* who else may reach this machine then: admin.h */
	/* parsed */
	const char **auditor_pems;     /* what is in each of auditor_keys */
	const char **contractor_files; /* of each of contractor_certificates,
					* which are digests now; "": none */
	struct address gate_at;
	struct prefix *lgwan_prefixes, *machine_prefixes;
	size_t lgwan_prefixes_n, machine_prefixes_n;
	struct address *canaries_at;
	size_t canaries_n;
	struct admin_access *admins;
	size_t admins_n;
};

struct isolation_model {
	struct isolation_settings settings;
	const struct zones *zones;
	struct endpoint *endpoints;
	size_t endpoints_n;
	struct system *systems;
	size_t systems_n;
	struct communication *communications;
	size_t communications_n;
	struct leak_canary *leak_canaries;
	size_t leak_canaries_n;
	struct dlp_canary *leak_items; /* of all of them, by their names */
	size_t leak_items_n;
	size_t leak_words_n;          /* that their markers are looked for as */
	enum body_model *body_models; /* by body->index */
	const struct isolation_index *index; /* of the look-ups below */
};

extern const struct setting isolation_table[], system_table[], endpoint_table[],
    communication_table[], leak_canary_table[];
extern const size_t isolation_table_n, system_table_n, endpoint_table_n,
    communication_table_n, leak_canary_table_n;

/*
 * From the root of the settings, behind zones_load. folder: where relative
 * names start; now: what expires is judged by it. *e with file:line for:
 * segments that overlap or an address in two zones (a section inside its own
 * body's segment of the same zone is none), an exception that is expired,
 * without owner or approval, a far end on the internet, a provision endpoint
 * in a body's segment or on this machine, a system outside its body's mynumber
 * segments, one certificate or address for two systems.
 */
struct isolation_model *isolation_load(const config_setting_t *root,
    const struct zones *zones, const char *folder, time_t now, struct arena *a,
    struct err *e) MUST_CHECK;
/* Prints a line for each communication that ends within
 * COMMUNICATION_SOON_DAYS. Their count. */
size_t isolation_review(const struct isolation_model *m, time_t now, FILE *out);
/* Where it stands: provision endpoints first, then this machine, segments,
 * LGWAN. */
enum place isolation_place(
    const struct isolation_model *m, const struct address *a);
/* All places that its addresses have, a set of 1 << place; with a body only
 * those of its segments. */
unsigned isolation_places(const struct isolation_model *m,
    const struct prefix *p, const struct body *body);
/* Where the address stands, with the segment (or NULL) and the last address up
 * to which both are so. */
enum place place_stretch(const struct isolation_model *m,
    const uint8_t first[16], const struct segment **segment_out,
    uint8_t last_out[16]);
const char *place_name(enum place p);           /* "mynumber" */
const char *body_model_name(enum body_model m); /* "alpha-prime" */
const char *communication_kind_name(enum communication_kind k); /* "juki" */
const char *protocol_name(enum protocol p);                     /* "tcp" */
/* Whose address that is; NULL: no system's. */
const struct system *isolation_system_at(
    const struct isolation_model *m, const struct address *a);
const struct system *isolation_system(
    const struct isolation_model *m, struct bytes name);
const struct leak_canary *isolation_leak_canary(
    const struct isolation_model *m, struct bytes name);
