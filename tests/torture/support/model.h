/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a store must hold after a crash, by the memory of who wrote to it.
 *
 * A writer owns two databases with 88 keys each and sends operations that are
 * defined in every state.  A model is the state of its keys; model_exec makes
 * an operation happen in it and says what the reply must be.  After a crash
 * the store must equal the model after the first j operations, for one j that
 * is not below the number of acknowledged ones.
 *
 * The models know nothing of the product: an oracle of its own.
 */
#ifndef REDOUBT_TESTS_TORTURE_SUPPORT_MODEL_H
#define REDOUBT_TESTS_TORTURE_SUPPORT_MODEL_H

#include "base/buf.h"

#define WRITERS_MAX 7
#define WITNESS_DB 14 /* key w<writer>: a counter that only its owner moves */
#define DATABASES 16

/* Keys of one database by what is done to them. */
enum key_range {
	STRING_FIRST = 0,
	NUMBER_FIRST = 40,
	FLOAT_FIRST = 48,
	LIST_FIRST = 52,
	SET_FIRST = 56,
	ZSET_FIRST = 60,
	HASH_FIRST = 64,
	STREAM_FIRST = 68,
	HLL_FIRST = 72,
	SHORT_FIRST = 76, /* live for some milliseconds */
	MODEL_KEYS = 88,
};

struct entry {
	bool present;
	struct buf value;
	struct buf side;  /* deadlines of fields; groups of a stream */
	struct buf marks; /* of a stream's messages */
	int64_t deadline_low; /* ms; 0: none. The server's clock decides, */
	int64_t deadline_high; /* so a relative one is known as a range */
};

struct model {
	unsigned writer;
	struct entry entries[2][MODEL_KEYS];
	int64_t witness; /* 0: absent */
	bool flushed_all;
};

/* One operation as sent. */
struct op {
	uint8_t kind;
	uint8_t db; /* 0 or 1: of the writer's two */
	uint8_t key, key2, key3;
	uint8_t replies; /* 2 when a SELECT goes in front */
	uint32_t size;   /* of its values, bytes */
	uint64_t number; /* of the run: seeds the values */
	int64_t amount, amount2;
	int64_t sent_ms;
	int64_t acked_ms; /* unacknowledged: when the server was dead */
};

enum expect_type {
	EXPECT_ANY,
	EXPECT_OK,
	EXPECT_INTEGER,
	EXPECT_BULK,
	EXPECT_NIL,
	EXPECT_ERROR,
	EXPECT_SCALARS, /* so many in an array, whatever they are */
	EXPECT_SYNCED,  /* WAITAOF: 1 means durable */
};

struct expect {
	enum expect_type type;
	int64_t integer;
	struct buf bulk;
};

/* An empty model, and its end. */
void model_init(struct model *m, unsigned writer);
void model_release(struct model *m);

/* *to becomes equal to *from. */
void model_copy(struct model *to, const struct model *from);

/* Every key is gone, as FLUSHALL does. */
void model_clear(struct model *m);

/* The operation happens; *e (may be NULL) is the reply it must have. */
void model_exec(struct model *m, const struct op *op, struct expect *e);

/* When the store was read, on the wall clock. */
struct read_time {
	int64_t from_ms;
	int64_t to_ms;
};

/* The first place, from *place on and round, in which what was read differs;
 * true if there is none. *place is where to look first the next time. */
bool model_agrees(const struct model *m, const struct model *read,
		  const struct read_time *t, unsigned *place);

/* In how many places what was read differs. */
unsigned model_differences(const struct model *m, const struct model *read,
			   const struct read_time *t);

/* What the store has becomes what is expected: deadlines are exact then. */
void model_pin(struct model *m, const struct model *read);

/* A text of the difference at a place, for people. */
void model_describe(struct buf *out, const struct model *m,
		    const struct model *read, unsigned place);

/* How many keys of database db (0 or 1) there must and may be. */
void model_count(const struct model *m, unsigned db, const struct read_time *t,
		 uint64_t count[2]);

/* What a reader asks to learn the value of a key; $ is its name. */
const char *model_question(unsigned key);

/* The same for what hangs on the value; NULL: nothing does. */
const char *model_side_question(unsigned key);

/* Makes e's value (and a stream's groups) of the words of the answer, each
 * ended by 0; or of the one string that it is. */
void model_take_words(struct entry *e, unsigned key, struct buf *words);
void model_take_string(struct entry *e, unsigned key, struct slice s);

/* The answer to the other question. */
void model_take_side(struct entry *e, unsigned key, struct buf *words);

/* Whether the answer is an array. */
bool model_has_words(unsigned key);

/* The name of a key, as it stands in commands. */
void model_key_name(struct buf *out, unsigned writer, unsigned key);

/* Appends the value that belongs to a number. */
void model_value(struct buf *out, uint64_t number, size_t size);

struct random;
struct op_choice {
	const struct model *live; /* roughly the state it will meet */
	bool may_flush_all;       /* nobody else writes */
	bool redis;               /* WAITAOF is not known */
	bool switch_level;        /* CONFIG SET appendfsync */
	const struct op *last;    /* the one before, or NULL; as many as */
	size_t unsettled;         /* this, up to it, have no reply yet */
	uint64_t number;
};

/* Picks an operation that keeps values within bounds. */
void op_choose(struct op *op, struct random *r, const struct op_choice *c);

/* Appends the command. *selected is the database of the connection. */
void op_encode(struct buf *out, struct op *op, unsigned writer,
	       unsigned *selected);

/* Whether it writes in whatever state. */
bool op_surely_writes(const struct op *op);

/* It was refused: nothing happens. */
void op_make_void(struct op *op);

/* The word of the operation, "SET", for messages. */
const char *op_name(const struct op *op);

/* splitmix64: all chance of a run follows from its seed. */
struct random {
	uint64_t state;
};

/* A number below n (n > 0), and all 64 bits. */
uint64_t random_below(struct random *r, uint64_t n);
uint64_t random_bits(struct random *r);

#endif
