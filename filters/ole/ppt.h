/* SPDX-License-Identifier: Apache-2.0 */
/* ppt: what the files of ppt share; see ole.h. */
#pragma once

#include "filters/ole/old_secret.h"

#define PPT_HEAD 8

struct ppt_record {
	unsigned version; /* 0xf: its content are records */
	unsigned instance;
	unsigned type;
	uint8_t *p; /* behind its head */
	size_t n;
};

struct ppt {
	struct detox *d;
	struct buf user, in, pictures;
	struct buf out;
	uint64_t text_n;
	bool opened; /* it was encrypted, with: */
	struct old_secret secret;
};

/* The record that p begins with; false: none that fits. */
bool ppt_parse(uint8_t *p, size_t n, struct ppt_record *r);
/* ppt_record.c: appends the record to p->out without what is bad in it. */
void ppt_rewrite(struct ppt *p, struct ppt_record *r);

/* ppt_secret.c: with what tells how, at that place. Then objects and pictures
 * are opened, where they are, when the presentation was encrypted. place: in
 * the stream. */
enum detox_result ppt_open(struct ppt *p, uint32_t place) MUST_CHECK;
void ppt_open_object(struct ppt *p, uint32_t number, uint32_t place);
void ppt_open_pictures(struct ppt *p);
