/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/plain/calendar.h"

#include <stdio.h>

#include "filters/plain/line.h"
#include "filters/plain/photo.h"

#define DEPTH_MAX 8

/* What may stay, and under which condition. */
enum property_rule {
	PROPERTY_STAYS,
	PROPERTY_LINK,    /* when its value is a link that may stay */
	PROPERTY_ADDRESS, /* mailto, tel or the name of something */
	PROPERTY_PICTURE, /* rebuilt, when it is inside */
	PROPERTY_FILE,
	PROPERTY_SOUND,
	PROPERTY_CODE, /* HTML, XML, another card */
};

/* RFC 5545, 7986 and 9074; RFC 6350, 2426 and vCard 2.1; and what common
 * programs add that is only words. In groups, with blanks around each. */
static const struct {
	enum property_rule rule;
	const char *names;
} properties[] = {
	{ PROPERTY_STAYS,
	    " PRODID VERSION CALSCALE METHOD UID DTSTAMP DTSTART DTEND DUE"
	    " DURATION SUMMARY DESCRIPTION LOCATION STATUS TRANSP CLASS"
	    " CATEGORIES PRIORITY SEQUENCE CREATED LAST-MODIFIED RRULE RDATE"
	    " EXDATE EXRULE RECURRENCE-ID CONTACT COMMENT GEO RELATED-TO"
	    " RESOURCES PERCENT-COMPLETE COMPLETED FREEBUSY REQUEST-STATUS TZ"
	    " TZID TZNAME TZOFFSETFROM TZOFFSETTO ACTION TRIGGER REPEAT NAME "
	    "TZUNTIL TZID-ALIAS-OF"
	    " COLOR REFRESH-INTERVAL ACKNOWLEDGED PROXIMITY DAYLIGHT DCREATED"
	    " FN N NICKNAME BDAY ANNIVERSARY GENDER ADR LABEL TEL EMAIL LANG"
	    " TITLE ROLE ORG KIND NOTE REV SORT-STRING CLIENTPIDMAP MAILER"
	    " PROFILE BIRTHPLACE DEATHPLACE DEATHDATE EXPERTISE HOBBY INTEREST"
	    " X-WR-CALNAME X-WR-CALDESC X-WR-TIMEZONE X-WR-RELCALID"
	    " X-LIC-LOCATION X-PUBLISHED-TTL X-MICROSOFT-CDO-BUSYSTATUS"
	    " X-MICROSOFT-CDO-INTENDEDSTATUS X-MICROSOFT-CDO-ALLDAYEVENT"
	    " X-MICROSOFT-CDO-IMPORTANCE X-MICROSOFT-CDO-INSTTYPE"
	    " X-MICROSOFT-CDO-APPT-SEQUENCE X-MICROSOFT-DISALLOW-COUNTER"
	    " X-MS-OLK-FORCEINSPECTOROPEN X-APPLE-STRUCTURED-LOCATION-TITLE"
	    " X-PHONETIC-FIRST-NAME X-PHONETIC-MIDDLE-NAME"
	    " X-PHONETIC-LAST-NAME X-PHONETIC-ORG SOUND-PHONETIC X-ABLABEL"
	    " X-ABADR X-ABDATE X-ABSHOWAS X-ABRELATEDNAMES X-GENDER"
	    " X-ANNIVERSARY X-SPOUSE X-AIM X-ICQ X-JABBER X-MSN X-SKYPE"
	    " X-YAHOO X-GOOGLE-TALK X-MAIDENNAME X-REDUCTION X-NO X-GNO X-GN"
	    " X-DCM-TEL X-DCM-EMAIL X-CLASS " },
	{ PROPERTY_LINK,
	    " URL TZURL SOURCE CONFERENCE FBURL CALURI CALADRURI ORG-DIRECTORY"
	    " X-SOCIALPROFILE X-GOOGLE-CONFERENCE " },
	{ PROPERTY_ADDRESS,
	    " ORGANIZER ATTENDEE IMPP MEMBER RELATED "
	    " CALENDAR-ADDRESS " },
	{ PROPERTY_PICTURE, " PHOTO LOGO " },
	{ PROPERTY_FILE, " ATTACH IMAGE KEY " },
	{ PROPERTY_SOUND, " SOUND " },
	{ PROPERTY_CODE,
	    " X-ALT-DESC AGENT XML STYLED-DESCRIPTION "
	    " STRUCTURED-DATA " },
};

