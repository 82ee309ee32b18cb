/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/answer/answer.h"

#include <string.h>

#include "proxy/answer/page.h"
#include "proxy/base/log.h"

const struct setting prefecture_table[] = {
	SETTING_TEXT_ROW(prefecture_settings, code, NULL, BODY_CODE_N,
	    BODY_CODE_N,
	    "The prefecture's 6-digit local government code, check digit"
	    " included.",
	    "都道府県の全国地方公共団体コード（検査数字を含む 6 桁）。"),
	SETTING_TEXT_ROW(prefecture_settings, name_ja, NULL, 1, 128,
	    "Its name in Japanese, for pages.", "画面に出す日本語名。"),
	SETTING_TEXT_ROW(prefecture_settings, name_en, NULL, 1, 128,
	    "Its name in English, for pages.", "画面に出す英語名。"),
	SETTING_TEXT_ROW(prefecture_settings, contact, NULL, 1, 256,
	    "Whom users ask when their body names nobody.",
	    "構成団体に問い合わせ先がないときの問い合わせ先。"),
	SETTING_TEXT_ROW(prefecture_settings, proxy, NULL, 3, 261,
	    "The proxy's name and port as browsers reach it, for PAC files.",
	    "ブラウザーから見たプロキシの名前とポート（PAC ファイル用）。"),
	SETTING_TEXT_ROW(prefecture_settings, proxy_tls, "", 0, 261,
	    "The same of a listener with TLS; PAC files then name it first,"
	    " for browsers that can. Empty: they do not.",
	    "TLS を使う待ち受けの名前とポート。あれば PAC ファイルは対応"
	    "ブラウザーのためこれを先に挙げる。空なら挙げない。"),
};
const size_t prefecture_table_n = COUNT(prefecture_table);

#define FOUND_MAX 40 /* things that a page lists */

enum language {
	JA,
	EN,
	LANGUAGES,
};

static const char *const language_tags[LANGUAGES] = { "ja", "en" };

