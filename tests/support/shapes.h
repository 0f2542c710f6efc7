/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random write commands of every type, for tests that care about what is
 * stored and not about the reply: the four roads, crash enumeration, fuzzing.
 *
 * A key is "k<number>"; each family of values has `keys` numbers of its own,
 * so that collections grow, and now and then a command meets a key of another
 * type.  A new command is one row of shapes.c; a new family, one number more.
 */
#ifndef REDOUBT_TESTS_SUPPORT_SHAPES_H
#define REDOUBT_TESTS_SUPPORT_SHAPES_H

#include "base/buf.h"

#define SHAPE_FAMILIES 7 /* strings, lists, sets, zsets, hashes, streams, hll */
#define SHAPE_WORDS_MAX 4096

struct shape_maker {
	/* A number below n, and what it gets. */
	uint64_t (*below)(void *ctx, uint64_t n);
	void *ctx;
	unsigned keys;    /* of a family */
	unsigned members; /* different ones, of a collection */
	unsigned run_max; /* members in one command, seldom */
	size_t size_max;  /* of a value */
	uint64_t now_ms;
};

/* How many shapes there are, and one as it is written in the table. */
unsigned shape_count(void);
const char *shape_text(unsigned shape);

/* Puts a random command, words separated by single blanks, a 0 behind it;
 * line is emptied before.  The number of its shape. */
unsigned shape_put(const struct shape_maker *m, struct buf *line);

/* Splits a line into at most SHAPE_WORDS_MAX words; how many. */
unsigned shape_split(const char *line, struct slice *words);

#endif
