/* SPDX-License-Identifier: Apache-2.0 */
/* settings: the group `mail`: where mail is taken, and what one mail may be. */
#pragma once

#include "proxy/base/address.h"
#include "proxy/base/setting.h"
#include "proxy/smtp/rspamd.h"

enum mail_listener_tls {
	MAIL_LISTENER_STARTTLS = 0, /* offered when there is a certificate */
	MAIL_LISTENER_IMPLICIT,
	MAIL_LISTENER_PLAIN,
};

struct mail_listener_settings {
	const char *address; /* "192.0.2.1:25" */
	const char *tls;     /* "starttls", "implicit", "no" */
	struct texts proxy_protocol_from;
	struct texts xclient_from;
	uint32_t backlog;
	/* parsed */
	struct address at;
	enum mail_listener_tls kind;
	struct prefix *proxy_protocol;
	size_t proxy_protocol_n;
	struct prefix *xclient;
	size_t xclient_n;
	const char *file; /* where the settings say so */
	unsigned line;
};

struct mail_settings {
	/* Names of files are as the file has them until settings.c of the proxy
	 * has made paths of them; an empty name becomes the host of
	 * prefecture.proxy there. */
	const char *name;   /* ours: in the greeting, in EHLO, in Received */
	const char *routes; /* the file; "": no mail is taken */
	const char *certificate, *key; /* PEM; "": no TLS is offered */
	const char *spool;             /* a folder */
	uint64_t spool_max;      /* bytes of it; more is answered with 452 */
	uint64_t spool_free_min; /* bytes that its disk must keep free */
	size_t size_max;         /* of one mail */
	size_t memory_max;       /* of all content that comes, of one process */
	uint32_t recipients_max; /* of one mail */
	uint32_t errors_max;     /* of one session; then 421 */
	uint32_t messages_max;   /* of one session; then 421 */
	uint32_t connections_max; /* of one process */
	uint32_t connections_per_client;
	uint32_t messages_per_minute;      /* of one client address */
	uint32_t messages_per_minute_body; /* of all clients of a body */
	/* Of one sender address of a body; 0: no limit. */
	uint32_t sender_recipients_per_hour, sender_distinct_per_hour;
	uint32_t sender_failed_per_hour;
	uint32_t sender_usual_times; /* so much more than in its usual hours */
	struct texts bulk_senders;   /* whom these do not hold */
	uint64_t greeting_delay_ms;  /* how long early talk is waited for */
	uint64_t command_timeout_ms, data_timeout_ms, session_max_ms;
	uint64_t cut_through_max_ms;
	uint64_t connect_timeout_ms, reply_timeout_ms; /* with next hops */
	uint64_t recipient_ok_ttl_ms,
	    recipient_bad_ttl_ms; /* of what a next
				   * hop said of a recipient */
	bool mta_sts, dane; /* by MX: whether what domains ask for is done */
	uint32_t connections_per_hop;
	uint64_t retry_min_ms, retry_max_ms, expire_ms, delay_notice_ms;
	uint32_t first_contact_days; /* of silence; 0: nobody is asked */
	uint64_t password_life_ms;   /* of the page where one is typed */
	uint32_t password_tries;
	uint64_t password_wait_ms; /* between a mail and one with its password
				    */
	uint32_t banner_score; /* points from which a banner warns; 0: never */
	const char *bare;      /* "refuse", "normalise" */
	bool normalise; /* bare CR and LF: made CRLF before any judgement;
			 * false: refused */
	struct rspamd_settings rspamd; /* the group `rspamd` */
	/* parsed from the list `listeners` */
	struct mail_listener_settings *listeners;
	size_t listeners_n;
};

extern const struct setting mail_table[], mail_listener_table[];
extern const size_t mail_table_n, mail_listener_table_n;

/* The group `mail` of the root; without one there are no listeners. 0, or -1
 * and *e. */
int mail_settings_load(const config_setting_t *root, struct arena *a,
    struct mail_settings *out, struct err *e) MUST_CHECK;
