/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/answer/unlock.h"

#include <stdio.h>
#include <time.h>

#include "proxy/answer/page.h"

enum {
	JA,
	EN,
	LANGUAGES,
};

#define ASK_JA "ご不明の点は下記へお問い合わせください。"
#define ASK_EN "If in doubt, ask the contact below."

static const struct {
	unsigned status;
	enum page_tone tone;
	bool asks;
	const char *title[LANGUAGES], *lead[LANGUAGES];
} states[UNLOCK_STATES] = {
	[UNLOCK_UNKNOWN] = { 404, PAGE_TROUBLE, false,
	    { "メールが見つかりません", "There is no such mail" },
	    { "アドレスが正しくないか、メールはもう届けられました。" ASK_JA,
		"The address is wrong, or the mail was delivered."
		" " ASK_EN } },
	[UNLOCK_WAITS] = { 200, PAGE_PLAIN, true,
	    { "添付ファイルのパスワードを入力してください",
		"Type the password of the attachment" },
	    { "下のメールを預かっています。パスワードを入力すると、無害化して届"
	      "けます。知らない差出人のときは入力しないでください。",
		"This mail is kept for you. With its password it is made"
		" harmless and delivered. If you do not know the sender, do not"
		" type it." } },
	[UNLOCK_WRONG] = { 200, PAGE_TROUBLE, true,
	    { "パスワードが違います", "That was not the password" },
	    { "入力したパスワードでは開けないファイルがあります。確かめて、もう"
	      "一度入力してください。ファイルごとに違うときは、続けて入力してく"
	      "ださい。",
		"A file did not open with it. Check it and type it again. Where"
		" files have several, type one after the other." } },
	[UNLOCK_OPENED] = { 200, PAGE_PLAIN, false,
	    { "メールを届けます", "The mail is delivered" },
	    { "ファイルを開いて無害化しました。まもなくメールが届きます。",
		"The file was opened and made harmless. The mail arrives"
		" soon." } },
	[UNLOCK_SOON] = { 503, PAGE_TROUBLE, true,
	    { "少し待ってから入力してください", "Please wait a little" },
	    { "続けて誤ったか、混み合っています。入力は試していません。",
		"There were wrong passwords, or there is too much to do now. It"
		" was not tried." } },
	[UNLOCK_EXPIRED] = { 410, PAGE_TROUBLE, false,
	    { "期限が過ぎました", "Its time is over" },
	    { "パスワードを入力できる期限を過ぎました。必要なときは下記へお問い"
	      "合わせください。",
		"The password was not typed in time. If you need the mail, ask"
		" the contact below." } },
	[UNLOCK_USED_UP] = { 403, PAGE_REFUSED, false,
	    { "これ以上は入力できません", "No more passwords are taken" },
	    { "誤りが決められた回数に達しました。必要なときは下記へお問い合わせ"
	      "ください。",
		"Too many were wrong. If you need the mail, ask the contact"
		" below." } },
	[UNLOCK_HARMFUL] = { 403, PAGE_REFUSED, false,
	    { "無害化できません", "It cannot be made harmless" },
	    { "ファイルは開けましたが、安全な形に作り直せないため届けません。必"
	      "要なときは下記へお問い合わせください。",
		"It was opened, but no safe form of it could be made. If you"
		" need the mail, ask the contact below." } },
};

static const struct {
	const char *from, *subject, *date, *files, *until, *tries, *wait,
	    *contact, *password, *button;
} labels[LANGUAGES] = {
	[JA] = { "差出人", "件名", "日時", "ファイル", "期限", "残りの回数",
	    "待ち時間（秒）", "問い合わせ先", "パスワード", "開いて受け取る" },
	[EN] = { "From", "Subject", "Date", "Files", "Until", "Tries left",
	    "Wait (seconds)", "Contact", "Password", "Open and deliver" },
};

unsigned
answer_unlock_status(const struct unlock_answer *a)
{
	return states[a->state].status;
}

static int
date_row(struct buf *out, const char *name, uint64_t seconds)
{
	time_t t = (time_t)seconds;
	char text[64];
	struct tm tm;

	if (seconds == 0)
		return 0;
	localtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M %z", &tm);
	return page_row(out, name, bytes_of(text));
}

static int
number_row(struct buf *out, const char *name, uint32_t n, bool shown)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	return shown ? page_row(out, name, bytes_of(text)) : 0;
}

static int
file_rows(struct buf *out, const char *name, struct bytes files)
{
	for (; files.n > 0; name = "")
		if (page_row(out, name, bytes_take_until(&files, '\n')) < 0)
			return -1;
	return 0;
}

static int
write_rows(struct buf *out, const struct prefecture_settings *p,
    const struct body *body, const struct unlock_answer *a, size_t l)
{
	bool own =
	    body != NULL && body->contact != NULL && body->contact[0] != '\0';

	return page_rows_begin(out) < 0 ||
		page_row(out, labels[l].from, a->sender) < 0 ||
		page_row(out, labels[l].subject, a->subject) < 0 ||
		date_row(out, labels[l].date, a->arrived) < 0 ||
		file_rows(out, labels[l].files, a->files) < 0 ||
		date_row(out, labels[l].until, a->until) < 0 ||
		number_row(out, labels[l].tries, a->tries,
		    states[a->state].asks && a->until > 0) < 0 ||
		number_row(out, labels[l].wait, a->seconds,
		    a->state == UNLOCK_SOON) < 0 ||
		page_row(out, labels[l].contact,
		    bytes_of(own ? body->contact : p->contact)) < 0
	    ? -1
	    : page_rows_end(out);
}

static int
write_form(struct buf *out, const char *token, size_t l)
{
	char action[sizeof(UNLOCK_PATH) + UNLOCK_TOKEN_HEX];

	snprintf(action, sizeof(action), UNLOCK_PATH "%s", token);
	return page_form_begin(out, action) < 0 ||
		page_form_secret(out, "password", labels[l].password) < 0
	    ? -1
	    : page_form_end(out, labels[l].button);
}

int
answer_unlock_page(const struct prefecture_settings *p, const struct body *body,
    struct bytes accept_language, const char *token,
    const struct unlock_answer *a, struct buf *out)
{
	const char *language = answer_language(accept_language);
	size_t l = strcmp(language, "ja") == 0 ? JA : EN;
	struct bytes owner = bytes_of(l == JA ? p->name_ja : p->name_en);

	if (page_begin(out, language, states[a->state].tone,
		states[a->state].title[l], owner) < 0 ||
	    page_paragraph(out, bytes_of(states[a->state].lead[l])) < 0 ||
	    write_rows(out, p, body, a, l) < 0)
		return -1;
	if (states[a->state].asks && write_form(out, token, l) < 0)
		return -1;
	return page_end(out, owner);
}
