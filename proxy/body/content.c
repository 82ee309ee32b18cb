/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/body/content.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "filters/decode/encode.h"
#include "filters/dlp/filter.h"
#include "filters/media.h"
#include "filters/text/text.h"
#include "proxy/base/file.h"
#include "proxy/body/object.h"
#include "proxy/detox/detox.h"

const struct setting content_table[] = {
	SETTING_TEXT_ROW(content_settings, key_file, "", 0, 4096,
	    "The key of the hashes that stand in the journal for numbers: a"
	    " file of 16 to 64 bytes. Without one it is made up at each start,"
	    " and hashes of two starts cannot be compared.",
	    "番号の代わりにログに書くハッシュの鍵（16 から 64 "
	    "バイトのファイル）。"
	    "なければ起動ごとに作られ、起動をまたいで比べられない。"),
	SETTING_TEXT_ROW(content_settings, output, "as-it-came", 1, 16,
	    "How coded bodies travel on: \"as-it-came\", \"identity\" (decoded)"
	    " or \"gzip\" (coded anew): what was read here, no more.",
	    "符号化された本文の渡し方: \"as-it-came\"（そのまま）、"
	    "\"identity\"（復号して）、\"gzip\"（符号化し直して）。"),
	SETTING(content_settings, held_max, SIZE, 268435456, 1048576, 1e12,
	    "Bytes that an edge keeps back until they are judged, of all"
	    " bodies together; what would be more is refused.",
	    "判定が済むまで一つのエッジが留める大きさの合計。超える本文は"
	    "拒否する。"),
};
const size_t content_table_n = COUNT(content_table);

int
content_settings_check(
    struct content_settings *s, const config_setting_t *group, struct err *e)
{
	static const char *const names[] = {
		[CONTENT_AS_IT_CAME] = "as-it-came",
		[CONTENT_IDENTITY] = "identity",
		[CONTENT_GZIP] = "gzip",
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(s->output, names[i]) == 0) {
			s->output_as = (enum content_output)i;
			return 0;
		}
	return setting_error(group, e,
	    "output is \"%s\", expected as-it-came, identity or gzip",
	    s->output);
}

#define KEY_MIN 16

/* Made up once, so that a reload changes no hash. */
static int
make_key(struct buf *key, struct err *e)
{
	static uint8_t made[DLP_KEY_MAX];
	static bool is_made;

	if (!is_made && getrandom(made, sizeof(made), 0) != sizeof(made))
		return err_set(e, "no random numbers: %m");
	is_made = true;
	must(buf_append(key, (struct bytes){ made, sizeof(made) }) == 0);
	return 0;
}

static int
read_key(struct buf *key, const char *path, struct err *e)
{
	if (path[0] == '\0')
		return make_key(key, e);
	if (file_read(path, key, e) < 0)
		return -1;
	if (key->n < KEY_MIN)
		return err_set(e,
		    "%s: the key has %zu bytes, expected %d to %d", path,
		    key->n, KEY_MIN, DLP_KEY_MAX);
	return 0;
}

int
content_prepare(struct policy *p, const char *key_path, struct err *e)
{
	struct buf key;
	int result;

	buf_init(&key, DLP_KEY_MAX);
	result = read_key(&key, key_path, e);
	if (result == 0)
		policy_use_key(p, buf_bytes(&key));
	if (key.p != NULL)
		OPENSSL_cleanse(key.p, key.size);
	buf_release(&key);
	return result < 0 ? -1 : text_prepare(e);
}

#define GZIP_LEVEL 6
#define PIECE_MAX ((size_t)65536)
#define LAG_FREE (2 * PIECE_MAX)
#define TOO_LARGE "a file larger than is allowed"

/* What is kept back or waits to be taken, in the order in which it came. */
struct piece {
	struct piece *next;
	size_t n;
	uint64_t seen; /* decoded bytes up to its end */
	bool counted;  /* in the share: it is kept back to be judged */
	uint8_t bytes[];
};

