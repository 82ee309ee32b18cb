/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/log.h"
#include "proxy/handover/keeper.h"

static void
put(struct log_line *l, const char *key, struct bytes value)
{
	if (value.n > 0)
		log_text(l, key, value);
}

/* Never a file's name: it may say whom it is about. */
static void
put_file(struct log_line *l, const struct slip *s, size_t nth)
{
	const struct slip_file *f = &s->files[nth];

	log_number(l, "file", nth + 1);
	log_number(l, "files", s->files_n);
	put(l, "media", f->media);
	put(l, "in_sha256", f->in_sha256);
	put(l, "out_sha256", f->sha256);
	log_number(l, "in_bytes", f->in_bytes);
	log_number(l, "out_bytes", f->bytes);
	put(l, "removed", f->removed);
}

static void
put_lot(struct log_line *l, const struct keeper_lot *lot, const char *by)
{
	const struct slip *s = &lot->slip;

	log_string(l, "number", lot->row.id);
	put(l, "body", s->body);
	put(l, "way", s->way);
	put(l, "from", s->from);
	put(l, "to", s->to);
	put(l, "giver", s->giver);
	put(l, "client", s->client);
	put(l, "profile", s->profile);
	put(l, "communication", s->communication);
	put(l, "approved_by", bytes_of(lot->row.approved_by));
	put(l, "by", bytes_of(by));
}

static int
record_file(struct keeper *k, enum log_event event,
    const struct keeper_lot *lot, const char *by, size_t nth, struct err *e)
{
	struct log_line l;

	char head[CHAIN_HEX_N];

	log_begin(&l, event, NULL);
	put_lot(&l, lot, by);
	put_file(&l, &lot->slip, nth);
	/* Behind the brace that the line begins with. */
	if (chain_append(k->crossings,
		(struct bytes){ (const uint8_t *)l.text + 1, l.n - 1 }, head,
		e) < 0)
		return -1;
	log_end(&l);
	return 0;
}

int
keeper_record(struct keeper *k, enum log_event event,
    const struct keeper_lot *lot, const char *by, ssize_t nth, struct err *e)
{
	for (size_t i = 0; i < lot->slip.files_n; i++)
		if ((nth < 0 || i == (size_t)nth) &&
		    record_file(k, event, lot, by, i, e) < 0)
			return -1;
	return chain_sync(k->crossings, e);
}
