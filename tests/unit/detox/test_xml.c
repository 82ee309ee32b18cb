/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/xml/xml.h"

#include <check.h>

#include "tests/unit/detox/drive.h"

Suite *xml_suite(void);

#define DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static void
begin(struct drive_detox *t)
{
	struct err e;

	drive_detox_init(t);
	ck_assert(xml_prepare(&e) == 0);
}

static const struct {
	const char *name;
	struct bytes in;
	const char *out; /* NULL: refused */
	enum detox_refusal refusal;
} documents[] = {
	{ "small", BYTES_ROW("<a/>"), "<a/>", 0 },
	{ "with its declaration",
	    BYTES_ROW("<?xml version='1.0' standalone='yes'?>\r\n<a/>"), "<a/>",
	    0 },
	{ "blanks stay", BYTES_ROW("<a> <b/>\n<c x='1\n2'/> </a>"),
	    "<a> <b/>\n<c x=\"1 2\"/> </a>", 0 },
	{ "no comment, no instruction",
	    BYTES_ROW("<!--x--><a>1<!--y-->2<?z z?>3</a><!--x-->"),
	    "<a>123</a>", 0 },
	{ "CDATA is text", BYTES_ROW("<a><![CDATA[<b>&]]></a>"),
	    "<a>&lt;b&gt;&amp;</a>", 0 },
	{ "references", BYTES_ROW("<a b='&quot;'>&#x65e5;&amp;</a>"),
	    "<a b=\"&quot;\">日&amp;</a>", 0 },
	{ "namespaces", BYTES_ROW("<a:b xmlns:a='urn:a' a:c='1'/>"),
	    "<a:b xmlns:a=\"urn:a\" a:c=\"1\"/>", 0 },
	{ "what a value cannot have as it is",
	    BYTES_ROW(
		"<a b='&#9;&#10;&#13;&lt;&gt;&amp;\"'>&#9;&#13;\"]]&gt;</a>"),
	    "<a b=\"&#9;&#10;&#13;&lt;&gt;&amp;&quot;\">\t&#13;\"]]&gt;</a>",
	    0 },
	{ "a reference in a namespace", BYTES_ROW("<a xmlns='urn:a?b&amp;c'/>"),
	    "<a xmlns=\"urn:a?b&#38;c\"/>", 0 },
	{ "a namespace that is no URI", BYTES_ROW("<a xmlns='&quot;&lt;'/>"),
	    NULL, REFUSED_BROKEN },
	{ "a namespace that ends, and attributes of several",
	    BYTES_ROW("<a xmlns='urn:a' xmlns:b='urn:b'><c xmlns='' b:d='1' "
		      "xml:lang='ja' e='2'>3</c>4</a>"),
	    "<a xmlns=\"urn:a\" xmlns:b=\"urn:b\"><c xmlns=\"\" b:d=\"1\" "
	    "xml:lang=\"ja\" e=\"2\">3</c>4</a>",
	    0 },
	{ "UTF-8 with a mark", BYTES_ROW("\xef\xbb\xbf<a>日</a>"), "<a>日</a>",
	    0 },
	{ "UTF-16 with a mark",
	    BYTES_ROW("\xff\xfe<\0a\0>\0\xe5\x65\x5e\xff\x3d\xd8\x00\xde<\0/"
		      "\0a\0>\0"),
	    "<a>日～😀</a>", 0 },
	{ "UTF-16 without one", BYTES_ROW("\0<\0a\0>\x65\xe5\0<\0/\0a\0>"),
	    "<a>日</a>", 0 },
	{ "half a pair", BYTES_ROW("\0<\0a\0>\xd8\x3d\0<\0/\0a\0>"), NULL,
	    REFUSED_BROKEN },
	{ "Latin 1",
	    BYTES_ROW("<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9</a>"),
	    "<a>é</a>", 0 },
	{ "Shift_JIS",
	    BYTES_ROW(
		"<?xml version='1.0' encoding='Shift_JIS'?><a>\x93\xfa</a>"),
	    "<a>日</a>", 0 },
	{ "not in its charset", BYTES_ROW("<a>\xe9</a>"), NULL,
	    REFUSED_BROKEN },
	{ "empty", BYTES_ROW(""), NULL, REFUSED_BROKEN },
	{ "not closed", BYTES_ROW("<a><b></a>"), NULL, REFUSED_BROKEN },
	{ "something behind", BYTES_ROW("<a/><b/>"), NULL, REFUSED_BROKEN },
	{ "unknown entity", BYTES_ROW("<a>&b;</a>"), NULL, REFUSED_BROKEN },
	{ "unknown prefix", BYTES_ROW("<a:b/>"), NULL, REFUSED_BROKEN },
	{ "unknown prefixes within",
	    BYTES_ROW("<a b:c='1' d='2' e:f='3'>g<h:i>j<k/></h:i>l"
		      "<m><n:o/></m></a>"),
	    "<a d=\"2\">gl<m/></a>", 0 },
	{ "a prefix that is known elsewhere",
	    BYTES_ROW("<a><b xmlns:c='urn:c' c:d='1'/><b c:d='1'/></a>"),
	    "<a><b xmlns:c=\"urn:c\" c:d=\"1\"/><b/></a>", 0 },
	{ "two prefixes", BYTES_ROW("<a b:c:d='1'/>"), NULL, REFUSED_BROKEN },
	{ "one attribute by two prefixes",
	    BYTES_ROW("<a xmlns:b='urn:b' xmlns:c='urn:b' b:d='1' c:d='2'/>"),
	    NULL, REFUSED_BROKEN },
	{ "a prefix for nothing", BYTES_ROW("<a xmlns:b=''/>"), NULL,
	    REFUSED_BROKEN },
	{ "DOCTYPE", BYTES_ROW("<!DOCTYPE a><a/>"), NULL, REFUSED_ENTITY },
	{ "DOCTYPE behind a comment",
	    BYTES_ROW("<!-- --><!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>"),
	    NULL, REFUSED_ENTITY },
	{ "entities", BYTES_ROW("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
	    NULL, REFUSED_ENTITY },
	{ "DOCTYPE in UTF-16",
	    BYTES_ROW("\xff\xfe<\0!\0D\0O\0C\0T\0Y\0P\0E\0 \0a\0>\0<\0a\0/"
		      "\0>\0"),
	    NULL, REFUSED_ENTITY },
	{ "text that looks like DOCTYPE",
	    BYTES_ROW("<a><![CDATA[<!DOCTYPE a>]]></a>"),
	    "<a>&lt;!DOCTYPE a&gt;</a>", 0 },
};

START_TEST(xml_reads_strictly)
{
	struct drive_detox t;
	struct buf out;
	xmlDoc *doc;

	begin(&t);
	doc = xml_read(&t.d, documents[_i].in, "x");
	ck_assert_msg((doc == NULL) == (documents[_i].out == NULL), "%s: %s",
	    documents[_i].name, t.d.why);
	ck_assert_int_eq(t.d.refusal, documents[_i].refusal);
	if (doc != NULL) {
		ck_assert(xml_write(&t.d, doc, &out) == DETOX_REBUILT);
		ck_assert(buf_append(&out, BYTES("\0")) == 0);
		ck_assert_uint_gt(out.n, strlen(DECLARATION));
		out.p[out.n - 2] = '\0';
		ck_assert_str_eq(
		    (char *)out.p + strlen(DECLARATION), documents[_i].out);
		buf_release(&out);
		xmlFreeDoc(doc);
	}
	drive_detox_release(&t);
}
END_TEST

static void
open_many(struct buf *b, size_t n)
{
	buf_init(b, 1 << 20);
	for (size_t i = 0; i < n; i++)
		ck_assert(buf_append_string(b, "<a>") == 0);
	for (size_t i = 0; i < n; i++)
		ck_assert(buf_append_string(b, "</a>") == 0);
}

START_TEST(xml_refuses_depth)
{
	struct drive_detox t;
	struct buf b;
	xmlDoc *doc;

	begin(&t);
	open_many(&b, XML_DEPTH_MAX);
	doc = xml_read(&t.d, buf_bytes(&b), "x");
	ck_assert_ptr_nonnull(doc);
	xmlFreeDoc(doc);
	buf_release(&b);
	open_many(&b, XML_DEPTH_MAX + 1);
	ck_assert_ptr_null(xml_read(&t.d, buf_bytes(&b), "x"));
	ck_assert_int_eq(t.d.refusal, REFUSED_DEPTH);
	buf_release(&b);
	drive_detox_release(&t);
}
END_TEST

START_TEST(xml_refuses_many_attributes)
{
	struct drive_detox t;
	struct buf b;
	xmlDoc *doc;

	begin(&t);
	for (size_t n = 512; n <= 513; n++) {
		buf_init(&b, 1 << 20);
		ck_assert(buf_append_string(&b, "<a") == 0);
		for (size_t i = 0; i < n; i++)
			ck_assert(buf_printf(&b, " b%zu='='", i) == 0);
		ck_assert(buf_append_string(&b, "/>") == 0);
		doc = xml_read(&t.d, buf_bytes(&b), "x");
		ck_assert((doc == NULL) == (n > 512));
		xmlFreeDoc(doc);
		buf_release(&b);
	}
	ck_assert_int_eq(t.d.refusal, REFUSED_BROKEN);
	drive_detox_release(&t);
}
END_TEST

/* Its parser would take minutes for them. */
START_TEST(xml_refuses_many_names)
{
	struct drive_detox t;
	struct buf b;

	begin(&t);
	buf_init(&b, 4 << 20);
	ck_assert(buf_append_string(&b, "<a>") == 0);
	for (size_t i = 0; i < 200000; i++)
		ck_assert(buf_printf(&b, "<a%zu/>", i) == 0);
	ck_assert(buf_append_string(&b, "</a>") == 0);
	ck_assert_ptr_null(xml_read(&t.d, buf_bytes(&b), "x"));
	ck_assert_int_eq(t.d.refusal, REFUSED_BROKEN);
	buf_release(&b);
	drive_detox_release(&t);
}
END_TEST

/* They fill its table to the last byte, so that there is no room for a name
 * whose prefix nobody declared. */
static void
put_full_table(struct buf *b, const char *before, const char *behind)
{
	const size_t sizes[] = { 900, 900, 900, 900, 900, 390000, 390000,
		390000, 389996 };
	char *name = calloc(1, sizes[5] + 1);

	ck_assert(name != NULL &&
	    buf_append_string(b, "<a xmlns='urn:a'><b/><e f=''/>") == 0);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		memset(name, (char)('g' + i), sizes[i]);
		name[sizes[i]] = '\0';
		ck_assert(buf_printf(b, "<%s/>", name) == 0);
	}
	memset(name, 'g', sizes[0]);
	name[sizes[0]] = '\0';
	ck_assert(buf_printf(b, "%s%s%s</a>", before, name, behind) == 0);
	free(name);
}