/* What is said of each kind. */
static const struct kind {
	unsigned status;
	enum page_tone tone;
	const char *title[LANGUAGES];
	const char *lead[LANGUAGES];
	const char *advice[LANGUAGES];
} kinds[ANSWER_KINDS] = {
	[ANSWER_BLOCKED] = { 403, PAGE_REFUSED,
	    { "このページは閲覧できません", "This page is blocked" },
	    { "セキュリティ方針により、この宛先への通信を止めました。",
		"The security policy stopped this request." },
	    { "業務に必要なときは、受付番号を添えて下記へお問い合わせください"
	      "。",
		"If you need it for your work, ask the contact below and give"
		" the event number." } },
	[ANSWER_WARNED] = { 403, PAGE_TROUBLE,
	    { "開く前に確かめてください", "Think before you go on" },
	    { "セキュリティ方針により、この宛先には注意が必要です。",
		"The security policy asks for care with this destination." },
	    { "業務に必要なら、理由を書いて先へ進めます。理由は記録されます。",
		"If you need it for your work, say why and go on. The reason is"
		" recorded." } },
	[ANSWER_GOES_ON] = { 200, PAGE_PLAIN, { "先へ進みます", "Going on" },
	    { "宛先のページを開いています。", "The page is being opened." },
	    { "開かないときは、宛先のアドレスをもう一度開いてください。",
		"If nothing happens, open its address again." } },
	[ANSWER_ASKED] = { 200, PAGE_PLAIN,
	    { "解除を申請しました", "The release was asked for" },
	    { "申請と理由を記録しました。管理者が承認すると利用できます。",
		"The request and its reason are recorded. It will be open when"
		" an administrator approves." },
	    { "急ぐときは、受付番号を添えて下記へお知らせください。",
		"If it is urgent, tell the contact below the event number." } },
	[ANSWER_UNKNOWN_SOURCE] = { 403, PAGE_REFUSED,
	    { "この端末からは利用できません",
		"This computer may not use the proxy" },
	    { "接続元のネットワークが登録されていません。",
		"The network it is connected to is not registered." },
	    { "接続先のネットワークを確かめ、受付番号を添えて下記へお問い合"
	      "わせください。",
		"Check which network the computer is connected to, then ask"
		" the contact below and give the event number." } },
	[ANSWER_BAD_REQUEST] = { 400, PAGE_TROUBLE,
	    { "要求を受け付けられません", "The request was not accepted" },
	    { "ブラウザーまたはアプリから届いた要求の形式が正しくないため、宛"
	      "先へ送りませんでした。",
		"What the browser or program sent is not a valid request. It"
		" was not passed on." },
	    { "同じ画面が続くときは、受付番号を添えて下記へお問い合わせくださ"
	      "い。",
		"If this happens again, ask the contact below and give the"
		" event number." } },
	[ANSWER_MISDIRECTED] = { 421, PAGE_REFUSED,
	    { "宛先の名前が一致しません", "The names do not agree" },
	    { "接続の宛先と要求の宛先が異なるため、通信を止めました。",
		"The request names another destination than its connection." },
	    { "ブラウザーを開き直しても同じときは、受付番号を添えて下記へお問"
	      "い合わせください。",
		"If it happens again in a fresh browser, ask the contact below"
		" and give the event number." } },
	[ANSWER_UNVERIFIED] = { 502, PAGE_REFUSED,
	    { "宛先の証明書を確認できません",
		"The site's certificate could not be verified" },
	    { "本物のサイトと確認できないため、接続しませんでした。入力した情"
	      "報は送られていません。",
		"It is not certain that this is the real site. Nothing was"
		" sent to it." },
	    { "サイトの運営者側の問題であることがほとんどです。業務に必要なと"
	      "きは、受付番号を添えて下記へお問い合わせください。",
		"The cause is most often at the site itself. If you need it"
		" for your work, ask the contact below and give the event"
		" number." } },
	[ANSWER_NO_ADDRESS] = { 502, PAGE_TROUBLE,
	    { "宛先が見つかりません", "The site was not found" },
	    { "この名前のサイトは見つかりませんでした。",
		"There is no address for this name." },
	    { "入力した名前に誤りがないか確かめてください。",
		"Check that the name was typed correctly." } },
	[ANSWER_FORBIDDEN_ADDRESS] = { 403, PAGE_REFUSED,
	    { "この宛先へは接続できません", "This destination is not allowed" },
	    { "宛先のアドレスが、外部との通信に使えないネットワークのものです"
	      "。",
		"Its address belongs to a network that may not be reached from"
		" here." },
	    { "業務に必要なときは、受付番号を添えて下記へお問い合わせください"
	      "。",
		"If you need it for your work, ask the contact below and give"
		" the event number." } },
	[ANSWER_UNREACHABLE] = { 502, PAGE_TROUBLE,
	    { "宛先に接続できません", "The site could not be reached" },
	    { "宛先のサーバーが接続を受け付けませんでした。",
		"Its server did not accept the connection." },
	    { "しばらくしてからもう一度お試しください。",
		"Try again in a while." } },
	[ANSWER_TIMEOUT] = { 504, PAGE_TROUBLE,
	    { "宛先から応答がありません", "The site did not answer" },
	    { "決められた時間内に宛先のサーバーから応答がありませんでした。",
		"Its server did not answer in time." },
	    { "しばらくしてからもう一度お試しください。",
		"Try again in a while." } },
	[ANSWER_HARMFUL] = { 403, PAGE_REFUSED,
	    { "このファイルは無害化できません",
		"This file cannot be made harmless" },
	    { "ファイルを安全な形に作り直せないため、お渡ししませんでした。",
		"No safe form of the file could be made. It was not passed"
		" on." },
	    { "業務に必要なときは、送り主に別の形式を頼むか、受付番号を添えて"
	      "下記へお問い合わせください。",
		"If you need it for your work, ask its sender for another"
		" format, or ask the contact below and give the event"
		" number." } },
	[ANSWER_WAITS] = { 200, PAGE_PLAIN,
	    { "ファイルを無害化しています", "The file is being made harmless" },
	    { "終わると自動的に受け取りが始まります。この画面を開いたままお待ち"
	      "ください。",
		"It arrives by itself when this is done. Please keep this page"
		" open." },
	    { "大きなファイルでは数分かかることがあります。",
		"A large file may take some minutes." } },
	[ANSWER_READY] = { 200, PAGE_PLAIN,
	    { "無害化が終わりました", "The file is ready" },
	    { "ファイルの受け取りが始まります。", "It is on its way to you." },
	    { "始まらないときは、下のリンクを開いてください。",
		"If nothing happens, open the link below." } },
	[ANSWER_GONE] = { 404, PAGE_TROUBLE,
	    { "ファイルはもうありません", "The file is no longer here" },
	    { "受け取れる時間を過ぎたか、関所が再起動しました。",
		"Its time is over, or the checkpoint was restarted." },
	    { "元のページからもう一度ダウンロードしてください。",
		"Please download it again from where it was." } },
	[ANSWER_BUSY] = { 503, PAGE_TROUBLE,
	    { "ただいま混み合っています", "There is too much to do now" },
	    { "検査を待つデータが多いため、お通しできませんでした。",
		"Too much waits to be looked into, so this was not passed "
		"on." },
	    { "しばらくしてからもう一度お試しください。",
		"Try again in a while." } },
	[ANSWER_BAD_ANSWER] = { 502, PAGE_TROUBLE,
	    { "宛先の応答が正しくありません",
		"The site's answer is not valid" },
	    { "宛先のサーバーの応答を安全に解釈できないため、お渡ししませんで"
	      "した。",
		"What its server sent cannot be read safely. It was not passed"
		" on." },
	    { "しばらくしても同じときは、受付番号を添えて下記へお問い合わせく"
	      "ださい。",
		"If this lasts, ask the contact below and give the event"
		" number." } },
};

