/* SPDX-License-Identifier: Apache-2.0 */
/* language: which of the two languages commands speak to a person. */
#pragma once

#include <stdbool.h>

/* As LC_ALL, LC_MESSAGES or LANG says, the first that is set. */
bool language_is_japanese(void);
