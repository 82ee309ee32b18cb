/* SPDX-License-Identifier: Apache-2.0 */
/* trail: what the journal is told of a mail (docs/JOURNAL.md). */

#include "proxy/isolation/trips.h"
#include "proxy/smtp/floods.h"
#include "proxy/smtp/inspect.h"
#include "proxy/smtp/mail.h"

static void
put_origin(struct log_line *l, const struct mail_origin *o)
{
	char text[ADDRESS_TEXT_MAX];

	if (o->segment != NULL) {
		log_string(l, "body", o->segment->body->code);
		log_string(l, "zone", o->segment->zone->name);
	}
	log_string(l, "client", address_text(&o->client, text));
	log_string(l, "helo", o->helo);
}

static void
put_reply(struct log_line *l, const struct smtp_reply *r)
{
	log_number(l, "code", r->code);
	if (r->enhanced[0] != '\0')
		log_string(l, "enhanced", r->enhanced);
	log_string(l, "reply", r->text);
}

static void
put_score(struct log_line *l, const char *key, int64_t score)
{
	char text[RSPAMD_SCORE_MAX];

	log_string(l, key, rspamd_score(score, text));
}

static void
put_verdict(struct log_line *l, const struct rspamd_verdict *v)
{
	if (v == NULL)
		return;
	if (v->words[0] != '\0')
		log_string(l, "why", v->words);
	if (v->action == RSPAMD_UNASKED)
		return;
	log_string(l, "action", rspamd_action_names[v->action]);
	put_score(l, "score", v->score);
	put_score(l, "required", v->required);
	for (size_t i = 0; i < RESULT_METHODS; i++)
		if (v->results.said[i] != RESULT_UNSAID)
			log_string(l, result_method_names[i],
			    result_word_names[v->results.said[i]]);
	log_string(l, "symbols", v->symbols);
}

void
trail_message(
    const struct mail *mail, const char *result, const struct smtp_reply *reply)
{
	const struct mail_origin *o = &mail->origin;
	struct log_line l;

	log_begin(&l, EVENT_MAIL, mail->id);
	put_origin(&l, o);
	log_string(&l, "protocol", o->protocol);
	if (o->tls[0] != '\0')
		log_string(&l, "tls", o->tls);
	log_text(&l, "sender", mail->envelope.sender.text);
	log_number(&l, "recipients", mail->envelope.recipients_n);
	log_string(&l, "message_id", mail->message_id);
	log_number(&l, "bytes", mail->content.n);
	log_string(&l, "result", result);
	put_reply(&l, reply);
	put_verdict(&l, mail->verdict == NULL ? mail->unjudged : mail->verdict);
	log_end(&l);
}

void
trail_verdict(
    const struct mail *mail, const char *result, const struct rspamd_verdict *v)
{
	struct log_line l;

	log_begin(&l, EVENT_MAIL_VERDICT, NULL);
	log_string(&l, "mail", mail->id);
	log_string(&l, "message_id", mail->message_id);
	log_text(&l, "sender", mail->envelope.sender.text);
	log_string(&l, "result", result);
	put_verdict(&l, v);
	log_end(&l);
}

