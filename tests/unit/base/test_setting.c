/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/setting.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct shop {
	uint32_t doors;
	uint64_t open_ms;
	size_t room, vault;
	bool warm;
	const char *sign, *owner;
	struct texts goods;
};

static const struct setting table[] = {
	SETTING(shop, doors, COUNT, 2, 1, 65536, "Doors.", "戸口。"),
	SETTING_SECONDS_ROW(shop, open, 10, 0.5, 300, "Open.", "開店。"),
	SETTING(shop, room, SIZE, 65536, 1024, 1048576, "Room.", "広さ。"),
	SETTING(shop, vault, SIZE, 1e12, 0, 1e13, "Vault.", "金庫。"),
	SETTING(shop, warm, FLAG, true, 0, 1, "Warm.", "暖房。"),
	SETTING_TEXT_ROW(shop, sign, "shop", 0, 8, "Sign.", "看板。"),
	SETTING_TEXT_ROW(shop, owner, NULL, 1, 8, "Owner.", "店主。"),
	SETTING(shop, goods, TEXTS, 0, 1, 3, "Goods.", "品。"),
	SETTING_NEST_ROW(shelves, "Shelves.", "棚。"),
};

static struct arena arena;
static struct err err;

static void
teardown(void)
{
	arena_release(&arena);
}

static int
load(const char *text, struct shop *s)
{
	config_t config;
	int result;

	config_init(&config);
	ck_assert_msg(config_read_string(&config, text) == CONFIG_TRUE, "%s",
	    config_error_text(&config));
	result = setting_load(
	    table, COUNT(table), config_root_setting(&config), s, &arena, &err);
	config_destroy(&config);
	return result;
}

/* A key, as the file gives it, with the one that must be there. */
#define OWNER "owner = \"a\";\n"

static const struct {
	const char *text;
	double want;
	const char *error; /* NULL: loaded */
} numbers[] = {
	{ "", 2, NULL },
	{ "doors = 1;", 1, NULL },
	{ "doors = 65536;", 65536, NULL },
	{ "doors = 65536L;", 65536, NULL },
	{ "doors = 3.0;", 3, NULL },
	{ "doors = 0x10;", 16, NULL },
	{ "doors = 0;", 0, "doors is 0, expected 1 to 65536" },
	{ "doors = 65537;", 0, "doors is 65537, expected 1 to 65536" },
	{ "doors = -1;", 0, "doors is -1, expected 1 to 65536" },
	{ "doors = 4294967298L;", 0,
	    "doors is 4294967298, expected 1 to 65536" },
	{ "doors = 1.5;", 0, "doors: expected a whole number" },
	{ "doors = \"2\";", 0, "doors: expected a number" },
	{ "doors = true;", 0, "doors: expected a number" },
	{ "doors = [2];", 0, "doors: expected a number" },
	{ "doors = 1e999;", 0, "doors: expected a number" },
};

START_TEST(setting_count_keeps_its_bounds)
{
	struct shop s;
	int got = load(arena_printf(&arena, OWNER "%s", numbers[_i].text), &s);

	ck_assert_msg((got == 0) == (numbers[_i].error == NULL), "%s: %s",
	    numbers[_i].text, err.text);
	if (got == 0)
		ck_assert_uint_eq(s.doors, (uint32_t)numbers[_i].want);
	else
		ck_assert_str_eq(err.text,
		    arena_printf(&arena, "settings:2: %s", numbers[_i].error));
}
END_TEST

static const struct {
	const char *text;
	uint64_t want_ms;
	const char *error;
} seconds[] = {
	{ "", 10000, NULL },
	{ "open = 2;", 2000, NULL },
	{ "open = 0.5;", 500, NULL },
	{ "open = 300;", 300000, NULL },
	{ "open = 1.001;", 1001, NULL },
	{ "open = 0.57;", 570, NULL },
	{ "open = 8.2;", 8200, NULL },
	{ "open = 0.499;", 0, "open is 0.499, expected 0.5 to 300" },
	{ "open = 300.001;", 0, "open is 300.001, expected 0.5 to 300" },
	{ "open = \"2 s\";", 0, "open: expected a number" },
};

START_TEST(setting_seconds_become_milliseconds)
{
	struct shop s;
	int got = load(arena_printf(&arena, OWNER "%s", seconds[_i].text), &s);

	ck_assert_msg((got == 0) == (seconds[_i].error == NULL), "%s: %s",
	    seconds[_i].text, err.text);
	if (got == 0)
		ck_assert_uint_eq(s.open_ms, seconds[_i].want_ms);
	else
		ck_assert_str_eq(err.text,
		    arena_printf(&arena, "settings:2: %s", seconds[_i].error));
}
END_TEST

