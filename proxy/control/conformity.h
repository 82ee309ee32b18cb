/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conformity: whether the bodies are as the models ask that they declare (α,
 * α′, β, β′), as far as the settings can tell. What they cannot is said to be
 * unchecked, never guessed.
 *
 * DOMAIN: α has its office terminals in the LGWAN zone and no way from there to
 * the internet; α′ has one, to cloud services that are named; β and β′ have
 * them in the internet zone.
 */
#pragma once

#include <stdio.h>

#include "proxy/settings.h"

enum conformity_form {
	CONFORMITY_JAPANESE,
	CONFORMITY_ENGLISH,
	CONFORMITY_JSON,
};

/* How many checks of all bodies do not hold. */
size_t conformity_report(
    const struct settings *s, enum conformity_form form, FILE *out);
