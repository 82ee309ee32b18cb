/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sts: MTA-STS (RFC 8461): a domain says over HTTPS which hosts take its mail,
 * and that their certificates hold. Found by a TXT record, remembered as long
 * as the policy says; what was known stays in force while the web page is away.
 *
 *	sts.c		the record, the policy
 *	sts_memory.c	what is remembered
 *	sts_fetch.c	the page
 */
#pragma once

#include "proxy/upstream/resolve.h"

#define STS_POLICY_MAX ((size_t)65536) /* bytes; RFC 8461 section 3.3 */
#define STS_HOSTS_MAX 16
#define STS_ID_MAX 32
#define STS_LIFE_MAX_S UINT32_C(31557600) /* a year */

enum sts_mode {
	STS_NONE = 0, /* nothing is asked for */
	STS_TESTING,  /* told, and nothing follows */
	STS_ENFORCE,
};

struct sts_policy {
	enum sts_mode mode;
	uint32_t life_s;
	size_t hosts_n; /* of more than fit the first */
	char hosts[STS_HOSTS_MAX][HOST_MAX + 1]; /* "mx.a.test", "*.a.test" */
};

/* The text of the page. 0, or -1 and *why_out, a static string. */
int sts_policy_parse(
    struct sts_policy *out, struct bytes text, const char **why_out) MUST_CHECK;
/* Of a name server's answer to a question for TXT: the id of the one record
 * that begins "v=STSv1;". -1: there is none, or more than one. */
int sts_record_parse(char out[STS_ID_MAX + 1], struct bytes message) MUST_CHECK;
/* host in lower case. */
bool sts_covers(const struct sts_policy *p, struct bytes host);

struct sts;
struct sts_wait;

struct common;

/* trust: of whom certificates of policy hosts are believed; common: where
 * policies are remembered. */
struct sts *sts_new(const struct upstream_settings *u, struct resolver *r,
    struct trust *trust, struct common *common, struct loop *l, struct err *e)
    MUST_CHECK;
/* Nobody may wait. NULL does nothing. */
void sts_free(struct sts *s);
/* A page of another place than port 443; for tests. */
void sts_set_port(struct sts *s, uint16_t port, const struct zone *permitted);
/*
 * What domain's policy is. Known: in *out, and NULL is returned. Else done is
 * called later, never under this call; STS_NONE when none is had.
 */
struct sts_wait *sts_get(struct sts *s, struct bytes domain,
    struct sts_policy *out,
    void (*done)(void *owner, const struct sts_policy *p), void *owner);
/* NULL does nothing. */
void sts_cancel(struct sts_wait *w);

/* sts_fetch.c */
struct sts_fetch;
/* done once, never from here: the policy, or NULL and why. */
struct sts_fetch *sts_fetch_new(struct sts *s, struct bytes domain,
    void (*done)(void *owner, const struct sts_policy *p, const char *why),
    void *owner);
/* NULL does nothing. */
void sts_fetch_cancel(struct sts_fetch *f);
