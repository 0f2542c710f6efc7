/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A value that is being read from a payload: the records that will build it.
 *
 *   rdb_value_init ─► rdb_read ─► rdb_value_emit ─► rdb_value_release
 *
 * A member that comes twice, or more bytes than RDB_VALUE_MAX, make it bad;
 * after that everything is ignored.  Engine thread.
 */
#ifndef REDOUBT_ENGINE_RDB_VALUE_H
#define REDOUBT_ENGINE_RDB_VALUE_H

#include "engine/value_copy.h"

/* More than this no payload may unpack to. */
#define RDB_VALUE_MAX ((size_t)4 << 30)

/* A set of names, to find those that come twice. */
struct rdb_names {
	const uint64_t *hash_key;
	struct buf bytes;
	struct rdb_name *slots; /* open addressing */
	size_t count;
	size_t slot_count; /* a power of two, or 0 */
};

/* Adds a name; false: it is there already. */
bool rdb_names_add(struct rdb_names *n, struct slice name);
void rdb_names_release(struct rdb_names *n);

struct rdb_value {
	uint8_t type;          /* enum record_type of its items */
	struct value_copy copy; /* the records so far */
	struct buf run;        /* items of the next one */
	uint64_t run_deadline; /* hash: of the run's fields */
	uint64_t count;        /* elements taken */
	uint64_t dropped;      /* fields that were dead already */
	uint64_t now_ms;
	uint64_t deadline;     /* of the key; 0: none. Set before reading */
	struct rdb_names names;
	struct entry *stream;  /* a stream, in one piece; else NULL */
	bool bad;
};

/* hash_key is that of the names; it must outlive v. */
void rdb_value_init(struct rdb_value *v, const uint64_t hash_key[2],
		    uint64_t now_ms);
void rdb_value_release(struct rdb_value *v);

/* What comes next is said to be that many elements with names, in at most so
 * many bytes. */
void rdb_value_expect(struct rdb_value *v, uint64_t count, size_t bytes);

/* The whole of a string. */
void rdb_value_string(struct rdb_value *v, struct slice s);

/* The next element of a list, the next member of a set. */
void rdb_value_element(struct rdb_value *v, struct slice s);
void rdb_value_member(struct rdb_value *v, struct slice s);

/* A field of a hash; deadline 0: none. A dead one is dropped. */
void rdb_value_field(struct rdb_value *v, struct slice field,
		     struct slice value, uint64_t deadline);

/* A member of a sorted set; no NaN. */
void rdb_value_scored(struct rdb_value *v, double score, struct slice member);

/* A record of its own; its slices are copied. */
void rdb_value_record(struct rdb_value *v, struct record *r);

/* That was all. */
void rdb_value_end(struct rdb_value *v);

/* Bytes that its records take in the log when they are of this key, or somewhat
 * more. */
uint64_t rdb_value_room(const struct rdb_value *v, struct slice key);

/* Whether there are records to be emitted at all. */
bool rdb_value_exists(const struct rdb_value *v);

/* Emits the records that make `to` hold the value. */
void rdb_value_emit(struct cmd *c, const struct rdb_value *v,
		    const struct value_target *to);

#endif
