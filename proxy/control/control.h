/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control: the administrator's UNIX socket, sekishoctl's other end. This
 * header is its settings (group `control`).
 *
 * The protocol is one line of words from sekishoctl ("status", "status json",
 * "reload", "rotate") and one answer: a first line "ok" or "error", then text
 * until the end.
 */
#pragma once

#include "proxy/base/setting.h"

struct control_settings {
	const char *socket;
};

extern const struct setting control_table[];
extern const size_t control_table_n;
