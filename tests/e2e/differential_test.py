#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The same commands to this server and to Debian's redis-server: the replies
and what is stored must be equal.

Random streams are always the same ones; DIFFERENTIAL_SEED gives others (0:
fresh ones), DIFFERENTIAL_COMMANDS makes them longer.  What is meant to differ
from Redis 7.0 is in differential.py, each with its reason.  Here: strings; the
other types are in differential_types_test.py.
"""

import os
import random

import lib
from differential import EDGES, LIMIT, SEED, compare, with_reference

PORTS = range(21340, 21400)
COMMANDS = int(os.environ.get("DIFFERENTIAL_COMMANDS", 30000))
BATCH = 50

KEYS = [b"a", b"b", b"c", b"d", b"e", b"k\x00\xff", b"long" * 20]

# % is the place of the edge value; a preparation may come before a ";".
EDGE_COMMANDS = """
SETEX s % v
PSETEX s % v
SET s v EX %
SET s v PX %
SET s v EXAT %
SET s v PXAT %
SET s v EX % NX
GETEX s EX %
GETEX s PX %
GETEX s EXAT %
GETEX s PXAT %
EXPIRE s %
PEXPIRE s %
EXPIREAT s %
PEXPIREAT s %
EXPIRE s % NX
EXPIRE s % GT
EXPIRE s % LT
EXPIRE s 100 %
EXPIRE none %
INCRBY n %
DECRBY n %
INCRBY s %
INCRBY none %
DECRBY none %
SET n % ; INCR n
SET n % ; DECR n
SET n % ; INCRBY n 9223372036854775807
SET n % ; DECRBY n 9223372036854775807
SET f % ; INCRBYFLOAT f 1
SET f % ; INCRBYFLOAT f 0.1
SET f % ; APPEND f 0
INCRBYFLOAT n %
INCRBYFLOAT f %
INCRBYFLOAT none %
INCRBYFLOAT s %
SETRANGE s % xyz
SETRANGE s 2 %
SETRANGE none % x
GETRANGE s % -1
GETRANGE s 0 %
GETRANGE s % %
SUBSTR s 1 %
SETBIT s % 1
SETBIT s 3 %
SETBIT none % 0
GETBIT s %
BITCOUNT s % -1
BITCOUNT s 0 %
BITCOUNT s % 30 BIT
BITCOUNT s 3 % BIT
BITPOS s %
BITPOS s 1 %
BITPOS s 0 %
BITPOS s 0 1 %
BITPOS s 1 % 33 BIT
BITPOS s 0 3 % BIT
BITFIELD s GET u8 %
BITFIELD s GET u8 #%
BITFIELD s GET i% 0
BITFIELD s GET u% 3
BITFIELD s SET u8 % 1
BITFIELD s SET i64 #% 1
BITFIELD s SET u8 1 %
BITFIELD s SET i64 5 %
BITFIELD s SET u63 5 %
BITFIELD s OVERFLOW SAT SET i8 5 %
BITFIELD s OVERFLOW FAIL SET u8 5 %
BITFIELD s OVERFLOW SAT SET u8 5 %
BITFIELD s INCRBY u8 1 %
BITFIELD s INCRBY i8 1 %
BITFIELD s INCRBY i64 0 %
BITFIELD s INCRBY u63 0 %
BITFIELD s OVERFLOW SAT INCRBY i64 0 % INCRBY u63 3 % INCRBY i5 60 %
BITFIELD s OVERFLOW FAIL INCRBY i64 0 % INCRBY u63 3 % INCRBY i5 60 %
BITFIELD none OVERFLOW FAIL INCRBY u1 900 %
BITFIELD_RO s GET u8 %
COPY s t DB %
MOVE s %
SELECT %
SWAPDB % 0
SWAPDB 0 %
SCAN %
SCAN 0 COUNT %
LCS s t MINMATCHLEN % IDX
LCS s t MINMATCHLEN % IDX WITHMATCHLEN
OBJECT IDLETIME %
""".strip().split("\n")


# (command, values): the reason why the replies are meant to differ.
EDGE_DIFFERENCES = {
    ("BITFIELD s OVERFLOW SAT SET i8 5 %",
     ("-9223372036854775808", "-9223372036854775807")):
        "Redis' range check overflows and saturates at the wrong end",
    ("BITFIELD s GET u8 #%",
     ("-9223372036854775807", "-9223372036854775808")):
        "Redis multiplies without looking",
    ("BITFIELD s SET i64 #% 1",
     ("-9223372036854775807", "-9223372036854775808")):
        "Redis multiplies without looking",
    ("BITFIELD s GET i% 0", ("1\x00",)): "the type ends at its last byte",
    ("BITFIELD s GET u% 3", ("1\x00",)): "the type ends at its last byte",
}


def words(text, value):
    return [w.replace("%", value).encode() for w in text.split(" ") if w]


def compare_contents(pair, where):
    results = pair.both([[b"KEYS", b"*"], [b"DBSIZE"]])
    compare(results, where)
    for key in sorted(results[0][1]):
        compare(pair.both([[b"GET", key], [b"TTL", key], [b"STRLEN", key]]),
                where)


# --- random streams ---------------------------------------------------------

class Stream:
    """Random commands; the same seed, the same commands."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.makers = [getattr(self, name) for name in sorted(dir(self))
                       if name.startswith("make_")]

    def key(self):
        return self.random.choice(KEYS)

    def number(self):
        r = self.random
        return str(r.choice([
            r.randrange(-3, 10), r.randrange(-200, 2000),
            r.choice([2 ** 31, 2 ** 63 - 1, -2 ** 63, 2 ** 63, "x", "1.0"]),
        ])).encode()

    def index(self):
        return str(self.random.randrange(-20, 60)).encode()

    def seconds(self):
        # Wide enough apart that GT and LT do not depend on the millisecond.
        return str(self.random.choice(
            [self.random.randrange(1000, 10 ** 7), 0, -1,
             10 ** 10 + self.random.randrange(10 ** 9)])).encode()

    def bytes(self):
        r = self.random
        kind = r.randrange(6)
        if kind == 0:
            return self.number()
        if kind == 1:
            return b"%.3f" % r.uniform(-1000, 1000)
        if kind == 2:
            return bytes(r.randrange(256) for _ in range(r.randrange(40)))
        if kind == 3:
            return r.choice([b"\x00", b"\xff", b"ab"]) * r.randrange(300)
        if kind == 4:
            return b"x" * r.choice([0, 65535, 65536, 65537, 131072, 200000])
        return r.choice([b"", b"hello", b"10", b"-0", b"3.14", b"ohmytext"])

    def bit(self):
        r = self.random
        return str(r.choice([r.randrange(100), r.randrange(10 ** 6),
                             r.randrange(8 * LIMIT + 100)])).encode()

    def deadline(self):
        r = self.random
        word = r.choice([b"EX", b"PX", b"EXAT", b"PXAT"])
        n = r.randrange(10 ** 7)
        if word in (b"EXAT", b"PXAT"):
            n += 9999999999
        return [word, b"%d" % (n * 1000 if word[:1] == b"P" else n)]

    def make_set(self):
        c = [b"SET", self.key(), self.bytes()]
        for option in ([b"NX"], [b"XX"], [b"GET"], [b"KEEPTTL"],
                       self.deadline()):
            if self.random.random() < 0.2:
                c += option
        return c

    def make_plain(self):
        name, args = self.random.choice([
            (b"GET", "k"), (b"GETDEL", "k"), (b"STRLEN", "k"), (b"DEL", "k"),
            (b"DEL", "kkk"), (b"UNLINK", "kk"), (b"EXISTS", "kkk"),
            (b"TOUCH", "kk"), (b"TYPE", "k"), (b"TTL", "k"), (b"PTTL", "k"),
            (b"EXPIRETIME", "k"), (b"PEXPIRETIME", "k"), (b"PERSIST", "k"),
            (b"INCR", "k"), (b"DECR", "k"), (b"INCRBY", "kn"),
            (b"DECRBY", "kn"), (b"INCRBYFLOAT", "kb"), (b"APPEND", "kb"),
            (b"GETSET", "kb"), (b"SETNX", "kb"), (b"SETEX", "ksb"),
            (b"MGET", "kkkk"), (b"MSET", "kbkb"), (b"MSETNX", "kbkb"),
            (b"MSET", "kbk"), (b"RENAME", "kk"), (b"RENAMENX", "kk"),
            (b"COPY", "kk"), (b"GETRANGE", "kii"), (b"SETRANGE", "kib"),
            (b"SUBSTR", "kii"), (b"KEYS", "b"), (b"DBSIZE", ""),
            (b"GETEX", "k"), (b"NOSUCH", "k"),
        ])
        one = {"k": self.key, "n": self.number, "b": self.bytes,
               "s": self.seconds, "i": self.index}
        return [name] + [one[a]() for a in args]

    def make_expire(self):
        r = self.random
        c = [r.choice([b"EXPIRE", b"PEXPIRE"]), self.key(), self.seconds()]
        if c[0] == b"PEXPIRE":
            c[2] += b"000"
        c += r.choice([[], [], [b"NX"], [b"XX"], [b"GT"], [b"LT"],
                       [b"XX", b"GT"], [b"NX", b"XX"], [b"GT", b"LT"]])
        return c

    def make_getex(self):
        return [b"GETEX", self.key()] + self.random.choice(
            [[b"PERSIST"], self.deadline(), [b"PERSIST", b"EX", b"5"]])

    def make_bits(self):
        r = self.random
        return r.choice([
            [b"SETBIT", self.key(), self.bit(), b"%d" % r.randrange(2)],
            [b"GETBIT", self.key(), self.bit()],
            [b"BITCOUNT", self.key()],
            [b"BITCOUNT", self.key(), self.index(), self.index()],
            [b"BITCOUNT", self.key(), self.index(), self.index(),
             r.choice([b"BIT", b"BYTE", b"bit"])],
            [b"BITPOS", self.key(), b"%d" % r.randrange(2)],
            [b"BITPOS", self.key(), b"%d" % r.randrange(2), self.index()],
            [b"BITPOS", self.key(), b"%d" % r.randrange(2), self.index(),
             self.index()],
            [b"BITPOS", self.key(), b"%d" % r.randrange(2), self.index(),
             self.index(), r.choice([b"BIT", b"BYTE"])],
            [b"BITOP", r.choice([b"AND", b"OR", b"XOR"]), self.key()] +
            [self.key() for _ in range(r.randrange(1, 5))],
            [b"BITOP", b"NOT", self.key(), self.key()],
        ])

    def make_field(self):
        r = self.random
        c = [b"BITFIELD", self.key()]
        for _ in range(r.randrange(1, 5)):
            kind = r.choice([b"u", b"i"]) + \
                str(r.choice([1, 3, 5, 8, 16, 31, 32, 63, 64])).encode()
            offset = r.choice([b"%d", b"#%d"]) % r.randrange(0, 40)
            action = r.choice([b"GET", b"SET", b"INCRBY", b"OVERFLOW"])
            if action == b"OVERFLOW":
                c += [action, r.choice([b"WRAP", b"SAT", b"FAIL"])]
            elif action == b"GET":
                c += [action, kind, offset]
            else:
                number = self.number()
                if number == b"-9223372036854775808":
                    number = b"-99999999999"  # EDGE_DIFFERENCES
                c += [action, kind, offset, number]
        return c

    def make_lcs(self):
        r = self.random
        return [b"LCS", self.key(), self.key()] + r.choice(
            [[], [b"LEN"], [b"IDX"], [b"IDX", b"WITHMATCHLEN"],
             [b"IDX", b"MINMATCHLEN", b"%d" % r.randrange(-1, 6)],
             [b"LEN", b"IDX"]])

    def command(self):
        return self.random.choice(self.makers)()


