/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/detox/build_ole.h"

#include <check.h>

#include "filters/ole/le.h"

#define FILE_MAX_SIZE (1 << 24)

void
build_ole_init(struct build_ole *b)
{
	*b = (struct build_ole){ 0 };
	buf_init(&b->file, FILE_MAX_SIZE);
}

void
build_ole_add(struct build_ole *b, const char *name, struct bytes content)
{
	b->parts[b->n++] = (struct cfb_part){ name, content };
}

struct bytes
build_ole_write(struct build_ole *b, const uint8_t *clsid)
{
	static const uint8_t none[CFB_CLSID_SIZE];
	struct detox_profile p;
	struct detox_output out;
	struct detox d;

	detox_profile_init(&p);
	detox_init(&d, &p);
	buf_init(&out.content, FILE_MAX_SIZE);
	ck_assert(cfb_write(&d, clsid != NULL ? clsid : none, b->parts, b->n,
		      &out) == DETOX_REBUILT);
	buf_release(&b->file);
	b->file = out.content;
	detox_release(&d);
	return buf_bytes(&b->file);
}

void
build_ole_release(struct build_ole *b)
{
	buf_release(&b->file);
}

static struct buf
read_stream(struct bytes file, const char *name, bool *found)
{
	struct detox_profile p;
	struct detox d;
	struct cfb c;
	struct buf out = { 0 };
	uint32_t i;

	detox_profile_init(&p);
	detox_init(&d, &p);
	ck_assert(cfb_open(&c, &d, file) == DETOX_REBUILT);
	i = cfb_find(&c, 0, name);
	*found = i != CFB_NO_ENTRY;
	if (*found)
		ck_assert(cfb_read(&c, i, &out) == 0);
	cfb_close(&c);
	detox_release(&d);
	return out;
}

struct buf
build_ole_read(struct bytes file, const char *name)
{
	bool found;
	struct buf out = read_stream(file, name, &found);

	ck_assert_msg(found, "no stream %s", name);
	return out;
}

bool
build_ole_has(struct bytes file, const char *name)
{
	bool found;
	struct buf out = read_stream(file, name, &found);

	buf_release(&out);
	return found;
}

bool
build_ole_contains(struct bytes in, struct bytes what)
{
	return memmem(in.p, in.n, what.p, what.n) != NULL;
}

void
build_bytes(struct buf *b, struct bytes v)
{
	if (b->max == 0)
		buf_init(b, FILE_MAX_SIZE);
	ck_assert(buf_append(b, v) == 0);
}

void
build_le16(struct buf *b, unsigned v)
{
	uint8_t p[2];

	put_le16(p, v);
	build_bytes(b, (struct bytes){ p, 2 });
}

void
build_le32(struct buf *b, uint32_t v)
{
	build_le16(b, v & 0xffff);
	build_le16(b, v >> 16);
}

void
build_zeros(struct buf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		build_bytes(b, BYTES("\0"));
}

void
build_utf16(struct buf *b, const char *ascii)
{
	for (; *ascii != '\0'; ascii++)
		build_le16(b, (uint8_t)*ascii);
}
