/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In a shape stand for themselves all letters but these, behind a %:
 *
 *   k l s z h x p   a key of strings, lists, sets, zsets, hashes, streams,
 *                   hyperloglogs
 *   a               a key of any family, the same one in the whole command
 *   v               a value, sometimes a long one
 *   m M             a member; several
 *   P Q             several pairs: member and value, score and member
 *   n i o           a number below 99; an index, also from the end; an offset
 *   r               a score, as text of a double
 *   d               a deadline in ms, now and then in the past
 *   I               an ID of a stream, of about now
 *   g c             a consumer group, a consumer
 */
#include "tests/support/shapes.h"

#include <assert.h>
#include <string.h>

#define GROUPS 9 /* families, generic commands, and what changes databases */

struct shape {
	unsigned group;
	const char *text;
};

enum { STRINGS, LISTS, SETS, ZSETS, HASHES, STREAMS, HLL, GENERIC, GLOBAL };

static const struct shape shapes[] = {
	{ STRINGS, "set %k %v" },
	{ STRINGS, "set %k %v pxat %d" },
	{ STRINGS, "set %k %v keepttl" },
	{ STRINGS, "set %k %n" },
	{ STRINGS, "incr %k" },
	{ STRINGS, "incrby %k %n" },
	{ STRINGS, "decrby %k %n" },
	{ STRINGS, "incrbyfloat %k 1.25" },
	{ STRINGS, "append %k %v" },
	{ STRINGS, "setrange %k %o %v" },
	{ STRINGS, "setbit %k %o 1" },
	{ STRINGS, "getdel %k" },
	{ STRINGS, "getex %k pxat %d" },
	{ STRINGS, "getset %k %v" },
	{ STRINGS, "setnx %k %v" },
	{ STRINGS, "psetex %k %n00 %v" },
	{ STRINGS, "mset %k %v %k %n %k %v" },
	{ STRINGS, "msetnx %k %v %k %v" },
	{ STRINGS, "bitop or %k %k %k" },
	{ STRINGS, "bitop not %k %k" },
	{ STRINGS, "bitfield %k set u8 %o 200 incrby i16 %o %n overflow sat" },

	{ LISTS, "rpush %l %M" },
	{ LISTS, "lpush %l %M" },
	{ LISTS, "rpush %l %v %n" },
	{ LISTS, "lpush %l %n %v" },
	{ LISTS, "lpushx %l %v" },
	{ LISTS, "rpushx %l %m" },
	{ LISTS, "lpop %l" },
	{ LISTS, "rpop %l %n" },
	{ LISTS, "lset %l %i %v" },
	{ LISTS, "lset %l %i %n" },
	{ LISTS, "linsert %l before %m %v" },
	{ LISTS, "linsert %l after %m %n" },
	{ LISTS, "lrem %l %i %m" },
	{ LISTS, "ltrim %l %i -%i" },
	{ LISTS, "ltrim %l 0 -2" },
	{ LISTS, "lmove %l %l left right" },
	{ LISTS, "lmove %l %l right left" },
	{ LISTS, "rpoplpush %l %l" },
	{ LISTS, "lmpop 2 %l %l right count 3" },
	{ LISTS, "sort %l alpha store %l" },
	{ LISTS, "sort %s alpha desc limit 0 20 store %l" },

	{ SETS, "sadd %s %M" },
	{ SETS, "sadd %s %n %n %n" },
	{ SETS, "sadd %s %v" },
	{ SETS, "srem %s %M" },
	{ SETS, "srem %s %n" },
	{ SETS, "spop %s" },
	{ SETS, "spop %s 3" },
	{ SETS, "smove %s %s %m" },
	{ SETS, "sinterstore %s %s %s" },
	{ SETS, "sunionstore %s %s %s" },
	{ SETS, "sdiffstore %s %s %s" },

	{ ZSETS, "zadd %z %Q" },
	{ ZSETS, "zadd %z gt ch %Q" },
	{ ZSETS, "zadd %z xx %Q" },
	{ ZSETS, "zadd %z nx %r %v" },
	{ ZSETS, "zadd %z incr %r %m" },
	{ ZSETS, "zincrby %z %r %m" },
	{ ZSETS, "zrem %z %M" },
	{ ZSETS, "zremrangebyrank %z %i %i" },
	{ ZSETS, "zremrangebyscore %z %r %r" },
	{ ZSETS, "zremrangebylex %z [%m (%m" },
	{ ZSETS, "zpopmin %z" },
	{ ZSETS, "zpopmax %z %n" },
	{ ZSETS, "zmpop 1 %z min" },
	{ ZSETS, "zunionstore %z 2 %z %s weights 2 -1" },
	{ ZSETS, "zinterstore %z 2 %z %z aggregate max" },
	{ ZSETS, "zdiffstore %z 2 %z %z" },
	{ ZSETS, "zrangestore %z %z %i %i" },
	{ ZSETS, "zrangestore %z %z -inf %r byscore limit 0 9" },
	{ ZSETS, "geoadd %z 13.361389 38.115556 %m" },
	{ ZSETS, "geoadd %z -0.%n 51.%n %m 2.%n 48.8 %m" },
	{ ZSETS, "geosearchstore %z %z fromlonlat 1 50 byradius 700 km" },
	{ ZSETS, "georadius %z 2 48 500 km store %z" },

	{ HASHES, "hset %h %P" },
	{ HASHES, "hmset %h %P" },
	{ HASHES, "hset %h %m %v" },
	{ HASHES, "hset %h %m %n" },
	{ HASHES, "hsetnx %h %m %v" },
	{ HASHES, "hdel %h %M" },
	{ HASHES, "hincrby %h c%n %n" },
	{ HASHES, "hincrbyfloat %h c%n 1.5" },
	{ HASHES, "hpexpireat %h %d fields 2 %m %m" },
	{ HASHES, "hpexpireat %h %d fields 1 %m" },
	{ HASHES, "hpersist %h fields 1 %m" },
	{ HASHES, "hexpire %h 1000 gt fields 2 %m %m" },
	{ HASHES, "hgetex %h pxat %d fields 2 %m %m" },
	{ HASHES, "hgetex %h persist fields 2 %m %m" },
	{ HASHES, "hgetdel %h fields 2 %m %m" },
	{ HASHES, "hsetex %h pxat %d fields 2 %m %v %m %n" },
	{ HASHES, "hsetex %h fxx keepttl fields 1 %m %n" },

	{ STREAMS, "xadd %x * %P" },
	{ STREAMS, "xadd %x * %m %v" },
	{ STREAMS, "xadd %x * type click user %n" },
	{ STREAMS, "xadd %x %I %m %n" },
	{ STREAMS, "xadd %x maxlen %n * %m %n" },
	{ STREAMS, "xadd %x nomkstream maxlen ~ %n * %m %n" },
	{ STREAMS, "xadd %x maxlen 5 acked * %m %n" },
	{ STREAMS, "xadd %x maxlen ~ 5 delref * %m %n" },
	{ STREAMS, "xadd %x idmp %c m%n * %m %n" },
	{ STREAMS, "xadd %x idmp %c m%n * %m %v" },
	{ STREAMS, "xadd %x idmpauto %c * f %n" },
	{ STREAMS, "xcfgset %x idmp-duration 1 idmp-maxsize 5" },
	{ STREAMS, "xcfgset %x idmp-maxsize 3" },
	{ STREAMS, "xtrim %x maxlen %n acked" },
	{ STREAMS, "xtrim %x minid %I delref" },
	{ STREAMS, "xtrim %x minid ~ %I acked" },
	{ STREAMS, "xdel %x %I %I" },
	{ STREAMS, "xtrim %x maxlen %n" },
	{ STREAMS, "xtrim %x minid %I" },
	{ STREAMS, "xtrim %x maxlen ~ 9 limit 20" },
	{ STREAMS, "xsetid %x %I" },
	{ STREAMS, "xgroup create %x %g 0 mkstream" },
	{ STREAMS, "xgroup create %x %g 0 mkstream" },
	{ STREAMS, "xgroup create %x %g 0 mkstream" },
	{ STREAMS, "xgroup create %x %g 0 mkstream" },
	{ STREAMS, "xgroup create %x %g %I mkstream" },
	{ STREAMS, "xgroup create %x %g $ mkstream" },
	{ STREAMS, "xgroup setid %x %g 0" },
	{ STREAMS, "xgroup setid %x %g %I" },
	{ STREAMS, "xgroup destroy %x %g" },
	{ STREAMS, "xgroup createconsumer %x %g %c" },
	{ STREAMS, "xgroup delconsumer %x %g %c" },
	{ STREAMS, "xreadgroup group %g %c count 5 streams %x >" },
	{ STREAMS, "xreadgroup group %g %c count 50 streams %x >" },
	{ STREAMS, "xreadgroup group %g %c noack streams %x >" },
	{ STREAMS, "xreadgroup group %g %c streams %x 0" },
	{ STREAMS, "xreadgroup group %g %c claim 0 count 5 streams %x >" },
	{ STREAMS, "xreadgroup group %g %c claim 3 noack streams %x >" },
	{ STREAMS, "xnack %x %g fail ids 2 %I %I" },
	{ STREAMS, "xnack %x %g silent force ids 2 %I %I" },
	{ STREAMS, "xnack %x %g fatal ids 1 %I retrycount 7 force" },
	{ STREAMS, "xack %x %g %I %I" },
	{ STREAMS, "xclaim %x %g %c 0 %I" },
	{ STREAMS, "xclaim %x %g %c 0 %I force retrycount 3" },
	{ STREAMS, "xclaim %x %g %c 0 %I time 1000 lastid %I justid" },
	{ STREAMS, "xautoclaim %x %g %c 0 0 count 3" },
	{ STREAMS, "xautoclaim %x %g %c 0 0 count 50 justid" },

	{ HLL, "pfadd %p %M" },
	{ HLL, "pfadd %p %m" },
	{ HLL, "pfmerge %p %p %p" },
	{ HLL, "pfcount %p" },

	{ GENERIC, "del %a" },
	{ GENERIC, "unlink %a" },
	{ GENERIC, "rename %a %a" },
	{ GENERIC, "renamenx %a %a" },
	{ GENERIC, "copy %a %a replace" },
	{ GENERIC, "copy %a %a db 1 replace" },
	{ GENERIC, "move %a 1" },
	{ GENERIC, "pexpireat %a %d" },
	{ GENERIC, "persist %a" },
	{ GENERIC, "expire %a 1000 nx" },
	{ GENERIC, "set %a %n" },

	{ GLOBAL, "select 0" },
	{ GLOBAL, "select 1" },
	{ GLOBAL, "swapdb 0 1" },
	{ GLOBAL, "flushdb" },
	{ GLOBAL, "del %a %a %a" },
	{ GLOBAL, "select 0" },
};

