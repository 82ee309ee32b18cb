/* SPDX-License-Identifier: Apache-2.0 */
/* Presentations of one document and one slide, built here. */
#include <check.h>

#include "filters/ole/le.h"
#include "tests/unit/detox/build_ole.h"
#include "tests/unit/detox/drive.h"

Suite *ole_ppt_suite(void);

#define DOCUMENT 0x3e8
#define SLIDE 0x3ee
#define STORAGE 0x1011
#define DIRECTORY 0x1772
#define USER_EDIT 0xff5
#define TEXT 0xfa0

struct show {
	struct buf in, user, pictures;
	size_t document, slide, storage;
	struct drive_detox t;
	struct buf out;
};

static size_t
begin(struct show *s, unsigned head, unsigned type)
{
	size_t at = s->in.n;

	build_le16(&s->in, head);
	build_le16(&s->in, type);
	build_le32(&s->in, 0);
	return at;
}

static void
end(struct show *s, size_t at)
{
	put_le32(s->in.p + at + 4, (uint32_t)(s->in.n - at - 8));
}

static void
add(struct show *s, unsigned head, unsigned type, struct bytes content)
{
	size_t at = begin(s, head, type);

	build_bytes(&s->in, content);
	end(s, at);
}

static void
begin_show(struct show *s)
{
	memset(s, 0, sizeof(*s));
	drive_detox_init(&s->t);
	s->document = begin(s, 0xf, DOCUMENT);
	add(s, 1, 0x3e9, BYTES("atom"));
}

static void
end_document(struct show *s)
{
	add(s, 0, 0x3ea, BYTES(""));
	end(s, s->document);
	s->slide = begin(s, 0xf, SLIDE);
	add(s, 0, TEXT, BYTES("c\0l\0e\0a\0n\0"));
}

static void
run_show(struct show *s)
{
	struct build_ole file;
	size_t directory, edit;

	end(s, s->slide);
	s->storage = s->in.n;
	add(s, 0, STORAGE, BYTES("project"));
	directory = begin(s, 0, DIRECTORY);
	build_le32(&s->in, 1 | 3u << 20);
	build_le32(&s->in, (uint32_t)s->document);
	build_le32(&s->in, (uint32_t)s->slide);
	build_le32(&s->in, (uint32_t)s->storage);
	end(s, directory);
	edit = begin(s, 0, USER_EDIT);
	build_zeros(&s->in, 12);
	build_le32(&s->in, (uint32_t)directory);
	build_le32(&s->in, 1);
	build_zeros(&s->in, 8);
	end(s, edit);
	build_le32(&s->user, 0x0ff60000);
	build_le32(&s->user, 24);
	build_le32(&s->user, 20);
	build_le32(&s->user, 0xe391c05f);
	build_le32(&s->user, (uint32_t)edit);
	build_zeros(&s->user, 12);
	build_ole_init(&file);
	build_ole_add(&file, "Current User", buf_bytes(&s->user));
	build_ole_add(&file, "PowerPoint Document", buf_bytes(&s->in));
	if (s->pictures.n > 0)
		build_ole_add(&file, "Pictures", buf_bytes(&s->pictures));
	drive_detox_run(&s->t, build_ole_write(&file, NULL), "a.ppt");
	if (s->t.result == DETOX_REBUILT)
		s->out = build_ole_read(
		    buf_bytes(&s->t.out.content), "PowerPoint Document");
	build_ole_release(&file);
}

static void
end_show(struct show *s)
{
	buf_release(&s->in);
	buf_release(&s->user);
	buf_release(&s->pictures);
	buf_release(&s->out);
	drive_detox_release(&s->t);
}

static bool
has(const struct show *s, struct bytes what)
{
	return build_ole_contains(buf_bytes(&s->out), what);
}

/* As who reads it: by the current user to the edit, the directory, the
 * objects. */
