/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/answer/handover.h"

#include <stdio.h>
#include <time.h>

#include "proxy/answer/page.h"

enum {
	JA,
	EN,
	LANGUAGES,
};

static const struct {
	unsigned status;
	enum page_tone tone;
	const char *title[LANGUAGES], *lead[LANGUAGES];
} kinds[PAGE_HANDOVER_KINDS] = {
	[PAGE_HANDOVER_NONE] = { 404, PAGE_TROUBLE,
	    { "ファイルが見つかりません", "There is no such file" },
	    { "番号かアドレスが違う、期限が過ぎた、または取り下げられたファイル"
	      "です。この端末の団体と区域で受け取れるものだけを表示します。",
		"The number or address is wrong, its time is over, or it was"
		" withdrawn. Only what this terminal's body and zone may fetch"
		" is shown." } },
	[PAGE_HANDOVER_BUSY] = { 429, PAGE_TROUBLE,
	    { "しばらく待ってください", "Please wait" },
	    { "違う番号の入力が続きました。10 分ほど待ってから、番号を確かめて"
	      "入力してください。",
		"Too many numbers were wrong. Wait for ten minutes, check the"
		" number and type it again." } },
	[PAGE_HANDOVER_FAILED] = { 503, PAGE_TROUBLE,
	    { "今は受け渡せません", "It cannot be handed over now" },
	    { "何も渡していません。少し待って、もう一度お試しください。",
		"Nothing was handed over. Please try again in a moment." } },
	[PAGE_HANDOVER_REFUSED] = { 403, PAGE_REFUSED,
	    { "渡せないファイルがあります", "A file cannot be handed over" },
	    { "一つも渡していません。下のファイルを除くか、別の形式にして、もう"
	      "一度渡してください。",
		"Nothing was handed over. Leave out the files below, or bring"
		" them in another format, and try again." } },
	[PAGE_HANDOVER_WRONG] = { 400, PAGE_TROUBLE,
	    { "入力を確かめてください", "Please check the form" }, { "", "" } },
	[PAGE_HANDOVER_HOME] = { 200, PAGE_PLAIN,
	    { "ファイルの受け渡し", "Hand files over" },
	    { "USB メモリーを使わずに、別の区域へファイルを渡します。ファイルは"
	      "無害化され、受け渡しはすべて記録されます。",
		"Files go to another zone without a USB stick. They are made"
		" harmless on the way, and every crossing is recorded." } },
	[PAGE_HANDOVER_GIVEN] = { 200, PAGE_PLAIN,
	    { "お預かりしました", "Your files are kept for you" },
	    { "受付番号かアドレスを、受け取る人に伝えてください。",
		"Tell the number or the address to who fetches them." } },
	[PAGE_HANDOVER_APPROVED] = { 200, PAGE_PLAIN,
	    { "承認しました", "Approved" },
	    { "受け取る人は受付番号で受け取れます。フォルダーで受け取る経路で"
	      "は、まもなく届きます。",
		"It can be fetched by its number; where a folder takes it, it"
		" arrives soon." } },
	[PAGE_HANDOVER_DECLINED] = { 200, PAGE_PLAIN,
	    { "取り下げました", "Declined" },
	    { "ファイルは削除しました。", "The files were deleted." } },
	[PAGE_HANDOVER_LOT] = { 200, PAGE_PLAIN,
	    { "お預かりしているファイル", "Files that are kept here" },
	    { "", "" } },
};

