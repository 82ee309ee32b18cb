/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/detox/picture.h"

#include <check.h>
#include <stdio.h>

#include "proxy/base/file.h"

#define PICTURE_MAX ((size_t)1 << 20)

void
picture_load(struct buf *b, const char *name)
{
	struct err e = { 0 };
	char path[128];

	snprintf(path, sizeof(path), "tests/data/detox_%s", name);
	buf_init(b, PICTURE_MAX);
	ck_assert_msg(file_read(path, b, &e) == 0, "%s", e.text);
}

void
picture_insert(struct buf *b, size_t at, struct bytes more)
{
	ck_assert_uint_le(at, b->n);
	ck_assert(buf_reserve(b, more.n) == 0);
	memmove(b->p + at + more.n, b->p + at, b->n - at);
	memcpy(b->p + at, more.p, more.n);
	b->n += more.n;
}

bool
picture_has(struct bytes b, const char *words)
{
	return memmem(b.p, b.n, words, strlen(words)) != NULL;
}

size_t
picture_count(struct bytes b, struct bytes words)
{
	const uint8_t *p;
	size_t n = 0;

	while ((p = memmem(b.p, b.n, words.p, words.n)) != NULL) {
		bytes_take(&b, (size_t)(p - b.p) + words.n);
		n++;
	}
	return n;
}

void
picture_was_rebuilt(const struct drive_detox *t, const char *name)
{
	ck_assert_msg(t->result == DETOX_REBUILT, "%s: %s", name, t->d.why);
}

void
picture_comes_out_as(struct drive_detox *t, struct bytes b, const char *name)
{
	struct drive_detox clean;
	struct buf picture;

	picture_load(&picture, name);
	drive_detox_init(&clean);
	drive_detox_run(&clean, buf_bytes(&picture), "");
	drive_detox_run(t, b, "");
	picture_was_rebuilt(t, name);
	ck_assert_msg(bytes_equal(buf_bytes(&clean.out.content),
			  buf_bytes(&t->out.content)),
	    "%s came out otherwise", name);
	drive_detox_release(&clean);
	buf_release(&picture);
}
