/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ooxml: documents of Word, Excel and PowerPoint since 2007 (ECMA-376, ISO/IEC
 * 29500, transitional and strict), written anew from the parts that their
 * relationships lead to and whose kind is known. What has macros comes out as
 * its kind without them, with its extension.
 */
#pragma once

#include "filters/detox.h"

extern const struct detox_format ooxml_format;
