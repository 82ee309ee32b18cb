/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/archive/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <check.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "filters/archive/pack.h"
#include "proxy/base/file.h"
#include "tests/unit/detox/drive.h"

Suite *archive_suite(void);

#define ROOM ((size_t)8 << 20)
#define PROGRAM "\x7f\x45LF\2\1\1"

/* An archive that libarchive writes for a test. */
struct part {
	const char *name;
	const char *content; /* NULL: none */
	mode_t kind;         /* 0: a file */
	const char *symlink, *hardlink;
	size_t n; /* 0: the content is a string */
};

#define TEXT(n, c)                          \
	{                                   \
		.name = (n), .content = (c) \
	}
#define KIND(n, k)                       \
	{                                \
		.name = (n), .kind = (k) \
	}
#define SYMLINK(n, target)                                         \
	{                                                          \
		.name = (n), .kind = AE_IFLNK, .symlink = (target) \
	}
#define HARDLINK(n, target)                       \
	{                                         \
		.name = (n), .hardlink = (target) \
	}

static uint8_t room[ROOM];

static void
write_part(struct archive *a, const struct part *p)
{
	struct archive_entry *e = archive_entry_new();
	size_t n = p->n > 0 || p->content == NULL ? p->n : strlen(p->content);

	archive_entry_set_pathname(e, p->name);
	archive_entry_set_filetype(e, p->kind == 0 ? AE_IFREG : p->kind);
	archive_entry_set_perm(e, 0644);
	archive_entry_set_size(e, (la_int64_t)n);
	if (p->symlink != NULL)
		archive_entry_set_symlink(e, p->symlink);
	if (p->hardlink != NULL)
		archive_entry_set_hardlink(e, p->hardlink);
	ck_assert_msg(archive_write_header(a, e) >= ARCHIVE_WARN, "%s",
	    archive_error_string(a));
	if (n > 0)
		ck_assert(
		    archive_write_data(a, p->content, n) == (la_ssize_t)n);
	archive_entry_free(e);
}

static struct bytes
make(int format, int filter, const struct part *parts, size_t parts_n)
{
	struct archive *a = archive_write_new();
	size_t n = 0;

	ck_assert(archive_write_set_format(a, format) == ARCHIVE_OK);
	ck_assert(archive_write_add_filter(a, filter) == ARCHIVE_OK);
	ck_assert(archive_write_set_bytes_in_last_block(a, 1) == ARCHIVE_OK);
	ck_assert(
	    archive_write_open_memory(a, room, sizeof(room), &n) == ARCHIVE_OK);
	for (size_t i = 0; i < parts_n; i++)
		write_part(a, &parts[i]);
	ck_assert(archive_write_close(a) == ARCHIVE_OK);
	archive_write_free(a);
	return (struct bytes){ room, n };
}

static struct bytes
make_tar(const struct part *parts, size_t n)
{
	return make(
	    ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FILTER_NONE, parts, n);
}

static struct bytes
make_packed(int filter, const char *content, size_t n)
{
	const struct part one = { .name = "x", .content = content, .n = n };

	return make(ARCHIVE_FORMAT_RAW, filter, &one, 1);
}

static void
begin(struct drive_detox *t)
{
	drive_detox_init(t);
	t->profile.treatment[MAGIC_TEXT] = DETOX_PASS;
}

static void
run_file(struct drive_detox *t, const char *name)
{
	char path[256];
	struct buf b;
	struct err e;

	snprintf(path, sizeof(path), "tests/data/detox_archive/%s", name);
	buf_init(&b, ROOM);
	ck_assert_msg(file_read(path, &b, &e) == 0, "%s", e.text);
	drive_detox_run(t, buf_bytes(&b), name);
	buf_release(&b);
}

/* What came out. */

static size_t
count_entries(const struct drive_detox *t)
{
	struct detox_profile profile;
	struct detox d;
	struct package *p;
	size_t n;

	detox_profile_init(&profile);
	detox_init(&d, &profile);
	p = package_open(&d, buf_bytes(&t->out.content));
	ck_assert_msg(p != NULL, "%s", d.why);
	n = package_entries(p);
	package_close(p);
	detox_release(&d);
	return n;
}

