/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy/tenants.h"

#include "proxy/base/language.h"

#define HOSTS_MAX 8
#define FIELDS_MAX 2

/* One of several forms of a service, each with hosts and fields of its own; of
 * names with all below them ("*.google.com") some that browsers ask. */
static const struct service {
	const char *name;
	const char *hosts[HOSTS_MAX];
	const char *fields[FIELDS_MAX];
} services[] = {
	{ "Microsoft Entra",
	    { "login.microsoftonline.com", "login.microsoft.com",
		"login.windows.net" },
	    { "Restrict-Access-To-Tenants", "Restrict-Access-Context" } },
	{ "Microsoft Entra v2",
	    { "login.microsoftonline.com", "login.microsoft.com",
		"login.windows.net" },
	    { "sec-Restrict-Tenant-Access-Policy" } },
	{ "Microsoft (consumers)", { "login.live.com" },
	    { "sec-Restrict-Tenant-Access-Policy" } },
	{ "Google",
	    { "accounts.google.com", "mail.google.com", "drive.google.com",
		"lh3.googleusercontent.com", "www.gstatic.com" },
	    { "X-GoogApps-Allowed-Domains" } },
	{ "YouTube",
	    { "www.youtube.com", "m.youtube.com", "youtubei.googleapis.com",
		"youtube.googleapis.com", "www.youtube-nocookie.com" },
	    { "YouTube-Restrict" } },
	{ "Slack", { "slack.com", "app.slack.com" },
	    { "X-Slack-Allowed-Workspaces-Requester",
		"X-Slack-Allowed-Workspaces" } },
	{ "Dropbox", { "www.dropbox.com", "api.dropbox.com" },
	    { "X-Dropbox-allowed-Team-Ids" } },
	{ "GitHub", { "github.com", "api.github.com" },
	    { "sec-GitHub-allowed-enterprise" } },
	{ "ChatGPT", { "chat.openai.com", "api.openai.com" },
	    { "ChatGPT-Allowed-Workspace-Id" } },
};

/* What a host's requests would carry. */
enum carries {
	CARRIES_NOTHING = 0,
	CARRIES_SOME, /* of its fields */
	CARRIES_ALL,
	CARRIES_NO_REQUEST, /* it is blocked */
	CARRIES_UNSEEN,     /* it is not decrypted */
};

static enum carries
judge(const struct policy *p, const struct segment *from, time_t now,
    const struct service *s, const char *host, struct decision *d_out)
{
	struct arena a = { 0 };
	struct url u = { 0 };
	struct decision steps[POLICY_STEPS_MAX];
	struct query q = {
		.segment = from, .url = &u, .method = BYTES("GET"), .now = now
	};
	const char *why;
	size_t wanted = 0;
	size_t set = 0;
	size_t n;

	must(url_parse_absolute(&u,
		 bytes_of(arena_printf(&a, "https://%s/", host)), &a,
		 &why) == 0);
	n = policy_judge_steps(p, &q, steps);
	*d_out = steps[n - 1];
	arena_release(&a);
	if (d_out->verdict == VERDICT_TUNNEL)
		return CARRIES_UNSEEN;
	if (d_out->verdict == VERDICT_BLOCK)
		return CARRIES_NO_REQUEST;
	for (; wanted < FIELDS_MAX && s->fields[wanted] != NULL; wanted++) {
		const struct field_effect *f =
		    decision_field(d_out, bytes_of(s->fields[wanted]));

		set += f != NULL && f->value.p != NULL;
	}
	return set == 0    ? CARRIES_NOTHING
	    : set < wanted ? CARRIES_SOME
			   : CARRIES_ALL;
}

static const char *
words_of(enum carries c)
{
	static const char *const words[][2] = {
		[CARRIES_NOTHING] = { "not restricted", "制限なし" },
		[CARRIES_SOME] = { "restricted in part", "一部のみ" },
		[CARRIES_ALL] = { "restricted", "制限あり" },
		[CARRIES_NO_REQUEST] = { "blocked", "遮断" },
		[CARRIES_UNSEEN] = { "not decrypted", "復号しない" },
	};

	return words[c][language_is_japanese() ? 1 : 0];
}

static void
print_fields(FILE *out, const struct service *s, const struct decision *d)
{
	for (size_t i = 0; i < FIELDS_MAX && s->fields[i] != NULL; i++) {
		const struct field_effect *f =
		    decision_field(d, bytes_of(s->fields[i]));

		if (f != NULL && f->value.p != NULL)
			fprintf(out, "    %s: %.*s\n", s->fields[i],
			    BYTES_PRINTF(f->value));
	}
}

/* Whether it is restricted somewhere, and not everywhere. */
static bool
print_service(const struct policy *p, const struct segment *from, time_t now,
    const struct service *s, FILE *out)
{
	bool somewhere = false;
	bool leaks = false;

	fprintf(out, "%s\n", s->name);
	for (size_t i = 0; i < HOSTS_MAX && s->hosts[i] != NULL; i++) {
		struct decision d;
		enum carries c = judge(p, from, now, s, s->hosts[i], &d);

		fprintf(out, "  %-28s %s (%s)\n", s->hosts[i], words_of(c),
		    d.rule->name);
		if (c == CARRIES_ALL || c == CARRIES_SOME)
			print_fields(out, s, &d);
		somewhere |= c == CARRIES_ALL || c == CARRIES_SOME;
		leaks |= c != CARRIES_ALL && c != CARRIES_NO_REQUEST;
	}
	return somewhere && leaks;
}

size_t
policy_tenants(
    const struct policy *p, const struct segment *from, time_t now, FILE *out)
{
	size_t n = 0;

	for (size_t i = 0; i < COUNT(services); i++)
		n += print_service(p, from, now, &services[i], out);
	fprintf(out,
	    language_is_japanese() ? "一部だけ制限されているサービス %zu\n"
				   : "%zu services restricted in part\n",
	    n);
	return n;
}
