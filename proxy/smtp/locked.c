/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/locked.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "filters/mail/words.h"
#include "proxy/smtp/head.h"
#include "proxy/smtp/hints.h"
#include "proxy/smtp/queue.h"

#define NOTICE_MAX ((size_t)65536)
#define FILES_MAX ((size_t)2048)
#define ANSWER_MAX ((size_t)8192)
#define WAIT_MS 1000 /* behind the first wrong password; it doubles */
#define WAIT_MAX_MS ((uint64_t)60000)
#define BUSY_S 5

static const struct mail_settings *
settings_of(const struct mail *mail)
{
	return &mail->mailer->settings->mail;
}

static uint64_t
now_ms(const struct mail *mail)
{
	return loop_now_ms(mail->mailer->loop);
}

/* Waiting. */

static void
take_files(struct mail *mail, const struct detox_report *r)
{
	struct buf files;

	buf_init(&files, FILES_MAX);
	for (size_t i = 0; i < r->rows_n; i++)
		if (r->rows[i].what == REMOVED_LOCKED &&
		    buf_printf(&files, "%s\n", r->rows[i].where) < 0)
			break;
	mail->locked_files = arena_string(&mail->arena, buf_bytes(&files));
	mail->subject = arena_string(&mail->arena, bytes_of(r->subject));
	buf_release(&files);
}

static void
set_lock(struct mail *mail, size_t which)
{
	const struct mail_settings *s = settings_of(mail);
	struct lock *l = mail->status[which].lock;

	if (l == NULL)
		l = mail->status[which].lock =
		    ARENA_NEW(&mail->arena, struct lock);
	*l = (struct lock){ .tries = s->password_tries,
		.until = (uint64_t)time(NULL) + s->password_life_ms / 1000 };
}

static void
wait_for_it(struct mail *mail, size_t which)
{
	struct recipient_status *s = &mail->status[which];

	s->state = RECIPIENT_LOCKED;
	reply_set(&s->reply, 450, "4.7.1", "an attachment needs a password");
}

/* By a mail that came before. It is told when that does not open it. */
static void
guess_first(struct leg *leg)
{
	if (hints_find(leg))
		leg->mail->status[leg->which[0]].lock->guessing = true;
}

void
locked_hold(struct leg *leg, const struct detox_report *r)
{
	struct mail *mail = leg->mail;
	size_t kept = 0;

	take_files(mail, r);
	for (size_t i = 0; i < leg->which_n; i++) {
		size_t which = leg->which[i];

		if (mail->status[which].state != RECIPIENT_PENDING) {
			leg->which[kept++] = which;
			continue;
		}
		set_lock(mail, which);
		wait_for_it(mail, which);
		trail_recipient(leg, which, "locked", NULL);
		if (leg->alone)
			leg->which[kept++] = which;
		else
			guess_first(mail_leg_alone(
			    mail, which, leg->route, leg->domain));
	}
	leg->which_n = kept;
}

/* Passwords. */

void
leg_secret_free(struct leg *leg)
{
	if (leg->secret == NULL)
		return;
	OPENSSL_cleanse(leg->secret, sizeof(*leg->secret));
	free(leg->secret);
	leg->secret = NULL;
}

static struct leg_secret *
secret_of(struct leg *leg)
{
	if (leg->secret == NULL)
		leg->secret = calloc(1, sizeof(*leg->secret));
	must(leg->secret != NULL);
	return leg->secret;
}

/* The last ones stay: two files may have two passwords. */
static void
add_password(struct leg *leg, struct bytes password)
{
	struct leg_secret *s = secret_of(leg);
	struct bytes *p;

	if (s->passwords.n == DETOX_PASSWORDS_MAX) {
		OPENSSL_cleanse(s, sizeof(*s));
		*s = (struct leg_secret){ 0 };
	}
	p = &s->passwords.all[s->passwords.n++];
	memcpy(s->room + s->room_n, password.p, password.n);
	*p = (struct bytes){ s->room + s->room_n, password.n };
	s->room_n += password.n;
}

