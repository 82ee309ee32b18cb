/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/control/prove.h"

#include "proxy/base/language.h"
#include "proxy/proof/certificate.h"
#include "proxy/settings.h"

#define FAILED 1

static int
print(const struct isolation_order *o, const struct settings *s,
    struct certificate *c, struct err *e)
{
	if (o->verify && proof_verify(c->proof, &c->points, e) < 0)
		return -1;
	c->verified = o->verify;
	c->policies = &s->policies;
	c->folder = s->folder;
	c->config = o->config;
	return o->json
	    ? certificate_json(c, stdout, e)
	    : certificate_print(c, language_is_japanese(), stdout, e);
}

/* A broken pipe or a full disk must not pass for a certificate. */
static int
prove(const struct isolation_order *o, const struct settings *s, struct err *e)
{
	const struct grant_settings granting = settings_granting(s);
	struct certificate c = { 0 };
	struct proof p;
	int result = proof_make(&granting, &p, e);

	c.proof = &p;
	if (result == 0)
		result = proof_ask_policy(s->policy, s->zones, e);
	if (result == 0)
		result = print(o, s, &c, e);
	if (result == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		result = err_set(e, "the certificate cannot be written");
	if (result == 0 && p.violations_all > 0)
		result = FAILED;
	proof_release(&p);
	return result;
}

int
prove_command(const struct isolation_order *o)
{
	static struct err_list all;
	struct err e = { .list = &all };
	struct settings *s = settings_load_unproven(o->config, &e);
	int result = -1;

	if (s != NULL) {
		e.list = NULL;
		result = prove(o, s, &e);
	}
	if (result < 0)
		err_print(&e, stderr);
	settings_free(s);
	return result == 0 ? 0 : FAILED;
}
