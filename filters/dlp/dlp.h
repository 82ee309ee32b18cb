/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dlp: finds in text what must not leave: individual numbers, pension numbers,
 * cards, bank accounts, driver's licences, people in bulk, keywords, and what
 * was registered to be known again. Text comes in any pieces and is UTF-8;
 * memory per scan is fixed. What a number is, its check digit and its
 * surroundings decide (docs/DLP.md). A number itself is never given out: a
 * keyed hash, a count, and a context without digits are.
 */
#pragma once

#include <stdbool.h>

#include "proxy/base/bytes.h"
#include "proxy/base/err.h"

/* The first are in the order of enum word_class. */
enum dlp_kind {
	DLP_INDIVIDUAL = 0, /* 個人番号 */
	DLP_PENSION,        /* 基礎年金番号 */
	DLP_CARD,
	DLP_ACCOUNT,   /* 口座番号 */
	DLP_LICENCE,   /* 運転免許証の番号 */
	DLP_CORPORATE, /* 法人番号: public, counted so that it is nothing else
			*/
	DLP_RESIDENT, /* a record with name, birth date and address */
	DLP_KEYWORD,
	DLP_CANARY, /* what was registered: of no policy */
	DLP_KINDS,
};
#define DLP_POLICY_KINDS DLP_CANARY /* those before it */

enum dlp_verdict {
	DLP_BLOCK = 0,
	DLP_WARN,
	DLP_LOG,
	DLP_PASS,
};

const char *dlp_kind_name(enum dlp_kind k);
const char *dlp_verdict_name(enum dlp_verdict v);

#define DLP_KEY_MAX 64
#define DLP_HASH_BYTES 16
#define DLP_CONTEXT_MAX 160
#define DLP_FINDINGS_MAX 32

/* How many distinct ones make a verdict; 0: never. */
struct dlp_threshold {
	uint32_t log_at, warn_at, block_at;
};

#define DLP_CANARIES_MAX 256
#define DLP_NAME_MAX 64
#define DLP_DIGEST_BYTES 32

/* What is known again wherever it is seen; one of these. Several may have one
 * name. */
struct dlp_canary {
	const char *name;   /* 1 to DLP_NAME_MAX bytes, for reports */
	const char *number; /* 12 digits, whatever its check digit; or NULL */
	const char *marker; /* a word as a keyword is, or NULL */
	const uint8_t *digest; /* SHA-256 of a file, or NULL */
};

struct dlp_settings {
	struct dlp_threshold at[DLP_KINDS];
	/* From which confidence (0 to 100) one counts. */
	uint32_t confidence_min;
	/* So many valid ones without a word near them, hardly any invalid one
	 * among them, count too. */
	uint32_t density_min;
	/* Bytes of context on either side in a report; 0: none. */
	uint32_t context_bytes;
	const char *const *keywords;
	size_t keywords_n; /* with canaries' markers at most WORDS_MAX */
	const struct dlp_canary *canaries;
	size_t canaries_n; /* at most DLP_CANARIES_MAX */
	struct bytes key;  /* of the hashes; at most DLP_KEY_MAX bytes */
};

/* Values that were measured (docs/DLP.md); no key, no keywords. */
extern const struct dlp_settings dlp_defaults;

/* Settings made ready; many scans share them and must end first. NULL and *e:
 * a keyword or the key is too long. */
struct dlp_rules;
struct dlp_rules *dlp_rules_new(const struct dlp_settings *s, struct err *e)
    MUST_CHECK;
void dlp_rules_free(struct dlp_rules *r);
/* Another key, of DLP_KEY_MAX bytes at most, which is copied; before any scan.
 */
void dlp_rules_use_key(struct dlp_rules *r, struct bytes key);

struct dlp_count {
	enum dlp_verdict verdict;
	uint32_t distinct;   /* that count */
	uint32_t hits;       /* all places of these */
	uint32_t possible;   /* distinct, below confidence_min */
	uint32_t confidence; /* the highest, 0 to 100 */
	bool more; /* more distinct ones than a scan can tell apart: from there
		    * on each place counts */
};

struct dlp_finding {
	enum dlp_kind kind;
	uint32_t confidence, hits;
	/* HMAC-SHA256(key, kind ":" digits), cut. Of a keyword and a canary:
	 * nothing. */
	uint8_t hash[DLP_HASH_BYTES];
	/* What stands around the first place, its digits as "●"; of a keyword:
	 * the keyword; of a canary: its name. A string of whole UTF-8 signs as
	 * far as the text is. */
	char context[DLP_CONTEXT_MAX];
};

struct dlp_report {
	enum dlp_verdict verdict; /* the strictest of the kinds' */
	struct dlp_count kinds[DLP_KINDS];
	/* Those that count, the surest first, up to the array's end. */
	struct dlp_finding findings[DLP_FINDINGS_MAX];
	size_t findings_n;
	uint64_t bytes; /* looked at */
};

struct dlp;
struct dlp *dlp_new(const struct dlp_rules *r);
void dlp_feed(struct dlp *d, struct bytes text);
/*
 * Borders that containers know and text does not: between cells of a row,
 * between fields of a record, between records. dlp_feed takes them as bytes
 * too; what a peer sends as such changes borders alone.
 */
#define DLP_CELL 0x1f
#define DLP_FIELD 0x1e
#define DLP_RECORD 0x1d
void dlp_border(struct dlp *d, uint8_t border);
/* Whether there are canaries, which may stand anywhere. */
bool dlp_has_canaries(const struct dlp *d);
/* Whether canaries have files; and the digest of one, which text is not. */
bool dlp_wants_files(const struct dlp *d);
void dlp_file(struct dlp *d, const uint8_t digest[DLP_DIGEST_BYTES]);
/*
 * The strictest of what is certain by now. It looks at all that has come but
 * the last DLP_LAG bytes, on which what follows may throw another light. What
 * only the end can tell (many alike, a column of nothing else) is not in it.
 */
#define DLP_LAG 2048
enum dlp_verdict dlp_so_far(struct dlp *d);
/* How much came, as the scan counts it: DLP_LAG is measured in the same. */
uint64_t dlp_position(const struct dlp *d);
/* The end; the scan takes no more and can only be freed. */
void dlp_end(struct dlp *d, struct dlp_report *out);
/* Wipes all that it held. */
void dlp_free(struct dlp *d);
