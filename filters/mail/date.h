/* SPDX-License-Identifier: Apache-2.0 */
/* date: RFC 5322, 3.3, also as it was of old; written anew. */
#pragma once

#include "proxy/base/bytes.h"

#define MAIL_DATE_MAX 64

/* 0, or -1: it is none. */
int mail_date_write(struct bytes text, char out[MAIL_DATE_MAX]) MUST_CHECK;
