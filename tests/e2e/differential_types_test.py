#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Random commands on lists, sets, sorted sets, hashes, streams, hyperloglogs
and places, to this server and to Debian's redis-server: equal replies, equal
contents, and after a kill -9 the same digest.

DIFFERENTIAL_SEED makes another run (0: a fresh one), DIFFERENTIAL_COMMANDS a
longer one, DIFFERENTIAL_TYPES="lists hashes" picks types.  A new command is one
row.
"""

import os
import random
import re

import lib
from differential import EDGES, SEED, compare, no_times, \
    rule_packed_bytes, shown, with_reference

PORTS = range(21740, 21800)
COMMANDS = int(os.environ.get("DIFFERENTIAL_COMMANDS", 4000))
BATCH = 40

# A word in braces is made up (make_<name> below), a + behind it: one to four
# times; a|b is a choice; what is in [ ] comes one time in three.  {x=name} is
# made up, {x} behind it, also in further commands behind a ;, is the same again.
ROWS = {
    "lists": """
RPUSH {list} {member}+
LPUSH {list} {member}+
RPUSH {list} {value}+
LPUSHX|RPUSHX {list} {member}+
RPUSH|LPUSH {list} {many_members}
LPOP|RPOP {list} [{few}]
LLEN {list}
LINDEX {list} {index}
LRANGE {list} {index} {index}
LRANGE {list} 0 -1
LSET {list} {index} {value}
LINSERT {list} BEFORE|AFTER {member} {value}
LREM {list} {index} {member}
LTRIM {list} {index} {far_index}
LPOS {list} {member} [RANK {rank}] [COUNT {few}] [MAXLEN {few}]
LMOVE {list} {list} LEFT|RIGHT LEFT|RIGHT
RPOPLPUSH {list} {list}
LMPOP {numkeys_lists} LEFT|RIGHT [COUNT {few}]
SORT|SORT_RO {list} ALPHA [LIMIT {few} {few}] [ASC|DESC]
SORT {list} [ALPHA] [DESC] STORE {list}
SORT|SORT_RO {list} BY w* [ALPHA] [GET #] [GET o*] [DESC]
SORT|SORT_RO {list} BY nosort [LIMIT {few} {few}] GET # GET h1->f1
SORT {set} ALPHA STORE {list}
SORT {zset} BY nosort [DESC] [LIMIT {few} {few}]
SORT {numbers} [LIMIT {index} {few}] [DESC] [STORE {list}]
RPUSH {numbers} {number}+
SADD {set} {member}+
SET w{member} {number}
SET o{member} {value}
DEL {list}
""",
    "sets": """
SADD {set} {member}+
SADD {set} {number}+
SADD {set} {many_members}
SADD {set} {value}
SREM {set} {member}+
SREM {set} {number}+
SISMEMBER {set} {member}
SMISMEMBER {set} {member}+
SMEMBERS {set}
SCARD {set}
SMOVE {set} {set} {member}
SINTER|SUNION|SDIFF {set}+
SINTERSTORE|SUNIONSTORE|SDIFFSTORE {set} {set}+
SINTERCARD {numkeys_sets} [LIMIT {few}]
SPOP {set} 100000
SRANDMEMBER {set} {few}
SSCAN {set} 0 [MATCH m*] [COUNT {few}]
DEL {set}
""",
    "zsets": """
ZADD {zset} [NX|XX] [GT|LT] [CH] {scored}+
ZADD {zset} [CH] {scored}+
ZADD {zset} {scored}+
ZADD {zset} {many_scored}
ZADD {lex} {many_equal}
ZADD {lex} 0 {member} 0 {member}
ZADD {zset} [NX|XX] [GT|LT] INCR {score} {member}
ZINCRBY {zset} {score} {member}
ZREM {zset} {member}+
ZSCORE {zset} {member}
ZMSCORE {zset} {member}+
ZRANK|ZREVRANK {zset} {member}
ZCARD {zset}
ZCOUNT {zset} {low} {high}
ZLEXCOUNT {lex} {lex_low} {lex_high}
ZRANGE {zset} {index} {index} [REV] [WITHSCORES]
ZRANGE {zset} 0 -1 WITHSCORES
ZRANGE {zset} {low} {high} BYSCORE [LIMIT {index} {index}] [WITHSCORES]
ZRANGE {zset} {high} {low} BYSCORE REV [LIMIT {few} {few}] [WITHSCORES]
ZRANGE {lex} {lex_low} {lex_high} BYLEX [LIMIT {few} {index}]
ZRANGE {lex} {lex_high} {lex_low} BYLEX REV [LIMIT {few} {index}]
ZREVRANGE {zset} {index} {index} [WITHSCORES]
ZRANGEBYSCORE {zset} {low} {high} [WITHSCORES] [LIMIT {few} {index}]
ZREVRANGEBYSCORE {zset} {high} {low} [WITHSCORES] [LIMIT {few} {index}]
ZRANGEBYLEX {lex} {lex_low} {lex_high} [LIMIT {few} {index}]
ZREVRANGEBYLEX {lex} {lex_high} {lex_low} [LIMIT {few} {index}]
ZRANGESTORE {zset} {zset} {index} {index} [REV]
ZRANGESTORE {zset} {zset} {low} {high} BYSCORE [LIMIT {few} {few}]
ZRANGESTORE {zset} {lex} {lex_low} {lex_high} BYLEX [LIMIT {few} {few}]
ZREMRANGEBYRANK {zset} {index} {index}
ZREMRANGEBYSCORE {zset} {low} {high}
ZREMRANGEBYLEX {lex} {lex_low} {lex_high}
ZPOPMIN|ZPOPMAX {zset} [{few}]
ZMPOP {numkeys_zsets} MIN|MAX [COUNT {few}]
ZUNIONSTORE|ZINTERSTORE {zset} {two_zsets} [WEIGHTS {weight} {weight}] [AGGREGATE SUM|MIN|MAX]
ZDIFFSTORE {zset} {two_zsets}
ZUNION|ZINTER {two_zsets} [WEIGHTS {weight} {weight}] [AGGREGATE SUM|MIN|MAX] [WITHSCORES]
ZDIFF {two_zsets} [WITHSCORES]
ZINTERCARD {two_zsets} [LIMIT {few}]
ZRANDMEMBER {zset} {few} [WITHSCORES]
OBJECT ENCODING {zset}
ZSCAN {zset} 0 [MATCH m*] [COUNT {few}]
SADD {set} {member}+
DEL {zset}
""",
    "hashes": """
HSET|HMSET {hash} {pair}+
HSET {hash} {many_pairs}
HSET {hash} {member} {value}
HSETNX {hash} {member} {value}
HGET {hash} {member}
HMGET {hash} {member}+
HGETALL {hash}
HKEYS|HVALS {hash}
HDEL {hash} {member}+
HEXISTS {hash} {member}
HLEN {hash}
HSTRLEN {hash} {member}
HINCRBY {hash} c{few} {number}
HINCRBY {hash} {member} {number}
HINCRBYFLOAT {hash} c{few} {number}
HINCRBYFLOAT {hash} d{few} {score}
HRANDFIELD {hash} {few} [WITHVALUES]
HSCAN {hash} 0 [MATCH m*] [COUNT {few}]
OBJECT ENCODING {hash}
DEL {hash}
""",
    "streams": """
XADD {stream} {id} {pair}+
XADD {stream} {next_id} {pair}+
XADD {stream} {next_id} {pair}+
XADD {stream} {next_id} f1 {value} f2 {number}
XADD {stream} [NOMKSTREAM] [MAXLEN = {few}] {next_id} f1 {value}
XADD {stream} MINID = {id} {next_id} f1 {value}
XLEN {stream}
XRANGE {stream} {from_id} {to_id} [COUNT {few}]
XREVRANGE {stream} {to_id} {from_id} [COUNT {few}]
XREAD [COUNT {few}] STREAMS {stream} {stream} {id} {id}
XDEL {stream} {id}+
XTRIM {stream} MAXLEN {few}
XTRIM {stream} MINID {id}
XSETID {stream} {next_id} [ENTRIESADDED 1000 MAXDELETEDID {id}]
XGROUP CREATE {k=stream} {g=group} {id} [MKSTREAM] [ENTRIESREAD {few}] ; XGROUP CREATECONSUMER {k} {g} c1 ; XGROUP CREATECONSUMER {k} {g} c2 ; XGROUP CREATECONSUMER {k} {g} c3
XGROUP CREATE {k=stream} {g=group} $|0 MKSTREAM ; XGROUP CREATECONSUMER {k} {g} c1 ; XGROUP CREATECONSUMER {k} {g} c2 ; XGROUP CREATECONSUMER {k} {g} c3
XGROUP CREATE {k=stream} {g=group} 0 MKSTREAM ; XGROUP CREATECONSUMER {k} {g} c1 ; XGROUP CREATECONSUMER {k} {g} c2 ; XGROUP CREATECONSUMER {k} {g} c3
XGROUP CREATE {k=stream} {g=group} 0 MKSTREAM ; XGROUP CREATECONSUMER {k} {g} c1 ; XGROUP CREATECONSUMER {k} {g} c2 ; XGROUP CREATECONSUMER {k} {g} c3
XGROUP SETID {stream} {group} {id} [ENTRIESREAD {few}]
XGROUP DESTROY {stream} {group}
XGROUP DELCONSUMER {k=stream} {g=group} {consumer} ; XGROUP CREATECONSUMER {k} {g} c1 ; XGROUP CREATECONSUMER {k} {g} c2 ; XGROUP CREATECONSUMER {k} {g} c3
XREADGROUP GROUP {group} {consumer} [COUNT {few}] [NOACK] STREAMS {stream} >
XREADGROUP GROUP {group} {consumer} COUNT {few} STREAMS {stream} {stream} > >
XREADGROUP GROUP {group} {consumer} [COUNT {few}] STREAMS {stream} {id}
XACK {stream} {group} {id}+
XPENDING {stream} {group}
XPENDING {stream} {group} {from_id} {to_id} {few} [{consumer}]
XPENDING {stream} {group} IDLE 100000 {from_id} {to_id} {few}
XCLAIM {stream} {group} {consumer} 0 {id}+ [IDLE 5] [RETRYCOUNT {few}] [FORCE] [JUSTID]
XCLAIM {stream} {group} {consumer} 1000000 {id}+
XAUTOCLAIM {stream} {group} {consumer} 0 {from_id} [COUNT {few}] [JUSTID]
XINFO STREAM {stream}
XINFO STREAM {stream} FULL [COUNT {few}]
XINFO GROUPS {stream}
XINFO CONSUMERS {stream} {group}
DEL {stream}
""",
    "hll": """
PFADD {hll} {member}+
PFADD {hll} {many_members}
PFADD {hll} {value}
PFADD {hll}
PFCOUNT {hll}
PFCOUNT {hll}+
PFMERGE {hll} {hll}+
DEL {hll}
""",
    "geo": """
GEOADD {geo} [NX|XX] [CH] {place}+
GEOADD {geo} {place}+
GEOPOS {geo} {member}+
GEOHASH {geo} {member}+
GEODIST {geo} {member} {member} [{unit}]
GEOSEARCH {geo} FROMMEMBER {member} BYRADIUS {distance} {unit} [ASC|DESC] [COUNT {rank}] [WITHCOORD] [WITHDIST] [WITHHASH]
GEOSEARCH {geo} FROMLONLAT {lonlat} BYBOX {distance} {distance} {unit} ASC|DESC [COUNT {rank}] [WITHCOORD] [WITHDIST]
GEOSEARCHSTORE {geo} {geo} FROMLONLAT {lonlat} BYRADIUS {distance} {unit} [STOREDIST]
GEORADIUS {geo} {lonlat} {distance} {unit} [WITHDIST] [WITHCOORD] [ASC|DESC] [COUNT {rank}]
GEORADIUS {geo} {lonlat} {distance} {unit} STORE {geo}
GEORADIUSBYMEMBER {geo} {member} {distance} {unit} [WITHHASH] [ASC|DESC]
GEORADIUS_RO {geo} {lonlat} {distance} {unit} ASC
GEORADIUSBYMEMBER_RO {geo} {member} {distance} {unit} [WITHDIST] ASC
ZRANGE {geo} 0 -1 WITHSCORES
ZREM {geo} {member}+
DEL {geo}
""",
    "generic": """
DEL|UNLINK {any}+
EXISTS|TOUCH {any}+
TYPE {any}
RENAME|RENAMENX {plain} {any}
COPY {plain} {any} [REPLACE]
EXPIRE {any} {seconds} [NX|XX|GT|LT]
PERSIST {any}
TTL {any}
SET {any} {value}
GET {any}
APPEND q{few} {member}
SCAN 0 [TYPE {type}] [COUNT {few}]
DBSIZE
""",
}

# Redis' SORT compares up to a zero byte: no two texts differ only behind one.
PLAIN_EDGES = [e.encode() for e in EDGES if "\x00" not in e]

# Redis takes "+1" and " 1" for IDs, which is not told anywhere.
ID_EDGES = [e for e in PLAIN_EDGES if e[:1] not in b"+ 0"]
# 7.2 makes the consumer even if it gets nothing.
MAKE_CONSUMERS = (b"XCLAIM", b"XAUTOCLAIM", b"XREADGROUP")

# A negative count gives so many, repeated: an edge would give millions.
COUNT_REPEATS = (b"SRANDMEMBER", b"HRANDFIELD", b"ZRANDMEMBER", b"SPOP")

EQUAL_SCORES = ([b"ZADD", b"e0"], [b"ZADD", b"e1"])

FAMILIES = {"list": "l", "set": "s", "zset": "z", "hash": "h", "stream": "x",
            "hll": "p", "geo": "g", "numbers": "n"}


class Stream:
    """Random commands of some types; the same seed, the same commands."""

    def __init__(self, seed, types):
        self.random = random.Random(seed)
        self.rows = {t: [row for row in ROWS[t].strip().split("\n")]
                     for t in types}
        self.ids = 0

    # what stands in braces; each gives a list of words

    def key(self, letter):
        count = 2 if letter == "x" else 3
        if self.random.random() < 0.02:
            letter = self.random.choice("lszhxgkp" if letter == "p" else "lszhxgk")
        return [b"%s%d" % (letter.encode(), self.random.randrange(count))]

    def make_any(self):
        return self.key(self.random.choice("lszhxpgk"))

    def make_plain(self):
        """No hyperloglog: ours refuses a damaged one sooner."""
        return self.key(self.random.choice("lszhxgk"))

    def make_member(self):
        n = self.random.randrange(30)
        return [self.random.choice([b"m%d", b"m%d", b"m%d", b"%d",
                                    b"z%d\x00\xff", b"long" * 18 + b"%d"]) % n]

    def make_value(self):
        r = self.random
        return [r.choice([b"", b"v", b"12", b"-7", b"1.50", b"\r\n",
                          b"x" * r.randrange(100), b"y" * 70,
                          b"z" * r.choice([10, 100, 5000, 20000])])]

    def make_number(self):
        r = self.random
        return [b"%d" % r.choice([r.randrange(-9, 30), r.randrange(-9, 30),
                                  r.randrange(-70000, 70000), 2 ** 31,
                                  -2 ** 31 - 1, 2 ** 63 - 1, -2 ** 63])]

    def make_seconds(self):
        # So wide apart that GT and LT do not depend on the millisecond.
        return [b"%d" % self.random.randrange(1000, 10 ** 8)]

    def make_few(self):
        return [b"%d" % self.random.choice([0, 1, 1, 2, 3, 5, 10, 30])]

    def make_rank(self):
        return [b"%d" % self.random.choice([1, 1, 2, 3, -1, -2, 0])]

    def make_index(self):
        return [b"%d" % self.random.choice(
            [0, 0, 1, 2, 3, 7, 20, 100, -1, -1, -2, -5, -40, -1000])]

    def make_far_index(self):
        return [b"%d" % self.random.choice([-1, -1, -2, -4, 300, 60, 5])]

    def make_pair(self):
        return self.make_member() + self.random.choice(
            [self.make_value, self.make_number])()

    def make_many_members(self):
        r = self.random
        first = r.randrange(2000)
        if r.random() < 0.4:
            return [b"%d" % n for n in range(first, first + r.randrange(900))]
        return [b"m%d" % n for n in range(first, first + r.choice(
            [20, 140, 600]))]

    def make_many_pairs(self):
        return [w for m in self.make_many_members() for w in (m, b"v" + m)]

    def make_score(self):
        r = self.random
        return [r.choice([b"%d" % r.randrange(-5, 20), b"%d" % r.randrange(
            -5, 20), b"%.2f" % (r.randrange(-400, 4000) / 4), b"inf", b"-inf",
            b"1e20", b"-1.25e-5", b"3", b"9007199254740993", b"0.1",
            b"123456789012345678", b"1e300", b"-0"])]

    def make_low(self):
        return self._bound([b"-inf", b"0", b"-3"])

    def make_high(self):
        return self._bound([b"+inf", b"inf", b"10", b"50"])

    def _bound(self, usual):
        r = self.random
        if r.random() < 0.5:
            return [r.choice(usual)]
        return [r.choice([b"", b"("]) + self.make_score()[0]]

    def make_lex_low(self):
        return self._lex([b"-"])

    def make_lex_high(self):
        return self._lex([b"+"])

    def _lex(self, usual):
        r = self.random
        if r.random() < 0.4:
            return [r.choice(usual)]
        return [r.choice([b"[", b"("]) + self.make_member()[0]]

    def make_weight(self):
        return [self.random.choice([b"1", b"2", b"-1", b"0", b"0.5", b"inf"])]

    def make_scored(self):
        return self.make_score() + self.make_member()

    def make_lex(self):
        """Its scores are equal: ranges by name have no meaning elsewhere."""
        return [b"e%d" % self.random.randrange(2)]

    def make_many_equal(self):
        return [w for m in self.make_many_members() for w in (b"0", m)]

    def make_many_scored(self):
        return [w for m in self.make_many_members()
                for w in (b"%d" % self.random.randrange(1000), m)]

    def _numkeys(self, letter, count):
        return [b"%d" % count] + [self.key(letter)[0] for _ in range(count)]

    def make_numkeys_lists(self):
        return self._numkeys("l", self.random.randrange(1, 4))

    def make_numkeys_sets(self):
        return self._numkeys("s", self.random.randrange(1, 4))

    def make_numkeys_zsets(self):
        return self._numkeys("z", self.random.randrange(1, 4))

    def make_two_zsets(self):
        return [b"2"] + [self.key(self.random.choice("zzzs"))[0]
                         for _ in range(2)]

    def make_id(self):
        r = self.random
        return [r.choice([b"0-0", b"0", b"5", b"%d-%d" % (
            r.randrange(max(self.ids, 1)), r.randrange(3))] + [
            b"%d-1" % r.randrange(max(self.ids, 1))] * 8)]

    def make_next_id(self):
        self.ids += 1
        return [self.random.choice([b"%d-1", b"%d-1", b"%d-*"]) % self.ids]

    def make_from_id(self):
        return self._range_id([b"-", b"-", b"0"])

    def make_to_id(self):
        return self._range_id([b"+", b"+", b"9999999"])

    def _range_id(self, usual):
        r = self.random
        if r.random() < 0.6:
            return [r.choice(usual)]
        return [r.choice([b"", b"", b"("]) + self.make_id()[0]]

    def make_group(self):
        return [self.random.choice([b"g1", b"g2"])]

    def make_consumer(self):
        return [self.random.choice([b"c1", b"c2", b"c3"])]

    def make_lonlat(self):
        r = self.random
        return [b"%.4f" % r.uniform(-180, 180), b"%.4f" % r.uniform(-85, 85)]\
            if r.random() < 0.3 else \
            [b"%.5f" % r.uniform(1, 3), b"%.5f" % r.uniform(47, 50)]

    def make_place(self):
        return self.make_lonlat() + self.make_member()

    def make_distance(self):
        return [b"%.1f" % self.random.choice([0.5, 30, 200, 900, 5000])]

    def make_unit(self):
        return [self.random.choice([b"m", b"km", b"km", b"mi", b"ft"])]

    def make_type(self):
        return [self.random.choice([b"list", b"zset", b"STREAM", b"none"])]

    # rows

    def _made(self, name):
        if name in FAMILIES:
            return self.key(FAMILIES[name])
        return getattr(self, "make_" + name)()

    def _word(self, word, known):
        found = re.match(r"^(\w?)\{(?:(\w)=)?(\w+)\}(\+?)$", word)
        if not found:
            return [self.random.choice(word.split("|")).encode()]
        prefix, variable, name, more = found.groups()
        if name in known:
            return known[name]
        words = []
        for _ in range(self.random.randrange(1, 5) if more else 1):
            words += self._made(name)
        if variable:
            known[variable] = words
        return [prefix.encode() + w for w in words]

    def _expand(self, row, known):
        words, skipping = [], False
        for word in row.split(" "):
            if word.startswith("["):
                skipping = self.random.random() < 0.67
            end = word.endswith("]")
            word = word.strip("[]")
            if not skipping:
                words += self._word(word, known)
            skipping = skipping and not end
        return words

    def _spoil(self, words):
        """Now and then an argument is wrong, missing, or one too many."""
        r = self.random
        chance = r.random()
        edge = r.choice(ID_EDGES if words[0][:1] == b"X" else PLAIN_EDGES)
        if words[0] in COUNT_REPEATS or words[:2] in EQUAL_SCORES:
            return
        if chance < 0.02 and len(words) > 1:
            at = r.randrange(1, len(words))
            if words[0] not in MAKE_CONSUMERS or at != 3:
                words[at] = edge
        elif words[0] in MAKE_CONSUMERS:
            return
        elif chance < 0.03:
            words.insert(r.randrange(1, len(words) + 1), edge)
        elif chance < 0.04 and len(words) > 1:
            del words[r.randrange(1, len(words))]

    def commands(self):
        """The commands of a row, mostly one."""
        rows = self.random.choice(list(self.rows.values()))
        known = {}
        commands = [self._expand(part, known) for part in
                    self.random.choice(rows).split(" ; ")]
        if len(commands) == 1:
            self._spoil(commands[0])
        if commands[0][0] == b"XCLAIM":
            # An ID that is named twice counts once here.
            commands[0] = list(dict.fromkeys(commands[0]))
        return commands

    def batch(self, count):
        commands = []
        while len(commands) < count:
            commands += self.commands()
        return commands


# --- contents ---------------------------------------------------------------

READ = {
    "string": [[b"GET"]],
    "list": [[b"LRANGE", 0, -1]],
    "set": [[b"SMEMBERS"], [b"SCARD"]],
    "zset": [[b"ZRANGE", 0, -1, b"WITHSCORES"], [b"ZCARD"],
             [b"ZREVRANGE", 0, -1]],
    "hash": [[b"HGETALL"], [b"HLEN"]],
    "stream": [[b"XRANGE", b"-", b"+"], [b"XLEN"],
               [b"XREVRANGE", b"+", b"-"]],
}


def read_key(pair, key, where):
    kind = pair.both([[b"TYPE", key]])
    compare(kind, where)
    kind = str(kind[0][2])
    commands = [[c[0], key] + [lib.to_bytes(w) for w in c[1:]]
                for c in READ.get(kind, ())]
    if kind == "string" and key[:1] == b"p":
        commands = [[b"PFCOUNT", key]]
    if kind == "stream":
        commands += [[b"XINFO", b"STREAM", key, b"FULL", b"COUNT", b"0"]]
    compare(pair.both(commands + [[b"TTL", key]]), where)
    if kind in ("set", "hash", "zset"):
        scan = {"set": b"SSCAN", "hash": b"HSCAN", "zset": b"ZSCAN"}[kind]
        got, wanted = (scan_all(c, scan, key, kind != "set")
                       for c in (pair.ours, pair.theirs))
        lib.equal(got, wanted, "%s: %s %r" % (where, scan, key))


def scan_all(client, scan, key, paired):
    """What a whole iteration gives, sorted, each once."""
    cursor, found = b"0", []
    while True:
        cursor, part = client.ok(scan, key, cursor, "COUNT", 50)
        found += zip(part[::2], part[1::2]) if paired else part
        if cursor == b"0":
            break
    if scan == b"ZSCAN":
        found = [(member, float(score)) for member, score in found]
    return sorted(set(found))


def compare_contents(pair, where):
    results = pair.both([[b"KEYS", b"*"], [b"DBSIZE"]])
    compare(results, where)
    for key in sorted(results[0][1]):
        read_key(pair, key, where)


# --- the tests --------------------------------------------------------------

def run_streams(pair, types, seed, count):
    """Commands of these types, in both protocols; then a kill -9."""
    stream, of = Stream(seed, types), "+".join(types)
    for n in range(0, count, BATCH):
        where = "%s, command %d" % (of, n)
        if n % (BATCH * 10) == 0:
            pair.ours.close()
            pair.theirs.close()
            pair.connect(3 if n % (BATCH * 20) == 0 else 2)
        compare(pair.both(stream.batch(BATCH)), where)
        if n % (BATCH * 25) == 0:
            compare_contents(pair, where)
        if n % (BATCH * 60) == 0:
            pair.both([[b"FLUSHALL"]])
            stream.ids = 0
    compare_contents(pair, of + ", end")
    pair.restart()
    compare_contents(pair, of + ", after kill -9")


def each_type(pair, seed):
    wanted = os.environ.get("DIFFERENTIAL_TYPES", "").split()
    wanted = wanted or list(ROWS)
    for number, name in enumerate(sorted(ROWS)):
        if name == "generic" or wanted and name not in wanted:
            continue
        pair.both([[b"FLUSHALL"]])
        run_streams(pair, [name, "generic"] if number % 2 else [name],
                    seed + number, COMMANDS // 3)
    if len(wanted) == len(ROWS):
        pair.both([[b"FLUSHALL"]])
        run_streams(pair, sorted(ROWS), seed + 100, COMMANDS)


def without_read(reply):
    if not isinstance(reply, (list, tuple)):
        return reply
    return [without_read(r) for at, r in enumerate(reply)
            if b"entries-read" not in reply[max(at - 1, 0):at + 1]]


def rule_read(command, ours, theirs):
    """how far a group is beyond entries that went: Redis 7.2"""
    return shown(without_read(no_times(ours))) == \
        shown(without_read(no_times(theirs)))


@with_reference({b"XINFO": [rule_read]})
@lib.limit(300 + COMMANDS // 20)
def test_replies_and_contents_are_equal(pair):
    each_type(pair, SEED)


@with_reference({b"XINFO": [rule_read]},
                hash_max_listpack_entries=3, hash_max_listpack_value=5,
                list_max_listpack_size=2, set_max_intset_entries=4,
                zset_max_listpack_entries=3, zset_max_listpack_value=5,
                stream_node_max_entries=2, hll_sparse_max_bytes=40)
@lib.limit(300 + COMMANDS // 20)
def test_replies_and_contents_are_equal_with_hardly_anything_packed(pair):
    each_type(pair, SEED + 1)


@with_reference({b"OBJECT": [rule_packed_bytes], b"XINFO": [rule_read]},
                hash_max_listpack_entries=100000,
                hash_max_listpack_value=100000, list_max_listpack_size=-5,
                set_max_intset_entries=100000,
                zset_max_listpack_entries=100000,
                zset_max_listpack_value=100000, stream_node_max_entries=0,
                hll_sparse_max_bytes=15000)
@lib.limit(300 + COMMANDS // 20)
def test_replies_and_contents_are_equal_with_everything_packed(pair):
    each_type(pair, SEED + 2)


@with_reference()
def test_what_redis_dumps_is_restored_here(pair):
    stream = Stream(SEED, sorted(ROWS))
    with pair.reference.raw() as c:
        c.pipeline(stream.batch(3000))
        c.command("FLUSHALL")
        c.pipeline(stream.batch(2000))
        keys = c.ok("KEYS", "*")
        pair.both([[b"SELECT", b"0"]])
        for key in keys:
            payload = c.ok("DUMP", key)
            ttl = max(c.ok("PTTL", key), 0)
            pair.ours.ok("RESTORE", key, ttl, payload)
    compare_contents(pair, "restored")
    pair.restart()
    compare_contents(pair, "restored and restarted")


lib.main(__name__, PORTS)
