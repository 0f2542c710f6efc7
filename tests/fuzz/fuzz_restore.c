/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: DUMP payloads, taken by RESTORE into a bare engine.
 *
 *   input := how, type, object
 *     how    bit 0-2: 0 the last ten bytes are version and checksum, else these
 *            are added and right; bit 3: the key's deadline
 *
 * A payload that is taken must give a value that works: it is read, changed
 * and shrunk by commands of its type, its invariants hold, and DUMP of it makes
 * an equal key again.  Inputs begin as real payloads (corpus).
 */
#include <stdlib.h>

#include "base/crc64.h"
#include "engine/rdb.h"
#include "tests/fuzz/engine.h"
#include "tests/support/shapes.h"

#define ENGINE_INPUTS_MAX 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fuzz_engine *fuzz;
static unsigned inputs;

/* What is done with a key of each type. */
static const char *const workouts[][18] = {
	[VALUE_string] = { "get k", "strlen k", "append k x", "setrange k 3 yz",
			   "getrange k 0 -1", "bitcount k", "incr k",
			   "pfcount k", "pfadd k a" },
	[VALUE_list] = { "llen k", "lrange k 0 -1", "lindex k 1",
			 "lpush k a b", "rpush k c 7", "linsert k before c d",
			 "lset k 0 e", "lrem k 0 c", "lpos k d", "rpop k 2",
			 "lpop k", "ltrim k 1 -2", "lrange k -3 -1" },
	[VALUE_set] = { "scard k", "smembers k", "sadd k a b 1 77", "sscan k 0",
			"sismember k a", "srandmember k 5", "srem k a zz",
			"smove k m b", "sunion k m", "spop k 2" },
	[VALUE_zset] = { "zcard k", "zrange k 0 -1 withscores",
			 "zadd k 1 a -inf b inf c 2.5 d", "zscore k a",
			 "zrank k c", "zrangebyscore k -1 1",
			 "zrangebylex k - +", "zincrby k 3 a", "zrem k b zz",
			 "zscan k 0", "zcount k -inf inf",
			 "zremrangebyrank k 0 1", "zpopmax k" },
	[VALUE_hash] = { "hlen k", "hgetall k", "hset k a 1 b 2", "hget k a",
			 "hincrby k a 5", "hscan k 0", "hdel k b zz",
			 "hpexpire k 100000 fields 1 a", "hrandfield k 3",
			 "hpersist k fields 1 a", "hkeys k", "hstrlen k a" },
	[VALUE_stream] = { "xlen k", "xrange k - +", "xrevrange k + - count 3",
			   "xinfo stream k full", "xadd k * a 1",
			   "xgroup create k other 0", "xpending k g",
			   "xreadgroup group other me count 2 streams k >",
			   "xack k other 5-1", "xdel k 5-1", "xtrim k maxlen 3",
			   "xgroup destroy k other", "xsetid k 9999999-1",
			   "xreadgroup group g me claim 0 count 3 streams k >",
			   "xnack k g fail ids 1 5-1",
			   "xautoclaim k g me 0 0", "xgroup destroy k g" },
};

/* --- commands ----------------------------------------------------------- */

/* The reply is valid until the next call. */
static struct slice call(const struct slice *argv, unsigned argc)
{
	fuzz->out.size = 0;
	if (!fuzz_execute(fuzz, argv, argc))
		abort();
	return buf_slice(&fuzz->out);
}

static struct slice run(const char *text)
{
	static struct slice argv[SHAPE_WORDS_MAX];

	return call(argv, shape_split(text, argv));
}

/* --- payloads ------------------------------------------------------------- */

static const struct entry *find(const char *key)
{
	return keyspace_find(&fuzz->engine->ks, 0, slice_str(key));
}

static bool is_error(struct slice reply)
{
	return reply.size > 0 && reply.data[0] == '-';
}

static struct slice restore(const char *key, const char *ttl,
			    struct slice payload)
{
	struct slice argv[] = { SLICE_LITERAL("restore"), slice_str(key),
				slice_str(ttl), payload,
				SLICE_LITERAL("replace") };

	return call(argv, ARRAY_LEN(argv));
}

/* DUMP of the key makes another one that is the same. */
static void check_round(void)
{
	struct slice argv[] = { SLICE_LITERAL("dump"), SLICE_LITERAL("k") };
	struct slice reply = call(argv, 2);
	const uint8_t *body = memchr(reply.data, '\n', reply.size);
	struct hash128 a, b;
	struct buf payload = { 0 };

	if (!body || reply.data[0] != '$')
		abort();
	body++;
	buf_put(&payload, body,
		(size_t)(reply.data + reply.size - body) - 2);
	if (is_error(restore("again", "0", buf_slice(&payload))))
		abort();
	buf_release(&payload);
	run("persist k");
	run("rename k aside");
	a = digest_entry(0, find("aside"));
	run("rename again aside");
	b = digest_entry(0, find("aside"));
	if (a.low != b.low || a.high != b.high)
		abort();
	run("rename aside k");
}

static void work_out(void)
{
	const struct entry *e = find("k");
	unsigned i;

	if (!e)
		return; /* dead on arrival */
	check_round();
	e = find("k");
	if (entry_type(e) < ARRAY_LEN(workouts)) {
		const char *const *list = workouts[entry_type(e)];

		for (i = 0; i < ARRAY_LEN(workouts[0]) && list[i]; i++)
			run(list[i]);
	}
}

/* The payload that the input stands for. */
static void put_payload(struct buf *out, const uint8_t *data, size_t size)
{
	uint8_t footer[RDB_FOOTER_SIZE];

	buf_put(out, data + 1, size - 1);
	if ((data[0] & 7) == 0)
		return;
	put_u16(footer, data[0] & 16 ? RDB_VERSION : RDB_VERSION_MAX);
	buf_put(out, footer, 2);
	put_u64(footer + 2, crc64(0, out->data, out->size));
	buf_put(out, footer + 2, 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf payload = { 0 };
	struct slice exact;

	if (size < 2)
		return 0;
	fuzz = fuzz_engine_begin(SESSION_INTERNAL);
	put_payload(&payload, data, size);
	exact = fuzz_own_copy(buf_slice(&payload));
	if (!is_error(restore("k", data[0] & 8 ? "100000" : "0", exact)))
		work_out();
	free((void *)exact.data);
	buf_release(&payload);
	fuzz_engine_end(fuzz, ++inputs % ENGINE_INPUTS_MAX == 0);
	return 0;
}
