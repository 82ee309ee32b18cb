/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailer: the process that carries mail: what all its connections and all its
 * mails share, for as long as the process lives.
 */
#pragma once

#include <openssl/ssl.h>

#include "proxy/body/budget.h"
#include "proxy/detox/client.h"
#include "proxy/process.h"
#include "proxy/smtp/common.h"
#include "proxy/smtp/out.h"
#include "proxy/smtp/session.h"
#include "proxy/smtp/spool.h"
#include "proxy/store/client.h"

#define MAILER_SCRATCH_SIZE 65536

struct acceptor;
struct mail_client;
struct mail;
struct queue;
struct hints;
struct recipients;
struct signers;
struct suspect_names;
struct rspamd;
struct trips;

struct mailer {
	struct child *child;
	const struct settings *settings;
	struct loop *loop;
	struct board *board;
	struct detox_client *detox;
	struct store_client *store;
	struct out *out;
	struct spool *spool;
	struct queue *queue;
	struct hints *hints;            /* of passwords, of the last mails */
	struct signers *signers;        /* of outgoing mail */
	struct recipients *recipients;  /* what next hops said of them */
	struct suspect_names *suspects; /* whom strangers may imitate */
	struct rspamd *rspamd;
	struct trips *trips; /* of My Number segments */
	struct trips *leaks; /* of canaries */
	SSL_CTX *tls;        /* NULL: not offered */
	struct session_settings session;
	struct common *common; /* with the other mail processes */
	struct budget budget;  /* of content in memory */
	struct acceptor **accepting;
	size_t accepting_n;
	struct mail_client *clients;
	size_t clients_n;
	size_t mails; /* in memory */
	bool draining;
	uint8_t scratch[MAILER_SCRATCH_SIZE];
};

/* A client or a mail is gone; ends the process when it drains and nothing is
 * left. */
void mailer_check(struct mailer *m);
