/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: sequences of commands with any arguments, and of commands that
 * make sense and fill keys of every type, on a bare engine over the simulated
 * disk.
 *
 * Each argument has a block of memory of its own, so that reading behind it is
 * seen.  Replies must parse, with nothing behind them, and the keyspace's
 * invariants hold after the sequence.  The engine stays and is emptied; what
 * ends a process or opens files (SHUTDOWN, CONFIG SET) is left out.
 */
#include <stdlib.h>

#include "base/num.h"
#include "tests/fuzz/engine.h"
#include "tests/support/shapes.h"
#include "tests/support/sim_io.h"

#define COMMANDS_MAX 24
#define ARGUMENTS_MAX 12
#define SAVES_MAX 24 /* with one engine: the disk fills */
#define DEPTH_MAX 24
#define HASHES_MAX 1024 /* commands there may be */
#define LONG_MAX 70000
#define WAIT_US (UINT64_C(1) << 50) /* longer than any wait */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fuzz_engine *fuzz;
static unsigned saves; /* with this engine */

static const char *const words[] = {
	"EX", "PX", "EXAT", "PXAT", "NX", "XX", "GT", "LT", "GET", "KEEPTTL",
	"PERSIST", "BYTE", "BIT", "AND", "OR", "XOR", "NOT", "SET", "INCRBY",
	"OVERFLOW", "SAT", "WRAP", "FAIL", "u8", "i64", "u63", "i1", "#3",
	"MATCH", "COUNT", "TYPE", "string", "REPLACE", "DB", "LEN", "IDX",
	"MINMATCHLEN", "WITHMATCHLEN", "ON", "OFF", "SKIP", "YES", "NO",
	"HELP", "LIST", "DOCS", "INFO", "GETKEYS", "FILTERBY", "ID", "ADDR",
	"NORMAL", "ALL", "WRITE", "SYNC", "ASYNC", "USAGE", "SAMPLES", "AUTH",
	"2", "3", "default", "SETNAME", "everything", "ENCODING", "IDLETIME",
	"FREQ", "REFCOUNT", "k*", "*", "?[a-z]", "VERSION", "RESET",
	"LEFT", "RIGHT", "BEFORE", "AFTER", "RANK", "MAXLEN", "MINID", "LIMIT",
	"WITHSCORES", "WITHSCORE", "WITHVALUES", "REV", "BYSCORE", "BYLEX",
	"INCR", "CH", "WEIGHTS", "AGGREGATE", "SUM", "MIN", "MAX", "[m1",
	"(m2", "(1.5", "-", "+", "-inf", "+inf", "BY", "GET", "ASC", "DESC",
	"ALPHA", "STORE", "STOREDIST", "WITHCOORD", "WITHDIST", "WITHHASH",
	"FROMMEMBER", "FROMLONLAT", "BYRADIUS", "BYBOX", "km", "m", "ANY",
	"STREAMS", "GROUP", "CREATE", "MKSTREAM", "NOMKSTREAM", "NOACK",
	"g0", "g1", "c0", "c1", ">", "$", "~", "=", "0-0", "0-1", "5-*",
	"FORCE", "JUSTID", "RETRYCOUNT", "LASTID", "TIME", "IDLE", "FULL",
	"KEEPREF", "DELREF", "ACKED", "IDMP", "IDMPAUTO", "IDMP-DURATION",
	"IDMP-MAXSIZE", "CLAIM", "SILENT", "FATAL", "IDS",
	"ENTRIESREAD", "ENTRIESADDED", "MAXDELETEDID", "STREAM", "GROUPS",
	"CONSUMERS", "FIELDS", "NOVALUES", "ABSTTL", "m0", "m1", "m2", "m3",
};

static const char *const numbers[] = {
	"0", "1", "-1", "2", "7", "8", "63", "64", "100", "1000000", "-0",
	"4294967295", "4294967296", "536870911", "536870912", "2147483648",
	"9223372036854775807", "-9223372036854775808", "18446744073709551615",
	"1.5", "-1e308", "1e-400", "inf", "nan", "3.0e3", "00", "+1", " 1",
	"1700000000000", "1700000001", "99999999999999",
};