/* One inspection of the body. */
struct look {
	const struct inspection *inspection;
	struct filter *filter; /* NULL: by the head alone */
	enum finding finding;
	const char *why;
	bool over;   /* it looks no further */
	bool chosen; /* detox: the body is one of its files */
	union {
		struct text_settings text;
		struct magic_settings magic;
		struct dlp_filter_settings dlp;
	} settings;
};

struct content {
	struct content_order order;
	struct object object; /* a body that may have to be made harmless */
	enum magic_type type; /* its */
	bool is_object;
	bool large;
	bool failed; /* the object cannot be kept */
	struct decode *decode;
	struct filter *encode;
	struct encode_settings encode_settings;
	struct piece *first, *last;
	struct piece *taken;  /* given to who took it last */
	struct bytes passing; /* of the last push: nothing stands before it */
	size_t waiting;       /* bytes of these */
	uint64_t seen;        /* decoded bytes */
	bool released;        /* nothing waits for the end any more */
	bool ended;
	bool busy; /* there is no more room */
	size_t looks_n;
	struct look looks[];
};

/* What filters make of a piece; a process carries one at a time. */
static uint8_t decoded[DECODE_STEP];
static struct buf encoded = { .max = DECODE_STEP };

/* Which of the inspections fit. */

/* Where browsers find out themselves (MIME Sniffing section 7). */
static bool
is_untold(struct bytes media)
{
	return bytes_index(media, '/') < 0 ||
	    bytes_equal_nocase(media, BYTES("*/*")) ||
	    bytes_equal_nocase(media, BYTES("unknown/unknown")) ||
	    bytes_equal_nocase(media, BYTES("application/unknown"));
}

/* What a person reads; what is not told may be. */
static bool
is_text(struct bytes media)
{
	static const struct bytes others[] = {
		BYTES_ROW("application/xhtml+xml"),
		BYTES_ROW("application/xml"),
		BYTES_ROW("application/json"),
		BYTES_ROW("text/"),
	};

	if (is_untold(media))
		return true;
	if (bytes_equal_nocase(media, BYTES("text/css")) ||
	    bytes_equal_nocase(media, BYTES("text/javascript")))
		return false;
	for (size_t i = 0; i < COUNT(others); i++)
		if (media_is_below(media, others[i]))
			return true;
	return false;
}

static bool
is_html(struct bytes media)
{
	return is_untold(media) ||
	    bytes_equal_nocase(media, BYTES("text/html")) ||
	    bytes_equal_nocase(media, BYTES("application/xhtml+xml"));
}

static bool
fits(const struct inspection *i, struct bytes media)
{
	switch (i->kind) {
	case INSPECTION_PHRASES:
		return is_text(media);
	case INSPECTION_DLP: /* whatever who sends it calls it */
	case INSPECTION_CANARY:
	case INSPECTION_TYPES:
	case INSPECTION_DETOX:
		return true;
	}
	return true;
}

/* By what was declared, before any byte of it. */
static bool
is_refused_type(const struct inspection *i, struct bytes media)
{
	for (size_t k = 0; k < i->media_types.n; k++) {
		struct bytes refused = bytes_of(i->media_types.p[k]);

		if (bytes_end_with(refused, BYTES("/"))
			? media_is_below(media, refused)
			: bytes_equal_nocase(media, refused))
			return true;
	}
	return false;
}

static bool
is_excused(const struct content_order *o, const struct inspection *i)
{
	for (size_t k = 0; k < o->inspections_n; k++)
		if (o->inspections[k] == i)
			return (o->excused >> k & 1) != 0;
	return false;
}

static void
find(struct look *l, const struct content_order *o, enum finding f,
    const char *why)
{
	if (f == FINDING_WARN && is_excused(o, l->inspection))
		f = FINDING_LOG;
	l->finding = f;
	l->why = why;
}

