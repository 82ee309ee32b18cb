/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prove: `sekishoctl isolation prove [--verify] [--json]`: the certificate of
 * the settings' isolation, or the counter-examples.
 */
#pragma once

#include "proxy/control/isolation.h"

/* The exit status: 0: it holds; 1. */
int prove_command(const struct isolation_order *o);
