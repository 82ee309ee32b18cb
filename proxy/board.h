/* SPDX-License-Identifier: Apache-2.0 */
/*
 * board: one row of counters per process in memory shared by all, which
 * `sekishoctl status` reads and connection limits add up. Each process writes
 * its own row only; a row is cleared before its slot is used again.
 */
#pragma once

#include <stdatomic.h>
#include <stdio.h>
#include <sys/types.h>

#include "proxy/passes.h"
#include "proxy/zone/zone.h"

#define BOARD_SLOTS 256
#define BOARD_CLIENTS 65536 /* buckets of client addresses */

/* COUNTER(NAME, "name", English, Japanese) */
/* clang-format off */
#define COUNTERS(COUNTER)                                                      \
COUNTER(CONNECTIONS, "connections", "Client connections open now.",            \
    "現在の端末側接続数。")                                                    \
COUNTER(CONNECTIONS_TOTAL, "connections_total",                                \
    "Client connections accepted.", "受け付けた端末側接続数。")                \
COUNTER(CONNECTIONS_REFUSED, "connections_refused",                            \
    "Client connections refused by a limit or their PROXY header.",            \
    "上限または PROXY ヘッダーにより拒否した接続数。")                                  \
COUNTER(CONNECTIONS_ENDED, "connections_ended",                                \
    "HTTP/2 connections ended for what their client or origin sent.",          \
    "端末または宛先の送信内容により終了した HTTP/2 接続数。")                    \
COUNTER(EXCHANGES, "exchanges", "Requests received.", "受け取った要求数。")    \
COUNTER(BLOCKED, "blocked", "Requests blocked by policy or source.",  \
    "方針または接続元により遮断した要求数。")                                    \
COUNTER(WARNED, "warned", "Requests answered with a warning.",                 \
    "警告を返した要求数。")                                                     \
COUNTER(FOUND, "found", "Finds of inspections in bodies and queries.",         \
    "本文・クエリの検査で見つかった件数。")                                    \
COUNTER(TUNNELS, "tunnels", "Tunnels open now.", "現在のトンネル数。")         \
COUNTER(UPSTREAM_OPEN, "upstream_open", "Origin connections open now.",        \
    "現在の宛先側接続数。")                                                    \
COUNTER(UPSTREAM_TOTAL, "upstream_total", "Origin connections made.",          \
    "作成した宛先側接続数。")                                                  \
COUNTER(UPSTREAM_REUSED, "upstream_reused",                                    \
    "Requests sent over a kept origin connection.",                            \
    "既存の宛先側接続を再利用した要求数。")                                    \
COUNTER(UPSTREAM_FAILURES, "upstream_failures",                                \
    "Destinations not reached or not verified.",                               \
    "到達または検証に失敗した宛先の数。")                                      \
COUNTER(LEAVES_SIGNED, "leaves_signed", "Leaf certificates made.",             \
    "発行した証明書数。")                                                      \
COUNTER(HANDSHAKES, "handshakes", "TLS handshakes with clients.",              \
    "端末との TLS ハンドシェイク数。")                                         \
COUNTER(RESUMPTIONS, "resumptions", "TLS sessions resumed by clients.",        \
    "端末が再開した TLS セッション数。")                                       \
COUNTER(BYTES_UP, "bytes_up", "Bytes from clients to origins.",                \
    "端末から宛先への送信バイト数。")                                          \
COUNTER(BYTES_DOWN, "bytes_down", "Bytes from origins to clients.",            \
    "宛先から端末への送信バイト数。")                                          \
COUNTER(MAIL_SESSIONS, "mail_sessions", "SMTP connections open now.",            \
    "現在の SMTP 接続数。")                                                    \
COUNTER(MAIL_SESSIONS_TOTAL, "mail_sessions_total",                            \
    "SMTP connections accepted.", "受け付けた SMTP 接続数。")                  \