/* Answers. */

static void
record(const struct mail *mail, size_t which, const char *result)
{
	const struct lock *l = mail->status[which].lock;
	struct log_line line;

	log_begin(&line, EVENT_MAIL_UNLOCK, NULL);
	log_string(&line, "mail", mail->id);
	log_string(&line, "message_id", mail->message_id);
	log_text(
	    &line, "recipient", mail->envelope.recipients[which].address.text);
	if (l->client[0] != '\0')
		log_string(&line, "client", l->client);
	log_string(&line, "result", result);
	log_number(&line, "tries_left", l->tries);
	log_end(&line);
}

static void
send_answer(struct mailer *m, uint32_t job, const struct unlock_answer *a)
{
	struct buf out;

	buf_init(&out, ANSWER_MAX);
	must(unlock_answer_pack(a, &out) == 0);
	channel_send(
	    m->child->parent, PARENT_UNLOCK_ANSWER, job, buf_bytes(&out), -1);
	buf_release(&out);
}

static struct bytes
cut(struct bytes b, size_t n)
{
	return bytes_take(&b, b.n < n ? b.n : n);
}

static void
answer(struct mail *mail, size_t which, uint32_t job, enum unlock_state state,
    uint32_t seconds)
{
	const struct lock *l = mail->status[which].lock;
	const struct unlock_answer a = { .state = state,
		.tries = l->tries,
		.seconds = seconds,
		.arrived = mail->origin.arrived,
		.until = l->until,
		.sender = cut(mail->envelope.sender.text, 512),
		.subject = bytes_of(mail->subject),
		.files = bytes_of(mail->locked_files) };

	if (job != 0)
		send_answer(mail->mailer, job, &a);
}

static void
hold(struct mail *mail, size_t which, const char *why)
{
	struct recipient_status *s = &mail->status[which];

	s->state = RECIPIENT_HELD;
	reply_set(&s->reply, 554, "5.7.1", "%s", why);
}

static uint64_t
wait_after(const struct mail *mail, const struct lock *l)
{
	uint64_t wait = WAIT_MS;

	for (uint32_t i = l->tries + 1;
	     i < settings_of(mail)->password_tries && wait < WAIT_MAX_MS; i++)
		wait *= 2;
	return wait;
}

static void
was_wrong(struct mail *mail, size_t which)
{
	struct lock *l = mail->status[which].lock;

	if (l->guessing) {
		record(mail, which, "not guessed");
		wait_for_it(mail, which);
		return;
	}
	record(mail, which, "wrong");
	l->next_ms = now_ms(mail) + wait_after(mail, l);
	if (l->tries > 0) {
		wait_for_it(mail, which);
		answer(mail, which, l->job, UNLOCK_WRONG, 0);
		return;
	}
	hold(mail, which, "too many wrong passwords");
	record(mail, which, "used up");
	answer(mail, which, l->job, UNLOCK_USED_UP, 0);
}

void
locked_tried(struct leg *leg, enum locked_end end)
{
	struct mail *mail = leg->mail;
	size_t which = leg->which[0];
	struct lock *l = mail->status[which].lock;

	must(leg->alone && l != NULL);
	switch (end) {
	case LOCKED_WRONG:
		was_wrong(mail, which);
		break;
	case LOCKED_OPENED:
		record(mail, which, l->guessing ? "guessed" : "opened");
		answer(mail, which, l->job, UNLOCK_OPENED, 0);
		break;
	case LOCKED_BUSY:
		l->tries += !l->guessing;
		record(mail, which, "not tried");
		wait_for_it(mail, which);
		answer(mail, which, l->job, UNLOCK_SOON, BUSY_S);
		break;
	case LOCKED_HARMFUL:
		record(mail, which, "refused");
		answer(mail, which, l->job, UNLOCK_HARMFUL, 0);
		break;
	}
	l->job = 0;
	l->guessing = false;
	l->client[0] = '\0';
}

