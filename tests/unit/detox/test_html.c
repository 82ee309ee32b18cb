/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/html/html.h"

#include <check.h>
#include <stdlib.h>

#include "filters/html/css.h"
#include "filters/html/tree.h"
#include "tests/unit/detox/drive.h"

Suite *html_suite(void);

#define PNG                                                                \
	"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9Q" \
	"DwADhgGAWjR9awAAAABJRU5ErkJggg=="

/* The body that comes out; NULL: refused. */
static const char *
body_of(struct drive_detox *t, const char *page)
{
	static char text[65536];
	const char *begin;
	char *end;

	drive_detox_run(t, bytes_of(page), "a.html");
	if (t->result == DETOX_REFUSED)
		return NULL;
	snprintf(text, sizeof(text), "%.*s",
	    BYTES_PRINTF(buf_bytes(&t->out.content)));
	begin = strstr(text, "<body");
	ck_assert_ptr_nonnull(begin);
	begin = strchr(begin, '>') + 1;
	end = strstr(text, "</body></html>");
	ck_assert_ptr_nonnull(end);
	*end = '\0';
	return begin;
}

static bool
has(const struct drive_detox *t, const char *word)
{
	return memmem(t->out.content.p, t->out.content.n, word, strlen(word)) !=
	    NULL;
}

static const struct {
	const char *name;
	const char *in, *out;
} kept[] = {
	{ "text", "<p>a &lt;b&gt; &amp; \"c\"",
	    "<p>a &lt;b&gt; &amp; \"c\"</p>" },
	{ "Japanese", "<p>\xe6\x97\xa5\xe6\x9c\xac",
	    "<p>\xe6\x97\xa5\xe6\x9c\xac</p>" },
	{ "a link", "<a href='https://a.test/?b&amp;c' target=x>d</a>",
	    "<a href=\"https://a.test/?b&amp;c\">d</a>" },
	{ "a place", "<a href=#b name=c>d</a>",
	    "<a href=\"#b\" name=\"c\">d</a>" },
	{ "a table", "<table border=1><tr><td colspan=2>a</table>",
	    "<table border=\"1\"><tbody><tr><td colspan=\"2\">a</td></tr>"
	    "</tbody></table>" },
	{ "a list", "<ol start=3><li>a<li>b</ol>",
	    "<ol start=\"3\"><li>a</li><li>b</li></ol>" },
	{ "ruby", "<ruby>a<rp>(</rp><rt>b</rt><rp>)</rp></ruby>",
	    "<ruby>a<rp>(</rp><rt>b</rt><rp>)</rp></ruby>" },
	{ "a picture beside it", "<img src=a/b.png alt=c>",
	    "<img src=\"a/b.png\" alt=\"c\"/>" },
	{ "a picture of a mail", "<img src=cid:a@b.test>",
	    "<img src=\"cid:a@b.test\"/>" },
	{ "a style", "<p style='COLOR:red;margin:0 1em'>a",
	    "<p style=\"COLOR:red;margin:0 1em;\">a</p>" },
	{ "a first line end", "<pre>\n\na</pre>", "<pre>\n\na</pre>" },
	{ "what is no element", "<o:p>a</o:p><x-y>b</x-y>", "ab" },
	{ "old elements", "<xmp><b></xmp><center>a</center>",
	    "<pre>&lt;b&gt;</pre><center>a</center>" },
	{ "a formula", "<math><mfrac><mi>a</mi><mn>2</mn></mfrac></math>",
	    "<math xmlns=\"http://www.w3.org/1998/Math/MathML\"><mfrac><mi>a"
	    "</mi><mn>2</mn></mfrac></math>" },
	{ "a drawing",
	    "<svg viewBox='0 0 1 1'><lineargradient id=a /><path d='M0 0'"
	    " fill='url(#a)'/></svg>",
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\">"
	    "<linearGradient id=\"a\"></linearGradient><path d=\"M0 0\""
	    " fill=\"url(&quot;#a&quot;)\"></path></svg>" },
	{ "fields without where to send them",
	    "<select name=a><option selected>b</select><textarea>c</textarea>",
	    "<select name=\"a\"><option selected=\"\">b</option></select>"
	    "<textarea>c</textarea>" },
};

