/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/dlp/filter.h"

#include <openssl/crypto.h>

#include "filters/dlp/body.h"
#include "filters/dlp/canary.h"
#include "filters/media.h"
#include "filters/text/reader.h"

/* When the scan's text has come to where, so many bytes had been pushed. What
 * stands in them comes to the scan by position + DLP_BODY_HELD_MAX, and is
 * judged DLP_LAG behind it. */
struct mark {
	uint64_t bytes, position;
};

#define MARKS 8
#define MARK_STEP ((DLP_FILTER_LAG + MARKS - 2) / (MARKS - 1))

struct dlp_filter {
	struct filter base;
	struct dlp *scan;
	struct dlp_body *body;
	bool in_charset;
	struct reader reader;
	struct file_digest digest; /* of the body */
	bool ended;
	struct dlp_report report;
	const char *odd;
	uint32_t unread;
	uint64_t bytes; /* that were pushed */
	uint64_t judged;
	size_t marks_first, marks_n;
	struct mark marks[MARKS];
};

static struct dlp_filter *
filter_of(struct filter *f)
{
	return CONTAINER(f, struct dlp_filter, base);
}

/* What is text has a charset; of others the bytes are as good. */
static bool
has_charset(enum dlp_container c, struct bytes type)
{
	struct bytes media = media_name(type);

	return c == DLP_CSV || c == DLP_HTML || c == DLP_JSON || media.n == 0 ||
	    (c == DLP_PLAIN && media_is_below(media, BYTES("text/")));
}

static void
begin(struct filter *f)
{
	struct dlp_filter *d = filter_of(f);
	const struct dlp_filter_settings *s = f->settings;
	enum dlp_container c = dlp_container_of(s->media_type);

	d->scan = dlp_new(s->rules);
	d->body = dlp_body_new(d->scan, c, dlp_boundary_of(s->media_type));
	file_digest_begin(&d->digest, d->scan);
	d->in_charset = has_charset(c, s->media_type);
	/* JSON is UTF-8, whatever is declared (RFC 8259 section 8.1); or what
	 * it is. */
	reader_init(&d->reader,
	    c == DLP_JSON ? (struct bytes){ 0 }
			  : media_parameter(s->media_type, BYTES("charset")),
	    c == DLP_HTML, true);
}

static void
end(struct filter *f)
{
	struct dlp_filter *d = filter_of(f);

	dlp_body_free(d->body);
	file_digest_release(&d->digest);
	dlp_free(d->scan);
	OPENSSL_cleanse(&d->reader, sizeof(d->reader));
}

static void
take(void *owner, struct bytes text)
{
	dlp_body_push(owner, text);
}

static void
finish(struct dlp_filter *d)
{
	d->odd = dlp_body_end(d->body);
	d->unread = dlp_body_unread(d->body);
	file_digest_end(&d->digest, d->scan);
	dlp_end(d->scan, &d->report);
	d->ended = true;
}

static struct mark *
mark_of(struct dlp_filter *d, size_t i)
{
	return &d->marks[(d->marks_first + i) % MARKS];
}

/* The oldest of a full ring lies DLP_FILTER_LAG behind, and has gone. */
static void
set_mark(struct dlp_filter *d, uint64_t position)
{
	if (d->marks_n > 0 &&
	    position - mark_of(d, d->marks_n - 1)->position < MARK_STEP)
		return;
	*mark_of(d, d->marks_n++) = (struct mark){ d->bytes, position };
}

static void
count_judged(struct dlp_filter *d)
{
	uint64_t position = dlp_position(d->scan);

	while (d->marks_n > 0 &&
	    position - mark_of(d, 0)->position >= DLP_FILTER_LAG) {
		d->judged = mark_of(d, 0)->bytes;
		d->marks_first = (d->marks_first + 1) % MARKS;
		d->marks_n--;
	}
	set_mark(d, position);
}

static enum filter_verdict
push(struct filter *f, struct bytes in, bool last, struct buf *out)
{
	struct dlp_filter *d = filter_of(f);

	(void)out;
	if (d->ended)
		return FILTER_GO;
	file_digest_push(&d->digest, in);
	if (d->in_charset)
		reader_push(&d->reader, in, last, take, d->body);
	else
		dlp_body_push(d->body, in);
	d->bytes += in.n;
	if (last)
		finish(d);
	else
		count_judged(d);
	return FILTER_GO;
}

const struct filter_type dlp_filter = {
	.name = "dlp",
	.phase = FILTER_JUDGE,
	.state_size = sizeof(struct dlp_filter),
	.begin = begin,
	.end = end,
	.push = push,
};

enum dlp_verdict
dlp_filter_verdict(struct filter *f)
{
	const struct dlp_filter *d = filter_of(f);

	return d->ended ? d->report.verdict : dlp_so_far(d->scan);
}

uint64_t
dlp_filter_judged(struct filter *f)
{
	const struct dlp_filter *d = filter_of(f);

	return d->ended ? d->bytes : d->judged;
}

const struct dlp_report *
dlp_filter_report(struct filter *f)
{
	return &filter_of(f)->report;
}

const char *
dlp_filter_odd(struct filter *f)
{
	return filter_of(f)->odd;
}

uint32_t
dlp_filter_unread(struct filter *f)
{
	return filter_of(f)->unread;
}