/* For what was being sent; nothing of it left. */
static const struct kind not_sent = { 403, PAGE_REFUSED,
	{ "送信できません", "This was not sent" },
	{ "外へ送れない情報が含まれているため、送信を止めました。宛先には何も"
	  "送られていません。",
	    "It holds what may not leave. Nothing was sent to the"
	    " destination." },
	{ "業務に必要なときは、受付番号を添えて下記へお問い合わせください。",
	    "If you need it for your work, ask the contact below and give the"
	    " event number." } };
static const struct kind sending_warned = { 403, PAGE_TROUBLE,
	{ "送信する前に確かめてください", "Please think before you send this" },
	{ "送信しようとした内容に、注意が必要な情報が含まれています。まだ宛先"
	  "には送られていません。",
	    "It holds what should be sent with care. Nothing was sent to the"
	    " destination yet." },
	{ "業務に必要なら、理由を書いて先へ進み、もう一度送信してください。理由"
	  "は記録されます。",
	    "If you need it for your work, say why, go on, and send it again."
	    " The reason is recorded." } };

static const struct kind *
kind_of(const struct answer *a)
{
	if (a->sending && a->kind == ANSWER_BLOCKED)
		return &not_sent;
	if (a->sending && a->kind == ANSWER_WARNED)
		return &sending_warned;
	return &kinds[a->kind];
}

static const struct {
	const char *destination, *reason, *category, *rule, *detail, *id,
	    *contact, *found, *open, *your_reason, *go_on, *why_needed,
	    *release, *ask;
} labels[LANGUAGES] = {
	[JA] = { "宛先", "理由", "分類", "規則", "詳細", "受付番号",
	    "問い合わせ先", "見つかったもの", "ファイルを受け取る",
	    "先へ進む理由", "理由を記録して先へ進む", "業務に必要な理由",
	    "理由を記録して一時的に解除する", "理由を添えて解除を申請する" },
	[EN] = { "Destination", "Reason", "Category", "Rule", "Details",
	    "Event number", "Contact", "Found", "Get the file", "Why you go on",
	    "Record the reason and go on", "Why you need it for your work",
	    "Record the reason and release it for a time",
	    "Ask for its release with this reason" },
};

unsigned
answer_status(const struct answer *a)
{
	return a->status != 0 ? a->status : kind_of(a)->status;
}

/* "0.8" in thousandths (RFC 9110 section 12.4.2); what is no weight is 0. */
static unsigned
weight_of(struct bytes text)
{
	unsigned scale = 100, weight;

	if (text.n == 0 || text.n > 5 || (text.p[0] != '0' && text.p[0] != '1'))
		return 0;
	weight = (text.p[0] - '0') * 1000u;
	for (size_t i = 2; i < text.n; i++, scale /= 10) {
		if (text.p[1] != '.' || text.p[i] < '0' || text.p[i] > '9')
			return 0;
		weight += (text.p[i] - '0') * scale;
	}
	return weight > 1000 ? 1000 : weight;
}

static unsigned
range_weight(struct bytes parameters)
{
	struct bytes p;

	while (parameters.n > 0) {
		p = bytes_take_until(&parameters, ';');
		p = bytes_trim(p);
		if (bytes_start_with(p, BYTES("q=")) ||
		    bytes_start_with(p, BYTES("Q="))) {
			(void)bytes_take(&p, 2);
			return weight_of(p);
		}
	}
	return 1000;
}

