/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin: who may reach this machine beside its listeners, as the kernel's rule
 * set lets them: the texts of isolation.admin, "PREFIX PROTOCOL [PORT[-PORT]]"
 * with tcp, udp, icmp (echo) or vrrp, or "none" alone for the console.
 */
#pragma once

#include "proxy/isolation/loading.h"

/* Behind lgwan, machine and endpoints. *e with file:line for one that is not
 * so written, or whose prefix has addresses of a My Number segment or of an
 * endpoint; and when the kernel is to enforce the rules and nobody is named. */
int admins_load(struct loading *l, const config_setting_t *root, struct err *e)
    MUST_CHECK;
