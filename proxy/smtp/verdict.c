/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/routes.h"

#include "proxy/smtp/table.h"

#define REFUSED_CODE 550
#define REFUSED_ENHANCED "5.7.1" /* RFC 3463: delivery not authorized */

static struct mail_reason
always(const char *rule)
{
	return (struct mail_reason){ .rule = rule };
}

static struct mail_reason
by_entry(const char *rule, const struct domain_entry *entry)
{
	return (struct mail_reason){ rule, entry->file, entry->line };
}

static const struct domain_entry *
covering(const struct domains *d, struct bytes domain, const struct body *body)
{
	const struct domain_pattern p = { domain, DOMAIN_ITSELF };

	return domains_find(d, &p, body);
}

const struct body *
routes_owner(const struct routes *r, struct bytes domain)
{
	const struct domain_entry *entry = covering(&r->owned, domain, NULL);

	return entry == NULL ? NULL : entry->owner;
}

enum mail_verdict
routes_judge_client(const struct routes *r, const struct segment *from,
    struct mail_reason *why_out, struct smtp_reply *reply_out)
{
	(void)r;
	if (from == NULL) {
		*why_out = always("outside");
		return MAIL_ACCEPTED;
	}
	switch (from->zone->kind) {
	case ZONE_MYNUMBER:
		break;
	case ZONE_LGWAN:
	case ZONE_INTERNET:
		*why_out =
		    (struct mail_reason){ "body", from->file, from->line };
		return MAIL_ACCEPTED;
	}
	*why_out = always("my number zone");
	reply_set(reply_out, REFUSED_CODE, REFUSED_ENHANCED,
	    "the My Number zone sends no mail (my number zone)");
	return MAIL_REFUSED;
}

/* A body's own address, of somebody else. */
static enum mail_verdict
refuse_sender(const struct segment *from, const struct mail_address *sender,
    const struct domain_entry *entry, struct mail_reason *why_out,
    struct smtp_reply *reply_out)
{
	*why_out = entry == NULL ? always("own domains")
				 : by_entry("own domains", entry);
	if (from == NULL)
		reply_set(reply_out, REFUSED_CODE, REFUSED_ENHANCED,
		    "<%.*s>: this sender domain is of %s, which nobody outside"
		    " may use (own domains)",
		    BYTES_PRINTF(sender->text), entry->owner->code);
	else
		reply_set(reply_out, REFUSED_CODE, REFUSED_ENHANCED,
		    "<%.*s>: this sender domain is not one of %s's (own"
		    " domains)",
		    BYTES_PRINTF(sender->text), from->body->code);
	return MAIL_REFUSED;
}

enum mail_verdict
routes_judge_sender(const struct routes *r, const struct segment *from,
    const struct mail_address *sender, struct mail_reason *why_out,
    struct smtp_reply *reply_out)
{
	const struct domain_entry *entry;

	if (routes_judge_client(r, from, why_out, reply_out) == MAIL_REFUSED)
		return MAIL_REFUSED;
	if (sender->text.n == 0) {
		*why_out = always("null sender");
		return MAIL_ACCEPTED;
	}
	if (sender->domain.n == 0) {
		*why_out = always("sender domain");
		reply_set(reply_out, REFUSED_CODE, REFUSED_ENHANCED,
		    "<%.*s>: a sender without a domain (sender domain)",
		    BYTES_PRINTF(sender->text));
		return MAIL_REFUSED;
	}
	entry = covering(&r->owned, sender->domain, NULL);
	if ((entry == NULL ? NULL : entry->owner) !=
	    (from == NULL ? NULL : from->body))
		return refuse_sender(from, sender, entry, why_out, reply_out);
	*why_out =
	    entry == NULL ? always("outside") : by_entry("own domains", entry);
	return MAIL_ACCEPTED;
}

static const struct mail_route *
refuse_recipient(const struct segment *from,
    const struct mail_address *recipient, struct mail_reason *why_out,
    struct smtp_reply *reply_out)
{
	*why_out = always("no route");
	if (from == NULL)
		reply_set(reply_out, REFUSED_CODE, REFUSED_ENHANCED,
		    "<%.*s>: this domain is none of ours (no route)",
		    BYTES_PRINTF(recipient->text));
	else
		reply_set(reply_out, REFUSED_CODE, REFUSED_ENHANCED,
		    "<%.*s>: mail of %s does not go to this domain (no route)",
		    BYTES_PRINTF(recipient->text), from->body->code);
	return NULL;
}

/* A more specific name that another body owns has none. */
static const struct domain_entry *
inbound_of(const struct routes *r, struct bytes domain)
{
	const struct domain_entry *entry = covering(&r->inbound, domain, NULL);

	return entry != NULL && routes_owner(r, domain) == entry->owner ? entry
									: NULL;
}

const struct mail_route *
routes_judge_recipient(const struct routes *r, const struct segment *from,
    const struct mail_address *recipient, struct mail_reason *why_out,
    struct smtp_reply *reply_out)
{
	const struct domain_entry *entry;

	if (routes_judge_client(r, from, why_out, reply_out) == MAIL_REFUSED)
		return NULL;
	if (recipient->domain.n == 0) {
		if (r->inbound_n == 0)
			return refuse_recipient(
			    from, recipient, why_out, reply_out);
		*why_out = always("postmaster");
		return &r->all[0];
	}
	entry = inbound_of(r, recipient->domain);
	if (entry == NULL && from != NULL)
		entry = covering(&r->outbound, recipient->domain, from->body);
	if (entry == NULL)
		return refuse_recipient(from, recipient, why_out, reply_out);
	*why_out = by_entry(entry->route->rule, entry);
	return entry->route;
}
