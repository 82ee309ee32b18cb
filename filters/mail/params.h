/* SPDX-License-Identifier: Apache-2.0 */
/*
 * params: the values of Content-Type and Content-Disposition, and the names of
 * a part by every reading that some program has of them.
 */
#pragma once

#include "filters/mail/entity.h"

#define MAIL_PARAMS_MAX 64
#define MAIL_READINGS_MAX 256

struct mail_param {
	struct bytes name;
	struct bytes value; /* without quotes */
	struct bytes raw;   /* as it stands there, up to ';' */
};

struct mail_value {
	struct bytes word; /* "text/plain", "attachment", in small letters */
	struct mail_param params[MAIL_PARAMS_MAX];
	size_t n;
	bool many; /* there were more */
	/* The same by who takes every byte for a sign, where some are half a
	 * character; else NULL. */
	const struct mail_value *bytewise;
};

/* text: of mail_unfold. */
void mail_value_parse(
    struct detox *d, struct bytes text, struct mail_value *out);
/* The first parameter of that name, also in RFC 2231's way; empty: none. UTF-8
 * when it was in that way, else as it stands there. Of the arena. */
struct bytes mail_param(
    struct detox *d, const struct mail_value *v, const char *name);

struct mail_names {
	struct bytes best; /* cleaned; empty: none */
	bool named;        /* some parameter was there */
	bool runs;         /* by some reading it is the name of a program */
	/* That reading. */
	struct bytes program;
	size_t n;
};

/* By both fields. */
void mail_names_read(struct detox *d, const struct mail_value *type,
    const struct mail_value *disposition, struct mail_names *out);
/* A reading more, of whatever bytes. */
void mail_names_add(struct detox *d, struct mail_names *n, struct bytes raw);
/* A name that is safe on any system; number: of the part, when nothing is left
 * of it. Of the arena. */
const char *mail_name_safe(struct detox *d, struct bytes name, unsigned number);