void
trail_recipient(const struct leg *leg, size_t which, const char *result,
    const struct shipment_result *r)
{
	const struct mail *mail = leg->mail;
	const struct mail_recipient *to = &mail->envelope.recipients[which];
	char words[SUSPECT_WORDS_MAX];
	struct log_line l;

	log_begin(&l, EVENT_MAIL_RECIPIENT, NULL);
	log_string(&l, "mail", mail->id);
	if (leg->route->body != NULL)
		log_string(&l, "body", leg->route->body->code);
	log_string(&l, "message_id", mail->message_id);
	log_text(&l, "sender", mail->envelope.sender.text);
	log_text(&l, "recipient", to->address.text);
	log_string(&l, "route", leg->route->name);
	log_string(&l, "result", result);
	put_reply(&l, &mail->status[which].reply);
	if (leg->result != NULL)
		log_string(&l, "detox", leg->result);
	if (leg->removed[0] != '\0')
		log_string(&l, "removed", leg->removed);
	if (leg->signed_by != NULL)
		log_string(&l, "dkim", leg->signed_by);
	if (leg->suspicion.reasons != 0) {
		log_string(
		    &l, "suspect", suspect_words(&leg->suspicion, words));
		log_number(&l, "suspect_points", leg->suspicion.points);
	}
	log_number(&l, "attempts", leg->attempts + 1);
	log_number(&l, "age_s", mail_ms_since(mail->origin.arrived) / 1000);
	if (r != NULL) {
		log_string(&l, "peer", r->peer);
		if (r->tls[0] != '\0') {
			log_string(&l, "tls", r->tls);
			log_flag(&l, "tls_verified", r->tls_verified);
		}
		if (r->doubtful)
			log_flag(&l, "doubtful", true);
		log_number(&l, "us", r->us);
	}
	log_end(&l);
}

void
trail_refused(const struct mail_origin *origin, const char *stage,
    struct bytes sender, struct bytes recipient, const struct mail_reason *why,
    const struct smtp_reply *reply)
{
	struct log_line l;

	log_begin(&l, EVENT_MAIL_REFUSED, NULL);
	put_origin(&l, origin);
	log_string(&l, "stage", stage);
	log_text(&l, "sender", sender);
	if (recipient.n > 0)
		log_text(&l, "recipient", recipient);
	if (why != NULL && why->rule != NULL)
		log_string(&l, "rule", why->rule);
	if (why != NULL && why->file != NULL) {
		log_string(&l, "file", why->file);
		log_number(&l, "line", why->line);
	}
	put_reply(&l, reply);
	log_end(&l);
}

/* Counts and keyed hashes, no number: as of what leaves by the web, but for the
 * context, which would be words of a letter. */
static void
put_count(struct log_line *l, const struct dlp_report *r, enum dlp_kind k)
{
	char hashes[DLP_FINDINGS_MAX * (2 * DLP_HASH_BYTES + 1) + 1];
	size_t n = 0;

	for (size_t i = 0; i < r->findings_n; i++)
		for (size_t b = 0; r->findings[i].kind == k &&
		     k != DLP_KEYWORD && b < DLP_HASH_BYTES;
		     b++)
			n += (size_t)snprintf(hashes + n, sizeof(hashes) - n,
			    b == 0 && n > 0 ? " %02x" : "%02x",
			    r->findings[i].hash[b]);
	log_string(l, "kind", dlp_kind_name(k));
	log_number(l, "distinct", r->kinds[k].distinct);
	log_number(l, "places", r->kinds[k].hits);
	log_number(l, "possible", r->kinds[k].possible);
	log_number(l, "confidence", r->kinds[k].confidence);
	if (n > 0)
		log_string(l, "hashes", hashes);
}

void
trail_found(const struct leg *leg, const struct inspection *i,
    const struct inspect_result *found)
{
	const struct mail *mail = leg->mail;
	struct log_line l;

	for (int k = 0; k < DLP_POLICY_KINDS; k++) {
		enum dlp_verdict v = found->report.kinds[k].verdict;

		if (v == DLP_PASS)
			continue;
		log_begin(&l, EVENT_FOUND, NULL);
		log_string(&l, "mail", mail->id);
		put_origin(&l, &mail->origin);
		log_text(&l, "sender", mail->envelope.sender.text);
		log_string(&l, "route", leg->route->name);
		log_string(&l, "way", "mail");
		log_string(&l, "rule", i->block.name);
		log_string(&l, "verdict", dlp_verdict_name(v));
		if (found->unread > 0)
			log_number(&l, "unread", found->unread);
		put_count(&l, &found->report, (enum dlp_kind)k);
		log_end(&l);
		counter_add(COUNTER_FOUND, 1);
	}
}

