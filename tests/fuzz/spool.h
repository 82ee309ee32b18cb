/* SPDX-License-Identifier: Apache-2.0 */
/* spool: a file of the spool made from what the fuzzer gives, in memory. */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/base/log.h"
#include "proxy/smtp/spool_record.h"

#define FUZZ_SPOOL_RECORDS 64
#define FUZZ_SPOOL_NAME "0-1-0123456789abcdef.spool"
#define FUZZ_SPOOL_KEY 0x0123456789abcdef
#define FUZZ_SPOOL_ROW 8 /* bytes of input for a record */

struct fuzz_spool {
	char path[64];
	struct spool *spool;
	struct loop *loop;
	size_t found;
};

/* Type, id, size of the content, about and note, then: 0: it holds; else which
 * byte of the head is changed, and how, before (odd) or after its sum. */
static inline size_t
fuzz_spool_record(uint8_t *out, uint64_t at, const uint8_t *row)
{
	struct record r = { .type = (enum record_type)(1 + row[0] % 3),
		.id = { (char)('A' + row[1] % 4) },
		.moved = row[1] / 128,
		.content_n = row[2],
		.about_n = row[3] % 16,
		.note_n = row[4] % 16,
		.durable = row[7] % 2 == 1 ? at : 0 };
	struct record_place place = { FUZZ_SPOOL_KEY, at };
	struct bytes about = { out + RECORD_HEAD, r.about_n };
	struct bytes note = { about.p + about.n, r.note_n };
	struct sum sum;

	memset(out + RECORD_HEAD, row[1], 32 + r.content_n);
	record_content_sum(&sum, place);
	sum_add(&sum, (struct bytes){ note.p + note.n, r.content_n });
	r.content_sum = sum_end(&sum);
	if (row[5] % 4 == 1) /* lies, with a sum that holds */
		r.content_n = (uint64_t)row[6] << row[7] % 14;
	else if (row[5] % 4 == 3)
		r.durable = (uint64_t)row[6] << row[7] % 14;
	record_encode(out, &r, place, about, note);
	if (row[5] % 4 == 2)
		out[row[6] % (RECORD_HEAD + 32)] ^= row[7];
	r.content_n = row[2];
	return (size_t)record_size(&r);
}

static inline void
fuzz_spool_write(struct fuzz_spool *f, struct bytes in)
{
	static uint8_t file[FUZZ_SPOOL_RECORDS * 512];
	size_t at = 0;
	char path[128];
	int fd;

	if (f->path[0] == '\0') {
		struct err e;

		log_open("fuzz", 0, ring_map(ring_create(65536, &e), -1, &e));
		snprintf(f->path, sizeof(f->path), "/dev/shm/fuzz-XXXXXX");
		must(mkdtemp(f->path) != NULL);
	}
	for (size_t i = 0; i < FUZZ_SPOOL_RECORDS && in.n >= FUZZ_SPOOL_ROW;
	     i++)
		at += fuzz_spool_record(
		    file + at, at, bytes_take(&in, FUZZ_SPOOL_ROW).p);
	/* A tail as it came. */
	for (in.n = in.n < 8 ? in.n : 8; in.n > 0;)
		file[at++] = *bytes_take(&in, 1).p;
	snprintf(path, sizeof(path), "%s/" FUZZ_SPOOL_NAME, f->path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0 && write(fd, file, at) == (ssize_t)at);
	close(fd);
	f->loop = loop_new();
}

static inline void
fuzz_spool_found(void *owner, struct spool_mail *m)
{
	struct fuzz_spool *f = owner;

	must(m->committed);
	f->found++;
}

static inline void
fuzz_spool_open(struct fuzz_spool *f)
{
	static const struct spool_limits limits = { .bytes_max = 1 << 20 };
	const struct spool_events events = { .found = fuzz_spool_found };
	struct err e;

	f->found = 0;
	f->spool = spool_open(open(f->path, O_RDONLY | O_DIRECTORY), &limits,
	    f->loop, &events, f, &e);
	must(f->spool != NULL);
}

static inline void
fuzz_spool_see(void *owner, struct spool_mail *m)
{
	struct fuzz_spool *f = owner;
	struct bytes content;
	struct err e;

	must(spool_find(f->spool, bytes_of(m->id)) == m);
	if (spool_map(f->spool, m, &content, &e) == 0) {
		must(content.n == m->size);
		spool_unmap(f->spool, content);
	}
	(void)spool_note(f->spool, m, BYTES("noted"), &e);
}

static inline void
fuzz_spool_end(void *owner, struct spool_mail *m)
{
	struct fuzz_spool *f = owner;

	spool_end(f->spool, m);
}