/* Whether an entry is there; *content_out: NULL, or its bytes in room. */
static bool
find(const struct drive_detox *t, const char *name, struct bytes *content_out)
{
	struct detox_profile profile;
	struct detox d;
	struct package *p;
	struct buf content;
	ssize_t i;

	detox_profile_init(&profile);
	detox_init(&d, &profile);
	p = package_open(&d, buf_bytes(&t->out.content));
	ck_assert_msg(p != NULL, "%s", d.why);
	i = package_find(p, name);
	if (i >= 0 && content_out != NULL) {
		ck_assert(
		    package_read(&d, p, (size_t)i, &content) == DETOX_REBUILT);
		ck_assert(content.n <= ROOM);
		if (content.n > 0)
			memcpy(room, content.p, content.n);
		*content_out = (struct bytes){ room, content.n };
		buf_release(&content);
	}
	package_close(p);
	detox_release(&d);
	return i >= 0;
}

static void
check_entry(const struct drive_detox *t, const char *name, const char *content)
{
	struct bytes found = { 0 };

	ck_assert_msg(find(t, name, &found), "%s is not there", name);
	ck_assert_msg(bytes_equal(found, bytes_of(content)), "%s: %.*s", name,
	    BYTES_PRINTF(found));
}

static void
check_refused(const struct drive_detox *t, enum detox_refusal why)
{
	ck_assert_msg(t->d.refusal == why, "%s (%s) instead of %s",
	    detox_refusal_words[t->d.refusal].name, t->d.why,
	    detox_refusal_words[why].name);
}

static void
check_rebuilt(const struct drive_detox *t)
{
	check_refused(t, REFUSED_NOT);
	ck_assert_int_eq(t->result, DETOX_REBUILT);
	ck_assert_str_eq(t->out.extension, "zip");
}

/* Clean ones. */

static const struct part clean[] = {
	KIND("folder/", AE_IFDIR),
	KIND("empty/", AE_IFDIR),
	TEXT("folder/a.txt", "hello"),
	TEXT("表.txt", "こんにちは"),
	TEXT("nothing.txt", ""),
};

static const struct {
	const char *name;
	int format;
	int filter;
} kinds[] = {
	{ "a.tar", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE },
	{ "a.tar", ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_NONE },
	{ "a.tar", ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FILTER_NONE },
	{ "a.tar.gz", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP },
	{ "a.tar.bz2", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_BZIP2 },
	{ "a.tar.xz", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_XZ },
	{ "a.tar.zst", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_ZSTD },
	{ "a.7z", ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE },
	{ "a.iso", ARCHIVE_FORMAT_ISO9660, ARCHIVE_FILTER_NONE },
	{ "a.zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE },
};

/* UTF-8 names for libarchive's writers. */
static locale_t
speak_utf8(void)
{
	return uselocale(newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL));
}

static struct bytes
make_kind(size_t i, const struct part *parts, size_t n)
{
	return make(kinds[i].format, kinds[i].filter, parts, n);
}

static void
free_utf8(locale_t old)
{
	freelocale(uselocale(old));
}

START_TEST(archive_comes_out_as_zip)
{
	locale_t old = speak_utf8();
	struct bytes all = make_kind((size_t)_i, clean, COUNT(clean));
	struct drive_detox t;

	free_utf8(old);
	begin(&t);
	drive_detox_run(&t, all, kinds[_i].name);
	check_rebuilt(&t);
	/* A folder that is said behind what it holds is there already. */
	ck_assert_uint_ge(count_entries(&t), COUNT(clean) - 1);
	ck_assert(find(&t, "empty/", NULL));
	check_entry(&t, "folder/a.txt", "hello");
	check_entry(&t, "表.txt", "こんにちは");
	check_entry(&t, "nothing.txt", "");
	ck_assert_uint_eq(t.d.rows_n, 0);
	drive_detox_release(&t);
}
END_TEST

START_TEST(archive_is_the_same_every_time)
{
	struct drive_detox t, u;
	struct bytes all = make_kind((size_t)_i, clean, 3);

	begin(&t);
	drive_detox_run(&t, all, kinds[_i].name);
	check_rebuilt(&t);
	begin(&u);
	drive_detox_run(&u, all, kinds[_i].name);
	ck_assert(
	    bytes_equal(buf_bytes(&t.out.content), buf_bytes(&u.out.content)));
	drive_detox_release(&t);
	drive_detox_release(&u);
}
END_TEST