START_TEST(ole_ppt_can_be_found_again)
{
	struct show s;
	struct buf user;
	size_t edit, directory;

	begin_show(&s);
	end_document(&s);
	run_show(&s);
	ck_assert_int_eq(s.t.result, DETOX_REBUILT);
	user = build_ole_read(buf_bytes(&s.t.out.content), "Current User");
	edit = le32(user.p + 16);
	ck_assert_uint_eq(le16(s.out.p + edit + 2), USER_EDIT);
	ck_assert_uint_eq(edit + 8 + 28, s.out.n);
	directory = le32(s.out.p + edit + 8 + 12);
	ck_assert_uint_eq(le16(s.out.p + directory + 2), DIRECTORY);
	ck_assert_uint_eq(le32(s.out.p + directory + 8), 1 | 2u << 20);
	ck_assert_uint_eq(
	    le16(s.out.p + le32(s.out.p + directory + 12) + 2), DOCUMENT);
	ck_assert_uint_eq(
	    le16(s.out.p + le32(s.out.p + directory + 16) + 2), SLIDE);
	ck_assert(has(&s, BYTES("c\0l\0e\0a\0n\0")));
	ck_assert(!has(&s, BYTES("project")));
	ck_assert_uint_eq(
	    drive_detox_removed(&s.t, REMOVED_OBJECT, "ExOleObjStg"), 1);
	ck_assert_uint_eq(s.t.d.rows_n, 1);
	ck_assert_uint_eq(s.t.d.text_in, 5);
	buf_release(&user);
	end_show(&s);
}
END_TEST

static const struct {
	const char *name;
	unsigned type;
	enum detox_removal what;
} records[] = {
	{ "VBA", 0x400, REMOVED_MACRO },
	{ "embedded object", 0xfcc, REMOVED_OBJECT },
	{ "linked object", 0xfce, REMOVED_EXTERNAL },
	{ "control", 0xfee, REMOVED_ACTIVEX },
	{ "film", 0x1006, REMOVED_MEDIA },
	{ "sounds", 0x7e4, REMOVED_MEDIA },
	{ "command of an animation", 0xf132, REMOVED_ACTION },
	{ "tag of a program", 0x1389, REMOVED_CUSTOM },
	{ "a package within", 0x40e, REMOVED_CUSTOM },
	{ "unknown", 0x3333, REMOVED_UNKNOWN },
};

START_TEST(ole_ppt_drops_records)
{
	struct show s;
	size_t list;

	begin_show(&s);
	list = begin(&s, 0xf, 0x409);
	add(&s, 0, records[_i].type, BYTES("attack"));
	add(&s, 0, 0x40a, BYTES("keep"));
	end(&s, list);
	end_document(&s);
	run_show(&s);
	ck_assert_int_eq(s.t.result, DETOX_REBUILT);
	ck_assert_msg(!has(&s, BYTES("attack")), "%s", records[_i].name);
	/* The list is as long as what stayed. */
	ck_assert(has(&s, BYTES("\xf\0\x9\4\xc\0\0\0\0\0\xa\4\4\0\0\0keep")));
	ck_assert_uint_ge(drive_detox_removed(&s.t, records[_i].what, NULL), 1);
	end_show(&s);
}
END_TEST

static const struct {
	const char *name;
	uint8_t action;
	bool stays;
	enum detox_removal what;
} actions[] = {
	{ "none", 0, true, 0 },
	{ "macro", 1, false, REMOVED_MACRO },
	{ "program", 2, false, REMOVED_PROGRAM },
	{ "jump", 3, true, 0 },
	{ "link", 4, true, 0 },
	{ "object", 5, false, REMOVED_OBJECT },
	{ "film", 6, false, REMOVED_MEDIA },
	{ "show", 7, true, 0 },
	{ "unknown", 200, false, REMOVED_ACTION },
};

START_TEST(ole_ppt_disarms_actions)
{
	uint8_t atom[16] = { 1, 0, 0, 0, 2, 0, 0, 0, actions[_i].action, 1, 2 };
	struct show s;
	size_t info;

	begin_show(&s);
	end_document(&s);
	info = begin(&s, 0xf, 0xff2);
	add(&s, 0, 0xff3, (struct bytes){ atom, sizeof(atom) });
	add(&s, 0, 0xfba, BYTES("r\0u\0n\0"));
	end(&s, info);
	run_show(&s);
	atom[0] = 0;
	ck_assert_msg(
	    has(&s, (struct bytes){ atom, sizeof(atom) }) == actions[_i].stays,
	    "%s", actions[_i].name);
	ck_assert(!has(&s, BYTES("r\0u\0n\0")));
	if (!actions[_i].stays)
		ck_assert_uint_eq(drive_detox_removed(&s.t, actions[_i].what,
				      "InteractiveInfo"),
		    1);
	end_show(&s);
}
END_TEST

