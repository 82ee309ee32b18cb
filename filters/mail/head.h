/* SPDX-License-Identifier: Apache-2.0 */
/*
 * head: the header of a mail, written anew: fields that are known, each read
 * and written as what it is (head.c has the table). Of what may be there once
 * the first stays.
 */
#pragma once

#include "filters/mail/entity.h"

/* What the checkpoint tells about a mail, in a field before all others. */
struct mail_order {
	struct bytes reference; /* by which the original is asked for */
	uint32_t banners;       /* a bit for each enum mail_banner */
	struct bytes host;      /* ours, in Authentication-Results */
	unsigned results;       /* how many of those follow that are ours */
};

#define MAIL_ORDER_FIELD "Sekisho-Order"

/* When the first field of h is an order, takes it out of h. */
void mail_order_take(
    struct detox *d, struct mail_head *h, struct mail_order *out);
/* Appends all but MIME's own fields. */
enum detox_result mail_head_write(struct detox *d, const struct mail_head *h,
    const struct mail_order *order, struct buf *out) MUST_CHECK;
/* One id, "<a@b>"; empty: it is none. */
struct bytes mail_id(struct bytes text);
