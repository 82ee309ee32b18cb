/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/mman.h>

#include "filters/media.h"
#include "proxy/base/file.h"
#include "proxy/http/detoxing.h"
#include "proxy/http/inspect.h"
#include "proxy/http/stages.h"

/* Also what begins so: servers read it as one. */
bool
detoxed_is_form(struct bytes media_type)
{
	return media_is_below(
	    bytes_trim(media_type), BYTES("multipart/form-data"));
}

static void
refuse_form(struct detoxing *d, const char *why)
{
	exchange_request_bad(d->x, 400, why);
}

static int
append_bytes(struct detoxing *d, struct bytes b)
{
	d->built_n += b.n;
	return file_write(d->built, b);
}

/* What came out of the present part, or what it was. */
static int
append_content(struct detoxing *d)
{
	struct bytes out = d->form->p[d->at].content;
	void *p = NULL;
	int result;

	if (d->fd < 0)
		return append_bytes(d, out);
	if (d->size > 0)
		p = mmap(NULL, d->size, PROT_READ, MAP_PRIVATE, d->fd, 0);
	if (p == MAP_FAILED)
		return -1;
	result = append_bytes(d, (struct bytes){ p, d->size });
	if (p != NULL)
		munmap(p, d->size);
	return result;
}

static int
append_part(struct detoxing *d)
{
	struct buf head;
	int result;

	buf_init(&head, 4 * PART_HEAD_MAX);
	result = parts_before(d->form, d->at, &head) < 0 ||
		append_bytes(d, buf_bytes(&head)) < 0 ||
		(d->at < d->form->n && append_content(d) < 0)
	    ? -1
	    : 0;
	buf_release(&head);
	return result;
}

static void begin_part(struct detoxing *d);

/* Nothing, or nothing more, has to be done with it. */
void
detoxing_end_part(struct detoxing *d)
{
	struct part *p = &d->form->p[d->at];

	if (d->fd >= 0) {
		p->media = detoxing_media(d);
		p->extension = d->extension[0] != '\0' ? d->extension : NULL;
	}
	if (append_part(d) < 0) {
		exchange_refuse(d->x, ANSWER_BUSY, "no room for the form");
		return;
	}
	detoxing_close(&d->fd);
	detoxing_close(&d->part_fd);
	d->at++;
	begin_part(d);
}

static void
end_form(struct detoxing *d)
{
	if (append_part(d) < 0) {
		exchange_refuse(d->x, ANSWER_BUSY, "no room for the form");
		return;
	}
	d->fd = d->built;
	d->size = d->built_n;
	d->built = -1;
	detoxing_finish(d);
}

/* Which of what asked for the form means the part. */
static uint64_t
asked_for(const struct detoxing *d, uint64_t asked, const struct part *p)
{
	const struct content_file f = { .type = magic_type_of(p->content, true),
		.name = p->name,
		.declared = p->declared };
	uint64_t meant = 0;

	if (p->content.n == 0)
		return 0;
	for (; asked != 0; asked &= asked - 1) {
		int k = __builtin_ctzll(asked);

		if (content_is_meant(d->object.inspections[k], &f))
			meant |= UINT64_C(1) << k;
	}
	return meant;
}

static void
begin_part(struct detoxing *d)
{
	const struct part *p = &d->form->p[d->at];
	struct err e;

	if (d->at == d->form->n) {
		end_form(d);
		return;
	}
	d->left = asked_for(d, d->object.asked, p);
	d->profiles = 0;
	d->looked = false;
	d->extension = "";
	d->name = d->shown = p->name;
	d->object.declared = p->declared;
	d->object.type = magic_type_of(p->content, true);
	if (d->left == 0) {
		detoxing_end_part(d);
		return;
	}
	d->part_fd = detox_seal(p->content, &e);
	if (d->part_fd < 0) {
		exchange_refuse(d->x, ANSWER_BUSY, "no room for a file");
		return;
	}
	detoxing_go_on(d);
}

void
detoxing_begin_form(struct detoxing *d, uint64_t size)
{
	struct exchange *x = d->x;
	struct bytes boundary;
	const char *why;

	d->map_n = size;
	d->map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, d->object.fd, 0);
	d->built = memfd_create("form", MFD_CLOEXEC);
	d->form = ARENA_NEW(&x->arena, struct parts);
	if (d->map == MAP_FAILED || d->built < 0) {
		d->map = NULL;
		exchange_refuse(x, ANSWER_BUSY, "no room for the form");
		return;
	}
	if (parts_boundary(d->object.declared, &boundary, &why) < 0 ||
	    parts_split(d->form, (struct bytes){ d->map, d->map_n }, boundary,
		&x->arena, &why) < 0) {
		refuse_form(d, why);
		return;
	}
	begin_part(d);
}
