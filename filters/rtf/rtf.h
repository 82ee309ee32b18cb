/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtf: documents in Rich Text Format (Microsoft's specification 1.9.1),
 * written anew by allowlist: destinations and control words of words.c, text,
 * pictures that detox rebuilds, fields that compute nothing from outside.
 *
 * Of an object its result stays, of a field that may not stay too. What stands
 * before the first and behind the last brace goes. Text comes out in its own
 * charset, bytes beyond ASCII as \'hh, and each \u with one '?' behind it, so
 * that all readers see the same groups and words.
 */
#pragma once

#include "filters/detox.h"

extern const struct detox_format rtf_format;
