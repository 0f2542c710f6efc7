#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""HyperLogLogs: layout, estimates, records, checks, all as redis-server's."""

import random
import sys
import os

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import differential
import lib
from lib import equal, is_error

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
        for body in (b"", good[16:] + b"x", good[16:-1], good[17:],
                     b"\x7f", good[16:] + b"\x7f", b"\x7f\xff\x80",
                     b"\x7f\xff" * 40000):
            c.ok("SET", "x", stale + body)
            refused(CORRUPT, *uses)
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
    before = server.digest()
    server.restart(kill=True)
    equal(server.digest(), before, "digest")
    with server.raw() as c:
        equal([c.ok("PFCOUNT", k) for k in
               ("k0", "k1", "k2", "k3", "all", "small")], counts)


lib.main(__name__, range(21300, 21340))
