/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: requests, cut at any place.
 *
 * The same bytes parsed in one piece and in pieces, with what is done dropped
 * from the buffer, must give the same commands; arguments must lie inside the
 * buffer; and what the quick parser takes the full one sees as well.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/checksum.h"
#include "net/resp.h"

#define INPUT_MAX 4096
#define LONG_LINE (RESP_INLINE_MAX + 64)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What came of parsing: the commands' hash and how it ended. */
struct outcome {
	uint64_t hash;
	enum resp_result last;
};

/* A parser with a buffer that moves at every growth. */
struct feed {
	struct resp r;
	struct resp_args args;
	struct buf b;
	struct outcome o;
	const struct resp_limits *limits;
};

static void take_command(struct feed *f)
{
	struct outcome *o = &f->o;
	unsigned i;

	o->hash = chain_hash(o->hash, f->args.count);
	for (i = 0; i < f->args.count; i++) {
		struct slice a = f->args.list[i];

		if (a.size && (a.data < f->b.data ||
			       a.data + a.size > f->b.data + f->b.size))
			abort();
		o->hash = content_hash(a.data, a.size, o->hash);
	}
}

/* What the quick parser makes of the command at r.at. */
static unsigned look_ahead(struct feed *f, struct slice *argv)
{
	size_t at = f->r.at;

	if (f->r.start != at || f->r.scanned || f->r.left)
		return 0;
	return resp_parse_ahead(buf_slice(&f->b), &at, argv, RESP_AHEAD_ARGS);
}

static void parse_some(struct feed *f)
{
	struct resp_input in = { f->b.data, f->b.size, f->limits, { 0 } };
	struct slice argv[RESP_AHEAD_ARGS];

	for (;;) {
		unsigned ahead = look_ahead(f, argv);

		f->o.last = resp_parse(&f->r, &in, &f->args);
		if (f->o.last == RESP_ERROR && !in.error[0])
			abort();
		if (f->o.last != RESP_COMMAND)
			break;
		take_command(f);
		if (ahead && (ahead != f->args.count ||
			      !slice_equal(argv[ahead - 1],
					   f->args.list[ahead - 1])))
			abort();
		f->args.count = 0;
	}
	if (f->o.last == RESP_MORE && resp_wants(&f->r, f->b.size) >
					      f->limits->bulk_max + 2)
		abort();
}

static void grow(struct feed *f, const uint8_t *data, size_t size)
{
	size_t drop = f->r.start;
	struct buf moved = { 0 };

	buf_put(&moved, f->b.data ? f->b.data + drop : NULL, f->b.size - drop);
	buf_put(&moved, data, size);
	if (f->b.data)
		resp_moved(&f->args, f->b.data + drop, moved.data);
	resp_dropped(&f->r, drop);
	buf_release(&f->b);
	f->b = moved;
}

/* Feeds `step` bytes at a time. */
static struct outcome feed(const uint8_t *data, size_t size, size_t step,
			   const struct resp_limits *limits)
{
	struct feed f = { .o = { 1, RESP_MORE }, .limits = limits };
	size_t given = 0;

	while (given < size && f.o.last == RESP_MORE) {
		size_t n = step < size - given ? step : size - given;

		grow(&f, data + given, n);
		given += n;
		parse_some(&f);
	}
	buf_release(&f.b);
	resp_args_release(&f.args);
	return f.o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct resp_limits limits = { .bulk_max = 512u << 20 };
	struct outcome whole, pieces;
	struct resp_args copy = { 0 };
	struct slice word = slice_of(data, 1);
	struct buf input = { 0 };
	size_t step;

	if (size < 2 || size > INPUT_MAX)
		return 0;
	buf_put(&input, data + 2, size - 2);
	limits.authenticated = data[0] & 1;
	step = data[1] % 16 + 1u;
	if (data[0] > 0xfd && data[1] == 0xa5) { /* too long a line: rare */
		memset(buf_reserve(&input, LONG_LINE), data[size - 1],
		       LONG_LINE);
		input.size += LONG_LINE;
		step *= LONG_LINE / 8;
	}
	whole = feed(input.data, input.size, input.size, &limits);
	pieces = feed(input.data, input.size, step, &limits);
	if (whole.hash != pieces.hash || whole.last != pieces.last)
		abort();
	resp_args_copy(&copy, &word, 1);
	resp_args_release(&copy);
	buf_release(&input);
	return 0;
}