/* Tries. */

static void
digest_of(const uint8_t token[UNLOCK_TOKEN_N], uint8_t out[DETOX_DIGEST_SIZE])
{
	must(EVP_Digest(token, UNLOCK_TOKEN_N, out, NULL, EVP_sha256(), NULL) ==
	    1);
}

static void
try(struct leg *leg, const struct unlock_order *o, uint32_t job)
{
	struct mail *mail = leg->mail;
	size_t which = leg->which[0];
	struct recipient_status *s = &mail->status[which];

	s->lock->tries--;
	s->lock->job = job;
	snprintf(s->lock->client, sizeof(s->lock->client), "%.*s",
	    BYTES_PRINTF(o->client));
	add_password(leg, o->password);
	/* What is not counted on the disk could be tried again for ever, by who
	 * can make the process end. */
	mail_write_note(mail);
	s->state = RECIPIENT_PENDING;
	leg->state = LEG_WAITING;
	leg->attempts = 0;
	leg->unlocked = (uint64_t)time(NULL);
	queue_leg(mail->mailer->queue, leg, 0);
}

static void
take_order(struct leg *leg, const struct unlock_order *o, uint32_t job)
{
	struct mail *mail = leg->mail;
	size_t which = leg->which[0];
	const struct recipient_status *s = &mail->status[which];
	uint64_t now = now_ms(mail);

	if (s->state == RECIPIENT_HELD)
		answer(mail, which, job,
		    s->lock->tries == 0 ? UNLOCK_USED_UP : UNLOCK_EXPIRED, 0);
	else if (s->state == RECIPIENT_DELIVERED ||
	    (s->state == RECIPIENT_PENDING && s->lock->job == 0 &&
		!s->lock->guessing))
		answer(mail, which, job, UNLOCK_OPENED, 0);
	else if (s->state != RECIPIENT_LOCKED || mail->mailer->draining ||
	    (o->password.n > 0 && leg->state == LEG_RUNNING))
		answer(mail, which, job, UNLOCK_SOON, BUSY_S);
	else if (o->password.n == 0)
		answer(mail, which, job, UNLOCK_WAITS, 0);
	else if (s->lock->next_ms > now)
		answer(mail, which, job, UNLOCK_SOON,
		    (uint32_t)((s->lock->next_ms - now + 999) / 1000));
	else
		try(leg, o, job);
}

/* Guesses. */

bool
locked_is_in_time(const struct leg *leg)
{
	const struct mail *mail = leg->mail;
	uint64_t wait_s = settings_of(mail)->password_wait_ms / 1000;

	return mail->status[leg->which[0]].state == RECIPIENT_LOCKED &&
	    leg->state == LEG_ENDED && !mail->mailer->draining &&
	    (uint64_t)time(NULL) <= mail->origin.arrived + wait_s;
}

static bool
has(const struct leg *leg, struct bytes password)
{
	const struct leg_secret *s = leg->secret;

	for (size_t i = 0; s != NULL && i < s->passwords.n; i++)
		if (bytes_equal(s->passwords.all[i], password))
			return true;
	return false;
}

bool
locked_add(struct leg *leg, const struct detox_passwords *p)
{
	struct lock *l = leg->mail->status[leg->which[0]].lock;
	bool any = false;

	if (l->guesses >= GUESSES_MAX)
		return false;
	for (size_t i = 0; i < p->n; i++)
		if (!has(leg, p->all[i])) {
			add_password(leg, p->all[i]);
			any = true;
		}
	l->guesses += any;
	return any;
}

void
locked_guess(struct leg *leg)
{
	struct mail *mail = leg->mail;
	struct recipient_status *s = &mail->status[leg->which[0]];

	s->lock->guessing = true;
	s->state = RECIPIENT_PENDING;
	leg->state = LEG_WAITING;
	leg->attempts = 0;
	leg->unlocked = (uint64_t)time(NULL);
	queue_leg(mail->mailer->queue, leg, 0);
}

