/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/zone/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Whatever the settings say, who is found stands in his own prefix. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes text = { p, n };
	struct address client = { { [10] = 255, 255, 192, 0, 2, 1 }, 0 };
	struct arena a = { 0 };
	struct err e = { 0 };
	const struct zones *z = NULL;
	const struct segment *s = NULL;
	config_t config;

	config_init(&config);
	/* Files of this machine are no input. */
	if (bytes_index(text, '@') < 0 &&
	    config_read_string(&config, arena_string(&a, text))) {
		z = zones_load(config_root_setting(&config), &a, &e);
		must(z != NULL || e.text[0] != '\0');
	}
	s = z == NULL ? NULL : zones_lookup(z, &client);
	must(s == NULL || prefix_contains(&s->prefix, &client));
	config_destroy(&config);
	arena_release(&a);
	return 0;
}
