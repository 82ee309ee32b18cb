/* SPDX-License-Identifier: Apache-2.0 */
/* process: the zygote as a process of the daemon, which the edges ask. */
#include "proxy/process.h"

#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proxy/base/log.h"
#include "proxy/detox/zygote.h"

#define PROCESSES_MAX 4096 /* of the user, who may have several generations */

const struct setting detox_table[] = {
	SETTING_TEXT_ROW(detox_settings, profiles, "", 0, 4096,
	    "The file of profiles (docs/DETOX.md). Empty: those that are built"
	    " in, which the shipped file says too.",
	    "プロファイルのファイル（docs/DETOX.ja.md）。空なら組み込みのもの"
	    "（同梱のファイルと同じ）。"),
	SETTING(detox_settings, jobs_max, COUNT, 8, 1, 1024,
	    "Files that are rebuilt at once, each in a process of its own.",
	    "同時に無害化するファイルの数（それぞれ別のプロセス）。"),
	SETTING(detox_settings, spare_cores, COUNT, 1, 0, 1024,
	    "Processor cores that rebuilding leaves to the other processes,"
	    " so that pages do not wait for files; at least one is used.",
	    "無害化に使わずほかの処理に残す CPU コアの数。ページの表示が"
	    "ファイルの処理を待たずに済む。少なくとも一つは使う。"),
	SETTING(detox_settings, waiting_max, COUNT, 256, 0, 8000,
	    "Files that wait behind them; one more is refused as busy.",
	    "順番を待つファイルの数。超えれば混雑として拒否する。"),
	SETTING(detox_settings, memory_max, SIZE, (size_t)2 << 30,
	    (size_t)64 << 20, 1e12,
	    "Address space of such a process, in bytes.",
	    "一つのプロセスが使えるアドレス空間（バイト）。"),
	SETTING_SECONDS_ROW(detox_settings, time, 60, 1, 3600,
	    "Longest time that one file may take.",
	    "一つのファイルにかける時間の上限。"),
	SETTING_SECONDS_ROW(detox_settings, progress, 3, 1, 600,
	    "So long a browser waits before it gets a page that says so.",
	    "ブラウザーに進み具合の画面を出すまでの時間。"),
};
const size_t detox_table_n = COUNT(detox_table);

struct server {
	struct zygote *zygote;
};

static void
parent_message(void *owner, const struct ipc_message *m)
{
	struct server *s = owner;

	if (m->fd < 0)
		return;
	if (m->type == PARENT_CHANNEL && s->zygote != NULL)
		zygote_serve(s->zygote, m->fd);
	else
		close(m->fd);
}

/* The first of those that the process may use; jobs inherit it. A kernel that
 * is not asked to be preempted (as Debian's for clouds) lets who wants to serve
 * a page wait for a job's fork and end, whatever their priorities. */
static void
leave_cores(uint32_t spare)
{
	cpu_set_t set;
	uint32_t left;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return;
	left = (uint32_t)CPU_COUNT(&set);
	for (size_t i = 0; i < CPU_SETSIZE && spare > 0 && left > 1; i++)
		if (CPU_ISSET(i, &set)) {
			CPU_CLR(i, &set);
			spare--;
			left--;
		}
	(void)sched_setaffinity(0, sizeof(set), &set);
}

int
detox_start(struct child *c)
{
	const struct settings *settings = c->settings;
	const struct zygote_settings z = {
		.settings = &settings->detox,
		.profiles = settings->profiles.all,
		.profiles_n = settings->profiles.n,
		.sandbox = { .user = settings->processes.detox_user,
		    .root = settings->processes.root,
		    .processes_max = PROCESSES_MAX },
	};
	struct server s = { 0 };
	struct err e = { 0 };

	process_begin(c, parent_message, &s);
	leave_cores(settings->detox.spare_cores);
	/* No job may see, let alone write, what all processes share. */
	if (madvise(c->board, board_size(), MADV_DONTFORK) < 0)
		err_set(&e, "madvise: %m");
	else
		s.zygote = zygote_new(&z, c->loop, &e);
	if (s.zygote == NULL)
		return process_failed(c, &e);
	process_ready(c);
	loop_run(c->loop);
	log_say(EVENT_STOPPED, "pid %d", (int)getpid());
	zygote_free(s.zygote);
	return 0;
}