static const char components[] =
    " VCALENDAR VEVENT VTODO VJOURNAL VFREEBUSY VTIMEZONE STANDARD DAYLIGHT"
    " VALARM VCARD VAVAILABILITY AVAILABLE VLOCATION PARTICIPANT ";

struct calendar {
	struct detox *d;
	struct detox_output *out;
	struct line line;
	size_t at; /* number of its first line */
	unsigned depth;
	unsigned skipped; /* components open within one that goes */
	const char *open[DEPTH_MAX];
	size_t alarm; /* where the open VALARM begins in out, if one is */
	bool alarm_stays;
	bool old_card; /* vCard 2.1 */
};

/* The name in our letters, from a list of them; NULL: not there. */
static const char *
find_word(const char *list, struct bytes word)
{
	struct bytes all = bytes_of(list);

	while (all.n > 0) {
		struct bytes one = bytes_take_until(&all, ' ');

		if (one.n > 0 && bytes_equal_nocase(one, word))
			return (const char *)one.p;
	}
	return NULL;
}

static bool
is_word(const char *in_list, const char *word)
{
	size_t n = strlen(word);

	return strncmp(in_list, word, n) == 0 && in_list[n] == ' ';
}

static void
leave_out(struct calendar *c, enum detox_removal what)
{
	char where[48];

	snprintf(where, sizeof(where), "line %zu", c->at);
	detox_removed(c->d, what, where, c->line.raw);
}

/* Whether a value is a link that stays. Backslashes hide nothing, and names of
 * the web need no scheme. */
static bool
is_link(const struct calendar *c, struct bytes value)
{
	struct bytes whole = value;
	char text[16];
	size_t n = 0;

	for (size_t i = 0; i < value.n && n < sizeof(text); i++)
		if (value.p[i] != '\\')
			text[n++] = (char)value.p[i];
	value = (struct bytes){ (const uint8_t *)text, n };
	if (c->d->profile->links != DETOX_LINKS_NONE && n > 4 &&
	    bytes_equal_nocase((struct bytes){ value.p, 4 }, BYTES("www.")))
		return true;
	/* What a mailto: brings stands behind. */
	return detox_link_stays(c->d, value) &&
	    (n == 0 || (text[0] != 'm' && text[0] != 'M') ||
		detox_link_stays(c->d, whole));
}

/* Of people and things: who it is, not where. */
static bool
is_address(const struct calendar *c, struct bytes value)
{
	static const char *const schemes[] = { "mailto:", "tel:", "urn:",
		"invalid:", "sip:", "sips:", "xmpp:", "im:" };

	for (size_t i = 0; i < COUNT(schemes); i++) {
		struct bytes scheme = bytes_of(schemes[i]);

		if (value.n >= scheme.n &&
		    bytes_equal_nocase(
			(struct bytes){ value.p, scheme.n }, scheme))
			return true;
	}
	return bytes_index(value, ':') < 0 || detox_link_stays(c->d, value);
}

/* Parameters whose value is an address to fetch. */
static bool
is_bad_param(const struct calendar *c, struct bytes name, struct bytes value)
{
	if (bytes_equal_nocase(name, BYTES("ALTREP")) ||
	    bytes_equal_nocase(name, BYTES("DIR")))
		return !detox_link_stays(c->d, value);
	return (bytes_equal_nocase(name, BYTES("SENT-BY")) ||
		   bytes_equal_nocase(name, BYTES("MEMBER"))) &&
	    !is_address(c, value);
}

static enum detox_result
put(struct calendar *c, struct bytes b)
{
	return detox_put(c->d, c->out, b);
}

/* The line as it stands there, but for parameters that may not stay: then
 * anew, unfolded. */