#define NO_SIZE "room: expected a size such as 4096 or \"64 KiB\""

static const struct {
	const char *text;
	size_t want;
	const char *error;
} sizes[] = {
	{ "", 65536, NULL },
	{ "room = 1024;", 1024, NULL },
	{ "room = 1048576;", 1048576, NULL },
	{ "room = \"1 KiB\";", 1024, NULL },
	{ "room = \"1MiB\";", 1048576, NULL },
	{ "room = \"1.5 KiB\";", 1536, NULL },
	{ "room = \"2048 B\";", 2048, NULL },
	{ "room = 1023;", 0, "room is 1023, expected 1024 to 1048576" },
	{ "room = 1048577;", 0, "room is 1048577, expected 1024 to 1048576" },
	{ "room = \"1 GiB\";", 0,
	    "room is 1073741824, expected 1024 to 1048576" },
	{ "room = \"-1 KiB\";", 0, "room is -1024, expected 1024 to 1048576" },
	{ "room = 1024.5;", 0, "room: expected a whole number" },
	{ "room = \"1025.5 B\";", 0, "room: expected a whole number" },
	{ "room = \"2048\";", 0, NO_SIZE },
	{ "room = \"1 KB\";", 0, NO_SIZE },
	{ "room = \"1 kib\";", 0, NO_SIZE },
	{ "room = \"1 KiB \";", 0, NO_SIZE },
	{ "room = \"KiB\";", 0, NO_SIZE },
	{ "room = \"\";", 0, NO_SIZE },
	{ "room = \"inf KiB\";", 0, NO_SIZE },
	{ "room = \"nan B\";", 0, NO_SIZE },
	{ "room = true;", 0, NO_SIZE },
};

START_TEST(setting_size_has_units)
{
	struct shop s;
	int got = load(arena_printf(&arena, OWNER "%s", sizes[_i].text), &s);

	ck_assert_msg((got == 0) == (sizes[_i].error == NULL), "%s: %s",
	    sizes[_i].text, err.text);
	if (got == 0)
		ck_assert_uint_eq(s.room, sizes[_i].want);
	else
		ck_assert_str_eq(err.text,
		    arena_printf(&arena, "settings:2: %s", sizes[_i].error));
}
END_TEST

static const struct {
	const char *text;
	const char *want; /* sign, goods one behind the other */
	const char *error;
} texts[] = {
	{ OWNER, "shop:", NULL },
	{ OWNER "sign = \"\";", ":", NULL },
	{ OWNER "sign = \"12345678\";", "12345678:", NULL },
	{ OWNER "sign = \"123456789\";", NULL,
	    "2: sign has 9 bytes, expected 0 to 8" },
	{ OWNER "sign = \"関所\";", "関所:", NULL },
	{ OWNER "sign = \"関所県\";", NULL,
	    "2: sign has 9 bytes, expected 0 to 8" },
	{ OWNER "sign = 1;", NULL, "2: sign: expected a string in quotes" },
	{ OWNER "goods = (\"a\", \"b\", \"c\");", "shop:abc", NULL },
	{ OWNER "goods = [\"a\"];", "shop:a", NULL },
	{ OWNER "goods = ();", NULL,
	    "2: goods has 0 members, expected 1 to 3" },
	{ OWNER "goods = (\"a\", \"b\", \"c\", \"d\");", NULL,
	    "2: goods has 4 members, expected 1 to 3" },
	{ OWNER "goods = \"a\";", NULL,
	    "2: goods: expected a list of strings" },
	{ OWNER "goods = { a = \"a\"; };", NULL,
	    "2: goods: expected a list of strings" },
	{ OWNER "goods = (1);", NULL, "2: goods: expected strings in quotes" },
	{ OWNER "goods = ((\"a\"));", NULL,
	    "2: goods: expected strings in quotes" },
	{ "owner = \"\";", NULL, "1: owner has 0 bytes, expected 1 to 8" },
	{ "sign = \"a\";", NULL, "1: owner is missing, expected a string" },
	{ OWNER "warm = false;", "shop:", NULL },
	{ OWNER "warm = 0;", NULL, "2: warm: expected true or false" },
	{ OWNER "warm = \"true\";", NULL, "2: warm: expected true or false" },
	{ OWNER "shelves = ();", "shop:", NULL },
	{ OWNER "window = 1;", NULL,
	    "2: unknown key \"window\", expected one of: doors open room vault "
	    "warm"
	    " sign owner goods shelves" },
	{ OWNER "Doors = 1;", NULL,
	    "2: unknown key \"Doors\", did you mean \"doors\"?" },
	{ OWNER "ower = 1;", NULL,
	    "2: unknown key \"ower\", did you mean \"owner\"?" },
	{ OWNER "shelvse = 1;", NULL,
	    "2: unknown key \"shelvse\", did you mean \"shelves\"?" },
	{ OWNER "helvs12 = 1;", NULL,
	    "2: unknown key \"helvs12\", expected one of: doors open room "
	    "vault warm"
	    " sign owner goods shelves" },
	{ OWNER "open_ms = 1;", NULL,
	    "2: unknown key \"open_ms\", expected one of: doors open room "
	    "vault warm"
	    " sign owner goods shelves" },
};

