/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/urlrep/swap.h"

int
swap_offer(struct swap *s, int fd, struct err *e)
{
	struct urlrep *r = urlrep_map(fd, e);

	if (r == NULL)
		return -1;
	urlrep_drop(s->coming);
	s->coming = r;
	return 0;
}

bool
swap_step(struct swap *s, size_t bytes)
{
	if (s->going != NULL) {
		/* Who still holds it gives it back at his time. */
		if (urlrep_is_shared(s->going) ||
		    urlrep_cool(s->going, bytes)) {
			urlrep_drop(s->going);
			s->going = NULL;
		}
	} else if (s->coming != NULL && urlrep_warm(s->coming, bytes)) {
		s->going = s->current;
		s->current = s->coming;
		s->coming = NULL;
	}
	return s->going == NULL && s->coming == NULL;
}

void
swap_release(struct swap *s)
{
	urlrep_drop(s->current);
	urlrep_drop(s->coming);
	urlrep_drop(s->going);
	*s = (struct swap){ NULL, NULL, NULL };
}
