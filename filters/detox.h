/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detox: one object, whole, goes in; what was rebuilt of it comes out, with a
 * report of what was left out and where. It is the one interface of all
 * formats: each rebuilds by allowlist, so that what it does not know is not in
 * what it writes. Containers give what they hold to detox_inside, under one
 * budget.
 *
 * It runs in a process that has this object and nothing else (proxy/detox), and
 * may crash there. What comes out depends on the object, its names and the
 * profile alone: no clock, no chance, no addresses of memory.
 */
#pragma once

#include "filters/magic/magic.h"
#include "proxy/base/arena.h"
#include "proxy/base/buf.h"
#include "proxy/base/err.h"

/* What is left out: a name for programs, words in Japanese and English. */
#define DETOX_REMOVALS(R)                                                   \
	R(MACRO, "macro", "マクロ", "macro")                                \
	R(SCRIPT, "script", "スクリプト", "script")                         \
	R(ACTION, "action", "自動で動く操作", "action that runs by itself") \
	R(ACTIVEX, "activex", "ActiveX コントロール", "ActiveX control")    \
	R(OBJECT, "object", "埋め込みオブジェクト", "embedded object")      \
	R(FILE, "file", "埋め込みファイル", "embedded file")                \
	R(PROGRAM, "program", "プログラム", "program")                      \
	R(EXTERNAL, "external", "外部への参照", "reference to the outside") \
	R(LINK, "link", "危険なリンク", "dangerous link")                   \
	R(FIELD, "field", "命令フィールド", "field that runs a command")    \
	R(FORMULA, "formula", "危険な数式", "dangerous formula")            \
	R(CONNECTION, "connection", "データ接続", "data connection")        \
	R(FORM, "form", "送信フォーム", "form that sends")                  \
	R(MEDIA, "media", "音声・動画", "sound or video")                   \
	R(METADATA, "metadata", "作成者などの情報", "metadata")             \
	R(PREVIEW, "preview", "縮小画像", "thumbnail")                      \
	R(CUSTOM, "custom", "独自データ", "custom data")                    \
	R(SIGNATURE, "signature", "電子署名",                               \
	    "signature that no longer holds")                               \
	R(PRINTER, "printer", "印刷設定", "printer settings")               \
	R(HIDDEN, "hidden", "制御文字", "hidden or control characters")     \
	R(TRAILING, "trailing", "余分なデータ",                             \
	    "data before or after the file")                                \
	R(UNKNOWN, "unknown", "未知の部品", "part of no known kind")        \
	R(DAMAGED, "damaged", "壊れた部品", "damaged part")                 \
	R(LOCKED, "locked", "パスワードが要る項目",                         \
	    "item that needs a password")                                   \
	R(REFUSED, "refused", "無害化できない項目",                         \
	    "item that cannot be rebuilt")                                  \
	R(FONT, "font", "埋め込みフォント", "embedded font")                \
	R(STYLE, "style", "危険な書式", "dangerous style")                  \
	R(NAME, "name", "危険な名前", "dangerous name")

