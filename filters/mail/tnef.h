/* SPDX-License-Identifier: Apache-2.0 */
/* tnef: winmail.dat ([MS-OXTNEF]). In a mail, what is in it takes its place;
 * a file of its own becomes an .eml. */
#pragma once

#include "filters/mail/tree.h"

extern const struct detox_format tnef_format;

/* By content, whatever it is called. */
bool mail_is_tnef(struct bytes content);
struct mail_node *mail_take_tnef(struct mail *m, struct bytes content);