START_TEST(setting_texts_keep_their_bounds)
{
	struct shop s;
	int got = load(texts[_i].text, &s);
	const char *all = "";

	ck_assert_msg((got == 0) == (texts[_i].error == NULL), "%s: %s",
	    texts[_i].text, err.text);
	if (got < 0) {
		ck_assert_str_eq(err.text,
		    arena_printf(&arena, "settings:%s", texts[_i].error));
		return;
	}
	for (size_t i = 0; i < s.goods.n; i++)
		all = arena_printf(&arena, "%s%s", all, s.goods.p[i]);
	ck_assert_str_eq(
	    arena_printf(&arena, "%s:%s", s.sign, all), texts[_i].want);
	ck_assert_str_eq(s.owner, "a");
	ck_assert(s.warm == (strstr(texts[_i].text, "warm = false") == NULL));
}
END_TEST

START_TEST(setting_absent_group_gives_defaults)
{
	struct shop s;

	/* all but the key that must be given */
	ck_assert(setting_load(table, 6, NULL, &s, &arena, &err) == 0);
	ck_assert_uint_eq(s.doors, 2);
	ck_assert_uint_eq(s.open_ms, 10000);
	ck_assert_uint_eq(s.room, 65536);
	ck_assert(s.warm);
	ck_assert_str_eq(s.sign, "shop");
	ck_assert(
	    setting_load(table, COUNT(table), NULL, &s, &arena, &err) == -1);
	ck_assert_str_eq(err.text, "settings: owner is missing");
}
END_TEST

START_TEST(setting_group_is_a_group)
{
	config_t config;
	struct shop s;

	config_init(&config);
	ck_assert(config_read_string(&config, "\nshop = ( 1 );"));
	ck_assert(setting_load(table, COUNT(table),
		      config_lookup(&config, "shop"), &s, &arena, &err) == -1);
	ck_assert_str_eq(err.text, "settings:2: expected a group { … }");
	config_destroy(&config);
}
END_TEST

START_TEST(setting_list_tells_absent_from_wrong)
{
	config_t config;
	const config_setting_t *root;

	config_init(&config);
	ck_assert(config_read_string(
	    &config, "a = ( 1 ); b = [ 1 ]; c = 1; d = { };"));
	root = config_root_setting(&config);
	ck_assert(setting_list(root, "a", &err) != NULL);
	ck_assert(setting_list(root, "b", &err) != NULL);
	err.text[0] = 'x';
	ck_assert(setting_list(root, "none", &err) == NULL);
	ck_assert_str_eq(err.text, "");
	ck_assert(setting_list(root, "c", &err) == NULL);
	ck_assert_str_eq(err.text, "settings:1: c: expected a list ( … )");
	ck_assert(setting_list(root, "d", &err) == NULL);
	ck_assert_str_eq(err.text, "settings:1: d: expected a list ( … )");
	config_destroy(&config);
}
END_TEST

static const struct {
	const char *name;
	const char *text; /* NULL: no file */
	const char *want; /* behind the path; NULL: read */
} files[] = {
	{ "a file", "a = 1;\n", NULL },
	{ "an empty file", "", NULL },
	{ "no file", NULL, ": cannot be read: No such file or directory" },
	{ "a key twice", "a = 1;\na = 2;\n",
	    ":2: duplicate setting name, expected libconfig syntax" },
	{ "a key twice in a group", "a = {\n b = 1;\n b = 1; };\n",
	    ":3: duplicate setting name, expected libconfig syntax" },
	{ "a value missing", "a = ;\n",
	    ":1: syntax error, expected libconfig syntax" },
	{ "half a file", "a = {\n b = 1;\n",
	    ":3: syntax error, expected libconfig syntax" },
};

