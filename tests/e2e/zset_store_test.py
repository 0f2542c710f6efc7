#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Sorted sets combined and stored: replies and results as redis-server's."""

import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import differential
import lib
from lib import equal, is_error


def fill(c):
    c.ok("ZADD", "a", 1, "x", 2, "y")
    c.ok("ZADD", "b", 3, "y", 4, "z")
    c.ok("SADD", "s", "x", "z")
    c.ok("SET", "string", "v")


def test_members_and_scores_are_combined(server):
    with server.raw() as c:
        fill(c)
        equal(c.ok("ZUNION", 2, "a", "b", "WITHSCORES"),
              [b"x", b"1", b"z", b"4", b"y", b"5"])
        equal(c.ok("ZUNION", 2, "a", "b", "AGGREGATE", "MIN", "WEIGHTS", 2,
                   3, "WITHSCORES"), [b"x", b"2", b"y", b"4", b"z", b"12"])
        equal(c.ok("ZINTER", 2, "s", "a", "WITHSCORES"), [b"x", b"2"])
        equal(c.ok("ZDIFF", 2, "a", "b", "WITHSCORES"), [b"x", b"1"])
        equal(c.ok("ZDIFF", 2, "none", "b"), [])
        equal(c.ok("ZUNION", 1, "s", "WITHSCORES"),
              [b"x", b"1", b"z", b"1"])
        equal(c.ok("ZUNION", 2, "a", "b", "WEIGHTS", "inf", "-inf",
                   "WITHSCORES"), [b"z", b"-inf", b"y", b"0", b"x", b"inf"])
        equal(c.ok("ZINTERCARD", 2, "a", "b"), 1)
        equal(c.ok("ZINTERCARD", 3, "a", "a", "a", "LIMIT", 1), 1)
        equal(c.ok("ZINTERCARD", 2, "a", "none"), 0)
        equal(c.ok("COMMAND", "GETKEYS", "ZUNIONSTORE", "d", 2, "a", "b"),
              [b"d", b"a", b"b"])
        equal(c.ok("COMMAND", "GETKEYS", "ZINTERCARD", 1, "a"), [b"a"])
    with server.raw(3) as c:
        equal(c.ok("ZUNION", 2, "a", "b", "WITHSCORES"),
              [[b"x", 1.0], [b"z", 4.0], [b"y", 5.0]])


def test_results_replace_the_destination(server):
    with server.raw() as c:
        fill(c)
        equal(c.ok("ZUNIONSTORE", "string", 2, "a", "b"), 3)
        equal(c.ok("TYPE", "string"), "zset")
        c.ok("EXPIRE", "a", 1000)
        equal(c.ok("ZINTERSTORE", "a", 2, "a", "s"), 1)
        equal(c.ok("TTL", "a"), -1)
        equal(c.ok("ZRANGE", "a", 0, -1, "WITHSCORES"), [b"x", b"2"])
        equal(c.ok("ZDIFFSTORE", "b", 2, "b", "b"), 0)
        equal(c.ok("EXISTS", "b"), 0)
        c.ok("ZADD", "many", *(x for i in range(20000)
                               for x in (i, "member-%d" % i * 4)))
        equal(c.ok("ZUNIONSTORE", "d", 2, "many", "a"), 20001)
        equal(c.ok("ZRANGESTORE", "d", "many", 5, 14999), 14995)
        equal(c.ok("ZRANGE", "d", 0, -1, "WITHSCORES"),
              c.ok("ZRANGE", "many", 5, 14999, "WITHSCORES"))
        equal(c.ok("ZRANGESTORE", "d", "d", "(100", "+inf", "BYSCORE",
                   "LIMIT", 1, 2), 2)
        equal(c.ok("ZRANGE", "d", 0, -1), [b"member-102" * 4,
                                           b"member-103" * 4])
        equal(c.ok("ZRANGESTORE", "d", "many", 0, 2, "REV"), 3)
        equal(c.ok("ZRANGE", "d", 0, -1, "WITHSCORES")[1::2],
              [b"19997", b"19998", b"19999"])
        equal(c.ok("ZRANGESTORE", "d", "none", 0, 2), 0)
        equal(c.ok("EXISTS", "d"), 0)


