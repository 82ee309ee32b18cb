/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/dlp/words.h"

#include <stdlib.h>

#include "filters/dlp/fold.h"

#define STATES_MAX 32000 /* an entry has 15 bits for one */
#define ENDS 0x8000      /* in an entry: a word ends there */
#define FREE_LETTERS 8   /* an ASCII word so long needs no borders */

struct word {
	const char *text;
	enum word_class class;
};

/* clang-format off */
static const struct word builtin[] = {
	{ "個人番号", WORD_INDIVIDUAL }, { "マイナンバー", WORD_INDIVIDUAL },
	{ "ﾏｲﾅﾝﾊﾞｰ", WORD_INDIVIDUAL }, { "通知カード", WORD_INDIVIDUAL },
	{ "特定個人情報", WORD_INDIVIDUAL }, { "こじんばんごう", WORD_INDIVIDUAL },
	{ "まいなんばー", WORD_INDIVIDUAL }, { "mynumber", WORD_INDIVIDUAL },
	{ "my number", WORD_INDIVIDUAL }, { "my_number", WORD_INDIVIDUAL },
	{ "my-number", WORD_INDIVIDUAL },
	{ "individual number", WORD_INDIVIDUAL },
	{ "individual_number", WORD_INDIVIDUAL },
	{ "individualnumber", WORD_INDIVIDUAL },
	{ "kojinbango", WORD_INDIVIDUAL }, { "kojin_bango", WORD_INDIVIDUAL },
	{ "kojin_no", WORD_INDIVIDUAL }, { "kojinno", WORD_INDIVIDUAL },

	{ "基礎年金番号", WORD_PENSION }, { "年金番号", WORD_PENSION },
	{ "年金手帳", WORD_PENSION }, { "pension number", WORD_PENSION },
	{ "pension_number", WORD_PENSION }, { "pensionnumber", WORD_PENSION },
	{ "pension no", WORD_PENSION }, { "pension_no", WORD_PENSION },
	{ "nenkin", WORD_PENSION },

	{ "カード番号", WORD_CARD }, { "クレジット", WORD_CARD },
	{ "ｸﾚｼﾞｯﾄ", WORD_CARD }, { "ｶｰﾄﾞ番号", WORD_CARD },
	{ "セキュリティコード", WORD_CARD }, { "card number", WORD_CARD },
	{ "card_number", WORD_CARD }, { "cardnumber", WORD_CARD },
	{ "card no", WORD_CARD }, { "cardno", WORD_CARD },
	{ "card_no", WORD_CARD }, { "card-number", WORD_CARD },
	{ "credit card", WORD_CARD }, { "creditcard", WORD_CARD },
	{ "credit_card", WORD_CARD }, { "cc-number", WORD_CARD },
	{ "ccnumber", WORD_CARD }, { "cc_number", WORD_CARD },
	{ "visa", WORD_CARD }, { "mastercard", WORD_CARD },
	{ "jcb", WORD_CARD }, { "amex", WORD_CARD }, { "cvv", WORD_CARD },

	{ "口座番号", WORD_ACCOUNT }, { "口座no", WORD_ACCOUNT },
	{ "普通預金", WORD_ACCOUNT }, { "普通口座", WORD_ACCOUNT },
	{ "当座預金", WORD_ACCOUNT }, { "振込口座", WORD_ACCOUNT },
	{ "振込先口座", WORD_ACCOUNT }, { "account number", WORD_ACCOUNT },
	{ "account_number", WORD_ACCOUNT }, { "accountnumber", WORD_ACCOUNT },
	{ "account no", WORD_ACCOUNT }, { "account_no", WORD_ACCOUNT },
	{ "bank account", WORD_ACCOUNT }, { "bankaccount", WORD_ACCOUNT },
	{ "bank_account", WORD_ACCOUNT }, { "kouza", WORD_ACCOUNT },
	{ "koza_no", WORD_ACCOUNT }, { "kozano", WORD_ACCOUNT },

	{ "免許証番号", WORD_LICENCE }, { "免許番号", WORD_LICENCE },
	{ "運転免許", WORD_LICENCE }, { "免許証", WORD_LICENCE },
	{ "driver's licence", WORD_LICENCE },
	{ "driver's license", WORD_LICENCE },
	{ "license_number", WORD_LICENCE }, { "menkyo", WORD_LICENCE },

	{ "法人番号", WORD_CORPORATE }, { "corporate number", WORD_CORPORATE },
	{ "corporate_number", WORD_CORPORATE },
	{ "corporatenumber", WORD_CORPORATE },
	{ "houjin_bangou", WORD_CORPORATE }, { "houjinbangou", WORD_CORPORATE },

	{ "会社法人等番号", WORD_OTHER }, { "電話", WORD_OTHER },
	{ "携帯", WORD_OTHER }, { "ファックス", WORD_OTHER },
	{ "ファクシミリ", WORD_OTHER }, { "郵便番号", WORD_OTHER },
	{ "受付番号", WORD_OTHER }, { "整理番号", WORD_OTHER },
	{ "伝票番号", WORD_OTHER }, { "注文番号", WORD_OTHER },
	{ "管理番号", WORD_OTHER }, { "文書番号", WORD_OTHER },
	{ "請求書番号", WORD_OTHER }, { "登録番号", WORD_OTHER },
	{ "追跡番号", WORD_OTHER }, { "問い合わせ番号", WORD_OTHER },
	{ "問合せ番号", WORD_OTHER }, { "問合番号", WORD_OTHER },
	{ "宛名番号", WORD_OTHER }, { "世帯番号", WORD_OTHER },
	{ "申請番号", WORD_OTHER }, { "契約番号", WORD_OTHER },
	{ "会員番号", WORD_OTHER }, { "職員番号", WORD_OTHER },
	{ "商品コード", WORD_OTHER }, { "商品番号", WORD_OTHER },
	{ "製造番号", WORD_OTHER }, { "シリアル", WORD_OTHER },
	{ "バーコード", WORD_OTHER }, { "型番", WORD_OTHER },
	{ "日時", WORD_OTHER }, { "時刻", WORD_OTHER },
	{ "タイムスタンプ", WORD_OTHER }, { "収納機関", WORD_OTHER },
	{ "納付番号", WORD_OTHER }, { "確認番号", WORD_OTHER },
	{ "tel", WORD_OTHER }, { "fax", WORD_OTHER }, { "phone", WORD_OTHER },
	{ "mobile", WORD_OTHER }, { "jan", WORD_OTHER }, { "ean", WORD_OTHER },
	{ "isbn", WORD_OTHER }, { "issn", WORD_OTHER }, { "sku", WORD_OTHER },
	{ "barcode", WORD_OTHER }, { "aws", WORD_OTHER }, { "arn", WORD_OTHER },
	{ "account id", WORD_OTHER }, { "account_id", WORD_OTHER },
	{ "accountid", WORD_OTHER }, { "order", WORD_OTHER },
	{ "invoice", WORD_OTHER }, { "tracking", WORD_OTHER },
	{ "serial", WORD_OTHER }, { "timestamp", WORD_OTHER },
	{ "uuid", WORD_OTHER }, { "version", WORD_OTHER },
	{ "build", WORD_OTHER }, { "session", WORD_OTHER },

	{ "ゆうちょ", WORD_POSTAL }, { "記号番号", WORD_POSTAL },
	{ "記号・番号", WORD_POSTAL }, { "ゆうちょ銀行", WORD_POSTAL },
	{ "銀行", WORD_BANK }, { "信用金庫", WORD_BANK },
	{ "信用組合", WORD_BANK }, { "信金", WORD_BANK },
	{ "農協", WORD_BANK }, { "労働金庫", WORD_BANK },
	{ "支店", WORD_BANK }, { "口座名義", WORD_BANK },
	{ "預金種目", WORD_BANK }, { "branch", WORD_BANK },
	{ "普通", WORD_ACCOUNT_TYPE }, { "当座", WORD_ACCOUNT_TYPE },
	{ "貯蓄", WORD_ACCOUNT_TYPE },

	{ "氏名", WORD_NAME }, { "姓名", WORD_NAME }, { "名前", WORD_NAME },
	{ "フリガナ", WORD_NAME }, { "ふりがな", WORD_NAME },
	{ "full name", WORD_NAME },
	{ "fullname", WORD_NAME }, { "full_name", WORD_NAME },
	{ "name", WORD_NAME }, { "shimei", WORD_NAME },
	{ "生年月日", WORD_BIRTH }, { "誕生日", WORD_BIRTH },
	{ "生まれ", WORD_BIRTH }, { "birthday", WORD_BIRTH },
	{ "birthdate", WORD_BIRTH }, { "birth_date", WORD_BIRTH },
	{ "birth date", WORD_BIRTH }, { "date of birth", WORD_BIRTH },
	{ "date_of_birth", WORD_BIRTH }, { "dateofbirth", WORD_BIRTH },
	{ "dob", WORD_BIRTH },
	{ "住所", WORD_ADDRESS }, { "所在地", WORD_ADDRESS },
	{ "居所", WORD_ADDRESS }, { "本籍", WORD_ADDRESS },
	{ "address", WORD_ADDRESS }, { "jusho", WORD_ADDRESS },
};
/* clang-format on */

