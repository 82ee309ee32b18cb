/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/detox/drive.h"

#include <check.h>
#include <stdlib.h>

void
drive_detox_init(struct drive_detox *t)
{
	struct err e = { 0 };

	memset(t, 0, sizeof(*t));
	ck_assert_msg(detox_prepare(&e) == 0, "%s", e.text);
	detox_profile_init(&t->profile);
	detox_init(&t->d, &t->profile);
}

void
drive_detox_run(struct drive_detox *t, struct bytes content, const char *name)
{
	uint8_t *copy = malloc(content.n + (content.n == 0));
	const struct detox_object o = { .content = { copy, content.n },
		.name = bytes_of(name),
		.declared = bytes_of(t->declared) };

	drive_detox_release(t);
	detox_init(&t->d, &t->profile);
	t->d.passwords = &t->passwords;
	if (content.n > 0)
		memcpy(copy, content.p, content.n);
	t->result = detox_run(&t->d, &o, &t->out);
	ck_assert((t->result == DETOX_REFUSED) == detox_is_over(&t->d));
	free(copy);
}

void
drive_detox_release(struct drive_detox *t)
{
	buf_release(&t->out.content);
	detox_release(&t->d);
}

uint32_t
drive_detox_removed(
    const struct drive_detox *t, enum detox_removal what, const char *where)
{
	uint32_t n = 0;

	for (size_t i = 0; i < t->d.rows_n; i++)
		if (t->d.rows[i].what == what &&
		    (where == NULL || strcmp(t->d.rows[i].where, where) == 0))
			n += t->d.rows[i].count;
	return n;
}
