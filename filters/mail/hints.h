/* SPDX-License-Identifier: Apache-2.0 */
/* hints: what a mail says that may be the password of another one. */
#pragma once

#include "filters/detox.h"

/* Takes them from a text in UTF-8 into d->hints, as far as there is room. A
 * text that does not speak of passwords has none. */
void mail_find_hints(struct detox *d, struct bytes text);
