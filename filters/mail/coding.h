/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coding: transfer encodings. What is read is read as far as it goes: bytes
 * that are no part of the encoding are left out. What is written has lines of
 * 76 characters that end with CR LF.
 */
#pragma once

#include "proxy/base/buf.h"

enum mail_coding {
	MAIL_CODING_NONE, /* 7bit, 8bit, binary, or nothing known */
	MAIL_CODING_BASE64,
	MAIL_CODING_QUOTED,
	MAIL_CODING_UU,
};

/* By a value of Content-Transfer-Encoding. */
enum mail_coding mail_coding_named(struct bytes name);
/* Appends. No more comes out than goes in, but for line ends. */
enum mail_decoded {
	MAIL_DECODED_OVER = 0, /* over out's limit */
	MAIL_DECODED,
	MAIL_DECODED_DAMAGED,
};
enum mail_decoded mail_decode(
    enum mail_coding coding, struct bytes in, struct buf *out) MUST_CHECK;
/* What only says that it is in base64: an eighth of its bytes and more are none
 * of base64's, nor line ends, as of any text. */
bool mail_is_no_base64(struct bytes in);
/* Of a line of uuencode; false: it is none. */
bool mail_uu_line(struct bytes line, struct buf *out);

/* Each appends; -1: over out's limit. */
int mail_put_base64(struct bytes in, struct buf *out) MUST_CHECK;
/* in: text with CR LF. */
int mail_put_quoted(struct bytes in, struct buf *out) MUST_CHECK;