static const char *const wrongs[HANDOVER_WRONGS][LANGUAGES] = {
	[HANDOVER_WRONG_FORM] = { "送られた内容を読み取れませんでした。",
	    "What was sent could not be read." },
	[HANDOVER_WRONG_TICKET] = { "画面を開いてから時間がたっています。もう一"
				    "度選んで渡してください。",
	    "The page was open for too long. Please choose the files again." },
	[HANDOVER_WRONG_WAY] = { "渡す先を選んでください。",
	    "Choose where they go." },
	[HANDOVER_WRONG_GIVER] = { "渡す人の所属と氏名を書いてください。",
	    "Write your section and name." },
	[HANDOVER_WRONG_FILES] = { "ファイルを選んでください。",
	    "Choose a file." },
	[HANDOVER_WRONG_COUNT] = { "ファイルが多すぎます。分けて渡してください"
				   "。",
	    "There are too many files. Hand them over in parts." },
	[HANDOVER_WRONG_SIZE] = { "ファイルの合計が大きすぎます。分けて渡してく"
				  "ださい。",
	    "The files are too large together. Hand them over in parts." },
	[HANDOVER_WRONG_APPROVER] = { "承認する人の氏名を書いてください。",
	    "Write the name of who approves." },
};

static const char *const states[HANDOVER_STATES][LANGUAGES] = {
	[HANDOVER_UNKNOWN] = { "", "" },
	[HANDOVER_WAITS] = { "承認待ち（二人目の人の承認後に受け取れます）",
	    "waits for the approval of a second person" },
	[HANDOVER_READY] = { "受け取れます", "ready to be fetched" },
	[HANDOVER_DONE] = { "受け取り済み（期限までは再び受け取れます）",
	    "was fetched; may be fetched again until its time is over" },
	[HANDOVER_BUSY] = { "", "" },
};

static const struct {
	const char *give, *to, *files, *giver, *note, *button, *approval,
	    *fetch, *number, *fetch_button, *until, *state, *address, *from,
	    *removed, *nothing, *contact, *home, *no_way, *folder, *given,
	    *has_numbers, *waiting, *none_waits, *approver, *approve, *decline;
} labels[LANGUAGES] = {
	[JA] = { .give = "渡す",
	    .to = "渡す先",
	    .files = "ファイル（複数選べます）",
	    .giver = "渡す人の所属・氏名",
	    .note = "受け取る人への伝言（なくてもかまいません）",
	    .button = "無害化して渡す",
	    .approval = "承認が必要です。",
	    .fetch = "受け取る",
	    .number = "受付番号（10 桁）",
	    .fetch_button = "ファイルを表示",
	    .until = "期限",
	    .state = "状態",
	    .address = "受け取り用アドレス",
	    .from = "渡した人（本人の申告）",
	    .removed = "除いたもの",
	    .nothing = "除いたものはありません",
	    .contact = "問い合わせ先",
	    .home = "受け渡しの画面へ",
	    .no_way = "この端末の区域から渡せる先、受け取れるものはありません。"
		      "必要なときは下記へお問い合わせください。",
	    .folder = "受け取り側のフォルダーに届きます",
	    .given = "受付日時",
	    .has_numbers = "外へ出してはならない情報が含まれています",
	    .waiting = "承認を待っているもの",
	    .none_waits = "承認を待っているものはありません。",
	    .approver = "承認する人の氏名",
	    .approve = "承認する",
	    .decline = "承認しない（削除する）" },
	[EN] = { .give = "Hand over",
	    .to = "To",
	    .files = "Files (several may be chosen)",
	    .giver = "Your section and name",
	    .note = "A note for who fetches them (optional)",
	    .button = "Make harmless and hand over",
	    .approval = "Needs approval.",
	    .fetch = "Fetch",
	    .number = "Number (10 digits)",
	    .fetch_button = "Show the files",
	    .until = "Until",
	    .state = "State",
	    .address = "Address to fetch from",
	    .from = "From (by their own words)",
	    .removed = "Removed",
	    .nothing = "nothing was removed",
	    .contact = "Contact",
	    .home = "To the hand-over page",
	    .no_way = "From this terminal's zone nothing can be handed over or"
		      " fetched. If you need it, ask the contact below.",
	    .folder = "it arrives in a folder of the other zone",
	    .given = "Received",
	    .has_numbers = "it has what must not leave",
	    .waiting = "Waits for your approval",
	    .none_waits = "Nothing waits for your approval.",
	    .approver = "Your name",
	    .approve = "Approve",
	    .decline = "Do not approve (delete)" },
};

