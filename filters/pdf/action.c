/* SPDX-License-Identifier: Apache-2.0 */
/* action: those that only show another place, or name one of the web. */
#include "filters/pdf/walk.h"

static bool
is_in_tree(struct bytes name)
{
	static const struct bytes names[] = {
		BYTES_ROW("NextPage"),
		BYTES_ROW("PrevPage"),
		BYTES_ROW("FirstPage"),
		BYTES_ROW("LastPage"),
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (syntax_is(name, names[i]))
			return true;
	return false;
}

static bool
go_to(struct pdf_walk *w, struct bytes action)
{
	struct bytes place = syntax_get(action, "D");
	size_t before = w->object.n;

	pdf_put_string(w, "<</S/GoTo/D ");
	if (pdf_emit(w, PDF_PLACE, &place)) {
		pdf_put_string(w, ">>");
		return true;
	}
	w->object.n = before;
	return false;
}

static bool
named(struct pdf_walk *w, struct bytes action)
{
	struct buf room;
	struct bytes name = pdf_value_of(w, action, "N", &room);
	bool kept = is_in_tree(name);

	if (kept) {
		pdf_put_string(w, "<</S/Named/N ");
		pdf_put(w, name);
		pdf_put_string(w, ">>");
	} else {
		pdf_removed(
		    w, REMOVED_ACTION, "action: Named", (struct bytes){ 0 });
	}
	buf_release(&room);
	return kept;
}

/* Addresses are ASCII (12.6.4.8); what is written with zero bytes between is
 * not what it seems to be. */
static bool
link_stays(struct pdf_walk *w, struct bytes string)
{
	struct buf address;
	bool stays;

	buf_init(&address, (size_t)1 << 20);
	stays = syntax_string(string, &address) == 0 && address.n > 0 &&
	    bytes_index(buf_bytes(&address), 0) < 0 &&
	    detox_link_stays(w->d, buf_bytes(&address));
	buf_release(&address);
	return stays;
}

static bool
web_link(struct pdf_walk *w, struct bytes action)
{
	struct buf room;
	struct bytes address = pdf_value_of(w, action, "URI", &room);
	bool kept =
	    syntax_next(&address) == SYNTAX_STRING && link_stays(w, address);

	if (kept) {
		pdf_put_string(w, "<</S/URI/URI ");
		pdf_put(w, address);
		pdf_put_string(w, ">>");
	} else {
		pdf_removed(
		    w, REMOVED_LINK, "action: URI", (struct bytes){ 0 });
	}
	buf_release(&room);
	return kept;
}

static void
leave_out(struct pdf_walk *w, struct bytes action, struct bytes type)
{
	enum detox_removal removal = pdf_action_removal(type);

	if (removal == PDF_SILENT)
		removal = REMOVED_ACTION;
	pdf_removed(w, removal, "action",
	    removal == REMOVED_SCRIPT ? syntax_get(action, "JS")
				      : (struct bytes){ 0 });
}

bool
pdf_action(struct pdf_walk *w, struct bytes action, enum pdf_role role)
{
	struct buf room;
	struct bytes type = pdf_value_of(w, action, "S", &room);
	bool opens = role == PDF_OPENING;
	bool kept = false;

	if (syntax_get(action, "Next").n > 0)
		pdf_removed(
		    w, REMOVED_ACTION, "action: Next", (struct bytes){ 0 });
	if (syntax_is(type, BYTES("GoTo")) || type.n == 0)
		kept = go_to(w, action);
	else if (syntax_is(type, BYTES("Named")) && !opens)
		kept = named(w, action);
	else if (syntax_is(type, BYTES("URI")) && !opens)
		kept = web_link(w, action);
	else
		leave_out(w, action, type);
	buf_release(&room);
	return kept;
}

/* A dictionary with a place in it (12.3.2.3). */
bool
pdf_place(struct pdf_walk *w, struct bytes place)
{
	struct bytes inner = syntax_get(place, "D");
	size_t before = w->object.n;

	pdf_put_string(w, "<</D ");
	if (syntax_next(&inner) != SYNTAX_DICTIONARY &&
	    pdf_emit(w, PDF_PLACE, &inner)) {
		pdf_put_string(w, ">>");
		return true;
	}
	w->object.n = before;
	return false;
}