/* However it is cut off nothing but a refusal, or less, comes out. */
START_TEST(archive_may_end_anywhere)
{
	struct drive_detox t;
	struct bytes all = make_kind((size_t)_i, clean + 2, 1);
	size_t step = all.n > 2000 ? all.n / 300 : 1;

	begin(&t);
	for (size_t n = 0; n < all.n; n += step) {
		drive_detox_run(&t, (struct bytes){ all.p, n }, kinds[_i].name);
		if (t.result == DETOX_REBUILT && t.d.format != NULL)
			ck_assert(count_entries(&t) <= 2);
	}
	drive_detox_release(&t);
}
END_TEST

static const struct {
	const char *file;
	const char *entry;
	const char *content;
} vectors[] = {
	{ "rar4.rar", "testdir/test.txt", "test text document\r\n" },
	{ "rar4.rar", "test.txt", "test text document\r\n" },
	{ "rar5.rar", "helloworld.txt", "hello libarchive test suite!\n" },
	{ "cp932.lzh", "表.txt", NULL },
	{ "cp932.lzh", "漢字.txt", NULL },
	{ "cp932.cab", "表だよ/一覧表.txt", NULL },
	{ "cp932.zip", "表だよ/漢字.txt", NULL },
};

START_TEST(archive_of_other_writers_is_read)
{
	struct drive_detox t;

	begin(&t);
	run_file(&t, vectors[_i].file);
	check_rebuilt(&t);
	if (vectors[_i].content != NULL)
		check_entry(&t, vectors[_i].entry, vectors[_i].content);
	else
		ck_assert(find(&t, vectors[_i].entry, NULL));
	drive_detox_release(&t);
}
END_TEST

static const struct {
	int filter;
	const char *name;
	const char *entry;
} packed[] = {
	{ ARCHIVE_FILTER_GZIP, "dir/a.txt.gz", "a.txt" },
	{ ARCHIVE_FILTER_BZIP2, "a.csv.bz2", "a.csv" },
	{ ARCHIVE_FILTER_XZ, "a.b.txt.xz", "a.b.txt" },
	{ ARCHIVE_FILTER_ZSTD, "a.zst", "a" },
	{ ARCHIVE_FILTER_GZIP, "a.tgz", "a.tar" },
	{ ARCHIVE_FILTER_GZIP, "", "data" },
	{ ARCHIVE_FILTER_GZIP, ".gz", "data" },
};

START_TEST(archive_of_one_file_has_its_name)
{
	struct drive_detox t;

	begin(&t);
	drive_detox_run(
	    &t, make_packed(packed[_i].filter, "hello", 5), packed[_i].name);
	check_rebuilt(&t);
	check_entry(&t, packed[_i].entry, "hello");
	ck_assert_uint_eq(count_entries(&t), 1);
	drive_detox_run(
	    &t, make_packed(packed[_i].filter, "", 0), packed[_i].name);
	check_rebuilt(&t);
	check_entry(&t, packed[_i].entry, "");
	drive_detox_release(&t);
}
END_TEST

/* A tar without entries begins so too. */
START_TEST(archive_of_zeros_is_a_file)
{
	static const char zeros[20000];
	struct drive_detox t;
	struct bytes found = { 0 };

	begin(&t);
	t.profile.treatment[MAGIC_UNKNOWN] = DETOX_PASS;
	drive_detox_run(&t,
	    make_packed(ARCHIVE_FILTER_GZIP, zeros, sizeof(zeros)), "a.dat.gz");
	check_rebuilt(&t);
	ck_assert(find(&t, "a.dat", &found));
	ck_assert_uint_eq(found.n, sizeof(zeros));
	drive_detox_release(&t);
}
END_TEST

START_TEST(archive_without_entries_comes_out_empty)
{
	struct drive_detox t;

	begin(&t);
	drive_detox_run(&t,
	    make(ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE, NULL, 0), "a.7z");
	check_rebuilt(&t);
	ck_assert_uint_eq(count_entries(&t), 0);
	drive_detox_run(&t,
	    make(ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, NULL, 0), "a.zip");
	check_rebuilt(&t);
	ck_assert_uint_eq(count_entries(&t), 0);
	drive_detox_release(&t);
}
END_TEST

/* What is left out. */

static const struct part mixed[] = {
	TEXT("a.txt", "hello"),
	TEXT("tool.txt", PROGRAM),
	TEXT("dir/run.vbs", "msgbox"),
	TEXT("unknown.bin", "\1\2\3"),
	TEXT("empty.exe", ""),
};