START_TEST(setting_file_is_read_strictly)
{
	char path[] = "/tmp/sekisho-setting-XXXXXX";
	int fd = mkstemp(path);
	config_t config;
	int got;

	ck_assert(fd >= 0);
	if (files[_i].text == NULL)
		unlink(path);
	else
		ck_assert(
		    write(fd, files[_i].text, strlen(files[_i].text)) >= 0);
	close(fd);
	got = setting_read(path, &config, &err);
	unlink(path);
	ck_assert_msg((got == 0) == (files[_i].want == NULL), "%s: %s",
	    files[_i].name, err.text);
	if (got < 0)
		ck_assert_str_eq(err.text,
		    arena_printf(&arena, "%s%s", path, files[_i].want));
	config_destroy(&config);
}
END_TEST

START_TEST(setting_include_stands_beside_the_file)
{
	char folder[] = "/tmp/sekisho-setting-XXXXXX";
	const char *main_file;
	const char *other_file;
	config_t config;
	FILE *f;

	ck_assert(mkdtemp(folder) != NULL);
	main_file = arena_printf(&arena, "%s/main", folder);
	other_file = arena_printf(&arena, "%s/other", folder);
	f = fopen(main_file, "w");
	ck_assert(f != NULL);
	fputs("a = 1;\n@include \"other\"\n", f);
	fclose(f);
	f = fopen(other_file, "w");
	ck_assert(f != NULL);
	fputs("# two\nb = ;\n", f);
	fclose(f);
	ck_assert(setting_read(main_file, &config, &err) == -1);
	ck_assert_str_eq(
	    err.text, "other:2: syntax error, expected libconfig syntax");
	config_destroy(&config);
	unlink(main_file);
	unlink(other_file);
	rmdir(folder);
}
END_TEST

START_TEST(setting_manual_has_every_key)
{
	static const struct setting_group group = { "shop", table, COUNT(table),
		"A shop.", "店。" };
	char *words = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&words, &n);

	ck_assert(out != NULL);
	setting_manual(out, &group, 1, "ja");
	setting_manual(out, &group, 1, "en");
	fclose(out);
	ck_assert(
	    strstr(words, "| `doors` | number | 2 | 1 – 65536 | Doors. |\n") !=
	    NULL);
	ck_assert(strstr(words,
		      "| `doors` | 整数 | 2 | 1 – 65536 | 戸口。 |\n") != NULL);
	ck_assert(strstr(words,
		      "| `owner` | text | required |  | Owner. |\n") != NULL);
	for (size_t i = 0; i < COUNT(table); i++)
		ck_assert(strstr(words,
			      arena_printf(&arena, "| `%s` |", table[i].key)) !=
		    NULL);
	free(words);
}
END_TEST

Suite *setting_suite(void);

/* More than any count can be. */
START_TEST(setting_size_may_be_large)
{
	struct shop s;

	ck_assert_int_eq(load(OWNER, &s), 0);
	ck_assert_uint_eq(s.vault, 1000000000000);
	ck_assert_int_eq(load(OWNER "vault = \"20 GiB\";", &s), 0);
	ck_assert_uint_eq(s.vault, (size_t)20 << 30);
}
END_TEST

Suite *
setting_suite(void)
{
	Suite *s = suite_create("setting");
	TCase *t = tcase_create("setting");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_loop_test(
	    t, setting_count_keeps_its_bounds, 0, COUNT(numbers));
	tcase_add_loop_test(
	    t, setting_seconds_become_milliseconds, 0, COUNT(seconds));
	tcase_add_loop_test(t, setting_size_has_units, 0, COUNT(sizes));
	tcase_add_test(t, setting_size_may_be_large);
	tcase_add_loop_test(
	    t, setting_texts_keep_their_bounds, 0, COUNT(texts));
	tcase_add_test(t, setting_absent_group_gives_defaults);
	tcase_add_test(t, setting_group_is_a_group);
	tcase_add_test(t, setting_list_tells_absent_from_wrong);
	tcase_add_loop_test(t, setting_file_is_read_strictly, 0, COUNT(files));
	tcase_add_test(t, setting_include_stands_beside_the_file);
	tcase_add_test(t, setting_manual_has_every_key);
	suite_add_tcase(s, t);
	return s;
}
