/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/base/stage.h"

enum stage_answer
stages_run(const struct stage *path, size_t n, size_t *at, void *job)
{
	enum stage_answer answer = STAGE_NEXT;

	while (*at < n) {
		answer = path[*at].run(job);
		if (answer != STAGE_NEXT)
			return answer;
		++*at;
	}
	return answer;
}
