/* SPDX-License-Identifier: Apache-2.0 */
/* build_ole: small documents in compound files, for tests. */
#pragma once

#include "filters/ole/cfb.h"

struct build_ole {
	struct buf file;
	struct cfb_part parts[CFB_PARTS_MAX];
	size_t n;
};

void build_ole_init(struct build_ole *b);
/* content is borrowed until build_ole_write. */
void build_ole_add(struct build_ole *b, const char *name, struct bytes content);
/* The file; its memory is b's. */
struct bytes build_ole_write(struct build_ole *b, const uint8_t *clsid);
void build_ole_release(struct build_ole *b);

/* A stream of a rebuilt file; the test fails without it. The caller releases
 * it. */
struct buf build_ole_read(struct bytes file, const char *name);
bool build_ole_has(struct bytes file, const char *name);
bool build_ole_contains(struct bytes in, struct bytes what);

void build_le16(struct buf *b, unsigned v);
void build_le32(struct buf *b, uint32_t v);
void build_bytes(struct buf *b, struct bytes v);
void build_zeros(struct buf *b, size_t n);
/* As UTF-16 without an end. */
void build_utf16(struct buf *b, const char *ascii);