static void
begin_types(struct look *l, const struct content_order *o)
{
	const struct inspection *i = l->inspection;

	l->settings.magic = (struct magic_settings){
		.name = o->name,
		.declared = o->media_type,
		.must_agree = i->must_agree,
		.refused = i->types,
	};
	if (i->types != 0 || i->must_agree)
		l->filter = filter_new(&magic_filter, &l->settings.magic);
	l->over = l->filter == NULL;
	if (is_refused_type(i, media_name(o->media_type)))
		find(l, o, i->found, "a declared type that is not allowed");
	else if (i->larger_than > 0 && o->length > i->larger_than)
		find(l, o, i->found, TOO_LARGE);
}

static void
begin_look(struct look *l, const struct content_order *o)
{
	const struct inspection *i = l->inspection;

	l->finding = FINDING_NONE;
	switch (i->kind) {
	case INSPECTION_TYPES:
		begin_types(l, o);
		return;
	case INSPECTION_DETOX:
		l->settings.magic = (struct magic_settings){ .name = o->name };
		l->filter = filter_new(&magic_filter, &l->settings.magic);
		return;
	case INSPECTION_PHRASES:
		l->settings.text = (struct text_settings){
			.set = i->set,
			.threshold = i->threshold,
			.charset =
			    media_parameter(o->media_type, BYTES("charset")),
			.html = is_html(media_name(o->media_type)),
		};
		l->filter = filter_new(&text_filter, &l->settings.text);
		return;
	case INSPECTION_DLP:
	case INSPECTION_CANARY:
		l->settings.dlp = (struct dlp_filter_settings){
			.rules = i->dlp,
			.media_type = o->media_type,
		};
		l->filter = filter_new(&dlp_filter, &l->settings.dlp);
		return;
	}
}

struct content *
content_new(const struct content_order *o)
{
	struct bytes media = media_name(o->media_type);
	struct content *c =
	    calloc(1, sizeof(*c) + o->inspections_n * sizeof(c->looks[0]));

	must(c != NULL);
	c->order = *o;
	for (size_t i = 0; i < o->inspections_n; i++)
		if (fits(o->inspections[i], media))
			c->looks[c->looks_n++].inspection = o->inspections[i];
	if (c->looks_n == 0 && o->coding == DECODE_REFUSED) {
		free(c);
		return NULL;
	}
	for (size_t i = 0; i < c->looks_n; i++)
		begin_look(&c->looks[i], o);
	if (o->coding != DECODE_REFUSED) {
		const struct decode_settings settings = {
			.coding = o->coding,
			.ratio_max = o->ratio_max,
		};

		c->decode = decode_new(&settings);
	}
	c->released = o->streams || c->looks_n == 0;
	object_init(&c->object, o->share);
	c->encode_settings.level = GZIP_LEVEL;
	if (c->decode != NULL && o->output == CONTENT_GZIP)
		c->encode = filter_new(&encode_filter, &c->encode_settings);
	return c;
}

/* It may have held what must not leave. */
static void
drop(struct content *c, struct piece *p)
{
	if (p == NULL)
		return;
	if (p->counted)
		share_give(c->order.share, p->n);
	OPENSSL_cleanse(p, sizeof(*p) + p->n);
	free(p);
}

static struct piece *
take_first(struct content *c)
{
	struct piece *p = c->first;

	if (p == NULL)
		return NULL;
	c->first = p->next;
	c->waiting -= p->n;
	return p;
}

void
content_free(struct content *c)
{
	struct piece *p;

	if (c == NULL)
		return;
	for (size_t i = 0; i < c->looks_n; i++)
		filter_free(c->looks[i].filter);
	while ((p = take_first(c)) != NULL)
		drop(c, p);
	drop(c, c->taken);
	object_release(&c->object);
	filter_free(c->encode);
	decode_free(c->decode);
	OPENSSL_cleanse(c, sizeof(*c));
	free(c);
}

