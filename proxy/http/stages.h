/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stages: the stages of an exchange's two paths (exchange.c has the tables),
 * and what they share. Inside HTTP alone.
 */
#pragma once

#include "proxy/base/stage.h"
#include "proxy/http/exchange.h"

/* target.c */
enum stage_answer exchange_zone(void *job);
enum stage_answer exchange_target(void *job);
enum stage_answer connect_target(void *job);
enum stage_answer exchange_policy(void *job);
/* What the policy is asked. */
struct query exchange_query(const struct exchange *x);

/* inspect.c: reads the request's body, whatever it goes to. */
void exchange_ask_for_body(struct exchange *x);

/* connect.c */
enum stage_answer connect_policy(void *job);
enum stage_answer connect_open(void *job);
/* From here on bytes pass as they are. Reading may end the exchange. */
void exchange_pass_raw(struct exchange *x);

/* reach.c */
enum stage_answer exchange_upstream(void *job);
enum stage_answer exchange_relay(void *job);
/* The trailers without what the rules decide of fields. */
size_t exchange_sift_trailers(
    struct exchange *x, const struct field **trailers, size_t n);
/* Negotiate and NTLM authenticate the connection, not the request: it must
 * serve nobody else (RFC 4559 section 6). */
bool exchange_binds_connection(const struct message *m);
/* The client comes back with a connection that can be bound. */
enum stage_answer exchange_ask_for_one_at_a_time(struct exchange *x);
/* Of the request; replaces the first that it has, or is put before all. */
void exchange_set_field(struct exchange *x, enum field_id id, struct bytes name,
    struct bytes value);
/* What our clients say of themselves to us is not for origins, nor the other
 * way round. */
void exchange_drop_fields(struct message *m);

/* refusal.c: x->answer, x->why and what else the page tells. */
void exchange_page(struct exchange *x, unsigned status);
/* A page before the answer: another end than x->from takes that. */
void exchange_interlude(struct exchange *x, enum answer_kind kind);

/* exchange.c */
void exchange_walk(struct exchange *x);
/* The answer's head goes to the client; its end, and perhaps the exchange's. */
void exchange_begin_answer(struct exchange *x);
void exchange_end_answer(
    struct exchange *x, const struct field *trailers, size_t n);
/* Both ends go at once, the memory when our callers have returned. */
void exchange_finish(
    struct exchange *x, enum side_outcome from, enum side_outcome to);
/* For loop_defer: that memory. */
void exchange_release(void *owner);

static inline const struct limit_settings *
exchange_limits(const struct exchange *x)
{
	return &x->edge->settings->limits;
}

static inline void
exchange_deadline(struct exchange *x, uint64_t ms)
{
	x->from->type->deadline(x->from, ms);
}

static inline bool
exchange_is_method(const struct exchange *x, struct bytes method)
{
	return bytes_equal(x->request.method, method);
}