/* A reader would take them for elements and attributes of the document. */
START_TEST(xml_keeps_no_name_without_its_prefix)
{
	static const char *const before[] = { "<", "<b " };
	static const char *const behind[] = { ":b/>", ":f=''/>" };
	struct drive_detox t;
	struct buf b;

	begin(&t);
	buf_init(&b, 4 << 20);
	put_full_table(&b, before[_i], behind[_i]);
	ck_assert_ptr_null(xml_read(&t.d, buf_bytes(&b), "x"));
	ck_assert_int_eq(t.d.refusal, REFUSED_BROKEN);
	buf_release(&b);
	drive_detox_release(&t);
}
END_TEST

/* Short texts are in its table too, but may be any number. */
START_TEST(xml_takes_many_short_texts)
{
	struct drive_detox t;
	struct buf b;
	xmlDoc *doc;

	begin(&t);
	buf_init(&b, 8 << 20);
	ck_assert(buf_append_string(&b, "<a>") == 0);
	for (size_t i = 0; i < 200000; i++)
		ck_assert(buf_printf(&b, "<b>%c%c%c</b>", (char)('?' + i % 64),
			      (char)('?' + i / 64 % 64),
			      (char)('?' + i / 4096 % 64)) == 0);
	ck_assert(buf_append_string(&b, "</a>") == 0);
	doc = xml_read(&t.d, buf_bytes(&b), "x");
	ck_assert_msg(doc != NULL, "%s", t.d.why);
	xmlFreeDoc(doc);
	buf_release(&b);
	drive_detox_release(&t);
}
END_TEST

