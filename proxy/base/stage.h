/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage: a path is a table of named steps that one loop walks. A step answers
 * what happens next; the refusing answer is 0.
 */
#pragma once

#include <stddef.h>

enum stage_answer {
	STAGE_REFUSE = 0,
	STAGE_NEXT,
	STAGE_WAIT, /* an event will call stages_run again, at this step */
};

struct stage {
	const char *name; /* in every log line */
	enum stage_answer (*run)(void *job);
};

/*
 * Runs steps from *at on, until one refuses, one waits, or the table of n
 * ends. *at stands at the step that answered, or at n when all went.
 */
enum stage_answer stages_run(
    const struct stage *path, size_t n, size_t *at, void *job);
