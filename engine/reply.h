/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replies in RESP2 and RESP3, appended to the session's output.
 * https://redis.io/docs/latest/develop/reference/protocol-spec/
 *
 * Aggregates are announced with their exact length and then filled.  RESP3
 * types degrade to their RESP2 form by themselves: a map is an array of twice
 * the length, a double a bulk string, null as the caller's protocol has it.
 */
#ifndef REDOUBT_ENGINE_REPLY_H
#define REDOUBT_ENGINE_REPLY_H

#include "base/buf.h"

struct cmd;
struct session;

/* One reply each, in the form of the connection's protocol; c keeps nothing
 * of what it is given. */
void reply_ok(struct cmd *c);
void reply_simple(struct cmd *c, const char *text);
void reply_i64(struct cmd *c, int64_t v);
void reply_bulk(struct cmd *c, struct slice s);
void reply_bulk_str(struct cmd *c, const char *s);
void reply_bulk_i64(struct cmd *c, int64_t v);
void reply_bulk_printf(struct cmd *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Null: "$-1" or "_"; null array: "*-1" or "_". */
void reply_null(struct cmd *c);
void reply_null_array(struct cmd *c);
void reply_array(struct cmd *c, size_t count);
void reply_map(struct cmd *c, size_t pairs);
void reply_set(struct cmd *c, size_t count);
void reply_double(struct cmd *c, double v);
/* With every digit (num_format_long_double). */
void reply_decimal(struct cmd *c, long double v);
void reply_bool(struct cmd *c, bool v); /* :1/:0 or #t/#f */
/* format is three letters, "txt". RESP2: bulk. */
void reply_verbatim(struct cmd *c, const char *format, struct slice s);

/* Announces a bulk of size bytes that the caller appends with reply_raw (in
 * pieces), then reply_bulk_end. */
void reply_bulk_begin(struct cmd *c, uint64_t size);
void reply_raw(struct cmd *c, struct slice piece);
void reply_bulk_end(struct cmd *c);

/* CLIENT REPLY: drops what was written to s->out since start, if this reply is
 * not wanted; a reply is over. */
void reply_suppress(struct session *s, size_t start);

/* "-" text CRLF; text begins with its code ("ERR …"). Control bytes become
 * spaces. Asserts that the handler has emitted nothing; counts for INFO. */
void reply_error(struct cmd *c, const char *text);
void reply_errorf(struct cmd *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Whether a reply of so many bulk strings, which may be short, can be within
 * client-output-buffer-limit; else an error has been replied. For counts that a
 * client names and nothing else bounds. */
bool reply_fits(struct cmd *c, uint64_t count);

/* The errors everybody uses. */
void reply_wrong_type(struct cmd *c);
void reply_syntax_error(struct cmd *c);
void reply_not_integer(struct cmd *c);
void reply_wrong_arity(struct cmd *c);

#endif
