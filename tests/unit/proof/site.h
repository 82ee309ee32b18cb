/* SPDX-License-Identifier: Apache-2.0 */
/*
 * site: settings with everything that lets anything through, in memory: two
 * bodies with every kind of zone, a gate, two systems, communications, web and
 * mail. Tests change them behind the checks of their load.
 */
#pragma once

#include "proxy/proof/proof.h"

struct site {
	struct arena arena;
	struct zones *zones;
	struct isolation_model *isolation;
	struct listener_settings listeners[2];
	struct mail_settings mail;
	struct mail_listener_settings mail_listener;
	struct routes *routes;
	struct upstream_settings upstream;
	struct prefix provision[4];
	struct detox_profiles profiles;
	struct grant_settings settings;
	struct err err;
};

/* The zones, bodies and isolation of that text; listeners and mail as always.
 * NULL: the site that all its tests know. */
void site_open(struct site *s, const char *text);
void site_close(struct site *s);
struct zone *site_zone(struct site *s, const char *name);
struct communication *site_communication(struct site *s, const char *name);
/* Parsed, or the test ends. */
struct address site_at(const char *text);
struct prefix site_prefix(const char *text);
/* One prefix, in the arena. */
struct prefix *site_prefixes(struct site *s, const char *text);
