/* SPDX-License-Identifier: Apache-2.0 */
/* spool_list: things in a row that know their neighbours, so that one leaves
 * without being looked for. A list is a ring with a head in it. */
#pragma once

#include <stdbool.h>

#include "proxy/base/macros.h"

struct list {
	struct list *prev, *next; /* NULL: in no list */
};

static inline void
list_init(struct list *head)
{
	head->prev = head->next = head;
}

static inline bool
list_is_empty(const struct list *head)
{
	return head->next == head;
}

static inline void
list_append(struct list *head, struct list *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

/* One that is in no list stays so. */
static inline void
list_remove(struct list *l)
{
	if (l->next == NULL)
		return;
	l->prev->next = l->next;
	l->next->prev = l->prev;
	l->prev = l->next = NULL;
}
