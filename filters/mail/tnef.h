/* SPDX-License-Identifier: Apache-2.0 */
/* tnef: winmail.dat ([MS-OXTNEF]): what is in it takes its place. */
#pragma once

#include "filters/mail/tree.h"

bool mail_is_tnef(struct bytes declared, struct bytes content);
struct mail_node *mail_take_tnef(struct mail *m, struct bytes content);
