/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dlp/documents.h"

#include <stdio.h>

#include "filters/dlp/check.h"

#define TEXT_MAX ((size_t)1 << 20)

uint64_t
documents_random(struct documents *d, uint64_t below)
{
	d->state ^= d->state << 13;
	d->state ^= d->state >> 7;
	d->state ^= d->state << 17;
	return (d->state * 0x2545f4914f6cdd1dU >> 11) % below;
}

#define R(n) documents_random(d, (n))
#define PICK(list) ((list)[R(COUNT(list))])
#define SAY(...) must(buf_printf(&o->text, __VA_ARGS__) == 0)

static void
digits(struct documents *d, char *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (char)('0' + R(10));
	out[n] = 0;
}

void
documents_individual(struct documents *d, char out[13])
{
	digits(d, out, 12);
	out[0] = out[1] = '9';
	out[11] = (char)check_individual_digit((const uint8_t *)out);
}

static void
make_card(struct documents *d, char out[17])
{
	static const char *const heads[] = { "4", "51", "55", "3528", "3566",
		"2221" };
	const char *head = PICK(heads);

	digits(d, out, 16);
	memcpy(out, head, strlen(head));
	out[15] = (char)check_card_digit((const uint8_t *)out, 15);
}

static void
make_corporate(struct documents *d, char out[14])
{
	digits(d, out, 13);
	out[0] = (char)check_corporate_digit((const uint8_t *)out + 1);
}

static void
make_licence(struct documents *d, char out[13])
{
	digits(d, out, 12);
	memcpy(out, "30", 2);
	out[10] = (char)check_licence_digit((const uint8_t *)out);
}

static const char *const families[] = { "佐藤", "鈴木", "高橋", "田中", "伊藤",
	"渡辺", "山本", "中村", "小林", "加藤", "関所", "峠", "大神田",
	"小鳥遊", "東雲", "五百旗頭", "山田", "林", "森", "清水" };
static const char *const givens[] = { "太郎", "花子", "一郎", "美咲", "健",
	"陽子", "翔太", "さくら", "大輔", "恵美" };
static const char *const towns[] = { "関所市中央", "峠町大字峠",
	"関所市港区本町", "山里郡川上村大字川上", "関所県関所市北区緑町",
	"湖畔市東" };
static const char *const sentences[] = {
	"本日は窓口の受付時間についてご案内いたします。",
	"申請書は各支所でも受け取ることができます。",
	"ご不明な点は担当課までお問い合わせください。",
	"転入届は引っ越した日から１４日以内に提出してください。",
	"市民税・県民税の納期限は６月３０日です。",
	"令和６年度の当初予算案が可決されました。",
	"ごみの収集日は地区により異なります。",
	"図書館は毎週月曜日が休館日です。",
	"災害時の避難所は市のホームページで確認できます。",
	"国民健康保険の届出には本人確認書類が必要です。",
	"The office is open from 8:30 to 17:15 on weekdays.\n",
	"会議の資料は別紙のとおりです。\n",
	"（担当：総務課　内線２３４）",
	"児童手当の現況届を提出してください。",
	"入札の結果は次のとおりです。\n",
};
static const char *const labels[] = { "個人番号：", "マイナンバー：",
	"個人番号は", "マイナンバー　", "個人番号（12桁）：",
	"My Number: ", "mynumber=", "個人番号\n", "【個人番号】",
	"マイナンバーは、" };

static void
fill(struct documents *d, struct document *o, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		SAY("%s", PICK(sentences));
}

/* As people write a number of twelve digits. */
static void
say_twelve(struct documents *d, struct document *o, const char *n)
{
	static const char *const wide[] = { "０", "１", "２", "３", "４", "５",
		"６", "７", "８", "９" };
	static const char *const hyphens[] = { "-", "－", "‐", "−", " ", "　",
		"・", "ー" };
	const char *hyphen = PICK(hyphens);
	uint64_t how = R(4);

	for (size_t i = 0; i < 12; i++) {
		if (how % 2 == 1 && i > 0 && i % 4 == 0)
			SAY("%s", hyphen);
		if (how >= 2)
			SAY("%s", wide[n[i] - '0']);
		else
			SAY("%c", n[i]);
	}
}

