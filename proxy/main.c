/* SPDX-License-Identifier: Apache-2.0 */
/* sekishod: the daemon's command line. */
#include <getopt.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/sandbox.h"
#include "proxy/parent/parent.h"
#include "proxy/settings.h"

#define DEFAULT_FILE "/etc/sekisho/sekisho.conf"

static int
check(const char *file)
{
	static struct err_list all;
	struct err e = { .list = &all };
	struct settings *s = settings_load(file, &e);

	if (s == NULL || keysmith_check(&s->keysmith, s->folder, &e) < 0) {
		err_print(&e, stderr);
		settings_free(s);
		return 1;
	}
	policy_review(s->policy, stdout);
	isolation_review(s->isolation, time(NULL), stdout);
	printf("%s: ok: %zu listeners, %zu bodies\n", file, s->listeners_n,
	    zones_bodies(s->zones));
	settings_free(s);
	return 0;
}

static int
usage(FILE *out, int status)
{
	fputs("usage: sekishod [-c FILE] [-t]\n"
	      "  -c FILE  settings, " DEFAULT_FILE " by default\n"
	      "  -t       check the settings and exit\n"
	      "  -f       stay in the foreground (always so)\n"
	      "  -V       print the version\n",
	    out);
	return status;
}

int
main(int argc, char **argv)
{
	const char *file = DEFAULT_FILE;
	enum {
		RUN,
		CHECK
	} task = RUN;
	int option;

	/* All times are UTC. Without TZ, strftime would look for
	 * /etc/localtime in processes that may open no file. */
	setenv("TZ", "UTC0", 1);
	tzset();
	while ((option = getopt(argc, argv, "c:tfVh")) != -1)
		switch (option) {
		case 'c':
			file = optarg;
			break;
		case 't':
			task = CHECK;
			break;
		case 'f':
			break;
		case 'V':
			puts("sekishod " SEKISHO_VERSION);
			return 0;
		case 'h':
			return usage(stdout, 0);
		default:
			return usage(stderr, 2);
		}
	if (optind != argc)
		return usage(stderr, 2);
	if (task == CHECK)
		return check(file);
	if (geteuid() != 0) {
		fputs("sekishod: must be started as root; its processes drop"
		      " to users of their own\n",
		    stderr);
		return 1;
	}
	sandbox_bind(argv);
	return parent_run(file);
}