static enum detox_result
put_line(struct calendar *c)
{
	struct bytes params = c->line.params;
	struct bytes head = { 0 };
	struct bytes name;
	struct bytes value;
	struct bytes raw;
	bool bad = false;

	while (line_param(&params, &name, &value, &raw))
		bad |= is_bad_param(c, name, value);
	if (!bad)
		return put(c, c->line.raw);
	leave_out(c, REMOVED_LINK);
	head = c->line.name;
	if (put(c, head) == DETOX_REFUSED)
		return DETOX_REFUSED;
	params = c->line.params;
	while (line_param(&params, &name, &value, &raw))
		if (!is_bad_param(c, name, value) &&
		    put(c, raw) == DETOX_REFUSED)
			return DETOX_REFUSED;
	if (put(c, BYTES(":")) == DETOX_REFUSED ||
	    put(c, c->line.value) == DETOX_REFUSED)
		return DETOX_REFUSED;
	return put(c, BYTES("\r\n"));
}

static bool
is_in_alarm(const struct calendar *c)
{
	return c->depth > 0 && is_word(c->open[c->depth - 1], "VALARM");
}

/* Cards stand alone, and in alarms stands nothing. */
static enum detox_result
begin(struct calendar *c)
{
	const char *name = find_word(components, bytes_trim(c->line.value));
	bool card = name != NULL && is_word(name, "VCARD");

	if (c->skipped > 0 || name == NULL || c->depth == DEPTH_MAX ||
	    (card && c->depth > 0) || is_in_alarm(c)) {
		if (c->skipped++ == 0)
			leave_out(c, REMOVED_UNKNOWN);
		return DETOX_REBUILT;
	}
	if (is_word(name, "VALARM")) {
		c->alarm = c->out->content.n;
		c->alarm_stays = true;
	}
	if (c->depth == 0)
		c->old_card = false;
	c->open[c->depth++] = name;
	return put(c, c->line.raw);
}

static enum detox_result
end(struct calendar *c)
{
	struct bytes value = bytes_trim(c->line.value);

	if (c->skipped > 0) {
		c->skipped--;
		return DETOX_REBUILT;
	}
	if (c->depth == 0 ||
	    find_word(components, value) != c->open[c->depth - 1]) {
		leave_out(c, REMOVED_DAMAGED);
		return DETOX_REBUILT;
	}
	c->depth--;
	if (is_word(c->open[c->depth], "VALARM") && !c->alarm_stays) {
		c->out->content.n = c->alarm;
		return DETOX_REBUILT;
	}
	return put(c, c->line.raw);
}

static enum detox_result
photo(struct calendar *c)
{
	switch (photo_rebuild(c->d, &c->line, c->at, c->old_card, c->out)) {
	case PHOTO_REFUSED:
		return DETOX_REFUSED;
	case PHOTO_OUTSIDE:
		leave_out(c, REMOVED_EXTERNAL);
		break;
	case PHOTO_GONE:
	case PHOTO_REBUILT:
		break;
	}
	return DETOX_REBUILT;
}

static enum detox_result
by_rule(struct calendar *c, enum property_rule rule)
{
	struct bytes value = bytes_trim(c->line.value);

	switch (rule) {
	case PROPERTY_STAYS:
		return put_line(c);
	case PROPERTY_LINK:
		if (is_link(c, value))
			return put_line(c);
		leave_out(c, REMOVED_LINK);
		return DETOX_REBUILT;
	case PROPERTY_ADDRESS:
		if (is_address(c, value))
			return put_line(c);
		leave_out(c, REMOVED_LINK);
		return DETOX_REBUILT;
	case PROPERTY_PICTURE:
		return photo(c);
	case PROPERTY_FILE:
		leave_out(c, REMOVED_FILE);
		return DETOX_REBUILT;
	case PROPERTY_SOUND:
		leave_out(c, REMOVED_MEDIA);
		return DETOX_REBUILT;
	case PROPERTY_CODE:
		leave_out(c, REMOVED_CUSTOM);
		return DETOX_REBUILT;
	}
	return DETOX_REFUSED;
}