START_TEST(html_keeps_clean_content)
{
	struct drive_detox t;
	const char *body;

	drive_detox_init(&t);
	body = body_of(&t, kept[_i].in);
	ck_assert_ptr_nonnull(body);
	ck_assert_msg(
	    strcmp(body, kept[_i].out) == 0, "%s: %s", kept[_i].name, body);
	ck_assert_uint_eq(t.d.text_in, t.d.text_out);
	drive_detox_release(&t);
}
END_TEST

static const struct {
	const char *in, *out;
	enum detox_removal what;
	const char *where;
} removed[] = {
	{ "a<script>b</script>c", "ac", REMOVED_SCRIPT, "script" },
	{ "<p onclick=a>b", "<p>b</p>", REMOVED_SCRIPT, "p" },
	{ "<body onload=a>b", "b", REMOVED_SCRIPT, "body" },
	{ "<img src=x onerror=a>", "<img src=\"x\"/>", REMOVED_SCRIPT, "img" },
	{ "<iframe src=//a.test>b</iframe>c", "c", REMOVED_EXTERNAL, "iframe" },
	{ "<iframe srcdoc='<b>'></iframe>c", "c", REMOVED_EXTERNAL, "iframe" },
	{ "<frameset><frame src=a></frameset>", "", REMOVED_EXTERNAL,
	    "frameset" },
	{ "<object data=a>b</object>", "b", REMOVED_OBJECT, "object" },
	{ "<applet code=a>b</applet>", "b", REMOVED_OBJECT, "applet" },
	{ "a<embed src=b>", "a", REMOVED_OBJECT, "embed" },
	{ "<base href=//a.test>b", "b", REMOVED_EXTERNAL, "base" },
	{ "<link rel=stylesheet href=a>b", "b", REMOVED_EXTERNAL, "link" },
	{ "<meta http-equiv=refresh content=0>b", "b", REMOVED_ACTION, "meta" },
	{ "<meta name=author content=a>b", "b", REMOVED_METADATA, "meta" },
	{ "<form action=//a.test><p>b</p></form>", "<div><p>b</p></div>",
	    REMOVED_FORM, "form" },
	{ "<button formaction=//a.test>b</button>",
	    "<button type=\"button\">b</button>", REMOVED_FORM, "button" },
	{ "<input type=hidden value=a>b", "b", REMOVED_FORM, "input" },
	{ "<input type=image src=//a.test>", "<input type=\"button\"/>",
	    REMOVED_EXTERNAL, "input" },
	{ "<img src=http://a.test/b alt=c>", "<img alt=\"c\"/>",
	    REMOVED_EXTERNAL, "img" },
	{ "<img src='\\\\a.test\\b'>", "<img/>", REMOVED_EXTERNAL, "img" },
	{ "<img srcset='http://a.test/b 2x'>", "<img/>", REMOVED_EXTERNAL,
	    "img" },
	{ "<td background=//a.test>", "", REMOVED_HIDDEN, NULL },
	{ "<table background=//a.test></table>", "<table></table>",
	    REMOVED_EXTERNAL, "table" },
	{ "<a href=javascript:a>b</a>", "<a>b</a>", REMOVED_LINK, "a" },
	{ "<a href='&#1;java&#10;script:a'>b</a>", "<a>b</a>", REMOVED_LINK,
	    "a" },
	{ "<a href=data:text/html,a>b</a>", "<a>b</a>", REMOVED_LINK, "a" },
	{ "<a href=file:///c:/a>b</a>", "<a>b</a>", REMOVED_LINK, "a" },
	{ "<img src='data:image/svg+xml,<svg/>'>", "<img/>", REMOVED_REFUSED,
	    "img" },
	{ "<img src=data:image/png;base64,AAAA>", "<img/>", REMOVED_REFUSED,
	    "img" },
	{ "<video src=a>b</video>c", "c", REMOVED_MEDIA, "video" },
	{ "a<template><script>b</script></template>", "a", REMOVED_CUSTOM,
	    "template" },
	{ "a<!--[if IE]><script>b</script><![endif]-->", "a", REMOVED_HIDDEN,
	    "comment" },
	{ "<p style='background:url(http://a.test/)'>b", "<p>b</p>",
	    REMOVED_EXTERNAL, "p" },
	{ "<p style='width:expression(a)'>b", "<p>b</p>", REMOVED_STYLE, "p" },
	{ "<p style='behavior:url(a)'>b", "<p>b</p>", REMOVED_STYLE, "p" },
	{ "<p style='-moz-binding:url(a)'>b", "<p>b</p>", REMOVED_STYLE, "p" },
	{ "<svg><script>a</script></svg>",
	    "<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>", REMOVED_SCRIPT,
	    "script" },
	{ "<svg><use xlink:href='http://a.test/#b'/></svg>",
	    "<svg xmlns=\"http://www.w3.org/2000/svg\"><use></use></svg>",
	    REMOVED_EXTERNAL, "use" },
	{ "<svg><a><animate attributeName=href to=javascript:a /></a></svg>",
	    "<svg xmlns=\"http://www.w3.org/2000/svg\"><a></a></svg>",
	    REMOVED_SCRIPT, "animate" },
	{ "<svg><foreignObject><p>a<script>b</script></foreignObject></svg>",
	    "<svg xmlns=\"http://www.w3.org/2000/svg\"><text dy=\"1em\">a"
	    "</text></svg>",
	    REMOVED_OBJECT, "foreignobject" },
	{ "<b>a\x02"
	  "b</b>",
	    "<b>ab</b>", REMOVED_HIDDEN, "text" },
};

