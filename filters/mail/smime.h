/* SPDX-License-Identifier: Apache-2.0 */
/* smime: mails signed as a whole (RFC 8551, application/pkcs7-mime). */
#pragma once

#include "filters/mail/tree.h"

bool mail_is_smime(struct bytes declared);
/* What was signed, without its signature. What is encrypted refuses the whole
 * job. */
struct mail_node *mail_take_smime(
    struct mail *m, struct bytes content, const char *name);
