/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loading: what the parts of isolation_load share. Inside isolation alone.
 *
 *	model.c           the group `isolation`, bodies' models, look-ups
 *	endpoints.c       `provision`
 *	systems.c         `systems`
 *	communications.c  `communications`
 *	leaks.c           `leak_canaries`
 *	certificate.c     certificates and keys that entries name
 */
#pragma once

#include "proxy/base/err.h"
#include "proxy/isolation/model.h"
#include "proxy/isolation/spans.h"

struct isolation_index {
	struct spans provision; /* by endpoint */
	struct spans machine;
	struct spans lgwan;
	struct spans systems;
	const struct system **by_name; /* sorted */
};

struct loading {
	struct isolation_model *model;
	struct isolation_index *index; /* the model's */
	const char *folder;
	time_t now;
	struct arena *arena;
	const char *file_read, *file; /* libconfig's name of a file, and the
				       * copy that lives on */
};

/* Each reads its list of the root. 0, or -1 and *e. */
int endpoints_load(
    struct loading *l, const config_setting_t *root, struct err *e) MUST_CHECK;
int systems_load(struct loading *l, const config_setting_t *root, struct err *e)
    MUST_CHECK;
int communications_load(
    struct loading *l, const config_setting_t *root, struct err *e) MUST_CHECK;
int leaks_load(struct loading *l, const config_setting_t *root, struct err *e)
    MUST_CHECK;

struct model_source loading_source(
    struct loading *l, const config_setting_t *where);
const char *loading_path(const struct loading *l, const char *name);
/* Letters, digits and - _ . alone: it stands in files' names, in messages and
 * in the kernel's rules. */
int check_name(const char *name, const config_setting_t *where, struct err *e)
    MUST_CHECK;
/* Something must be written there. */
int check_words(const char *key, const char *text,
    const config_setting_t *where, struct err *e) MUST_CHECK;
/* A list of texts that an entry must have. */
int check_given(const char *key, const struct texts *texts,
    const config_setting_t *group, struct err *e) MUST_CHECK;
/* What no host has: multicast, broadcast, unspecified. NULL: it may be one. */
const char *why_no_host(const struct prefix *p);
bool prefix_is_v4(const struct prefix *p);
/* Texts as prefixes, each of hosts; at least one where group is not NULL. */
int read_prefixes(struct loading *l, const char *key, const struct texts *texts,
    const config_setting_t *group, struct prefix **out, struct err *e)
    MUST_CHECK;
/* A lone address that its segment's broadcasts go to is no host's. */
int check_host(const struct prefix *p, const struct segment *s, const char *key,
    const config_setting_t *where, struct err *e) MUST_CHECK;
/* The list, NULL when it is not there; -1 and *e: it is none, or has more than
 * max members. */
int read_list(const config_setting_t *root, const char *key, size_t max,
    const config_setting_t **list_out, size_t *n_out, struct err *e) MUST_CHECK;
/*
 * certificate.c. A certificate is named by the SHA-256 of its DER in 64
 * hexadecimal digits, or by a PEM file whose first certificate it is, and which
 * is read once, at the load.
 */
int read_certificate(const struct loading *l, const char *text,
    uint8_t out[MODEL_DIGEST_N], const config_setting_t *where, struct err *e)
    MUST_CHECK;
void digest_hex(
    const uint8_t digest[MODEL_DIGEST_N], char out[2 * MODEL_DIGEST_N + 1]);
/* The PEM text of a file with a public key of Ed25519. */
int read_public_key(const struct loading *l, const char *name,
    const char **pem_out, const config_setting_t *where, struct err *e)
    MUST_CHECK;