/* Which of ours a range names: "ja", "en-US"; LANGUAGES: neither. */
static enum language
range_language(struct bytes range)
{
	struct bytes primary = bytes_take_until(&range, '-');

	for (size_t i = 0; i < LANGUAGES; i++)
		if (bytes_equal_nocase(primary, bytes_of(language_tags[i])))
			return (enum language)i;
	return LANGUAGES;
}

static enum language
choose_language(struct bytes field)
{
	enum language best = JA;
	unsigned best_weight = 0;

	while (field.n > 0) {
		struct bytes item = bytes_take_until(&field, ',');
		struct bytes range = bytes_trim(bytes_take_until(&item, ';'));
		enum language l = range_language(range);
		unsigned weight = range_weight(item);

		if (l == LANGUAGES || weight <= best_weight)
			continue;
		best = l;
		best_weight = weight;
	}
	return best;
}

const char *
answer_language(struct bytes accept_language)
{
	return language_tags[choose_language(accept_language)];
}

static const char *
in_language(enum language l, const char *ja, const char *en)
{
	return l == JA ? ja : en;
}

static struct bytes
owner_name(const struct prefecture_settings *p, const struct body *body,
    enum language l)
{
	return body == NULL
	    ? bytes_of(in_language(l, p->name_ja, p->name_en))
	    : bytes_of(in_language(l, body->name_ja, body->name_en));
}

static struct bytes
contact(const struct prefecture_settings *p, const struct body *body)
{
	bool own =
	    body != NULL && body->contact != NULL && body->contact[0] != '\0';

	return bytes_of(own ? body->contact : p->contact);
}

/* Words are by enum language of base, which has the same order. */
static int
write_refused(const struct answer *a, enum language l, struct buf *out)
{
	const struct detox_report *r = a->refused;
	char text[DETOX_WHERE_MAX + 128];

	if (r == NULL)
		return 0;
	snprintf(text, sizeof(text), "%s (%s%s%s)",
	    detox_refusal_words[r->refusal].text[l], magic_type_name(r->type),
	    r->why[0] != '\0' ? ": " : "", r->why);
	if (page_row(out, labels[l].detail, bytes_of(text)) < 0)
		return -1;
	for (size_t i = 0; i < r->rows_n && i < FOUND_MAX; i++) {
		const struct detox_row *row = &r->rows[i];

		snprintf(text, sizeof(text), "%s × %u%s%s",
		    detox_removal_words[row->what].text[l], row->count,
		    row->where[0] != '\0' ? ": " : "", row->where);
		if (page_row(
			out, i == 0 ? labels[l].found : "", bytes_of(text)) < 0)
			return -1;
	}
	return 0;
}

static int
write_rows(const struct answer *a, enum language l, struct buf *out)
{
	const struct {
		const char *name;
		struct bytes value;
	} rows[] = {
		{ labels[l].reason,
		    bytes_of(in_language(l, a->reason_ja, a->reason_en)) },
		{ labels[l].destination, a->destination },
		{ labels[l].category, bytes_of(a->category) },
		{ labels[l].rule, bytes_of(a->rule) },
		{ labels[l].detail,
		    bytes_of(a->refused != NULL ? NULL : a->detail) },
		{ labels[l].id, bytes_of(a->id) },
		{ labels[l].contact, contact(a->prefecture, a->body) },
	};

	if (page_rows_begin(out) < 0)
		return -1;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (page_row(out, rows[i].name, rows[i].value) < 0 ||
		    (i == 0 && write_refused(a, l, out) < 0))
			return -1;
	return page_rows_end(out);
}

static int
write_form(const struct answer *a, enum language l, struct buf *out)
{
	bool blocked = a->kind == ANSWER_BLOCKED;

	if (page_form_begin(out, a->form->action) < 0 ||
	    page_form_text(out, "reason",
		blocked ? labels[l].why_needed : labels[l].your_reason) < 0 ||
	    page_form_hidden(out, "to", a->form->to) < 0 ||
	    page_form_hidden(out, "rule", bytes_of(a->form->rule)) < 0 ||
	    page_form_hidden(out, "ticket", bytes_of(a->form->ticket)) < 0)
		return -1;
	return page_form_end(out,
	    !blocked                ? labels[l].go_on
		: a->form->approval ? labels[l].ask
				    : labels[l].release);
}