struct words {
	uint16_t *next;    /* [state * classes + class of byte] */
	uint16_t *word;    /* [state]: 1 + the built-in word; 0: none */
	uint16_t *keyword; /* [state]: 1 + the keyword; 0: none */
	uint16_t *same;    /* [keyword]: 1 + another of the same letters */
	uint16_t *fail;    /* [state]: the longest suffix that is a state */
	size_t states, classes;
	uint8_t class_of[256];
	struct bytes *keywords; /* folded */
	size_t keywords_n;
};

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool
is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Keywords as the text will be: folded. */
static int
take_keywords(
    struct words *w, const char *const *keywords, size_t n, struct err *e)
{
	if (n > WORDS_MAX)
		return err_set(e, "more than %d keywords", WORDS_MAX);
	w->keywords = calloc(n + 1, sizeof(*w->keywords));
	must(w->keywords != NULL);
	for (size_t i = 0; i < n; i++) {
		struct bytes given = bytes_of(keywords[i]);
		uint8_t *copy;

		if (given.n < 2 || given.n > WORD_BYTES_MAX)
			return err_set(e,
			    "keyword %zu has %zu bytes; 2 to %d are expected",
			    i + 1, given.n, WORD_BYTES_MAX);
		copy = malloc(WORD_BYTES_MAX);
		must(copy != NULL);
		w->keywords[w->keywords_n++] =
		    (struct bytes){ copy, fold_width(given, copy) };
	}
	return 0;
}

