/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/lab.h"

/* What is refused or tunnelled at CONNECT is not judged otherwise behind it. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct zones *zones;
	struct address from = { { [10] = 255, 255, 192, 0, 2, 1 }, 0 };
	struct arena a = { 0 };
	struct url u = { 0 };
	struct query q = {
		.url = &u, .method = BYTES("GET"), .now = 1764000000
	};
	struct bytes text = { p, n };
	struct policy *policy = NULL;
	const char *why;

	zones = zones == NULL ? lab_zones() : zones;
	q.segment = zones_lookup(zones, &from);
	must(!url_parse_absolute(&u, BYTES("https://a.test/b?c"), &a, &why));
	/* Files of this machine are no input. */
	if (bytes_index(text, '@') < 0)
		policy = lab_policy(text, zones, &a);
	if (policy != NULL) {
		enum verdict c = policy_judge_connect(policy, &q).verdict;
		enum verdict r = policy_judge(policy, &q).verdict;

		must(c == VERDICT_ALLOW ||
		    (c == VERDICT_BLOCK && r == VERDICT_BLOCK) ||
		    (c == VERDICT_TUNNEL && r == VERDICT_ALLOW));
	}
	policy_release(policy);
	arena_release(&a);
	return 0;
}
