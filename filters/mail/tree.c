/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/tree.h"

struct mail_node *
mail_node_new(struct detox *d, enum mail_kind kind, const char *type)
{
	struct mail_node *n = ARENA_NEW(&d->arena, struct mail_node);

	n->kind = kind;
	n->type = type;
	n->parameters = "";
	n->end = &n->first;
	buf_init(&n->content, (size_t)d->profile->out_max);
	return n;
}

void
mail_node_add(struct mail_node *parent, struct mail_node *child)
{
	*parent->end = child;
	parent->end = &child->next;
}

void
mail_node_release(struct mail_node *n)
{
	if (n == NULL)
		return;
	buf_release(&n->content);
	/* As deep as mails may be nested. */
	for (struct mail_node *c = n->first; c != NULL; c = c->next)
		mail_node_release(c);
}