unsigned
answer_handover_status(const struct answer_handover *a)
{
	return kinds[a->kind].status;
}

/* Rows. */

static int
date_row(struct buf *out, const char *name, uint64_t seconds)
{
	time_t t = (time_t)seconds;
	char text[64];
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M %z", &tm);
	return page_row(out, name, bytes_of(text));
}

static int
put_removed(struct buf *out, struct bytes word, size_t l)
{
	struct bytes count = word;
	struct bytes kind = bytes_take_until(&count, ':');

	for (int k = 0; k < DETOX_REMOVAL_KINDS; k++)
		if (bytes_equal(kind, bytes_of(detox_removal_words[k].name)))
			return buf_printf(out, "%s × %.*s",
			    detox_removal_words[k].text[l],
			    BYTES_PRINTF(count));
	return page_text(out, word);
}

/* "macro:1 link:2" in the reader's words. */
static int
put_removals(struct buf *out, struct bytes removed, size_t l)
{
	bool first = true;

	if (removed.n == 0)
		return buf_append_string(out, labels[l].nothing);
	if (buf_printf(out, "%s: ", labels[l].removed) < 0)
		return -1;
	for (; removed.n > 0; first = false)
		if ((!first &&
			buf_append_string(out, l == JA ? "、" : ", ") < 0) ||
		    put_removed(out, bytes_take_until(&removed, ' '), l) < 0)
			return -1;
	return 0;
}

static int
put_size(struct buf *out, uint64_t bytes)
{
	double mib = (double)bytes / (1024 * 1024);

	return bytes < 1024
	    ? buf_printf(out, "%llu B", (unsigned long long)bytes)
	    : bytes < 1024 * 1024
	    ? buf_printf(out, "%llu KB", (unsigned long long)(bytes >> 10))
	    : buf_printf(out, mib < 10 ? "%.1f MB" : "%.0f MB", mib);
}

static int
put_file(struct buf *out, const struct answer_handover *a, size_t nth,
    bool link, size_t l)
{
	const struct slip_file *f = &a->slip->files[nth];

	if (buf_append_string(out, "<li>") < 0 ||
	    (link &&
		buf_printf(out, "<a class=\"file\" href=\"%s%zu\">", a->base,
		    nth) < 0) ||
	    page_text(out, f->name) < 0 ||
	    (link && buf_append_string(out, "</a>") < 0) ||
	    buf_append_string(out, " <small>") < 0 ||
	    put_size(out, f->bytes) < 0 || buf_append_string(out, "<br>") < 0 ||
	    put_removals(out, f->removed, l) < 0)
		return -1;
	return buf_append_string(out, "</small></li>\n");
}

static int
put_files(struct buf *out, const struct answer_handover *a, bool link, size_t l)
{
	if (buf_append_string(out, "<ul>\n") < 0)
		return -1;
	for (size_t i = 0; i < a->slip->files_n; i++)
		if (put_file(out, a, i, link, l) < 0)
			return -1;
	return buf_append_string(out, "</ul>\n");
}

static int
put_refused(struct buf *out, const struct answer_handover *a, size_t l)
{
	if (page_rows_begin(out) < 0)
		return -1;
	for (size_t i = 0; i < a->refused_n; i++) {
		const struct answer_handover_refused *r = &a->refused[i];

		if (buf_append_string(out, "<div><dt>") < 0 ||
		    page_text(out, r->name) < 0 ||
		    buf_printf(out, "</dt><dd>%s</dd></div>\n",
			r->refusal == REFUSED_NOT
			    ? labels[l].has_numbers
			    : detox_refusal_words[r->refusal].text[l]) < 0)
			return -1;
	}
	return page_rows_end(out);
}

