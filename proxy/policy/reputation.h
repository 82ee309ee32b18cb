/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reputation: categories that come from the list file (filters/urlrep), which
 * is exchanged while requests are judged. Group `reputation` of the settings.
 */
#pragma once

#include "filters/urlrep/urlrep.h"
#include "proxy/policy/rule.h"

/* Adds to j what the file knows of its destination. */
void reputation_look_up(struct judging *j, const struct urlrep *r);
