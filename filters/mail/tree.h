/* SPDX-License-Identifier: Apache-2.0 */
/* tree: a mail as it is to be written: nothing of it is the old one's bytes
 * but what was rebuilt. */
#pragma once

#include "filters/detox.h"
#include "filters/mail/head.h"
#include "filters/text/charset.h"

enum mail_kind {
	MAIL_TEXT, /* content: UTF-8 with CR LF */
	MAIL_HTML, /* content: a page of filters/html */
	MAIL_FILE,
	MAIL_MULTI,   /* children */
	MAIL_MESSAGE, /* content: its header; one child */
};

struct mail_node {
	enum mail_kind kind;
	struct mail_node *next;
	struct mail_node *first, **end; /* children */
	const char *type;       /* "application/pdf", "multipart/mixed" */
	const char *parameters; /* "; format=flowed" or "" */
	const char *name;       /* of a file, UTF-8; NULL: none */
	const char *id;         /* "<a@b>"; NULL: none */
	const char *digest;     /* SHA-256 of the file that came; NULL: none */
	bool shown;             /* inline */
	bool jis;               /* a text that came in ISO-2022-JP */
	bool note;              /* it says what was left out */
	struct buf content;     /* the node's */
};

/* Of the job's arena, but its content. */
struct mail_node *mail_node_new(
    struct detox *d, enum mail_kind kind, const char *type);
void mail_node_add(struct mail_node *parent, struct mail_node *child);
/* Releases the contents of it and of all below; NULL: nothing. */
void mail_node_release(struct mail_node *n);

/* A mail that is being rebuilt. */
struct mail {
	struct detox *d;
	struct mail_order order;
	unsigned parts;
	unsigned depth; /* multiparts and mails within each other */
	unsigned notes;
	bool ordered; /* an order may come first */
};

/* mail.c: a mail's bytes that were made here of another format; seed: of which
 * boundaries are made. */
enum detox_result mail_rebuild_mime(struct detox *d, struct bytes mime,
    struct bytes seed, struct detox_output *out) MUST_CHECK;

/* part.c */

/* The mail's bytes, or a mail within it, into a node; NULL: the whole job is
 * refused. The caller releases it. */
struct mail_node *mail_take_message(struct mail *m, struct bytes raw);
/* One entity that has such a header. */
struct mail_node *mail_take_entity(
    struct mail *m, const struct mail_head *h, struct bytes body, bool digest);

/* body.c */

enum mail_body {
	MAIL_BODY_TEXT,
	MAIL_BODY_HTML,
};
/* A text that is shown; content is decoded. charset: as declared. NULL: the
 * whole job is refused. */
struct mail_node *mail_take_body(struct mail *m, enum mail_body kind,
    struct bytes content, enum charset charset, const char *parameters);

/* file.c */

struct mail_file {
	struct bytes content;
	const char *name; /* safe */
	bool named;       /* by the mail */
	struct bytes declared;
	const char *id;
	bool shown;
	const char *parameters;
};
/* A file, or a note that it is gone. NULL: the whole job is refused. */
struct mail_node *mail_take_file(struct mail *m, const struct mail_file *f);
/* In the place of what is left out, which was reported. why: REFUSED_NOT: it
 * is no file. */
struct mail_node *mail_note(struct mail *m, const char *name,
    struct bytes content, enum detox_refusal why);
/* Reports it as left out; a note, or (by the profile) NULL. */
struct mail_node *mail_leave_out(struct mail *m, enum detox_removal what,
    enum detox_refusal why, const char *name, struct bytes content);

/* notice.c */

/* Puts warnings and what was taken out into the first texts. */
int mail_put_notice(struct mail *m, struct mail_node *top) MUST_CHECK;

/* write.c */

/* seed: of which boundaries are made. */
enum detox_result mail_write(struct detox *d, const struct mail_node *top,
    struct bytes seed, struct detox_output *out) MUST_CHECK;
/* UTF-8 as ISO-2022-JP (RFC 1468); false: some character is not in it. */
bool mail_put_jis(struct bytes text, struct buf *out);