static void
tell_canary(const struct leg *leg, const char *name)
{
	const struct mail *mail = leg->mail;
	const struct address nowhere = { 0 };
	char words[TRIP_TEXT_MAX];

	snprintf(words, sizeof(words), "%s, mail %s", name, mail->id);
	trips_seen(mail->mailer->leaks, name, &mail->origin.client, &nowhere,
	    bytes_of(words));
}

void
trail_canaries(const struct leg *leg, const struct inspect_result *found)
{
	const struct mail *mail = leg->mail;

	for (size_t i = 0; i < found->report.findings_n; i++) {
		const struct dlp_finding *f = &found->report.findings[i];
		struct log_line l;

		if (f->kind != DLP_CANARY)
			continue;
		log_begin(&l, EVENT_CANARY_SEEN, NULL);
		log_string(&l, "mail", mail->id);
		put_origin(&l, &mail->origin);
		log_text(&l, "sender", mail->envelope.sender.text);
		log_string(&l, "route", leg->route->name);
		log_string(&l, "way", "mail");
		log_string(&l, "canary", f->context);
		log_number(&l, "places", f->hits);
		log_end(&l);
		tell_canary(leg, f->context);
	}
}

void
trail_lost(const char *mail, const char *route, const char *why)
{
	struct log_line l;

	log_begin(&l, EVENT_ORIGINAL_LOST, NULL);
	log_string(&l, "mail", mail);
	log_string(&l, "route", route);
	log_string(&l, "why", why);
	log_end(&l);
}

void
trail_flood(const struct mail *mail, const struct flood_counts *n)
{
	struct log_line l;

	log_begin(&l, EVENT_MAIL_FLOOD, NULL);
	log_string(&l, "mail", mail->id);
	put_origin(&l, &mail->origin);
	log_text(&l, "sender", mail->envelope.sender.text);
	log_string(&l, "limit", n->limit);
	log_number(&l, "recipients", n->recipients);
	log_number(&l, "distinct", n->distinct);
	log_number(&l, "failed", n->failed);
	log_number(&l, "usual", n->usual);
	log_end(&l);
}

static void
put_digest(struct log_line *l, const char *key,
    const uint8_t digest[DETOX_DIGEST_SIZE])
{
	char hex[2 * DETOX_DIGEST_SIZE + 1];

	for (size_t i = 0; i < DETOX_DIGEST_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	log_string(l, key, hex);
}

/* A line for the mail, and what was taken out of it, row by row. */
void
trail_detoxed(const struct leg *leg, const struct detox_outcome *o)
{
	const struct mail *mail = leg->mail;
	struct log_line l;

	log_begin(&l, EVENT_MAIL_DETOXED, NULL);
	log_string(&l, "mail", mail->id);
	log_string(&l, "message_id", mail->message_id);
	log_string(&l, "route", leg->route->name);
	log_string(&l, "profile",
	    mail->mailer->settings->profiles.all[leg->route->profile].name);
	log_string(&l, "result", leg->result);
	if (o->verdict == DETOX_IS_REFUSED) {
		log_string(
		    &l, "refusal", detox_refusal_words[o->report.refusal].name);
		log_string(&l, "why", o->report.why);
	}
	if (leg->removed[0] != '\0')
		log_string(&l, "removed", leg->removed);
	for (size_t i = 0; i < o->report.rows_n && i < 16; i++)
		log_string(&l, "where", o->report.rows[i].where);
	log_number(&l, "in_bytes", o->in_size);
	put_digest(&l, "in_sha256", o->in_digest);
	if (o->verdict != DETOX_IS_REFUSED) {
		log_number(&l, "out_bytes", o->size);
		put_digest(&l, "out_sha256", o->digest);
	}
	log_number(&l, "us", o->us);
	log_end(&l);
}