COUNTER(MAILS, "mails", "Mails received.", "受け取ったメール数。")             \
COUNTER(MAILS_CUT_THROUGH, "mails_cut_through",                                \
    "Mails delivered while the sender waited, never queued.",                  \
    "送信側を待たせたまま配送し、スプールに入れなかったメール数。")            \
COUNTER(MAILS_SPOOLED, "mails_spooled", "Mails that the spool took.",          \
    "スプールに入れたメール数。")                                              \
COUNTER(MAILS_DELIVERED, "mails_delivered", "Recipients delivered to.",        \
    "配送した宛先数。")                                                        \
COUNTER(MAILS_REFUSED, "mails_refused",                                        \
    "Mails refused after their content.", "本文の後に拒否したメール数。")      \
COUNTER(ORIGINALS_KEPT, "originals_kept",                                      \
    "Originals of mails kept in the store.", "保管したメールの原本の数。")     \
COUNTER(CROSSINGS, "crossings", "Crossings open now, by the gate.",            \
    "関門を通っている通過の数。")                                              \
COUNTER(CROSSINGS_TOTAL, "crossings_total", "Crossings that were opened.",     \
    "始まった通過の数。")                                                      \
COUNTER(CROSSINGS_REFUSED, "crossings_refused",                                \
    "Connections that the gate refused.", "関門が拒否した接続の数。")          \
COUNTER(LOG_LINES, "log_lines", "Journal lines written.",                      \
    "書き込んだログ行数。")                                                    \
COUNTER(LOG_DROPPED, "log_dropped", "Journal lines lost to a full queue.",     \
    "待ち行列の満杯で失われたログ行数。")
/* clang-format on */

enum counter {
#define COUNTER_ENUM(symbol, name, en, ja) COUNTER_##symbol,
	COUNTERS(COUNTER_ENUM)
#undef COUNTER_ENUM
	COUNTER_COUNT
};

struct board_row {
	_Atomic pid_t pid; /* 0: free */
	char process[32];
	_Atomic uint32_t generation;
	_Atomic uint32_t draining;
	_Atomic uint64_t started; /* seconds since 1970 */
	_Atomic uint64_t counters[COUNTER_COUNT];
	_Atomic uint32_t bodies[BODIES_MAX];     /* connections of each body */
	_Atomic uint16_t clients[BOARD_CLIENTS]; /* of each address bucket */
};

/* What the parent says of separated systems, as JSON; written in the half that
 * is not read. */
#define BOARD_SEPARATION_MAX 8192
struct board_separation {
	_Atomic uint32_t turn;
	char texts[2][BOARD_SEPARATION_MAX];
};

struct board {
	uint64_t key;                /* of the address hash, random at start */
	_Atomic uint32_t generation; /* the one in force */
	_Atomic uint64_t reloads, reloads_refused;
	struct passes passes;
	struct board_separation separation;
	struct board_row rows[BOARD_SLOTS];
};

/* Shared, zeroed memory, inherited by forks. NULL and *e on failure. */
struct board *board_new(struct err *e) MUST_CHECK;
void board_free(struct board *b);
/* Of its memory, in bytes. */
size_t board_size(void);
/* Clears the row for a process that is about to start in it. */
void board_row_clear(struct board_row *r);

/* The calling process's own row, set once after the fork. */
void board_own(struct board_row *r);
void counter_add(enum counter c, uint64_t n);
void counter_sub(enum counter c, uint64_t n);
uint64_t counter_sum(const struct board *b, enum counter c);
const char *counter_name(enum counter c);
/* Prints the table of counters as Markdown; language "ja" or "en". */
void board_manual(FILE *out, const char *language);

/* The parent's; what is too long is left out, as "". */
void board_say_separation(struct board *b, struct bytes json);
const char *board_separation(const struct board *b);

/* Connection limits, exact over all processes; an address shares its bucket
 * with one in 65,536 others. */
unsigned board_client_connections(
    const struct board *b, const struct address *client);
unsigned board_body_connections(const struct board *b, unsigned body);
void board_connected(
    struct board *b, const struct address *client, unsigned body);
void board_disconnected(
    struct board *b, const struct address *client, unsigned body);
