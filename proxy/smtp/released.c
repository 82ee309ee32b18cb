/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/smtp/released.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "proxy/smtp/mail.h"

struct released {
	struct mailer *mailer;
	uint32_t job;
	char id[LOG_ID_MAX];
};

static void
tell(struct mailer *m, uint32_t job, const char *id)
{
	channel_send(m->child->parent, PARENT_RELEASED, job, bytes_of(id), -1);
}

static void
on_answer(void *owner, const struct smtp_reply *r)
{
	struct released *l = owner;

	tell(l->mailer, l->job, reply_is_done(r) ? l->id : NULL);
	free(l);
}

static int
take_path(struct mail_address *out, struct bytes text, struct arena *a)
{
	struct bytes in =
	    bytes_of(arena_printf(a, "<%.*s>", BYTES_PRINTF(text)));
	const char *why;

	return mail_path_take(out, &in, MAIL_UTF8, a, &why) < 0 || in.n > 0 ? -1
									    : 0;
}

/* Its sender hears nothing of what becomes of it: it is not his deed. */
static int
make_envelope(struct envelope *e, const struct original *o, struct arena *a)
{
	*e = (struct envelope){
		.eight_bit = o->eight_bit != 0,
		.utf8 = o->utf8 != 0,
		.recipients = ARENA_ARRAY(a, struct mail_recipient, o->to_n),
		.recipients_n = o->to_n,
	};
	if (take_path(&e->sender, o->sender, a) < 0)
		return -1;
	for (size_t i = 0; i < o->to_n; i++) {
		e->recipients[i].notify = NOTIFY_NEVER;
		if (take_path(&e->recipients[i].address, o->to[i], a) < 0)
			return -1;
	}
	return 0;
}

static uint64_t
longest_line(struct bytes content)
{
	uint64_t longest = 0;

	while (content.n > 0) {
		uint64_t n = bytes_take_until(&content, '\n').n + 1;

		longest = n > longest ? n : longest;
	}
	return longest;
}

static struct mail *
make_mail(struct mailer *m, const struct original *o, struct bytes content,
    struct bytes mark, struct arena *a)
{
	struct mail_origin origin = {
		.helo = arena_string(a, o->helo),
		.protocol = arena_string(a, o->protocol),
		.tls = arena_string(a, o->tls),
		.arrived = (uint64_t)time(NULL),
	};
	struct envelope e;
	struct buf copy;
	struct mail *mail;

	if (address_parse(&origin.client, o->client) < 0 ||
	    make_envelope(&e, o, a) < 0)
		return NULL;
	if (o->from_body != 0)
		origin.segment =
		    zones_lookup(m->settings->zones, &origin.client);
	buf_init(&copy, content.n);
	must(buf_append(&copy, content) == 0);
	/* It does not count as what clients made us keep. */
	mail = mail_new(m, &origin, &e, &copy, (struct share){ 0 });
	mail->released = arena_string(&mail->arena, mark);
	mail->eight_bit = data_is_eight_bit(mail->content);
	mail->longest = longest_line(mail->content);
	return mail;
}

static struct mail *
read_mail(struct mailer *m, struct bytes all, struct bytes body)
{
	struct bytes mark = body;
	struct bytes number = bytes_take_until(&mark, '\n');
	struct mail *mail = NULL;
	struct arena a = { 0 };
	struct original o;
	uint64_t n;

	if (bytes_number(number, all.n, &n) == 0 &&
	    original_unpack(&o, bytes_take(&all, n), &a) == 0)
		mail = make_mail(m, &o, all, mark, &a);
	arena_release(&a);
	return mail;
}

void
released_take(struct mailer *m, const struct ipc_message *message)
{
	struct released *l;
	struct mail *mail = NULL;
	struct stat st;
	void *p = MAP_FAILED;

	if (message->fd >= 0 && detox_is_sealed(message->fd) &&
	    fstat(message->fd, &st) == 0 && st.st_size > 0)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE,
		    message->fd, 0);
	if (p != MAP_FAILED) {
		mail = read_mail(
		    m, (struct bytes){ p, (size_t)st.st_size }, message->body);
		munmap(p, (size_t)st.st_size);
	}
	if (mail == NULL) {
		log_say(EVENT_FAILURE, "a released original is malformed");
		tell(m, message->job, NULL);
		return;
	}
	l = calloc(1, sizeof(*l));
	must(l != NULL);
	l->mailer = m;
	l->job = message->job;
	memcpy(l->id, mail->id, sizeof(l->id));
	mail_keep(mail, on_answer, l);
}