static void
say_day(struct documents *d, struct document *o, unsigned from, unsigned to)
{
	unsigned year = from + (unsigned)R(to - from);
	unsigned month = 1 + (unsigned)R(12), day = 1 + (unsigned)R(28);

	switch (R(4)) {
	case 0:
		SAY("%u/%02u/%02u", year, month, day);
		break;
	case 1:
		SAY("%u年%u月%u日", year, month, day);
		break;
	case 2:
		SAY("%u%02u%02u", year, month, day);
		break;
	default:
		if (year > 1926 && year < 1989)
			SAY("昭和%u年%u月%u日", year - 1925, month, day);
		else
			SAY("%u-%02u-%02u", year, month, day);
	}
}

static void
say_person(struct documents *d, struct document *o, const char *between)
{
	SAY("%s%s%s", PICK(families), R(2) == 0 ? "　" : " ", PICK(givens));
	SAY("%s", between);
	say_day(d, o, 1930, 2015);
	SAY("%s%s%u-%u-%u", between, PICK(towns), 1 + (unsigned)R(9),
	    1 + (unsigned)R(30), 1 + (unsigned)R(20));
}

/* ---- documents with something in them ---- */

static void
individual_csv(struct documents *d, struct document *o)
{
	static const char *const heads[] = { "個人番号", "マイナンバー",
		"個人番号（12桁）", "my_number" };
	const char *separator = R(2) == 0 ? "," : "\t";
	bool first = R(2) == 0;
	char n[13];

	o->container = R(2) == 0 ? DLP_CSV : DLP_PLAIN;
	o->distinct = 1 + (uint32_t)R(20);
	SAY("%s%s", first ? PICK(heads) : "", first ? separator : "");
	SAY("氏名%s生年月日%s住所", separator, separator);
	SAY("%s%s\n", first ? "" : separator, first ? "" : PICK(heads));
	for (uint32_t i = 0; i < o->distinct; i++) {
		documents_individual(d, n);
		if (first) {
			say_twelve(d, o, n);
			SAY("%s", separator);
		}
		say_person(d, o, separator);
		if (!first) {
			SAY("%s", separator);
			say_twelve(d, o, n);
		}
		SAY("\n");
	}
}

/* No heading: the column speaks for itself. */
static void
individual_column(struct documents *d, struct document *o)
{
	char n[13];

	o->distinct = 6 + (uint32_t)R(30);
	for (uint32_t i = 0; i < o->distinct; i++) {
		documents_individual(d, n);
		SAY("%u,%s,%s\n", i + 1, PICK(givens), n);
	}
}

static void
individual_prose(struct documents *d, struct document *o)
{
	char n[13];

	fill(d, o, R(20));
	documents_individual(d, n);
	SAY("%s%sさんの%s", PICK(families), PICK(givens), PICK(labels));
	say_twelve(d, o, n);
	SAY("です。");
	fill(d, o, R(20));
}

static void
individual_near(struct documents *d, struct document *o)
{
	char n[13];

	fill(d, o, R(10));
	SAY("マイナンバーの提出について");
	fill(d, o, 1 + R(6));
	documents_individual(d, n);
	SAY("番号 ");
	say_twelve(d, o, n);
	SAY("\n");
	fill(d, o, R(10));
}

static void
individual_person(struct documents *d, struct document *o)
{
	char n[13];

	documents_individual(d, n);
	SAY("氏名：%s %s\n生年月日：", PICK(families), PICK(givens));
	say_day(d, o, 1930, 2015);
	SAY("\n番号：");
	say_twelve(d, o, n);
	SAY("\n");
}

static void
individual_form(struct documents *d, struct document *o)
{
	static const char *const names[] = { "mynumber", "my_number",
		"kojinBango", "%E5%80%8B%E4%BA%BA%E7%95%AA%E5%8F%B7",
		"userMyNumber" };
	char n[13];

	o->container = DLP_FORM;
	documents_individual(d, n);
	SAY("csrf=%llx&name=%%E5%%B1%%B1&%s=",
	    (unsigned long long)R(1ULL << 60), PICK(names));
	if (R(2) == 0)
		SAY("%s", n);
	else
		SAY("%.4s+%.4s+%.4s", n, n + 4, n + 8);
	SAY("&tel=03-1234-5678&go=1");
}

