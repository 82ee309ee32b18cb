/* SPDX-License-Identifier: Apache-2.0 */
/* ppt_record: which records of a presentation stay. Numbers: [MS-PPT] 2.13.24
 * and [MS-ODRAW] 2.2. */
#include "filters/ole/le.h"
#include "filters/ole/link.h"
#include "filters/ole/ppt.h"

#define DEPTH_MAX 100
#define SLIDE_INFO 0x3f9
#define TEXT_CHARS 0xfa0
#define TEXT_BYTES 0xfa8
#define STRING 0xfba
#define HYPERLINK 0xfd7
#define ANIMATION 0xff1
#define INTERACTIVE 0xff2
#define INTERACTIVE_ATOM 0xff3
#define BINARY_TAG 0x138a
#define BINARY_TAG_DATA 0x138b
#define STRING_ADDRESS 1
#define STRING_PLACE 3

/* First and last of a run of numbers. */
static const uint16_t kept[][2] = {
	{ 0x3e8, 0x3ea },
	{ 0x3ee, 0x3f3 },
	{ 0x3f8, 0x3fe },
	{ 0x401, 0x402 },
	{ 0x407, 0x40d },
	{ 0x410, 0x415 },
	{ 0x41c, 0x41d },
	{ 0x41f, 0x422 },
	{ 0x424, 0x426 },
	{ 0x7d0, 0x7d0 },
	{ 0x7d5, 0x7d6 },
	{ 0x7e3, 0x7e3 },
	{ 0x7e9, 0x7e9 },
	{ 0x7f0, 0x7f0 },
	{ 0x7f8, 0x7f9 },
	{ 0xbc3, 0xbc3 },
	{ 0xbd0, 0xbdd },
	{ 0xf9e, 0xfb8 },
	{ 0xfba, 0xfba },
	{ 0xfc1, 0xfc1 },
	{ 0xfc8, 0xfc9 },
	{ 0xfd0, 0xfd0 },
	{ 0xfd2, 0xfd3 },
	{ 0xfd7, 0xfda },
	{ 0xfdf, 0xfdf },
	{ 0xfe2, 0xfe4 },
	{ 0xfe7, 0xfe7 },
	{ 0xff0, 0xff3 },
	{ 0xff7, 0xffa },
	{ 0x1014, 0x1015 },
	{ 0x1018, 0x1018 },
	{ 0x1388, 0x1388 },
	{ 0x138a, 0x138b },
	{ 0x1770, 0x1770 },
	{ 0x177a, 0x177a },
	{ 0x2711, 0x2712 },
	{ 0x2afb, 0x2b12 },
	{ 0x2ee0, 0x2eff },
	{ 0x36b0, 0x36b2 },
	{ 0xf000, 0xf029 },
	{ 0xf118, 0xf118 },
	{ 0xf11a, 0xf11a },
	{ 0xf11e, 0xf11e },
	{ 0xf121, 0xf131 },
	{ 0xf133, 0xf13a },
	{ 0xf13c, 0xf145 },
};

