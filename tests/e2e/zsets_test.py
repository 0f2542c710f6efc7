#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Sorted set commands, end to end: each in its plain form, order against a
plain model, both representations, what a snapshot and a kill leave."""

import random
import threading

import lib
from lib import WRONGTYPE, check, equal, is_error


def words(text):
    return [w.encode() for w in text.split()]


def test_each_command_in_its_plain_form(server):
    with server.raw() as c:
        check(c, [
            ("ZADD z 1 a 2 b 3 c", 3), ("ZADD z 4 a", 0), ("ZCARD z", 3),
            ("ZSCORE z a", "4"), ("ZSCORE z none", None),
            ("ZSCORE none a", None), ("ZMSCORE z a none", [b"4", None]),
            ("ZINCRBY z 0.5 a", "4.5"), ("ZINCRBY z -1 new", "-1"),
            ("ZRANK z a", 3), ("ZREVRANK z a", 0), ("ZRANK z none", None),
            ("ZRANK z a WITHSCORE", [3, b"4.5"]),
            ("ZREVRANK z none WITHSCORE", None),
            ("ZRANGE z 0 -1", words("new b c a")),
            ("ZRANGE z 1 2 WITHSCORES", words("b 2 c 3")),
            ("ZRANGE z 0 0 REV", words("a")),
            ("ZREVRANGE z 0 1", words("a c")),
            ("ZRANGE z (2 +inf BYSCORE", words("c a")),
            ("ZRANGE z +inf (2 BYSCORE REV LIMIT 1 5", words("c")),
            ("ZRANGEBYSCORE z -inf 2 WITHSCORES", words("new -1 b 2")),
            ("ZREVRANGEBYSCORE z 3 2", words("c b")),
            ("ZCOUNT z (2 5", 2), ("ZCOUNT z 5 2", 0),
            ("ZREM z new none", 1), ("ZREM none a", 0),
            ("ZPOPMIN z", words("b 2")), ("ZPOPMAX z 1", words("a 4.5")),
            ("ZPOPMIN none", []), ("ZPOPMIN z 0", []),
            ("ZMPOP 2 none z MIN COUNT 5", [b"z", [[b"c", b"3"]]]),
            ("EXISTS z", 0), ("ZMPOP 1 z MAX", None),
            ("ZADD l 0 a 0 b 0 c 0 d", 4),
            ("ZRANGEBYLEX l [b (d", words("b c")),
            ("ZREVRANGEBYLEX l + - LIMIT 0 2", words("d c")),
            ("ZRANGE l - [b BYLEX", words("a b")),
            ("ZLEXCOUNT l - +", 4), ("ZLEXCOUNT l (a [c", 2),
            ("ZREMRANGEBYLEX l [a (c", 2), ("ZCARD l", 2),
            ("ZREMRANGEBYRANK l 1 1", 1),
            ("ZREMRANGEBYSCORE l -inf inf", 1), ("EXISTS l", 0),
            ("ZADD r 1 only", 1), ("ZRANDMEMBER r", "only"),
            ("ZRANDMEMBER r 5 WITHSCORES", words("only 1")),
            ("ZRANDMEMBER r -3", words("only only only")),
            ("ZRANDMEMBER none", None), ("ZRANDMEMBER none 2", []),
            ("ZSCAN r 0", [b"0", words("only 1")]),
            ("ZSCAN r 0 MATCH x* COUNT 5", [b"0", []]),
            ("TYPE r", lib.Simple("zset")),
            ("OBJECT ENCODING r", "listpack"),
        ])


def test_conditions_of_zadd(server):
    with server.raw() as c:
        check(c, [
            ("ZADD z XX 1 a", 0), ("EXISTS z", 0),
            ("ZADD z NX 1 a 2 b", 2), ("ZADD z NX 5 a", 0),
            ("ZADD z XX CH 5 a 1 none", 1), ("ZSCORE z a", "5"),
            ("ZADD z GT CH 4 a 3 b 1 c", 2), ("ZSCORE z a", "5"),
            ("ZADD z LT 4 a", 0), ("ZSCORE z a", "4"),
            ("ZADD z XX LT CH 9 a 0 d", 0),
            ("ZADD z INCR 2.5 a", "6.5"), ("ZADD z NX INCR 1 a", None),
            ("ZADD z XX INCR 1 none", None),
            ("ZADD z GT INCR -1 a", None), ("ZADD z XX INCR 0 a", "6.5"),
            ("ZADD z 1 x 2 x 3 x", 1), ("ZSCORE z x", "3"),
            ("ZADD z 7 x 3 x", 0), ("ZSCORE z x", "3"),
            ("ZADD z NX 1 y 2 y", 1), ("ZSCORE z y", "1"),
            ("ZADD z CH 1 w 2 w 2 w", 2),
            ("ZADD z 1 a 2", "-ERR syntax error"),
            ("ZADD z NX XX 1 a", "-ERR XX and NX options"),
            ("ZADD z GT LT 1 a", "-ERR GT, LT, and/or NX options"),
            ("ZADD z INCR 1 a 2 b", "-ERR INCR option supports"),
            ("ZADD z 1 a nan b", "-ERR value is not a valid float"),
            ("ZADD z inf a", 0), ("ZSCORE z a", "inf"),
            ("ZINCRBY z -inf a", "-ERR resulting score is not a number"),
            ("ZADD z -0 zero", 1), ("ZSCORE z zero", "0"),
        ])
        c.ok("SET", "s", "v")
        for command in ("ZADD s 1 a", "ZSCORE s a", "ZRANGE s 0 -1",
                        "ZPOPMIN s", "ZSCAN s 0", "ZRANDMEMBER s"):
            is_error(c.command(*command.split()), WRONGTYPE)


def test_arguments_that_make_no_sense(server):
    not_float = "-ERR min or max is not a float"
    with server.raw() as c:
        c.ok("ZADD", "z", 1, "a")
        check(c, [
            ("ZCOUNT z a 1", not_float), ("ZCOUNT z (nan 1", not_float),
            ("ZRANGE z a 1", "-ERR value is not an integer"),
            ("ZRANGEBYLEX z a b", "-ERR min or max not valid string range"),
            ("ZRANGE z 0 1 LIMIT 0 1", "-ERR syntax error, LIMIT is only"),
            ("ZRANGE z - + BYLEX WITHSCORES",
             "-ERR syntax error, WITHSCORES not supported"),
            ("ZRANGE z 0 1 BYSCORE BYLEX", "-ERR syntax error"),
            ("ZREVRANGE z 0 1 REV", "-ERR syntax error"),
            ("ZRANGE z 0 1 REV REV", "-ERR syntax error"),
            ("ZRANK z a x", "-ERR syntax error"),
            ("ZPOPMIN z -1", "-ERR value is out of range, must be positive"),
            ("ZPOPMIN z 1 2", "-ERR syntax error"),
            ("ZRANDMEMBER z -9223372036854775808", "-ERR value is out of "
             "range, value must between"),
            ("ZMPOP 0 z MIN", "-ERR numkeys should be greater than 0"),
            ("ZMPOP 1 z MID", "-ERR syntax error"),
            ("ZMPOP 2 z MIN", "-ERR syntax error"),
            ("ZMPOP 1 z MIN COUNT 0", "-ERR count should be greater than 0"),
            ("ZMPOP 1 z MIN COUNT +1 x",
             "-ERR count should be greater than 0"),
            ("ZMPOP 1 z MIN COUNT 1 x", "-ERR syntax error"),
            ("ZRANDMEMBER z 1 x", "-ERR syntax error"),
            ("ZRANDMEMBER z -9223372036854775808", "-ERR value is out of"),
        ])


def test_scores_are_doubles_in_resp3(server):
    with server.raw() as c:
        c.ok("HELLO", 3)
        c.ok("ZADD", "z", 1.5, "a", "inf", "b")
        equal(c.ok("ZSCORE", "z", "a"), 1.5)
        equal(c.ok("ZRANGE", "z", 0, -1, "WITHSCORES"),
              [[b"a", 1.5], [b"b", float("inf")]])
        equal(c.ok("ZRANK", "z", "b", "WITHSCORE"), [1, float("inf")])
        equal(c.ok("ZPOPMIN", "z"), [b"a", 1.5])
        equal(c.ok("ZPOPMIN", "z", 1), [[b"b", float("inf")]])


def sorted_model(model):
    return sorted(model, key=lambda m: (model[m], m))


def random_changes(c, r, model, count, names):
    """Changes the sorted set z and the model alike."""
    commands = []
    for _ in range(count):
        name = b"m%d" % r.randrange(names)
        if r.random() < 0.7:
            score = r.choice([r.randrange(10), r.randrange(10**6),
                              r.uniform(-1, 1)])
            commands.append(("ZADD", "z", repr(score), name))
            model[name] = float(score)
        else:
            commands.append(("ZREM", "z", name))
            model.pop(name, None)
    c.pipeline(commands)


def compare(c, model, r):
    order = sorted_model(model)
    equal(c.ok("ZRANGE", "z", 0, -1), order)
    equal(c.ok("ZREVRANGE", "z", 0, -1), order[::-1])
    for _ in range(50):
        i = r.randrange(len(order))
        equal(c.ok("ZRANK", "z", order[i]), i)
        low, high = sorted(r.choice(order) for _ in range(2))
        low, high = sorted((model[low], model[high]))
        inside = [m for m in order if low <= model[m] < high]
        equal(c.ok("ZRANGEBYSCORE", "z", repr(low), "(" + repr(high)), inside)
        equal(c.ok("ZCOUNT", "z", repr(low), "(" + repr(high)), len(inside))


def test_order_agrees_with_a_model_small_and_big(server):
    r = random.Random(7)
    with server.raw() as c:
        for names, encoding in ((100, "listpack"), (3000, "skiplist")):
            model = {}
            c.ok("DEL", "z")
            for _ in range(4):
                random_changes(c, r, model, 3000, names)
                compare(c, model, r)
            equal(c.ok("OBJECT", "ENCODING", "z"), encoding)
            while model:
                for name in sorted_model(model)[:97]:
                    del model[name]
                c.ok("ZREMRANGEBYRANK", "z", 0, 96)
                equal(c.ok("ZCARD", "z"), len(model))


def test_long_runs_leave_in_one_command(server):
    with server.raw() as c:
        c.pipeline([("ZADD", "z", i, "member:%060d" % i)
                    for i in range(20000)])
        equal(c.ok("ZREMRANGEBYSCORE", "z", 100, 9999), 9900)
        equal(c.ok("ZCARD", "z"), 10100)
        popped = c.ok("ZPOPMAX", "z", 5000)
        equal(popped[1::2], [b"%d" % i for i in range(19999, 14999, -1)])
        equal(c.ok("ZRANGE", "z", 99, 101, "WITHSCORES")[1::2],
              [b"99", b"10000", b"10001"])
        equal(c.ok("ZREMRANGEBYRANK", "z", 0, -1), 5100)
        equal(c.ok("EXISTS", "z"), 0)


def test_limits_make_big_ones_and_no_difference(server):
    with server.raw() as c:
        digests = []
        for limit in (128, 0):
            c.ok("FLUSHALL")
            c.ok("CONFIG", "SET", "zset-max-ziplist-entries", limit)
            c.pipeline([("ZADD", "z", i % 7, "m%d" % i) for i in range(100)])
            digests.append(server.digest())
        equal(c.ok("OBJECT", "ENCODING", "z"), "skiplist")
        equal(digests[0], digests[1])
        c.ok("CONFIG", "SET", "zset-max-listpack-entries", 128)
        c.ok("ZADD", "v", 1, "x" * 64)
        equal(c.ok("OBJECT", "ENCODING", "v"), "listpack")
        c.ok("ZADD", "v", 1, "x" * 65)
        equal(c.ok("OBJECT", "ENCODING", "v"), "skiplist")


def test_zscan_meets_what_is_there_throughout(server):
    with server.raw() as c:
        c.pipeline([("ZADD", "z", i, "m%d" % i) for i in range(5000)])
        cursor, seen, rounds = b"0", set(), 0
        while True:
            cursor, found = c.ok("ZSCAN", "z", cursor, "COUNT", 100)
            seen.update(found[::2])
            c.pipeline([("ZADD", "z", i, "new%d-%d" % (rounds, i))
                        for i in range(20)])
            c.pipeline([("ZREM", "z", "new%d-%d" % (rounds - 1, i))
                        for i in range(20)])
            rounds += 1
            if cursor == b"0":
                break
        assert {b"m%d" % i for i in range(5000)} <= seen


def test_zrandmember_draws_without_repetition(server):
    with server.raw() as c:
        for count in (50, 1000):
            c.pipeline([("ZADD", "z", i, "m%d" % i) for i in range(count)])
            everything = set(c.ok("ZRANGE", "z", 0, -1))
            for want in (1, 10, count // 2, count - 1, count, 2 * count):
                drawn = c.ok("ZRANDMEMBER", "z", want)
                equal(len(drawn), min(want, count))
                equal(len(set(drawn)), len(drawn))
                assert set(drawn) <= everything
            met = set()
            for _ in range(40):
                met.update(c.ok("ZRANDMEMBER", "z", -count))
            equal(met, everything)


def load(c):
    """Small and big ones, with deadlines and without."""
    r = random.Random(3)
    for key, count in (("small", 50), ("big", 5000)):
        for suffix in ("", ":dies"):
            c.pipeline([("ZADD", key + suffix, repr(r.uniform(-9, 9)),
                         "m%d" % i) for i in range(count)])
        c.ok("EXPIRE", key + ":dies", 1000)


def change(c):
    for key in ("small", "big", "small:dies", "big:dies"):
        c.ok("ZADD", key, 3, "m1", 4, "added", "inf", "infinite")
        c.ok("ZINCRBY", key, "0.1", "m2")
        c.ok("ZREM", key, "m3", "m4")
        c.ok("ZREMRANGEBYSCORE", key, -1, "(0")
        c.ok("ZPOPMIN", key, 3)
    c.ok("COPY", "big", "copy")
    c.ok("RENAME", "small", "renamed")
    c.ok("ZADD", "gone", 1, "a", 2, "b")
    c.ok("ZPOPMAX", "gone", 2)


@lib.levels("always", "everysec", "no")
def test_what_was_acknowledged_is_there_after_kill_9(server):
    with server.raw() as c:
        load(c)
        change(c)
    server.restart_same()
    with server.raw() as c:
        equal(c.ok("EXISTS", "gone"), 0)
        assert 900 < c.ok("TTL", "big:dies") <= 1000
        order = c.ok("ZRANGE", "big", 0, -1)
        equal(c.ok("ZRANK", "big", order[777]), 777)


@lib.levels("always", "everysec", "no")
def test_a_snapshot_has_them_as_they_were_when_it_began(server):
    with server.raw() as c:
        load(c)
        c.ok("BGSAVE")
        change(c)
    server.restart_same()


def test_a_snapshot_passes_while_big_ones_change_and_go(server):
    with server.raw() as c:
        c.pipeline([("ZADD", "z%d" % (i % 3), i, "m%d" % i)
                    for i in range(60000)])
        stop = threading.Event()

        def disturb():
            r = random.Random(5)
            with server.raw() as d:
                while not stop.is_set():
                    d.pipeline([("ZADD", "z0", r.random(),
                                 "m%d" % r.randrange(90000)),
                                ("ZREM", "z0", "m%d" % r.randrange(90000))]
                               * 20)
        thread = threading.Thread(target=disturb)
        thread.start()
        try:
            for _ in range(3):
                c.command("BGSAVE")
                c.ok("UNLINK", "z1")
                c.pipeline([("ZADD", "z1", i, "m%d" % i)
                            for i in range(5000)])
        finally:
            stop.set()
            thread.join()
        lib.wait_until(lambda: b"rdb_bgsave_in_progress:0" in
                       c.ok("INFO", "persistence"), 30)
    server.restart_same()


lib.main(__name__, range(21200, 21240))