START_TEST(html_leaves_out_what_runs_loads_or_sends)
{
	struct drive_detox t;
	const char *body;

	drive_detox_init(&t);
	body = body_of(&t, removed[_i].in);
	ck_assert_msg(body != NULL, "%s: %s", removed[_i].in, t.d.why);
	ck_assert_msg(
	    strcmp(body, removed[_i].out) == 0, "%s: %s", removed[_i].in, body);
	if (removed[_i].where != NULL)
		ck_assert_msg(drive_detox_removed(
				  &t, removed[_i].what, removed[_i].where) > 0,
		    "%s", removed[_i].in);
	drive_detox_release(&t);
}
END_TEST

/* Each was once read otherwise by a browser than by who had cleaned it. */
static const char *const mutations[] = {
	"<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;"
	"&lt;img src=1 onerror=alert(1)&gt;\">",
	"<form><math><mtext></form><form><mglyph><style></math><img src"
	" onerror=alert(1)>",
	"<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
	"<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
	"<listing>&lt;img src=1 onerror=alert(1)&gt;</listing>",
	"<svg><desc><b><style><!--</style><img src=x onerror=alert(1)>-->",
	"<math><annotation-xml encoding='text/html'><style><img src=x"
	" onerror=alert(1)></style></annotation-xml></math>",
	"<xmp><p title=\"</xmp><svg/onload=alert(1)>\">",
	"<textarea><p title=\"</textarea><svg/onload=alert(1)>\"></textarea>",
	"<title><b title='</title><script>alert(1)</script>'></title>",
	"<style><b></style><script>alert(1)</script></style>",
	"<style>a{content:'\\3c/style\\3e\\3cscript\\3e'}</style>",
	"<svg><style>&lt;/style&gt;&lt;script&gt;alert(1)&lt;/script&gt;",
	"<plaintext><script>alert(1)</script>",
	"<select><template><script>alert(1)</script></template></select>",
	"<table><a href=x><table><b><td><a href=y><i></table><p></b>",
	"<p><b><i><u><p></b><table><i></p><a><div></a></table></u>",
	"<a><svg><a><foreignObject><a><table><a>",
	"<h1><h2><button><button><li><dd><p></h1><ul></button>",
	"<img alt=\"`><script>alert(1)</script>\">",
	"<frameset><noframes><script>alert(1)</script></noframes>",
	"<IMG \"\"\"><SCRIPT>alert(1)</SCRIPT>\">",
	"<SCRIPT/XSS SRC=//a.test/x.js></SCRIPT>",
	"<BODY onload!#$%&()*~+-_.,:;?@[/|\\]^`=alert(1)>",
	"<<SCRIPT>alert(1);//<</SCRIPT>",
	"<SCRIPT SRC=//a.test/x.js?< B >",
	"<STYLE>li{list-style-image:url(\"javascript:alert(1)\")}</STYLE><UL>",
	"<DIV STYLE=\"width: exp/*XSS*/ression(alert(1))\">",
	"<XSS STYLE=\"xss:expr/*x*/ession(alert(1))\">",
	"<STYLE>@im\\port'\\ja\\vasc\\ript:alert(1)';</STYLE>",
	"<XML ID=x><X><C><![CDATA[<IMG SRC=\"javas]]><![CDATA[cript:1\">]]>",
	"<META HTTP-EQUIV=\"Set-Cookie\" Content=\"a=<SCRIPT>1</SCRIPT>\">",
	"<a href=\"jav&#x09;ascript:alert(1)\">x</a><a href=\" &#14; "
	"javascript:1\">",
	"+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
	"<?xml version='1.0'?><html><style/><script/>a<b/></html>",
};

