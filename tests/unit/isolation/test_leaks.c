/* SPDX-License-Identifier: Apache-2.0 */
/* Leak canaries in the settings. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "filters/dlp/words.h"
#include "proxy/isolation/model.h"
#include "proxy/zone/zone.h"

Suite *leaks_suite(void);

#define E "0000000000000000000000000000000000000000000000000000000000000002"
#define D "0000000000000000000000000000000000000000000000000000000000000001"
#define BODIES                                                         \
	"zones = ( { name = \"m\"; kind = \"mynumber\"; } ); bodies =" \
	" ( { code = \"990019\"; name_ja = \"市\"; segments ="        \
	" ( { prefix = \"10.1.3.0/24\"; zone = \"m\"; } ); } );"       \
	" isolation = { lgwan = [\"10.9.0.0/16\"]; };"                 \
	" provision = ( { name = \"p\"; addresses = [\"10.9.0.10\"];"  \
	" certificate = \"" D "\"; owner = \"o\"; } );"                \
	" systems = ( { name = \"juki\"; body = \"990019\"; addresses" \
	" = [\"10.1.3.10\"]; certificate = \"" E "\"; purposes ="      \
	" [\"税\"]; owner = \"o\"; endpoints = [\"p\"]; probe_key ="  \
	" \"none\"; } );\n"
#define CANARY(name, more) "{ name = \"" name "\"; owner = \"o\"; " more " }"
#define ALL(more) BODIES "leak_canaries = (\n" more "\n);\n"

static struct arena arena;
static struct err err;
static char folder[] = "/tmp/sekisho-leaks-XXXXXX";

static void
setup(void)
{
	char path[64];
	FILE *f;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/bait.docx", folder);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fputs("abc", f), 1);
	ck_assert_int_eq(fclose(f), 0);
}

static void
teardown(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/bait.docx", folder);
	unlink(path);
	rmdir(folder);
	arena_release(&arena);
}

static struct isolation_model *
load(const char *text)
{
	struct isolation_model *m;
	config_t config;
	struct zones *z;

	config_init(&config);
	ck_assert_msg(config_read_string(&config, text) == CONFIG_TRUE,
	    "%d: %s", config_error_line(&config), config_error_text(&config));
	err.text[0] = '\0';
	z = zones_load(config_root_setting(&config), &arena, &err);
	ck_assert_msg(z != NULL, "%s", err.text);
	m = isolation_load(config_root_setting(&config), z, folder,
	    (time_t)1795748400, &arena, &err);
	config_destroy(&config);
	return m;
}

START_TEST(leaks_are_what_the_settings_say)
{
	static const uint8_t abc[] = { 0xba, 0x78, 0x16, 0xbf };
	struct isolation_model *m = load(ALL(CANARY("numbers",
	    "numbers = [\"123456789018\","
	    " \"621498320250\"]; system = \"juki\";") "," CANARY("rest",
	    "markers = [\"霞が関 花子\"]; files ="
	    " [\"bait.docx\", \"" D "\"];")));
	const struct leak_canary *c;

	ck_assert_msg(m != NULL, "%s", err.text);
	ck_assert_uint_eq(m->leak_canaries_n, 2);
	ck_assert_uint_eq(m->leak_items_n, 5);
	c = isolation_leak_canary(m, BYTES("numbers"));
	ck_assert_ptr_nonnull(c);
	ck_assert_str_eq(c->system->name, "juki");
	c = isolation_leak_canary(m, BYTES("rest"));
	ck_assert_ptr_nonnull(c);
	ck_assert_ptr_null(c->system);
	ck_assert_ptr_null(isolation_leak_canary(m, BYTES("other")));
	ck_assert_str_eq(m->leak_items[1].number, "621498320250");
	ck_assert_str_eq(m->leak_items[2].marker, "霞が関 花子");
	ck_assert_str_eq(m->leak_items[3].name, "rest");
	ck_assert_mem_eq(m->leak_items[3].digest, abc, sizeof(abc));
	ck_assert_int_eq(m->leak_items[4].digest[31], 1);
}
END_TEST

/* %s: the folder. What is secret of a canary is never told. */
static const struct {
	const char *text, *want;
} bad[] = {
	{ CANARY("a", ""),
	    "settings:3: canary \"a\" has nothing to be known by, expected"
	    " numbers, markers or files" },
	{ CANARY("a b", "numbers = [\"123456789018\"];"),
	    "settings:3: name is \"a b\", expected letters and digits, with"
	    " - _ . behind the first" },
	{ "{ name = \"a\"; owner = \" \"; numbers = [\"123456789018\"]; }",
	    "settings:3: owner is blank, expected words" },
	{ CANARY("a", "numbers = [\"12345678901\"];"),
	    "settings:3: numbers has what is no number of twelve digits,"
	    " expected one such as \"123456789012\"" },
	{ CANARY("a", "numbers = [\"1234567890123\"];"),
	    "settings:3: numbers has what is no number of twelve digits,"
	    " expected one such as \"123456789012\"" },
	{ CANARY("a", "numbers = [\"202611271200\"];"),
	    "settings:3: numbers has one that is a date and a time, or begins"
	    " with more than 3 zeros, expected another" },
	{ CANARY("a", "numbers = [\"000012345678\"];"),
	    "settings:3: numbers has one that is a date and a time, or begins"
	    " with more than 3 zeros, expected another" },
	{ CANARY("a", "markers = [\"abcde\"];"),
	    "settings:3: markers has one of 5 bytes, or with blanks around it,"
	    " expected 6 to 64" },
	{ CANARY("a", "markers = [\"abcdef \"];"),
	    "settings:3: markers has one of 7 bytes, or with blanks around it,"
	    " expected 6 to 64" },
	{ CANARY("a",
	      "markers = [\"12345678901234567890123456789012345678901234567890"
	      "123456789012345\"];"),
	    "settings:3: markers has one of 65 bytes, or with blanks around"
	    " it, expected 6 to 64" },
	{ CANARY("a", "files = [\"none\"];"),
	    "settings:3: files has \"none\", expected 64 hexadecimal digits"
	    " (its SHA-256) or a file: %s/none: cannot be read: No such file "
	    "or directory" },
	{ CANARY("a", "numbers = [\"123456789018\"]; system = \"zei\";"),
	    "settings:3: system is \"zei\", expected a name of systems" },
	{ CANARY("a", "numbers = [\"123456789018\"];") ",\n" CANARY(
	      "a", "numbers = [\"621498320257\"];"),
	    "settings:4: canary \"a\" is there twice, first at settings:3" },
	{ CANARY("a", "numbers = [\"123456789018\"];") ",\n" CANARY(
	      "b", "numbers = [\"123456789018\"];"),
	    "settings:4: numbers has what \"a\" has too, expected each once" },
	{ CANARY("a", "markers = [\"abcdef\"];") ",\n" CANARY(
	      "b", "markers = [\"ABCdef\"];"),
	    "settings:4: markers has what \"a\" has too, expected each once" },
	{ CANARY("a", "files = [\"" D "\", \"" D "\"];"),
	    "settings:3: files has what \"a\" has too, expected each once" },
};