static void
number_word(struct words *w, struct bytes word)
{
	for (size_t i = 0; i < word.n; i++) {
		uint8_t *class = &w->class_of[lower(word.p[i])];

		if (*class == 0)
			*class = (uint8_t)w->classes++;
	}
}

/* Bytes that no word has are one class: class 0. Returns the words' bytes. */
static size_t
number_bytes(struct words *w)
{
	size_t bytes = 1;

	w->classes = 1;
	for (size_t i = 0; i < COUNT(builtin); i++) {
		number_word(w, bytes_of(builtin[i].text));
		bytes += strlen(builtin[i].text);
	}
	for (size_t i = 0; i < w->keywords_n; i++) {
		number_word(w, w->keywords[i]);
		bytes += w->keywords[i].n;
	}
	for (int c = 'A'; c <= 'Z'; c++)
		w->class_of[c] = w->class_of[c | 0x20];
	return bytes;
}

/* The state in which the word has been read. */
static uint16_t
plant(struct words *w, struct bytes word)
{
	uint16_t at = 0;

	for (size_t i = 0; i < word.n; i++) {
		uint16_t *to =
		    &w->next[at * w->classes + w->class_of[word.p[i]]];

		if (*to == 0)
			*to = (uint16_t)w->states++;
		at = *to;
	}
	return at;
}

static void
plant_keyword(struct words *w, size_t i)
{
	uint16_t *at = &w->keyword[plant(w, w->keywords[i])];

	w->same[i] = *at;
	*at = (uint16_t)(i + 1);
}