unsigned shape_count(void)
{
	return ARRAY_LEN(shapes);
}

const char *shape_text(unsigned shape)
{
	assert(shape < ARRAY_LEN(shapes));
	return shapes[shape].text;
}

static unsigned below(const struct shape_maker *m, unsigned n)
{
	return (unsigned)m->below(m->ctx, n);
}

/* --- words ---------------------------------------------------------------- */

static void put_key(const struct shape_maker *m, struct buf *line,
		    unsigned family)
{
	if (below(m, 25) == 0)
		family = below(m, SHAPE_FAMILIES);
	buf_printf(line, "k%u", family * m->keys + below(m, m->keys));
}

static void put_value(const struct shape_maker *m, struct buf *line)
{
	size_t size = below(m, 60);

	if (below(m, 40) == 0 || size >= m->size_max)
		size = below(m, (unsigned)m->size_max);
	buf_put_byte(line, 'v');
	memset(buf_reserve(line, size + 1), 'a' + (int)below(m, 26), size + 1);
	if (size > 8)
		line->data[line->size + below(m, (unsigned)size)] = 'Z';
	line->size += size;
}

/* A word, a number, or a word too long for a packed encoding. */
static void put_member(const struct shape_maker *m, struct buf *line)
{
	unsigned n = below(m, m->members), kind = n % 8;

	if (kind == 0)
		buf_printf(line, "%u", n * 37);
	else if (kind == 1)
		buf_printf(line, "m%070u", n);
	else
		buf_printf(line, "m%u", n);
}

