#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Set commands, end to end: each in its plain form, all of them against a
model under several limits of the layouts, big sets in snapshots and graves,
what survives a kill."""

import collections
import random
import time

import lib
from lib import WRONGTYPE, check, equal, is_error

SEED = lib.seed("SETS_SEED")
LIMITS = ("set-max-intset-entries", "set-max-listpack-entries",
          "set-max-listpack-value")


def limit(c, *values):
    for name, value in zip(LIMITS, values):
        c.ok("CONFIG", "SET", name, value)


def encoding(c, key):
    return c.ok("OBJECT", "ENCODING", key).decode()


def test_each_command_in_its_plain_form(server):
    with server.raw() as c:
        check(c, [
            ("SADD s a b c", 3), ("SADD s a d d", 1), ("SCARD s", 4),
            ("SISMEMBER s a", 1), ("SISMEMBER s x", 0),
            ("SMISMEMBER s a x d", [1, 0, 1]), ("SMISMEMBER none a", [0]),
            ("SMEMBERS s", {"a", "b", "c", "d"}), ("SMEMBERS none", []),
            ("SREM s a x a", 1), ("SREM none a", 0), ("TYPE s", b"set"),
            ("SADD t c d e", 3), ("SINTER s t", {"c", "d"}),
            ("SINTER s none", []), ("SUNION s t none", {"b", "c", "d", "e"}),
            ("SDIFF s t", {"b"}), ("SDIFF none s", []),
            ("SINTERCARD 2 s t", 2), ("SINTERCARD 2 s t LIMIT 1", 1),
            ("SINTERCARD 2 s t LIMIT 0", 2), ("SUNIONCARD 2 s t", 4),
            ("SUNIONCARD 2 s t LIMIT 3", 3), ("SDIFFCARD 2 s t", 1),
            ("SINTERSTORE x s t", 2), ("SMEMBERS x", {"c", "d"}),
            ("SUNIONSTORE s s t", 4), ("SMEMBERS s", {"b", "c", "d", "e"}),
            ("SDIFFSTORE x s t", 1), ("SMEMBERS x", {"b"}),
            ("SDIFFSTORE x t t", 0), ("EXISTS x", 0),
            ("SMOVE s t b", 1), ("SMOVE s t b", 0), ("SMOVE s s c", 1),
            ("SMOVE none t b", 0), ("SMOVE s t c", 1), ("SCARD t", 4),
            ("SSCAN s 0", [b"0", [b"d", b"e"]]), ("SSCAN none 0", [b"0", []]),
            ("SSCAN s 0 MATCH e*", [b"0", [b"e"]]),
            ("SREM s d e", 2), ("EXISTS s", 0),
            ("SADD one m", 1), ("SPOP one", b"m"), ("SPOP one", None),
            ("SPOP one 3", []), ("SRANDMEMBER one", None),
            ("SRANDMEMBER one 2", []), ("SADD one m", 1),
            ("SRANDMEMBER one", b"m"), ("SRANDMEMBER one 5", [b"m"]),
            ("SRANDMEMBER one -3", [b"m"] * 3), ("SPOP one 0", []),
            ("SPOP one 2", [b"m"]), ("DBSIZE", 1),
        ])


def test_errors_are_those_of_redis(server):
    with server.raw() as c:
        c.ok("SET", "str", "v")
        for text in ("SADD str a", "SREM str a", "SCARD str", "SMEMBERS str",
                     "SISMEMBER str a", "SMISMEMBER str a", "SPOP str",
                     "SPOP str 1", "SRANDMEMBER str", "SRANDMEMBER str 1",
                     "SINTER none str", "SUNION str", "SDIFF none str",
                     "SINTERSTORE d none str", "SSCAN str 0",
                     "SINTERCARD 2 none str", "SMOVE str d a"):
            is_error(c.command(*text.split()), WRONGTYPE)
        c.ok("SADD", "s", "a")
        is_error(c.command("SMOVE", "s", "str", "a"), WRONGTYPE)
        is_error(c.command("GET", "s"), WRONGTYPE)
        check(c, [
            ("SPOP s -1", "-ERR value is out of range, must be positive"),
            ("SPOP s 1 2", "-ERR syntax error"),
            ("SRANDMEMBER s x", "-ERR value is not an integer"),
            ("SRANDMEMBER s 1 2", "-ERR syntax error"),
            ("SRANDMEMBER s -9223372036854775808",
             "-ERR value is out of range"),
            ("SINTERCARD 0 s", "-ERR numkeys should be greater than 0"),
            ("SINTERCARD x s", "-ERR numkeys should be greater than 0"),
            ("SINTERCARD 2 s", "-ERR Number of keys can't be greater than "
             "number of args"),
            ("SINTERCARD 1 s LIMIT -1", "-ERR LIMIT can't be negative"),
            ("SINTERCARD 1 s LIMIT x", "-ERR LIMIT can't be negative"),
            ("SINTERCARD 1 s t", "-ERR syntax error"),
            ("SSCAN s x", "-ERR invalid cursor"),
            ("SSCAN s 0 COUNT 0", "-ERR syntax error"),
            ("SADD s", "-ERR wrong number of arguments for 'sadd'"),
            ("SINTERSTORE str s", 1), ("TYPE str", b"set"),
        ])


def test_layouts_follow_the_limits(server):
    with server.raw() as c:
        limit(c, 4, 6, 8)
        for members, wanted in (
                ("1 2 3 4", "intset"), ("1 2 3 4 5", "hashtable"),
                ("1 2 a", "listpack"), ("a 1 2 3 4 5", "listpack"),
                ("a 1 2 3 4 5 6", "hashtable"), ("12345678", "intset"),
                ("123456789 a", "hashtable"), ("12345678a", "hashtable"),
                ("9223372036854775807 -9223372036854775808", "intset"),
                ("9223372036854775808", "hashtable"), ("01", "listpack"),
                ("-0 +1", "listpack")):
            c.command("DEL", "s")
            c.ok("SADD", "s", *members.split())
            equal(encoding(c, "s"), wanted, members)
            equal(sorted(c.ok("SMEMBERS", "s")),
                  sorted(members.encode().split()))
        limit(c, 0, 6, 8)
        c.command("DEL", "s")
        c.ok("SADD", "s", "1")
        equal(encoding(c, "s"), "listpack")
        limit(c, 0, 0, 0)
        c.ok("SADD", "s", "2")
        equal(encoding(c, "s"), "hashtable")


class Model:
    """What a server should reply."""

    def __init__(self):
        self.sets = collections.defaultdict(set)

    def put(self, key, members):
        self.sets[key] = set(members)

    def combine(self, name, keys):
        sets = [self.sets[k] for k in keys]
        if "INTER" in name:
            return set.intersection(*sets)
        if "UNION" in name:
            return set.union(*sets)
        return sets[0].difference(*sets[1:])


def some_member(rnd):
    return rnd.choice([
        lambda: b"%d" % rnd.randrange(40),
        lambda: b"%d" % rnd.randrange(-70000, 70000, 1013),
        lambda: b"%d" % (rnd.randrange(20) << rnd.randrange(1, 59)),
        lambda: b"m%d" % rnd.randrange(60),
        lambda: b"x" * rnd.randrange(20),
    ])()


def step(c, m, rnd):
    """One random command, its reply compared with the model's."""
    key, other = rnd.choice("abcde"), rnd.choice("abcde")
    args = [some_member(rnd) for _ in range(rnd.choice((1, 1, 2, 20)))]
    s = m.sets[key]
    what = rnd.randrange(12)
    if what < 4:
        equal(c.command("SADD", key, *args), len(set(args) - s))
        s.update(args)
    elif what < 7:
        args += rnd.sample(sorted(s), min(len(s), rnd.randrange(3)))
        equal(c.command("SREM", key, *args), len(set(args) & s))
        s.difference_update(args)
    elif what == 7:
        equal(c.command("SMISMEMBER", key, *args), [int(a in s) for a in args])
    elif what == 8:
        name = rnd.choice(("SINTER", "SUNION", "SDIFF"))
        keys = [rnd.choice("abcde") for _ in range(rnd.choice((1, 2, 3, 9)))]
        wanted = m.combine(name, keys)
        equal(sorted(c.ok(name, *keys)), sorted(wanted), name)
        equal(c.command(name + "CARD", len(keys), *keys), len(wanted), name)
        equal(c.command(name + "STORE", other, *keys), len(wanted), name)
        m.put(other, wanted)
    elif what == 9:
        moved = int(args[0] in s)
        equal(c.command("SMOVE", key, other, args[0]), moved)
        if moved:
            s.remove(args[0])
            m.sets[other].add(args[0])
    elif what == 10:
        count = rnd.choice((1, 2, 5, len(s), 40))
        popped = c.ok("SPOP", key, count)
        equal(len(popped), min(count, len(s)))
        assert set(popped) <= s and len(set(popped)) == len(popped)
        s.difference_update(popped)
    else:
        count = rnd.choice((1, 3, len(s), 50))
        drawn = c.ok("SRANDMEMBER", key, count)
        equal(len(drawn), min(count, len(s)))
        assert set(drawn) <= s and len(set(drawn)) == len(drawn)
        drawn = c.ok("SRANDMEMBER", key, -count)
        equal(len(drawn), count if s else 0)
        assert set(drawn) <= s


