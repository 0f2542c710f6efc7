/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one list of records (FORMAT.md section 4).
 *
 * X(name, tag, text): tags are on disk: append, never renumber, never reuse.
 * For each name there is REC_FIELDS_<name>(F): its fields in order, each
 * F(kind, member) with a member of struct record (wal/record.h) and a kind of
 *   bytes     varint size, then the bytes
 *   number    varint
 *   signed    zigzag varint
 *   real      IEEE 754 double, 8 bytes
 *   items     bytes that are a run of strings: varint size, bytes, …
 *   scored    likewise, with 8 bytes of a double in front of each
 *   ids       bytes that are a run of stream IDs: zigzag varint, varint, …
 *
 * The list feeds the enum, the codec, describe, apply (engine/apply.c),
 * record_fits and FORMAT.md's table; `make tidy` compares.
 * A barrier changes more than one key: readers that replay in parallel or
 * serve single keys stop at it.
 */
#ifndef REDOUBT_WAL_RECORD_LIST_H
#define REDOUBT_WAL_RECORD_LIST_H

#define RECORD_TYPES(X)                                                      \
	X(str_set, 1, "key is the string value; deadline: keep, none or ms") \
	X(key_del, 2, "key is removed, whatever its type")                   \
	X(key_expire, 3, "key dies at deadline (unix ms); 0: never")         \
	X(str_write, 4, "bytes of value at offset; a gap reads as zeros")    \
	X(key_move, 5, "key becomes other in other_db, which is replaced")   \
	X(key_copy, 6, "other in other_db becomes a copy of key")            \
	X(db_flush, 7, "database is emptied")                                \
	X(all_flush, 8, "every database is emptied")                         \
	X(db_swap, 9, "database and other_db change places")                 \
	X(list_push, 10, "items go to an end of the list, one by one")       \
	X(list_pop, 11, "count elements leave an end of the list")           \
	X(list_set, 12, "value replaces the element at index offset")        \
	X(list_insert, 13, "value comes before the element at offset")       \
	X(list_remove, 14, "count elements from index offset on leave")      \
	X(hash_set, 15, "fields get values; deadline: keep, none or ms")     \
	X(hash_expire, 16, "fields die at deadline (unix ms); 0: never")     \
	X(hash_del, 17, "fields are removed; with its last one the key")     \
	X(set_add, 18, "items become members of the set at key")             \
	X(set_del, 19, "items leave the set; key goes with the last")        \
	X(zset_add, 20, "members get their scores")                          \
	X(zset_del, 21, "members are removed; the last one with its key")    \
	X(stream_add, 22, "an entry of fields and values goes to the end")   \
	X(stream_del, 23, "the entries of these IDs are removed")            \
	X(stream_trim, 24, "entries up to and with this ID are removed")     \
	X(stream_meta, 25, "last ID, entries ever and highest ID deleted")   \
	X(stream_load, 26, "a packed block goes behind the entries")         \
	X(stream_group_set, 27, "group has this last ID and count read")     \
	X(stream_group_del, 28, "group is removed")                          \
	X(stream_consumer_set, 29, "consumer of a group has these times")    \
	X(stream_consumer_del, 30, "consumer goes, its pending ones too")    \
	X(stream_deliver, 31, "IDs are pending; the last is the group's")    \
	X(stream_pending_set, 32, "IDs are pending with these times")        \
	X(stream_pending_load, 33, "likewise, of any consumers by rank")     \
	X(stream_pending_del, 34, "IDs are pending no more")                 \
	X(stream_marks, 35, "marks of messages live so long; counters")      \
	X(stream_mark, 36, "a producer's message became this entry")         \
	X(stream_release, 37, "IDs are pending for nobody, in this order")   \
	X(key_reserve, 40, "count elements of key follow; changes nothing")

#define REC_FIELDS_str_set(F) F(bytes, key) F(number, deadline) F(bytes, value)
#define REC_FIELDS_key_del(F) F(bytes, key)
#define REC_FIELDS_key_expire(F) F(bytes, key) F(number, deadline)
#define REC_FIELDS_str_write(F) F(bytes, key) F(number, offset) F(bytes, value)
#define REC_FIELDS_key_move(F) F(bytes, key) F(number, other_db) F(bytes, other)
#define REC_FIELDS_key_copy(F) \
	F(bytes, key) F(number, other_db) F(bytes, other) F(number, deadline)
#define REC_FIELDS_db_flush(F)
#define REC_FIELDS_all_flush(F)
#define REC_FIELDS_db_swap(F) F(number, other_db)
#define REC_FIELDS_hash_set(F) \
	F(bytes, key) F(number, deadline) F(items, value)
#define REC_FIELDS_hash_expire(F) \
	F(bytes, key) F(number, deadline) F(items, value)
#define REC_FIELDS_hash_del(F) F(bytes, key) F(items, value)
#define REC_FIELDS_set_add(F) F(bytes, key) F(items, value)
#define REC_FIELDS_set_del(F) F(bytes, key) F(items, value)
#define REC_FIELDS_zset_add(F) F(bytes, key) F(scored, value)
#define REC_FIELDS_zset_del(F) F(bytes, key) F(items, value)
#define REC_FIELDS_list_push(F) F(bytes, key) F(number, at) F(items, value)
#define REC_FIELDS_list_pop(F) F(bytes, key) F(number, at) F(number, count)
#define REC_FIELDS_list_set(F) F(bytes, key) F(number, offset) F(bytes, value)
#define REC_FIELDS_list_insert(F) \
	F(bytes, key) F(number, offset) F(bytes, value)