static const struct handover_way *
way_of(const struct answer_handover *a)
{
	return handover_way(a->settings, a->slip->way);
}

static const char *
title_of(const struct handover_way *w, size_t l)
{
	const char *title = l == JA ? w->title_ja : w->title_en;

	return title[0] != '\0'      ? title
	    : w->title_ja[0] != '\0' ? w->title_ja
				     : w->to_name;
}

/* Over TLS where there is a way. */
static int
put_address(struct buf *out, const struct answer_handover *a, const char *label)
{
	const struct prefecture_settings *p = a->prefecture;
	bool tls = p->proxy_tls[0] != '\0';
	struct buf address;
	int result;

	buf_init(&address, 1024);
	result = buf_printf(&address, "%s://%s" HANDOVER_PATH "a/%s",
		     tls ? "https" : "http", tls ? p->proxy_tls : p->proxy,
		     a->token) < 0
	    ? -1
	    : page_row(out, label, buf_bytes(&address));
	buf_release(&address);
	return result;
}

static int
put_number(struct buf *out, const struct answer_handover *a, size_t l)
{
	return buf_printf(out,
	    "<div><dt>%s</dt><dd class=\"number\">%s</dd></div>\n",
	    l == JA ? "受付番号" : "Number", a->number);
}

static int
write_lot(struct buf *out, const struct answer_handover *a, size_t l)
{
	const struct handover_way *w = way_of(a);
	bool given = a->kind == PAGE_HANDOVER_GIVEN;
	bool folder = w != NULL && w->out[0] != '\0';
	bool link = a->takes && !folder &&
	    (a->state == HANDOVER_READY || a->state == HANDOVER_DONE);

	if (page_rows_begin(out) < 0 || put_number(out, a, l) < 0 ||
	    (given && !folder && put_address(out, a, labels[l].address) < 0) ||
	    page_row(out, labels[l].state, bytes_of(states[a->state][l])) < 0 ||
	    (w != NULL &&
		page_row(out, labels[l].to, bytes_of(title_of(w, l))) < 0) ||
	    (folder && page_row(out, "", bytes_of(labels[l].folder)) < 0) ||
	    page_row(out, labels[l].from, a->slip->giver) < 0 ||
	    page_row(out, l == JA ? "伝言" : "Note", a->slip->note) < 0 ||
	    date_row(out, labels[l].given, a->slip->given) < 0 ||
	    date_row(out, labels[l].until, a->slip->until) < 0 ||
	    page_rows_end(out) < 0)
		return -1;
	return put_files(out, a, link, l);
}

/* The forms. */

static bool
may_give(const struct answer_handover *a, const struct handover_way *w)
{
	return handover_way_has_page(w) && w->from == a->zone &&
	    handover_way_is_of(w, a->body) &&
	    handover_way_is_open(w, time(NULL));
}

static bool
may_take(const struct answer_handover *a, const struct handover_way *w)
{
	return w->to == a->zone && w->out[0] == '\0' &&
	    handover_way_is_of(w, a->body);
}

static int
put_limits(struct buf *out, const struct handover_way *w, size_t l)
{
	bool ja = l == JA;

	if (buf_printf(out, ja ? "%u 個、合計 " : "Up to %u files, ",
		w->files_max) < 0 ||
	    put_size(out, w->size_max) < 0)
		return -1;
	return buf_printf(out,
	    ja ? " まで。%u 日間受け取れます。"
	       : " together; kept for %u days.",
	    w->keep_days);
}

static int
put_way(struct buf *out, const struct handover_way *w, bool chosen, size_t l)
{
	if (buf_printf(out,
		"<label class=\"way\"><input type=\"radio\" name=\"way\""
		" value=\"%s\" required%s> ",
		w->name, chosen ? " checked" : "") < 0 ||
	    page_text(out, bytes_of(title_of(w, l))) < 0 ||
	    buf_append_string(out, "<br><small>") < 0 ||
	    put_limits(out, w, l) < 0)
		return -1;
	return buf_printf(out, " %s</small></label>\n",
	    w->approves == HANDOVER_OTHER ? labels[l].approval : "");
}