START_TEST(xml_leaves_out_what_is_obeyed)
{
	struct drive_detox t;
	struct buf out;
	xmlDoc *doc;

	begin(&t);
	doc = xml_read(&t.d,
	    BYTES("<?xml-stylesheet href='http://evil.test/'?><a "
		  "xmlns:x='http://www.w3.org/2001/XInclude'>1<b><x:include "
		  "href='/etc/passwd'/></b></a>"),
	    "x.xml");
	ck_assert_ptr_nonnull(doc);
	ck_assert_uint_eq(
	    drive_detox_removed(&t, REMOVED_EXTERNAL, "x.xml"), 2);
	ck_assert(xml_write(&t.d, doc, &out) == DETOX_REBUILT);
	ck_assert_ptr_null(memmem(out.p, out.n, "evil", 4));
	ck_assert_ptr_null(memmem(out.p, out.n, "passwd", 6));
	ck_assert_ptr_nonnull(memmem(out.p, out.n, "1<b/>", 5));
	buf_release(&out);
	xmlFreeDoc(doc);
	drive_detox_release(&t);
}
END_TEST

START_TEST(xml_drops_an_element)
{
	struct drive_detox t;
	xmlDoc *doc;
	xmlNode *n;

	begin(&t);
	doc =
	    xml_read(&t.d, BYTES("<a xmlns='urn:a'><b><c/></b><d/></a>"), "x");
	ck_assert_ptr_nonnull(doc);
	n = doc->children->children;
	ck_assert(xml_is(n, "urn:a", "b") && xml_is(n, NULL, "b"));
	ck_assert(!xml_is(n, "urn:b", "b") && !xml_is(n, "urn:a", "c"));
	n = xml_drop(n);
	ck_assert(xml_is(n, "urn:a", "d"));
	ck_assert_ptr_eq(doc->children->children, n);
	ck_assert_ptr_null(xml_drop(n));
	xmlFreeDoc(doc);
	drive_detox_release(&t);
}
END_TEST

