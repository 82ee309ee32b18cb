/* SPDX-License-Identifier: Apache-2.0 */
/* ppt_secret: a presentation with a password ([MS-PPT] 2.3.7): each object is a
 * block by itself, with its number; of pictures each field is one of number 0,
 * as others found out. */
#include "filters/ole/le.h"
#include "filters/ole/ppt.h"

#define CRYPT_SESSION 0x2f14
#define BLIP_FIRST 0xf01a
#define BLIP_LAST 0xf029
#define METAFILE_LAST 0xf01c
#define DIGEST 16
#define METAFILE_HEAD 34

/* PowerPoint opens what has this password without asking for it. */
static const char nobodys[] = "/01Hannes Ruescher/01";

enum detox_result
ppt_open(struct ppt *p, uint32_t place)
{
	struct ppt_record r;

	if (place > p->in.n ||
	    !ppt_parse(p->in.p + place, p->in.n - place, &r) ||
	    r.type != CRYPT_SESSION)
		return detox_refuse(
		    p->d, REFUSED_BROKEN, "how it is encrypted is not said");
	if (old_secret_open(p->d, (struct bytes){ r.p, r.n }, "a presentation",
		nobodys, &p->secret) == DETOX_REFUSED)
		return DETOX_REFUSED;
	p->opened = true;
	return DETOX_REBUILT;
}

void
ppt_open_object(struct ppt *p, uint32_t number, uint32_t place)
{
	uint8_t head[PPT_HEAD];
	uint8_t *at = p->in.p + place;
	size_t n = p->in.n - place;

	if (!p->opened || n < PPT_HEAD)
		return;
	/* How long it is stands in it. */
	memcpy(head, at, PPT_HEAD);
	old_secret_block(&p->secret, number, head, PPT_HEAD);
	if (le32(head + 4) <= n - PPT_HEAD)
		old_secret_block(
		    &p->secret, number, at, PPT_HEAD + le32(head + 4));
}

/* The next field of a picture, which is r's beginning. */
static void
open_field(struct ppt *p, struct ppt_record *r, size_t n)
{
	if (n > r->n)
		n = r->n;
	old_secret_block(&p->secret, 0, r->p, n);
	r->p += n;
	r->n -= n;
}

/* [MS-ODRAW] 2.2.24 to 2.2.31: the instances that have two digests. */
static bool
has_two_digests(unsigned instance)
{
	static const uint16_t two[] = { 0x217, 0x3d5, 0x46b, 0x543, 0x6e1,
		0x6e3, 0x6e5, 0x7a9 };

	for (size_t i = 0; i < COUNT(two); i++)
		if (two[i] == instance)
			return true;
	return false;
}

static void
open_picture(struct ppt *p, struct ppt_record r)
{
	if (r.type < BLIP_FIRST || r.type > BLIP_LAST)
		return;
	open_field(p, &r, DIGEST);
	if (has_two_digests(r.instance))
		open_field(p, &r, DIGEST);
	open_field(p, &r, r.type <= METAFILE_LAST ? METAFILE_HEAD : 1);
	open_field(p, &r, r.n);
}

void
ppt_open_pictures(struct ppt *p)
{
	struct ppt_record r;
	size_t at = 0;

	if (!p->opened)
		return;
	while (p->pictures.n - at >= PPT_HEAD) {
		old_secret_block(&p->secret, 0, p->pictures.p + at, PPT_HEAD);
		if (!ppt_parse(p->pictures.p + at, p->pictures.n - at, &r))
			return;
		open_picture(p, r);
		at += PPT_HEAD + r.n;
	}
}
