/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel SYSTEMS COMMUNICATIONS: how long it takes to write the kernel's rules
 * for so many, to load them, to read back what the kernel makes of them, and to
 * compare them once a minute. In a network namespace of its own: unshare -n.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proxy/kernel/kernel.h"

#define SEGMENTS 240
#define HOSTS 200 /* of a segment */
#define ROUNDS 5

static struct arena arena;
static struct err err;
static struct communication communication;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
fail(void)
{
	fprintf(stderr, "%s\n", err.text);
	exit(1);
}

static struct isolation_model *
load(void)
{
	struct isolation_model *m = NULL;
	struct zones *z;
	config_t config;
	char *text;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	fputs("zones = ( { name = \"m\"; kind = \"mynumber\"; } ); bodies = ("
	      " { code = \"990019\"; name_ja = \"b\"; segments = (",
	    f);
	for (unsigned i = 0; i < SEGMENTS; i++)
		fprintf(f, "%s { prefix = \"10.10.%u.0/24\"; zone = \"m\"; }",
		    i > 0 ? "," : "", i);
	fputs(" ); } );", f);
	fclose(f);
	config_init(&config);
	must(config_read_string(&config, text) == CONFIG_TRUE);
	z = zones_load(config_root_setting(&config), &arena, &err);
	if (z != NULL)
		m = isolation_load(config_root_setting(&config), z, "/",
		    time(NULL), &arena, &err);
	if (m == NULL)
		fail();
	config_destroy(&config);
	free(text);
	m->settings.gate = "192.0.2.1:8445";
	must(address_parse_port(
		 &m->settings.gate_at, bytes_of(m->settings.gate)) == 0);
	return m;
}

static struct range
between(unsigned a, unsigned b, unsigned first, unsigned last)
{
	struct range r = {
		{ [10] = 0xff,
		    0xff,
		    10,
		    (uint8_t)a,
		    (uint8_t)b,
		    (uint8_t)first },
		{ [10] = 0xff, 0xff, 10, (uint8_t)a, (uint8_t)b, (uint8_t)last }
	};

	return r;
}

/* Hosts of the segments, each to the gate, or to some hosts at some ports. */
static struct cells *
cells_of(const struct isolation_model *m, unsigned systems, unsigned others)
{
	size_t n = systems + others;
	struct grant *g = ARENA_ARRAY(&arena, struct grant, n);
	struct cells *c;

	for (unsigned i = 0; i < n; i++) {
		unsigned host = i % HOSTS + 2;
		unsigned to = i % 13 * 16;

		g[i].protocol = PROTOCOL_TCP;
		g[i].what = "one";
		g[i].from = between(10, i / HOSTS % SEGMENTS, host, host);
		g[i].carrier = i < systems ? CARRIER_LISTEN : CARRIER_FORWARD;
		g[i].to = range_of_address(&m->settings.gate_at);
		g[i].port_first = g[i].port_last = m->settings.gate_at.port;
		if (i < systems)
			continue;
		g[i].entry = &communication;
		g[i].to = between(50, i / HOSTS % SEGMENTS, to, to + 7 + i % 3);
		g[i].port_first = (uint16_t)(1000 + i % 7);
		g[i].port_last = (uint16_t)(1000 + i % 7 + i % 50);
	}
	c = cells_cut(g, n, CELLS_MAX, &arena, &err);
	if (c == NULL)
		fail();
	return c;
}

static void
verify(struct kernel *k)
{
	struct kernel_drift d;

	if (kernel_verify(k, &d, &err) != KERNEL_SAME) {
		fprintf(stderr, "%s\n", d.n > 0 ? d.words[0] : err.text);
		exit(1);
	}
}

int
main(int argc, char **argv)
{
	struct ruleset r = { .gate_uid = 64808, .now = time(NULL) };

	if (argc != 3)
		return 64;
	communication.expires = r.now + 86400;
	r.model = load();
	r.cells = cells_of(r.model, (unsigned)strtoul(argv[1], NULL, 10),
	    (unsigned)strtoul(argv[2], NULL, 10));
	printf("%zu cells; ms to write, load, expect and compare, compare\n",
	    r.cells->cells_n);
	for (unsigned i = 0; i < ROUNDS; i++) {
		double t[5] = { now() };
		struct kernel *k = kernel_new(&r, &err);

		if (k == NULL)
			fail();
		t[1] = now();
		if (kernel_apply(k, &err) < 0)
			fail();
		t[2] = now();
		verify(k);
		t[3] = now();
		verify(k);
		t[4] = now();
		for (unsigned n = 1; n < COUNT(t); n++)
			printf(" %7.1f", t[n] - t[n - 1]);
		printf("\n");
		kernel_free(k);
	}
	arena_release(&arena);
	return 0;
}
