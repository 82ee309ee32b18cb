/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trial: what sekisho-probe tries, and whom it tells: its settings' file. Lines
 * are `key = value`, empty, or begin with #; nothing is quoted. Strict: an
 * unknown key, a second value where one is expected, a value that is none.
 */
#pragma once

#include "proxy/base/address.h"
#include "proxy/base/err.h"
#include "proxy/isolation/probe.h"

#define TRIAL_CANARIES_MAX 64 /* as many as the checkpoint registers */
#define TRIAL_NAMES_MAX 16
#define TRIAL_ADDRESSES_MAX 64
#define TRIAL_PATH_MAX 1024
#define TRIAL_HOST_NAME_MAX 254 /* with its NUL (RFC 1035 section 2.3.4) */

struct trial {
	char system[PROBE_NAME_MAX]; /* its name at the checkpoint */
	struct address gate;
	bool has_from;
	struct address from;          /* its own address that the gate sees */
	uint8_t gate_certificate[32]; /* SHA-256 of its DER */
	/* PEM files; names of the file are relative to the settings' folder */
	char certificate[TRIAL_PATH_MAX], certificate_key[TRIAL_PATH_MAX];
	char probe_key[TRIAL_PATH_MAX];
	struct address canaries[TRIAL_CANARIES_MAX];
	size_t canaries_n;
	/* "*.canary.test" is asked for with another label each time, so that
	 * no cache answers. */
	char names[TRIAL_NAMES_MAX][TRIAL_HOST_NAME_MAX];
	size_t names_n;
	struct prefix addresses[TRIAL_ADDRESSES_MAX]; /* of the system */
	size_t addresses_n;
	/* What it means when there is such: PROBE_FOUND or PROBE_TOLD. */
	enum probe_outcome names_are, default_routes_are, other_addresses_are,
	    resolvers_are;
	unsigned deadline_s; /* of all attempts together */
};

/* 0, or -1 and *e with file:line. */
int trial_load(struct trial *p, const char *path, struct err *e) MUST_CHECK;
/* The text of such a file; path names it in *e. */
int trial_parse(struct trial *p, struct bytes text, const char *path,
    struct err *e) MUST_CHECK;