int
answer_page(const struct answer *a, struct buf *out, const char **language_out)
{
	enum language l = choose_language(a->accept_language);
	const struct kind *k = kind_of(a);

	*language_out = language_tags[l];
	if (page_begin(out, language_tags[l], k->tone, k->title[l],
		owner_name(a->prefecture, a->body, l)) < 0 ||
	    page_paragraph(out, bytes_of(k->lead[l])) < 0 ||
	    page_paragraph(out, bytes_of(k->advice[l])) < 0 ||
	    write_rows(a, l, out) < 0)
		return -1;
	if (a->file.n > 0 && page_link(out, a->file, labels[l].open) < 0)
		return -1;
	if (a->form != NULL && write_form(a, l, out) < 0)
		return -1;
	return page_end(out, owner_name(a->prefecture, NULL, l));
}

static const struct {
	const char *title, *lead, *download, *name_row, *contact_row;
	struct {
		const char *platform, *how;
	} steps[5];
	const char *warning;
} ca_page[LANGUAGES] = {
	[JA] = { "認証局証明書の入れ方",
	    "この関所は、安全のため暗号化された通信の中身も検査します。ブラウザ"
	    "ーが警告を出さないよう、下の証明書を端末に入れてください。通常は情"
	    "報システム担当がまとめて配ります。",
	    "証明書（ca.crt）をダウンロードする", "運用者", "問い合わせ先",
	    {
		{ "Windows",
		    "ca.crt を開き「証明書のインストール」を選び、保存場所は"
		    "「ローカル "
		    "コンピューター」の「信頼されたルート証明機関」と"
		    "します。Edge と Chrome に効きます。まとめて配るにはグルー"
		    "プ ポリシーを使います。" },
		{ "macOS",
		    "ca.crt "
		    "を開いて「システム」キーチェーンに加え、「常に信頼」"
		    "に変えます。" },
		{ "Firefox",
		    "「設定」の「プライバシーとセキュリティ」で「証明書を表示」"
		    "を開き、「認証局証明書」に読み込みます。" },
		{ "iPhone・iPad",
		    "プロファイルを入れた後、「設定」の「一般」「情報」「証明書"
		    "信頼設定」で有効にします。" },
		{ "Linux",
		    "/usr/local/share/ca-certificates/ に置き、"
		    "update-ca-certificates を実行します。" },
	    },
	    "入れる前に、証明書の指紋を担当者に確かめてください。ここで配るの"
	    "は証明書だけで、秘密鍵ではありません。" },
	[EN] = { "How to install the CA certificate",
	    "This checkpoint also inspects encrypted traffic. Install the"
	    " certificate below so that browsers trust it. It is usually"
	    " distributed by your IT staff.",
	    "Download the certificate (ca.crt)", "Operator", "Contact",
	    {
		{ "Windows",
		    "Open ca.crt, choose Install Certificate, Local Machine,"
		    " and the store Trusted Root Certification Authorities."
		    " Edge and Chrome use it. Group Policy distributes it to"
		    " many." },
		{ "macOS",
		    "Open ca.crt, add it to the System keychain, and set it to"
		    " Always Trust." },
		{ "Firefox",
		    "In Settings, Privacy & Security, View Certificates,"
		    " import it under Authorities." },
		{ "iPhone and iPad",
		    "Install the profile, then enable it in Settings, General,"
		    " About, Certificate Trust Settings." },
		{ "Linux",
		    "Put it into /usr/local/share/ca-certificates/ and run"
		    " update-ca-certificates." },
	    },
	    "Compare its fingerprint with what your IT staff tells you before"
	    " you install it. What is handed out here is the certificate, not"
	    " a key." },
};

static int
write_steps(enum language l, struct buf *out)
{
	if (page_rows_begin(out) < 0)
		return -1;
	for (size_t i = 0; i < COUNT(ca_page[l].steps); i++)
		if (page_row(out, ca_page[l].steps[i].platform,
			bytes_of(ca_page[l].steps[i].how)) < 0)
			return -1;
	return page_rows_end(out);
}

int
answer_ca_page(const struct prefecture_settings *p,
    struct bytes accept_language, struct buf *out)
{
	enum language l = choose_language(accept_language);

	if (page_begin(out, language_tags[l], PAGE_PLAIN, ca_page[l].title,
		owner_name(p, NULL, l)) < 0 ||
	    page_paragraph(out, bytes_of(ca_page[l].lead)) < 0 ||
	    buf_printf(out, "<p><a href=\"/ca.crt\">%s</a></p>\n",
		ca_page[l].download) < 0 ||
	    write_steps(l, out) < 0 ||
	    page_paragraph(out, bytes_of(ca_page[l].warning)) < 0)
		return -1;
	return page_end(out, contact(p, NULL));
}
