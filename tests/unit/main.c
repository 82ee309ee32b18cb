/* SPDX-License-Identifier: Apache-2.0 */
/* Runs every suite; the Makefile names them in SUITES. */
#include <check.h>
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
	int failed;

	(void)argc;
	sandbox_bind(argv);
	runner = srunner_create(suite_create("sekisho"));

	/* A sanitized build on a busy machine is slow, not stuck. */
	setenv("CK_DEFAULT_TIMEOUT", "30", 0);
#define SUITE(name) srunner_add_suite(runner, name());
	SUITES
#undef SUITE
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