@with_reference()
@lib.limit(600)
def test_random_streams_give_equal_replies_and_contents(pair):
    stream = Stream(SEED)
    for n in range(0, COMMANDS, BATCH):
        where = "command %d" % n
        compare(pair.both([stream.command() for _ in range(BATCH)]), where)
        if n % (BATCH * 20) == 0:
            compare_contents(pair, where)
        if n % (BATCH * 60) == 0:
            pair.both([[b"FLUSHALL"]])
    compare_contents(pair, "end")


@with_reference()
@lib.limit(600)
def test_edge_values_of_every_numeric_argument_are_taken_alike(pair):
    setup = [[b"FLUSHALL"], [b"SELECT", b"0"], [b"SET", b"s", b"hello"],
             [b"SET", b"n", b"10"], [b"SET", b"f", b"1.5"],
             [b"SET", b"t", b"yellow"]]
    look = [[b"SELECT", b"0"], [b"GET", b"s"], [b"GET", b"n"],
            [b"GET", b"f"], [b"GET", b"t"], [b"GET", b"none"], [b"DBSIZE"]]
    skip = {(text, value) for text, values in EDGE_DIFFERENCES
            for value in values}
    for text in EDGE_COMMANDS:
        for value in EDGES:
            if (text, value) in skip:
                continue
            commands = [words(part, value) for part in text.split(" ; ")]
            compare(pair.both(setup + commands + look),
                    "%s with %r" % (text, value))


