#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""HyperLogLogs: layout, estimates, records, checks, all as redis-server's."""

import random
import sys
import os

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import differential
import lib
from lib import Error, equal, is_error

WRONG = "WRONGTYPE Key is not a valid HyperLogLog string value."
CORRUPT = "INVALIDOBJ Corrupted HLL object detected"


def without_cache(value):
    """redis-server's PFCOUNT writes its estimate to bytes 8 to 15."""
    return value and value[:8] + value[16:]


def changes(server, *args):
    with server.raw() as c:
        before = int(server.info()["rdb_changes_since_last_save"])
        c.ok(*args)
        return int(server.info()["rdb_changes_since_last_save"]) - before


def test_a_new_one_is_empty_and_sparse(server):
    with server.raw() as c:
        equal(c.ok("PFADD", "new"), 1)
        equal(c.ok("PFADD", "new"), 0)
        equal(c.ok("GET", "new"), b"HYLL\x01" + bytes(11) + b"\x7f\xff")
        equal(c.ok("PFCOUNT", "new"), 0)
        equal(c.ok("PFCOUNT", "absent"), 0)
        equal(c.ok("PFCOUNT", "absent", "new"), 0)
        equal(c.ok("PFMERGE", "made", "absent"), "OK")
        equal(c.ok("PFDEBUG", "ENCODING", "made"), "sparse")
        equal(c.ok("PFSELFTEST"), "OK")


def test_estimates_stay_within_three_standard_errors(server):
    with server.raw() as c:
        added, n = 0, 100
        while n <= 200000:
            c.pipeline([["PFADD", "many"] + ["e%d" % k for k in
                         range(i, min(i + 500, n))]
                        for i in range(added, n, 500)])
            added = n
            count = c.ok("PFCOUNT", "many")
            assert abs(count - n) <= 3 * 0.0081 * n + 1, (n, count)
            n *= 2
        equal(c.ok("PFDEBUG", "ENCODING", "many"), "dense")
        equal(c.ok("STRLEN", "many"), 12304)


def test_only_what_changes_is_logged(server):
    with server.raw() as c:
        c.ok("PFADD", "log", "a", "b")
        equal(changes(server, "PFADD", "log", "a", "b"), 0)
        equal(changes(server, "PFCOUNT", "log"), 0)
        equal(changes(server, "PFADD", "log", "c"), 1)
        equal(changes(server, "PFMERGE", "log", "log"), 0)
        equal(changes(server, "PFDEBUG", "GETREG", "log"), 0)
        equal(changes(server, "PFDEBUG", "TODENSE", "log"), 1)
        equal(changes(server, "PFADD", "log", "a", "b", "c"), 0)
        equal(changes(server, "PFADD", "log", "d"), 1)
        c.ok("EXPIRE", "log", 1000)
        c.ok("PFADD", "log", *range(50))
        assert c.ok("TTL", "log") > 900


def test_a_cached_estimate_is_used_until_a_register_changes(server):
    with server.raw() as c:
        c.ok("PFADD", "cache", "a", "b", "c")
        c.ok("SETRANGE", "cache", 8, b"\x39\x05" + bytes(6))
        equal(c.ok("PFCOUNT", "cache"), 1337)
        equal(c.ok("PFADD", "cache", "a"), 0)
        equal(c.ok("PFCOUNT", "cache"), 1337)
        equal(c.ok("PFADD", "cache", "d"), 1)
        equal(c.ok("PFCOUNT", "cache"), 4)
        c.ok("PFDEBUG", "TODENSE", "cache")
        c.ok("SETRANGE", "cache", 8, b"\x39\x05" + bytes(6))
        equal(c.ok("PFADD", "cache", "e"), 1)
        equal(c.ok("PFCOUNT", "cache"), 5)
        c.ok("SETRANGE", "cache", 8, b"\x39\x05" + bytes(6))
        equal(c.ok("PFMERGE", "cache", "cache"), "OK")
        equal(c.ok("PFCOUNT", "cache", "absent"), 5)


