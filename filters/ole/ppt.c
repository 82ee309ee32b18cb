/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppt: PowerPoint 97 to 2003. Objects (the document, slides, masters, notes)
 * are found by number in a directory, the newest of several ([MS-PPT] 2.1.2).
 * A new stream is written of those that the directory names, and a new
 * directory; what earlier saves left over does not come out.
 */
#include "filters/ole/ppt.h"

#include "filters/ole/le.h"
#include "filters/ole/part.h"

#define CURRENT_USER 0xff6
#define USER_EDIT 0xff5
#define DIRECTORY 0x1772
#define CRYPT_SESSION 0x2f14
#define DOCUMENT 0x3e8
#define TOKEN_ENCRYPTED 0xf3d1c4dfu
#define TOKEN_PLAIN 0xe391c05fu
#define OBJECTS_MAX 100000
#define EDITS_MAX 10000
#define NO_OBJECT UINT32_MAX

struct objects {
	uint32_t *place; /* in the old stream, by number; NO_OBJECT: none */
	uint32_t *place_new;
	size_t n;            /* the highest number + 1 */
	uint64_t seen;       /* entries of all directories */
	const uint8_t *edit; /* the newest UserEditAtom */
	uint32_t session;    /* the object that tells how it is encrypted */
};

static enum detox_result
broken(struct ppt *p, const char *why)
{
	return detox_refuse(p->d, REFUSED_BROKEN, "a presentation %s", why);
}

/* [MS-PPT] 2.3.4: runs of numbers (first, count), each with its places. A
 * newer directory was read before. */
static void
learn_directory(struct ppt *p, struct objects *o, uint32_t place)
{
	struct ppt_record r;
	size_t at = 0;

	if (place > p->in.n ||
	    !ppt_parse(p->in.p + place, p->in.n - place, &r) ||
	    r.type != DIRECTORY)
		return;
	while (r.n - at >= 4) {
		uint32_t first = le32(r.p + at) & 0xfffff;
		uint32_t n = le32(r.p + at) >> 20;

		at += 4;
		for (uint32_t i = 0; i < n && r.n - at >= 4; i++, at += 4) {
			o->seen++;
			if (first + i >= OBJECTS_MAX)
				continue;
			if (o->place[first + i] == NO_OBJECT)
				o->place[first + i] = le32(r.p + at);
			if (first + i >= o->n)
				o->n = first + i + 1;
		}
	}
}

static uint32_t
session_of(const struct ppt_record *edit)
{
	return edit->n < 32 ? 0 : le32(edit->p + 28);
}

/* An encrypted presentation has one edit ([MS-PPT] 2.3.7), which names the
 * object that tells how. */
static enum detox_result
open_session(struct ppt *p, struct objects *o, const struct ppt_record *r)
{
	uint32_t session = session_of(r);

	if (session == 0 && le32(p->user.p + 12) != TOKEN_ENCRYPTED)
		return DETOX_REBUILT;
	if (session == 0 || session >= o->n || le32(r->p + 8) != 0)
		return broken(p, "does not say how it is encrypted");
	o->session = session;
	return ppt_open(p, o->place[session]);
}

/* The edits, the newest first; each names an older one. */
static enum detox_result
learn_objects(struct ppt *p, struct objects *o, uint32_t place)
{
	struct ppt_record r;
	uint32_t last = UINT32_MAX;

	for (unsigned i = 0; i < EDITS_MAX && place < last; i++) {
		if (place > p->in.n ||
		    !ppt_parse(p->in.p + place, p->in.n - place, &r) ||
		    r.type != USER_EDIT || r.n < 28)
			break;
		if (i > 0 && session_of(&r) != 0)
			return detox_refuse(p->d, REFUSED_ENCRYPTED,
			    "a presentation whose older edit has a password");
		learn_directory(p, o, le32(r.p + 12));
		if (i == 0 && open_session(p, o, &r) == DETOX_REFUSED)
			return DETOX_REFUSED;
		if (o->edit == NULL)
			o->edit = r.p;
		/* No true one has more places than bytes. */
		if (o->seen > p->in.n)
			return broken(p, "has directories within each other");
		last = place;
		place = le32(r.p + 8);
		if (place == 0)
			break;
	}
	if (o->edit == NULL)
		return broken(p, "has no edit");
	return DETOX_REBUILT;
}

static bool
is_object(unsigned type)
{
	return type == DOCUMENT || type == 0x3ee || type == 0x3f0 ||
	    type == 0x3f8 || type == 0xfc9;
}