static void
individual_json(struct documents *d, struct document *o)
{
	static const char *const names[] = { "myNumber", "個人番号",
		"\\u500b\\u4eba\\u756a\\u53f7", "individual_number" };
	char n[13];

	o->container = DLP_JSON;
	o->distinct = 1 + (uint32_t)R(8);
	SAY("{\"ok\":true,\"rows\":[");
	for (uint32_t i = 0; i < o->distinct; i++) {
		documents_individual(d, n);
		SAY("%s{\"id\":%u,\"name\":\"%s\",\"%s\":", i > 0 ? "," : "", i,
		    PICK(families), PICK(names));
		SAY(R(2) == 0 ? "\"%s\"}" : "%s}", n);
	}
	SAY("]}");
}

static void
individual_multipart(struct documents *d, struct document *o)
{
	char n[13];

	o->container = DLP_MULTIPART;
	o->boundary = BYTES("----sekisho");
	documents_individual(d, n);
	if (R(2) == 0)
		SAY("------sekisho\r\nContent-Disposition: form-data; "
		    "name=\"mynumber\"\r\n\r\n%s\r\n",
		    n);
	else
		SAY("------sekisho\r\nContent-Disposition: form-data; "
		    "name=\"f\"; filename=\"a.csv\"\r\nContent-Type: "
		    "text/csv\r\n\r\n氏名,マイナンバー\r\n%s,\"%s\"\r\n\r\n",
		    PICK(families), n);
	SAY("------sekisho--\r\n");
}

static void
individual_html(struct documents *d, struct document *o)
{
	char n[13];

	o->container = DLP_HTML;
	o->distinct = 1 + (uint32_t)R(10);
	SAY("<html><body><h1>一覧</h1><table class=\"t\"><tr><th>氏名</th>"
	    "<th>個人番号</th></tr>\n");
	for (uint32_t i = 0; i < o->distinct; i++) {
		documents_individual(d, n);
		SAY("<tr><td>%s</td>\n<td class=\"n\">", PICK(families));
		SAY(R(2) == 0 ? "<b>%.4s</b>&nbsp;%.4s&nbsp;%.4s"
			      : "%.4s%.4s%.4s",
		    n, n + 4, n + 8);
		SAY("</td></tr>\n");
	}
	SAY("</table></body></html>");
}

/* One digit per cell, as Japanese forms have it. */
static void
individual_cells(struct documents *d, struct document *o)
{
	static const char *const separators[] = { ",", "\t", "|", " ", "　",
		" | ", "\n" };
	const char *separator = PICK(separators);
	char n[13];

	documents_individual(d, n);
	SAY("氏名%s%s\n個人番号%s", separator, PICK(families), separator);
	for (size_t i = 0; i < 12; i++)
		SAY("%s%c", i > 0 ? separator : "", n[i]);
	SAY("\n住所%s%s\n", separator, PICK(towns));
}

static void
card_prose(struct documents *d, struct document *o)
{
	char n[17];

	o->kind = DLP_CARD;
	fill(d, o, R(10));
	make_card(d, n);
	switch (R(3)) {
	case 0:
		SAY("カード番号は%.4s-%.4s-%.4s-%.4sです。", n, n + 4, n + 8,
		    n + 12);
		break;
	case 1:
		SAY("Credit card: %.4s %.4s %.4s %.4s exp 12/29 ", n, n + 4,
		    n + 8, n + 12);
		break;
	default:
		SAY("クレジットカードで支払います。%s ", n);
	}
	fill(d, o, R(10));
}

static void
pension_prose(struct documents *d, struct document *o)
{
	char n[11];

	o->kind = DLP_PENSION;
	fill(d, o, R(10));
	digits(d, n, 10);
	if (R(2) == 0)
		SAY("基礎年金番号：%.4s-%.6s ", n, n + 4);
	else
		SAY("基礎年金番号は%sです。", n);
	fill(d, o, R(10));
}

static void
account_prose(struct documents *d, struct document *o)
{
	char n[8];

	o->kind = DLP_ACCOUNT;
	fill(d, o, R(10));
	digits(d, n, 7);
	switch (R(3)) {
	case 0:
		SAY("関所銀行 中央支店 普通 %s セキシヨ タロウ ", n);
		break;
	case 1:
		SAY("口座番号：%s ", n);
		break;
	default:
		SAY("振込先：峠信用金庫本店 普通預金 %s 口座名義 峠太郎 ", n);
	}
	fill(d, o, R(10));
}