/* Breadth first: what a state lacks is what its suffix has. */
static void
complete(struct words *w)
{
	uint16_t *queue = calloc(w->states, sizeof(*queue));
	size_t head = 0, tail = 0;

	must(queue != NULL);
	queue[tail++] = 0;
	while (head < tail) {
		uint16_t at = queue[head++];

		for (size_t c = 0; c < w->classes; c++) {
			uint16_t *to = &w->next[at * w->classes + c];
			uint16_t other =
			    at == 0 ? 0 : w->next[w->fail[at] * w->classes + c];

			if (*to == 0) {
				*to = other;
				continue;
			}
			w->fail[*to] = other;
			queue[tail++] = *to;
		}
	}
	free(queue);
}

static bool
ends_any(const struct words *w, uint16_t state)
{
	for (; state != 0; state = w->fail[state])
		if (w->word[state] != 0 || w->keyword[state] != 0)
			return true;
	return false;
}

static void
mark_ends(struct words *w)
{
	uint8_t *ends = calloc(w->states, 1);

	must(ends != NULL);
	for (size_t s = 0; s < w->states; s++)
		ends[s] = ends_any(w, (uint16_t)s);
	for (size_t i = 0; i < w->states * w->classes; i++)
		if (ends[w->next[i]])
			w->next[i] |= ENDS;
	free(ends);
}

struct words *
words_new(const char *const *keywords, size_t n, struct err *e)
{
	struct words *w = calloc(1, sizeof(*w));
	size_t bytes;

	must(w != NULL);
	if (take_keywords(w, keywords, n, e) < 0)
		goto free_words;
	bytes = number_bytes(w);
	must(bytes <= STATES_MAX);
	w->next = calloc(bytes * w->classes, sizeof(*w->next));
	w->word = calloc(bytes, sizeof(*w->word));
	w->keyword = calloc(bytes, sizeof(*w->keyword));
	w->same = calloc(w->keywords_n + 1, sizeof(*w->same));
	w->fail = calloc(bytes, sizeof(*w->fail));
	must(w->next != NULL && w->word != NULL && w->keyword != NULL &&
	    w->same != NULL && w->fail != NULL);
	w->states = 1;
	for (size_t i = 0; i < COUNT(builtin); i++)
		w->word[plant(w, bytes_of(builtin[i].text))] =
		    (uint16_t)(i + 1);
	for (size_t i = 0; i < w->keywords_n; i++)
		plant_keyword(w, i);
	complete(w);
	mark_ends(w);
	return w;

free_words:
	words_free(w);
	return NULL;
}

void
words_free(struct words *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < w->keywords_n; i++)
		free((void *)(uintptr_t)w->keywords[i].p);
	free(w->keywords);
	free(w->next);
	free(w->word);
	free(w->keyword);
	free(w->same);
	free(w->fail);
	free(w);
}

/* An ASCII word is one: no letter before it (but "userName"), and a short one
 * has none behind it either. */
static bool
has_borders(const struct word *word, size_t n, struct bytes text, size_t end)
{
	size_t begin = end - n;
	bool camel = begin > 0 && begin < text.n && text.p[begin - 1] >= 'a' &&
	    text.p[begin] <= 'Z';

	if (!is_letter((uint8_t)word->text[0]) || n >= FREE_LETTERS)
		return true;
	if (begin > 0 && is_letter(text.p[begin - 1]) && !camel)
		return false;
	return end >= text.n || !is_letter(text.p[end]);
}

static void
tell(const struct words *w, uint16_t state, struct bytes text, size_t end,
    struct words_sink *sink)
{
	bool told = false;

	for (; state != 0; state = w->fail[state]) {
		const struct word *word;
		size_t n;

		for (size_t k = w->keyword[state]; k != 0; k = w->same[k - 1])
			sink->keyword(sink, k - 1);
		if (w->word[state] == 0 || told)
			continue;
		word = &builtin[w->word[state] - 1];
		n = strlen(word->text);
		if (!has_borders(word, n, text, end))
			continue;
		told = true;
		sink->found(sink,
		    (struct word_hit){ end, (uint8_t)n, (uint8_t)word->class });
	}
}

void
words_run(const struct words *w, uint16_t *state, struct bytes text,
    size_t from, size_t to, struct words_sink *sink)
{
	uint16_t at = *state;

	for (size_t i = from; i < to; i++) {
		at = w->next[at * w->classes + w->class_of[text.p[i]]];
		if (at & ENDS) {
			at &= ENDS - 1;
			tell(w, at, text, i + 1, sink);
		}
	}
	*state = at;
}
