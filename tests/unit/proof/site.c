/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/proof/site.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW ((time_t)1795748400) /* 2026-11-27 12:00 in Japan */
#define D(digit)                                                         \
	"00000000000000000000000000000000000000000000000000000000000000" \
	"0" digit
#define COMMUNICATION(name, kind, from, to, more)                      \
	"{ name = \"" name "\"; kind = \"" kind "\"; from = [" from    \
	"]; to = [" to "]; purpose = \"p\"; owner = \"o\"; approval =" \
	" \"a\"; expires = \"2027-03-31\"; " more " }"
#define TCP "protocol = \"tcp\"; port = 443;"

static const char usual[] =
    "zones = (\n"
    "{ name = \"i\"; kind = \"internet\"; permitted = [\"10.0.0.0/8\","
    " \"64:ff9b::/96\", \"2002::/16\"]; ports = [80, 443, 444]; },\n"
    "{ name = \"l\"; kind = \"lgwan\"; },\n"
    "{ name = \"m\"; kind = \"mynumber\"; } );\n"
    "bodies = (\n"
    "{ code = \"990019\"; name_ja = \"市\"; segments = (\n"
    "{ prefix = \"10.1.1.0/24\"; zone = \"l\"; },\n"
    "{ prefix = \"10.1.2.0/24\"; zone = \"i\"; },\n"
    "{ prefix = \"10.1.3.0/24\"; zone = \"m\"; },\n"
    "{ prefix = \"2001:db8:3::/64\"; zone = \"m\"; },\n"
    "{ prefix = \"2001:db8:1::/64\"; zone = \"l\"; } ); },\n"
    "{ code = \"990027\"; name_ja = \"町\"; segments = (\n"
    "{ prefix = \"10.2.2.0/24\"; zone = \"i\"; },\n"
    "{ prefix = \"10.2.3.0/24\"; zone = \"m\"; } ); } );\n"
    "isolation = { lgwan = [\"10.9.0.0/16\"]; machine = [\"10.0.0.1\"]; };\n"
    "provision = (\n"
    "{ name = \"p\"; addresses = [\"10.9.0.10\"]; port = 8446;"
    " certificate = \"" D(
	"0") "\"; owner = \"o\"; } );\n"
	     "systems = (\n"
	     "{ name = \"a\"; body = \"990019\"; addresses = [\"10.1.3.10\","
	     " \"10.1.3.0/29\"]; certificate = \"" D(
		 "1") "\"; purposes = [\"税\"];"
		      " owner = \"o\"; endpoints = [\"p\"]; probe_key = "
		      "\"none\"; },\n"
		      "{ name = \"b\"; body = \"990027\"; addresses = "
		      "[\"10.2.3.10\"];"
		      " certificate = \"" D(
			  "2") "\"; purposes = [\"税\"]; owner = \"o\";"
			       " endpoints = [\"p\"]; probe_key = \"none\"; } "
			       ");\n"
			       "communications = (\n" COMMUNICATION("shared",
				   "plain", "\"10.2.3.128/25\"",
				   "\"10.1.3.20\"",
				   TCP) ",\n" COMMUNICATION("tax", "eltax",
				   "\"10.2.3.20\"", "\"10.9.1.0/24\"",
				   TCP) ",\n" COMMUNICATION("office", "plain",
				   "\"10.1.1.0/24\"", "\"10.1.3.30\"",
				   TCP) ",\n" COMMUNICATION("six", "plain",
				   "\"2001:db8:1::/64\"", "\"2001:db8:3::20\"",
				   TCP) ",\n" COMMUNICATION("ping", "plain",
				   "\"10.1.1.7\"", "\"10.1.3.31\"",
				   "protocol = \"icmp\";") " );\n";

static const char mail_routes[] =
    "inbound = (\n"
    "{ name = \"city\"; body = \"990019\"; side = \"lgwan\"; domains ="
    " [\"city.test\"]; detox = \"none\"; next_hops = ( { host ="
    " \"10.1.1.25\"; }, { host = \"mx.city.test\"; } ); } );\n"
    "outbound = (\n"
    "{ name = \"partner\"; domains = [\"partner.test\"]; detox = \"none\";"
    " bodies = [\"990027\"]; next_hops = ( { host = \"10.1.1.26\"; } ); },\n"
    "{ name = \"world\"; domains = [\"*\"]; detox = \"none\"; } );\n";