START_TEST(html_is_read_as_it_was_judged)
{
	static const char *const bad[] = { "<script", "onerror", "onload",
		"<iframe", "javascript:", "expression(", "<template",
		"<noscript", "<xmp", "<foreignObject" };
	struct drive_detox t;
	struct buf first;

	drive_detox_init(&t);
	drive_detox_run(&t, bytes_of(mutations[_i]), "a.html");
	ck_assert_msg(t.result == DETOX_REBUILT, "%s", mutations[_i]);
	for (size_t i = 0; i < COUNT(bad); i++) {
		/* Words of a text or a value are but words. */
		bool word = bad[i][0] != '<' &&
		    (has(&t, "&lt;") ||
			strstr(mutations[_i], "<style>") == NULL);

		ck_assert_msg(
		    word || !has(&t, bad[i]), "%s: %s", mutations[_i], bad[i]);
	}
	buf_init(&first, t.out.content.n);
	ck_assert(buf_append(&first, buf_bytes(&t.out.content)) == 0);
	drive_detox_run(&t, buf_bytes(&first), "a.html");
	ck_assert(t.result == DETOX_REBUILT);
	ck_assert_msg(bytes_equal(buf_bytes(&first), buf_bytes(&t.out.content)),
	    "%s", mutations[_i]);
	buf_release(&first);
	drive_detox_release(&t);
}
END_TEST

static const struct {
	const char *name;
	struct bytes page;
} charsets[] = {
	{ "mark of UTF-16", BYTES_ROW("\xff\xfe<\0p\0>\0\xe5\x65\x5e\xff") },
	{ "UTF-8", BYTES_ROW("<p>\xe6\x97\xa5\xef\xbd\x9e") },
	{ "its own word",
	    BYTES_ROW("<meta charset=Shift_JIS><p>\x93\xfa\x81\x60") },
	{ "a guess", BYTES_ROW("<p>\xc6\xfc\xa1\xc1") },
	{ "ISO-2022-JP", BYTES_ROW("<p>\x1b$BF|!A\x1b(B") },
};

