/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reach: which addresses may be connected to. A name is judged by where it
 * leads, at the moment of connecting: nothing inside, nothing of LGWAN or the
 * My Number networks is reached through one (SSRF, DNS rebinding).
 */
#pragma once

#include "proxy/base/address.h"
#include "proxy/zone/zone.h"

/*
 * NULL: it may be reached from that zone; else why not, a static string.
 * refused: the site's own prefixes, beside the fixed ones.
 */
const char *reach_judge(const struct address *a, const struct zone *z,
    const struct prefix *refused, size_t refused_n);
