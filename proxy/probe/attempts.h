/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attempts: tries all canaries of a trial at once, up to its deadline: each
 * address by TCP, UDP and ICMP, each name by the system's resolver.
 *
 * Any answer is a finding, and so is what says that packets go anywhere: a
 * reset, or an ICMP message of another machine. Closed are silence, and what
 * the kernel of this system itself says: no route, no neighbour, refused by
 * its own filter. What could not be tried is closed to nobody.
 */
#pragma once

#include "proxy/isolation/probe.h"
#include "proxy/probe/trial.h"

/* Adds an item for each attempt to *out, which has room for them. */
void attempts_run(const struct trial *p, struct probe *out);
