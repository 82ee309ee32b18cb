/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/dlp/body.h"

#include <check.h>
#include <string.h>

#include "tests/unit/dlp/drive.h"

/* Published examples; see docs/DLP.md. */
#define ONE "123456789018"
#define TWO "621498320257"

#define PART(head, body) "------sekisho\r\n" head "\r\n\r\n" body "\r\n"
#define FIELD(name, value) \
	PART("Content-Disposition: form-data; name=\"" name "\"", value)
#define FILE_PART(name, type, body)                                         \
	PART("Content-Disposition: form-data; name=\"f\"; filename=\"" name \
	     "\"\r\nContent-Type: " type,                                   \
	    body)
#define LAST "------sekisho--\r\n"

static const struct {
	const char *name;
	enum dlp_container container;
	struct bytes text;
	uint32_t distinct, possible;
	const char *why;
} cases[] = {
	{ "form: a field's name is a label", DLP_FORM,
	    BYTES_ROW("a=1&mynumber=" ONE "&b=2"), 1, 0, NULL },
	{ "form: no name", DLP_FORM, BYTES_ROW(ONE), 0, 1, NULL },
	{ "form: other names", DLP_FORM, BYTES_ROW("a=" ONE), 0, 1, NULL },
	{ "form: the name before is no label", DLP_FORM,
	    BYTES_ROW("order=1&mynumber=" ONE "&order=" TWO), 1, 1, NULL },
	{ "form: a label of another field is none", DLP_FORM,
	    BYTES_ROW("t=mynumber&order=1&a=" ONE), 1, 0, NULL },
	{ "form: escaped", DLP_FORM,
	    BYTES_ROW("%E5%80%8B%E4%BA%BA%E7%95%AA%E5%8F%B7=%31%323456789018"),
	    1, 0, NULL },
	{ "form: escaped full-width", DLP_FORM,
	    BYTES_ROW("mynumber=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94"
		      "56789018"),
	    1, 0, NULL },
	{ "form: blanks as plus", DLP_FORM,
	    BYTES_ROW("mynumber=1234+5678+9018"), 1, 0, NULL },
	{ "form: a bad escape is read on", DLP_FORM,
	    BYTES_ROW("a=%zz&mynumber=" ONE), 1, 0, "a bad escape" },
	{ "form: a bad second digit", DLP_FORM, BYTES_ROW("a=%4&mynumber=" ONE),
	    1, 0, "a bad escape" },
	{ "form: an escape that is cut", DLP_FORM,
	    BYTES_ROW("mynumber=" ONE "&b=%4"), 1, 0, "a bad escape" },
	{ "json: a name is a label", DLP_JSON,
	    BYTES_ROW("{\"a\":1,\"mynumber\":\"" ONE "\"}"), 1, 0, NULL },
	{ "json: a number", DLP_JSON, BYTES_ROW("{\"myNumber\":" ONE "}"), 1, 0,
	    NULL },
	{ "json: the name before is no label", DLP_JSON,
	    BYTES_ROW("{\"mynumber\":null,\"order\":\"" ONE "\"}"), 0, 1,
	    NULL },
	{ "json: a label of another field is none", DLP_JSON,
	    BYTES_ROW("{\"t\":\"mynumber\",\"order\":1,\"a\":\"" ONE "\"}"), 1,
	    0, NULL },
	{ "json: escapes", DLP_JSON,
	    BYTES_ROW("{\"\\u500b\\u4eba\\u756a\\u53f7\":\"\\u0031\\uff12"
		      "3456789018\"}"),
	    1, 0, NULL },
	{ "json: a surrogate pair", DLP_JSON,
	    BYTES_ROW("{\"mynumber\":\"\\ud83d\\ude00" ONE "\"}"), 1, 0, NULL },
	{ "json: half a surrogate pair", DLP_JSON,
	    BYTES_ROW("{\"mynumber\":\"\\ud83d" ONE "\"}"), 1, 0,
	    "half a character" },
	{ "json: the second half alone", DLP_JSON,
	    BYTES_ROW("{\"mynumber\":\"\\ude00" ONE "\"}"), 1, 0,
	    "half a character" },
	{ "json: a quote within", DLP_JSON,
	    BYTES_ROW("{\"mynumber\":\"\\\"\\\\\\/" ONE "\"}"), 1, 0, NULL },
	{ "json: a line end within", DLP_JSON,
	    BYTES_ROW("{\"t\":\"個人番号\\n" ONE "\"}"), 1, 0, NULL },
	{ "json: rows", DLP_JSON,
	    BYTES_ROW("[[\"氏名\",\"個人番号\"],[\"a\",\"" ONE
		      "\"],[\"b\",\"" TWO "\"]]"),
	    2, 0, NULL },
	{ "json: rows of which another column is headed", DLP_JSON,
	    BYTES_ROW("[[\"個人番号\",\"受付番号\"],[\"\",\"" ONE
		      "\"],[\"\",\"" TWO "\"]]"),
	    0, 2, NULL },
	{ "json: a digit per cell", DLP_JSON,
	    BYTES_ROW("{\"mynumber\":[1,2,3,4,5,6,7,8,9,0,1,8]}"), 1, 0, NULL },
	{ "json: lines", DLP_JSON,
	    BYTES_ROW("{\"mynumber\":" ONE "}\n{\"mynumber\":" TWO "}\n"), 2, 0,
	    NULL },
	{ "json: brackets that do not match", DLP_JSON,
	    BYTES_ROW("{\"mynumber\":" ONE "]"), 1, 0,
	    "brackets that do not match" },
	{ "json: cut", DLP_JSON, BYTES_ROW("{\"mynumber\":\"" ONE), 1, 0,
	    "it ends too early" },
	{ "json: a control", DLP_JSON,
	    BYTES_ROW("{\"mynumber\":\"\x01" ONE "\"}"), 1, 0,
	    "a control in a string" },
	{ "json: a bad escape", DLP_JSON,
	    BYTES_ROW("{\"mynumber\":\"\\x" ONE "\"}"), 0, 0, "a bad escape" },
	{ "csv: quotes", DLP_CSV,
	    BYTES_ROW("\"氏名\",\"個人番号\"\r\n\"a,b\nc\",\"" ONE "\"\r\n"), 1,
	    0, NULL },
	{ "csv: a line end within quotes ends no row", DLP_CSV,
	    BYTES_ROW("個人番号,備考,受付番号\nx,\"a\nb\"," ONE "\n"), 0, 1,
	    NULL },
	{ "csv: quotes within quotes", DLP_CSV,
	    BYTES_ROW("氏名,個人番号\n\"a\"\",\"\"b\"," ONE "\n"), 1, 0, NULL },
	{ "csv: semicolons", DLP_CSV,
	    BYTES_ROW("氏名;個人番号;受付番号\n1,2;x;" ONE "\n"), 0, 1, NULL },
	{ "csv: how Excel keeps zeroes", DLP_CSV,
	    BYTES_ROW("氏名,個人番号\na,=\"" ONE "\"\n"), 1, 0, NULL },
	{ "csv: a quote that does not end", DLP_CSV,
	    BYTES_ROW("氏名,個人番号\na,\"" ONE "\n"), 1, 0,
	    "a quote that does not end" },
	{ "html: a table", DLP_HTML,
	    BYTES_ROW("<table><tr><th>氏名<th>個人番号</th></tr><tr><td>個人"
		      "</td><td>" ONE "</td></tr></table>"),
	    1, 0, NULL },
	{ "html: tags within", DLP_HTML,
	    BYTES_ROW("<p>個人番号 <b>1234</b>5678<i>9018</i></p>"), 1, 0,
	    NULL },
	{ "html: references", DLP_HTML,
	    BYTES_ROW("&#20491;&#x4EBA;番号&nbsp;&#49;23456&#x37;89018"), 1, 0,
	    NULL },
	{ "html: a reference without its end", DLP_HTML,
	    BYTES_ROW("個人番号 &#x0031&#50"
		      "3456789018"),
	    0, 0, NULL },
	{ "html: a tag behind a reference without its end", DLP_HTML,
	    BYTES_ROW("個人番号 &#49<b>23456789018</b>"), 1, 0, NULL },
	{ "html: what is no reference", DLP_HTML,
	    BYTES_ROW("個人番号 &no; & " ONE), 1, 0, NULL },
	{ "html: attributes", DLP_HTML,
	    BYTES_ROW("<input name=\"mynumber\" value=\"" ONE "\">"), 1, 0,
	    NULL },
	{ "html: a tag that does not end", DLP_HTML,
	    BYTES_ROW("<input name=\"mynumber\" value=\"" ONE), 1, 0,
	    "a tag that does not end" },
	{ "multipart: a field", DLP_MULTIPART,
	    BYTES_ROW(FIELD("a", "1") FIELD("mynumber", ONE) LAST), 1, 0,
	    NULL },
	{ "multipart: two", DLP_MULTIPART,
	    BYTES_ROW(FIELD("mynumber", ONE) FIELD("mynumber", TWO) LAST), 2, 0,
	    NULL },
	{ "multipart: an empty field before", DLP_MULTIPART,
	    BYTES_ROW(FIELD("mynumber", "") FIELD("order", ONE) LAST), 0, 1,
	    NULL },
	{ "multipart: no body at all", DLP_MULTIPART,
	    BYTES_ROW("------sekisho\r\nX: y\r\n\r\n" FILE_PART("a.json",
		"application/json", "{\"\\u500b\\u4eba番号\":" ONE "}") LAST),
	    1, 0, NULL },
	{ "multipart: a line end is no nothing", DLP_MULTIPART,
	    BYTES_ROW(FIELD("mynumber", "12345\r\n6789018") LAST), 0, 0, NULL },
	{ "multipart: a csv file by its type", DLP_MULTIPART,
	    BYTES_ROW(FILE_PART(
		"a.bin", "text/csv", "氏名,個人番号\r\na,\"" ONE "\"") LAST),
	    1, 0, NULL },
	{ "multipart: a csv file by its name", DLP_MULTIPART,
	    BYTES_ROW(FILE_PART("A.CSV", "application/octet-stream",
		"個人番号,受付番号\r\n\"a\",\"" ONE "\"") LAST),
	    0, 1, NULL },
	{ "multipart: json", DLP_MULTIPART,
	    BYTES_ROW(FILE_PART("a.json", "application/json",
		"{\"\\u500b\\u4eba番号\":\"" ONE "\"}") LAST),
	    1, 0, NULL },
	{ "multipart: a file's name", DLP_MULTIPART,
	    BYTES_ROW(
		FILE_PART("マイナンバー " ONE " .txt", "text/plain", "a") LAST),
	    1, 0, NULL },
	{ "multipart: what looks like a boundary", DLP_MULTIPART,
	    BYTES_ROW(FIELD("mynumber", "\r\n------sekish\r\r\n--" ONE) LAST),
	    1, 0, NULL },
	{ "multipart: a carriage return before the boundary", DLP_MULTIPART,
	    BYTES_ROW(FIELD("mynumber", ONE "\r") LAST), 1, 0, NULL },
	{ "multipart: a preamble", DLP_MULTIPART,
	    BYTES_ROW("個人番号 " ONE "\r\n" FIELD("a", "b") LAST), 1, 0,
	    NULL },
	{ "multipart: an epilogue", DLP_MULTIPART,
	    BYTES_ROW(FIELD("a", "b") LAST "個人番号 " ONE), 1, 0, NULL },
	{ "multipart: no end", DLP_MULTIPART, BYTES_ROW(FIELD("mynumber", ONE)),
	    1, 0, "multipart without its end" },
	{ "multipart: no boundary at all", DLP_MULTIPART,
	    BYTES_ROW("mynumber " ONE), 1, 0, "multipart without its end" },
	{ "multipart: a head that does not end", DLP_MULTIPART,
	    BYTES_ROW("------sekisho\r\nmynumber " ONE), 1, 0,
	    "multipart without its end" },
	{ "multipart: another charset", DLP_MULTIPART,
	    BYTES_ROW(FILE_PART("a.txt", "text/plain; charset=Shift_JIS",
		"mynumber " ONE) LAST),
	    1, 0, NULL },
	{ "multipart: a charset that is not known", DLP_MULTIPART,
	    BYTES_ROW(FILE_PART(
		"a.txt", "text/plain; charset=klingon", "mynumber " ONE) LAST),
	    1, 0, "a part in a charset that is not known" },
	{ "multipart: encoded", DLP_MULTIPART,
	    BYTES_ROW(FILE_PART("a.txt",
		"text/plain\r\nContent-Transfer-Encoding: base64", "aa") LAST),
	    0, 0, "a part that is encoded" },
};

