/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MISP events, as a feed or an export has them: attributes that are meant for
 * detection (to_ids) and name hosts or URLs, of events and of their objects. An
 * entry's life counts from when the attribute was last seen or changed.
 */
#include <jansson.h>

#include "filters/urlrep/feed.h"

enum meaning {
	MEANING_OTHER = 0,
	MEANING_DOMAIN, /* with its subdomains */
	MEANING_HOST,
	MEANING_URL,
};

/* Of "domain|ip" the domain: who asks for a name is judged by the name. */
static const struct {
	const char *type;
	enum meaning meaning;
} types[] = {
	{ "domain", MEANING_DOMAIN },
	{ "hostname", MEANING_HOST },
	{ "url", MEANING_URL },
	{ "ip-dst", MEANING_HOST },
	{ "domain|ip", MEANING_DOMAIN },
};

static const struct {
	const char *tag;
	enum tlp tlp;
} tags[] = {
	{ "tlp:white", TLP_CLEAR },
	{ "tlp:clear", TLP_CLEAR },
	{ "tlp:green", TLP_GREEN },
	{ "tlp:amber", TLP_AMBER },
	{ "tlp:amber+strict", TLP_AMBER_STRICT },
	{ "tlp:red", TLP_RED },
};

struct event {
	struct feed *f;
	unsigned number; /* of the attribute, counted through the file */
	enum tlp tlp;
	time_t date;
};

static enum tlp
stricter(enum tlp tlp, const json_t *owner)
{
	const json_t *list = json_object_get(owner, "Tag");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(
		    json_object_get(json_array_get(list, i), "name"));

		for (size_t k = 0; name != NULL && k < COUNT(tags); k++)
			if (bytes_equal_nocase(
				bytes_of(name), bytes_of(tags[k].tag)) &&
			    tags[k].tlp > tlp)
				tlp = tags[k].tlp;
	}
	return tlp;
}

/* "1764000000", as a string or a number. */
static bool
read_seconds(const json_t *value, time_t *out)
{
	uint64_t seconds;

	if (json_is_integer(value) && json_integer_value(value) > 0) {
		*out = (time_t)json_integer_value(value);
		return true;
	}
	if (!json_is_string(value) ||
	    bytes_number(
		bytes_of(json_string_value(value)), UINT32_MAX, &seconds) < 0)
		return false;
	*out = (time_t)seconds;
	return true;
}

static time_t
last_seen(const struct event *e, const json_t *attribute)
{
	const char *seen =
	    json_string_value(json_object_get(attribute, "last_seen"));
	time_t when = e->date;

	if (seen == NULL || feed_time(seen, &when) < 0)
		(void)read_seconds(
		    json_object_get(attribute, "timestamp"), &when);
	return when;
}

static void
take_value(const struct event *e, enum meaning meaning, struct bytes value,
    const struct detail *d)
{
	struct feed *f = e->f;

	switch (meaning) {
	case MEANING_OTHER:
		break;
	case MEANING_DOMAIN:
		feed_host(f, e->number, value, SCOPE_DOMAIN, d);
		break;
	case MEANING_HOST:
		if (bytes_index(value, '/') >= 0)
			feed_pass(f, e->number, "a range of addresses");
		else
			feed_host(f, e->number, value, SCOPE_SELF, d);
		break;
	case MEANING_URL:
		feed_url(f, e->number, value, 0, d);
		break;
	}
}

static void
take_attribute(struct event *e, const json_t *attribute)
{
	const char *type =
	    json_string_value(json_object_get(attribute, "type"));
	const json_t *value = json_object_get(attribute, "value");
	struct bytes text;
	struct detail d;
	size_t i = 0;

	e->number++;
	if (type == NULL || !json_is_string(value)) {
		feed_bad(e->f, e->number, "an attribute without type or value");
		return;
	}
	while (i < COUNT(types) && strcmp(type, types[i].type) != 0)
		i++;
	if (i == COUNT(types))
		return;
	if (!json_is_true(json_object_get(attribute, "to_ids")) ||
	    json_is_true(json_object_get(attribute, "deleted"))) {
		feed_pass(e->f, e->number, "not meant for detection");
		return;
	}
	text = (struct bytes){ (const uint8_t *)json_string_value(value),
		json_string_length(value) };
	if (strchr(type, '|') != NULL)
		text = bytes_take_until(&text, '|');
	d = feed_dated(e->f, last_seen(e, attribute));
	d.tlp = stricter(e->tlp, attribute);
	take_value(e, types[i].meaning, text, &d);
}

static void
take_attributes(struct event *e, const json_t *owner)
{
	const json_t *list = json_object_get(owner, "Attribute");

	for (size_t i = 0; i < json_array_size(list); i++)
		take_attribute(e, json_array_get(list, i));
}

static void
take_event(struct event *e, const json_t *event)
{
	const json_t *objects = json_object_get(event, "Object");

	e->tlp = stricter(TLP_NONE, event);
	e->date = e->f->terms.now;
	(void)read_seconds(json_object_get(event, "timestamp"), &e->date);
	take_attributes(e, event);
	for (size_t i = 0; i < json_array_size(objects); i++)
		take_attributes(e, json_array_get(objects, i));
}

/* An event, or several in a list or in "response". */
static bool
take_all(struct event *e, const json_t *root)
{
	const json_t *list =
	    json_is_array(root) ? root : json_object_get(root, "response");
	const json_t *event = json_object_get(root, "Event");

	if (json_is_object(event)) {
		take_event(e, event);
		return true;
	}
	if (!json_is_array(list))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		event = json_object_get(json_array_get(list, i), "Event");
		if (!json_is_object(event))
			return false;
		take_event(e, event);
	}
	return true;
}

int
feed_misp(struct feed *f, struct bytes text, struct err *e)
{
	struct event event = { .f = f };
	json_error_t error;
	json_t *root = json_loadb(
	    (const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &error);
	int result = 0;

	if (root == NULL)
		return err_set(
		    e, "%s:%d: no JSON: %s", f->path, error.line, error.text);
	if (!take_all(&event, root))
		result =
		    err_set(e, "%s: no MISP event, expected Event", f->path);
	json_decref(root);
	return result;
}
