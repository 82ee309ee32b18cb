/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings: everything the files say, as one read-only snapshot. A load makes
 * a new one; jobs keep the one they began with.
 */
#pragma once

#include "filters/urlrep/score.h"
#include "proxy/answer/answer.h"
#include "proxy/base/setting.h"
#include "proxy/body/content.h"
#include "proxy/control/control.h"
#include "proxy/detox/detox.h"
#include "proxy/detox/profiles.h"
#include "proxy/handover/handover.h"
#include "proxy/http/limits.h"
#include "proxy/isolation/model.h"
#include "proxy/journal/journal.h"
#include "proxy/keysmith/keysmith.h"
#include "proxy/listener/listener.h"
#include "proxy/policy/policy.h"
#include "proxy/proof/grants.h"
#include "proxy/smtp/routes.h"
#include "proxy/smtp/settings.h"
#include "proxy/store/store.h"
#include "proxy/upstream/upstream.h"
#include "proxy/zone/zone.h"

struct process_settings {
	uint32_t edges;   /* 0: one per CPU */
	uint32_t mails;   /* the same */
	const char *root; /* the empty folder that processes are locked in */
	const char *edge_user, *keysmith_user, *journal_user, *control_user;
	const char *detox_user, *mail_user, *store_user, *gate_user;
	const char *tripwire_user;
	const char *handover_user;
	uint64_t drain_max_ms;
	uint64_t restart_max_ms;
	uint32_t files_max;
};

struct settings {
	struct arena arena;
	const char *file;
	const char *folder; /* of file; relative names start here */
	struct prefecture_settings prefecture;
	struct url own;     /* prefecture.proxy: where our own pages are */
	struct url own_tls; /* prefecture.proxy_tls; else the same */
	struct process_settings processes;
	struct listener_settings *listeners;
	size_t listeners_n;
	struct limit_settings limits;
	struct keysmith_settings keysmith; /* group tls_client */
	struct verify_settings verify;     /* group tls_origin */
	struct upstream_settings upstream;
	struct journal_settings journal;
	struct control_settings control;
	struct reputation_settings reputation;
	struct score_settings score;
	struct content_settings content;
	struct detox_settings detox;
	struct detox_profiles profiles; /* detox.profiles */
	struct mail_settings mail;
	struct routes *routes; /* mail.routes; NULL: no file is named */
	struct store_settings store;
	struct handover_settings handover;
	struct policy_files policies;
	struct zones *zones;
	struct isolation_model *isolation; /* never NULL after a load */
	struct policy *policy;
	struct trust *trust;
};

/* Every group, for the manual. */
#define SETTINGS_GROUPS 57
extern struct setting_group settings_groups[SETTINGS_GROUPS];
/* Must be called before settings_groups is read. */
void settings_groups_fill(void);

/*
 * Reads and checks everything but the CA key (keysmith's own). NULL and *e
 * with file:line, what is wrong, what was expected; so where the isolation's
 * claim does not hold (proxy/proof).
 */
struct settings *settings_load(const char *file, struct err *e) MUST_CHECK;
void settings_free(struct settings *s);
/* Without the proof of the isolation, for who shows why there is none. */
struct settings *settings_load_unproven(const char *file, struct err *e)
    MUST_CHECK;
/* What the proof is of. */
struct grant_settings settings_granting(const struct settings *s);
/* The same for a tool that asks the policy: with the file of URL lists. */
struct settings *settings_load_to_ask(const char *file, struct err *e)
    MUST_CHECK;
/* Where a settings file's relative names start. */
char *settings_folder(struct arena *a, const char *file);
/* A name of the files as a path: absolute, or relative to the folder. */
char *settings_path(
    const struct settings *s, struct arena *a, const char *name);