/* U+FF5E stays what it is. */
START_TEST(html_comes_out_in_utf8)
{
	struct drive_detox t;

	drive_detox_init(&t);
	drive_detox_run(&t, charsets[_i].page, "a.html");
	ck_assert_msg(t.result == DETOX_REBUILT, "%s", charsets[_i].name);
	ck_assert_msg(has(&t, "<meta charset=\"utf-8\"/>") &&
		has(&t, "<p>\xe6\x97\xa5\xef\xbd\x9e</p>"),
	    "%s: %.*s", charsets[_i].name,
	    BYTES_PRINTF(buf_bytes(&t.out.content)));
	drive_detox_release(&t);
}
END_TEST

START_TEST(html_takes_what_opens_in_a_browser)
{
	struct drive_detox t;

	drive_detox_init(&t);
	drive_detox_run(&t, BYTES("<img src=x onerror=a>"), "a.htm");
	ck_assert(t.result == DETOX_REBUILT && !has(&t, "onerror"));
	drive_detox_run(&t, BYTES("x<script>a</script>"), "a.xhtml");
	ck_assert(t.result == DETOX_REBUILT && !has(&t, "script"));
	drive_detox_run(&t,
	    BYTES("<?xml version='1.0'?><html><script>a</script></html>"), "a");
	ck_assert(t.result == DETOX_REBUILT && !has(&t, "script"));
	drive_detox_release(&t);
}
END_TEST

/* Of both the page's and its sheet's; as what they are, not as they say. */
START_TEST(html_rebuilds_pictures_within)
{
	struct drive_detox t;

	drive_detox_init(&t);
	t.profile.treatment[MAGIC_PNG] = DETOX_PASS;
	drive_detox_run(&t,
	    BYTES("<img src='data:image/gif;base64," PNG "'>"
		  "<p style='background:url(data:image/png;base64," PNG ")'>"),
	    "a.html");
	ck_assert(t.result == DETOX_REBUILT);
	ck_assert(has(&t, "<img src=\"data:image/png;base64," PNG "\"/>"));
	ck_assert(has(&t, "url(&quot;data:image/png;base64," PNG "&quot;);\""));
	t.profile.treatment[MAGIC_PNG] = DETOX_REFUSE;
	drive_detox_run(&t,
	    BYTES("<img src='data:image/png;base64," PNG "' alt=a>"), "a.html");
	ck_assert(t.result == DETOX_REBUILT && has(&t, "<img alt=\"a\"/>"));
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_REFUSED, "img"), 1);
	drive_detox_release(&t);
}
END_TEST

START_TEST(html_reads_xhtml)
{
	struct drive_detox t;

	drive_detox_init(&t);
	drive_detox_run(&t,
	    BYTES(
		"<?xml version='1.0'?>\n<html xmlns='x'><head><title/></head>"
		"<body><p><a id='b'/>c<br/></p><![CDATA[<d>]]></body></html>"),
	    "a.xhtml");
	ck_assert(t.result == DETOX_REBUILT);
	ck_assert(has(&t, "<title></title>"));
	ck_assert(has(&t, "<p><a id=\"b\"></a>c<br/></p>&lt;d&gt;</body>"));
	drive_detox_release(&t);
}
END_TEST

START_TEST(html_is_text_if_the_profile_says_so)
{
	struct drive_detox t;

	drive_detox_init(&t);
	t.profile.to_text = true;
	drive_detox_run(&t,
	    BYTES("<title>t</title><style>x</style><p>a  <b>b</b>\n c<p>d"
		  "<table><tr><td>e<td>f<tr><td>g</table><pre>h\n i</pre>"
		  "<script>j</script>"),
	    "a.html");
	ck_assert_str_eq(t.out.extension, "txt");
	ck_assert_msg(bytes_equal(buf_bytes(&t.out.content),
			  BYTES("t\na b c\nd\ne\tf\t\ng\t\nh\n i\n")),
	    "%.*s", BYTES_PRINTF(buf_bytes(&t.out.content)));
	ck_assert_uint_eq(drive_detox_removed(&t, REMOVED_SCRIPT, "script"), 1);
	drive_detox_release(&t);
}
END_TEST