static void
licence_prose(struct documents *d, struct document *o)
{
	char n[13];

	o->kind = DLP_LICENCE;
	fill(d, o, R(10));
	make_licence(d, n);
	SAY("運転免許証の番号は第%s号です。", n);
	fill(d, o, R(10));
}

static void
resident_list(struct documents *d, struct document *o)
{
	bool headed = R(2) == 0;
	bool csv = R(2) == 0;

	o->kind = DLP_RESIDENT;
	/* Without a heading about half of the names are known. */
	o->distinct = headed ? 3 + (uint32_t)R(20) : 3;
	o->container = csv ? DLP_CSV : DLP_PLAIN;
	if (headed)
		SAY(csv ? "氏名,生年月日,住所\n" : "氏名\t生年月日\t住所\n");
	for (uint32_t i = 0; i < (headed ? o->distinct : 20); i++) {
		say_person(d, o, csv ? "," : "\t");
		SAY("\n");
	}
}

static void (*const positives[])(struct documents *, struct document *) = {
	individual_csv,
	individual_column,
	individual_prose,
	individual_near,
	individual_person,
	individual_form,
	individual_json,
	individual_multipart,
	individual_html,
	individual_cells,
	card_prose,
	pension_prose,
	account_prose,
	licence_prose,
	resident_list,
};
static const char *const positive_names[] = {
	"individual, csv",
	"individual, bare column",
	"individual, prose",
	"individual, word near by",
	"individual, name and birth",
	"individual, form",
	"individual, json",
	"individual, multipart",
	"individual, html table",
	"individual, digit per cell",
	"card",
	"pension",
	"account",
	"licence",
	"resident list",
};
const uint32_t documents_positive_sorts = COUNT(positives);

void
documents_positive(struct documents *d, uint32_t nth, struct document *o)
{
	*o = (struct document){ .kind = DLP_INDIVIDUAL, .distinct = 1 };
	buf_init(&o->text, TEXT_MAX);
	o->sort = positive_names[nth % COUNT(positives)];
	positives[nth % COUNT(positives)](d, o);
}

/* ---- documents with nothing in them ---- */

static void
unix_times(struct documents *d, struct document *o)
{
	bool milliseconds = R(2) == 0;

	for (int i = 0; i < 40; i++)
		SAY("%llu%s GET /a/%llu 200\n",
		    (unsigned long long)(1700000000 + R(90000000)),
		    milliseconds ? "123" : "", (unsigned long long)R(1000000));
}

static void
iso_times(struct documents *d, struct document *o)
{
	for (int i = 0; i < 40; i++)
		SAY("2024-%02u-%02uT%02u:%02u:%02u.%06uZ level=info\n",
		    1 + (unsigned)R(12), 1 + (unsigned)R(28), (unsigned)R(24),
		    (unsigned)R(60), (unsigned)R(60), (unsigned)R(1000000));
}

/* YYYYMMDDHHMM: a tenth has a valid check digit. */
static void
packed_times(struct documents *d, struct document *o)
{
	SAY("ファイル,更新\n");
	for (int i = 0; i < 40; i++)
		SAY("議事録%d,%04u%02u%02u%02u%02u\n", i,
		    2000 + (unsigned)R(26), 1 + (unsigned)R(12),
		    1 + (unsigned)R(28), (unsigned)R(24), (unsigned)R(60));
}

static void
phones(struct documents *d, struct document *o)
{
	static const char *const shapes[] = { "03-%04u-%04u", "090-%04u-%04u",
		"0120%03u%03u", "050%04u%04u", "+81-90-%04u-%04u",
		"（０３）%04u－%04u", "8190%04u%04u" };

	fill(d, o, R(5));
	for (int i = 0; i < 20; i++) {
		char text[64];
		const char *shape = PICK(shapes);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof(text), shape, (unsigned)R(1000),
		    (unsigned)R(1000));
#pragma GCC diagnostic pop
		SAY("%s課　電話 %s\n", PICK(towns), text);
	}
}

