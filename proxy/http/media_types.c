/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/media_types.h"

#include <sys/mman.h>

static const struct {
	const char *extension, *media;
} media_types[] = {
	{ "pdf", "application/pdf" },
	{ "docx",
	    "application/vnd.openxmlformats-officedocument.wordprocessingml."
	    "document" },
	{ "xlsx",
	    "application/vnd.openxmlformats-officedocument.spreadsheetml."
	    "sheet" },
	{ "pptx",
	    "application/vnd.openxmlformats-officedocument.presentationml."
	    "presentation" },
	{ "odt", "application/vnd.oasis.opendocument.text" },
	{ "ods", "application/vnd.oasis.opendocument.spreadsheet" },
	{ "odp", "application/vnd.oasis.opendocument.presentation" },
	{ "odg", "application/vnd.oasis.opendocument.graphics" },
	{ "doc", "application/msword" },
	{ "xls", "application/vnd.ms-excel" },
	{ "ppt", "application/vnd.ms-powerpoint" },
	{ "rtf", "application/rtf" },
	{ "zip", "application/zip" },
	{ "txt", "text/plain; charset=utf-8" },
	{ "csv", "text/csv" },
	{ "html", "text/html" },
	{ "svg", "image/svg+xml" },
	{ "xml", "application/xml" },
	{ "jpg", "image/jpeg" },
	{ "jpeg", "image/jpeg" },
	{ "png", "image/png" },
	{ "gif", "image/gif" },
	{ "webp", "image/webp" },
	{ "bmp", "image/bmp" },
	{ "tif", "image/tiff" },
	{ "ico", "image/x-icon" },
};

const char *
media_type_named(struct bytes extension)
{
	for (size_t i = 0; i < COUNT(media_types); i++)
		if (bytes_equal_nocase(
			extension, bytes_of(media_types[i].extension)))
			return media_types[i].media;
	return NULL;
}

enum magic_type
magic_type_of_fd(int fd, uint64_t size)
{
	enum magic_type type;
	void *p;

	if (size == 0)
		return MAGIC_UNKNOWN;
	p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return MAGIC_UNKNOWN;
	type = magic_type_of((struct bytes){ p, size }, true);
	munmap(p, size);
	return type;
}

const char *
media_type_of(int fd, uint64_t size, struct bytes name)
{
	enum magic_type type = magic_type_of_fd(fd, size);
	struct bytes none = { 0 };
	const char *media = media_type_named(detox_extension(name));

	if (media != NULL &&
	    (magic_types_named(none, bytes_of(media)) & MAGIC_BIT(type)) != 0)
		return media;
	media = media_type_named(bytes_of(magic_type_name(type)));
	return media != NULL ? media : "application/octet-stream";
}