/* Keeping. */

/* So many decoded bytes are judged for sure: what a look for numbers finds may
 * lie far behind what it was given. */
static uint64_t
judged(const struct content *c)
{
	uint64_t least = c->seen;

	for (size_t i = 0; i < c->looks_n && !c->order.streams; i++) {
		const struct look *l = &c->looks[i];

		if (inspection_stops(l->inspection) &&
		    dlp_filter_judged(l->filter) < least)
			least = dlp_filter_judged(l->filter);
	}
	return least;
}

static void
append(struct content *c, struct piece *p)
{
	if (c->first == NULL)
		c->first = p;
	else
		c->last->next = p;
	c->last = p;
	c->waiting += p->n;
}

/* What lags behind is little, and there is always room for it: unless somebody
 * sends much that says nothing. */
static bool
is_counted(const struct content *c)
{
	return !c->released || (c->waiting >= LAG_FREE && judged(c) < c->seen);
}

/* What may travel on, and waits for a slow receiver, is bounded by it. */
static int
keep(struct content *c, struct bytes b, const char **why_out)
{
	bool counted = is_counted(c);

	while (b.n > 0) {
		struct bytes part =
		    bytes_take(&b, b.n < PIECE_MAX ? b.n : PIECE_MAX);
		struct piece *p;

		c->busy = counted && !share_take(c->order.share, part.n);
		if (c->busy) {
			*why_out = "too many bytes are kept back to be judged";
			return -1;
		}
		p = malloc(sizeof(*p) + part.n);
		must(p != NULL);
		*p = (struct piece){
			.n = part.n, .seen = c->seen, .counted = counted
		};
		memcpy(p->bytes, part.p, part.n);
		append(c, p);
	}
	return 0;
}

/* As they came; copied only when something is before them or they may not
 * travel on yet. */
static int
pass(struct content *c, struct bytes b, const char **why_out)
{
	if (!c->released || c->first != NULL || judged(c) < c->seen)
		return keep(c, b, why_out);
	c->passing = b;
	return 0;
}

bool
content_waits(const struct content *c)
{
	return !c->released;
}

int
content_object(struct content *c, struct content_object *out, struct err *e)
{
	bool named =
	    (magic_types_named((struct bytes){ 0 }, c->order.media_type) &
		MAGIC_BIT(c->type)) != 0;

	*out = (struct content_object){
		.fd = c->object.fd,
		.inspections = c->order.inspections,
		.type = c->type,
		.name = c->order.guessed && named ? (struct bytes){ 0 }
						  : c->order.name,
		.declared = c->order.media_type,
	};
	for (size_t i = 0; i < c->looks_n; i++)
		for (size_t k = 0; k < c->order.inspections_n; k++)
			if (c->looks[i].chosen &&
			    c->order.inspections[k] == c->looks[i].inspection)
				out->asked |= UINT64_C(1) << k;
	return detox_seal_fd(c->object.fd, e);
}

uint64_t
content_object_size(const struct content *c)
{
	return c->object.n;
}

bool
content_replace(struct content *c, int fd, uint64_t size)
{
	c->released = object_replace(&c->object, fd, size);
	return c->released;
}

struct content *
content_of(int fd, uint64_t size, struct share share)
{
	struct content *c = calloc(1, sizeof(*c));

	must(c != NULL);
	c->order.share = share;
	object_init(&c->object, share);
	c->is_object = c->ended = true;
	if (content_replace(c, fd, size))
		return c;
	content_free(c);
	return NULL;
}

bool
content_ready(const struct content *c)
{
	if (c->is_object)
		return c->released && object_ready(&c->object);
	return c->released && c->first != NULL &&
	    (c->ended || c->first->seen <= judged(c));
}

