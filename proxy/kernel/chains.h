/* SPDX-License-Identifier: Apache-2.0 */
/* chains: the part of the rule set that is the same for every model. */
#pragma once

/* Lines; one that begins with "?gate " or "?tproxy " is there, without that,
 * when there is a gate, a listener that takes connections to any address. */
extern const char chains_text[];
