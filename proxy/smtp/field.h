/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field: the fields of a header as they stand in a mail, and the addresses in
 * one (RFC 5322 section 3.4). It reads for those who count and compare; what is
 * shown to people is read in the sandbox alone.
 */
#pragma once

#include "proxy/smtp/envelope.h"

struct smtp_field {
	struct bytes all;   /* with its folds and its last line's end */
	struct bytes name;  /* without blanks behind it */
	struct bytes value; /* behind the colon, with its folds, without its
			     * last line's end */
};

/* The next field of a header (head_bytes), which leaves *head. A line without a
 * colon has no name. false: there is none. */
bool field_take(struct bytes *head, struct smtp_field *out);

enum field_address {
	FIELD_ADDRESS_BAD = 0, /* something that is no address, which was
				* passed by */
	FIELD_ADDRESS_NONE,    /* no more */
	FIELD_ADDRESS,
};

/*
 * The next address of a list, which leaves *value: "a@b.test", "Name
 * <a@b.test>", "group: a@b.test, c@d.test;". Strict: no source route, nothing
 * behind ">" but comments. a keeps all of the address.
 */
enum field_address field_address_take(
    struct bytes *value, struct mail_address *out, struct arena *a);
