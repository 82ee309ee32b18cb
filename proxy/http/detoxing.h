/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detoxing: one body while it is made harmless, for the files that do so:
 *
 *	detoxed.c	profile after profile, what became of it, the journal
 *	detoxed_head.c	the head of what was made; tags
 *	detoxed_form.c	a form: its files one after the other
 *	detoxed_texts.c	what leaves, looked into for what must not
 */
#pragma once

#include <unistd.h>

#include "proxy/detox/treat.h"
#include "proxy/http/detoxed.h"
#include "proxy/http/parts.h"

#define REMOVED_MAX 1024

struct detoxing {
	struct exchange *x;
	struct content *content;
	struct content_object object; /* the one that is at hand */
	struct parts *form;           /* or NULL */
	size_t at;                    /* of its parts */
	void *map;                    /* the form, and how many bytes it has */
	size_t map_n;
	uint64_t built_n;             /* bytes of `built` */
	uint64_t left;                /* of what asked, in its order */
	const struct inspection *now; /* the last that was taken of it */
	struct treat *treat;
	struct detox_ask *texts; /* that are taken out, while they are */
	uint64_t size;
	struct bytes name;     /* as it is told the sandbox; or empty */
	struct bytes shown;    /* as it is called, for the client */
	const char *extension; /* that it got; "": its own */
	int part_fd;           /* the object's, when it is a part; or -1 */
	int built;             /* what was put together of the form */
	int fd;                /* what came out last; -1: nothing yet */
	uint32_t profiles;     /* that were applied, a bit for each */
	bool up;
	bool looked; /* its texts were asked for */
	bool sanitised;
	char removed[REMOVED_MAX]; /* "macro:2 link:1" */
};

static inline const struct detox_profiles *
detoxing_profiles(const struct exchange *x)
{
	return &x->edge->settings->profiles;
}

static inline void
detoxing_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* detoxed.c: the next profile, or what follows when there is none. */
void detoxing_go_on(struct detoxing *d);
/* d->fd travels on. */
void detoxing_finish(struct detoxing *d);

/* detoxed_head.c: the head of what travels on. */
void detoxing_rewrite(struct detoxing *d);
/* What d->fd has to be declared as; NULL: as it was. */
const char *detoxing_media(const struct detoxing *d);
/* The same name with what it ends with now. */
struct bytes detoxing_rename(
    struct arena *a, struct bytes name, const char *extension);

/* detoxed_texts.c: whether the file that was made is being looked into, once:
 * then it goes on from there, or the exchange is refused. */
bool detoxing_look(struct detoxing *d);

/* detoxed_form.c */
void detoxing_begin_form(struct detoxing *d, uint64_t size);
/* Nothing, or nothing more, has to be done with the present part. */
void detoxing_end_part(struct detoxing *d);
