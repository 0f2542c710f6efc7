/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two parsers.  resp_parse_ahead knows one shape and gives up on anything
 * else without a trace; resp_parse knows everything, resumes anywhere and is
 * the one that says what is wrong.
 *
 * P1. start <= at <= scanned or scanned == 0; all are <= the buffer's size.
 * P2. Arguments in args lie between start and at.
 * P3. A number that a client names allocates nothing: args grows as arguments
 *     arrive, the buffer as bytes arrive.
 */
#include "net/resp.h"

#include "base/mem.h"
#include "base/num.h"

#include <assert.h>
#include <stdio.h>

#define AHEAD_BULK_MAX 99999 /* five digits */

/* --- ahead ---------------------------------------------------------------- */

static inline bool is_crlf(const uint8_t *p)
{
	static const uint8_t crlf[2] = "\r\n";

	return memcmp(p, crlf, 2) == 0; /* one comparison of 16 bits */
}

/* One to five digits and CRLF; NULL if there is anything else, also behind a
 * leading 0.  Sizes of one and two digits are nearly all there are. */
static inline const uint8_t *ahead_size(const uint8_t *p, const uint8_t *end,
					size_t *out)
{
	unsigned value, digit, i;

	if (end - p < 8)
		return NULL;
	value = (unsigned)(p[0] - '0');
	if (value > 9)
		return NULL;
	if (is_crlf(p + 1)) {
		*out = value;
		return p + 3;
	}
	for (i = 1; i < 5 && value; i++) {
		digit = (unsigned)(p[i] - '0');
		if (digit > 9)
			return NULL;
		value = value * 10 + digit;
		if (is_crlf(p + i + 1)) {
			*out = value;
			return p + i + 3;
		}
	}
	return NULL;
}

unsigned resp_parse_ahead(struct slice in, size_t *at, struct slice *argv,
			  unsigned room)
{
	const uint8_t *p = in.data + *at, *end = in.data + in.size;
	size_t count, size, i;

	if (end - p < 8 || *p != '*')
		return 0;
	p = ahead_size(p + 1, end, &count);
	if (p == NULL || count == 0 || count > RESP_AHEAD_ARGS || count > room)
		return 0;
	for (i = 0; i < count; i++) {
		if (p == end || *p != '$')
			return 0;
		/* Behind the digits come at least the CRLF of an empty
		 * string; so 8 bytes are always there if it is whole, but
		 * for "$0\r\n\r\n" and "$1\r\nx\r\n" at the very end. */
		if (end - p >= 9) {
			p = ahead_size(p + 1, end, &size);
			if (p == NULL)
				return 0;
		} else {
			if (end - p < 6 || p[2] != '\r' || p[3] != '\n')
				return 0;
			size = (size_t)(p[1] - '0');
			p += 4;
			if (size > 9)
				return 0;
		}
		if ((size_t)(end - p) < size + 2)
			return 0;
		argv[i] = (struct slice){ p, size };
		p += size + 2;
	}
	*at = (size_t)(p - in.data);
	return (unsigned)count;
}

/* --- arguments ------------------------------------------------------------ */

static void args_add(struct resp_args *args, const uint8_t *data, size_t size)
{
	if (args->count == args->capacity) {
		args->capacity = args->capacity ? args->capacity * 2 : 16;
		args->list = mem_realloc_array(args->list, args->capacity,
					       sizeof(*args->list));
	}
	args->list[args->count++] = (struct slice){ data, size };
}

void resp_args_copy(struct resp_args *args, const struct slice *argv,
		    unsigned argc)
{
	unsigned i;

	for (i = 0; i < argc; i++)
		args_add(args, argv[i].data, argv[i].size);
}

void resp_args_release(struct resp_args *args)
{
	mem_free(args->list);
	*args = (struct resp_args){ 0 };
}

void resp_moved(struct resp_args *args, const uint8_t *from, const uint8_t *to)
{
	unsigned i;

	for (i = 0; i < args->count; i++)
		args->list[i].data = to + (args->list[i].data - from);
}

void resp_dropped(struct resp *r, size_t n)
{
	assert(r->start >= n);
	r->start -= n;
	r->at -= n;
	r->scanned = r->scanned > n ? r->scanned - n : 0;
}

