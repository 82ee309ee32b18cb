/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/settings.h"
#include "tests/fuzz/lab.h"

/* What is not loaded says why, at once or in the list. */
static void
judge(int result, const struct err *e)
{
	must(result == 0 || e->text[0] != '\0' || e->list->n > 0);
}

static void
load_groups(const config_setting_t *root, struct arena *a, struct err *e)
{
	static struct settings s;

	s = (struct settings){ 0 };
	judge(listeners_load(root, a, &s.listeners, &s.listeners_n, e), e);
	judge(mail_settings_load(root, a, &s.mail, e), e);
	judge(upstream_load(root, a, &s.upstream, e), e);
	judge(verify_load(root, a, &s.verify, e), e);
	judge(store_settings_load(root, a, &s.store, e), e);
}

static void
load_files(
    const char *path, const struct zones *z, struct arena *a, struct err *e)
{
	struct detox_profiles profiles = { 0 };

	judge(detox_profiles_load(&profiles, path, e), e);
	detox_profiles_release(&profiles);
	must(detox_profiles_load(&profiles, NULL, e) == 0);
	judge(routes_load(path, z, &profiles, a, e) == NULL ? -1 : 0, e);
	detox_profiles_release(&profiles);
}

/* As the file of settings, of profiles and of routes. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct zones *zones;
	static struct err_list all;
	struct err e = { .list = &all };
	struct bytes text = { p, n };
	struct arena a = { 0 };
	config_t config;
	char path[32];
	int fd;

	/* Files of this machine are no input. */
	if (bytes_index(text, '@') >= 0 || memmem(p, n, "\"/", 2) != NULL)
		return 0;
	zones = zones == NULL ? lab_zones() : zones;
	fd = lab_file(text, path);
	all.n = 0;
	if (setting_read(path, &config, &e) == 0)
		load_groups(config_root_setting(&config), &a, &e);
	config_destroy(&config);
	load_files(path, zones, &a, &e);
	arena_release(&a);
	close(fd);
	return 0;
}