static void
aws(struct documents *d, struct document *o)
{
	bool csv = R(2) == 0;
	char n[13];

	if (csv)
		SAY("name,account,region\n");
	for (uint64_t i = 0, many = 1 + R(30); i < many; i++) {
		digits(d, n, 12);
		if (csv)
			SAY("prod-%d,%s,ap-northeast-1\n", (int)i, n);
		else
			SAY("arn:aws:iam::%s:role/"
			    "admin\n%s.dkr.ecr.ap-northeast"
			    "-1.amazonaws.com\naccount %s ok\n",
			    n, n, n);
	}
}

static void
jan_codes(struct documents *d, struct document *o)
{
	char n[14];

	SAY("商品名\t%s\t数量\n", R(2) == 0 ? "JANコード" : "コード");
	for (int i = 0; i < 30; i++) {
		digits(d, n, 13);
		memcpy(n, R(2) == 0 ? "49" : "45", 2);
		SAY("鉛筆%d\t%s\t%u\n", i, n, (unsigned)R(100));
	}
}

static void
corporates(struct documents *d, struct document *o)
{
	char n[14];

	SAY("法人番号,商号,所在地,登録番号\n");
	for (int i = 0; i < 20; i++) {
		make_corporate(d, n);
		SAY("%s,株式会社%s,%s%u-%u,T%s\n", n, PICK(families),
		    PICK(towns), 1 + (unsigned)R(9), 1 + (unsigned)R(9), n);
	}
	make_corporate(d, n);
	SAY("\n会社法人等番号 %s\n", n + 1);
}

static void
thirteen(struct documents *d, struct document *o)
{
	char n[14];

	fill(d, o, R(4));
	for (int i = 0; i < 30; i++) {
		digits(d, n, 13);
		SAY("%s%s", n, R(2) == 0 ? "\n" : " ");
	}
}

static void
orders(struct documents *d, struct document *o)
{
	static const char *const names[] = { "注文番号", "受付番号", "伝票番号",
		"お問い合わせ番号", "Order", "整理番号", "追跡番号" };
	char n[17];

	fill(d, o, R(6));
	for (int i = 0; i < 5; i++) {
		digits(d, n, 16);
		SAY("%s: %.4s-%.4s-%.4s\n", PICK(names), n, n + 4, n + 8);
		digits(d, n, R(2) == 0 ? 12 : 16);
		SAY("%s %s を発送しました。\n", PICK(names), n);
	}
}

static void
uuids(struct documents *d, struct document *o)
{
	static const char *const hex = "0123456789abcdef";

	for (int i = 0; i < 30; i++) {
		for (int k = 0; k < 36; k++)
			if (k == 8 || k == 13 || k == 18 || k == 23)
				SAY("-");
			else /* many digits: the worst that there is */
				SAY("%c", hex[R(R(4) == 0 ? 16 : 10)]);
		SAY("\n");
	}
}

static void
hashes(struct documents *d, struct document *o)
{
	for (int i = 0; i < 30; i++) {
		for (int k = 0; k < 64; k++)
			SAY("%c", "0123456789abcdef"[R(16)]);
		SAY("  file%d.bin\n", i);
	}
}

static void
scripts(struct documents *d, struct document *o)
{
	char n[17];

	SAY("!function(e,t){var n={};");
	for (int i = 0; i < 60; i++) {
		digits(d, n, 1 + R(16));
		SAY("n.%c%d=%s,e[%u]=t(\"%s\"),", 'a' + (int)R(26), i, n,
		    (unsigned)R(10000), n);
	}
	SAY("n.cardNumber=/^\\d{16}$/;n.order=%u}(window);", (unsigned)R(99));
}

static void
site_about_numbers(struct documents *d, struct document *o)
{
	char n[17];

	o->container = R(2) == 0 ? DLP_HTML : DLP_PLAIN;
	SAY("<h1>マイナンバーカードの申請について</h1><p>");
	fill(d, o, 1 + R(4));
	SAY("個人番号カード、通知カード、基礎年金番号通知書をお持ちください。");
	fill(d, o, 1 + R(4));
	digits(d, n, 12);
	SAY("電話 0%.3s-%.3s-%.3s　更新日：2024%02u%02u%02u%02u<br>", n, n + 3,
	    n + 6, 1 + (unsigned)R(12), 1 + (unsigned)R(28), (unsigned)R(24),
	    (unsigned)R(60));
	SAY("受付番号 %s<img src=\"/img/%s.jpg\">", n, n);
	make_corporate(d, n);
	SAY("法人番号 %s <script>var t=%llu;</script></p>", n,
	    (unsigned long long)(1700000000000 + R(90000000000)));
}

