/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/probe/trial.h"

#include "proxy/base/file.h"

#define FILE_MAX ((size_t)64 << 10)
#define DEADLINE_S 5
#define DEADLINE_MAX_S 30

/* What values are read into: the trial, and where its file is. */
struct reading {
	struct trial *trial;
	struct bytes folder; /* "" or with its slash */
};

/* A key: how its value is read, which is -1 for one that is none. */
struct key {
	const char *name;
	int (*read)(struct reading *r, struct bytes value);
	const char *expected; /* in words */
	enum {
		ONCE,
		MANY
	} how_often;
	enum {
		MAY,
		MUST
	} presence;
};

static int
copy(struct bytes value, char *out, size_t size)
{
	if (value.n >= size || bytes_index(value, 0) >= 0)
		return -1;
	memcpy(out, value.p, value.n);
	out[value.n] = '\0';
	return 0;
}

static int
read_system(struct reading *r, struct bytes value)
{
	return copy(value, r->trial->system, sizeof(r->trial->system));
}

static int
read_gate(struct reading *r, struct bytes value)
{
	struct address *a = &r->trial->gate;

	return address_parse_port(a, value) == 0 && a->port != 0 ? 0 : -1;
}

static int
read_from(struct reading *r, struct bytes value)
{
	r->trial->has_from = true;
	return address_parse(&r->trial->from, value);
}

static int
read_gate_certificate(struct reading *r, struct bytes value)
{
	return bytes_unhex(value, r->trial->gate_certificate,
	    sizeof(r->trial->gate_certificate));
}

static int
read_path(struct reading *r, struct bytes value, char out[TRIAL_PATH_MAX])
{
	struct bytes folder = value.p[0] == '/' ? BYTES("") : r->folder;

	if (folder.n >= TRIAL_PATH_MAX)
		return -1;
	memcpy(out, folder.p, folder.n);
	return copy(value, out + folder.n, TRIAL_PATH_MAX - folder.n);
}

static int
read_certificate(struct reading *r, struct bytes value)
{
	return read_path(r, value, r->trial->certificate);
}

static int
read_certificate_key(struct reading *r, struct bytes value)
{
	return read_path(r, value, r->trial->certificate_key);
}

static int
read_probe_key(struct reading *r, struct bytes value)
{
	return read_path(r, value, r->trial->probe_key);
}

/* What is at no certain place is no canary. */
static bool
is_of_one_host(const struct address *a)
{
	static const struct prefix others[] = {
		{ { 0 }, 128 },                        /* :: */
		{ { 0xff }, 8 },                       /* multicast */
		{ { 0xfe, 0x80 }, 10 },                /* link-local */
		{ { [10] = 0xff, [11] = 0xff }, 104 }, /* 0/8 */
		{ { [10] = 0xff, [11] = 0xff, [12] = 224 }, 99 }, /* 224/3 */
	};

	return !prefixes_contain(others, COUNT(others), a);
}

static int
read_canary(struct reading *r, struct bytes value)
{
	struct trial *p = r->trial;
	struct address a;

	if (p->canaries_n == COUNT(p->canaries) ||
	    address_parse_port(&a, value) < 0 || a.port == 0 ||
	    !is_of_one_host(&a))
		return -1;
	for (size_t i = 0; i < p->canaries_n; i++)
		if (address_equal(&p->canaries[i], &a))
			return -1;
	p->canaries[p->canaries_n++] = a;
	return 0;
}

