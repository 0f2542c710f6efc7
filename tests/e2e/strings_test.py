#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""String commands, end to end: what differential_test.py cannot compare with
Redis 7.0 (newer options), what survives a kill, and a use of each command."""

import time

import lib
from lib import check, equal, is_error


def test_each_command_in_its_plain_form(server):
    with server.raw() as c:
        check(c, [
            ("SET k v", b"OK"), ("GET k", "v"), ("GET none", None),
            ("SETNX k w", 0), ("SETNX n 1", 1), ("STRLEN k", 1),
            ("APPEND k alue", 5), ("GET k", "value"), ("APPEND new x", 1),
            ("GETRANGE k 1 3", "alu"), ("SUBSTR k -2 -1", "ue"),
            ("SETRANGE k 5 !", 6), ("GETSET k other", "value!"),
            ("GETDEL k", "other"), ("EXISTS k", 0), ("GETDEL k", None),
            ("INCR n", 2), ("DECR n", 1), ("INCRBY n 41", 42),
            ("DECRBY n 2", 40), ("INCRBYFLOAT n 0.5", "40.5"),
            ("INCR n", "-ERR value is not an integer or out of range"),
            ("MSET a 1 b 2", b"OK"), ("MSETNX b 3 d 4", 0),
            ("MSETNX e 3 d 4", 1), ("MGET a b none d", [b"1", b"2", None,
                                                        b"4"]),
            ("MSET a 1 b", "-ERR wrong number of arguments for 'mset'"),
            ("SETEX t 100 v", b"OK"), ("TTL t", 100),
            ("PSETEX t 100000 v", b"OK"), ("TTL t", 100),
            ("SETEX t 0 v", "-ERR invalid expire time in 'setex' command"),
            ("GETEX t PERSIST", "v"), ("TTL t", -1),
            ("GETEX t EX 50", "v"), ("TTL t", 50),
            ("SET t w KEEPTTL", b"OK"), ("TTL t", 50),
            ("SET t w", b"OK"), ("TTL t", -1),
            ("LCS ohmytext mynewtext", ""),
        ])


def test_no_string_is_longer_than_records_can_say(server):
    with server.raw() as c:
        c.ok("CONFIG", "SET", "proto-max-bulk-len", 2 ** 42)
        for command in (("SETRANGE", "long", 2 ** 40, "x"),
                        ("SETBIT", "long", 2 ** 43, 1),
                        ("BITFIELD", "long", "SET", "u8", 2 ** 43, 1)):
            is_error(c.command(*command), "ERR", command)
        equal(c.ok("EXISTS", "long"), 0)
        c.ok("CONFIG", "SET", "proto-max-bulk-len", "512mb")


def test_set_conditions_on_the_value(server):
    with server.raw() as c:
        check(c, [
            ("SET k v IFEQ x", None), ("EXISTS k", 0),
            ("SET k v IFNE x", b"OK"), ("SET k w IFEQ x", None),
            ("SET k w IFEQ v EX 100", b"OK"), ("TTL k", 100),
            ("SET k x IFEQ w GET", "w"), ("TTL k", -1),
            ("SET k y IFEQ no GET", "x"), ("GET k", "x"),
            ("SET k y IFNE x", None), ("SET k y IFNE no", b"OK"),
            ("SET k y IFEQ", "-ERR syntax error"),
            ("SET k y IFEQ a NX", "-ERR syntax error"),
            ("SET k y XX IFNE a", "-ERR syntax error"),
            ("SET k y IFEQ a IFEQ b", "-ERR syntax error"),
            ("SET none y IFEQ a GET", None),
        ])
        digest = c.ok("DIGEST", "k")
        other = b"0" * 16
        equal(c.command("SET", "k", "z", "IFDEQ", other), None)
        equal(c.command("SET", "k", "z", "IFDEQ", digest.upper()), b"OK")
        equal(c.command("SET", "k", "q", "IFDNE", c.ok("DIGEST", "k")), None)
        equal(c.command("SET", "k", "q", "IFDNE", other), b"OK")
        is_error(c.command("SET", "k", "q", "IFDEQ", "12"), "ERR")


def test_digest_is_xxh3_in_hexadecimal(server):
    with server.raw() as c:
        c.ok("SET", "k", "Hello world")
        equal(c.ok("DIGEST", "k"), "b6acb9d84a38ff74")
        equal(c.command("DIGEST", "none"), None)
        # The same bytes have the same digest however they came to be.
        big = b"0123456789" * 20000
        c.ok("SET", "big", big)
        for i in range(0, len(big), 40000):
            c.ok("SETRANGE", "parts", i, big[i:i + 40000])
        equal(c.ok("DIGEST", "parts"), c.ok("DIGEST", "big"))


def test_conditional_deletes(server):
    with server.raw() as c:
        check(c, [
            ("SET k v", b"OK"), ("DELIFEQ k x", 0), ("DELIFEQ k v", 1),
            ("DELIFEQ k v", 0), ("SET k v", b"OK"), ("DELEX k IFEQ x", 0),
            ("DELEX k IFNE v", 0), ("DELEX k IFNE x", 1), ("DELEX k", 0),
            ("SET k v", b"OK"), ("DELEX k", 1), ("DELEX none IFNE x", 0),
            ("DELEX k IFEQ", "-ERR syntax error"),
            ("DELEX k NX", "-ERR syntax error"),
        ])
        c.ok("SET", "k", "v")
        digest = c.ok("DIGEST", "k")
        equal(c.command("DELEX", "k", "IFDNE", digest), 0)
        equal(c.command("DELEX", "k", "IFDEQ", digest), 1)


def test_msetex_sets_all_or_nothing(server):
    with server.raw() as c:
        check(c, [
            ("MSETEX 2 a 1 b 2 EX 100", 1), ("TTL a", 100), ("TTL b", 100),
            ("MSETEX 2 b 3 c 3 NX", 0), ("EXISTS c", 0),
            ("MSETEX 2 b 3 c 3 XX", 0), ("GET b", "2"),
            ("MSETEX 2 a 3 b 3 XX KEEPTTL", 1), ("TTL a", 100),
            ("MSETEX 1 a 4", 1), ("TTL a", -1),
            ("MSETEX 0 a 1", "-ERR invalid numkeys value or out of range"),
            ("MSETEX x a 1", "-ERR invalid numkeys value or out of range"),
            ("MSETEX 2 a 1", "-ERR syntax error"),
            ("MSETEX 1 a 1 b", "-ERR syntax error"),
            ("MSETEX 1 a 1 EX 0",
             "-ERR invalid expire time in 'msetex' command"),
            ("MSETEX 2 a 1 b 1 PXAT 1", 1), ("EXISTS a b", 0),
        ])


def test_increx_counts_within_bounds(server):
    with server.raw() as c:
        check(c, [
            ("INCREX k", [1, 1]), ("INCREX k BYINT 9", [10, 9]),
            ("INCREX k BYINT 5 UBOUND 12", [10, 0]), ("GET k", "10"),
            ("INCREX k BYINT 5 UBOUND 12 SATURATE", [12, 2]),
            ("INCREX k BYINT -50 LBOUND 0", [12, 0]),
            ("INCREX k BYINT -50 LBOUND 0 SATURATE", [0, -12]),
            ("INCREX k EX 100 ENX", [1, 1]), ("TTL k", 100),
            ("INCREX k EX 500 ENX", [2, 1]), ("TTL k", 100),
            ("INCREX k", [3, 1]), ("TTL k", 100),
            ("INCREX k EX 500", [4, 1]), ("TTL k", 500),
            ("INCREX k PERSIST", [5, 1]), ("TTL k", -1),
            ("INCREX k BYFLOAT 0.5", [b"5.5", b"0.5"]),
            ("INCREX k", "-ERR value is not an integer or out of range"),
            ("INCREX k BYFLOAT 1 UBOUND 6", [b"5.5", b"0"]),
            ("INCREX k BYFLOAT 1 UBOUND 6 SATURATE", [b"6", b"0.5"]),
            ("INCREX k BYFLOAT inf",
             "-ERR increment would produce NaN or Infinity"),
            ("INCREX k BYINT 1 BYFLOAT 1", "-ERR syntax error"),
            ("INCREX k ENX", "-ERR syntax error"),
            ("INCREX k PERSIST ENX", "-ERR syntax error"),
            ("INCREX k LBOUND 2 UBOUND 1", "-ERR"),
            ("INCREX none UBOUND 0", [0, 0]), ("EXISTS none", 0),
            ("SET m 9223372036854775807", b"OK"),
            ("INCREX m", [9223372036854775807, 0]),
            ("INCREX m SATURATE", [9223372036854775807, 0]),
            ("INCREX k PXAT 1", [7, 1]), ("EXISTS k", 0),
        ])
    with server.raw(protocol=3) as c:
        c.ok("SET", "f", "1.5")
        equal(c.ok("INCREX", "f", "BYFLOAT", "0.25"), [1.75, 0.25])


def test_lcs_finds_text_ranges_and_length(server):
    with server.raw() as c:
        c.ok("MSET", "a", "ohmytext", "b", "mynewtext")
        equal(c.ok("LCS", "a", "b"), "mytext")
        equal(c.ok("LCS", "a", "b", "LEN"), 6)
        equal(c.ok("LCS", "a", "b", "IDX", "MINMATCHLEN", "4",
                   "WITHMATCHLEN"),
              [b"matches", [[[4, 7], [5, 8], 4]], b"len", 6])
        is_error(c.command("LCS", "a", "b", "LEN", "IDX"),
                 "ERR If you want both the length and indexes")
        big = b"x" * 50000
        c.ok("MSET", "p", big, "q", big)
        is_error(c.command("LCS", "p", "q"), "ERR Insufficient memory")
    with server.raw(protocol=3) as c:
        equal(c.ok("LCS", "a", "b", "IDX"),
              lib.Map([(b"matches", [[[4, 7], [5, 8]], [[2, 3], [0, 1]]]),
                       (b"len", 6)]))


def test_incrbyfloat_keeps_its_digits(server):
    with server.raw() as c:
        check(c, [
            ("SET f 10.50", b"OK"), ("INCRBYFLOAT f 0.1", "10.6"),
            ("SET f 5.0e3", b"OK"), ("INCRBYFLOAT f 2.0e2", "5200"),
            ("SET f 3", b"OK"), ("INCRBYFLOAT f 1.1", "4.1"),
            ("INCRBYFLOAT f -0.00000000000000001", "4.09999999999999999"),
            ("SET f 1e308", b"OK"), ("STRLEN f", 5),
        ])


def test_deadlines_in_the_past_remove_the_key(server):
    with server.raw() as c:
        check(c, [
            ("SET k v", b"OK"), ("SET k w PXAT 1", b"OK"), ("EXISTS k", 0),
            ("SET k v", b"OK"), ("GETEX k EXAT 1", "v"), ("EXISTS k", 0),
            ("SET k v PXAT 1 GET", None), ("DBSIZE", 0),
        ])


def test_a_value_lives_exactly_until_its_deadline(server):
    with server.raw() as c:
        c.ok("SET", "k", "v", "PX", 150)
        equal(c.ok("GET", "k"), "v")
        time.sleep(0.16)
        equal(c.command("GET", "k"), None)
        equal(c.command("SETNX", "k", "w"), 1)
        equal(c.command("TTL", "k"), -1)


def test_limits_of_sizes(server):
    with server.raw() as c:
        too_long = "ERR string exceeds maximum allowed size"
        is_error(c.command("SETRANGE", "k", 512 << 20, "x"), too_long)
        equal(c.command("SETRANGE", "k", (512 << 20) - 1, "x"), 512 << 20)
        is_error(c.command("APPEND", "k", "y"), too_long)
        equal(c.ok("GETRANGE", "k", -3, -1), b"\x00\x00x")
        equal(c.command("STRLEN", "k"), 512 << 20)
        equal(c.command("EXISTS", "k"), 1)
        equal(c.command("DEL", "k"), 1)


def test_redis_py_in_daily_use(server):
    r = server.client(decode_responses=True)
    assert r.set("k", "v", ex=100, nx=True)
    assert r.set("k", "w", nx=True) is None
    assert r.set("k", "w", get=True) == "v"
    assert r.mget(["k", "none"]) == ["w", None]
    assert r.incrbyfloat("f", 1.25) == 1.25
    assert r.incr("n", 5) == 5 and r.decr("n", 2) == 3
    assert r.append("k", "!") == 2 and r.strlen("k") == 2
    assert r.getex("k", ex=10) == "w!" and r.ttl("k") == 10
    assert r.getdel("k") == "w!"
    assert r.lcs("a", "b") == "" if hasattr(r, "lcs") else True
    with r.pipeline(transaction=False) as p:
        for i in range(1000):
            p.set("p%d" % i, i)
        assert p.execute() == [True] * 1000
    assert r.dbsize() == 1002


@lib.levels("always", "everysec", "no")
def test_what_was_acknowledged_is_there_after_kill_9(server):
    big = bytes(range(256)) * 1000
    with server.raw() as c:
        c.pipeline([("SET", "k%d" % i, "v%d" % i) for i in range(200)])
        c.ok("APPEND", "k1", "tail")
        c.ok("SET", "n", 41)
        c.ok("INCR", "n")
        c.ok("SET", "big", big)
        c.ok("SETRANGE", "big", 70000, b"here")
        c.ok("SET", "gone", "x")
        c.ok("DEL", "gone")
        c.ok("SET", "t", "v", "EX", 1000)
        c.ok("INCRBYFLOAT", "f", "0.1")
        c.ok("MSET", "m1", 1, "m2", 2)
        c.ok("INCREX", "x", "BYINT", 7, "EX", 500)
    server.restart_same()
    with server.raw() as c:
        equal(c.ok("GET", "k1"), "v1tail")
        equal(c.ok("GET", "n"), "42")
        equal(c.ok("GET", "big"), big[:70000] + b"here" + big[70004:])
        equal(c.command("EXISTS", "gone"), 0)
        assert 990 <= c.ok("TTL", "t") <= 1000
        equal(c.ok("GET", "f"), "0.1")
        equal(c.ok("GET", "x"), "7")


lib.main(__name__, range(21300, 21340))
