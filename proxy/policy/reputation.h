/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reputation: categories that come from the list file (filters/urlrep), which
 * is exchanged while requests are judged, and from what a name looks like.
 * Group `reputation` of the settings.
 */
#pragma once

#include "filters/urlrep/urlrep.h"
#include "proxy/policy/rule.h"

struct policy;

/* Adds to j what the file, and the score, make of its destination. */
void reputation_look_up(struct judging *j, const struct policy *p);
/* What names scored, by other settings. */
void reputation_forget(void);
