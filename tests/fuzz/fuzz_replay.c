/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/replay.h"

#include "tests/fuzz/lab.h"

#define NONE                                                          \
	"default = ({ name = \"a\"; verdict = \"block\"; reason_ja =" \
	" \"b\"; });"

/* Each line is a decision, or told, or about something else. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct arena a;
	static const struct zones *zones;
	static struct policy *policy;
	static FILE *nowhere;
	struct replay_result r;
	struct err e = { 0 };
	size_t lines = 1;
	char path[32];
	int fd = lab_file((struct bytes){ p, n }, path);

	if (policy == NULL) {
		zones = lab_zones();
		policy = lab_policy(BYTES(NONE), zones, &a);
		nowhere = fopen("/dev/null", "we");
	}
	for (size_t i = 0; i < n; i++)
		lines += p[i] == '\n';
	must(replay_run(policy, zones, path, nowhere, &r, &e) == 0);
	must(r.decisions + r.unread <= lines && r.changed <= r.decisions);
	close(fd);
	return 0;
}