/* The object at that number, or nothing, if it is none that stays. */
static enum detox_result
rewrite_object(struct ppt *p, struct objects *o, size_t i, uint64_t *walked)
{
	struct ppt_record r;
	uint32_t place = o->place[i];

	o->place_new[i] = NO_OBJECT;
	if (place >= p->in.n)
		return DETOX_REBUILT;
	/* The one that tells how is not encrypted. */
	if (p->opened && i == o->session)
		return DETOX_REBUILT;
	ppt_open_object(p, (uint32_t)i, place);
	if (!ppt_parse(p->in.p + place, p->in.n - place, &r))
		return DETOX_REBUILT;
	if (r.type == CRYPT_SESSION)
		return detox_refuse(
		    p->d, REFUSED_ENCRYPTED, "a presentation with a password");
	*walked += PPT_HEAD + r.n;
	/* Objects that share records would make a small file a large one. */
	if (*walked > (uint64_t)p->in.n * 2)
		return broken(p, "has objects that lie over each other");
	if (is_object(r.type))
		o->place_new[i] = (uint32_t)p->out.n;
	else if (r.type != 0x1011)
		return DETOX_REBUILT;
	ppt_rewrite(p, &r);
	return detox_is_over(p->d) ? DETOX_REFUSED : DETOX_REBUILT;
}

static void
put(struct ppt *p, const uint8_t *bytes, size_t n)
{
	if (buf_append(&p->out, (struct bytes){ bytes, n }) < 0)
		detox_refuse(p->d, REFUSED_SIZE, "more than %zu bytes come out",
		    p->out.max);
}

static void
put_head(struct ppt *p, unsigned type, size_t n)
{
	uint8_t head[PPT_HEAD] = { 0 };

	put_le16(head + 2, type);
	put_le32(head + 4, (uint32_t)n);
	put(p, head, sizeof(head));
}

static size_t
run_from(const struct objects *o, size_t i)
{
	size_t n = 0;

	while (i + n < o->n && o->place_new[i + n] != NO_OBJECT && n < 0xfff)
		n++;
	return n;
}

static void
put_directory(struct ppt *p, const struct objects *o)
{
	size_t head = p->out.n, n;
	uint8_t word[4];

	put_head(p, DIRECTORY, 0);
	for (size_t i = 0; i<o->n; i += n> 0 ? n : 1) {
		n = run_from(o, i);
		if (n == 0)
			continue;
		put_le32(word, (uint32_t)i | (uint32_t)n << 20);
		put(p, word, sizeof(word));
		for (size_t j = i; j < i + n; j++) {
			put_le32(word, o->place_new[j]);
			put(p, word, sizeof(word));
		}
	}
	if (!detox_is_over(p->d))
		put_le32(p->out.p + head + 4,
		    (uint32_t)(p->out.n - head - PPT_HEAD));
}

/* [MS-PPT] 2.3.2 and 2.3.3: the edit, and who made it, who has no name. */
static void
put_edit(struct ppt *p, const struct objects *o, uint32_t directory,
    uint8_t user[32])
{
	uint8_t edit[28] = { 0 };

	memset(user, 0, 32);
	put_le16(user + 2, CURRENT_USER);
	put_le32(user + 4, 24);
	memcpy(user + 8, p->user.p + 8, 8);
	if (p->opened)
		put_le32(user + 12, TOKEN_PLAIN);
	put_le32(user + 16, (uint32_t)p->out.n);
	memcpy(user + 22, p->user.p + 22, 4);
	put_le32(user + 28, 8);
	memcpy(edit, o->edit, 8);
	put_le32(edit + 12, directory);
	memcpy(edit + 16, o->edit + 16, 10);
	put_head(p, USER_EDIT, sizeof(edit));
	put(p, edit, sizeof(edit));
}

#define BLIP_FIRST 0xf01a
#define BLIP_LAST 0xf029

/* Pictures are found by their places, so that they stay where they are. */
static void
clean_pictures(struct ppt *p)
{
	struct ppt_record r;
	size_t at = 0;

	if (p->pictures.n == 0)
		return;
	while (ppt_parse(p->pictures.p + at, p->pictures.n - at, &r)) {
		if (r.type < BLIP_FIRST || r.type > BLIP_LAST) {
			detox_removed(p->d, REMOVED_UNKNOWN, "Pictures",
			    (struct bytes){ r.p, r.n });
			memset(r.p, 0, r.n);
		}
		at += PPT_HEAD + r.n;
	}
	if (at == p->pictures.n)
		return;
	detox_removed(p->d, REMOVED_DAMAGED, "Pictures",
	    (struct bytes){ p->pictures.p + at, p->pictures.n - at });
	memset(p->pictures.p + at, 0, p->pictures.n - at);
}

