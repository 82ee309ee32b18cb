/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspect: what the rules want looked for in an exchange: in its query, in what
 * goes up before the origin is asked, in what comes down before the client has
 * it. Inside HTTP alone.
 */
#pragma once

#include "proxy/base/stage.h"
#include "proxy/http/exchange.h"

/* The stage behind the policy: waits for as much of the request's body as is
 * kept back. */
enum stage_answer exchange_inspect(void *job);

/* Whether the host's name may be asked for: a CONNECT's leaves in questions of
 * DNS and in TLS before there is a request. Else the decision blocks. */
bool inspect_name(struct exchange *x) MUST_CHECK;

/* Of the request's body, while exchange.content_up is there. The exchange may
 * be over when they return. */
void inspect_request_body(struct exchange *x, struct bytes b);
void inspect_request_end(
    struct exchange *x, const struct field *trailers, size_t n);
/* What may go to the origin now, and as much as it takes; its end too. */
void inspect_send_up(struct exchange *x);

/* Leaves out of the request what would keep the answer from being read. */
void inspect_ask(struct exchange *x);

/* A final head, settled; whether the head may go on: else what there was to do
 * is done, or begins with the body. */
bool inspect_answer(struct exchange *x);
/* Of the answer's body, while exchange.content_down is there. */
void inspect_answer_body(struct exchange *x, struct bytes b);
void inspect_answer_end(
    struct exchange *x, const struct field *trailers, size_t n);
void inspect_send_down(struct exchange *x);

/* For who looks into something else of the exchange. */
struct content_order inspect_order(
    struct exchange *x, const struct message *m, bool leaves);
bool inspect_asks_for(const struct exchange *x, enum inspection_kind kind);
/* Whether any keeps back what leaves until it is judged. */
bool inspect_stops(const struct exchange *x);
/* The most that what leaves may be kept back for. */
size_t inspect_hold_max(const struct exchange *x);
/* The file's name: as its answer declares it, else of the path (guessed). */
struct bytes inspect_file_name(struct exchange *x, bool *guessed_out);
/* Fields that are not sent on. */
void inspect_leave_out(struct message *m, enum field_id id);
void inspect_leave_out_named(struct message *m, struct bytes name);
/* Whether a field is of the bytes as they came: digests. */
bool inspect_describes_coding(const struct field *f);
/* What goes up instead stands in exchange.content_up. */
void inspect_replaced_up(struct exchange *x);
/* Whether what a file of the request says may leave: its texts in UTF-8, as
 * media_type. Else the exchange is refused. */
bool inspect_file(
    struct exchange *x, struct bytes texts, struct bytes media_type) MUST_CHECK;
/* A line for each find; way: where. */
void inspect_record(struct exchange *x, const char *way, struct content *c);
/* The decision becomes that of the strictest find, which blocks. */
void inspect_blame(struct exchange *x, struct content *c);

/* Tells the journal what was found, once, and frees. */
void inspect_end(struct exchange *x);
