/* SPDX-License-Identifier: Apache-2.0 */
/* lab: a small prefecture and its policy, from memory. */
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include "proxy/policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* A file that exists in memory alone; the caller closes it. */
static inline int
lab_file(struct bytes text, char path_out[32])
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	must(fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n);
	snprintf(path_out, 32, "/proc/self/fd/%d", fd);
	return fd;
}

static inline struct zones *
lab_zones(void)
{
	static struct arena a;
	struct err e = { 0 };
	struct zones *z;
	config_t c;

	config_init(&c);
	must(config_read_string(&c,
	    "zones = ({ name = \"internet\"; kind = \"internet\"; });\n"
	    "bodies = ({ code = \"990019\"; name_ja = \"town\"; segments = ("
	    "{ prefix = \"192.0.2.0/24\"; zone = \"internet\"; }); });"));
	z = zones_load(config_root_setting(&c), &a, &e);
	must(z != NULL);
	config_destroy(&c);
	return z;
}

static inline struct policy *
lab_policy(struct bytes text, const struct zones *z, struct arena *a)
{
	char path[32];
	const char *name = path;
	struct policy_file file = { .path = name, .layer = LAYER_NATIONAL };
	const struct policy_files files = { &file, 1 };
	struct err e = { 0 };
	int fd = lab_file(text, path);
	struct policy *p = policy_load(&files, "/", z, a, &e);

	must(p != NULL || e.text[0] != '\0');
	close(fd);
	return p;
}