def test_the_estimate_is_of_the_value_as_it_is(server):
    """PFCOUNT remembers; of two keys it never does."""
    r = random.Random(11)

    def some():
        return ["e%d" % r.randrange(5000) for _ in range(r.randrange(1, 60))]

    changes = [
        lambda k, o: ("PFADD", k, *some()),
        lambda k, o: ("PFMERGE", k, o),
        lambda k, o: ("SETRANGE", k, 16, b"\x7f\xff"),
        lambda k, o: ("SETBIT", k, 17 * 8 + r.randrange(8),
                      r.randrange(2)),
        lambda k, o: ("BITFIELD", k, "SET", "u2", "#70", r.randrange(4)),
        lambda k, o: ("APPEND", k, b"\x80"),
        lambda k, o: ("BITOP", "OR", k, o),
        lambda k, o: ("SET", k, good[r.randrange(len(good))]),
        lambda k, o: ("SET", k, good[r.randrange(len(good))], "GET"),
        lambda k, o: ("MSET", k, good[0], o, good[1]),
        lambda k, o: ("GETSET", k, good[0]),
        lambda k, o: ("GETDEL", k),
        lambda k, o: ("RESTORE", k, 0, dumps[r.randrange(len(dumps))],
                      "REPLACE"),
        lambda k, o: ("RENAME", o, k),
        lambda k, o: ("COPY", o, k, "REPLACE"),
        lambda k, o: ("COPY", o, k, "DB", "1", "REPLACE"),
        lambda k, o: ("MOVE", k, 1),
        lambda k, o: ("SWAPDB", 0, 1),
        lambda k, o: ("DEL", k),
        lambda k, o: ("UNLINK", k),
        lambda k, o: ("EXPIRE", k, 100),
        lambda k, o: ("PEXPIRE", k, -1),
        lambda k, o: ("FLUSHDB",),
        lambda k, o: ("PFDEBUG", "TODENSE", k),
    ]
    with server.raw() as c:
        good, dumps = [], []
        for i in range(8):
            c.ok("PFADD", "g", *some())
            if i == 6:
                c.ok("PFDEBUG", "TODENSE", "g")
            good.append(c.ok("GET", "g"))
            dumps.append(c.ok("DUMP", "g"))
        remembered = 0
        for _ in range(2000):
            key, other = r.sample(["c1", "c2", "c3"], 2)
            c.command(*r.choice(changes)(key, other))
            for k in (key, other):
                for _ in range(2):
                    one = c.command("PFCOUNT", k)
                    two = c.command("PFCOUNT", k, "absent")
                    # the header's own estimate is used of one key alone
                    value = c.command("GET", k)
                    if isinstance(one, int) and value and value[15] & 0x80:
                        equal(one, two, k)
                        remembered += 1
        assert remembered > 1500, remembered


def test_counting_changes_nothing(server):
    with server.raw() as c:
        for key, count in (("few", 10), ("many", 20000)):
            for i in range(0, count, 500):
                c.ok("PFADD", key, *range(i, min(i + 500, count)))
        before = server.digest()
        values = [c.ok(w, k) for w in ("GET", "DUMP") for k in
                  ("few", "many")]
        for key in ("few", "many"):
            equal(changes(server, "PFCOUNT", key), 0)
            equal(c.ok("PFCOUNT", key), c.ok("PFCOUNT", key))
        equal([c.ok(w, k) for w in ("GET", "DUMP") for k in ("few", "many")],
              values)
        equal(server.digest(), before)


