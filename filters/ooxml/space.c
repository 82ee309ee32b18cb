/* SPDX-License-Identifier: Apache-2.0 */
/* space: which namespaces an office document may use; an element or attribute
 * of any other is left out. */
#include "filters/ooxml/inside.h"

#define OPEN "http://schemas.openxmlformats.org/"
#define STRICT "http://purl.oclc.org/ooxml/"
#define MS "http://schemas.microsoft.com/office/"
#define URN "urn:schemas-microsoft-com:"

/* By how they begin: of each family there is a new one every year. The first
 * that fits has it. */
static const struct {
	const char *begin;
	enum space space;
} spaces[] = {
	{ OPEN "wordprocessingml/2006/main", SPACE_WORD },
	{ OPEN "spreadsheetml/2006/main", SPACE_SHEET },
	{ OPEN "presentationml/2006/main", SPACE_SLIDES },
	{ OPEN "drawingml/2006/", SPACE_DRAW },
	{ OPEN "officeDocument/2006/relationships", SPACE_REL },
	{ OPEN "officeDocument/2006/math", SPACE_KNOWN },
	{ OPEN "officeDocument/2006/sharedTypes", SPACE_KNOWN },
	{ OPEN "schemaLibrary/2006/main", SPACE_KNOWN },
	{ OPEN "markup-compatibility/2006", SPACE_MC },
	{ STRICT "wordprocessingml/main", SPACE_WORD },
	{ STRICT "spreadsheetml/main", SPACE_SHEET },
	{ STRICT "presentationml/main", SPACE_SLIDES },
	{ STRICT "drawingml/", SPACE_DRAW },
	{ STRICT "officeDocument/relationships", SPACE_REL },
	{ STRICT "officeDocument/math", SPACE_KNOWN },
	{ STRICT "officeDocument/sharedTypes", SPACE_KNOWN },
	{ STRICT "schemaLibrary/main", SPACE_KNOWN },
	{ MS "word/", SPACE_WORD },
	{ MS "spreadsheetml/", SPACE_SHEET },
	{ MS "excel/2006/main", SPACE_SHEET },
	{ MS "excel/2008/main", SPACE_SHEET },
	{ MS "excel/2010/", SPACE_SHEET },
	{ MS "powerpoint/", SPACE_SLIDES },
	{ MS "drawing/", SPACE_DRAW },
	{ MS "mac/", SPACE_KNOWN },
	{ MS "thememl/", SPACE_KNOWN },
	{ MS "tasks/", SPACE_KNOWN },
	{ URN "vml", SPACE_VML },
	{ URN "office:office", SPACE_VML },
	{ URN "office:word", SPACE_VML },
	{ URN "office:excel", SPACE_VML },
	{ URN "office:powerpoint", SPACE_VML },
	{ "urn:schemas-microsoft-com:mac:vml", SPACE_VML },
	{ "http://www.w3.org/XML/1998/namespace", SPACE_KNOWN },
};

static enum space
find(const char *uri)
{
	for (size_t i = 0; i < COUNT(spaces); i++)
		if (strncmp(uri, spaces[i].begin, strlen(spaces[i].begin)) == 0)
			return spaces[i].space;
	return SPACE_UNKNOWN;
}

/* A reader passes by what a later namespace brings, if the document says so. */
static bool
is_text(const char *uri)
{
	return strcmp(uri, OPEN "wordprocessingml/2006/main") == 0 ||
	    strcmp(uri, MS "word/2003/wordml") == 0 ||
	    strcmp(uri, STRICT "wordprocessingml/main") == 0 ||
	    strcmp(uri, OPEN "officeDocument/2006/math") == 0 ||
	    strcmp(uri, STRICT "officeDocument/math") == 0;
}

#define TEXT_BIT ((uintptr_t)1 << 8)
#define FOUND_BIT ((uintptr_t)1 << 9)

/* What was found is kept with the declaration. */
static uintptr_t
look_up(xmlNs *ns)
{
	const char *uri = ns->href == NULL ? "" : (const char *)ns->href;

	if (ns->_private == NULL)
		ns->_private = (void *)(FOUND_BIT | (uintptr_t)find(uri) |
		    (is_text(uri) ? TEXT_BIT : 0));
	return (uintptr_t)ns->_private;
}

enum space
space_of(xmlNs *ns)
{
	return ns == NULL ? SPACE_NONE : (enum space)(look_up(ns) & 0xff);
}

bool
space_is_text(xmlNs *ns)
{
	return ns != NULL && (look_up(ns) & TEXT_BIT) != 0;
}