/* By its token, and for clients of the recipient's body. */
static struct leg *
find(struct mailer *m, const struct unlock_order *o)
{
	uint8_t digest[DETOX_DIGEST_SIZE];

	digest_of(o->token, digest);
	for (struct mail *mail = queue_mails(m->queue); mail != NULL;
	     mail = mail->next)
		for (size_t i = 0; i < mail->legs_n; i++) {
			struct leg *leg = &mail->legs[i];
			const struct lock *l = leg->alone
			    ? mail->status[leg->which[0]].lock
			    : NULL;

			if (l != NULL && l->told &&
			    CRYPTO_memcmp(l->digest, digest, sizeof(digest)) ==
				0 &&
			    leg->route->body != NULL &&
			    bytes_equal(
				bytes_of(leg->route->body->code), o->body))
				return leg;
		}
	return NULL;
}

void
locked_ask(struct mailer *m, const struct ipc_message *order)
{
	const struct unlock_answer unknown = { 0 };
	struct unlock_order o;
	struct leg *leg = NULL;

	if (unlock_order_unpack(&o, order->body) == 0)
		leg = find(m, &o);
	if (leg == NULL)
		send_answer(m, order->job, &unknown);
	else
		take_order(leg, &o, order->job);
	OPENSSL_cleanse(&o, sizeof(o));
}

/* Time. */

void
locked_expire(struct mail *mail, uint64_t now)
{
	bool any = false;

	for (size_t i = 0; i < mail->legs_n; i++) {
		const struct leg *leg = &mail->legs[i];
		const struct recipient_status *s =
		    leg->alone ? &mail->status[leg->which[0]] : NULL;

		if (s == NULL || s->state != RECIPIENT_LOCKED ||
		    s->lock->until > now)
			continue;
		hold(mail, leg->which[0], "its password did not come in time");
		record(mail, leg->which[0], "expired");
		any = true;
	}
	if (any)
		mail_settle(mail);
}

void
locked_renew(struct mail *mail)
{
	bool any = false;

	for (size_t i = 0; i < mail->envelope.recipients_n; i++)
		if (mail->status[i].state == RECIPIENT_LOCKED) {
			set_lock(mail, i);
			any = true;
		}
	if (any)
		mail_settle(mail);
}

/* The notice. */

static int
write_head(
    struct buf *out, const struct mail *mail, size_t which, const char *id)
{
	static const char subject[] =
	    "パスワード付きの添付ファイルを預かっています / "
	    "An attachment waits for its password";
	const struct settings *s = mail->mailer->settings;
	char date[HEAD_DATE_MAX];
	size_t column = sizeof("Subject: ") - 1;

	return buf_printf(out,
		   "Date: %s\r\nFrom: Mail Delivery System <postmaster@%s>\r\n"
		   "To: <%.*s>\r\nMessage-ID: <%s@%s>\r\n"
		   "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
		   "Content-Type: text/plain; charset=utf-8\r\n"
		   "Content-Transfer-Encoding: 8bit\r\nSubject: ",
		   head_date((uint64_t)time(NULL), date), s->mail.name,
		   BYTES_PRINTF(mail->envelope.recipients[which].address.text),
		   id, s->mail.name) < 0 ||
		mail_put_words(out, bytes_of(subject), &column) < 0
	    ? -1
	    : buf_append_string(out, "\r\n\r\n");
}

/* Over TLS where there is a way. */
static int
write_address(struct buf *out, const struct settings *s, const uint8_t token[])
{
	bool tls = s->prefecture.proxy_tls[0] != '\0';
	char text[UNLOCK_TOKEN_HEX + 1];

	unlock_token_text(token, text);
	return buf_printf(out, "  %s://%s" UNLOCK_PATH "%s\r\n",
	    tls ? "https" : "http",
	    tls ? s->prefecture.proxy_tls : s->prefecture.proxy, text);
}