/* Why nothing comes out. */
#define DETOX_REFUSALS(R)                                                      \
	R(BROKEN, "broken", "壊れています", "it is broken")                    \
	R(TYPE, "type", "無害化できない種類です",                              \
	    "its type cannot be made harmless")                                \
	R(PROGRAM, "program", "プログラムです", "it is a program")             \
	R(DISAGREES, "disagrees", "名前と中身が合いません",                    \
	    "name and content disagree")                                       \
	R(ENCRYPTED, "encrypted", "暗号化されています", "it is encrypted")     \
	R(POLICY, "policy", "方針により通せません", "policy refuses its type") \
	R(HELD, "held", "方針により保留します", "policy holds its type")       \
	R(SIZE, "size", "大きすぎます", "it is too large")                     \
	R(BOMB, "bomb", "展開すると大きすぎます", "it unpacks to too much")    \
	R(ENTRIES, "entries", "項目が多すぎます", "it has too many entries")   \
	R(DEPTH, "depth", "入れ子が深すぎます", "it is nested too deeply")     \
	R(PIXELS, "pixels", "画像が大きすぎます", "an image is too large")     \
	R(PATH, "path", "項目の名前が危険です",                                \
	    "an entry has a dangerous name")                                   \
	R(DUPLICATE, "duplicate", "項目が重複しています",                      \
	    "entries have the same name")                                      \
	R(SPLIT, "split", "分割されています", "it is one of several volumes")  \
	R(ENTITY, "entity", "XML の実体宣言があります",                        \
	    "its XML declares a document type")                                \
	R(POLYGLOT, "polyglot", "別の種類のファイルにも見えます",              \
	    "it is of two types at once")                                      \
	R(MEMORY, "memory", "必要なメモリが多すぎます",                        \
	    "it needs too much memory")                                        \
	R(MALWARE, "malware", "マルウェアが見つかりました",                    \
	    "a scanner found malware")                                         \
	R(SCANNER, "scanner", "ウイルス検査ができませんでした",                \
	    "a scanner did not answer")                                        \
	R(DEADLINE, "deadline", "時間がかかりすぎます", "it takes too long")   \
	R(CRASHED, "crashed", "無害化の処理が止まりました",                    \
	    "the process that rebuilt it ended")                               \
	R(FORGED, "forged", "無害化の報告が正しくありません",                  \
	    "the report on it is not valid")                                   \
	R(BUSY, "busy", "混み合っています", "too many are being rebuilt")

#define DETOX_REMOVAL_ENUM(id, name, ja, en) REMOVED_##id,
#define DETOX_REFUSAL_ENUM(id, name, ja, en) REFUSED_##id,
enum detox_removal {
	DETOX_REMOVALS(DETOX_REMOVAL_ENUM) DETOX_REMOVAL_KINDS
};
enum detox_refusal {
	REFUSED_NOT,
	DETOX_REFUSALS(DETOX_REFUSAL_ENUM) DETOX_REFUSAL_KINDS
};

struct detox_words {
	const char *name;
	const char *text[2]; /* by enum language */
};
extern const struct detox_words detox_removal_words[DETOX_REMOVAL_KINDS];
extern const struct detox_words detox_refusal_words[DETOX_REFUSAL_KINDS];

/* Whether a reader may miss what was left out; what every rebuilding leaves out
 * is not of that kind. */
bool detox_is_missed(enum detox_removal what);

/* What a profile does with a type. */
enum detox_treatment {
	DETOX_REFUSE = 0,
	DETOX_HOLD, /* refused, for a person to decide */
	DETOX_PASS, /* as it is, and the report says so */
	DETOX_REBUILD,
};

enum detox_links {
	DETOX_LINKS_NONE = 0,
	DETOX_LINKS_WEB, /* http, https, mailto, and places inside */
};

/* What becomes of the pages that mails show. */
enum detox_mail_html {
	DETOX_MAIL_TEXT = 0,
	DETOX_MAIL_SANITISE,
};

/* What becomes of a mail of which a part cannot be kept. */
enum detox_mail_left_out {
	DETOX_MAIL_REFUSE = 0,
	DETOX_MAIL_NOTE, /* a text in the part's place says so */
};

/* Bytes; what unpacks to no more packs as well as it likes: an empty drawing of
 * 1.3 MB becomes an eight-hundredth. */
#define DETOX_ANY_RATIO_MAX ((uint64_t)4 << 20)