bool
content_take(struct content *c, struct bytes *out)
{
	if (c->is_object)
		return c->released && object_take(&c->object, PIECE_MAX, out);
	drop(c, c->taken);
	c->taken = content_ready(c) ? take_first(c) : NULL;
	if (c->taken != NULL) {
		*out = (struct bytes){ c->taken->bytes, c->taken->n };
		return true;
	}
	*out = c->passing;
	c->passing = (struct bytes){ 0 };
	return out->n > 0;
}

/* Looking. */

static enum finding
finding_of(enum dlp_verdict v)
{
	switch (v) {
	case DLP_BLOCK:
		return FINDING_BLOCK;
	case DLP_WARN:
		return FINDING_WARN;
	case DLP_LOG:
		return FINDING_LOG;
	case DLP_PASS:
		return FINDING_NONE;
	}
	return FINDING_BLOCK;
}

static void
look(struct content *c, struct look *l, struct bytes b, bool last)
{
	const struct inspection *i = l->inspection;
	enum filter_verdict v;

	if (l->over)
		return;
	v = filter_push(l->filter, b, last, NULL);
	l->over = last || v == FILTER_REFUSE;
	if (i->kind == INSPECTION_DETOX) {
		l->over |= magic_is_judged(l->filter);
		return;
	}
	if (i->kind == INSPECTION_DLP)
		find(l, &c->order, finding_of(dlp_filter_verdict(l->filter)),
		    NULL);
	else if (i->kind == INSPECTION_CANARY)
		find(l, &c->order,
		    dlp_filter_verdict(l->filter) == DLP_BLOCK ? i->found
							       : FINDING_NONE,
		    NULL);
	else if (v == FILTER_REFUSE)
		find(l, &c->order, i->found, l->filter->why);
}

/* However it is called, and whatever was told of its length. */
static void
measure(const struct content *c, struct look *l)
{
	uint64_t most = l->inspection->larger_than;

	if (most > 0 && c->seen > most && l->finding == FINDING_NONE)
		find(l, &c->order, l->inspection->found, TOO_LARGE);
}

static void
look_all(struct content *c, struct bytes b, bool last)
{
	c->seen += b.n;
	for (size_t i = 0; i < c->looks_n; i++) {
		look(c, &c->looks[i], b, last);
		measure(c, &c->looks[i]);
	}
}

/* Objects. */

/* Texts are what many programs call what they say; their content shows it. */
#define TOLD_BY_CONTENT                                     \
	(MAGIC_BIT(MAGIC_UNKNOWN) | MAGIC_BIT(MAGIC_TEXT) | \
	    MAGIC_BIT(MAGIC_HTML) | MAGIC_BIT(MAGIC_XML) |  \
	    MAGIC_BIT(MAGIC_SVG) | MAGIC_BIT(MAGIC_MAIL))

bool
content_is_meant(const struct inspection *i, const struct content_file *f)
{
	const struct bytes none = { 0 };
	uint64_t is = MAGIC_BIT(f->type);
	uint64_t declared = magic_types_named(none, f->declared);
	uint64_t named = magic_types_named(f->name, none);

	if (f->guessed && (declared & is) != 0)
		named = 0;
	return (i->types & is) != 0 ||
	    (i->types & declared & ~TOLD_BY_CONTENT) != 0 ||
	    (i->types & named & ~MAGIC_BIT(MAGIC_UNKNOWN)) != 0;
}

static bool
is_meant(const struct content *c, const struct look *l)
{
	const struct content_file f = {
		.type = magic_found(l->filter),
		.name = c->order.name,
		.guessed = c->order.guessed,
		.declared = c->order.media_type,
	};

	return c->order.whole || content_is_meant(l->inspection, &f);
}

bool
content_is_object(const struct content *c)
{
	uint64_t declared =
	    magic_types_named((struct bytes){ 0 }, c->order.media_type);

	for (size_t i = 0; i < c->looks_n && !c->order.streams; i++)
		if (c->looks[i].inspection->kind == INSPECTION_DETOX &&
		    !c->looks[i].over &&
		    (c->looks[i].inspection->types & declared &
			~TOLD_BY_CONTENT) != 0)
			return true;
	return c->is_object;
}

