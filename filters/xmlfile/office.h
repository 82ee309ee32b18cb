/* SPDX-License-Identifier: Apache-2.0 */
/* office: what Word and Excel of 2003 write as XML. */
#pragma once

#include <libxml/tree.h>

#include "filters/detox.h"

#define OFFICE_WORD "http://schemas.microsoft.com/office/word/2003/"

/* Fields, of which no element tells by itself what it is. Before all else. */
enum detox_result office_clean(struct detox *d, xmlNode *root) MUST_CHECK;
/* Whether an element is left out; *what_out: as what. A picture in it was
 * rebuilt. */
bool office_goes(struct detox *d, xmlNode *n, enum detox_removal *what_out);
/* Whether an attribute is; that was reported. */
bool office_attribute_goes(
    struct detox *d, const xmlAttr *a, struct bytes value);