def test_words_that_make_no_sense_are_refused(server):
    with server.raw() as c:
        fill(c)
        for text, command in (
                ("ERR at least 1 input key is needed for 'zunion' command",
                 "ZUNION 0 a"),
                ("ERR at least 1 input key is needed for 'zdiffstore' command",
                 "ZDIFFSTORE d 0 a"),
                ("ERR value is not an integer", "ZUNION x a"),
                ("ERR syntax error", "ZUNION 3 a b"),
                ("ERR syntax error", "ZUNION 2 a b WEIGHTS 1"),
                ("ERR weight value is not a float",
                 "ZUNION 2 a b WEIGHTS 1 x"),
                ("ERR syntax error", "ZUNION 2 a b AGGREGATE foo"),
                ("ERR syntax error", "ZUNION 2 a b AGGREGATE"),
                ("ERR syntax error", "ZUNIONSTORE d 2 a b WITHSCORES"),
                ("WRONGTYPE", "ZINTER 2 string a foo"),
                ("ERR syntax error", "ZINTERCARD 2 a b LIMIT"),
                ("ERR LIMIT can't be negative", "ZINTERCARD 2 a b LIMIT -1"),
                ("ERR LIMIT can't be negative", "ZINTERCARD 2 a b LIMIT x"),
                ("ERR syntax error", "ZDIFF 2 a b WEIGHTS 1 2"),
                ("ERR syntax error", "ZDIFFSTORE d 1 a b"),
                ("ERR syntax error", "ZRANGESTORE d a 0 -1 WITHSCORES"),
                ("ERR value is not an integer", "ZRANGESTORE d a x 1"),
                ("WRONGTYPE", "ZRANGESTORE d string 0 -1")):
            is_error(c.command(*command.split()), text)
        equal(c.ok("EXISTS", "d"), 0)


def plain(reply):
    """7.0 shows scores in a longer form."""
    if not isinstance(reply, list):
        return reply
    numbers = []
    for item in reply:
        try:
            numbers.append(float(item))
        except ValueError:
            numbers.append(item)
    return numbers


class Walk(differential.Walk):
    """The same commands for both servers, replies equal."""

    plain = staticmethod(plain)

    def key(self):
        return "k%d" % self.random.randrange(12)

    def member(self):
        return "m%d" % self.random.randrange(60)

    def change(self):
        r = self.random
        kind = r.random()
        if kind < 0.5:
            self.both("ZADD", "k%d" % r.randrange(8), *(
                x for _ in range(r.choice((1, 5, 200)))
                for x in (r.choice((r.randrange(9), r.random(), "inf",
                                    "-inf", 1e300)), self.member())))
        elif kind < 0.9:
            self.both("SADD", "k%d" % r.randrange(8, 11), *(
                self.member() for _ in range(r.choice((1, 5, 200)))))
        else:
            self.both("DEL", self.key())

    def inputs(self):
        r = self.random
        keys = [self.key() for _ in range(r.choice((1, 2, 2, 3, 20)))]
        return [len(keys)] + keys

    def options(self, count):
        r = self.random
        args = []
        if r.random() < 0.4:
            args += ["WEIGHTS"] + [r.choice((0, 1, -2, 0.1, "inf"))
                                   for _ in range(count)]
        if r.random() < 0.4:
            args += ["AGGREGATE", r.choice(("SUM", "min", "MAX"))]
        return args

    def step(self):
        r = self.random
        what = r.random()
        inputs = self.inputs()
        if what < 0.2:
            self.change()
        elif what < 0.45:
            self.both(r.choice(("ZUNION", "ZINTER")), *inputs,
                      *self.options(inputs[0]),
                      *["WITHSCORES"][:r.randrange(2)])
        elif what < 0.55:
            self.both("ZDIFF", *inputs, *["WITHSCORES"][:r.randrange(2)])
        elif what < 0.65:
            self.both("ZINTERCARD", *inputs, *r.choice(
                ((), ("LIMIT", r.randrange(9)))))
        elif what < 0.85:
            name = r.choice(("ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE"))
            self.both(name, "d", *inputs, *(
                self.options(inputs[0]) if name != "ZDIFFSTORE" else ()))
            self.both("ZRANGE", "d", 0, -1, "WITHSCORES")
        else:
            self.both("ZADD", "lex", 0, self.member())
            self.both("ZRANGESTORE", "d", "lex", "-", "[m3", "BYLEX")
            self.both("ZRANGE", "d", 0, -1, "WITHSCORES")
            self.both("ZRANGESTORE", "d", self.key(), *r.choice((
                (r.randrange(-9, 20), r.randrange(-9, 20)),
                (r.randrange(9), r.randrange(20), "REV"),
                (r.randrange(5), "(8", "BYSCORE"),
                ("+inf", r.randrange(9), "BYSCORE", "REV",
                 "LIMIT", r.randrange(5), r.randrange(-1, 9)))))
            self.both("ZRANGE", "d", 0, -1, "WITHSCORES")


@lib.own
def test_replies_are_those_of_redis_server():
    differential.walk(Walk, 5000)


@lib.levels("always", "everysec", "no")
def test_results_are_there_after_kill_9(server):
    r = random.Random(5)
    with server.raw() as c:
        c.pipeline([["ZADD", "k%d" % r.randrange(4), r.random(),
                     "m%d" % r.randrange(3000)] for _ in range(3000)])
        c.ok("SADD", "s", *("m%d" % i for i in range(500)))
        c.ok("ZUNIONSTORE", "u", 3, "k0", "k1", "s")
        c.ok("ZINTERSTORE", "i", 2, "u", "s", "WEIGHTS", 2, 3)
        c.ok("ZDIFFSTORE", "k2", 2, "k2", "k3")
        c.ok("ZRANGESTORE", "k3", "k3", 10, 50)
    server.restart_same()


lib.main(__name__, range(21340, 21380))