static void put_score(const struct shape_maker *m, struct buf *line)
{
	static const char *const odd[] = { "inf", "-inf", "0", "-0.5", "1e17",
					   "3.3e-5", "-123456789.25" };

	if (below(m, 12) == 0)
		buf_put_str(line, odd[below(m, ARRAY_LEN(odd))]);
	else
		buf_printf(line, "%d", (int)below(m, 200) - 50);
}

static void put_run(const struct shape_maker *m, struct buf *line, char kind)
{
	unsigned count = 1 + below(m, 4);

	if (below(m, 30) == 0)
		count = 1 + below(m, m->run_max);
	for (; count > 0; count--) {
		if (kind == 'Q') {
			put_score(m, line);
			buf_put_byte(line, ' ');
		}
		put_member(m, line);
		if (kind == 'P')
			buf_printf(line, " v%u", below(m, 1000));
		if (count > 1)
			buf_put_byte(line, ' ');
	}
}

static void put_number(const struct shape_maker *m, struct buf *line,
		       char kind)
{
	uint64_t now = m->now_ms;

	switch (kind) {
	case 'n':
		buf_printf(line, "%u", below(m, 99));
		break;
	case 'i': /* near an end, as a rule: few lists are long */
		if (below(m, 3) != 0)
			buf_printf(line, "%d", (int)below(m, 5) - 2);
		else
			buf_printf(line, "%d", (int)below(m, 40) - 8);
		break;
	case 'o':
		buf_printf(line, "%u", below(m, 999));
		break;
	case 'd':
		buf_printf(line, "%llu",
			   (unsigned long long)(now + below(m, 300) - 20));
		break;
	default:
		buf_printf(line, "%llu-%u",
			   (unsigned long long)(now - below(m, 40)),
			   below(m, 2));
	}
}

