/* SPDX-License-Identifier: Apache-2.0 */
/* files: which policy files there are, layer by layer, as the settings say. */
#include <string.h>

#include "proxy/policy/policy.h"

#define FILES_MAX 4096

struct layers_entry {
	struct texts national, prefecture;
};

const struct setting policies_table[] = {
	SETTING(layers_entry, national, TEXTS, 0, 0, 256,
	    "Files of the national baseline, which comes with the package.",
	    "国の基準のファイル（パッケージに付属）。"),
	SETTING(layers_entry, prefecture, TEXTS, 0, 0, 256,
	    "Files of the prefecture.", "都道府県のファイル。"),
	SETTING_NEST_ROW(bodies, "Files of single bodies; a list.",
	    "構成団体ごとのファイル（並び）。"),
};
const size_t policies_table_n = COUNT(policies_table);

struct body_entry {
	const char *body;
	struct texts files;
};

const struct setting policies_body_table[] = {
	SETTING_TEXT_ROW(body_entry, body, NULL, BODY_CODE_N, BODY_CODE_N,
	    "The body's code.", "構成団体コード。"),
	SETTING(body_entry, files, TEXTS, 0, 0, 256, "Its files.",
	    "そのファイル。"),
	SETTING_NEST_ROW(sections, "Files of its sections; a list.",
	    "部署ごとのファイル（並び）。"),
};
const size_t policies_body_table_n = COUNT(policies_body_table);

struct section_entry {
	const char *name;
	struct texts files;
};

const struct setting policies_section_table[] = {
	SETTING_TEXT_ROW(section_entry, name, NULL, 1, 64,
	    "The section, as segments of the body name it.",
	    "部署の名前（segments の section と同じ）。"),
	SETTING(section_entry, files, TEXTS, 0, 1, 256, "Its files.",
	    "そのファイル。"),
};
const size_t policies_section_table_n = COUNT(policies_section_table);

static int
add(struct policy_files *out, struct policy_file like, const struct texts *t,
    struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		if (out->n == FILES_MAX)
			return setting_error(t->where, e,
			    "more than %d policy files", FILES_MAX);
		like.path = t->p[i];
		out->p[out->n++] = like;
	}
	return 0;
}

static int
read_section(struct policy_files *out, const struct body *body,
    const config_setting_t *group, const struct zones *zones, struct arena *a,
    struct err *e)
{
	struct section_entry entry = { 0 };
	struct policy_file like = { .layer = LAYER_SECTION, .body = body };

	if (setting_load(policies_section_table, policies_section_table_n,
		group, &entry, a, e) < 0)
		return -1;
	like.section = zones_section(zones, body, bytes_of(entry.name));
	if (like.section == NULL)
		return setting_error(group, e,
		    "section \"%s\" is named by no segment of %s", entry.name,
		    body->code);
	return add(out, like, &entry.files, e);
}

static int
read_body(struct policy_files *out, const config_setting_t *group,
    const struct zones *zones, struct arena *a, struct err *e)
{
	struct body_entry entry = { 0 };
	struct policy_file like = { .layer = LAYER_BODY };
	const config_setting_t *list;

	if (setting_load(policies_body_table, policies_body_table_n, group,
		&entry, a, e) < 0)
		return -1;
	like.body = zones_body_by_code(zones, bytes_of(entry.body));
	if (like.body == NULL)
		return setting_error(group, e,
		    "body \"%s\" is not in the settings, expected one of"
		    " bodies",
		    entry.body);
	if (add(out, like, &entry.files, e) < 0)
		return -1;
	list = setting_list(group, "sections", e);
	if (list == NULL)
		return e->text[0] != '\0' ? -1 : 0;
	for (int i = 0; i < config_setting_length(list); i++)
		if (read_section(out, like.body,
			config_setting_get_elem(list, (unsigned)i), zones, a,
			e) < 0)
			return -1;
	return 0;
}

int
policy_files_load(const config_setting_t *root, const struct zones *zones,
    struct arena *a, struct policy_files *out, struct err *e)
{
	const config_setting_t *group =
	    config_setting_get_member(root, "policies");
	struct layers_entry entry = { 0 };
	const config_setting_t *list;

	if (group == NULL)
		return setting_error(root, e,
		    "policies is missing, expected a group with prefecture ="
		    " [\"FILE\"]");
	out->p = ARENA_ARRAY(a, struct policy_file, FILES_MAX);
	if (setting_load(
		policies_table, policies_table_n, group, &entry, a, e) < 0 ||
	    add(out, (struct policy_file){ .layer = LAYER_NATIONAL },
		&entry.national, e) < 0 ||
	    add(out, (struct policy_file){ .layer = LAYER_PREFECTURE },
		&entry.prefecture, e) < 0)
		return -1;
	list = setting_list(group, "bodies", e);
	if (list == NULL && e->text[0] != '\0')
		return -1;
	for (int i = 0; list != NULL && i < config_setting_length(list); i++)
		if (read_body(out, config_setting_get_elem(list, (unsigned)i),
			zones, a, e) < 0)
			return -1;
	if (out->n == 0)
		return setting_error(
		    group, e, "no policy file, expected one at least");
	return 0;
}