def test_what_is_no_hyperloglog_is_refused(server):
    with server.raw() as c:
        def refused(text, *commands):
            for args in commands:
                is_error(c.command(*args), text)

        uses = [("PFADD", "x", "a"), ("PFCOUNT", "x"), ("PFCOUNT", "y", "x"),
                ("PFMERGE", "x"), ("PFMERGE", "y", "x"),
                ("PFDEBUG", "GETREG", "x"), ("PFDEBUG", "TODENSE", "x")]
        c.ok("PFADD", "good", "a", "b", "c")
        good = c.ok("GET", "good")
        for value in (b"", b"12", b"HYLL", b"x" * 20, b"x" * 100000,
                      good[:15], b"hyll" + good[4:], b"HYLL\x02" + good[5:],
                      b"HYLL\x00" + bytes(12298), b"HYLL\x00" + bytes(12300)):
            c.ok("SET", "x", value)
            refused(WRONG, *uses)
        stale = good[:15] + b"\x80"
        for body in (b"", b"\x7f", b"\x7f\xff" * 40000):
            c.ok("SET", "x", stale + body)
            refused(CORRUPT, *uses[1:])
        for body in (good[16:] + b"x", good[16:-1], good[17:],
                     good[16:] + b"\x7f", b"\x7f\xff\x80"):
            c.ok("SET", "x", stale + body)
            refused(CORRUPT, *uses[1:])
        equal(c.ok("EXISTS", "y"), 0)
        is_error(c.command("PFDEBUG", "GETREG", "absent"),
                 "ERR The specified key does not exist")
        is_error(c.command("PFDEBUG", "NONE", "good"),
                 "ERR Unknown PFDEBUG subcommand 'NONE'")
        c.ok("PFDEBUG", "TODENSE", "good")
        is_error(c.command("PFDEBUG", "DECODE", "good"),
                 "ERR HLL encoding is not sparse")


class Walk(differential.Walk):
    """The same commands for both servers: equal replies and values."""

    def compare(self, key):
        a, b = self.a.ok("GET", key), self.b.ok("GET", key)
        equal(without_cache(a), without_cache(b), key)

    def step(self):
        r = self.random
        key = "h%d" % r.randrange(5)
        what = r.random()
        if what < 0.7:
            few = r.random() < 0.8
            count = r.randrange(0, 6 if few else 400)
            space = r.choice((50, 5000, 1 << 40))
            self.both("PFADD", key, *(b"x%d" % r.randrange(space)
                                      for _ in range(count)))
        elif what < 0.8:
            keys = ["h%d" % r.randrange(7) for _ in range(r.randrange(1, 5))]
            self.both("PFCOUNT", *keys)
        elif what < 0.87:
            keys = ["h%d" % r.randrange(7) for _ in range(r.randrange(3))]
            self.both("PFMERGE", key, *keys)
        elif what < 0.9:
            self.both("DEL", key)
        elif what < 0.91:
            self.both("PFDEBUG", "TODENSE", key)
        elif what < 0.93:
            self.both("CONFIG", "SET", "hll-sparse-max-bytes",
                      r.choice((0, 30, 100, 500, 3000, 3000, 16000)))
        elif what < 0.96:
            self.both("PFDEBUG", "ENCODING", key)
        else:
            self.both("PFDEBUG", "DECODE", key)
        self.compare(key)


@lib.own
def test_values_and_replies_are_those_of_redis_server():
    differential.walk(Walk, 4000)


def runs_are_cut(value):
    """Whether the last run of a sparse one has only its first byte: Redis
    takes the byte behind the value for the second."""
    at = 16
    while at < len(value):
        at += 2 if value[at] >> 6 == 1 else 1
    return at > len(value)