static void put_word(const struct shape_maker *m, struct buf *line, char kind,
		     unsigned any)
{
	static const char families[] = "klszhxp";
	const char *family = strchr(families, kind);

	_Static_assert(sizeof(families) == SHAPE_FAMILIES + 1, "all of them");
	if (family != NULL)
		put_key(m, line, (unsigned)(family - families));
	else if (kind == 'a')
		put_key(m, line, any);
	else if (kind == 'v')
		put_value(m, line);
	else if (kind == 'm')
		put_member(m, line);
	else if (strchr("MPQ", kind) != NULL)
		put_run(m, line, kind);
	else if (kind == 'r')
		put_score(m, line);
	else if (kind == 'g' || kind == 'c')
		buf_printf(line, "%c%u", kind, below(m, 4) == 0);
	else
		put_number(m, line, kind);
}

/* --- commands ------------------------------------------------------------- */

/* Each family has the same share, whatever the number of its commands. */
static unsigned choose(const struct shape_maker *m)
{
	unsigned group = below(m, GROUPS), first = 0, count = 0;

	if (group == GLOBAL && below(m, 4) != 0)
		group = GENERIC;
	while (shapes[first].group != group)
		first++;
	while (first + count < ARRAY_LEN(shapes) &&
	       shapes[first + count].group == group)
		count++;
	first += below(m, count);
	/* What empties all of it leaves nothing to look at. */
	if (strcmp(shapes[first].text, "flushdb") == 0 && below(m, 8) != 0)
		first++;
	return first;
}

unsigned shape_put(const struct shape_maker *m, struct buf *line)
{
	unsigned shape = choose(m), any = below(m, SHAPE_FAMILIES);
	const char *at;

	line->size = 0;
	for (at = shapes[shape].text; *at != 0; at++) {
		if (*at == '%')
			put_word(m, line, *++at, any);
		else
			buf_put_byte(line, (uint8_t)*at);
	}
	buf_put_byte(line, 0);
	return shape;
}

unsigned shape_split(const char *line, struct slice *words)
{
	unsigned count = 0;

	while (*line != 0) {
		size_t size = strcspn(line, " ");

		assert(count < SHAPE_WORDS_MAX);
		words[count++] = slice_of(line, size);
		line += size + (line[size] == ' ');
	}
	return count;
}