static void
check_case(size_t i, const struct dlp_report *got, const char *why, size_t cut)
{
	const struct dlp_count *c = &got->kinds[DLP_INDIVIDUAL];

	ck_assert_msg(c->distinct == cases[i].distinct &&
		c->possible == cases[i].possible,
	    "%s, cut %zu: %u, possible %u", cases[i].name, cut, c->distinct,
	    c->possible);
	ck_assert_msg((why == NULL) == (cases[i].why == NULL),
	    "%s, cut %zu: %s", cases[i].name, cut, why == NULL ? "fine" : why);
	if (why != NULL)
		ck_assert_str_eq(why, cases[i].why);
}

START_TEST(dlp_body_gives_text_with_its_labels)
{
	struct dlp_rules *r = drive_rules();
	struct bytes text = cases[_i].text;
	struct dlp_report got;
	const char *why;

	for (size_t cut = 0; cut <= text.n; cut++) {
		why = drive_dlp(r, cases[_i].container, text, cut, 0, &got);
		check_case((size_t)_i, &got, why, cut);
	}
	why = drive_dlp(r, cases[_i].container, text, 0, 1, &got);
	check_case((size_t)_i, &got, why, 0);
	dlp_rules_free(r);
}
END_TEST

static const struct {
	const char *type;
	enum dlp_container container;
	const char *boundary;
} types[] = {
	{ "", DLP_PLAIN, "" },
	{ "text/plain; charset=utf-8", DLP_PLAIN, "" },
	{ "Application/JSON", DLP_JSON, "" },
	{ "application/problem+json;a=b", DLP_JSON, "" },
	{ "+json", DLP_PLAIN, "" },
	{ "application/x-www-form-urlencoded", DLP_FORM, "" },
	{ "text/csv ; header=present", DLP_CSV, "" },
	{ "text/html", DLP_HTML, "" },
	{ "multipart/form-data; boundary=abc", DLP_MULTIPART, "abc" },
	{ "multipart/form-data; a=b; Boundary=\"a b\"", DLP_MULTIPART, "a b" },
	{ "multipart/form-data", DLP_MULTIPART, "" },
	{ "multipart/form-data; boundary=", DLP_MULTIPART, "" },
	{ "multipart/form-data; boundary=\"\"", DLP_MULTIPART, "" },
	{ "multipart/form-data; boundary=12345678901234567890123456789012345678"
	  "901234567890123456789012345678901",
	    DLP_MULTIPART, "" },
};

