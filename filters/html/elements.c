/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/html/elements.h"

#include "filters/html/words.h"

static const struct {
	const char *names;
	struct html_rule rule;
} rules[] = {
	{ " a abbr acronym address article aside b bdi bdo big blockquote"
	  " body caption center cite code colgroup data datalist dd del details"
	  " dfn dir div dl dt em fieldset figcaption figure font footer h1 h2"
	  " h3 h4 h5 h6 head header hgroup html i ins kbd label legend li main"
	  " map mark menu meter nav nobr ol optgroup option output p pre "
	  "progress"
	  " q rb rp rt rtc ruby s samp section select small span strike strong"
	  " sub summary sup table tbody td textarea tfoot th thead time title "
	  "tr"
	  " tt u ul var button ",
	    { .element = HTML_STAYS } },
	{ " area br col hr img input wbr ", { .element = HTML_VOID } },
	{ " style ", { .element = HTML_STYLE, .what = REMOVED_STYLE } },
	{ " meta ", { .element = HTML_META } },
	{ " listing plaintext xmp ",
	    { .element = HTML_RENAMED, .silent = true, .as = "pre" } },
	{ " dialog search ",
	    { .element = HTML_RENAMED, .silent = true, .as = "div" } },
	{ " form ",
	    { .element = HTML_RENAMED, .what = REMOVED_FORM, .as = "div" } },
	{ " blink canvas marquee multicol nextid noscript picture slot spacer ",
	    { .element = HTML_OPENS, .silent = true } },
	{ " object applet ",
	    { .element = HTML_OPENS, .what = REMOVED_OBJECT } },
	{ " embed ", { .element = HTML_GOES, .what = REMOVED_OBJECT } },
	{ " script ", { .element = HTML_GOES, .what = REMOVED_SCRIPT } },
	{ " base frame frameset iframe link portal fencedframe ",
	    { .element = HTML_GOES, .what = REMOVED_EXTERNAL } },
	{ " audio bgsound source track video ",
	    { .element = HTML_GOES, .what = REMOVED_MEDIA } },
	{ " isindex keygen ", { .element = HTML_GOES, .what = REMOVED_FORM } },
	{ " template xml ", { .element = HTML_GOES, .what = REMOVED_CUSTOM } },
	{ " basefont noembed noframes param ",
	    { .element = HTML_GOES, .silent = true } },
};

const struct html_rule *
html_rule(struct bytes name)
{
	static const struct html_rule unknown = { .what = REMOVED_UNKNOWN };

	for (size_t i = 0; i < COUNT(rules); i++)
		if (words_have(rules[i].names, name))
			return &rules[i].rule;
	return &unknown;
}

/* elements NULL: of any. */
static const struct {
	const char *names;
	const char *elements;
	enum html_attribute attribute;
} attributes[] = {
	{ " id class title lang xml:lang dir align valign bgcolor color width"
	  " height border hidden role tabindex accesskey translate spellcheck"
	  " datetime ",
	    NULL, HTML_ATTRIBUTE_STAYS },
	{ " style ", NULL, HTML_ATTRIBUTE_STYLE },
	{ " href ", " a area ", HTML_ATTRIBUTE_LINK },
	{ " src ", " img ", HTML_ATTRIBUTE_PICTURE },
	{ " background ", " body table thead tbody tfoot tr td th ",
	    HTML_ATTRIBUTE_PICTURE },
	{ " usemap ", " img ", HTML_ATTRIBUTE_PLACE },
	{ " type ", " input button ", HTML_ATTRIBUTE_KIND },
	{ " alt ", " img area input ", HTML_ATTRIBUTE_STAYS },
	{ " name ", " a map input button select textarea fieldset output ",
	    HTML_ATTRIBUTE_STAYS },
	{ " hspace vspace ", " img table ", HTML_ATTRIBUTE_STAYS },
	{ " coords shape ", " a area ", HTML_ATTRIBUTE_STAYS },
	{ " hreflang ", " a ", HTML_ATTRIBUTE_STAYS },
	{ " cellpadding cellspacing frame rules summary bordercolor"
	  " bordercolorlight bordercolordark ",
	    " table td th tr ", HTML_ATTRIBUTE_STAYS },
	{ " abbr axis char charoff colspan headers nowrap rowspan scope span ",
	    " td th tr tbody thead tfoot col colgroup ", HTML_ATTRIBUTE_STAYS },
	{ " text link vlink alink leftmargin topmargin rightmargin"
	  " bottommargin marginwidth marginheight ",
	    " body ", HTML_ATTRIBUTE_STAYS },
	{ " face size ", " font hr input select ", HTML_ATTRIBUTE_STAYS },
	{ " noshade ", " hr ", HTML_ATTRIBUTE_STAYS },
	{ " clear ", " br ", HTML_ATTRIBUTE_STAYS },
	{ " type start value reversed compact ",
	    " ol ul li dl dir menu data meter progress option input button ",
	    HTML_ATTRIBUTE_STAYS },
	{ " open name ", " details ", HTML_ATTRIBUTE_STAYS },
	{ " for ", " label output ", HTML_ATTRIBUTE_STAYS },
	{ " checked disabled label list max maxlength min minlength multiple"
	  " placeholder readonly required selected size step cols rows wrap"
	  " low high optimum ",
	    " input button select option optgroup textarea meter progress"
	    " fieldset ",
	    HTML_ATTRIBUTE_STAYS },
	{ " media ", " style ", HTML_ATTRIBUTE_STAYS },
	{ " src srcset imagesrcset poster lowsrc dynsrc manifest background"
	  " ping datasrc longdesc classid codebase ",
	    NULL, HTML_ATTRIBUTE_LOADS },
	{ " action formaction ", NULL, HTML_ATTRIBUTE_SENDS },
	{ " srcdoc ", NULL, HTML_ATTRIBUTE_RUNS },
};

enum html_attribute
html_attribute(struct bytes element, struct bytes name)
{
	if (bytes_start_with(name, BYTES("on")))
		return HTML_ATTRIBUTE_RUNS;
	for (size_t i = 0; i < COUNT(attributes); i++)
		if (words_have(attributes[i].names, name) &&
		    (attributes[i].elements == NULL ||
			words_have(attributes[i].elements, element)))
			return attributes[i].attribute;
	if (bytes_start_with(name, BYTES("aria-")) && name.n < WORDS_MAX) {
		for (size_t i = 0; i < name.n; i++)
			if ((name.p[i] < 'a' || name.p[i] > 'z') &&
			    name.p[i] != '-')
				return HTML_ATTRIBUTE_GOES;
		return HTML_ATTRIBUTE_STAYS;
	}
	return HTML_ATTRIBUTE_GOES;
}