static int
write_files(struct buf *out, struct bytes files)
{
	while (files.n > 0) {
		struct bytes line = bytes_take_until(&files, '\n');

		if (buf_printf(out, "    %.*s\r\n", BYTES_PRINTF(line)) < 0)
			return -1;
	}
	return 0;
}

static int
write_text(struct buf *out, const struct mail *mail, size_t which,
    const uint8_t token[])
{
	const struct settings *s = mail->mailer->settings;
	const struct prefecture_settings *p = &s->prefecture;
	char arrived[HEAD_DATE_MAX], until[HEAD_DATE_MAX];

	head_date(mail->origin.arrived, arrived);
	head_date(mail->status[which].lock->until, until);
	return buf_printf(out,
		   "パスワード付きの添付ファイルがあるメールを預かっています。"
		   "次の画面でパスワードを\r\n入力すると、無害化して届けます。"
		   "\r\n"
		   "A mail to you has an attachment with a password. It is made"
		   " harmless and delivered\r\nwhen you type the password on"
		   " this page:\r\n\r\n") < 0 ||
		write_address(out, s, token) < 0 ||
		buf_printf(out,
		    "\r\n  差出人 / from: <%.*s>\r\n  件名 / subject: %s\r\n"
		    "  日時 / date: %s\r\n  期限 / until: %s\r\n"
		    "  ファイル / files:\r\n",
		    BYTES_PRINTF(mail->envelope.sender.text), mail->subject,
		    arrived, until) < 0 ||
		write_files(out, bytes_of(mail->locked_files)) < 0
	    ? -1
	    : buf_printf(out,
		  "\r\nパスワードは差出人から別に届きます。知らない差出人のとき"
		  "は入力せず、下記へ\r\nご相談ください。この画面はあなた専用"
		  "です。転送しないでください。\r\n"
		  "The password comes from the sender, apart from this. If you"
		  " do not know the sender,\r\ndo not type it, and ask the"
		  " contact below. The page is for you alone.\r\n\r\n"
		  "番号 / id: %s\r\nお問い合わせ / contact: %s\r\n%s %s\r\n",
		  mail->id, p->contact, p->name_ja, p->name_en);
}

/* Nobody waits for its answer: the spool has it, or it is lost and told. */
static void
ignore_answer(void *owner, const struct smtp_reply *r)
{
	(void)owner;
	if (!reply_is_done(r))
		log_say(EVENT_FAILURE, "a notice was not kept: %s", r->text);
}

static void
send_notice(struct mail *mail, size_t which, struct buf *content)
{
	struct mailer *m = mail->mailer;
	struct mail_origin origin = mail->origin;
	struct mail_recipient to = {
		.address = mail->envelope.recipients[which].address,
		.notify = NOTIFY_NEVER
	};
	const struct envelope e = {
		.eight_bit = true,
		.utf8 = mail->envelope.utf8,
		.recipients = &to,
		.recipients_n = 1,
	};
	struct mail *notice;

	origin.helo = m->settings->mail.name;
	origin.protocol = "LOCAL";
	origin.tls = "";
	origin.arrived = (uint64_t)time(NULL);
	/* It does not count as what clients made us keep. */
	notice = mail_new(m, &origin, &e, content, (struct share){ 0 });
	notice->own = true;
	notice->eight_bit = true;
	mail_keep(notice, ignore_answer, NULL);
}

static void
tell(struct mail *mail, size_t which)
{
	struct lock *l = mail->status[which].lock;
	uint8_t token[UNLOCK_TOKEN_N];
	struct buf content;
	char id[LOG_ID_MAX];

	must(getrandom(token, sizeof(token), 0) == sizeof(token));
	digest_of(token, l->digest);
	l->told = true;
	log_id(id);
	buf_init(&content, NOTICE_MAX);
	if (write_head(&content, mail, which, id) == 0 &&
	    write_text(&content, mail, which, token) == 0)
		send_notice(mail, which, &content);
	OPENSSL_cleanse(token, sizeof(token));
	buf_release(&content);
}

