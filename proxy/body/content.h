/* SPDX-License-Identifier: Apache-2.0 */
/*
 * content: what one body holds: opens its filters, feeds and closes them, and
 * keeps back what they have not judged yet. The coding is taken off for them;
 * what travels on is what came, or, when the settings say so, what was read.
 *
 *	bytes -> decode -> inspections -> (encode) -> what may travel
 *
 * A file that is to be made harmless is kept back whole, in an object, and what
 * was made of it travels on in its place.
 */
#pragma once

#include "filters/decode/decode.h"
#include "proxy/body/budget.h"
#include "proxy/policy/inspection.h"

/* Of all bodies that a process carries. */
enum content_output {
	CONTENT_AS_IT_CAME,
	CONTENT_IDENTITY, /* without its coding */
	CONTENT_GZIP,     /* what was coded, coded anew */
};

/* Group `content`. */
struct content_settings {
	const char *key_file;
	const char *output;
	enum content_output output_as; /* the same */
	size_t held_max; /* bytes that an edge keeps back, of all bodies */
};

extern const struct setting content_table[];
extern const size_t content_table_n;
/* What the table cannot check. group may be NULL. 0, or -1 and *e. */
int content_settings_check(struct content_settings *s,
    const config_setting_t *group, struct err *e) MUST_CHECK;

/*
 * Before processes are locked in: reads the key file (its path; "": none) and
 * gives the key to the policy; makes ready what filters need of the C library.
 * 0, or -1 and *e.
 */
int content_prepare(struct policy *p, const char *key_path, struct err *e)
    MUST_CHECK;

struct content_order {
	enum decode_coding coding; /* DECODE_REFUSED: none */
	uint32_t ratio_max;
	enum content_output output;
	struct bytes media_type; /* the whole Content-Type; or empty */
	struct bytes name;       /* of the file; or empty */
	bool guessed;    /* that name, from a path: nobody declared it */
	bool whole;      /* a form: files in it are looked for by others */
	uint64_t length; /* as told; 0: not told */
	/* Those that the body may need; who does not fit it is left out. */
	const struct inspection *const *inspections;
	size_t inspections_n;
	uint64_t excused; /* of these: the user said why, a warning is logged */
	bool streams;     /* keep nothing back: the other side waits for it */
	struct share share; /* of what may be kept back until it is judged */
};

struct content;

/* A body that is there already, as if it had replaced another: takes over fd,
 * of size bytes. NULL: there is no room for it. */
struct content *content_of(int fd, uint64_t size, struct share share)
    MUST_CHECK;
/* Texts of the order must outlive it. NULL: there is nothing to do. */
struct content *content_new(const struct content_order *o) MUST_CHECK;
void content_free(struct content *c);

enum content_verdict {
	CONTENT_BAD = 0, /* *why_out, a static string */
	CONTENT_BUSY,    /* the same: more would be kept back than may be */
	CONTENT_FOUND,   /* content_found says what is not allowed */
	CONTENT_LARGE,   /* an object has more bytes than its profile allows */
	CONTENT_OBJECT,  /* its end, and it has to be made harmless: see
			  * content_object */
	CONTENT_GO,      /* content_take gives what may travel on */
};

/* What follows of the body; last at its end, once. After a verdict other than
 * CONTENT_GO it takes nothing more. */
enum content_verdict content_push(struct content *c, struct bytes b, bool last,
    const char **why_out) MUST_CHECK;
/* The next piece that may travel on, until the next call; false: there is none
 * now. The first piece after a push must be taken before what was pushed goes;
 * the others wait. */
bool content_take(struct content *c, struct bytes *out);
/* Whether a piece waits to be taken. */
bool content_ready(const struct content *c);
/* Whether all is kept back, as it is not judged yet. */
bool content_waits(const struct content *c);

/* Whether an inspection of kind detox means such a file: by what it is, or by
 * what anybody may take it for. */
struct content_file {
	enum magic_type type;
	struct bytes name, declared; /* or empty */
	bool guessed;                /* the name: nobody declared it */
};
bool content_is_meant(const struct inspection *i, const struct content_file *f);

/*
 * A body that has to be made harmless, whole and without its coding: a sealed
 * memfd, which stays the content's; and a bit for each of the order's
 * inspections that ask for it. By which names: empty where they say nothing.
 */
struct content_object {
	int fd;
	const struct inspection *const *inspections; /* the order's */
	uint64_t asked;
	enum magic_type type;
	struct bytes name, declared;
};

/* Whether one is kept back, or will be as far as its declared type says. */
bool content_is_object(const struct content *c);
/* 0, or -1 and *e: it cannot be sealed. */
int content_object(struct content *c, struct content_object *out, struct err *e)
    MUST_CHECK;
/* Bytes of it. */
uint64_t content_object_size(const struct content *c);
/* What travels on instead; takes over fd, of size bytes. false: there is no
 * room for it. */
bool content_replace(struct content *c, int fd, uint64_t size) MUST_CHECK;

/* What was found by one inspection. */
struct content_found {
	const struct inspection *inspection;
	enum finding finding;
	const char *why;                 /* in technical words, or NULL */
	const struct dlp_report *report; /* of dlp, else NULL */
	unsigned unread;                 /* of dlp: parts nobody looked into */
};

/* The strictest; false: nothing. */
bool content_found(struct content *c, struct content_found *out);
/* One after the other, from 0; false: no more. At the end of the body, or
 * after CONTENT_FOUND. */
bool content_each(struct content *c, size_t n, struct content_found *out);
