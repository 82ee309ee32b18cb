/* SPDX-License-Identifier: Apache-2.0 */
/* diff: what one policy has that another has not, rule by rule. */
#pragma once

#include <stdio.h>

#include "proxy/policy/policy.h"

/* Prints rules that were added (+), removed (-) or changed (~, with the keys),
 * by name, and where the order is another. How many lines. */
size_t policy_diff(
    const struct policy *was, const struct policy *is, FILE *out);