static enum detox_result
read_user(struct ppt *p, struct cfb *c, uint32_t root)
{
	if (part_read(p->d, c, root, "Current User", &p->user) == DETOX_REFUSED)
		return DETOX_REFUSED;
	if (p->user.n < 28 || le16(p->user.p + 2) != CURRENT_USER)
		if (cfb_find(c, 0, "PersistentStorage Directory") !=
		    CFB_NO_ENTRY)
			return detox_refuse(p->d, REFUSED_TYPE,
			    "a presentation of PowerPoint 95");
	if (p->user.n < 28 || le16(p->user.p + 2) != CURRENT_USER)
		return broken(p, "has no current edit");
	return DETOX_REBUILT;
}

static enum detox_result
write_ppt(
    struct ppt *p, struct cfb *c, struct bytes user, struct detox_output *out)
{
	static const uint8_t powerpoint[CFB_CLSID_SIZE] = { 0x10, 0x8d, 0x81,
		0x64, 0x9b, 0x4f, 0xcf, 0x11, 0x86, 0xea, 0x00, 0xaa, 0x00,
		0xb9, 0x29, 0xe8 };
	struct cfb_part parts[4];
	struct buf summary;
	size_t n = 0;
	enum detox_result result;

	part_summary(p->d, c, &summary);
	parts[n++] = (struct cfb_part){ "Current User", user };
	parts[n++] =
	    (struct cfb_part){ "PowerPoint Document", buf_bytes(&p->out) };
	if (p->pictures.n > 0)
		parts[n++] =
		    (struct cfb_part){ "Pictures", buf_bytes(&p->pictures) };
	if (summary.n > 0)
		parts[n++] = (struct cfb_part){ "\005SummaryInformation",
			buf_bytes(&summary) };
	result = cfb_write(p->d, powerpoint, parts, n, out);
	buf_release(&summary);
	return result;
}

static enum detox_result
rewrite_objects(struct ppt *p, struct objects *o)
{
	uint64_t walked = 0;
	uint32_t document;

	for (size_t i = 0; i < o->n; i++)
		if (rewrite_object(p, o, i, &walked) == DETOX_REFUSED)
			return DETOX_REFUSED;
	must(o->edit != NULL);
	document = le32(o->edit + 16);
	if (document >= o->n || o->place_new[document] == NO_OBJECT)
		return broken(p, "has no document");
	return DETOX_REBUILT;
}

static enum detox_result
rewrite(struct ppt *p, struct cfb *c, struct detox_output *out)
{
	struct objects o = { 0 };
	uint8_t user[32];
	uint32_t directory, root = cfb_find(c, 0, "PP97_DUALSTORAGE");

	/* Beside one of PowerPoint 95 it may be in a storage. */
	if (root == CFB_NO_ENTRY)
		root = 0;
	if (read_user(p, c, root) == DETOX_REFUSED ||
	    part_read(p->d, c, root, "PowerPoint Document", &p->in) ==
		DETOX_REFUSED ||
	    part_read_if(p->d, c, root, "Pictures", &p->pictures) ==
		DETOX_REFUSED)
		return DETOX_REFUSED;
	must(p->user.p != NULL);
	o.place = ARENA_ARRAY(&p->d->arena, uint32_t, OBJECTS_MAX);
	o.place_new = ARENA_ARRAY(&p->d->arena, uint32_t, OBJECTS_MAX);
	memset(o.place, 0xff, OBJECTS_MAX * sizeof(*o.place));
	if (learn_objects(p, &o, le32(p->user.p + 16)) == DETOX_REFUSED ||
	    rewrite_objects(p, &o) == DETOX_REFUSED)
		return DETOX_REFUSED;
	directory = (uint32_t)p->out.n;
	put_directory(p, &o);
	put_edit(p, &o, directory, user);
	ppt_open_pictures(p);
	clean_pictures(p);
	if (detox_is_over(p->d))
		return DETOX_REFUSED;
	detox_text(p->d, p->text_n, p->text_n);
	return write_ppt(p, c, (struct bytes){ user, sizeof(user) }, out);
}

enum detox_result
ppt_rebuild(struct detox *d, struct cfb *c, struct detox_output *out)
{
	struct ppt p = { .d = d };
	enum detox_result result;

	buf_init(&p.out, d->profile->out_max);
	result = rewrite(&p, c, out);
	explicit_bzero(&p.secret, sizeof(p.secret));
	buf_release(&p.user);
	buf_release(&p.in);
	buf_release(&p.pictures);
	buf_release(&p.out);
	return result;
}