size_t resp_wants(const struct resp *r, size_t size)
{
	size_t whole;

	if (!r->in_bulk)
		return 0;
	whole = r->at + r->bulk_size + 2;
	return whole > size ? whole - size : 0;
}

/* --- errors --------------------------------------------------------------- */

static enum resp_result fail(struct resp_input *in, const char *what)
{
	snprintf(in->error, sizeof(in->error), "ERR Protocol error: %s", what);
	return RESP_ERROR;
}

/* --- inline --------------------------------------------------------------- */

static uint8_t unescape(uint8_t c)
{
	switch (c) {
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	case 'b': return '\b';
	case 'a': return '\a';
	default: return c;
	}
}

/* A quoted part: p is behind the opening quote.  Writes its bytes to *to and
 * returns what is behind the closing one; NULL if it is missing or followed by
 * something other than a blank. */
static const uint8_t *unquote(const uint8_t *p, const uint8_t *end,
			      uint8_t **to, uint8_t quote)
{
	uint8_t *out = *to;

	for (; p < end && *p != quote; p++) {
		if (*p != '\\' || end - p < 2) {
			*out++ = *p;
		} else if (quote == '\'') {
			if (p[1] == '\'')
				p++;
			*out++ = *p;
		} else if (p[1] == 'x' && end - p >= 4 &&
			   ascii_hex(p[2]) >= 0 && ascii_hex(p[3]) >= 0) {
			*out++ = (uint8_t)(ascii_hex(p[2]) * 16 +
					   ascii_hex(p[3]));
			p += 3;
		} else {
			*out++ = unescape(*++p);
		}
	}
	if (p == end || (end - p > 1 && !ascii_blank(p[1])))
		return NULL;
	*to = out;
	return p + 1;
}

/* Splits a line into args, unquoting in place.  False: quotes do not match. */
static bool split_line(uint8_t *line, size_t size, struct resp_args *args)
{
	const uint8_t *p = line, *end = line + size;
	uint8_t *start, *to;

	for (;;) {
		while (p < end && ascii_blank(*p))
			p++;
		if (p == end)
			return true;
		start = to = line + (p - line);
		while (p != NULL && p < end && !ascii_blank(*p)) {
			if (*p == '"' || *p == '\'')
				p = unquote(p + 1, end, &to, *p);
			else
				*to++ = *p++;
		}
		if (p == NULL)
			return false;
		args_add(args, start, (size_t)(to - start));
	}
}

/* HTTP sent here by a browser that somebody tricked into it. */
static bool is_attack(const struct resp_args *args)
{
	return slice_is(args->list[0], "post") ||
	       slice_is(args->list[0], "host:");
}

/* Finds the byte that ends a line, at or behind r->at, or remembers how far
 * it has looked. */
static const uint8_t *find_end(struct resp *r, const struct resp_input *in,
			       int byte)
{
	size_t from = r->scanned > r->at ? r->scanned : r->at;
	const uint8_t *found;

	found = from < in->size
			? memchr(in->data + from, byte, in->size - from)
			: NULL;
	r->scanned = found ? 0 : in->size;
	return found;
}

static enum resp_result parse_inline(struct resp *r, struct resp_input *in,
				     struct resp_args *args)
{
	const uint8_t *end = find_end(r, in, '\n'), *nul;
	uint8_t *line = in->data + r->at;
	size_t size;

	size = end ? (size_t)(end - line) : in->size - r->at;
	if (size > RESP_INLINE_MAX)
		return fail(in, "too big inline request");
	if (end == NULL)
		return RESP_MORE;
	r->at += size + 1;
	if (size && line[size - 1] == '\r')
		size--;
	nul = memchr(line, 0, size);
	if (nul)
		size = (size_t)(nul - line);
	if (!split_line(line, size, args))
		return fail(in, "unbalanced quotes in request");
	if (args->count && is_attack(args))
		return RESP_ATTACK;
	return RESP_COMMAND;
}

/* --- arrays --------------------------------------------------------------- */

