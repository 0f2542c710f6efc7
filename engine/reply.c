/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replies, built straight into the session's output buffer.
 *
 * I1. An error reply means that the handler has emitted nothing.
 * I2. What a reply depends on (c->gate) is the dispatcher's business, not ours:
 *     bytes here have no gate of their own.
 */
#include "engine/reply.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "engine/cmd.h"
#include "engine/config.h"

#define BULK_SIZE_MIN 6 /* "$0", CRLF twice */

/* sign, digits and CRLF of a header such as "*3" */
static void put_header(struct buf *out, char sign, uint64_t n)
{
	uint8_t *p = buf_reserve(out, NUM_I64_SIZE + 3);
	size_t size = 1;

	p[0] = (uint8_t)sign;
	if (n < 10)
		p[size++] = (uint8_t)('0' + n);
	else
		size += num_format_u64((char *)p + 1, n);
	p[size++] = '\r';
	p[size++] = '\n';
	out->size += size;
}

void reply_ok(struct cmd *c)
{
	buf_put(c->out, "+OK\r\n", 5);
}

void reply_simple(struct cmd *c, const char *text)
{
	buf_put_byte(c->out, '+');
	buf_put_str(c->out, text);
	buf_put(c->out, "\r\n", 2);
}

void reply_i64(struct cmd *c, int64_t v)
{
	uint8_t *p = buf_reserve(c->out, NUM_I64_SIZE + 3);
	size_t size = 1;

	p[0] = ':';
	if (v >= 0 && v < 10)
		p[size++] = (uint8_t)('0' + v);
	else
		size += num_format_i64((char *)p + 1, v);
	p[size++] = '\r';
	p[size++] = '\n';
	c->out->size += size;
}

void reply_bulk(struct cmd *c, struct slice s)
{
	uint8_t *p = buf_reserve(c->out, s.size + NUM_I64_SIZE + 5);
	size_t size = 1;

	p[0] = '$';
	size += num_format_u64((char *)p + 1, s.size);
	p[size++] = '\r';
	p[size++] = '\n';
	if (s.size)
		memcpy(p + size, s.data, s.size);
	size += s.size;
	p[size++] = '\r';
	p[size++] = '\n';
	c->out->size += size;
}

void reply_bulk_str(struct cmd *c, const char *s)
{
	reply_bulk(c, slice_str(s));
}

void reply_bulk_i64(struct cmd *c, int64_t v)
{
	char text[NUM_I64_SIZE];

	reply_bulk(c, slice_of(text, num_format_i64(text, v)));
}

void reply_bulk_printf(struct cmd *c, const char *format, ...)
{
	char text[1024];
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	assert(size >= 0 && (size_t)size < sizeof(text));
	reply_bulk(c, slice_of(text, (size_t)size));
}

void reply_null(struct cmd *c)
{
	if (c->session->protocol == 3)
		buf_put(c->out, "_\r\n", 3);
	else
		buf_put(c->out, "$-1\r\n", 5);
}

void reply_null_array(struct cmd *c)
{
	if (c->session->protocol == 3)
		buf_put(c->out, "_\r\n", 3);
	else
		buf_put(c->out, "*-1\r\n", 5);
}

void reply_array(struct cmd *c, size_t count)
{
	put_header(c->out, '*', count);
}

void reply_map(struct cmd *c, size_t pairs)
{
	if (c->session->protocol == 3)
		put_header(c->out, '%', pairs);
	else
		put_header(c->out, '*', 2 * pairs);
}

void reply_set(struct cmd *c, size_t count)
{
	put_header(c->out, c->session->protocol == 3 ? '~' : '*', count);
}

/* A number that is no integer, as its text. */
static void put_real(struct cmd *c, struct slice text)
{
	if (c->session->protocol != 3) {
		reply_bulk(c, text);
		return;
	}
	buf_put_byte(c->out, ',');
	buf_put_slice(c->out, text);
	buf_put(c->out, "\r\n", 2);
}

