/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/urlset.h"

#include "filters/text/urls.h"
#include "proxy/policy/pattern.h"

struct urlset {
	struct urlset *next;
	struct set *set;
	uint64_t category; /* its bit */
};

int
urlset_open(struct urlset **list, const char *path, unsigned category,
    struct arena *a, struct err *e)
{
	struct set *set = set_map(SET_URLS, path, SET_CODE_JIT, e);
	struct urlset *u;

	if (set == NULL)
		return -1;
	u = ARENA_NEW(a, struct urlset);
	u->set = set;
	u->category = (uint64_t)1 << category;
	u->next = *list;
	*list = u;
	return 0;
}

void
urlsets_release(struct urlset *list)
{
	for (; list != NULL; list = list->next)
		set_free(list->set);
}

uint64_t
urlsets_categories(const struct urlset *list)
{
	uint64_t all = 0;

	for (; list != NULL; list = list->next)
		all |= list->category;
	return all;
}

/* One is enough. */
static bool
no_more(void *context, size_t pattern)
{
	(void)context;
	(void)pattern;
	return false;
}

/* What cannot be told is possible, and not certain. */
static void
match(struct urlset *u, const struct url *url, struct bytes path,
    uint64_t *certain, uint64_t *possible)
{
	struct bytes subject;
	enum urls_answer answer = URLS_TOO_MUCH;

	if (pattern_subject(url, path, &subject) == 0)
		answer = urls_match(u->set, subject, no_more, NULL);
	if (answer == URLS_YES)
		*certain |= u->category;
	if (answer != URLS_NO)
		*possible |= u->category;
}

static void
look_up(struct urlset *u, struct judging *j)
{
	const struct url *url = j->query->url;
	uint64_t certain = 0;
	uint64_t both = 0;

	match(u, url, url->path_canonical, &certain, &j->possible);
	if (bytes_equal(url->path_canonical, url->path_loose)) {
		j->certain |= certain;
		return;
	}
	match(u, url, url->path_loose, &both, &j->possible);
	j->certain |= certain & both;
}

void
urlsets_look_up(struct urlset *list, uint64_t asked, struct judging *j)
{
	for (; list != NULL; list = list->next) {
		if ((list->category & asked) == 0)
			continue;
		if (j->connecting)
			j->later |= list->category;
		else
			look_up(list, j);
	}
}
