/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/kernel/enforced.h"

#include "proxy/base/sandbox.h"

/* Of the grants those that a packet needs: what a process may carry on a
 * client's behalf is that process's to decide. */
static size_t
keep_packets(struct grants *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++)
		if (g->p[i].carrier == CARRIER_LISTEN ||
		    g->p[i].carrier == CARRIER_FORWARD)
			g->p[n++] = g->p[i];
	return n;
}

int
ruleset_of(const struct grant_settings *s, const char *gate_user, time_t now,
    struct arena *a, struct ruleset *out, struct err *e)
{
	struct grants g;
	unsigned gid;

	if (grants_make(s, a, &g, e) < 0)
		return -1;
	g.n = keep_packets(&g);
	*out = (struct ruleset){
		.model = s->isolation,
		.cells = cells_cut(g.p, g.n, CELLS_MAX, a, e),
		.now = now,
	};
	if (out->cells == NULL)
		return -1;
	for (size_t i = 0; i < s->listeners_n; i++)
		if (s->listeners[i].kind == LISTENER_TPROXY)
			out->tproxy = true;
	if (s->isolation->settings.gate[0] == '\0')
		return 0;
	return sandbox_user(gate_user, &out->gate_uid, &gid, e);
}
