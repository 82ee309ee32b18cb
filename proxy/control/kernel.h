/* SPDX-License-Identifier: Apache-2.0 */
/* kernel: of `sekishoctl isolation` what is about the kernel's rules. */
#pragma once

#include "proxy/control/isolation.h"

/* Each gives the exit status: 0, or 1 on a failure. */
int kernel_print(const struct isolation_order *o);
int kernel_load(const struct isolation_order *o);
/* The same, and nothing where isolation.kernel is false: before the network
 * is up, sekishod or not. */
int kernel_boot(const struct isolation_order *o);
/* 0: the kernel holds them; 1: it does not, and what differs is printed; 2: it
 * cannot be told. */
int kernel_check(const struct isolation_order *o);
int kernel_unload(const struct isolation_order *o);