def compare(c, m):
    for key in "abcde":
        equal(c.command("SCARD", key), len(m.sets[key]), key)
        equal(sorted(c.ok("SMEMBERS", key)), sorted(m.sets[key]), key)
        equal(c.command("EXISTS", key), int(bool(m.sets[key])), key)


@lib.levels("always", "everysec", "no")
def test_random_commands_agree_with_a_model_before_and_after_kill_9(server):
    rnd = random.Random(SEED)
    m = Model()
    for limits in ((512, 128, 64), (3, 5, 6), (0, 0, 0),
                   (100000, 100000, 100000)):
        with server.raw() as c:
            limit(c, *limits)
            for _ in range(400):
                step(c, m, rnd)
            compare(c, m)
        server.restart_same()
        with server.raw() as c:
            compare(c, m)
            c.ok("SAVE")


def scan_all(c, key, *options):
    seen, cursor = [], b"0"
    while True:
        cursor, found = c.ok("SSCAN", key, cursor, *options)
        seen += found
        if cursor == b"0":
            return seen


def fill(c, key, numbers, prefix="member:"):
    numbers = list(numbers)
    for at in range(0, len(numbers), 1000):
        c.ok("SADD", key, *[prefix + str(n) for n in numbers[at:at + 1000]])


def test_a_scan_sees_what_was_there_throughout(server):
    with server.raw() as c, server.raw() as other:
        fill(c, "s", range(5000))
        cursor, seen, more = b"0", set(), 5000
        while True:
            cursor, found = c.ok("SSCAN", "s", cursor, "COUNT", 400)
            seen.update(found)
            if cursor == b"0":
                break
            fill(other, "s", range(more, more + 1000))
            other.ok("SREM", "s", *["member:%d" % n
                                    for n in range(more - 500, more)])
            more += 1000
        assert seen >= {b"member:%d" % n for n in range(4500)}
        equal(len(scan_all(c, "s", "COUNT", 1000)), c.ok("SCARD", "s"))
        equal(scan_all(c, "s", "MATCH", "member:77"), [b"member:77"])