static void
repeat(struct buf *b, const char *before, const char *text, size_t n)
{
	buf_init(b, 64 << 20);
	ck_assert(buf_append_string(b, before) == 0);
	for (size_t i = 0; i < n; i++) {
		struct bytes rest = bytes_of(text);

		ck_assert(buf_append(b, bytes_take_until(&rest, '%')) == 0);
		if (strchr(text, '%') != NULL)
			ck_assert(buf_printf(b, "%zu", i) == 0);
		ck_assert(buf_append(b, rest) == 0);
	}
}

static const struct {
	const char *before, *text;
	size_t most; /* so many are rebuilt, one more is refused */
	enum detox_refusal refusal;
} limits[] = {
	/* <html> and <body> are around them, and a text in them. */
	{ "", "<div>", TREE_DEPTH_MAX - 2, REFUSED_DEPTH },
	{ "", "<b a%>", TREE_DEPTH_MAX - 2, REFUSED_DEPTH },
	{ "<p", " a%", TREE_ATTRIBUTES_MAX, REFUSED_BROKEN },
};

START_TEST(html_bounds_its_tree)
{
	struct drive_detox t;

	drive_detox_init(&t);
	for (size_t more = 0; more < 2; more++) {
		struct buf b;

		repeat(&b, limits[_i].before, limits[_i].text,
		    limits[_i].most + more);
		ck_assert(buf_append_string(&b, "><br><br>") == 0);
		drive_detox_run(&t, buf_bytes(&b), "a.html");
		/* What is newest is judged with the next. */
		if (more == 1)
			ck_assert_int_eq(t.d.refusal, limits[_i].refusal);
		buf_release(&b);
	}
	drive_detox_release(&t);
}
END_TEST

/* Each took minutes, or more memory than there is. */
static const struct {
	const char *before, *text;
} floods[] = {
	{ "", "<div>" },
	{ "", "<b a%><p>" },
	{ "<a", " b" },
	{ "", "<body a%><br>" },
	{ "", "<p>x" },
	{ "<table>", "<b>x" },
	{ "", "<svg></z>" },
	{ "", "<a><div></a>" },
	{ "<style>", "@media{" },
	{ "<style>", "a{b:c(" },
	{ "<style>", "/*" },
	{ "<p style='", "a:b(;" },
	{ "<style>", "url( " },
};

START_TEST(html_is_not_slowed_down)
{
	struct drive_detox t;
	struct buf b;

	drive_detox_init(&t);
	repeat(&b, floods[_i].before, floods[_i].text, 100000);
	drive_detox_run(&t, buf_bytes(&b), "a.html");
	buf_release(&b);
	drive_detox_release(&t);
}
END_TEST