START_TEST(xml_writes_within_the_limit)
{
	struct drive_detox t;
	struct buf out;
	xmlDoc *doc;

	begin(&t);
	doc = xml_read(&t.d, BYTES("<abcdef/>"), "x");
	ck_assert_ptr_nonnull(doc);
	t.profile.out_max = strlen(DECLARATION) + 10;
	ck_assert(xml_write(&t.d, doc, &out) == DETOX_REBUILT);
	buf_release(&out);
	t.profile.out_max--;
	ck_assert(xml_write(&t.d, doc, &out) == DETOX_REFUSED);
	ck_assert_int_eq(t.d.refusal, REFUSED_SIZE);
	buf_release(&out);
	xmlFreeDoc(doc);
	drive_detox_release(&t);
}
END_TEST

Suite *
xml_suite(void)
{
	Suite *s = suite_create("xml");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, xml_reads_strictly, 0, COUNT(documents));
	tcase_add_test(t, xml_refuses_depth);
	tcase_add_test(t, xml_refuses_many_attributes);
	tcase_add_test(t, xml_refuses_many_names);
	tcase_add_loop_test(t, xml_keeps_no_name_without_its_prefix, 0, 2);
	tcase_add_test(t, xml_takes_many_short_texts);
	tcase_add_test(t, xml_leaves_out_what_is_obeyed);
	tcase_add_test(t, xml_drops_an_element);
	tcase_add_test(t, xml_writes_within_the_limit);
	suite_add_tcase(s, t);
	return s;
}
