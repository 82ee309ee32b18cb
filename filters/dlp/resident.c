/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/dlp/resident.h"

#include "filters/dlp/check.h"

#define SPREAD_YEARS 15 /* dates of events and invoices lie closer */
#define STREET_REACH 60 /* bytes from a town's sign to its street's number */
#define NAME_MAX_BYTES 40

static uint32_t
value(const struct chain *c, size_t i)
{
	const struct chain_group *g = &c->groups[i];

	return g->n > 4 ? 0 : (uint32_t)check_value(c->digits + g->first, g->n);
}

static bool
is_month_and_day(uint32_t month, uint32_t day)
{
	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static const struct {
	struct bytes name;
	uint32_t begins;
} eras[] = {
	{ BYTES_ROW("明治"), 1867 },
	{ BYTES_ROW("大正"), 1911 },
	{ BYTES_ROW("昭和"), 1925 },
	{ BYTES_ROW("平成"), 1988 },
	{ BYTES_ROW("令和"), 2018 },
	{ BYTES_ROW("M"), 1867 },
	{ BYTES_ROW("T"), 1911 },
	{ BYTES_ROW("S"), 1925 },
	{ BYTES_ROW("H"), 1988 },
	{ BYTES_ROW("R"), 2018 },
};

/* The year that an era before it makes of one or two digits; 0: none. */
static uint32_t
in_era(struct bytes text, size_t at, uint32_t year)
{
	const struct bytes before = { text.p, at };

	for (size_t i = 0; i < COUNT(eras); i++)
		if (bytes_end_with(before, eras[i].name))
			return eras[i].begins + year;
	return 0;
}

static uint32_t
read_small(struct bytes text, size_t *at)
{
	uint32_t n = 0;

	for (int i = 0;
	     i < 2 && *at < text.n && text.p[*at] >= '0' && text.p[*at] <= '9';
	     i++, ++*at)
		n = n * 10 + text.p[*at] - '0';
	return n;
}

static bool
skip(struct bytes text, size_t *at, struct bytes sign)
{
	const struct bytes rest = { text.p + *at, text.n - *at };

	if (!bytes_start_with(rest, sign))
		return false;
	*at += sign.n;
	return true;
}

/* "年M月D日" behind the year. */
static bool
is_spelled(struct bytes text, size_t at)
{
	uint32_t month, day;

	if (!skip(text, &at, BYTES("年")))
		return false;
	month = read_small(text, &at);
	if (!skip(text, &at, BYTES("月")))
		return false;
	day = read_small(text, &at);
	return skip(text, &at, BYTES("日")) && is_month_and_day(month, day);
}

/* The year of the date that the chain is; 0: it is none. */
static uint32_t
date_year(const struct chain *c, struct bytes text)
{
	const struct chain_group *g = c->groups;
	uint32_t year = 0;

	if (g->n == 8 && check_is_day(c->digits + g->first))
		year = (uint32_t)check_value(c->digits + g->first, 4);
	else if (c->groups_n == 1 && is_spelled(text, g->end))
		year = value(c, 0);
	else if (c->groups_n >= 3 &&
	    (g->link == CHAIN_OTHER || g->link == CHAIN_HYPHEN) &&
	    is_month_and_day(value(c, 1), value(c, 2)))
		year = value(c, 0);
	if (year > 0 && year < 70)
		year = in_era(text, g->begin, year);
	return year >= 1900 && year < 2040 ? year : 0;
}

struct span {
	size_t begin, end;
};

static struct span
record_around(struct bytes text, const struct chain *c, bool across_lines)
{
	struct span s = { c->begin, c->end };
	size_t low = c->begin > RESIDENT_REACH ? c->begin - RESIDENT_REACH : 0;
	size_t high =
	    text.n - c->end > RESIDENT_REACH ? c->end + RESIDENT_REACH : text.n;

	while (s.begin > low && text.p[s.begin - 1] != DLP_RECORD &&
	    (across_lines || text.p[s.begin - 1] != '\n'))
		s.begin--;
	while (s.end < high && text.p[s.end] != DLP_RECORD &&
	    (across_lines || text.p[s.end] != '\n'))
		s.end++;
	return s;
}

static bool
is_place_sign(struct bytes rest)
{
	static const struct bytes signs[] = { BYTES_ROW("市"), BYTES_ROW("区"),
		BYTES_ROW("町"), BYTES_ROW("村"), BYTES_ROW("郡") };

	for (size_t i = 0; i < COUNT(signs); i++)
		if (bytes_start_with(rest, signs[i]))
			return true;
	return false;
}

static bool
is_street_sign(struct bytes rest)
{
	static const struct bytes signs[] = { BYTES_ROW("丁目"),
		BYTES_ROW("番地"), BYTES_ROW("大字") };

	for (size_t i = 0; i < COUNT(signs); i++)
		if (bytes_start_with(rest, signs[i]))
			return true;
	return false;
}

static bool
is_border(uint8_t c)
{
	return c == ',' || c == '\t' || c == '|' || c == ';' || c == '\n' ||
	    (c >= DLP_RECORD && c <= DLP_CELL);
}

/* A town's sign, and not far behind it in the same cell a street's number. */
static bool
has_address(struct bytes text, struct span s)
{
	size_t reach = 0; /* bytes left since a town's sign */

	for (size_t i = s.begin; i < s.end; i++) {
		const struct bytes rest = { text.p + i, s.end - i };

		if (is_border(text.p[i]))
			reach = 0;
		else if (text.p[i] >= 0xe0 && is_place_sign(rest))
			reach = STREET_REACH;
		else if (reach > 0 &&
		    ((text.p[i] >= '0' && text.p[i] <= '9') ||
			(text.p[i] >= 0xe0 && is_street_sign(rest))))
			return true;
		else if (reach > 0)
			reach--;
	}
	return false;
}

/* The most frequent surnames: about half of all people. */
static const struct bytes surnames[] = {
#define S(name) BYTES_ROW(name)
	S("佐藤"),
	S("鈴木"),
	S("高橋"),
	S("田中"),
	S("伊藤"),
	S("渡辺"),
	S("渡邊"),
	S("渡邉"),
	S("山本"),
	S("中村"),
	S("小林"),
	S("加藤"),
	S("吉田"),
	S("山田"),
	S("佐々木"),
	S("山口"),
	S("松本"),
	S("井上"),
	S("木村"),
	S("斎藤"),
	S("齋藤"),
	S("斉藤"),
	S("林"),
	S("清水"),
	S("山崎"),
	S("森"),
	S("池田"),
	S("橋本"),
	S("阿部"),
	S("石川"),
	S("山下"),
	S("中島"),
	S("石井"),
	S("小川"),
	S("前田"),
	S("岡田"),
	S("長谷川"),
	S("藤田"),
	S("後藤"),
	S("近藤"),
	S("村上"),
	S("遠藤"),
	S("青木"),
	S("坂本"),
	S("福田"),
	S("太田"),
	S("西村"),
	S("藤井"),
	S("金子"),
	S("岡本"),
	S("藤原"),
	S("三浦"),
	S("中野"),
	S("中川"),
	S("原田"),
	S("松田"),
	S("竹内"),
	S("小野"),
	S("田村"),
	S("中山"),
	S("和田"),
	S("石田"),
	S("森田"),
	S("上田"),
	S("原"),
	S("内田"),
	S("柴田"),
	S("酒井"),
	S("宮崎"),
	S("横山"),
	S("高木"),
	S("安藤"),
	S("宮本"),
	S("大野"),
	S("小島"),
	S("工藤"),
	S("谷口"),
	S("今井"),
	S("高田"),
	S("増田"),
	S("丸山"),
	S("杉山"),
	S("村田"),
	S("大塚"),
	S("新井"),
	S("小山"),
	S("平野"),
	S("藤本"),
	S("河野"),
	S("上野"),
	S("武田"),
	S("野口"),
	S("松井"),
	S("千葉"),
	S("菅原"),
	S("岩崎"),
	S("木下"),
	S("久保"),
	S("佐野"),
	S("野村"),
	S("松尾"),
	S("市川"),
	S("菊地"),
	S("杉本"),
	S("古川"),
	S("大西"),
	S("島田"),
	S("水野"),
	S("桜井"),
	S("高野"),
	S("渡部"),
	S("吉川"),
	S("山内"),
	S("西田"),
	S("飯田"),
	S("菊池"),
	S("西川"),
	S("小松"),
	S("北村"),
	S("安田"),
	S("五十嵐"),
	S("川口"),
	S("平田"),
	S("関"),
	S("中田"),
	S("久保田"),
#undef S
};

/* Katakana of full width, long marks and middle dots; a blank between. */
static size_t
kana_length(struct bytes rest)
{
	size_t n = 0;

	while (n + 2 < rest.n && rest.p[n] == 0xe3 &&
	    (rest.p[n + 1] == 0x82 || rest.p[n + 1] == 0x83))
		n += 3;
	return n;
}

/* "ヤマダ タロウ" */
static bool
is_kana_name(struct bytes rest)
{
	size_t first = kana_length(rest);
	size_t blank = 0;

	if (first < 6 || first > NAME_MAX_BYTES)
		return false;
	bytes_take(&rest, first);
	if (bytes_start_with(rest, BYTES(" ")))
		blank = 1;
	else if (bytes_start_with(rest, BYTES("　")))
		blank = 3;
	bytes_take(&rest, blank);
	return blank > 0 && kana_length(rest) >= 6;
}

static bool
is_name(struct bytes rest)
{
	if (rest.n > 0 && rest.p[0] == '"')
		bytes_take(&rest, 1);
	if (is_kana_name(rest))
		return true;
	if (rest.n < 3 || rest.p[0] < 0xe4) /* no kanji */
		return false;
	for (size_t i = 0; i < COUNT(surnames); i++)
		if (surnames[i].p[2] == rest.p[2] &&
		    surnames[i].p[1] == rest.p[1] &&
		    bytes_start_with(rest, surnames[i]))
			return true;
	return false;
}

static bool
has_name(struct bytes text, struct span s)
{
	for (size_t i = s.begin; i < s.end; i++)
		if ((i == s.begin || is_border(text.p[i - 1])) &&
		    is_name((struct bytes){ text.p + i, s.end - i }))
			return true;
	return false;
}

static bool
is_headed(const struct resident_view *v, enum word_class class)
{
	return v->table->headed && (v->table->words & 1U << class) != 0;
}

static bool
is_person(const struct resident_view *v, struct span s)
{
	return has_address(v->text, s) &&
	    (is_headed(v, WORD_NAME) ||
		context_has(v->context, WORD_NAME, v->base + s.begin,
		    v->base + s.end) ||
		has_name(v->text, s));
}

static void
add(struct resident *r, uint32_t year, bool labelled)
{
	if (labelled) {
		r->labelled++;
		return;
	}
	r->bare++;
	if (r->year_min == 0 || year < r->year_min)
		r->year_min = year;
	if (year > r->year_max)
		r->year_max = year;
}

void
resident_look(
    struct resident *r, const struct chain *c, const struct resident_view *v)
{
	uint64_t at = v->base + c->begin;
	uint32_t year = at < r->judged ? 0 : date_year(c, v->text);
	struct span s;
	bool label;

	if (year == 0)
		return;
	label = context_has(v->context, WORD_BIRTH,
	    at > CONTEXT_LABEL ? at - CONTEXT_LABEL : 0, at);
	s = record_around(v->text, c, false);
	if (is_person(v, s)) {
		r->judged = v->base + s.end;
		add(r, year, label || is_headed(v, WORD_BIRTH));
		return;
	}
	/* A form over several lines: with all its labels. */
	s = record_around(v->text, c, true);
	if (label && is_person(v, s)) {
		r->judged = v->base + c->end;
		add(r, year, true);
	}
}

uint32_t
resident_count(const struct resident *r)
{
	bool spread = r->bare > 0 && r->year_max - r->year_min >= SPREAD_YEARS;

	return r->labelled + (spread ? r->bare : 0);
}
