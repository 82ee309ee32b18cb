/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "filters/dlp/check.h"
#include "filters/dlp/words.h"
#include "proxy/base/file.h"
#include "proxy/isolation/loading.h"

#define FILE_SIZE_MAX ((size_t)1 << 30)
#define ZEROS_MAX 3
#define MARKER_MIN                                                \
	6 /* bytes: less stands in what has nothing to do with it \
	   */

struct entry {
	const char *name, *system, *owner;
	struct texts numbers, markers, files;
};

const struct setting leak_canary_table[] = {
	SETTING_TEXT_ROW(entry, name, NULL, 1, 64,
	    "Its name, which stands in the log and in incidents instead of"
	    " what it is.",
	    "名前。ログと事案には中身の代わりにこれだけが出る。"),
	SETTING(entry, numbers, TEXTS, 0, 1, LEAK_ITEMS_MAX,
	    "Individual numbers of nobody, twelve digits: one with a wrong"
	    " check digit is nobody's for sure.",
	    "実在しない個人番号（12 桁）。検査用数字を誤らせたものなら誰の番号"
	    "でもない。"),
	SETTING(entry, markers, TEXTS, 0, 1, LEAK_ITEMS_MAX,
	    "Words that stand nowhere else, such as a made-up name or address:"
	    " 6 to 64 bytes. Capitals and widths do not matter.",
	    "ほかのどこにも現れない語（架空の氏名・住所など。6 から 64 "
	    "バイト）。"
	    "大文字と小文字、全角と半角は区別しない。"),
	SETTING(entry, files, TEXTS, 0, 1, LEAK_ITEMS_MAX,
	    "Files that nobody sends: their SHA-256 (64 hexadecimal digits),"
	    " or where they are.",
	    "誰も送らないはずのファイル。SHA-256（16 進 64 桁）またはパス。"),
	SETTING_TEXT_ROW(entry, system, "", 0, 64,
	    "The system in which it was laid: it is suspended when the canary"
	    " is seen. Empty: none is, a person decides.",
	    "これを置いたシステム。見つかったときに停止する。空なら停止せず、"
	    "人が決める。"),
	SETTING_TEXT_ROW(entry, owner, NULL, 1, 128,
	    "Who laid it and answers for it.", "置いた人（責任者）。"),
};
const size_t leak_canary_table_n = COUNT(leak_canary_table);

/* Times and small numbers stand everywhere. */
static int
check_number(const char *text, const config_setting_t *where, struct err *e)
{
	const uint8_t *digits = (const uint8_t *)text;
	size_t n = strspn(text, "0123456789");

	if (n != INDIVIDUAL_DIGITS || text[n] != '\0')
		return setting_error(where, e,
		    "numbers has what is no number of twelve digits, expected"
		    " one such as \"123456789012\"");
	return check_is_time(digits, n) || strspn(text, "0") > ZEROS_MAX
	    ? setting_error(where, e,
		  "numbers has one that is a date and a time, or begins with"
		  " more than %d zeros, expected another",
		  ZEROS_MAX)
	    : 0;
}

static int
check_marker(const char *text, const config_setting_t *where, struct err *e)
{
	size_t n = strlen(text);

	return n >= MARKER_MIN && n <= WORD_BYTES_MAX &&
		bytes_trim(bytes_of(text)).n == n
	    ? 0
	    : setting_error(where, e,
		  "markers has one of %zu bytes, or with blanks around it,"
		  " expected %d to %d",
		  n, MARKER_MIN, WORD_BYTES_MAX);
}

static int
hash_rest(int fd, EVP_MD_CTX *c, const char *path, struct err *e)
{
	static uint8_t piece[65536];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) > 0)
		must(EVP_DigestUpdate(c, piece, (size_t)n) == 1);
	return n < 0 ? err_set(e, "%s: %m", path) : 0;
}

static int
hash_file(const char *path, uint8_t out[MODEL_DIGEST_N], struct err *e)
{
	int fd = file_open(path, FILE_SIZE_MAX, e);
	EVP_MD_CTX *c;
	int result;

	if (fd < 0)
		return -1;
	c = EVP_MD_CTX_new();
	must(c != NULL && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1);
	result = hash_rest(fd, c, path, e);
	must(EVP_DigestFinal_ex(c, out, NULL) == 1);
	EVP_MD_CTX_free(c);
	close(fd);
	return result;
}

static int
read_file(struct loading *l, const char *text, const uint8_t **out,
    const config_setting_t *where, struct err *e)
{
	uint8_t *digest = arena_alloc(l->arena, MODEL_DIGEST_N);
	struct err why = { 0 };

	*out = digest;
	if (bytes_unhex(bytes_of(text), digest, MODEL_DIGEST_N) == 0 ||
	    hash_file(loading_path(l, text), digest, &why) == 0)
		return 0;
	return setting_error(where, e,
	    "files has \"%.100s\", expected 64 hexadecimal digits (its"
	    " SHA-256) or a file: %s",
	    text, why.text);
}

/* What two have in common would be told of one alone. */
static bool
is_same(const struct dlp_canary *a, const struct dlp_canary *b)
{
	if (a->number != NULL && b->number != NULL)
		return strcmp(a->number, b->number) == 0;
	if (a->marker != NULL && b->marker != NULL)
		return strcasecmp(a->marker, b->marker) == 0;
	return a->digest != NULL && b->digest != NULL &&
	    memcmp(a->digest, b->digest, MODEL_DIGEST_N) == 0;
}