static const struct {
	uint16_t first, last;
	enum detox_removal what;
	const char *where;
} dropped[] = {
	{ 0x3ff, 0x400, REMOVED_MACRO, "VBAInfo" },
	{ 0x406, 0x406, REMOVED_METADATA, "DocRoutingSlip" },
	{ 0x40e, 0x40f, REMOVED_CUSTOM, "RoundTrip" },
	{ 0x41e, 0x41e, REMOVED_CUSTOM, "RoundTrip" },
	{ 0x423, 0x423, REMOVED_CUSTOM, "RoundTrip" },
	{ 0x427, 0x428, REMOVED_CUSTOM, "RoundTrip" },
	{ 0x7e4, 0x7e7, REMOVED_MEDIA, "Sound" },
	{ 0xbc1, 0xbc1, REMOVED_OBJECT, "ExObjRef" },
	{ 0xfc3, 0xfc3, REMOVED_OBJECT, "ExOleObj" },
	{ 0xfcc, 0xfcd, REMOVED_OBJECT, "ExOleEmbed" },
	{ 0xfce, 0xfce, REMOVED_EXTERNAL, "ExOleLink" },
	{ 0xfd1, 0xfd1, REMOVED_EXTERNAL, "ExOleLink" },
	{ 0xfea, 0xfeb, REMOVED_MEDIA, "ExQuickTime" },
	{ 0xfee, 0xfee, REMOVED_ACTIVEX, "ExControl" },
	{ 0xffb, 0xffb, REMOVED_ACTIVEX, "ExControl" },
	{ 0x1004, 0x1010, REMOVED_MEDIA, "ExMedia" },
	{ 0x1011, 0x1011, REMOVED_OBJECT, "ExOleObjStg" },
	{ 0x1012, 0x1013, REMOVED_MEDIA, "ExMedia" },
	{ 0x1389, 0x1389, REMOVED_CUSTOM, "tag" },
	{ 0x138a, 0x138a, REMOVED_CUSTOM, "tag" },
	{ 0x177b, 0x177f, REMOVED_EXTERNAL, "publishing" },
	{ 0x1784, 0x1785, REMOVED_METADATA, "envelope" },
	{ 0x36b3, 0x36b4, REMOVED_CUSTOM, "smart tags" },
	{ 0xf11f, 0xf11f, REMOVED_OBJECT, "OleObject" },
	{ 0xf132, 0xf132, REMOVED_ACTION, "command" },
	{ 0xf13b, 0xf13b, REMOVED_ACTION, "command" },
};

bool
ppt_parse(uint8_t *p, size_t n, struct ppt_record *r)
{
	if (n < PPT_HEAD)
		return false;
	r->version = le16(p) & 0xf;
	r->instance = le16(p) >> 4;
	r->type = le16(p + 2);
	r->n = le32(p + 4);
	r->p = p + PPT_HEAD;
	return r->n <= n - PPT_HEAD;
}

static bool
is_kept(unsigned type)
{
	for (size_t i = 0; i < COUNT(kept); i++)
		if (type <= kept[i][1])
			return type >= kept[i][0];
	return false;
}

static void
drop(struct ppt *p, const struct ppt_record *r)
{
	char other[32];

	for (size_t i = 0; i < COUNT(dropped); i++)
		if (r->type >= dropped[i].first && r->type <= dropped[i].last) {
			detox_removed(p->d, dropped[i].what, dropped[i].where,
			    (struct bytes){ r->p, r->n });
			return;
		}
	snprintf(other, sizeof(other), "record %#x", r->type);
	detox_removed(
	    p->d, REMOVED_UNKNOWN, other, (struct bytes){ r->p, r->n });
}

static void
put(struct ppt *p, const uint8_t *bytes, size_t n)
{
	if (buf_append(&p->out, (struct bytes){ bytes, n }) < 0)
		detox_refuse(p->d, REFUSED_SIZE, "more than %zu bytes come out",
		    p->out.max);
}

/* Actions, [MS-PPT] 2.8.6: what runs a macro, a program, an object, or plays
 * one, does nothing. */
static void
clean_action(struct ppt *p, uint8_t *q, size_t n)
{
	static const enum detox_removal kinds[] = { [1] = REMOVED_MACRO,
		[2] = REMOVED_PROGRAM,
		[5] = REMOVED_OBJECT,
		[6] = REMOVED_MEDIA };
	unsigned action;

	if (n < 16)
		return;
	/* Its sound went with all others. */
	put_le32(q, 0);
	action = q[8];
	if (action == 0 || action == 3 || action == 4 || action == 7)
		return;
	detox_removed(p->d,
	    action < COUNT(kinds) ? kinds[action] : REMOVED_ACTION,
	    "InteractiveInfo", (struct bytes){ q, n });
	memset(q + 4, 0, n - 4);
}