START_TEST(archive_loses_what_cannot_be_rebuilt)
{
	struct drive_detox t;
	struct bytes notice = { 0 };

	begin(&t);
	drive_detox_run(
	    &t, make_kind((size_t)_i, mixed, COUNT(mixed)), kinds[_i].name);
	check_rebuilt(&t);
	ck_assert_uint_eq(
	    drive_detox_removed(&t, REMOVED_PROGRAM, "tool.txt"), 1);
	ck_assert_uint_eq(
	    drive_detox_removed(&t, REMOVED_PROGRAM, "dir/run.vbs"), 1);
	ck_assert_uint_eq(
	    drive_detox_removed(&t, REMOVED_PROGRAM, "empty.exe"), 1);
	ck_assert_uint_eq(
	    drive_detox_removed(&t, REMOVED_REFUSED, "unknown.bin"), 1);
	check_entry(&t, "a.txt", "hello");
	for (size_t i = 1; i < COUNT(mixed); i++)
		ck_assert(!find(&t, mixed[i].name, NULL));
	ck_assert(find(&t, PACK_NOTICE, &notice));
	ck_assert(memmem(notice.p, notice.n, "\r\ntool.txt: ", 12) != NULL);
	ck_assert(memmem(notice.p, notice.n, "it is a program", 15) != NULL);
	ck_assert(
	    memmem(notice.p, notice.n, "its type cannot be made", 23) != NULL);
	drive_detox_release(&t);
}
END_TEST

START_TEST(archive_loses_what_systems_put_in_it)
{
	static const struct part parts[] = {
		KIND("__MACOSX/", AE_IFDIR),
		TEXT("__MACOSX/._a.txt", "hello"),
		TEXT("dir/._a.txt", "hello"),
		TEXT("dir/.DS_Store", "hello"),
		TEXT("dir/desktop.INI", "hello"),
		TEXT("dir/a.txt", "hello"),
	};
	struct drive_detox t;

	begin(&t);
	drive_detox_run(&t, make_tar(parts, COUNT(parts)), "a.tar");
	check_rebuilt(&t);
	ck_assert_uint_eq(count_entries(&t), 1);
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_METADATA, NULL), 4);
	drive_detox_release(&t);
}
END_TEST

START_TEST(archive_notice_takes_no_name_away)
{
	static const struct part parts[] = {
		TEXT(PACK_NOTICE, "mine"),
		TEXT("a.exe", "x"),
	};
	locale_t old = speak_utf8();
	struct bytes all = make_tar(parts, COUNT(parts));
	struct drive_detox t;

	free_utf8(old);
	begin(&t);
	drive_detox_run(&t, all, "a.tar");
	check_rebuilt(&t);
	check_entry(&t, PACK_NOTICE, "mine");
	ck_assert_uint_eq(count_entries(&t), 2);
	drive_detox_release(&t);
}
END_TEST

/* Nested. */

static struct bytes
wrap(struct bytes inner, const char *name)
{
	struct part one = { .name = name };
	char *copy = malloc(inner.n);
	struct bytes all;

	memcpy(copy, inner.p, inner.n);
	one.content = copy;
	one.n = inner.n;
	all = make(ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, &one, 1);
	free(copy);
	return all;
}

START_TEST(archive_within_others_is_rebuilt)
{
	struct drive_detox t;
	struct bytes inner = { 0 };
	struct bytes all = make(
	    ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP, mixed, COUNT(mixed));

	begin(&t);
	drive_detox_run(&t, wrap(all, "dir/in.tar.gz"), "a.zip");
	check_rebuilt(&t);
	ck_assert_uint_eq(
	    drive_detox_removed(&t, REMOVED_PROGRAM, "dir/in.tar.gz: tool.txt"),
	    1);
	ck_assert(find(&t, "dir/in.zip", &inner));
	drive_detox_run(&t, inner, "in.zip");
	check_rebuilt(&t);
	check_entry(&t, "a.txt", "hello");
	drive_detox_release(&t);
}
END_TEST

START_TEST(archive_nests_to_the_limit)
{
	static const struct part one = TEXT("a.txt", "hello");
	struct drive_detox t;
	struct bytes all =
	    make(ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, &one, 1);

	begin(&t);
	/* The text is an object of its own. */
	for (unsigned depth = 2; depth < t.profile.depth_max; depth++)
		all = wrap(all, "in.zip");
	drive_detox_run(&t, all, "a.zip");
	check_rebuilt(&t);
	t.profile.depth_max--;
	drive_detox_run(&t, all, "a.zip");
	check_refused(&t, REFUSED_DEPTH);
	drive_detox_release(&t);
}
END_TEST