START_TEST(dlp_body_type_is_read)
{
	struct bytes type = bytes_of(types[_i].type);
	struct bytes boundary = dlp_boundary_of(type);

	ck_assert_int_eq(dlp_container_of(type), types[_i].container);
	ck_assert_msg(bytes_equal(boundary, bytes_of(types[_i].boundary)),
	    "%.*s", BYTES_PRINTF(boundary));
}
END_TEST

START_TEST(dlp_body_counts_files_that_nobody_read)
{
	struct dlp_rules *r = drive_rules();
	struct dlp *d = dlp_new(r);
	struct dlp_body *b =
	    dlp_body_new(d, DLP_MULTIPART, BYTES("----sekisho"));
	struct dlp_report got;

	dlp_body_push(b,
	    BYTES(FILE_PART("a.xlsx", "application/octet-stream",
		"PK") FILE_PART("b.txt", "application/octet-stream", "text")
		    FILE_PART("c", "text/x-c", "mynumber " ONE) FIELD("d", "e")
			FILE_PART("f.pdf", "application/pdf", "mynumber " TWO)
			    LAST));
	ck_assert_ptr_null(dlp_body_end(b));
	ck_assert_uint_eq(dlp_body_unread(b), 2);
	dlp_end(d, &got);
	/* looked at as text all the same */
	ck_assert_uint_eq(got.kinds[DLP_INDIVIDUAL].distinct, 2);
	dlp_body_free(b);
	dlp_free(d);
	dlp_rules_free(r);
}
END_TEST

