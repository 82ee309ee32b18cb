/* SPDX-License-Identifier: Apache-2.0 */
/*
 * originals: the store's folder, its key, and when it runs. It stands beside
 * the generations from the first settings with mail on.
 */
#include <string.h>

#include "proxy/base/log.h"
#include "proxy/parent/state.h"

/* As journal.file: who runs has them open. */
static int
check_unchanged(const struct settings *s, struct err *e)
{
	const struct {
		const char *key, *was, *is;
	} names[] = {
		{ "folder", parent.store_folder, s->store.folder },
		{ "key_file", parent.store_key, s->store.key_file },
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i].was, names[i].is) != 0)
			return err_set(e,
			    "%s: store.%s changed, expected \"%s\" until"
			    " sekishod is restarted",
			    s->file, names[i].key, names[i].was);
	return 0;
}

int
originals_prepare(const struct settings *s, struct err *e)
{
	const struct vault_place place = {
		.group = "store",
		.what = "originals",
		.folder = s->store.folder,
		.key_file = s->store.key_file,
		.user = s->processes.store_user,
		.database = STORE_FILE,
	};

	if (s->mail.listeners_n == 0)
		return 0;
	if (parent.store_folder != NULL)
		return check_unchanged(s, e);
	if (vault_place_prepare(&place, e) < 0)
		return -1;
	parent.store_folder =
	    arena_string(&parent.names, bytes_of(s->store.folder));
	parent.store_key =
	    arena_string(&parent.names, bytes_of(s->store.key_file));
	return 0;
}

void
originals_serve(const struct settings *s)
{
	const struct store_limits limits = store_limits_of(&s->store);
	const struct bytes body = { (const uint8_t *)&limits, sizeof(limits) };
	struct worker *w = worker_find(PROCESS_STORE, NULL);
	struct err e = { 0 };

	if (s->mail.listeners_n == 0)
		return;
	if (w != NULL && w->channel != NULL)
		channel_send(w->channel, PARENT_LIMITS, 0, body, -1);
	if (w != NULL)
		return;
	w = worker_new(PROCESS_STORE, 0, NULL, &e);
	if (w != NULL)
		worker_start(w);
	else
		log_say(EVENT_FAILURE, "%s", e.text);
}