def test_big_draws_differ_and_stay_inside(server):
    with server.raw() as c:
        fill(c, "s", range(30000))
        for count in (1, 50, 9000, 29999):
            drawn = c.ok("SRANDMEMBER", "s", count)
            equal(len(set(drawn)), count)
        popped = c.ok("SPOP", "s", 20000)
        equal(len(set(popped)), 20000)
        equal(c.command("SCARD", "s"), 10000)
        assert not set(popped) & set(c.ok("SMEMBERS", "s"))
        equal(len(c.ok("SPOP", "s", 10000)), 10000)
        equal(c.command("EXISTS", "s"), 0)


def test_a_big_set_in_a_snapshot_is_as_it_was_when_that_began(server):
    with server.raw() as c:
        fill(c, "s", range(200000))
        c.ok("SADD", "long", *["%d" % n + "x" * 3000 for n in range(200)])
        c.ok("EXPIRE", "s", 10000)
        c.ok("BGSAVE")
        for n in range(0, 40000, 100):  # beside the walk
            c.pipeline([("SREM", "s", "member:%d" % (n * 5)),
                        ("SADD", "s", "new:%d" % n),
                        ("SADD", "s", "member:%d" % (n * 5 + 1))])
        c.ok("RENAME", "s", "t")
        lib.wait_until(lambda: server.info("persistence")
                       ["rdb_bgsave_in_progress"] == "0", 60)
        c.ok("BGSAVE")
        c.ok("UNLINK", "t")  # while it is on its way out
        lib.wait_until(lambda: server.info("persistence")
                       ["rdb_bgsave_in_progress"] == "0", 60)
        equal(server.info("persistence")["rdb_last_bgsave_status"], b"ok")
        fill(c, "s", range(50000))
    server.restart_same()
    server.restart_same(save=True)