static bool
is_of_label(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Labels of up to 63 bytes; the first may be a star. */
static bool
is_host_name(struct bytes b)
{
	if (bytes_start_with(b, BYTES("*.")))
		bytes_take(&b, 2);
	if (b.n == 0 || b.p[b.n - 1] == '.')
		return false;
	while (b.n > 0) {
		struct bytes label = bytes_take_until(&b, '.');

		if (label.n == 0 || label.n > 63)
			return false;
		for (size_t i = 0; i < label.n; i++)
			if (!is_of_label(label.p[i]))
				return false;
	}
	return true;
}

static int
read_name(struct reading *r, struct bytes value)
{
	struct trial *p = r->trial;

	if (p->names_n == COUNT(p->names) || !is_host_name(value) ||
	    copy(value, p->names[p->names_n], sizeof(p->names[0])) < 0)
		return -1;
	p->names_n++;
	return 0;
}

static int
read_address(struct reading *r, struct bytes value)
{
	struct trial *p = r->trial;

	if (p->addresses_n == COUNT(p->addresses) ||
	    prefix_parse(&p->addresses[p->addresses_n], value) < 0)
		return -1;
	p->addresses_n++;
	return 0;
}

static int
read_weight(struct bytes value, enum probe_outcome *out)
{
	if (bytes_equal(value, BYTES("finding")))
		*out = PROBE_FOUND;
	else if (bytes_equal(value, BYTES("fact")))
		*out = PROBE_TOLD;
	else
		return -1;
	return 0;
}

static int
read_names_are(struct reading *r, struct bytes value)
{
	return read_weight(value, &r->trial->names_are);
}

static int
read_default_routes(struct reading *r, struct bytes value)
{
	return read_weight(value, &r->trial->default_routes_are);
}

static int
read_other_addresses(struct reading *r, struct bytes value)
{
	return read_weight(value, &r->trial->other_addresses_are);
}

static int
read_resolvers(struct reading *r, struct bytes value)
{
	return read_weight(value, &r->trial->resolvers_are);
}

static int
read_deadline(struct reading *r, struct bytes value)
{
	uint64_t n;

	if (bytes_number(value, DEADLINE_MAX_S, &n) < 0 || n == 0)
		return -1;
	r->trial->deadline_s = (unsigned)n;
	return 0;
}

#define A_FILE "the name of a file, of fewer than 1024 bytes"
#define A_WEIGHT "finding or fact"

static const struct key keys[] = {
	{ "system", read_system,
	    "the system's name at the checkpoint, of fewer than 256 bytes",
	    ONCE, MUST },
	{ "gate", read_gate, "ADDRESS:PORT or [ADDRESS]:PORT", ONCE, MUST },
	{ "from", read_from, "an address of the system", ONCE, MAY },
	{ "gate_certificate", read_gate_certificate,
	    "the SHA-256 of the gate's certificate, 64 hexadecimal digits",
	    ONCE, MUST },
	{ "certificate", read_certificate, A_FILE, ONCE, MUST },
	{ "certificate_key", read_certificate_key, A_FILE, ONCE, MUST },
	{ "probe_key", read_probe_key, A_FILE, ONCE, MUST },
	{ "canary", read_canary,
	    "ADDRESS:PORT or [ADDRESS]:PORT of one host, each once and at most"
	    " 64 of them",
	    MANY, MUST },
	{ "name", read_name,
	    "a host name such as www.canary.test or *.canary.test, at most 16"
	    " of them",
	    MANY, MAY },
	{ "address", read_address,
	    "an address or a prefix of the system, at most 64 of them", MANY,
	    MUST },
	{ "names", read_names_are, A_WEIGHT, ONCE, MAY },
	{ "default_routes", read_default_routes, A_WEIGHT, ONCE, MAY },
	{ "other_addresses", read_other_addresses, A_WEIGHT, ONCE, MAY },
	{ "resolvers", read_resolvers, A_WEIGHT, ONCE, MAY },
	{ "deadline", read_deadline, "whole seconds, 1 to 30", ONCE, MAY },
};

static const struct key *
find_key(struct bytes name)
{
	for (size_t i = 0; i < COUNT(keys); i++)
		if (bytes_equal(bytes_of(keys[i].name), name))
			return &keys[i];
	return NULL;
}

/* *seen: by the index of keys, whether it was there. */
static int
read_line(
    struct reading *r, struct bytes line, bool seen[COUNT(keys)], struct err *e)
{
	bool has_value = bytes_index(line, '=') >= 0;
	struct bytes name = bytes_trim(bytes_take_until(&line, '='));
	struct bytes value = bytes_trim(line);
	const struct key *key = find_key(name);

	if (!has_value)
		return err_set(e, "\"%.*s\", expected `key = value`",
		    (int)(name.n < 64 ? name.n : 64), (const char *)name.p);
	if (key == NULL)
		return err_set(e, "unknown key \"%.*s\"",
		    (int)(name.n < 64 ? name.n : 64), (const char *)name.p);
	if (key->how_often == ONCE && seen[key - keys])
		return err_set(e, "%s a second time, expected once", key->name);
	seen[key - keys] = true;
	if (value.n == 0 || key->read(r, value) < 0)
		return err_set(e, "%s is \"%.*s\", expected %s", key->name,
		    (int)(value.n < 64 ? value.n : 64), (const char *)value.p,
		    key->expected);
	return 0;
}

static struct bytes
folder_of(const char *path)
{
	struct bytes b = bytes_of(path);

	while (b.n > 0 && b.p[b.n - 1] != '/')
		b.n--;
	return b;
}

int
trial_parse(struct trial *p, struct bytes text, const char *path, struct err *e)
{
	struct reading r = { .folder = folder_of(path) };
	bool seen[COUNT(keys)] = { false };
	int result = 0;

	*p = (struct trial){ .names_are = PROBE_FOUND,
		.default_routes_are = PROBE_TOLD,
		.other_addresses_are = PROBE_FOUND,
		.resolvers_are = PROBE_TOLD,
		.deadline_s = DEADLINE_S };
	r.trial = p;
	for (unsigned n = 1; text.n > 0; n++) {
		struct bytes line = bytes_trim(bytes_take_until(&text, '\n'));
		struct err why = { 0 };

		if (line.n == 0 || line.p[0] == '#' ||
		    read_line(&r, line, seen, &why) == 0)
			continue;
		result = err_set(e, "%.200s:%u: %.300s", path, n, why.text);
		if (err_go_on(e) < 0)
			return -1;
	}
	for (size_t i = 0; i < COUNT(keys); i++) {
		if (keys[i].presence == MAY || seen[i])
			continue;
		result = err_set(e, "%.200s: no %s, expected %s", path,
		    keys[i].name, keys[i].expected);
		if (err_go_on(e) < 0)
			return -1;
	}
	return result;
}

int
trial_load(struct trial *p, const char *path, struct err *e)
{
	struct buf text;
	int result;

	buf_init(&text, FILE_MAX);
	result = file_read(path, &text, e);
	if (result == 0)
		result = trial_parse(p, buf_bytes(&text), path, e);
	buf_release(&text);
	return result;
}
