/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floods: how much each address of the bodies sends in an hour, to find one
 * that somebody else has taken over: he writes to very many, to many that the
 * address never wrote to, and to many that do not exist. A row for each
 * address; memory is fixed, and the row that was used longest ago gives way.
 * Time is passed in, and may be a little older than that of another process.
 */
#pragma once

#include "proxy/base/bytes.h"
#include "proxy/smtp/settings.h"

/* Hours with mail until an address's usual is known. */
#define FLOODS_KNOWN_HOURS 8
/* Below so many recipients nothing is unusual. */
#define FLOODS_USUAL_MIN 100

enum flood {
	FLOOD_HOLD = 0, /* over a limit: a person decides */
	FLOOD_GO,
};

/* Of the hour that now_ms is in. */
struct flood_counts {
	uint32_t recipients;
	uint32_t distinct; /* about; never too many */
	uint32_t failed;
	uint32_t usual;    /* recipients of its hours with mail; 0: unknown */
	const char *limit; /* the setting that was passed; NULL: none */
	bool first;        /* for the first time in this hour */
};

/* Zeroed: nobody has sent anything. floods.c's own, but for its size. */
#define FLOODS_SETS 4096
#define FLOODS_WAYS 4
#define FLOODS_BITS 2048 /* of the distinct recipients' hashes */
struct floods {
	uint64_t secret; /* random, so that nobody chooses whose row to take */
	struct floods_row {
		uint64_t key; /* the sender's hash; 0: free */
		uint64_t used_ms;
		uint64_t hour;
		uint32_t recipients, failed, distinct;
		uint32_t usual; /* a mean of the hours with mail, newer ones
				 * more */
		uint32_t hours; /* of these */
		bool told;
		uint64_t bits[FLOODS_BITS / 64];
	} rows[FLOODS_SETS][FLOODS_WAYS];
};

/* One recipient more of that sender's, for each before floods_judge. */
void floods_recipient(struct floods *f, struct bytes sender,
    struct bytes recipient, uint64_t now_ms);
/* One that no next hop has, or that has no route. */
void floods_failed(struct floods *f, struct bytes sender, uint64_t now_ms);
enum flood floods_judge(struct floods *f, const struct mail_settings *s,
    struct bytes sender, uint64_t now_ms, struct flood_counts *out) MUST_CHECK;