#define REC_FIELDS_list_remove(F) \
	F(bytes, key) F(number, offset) F(number, count)
#define REC_FIELDS_stream_add(F) \
	F(bytes, key) F(number, ms) F(number, seq) F(items, value)
#define REC_FIELDS_stream_del(F) F(bytes, key) F(ids, value)
#define REC_FIELDS_stream_trim(F) F(bytes, key) F(number, ms) F(number, seq)
#define REC_FIELDS_stream_meta(F)                                       \
	F(bytes, key) F(number, ms) F(number, seq) F(number, count)     \
	F(number, other_ms) F(number, other_seq)
#define REC_FIELDS_stream_load(F)                                       \
	F(bytes, key) F(number, ms) F(number, seq) F(number, other_ms)  \
	F(number, other_seq) F(number, count) F(bytes, value)
#define REC_FIELDS_stream_group_set(F)                                  \
	F(bytes, key) F(bytes, group) F(number, ms) F(number, seq)      \
	F(signed, read)
#define REC_FIELDS_stream_group_del(F) F(bytes, key) F(bytes, group)
#define REC_FIELDS_stream_consumer_set(F)                               \
	F(bytes, key) F(bytes, group) F(bytes, consumer)                \
	F(number, seen_ms) F(number, active_ms)
#define REC_FIELDS_stream_consumer_del(F) \
	F(bytes, key) F(bytes, group) F(bytes, consumer)
#define REC_FIELDS_stream_deliver(F)                                    \
	F(bytes, key) F(bytes, group) F(bytes, consumer)                \
	F(number, active_ms) F(signed, read) F(ids, value)
#define REC_FIELDS_stream_pending_set(F) \
	F(bytes, key) F(bytes, group) F(bytes, consumer) F(bytes, value)
#define REC_FIELDS_stream_pending_load(F) \
	F(bytes, key) F(bytes, group) F(bytes, value)
#define REC_FIELDS_stream_pending_del(F) \
	F(bytes, key) F(bytes, group) F(ids, value)
#define REC_FIELDS_stream_marks(F)                                      \
	F(bytes, key) F(number, duration_ms) F(number, limit)           \
	F(number, added) F(number, duplicates)
#define REC_FIELDS_stream_mark(F)                                       \
	F(bytes, key) F(bytes, producer) F(number, time_ms)             \
	F(number, ms) F(number, seq) F(bytes, value)
#define REC_FIELDS_stream_release(F) \
	F(bytes, key) F(bytes, group) F(bytes, value)
#define REC_FIELDS_key_reserve(F) F(bytes, key) F(number, count)

/* Records that name no single key, or two (FORMAT.md says why each). */
#define RECORD_BARRIERS(X) \
	X(key_move) X(key_copy) X(db_flush) X(all_flush) X(db_swap)

/*
 * Why a record was written, one byte: X(name, number). On disk: append only.
 * The name is what keyspace events and histories show.
 */
#define RECORD_CAUSES(X)                                                     \
	X(none, 0) X(set, 1) X(del, 2) X(expired, 3) X(evicted, 4)           \
	X(empty, 5) X(incrby, 6) X(incrbyfloat, 7) X(append, 8)              \
	X(setrange, 9) X(setbit, 10) X(expire, 11) X(persist, 12)            \
	X(rename_from, 13) X(rename_to, 14) X(move_from, 15) X(move_to, 16)  \
	X(copy_to, 17) X(restore, 18) X(flushdb, 19) X(flushall, 20)         \
	X(swapdb, 21) X(snapshot, 22) X(bitop, 23) X(getdel, 24)             \
	X(getex, 25) X(debug, 26) X(import, 27)                              \
	X(lpush, 30) X(rpush, 31) X(lpop, 32) X(rpop, 33) X(lset, 34)        \
	X(linsert, 35) X(lrem, 36) X(ltrim, 37) X(sortstore, 38)             \
	X(hset, 50) X(hdel, 51) X(hincrby, 52) X(hincrbyfloat, 53)           \
	X(hexpire, 54) X(hpersist, 55) X(hexpired, 56)                       \
	X(sadd, 70) X(srem, 71) X(spop, 72) X(sinterstore, 73)               \
	X(sunionstore, 74) X(sdiffstore, 75)                                 \
	X(zadd, 85) X(zincr, 86) X(zrem, 87) X(zremrangebyrank, 88)          \
	X(zremrangebyscore, 89) X(zremrangebylex, 90) X(zpopmin, 91)         \
	X(zpopmax, 92) X(zunionstore, 93) X(zinterstore, 94)                 \
	X(zdiffstore, 95) X(zrangestore, 96) X(geosearchstore, 97)           \
	X(georadiusstore, 98)                                                \
	X(xadd, 110) X(xdel, 111) X(xtrim, 112) X(xsetid, 113)               \
	X(xgroup_create, 114) X(xgroup_createconsumer, 115)                  \
	X(xgroup_delconsumer, 116) X(xgroup_destroy, 117)                    \
	X(xgroup_setid, 118) X(xclaim, 119) X(xautoclaim, 120)               \
	X(xack, 121) X(xreadgroup, 122) X(xcfgset, 123)      \
	X(xidmp, 124) X(xnack, 125)                                          \
	X(pfadd, 140) X(pfmerge, 141) X(migrate, 142)

#endif
