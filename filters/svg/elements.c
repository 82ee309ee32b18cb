/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/svg/elements.h"

#include "filters/html/css.h"
#include "filters/html/words.h"

static const char stays[] =
    " svg g defs symbol use image a path rect circle ellipse line polyline"
    " polygon text tspan textpath tref marker lineargradient radialgradient"
    " stop pattern clippath mask filter feblend fecolormatrix"
    " fecomponenttransfer fecomposite feconvolvematrix fediffuselighting"
    " fedisplacementmap fedistantlight fedropshadow feflood fefunca fefuncb"
    " fefuncg fefuncr fegaussianblur feimage femerge femergenode femorphology"
    " feoffset fepointlight fespecularlighting fespotlight fetile feturbulence"
    " switch view mpath flowroot flowregion flowregionexclude flowpara"
    " flowspan flowdiv flowline solidcolor hatch hatchpath mesh meshgradient"
    " meshrow meshpatch glyph missing-glyph hkern vkern glyphref altglyph"
    " font-face font ";

static const struct {
	const char *names;
	enum detox_removal what;
} goes[] = {
	{ " script handler listener ", REMOVED_SCRIPT },
	{ " foreignobject iframe embed object ", REMOVED_OBJECT },
	{ " audio video ", REMOVED_MEDIA },
	{ " metadata ", REMOVED_METADATA },
	{ " font-face-src font-face-uri color-profile cursor definition-src ",
	    REMOVED_EXTERNAL },
};

enum svg_element
svg_element(struct bytes name, enum detox_removal *what_out)
{
	if (words_have(stays, name))
		return SVG_STAYS;
	if (words_have(" style ", name))
		return SVG_STYLE;
	if (words_have(" title desc ", name))
		return SVG_WORDS;
	if (words_have(
		" animate set animatetransform animatemotion animatecolor ",
		name))
		return SVG_ANIMATES;
	*what_out = REMOVED_UNKNOWN;
	for (size_t i = 0; i < COUNT(goes); i++)
		if (words_have(goes[i].names, name))
			*what_out = goes[i].what;
	return SVG_GOES;
}

static const char attributes[] =
    " accent-height accumulate additive alignment-baseline alphabetic"
    " amplitude arabic-form ascent attributename attributetype azimuth"
    " basefrequency baseline-shift begin bias by calcmode cap-height class"
    " clip clip-path clip-rule clippathunits color color-interpolation"
    " color-interpolation-filters color-rendering cx cy d descent"
    " diffuseconstant direction display divisor dominant-baseline dur dx dy"
    " edgemode elevation enable-background end exponent fill fill-opacity"
    " fill-rule filter filterres filterunits flood-color flood-opacity"
    " font-family font-size font-size-adjust font-stretch font-style"
    " font-variant font-weight fr from fx fy g1 g2 glyph-name"
    " glyph-orientation-horizontal glyph-orientation-vertical glyphref"
    " gradienttransform gradientunits hanging height horiz-adv-x"
    " horiz-origin-x horiz-origin-y id ideographic image-rendering in in2"
    " intercept isolation k k1 k2 k3 k4 kernelmatrix kernelunitlength kerning"
    " keypoints keysplines keytimes lang lengthadjust letter-spacing"
    " lighting-color limitingconeangle line-height marker marker-end"
    " marker-mid marker-start markerheight markerunits markerwidth mask"
    " mask-type maskcontentunits maskunits mathematical max media method min"
    " mix-blend-mode mode numoctaves offset opacity operator order orient"
    " orientation origin overflow overline-position overline-thickness"
    " paint-order panose-1 path pathlength patterncontentunits"
    " patterntransform patternunits pointer-events points pointsatx pointsaty"
    " pointsatz preservealpha preserveaspectratio primitiveunits r radius refx"
    " refy repeatcount repeatdur requiredfeatures restart result role rotate"
    " rx ry scale seed shape-inside shape-rendering side slope solid-color"
    " solid-opacity space spacing specularconstant specularexponent"
    " spreadmethod startoffset stddeviation stemh stemv stitchtiles stop-color"
    " stop-opacity strikethrough-position strikethrough-thickness stroke"
    " stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin"
    " stroke-miterlimit stroke-opacity stroke-width surfacescale"
    " systemlanguage tablevalues tabindex targetx targety text-align"
    " text-anchor text-decoration text-indent text-orientation text-overflow"
    " text-rendering textlength title to transform transform-box"
    " transform-origin type u1 u2 underline-position underline-thickness"
    " unicode unicode-bidi unicode-range units-per-em v-alphabetic v-hanging"
    " v-ideographic v-mathematical values vector-effect version vert-adv-y"
    " vert-origin-x vert-origin-y viewbox viewtarget visibility white-space"
    " width widths word-spacing writing-mode x x-height x1 x2"
    " xchannelselector y y1 y2 ychannelselector z zoomandpan ";

bool
svg_may_animate(struct bytes attribute)
{
	return words_have(attributes, attribute);
}

/* Whether a value could name an address, or hide one behind escapes: only
 * functions of CSS do. */
static bool
may_refer(struct bytes name, struct bytes value)
{
	static const char plain[] = " id class d points transform"
				    " gradienttransform patterntransform ";

	return !words_have(plain, name) &&
	    (bytes_index(value, '(') >= 0 || bytes_index(value, '\\') >= 0);
}

/* What a drawing in a mail shows may lie about where it leads, and has no place
 * to say so: no link of it stays. */
static enum detox_result
put_link(const struct address *a, struct bytes value, struct buf *out)
{
	if (!a->mail)
		return address_link(a, value, out);
	address_removed(a, REMOVED_LINK);
	return DETOX_REBUILT;
}

static enum detox_result
put_href(const struct address *a, struct bytes element, struct bytes value,
    struct buf *out)
{
	if (words_have(" a ", element))
		return put_link(a, value, out);
	if (words_have(" image feimage ", element))
		return address_picture(a, value, out);
	return address_inside(a, value, out);
}

static enum detox_result
put_plain(const struct address *a, struct bytes value, struct buf *out)
{
	if (buf_append(out, value) == 0)
		return DETOX_REBUILT;
	return detox_refuse(a->d, REFUSED_SIZE, "an attribute is too large");
}

enum svg_attribute
svg_attribute(const struct address *a, struct bytes element, struct bytes name,
    struct bytes value, struct buf *out)
{
	enum detox_result result = DETOX_REBUILT;
	size_t before = out->n;
	bool empty_stays = false;

	if (name.n > 2 &&
	    bytes_equal_nocase((struct bytes){ name.p, 2 }, BYTES("on")) &&
	    !words_have(attributes, name)) {
		address_removed(a, REMOVED_SCRIPT);
	} else if (words_have(" href src ", name)) {
		result = put_href(a, element, value, out);
	} else if (words_have(" style ", name)) {
		result = css_style(a, value, out);
	} else if (words_have(attributes, name)) {
		empty_stays = !may_refer(name, value);
		result = empty_stays ? put_plain(a, value, out)
				     : css_value(a, value, out);
	} else if (bytes_start_with(name, BYTES("aria-"))) {
		empty_stays = true;
		result = put_plain(a, value, out);
	}
	if (result == DETOX_REFUSED)
		return SVG_ATTRIBUTE_REFUSED;
	return empty_stays || out->n > before ? SVG_ATTRIBUTE_STAYS
					      : SVG_ATTRIBUTE_GOES;
}