/* Without a usable boundary it is text, and that is told. */
START_TEST(dlp_body_without_boundary_is_text)
{
	struct dlp_rules *r = drive_rules();
	struct dlp *d = dlp_new(r);
	struct dlp_body *b = dlp_body_new(d, DLP_MULTIPART, BYTES(""));
	struct dlp_report got;

	dlp_body_push(b, BYTES(FIELD("mynumber", ONE) LAST));
	ck_assert_str_eq(dlp_body_end(b), "multipart without a boundary");
	dlp_end(d, &got);
	ck_assert_uint_eq(got.kinds[DLP_INDIVIDUAL].distinct, 1);
	dlp_body_free(b);
	dlp_free(d);
	dlp_rules_free(r);
}
END_TEST

static struct dlp_report
repeat(enum dlp_container c, struct bytes head, struct bytes unit, size_t n,
    struct bytes tail, const char **why_out)
{
	struct dlp_rules *r = drive_rules();
	struct dlp *d = dlp_new(r);
	struct dlp_body *b = dlp_body_new(d, c, BYTES("----sekisho"));
	struct dlp_report got;

	dlp_body_push(b, head);
	for (size_t i = 0; i < n; i++)
		dlp_body_push(b, unit);
	dlp_body_push(b, tail);
	*why_out = dlp_body_end(b);
	dlp_end(d, &got);
	dlp_body_free(b);
	dlp_free(d);
	dlp_rules_free(r);
	return got;
}