struct detox_profile {
	const char *name;
	enum detox_treatment treatment[MAGIC_TYPES];
	enum detox_links links;
	bool keep_metadata; /* titles, authors, dates, where a picture was made
			     */
	bool to_text;       /* of what has text, nothing else is kept */
	bool strict;        /* rebuild too what is only rarely an attack: fonts,
			     * pictures inside documents */
	bool must_agree;    /* refuse what name and content disagree on */
	uint64_t in_max;    /* bytes of the object */
	uint64_t out_max;   /* bytes of what comes out */
	uint64_t tree_max;  /* bytes of all that is unpacked, together */
	unsigned ratio_max; /* bytes unpacked for one packed, of an entry */
	unsigned entries_max; /* of all containers together */
	unsigned depth_max;   /* objects within objects; the first is 1 */
	uint64_t pixels_max;  /* of one picture, all frames together */
	unsigned frames_max;
	enum detox_mail_html mail_html;
	enum detox_mail_left_out mail_left_out;
	bool mail_notice; /* the mail itself tells what was taken out */
	unsigned mail_parts_max;
	unsigned mail_fields_max; /* of one header */
};

/* "standard": what can be rebuilt is, links of the web stay, metadata goes; all
 * else is refused. */
void detox_profile_init(struct detox_profile *p);

#define DETOX_PASSWORDS_MAX 16
#define DETOX_PASSWORD_MAX 255 /* bytes */

/* What may open encrypted objects, in UTF-8; secret, and never empty. */
struct detox_passwords {
	struct bytes all[DETOX_PASSWORDS_MAX];
	size_t n;
};

/* What a mail says that may be the password of another; as secret. */
#define DETOX_HINTS_MAX 8
#define DETOX_HINT_MIN 4
#define DETOX_HINT_MAX 64 /* bytes */
struct detox_hints {
	char text[DETOX_HINTS_MAX][DETOX_HINT_MAX + 1];
	size_t n;
};

/* Who opens it. */
enum detox_place {
	DETOX_FILE = 0,
	DETOX_ATTACHED, /* a part of a mail, which a reader may show */
	DETOX_SHOWN,    /* one that asks to be shown */
};

struct detox_object {
	struct bytes content;
	struct bytes name;     /* as declared, UTF-8; empty: none */
	struct bytes declared; /* media type; empty: none */
	enum detox_place place;
};

/* By content; but what is handed over as message/rfc822 is a mail, whatever it
 * begins with, and so is a text of the name of one. */
enum magic_type detox_type_of(const struct detox_object *o);

struct detox_output {
	struct buf content;    /* limited to the profile's out_max */
	const char *extension; /* "docx"; NULL: the object's own. Static */
	enum detox_refusal left_out; /* by detox_inside: why it was */
};

/* The refusing value is 0; *d says why. */
enum detox_result {
	DETOX_REFUSED = 0,
	DETOX_REBUILT,
};

struct detox;

struct detox_format {
	const char *name; /* "pdf" */
	uint64_t types;   /* MAGIC_BIT of each that it takes */
	/* Which of those; NULL: all. The first row that takes it has it. */
	bool (*takes)(const struct detox_object *o);
	enum detox_result (*rebuild)(struct detox *d,
	    const struct detox_object *o, struct detox_output *out);
	uint64_t out_types; /* what may come out; else it is refused */
	/* Warms what a library opens, or allocates once, before the process
	 * loses files. NULL: nothing. 0, or -1 and *e. */
	int (*prepare)(struct err *e);
};
/* filters/formats.c; ends with NULL. */
extern const struct detox_format *const detox_formats[];

#define DETOX_WHERE_MAX 256
#define DETOX_DIGEST_SIZE 32
#define DETOX_ROWS_MAX 256

struct detox_row {
	enum detox_removal what;
	uint32_t count;
	bool has_digest;
	uint8_t digest[DETOX_DIGEST_SIZE]; /* SHA-256 of what was taken out */
	char where[DETOX_WHERE_MAX];       /* "a.zip: word/vbaProject.bin" */
};

/* One job. What a format may use of it: profile, arena, and the functions
 * below; the rest is theirs. */
