/* SPDX-License-Identifier: Apache-2.0 */
/* feed: what the targets of all kinds of feeds do. */
#pragma once

#include <unistd.h>

#include "filters/urlrep/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Each entry is found under its own key, and nothing protected is there. */
static inline void
feed_check(const struct urlrep_match *m, void *context)
{
	static struct canon c;
	const char *why;

	(void)context;
	must((m->is_url ? canon_parse(&c, m->key, &why)
			: canon_parse_host(&c, m->key, &why)) == 0);
	must(!bytes_end_with(c.host, BYTES(".lg.jp")));
	must(m->line > 0 && m->confidence <= 100);
}

static inline int
feed_fuzz(enum feed_kind kind, struct bytes text)
{
	static struct protect *protect;
	struct buf report, file;
	struct err e = { 0 };
	struct build_counts counts;
	struct feed f = { { "c", 80, 86400, 1764000000 }, .report = &report };
	int fd;

	if (protect == NULL) {
		protect = protect_new();
		must(protect_zone(protect, BYTES("lg.jp")) == 0);
	}
	buf_init(&report, 1 << 16);
	buf_init(&file, (size_t)1 << 28);
	f.build = build_new(1);
	f.protect = protect;
	build_source(f.build, &(struct build_source){ "s", "k", "c", 80, 1 });
	if (feed_read_text(&f, kind, "list", text, 1764000000, &e) < 0)
		must(e.text[0] != '\0');
	must(build_write(f.build, 1, &file, &counts, &e) == 0);
	must(counts.entries + counts.repeated + counts.dropped ==
	    f.counts.taken);
	fd = urlrep_seal_bytes(buf_bytes(&file), "made", &e);
	if (fd >= 0) {
		struct urlrep *r = urlrep_map(fd, &e);

		must(r != NULL && urlrep_each(r, feed_check, NULL) == 0);
		urlrep_drop(r);
		close(fd);
	}
	must(fd >= 0);
	build_free(f.build);
	buf_release(&report);
	buf_release(&file);
	return 0;
}