/* --- commands ---------------------------------------------------------- */

static bool left_out(const struct slice *argv, unsigned argc)
{
	static const char *const never[] = { "shutdown", "debug", "monitor" };
	unsigned i;

	for (i = 0; i < ARRAY_LEN(never); i++)
		if (slice_is(argv[0], never[i]))
			return true;
	if (slice_is(argv[0], "command") && argc < 3)
		return true; /* the whole table: too slow */
	return slice_is(argv[0], "config") &&
	       (argc < 2 || !slice_is(argv[1], "get"));
}

/* Appends one argument as the input has it. */
static struct slice put_argument(struct buf *out, struct reader *in)
{
	unsigned kind = read_byte(in), value;
	size_t before = out->size;

	buf_reserve(out, 1);
	switch (kind % 6) {
	case 0:
	case 1:
		buf_printf(out, "k%u", kind / 6 % 8);
		break;
	case 2:
		buf_put_str(out, numbers[kind / 6 % ARRAY_LEN(numbers)]);
		break;
	case 3:
		buf_put_str(out, words[read_byte(in) % ARRAY_LEN(words)]);
		break;
	case 4:
		buf_put_slice(out, read_bytes(in, kind / 6));
		break;
	default:
		value = read_byte(in);
		memset(buf_reserve(out, LONG_MAX), (int)(value & 0x7f),
		       LONG_MAX);
		out->size += value < 250 ? value * 3 : value * 280 - 4000;
	}
	return slice_of(out->data + before, out->size - before);
}

static unsigned name_hash(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return (h ^ h >> 16) & 0xffff;
}

/* The command whose hash is the next one from a number on: with commands that
 * are added later, inputs keep their meaning. */
static const struct command *nearest(unsigned number)
{
	static uint16_t hashes[HASHES_MAX];
	static unsigned known;
	unsigned count = (unsigned)commands_count(), best = 0, i;

	if (count > HASHES_MAX)
		abort();
	for (; known < count; known++)
		hashes[known] = (uint16_t)name_hash(command_at(known)->name);
	for (i = 1; i < count; i++)
		if ((uint16_t)(hashes[i] - number) <
		    (uint16_t)(hashes[best] - number))
			best = i;
	return command_at(best);
}

/* argv[0], and argv[1] of a sub-command. */
static unsigned put_name(struct slice *argv, struct reader *in)
{
	unsigned number = read_byte(in);
	const struct command *c = nearest(number << 8 | read_byte(in));
	const char *bar = strchr(c->name, '|');

	argv[0] = slice_str(c->name);
	if (!bar)
		return 1;
	argv[0].size = (size_t)(bar - c->name);
	argv[1] = slice_str(bar + 1);
	return 2;
}

/* --- replies ----------------------------------------------------------- */

static void check_reply(struct reader *in, int depth);

static struct slice reply_line(struct reader *in)
{
	const uint8_t *end = memchr(in->at, '\n', reader_left(in));
	struct slice line;

	if (!end || end == in->at || end[-1] != '\r')
		abort();
	line = slice_of(in->at, (size_t)(end - in->at) - 1);
	in->at = end + 1;
	return line;
}

static void check_bulk(struct reader *in, int64_t size)
{
	struct slice s;

	if (size < 0)
		return;
	s = read_bytes(in, (uint64_t)size + 2);
	if (in->bad || s.data[size] != '\r' || s.data[size + 1] != '\n')
		abort();
}

/* A reply of either protocol; a mistake ends the process. */
static void check_reply(struct reader *in, int depth)
{
	uint8_t type = read_byte(in);
	struct slice line = reply_line(in);
	int64_t n = 0;

	if (depth == 0 || !strchr("+-:,#_($!=*~>%", type))
		abort();
	if (strchr("$!=*~>%", type) && !num_parse_i64(line, &n))
		abort();
	if (strchr("$!=", type)) {
		check_bulk(in, n);
		return;
	}
	if (!strchr("*~>%", type))
		return;
	for (n = type == '%' ? 2 * n : n; n > 0; n--)
		check_reply(in, depth - 1);
}

