/* SPDX-License-Identifier: Apache-2.0 */
#include <webp/decode.h>

#include "filters/image/inside.h"
#include "filters/image/webp.h"

#define EXTENDED_SIZE 10
/* What may stay behind the end of a stream: too little for another file. */
#define BEHIND_MAX ((size_t)16)
/* As many times the profile's pixels may be decoded to find the ends. */
#define PROOFS_MAX 8

int
webp_append_chunk(struct buf *out, const char *name, struct bytes data)
{
	uint8_t head[8];

	memcpy(head, name, 4);
	image_put_little(head + 4, data.n, 4);
	return buf_append(out, (struct bytes){ head, 8 }) < 0 ||
		buf_append(out, data) < 0 ||
		buf_append(
		    out, (struct bytes){ (const uint8_t *)"", data.n & 1 }) < 0
	    ? -1
	    : 0;
}

int
webp_append_image(struct buf *out, const struct webp_image *i)
{
	if (i->alpha.p != NULL && webp_append_chunk(out, "ALPH", i->alpha) < 0)
		return -1;
	return webp_append_chunk(out, i->lossless ? "VP8L" : "VP8 ", i->stream);
}

int
webp_begin_file(struct buf *out)
{
	out->n = 0;
	return buf_append(out, BYTES("RIFF\0\0\0\0WEBP"));
}

void
webp_end_file(struct buf *out)
{
	image_put_little(out->p + 4, out->n - 8, 4);
}

int
webp_append_extended(
    struct buf *out, unsigned flags, uint64_t width, uint64_t height)
{
	uint8_t head[EXTENDED_SIZE] = { (uint8_t)flags };

	image_put_little(head + 4, width - 1, 3);
	image_put_little(head + 7, height - 1, 3);
	return webp_append_chunk(
	    out, "VP8X", (struct bytes){ head, sizeof(head) });
}

struct proof {
	struct detox *d;
	struct webp_image *i;
	uint64_t width, height;
	uint64_t *decoded;
};

/* Whether all of it can be decoded, and its size is this one. */
static bool
decodes(struct proof *p, struct bytes file)
{
	WebPDecoderConfig config;
	VP8StatusCode status;

	if (WebPInitDecoderConfig(&config) == 0 ||
	    WebPGetFeatures(file.p, file.n, &config.input) != VP8_STATUS_OK ||
	    (uint64_t)config.input.width != p->width ||
	    (uint64_t)config.input.height != p->height)
		return false;
	p->i->has_alpha = config.input.has_alpha != 0;
	config.output.colorspace = p->i->has_alpha ? MODE_RGBA : MODE_RGB;
	status = WebPDecode(file.p, file.n, &config);
	WebPFreeDecBuffer(&config.output);
	return status == VP8_STATUS_OK;
}

static bool
append_file(const struct proof *p, struct buf *file)
{
	return webp_begin_file(file) == 0 &&
	    (p->i->alpha.p == NULL ||
		webp_append_extended(
		    file, WEBP_FLAG_ALPHA, p->width, p->height) == 0) &&
	    webp_append_image(file, p->i) == 0;
}

/* As a file of its own. */
static bool
proves(struct proof *p)
{
	struct buf file;
	bool valid = false;

	*p->decoded += p->width * p->height;
	if (*p->decoded > p->d->profile->pixels_max * PROOFS_MAX)
		return false;
	buf_init(&file, p->d->profile->in_max + 100);
	if (append_file(p, &file)) {
		webp_end_file(&file);
		valid = decodes(p, buf_bytes(&file));
	}
	buf_release(&file);
	return valid;
}

/* The shortest beginning of a part with which the image can be decoded. */
static size_t
find_end(struct proof *p, struct bytes *part)
{
	size_t least = 0, most = part->n;

	while (most - least > 1) {
		part->n = least + (most - least) / 2;
		if (proves(p))
			most = part->n;
		else
			least = part->n;
	}
	return most;
}

/* Decoders do not look at what is behind the end of a stream: whole files have
 * room there. part: a stream of the image. */
static enum webp_outcome
trim(struct proof *p, struct bytes *part)
{
	struct bytes behind = *part;

	if (part->n <= BEHIND_MAX)
		return WEBP_PROVED;
	part->n -= BEHIND_MAX;
	part->n = proves(p) ? find_end(p, part) : behind.n;
	bytes_take(&behind, part->n);
	if (behind.n > 0)
		detox_removed(p->d, REMOVED_TRAILING, "stream", behind);
	if (*p->decoded <= p->d->profile->pixels_max * PROOFS_MAX)
		return WEBP_PROVED;
	(void)detox_refuse(
	    p->d, REFUSED_POLYGLOT, "a WebP with data behind its streams");
	return WEBP_LOST;
}

enum webp_outcome
webp_prove(struct detox *d, struct webp_image *i, uint64_t width,
    uint64_t height, uint64_t *decoded)
{
	struct proof p = { d, i, width, height, decoded };

	if (i->stream.p == NULL || !proves(&p))
		return WEBP_LOST;
	if (i->alpha.p != NULL && trim(&p, &i->alpha) == WEBP_LOST)
		return WEBP_LOST;
	return trim(&p, &i->stream);
}