static void
check_link(const char *address, bool stays)
{
	struct buf target = { 0 };
	struct show s;
	size_t link;

	build_utf16(&target, address);
	begin_show(&s);
	link = begin(&s, 0xf, 0xfd7);
	add(&s, 0, 0xfd3, BYTES("\1\0\0\0"));
	add(&s, 0, 0xfba, BYTES("f\0r\0i\0e\0n\0d\0"));
	add(&s, 1 << 4, 0xfba, buf_bytes(&target));
	end(&s, link);
	end_document(&s);
	run_show(&s);
	ck_assert(has(&s, BYTES("f\0r\0i\0e\0n\0d\0")));
	ck_assert_msg(has(&s, buf_bytes(&target)) == stays, "%s", address);
	ck_assert_uint_eq(
	    drive_detox_removed(&s.t, REMOVED_LINK, "hyperlink"), !stays);
	buf_release(&target);
	end_show(&s);
}

START_TEST(ole_ppt_drops_bad_addresses)
{
	check_link("https://www.city.test/", true);
	check_link("file:///c:/a.exe", false);
	check_link("\\\\server\\share", false);
	check_link("javascript:a()", false);
}
END_TEST

START_TEST(ole_ppt_refuses_encrypted_presentations)
{
	struct show s;

	begin_show(&s);
	end(&s, s.document);
	s.slide = begin(&s, 0xf, 0x2f14);
	run_show(&s);
	ck_assert_int_eq(s.t.d.refusal, REFUSED_ENCRYPTED);
	end_show(&s);
}
END_TEST

START_TEST(ole_ppt_blanks_what_is_no_picture)
{
	struct show s;
	struct buf pictures;

	begin_show(&s);
	end_document(&s);
	build_bytes(&s.pictures,
	    BYTES("\0\0\x1e\xf0\4\0\0\0good\0\0\x33\x33\4\0\0\0evil"
		  "\0\0\x1e\xf0\3\0\0\0too"));
	build_bytes(&s.pictures, BYTES("rest"));
	run_show(&s);
	pictures = build_ole_read(buf_bytes(&s.t.out.content), "Pictures");
	ck_assert_uint_eq(pictures.n, s.pictures.n);
	ck_assert(build_ole_contains(buf_bytes(&pictures), BYTES("good")));
	ck_assert(build_ole_contains(buf_bytes(&pictures), BYTES("too")));
	ck_assert(!build_ole_contains(buf_bytes(&pictures), BYTES("evil")));
	ck_assert(!build_ole_contains(buf_bytes(&pictures), BYTES("rest")));
	buf_release(&pictures);
	end_show(&s);
}
END_TEST

/* A picture that is loaded from elsewhere: pib, its name, its flags. */
START_TEST(ole_ppt_loads_no_picture_from_outside)
{
	struct show s;

	begin_show(&s);
	end_document(&s);
	add(&s, 2 << 4 | 3, 0xf00b,
	    BYTES("\5\xc1\6\0\0\0\6\1\xe\0\0\0\\\0\\\0s\0"));
	run_show(&s);
	ck_assert(has(&s, BYTES("\5\xc1\6\0\0\0\6\1\0\0\0\0\0\0\0\0\0\0")));
	ck_assert_uint_eq(
	    drive_detox_removed(&s.t, REMOVED_EXTERNAL, "drawing"), 1);
	end_show(&s);
}
END_TEST

/* Containers as deep as are followed, and one more; the document is 1. */
START_TEST(ole_ppt_bounds_its_depth)
{
	size_t open[110], deep = 98 + (size_t)_i;
	struct show s;

	begin_show(&s);
	for (size_t i = 0; i < deep; i++)
		open[i] = begin(&s, 0xf, 0xf003);
	add(&s, 0, TEXT, BYTES("deep"));
	for (size_t i = deep; i > 0; i--)
		end(&s, open[i - 1]);
	end_document(&s);
	run_show(&s);
	ck_assert_int_eq(s.t.result, DETOX_REBUILT);
	ck_assert(has(&s, BYTES("deep")) == (_i == 0));
	end_show(&s);
}
END_TEST

Suite *
ole_ppt_suite(void)
{
	Suite *s = suite_create("ole_ppt");
	TCase *t = tcase_create("all");

	tcase_add_test(t, ole_ppt_can_be_found_again);
	tcase_add_loop_test(t, ole_ppt_drops_records, 0, COUNT(records));
	tcase_add_loop_test(t, ole_ppt_disarms_actions, 0, COUNT(actions));
	tcase_add_test(t, ole_ppt_drops_bad_addresses);
	tcase_add_test(t, ole_ppt_refuses_encrypted_presentations);
	tcase_add_test(t, ole_ppt_blanks_what_is_no_picture);
	tcase_add_test(t, ole_ppt_loads_no_picture_from_outside);
	tcase_add_loop_test(t, ole_ppt_bounds_its_depth, 0, 2);
	suite_add_tcase(s, t);
	return s;
}