/* In place, before an atom is copied. */
static void
clean_atom(struct ppt *p, const struct ppt_record *r)
{
	switch (r->type) {
	case SLIDE_INFO:
		if (r->n >= 8)
			put_le32(r->p + 4, 0);
		break;
	case ANIMATION:
		if (r->n >= 12)
			put_le32(r->p + 8, 0);
		break;
	case INTERACTIVE_ATOM:
		clean_action(p, r->p, r->n);
		break;
	case 0xf00b:
	case 0xf121:
	case 0xf122:
		link_clean_properties(p->d, r->p, r->n, r->instance, "drawing");
		link_clean(p->d, r->p, r->n, "drawing");
		break;
	case TEXT_CHARS:
		p->text_n += r->n / 2;
		break;
	case TEXT_BYTES:
		p->text_n += r->n;
		break;
	}
}

/* Whether a string of this hyperlink leads where it may not. */
static bool
has_bad_address(struct ppt *p, const struct ppt_record *link)
{
	struct ppt_record r;

	for (size_t at = 0; ppt_parse(link->p + at, link->n - at, &r);
	     at += PPT_HEAD + r.n)
		if (r.type == STRING && r.instance == STRING_ADDRESS &&
		    !link_stays(p->d, r.p, r.n / 2)) {
			detox_removed(p->d, REMOVED_LINK, "hyperlink",
			    (struct bytes){ r.p, r.n });
			return true;
		}
	return false;
}

/* Extensions that PowerPoint itself wrote have records; of others no one
 * knows. */
static bool
is_known_tag(const struct ppt_record *tag)
{
	static const char begin[] = "___PPT";
	struct ppt_record r;
	size_t n = sizeof(begin) - 1;
	unsigned digit;

	if (!ppt_parse(tag->p, tag->n, &r) || r.type != STRING ||
	    r.n / 2 < n + 1 || r.n / 2 > n + 2)
		return false;
	for (size_t i = 0; i < n; i++)
		if (le16(r.p + i * 2) != (uint8_t)begin[i])
			return false;
	digit = le16(r.p + n * 2);
	return digit == '9' || digit == '1';
}

/* Whether a child goes for what its parent is. */
static bool
goes_with(const struct ppt_record *parent, bool bad_address,
    const struct ppt_record *r)
{
	if (r->type != STRING)
		return false;
	/* The name of a macro. */
	if (parent->type == INTERACTIVE)
		return true;
	return parent->type == HYPERLINK && bad_address &&
	    (r->instance == STRING_ADDRESS || r->instance == STRING_PLACE);
}

static void rewrite(struct ppt *p, struct ppt_record *r, unsigned depth);

static void
rewrite_children(struct ppt *p, const struct ppt_record *parent, unsigned depth)
{
	bool bad_address =
	    parent->type == HYPERLINK && has_bad_address(p, parent);
	struct ppt_record r;
	size_t at = 0;

	for (; ppt_parse(parent->p + at, parent->n - at, &r);
	     at += PPT_HEAD + r.n)
		if (!goes_with(parent, bad_address, &r))
			rewrite(p, &r, depth + 1);
	if (at < parent->n)
		detox_removed(p->d, REMOVED_DAMAGED, "record",
		    (struct bytes){ parent->p + at, parent->n - at });
}

static void
rewrite(struct ppt *p, struct ppt_record *r, unsigned depth)
{
	size_t head = p->out.n;

	if (!is_kept(r->type) || depth > DEPTH_MAX ||
	    (r->type == BINARY_TAG && !is_known_tag(r))) {
		drop(p, r);
		return;
	}
	if (r->version == 0xf || r->type == BINARY_TAG_DATA) {
		put(p, r->p - PPT_HEAD, PPT_HEAD);
		rewrite_children(p, r, depth);
		if (!detox_is_over(p->d))
			put_le32(p->out.p + head + 4,
			    (uint32_t)(p->out.n - head - PPT_HEAD));
		return;
	}
	clean_atom(p, r);
	put(p, r->p - PPT_HEAD, PPT_HEAD + r->n);
}

void
ppt_rewrite(struct ppt *p, struct ppt_record *r)
{
	rewrite(p, r, 1);
}