/* The number of a header line behind its first byte.  RESP_COMMAND: it is in
 * *out, or is none (*valid); r->at is behind the line. */
static enum resp_result parse_header(struct resp *r, struct resp_input *in,
				     int64_t *out, bool *valid)
{
	const uint8_t *line = in->data + r->at;
	const uint8_t *end = find_end(r, in, '\r');

	if (end == NULL || (size_t)(end - in->data) + 2 > in->size) {
		r->scanned = end ? (size_t)(end - in->data) : r->scanned;
		return in->size - r->at > RESP_INLINE_MAX ? RESP_ERROR
							  : RESP_MORE;
	}
	/* not even the first byte: the line is empty */
	*valid = end > line &&
		 num_parse_i64(slice_of(line + 1, (size_t)(end - line) - 1),
			       out);
	r->at = (size_t)(end - in->data) + 2;
	r->scanned = 0;
	return RESP_COMMAND;
}

/* "*3\r\n".  RESP_COMMAND: r->left is set (0: an empty array). */
static enum resp_result parse_count(struct resp *r, struct resp_input *in)
{
	int64_t count = 0;
	bool valid = false;
	enum resp_result result = parse_header(r, in, &count, &valid);

	if (result == RESP_ERROR)
		return fail(in, "too big mbulk count string");
	if (result != RESP_COMMAND)
		return result;
	if (!valid || count > RESP_ARGS_MAX)
		return fail(in, "invalid multibulk length");
	if (count > RESP_ARGS_MAX_UNAUTHENTICATED && !in->limits->authenticated)
		return fail(in, "unauthenticated multibulk length");
	r->left = count > 0 ? (uint32_t)count : 0;
	return RESP_COMMAND;
}

/* "$3\r\n" */
static enum resp_result parse_size(struct resp *r, struct resp_input *in)
{
	int64_t size = 0;
	bool valid = false;
	enum resp_result result;
	char text[32];
	uint8_t first;

	if (r->at == in->size)
		return RESP_MORE;
	/* The line must be whole before its first byte is judged: that is
	 * what clients were seen to rely on. */
	first = in->data[r->at];
	result = parse_header(r, in, &size, &valid);
	if (result == RESP_ERROR)
		return fail(in, "too big bulk count string");
	if (result != RESP_COMMAND)
		return result;
	if (first != '$') {
		snprintf(text, sizeof(text), "expected '$', got '%c'",
			 first >= 0x20 && first < 0x7f ? first : '?');
		return fail(in, text);
	}
	if (!valid || size < 0 || (uint64_t)size > in->limits->bulk_max)
		return fail(in, "invalid bulk length");
	if (size > RESP_BULK_MAX_UNAUTHENTICATED && !in->limits->authenticated)
		return fail(in, "unauthenticated bulk length");
	r->bulk_size = (size_t)size;
	r->in_bulk = true;
	return RESP_COMMAND;
}

static enum resp_result parse_bulks(struct resp *r, struct resp_input *in,
				    struct resp_args *args)
{
	enum resp_result result;

	while (r->left) {
		if (!r->in_bulk) {
			result = parse_size(r, in);
			if (result != RESP_COMMAND)
				return result;
		}
		if (in->size - r->at < r->bulk_size + 2)
			return RESP_MORE;
		args_add(args, in->data + r->at, r->bulk_size);
		r->at += r->bulk_size + 2;
		r->in_bulk = false;
		r->left--;
	}
	return RESP_COMMAND;
}

enum resp_result resp_parse(struct resp *r, struct resp_input *in,
			    struct resp_args *args)
{
	enum resp_result result;

	assert(r->start <= r->at && r->at <= in->size);
	for (;;) {
		if (r->left) {
			result = parse_bulks(r, in, args);
		} else if (r->at == in->size) {
			return RESP_MORE;
		} else if (in->data[r->at] == '*') {
			result = parse_count(r, in);
			if (result == RESP_COMMAND && r->left)
				continue;
		} else {
			result = parse_inline(r, in, args);
		}
		if (result != RESP_COMMAND)
			return result;
		r->start = r->at;
		if (args->count)
			return RESP_COMMAND;
		/* An empty line or array is no command: go on. */
	}
}
