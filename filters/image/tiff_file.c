/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "filters/image/tiff.h"

static struct bytes
content_of(const struct tiff_file *f)
{
	return f->out != NULL ? buf_bytes(f->out) : f->in;
}

static tmsize_t
read_bytes(thandle_t h, void *to, tmsize_t n)
{
	struct tiff_file *f = h;
	struct bytes b = content_of(f);

	if (n <= 0 || f->at >= b.n)
		return 0;
	if ((uint64_t)n > b.n - f->at)
		n = (tmsize_t)(b.n - f->at);
	memcpy(to, b.p + f->at, (size_t)n);
	f->at += (uint64_t)n;
	return n;
}

static tmsize_t
write_bytes(thandle_t h, void *from, tmsize_t n)
{
	struct tiff_file *f = h;
	size_t end;

	if (f->out == NULL || n < 0 || f->at > f->out->max ||
	    (uint64_t)n > f->out->max - f->at)
		return -1;
	end = (size_t)f->at + (size_t)n;
	if (end > f->out->n) {
		if (buf_reserve(f->out, end - f->out->n) < 0)
			return -1;
		memset(f->out->p + f->out->n, 0, end - f->out->n);
		f->out->n = end;
	}
	memcpy(f->out->p + f->at, from, (size_t)n);
	f->at = end;
	return n;
}

static toff_t
seek(thandle_t h, toff_t to, int whence)
{
	struct tiff_file *f = h;

	switch (whence) {
	case SEEK_SET:
		f->at = to;
		break;
	case SEEK_CUR:
		f->at += to;
		break;
	case SEEK_END:
		f->at = content_of(f).n + to;
		break;
	}
	return f->at;
}

static toff_t
size(thandle_t h)
{
	return content_of(h).n;
}

static int
end(thandle_t h)
{
	(void)h;
	return 0;
}

static int
say_nothing(
    TIFF *t, void *file, const char *module, const char *format, va_list args)
{
	(void)t;
	(void)file;
	(void)module;
	(void)format;
	(void)args;
	return 1;
}

void
tiff_be_quiet(void)
{
	TIFFSetErrorHandler(NULL);
	TIFFSetWarningHandler(NULL);
}

TIFF *
tiff_open(struct tiff_file *f)
{
	TIFFOpenOptions *o = TIFFOpenOptionsAlloc();
	TIFF *t;

	if (o == NULL)
		return NULL;
	TIFFOpenOptionsSetMaxSingleMemAlloc(o, (tmsize_t)f->allocation_max);
	TIFFOpenOptionsSetErrorHandlerExtR(o, say_nothing, f);
	TIFFOpenOptionsSetWarningHandlerExtR(o, say_nothing, f);
	/* Little endian whatever the machine; no mapping of files. */
	t = TIFFClientOpenExt("", f->out != NULL ? "wl" : "rm", f, read_bytes,
	    write_bytes, seek, end, size, NULL, NULL, o);
	TIFFOpenOptionsFree(o);
	return t;
}
