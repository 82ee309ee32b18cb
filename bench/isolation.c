/* SPDX-License-Identifier: Apache-2.0 */
/*
 * isolation CONFIG [ROUNDS]: what a load of the settings costs without the
 * proof, and what the proof costs: the least of the rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "proxy/proof/proof.h"
#include "proxy/settings.h"

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
take(double *least, double begun)
{
	double ms = now_ms() - begun;

	if (*least == 0 || ms < *least)
		*least = ms;
}

static struct settings *
load(const char *file)
{
	static struct err_list all;
	struct err e = { .list = &all };
	struct settings *s = settings_load_unproven(file, &e);

	if (s == NULL) {
		err_print(&e, stderr);
		exit(1);
	}
	return s;
}

int
main(int argc, char **argv)
{
	int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 5;
	double load_ms = 0, grants_ms = 0, proof_ms = 0, policy_ms = 0;
	struct rusage usage;
	struct err e = { 0 };
	struct proof p;

	for (int i = 0; i < rounds; i++) {
		double begun = now_ms();
		struct settings *s = load(argv[1]);
		const struct grant_settings g = settings_granting(s);
		struct arena a = { 0 };
		struct grants grants;

		take(&load_ms, begun);
		begun = now_ms();
		if (grants_make(&g, &a, &grants, &e) < 0) {
			fprintf(stderr, "%s\n", e.text);
			return 1;
		}
		take(&grants_ms, begun);
		arena_release(&a);
		begun = now_ms();
		if (proof_make(&g, &p, &e) < 0) {
			fprintf(stderr, "%s\n", e.text);
			return 1;
		}
		take(&proof_ms, begun);
		begun = now_ms();
		if (proof_ask_policy(s->policy, s->zones, &e) < 0)
			return 1;
		take(&policy_ms, begun);
		if (i == 0)
			printf("%zu systems, %zu communications, %zu segments:"
			       " %zu grants, %zu cells, %zu places; it %s\n",
			    s->isolation->systems_n,
			    s->isolation->communications_n,
			    zones_segments(s->zones), p.grants.n,
			    p.cells->cells_n, p.places.n,
			    p.violations_all == 0 ? "holds" : "does NOT hold");
		proof_release(&p);
		settings_free(s);
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("load %.1f ms; proof %.1f ms (of it grants %.1f), the policy's"
	       " judge %.1f ms; %ld MiB\n",
	    load_ms, proof_ms, grants_ms, policy_ms, usage.ru_maxrss / 1024);
	return 0;
}
