/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/mman.h>

#include "proxy/detox/client.h"
#include "proxy/http/detoxing.h"
#include "proxy/http/inspect.h"
#include "proxy/http/stages.h"

/* What the sandbox made of the file: text, or a table of it. */
static struct bytes
media_of(const struct detox_report *r)
{
	return bytes_equal(bytes_of(r->extension), BYTES("csv"))
	    ? BYTES("text/csv; charset=utf-8")
	    : BYTES("text/plain; charset=utf-8");
}

/* Whether the file may leave. */
static bool
may_leave(struct detoxing *d, const struct detox_outcome *o)
{
	void *p = NULL;
	bool may;

	if (o->size > 0)
		p = mmap(NULL, o->size, PROT_READ, MAP_PRIVATE, o->fd, 0);
	if (p == MAP_FAILED) {
		exchange_refuse(d->x, ANSWER_BUSY, "no memory to look into it");
		return false;
	}
	may = inspect_file(
	    d->x, (struct bytes){ p, o->size }, media_of(&o->report));
	if (p != NULL)
		munmap(p, o->size);
	return may;
}

static void
on_texts(void *owner, struct detox_outcome *o)
{
	struct detoxing *d = owner;
	bool may = true;

	d->texts = NULL;
	if (o->verdict == DETOX_IS_REFUSED &&
	    o->report.refusal == REFUSED_BUSY) {
		exchange_refuse(d->x, ANSWER_BUSY, "not looked into now");
		return;
	}
	/* What has no text says nothing; it was rebuilt all the same. */
	if (o->verdict != DETOX_IS_REFUSED)
		may = may_leave(d, o);
	detoxing_close(&o->fd);
	if (may)
		detoxing_go_on(d);
}

bool
detoxing_look(struct detoxing *d)
{
	const ssize_t profile =
	    detox_profiles_find(detoxing_profiles(d->x), DETOX_TEXT_PROFILE);
	const struct detox_order order = {
		.profile = (uint32_t)profile,
		.name = d->name,
	};
	struct err e;

	if (d->looked || !d->up || profile < 0 || !inspect_stops(d->x))
		return false;
	d->looked = true;
	d->texts = detox_client_ask(d->x->edge->detox,
	    d->fd >= 0            ? d->fd
		: d->part_fd >= 0 ? d->part_fd
				  : d->object.fd,
	    &order, on_texts, d, &e);
	if (d->texts == NULL)
		exchange_refuse(d->x, ANSWER_BUSY, "not looked into now");
	return true;
}
