/* SPDX-License-Identifier: Apache-2.0 */
/* handover: the pages on which files are handed over and fetched. */
#pragma once

#include "proxy/answer/answer.h"
#include "proxy/handover/slip.h"

enum answer_handover_kind {
	PAGE_HANDOVER_NONE = 0, /* 404: nothing of that number for who asks */
	PAGE_HANDOVER_BUSY,     /* 429: too many wrong numbers */
	PAGE_HANDOVER_FAILED,   /* 503: not now; why */
	PAGE_HANDOVER_REFUSED,  /* 403: of some file nothing harmless came */
	PAGE_HANDOVER_WRONG, /* 400: the form; said says what, home follows */
	PAGE_HANDOVER_HOME,
	PAGE_HANDOVER_GIVEN,
	PAGE_HANDOVER_APPROVED,
	PAGE_HANDOVER_DECLINED,
	PAGE_HANDOVER_LOT, /* how it stands; who takes may fetch */
	PAGE_HANDOVER_KINDS,
};

/* What is wrong with a form. */
enum answer_handover_wrong {
	HANDOVER_WRONG_FORM = 0,
	HANDOVER_WRONG_TICKET, /* the page was open for too long */
	HANDOVER_WRONG_WAY,
	HANDOVER_WRONG_GIVER,
	HANDOVER_WRONG_FILES, /* none */
	HANDOVER_WRONG_COUNT,
	HANDOVER_WRONG_SIZE,
	HANDOVER_WRONG_APPROVER,
	HANDOVER_WRONGS,
};

/* A file that was refused. */
struct answer_handover_refused {
	struct bytes name;
	enum detox_refusal
	    refusal; /* REFUSED_NOT: it has what must not leave */
};

/* What waits for the approval of who asks. */
struct answer_handover_lot {
	const char *number;
	struct slip slip;
};

struct answer_handover {
	enum answer_handover_kind kind;
	const struct prefecture_settings *prefecture;
	const struct body *body;
	const struct zone *zone; /* of who asks */
	struct bytes accept_language;
	const struct handover_settings *settings; /* its ways */
	const char *ticket;                       /* of the form */
	enum answer_handover_wrong wrong;
	const char *why;         /* of FAILED */
	const struct slip *slip; /* of GIVEN, LOT */
	const char *number, *token;
	enum handover_state state;
	bool takes;       /* who asks may fetch */
	const char *base; /* the links' path, behind which a file's number is */
	const struct answer_handover_refused *refused;
	size_t refused_n;
	const struct answer_handover_lot *lots; /* of HOME */
	size_t lots_n;
	bool approves; /* who asks may approve something */
};

unsigned answer_handover_status(const struct answer_handover *a);
/* 0, or -1 at out's limit. */
int answer_handover_page(const struct answer_handover *a, struct buf *out)
    MUST_CHECK;
#define ANSWER_HANDOVER_MAX ((size_t)1 << 20)