static int
add_item(struct isolation_model *m, struct dlp_canary item, const char *key,
    const config_setting_t *where, struct err *e)
{
	for (size_t i = 0; i < m->leak_items_n; i++)
		if (is_same(&m->leak_items[i], &item))
			return setting_error(where, e,
			    "%s has what \"%s\" has too, expected each once",
			    key, m->leak_items[i].name);
	if (m->leak_items_n == DLP_CANARIES_MAX)
		return setting_error(where, e,
		    "more than %d numbers, markers and files of canaries",
		    DLP_CANARIES_MAX);
	if (item.marker != NULL)
		m->leak_words_n += strchr(item.marker, ' ') == NULL ? 1 : 3;
	if (m->leak_words_n > WORDS_MAX)
		return setting_error(where, e,
		    "markers of canaries are more than %d words, of which one"
		    " with a blank is three",
		    WORDS_MAX);
	m->leak_items[m->leak_items_n++] = item;
	return 0;
}

enum item_kind {
	ITEM_NUMBER,
	ITEM_MARKER,
	ITEM_FILE,
};

static int
read_item(struct loading *l, enum item_kind kind, const char *name,
    const char *text, const config_setting_t *where, struct err *e)
{
	static const char *const keys[] = { "numbers", "markers", "files" };
	struct dlp_canary item = { .name = name };
	int result = 0;

	switch (kind) {
	case ITEM_NUMBER:
		item.number = text;
		result = check_number(text, where, e);
		break;
	case ITEM_MARKER:
		item.marker = text;
		result = check_marker(text, where, e);
		break;
	case ITEM_FILE:
		result = read_file(l, text, &item.digest, where, e);
		break;
	}
	return result < 0 ? -1 : add_item(l->model, item, keys[kind], where, e);
}

static int
read_items(struct loading *l, const struct entry *entry, struct err *e)
{
	const struct texts *lists[] = { &entry->numbers, &entry->markers,
		&entry->files };
	int all = 0;

	for (size_t k = 0; k < COUNT(lists); k++)
		for (size_t i = 0; i < lists[k]->n; i++)
			if (err_take(&all,
				read_item(l, (enum item_kind)k, entry->name,
				    lists[k]->p[i],
				    config_setting_get_elem(
					lists[k]->where, (unsigned)i),
				    e),
				e) < 0)
				return -1;
	return all;
}

static int
check_twin(const struct isolation_model *m, const struct leak_canary *c,
    const config_setting_t *group, struct err *e)
{
	for (size_t i = 0; i < m->leak_canaries_n; i++)
		if (strcmp(m->leak_canaries[i].name, c->name) == 0)
			return setting_error(group, e,
			    "canary \"%s\" is there twice, first at %s:%u",
			    c->name, m->leak_canaries[i].source.file,
			    m->leak_canaries[i].source.line);
	return 0;
}

static int
read_canary(struct loading *l, const config_setting_t *group, struct err *e)
{
	struct isolation_model *m = l->model;
	struct leak_canary *c = &m->leak_canaries[m->leak_canaries_n];
	struct entry entry = { 0 };

	if (setting_load(leak_canary_table, leak_canary_table_n, group, &entry,
		l->arena, e) < 0 ||
	    check_name(entry.name, group, e) < 0 ||
	    check_words("owner", entry.owner, group, e) < 0)
		return -1;
	*c = (struct leak_canary){
		.name = entry.name,
		.owner = entry.owner,
		.source = loading_source(l, group),
	};
	if (entry.system[0] != '\0')
		c->system = isolation_system(m, bytes_of(entry.system));
	if (entry.system[0] != '\0' && c->system == NULL)
		return setting_error(group, e,
		    "system is \"%s\", expected a name of systems",
		    entry.system);
	if (entry.numbers.n + entry.markers.n + entry.files.n == 0)
		return setting_error(group, e,
		    "canary \"%s\" has nothing to be known by, expected"
		    " numbers, markers or files",
		    entry.name);
	if (check_twin(m, c, group, e) < 0 || read_items(l, &entry, e) < 0)
		return -1;
	m->leak_canaries_n++;
	return 0;
}

int
leaks_load(struct loading *l, const config_setting_t *root, struct err *e)
{
	struct isolation_model *m = l->model;
	const config_setting_t *list;
	int all = 0;
	size_t n;

	if (read_list(root, "leak_canaries", DLP_CANARIES_MAX, &list, &n, e) <
	    0)
		return -1;
	m->leak_canaries = ARENA_ARRAY(l->arena, struct leak_canary, n);
	m->leak_items = ARENA_ARRAY(
	    l->arena, struct dlp_canary, n == 0 ? 0 : DLP_CANARIES_MAX);
	for (size_t i = 0; i < n; i++)
		if (err_take(&all,
			read_canary(
			    l, config_setting_get_elem(list, (unsigned)i), e),
			e) < 0)
			return -1;
	return all;
}

const struct leak_canary *
isolation_leak_canary(const struct isolation_model *m, struct bytes name)
{
	for (size_t i = 0; i < m->leak_canaries_n; i++)
		if (bytes_equal(bytes_of(m->leak_canaries[i].name), name))
			return &m->leak_canaries[i];
	return NULL;
}