static void
load_routes(struct site *s)
{
	char path[] = "/tmp/sekisho-site-XXXXXX";
	int fd = mkstemp(path);

	ck_assert(fd >= 0 &&
	    write(fd, mail_routes, strlen(mail_routes)) ==
		(ssize_t)strlen(mail_routes));
	close(fd);
	ck_assert_int_eq(detox_profiles_load(&s->profiles, NULL, &s->err), 0);
	s->routes =
	    routes_load(path, s->zones, &s->profiles, &s->arena, &s->err);
	unlink(path);
	ck_assert_msg(s->routes != NULL, "%s", s->err.text);
}

static void
set_listeners(struct site *s)
{
	static const char *const texts[] = { "10.0.0.1:8080",
		"[2001:db8::1]:8080" };

	for (size_t i = 0; i < 2; i++)
		s->listeners[i] = (struct listener_settings){
			.address = texts[i],
			.at = site_at(texts[i]),
			.file = "site.conf",
			.line = (unsigned)(101 + i),
		};
	s->mail_listener = (struct mail_listener_settings){
		.address = "10.0.0.1:25",
		.at = site_at("10.0.0.1:25"),
		.file = "site.conf",
		.line = 103,
	};
	s->mail.listeners = &s->mail_listener;
	s->mail.listeners_n = 1;
	s->mail.mta_sts = true;
}

/* As settings.c does. */
static void
set_reach(struct site *s)
{
	struct reach_limits *r = &s->upstream.reach;

	r->zones = s->zones;
	r->provision = s->provision;
	for (size_t i = 0; i < s->isolation->endpoints_n; i++) {
		memcpy(s->provision[i].octets,
		    s->isolation->endpoints[i].at[0].octets, 16);
		s->provision[i].bits = 128;
		r->provision_n++;
	}
}

/* A gate without its files: whoever makes them has tests of their own. */
static void
set_gate(struct site *s)
{
	s->isolation->settings.gate = "10.0.0.1:8445";
	s->isolation->settings.gate_at = site_at("10.0.0.1:8445");
}

void
site_open(struct site *s, const char *text)
{
	config_t config;

	*s = (struct site){ 0 };
	config_init(&config);
	ck_assert_msg(config_read_string(
			  &config, text == NULL ? usual : text) == CONFIG_TRUE,
	    "%d: %s", config_error_line(&config), config_error_text(&config));
	s->zones = zones_load(config_root_setting(&config), &s->arena, &s->err);
	ck_assert_msg(s->zones != NULL, "%s", s->err.text);
	s->isolation = isolation_load(config_root_setting(&config), s->zones,
	    "/nowhere", NOW, &s->arena, &s->err);
	ck_assert_msg(s->isolation != NULL, "%s", s->err.text);
	config_destroy(&config);
	set_listeners(s);
	set_gate(s);
	set_reach(s);
	load_routes(s);
	s->settings = (struct grant_settings){
		.file = "site.conf",
		.zones = s->zones,
		.isolation = s->isolation,
		.listeners = s->listeners,
		.listeners_n = 2,
		.mail = &s->mail,
		.routes = s->routes,
		.upstream = &s->upstream,
		.profiles = &s->profiles,
	};
}

void
site_close(struct site *s)
{
	detox_profiles_release(&s->profiles);
	arena_release(&s->arena);
}

struct zone *
site_zone(struct site *s, const char *name)
{
	const struct zone *z = zones_by_name(s->zones, bytes_of(name));

	ck_assert_ptr_nonnull(z);
	return (struct zone *)(uintptr_t)z;
}

struct communication *
site_communication(struct site *s, const char *name)
{
	struct isolation_model *m = s->isolation;

	for (size_t i = 0; i < m->communications_n; i++)
		if (strcmp(m->communications[i].name, name) == 0)
			return &m->communications[i];
	ck_abort_msg("no communication \"%s\"", name);
}

struct address
site_at(const char *text)
{
	struct address a = { 0 };

	if (address_parse_port(&a, bytes_of(text)) < 0)
		ck_assert_msg(
		    address_parse(&a, bytes_of(text)) == 0, "%s", text);
	return a;
}

struct prefix
site_prefix(const char *text)
{
	struct prefix p;

	ck_assert_msg(prefix_parse(&p, bytes_of(text)) == 0, "%s", text);
	return p;
}

struct prefix *
site_prefixes(struct site *s, const char *text)
{
	struct prefix *p = ARENA_NEW(&s->arena, struct prefix);

	*p = site_prefix(text);
	return p;
}
