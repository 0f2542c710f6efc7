#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Starts from a snapshot with big values: what comes back is what was there,
held as tightly."""
import lib
from lib import equal

COUNT = 60000
KINDS = {
    "set": lambda m: ["SADD", "set", *m],
    "hash": lambda m: ["HSET", "hash", *(w for x in m for w in (x, x))],
    "zset": lambda m: ["ZADD", "zset", *(w for x in m for w in (x, "m%d" % x))],
    "list": lambda m: ["RPUSH", "list", *("element:%d" % x for x in m)],
}


def fill(c, count):
    for add in KINDS.values():
        for i in range(0, count, 500):
            c.ok(*add(range(i, i + 500)))


def used(server):
    return int(server.info("memory")["used_memory"])


def test_big_values_come_back_and_take_no_more(server):
    empty = used(server)
    with server.raw() as c:
        fill(c, COUNT)
        full = used(server) - empty
    server.restart_same(save=True)
    now = used(server) - empty
    assert now < full * 1.05 + (1 << 20), (now, full)
    with server.raw() as c:
        for key, count, size, word in (
                ("set", COUNT, "SCARD", b"hashtable"),
                ("hash", COUNT, "HLEN", b"hashtable"),
                ("zset", COUNT, "ZCARD", b"skiplist"),
                ("list", COUNT, "LLEN", b"quicklist")):
            equal(c.ok(size, key), count)
            equal(c.ok("OBJECT", "ENCODING", key), word)
        # Tables that were made in one go grow and shrink as others do.
        fill(c, COUNT * 2)
        equal(c.ok("SCARD", "set"), COUNT * 2)
        c.ok("SREM", "set", *range(10, COUNT * 2))
        c.ok("HDEL", "hash", *range(10, COUNT * 2))
        c.ok("ZREMRANGEBYSCORE", "zset", 10, "+inf")
        equal(sorted(c.ok("SMEMBERS", "set")),
              sorted(b"%d" % i for i in range(10)))
    server.restart_same(save=True)


def test_values_of_all_sizes_keep_their_encoding(server):
    words = {}
    with server.raw() as c:
        for i in (1, 60, 120, 130, 500, 520, 1000):
            for name, add in KINDS.items():
                command = add(range(i))
                command[1] = "%s:%d" % (name, i)
                c.ok(*command)
                words[command[1]] = c.ok("OBJECT", "ENCODING", command[1])
            c.ok("SADD", "words:%d" % i, *("w%d" % x for x in range(i)))
            words["words:%d" % i] = c.ok("OBJECT", "ENCODING",
                                         "words:%d" % i)
    server.restart_same(save=True)
    with server.raw() as c:
        for key, word in words.items():
            equal(c.ok("OBJECT", "ENCODING", key), word, key)


@lib.levels("always", "everysec")
def test_snapshots_under_writes_announce_what_they_give(server):
    with server.raw() as c:
        fill(c, COUNT)
    for turn in range(3):
        with server.raw() as c:
            c.ok("BGSAVE")
            first = COUNT + turn * 2000
            for add in KINDS.values():
                c.ok(*add(range(first, first + 2000)))
            c.ok("SREM", "set", *range(turn * 1000, turn * 1000 + 1000))
        lib.wait_until(lambda: server.info("persistence")[
            "rdb_bgsave_in_progress"] == "0", 30, "the snapshot")
        server.restart_same()


lib.main(__name__, range(21140, 21180))