static void
events(struct documents *d, struct document *o)
{
	SAY("催し物のご案内\n開催日,催し,会場,講師\n");
	for (int i = 0; i < 30; i++) {
		say_day(d, o, 2023, 2026);
		SAY(",健康教室,%s%u-%u,%s %s\n", PICK(towns),
		    1 + (unsigned)R(9), 1 + (unsigned)R(30), PICK(families),
		    PICK(givens));
	}
}

static void
amounts(struct documents *d, struct document *o)
{
	char n[13];

	SAY("科目,予算額,決算額\n");
	for (int i = 0; i < 30; i++) {
		digits(d, n, 12);
		SAY("款%d,\"%.3s,%.3s,%.3s,%.3s\",%s円\n", i, n, n + 3, n + 6,
		    n + 9, n);
	}
}

static void
readings(struct documents *d, struct document *o)
{
	for (int i = 0; i < 40; i++)
		SAY("%u %u %u %u.%06u %u %u\n", (unsigned)R(10000),
		    (unsigned)R(10000), (unsigned)R(10000), (unsigned)R(180),
		    (unsigned)R(1000000), (unsigned)R(10), (unsigned)R(10));
}

/* Twelve and sixteen digits of anything, nothing else known. */
static void
bare_runs(struct documents *d, struct document *o)
{
	char n[17];

	for (uint64_t i = 0, many = 1 + R(40); i < many; i++) {
		digits(d, n, R(3) == 0 ? 16 : 12);
		SAY("%s\n", n);
	}
}

static void
bits(struct documents *d, struct document *o)
{
	for (int i = 0; i < 30; i++) {
		for (int k = 0; k < 24; k++)
			SAY("%s%u", k > 0 ? "," : "", (unsigned)R(10));
		SAY("\n");
	}
}

static void
api_json(struct documents *d, struct document *o)
{
	char n[20];

	o->container = DLP_JSON;
	SAY("{\"items\":[");
	for (int i = 0; i < 20; i++) {
		digits(d, n, 19);
		n[0] = '1';
		SAY("%s{\"id\":%s,\"account_id\":\"%.12s\",\"created\":%llu,"
		    "\"name\":\"%s\"}",
		    i > 0 ? "," : "", n, n + 3,
		    (unsigned long long)(1700000000000 + R(90000000000)),
		    PICK(families));
	}
	SAY("]}");
}

static void
prose(struct documents *d, struct document *o)
{
	fill(d, o, 60);
}

static void (*const negatives[])(struct documents *, struct document *) = {
	unix_times,
	iso_times,
	packed_times,
	phones,
	aws,
	jan_codes,
	corporates,
	thirteen,
	orders,
	uuids,
	hashes,
	scripts,
	site_about_numbers,
	events,
	amounts,
	readings,
	bare_runs,
	bits,
	api_json,
	prose,
};
static const char *const negative_names[] = {
	"unix times",
	"iso times",
	"YYYYMMDDHHMM",
	"phone numbers",
	"aws account ids",
	"jan codes",
	"corporate numbers",
	"13 digits",
	"order numbers",
	"uuids",
	"hashes",
	"minified scripts",
	"site about my number",
	"events",
	"amounts",
	"readings",
	"bare 12 and 16 digits",
	"digits in cells",
	"json of an api",
	"prose",
};
const uint32_t documents_negative_sorts = COUNT(negatives);

void
documents_negative(struct documents *d, uint32_t nth, struct document *o)
{
	*o = (struct document){ 0 };
	buf_init(&o->text, TEXT_MAX);
	o->sort = negative_names[nth % COUNT(negatives)];
	negatives[nth % COUNT(negatives)](d, o);
}

void
documents_hard(struct documents *d, struct document *o)
{
	char n[13];

	*o = (struct document){ .sort = "12 digits near the word" };
	buf_init(&o->text, TEXT_MAX);
	digits(d, n, 12);
	SAY("マイナンバーのお知らせ");
	fill(d, o, 3);
	SAY("資料 %s を参照。", n);
	fill(d, o, 3);
}
