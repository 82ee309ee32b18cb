/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/image/inside.h"

#define HEADER_SIZE 128
#define TAG_SIZE 12
#define TAGS_MAX 100
#define TEXT "picture"

/* By these colours are computed: ICC.1:2022, 9.2. */
static const char kept_tags[] = "wtpt bkpt rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC"
				" chad A2B0 A2B1 A2B2 B2A0 B2A1 B2A2 gamt lumi"
				" chrm tech meas ";
/* None of these holds text: 10. */
static const char kept_types[] =
    "XYZ |curv|para|mft1|mft2|mAB |mBA |sf32|meas|sig |chrm|";
/* Of the header: version, class, spaces, "acsp", attributes, intent, white. */
static const struct {
	size_t at, n;
} kept_fields[] = { { 8, 16 }, { 36, 4 }, { 56, 24 } };

struct tag {
	uint32_t name, at, size;
	uint32_t new_at;
};

struct icc {
	struct bytes in;
	struct tag tags[TAGS_MAX];
	size_t tags_n;
	struct buf *out;
};

static bool
is_listed(const char *list, struct bytes word)
{
	for (; *list != '\0'; list += 5)
		if (memcmp(list, word.p, 4) == 0)
			return true;
	return false;
}

static bool
has_tag(const struct icc *c, const char *name)
{
	for (size_t i = 0; i < c->tags_n; i++)
		if (c->tags[i].name == image_big(bytes_of(name), 0, 4))
			return true;
	return false;
}

/* What a profile has to have to be of use, by its kind. */
static bool
is_of_use(const struct icc *c)
{
	return has_tag(c, "A2B0") || has_tag(c, "kTRC") ||
	    (has_tag(c, "rXYZ") && has_tag(c, "gXYZ") && has_tag(c, "bXYZ") &&
		has_tag(c, "rTRC") && has_tag(c, "gTRC") && has_tag(c, "bTRC"));
}

static bool
find_tags(struct icc *c)
{
	size_t n = image_big(c->in, HEADER_SIZE, 4);

	if (n > TAGS_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		size_t row = HEADER_SIZE + 4 + i * TAG_SIZE;
		struct tag t = { .name = (uint32_t)image_big(c->in, row, 4),
			.at = (uint32_t)image_big(c->in, row + 4, 4),
			.size = (uint32_t)image_big(c->in, row + 8, 4) };

		if (c->in.n < row + TAG_SIZE || t.at > c->in.n ||
		    t.size > c->in.n - t.at)
			return false;
		if (t.size >= 8 &&
		    is_listed(
			kept_tags, (struct bytes){ c->in.p + row, TAG_SIZE }) &&
		    is_listed(kept_types, (struct bytes){ c->in.p + t.at, 8 }))
			c->tags[c->tags_n++] = t;
	}
	return is_of_use(c);
}

static bool
is_valid(struct bytes in, const char *space)
{
	return in.n >= HEADER_SIZE + 4 && in.n <= IMAGE_ICC_MAX &&
	    memcmp(in.p + 36, "acsp", 4) == 0 &&
	    memcmp(in.p + 16, space, 4) == 0 && in.p[8] >= 2 && in.p[8] <= 4;
}

static void
append(struct icc *c, const void *p, size_t n)
{
	static const uint8_t zeros[4];

	/* The sum of parts of what is at most IMAGE_ICC_MAX; shared ones are
	 * written once, but others may overlap. */
	if (buf_append(c->out, (struct bytes){ p, n }) < 0 ||
	    buf_append(c->out, (struct bytes){ zeros, -n & 3 }) < 0)
		c->tags_n = 0;
}

/* Tags that share their data go on sharing it. */
static void
append_data(struct icc *c, size_t i)
{
	struct tag *t = &c->tags[i];

	for (size_t k = 0; k < i; k++)
		if (c->tags[k].at == t->at && c->tags[k].size == t->size) {
			t->new_at = c->tags[k].new_at;
			return;
		}
	t->new_at = (uint32_t)c->out->n;
	append(c, c->in.p + t->at, t->size);
}

/* The same words for each profile, in the form of its version. */
static void
append_text(struct icc *c, bool is_description)
{
	static const uint8_t unicode[] = "mluc\0\0\0\0\0\0\0\1\0\0\0\14enUS"
					 "\0\0\0\16\0\0\0\34\0p\0i\0c\0t\0u\0r"
					 "\0e";
	static const uint8_t text[] = "text\0\0\0\0" TEXT;
	/* Behind the letters: no Unicode, no script code, 67 bytes of room. */
	static const uint8_t description[12 + sizeof(TEXT) + 78] =
	    "desc\0\0\0\0\0\0\0\10" TEXT;

	if (c->in.p[8] >= 4)
		append(c, unicode, sizeof(unicode) - 1);
	else if (is_description)
		append(c, description, sizeof(description));
	else
		append(c, text, sizeof(text));
}

static void
put_tag(struct icc *c, size_t i, struct tag t)
{
	uint8_t *p = c->out->p + HEADER_SIZE + 4 + i * TAG_SIZE;

	image_put_big(p, t.name, 4);
	image_put_big(p + 4, t.new_at, 4);
	image_put_big(p + 8, t.size, 4);
}

static void
append_own(struct icc *c, const char *name, size_t i)
{
	struct tag t = { .name = (uint32_t)image_big(bytes_of(name), 0, 4),
		.new_at = (uint32_t)c->out->n };

	append_text(c, name[0] == 'd');
	t.size = (uint32_t)c->out->n - t.new_at;
	put_tag(c, i, t);
}

static bool
write_profile(struct icc *c)
{
	size_t head = HEADER_SIZE + 4 + (c->tags_n + 2) * TAG_SIZE;
	size_t n = c->tags_n;

	if (buf_reserve(c->out, head) < 0)
		return false;
	memset(c->out->p, 0, head);
	c->out->n = head;
	for (size_t i = 0; i < COUNT(kept_fields); i++)
		memcpy(c->out->p + kept_fields[i].at,
		    c->in.p + kept_fields[i].at, kept_fields[i].n);
	image_put_big(c->out->p + HEADER_SIZE, n + 2, 4);
	append_own(c, "desc", 0);
	append_own(c, "cprt", 1);
	for (size_t i = 0; i < n && c->tags_n == n; i++) {
		append_data(c, i);
		put_tag(c, i + 2, c->tags[i]);
	}
	image_put_big(c->out->p, c->out->n, 4);
	return c->tags_n == n;
}

bool
image_icc(
    struct detox *d, struct bytes profile, const char *space, struct buf *out)
{
	struct icc c = { .in = profile, .out = out };
	size_t n = image_big(profile, 0, 4);

	if (n < c.in.n)
		c.in.n = n;
	if (n > profile.n || !is_valid(c.in, space) || !find_tags(&c) ||
	    !write_profile(&c)) {
		out->n = 0;
		detox_removed(d, REMOVED_DAMAGED, "ICC profile", profile);
		return false;
	}
	if (!bytes_equal(profile, buf_bytes(out)))
		detox_removed(d, REMOVED_METADATA, "ICC profile", BYTES(""));
	return true;
}