START_TEST(leaks_settings_are_strict)
{
	const char *percent = strchr(bad[_i].want, '%');
	char text[4096], want[512];

	snprintf(text, sizeof(text), ALL("%s"), bad[_i].text);
	if (percent == NULL)
		snprintf(want, sizeof(want), "%s", bad[_i].want);
	else
		snprintf(want, sizeof(want), "%.*s%s%s",
		    (int)(percent - bad[_i].want), bad[_i].want, folder,
		    percent + 2);
	ck_assert(load(text) == NULL);
	ck_assert_str_eq(err.text, want);
}
END_TEST

/* Markers with a blank, 63 of each canary; then one more without. */
static const char *
many(size_t n, bool more)
{
	const char *text = BODIES "leak_canaries = (\n";

	for (size_t i = 0; i < n; i++)
		text = arena_printf(&arena, "%s%s\"a word %zu\"", text,
		    i == 0            ? "{ name = \"c0\"; owner = \"o\";"
					" markers = ["
			: i % 63 == 0 ? "]; }, { name = \"c1\"; owner ="
					" \"o\"; markers = ["
				      : ", ",
		    i);
	return arena_printf(
	    &arena, "%s%s]; } );", text, more ? ", \"oneword\"" : "");
}

START_TEST(leaks_words_have_a_limit)
{
	struct isolation_model *m = load(many(85, true));

	ck_assert_msg(m != NULL, "%s", err.text);
	ck_assert_uint_eq(m->leak_words_n, WORDS_MAX);
	ck_assert(load(many(86, false)) == NULL);
	ck_assert_str_eq(err.text,
	    "settings:3: markers of canaries are more than 256 words, of which"
	    " one with a blank is three");
}
END_TEST

Suite *
leaks_suite(void)
{
	Suite *s = suite_create("leaks");
	TCase *t = tcase_create("leaks");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, leaks_are_what_the_settings_say);
	tcase_add_test(t, leaks_words_have_a_limit);
	tcase_add_loop_test(t, leaks_settings_are_strict, 0, (int)COUNT(bad));
	suite_add_tcase(s, t);
	return s;
}