/* --- sequences --------------------------------------------------------- */

static void turn(uint64_t us)
{
	sim_advance_us(fuzz->sim, us);
	engine_clock(fuzz->engine);
	engine_turn(fuzz->engine, false, true);
}

static void check_replies(void)
{
	struct reader in;

	if (fuzz->out.size == 0)
		return;
	in = reader_of(buf_slice(&fuzz->out));
	while (reader_left(&in))
		check_reply(&in, DEPTH_MAX);
	fuzz->out.size = 0;
}

static bool fills_disk(struct slice name)
{
	return slice_is(name, "save") || slice_is(name, "bgsave") ||
	       slice_is(name, "bgrewriteaof");
}

/* False: the session waits, or is to be closed. */
static bool execute(const struct slice *argv, unsigned argc)
{
	bool done;

	saves += fills_disk(argv[0]);
	done = fuzz_execute(fuzz, argv, argc);
	if (done && (fuzz->session.flags & SESSION_PARKED))
		turn(WAIT_US);
	check_replies();
	return done && !(fuzz->session.flags & (SESSION_PARKED |
						SESSION_CLOSE_AFTER_REPLY));
}

static bool any_command(struct reader *in)
{
	struct slice argv[ARGUMENTS_MAX];
	unsigned argc = put_name(argv, in), count, i;
	struct buf text = { 0 };
	bool go_on = true;

	count = argc + read_byte(in) % (ARGUMENTS_MAX - 1);
	if (count > ARGUMENTS_MAX)
		count = ARGUMENTS_MAX;
	for (i = 0; i < argc; i++)
		argv[i] = fuzz_own_copy(argv[i]);
	for (; argc < count && !in->bad; argc++) {
		text.size = 0;
		argv[argc] = fuzz_own_copy(put_argument(&text, in));
	}
	if (!in->bad && !left_out(argv, argc))
		go_on = execute(argv, argc);
	for (i = 0; i < argc; i++)
		free((void *)argv[i].data);
	buf_release(&text);
	return go_on && !in->bad;
}

/* The input's bytes are the chances; behind its end all are 0. */
static uint64_t below(void *ctx, uint64_t n)
{
	uint64_t chance = read_byte(ctx);

	if (n > 256)
		chance = chance << 8 | read_byte(ctx);
	return chance % n;
}

/* One of the table that the roads take. */
static bool shaped_command(struct reader *in)
{
	static struct slice argv[SHAPE_WORDS_MAX];
	struct shape_maker m = { .below = below,
				 .ctx = in,
				 .keys = 1,
				 .members = 20,
				 .run_max = 250,
				 .size_max = 300,
				 .now_ms = fuzz->engine->now_ms };
	struct buf line = { 0 };
	unsigned argc, i;
	bool go_on;

	shape_put(&m, &line);
	argc = shape_split((const char *)line.data, argv);
	for (i = 0; i < argc; i++)
		argv[i] = fuzz_own_copy(argv[i]);
	buf_release(&line);
	go_on = execute(argv, argc);
	for (i = 0; i < argc; i++)
		free((void *)argv[i].data);
	return go_on && !in->bad;
}

static bool one_command(struct reader *in)
{
	return read_byte(in) % 3 == 0 ? any_command(in) : shaped_command(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in = reader_of(slice_of(data, size));
	int i;

	fuzz = fuzz_engine_begin(SESSION_AUTHENTICATED);
	for (i = 0; i < COMMANDS_MAX && one_command(&in); i++)
		if (i % 4 == 3)
			turn(read_byte(&in) * 1000u);
	fuzz_engine_end(fuzz, saves > SAVES_MAX);
	if (saves > SAVES_MAX)
		saves = 0;
	return 0;
}
