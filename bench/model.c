/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model: what it takes to load a prefecture's isolation, and to find an
 * address's place and system: 47 bodies with 30 segments and 200 systems each,
 * 2,000 communications. The time includes libconfig's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proxy/isolation/model.h"

#define BODIES 47u
#define SEGMENTS 30u
#define SYSTEMS 200u
#define COMMUNICATIONS 2000u
#define NOW ((time_t)1795748400) /* 2026-11-27 */
#define ROUNDS 5
#define LOOKUPS 1000000u

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Body b has 10.b.0.0/19: segments of /24, a third of each kind. */
static void
write_bodies(FILE *f)
{
	static const char *const zones[] = { "m", "l", "i" };

	for (unsigned b = 0; b < BODIES; b++) {
		char code[7];

		snprintf(code, sizeof(code), "99%03u", b);
		code[5] = body_code_check_digit(code);
		code[6] = '\0';
		fprintf(f, "%s{ code = \"%s\"; name_ja = \"a\"; segments = (",
		    b == 0 ? "bodies = (" : ",\n", code);
		for (unsigned s = 0; s < SEGMENTS; s++)
			fprintf(f,
			    "%s{ prefix = \"10.%u.%u.0/24\"; zone = \"%s\"; }",
			    s == 0 ? "" : ",\n", b, s, zones[s % 3]);
		fprintf(f, "); }");
	}
	fprintf(f, ");\n");
}

static void
write_systems(FILE *f)
{
	for (unsigned i = 0; i < BODIES * SYSTEMS; i++) {
		unsigned b = i / SYSTEMS;
		unsigned s = i % SYSTEMS;
		char code[7];

		snprintf(code, sizeof(code), "99%03u", b);
		code[5] = body_code_check_digit(code);
		code[6] = '\0';
		fprintf(f,
		    "%s{ name = \"system-%u\"; body = \"%s\"; addresses ="
		    " [\"10.%u.%u.%u\"]; certificate = \"%064x\"; purposes ="
		    " [\"a\", \"b\"]; owner = \"o\"; endpoints = [\"p\"]; hours"
		    " = [\"workday 08:30-17:15\"]; probe_key = \"none\"; }",
		    i == 0 ? "systems = (" : ",\n", i, code, b,
		    s % (SEGMENTS / 3) * 3, s / (SEGMENTS / 3) + 1, i + 1);
	}
	fprintf(f, ");\n");
}

static void
write_communications(FILE *f)
{
	for (unsigned i = 0; i < COMMUNICATIONS; i++)
		fprintf(f,
		    "%s{ name = \"c%u\"; from = [\"10.%u.%u.0/28\","
		    " \"10.%u.%u.32/28\"]; to = [\"10.%u.1.%u\"]; protocol ="
		    " \"tcp\"; port = %u; purpose = \"p\"; owner = \"o\";"
		    " approval = \"a\"; expires = \"2027-03-31\"; }",
		    i == 0 ? "communications = (" : ",\n", i, i % BODIES,
		    i % 10 * 3, i % BODIES, i % 10 * 3, i % BODIES, i % 200 + 1,
		    i % 1000 + 1);
	fprintf(f, ");\n");
}

static void
write_settings(const char *path)
{
	FILE *f = fopen(path, "w");

	must(f != NULL);
	fprintf(f,
	    "zones = ( { name = \"m\"; kind = \"mynumber\"; }, { name = \"l\";"
	    " kind = \"lgwan\"; }, { name = \"i\"; kind = \"internet\"; } );\n"
	    "isolation = { lgwan = [\"172.16.0.0/12\"]; };\n"
	    "provision = ( { name = \"p\"; addresses = [\"172.16.0.1\"];"
	    " certificate = \"%064x\"; owner = \"o\"; } );\n",
	    0);
	write_bodies(f);
	write_systems(f);
	write_communications(f);
	fclose(f);
}

static void
look_up(const struct isolation_model *m)
{
	struct address a = { .octets = { [10] = 255, [11] = 255, 10 } };
	unsigned seed = 1;
	unsigned found = 0;
	double begun = now();

	for (unsigned i = 0; i < LOOKUPS; i++) {
		a.octets[13] = (uint8_t)(rand_r(&seed) % BODIES);
		a.octets[14] = (uint8_t)(rand_r(&seed) % SEGMENTS);
		a.octets[15] = (uint8_t)rand_r(&seed);
		found += isolation_place(m, &a) == PLACE_MYNUMBER &&
		    isolation_system_at(m, &a) != NULL;
	}
	printf("look-ups: %.0f ns for place and system, %u of %u found\n",
	    (now() - begun) / LOOKUPS, found, LOOKUPS);
}

int
main(void)
{
	char path[] = "/tmp/sekisho-bench-model-XXXXXX";
	int fd = mkstemp(path);

	must(fd >= 0);
	close(fd);
	write_settings(path);
	for (int i = 0; i < ROUNDS; i++) {
		struct arena a = { 0 };
		struct err e = { 0 };
		config_t config;
		double begun = now();
		double read, zoned, loaded;
		struct isolation_model *m = NULL;
		struct zones *z;

		must(setting_read(path, &config, &e) == 0);
		read = now();
		z = zones_load(config_root_setting(&config), &a, &e);
		zoned = now();
		if (z != NULL)
			m = isolation_load(config_root_setting(&config), z,
			    "/tmp", NOW, &a, &e);
		loaded = now();
		if (m == NULL) {
			fprintf(stderr, "%s\n", e.text);
			return 1;
		}
		printf("%zu segments, %zu systems, %zu communications: files"
		       " %.0f ms, zones %.1f ms, isolation %.1f ms\n",
		    zones_segments(z), m->systems_n, m->communications_n,
		    (read - begun) / 1e6, (zoned - read) / 1e6,
		    (loaded - zoned) / 1e6);
		if (i == ROUNDS - 1)
			look_up(m);
		config_destroy(&config);
		arena_release(&a);
	}
	unlink(path);
	return 0;
}
