/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/detox/loaded.h"

#include <check.h>
#include <errno.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "filters/detox.h"

struct mapping {
	unsigned long begin, end;
	char access[5];
	char name[256];
};

/* Of this process; how many of that name, *out is the last. */
static unsigned
find(const char *name, struct mapping *out)
{
	FILE *f = fopen("/proc/self/maps", "r");
	struct mapping m = { 0 };
	unsigned n = 0;
	char line[512];

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %255s", &m.begin,
			&m.end, m.access, m.name) == 4 &&
		    strstr(m.name, name) != NULL) {
			*out = m;
			n++;
		}
	fclose(f);
	return n;
}

/* The program, libc, libxml2 and many more. */
START_TEST(loaded_constants_are_shared_for_ever)
{
	struct mapping m;
	struct err e;

	ck_assert_int_eq(detox_prepare(&e), 0);
	ck_assert_int_eq(loaded_share(&e), 0);
	ck_assert_uint_ge(find("memfd:constants", &m), 10);
	ck_assert_str_eq(m.access, "r--s");
	errno = 0;
	ck_assert_int_eq(
	    mprotect((void *)m.begin, m.end - m.begin, PROT_READ | PROT_WRITE),
	    -1);
	ck_assert_int_eq(errno, EACCES);
	ck_assert_int_eq(detox_prepare(&e), 0);
}
END_TEST

START_TEST(loaded_data_is_each_childs_own)
{
	struct mapping m;
	struct err e;
	int status;
	pid_t pid;

	ck_assert_int_eq(detox_prepare(&e), 0);
	xmlLineNumbersDefaultValue = 7;
	ck_assert_int_eq(loaded_share(&e), 0);
	ck_assert_uint_ge(find("memfd:data", &m), 10);
	ck_assert_str_eq(m.access, "rw-p");
	/* Of libxml2's data. */
	ck_assert_int_eq(xmlLineNumbersDefaultValue, 7);
	pid = fork();
	if (pid == 0) {
		status = xmlLineNumbersDefaultValue == 7 ? 0 : 1;
		xmlLineNumbersDefaultValue = 8;
		_exit(status);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(xmlLineNumbersDefaultValue, 7);
}
END_TEST

Suite *loaded_suite(void);

Suite *
loaded_suite(void)
{
	Suite *s = suite_create("loaded");
	TCase *t = tcase_create("loaded");

	tcase_add_test(t, loaded_constants_are_shared_for_ever);
	tcase_add_test(t, loaded_data_is_each_childs_own);
	suite_add_tcase(s, t);
	return s;
}
