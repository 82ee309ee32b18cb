/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grants: everything in the settings that lets anything through, as boxes. As
 * the code decides, and where a range cannot say it, rather more.
 *
 *	LISTEN   whose requests are taken up: of web listeners those of
 *	         segments that are not mynumber (exchange_zone refuses all
 *	         others, though TCP connects), of mail listeners all but My
 *	         Number and provision addresses (strangers send mail), of the
 *	         gate's the systems. Who is in proxy_protocol_from,
 *	         forwarded_from or xclient_from speaks for anybody.
 *	FORWARD  communications
 *	EDGE     from a zone to what reach_judge lets it reach, at its ports;
 *	         names of upstream.hosts lead nowhere else
 *	MAIL     from who may send to next hops; those given by a name, and by
 *	         MX, to wherever names may lead
 *	GATE     from each system to its endpoints
 *
 * What our own processes ask (name servers, scanners, rspamd) is EDGE and MAIL
 * from this machine. Policies are not asked: they can only take away.
 */
#pragma once

#include "proxy/detox/profiles.h"
#include "proxy/isolation/cells.h"
#include "proxy/listener/listener.h"
#include "proxy/smtp/routes.h"
#include "proxy/smtp/settings.h"
#include "proxy/upstream/upstream.h"

/* Of the settings what grants are made of. */
struct grant_settings {
	const char *file; /* which names what has no line of its own */
	const struct zones *zones;
	const struct isolation_model *isolation;
	const struct listener_settings *listeners;
	size_t listeners_n;
	const struct mail_settings *mail;
	const struct routes *routes; /* NULL: no mail is taken */
	const struct upstream_settings *upstream;
	const struct detox_profiles *profiles;
};

#define GRANTS_MAX ((size_t)2000000)

struct grants {
	struct grant *p;
	size_t n;
};

/* Everything lives in a. 0, or -1 and *e: there are more than GRANTS_MAX. */
int grants_make(const struct grant_settings *s, struct arena *a,
    struct grants *out, struct err *e) MUST_CHECK;
