/* SPDX-License-Identifier: Apache-2.0 */
/* dialled: where a client went whose connection the kernel sent here. */
#pragma once

#include "proxy/listener/listener.h"

/*
 * The original destination of a connection that a transparent listener
 * accepted. 0, or -1 and *why_out (a static string): it is not known, or it
 * is the listener itself, and to go there would be to go in a circle.
 */
int dialled_of(const struct listener_settings *l, int fd, struct address *out,
    const char **why_out) MUST_CHECK;
