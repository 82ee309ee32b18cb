/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/tnef.h"

#include "filters/html/words.h"

bool
mail_is_tnef(struct bytes declared, struct bytes content)
{
	(void)declared;
	return magic_type_of(content, true) == MAGIC_TNEF;
}

struct mail_node *
mail_take_tnef(struct mail *m, struct bytes content)
{
	return mail_leave_out(
	    m, REMOVED_REFUSED, REFUSED_TYPE, "winmail.dat", content);
}
