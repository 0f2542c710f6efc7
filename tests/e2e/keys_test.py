#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Commands on keys of any type, end to end: walks, deadlines, moves between
keys and databases, what survives a kill."""

import os
import random
import time

import lib
from lib import equal, is_error


def scan_all(c, *options):
    cursor, found, calls = b"0", [], 0
    while True:
        cursor, keys = c.ok("SCAN", cursor, *options)
        assert int(cursor) < 1 << 52, cursor
        found += keys
        calls += 1
        if cursor == b"0":
            return found, calls


def fill(c, count, name="key:%d"):
    c.pipeline([("SET", name % i, i) for i in range(count)])


def test_each_command_in_its_plain_form(server):
    with server.raw() as c:
        c.ok("MSET", "a", 1, "b", 2, "c", 3)
        equal(c.ok("EXISTS", "a", "a", "none"), 2)
        equal(c.ok("TOUCH", "a", "none"), 1)
        equal(c.ok("TYPE", "a"), b"string")
        equal(c.ok("TYPE", "none"), b"none")
        equal(c.ok("DEL", "a", "a", "none"), 1)
        equal(c.ok("UNLINK", "b"), 1)
        equal(c.ok("DBSIZE"), 1)
        equal(c.ok("RANDOMKEY"), "c")
        equal(c.ok("KEYS", "*"), [b"c"])
        equal(c.ok("FLUSHDB"), b"OK")
        equal(c.command("RANDOMKEY"), None)
        equal(c.ok("FLUSHALL", "ASYNC"), b"OK")
        is_error(c.command("FLUSHALL", "NOW"), "ERR syntax error")


def one_step(r, dbs, names):
    """A command on one of few keys, and what it should reply."""
    key, other = r.choice(names), r.choice(names)
    db = dbs[0]
    old = db.get(key)
    kind = r.randrange(13)
    if kind < 3:
        db[key] = b"%d" % r.randrange(1000)
        return ("SET", key, db[key]), b"OK"
    if kind < 6:
        db[key] = (old or b"") + b"x" * r.randrange(1, 40)
        return ("APPEND", key, db[key][len(old or b""):]), len(db[key])
    if kind < 9:
        return ("GET", key), old
    if kind == 9:
        db.pop(key, None)
        return r.choice([("DEL", key), ("PEXPIRE", key, -1)]), int(old is not None)
    if kind == 10 and old is not None:
        del db[key]
        db[other] = old
        return ("RENAME", key, other), b"OK"
    if kind == 11 and old is not None and key != other:
        done = other not in db
        db.setdefault(other, old)
        return ("COPY", key, other), int(done)
    if kind == 12 and r.randrange(8) == 0:
        dbs.reverse()
        return ("SWAPDB", 0, 1), b"OK"
    if kind == 12 and r.randrange(8) == 0:
        db.clear()
        return ("FLUSHDB",), b"OK"
    return ("EXISTS", key), int(old is not None)


def test_a_key_is_found_wherever_it_went(server):
    """The engine remembers where it found the last key."""
    r = random.Random(20261122)
    names = ["k", "key", "key:2", "of-twenty-bytes-here", "long" * 20]
    with server.raw() as c:
        dbs = [{}, {}]
        for _ in range(300):
            few = r.sample(names, 2)
            steps = [one_step(r, dbs, few) for _ in range(40)]
            for step, got in zip(steps, c.pipeline([s for s, _ in steps])):
                equal(got, step[1], str(step[0]))
            # the table grows, and its segments move
            new = r.randrange(100000)
            c.pipeline([("SET", "%d:%d" % (new, i), i) for i in range(60)])


def test_scan_gives_every_key_that_stays(server):
    with server.raw() as c:
        fill(c, 3000)
        found, calls = scan_all(c)
        equal(sorted(set(found)), sorted(b"key:%d" % i for i in range(3000)))
        assert calls > 50, calls
        found, _ = scan_all(c, "MATCH", "key:1*", "COUNT", 100)
        equal(len(set(found)), 1111)
        found, calls = scan_all(c, "COUNT", 100000)
        equal((len(set(found)), calls), (3000, 1))
        found, _ = scan_all(c, "TYPE", "string", "COUNT", 500)
        equal(len(set(found)), 3000)
        found, _ = scan_all(c, "TYPE", "hash", "COUNT", 500)
        equal(found, [])
        is_error(c.command("SCAN", "x"), "ERR invalid cursor")
        is_error(c.command("SCAN", 0, "COUNT", 0), "ERR syntax error")
        is_error(c.command("SCAN", 0, "NOVALUES"),
                 "ERR NOVALUES option can only be used in HSCAN")
        is_error(c.command("SCAN", 0, "MATCH"), "ERR syntax error")
        equal(c.ok("SCAN", 1 << 60), [b"0", []])


def test_a_scan_goes_on_while_keys_come_and_go_and_over_a_restart(server):
    with server.raw() as c:
        fill(c, 2000)
        cursor, found = c.ok("SCAN", 0, "COUNT", 200)
        fill(c, 20000, "new:%d")
        c.pipeline([("DEL", "new:%d" % i) for i in range(0, 20000, 2)])
        cursor, more = c.ok("SCAN", cursor, "COUNT", 200)
        found += more
    server.restart(kill=True)
    with server.raw() as c:
        while cursor != b"0":
            cursor, more = c.ok("SCAN", cursor, "COUNT", 1000)
            found += more
        assert set(found) >= {b"key:%d" % i for i in range(2000)}


def test_keys_matches_patterns(server):
    with server.raw() as c:
        c.ok("MSET", "hello", 1, "hallo", 1, "hxllo", 1, "h*llo", 1, "x", 1)
        for pattern, count in (("h?llo", 4), ("h[ae]llo", 2), ("*", 5),
                               ("h[^e]llo", 3), ("h\\*llo", 1), ("", 0),
                               ("h[a-e]llo", 2), ("nothing", 0)):
            equal(len(c.ok("KEYS", pattern)), count, pattern)


def test_expired_keys_are_absent_everywhere(server):
    with server.raw() as c:
        c.ok("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        try:
            c.ok("SET", "live", 1)
            c.pipeline([("SET", "dead:%d" % i, i, "PX", 1)
                        for i in range(500)])
            time.sleep(0.01)
            equal(c.ok("KEYS", "*"), [b"live"])
            equal(scan_all(c)[0], [b"live"])
            for _ in range(20):
                equal(c.ok("RANDOMKEY"), "live")
            equal(c.ok("EXISTS", "dead:1"), 0)
            equal(c.ok("TTL", "dead:1"), -2)
            equal(c.ok("TYPE", "dead:1"), b"none")
            equal(c.command("OBJECT", "ENCODING", "dead:1"), None)
            equal(c.ok("DEL", "dead:1"), 0)
            equal(c.ok("PERSIST", "dead:2"), 0)
            equal(c.ok("EXPIRE", "dead:2", 100), 0)
            is_error(c.command("RENAME", "dead:3", "x"), "ERR no such key")
            equal(c.ok("RENAMENX", "live", "dead:4"), 1)
            equal(c.ok("COPY", "dead:4", "dead:5"), 1)
            equal(c.ok("INCR", "dead:6"), 1)
            equal(c.ok("TTL", "dead:6"), -1)
        finally:
            c.ok("DEBUG", "SET-ACTIVE-EXPIRE", 1)
        lib.wait_until(lambda: c.ok("DBSIZE") == 3, what="expiry")


def test_expire_options(server):
    with server.raw() as c:
        c.ok("SET", "k", "v")
        for command, wanted, ttl in (
                ("EXPIRE k 100 XX", 0, -1), ("EXPIRE k 100 GT", 0, -1),
                ("EXPIRE k 100 NX", 1, 100), ("EXPIRE k 200 NX", 0, 100),
                ("EXPIRE k 50 GT", 0, 100), ("EXPIRE k 200 GT", 1, 200),
                ("EXPIRE k 300 LT", 0, 200), ("EXPIRE k 150 LT", 1, 150),
                ("PEXPIRE k 100000 XX", 1, 100), ("PERSIST k", 1, -1),
                ("PERSIST k", 0, -1), ("EXPIRE k 100 LT", 1, 100)):
            equal(c.ok(*command.split()), wanted, command)
            equal(c.ok("TTL", "k"), ttl, command)
        is_error(c.command("EXPIRE", "k", 1, "NX", "XX"), "ERR NX and XX")
        is_error(c.command("EXPIRE", "k", 1, "GT", "LT"), "ERR GT and LT")
        is_error(c.command("EXPIRE", "k", 1, "YY"),
                 "ERR Unsupported option YY")
        now = int(time.time())
        equal(c.ok("EXPIREAT", "k", now + 100), 1)
        equal(c.ok("EXPIRETIME", "k"), now + 100)
        equal(c.ok("PEXPIREAT", "k", (now + 50) * 1000), 1)
        equal(c.ok("PEXPIRETIME", "k"), (now + 50) * 1000)
        assert 48000 < c.ok("PTTL", "k") <= 51000
        equal(c.ok("EXPIRETIME", "none"), -2)
        equal(c.ok("PEXPIRE", "k", -1), 1)
        equal(c.ok("EXISTS", "k"), 0)


def test_a_deadline_far_away_means_for_ever(server):
    with server.raw() as c:
        c.ok("SET", "k", "v")
        equal(c.ok("PEXPIREAT", "k", 9223372036854775807), 1)
        equal(c.ok("GET", "k"), "v")
        assert c.ok("PTTL", "k") > 1 << 46
        is_error(c.command("EXPIRE", "k", 9223372036854775807),
                 "ERR invalid expire time in 'expire' command")


def values():
    """Small, and big enough to be moved without being written again."""
    return [b"v", b"12345", b"x" * 1000, b"y" * 65536,
            bytes(range(256)) * 2000]


def test_rename_copy_move_take_value_and_deadline_along(server):
    with server.raw() as c:
        for value in values():
            c.ok("FLUSHALL")
            c.ok("SET", "a", value, "EX", 1000)
            c.ok("SET", "b", "old", "EX", 5)
            equal(c.ok("RENAME", "a", "b"), b"OK")
            equal(c.ok("GET", "b"), value)
            equal(c.ok("TTL", "b"), 1000)
            equal(c.ok("EXISTS", "a"), 0)
            equal(c.ok("COPY", "b", "c"), 1)
            equal(c.ok("APPEND", "c", "!"), len(value) + 1)
            equal(c.ok("GET", "b"), value)
            equal(c.ok("TTL", "c"), 1000)
            equal(c.ok("COPY", "b", "c"), 0)
            equal(c.ok("COPY", "b", "c", "REPLACE"), 1)
            equal(c.ok("GET", "c"), value)
            equal(c.ok("PERSIST", "c"), 1)
            equal(c.ok("COPY", "c", "b", "DB", 1), 1)
            equal(c.ok("MOVE", "b", 1), 0)
            equal(c.ok("COPY", "b", "b", "DB", 1, "REPLACE"), 1)
            equal(c.ok("MOVE", "c", 1), 1)
            equal(c.ok("EXISTS", "c"), 0)
            equal(c.ok("RENAMENX", "b", "b"), 0)
            c.ok("SELECT", 1)
            equal(c.ok("GET", "c"), value)
            equal(c.ok("TTL", "c"), -1)
            equal(c.ok("TTL", "b"), 1000)
            c.ok("SELECT", 0)
            before = server.digest()
            server.command("DEBUG", "RELOAD")
            equal(server.digest(), before, "digest")


def test_errors_of_rename_copy_move_swapdb(server):
    with server.raw() as c:
        c.ok("SET", "a", 1)
        same = "ERR source and destination objects are the same"
        is_error(c.command("RENAME", "none", "x"), "ERR no such key")
        is_error(c.command("RENAMENX", "none", "x"), "ERR no such key")
        equal(c.command("RENAME", "a", "a"), b"OK")
        is_error(c.command("COPY", "a", "a"), same)
        is_error(c.command("COPY", "a", "b", "DB", 16),
                 "ERR DB index is out of range")
        is_error(c.command("COPY", "a", "b", "WHAT"), "ERR syntax error")
        is_error(c.command("MOVE", "a", 0), same)
        is_error(c.command("MOVE", "a", 99), "ERR DB index is out of range")
        is_error(c.command("MOVE", "a", "x"), "ERR value is not an integer")
        equal(c.ok("COPY", "none", "b"), 0)
        is_error(c.command("SWAPDB", "x", 1), "ERR invalid first DB index")
        is_error(c.command("SWAPDB", 1, "x"), "ERR invalid second DB index")
        is_error(c.command("SWAPDB", 1, 16), "ERR DB index is out of range")


def test_swapdb_and_flushdb_of_one_database(server):
    with server.raw() as c:
        c.ok("SET", "zero", 0)
        c.ok("SELECT", 1)
        c.ok("SET", "one", 1, "EX", 100)
        equal(c.ok("SWAPDB", 0, 1), b"OK")
        equal(c.ok("KEYS", "*"), [b"zero"])
        c.ok("FLUSHDB", "SYNC")
        c.ok("SELECT", 0)
        equal(c.ok("KEYS", "*"), [b"one"])
        equal(c.ok("TTL", "one"), 100)


def test_deadlines_are_kept_in_every_database(server):
    """By the server itself: nobody looks at the keys."""
    with server.raw() as c:
        c.ok("FLUSHALL")
        c.ok("CONFIG", "RESETSTAT")
        for db in (0, 1, 3):
            c.ok("SELECT", db)
            c.ok("SET", "key", 1, "PX", 300)
            c.ok("HSET", "hash", "field", 1, "stays", 1)
            c.ok("HPEXPIRE", "hash", 300, "FIELDS", 1, "field")
        for pair in ((3, 12), (14, 1)):
            c.ok("SWAPDB", *pair)
        lib.wait_until(lambda: [server.info()["expired_keys"],
                                server.info()["expired_subkeys"]] ==
                       ["3", "3"], what="end of three keys and three fields")
        for db in (0, 12, 14):
            c.ok("SELECT", db)
            equal(c.ok("KEYS", "*"), [b"hash"])
            equal(c.ok("HKEYS", "hash"), [b"stays"])


def test_object_tells_what_a_value_is_like(server):
    with server.raw() as c:
        c.ok("MSET", "i", 12345, "e", "short", "r", "x" * 100)
        for key, encoding in (("i", "int"), ("e", "embstr"), ("r", "raw")):
            equal(c.ok("OBJECT", "ENCODING", key), encoding)
        c.ok("APPEND", "e", "er")
        equal(c.ok("OBJECT", "ENCODING", "e"), "raw")
        equal(c.ok("OBJECT", "REFCOUNT", "i"), 1)
        assert c.ok("OBJECT", "IDLETIME", "i") <= 2
        is_error(c.command("OBJECT", "FREQ", "i"),
                 "ERR An LFU maxmemory policy is not selected")
        equal(c.command("OBJECT", "FREQ", "none"), None)
        equal(c.command("OBJECT", "ENCODING", "none"), None)
        assert len(c.ok("OBJECT", "HELP")) > 5
        is_error(c.command("OBJECT", "WHAT", "i"), "ERR unknown subcommand")
        is_error(c.command("OBJECT"), "ERR wrong number of arguments")


@lib.options(maxmemory_policy="allkeys-lfu")
def test_object_freq_counts_uses(server):
    with server.raw() as c:
        c.ok("SET", "k", 1)
        first = c.ok("OBJECT", "FREQ", "k")
        c.pipeline([("GET", "k")] * 200)
        assert c.ok("OBJECT", "FREQ", "k") > first
        is_error(c.command("OBJECT", "IDLETIME", "k"),
                 "ERR An LFU maxmemory policy is selected")


@lib.levels("always", "everysec", "no")
def test_keys_are_as_they_were_after_kill_9(server):
    big = b"z" * 200000
    with server.raw() as c:
        fill(c, 500)
        c.pipeline([("RENAME", "key:%d" % i, "renamed:%d" % i)
                    for i in range(100)])
        c.pipeline([("MOVE", "key:%d" % i, 3) for i in range(100, 200)])
        c.pipeline([("EXPIRE", "key:%d" % i, 1000)
                    for i in range(200, 300)])
        c.pipeline([("DEL", "key:%d" % i) for i in range(300, 400)])
        c.ok("SET", "big", big, "EX", 1000)
        c.ok("RENAME", "big", "big2")
        c.ok("COPY", "big2", "big3", "DB", 2)
        c.ok("SETRANGE", "big2", 100, "other")
        c.ok("SWAPDB", 2, 4)
    server.restart_same()
    with server.raw() as c:
        equal(c.ok("DBSIZE"), 301)
        c.ok("SELECT", 4)
        equal(c.ok("GET", "big3"), big)


@lib.own
def test_a_big_key_takes_no_more_log_than_it_needs():
    with lib.Server() as s:
        key = b"k" * (8 << 20)
        with s.raw() as c:
            equal(c.ok("SET", key, 1), "OK")
            equal(c.ok("RPUSH", key + b"2", 1, 2), 2)
            log = os.path.join(s.store, "log")
            sizes = [os.path.getsize(os.path.join(log, name))
                     for name in os.listdir(log)]
            assert max(sizes) <= 128 << 20, sizes
            equal(c.ok("DEL", key), 1)


@lib.own
def test_keys_bigger_than_the_queue_of_a_snapshot_are_saved():
    with lib.Server(options={"enable-debug-command": "yes",
                             "auto-aof-rewrite-percentage": 0}) as s:
        with s.raw() as c:
            c.ok("DEBUG", "POPULATE", 2000)
            c.ok("SET", b"k" * (20 << 20), 1)
            c.ok("SET", b"l" * (20 << 20), 1)
            equal(c.ok("SAVE"), "OK")
        equal(s.info("persistence")["rdb_last_bgsave_status"], "ok")
        s.restart_same()


lib.main(__name__, range(21300, 21340))