/* Phones of Japan write how a name is read as a sound of words. */
static bool
is_reading(const struct line *l)
{
	struct bytes params = l->params;
	struct bytes name;
	struct bytes value;
	struct bytes raw;

	if (!bytes_equal_nocase(l->name, BYTES("SOUND")))
		return false;
	while (line_param(&params, &name, &value, &raw))
		if (bytes_equal_nocase(value, BYTES("X-IRMC-N")))
			return true;
	return false;
}

static enum detox_result
property(struct calendar *c)
{
	struct bytes name = c->line.name;
	struct bytes value = bytes_trim(c->line.value);

	if (c->depth == 0) {
		leave_out(c, REMOVED_TRAILING);
		return DETOX_REBUILT;
	}
	if (bytes_equal_nocase(name, BYTES("VERSION")))
		c->old_card = bytes_equal(value, BYTES("2.1")) ||
		    bytes_equal(value, BYTES("1.0"));
	if (is_in_alarm(c) && bytes_equal_nocase(name, BYTES("ACTION")) &&
	    !bytes_equal_nocase(value, BYTES("DISPLAY"))) {
		leave_out(c, REMOVED_ACTION);
		c->alarm_stays = false;
		return DETOX_REBUILT;
	}
	if (is_reading(&c->line))
		return put_line(c);
	for (size_t i = 0; i < COUNT(properties); i++)
		if (find_word(properties[i].names, name) != NULL)
			return by_rule(c, properties[i].rule);
	leave_out(c,
	    bytes_start_with(name, BYTES("X-")) ? REMOVED_CUSTOM
						: REMOVED_UNKNOWN);
	return DETOX_REBUILT;
}

static bool
is_empty(struct bytes raw)
{
	for (size_t i = 0; i < raw.n; i++)
		if (raw.p[i] > ' ')
			return false;
	return true;
}

static enum detox_result
take(struct calendar *c)
{
	struct bytes name = c->line.name;

	if (bytes_equal_nocase(name, BYTES("BEGIN")))
		return begin(c);
	if (bytes_equal_nocase(name, BYTES("END")))
		return end(c);
	if (c->skipped > 0)
		return DETOX_REBUILT;
	if (name.n > 0)
		return property(c);
	if (is_empty(c->line.raw))
		return put(c, c->line.raw);
	leave_out(c, REMOVED_DAMAGED);
	return DETOX_REBUILT;
}

/* What the file's end leaves open. */
static enum detox_result
close_all(struct calendar *c)
{
	struct buf *o = &c->out->content;

	if (c->depth == 0)
		return DETOX_REBUILT;
	detox_removed(c->d, REMOVED_DAMAGED, "end", (struct bytes){ 0 });
	if (o->n > 0 && o->p[o->n - 1] != '\n' &&
	    put(c, BYTES("\r\n")) == DETOX_REFUSED)
		return DETOX_REFUSED;
	while (c->depth > 0) {
		struct bytes name = bytes_of(c->open[--c->depth]);

		if (is_word(c->open[c->depth], "VALARM") && !c->alarm_stays) {
			o->n = c->alarm;
			continue;
		}
		name = bytes_take_until(&name, ' ');
		if (put(c, BYTES("END:")) == DETOX_REFUSED ||
		    put(c, name) == DETOX_REFUSED ||
		    put(c, BYTES("\r\n")) == DETOX_REFUSED)
			return DETOX_REFUSED;
	}
	return DETOX_REBUILT;
}

enum detox_result
calendar_rebuild(struct detox *d, struct bytes text, struct detox_output *out)
{
	struct calendar c = { .d = d, .out = out, .at = 1 };
	enum detox_result result = DETOX_REBUILT;
	struct buf unfolded;

	buf_init(&unfolded, text.n);
	while (result == DETOX_REBUILT && text.n > 0) {
		line_take(&text, &unfolded, c.old_card ? LINE_OLD : LINE_NEW,
		    &c.line);
		result = take(&c);
		c.at += c.line.lines;
	}
	buf_release(&unfolded);
	return result == DETOX_REBUILT ? close_all(&c) : DETOX_REFUSED;
}