static bool
is_undecided(const struct content *c)
{
	for (size_t i = 0; i < c->looks_n; i++)
		if (c->looks[i].inspection->kind == INSPECTION_DETOX &&
		    !c->looks[i].over)
			return true;
	return false;
}

static uint64_t
object_max(const struct content *c)
{
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < c->looks_n; i++)
		if (c->looks[i].chosen &&
		    c->looks[i].inspection->hold_max < least)
			least = c->looks[i].inspection->hold_max;
	return least;
}

/* From here on nothing else of the body is kept. */
static int
begin_object(struct content *c)
{
	struct piece *p;

	while ((p = take_first(c)) != NULL)
		drop(c, p);
	c->is_object = true;
	if (c->order.length > object_max(c) && c->decode == NULL)
		c->large = true;
	return object_begin(&c->object);
}

/* Once they all know what it is. */
static void
choose(struct content *c)
{
	bool any = false;

	for (size_t i = 0; i < c->looks_n; i++) {
		struct look *l = &c->looks[i];

		if (l->inspection->kind != INSPECTION_DETOX)
			continue;
		c->type = magic_found(l->filter);
		l->chosen = is_meant(c, l);
		any |= l->chosen;
	}
	if (any && c->seen > 0)
		c->failed = begin_object(c) < 0;
	else
		object_forget(&c->object);
}

/* What is told to be a conversation and is a file: by its first piece, or as
 * soon as it is judged. What texts are is told by their content everywhere. */
static int
pass_stream(const struct content *c, struct bytes b, bool undecided,
    const char **why_out)
{
	for (size_t i = 0; undecided && i < c->looks_n; i++) {
		const struct look *l = &c->looks[i];
		uint64_t is;

		if (l->inspection->kind != INSPECTION_DETOX)
			continue;
		is = MAGIC_BIT(l->over   ? magic_found(l->filter)
			: c->seen == b.n ? magic_type_of(b, true)
					 : MAGIC_UNKNOWN);
		if ((l->inspection->types & is & ~TOLD_BY_CONTENT) != 0) {
			*why_out = "a file that is declared a conversation";
			return -1;
		}
	}
	return 0;
}

/* What was read of the body, before and after anybody knows what it is. */
static int
keep_object(
    struct content *c, struct bytes b, bool undecided, const char **why_out)
{
	enum object_put put;

	if (c->order.streams)
		return pass_stream(c, b, undecided, why_out);
	if (!undecided && !c->is_object)
		return 0;
	put = object_put(&c->object, b);
	c->busy = put == OBJECT_FULL;
	c->failed = put == OBJECT_FAILED;
	*why_out = c->busy ? "too many bytes are kept back to be made harmless"
			   : "no memory to keep it back";
	if (put != OBJECT_KEPT)
		return -1;
	if (undecided && !is_undecided(c))
		choose(c);
	if (c->is_object && c->object.n > object_max(c))
		c->large = true;
	return c->failed ? -1 : 0;
}

/* Whether it has seen all that it keeps bytes back for. */
static bool
has_settled(const struct content *c, const struct look *l)
{
	if (l->inspection->kind == INSPECTION_DETOX)
		return l->over && !c->is_object;
	return l->over || c->seen > l->inspection->hold_max ||
	    (l->inspection->kind == INSPECTION_TYPES &&
		magic_is_judged(l->filter));
}

static void
release_if_settled(struct content *c)
{
	for (size_t i = 0; i < c->looks_n; i++)
		if (!has_settled(c, &c->looks[i]))
			return;
	c->released = true;
}

/* The bytes of the coding, decoded or not. */