class Damage(differential.Walk):
    """Damaged values, and what both servers say to every use of them."""

    def __init__(self, *args):
        super().__init__(*args)
        self.good = []
        self.both("CONFIG", "SET", "hll-sparse-max-bytes", 3000)
        for count in (0, 1, 2, 5, 30, 300, 1500):
            self.both("PFADD", "g", *(self.random.random()
                                      for _ in range(count)))
            self.good.append(self.a.ok("GET", "g"))
        for k in ("g", "sparse"):
            self.both("PFADD", k, "a", "b")
        self.good.append(self.both("GET", "sparse"))
        self.both("PFDEBUG", "TODENSE", "g")
        self.good.append(self.a.ok("GET", "g"))
        equal(len(self.good[-1]), 12304)

    def some_bytes(self, most):
        r = self.random
        kind = r.random()
        if kind < 0.3: # of few registers
            return bytes(r.choice((0, 1, 0x80, 0x83, 0xfc)) for _ in
                         range(r.randrange(most)))
        return bytes(r.randrange(256) for _ in range(r.randrange(most)))

    def value(self):
        """Something near a HyperLogLog."""
        r = self.random
        v = bytearray(r.choice(self.good))
        for _ in range(r.randrange(1, 4)):
            what = r.random()
            if what < 0.15 and len(v) > 4:
                v[r.choice((0, 3, 4, 5, r.randrange(16)) ) % len(v)] = \
                    r.choice((0, 1, 2, 0x80, r.randrange(256)))
            elif what < 0.35 and len(v) > 16: # the estimate is needed
                v[15] |= 0x80
            elif what < 0.5:
                del v[r.randrange(len(v) + 1):]
            elif what < 0.6:
                del v[16:]
            elif what < 0.7:
                v += self.some_bytes(40)
            elif what < 0.75:
                v[16:] = self.some_bytes(r.choice((8, 100, 20000)))
            elif what < 0.8:
                v[16:] = b"\x7f\xff" * r.choice((0, 1, 2, 9000))
            elif len(v) > 17:
                at = r.randrange(16, len(v))
                v[at:at + r.randrange(2)] = self.some_bytes(4)
        return bytes(v)

    def use(self, value, *args):
        """The key "x" has this value in both servers, and then is used."""
        for c in (self.a, self.b):
            c.ok("DEL", "new", "ok")
            c.ok("SET", "x", value)
            c.ok("SET", "ok", self.good[3])
        ours, theirs = self.a.command(*args), self.b.command(*args)
        if runs_are_cut(value) and str(ours) == CORRUPT:
            return
        equal(ours, theirs, (value, args))
        for key in ("x", "ok", "new"):
            if not isinstance(theirs, Error):
                a, b = self.a.ok("GET", key), self.b.ok("GET", key)
                equal(without_cache(a), without_cache(b), (key, args))

    def step(self):
        r = self.random
        value = self.value()
        elements = [b"x%d" % r.randrange(1 << 40) for _ in range(3)]
        for args in (("PFCOUNT", "x"), ("PFCOUNT", "x", "ok"),
                     ("PFCOUNT", "ok", "x"), ("PFCOUNT", "x", "x"),
                     ("PFADD", "x"), ("PFADD", "x", *elements[:1]),
                     ("PFADD", "x", *elements[1:]), ("PFMERGE", "x"),
                     ("PFMERGE", "x", "ok"), ("PFMERGE", "ok", "x"),
                     ("PFMERGE", "new", "ok", "x"), ("PFMERGE", "x", "x")):
            self.use(value, *args)


@lib.own
def test_damage_is_answered_as_redis_server_does():
    differential.walk(Damage, 600)


def test_random_bytes_in_a_value_do_no_harm(server):
    r = random.Random(7)
    with server.raw() as c:
        for _ in range(150):
            c.ok("DEL", "f")
            c.ok("PFADD", "f", *(str(r.random()) for _ in
                                 range(r.randrange(1200))))
            size = c.ok("STRLEN", "f")
            for _ in range(r.randrange(1, 4)):
                c.ok("SETRANGE", "f", r.randrange(size + 2),
                     bytes([r.randrange(256)]))
            for args in (("PFCOUNT", "f"), ("PFADD", "f", "a", "b"),
                         ("PFMERGE", "g", "f"), ("PFCOUNT", "f", "g"),
                         ("PFDEBUG", "DECODE", "f")):
                c.command(*args)
    assert server.alive()


@lib.levels("always", "everysec", "no")
def test_hyperloglogs_are_there_after_kill_9(server):
    r = random.Random(3)
    with server.raw() as c:
        for _ in range(600):
            c.ok("PFADD", "k%d" % r.randrange(4),
                 *(r.randrange(1 << 30) for _ in range(r.randrange(40))))
        c.ok("PFMERGE", "all", "k0", "k1", "k2")
        c.ok("PFADD", "small", "a", "b")
        counts = [c.ok("PFCOUNT", k) for k in
                  ("k0", "k1", "k2", "k3", "all", "small")]
    server.restart_same()
    with server.raw() as c:
        equal([c.ok("PFCOUNT", k) for k in
               ("k0", "k1", "k2", "k3", "all", "small")], counts)


lib.main(__name__, range(21300, 21340))