static int
write_give(struct buf *out, const struct answer_handover *a, size_t l)
{
	size_t ways = 0;

	for (size_t i = 0; i < a->settings->ways_n; i++)
		ways += may_give(a, &a->settings->ways[i]);
	if (ways == 0)
		return 0;
	if (buf_printf(out,
		"<h2 id=\"give\">%s</h2>\n<form method=\"post\""
		" enctype=\"multipart/form-data\" action=\"" HANDOVER_PATH
		"\">\n<input type=\"hidden\" name=\"ticket\" value=\"%s\">\n"
		"<fieldset><legend>%s</legend>\n",
		labels[l].give, a->ticket, labels[l].to) < 0)
		return -1;
	for (size_t i = 0; i < a->settings->ways_n; i++)
		if (may_give(a, &a->settings->ways[i]) &&
		    put_way(out, &a->settings->ways[i], ways == 1, l) < 0)
			return -1;
	return buf_printf(out,
	    "</fieldset>\n<p><label for=\"files\">%s</label>"
	    "<input class=\"wide\" type=\"file\" id=\"files\" name=\"files\""
	    " multiple required></p>\n<p><label for=\"giver\">%s</label>"
	    "<input class=\"wide\" type=\"text\" id=\"giver\" name=\"giver\""
	    " maxlength=\"40\" required></p>\n<p><label for=\"note\">%s"
	    "</label><textarea id=\"note\" name=\"note\" rows=\"2\""
	    " maxlength=\"160\"></textarea></p>\n<p><button>%s</button></p>"
	    "</form>\n",
	    labels[l].files, labels[l].giver, labels[l].note, labels[l].button);
}

static int
write_take(struct buf *out, const struct answer_handover *a, size_t l)
{
	size_t ways = 0;

	for (size_t i = 0; i < a->settings->ways_n; i++)
		ways += may_take(a, &a->settings->ways[i]);
	if (ways == 0)
		return 0;
	return buf_printf(out,
	    "<h2 id=\"fetch\">%s</h2>\n<form method=\"get\" "
	    "action=\"" HANDOVER_PATH
	    "find\">\n<p><label for=\"number\">%s</label>"
	    "<input class=\"wide\" type=\"text\" id=\"number\" name=\"number\""
	    " inputmode=\"numeric\" autocomplete=\"off\" maxlength=\"20\""
	    " placeholder=\"12345-67890\" required></p>\n<p><button>%s"
	    "</button></p></form>\n",
	    labels[l].fetch, labels[l].number, labels[l].fetch_button);
}

static int
put_waiting(struct buf *out, const struct answer_handover *a,
    const struct answer_handover_lot *lot, size_t l)
{
	struct answer_handover one = *a;
	const struct handover_way *w;

	one.slip = &lot->slip;
	one.number = lot->number;
	w = way_of(&one);
	if (page_rows_begin(out) < 0 || put_number(out, &one, l) < 0 ||
	    (w != NULL &&
		page_row(out, labels[l].to, bytes_of(title_of(w, l))) < 0) ||
	    page_row(out, labels[l].from, lot->slip.giver) < 0 ||
	    page_row(out, l == JA ? "伝言" : "Note", lot->slip.note) < 0 ||
	    date_row(out, labels[l].given, lot->slip.given) < 0 ||
	    page_rows_end(out) < 0 || put_files(out, &one, false, l) < 0)
		return -1;
	return buf_printf(out,
	    "<form method=\"post\" action=\"" HANDOVER_PATH "approve\">\n"
	    "<input type=\"hidden\" name=\"ticket\" value=\"%s\">"
	    "<input type=\"hidden\" name=\"number\" value=\"%s\">"
	    "<p><label for=\"by-%s\">%s</label><input class=\"wide\""
	    " type=\"text\" id=\"by-%s\" name=\"name\" maxlength=\"12\""
	    " required></p>\n<p><button name=\"verdict\" value=\"approve\">"
	    "%s</button> <button class=\"no\" name=\"verdict\""
	    " value=\"decline\">%s</button></p></form>\n",
	    a->ticket, lot->number, lot->number, labels[l].approver,
	    lot->number, labels[l].approve, labels[l].decline);
}

