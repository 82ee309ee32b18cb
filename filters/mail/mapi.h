/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mapi: a mail as Outlook keeps it, by its properties ([MS-OXPROPS]), written
 * as a mail of MIME, which is then rebuilt as any: .msg (msg.c) and winmail.dat
 * (tnef.c) are read into this.
 */
#pragma once

#include "filters/detox.h"
#include "filters/text/charset.h"

#define MAPI_DEPTH_MAX 8 /* mails within each other */

struct mapi_property {
	uint16_t id, type;
	struct bytes value; /* borrowed of the file */
};

struct mapi {
	struct mapi_property *all; /* of the job's arena */
	size_t n, size;
};

struct mapi_file {
	struct mapi properties;
	struct bytes name, content;   /* where no property has them */
	struct mapi_message *message; /* NULL: none is in it */
	bool object; /* of OLE: it goes, and that was reported */
	struct mapi_file *next;
};

struct mapi_person {
	struct mapi properties;
	struct mapi_person *next;
};

struct mapi_message {
	struct mapi properties;
	uint32_t codepage; /* 0: not known */
	struct mapi_person *people, **people_end;
	struct mapi_file *files, **files_end;
};

enum mapi_type {
	MAPI_LONG = 0x0003,
	MAPI_OBJECT = 0x000d,
	MAPI_STRING8 = 0x001e,
	MAPI_UNICODE = 0x001f,
	MAPI_TIME = 0x0040,
	MAPI_BINARY = 0x0102,
};

struct mapi_message *mapi_message_new(struct detox *d);
struct mapi_person *mapi_person_new(struct detox *d, struct mapi_message *m);
struct mapi_file *mapi_file_new(struct detox *d, struct mapi_message *m);
void mapi_add(struct detox *d, struct mapi *m, struct mapi_property p);
const struct mapi_property *mapi_find(const struct mapi *m, uint16_t id);
enum charset mapi_charset(uint32_t codepage);

enum mapi_as {
	MAPI_WHOLE, /* with its sender, subject and date */
	MAPI_BODY,  /* of a mail that has those */
};
/* Appends it as MIME: a header of its own with Content-Type, and the body. */
enum detox_result mapi_write(struct detox *d, const struct mapi_message *m,
    enum mapi_as as, struct buf *out) MUST_CHECK;

/* rtfmail.c: RTF as it stands in mails ([MS-OXRTFCP], [MS-OXRTFEX]). */

/* LZFu or MELA; -1: it is none, or over out's limit. */
int rtfmail_unpack(struct bytes in, struct buf *out) MUST_CHECK;

enum rtfmail {
	RTFMAIL_RTF, /* nothing else is in it */
	RTFMAIL_HTML,
	RTFMAIL_TEXT,
};
/* The page or text that is within, UTF-8; -1: over out's limit. */
int rtfmail_open(struct bytes rtf, enum rtfmail *kind_out, struct buf *out)
    MUST_CHECK;
