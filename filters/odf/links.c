/* SPDX-License-Identifier: Apache-2.0 */
/* links: what a reference in a document names. */
#include "filters/odf/inside.h"

#define REFERENCE_MAX 1024

/* A part's path, from the reference's: "./" is not there, "%20" is a blank
 * when `decode`. */
static bool
path_of(const struct odf_walk *w, const char *reference, bool decode,
    char out[2 * REFERENCE_MAX])
{
	size_t n = strlen(w->prefix);

	if (strncmp(reference, "./", 2) == 0)
		reference += 2;
	if (n + strlen(reference) >= REFERENCE_MAX)
		return false;
	memcpy(out, w->prefix, n);
	while (*reference != '\0') {
		int high = -1, low = -1;

		if (decode && *reference == '%' && reference[1] != '\0') {
			high = byte_hex((uint8_t)reference[1]);
			low = byte_hex((uint8_t)reference[2]);
		}
		if (high >= 0 && low >= 0) {
			out[n++] = (char)(high << 4 | low);
			reference += 3;
		} else {
			out[n++] = *reference++;
		}
	}
	while (n > 0 && out[n - 1] == '/')
		n--;
	out[n] = '\0';
	return true;
}

const struct odf_part *
odf_picture(const struct odf_walk *w, const char *reference)
{
	char path[2 * REFERENCE_MAX];

	for (int decode = 0; w->o->package != NULL && decode < 2; decode++) {
		const struct odf_part *part;
		ssize_t i;

		if (!path_of(w, reference, decode == 1, path))
			return NULL;
		i = package_find(w->o->package, path);
		if (i < 0)
			continue;
		part = &w->o->parts[i];
		return part->name != NULL && !part->is_document ? part : NULL;
	}
	return NULL;
}

bool
odf_object_stays(const struct odf_walk *w, const char *reference)
{
	char path[2 * REFERENCE_MAX];

	for (int decode = 0; w->o->package != NULL && decode < 2; decode++) {
		size_t n;

		if (!path_of(w, reference, decode == 1, path))
			return false;
		n = strlen(path);
		if (n == strlen(w->prefix))
			return false;
		path[n++] = '/';
		if (odf_has_document(
			w->o, (struct bytes){ (uint8_t *)path, n }))
			return true;
	}
	return false;
}

/* A scheme, a server, an absolute path or one that leads out. */
bool
odf_is_outside(const char *reference)
{
	size_t n = strcspn(reference, "/?#");

	return reference[0] == '/' || reference[0] == '\\' ||
	    strncmp(reference, "..", 2) == 0 ||
	    memchr(reference, ':', n) != NULL;
}