/* Limits. */

START_TEST(archive_has_entries_to_the_limit)
{
	struct bytes all;
	struct drive_detox t;
	struct part parts[3] = { TEXT("a.txt", "a"), TEXT("b.txt", "b"),
		TEXT("c.txt", "c") };

	all = make_kind((size_t)_i, parts, COUNT(parts));
	begin(&t);
	t.profile.entries_max = kinds[_i].format == ARCHIVE_FORMAT_ISO9660
	    ? 4 /* the top is one */
	    : 3;
	drive_detox_run(&t, all, kinds[_i].name);
	check_rebuilt(&t);
	t.profile.entries_max--;
	drive_detox_run(&t, all, kinds[_i].name);
	check_refused(&t, REFUSED_ENTRIES);
	drive_detox_release(&t);
}
END_TEST

START_TEST(archive_unpacks_to_the_limit)
{
	static const struct part parts[] = { TEXT("a.txt", "hello"),
		TEXT("b.txt", "world") };
	struct bytes all = make_kind((size_t)_i, parts, COUNT(parts));
	struct drive_detox t;

	begin(&t);
	t.profile.tree_max = 20; /* each counts twice */
	drive_detox_run(&t, all, kinds[_i].name);
	check_rebuilt(&t);
	t.profile.tree_max = 19;
	drive_detox_run(&t, all, kinds[_i].name);
	check_refused(&t, REFUSED_BOMB);
	drive_detox_release(&t);
}
END_TEST

/* 5 MiB in a few thousand bytes, and what is not zeros. */
START_TEST(archive_that_packs_too_well_is_a_bomb)
{
	const struct part big = { "a.txt",
		.content = memset(calloc(1, 5 << 20), 'a', 5 << 20),
		.n = 5 << 20 };
	struct drive_detox t;
	struct bytes all = make_kind((size_t)_i, &big, 1);
	bool well = all.n < 30000;

	begin(&t);
	t.profile.ratio_max = 100;
	drive_detox_run(&t, all, kinds[_i].name);
	check_refused(&t, well ? REFUSED_BOMB : REFUSED_NOT);
	t.profile.ratio_max = 100000;
	drive_detox_run(&t, all, kinds[_i].name);
	check_rebuilt(&t);
	drive_detox_release(&t);
	free((void *)(uintptr_t)big.content);
}
END_TEST

START_TEST(archive_loses_an_entry_that_is_too_large)
{
	const struct part parts[] = { { "big.txt", .content = calloc(1, 50000),
					  .n = 50000 },
		TEXT("a.txt", "hello") };
	struct drive_detox t;

	begin(&t);
	t.profile.in_max = 40000;
	drive_detox_run(&t,
	    make(ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP, parts, 2),
	    "a.tgz");
	check_rebuilt(&t);
	check_entry(&t, "a.txt", "hello");
	ck_assert_uint_eq(
	    drive_detox_removed(&t, REMOVED_REFUSED, "big.txt"), 1);
	/* A file alone is all there is. */
	drive_detox_run(&t,
	    make_packed(ARCHIVE_FILTER_XZ, parts[0].content, 50000), "a.xz");
	check_refused(&t, REFUSED_SIZE);
	drive_detox_release(&t);
	free((void *)(uintptr_t)parts[0].content);
}
END_TEST

/* Refused as a whole. */

