/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: requests, cut at any place.
 *
 * The same bytes parsed in one piece and in pieces must give the same
 * commands; arguments must lie inside the buffer.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/checksum.h"
#include "net/resp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What came of parsing: the commands' hash and how it ended. */
struct outcome {
	uint64_t hash;
	enum resp_result last;
};

static void take_command(struct outcome *o, const struct resp_args *args,
			 const struct buf *b)
{
	unsigned i;

	o->hash = chain_hash(o->hash, args->count);
	for (i = 0; i < args->count; i++) {
		struct slice a = args->list[i];

		if (a.size && (a.data < b->data ||
			       a.data + a.size > b->data + b->size))
			abort();
		o->hash = content_hash(a.data, a.size, o->hash);
	}
}

/* Feeds `step` bytes at a time (0: all at once) from a buffer that moves with
 * every growth. */
static struct outcome feed(const uint8_t *data, size_t size, size_t step,
			   const struct resp_limits *limits)
{
	struct outcome o = { 1, RESP_MORE };
	struct resp_args args = { 0 };
	struct resp r = { 0 };
	struct buf b = { 0 };
	size_t given = 0;

	while (given < size &&
	       (o.last == RESP_MORE || o.last == RESP_COMMAND)) {
		size_t n = step && step < size - given ? step : size - given;
		struct buf moved = { 0 };
		struct resp_input in;

		buf_put_slice(&moved, buf_slice(&b));
		buf_put(&moved, data + given, n);
		given += n;
		if (b.data)
			resp_moved(&args, b.data, moved.data);
		buf_release(&b);
		b = moved;
		in = (struct resp_input){ b.data, b.size, limits, { 0 } };
		while ((o.last = resp_parse(&r, &in, &args)) == RESP_COMMAND) {
			take_command(&o, &args, &b);
			args.count = 0;
		}
	}
	buf_release(&b);
	resp_args_release(&args);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct resp_limits limits = { .bulk_max = 512u << 20 };
	struct outcome whole, pieces;

	if (size < 2 || size > 4096)
		return 0;
	limits.authenticated = data[0] & 1;
	whole = feed(data + 2, size - 2, 0, &limits);
	pieces = feed(data + 2, size - 2, data[1] % 16 + 1u, &limits);
	if (whole.hash != pieces.hash || whole.last != pieces.last)
		abort();
	return 0;
}
