/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An operation as a command.
 *
 * In a command, $k $K $L are the keys, $v $w $x the values, $a the amount,
 * $s the amount in seconds, $q in quarters, $d and $D the writer's
 * own two databases (this one and the other), $W the witness; $m the number of
 * a member, $i one more, $n one that was not there before; of a stream $N an ID
 * that was not there before, $J one from some time ago, $A and $B those of the
 * amounts; $g a group, $y a consumer, $t a time in the past, $p a producer, $u
 * its message; $$ a dollar.
 *
 * Several words: $R a run of elements, members with scores, or fields with
 * values, of which there are $c; $F a count and so many fields.
 */
#include "tests/torture/support/op_types.h"

#include <assert.h>
#include <inttypes.h>

static void put_argument(struct buf *out, struct slice s)
{
	buf_printf(out, "$%zu\r\n", s.size);
	buf_put_slice(out, s);
	buf_put(out, "\r\n", 2);
}

/* Signs that stand for several words. */
static const struct op_words {
	const char *sign;
	unsigned (*count)(const struct op *op);
	void (*put)(struct buf *out, const struct op *op, unsigned i);
} several[] = {
	{ "$R", op_run_words, op_put_run_word },
	{ "$F", op_field_words, op_put_field_word },
};

static const struct op_words *several_at(const char *word)
{
	for (unsigned i = 0; i < ARRAY_LEN(several); i++)
		if (strncmp(word, several[i].sign, 2) == 0)
			return &several[i];
	return NULL;
}

static void put_run(struct buf *out, const struct op *op,
		    const struct op_words *run)
{
	struct buf word = { 0 };

	for (unsigned i = 0; i < run->count(op); i++) {
		word.size = 0;
		run->put(&word, op, i);
		put_argument(out, buf_slice(&word));
	}
	buf_release(&word);
}

/* Some are long. */
static void put_message(struct buf *out, unsigned message)
{
	buf_printf(out, "m%0*u", message % 10 == 0 ? 300 : 1, message);
}

static void expand_stream(struct buf *out, const struct op *op, char c)
{
	switch (c) {
	case 'c': buf_printf(out, "%u", run_length(op)); break;
	case 'i': buf_printf(out, "%u", op_member(op) + 1); break;
	case 'g': buf_printf(out, "g%u", op_group(op)); break;
	case 'y': buf_printf(out, "c%u", op_consumer(op)); break;
	case 't': buf_printf(out, "%" PRId64, op_past(op)); break;
	case 'p': buf_printf(out, "p%u", op_producer(op)); break;
	case 'u': put_message(out, op_message(op)); break;
	case 'N': op_put_id(out, op_id(op, false)); break;
	case 'J': op_put_id(out, op_id(op, true)); break;
	case 'A': op_put_id(out, op->amount); break;
	case 'B': op_put_id(out, op->amount2); break;
	case '$': buf_put_byte(out, '$'); break;
	default: assert(!"a known letter");
	}
}

/* What stands for $c in a command. */
static void expand(struct buf *out, const struct op *op, unsigned writer,
		   char c)
{
	unsigned own = 2 * writer + op->db, other = 2 * writer + !op->db;

	switch (c) {
	case 'k': model_key_name(out, writer, op->key); break;
	case 'K': model_key_name(out, writer, op->key2); break;
	case 'L': model_key_name(out, writer, op->key3); break;
	case 'v': model_value(out, op->number, op->size); break;
	case 'w': model_value(out, op->number + 1, op->size); break;
	case 'x': model_value(out, op->number + 2, op->size); break;
	case 'a': buf_printf(out, "%" PRId64, op->amount); break;
	case 's': buf_printf(out, "%" PRId64, op->amount / 1000); break;
	case 'q': buf_printf(out, "%.2f", (double)op->amount / 4); break;
	case 'd': buf_printf(out, "%u", own); break;
	case 'D': buf_printf(out, "%u", other); break;
	case 'W': buf_printf(out, "w%u", writer); break;
	case 'n': buf_printf(out, "%" PRIu64, op->number); break;
	case 'm': buf_printf(out, "%u", op_member(op)); break;
	default: expand_stream(out, op, c);
	}
}

void op_encode(struct buf *out, struct op *op, unsigned writer,
	       unsigned *selected)
{
	const struct op_row *row = op_row_of(op);
	unsigned db = row->family == WITNESS ? WITNESS_DB :
					       2 * writer + op->db;
	const char *from = row->command;
	const struct op_words *run;
	struct buf word = { 0 };
	unsigned words = 1;

	op->replies = 1;
	if (*selected != db) {
		buf_printf(out, "*2\r\n$6\r\nSELECT\r\n$%d\r\n%u\r\n",
			   db < 10 ? 1 : 2, db);
		*selected = db;
		op->replies = 2;
	}
	for (const char *p = from; *p; p++) {
		run = several_at(p);
		words += *p == ' ';
		words += run ? run->count(op) - 1 : 0;
	}
	buf_printf(out, "*%u\r\n", words);
	for (; *from; from += *from == ' ') {
		run = several_at(from);
		if (run) {
			put_run(out, op, run);
			from += 2;
			continue;
		}
		word.size = 0;
		for (; *from && *from != ' '; from++) {
			if (*from == '$')
				expand(&word, op, writer, *++from);
			else
				buf_put_byte(&word, (uint8_t)*from);
		}
		put_argument(out, buf_slice(&word));
	}
	buf_release(&word);
}