static int
write_waiting(struct buf *out, const struct answer_handover *a, size_t l)
{
	if (!a->approves)
		return 0;
	if (buf_printf(out, "<h2 id=\"waiting\">%s</h2>\n", labels[l].waiting) <
	    0)
		return -1;
	if (a->lots_n == 0)
		return page_paragraph(out, bytes_of(labels[l].none_waits));
	for (size_t i = 0; i < a->lots_n; i++)
		if (put_waiting(out, a, &a->lots[i], l) < 0)
			return -1;
	return 0;
}

static int
write_home(struct buf *out, const struct answer_handover *a, size_t l)
{
	size_t before = out->n;

	if (write_waiting(out, a, l) < 0 || write_take(out, a, l) < 0 ||
	    write_give(out, a, l) < 0)
		return -1;
	return out->n > before
	    ? 0
	    : page_paragraph(out, bytes_of(labels[l].no_way));
}

static int
write_contact(struct buf *out, const struct answer_handover *a, size_t l)
{
	const char *own = a->body->contact;

	return page_rows_begin(out) < 0 ||
		page_row(out, labels[l].contact,
		    bytes_of(own != NULL && own[0] != '\0'
			    ? own
			    : a->prefecture->contact)) < 0
	    ? -1
	    : page_rows_end(out);
}

static int
write_content(struct buf *out, const struct answer_handover *a, size_t l)
{
	switch (a->kind) {
	case PAGE_HANDOVER_WRONG:
		return page_paragraph(out, bytes_of(wrongs[a->wrong][l])) < 0
		    ? -1
		    : write_home(out, a, l);
	case PAGE_HANDOVER_HOME:
		return write_home(out, a, l);
	case PAGE_HANDOVER_GIVEN:
	case PAGE_HANDOVER_LOT:
		return write_lot(out, a, l);
	case PAGE_HANDOVER_REFUSED:
		return put_refused(out, a, l);
	case PAGE_HANDOVER_APPROVED:
	case PAGE_HANDOVER_DECLINED:
	case PAGE_HANDOVER_FAILED:
	case PAGE_HANDOVER_BUSY:
	case PAGE_HANDOVER_NONE:
	case PAGE_HANDOVER_KINDS:
		break;
	}
	return 0;
}

int
answer_handover_page(const struct answer_handover *a, struct buf *out)
{
	const char *language = answer_language(a->accept_language);
	size_t l = strcmp(language, "ja") == 0 ? JA : EN;
	struct bytes owner =
	    bytes_of(l == JA ? a->prefecture->name_ja : a->prefecture->name_en);
	const char *lead = kinds[a->kind].lead[l];
	bool home =
	    a->kind == PAGE_HANDOVER_HOME || a->kind == PAGE_HANDOVER_WRONG;

	if (page_begin(out, language, kinds[a->kind].tone,
		kinds[a->kind].title[l], owner) < 0 ||
	    (lead[0] != '\0' && page_paragraph(out, bytes_of(lead)) < 0) ||
	    write_content(out, a, l) < 0 ||
	    (!home &&
		page_link(out, BYTES(HANDOVER_PATH), labels[l].home) < 0) ||
	    write_contact(out, a, l) < 0)
		return -1;
	return page_end(out, owner);
}