static const struct {
	struct part parts[2];
	enum detox_refusal why;
} dangerous[] = {
	{ { TEXT("a.txt", "a"), TEXT("../b.txt", "b") }, REFUSED_PATH },
	{ { TEXT("a.txt", "a"), TEXT("/etc/b.txt", "b") }, REFUSED_PATH },
	{ { TEXT("a.txt", "a"), TEXT("C:\\b.txt", "b") }, REFUSED_PATH },
	{ { TEXT("a.txt", "a"), TEXT("\\\\host\\b.txt", "b") }, REFUSED_PATH },
	{ { TEXT("a.txt", "a"), TEXT("x\\..\\..\\b.txt", "b") }, REFUSED_PATH },
	{ { TEXT("a.txt", "a"), KIND("b", AE_IFCHR) }, REFUSED_PATH },
	{ { TEXT("a.txt", "a"), KIND("b", AE_IFBLK) }, REFUSED_PATH },
	{ { TEXT("a.txt", "a"), KIND("b", AE_IFIFO) }, REFUSED_PATH },
	{ { TEXT("a.txt", "a"), SYMLINK("b", "/etc/passwd") }, REFUSED_PATH },
	{ { TEXT("a.txt", "a"), SYMLINK("d/b", "../../a") }, REFUSED_PATH },
	{ { TEXT("a.txt", "a"), HARDLINK("b", "../a.txt") }, REFUSED_PATH },
	{ { TEXT("a.txt", "a"), TEXT("a.txt", "b") }, REFUSED_DUPLICATE },
	{ { TEXT("a.txt", "a"), TEXT("./a.txt", "b") }, REFUSED_DUPLICATE },
	{ { TEXT("a", "a"), TEXT("a/b.txt", "b") }, REFUSED_DUPLICATE },
	{ { TEXT("a/b.txt", "a"), TEXT("a", "b") }, REFUSED_DUPLICATE },
	/* These stay inside. */
	{ { TEXT("a.txt", "a"), SYMLINK("d/b", "../a.txt") }, REFUSED_NOT },
	{ { TEXT("a.txt", "a"), HARDLINK("b", "a.txt") }, REFUSED_NOT },
	/* And these get another name. */
	{ { TEXT("a.txt", "a"), TEXT("A.TXT", "b") }, REFUSED_NOT },
	{ { TEXT("a?.txt", "a"), TEXT("a*.txt", "b") }, REFUSED_NOT },
};

START_TEST(archive_with_dangerous_entries_is_refused)
{
	struct drive_detox t;

	begin(&t);
	drive_detox_run(&t, make_tar(dangerous[_i].parts, 2), "a.tar");
	check_refused(&t, dangerous[_i].why);
	drive_detox_release(&t);
}
END_TEST

START_TEST(archive_loses_links_that_stay_inside)
{
	static const struct part parts[] = {
		TEXT("a.txt", "hello"),
		SYMLINK("d/b", "../a.txt"),
		HARDLINK("c", "a.txt"),
	};
	struct drive_detox t;

	begin(&t);
	drive_detox_run(&t, make_tar(parts, COUNT(parts)), "a.tar");
	check_rebuilt(&t);
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_LINK, "d/b"), 1);
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_LINK, "c"), 1);
	ck_assert_uint_eq(count_entries(&t), 2);
	ck_assert(find(&t, PACK_NOTICE, NULL));
	drive_detox_release(&t);
}
END_TEST

START_TEST(archive_gives_names_that_are_the_same_a_number)
{
	static const struct part parts[] = {
		TEXT("a.txt", "1"),
		TEXT("A.txt", "2"),
		TEXT("b?.txt", "3"),
		TEXT("b*.txt", "4"),
		TEXT("b<.txt", "5"),
	};
	struct drive_detox t;

	begin(&t);
	drive_detox_run(&t, make_tar(parts, COUNT(parts)), "a.tar");
	check_rebuilt(&t);
	check_entry(&t, "a.txt", "1");
	check_entry(&t, "A (2).txt", "2");
	check_entry(&t, "b_.txt", "3");
	check_entry(&t, "b_ (2).txt", "4");
	check_entry(&t, "b_ (3).txt", "5");
	ck_assert_uint_eq(
	    drive_detox_removed(&t, REMOVED_NAME, "b_ (2).txt"), 1);
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_NAME, "a.txt"), 0);
	drive_detox_release(&t);
}
END_TEST

static const char *const encrypted[] = { "encrypted_data.7z",
	"encrypted_header.7z", "encrypted_data.rar", "encrypted_header.rar" };

START_TEST(archive_that_is_encrypted_is_refused)
{
	struct drive_detox t;

	begin(&t);
	run_file(&t, encrypted[_i]);
	check_refused(&t, REFUSED_ENCRYPTED);
	drive_detox_release(&t);
}
END_TEST

