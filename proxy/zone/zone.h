/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone: client address -> body (構成団体) and zone, by the longest prefix.
 * Read from the settings' `zones` and `bodies`; read-only afterwards.
 */
#pragma once

#include "proxy/base/address.h"
#include "proxy/base/setting.h"

#define BODY_CODE_N 6 /* digits of a 全国地方公共団体コード */
#define BODIES_MAX 256

/* What the law says of a zone; the refusing kind is 0. */
enum zone_kind {
	ZONE_MYNUMBER = 0, /* マイナンバー利用事務系: nothing passes */
	ZONE_LGWAN,        /* LGWAN接続系: what is listed for it */
	ZONE_INTERNET,     /* インターネット接続系 */
};

#define ZONES_MAX 64

struct zone {
	unsigned index; /* 0 … ZONES_MAX - 1, in the order of the settings */
	const char *name; /* "internet" */
	enum zone_kind kind;
	/* Destinations that are refused by address elsewhere but are
	 * permitted from this zone (a laboratory's loopback, for one). */
	struct prefix *permitted;
	size_t permitted_n;
	/* Destination ports; none listed means 80 and 443. */
	uint16_t *ports;
	size_t ports_n;
	const char *file; /* where the settings say so */
	unsigned line;
};

struct body {
	char code[BODY_CODE_N + 1];
	unsigned index; /* 0 … BODIES_MAX - 1, in the order of the settings */
	const char *name_ja;
	const char *name_en;
	const char *contact; /* whom its users ask */
};

/* A part of a body with a policy of its own: a school board, a hospital. */
struct section {
	unsigned index; /* of all bodies', in the order of the settings */
	const char *name;
	const struct body *body;
};

struct segment {
	struct prefix prefix;
	const struct body *body;
	const struct zone *zone;
	const struct section *section; /* NULL: the body itself */
	const char *file;              /* where the settings say so */
	unsigned line;
};

struct zones; /* in the arena it was loaded into */

extern const struct setting zone_table[], body_table[], segment_table[];
extern const size_t zone_table_n, body_table_n, segment_table_n;

/*
 * From the root of the settings. Errors: a body code without its check digit
 * or of another prefecture, an unknown zone, one prefix given twice, segments
 * that overlap: one may lie in another of the same body and zone alone.
 */
struct zones *zones_load(
    const config_setting_t *root, struct arena *a, struct err *e) MUST_CHECK;
/* NULL: nobody we know; such a client is refused. */
const struct segment *zones_lookup(
    const struct zones *z, const struct address *client);
/* The same of first, with the last address up to which it is so. */
const struct segment *zones_stretch(
    const struct zones *z, const uint8_t first[16], uint8_t last_out[16]);
/* In the order of the settings. */
size_t zones_segments(const struct zones *z);
const struct segment *zones_segment(const struct zones *z, size_t i);
const struct zone *zones_by_name(const struct zones *z, struct bytes name);
const struct body *zones_body_by_code(const struct zones *z, struct bytes code);
const struct body *zones_body(const struct zones *z, unsigned index);
size_t zones_bodies(const struct zones *z);
/* Which of that body's segments name; NULL: none. */
const struct section *zones_section(
    const struct zones *z, const struct body *b, struct bytes name);
size_t zones_sections(const struct zones *z);
size_t zones_zones(const struct zones *z);
const struct zone *zones_zone(const struct zones *z, unsigned index);
const struct section *zones_section_at(const struct zones *z, unsigned index);
/* The check digit of five digits (DOMAIN: weights 6 5 4 3 2), as a digit. */
char body_code_check_digit(const char digits[5]);