/* What is over a limit is told, and what stands behind it is still found. */
START_TEST(dlp_body_limits_hide_nothing)
{
	const char *why;
	struct dlp_report got;

	got = repeat(DLP_JSON, BYTES(""), BYTES("[{\"a\":"), 33,
	    BYTES("{\"mynumber\":" ONE "}"), &why);
	ck_assert_str_eq(why, "too many levels");
	ck_assert_uint_eq(got.kinds[DLP_INDIVIDUAL].distinct, 1);
	got = repeat(DLP_HTML, BYTES("<a "), BYTES("xxxxxxxxxxxxxxxx"), 40,
	    BYTES(" mynumber " ONE ">"), &why);
	ck_assert_str_eq(why, "a long tag");
	ck_assert_uint_eq(got.kinds[DLP_INDIVIDUAL].distinct, 1);
	got = repeat(DLP_MULTIPART, BYTES("------sekisho\r\n"),
	    BYTES("X-A: b\r\n"), 1024, BYTES("mynumber " ONE), &why);
	ck_assert_str_eq(why, "a part with a long head");
	ck_assert_uint_eq(got.kinds[DLP_INDIVIDUAL].distinct, 1);
	got = repeat(DLP_CSV, BYTES("\""), BYTES("xxxxxxxxxxxxxxxx"), 4096,
	    BYTES(" mynumber " ONE "\""), &why);
	ck_assert_ptr_null(why);
	ck_assert_uint_eq(got.kinds[DLP_INDIVIDUAL].distinct, 1);
}
END_TEST

Suite *dlp_body_suite(void);

Suite *
dlp_body_suite(void)
{
	Suite *s = suite_create("dlp_body");
	TCase *t = tcase_create("dlp_body");

	tcase_add_loop_test(
	    t, dlp_body_gives_text_with_its_labels, 0, COUNT(cases));
	tcase_add_loop_test(t, dlp_body_type_is_read, 0, COUNT(types));
	tcase_add_test(t, dlp_body_counts_files_that_nobody_read);
	tcase_add_test(t, dlp_body_without_boundary_is_text);
	tcase_add_test(t, dlp_body_limits_hide_nothing);
	suite_add_tcase(s, t);
	return s;
}
