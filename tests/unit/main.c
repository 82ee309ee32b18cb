/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit [K/N]: runs every suite, or each N-th from the K-th on, so that N of it
 * at once run all. The Makefile names them in SUITES.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/base/sandbox.h"

#define SUITE(name) Suite *name(void);
SUITES
#undef SUITE

#ifdef __SANITIZE_ADDRESS__
/* Check frees a message for each assertion, which the sanitizer keeps, 256 MB
 * of them, in a process that forks for each test and whose every child's end
 * looks for leaks in all of it. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "quarantine_size_mb=8";
}
#endif

int
main(int argc, char **argv)
{
	SRunner *runner;
	unsigned mine = 1, of = 1, n = 0;
	int failed;

	sandbox_bind(argv);
	if (argc > 1 &&
	    (sscanf(argv[1], "%u/%u", &mine, &of) != 2 || mine == 0 ||
		mine > of)) {
		fprintf(stderr, "usage: unit [K/N], K from 1 to N\n");
		return EXIT_FAILURE;
	}
	runner = srunner_create(suite_create("sekisho"));

	/* A sanitized build on a busy machine is slow, not stuck. */
	setenv("CK_DEFAULT_TIMEOUT", "30", 0);
#define SUITE(name)               \
	if (n++ % of == mine - 1) \
		srunner_add_suite(runner, name());
	SUITES
#undef SUITE
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