void reply_double(struct cmd *c, double v)
{
	char text[NUM_DOUBLE_SIZE];

	put_real(c, slice_of(text, num_format_double(text, v)));
}

void reply_decimal(struct cmd *c, long double v)
{
	char text[NUM_LONG_DOUBLE_SIZE];

	put_real(c, slice_of(text, num_format_long_double(text, v)));
}

void reply_bool(struct cmd *c, bool v)
{
	if (c->session->protocol == 3)
		buf_put(c->out, v ? "#t\r\n" : "#f\r\n", 4);
	else
		reply_i64(c, v);
}

void reply_verbatim(struct cmd *c, const char *format, struct slice s)
{
	assert(strlen(format) == 3);
	if (c->session->protocol != 3) {
		reply_bulk(c, s);
		return;
	}
	put_header(c->out, '=', s.size + 4);
	buf_put(c->out, format, 3);
	buf_put_byte(c->out, ':');
	buf_put_slice(c->out, s);
	buf_put(c->out, "\r\n", 2);
}

void reply_bulk_begin(struct cmd *c, uint64_t size)
{
	put_header(c->out, '$', size);
}

void reply_raw(struct cmd *c, struct slice piece)
{
	buf_put_slice(c->out, piece);
}

void reply_bulk_end(struct cmd *c)
{
	buf_put(c->out, "\r\n", 2);
}

/* INFO errorstats: one counter per first word. */
static void count_error(struct engine *e, const char *text)
{
	size_t size = strcspn(text, " ");
	unsigned i;

	e->stats.error_replies++;
	if (size >= sizeof(e->errors[0].code))
		size = sizeof(e->errors[0].code) - 1;
	for (i = 0; i < ERROR_COUNTS_MAX; i++) {
		struct error_count *n = &e->errors[i];

		if (n->count == 0) {
			memcpy(n->code, text, size);
			n->code[size] = 0;
		}
		if (strlen(n->code) == size &&
		    memcmp(n->code, text, size) == 0) {
			n->count++;
			return;
		}
	}
}

void reply_error(struct cmd *c, const char *text)
{
	assert(c->emitted == 0); /* I1 */
	assert(text[0] != '-');

	c->failed = true;
	count_error(c->engine, text);
	buf_put_byte(c->out, '-');
	for (; *text; text++) {
		uint8_t b = (uint8_t)*text;

		buf_put_byte(c->out, b == '\r' || b == '\n' ? ' ' : b);
	}
	buf_put(c->out, "\r\n", 2);
}

void reply_errorf(struct cmd *c, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	reply_error(c, text);
}

bool reply_fits(struct cmd *c, uint64_t count)
{
	uint64_t hard = c->engine->config->output_normal.hard;

	if (hard == 0 || count <= hard / BULK_SIZE_MIN)
		return true;
	reply_error(c, "ERR value is out of range: the reply would be longer "
		       "than client-output-buffer-limit");
	return false;
}

void reply_wrong_type(struct cmd *c)
{
	reply_error(c, "WRONGTYPE Operation against a key holding the wrong "
		       "kind of value");
}

void reply_syntax_error(struct cmd *c)
{
	reply_error(c, "ERR syntax error");
}

void reply_not_integer(struct cmd *c)
{
	reply_error(c, "ERR value is not an integer or out of range");
}

void reply_wrong_arity(struct cmd *c)
{
	reply_errorf(c, "ERR wrong number of arguments for '%s' command",
		     c->command->name);
}

void reply_suppress(struct session *s, size_t start)
{
	if (s->flags & (SESSION_REPLY_OFF | SESSION_REPLY_SKIP))
		s->out->size = start;
	s->flags &= ~(uint32_t)SESSION_REPLY_SKIP;
	if (s->flags & SESSION_REPLY_SKIP_NEXT) {
		s->flags &= ~(uint32_t)SESSION_REPLY_SKIP_NEXT;
		s->flags |= SESSION_REPLY_SKIP;
	}
}