# What COMMAND and COMMAND DOCS say otherwise than Redis 7.0.
TOLD_OTHERWISE = {
    ("client|pause", "since"): "2.9.50 was no release",
    ("cluster", "flags"): "stands for its sub-commands, which it refuses",
    ("command|getkeys", "arity"): "Redis 7.2",
    ("command|getkeysandflags", "arity"): "Redis 7.2",
    ("function|flush", "flags"): "there are no functions: nothing is written",
    ("function|flush", "categories"): "likewise",
    ("psetex", "deprecated_since"): "Redis 7.2",
    ("quit", "deprecated_since"): "Redis 7.2",
    ("setex", "deprecated_since"): "Redis 7.2",
    ("setnx", "deprecated_since"): "Redis 7.2",
    ("wait", "categories"): "Redis 7.2",
    ("wait", "flags"): "Redis 7.2",
    ("zrank", "arity"): "WITHSCORE: Redis 7.2",
    ("zrevrank", "arity"): "WITHSCORE: Redis 7.2",
}


def described(client):
    """{(command, what): how} of all commands and their sub-commands."""
    facts = {}

    def rows(replies):
        for r in replies:
            name = r[0].decode()
            facts[name, "arity"] = r[1]
            facts[name, "flags"] = sorted(str(f) for f in r[2])
            facts[name, "keys"] = r[3:6]
            facts[name, "categories"] = sorted(str(f) for f in r[6])
            rows(r[9])

    def docs(flat):
        for name, doc in zip(flat[::2], flat[1::2]):
            doc = dict(zip(doc[::2], doc[1::2]))
            for what in ("since", "group", "deprecated_since"):
                facts[name.decode(), what] = doc.get(what.encode())
            docs(doc.get(b"subcommands", []))

    rows(client.ok("COMMAND"))
    docs(client.ok("COMMAND", "DOCS"))
    return facts


@with_reference()
def test_commands_are_described_alike(pair):
    ours, theirs = described(pair.ours), described(pair.theirs)
    found = {what for what in set(ours) & set(theirs)
             if ours[what] != theirs[what]}
    for what in sorted(found.symmetric_difference(TOLD_OTHERWISE)):
        raise AssertionError("%s: ours %r, reference %r" % (
            what, ours[what], theirs[what]))


lib.main(__name__, PORTS)