/* Guesses that were made when it began to wait; its spool has it now. */
static void
begin_guesses(struct mail *mail)
{
	for (size_t i = 0; i < mail->legs_n; i++) {
		struct leg *leg = &mail->legs[i];

		if (leg->alone && leg->secret != NULL &&
		    mail->status[leg->which[0]].state == RECIPIENT_LOCKED &&
		    mail->status[leg->which[0]].lock->guessing)
			locked_guess(leg);
	}
}

void
locked_tell(struct mail *mail)
{
	begin_guesses(mail);
	for (size_t i = 0; i < mail->envelope.recipients_n; i++) {
		const struct recipient_status *s = &mail->status[i];

		if (s->state == RECIPIENT_LOCKED && !s->lock->told &&
		    !s->lock->guessing)
			tell(mail, i);
	}
}

/* The note: a line for each recipient that has a lock, "lock WHICH TOLD UNTIL
 * TRIES DIGEST", then "subject", and a line for each file. */

int
locked_pack(const struct mail *mail, struct buf *out)
{
	bool any = false;
	struct bytes files = bytes_of(mail->locked_files);

	for (size_t i = 0; i < mail->envelope.recipients_n; i++) {
		const struct lock *l = mail->status[i].lock;

		if (l == NULL)
			continue;
		any = true;
		if (buf_printf(out, "lock %zu %d %llu %u ", i, l->told,
			(unsigned long long)l->until, l->tries) < 0)
			return -1;
		for (size_t k = 0; k < sizeof(l->digest); k++)
			if (buf_printf(out, "%02x", l->digest[k]) < 0)
				return -1;
		if (buf_append_string(out, "\n") < 0)
			return -1;
	}
	if (!any)
		return 0;
	if (buf_printf(out, "subject %s\n", mail->subject) < 0)
		return -1;
	while (files.n > 0) {
		struct bytes line = bytes_take_until(&files, '\n');

		if (buf_printf(out, "file %.*s\n", BYTES_PRINTF(line)) < 0)
			return -1;
	}
	return 0;
}

static int
take_lock(struct mail *mail, struct bytes line)
{
	uint64_t which, told, until, tries;
	struct lock *l;

	if (bytes_number(bytes_take_until(&line, ' '),
		mail->envelope.recipients_n - 1, &which) < 0 ||
	    bytes_number(bytes_take_until(&line, ' '), 1, &told) < 0 ||
	    bytes_number(
		bytes_take_until(&line, ' '), UINT64_MAX / 2000, &until) < 0 ||
	    bytes_number(bytes_take_until(&line, ' '), UINT32_MAX, &tries) < 0)
		return -1;
	l = ARENA_NEW(&mail->arena, struct lock);
	l->told = told != 0;
	l->until = until;
	l->tries = (uint32_t)tries;
	if (bytes_unhex(line, l->digest, sizeof(l->digest)) < 0)
		return -1;
	mail->status[which].lock = l;
	return 0;
}

int
locked_unpack(struct mail *mail, struct bytes in)
{
	struct buf files;
	int result = 0;

	buf_init(&files, FILES_MAX + DETOX_WHERE_MAX);
	while (in.n > 0 && result == 0) {
		struct bytes line = bytes_take_until(&in, '\n');
		struct bytes key = bytes_take_until(&line, ' ');

		if (bytes_equal(key, BYTES("lock")))
			result = take_lock(mail, line);
		else if (bytes_equal(key, BYTES("subject")))
			mail->subject = arena_string(&mail->arena, line);
		else if (bytes_equal(key, BYTES("file")))
			result =
			    buf_printf(&files, "%.*s\n", BYTES_PRINTF(line));
		else
			result = -1;
	}
	mail->locked_files = arena_string(&mail->arena, buf_bytes(&files));
	buf_release(&files);
	for (size_t i = 0; i < mail->envelope.recipients_n; i++)
		if (mail->status[i].state == RECIPIENT_LOCKED &&
		    mail->status[i].lock == NULL)
			set_lock(mail, i);
	return result < 0 ? -1 : 0;
}