struct detox {
	const struct detox_profile *profile;
	const struct detox_passwords *passwords; /* NULL: none */
	struct arena arena;                      /* ends with the job */
	const char *inside; /* where the present object is; "" at the top */
	const char *format; /* of the first object */
	enum magic_type type;
	const char *disagrees; /* how name and content do; NULL: they do not */
	const char *subject;   /* of a mail, in one line of UTF-8; NULL: none */
	struct detox_hints hints;
	unsigned depth;
	unsigned locked; /* objects that a password would open */
	unsigned opened; /* that one did */
	unsigned entries;
	uint64_t unpacked;
	uint64_t text_in, text_out;
	enum detox_refusal refusal;
	char why[DETOX_WHERE_MAX];
	struct detox_row rows[DETOX_ROWS_MAX];
	size_t rows_n;
	uint32_t rows_left_out;
};

/* Once a process, before it enters its sandbox. 0, or -1 and *e. */
int detox_prepare(struct err *e) MUST_CHECK;
void detox_init(struct detox *d, const struct detox_profile *p);
void detox_release(struct detox *d);
/* The first object. out is made here; the caller releases its content. */
enum detox_result detox_run(struct detox *d, const struct detox_object *o,
    struct detox_output *out) MUST_CHECK;

/* For formats. */

/* The object's rebuilding ends here: why, for an administrator, in English,
 * plain ASCII of our own words (names from the file are in d->inside). The
 * first refusal stays. Gives DETOX_REFUSED. */
enum detox_result detox_refuse(struct detox *d, enum detox_refusal r,
    const char *format, ...) PRINTF_LIKE(3, 4);
/* The object would open with a password, and with none that the job has; what:
 * "a document". Gives DETOX_REFUSED (ENCRYPTED). */
enum detox_result detox_locked(struct detox *d, const char *what);
/* What came of opening the present object, in its place: of one of these types,
 * or it is refused. */
enum detox_result detox_opened(struct detox *d, const struct detox_object *o,
    uint64_t types, struct detox_output *out) MUST_CHECK;
/* A thing was left out. where: a part, page or place inside the object; NULL:
 * the object itself. content: its bytes, for the digest; empty: none. The same
 * thing at the same place without content is counted. */
void detox_removed(struct detox *d, enum detox_removal what, const char *where,
    struct bytes content);
/* SHA-256. */
void detox_digest(struct bytes content, uint8_t digest[DETOX_DIGEST_SIZE]);
/*
 * An object within the present one, at `where`. Its content counts as unpacked
 * (do not call detox_unpacked for it too). DETOX_REFUSED: it cannot be kept;
 * when detox_is_over the whole job is refused, else `where` has to be left out
 * and was already reported. The caller releases out->content in any case.
 */
enum detox_result detox_inside(struct detox *d, const char *where,
    const struct detox_object *o, struct detox_output *out) MUST_CHECK;
/* A limit of the whole job was passed, or another refusal of all. */
bool detox_is_over(const struct detox *d);
/* Before n bytes are unpacked from `packed`: DETOX_REFUSED when they are more
 * than may be. packed 0: not known. Call it again as more comes of a stream. */
enum detox_result detox_unpacked(struct detox *d, uint64_t n, uint64_t packed)
    MUST_CHECK;
/* Before an entry of a container is looked at. */
enum detox_result detox_entry(struct detox *d) MUST_CHECK;
/* Before a picture's pixels are decoded; sizes as the file says them. */
enum detox_result detox_pixels(struct detox *d, uint64_t width, uint64_t height,
    uint64_t frames) MUST_CHECK;
/* Characters of text that were there, and that stayed. */
void detox_text(struct detox *d, uint64_t in, uint64_t out);
/* Appends to the output; DETOX_REFUSED at its limit. */
enum detox_result detox_put(
    struct detox *d, struct detox_output *out, struct bytes b) MUST_CHECK;
/* Whether the profile lets a document keep a link to this address: of the web,
 * or a place inside ("#..."). Blanks and controls within a scheme do not hide
 * it. */
bool detox_link_stays(const struct detox *d, struct bytes address);
/* Whether something by that name runs when it is opened on Windows. */
bool detox_name_runs(struct bytes name);
/* The part behind the last dot, without it; empty: none. Of the last part of a
 * path. */
struct bytes detox_extension(struct bytes name);