def test_memory_of_a_deleted_set_comes_back(server):
    with server.raw() as c:
        start = int(server.info("memory")["used_memory"])
        fill(c, "s", range(300000))
        full = int(server.info("memory")["used_memory"])
        per_member = (full - start) / 300000
        assert per_member <= 31, per_member
        assert c.ok("MEMORY", "USAGE", "s") > 300000 * 20
        c.ok("UNLINK", "s")
        lib.wait_until(lambda: int(server.info("memory")["used_memory"]) <
                       start + (1 << 20), 5, "memory back")


def test_copies_and_moves_keep_members(server):
    with server.raw() as c:
        for key, members in (("i", range(10)), ("p", "abc"),
                             ("h", range(1000))):
            c.ok("SADD", key, *members)
            c.ok("EXPIRE", key, 1000)
            wanted = sorted(b"%s" % str(m).encode() for m in members)
            c.ok("COPY", key, "copy")
            equal(sorted(c.ok("SMEMBERS", "copy")), wanted)
            assert c.ok("TTL", "copy") > 900
            c.ok("SADD", "copy", "more")
            equal(sorted(c.ok("SMEMBERS", key)), wanted)
            named = key + "-named"
            c.ok("RENAME", key, named)
            equal(sorted(c.ok("SMEMBERS", named)), wanted)
            equal(c.ok("MOVE", named, 3), 1)
            c.ok("DEL", "copy")
    server.restart_same()


def test_a_deadline_holds_for_the_whole_set(server):
    with server.raw() as c:
        c.ok("SADD", "s", *range(2000))
        c.ok("PEXPIRE", "s", 60)
        time.sleep(0.1)
        equal(c.command("SCARD", "s"), 0)
        equal(c.command("SADD", "s", 1), 1)
        equal(c.command("TTL", "s"), -1)


def test_redis_py_in_daily_use(server):
    r = server.client(decode_responses=True)
    assert r.sadd("s", "a", "b", 1) == 3
    assert r.smembers("s") == {"a", "b", "1"}
    assert r.sismember("s", "a") and not r.sismember("s", "x")
    assert r.sinter("s", "s") == {"a", "b", "1"}
    assert set(r.sscan_iter("s")) == {"a", "b", "1"}
    assert r.spop("s", 3) and not r.exists("s")
    with server.raw(protocol=3) as c:
        c.ok("SADD", "s", "a")
        c.send_command("SMEMBERS", "s")
        equal(c.line(), b"~1")
        equal(c.read(), b"a")


def test_a_count_that_no_reply_can_hold_is_refused(server):
    with server.raw() as c:
        c.ok("SADD", "s", "a")
        c.ok("HSET", "h", "a", 1)
        c.ok("ZADD", "z", 1, "a")
        check(c, [("%s %d" % (command, -count), "-ERR value is out of range")
                  for command in ("SRANDMEMBER s", "HRANDFIELD h",
                                  "ZRANDMEMBER z")
                  for count in (2 ** 28, 2 ** 31, 2 ** 63 - 1)])
        equal(len(c.ok("SRANDMEMBER", "s", -100000)), 100000)


lib.main(__name__, range(21100, 21140))
