/* SPDX-License-Identifier: Apache-2.0 */
/* rules: what is left out of XML that is not of one known kind. */
#pragma once

#include <libxml/tree.h>

#include "filters/detox.h"

/* The document, in place. DETOX_REFUSED: *d says why. */
enum detox_result rules_clean(struct detox *d, xmlNode *root) MUST_CHECK;