static const struct {
	const char *in, *out;
} sheets[] = {
	{ "p { color : red }", "p {color:red;}\n" },
	{ "a>b,c+d~e:hover::before{top:-1px!important}",
	    "a>b,c+d~e:hover::before{top:-1px!important;}\n" },
	{ "a[b=\"c\"]:not(.d):nth-child(2n+1){x:y;margin:0}",
	    "a[b=\"c\"]:not(.d):nth-child(2n+1){margin:0;}\n" },
	{ "@media (max-width:9px){p{top:0}}",
	    "@media (max-width:9px){p{top:0;}\n}\n" },
	{ "@import 'a';p{top:0}", "p{top:0;}\n" },
	{ "@font-face{font-family:a;src:url(b)}p{top:0}", "p{top:0;}\n" },
	{ "<!-- p{top:0} -->", "p{top:0;}\n" },
	{ "p{content:'</style>'}", "p{content:\"\\3c /style\\3e \";}\n" },
	{ "p{width:calc(1px + 2em);top:0;left:1e3px}",
	    "p{width:calc(1px + 2em);top:0;left:1e3px;}\n" },
	{ "p{width:exp\\72 ession(1);top:0}", "p{top:0;}\n" },
	{ "p{b\\65havior:url(#a);top:0}", "p{top:0;}\n" },
	{ "p{background:u\\72l(http://a.test/)}", "p{}\n" },
	{ "p{background:image-set('http://a.test/' 1x)}", "p{}\n" },
	{ "p{background:url('a.png') no-repeat}",
	    "p{background:url(\"a.png\") no-repeat;}\n" },
	{ "p{background:url(//a.test/b)}", "p{}\n" },
	{ "p{*zoom:1;_top:1;top:0}", "p{top:0;}\n" },
	{ "p{top:0}}q{top:1}", "p{top:0;}\nq{top:1;}\n" },
	{ "p{top:0;q{left:0}right:0}", "p{top:0;right:0;}\n" },
	{ "@page{margin:1cm}@keyframes a{from{top:0}50%{top:1px}}",
	    "@page{margin:1cm;}\n@keyframes "
	    "a{from{top:0;}\n50%{top:1px;}\n}\n" },
	{ "p{top:0", "p{top:0;}\n" },
	{ "p{top:/*", "p{}\n" },
	{ "p{--a:1px;top:var(--a)}", "p{--a:1px;top:var(--a);}\n" },
	{ "\\31 a{top:0}", "\\31 a{top:0;}\n" },
	{ "p{filter:progid:DXImageTransform.Microsoft.Alpha(opacity=1)}",
	    "p{}\n" },
};

START_TEST(css_is_rebuilt)
{
	static struct detox_profile profile;
	static struct detox d;
	const struct address a = { .d = &d, .where = "style" };
	struct buf out, again;
	struct err e;

	ck_assert(detox_prepare(&e) == 0);
	detox_profile_init(&profile);
	detox_init(&d, &profile);
	buf_init(&out, 4096);
	buf_init(&again, 4096);
	ck_assert(css_sheet(&a, bytes_of(sheets[_i].in), &out) != 0);
	ck_assert_msg(bytes_equal(buf_bytes(&out), bytes_of(sheets[_i].out)),
	    "%s: %.*s", sheets[_i].in, BYTES_PRINTF(buf_bytes(&out)));
	ck_assert(css_sheet(&a, buf_bytes(&out), &again) != 0);
	ck_assert(bytes_equal(buf_bytes(&out), buf_bytes(&again)));
	buf_release(&out);
	buf_release(&again);
	detox_release(&d);
}
END_TEST

Suite *
html_suite(void)
{
	Suite *s = suite_create("html");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, html_keeps_clean_content, 0, COUNT(kept));
	tcase_add_loop_test(
	    t, html_leaves_out_what_runs_loads_or_sends, 0, COUNT(removed));
	tcase_add_loop_test(
	    t, html_is_read_as_it_was_judged, 0, COUNT(mutations));
	tcase_add_loop_test(t, html_comes_out_in_utf8, 0, COUNT(charsets));
	tcase_add_test(t, html_takes_what_opens_in_a_browser);
	tcase_add_test(t, html_rebuilds_pictures_within);
	tcase_add_test(t, html_reads_xhtml);
	tcase_add_test(t, html_is_text_if_the_profile_says_so);
	tcase_add_loop_test(t, html_bounds_its_tree, 0, COUNT(limits));
	tcase_add_loop_test(t, html_is_not_slowed_down, 0, COUNT(floods));
	tcase_add_loop_test(t, css_is_rebuilt, 0, COUNT(sheets));
	suite_add_tcase(s, t);
	return s;
}
