/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A record: one effect on the keyspace (FORMAT.md section 4).
 *
 * The struct is the same whether a handler emits it or a reader decodes it;
 * slices point into the emitter's or the reader's memory and die with it.
 * A decoded record is well formed, not yet fit: the engine's record_fits says
 * whether the state it meets can take it.
 */
#ifndef REDOUBT_WAL_RECORD_H
#define REDOUBT_WAL_RECORD_H

#include "base/buf.h"
#include "base/coding.h"
#include "wal/record_list.h"

enum record_type {
#define X(name, tag, text) REC_##name = tag,
	RECORD_TYPES(X)
#undef X
};

enum record_cause {
#define X(name, number) CAUSE_##name = number,
	RECORD_CAUSES(X)
#undef X
};

/* str_set and key_copy: what happens to the deadline. Bigger values are
 * milliseconds since 1970. */
#define DEADLINE_NONE 0
#define DEADLINE_KEEP 1

/* Ends of a list. */
#define RECORD_LEFT 0
#define RECORD_RIGHT 1

#define RECORD_TAG_MAX 127 /* the top bit of the tag byte says "db follows" */
#define RECORD_DB_MAX ((1u << 24) - 1)

struct record {
	uint8_t type;      /* enum record_type */
	uint8_t cause;     /* enum record_cause */
	uint32_t db;       /* database (partition) index */
	uint64_t lsn;      /* not encoded: follows from the batch */
	uint64_t key_hash; /* not encoded: keyed hash of key, by the engine */
	/* not encoded: likewise of the one item, which set_add's emitter has
	 * looked for in vain; 0: not known */
	uint64_t item_hash;
	struct slice key;
	struct slice value;
	struct slice other; /* a second key */
	union {
		struct slice group;    /* of a stream, */
		struct slice producer; /* of marks of messages */
	};
	struct slice consumer; /* of the group */
	uint64_t deadline;  /* ms, DEADLINE_NONE or DEADLINE_KEEP */
	uint64_t offset;    /* bytes, or the index of an element */
	uint64_t other_db;
	uint64_t at;    /* end of a list: RECORD_LEFT or RECORD_RIGHT */
	uint64_t count; /* elements */
	uint64_t ms, seq;             /* an ID of a stream */
	union {
		uint64_t other_ms;    /* a second one */
		uint64_t duration_ms; /* of marks of messages */
	};
	union {
		uint64_t other_seq;
		uint64_t limit; /* marks of one producer */
	};
	union {
		uint64_t seen_ms; /* times of a consumer */
		uint64_t added;   /* marks ever */
	};
	union {
		uint64_t active_ms;
		uint64_t duplicates; /* messages that came again, ever */
		uint64_t time_ms;    /* when a mark was added */
	};
	int64_t read;                 /* by a group; -1: unknown */
};

/* Appends the encoding of r; previous_db is the db of the record before in
 * the batch (of the first: the db in the batch's header). */
void record_encode(struct buf *out, const struct record *r,
		   uint32_t previous_db);

/* Bytes record_encode may append at most, but for its slices. */
#define RECORD_OVERHEAD_MAX 96

/* Decodes one record from bytes that may be hostile. False: r is rubbish and
 * in->bad is set. r->db is previous_db unless the record names its own. */
bool record_decode(struct reader *in, struct record *r, uint32_t previous_db);

/* "str_set" …; NULL for a tag that does not exist. */
const char *record_type_name(unsigned type);
const char *record_cause_name(unsigned cause);
bool record_is_barrier(unsigned type);

/* A text of the record for people and tools, as JSON object members without
 * the braces: "type":"str_set","db":0,"key":"a",…  Bytes that are not UTF-8
 * or are control characters become \u00xx; values are cut at value_max. */
void record_describe(struct buf *out, const struct record *r,
		     size_t value_max);

/* Appends a run of strings as the member "items": an array, of scored ones of
 * pairs, of as many as value_max bytes hold. */
void record_describe_items(struct buf *out, struct slice items, bool scored,
			   size_t value_max);

/* Likewise a run of stream IDs as the member "ids". */
void record_describe_ids(struct buf *out, struct slice ids, size_t value_max);

/* Appends s as a JSON string with quotes, as record_describe does. */
void json_put_string(struct buf *out, struct slice s, size_t size_max);

#endif