static int
encode(struct content *c, struct bytes b, bool last, const char **why_out)
{
	enum filter_verdict v = FILTER_MORE;

	while (v == FILTER_MORE) {
		encoded.n = 0;
		v = filter_push(c->encode, b, last, &encoded);
		b = (struct bytes){ 0 };
		if (v == FILTER_REFUSE) {
			*why_out = c->encode->why;
			return -1;
		}
		if (keep(c, buf_bytes(&encoded), why_out) < 0)
			return -1;
	}
	return 0;
}

/* What was read of the body. */
static int
read_piece(struct content *c, struct bytes b, bool last, const char **why_out)
{
	bool undecided = is_undecided(c);

	look_all(c, b, last);
	if (keep_object(c, b, undecided, why_out) < 0)
		return -1;
	if (c->is_object)
		return 0;
	if (c->decode == NULL || c->order.output == CONTENT_AS_IT_CAME)
		return 0;
	return c->encode != NULL ? encode(c, b, last, why_out)
				 : keep(c, b, why_out);
}

static int
decode_all(struct content *c, struct bytes b, bool last, const char **why_out)
{
	enum decode_state state = DECODE_FULL;
	size_t n;

	while (state == DECODE_FULL) {
		state = decode_some(
		    c->decode, &b, decoded, sizeof(decoded), &n, why_out);
		if (state == DECODE_BAD ||
		    read_piece(
			c, (struct bytes){ decoded, n }, false, why_out) < 0)
			return -1;
	}
	if (!last)
		return 0;
	*why_out = decode_end(c->decode);
	return *why_out != NULL
	    ? -1
	    : read_piece(c, (struct bytes){ 0 }, true, why_out);
}

enum content_verdict
content_push(struct content *c, struct bytes b, bool last, const char **why_out)
{
	struct content_found found;
	bool as_it_came =
	    c->decode == NULL || c->order.output == CONTENT_AS_IT_CAME;
	int result;

	if (c->ended)
		return CONTENT_GO;
	c->ended = last;
	result = c->decode != NULL ? decode_all(c, b, last, why_out)
				   : read_piece(c, b, last, why_out);
	if (result < 0)
		return c->busy || c->failed ? CONTENT_BUSY : CONTENT_BAD;
	if (content_found(c, &found) && found.finding <= FINDING_WARN)
		return CONTENT_FOUND;
	release_if_settled(c);
	if (c->is_object)
		return c->large ? CONTENT_LARGE
		    : last      ? CONTENT_OBJECT
				: CONTENT_GO;
	if (as_it_came && pass(c, b, why_out) < 0)
		return CONTENT_BUSY;
	return CONTENT_GO;
}

/* Telling. */

static void
tell(const struct look *l, struct content_found *out)
{
	*out = (struct content_found){
		.inspection = l->inspection,
		.finding = l->finding,
		.why = l->why,
	};
	if (!inspection_scans(l->inspection))
		return;
	out->report = dlp_filter_report(l->filter);
	out->unread = dlp_filter_unread(l->filter);
	out->why = dlp_filter_odd(l->filter);
}

static const struct look *
strictest(const struct content *c)
{
	const struct look *found = NULL;

	for (size_t i = 0; i < c->looks_n; i++)
		if (c->looks[i].finding < FINDING_NONE &&
		    (found == NULL || c->looks[i].finding < found->finding))
			found = &c->looks[i];
	return found;
}

bool
content_found(struct content *c, struct content_found *out)
{
	const struct look *l = strictest(c);

	if (l != NULL)
		*out = (struct content_found){ .inspection = l->inspection,
			.finding = l->finding,
			.why = l->why };
	return l != NULL;
}

bool
content_each(struct content *c, size_t n, struct content_found *out)
{
	for (size_t i = 0; i < c->looks_n; i++) {
		struct look *l = &c->looks[i];

		if (l->finding == FINDING_NONE || n-- > 0)
			continue;
		look(c, l, (struct bytes){ 0 }, true);
		tell(l, out);
		return true;
	}
	return false;
}