#define RAR4 "Rar!\x1a\7\0"
#define RAR5 "Rar!\x1a\7\1\0"
static const struct {
	struct bytes head;
	const char *name;
	enum detox_refusal why;
} volumes[] = {
	{ BYTES_ROW(RAR4 "\0\0\x73\1\0\x0d\0\0\0\0\0\0\0"), "a.part1.rar",
	    REFUSED_SPLIT },
	{ BYTES_ROW(RAR4 "\0\0\x73\x80\0\x0d\0\0\0\0\0\0\0"), "a.rar",
	    REFUSED_ENCRYPTED },
	{ BYTES_ROW(RAR5 "\0\0\0\0\4\1\0\1\0"), "a.part1.rar", REFUSED_SPLIT },
	{ BYTES_ROW(RAR5 "\0\0\0\0\5\1\1\x80\1\1\0"), "a.part1.rar",
	    REFUSED_SPLIT },
	{ BYTES_ROW(RAR5 "\0\0\0\0\4\4\0\1\0"), "a.rar", REFUSED_ENCRYPTED },
	{ BYTES_ROW(RAR5), "a.rar", REFUSED_BROKEN },
	{ BYTES_ROW("Rar!\x1a\7\1\x29\0\0\0\0\0\0\0"), "a.rar",
	    REFUSED_BROKEN },
	{ BYTES_ROW("MSCF\0\0\0\0\x40\0\0\0\0\0\0\0\x2c\0\0\0\0\0\0\0\3\1\1\0"
		    "\1\0\2\0\0\0\0\0"),
	    "a.cab", REFUSED_SPLIT },
	{ BYTES_ROW("7z\xbc\xaf\x27\x1c\0\4\0\0\0\0\x20\0\0\0\0\0\0\0"
		    "\x20\0\0\0\0\0\0\0\0\0\0\0"),
	    "a.7z.001", REFUSED_SPLIT },
	{ BYTES_ROW("7z\xbc\xaf\x27\x1c\0\4\0\0\0\0\x20\0\0\0\0\0\0\0"
		    "\x20\0\0\0\0\0\0\0\0\0\0\0"),
	    "a.7z", REFUSED_BROKEN },
	{ BYTES_ROW("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0"), "a.zip.001",
	    REFUSED_SPLIT },
	{ BYTES_ROW("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0"), "a.zip",
	    REFUSED_BROKEN },
	{ BYTES_ROW("ISc(\0\0\0\0\0\0\0\0"), "a.cab", REFUSED_TYPE },
};

START_TEST(archive_of_several_volumes_is_refused)
{
	struct drive_detox t;

	begin(&t);
	drive_detox_run(&t, volumes[_i].head, volumes[_i].name);
	check_refused(&t, volumes[_i].why);
	drive_detox_release(&t);
}
END_TEST

Suite *
archive_suite(void)
{
	Suite *s = suite_create("archive");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, archive_comes_out_as_zip, 0, COUNT(kinds));
	tcase_add_loop_test(t, archive_is_the_same_every_time, 0, COUNT(kinds));
	tcase_add_loop_test(t, archive_may_end_anywhere, 0, COUNT(kinds));
	tcase_add_loop_test(
	    t, archive_of_other_writers_is_read, 0, COUNT(vectors));
	tcase_add_loop_test(
	    t, archive_of_one_file_has_its_name, 0, COUNT(packed));
	tcase_add_test(t, archive_of_zeros_is_a_file);
	tcase_add_test(t, archive_without_entries_comes_out_empty);
	tcase_add_loop_test(
	    t, archive_loses_what_cannot_be_rebuilt, 0, COUNT(kinds));
	tcase_add_test(t, archive_loses_what_systems_put_in_it);
	tcase_add_test(t, archive_notice_takes_no_name_away);
	tcase_add_test(t, archive_within_others_is_rebuilt);
	tcase_add_test(t, archive_nests_to_the_limit);
	tcase_add_loop_test(
	    t, archive_has_entries_to_the_limit, 0, COUNT(kinds));
	tcase_add_loop_test(t, archive_unpacks_to_the_limit, 0, COUNT(kinds));
	tcase_add_loop_test(
	    t, archive_that_packs_too_well_is_a_bomb, 0, COUNT(kinds));
	tcase_add_test(t, archive_loses_an_entry_that_is_too_large);
	tcase_add_loop_test(
	    t, archive_with_dangerous_entries_is_refused, 0, COUNT(dangerous));
	tcase_add_test(t, archive_loses_links_that_stay_inside);
	tcase_add_test(t, archive_gives_names_that_are_the_same_a_number);
	tcase_add_loop_test(
	    t, archive_that_is_encrypted_is_refused, 0, COUNT(encrypted));
	tcase_add_loop_test(
	    t, archive_of_several_volumes_is_refused, 0, COUNT(volumes));
	suite_add_tcase(s, t);
	return s;
}
