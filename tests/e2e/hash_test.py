#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Hashes, end to end: each command, deadlines of fields, both forms, what is
there after a kill."""

import random
import time

import lib
from lib import WRONGTYPE, check, equal, is_error, wait_until

FIELDS = "-ERR Mandatory argument FIELDS is missing or not at the right"
NUMBER = "-ERR Number of fields must be a positive integer"
MATCH = "-ERR The `numfields` parameter must match the number of arguments"
ARITY = "-ERR wrong number of arguments for"


def test_each_command_in_its_plain_form(server):
    with server.raw() as c:
        check(c, [
            ("HSET h a 1 b 2", 2), ("HSET h b 3 c 4", 1), ("HLEN h", 3),
            ("HGET h b", "3"), ("HGET h none", None), ("HGET none a", None),
            ("HSETNX h a 9", 0), ("HSETNX h d 9", 1), ("HEXISTS h d", 1),
            ("HEXISTS h e", 0), ("HDEL h d e d", 1), ("HSTRLEN h a", 1),
            ("HSTRLEN h none", 0), ("HMSET h c text", b"OK"),
            ("HMGET h a none c", [b"1", None, b"text"]),
            ("HMGET none a", [None]), ("HGETALL none", []),
            ("HKEYS h", [b"a", b"b", b"c"]),
            ("HVALS h", [b"1", b"3", b"text"]),
            ("HGETALL h", [b"a", b"1", b"b", b"3", b"c", b"text"]),
            ("HINCRBY h a 41", 42), ("HINCRBY h new -5", -5),
            ("HINCRBYFLOAT h a 0.5", "42.5"),
            ("HINCRBYFLOAT h f 1e2", "100"),
            ("HSET h a", ARITY), ("HSET h a 1 b", ARITY),
            ("HMSET h a 1 b", ARITY),
            ("HINCRBY h c 1", "-ERR hash value is not an integer"),
            ("HINCRBYFLOAT h c 1", "-ERR hash value is not a float"),
            ("HINCRBY h a x", "-ERR value is not an integer or out of"),
            ("HINCRBYFLOAT h a x", "-ERR value is not a valid float"),
            ("HINCRBYFLOAT h a inf", "-ERR value is NaN or Infinity"),
            ("HSET h n 9223372036854775807", 1),
            ("HINCRBY h n 1", "-ERR increment or decrement would overflow"),
            ("TYPE h", "hash"), ("OBJECT ENCODING h", "listpack"),
            ("HDEL h a b c new f n", 6), ("EXISTS h", 0), ("HDEL h a", 0),
        ])


def test_other_types_are_refused(server):
    with server.raw() as c:
        c.ok("SET", "s", "v")
        check(c, [(text, "-" + WRONGTYPE) for text in (
            "HSET s a 1", "HSETNX s a 1", "HMSET s a 1", "HGET s a",
            "HMGET s a", "HGETALL s", "HKEYS s", "HVALS s", "HLEN s",
            "HSTRLEN s a", "HEXISTS s a", "HDEL s a", "HINCRBY s a 1",
            "HINCRBYFLOAT s a 1", "HRANDFIELD s", "HSCAN s 0",
            "HEXPIRE s 1 FIELDS 1 a", "HPEXPIRE s 1 FIELDS 1 a",
            "HEXPIREAT s 1 FIELDS 1 a", "HPEXPIREAT s 1 FIELDS 1 a",
            "HTTL s FIELDS 1 a", "HPTTL s FIELDS 1 a",
            "HEXPIRETIME s FIELDS 1 a", "HPEXPIRETIME s FIELDS 1 a",
            "HPERSIST s FIELDS 1 a", "HGETDEL s FIELDS 1 a",
            "HGETEX s FIELDS 1 a", "HSETEX s FIELDS 1 a b")])
        equal(c.ok("GET", "s"), "v")
        c.ok("HSET", "h", "a", 1)
        is_error(c.command("GET", "h"), WRONGTYPE)
        equal(c.ok("SET", "h", "now a string"), b"OK")


def test_the_forms_and_their_limits(server):
    with server.raw() as c:
        for old in ("hash-max-ziplist-entries", "hash-max-listpack-entries"):
            c.ok("CONFIG", "SET", old, 10)
        c.ok("HSET", "h", *sum(([i, i] for i in range(10)), []))
        equal(c.ok("OBJECT", "ENCODING", "h"), "listpack")
        before = server.digest()
        c.ok("CONFIG", "SET", "hash-max-ziplist-value", 3)
        c.ok("HSET", "h", "0", "0")
        equal(c.ok("OBJECT", "ENCODING", "h"), "listpack")
        c.ok("HSET", "h", "0", "long")
        c.ok("HSET", "h", "0", "0")
        equal(c.ok("OBJECT", "ENCODING", "h"), "hashtable")
        equal(server.digest(), before, "digest")
        equal(sorted(c.ok("HKEYS", "h")), [b"%d" % i for i in range(10)])
        c.ok("HSET", "g", *sum(([i, i] for i in range(11)), []))
        equal(c.ok("OBJECT", "ENCODING", "g"), "hashtable")
        c.ok("COPY", "g", "copy")
        c.ok("RENAME", "copy", "other")
        equal(sorted(c.ok("HGETALL", "other")), sorted(c.ok("HGETALL", "g")))
        c.ok("CONFIG", "SET", "hash-max-listpack-entries", 512)
        c.ok("CONFIG", "SET", "hash-max-listpack-value", 64)


def test_resp3_has_maps_and_pairs(server):
    with server.raw(3) as c:
        c.ok("HSET", "h", "a", 1)
        equal(c.ok("HGETALL", "h"), lib.Map([(b"a", b"1")]))
        equal(c.ok("HRANDFIELD", "h", 5, "WITHVALUES"), [[b"a", b"1"]])
        equal(c.ok("HRANDFIELD", "h", -2), [b"a", b"a"])


# --- random fields, scans ---------------------------------------------------

def test_random_fields(server):
    with server.raw() as c:
        for size in (1, 20, 2000):
            c.ok("DEL", "h")
            c.ok("HSET", "h", *sum(([i, "v%d" % i] for i in range(size)), []))
            assert int(c.ok("HRANDFIELD", "h")) < size
            for count in (1, size // 10, size - 1, size, size + 5):
                got = c.ok("HRANDFIELD", "h", count)
                equal(len(got), min(count, size))
                equal(len(set(got)), len(got))
            got = c.ok("HRANDFIELD", "h", -3 * size)
            equal(len(got), 3 * size)
            pairs = c.ok("HRANDFIELD", "h", 5, "WITHVALUES")
            for field, value in zip(pairs[::2], pairs[1::2]):
                equal(value, b"v" + field)
        check(c, [
            ("HRANDFIELD none", None), ("HRANDFIELD none 3", []),
            ("HRANDFIELD h 0", []), ("HRANDFIELD h x", "-ERR value is not"),
            ("HRANDFIELD h 1 FOO", "-ERR syntax error"),
            ("HRANDFIELD h -9223372036854775808", "-ERR value is out of"),
            ("HRANDFIELD h 9223372036854775807 WITHVALUES",
             "-ERR value is out of range"),
        ])


def scan(c, *options):
    """All that HSCAN h gives."""
    cursor, found = b"0", []
    while True:
        cursor, part = c.ok("HSCAN", "h", cursor, *options)
        found += part
        if cursor == b"0":
            return found


def test_hscan_gives_all_that_is_there_throughout(server):
    with server.raw() as c:
        for i in range(0, 3000, 100):
            c.ok("HSET", "h", *sum(([j, j] for j in range(i, i + 100)), []))
        equal(len(scan(c)), 6000)
        equal(sorted(map(int, scan(c, "NOVALUES"))), list(range(3000)))
        equal(sorted(scan(c, "NOVALUES", "MATCH", "29?")),
              [b"%d" % i for i in range(290, 300)])
        cursor, found, i = b"0", [], 0
        while True: # it grows and shrinks meanwhile
            (cursor, part), _, _ = c.pipeline([
                ("HSCAN", "h", cursor, "COUNT", 200),
                ("HSET", "h", *sum((["n%d" % (i + j), 1]
                                    for j in range(1000)), [])),
                ("HDEL", "h", *("n%d" % (i + j) for j in range(700)))])
            found += part[::2]
            i += 1000
            if cursor == b"0":
                break
        assert set(found) >= {b"%d" % i for i in range(3000)}
        check(c, [("HSCAN h x", "-ERR invalid cursor"),
                  ("HSCAN h 0 COUNT 0", "-ERR syntax error"),
                  ("HSCAN none 0", [b"0", []])])


# --- deadlines --------------------------------------------------------------

def test_deadlines_and_their_replies(server):
    with server.raw() as c:
        check(c, [
            ("HSET h a 1 b 2 c 3", 3), ("HEXPIRE h 100 FIELDS 2 a a", [1, 1]),
            ("HTTL h FIELDS 3 a b none", [100, -1, -2]),
            ("HEXPIRE h 50 NX FIELDS 2 b b", [1, 0]),
            ("HEXPIRE h 40 XX FIELDS 2 b c", [1, 0]),
            ("HEXPIRE h 41 GT FIELDS 2 b c", [1, 0]),
            ("HEXPIRE h 40 GT FIELDS 1 b", [0]),
            ("HEXPIRE h 40 LT FIELDS 2 b c", [1, 1]),
            ("HPEXPIRE h 0 FIELDS 2 c c", [2, -2]), ("HLEN h", 2),
            ("OBJECT ENCODING h", "listpackex"),
            ("HPERSIST h FIELDS 3 a a none", [1, -1, -2]),
            ("HEXPIREAT h 9999999999 FIELDS 1 a", [1]),
            ("HEXPIRETIME h FIELDS 2 a none", [9999999999, -2]),
            ("HPEXPIREAT h 9999999999001 FIELDS 1 a", [1]),
            ("HPEXPIRETIME h FIELDS 1 a", [9999999999001]),
            ("HEXPIRETIME h FIELDS 1 a", [10000000000]),
            ("HINCRBY h a 1", 2), ("HPEXPIRETIME h FIELDS 1 a",
                                   [9999999999001]),
            ("HSET h a 5", 0), ("HTTL h FIELDS 1 a", [-1]),
            ("HEXPIRE none 10 FIELDS 2 a b", [-2, -2]),
            ("HTTL none FIELDS 1 a", [-2]), ("HPTTL none FIELDS 1 a", [-2]),
            ("HEXPIRE h -1 FIELDS 1 a", "-ERR invalid expire time, must be"),
            ("HEXPIRE h x FIELDS 1 a", "-ERR value is not an integer"),
            ("HEXPIRE h 10 FIELDS 0 a", "-ERR Parameter `numFields` should"),
            ("HEXPIRE h 10 FIELDS 2 a", MATCH), ("HEXPIRE h 10 a a a", FIELDS),
            ("HEXPIRE h 10 NX XX FIELDS 1 a", FIELDS),
            ("HEXPIRE h 9223372036854775807 FIELDS 1 a",
             "-ERR invalid expire time in 'hexpire' command"),
            ("HTTL h FIELDS 0 a", NUMBER), ("HTTL h FOO 1 a", FIELDS),
            ("HPERSIST h FIELDS 2 a", MATCH),
            ("HEXPIREAT h 9999999999 GT FIELDS a", "-ERR Parameter `num"),
            ("HPERSIST h FIELDS 1 a", [-1]),
            ("HEXPIREAT h 0 FIELDS 2 a none", [2, -2]),
            ("HPEXPIREAT h 1 FIELDS 2 a b", [-2, 2]), ("EXISTS h", 0),
        ])


def test_get_and_set_with_deadlines(server):
    with server.raw() as c:
        check(c, [
            ("HSETEX h FIELDS 2 a 1 b 2", 1), ("HSETEX h FNX FIELDS 1 a 9", 0),
            ("HSETEX h FXX EX 100 FIELDS 2 a 3 b 4", 1),
            ("HTTL h FIELDS 2 a b", [100, 100]),
            ("HSETEX h FXX FIELDS 2 a 1 none 1", 0),
            ("HSETEX h KEEPTTL FIELDS 1 a 5", 1), ("HTTL h FIELDS 1 a", [100]),
            ("HSETEX h FIELDS 1 a 5", 1), ("HTTL h FIELDS 1 a", [-1]),
            ("HGETEX h FIELDS 2 a none", [b"5", None]),
            ("HGETEX h EX 50 FIELDS 2 a b", [b"5", b"4"]),
            ("HTTL h FIELDS 2 a b", [50, 50]),
            ("HGETEX h PERSIST FIELDS 1 a", [b"5"]),
            ("HTTL h FIELDS 1 a", [-1]),
            ("HGETEX h PXAT 1 FIELDS 2 a a", [b"5", None]),
            ("HGETDEL h FIELDS 3 b b none", [b"4", None, None]),
            ("EXISTS h", 0), ("HGETDEL none FIELDS 1 a", [None]),
            ("HGETEX none FIELDS 1 a", [None]),
            ("HSETEX h PXAT 1 FIELDS 1 a 1", 1), ("EXISTS h", 0),
            ("HSETEX h EX 1 PX 1 FIELDS 1 a 1", "-ERR Only one of EX, PX"),
            ("HSETEX h FNX FXX FIELDS 1 a 1", "-ERR Only one of FXX or FNX"),
            ("HSETEX h FOO FIELDS 1 a 1", "-ERR unknown argument: FOO"),
            ("HSETEX h FIELDS 0 a 1", "-ERR invalid number of fields"),
            ("HSETEX h FIELDS 2 a 1", ARITY), ("HGETEX h FOO 1 a", FIELDS),
            ("HGETDEL h FIELDS 0 a", NUMBER), ("HGETDEL h FIELDS 2 a", MATCH),
            ("HSETEX h XX FIELDS 1 a 1", 0), ("EXISTS h", 0),
            ("HSETEX h NX NX EX 100 FIELDS 1 a 1", 1),
            ("HSETEX h nx FIELDS 1 b 1", 0), ("HEXISTS h b", 0),
            ("HSETEX h XX FXX FIELDS 1 b 1", 0),
            ("HSETEX h FNX xx FIELDS 1 b 1", 1),
            ("HMGET h a b", [b"1", b"1"]), ("HTTL h FIELDS 1 a", [100]),
            ("HSETEX h NX XX FIELDS 1 a 1", "-ERR unknown argument: XX"),
        ])


def test_due_fields_are_absent_to_all(server):
    with server.raw() as c:
        c.ok("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        for size in (5, 1000):
            c.ok("DEL", "h")
            c.ok("HSET", "h", *sum(([i, i] for i in range(size)), []))
            c.ok("HPEXPIRE", "h", 30, "FIELDS", 3, 0, 1, 2)
            time.sleep(0.05)
            equal(c.ok("HGET", "h", 0), None)
            equal(c.ok("HMGET", "h", 0, 3), [None, b"3"])
            equal(c.ok("HLEN", "h"), size - 3)
            equal(len(c.ok("HGETALL", "h")), 2 * size - 6)
            equal(len(scan(c, "NOVALUES")), size - 3)
            equal(len(c.ok("HRANDFIELD", "h", size)), size - 3)
            assert c.ok("HRANDFIELD", "h") not in (b"0", b"1", b"2")
            equal(c.ok("HEXISTS", "h", 0), 0)
            equal(c.ok("HSTRLEN", "h", 0), 0)
            equal(c.ok("HTTL", "h", "FIELDS", 1, 0), [-2])
            equal(c.ok("HINCRBY", "h", 0, 5), 5)
            equal(c.ok("HSETNX", "h", 1, "new"), 1)
            equal(c.ok("HDEL", "h", 2), 0)
            equal(c.ok("HTTL", "h", "FIELDS", 3, 0, 1, 2), [-1, -1, -2])
        c.ok("DEBUG", "SET-ACTIVE-EXPIRE", 1)


def test_fields_leave_by_themselves(server):
    start = int(server.info("stats")["expired_subkeys"])
    with server.raw() as c:
        for size in (5, 20000):
            for i in range(0, size, 1000):
                c.ok("HSETEX", "h", "PX", 50, "FIELDS", min(size, 1000),
                     *sum(([j, j] for j in range(i, min(size, i + 1000))),
                          []))
            wait_until(lambda: c.ok("EXISTS", "h") == 0, 5, "gone")
        c.ok("HSET", "h", "stays", 1, "goes", 1)
        c.ok("HPEXPIRE", "h", 50, "FIELDS", 1, "goes")
        c.ok("HPEXPIRE", "h", 9000, "FIELDS", 1, "stays")
        c.ok("HPERSIST", "h", "FIELDS", 1, "stays")
        wait_until(lambda: int(server.info("stats")["expired_subkeys"]) ==
                   start + 20006, 5, "counted")
        equal(c.ok("HGETALL", "h"), [b"stays", b"1"])


# --- what lasts -------------------------------------------------------------

def some_writes(r):
    for _ in range(1000):
        key = "h%d" % r.randrange(4)
        fields = [r.randrange(400 if key == "h0" else 20) for _ in range(3)]
        kind = r.randrange(8)
        if kind < 4:
            yield ("HSET", key, *sum(([f, r.randrange(1 << 40)]
                                      for f in fields), []))
        elif kind == 4:
            yield ("HDEL", key, *fields)
        elif kind == 5:
            yield ("HEXPIRE", key, r.randrange(500, 1000), "FIELDS", 3,
                   *fields)
        elif kind == 6:
            yield ("HINCRBYFLOAT", key, fields[0], "0.25")
        else:
            yield ("HGETEX", key, "PERSIST", "FIELDS", 3, *fields)


def fill(c, r):
    for reply in c.pipeline(list(some_writes(r))):
        assert not isinstance(reply, lib.Error), reply


@lib.levels("always", "everysec", "no")
def test_what_was_acknowledged_is_there_after_kill_9(server):
    r = random.Random(11)
    with server.raw() as c:
        c.ok("CONFIG", "SET", "hash-max-listpack-entries", 100)
        fill(c, r)
        c.ok("EXPIRE", "h1", 1000)
        c.ok("HSET", "big", "f", b"x" * 200000, "g", 1)
        c.ok("BGSAVE")
        fill(c, r)
        c.ok("COPY", "h0", "copy")
        c.ok("RENAME", "h2", "renamed")
        ttls = c.ok("HPEXPIRETIME", "copy", "FIELDS", 20, *range(20))
    server.restart_same()
    before = server.digest()
    with server.raw() as c:
        equal(c.ok("HPEXPIRETIME", "copy", "FIELDS", 20, *range(20)), ttls)
        equal(c.ok("HGET", "big", "f"), b"x" * 200000)
        c.ok("SAVE")
        c.ok("DEBUG", "RELOAD")
    equal(server.digest(), before, "digest after a reload")


def test_a_snapshot_under_load_is_exact(server):
    r = random.Random(5)
    with server.raw() as c:
        for i in range(0, 100000, 1000):
            c.ok("HSET", "h", *sum(([j, "value-%d" % j]
                                    for j in range(i, i + 1000)), []))
        c.ok("BGSAVE")
        while server.info("persistence")["rdb_bgsave_in_progress"] == "1":
            c.pipeline([("HSET", "h", r.randrange(110000), i)
                        for i in range(100)])
            c.pipeline([("HDEL", "h", r.randrange(110000))
                        for i in range(30)])
        server.restart_same()


lib.main(__name__, range(21000, 21040))
