/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keysmith: the process that holds the CA key and signs leaf certificates; it
 * has no network and no files. This header is its settings (group
 * `tls_client`) and what it and the edges say to each other.
 */
#pragma once

#include "proxy/base/setting.h"

struct keysmith_settings {
	const char
	    *ca_certificate; /* PEM; further certificates are its chain */
	const char *ca_key;  /* PEM, may be encrypted */
	const char *ca_key_password_file; /* "" : not encrypted */
	bool rsa_leaf; /* also for clients that know only RSA */
	uint64_t leaf_lifetime_ms;
	uint32_t leaf_cache_max; /* certificates an edge keeps */
	uint64_t ticket_rotation_ms;
};

extern const struct setting keysmith_table[];
extern const size_t keysmith_table_n;

/* Messages on the channel between an edge and the keysmith. */
enum keysmith_message {
	KEYSMITH_KEY = 1, /* edge: body: its leaf public key, DER SPKI;
			   * job 0: EC, 1: RSA. Sent once, before any order */
	KEYSMITH_ORDER,   /* edge: job; body: struct leaf_order as packed */
	KEYSMITH_LEAF,    /* keysmith: job; body: the certificate, DER */
	KEYSMITH_REFUSED, /* keysmith: job; body: the words */
};

/*
 * A leaf to sign. The edge took the names from the origin's verified
 * certificate; the keysmith reads each again strictly (what mimic_name_fits, or
 * an IP address) and trusts nothing.
 */
#define LEAF_NAMES_MAX 128

struct leaf_order {
	uint8_t origin_digest[32]; /* SHA-256 of the origin's certificate */
	bool rsa;                  /* for the RSA key */
	struct bytes names[LEAF_NAMES_MAX]; /* text; [0] is the one asked for */
	size_t names_n;
};

/* 0 or -1: does not fit IPC_BODY_MAX; names beyond what fits are left out by
 * the caller, never the first. */
struct buf;
int leaf_order_pack(const struct leaf_order *o, struct buf *out) MUST_CHECK;
/* Strict; the names point into body. 0, or -1. */
int leaf_order_unpack(struct leaf_order *o, struct bytes body) MUST_CHECK;

/*
 * Whether the key file fits the certificate, for `sekishod -t`. 0, or -1
 * and *e.
 */
int keysmith_check(const struct keysmith_settings *s, const char *folder,
    struct err *e) MUST_CHECK;
