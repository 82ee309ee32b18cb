/* SPDX-License-Identifier: Apache-2.0 */
/* town: two bodies with every kind of zone, and a folder for policy files. */
#pragma once

#include "proxy/policy/policy.h"

#define TOWN_INTERNET "192.0.2.1"   /* of 990019 */
#define TOWN_SCHOOL "192.0.2.65"    /* the same, its section "school" */
#define TOWN_LGWAN "192.0.2.129"    /* of 990019 */
#define TOWN_MYNUMBER "192.0.2.193" /* of 990019 */
#define TOWN_OTHER "198.51.100.1"   /* internet of 990027, port 8443 too */
#define TOWN_STRANGER "203.0.113.1"

struct town {
	char folder[64];
	struct arena arena;
	struct zones *zones;
	struct policy *policy;
	struct err err;
};

void town_open(struct town *t);
/* Removes the folder and what town_write made in it. */
void town_close(struct town *t);
/* Writes a file of the folder. */
void town_write(struct town *t, const char *name, struct bytes text);
/* The path of a file of the folder, in the arena. */
const char *town_path(struct town *t, const char *name);
/* Loads p.conf with that text. 0, or -1 and t->err. */
int town_load(struct town *t, const char *text);
/* What the policy says of a request, at a quiet hour. */
struct decision town_judge(
    struct town *t, const char *from, const char *method, const char *url);
/* The same of the CONNECT before it, which tells host and port alone. */
struct decision town_judge_connect(
    struct town *t, const char *from, const char *authority);
