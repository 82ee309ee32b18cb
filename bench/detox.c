/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detox: what it costs to rebuild files, through a zygote as the daemon has it.
 *	detox SECONDS FILE...	the files again and again, one after the other
 * Prints files, bytes, seconds by the clock, CPU seconds of zygote and
 *children, how many were refused, and the zygote's private memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/base/file.h"
#include "proxy/detox/client.h"
#include "proxy/detox/zygote.h"

static const struct detox_settings settings = {
	.jobs_max = 4,
	.waiting_max = 64,
	.memory_max = (uint64_t)2 << 30,
	.time_ms = 60000,
};

struct run {
	struct loop *loop;
	struct detox_profile profile;
	struct detox_client *client;
	char **files;
	int files_n;
	int *objects;
	uint64_t done, refused, bytes;
	uint64_t begun_us, until_us;
};

static void ask_next(struct run *r);

static void
on_done(void *owner, struct detox_outcome *o)
{
	struct run *r = owner;

	if (o->verdict == DETOX_IS_REFUSED)
		r->refused++;
	else
		close(o->fd);
	r->done++;
	r->bytes += o->in_size;
	/* Whole rounds, so that each file counts as often. */
	if (clock_us() >= r->until_us && r->done % (uint64_t)r->files_n == 0)
		loop_stop(r->loop);
	else
		ask_next(r);
}

static void
ask_next(struct run *r)
{
	int i = (int)(r->done % (uint64_t)r->files_n);
	const char *slash = strrchr(r->files[i], '/');
	const struct detox_order o = {
		.name = bytes_of(slash != NULL ? slash + 1 : r->files[i])
	};
	struct err e;

	if (detox_client_ask(r->client, r->objects[i], &o, on_done, r, &e) ==
	    NULL) {
		fprintf(stderr, "%s\n", e.text);
		exit(1);
	}
}

static void
on_gone(void *owner)
{
	(void)owner;
	fputs("the zygote ended\n", stderr);
	exit(1);
}

/* kB of the process that are its own. */
static unsigned long
private_memory(pid_t pid)
{
	unsigned long sum = 0;
	unsigned long kb;
	char line[256];
	FILE *f;

	snprintf(line, sizeof(line), "/proc/%d/smaps_rollup", pid);
	f = fopen(line, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "Private_Dirty: %lu", &kb) == 1 ||
		    sscanf(line, "Private_Clean: %lu", &kb) == 1)
			sum += kb;
	if (f != NULL)
		fclose(f);
	return sum;
}

static void
load(struct run *r)
{
	struct buf content;
	struct err e;

	r->objects = calloc((size_t)r->files_n, sizeof(*r->objects));
	must(r->objects != NULL);
	for (int i = 0; i < r->files_n; i++) {
		buf_init(&content, 1 << 30);
		if (file_read(r->files[i], &content, &e) < 0 ||
		    (r->objects[i] = detox_seal(buf_bytes(&content), &e)) < 0) {
			fprintf(stderr, "%s\n", e.text);
			exit(1);
		}
		buf_release(&content);
	}
}

int
main(int argc, char **argv)
{
	static struct run r;
	struct zygote_settings s = {
		.settings = &settings,
		.profiles = &r.profile,
		.profiles_n = 1,
		.sandbox = { .user = "65534:65534",
		    .root = "/proc/self/fdinfo",
		    .processes_max = 4096 },
	};
	struct rusage used;
	struct err e;
	unsigned long memory;
	int ends[2];
	pid_t pid;
	double wall;

	if (argc < 3)
		return 1;
	sandbox_bind(argv);
	detox_profile_init(&r.profile);
	if (ipc_pair(ends, &e) < 0)
		return 1;
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		_exit(zygote_run(&s, ends[1]));
	}
	close(ends[1]);
	r.files = argv + 2;
	r.files_n = argc - 2;
	load(&r);
	r.loop = loop_new();
	r.client = detox_client_new(r.loop, &r.profile, 1, on_gone, &r);
	detox_client_connect(r.client, ends[0]);
	r.begun_us = clock_us();
	r.until_us = r.begun_us + strtoull(argv[1], NULL, 10) * 1000000;
	ask_next(&r);
	loop_run(r.loop);
	wall = (double)(clock_us() - r.begun_us) / 1e6;
	memory = private_memory(pid);
	detox_client_free(r.client);
	waitpid(pid, NULL, 0);
	getrusage(RUSAGE_CHILDREN, &used);
	printf("%llu files %llu bytes %.3f s %.3f cpu %llu refused %lu kB"
	       " zygote %ld kB largest child\n",
	    (unsigned long long)r.done, (unsigned long long)r.bytes, wall,
	    (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
		(double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6,
	    (unsigned long long)r.refused, memory, used.ru_maxrss);
	return 0;
}
