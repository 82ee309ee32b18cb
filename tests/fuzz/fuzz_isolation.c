/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/proof/proof.h"
#include "tests/fuzz/lab.h"

#define NOW 1795748400 /* 2026-11-27, so that what ends can be judged */
#define BOXES_MAX 100  /* the other way takes the square of it */

/* The settings of one input. */
struct site {
	struct arena arena;
	const struct zones *zones;
	struct isolation_model *isolation;
	struct listener_settings *listeners;
	size_t listeners_n;
	struct mail_settings mail;
	struct upstream_settings upstream;
};

/* To a next hop, and to wherever names lead. */
static const struct routes *
load_mail(struct site *s, const struct detox_profiles *p, struct err *e)
{
	const struct routes *routes;
	char path[32];
	int fd = lab_file(
	    BYTES("outbound = ( { name = \"hop\"; domains = [\"a.test\"];"
		  " detox = \"none\"; next_hops = ( { host ="
		  " \"10.1.1.26\"; } ); }, { name = \"all\"; domains ="
		  " [\"*\"]; detox = \"none\"; } );"),
	    path);

	routes = routes_load(path, s->zones, p, &s->arena, e);
	close(fd);
	must(routes != NULL);
	return routes;
}

/* Two ways to look at the same grants agree on every cell. */
static void
prove(struct site *s)
{
	static struct detox_profiles profiles;
	struct err e = { 0 };
	const struct grant_settings settings = {
		.file = "fuzz",
		.zones = s->zones,
		.isolation = s->isolation,
		.listeners = s->listeners,
		.listeners_n = s->listeners_n,
		.mail = &s->mail,
		.routes = s->mail.listeners_n == 0
		    ? NULL
		    : load_mail(s, &profiles, &e),
		.upstream = &s->upstream,
		.profiles = &profiles,
	};
	struct proof proof;
	size_t points;

	if (proof_make(&settings, &proof, &e) < 0)
		must(e.text[0] != '\0');
	else if (proof.grants.n + proof.cells->cells_n <= BOXES_MAX)
		must(proof_verify(&proof, &points, &e) == 0);
	proof_release(&proof);
}

/* As settings.c does. */
static void
limit_reach(struct site *s)
{
	const struct isolation_model *m = s->isolation;
	struct reach_limits *r = &s->upstream.reach;
	struct prefix *to;
	size_t n = 0;

	for (size_t i = 0; i < m->endpoints_n; i++)
		n += m->endpoints[i].at_n;
	r->zones = s->zones;
	r->provision = to = ARENA_ARRAY(&s->arena, struct prefix, n);
	for (size_t i = 0; i < m->endpoints_n; i++)
		for (size_t k = 0; k < m->endpoints[i].at_n; k++) {
			memcpy(to[r->provision_n].octets,
			    m->endpoints[i].at[k].octets, 16);
			to[r->provision_n++].bits = 128;
		}
}

static void
load(struct site *s, const config_setting_t *root, struct err *e)
{
	static FILE *nowhere;
	struct arena *a = &s->arena;

	if (nowhere == NULL)
		nowhere = fopen("/dev/null", "we");
	s->zones = zones_load(root, a, e);
	if (s->zones == NULL)
		return;
	s->isolation = isolation_load(root, s->zones, "/nowhere", NOW, a, e);
	must(s->isolation != NULL || e->text[0] != '\0');
	/* Without listeners boxes are so few that the slow way is gone too. */
	if (s->isolation == NULL ||
	    (config_setting_get_member(root, "listeners") != NULL &&
		listeners_load(root, a, &s->listeners, &s->listeners_n, e) <
		    0) ||
	    mail_settings_load(root, a, &s->mail, e) < 0 ||
	    upstream_load(root, a, &s->upstream, e) < 0)
		return;
	must(isolation_review(s->isolation, NOW, nowhere) <=
	    s->isolation->communications_n);
	limit_reach(s);
	prove(s);
}

/* Whatever the settings say: a model, or why there is none. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes text = { p, n };
	struct site s = { 0 };
	struct err e = { 0 };
	config_t config;

	/* Files of this machine are no input. */
	if (bytes_index(text, '@') >= 0 || memmem(p, n, "\"/", 2) != NULL)
		return 0;
	config_init(&config);
	if (config_read_string(&config, arena_string(&s.arena, text)))
		load(&s, config_root_setting(&config), &e);
	config_destroy(&config);
	arena_release(&s.arena);
	return 0;
}
