/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ooxml: documents of Word, Excel and PowerPoint since 2007 (ECMA-376, ISO/IEC
 * 29500, transitional and strict), written anew from the parts that their
 * relationships lead to and whose kind is known. What has macros comes out as
 * its kind without them, with its extension.
 */
#pragma once

#include <libxml/tree.h>

#include "filters/detox.h"

/* For what Word and Excel of 2003 write as one file of XML. */

/* Whether a formula of Excel asks nothing of the outside. */
bool ooxml_formula_stays(struct detox *d, struct bytes formula);
/* Whether an instruction of a field of Word does. */
bool ooxml_instruction_stays(struct detox *d, struct bytes instruction);
/* Fields that may not stay lose their instructions. DETOX_REFUSED: *d says why.
 */
enum detox_result ooxml_clean_fields(struct detox *d, xmlNode *root) MUST_CHECK;

extern const struct detox_format ooxml_format;
