#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""List commands, end to end: a use of each, what Redis 7.0 cannot be compared
on, big lists, what survives a kill and a snapshot."""

import random

import lib
from lib import WRONGTYPE, check, equal, is_error


def items(c, key):
    return c.ok("LRANGE", key, 0, -1)


def test_each_command_in_its_plain_form(server):
    with server.raw() as c:
        check(c, [
            ("RPUSH k a b c", 3), ("LPUSH k y x", 5), ("LLEN k", 5),
            ("LRANGE k 0 -1", ["x", "y", "a", "b", "c"]),
            ("LRANGE k -2 100", ["b", "c"]), ("LRANGE k 3 1", []),
            ("LINDEX k 0", "x"), ("LINDEX k -1", "c"), ("LINDEX k 9", None),
            ("LSET k 1 Y", b"OK"), ("LSET k 9 Y", "-ERR index out of range"),
            ("LSET none 0 Y", "-ERR no such key"),
            ("LINSERT k BEFORE a z", 6), ("LINSERT k AFTER c d", 7),
            ("LINSERT k AFTER q d", -1), ("LINSERT none AFTER q d", 0),
            ("LRANGE k 0 -1", ["x", "Y", "z", "a", "b", "c", "d"]),
            ("LPOP k", "x"), ("RPOP k", "d"), ("LPOP k 2", ["Y", "z"]),
            ("RPOP k 2", ["c", "b"]), ("RPOP k 0", []), ("LPOP k 5", ["a"]),
            ("EXISTS k", 0), ("LPOP k", None), ("LPOP k 1", None),
            ("LPUSHX k v", 0), ("RPUSHX k v", 0), ("LLEN k", 0),
            ("RPUSH k 1 2 1 3 1 1", 6), ("LREM k -3 1", 3),
            ("LRANGE k 0 -1", ["1", "2", "3"]), ("LREM k 0 9", 0),
            ("RPUSHX k 4", 4), ("LPUSHX k 0", 5), ("LTRIM k 1 -2", b"OK"),
            ("LRANGE k 0 -1", ["1", "2", "3"]), ("LTRIM k 5 9", b"OK"),
            ("EXISTS k", 0), ("LTRIM k 0 1", b"OK"),
            ("RPUSH k a b c a b c a", 7), ("LPOS k b", 1),
            ("LPOS k a RANK -1", 6), ("LPOS k a COUNT 0", [0, 3, 6]),
            ("LPOS k a RANK -2 COUNT 2", [3, 0]), ("LPOS k q", None),
            ("LPOS k q COUNT 1", []), ("LPOS k c MAXLEN 2", None),
            ("LPOS k c RANK 0", "-ERR RANK can't be zero"),
            ("LPOS k c COUNT -1", "-ERR COUNT can't be negative"),
            ("TYPE k", b"list"), ("OBJECT ENCODING k", "listpack"),
        ])


def test_errors_change_nothing(server):
    with server.raw() as c:
        c.ok("SET", "s", "x")
        c.ok("RPUSH", "l", "a")
        before = server.digest()
        for command in ("LPUSH s a", "RPUSHX s a", "LPOP s", "RPOP s 2",
                        "LLEN s", "LINDEX s 0", "LRANGE s 0 1", "LSET s 0 a",
                        "LINSERT s BEFORE a b", "LREM s 0 a", "LTRIM s 0 1",
                        "LPOS s a", "LMOVE s l LEFT LEFT", "RPOPLPUSH l s",
                        "LMPOP 1 s LEFT", "LMOVEM l s LEFT LEFT",
                        "SADD l x", "INCR l"):
            is_error(c.command(*command.split()), WRONGTYPE)
        for command in ("LPOP l x", "LINSERT l NEAR a b", "LMOVE l m UP LEFT",
                        "LMPOP 0 l LEFT", "LMPOP 2 l LEFT", "LPOP l -1",
                        "LMPOP 1 l LEFT COUNT 0", "LTRIM l a b",
                        "LMOVEM l m LEFT LEFT COUNT 1",
                        "LMOVEM l m LEFT LEFT COUNT 0 OBO"):
            is_error(c.command(*command.split()), "ERR")
        equal(server.digest(), before)


def test_elements_move_between_lists(server):
    with server.raw() as c:
        check(c, [
            ("RPUSH a 1 2 3 4", 4), ("LMOVE a b LEFT RIGHT", "1"),
            ("RPOPLPUSH a b", "4"), ("LRANGE b 0 -1", ["4", "1"]),
            ("LMOVE none b LEFT LEFT", None),
            ("LMPOP 1 b LEFT COUNT +1 x",
             "-ERR count should be greater than 0"),
            ("LMPOP 1 b LEFT COUNT 1 x", "-ERR syntax error"),
            ("LMPOP 2 none b RIGHT COUNT 9", [b"b", [b"1", b"4"]]),
            ("EXISTS b", 0), ("LMPOP 1 b LEFT", None),
            ("LMOVE a b LEFT LEFT", "2"), ("LMOVE a b LEFT LEFT", "3"),
            ("EXISTS a", 0), ("EXPIRE b 100", 1),
            ("RPOPLPUSH b b", "2"), ("LRANGE b 0 -1", ["2", "3"]),
            ("LMOVE b b LEFT LEFT", "2"), ("LRANGE b 0 -1", ["2", "3"]),
            ("LPOP b", "2"), ("RPOPLPUSH b b", "3"), ("TTL b", 100),
        ])


def test_several_elements_move_at_once(server):
    with server.raw() as c:
        def after(command, reply, source, target):
            c.ok("DEL", "s", "t")
            c.ok("RPUSH", "s", *"1234")
            c.ok("RPUSH", "t", *"567")
            check(c, [(command, reply)])
            equal(items(c, "s"), [w.encode() for w in source], command)
            equal(items(c, "t"), [w.encode() for w in target], command)

        after("LMOVEM s t LEFT LEFT", ["1"], "234", "1567")
        after("LMOVEM s t LEFT LEFT COUNT 2 OBO", ["2", "1"], "34", "21567")
        after("LMOVEM s t LEFT LEFT COUNT 2 BULK", ["1", "2"], "34", "12567")
        after("LMOVEM s t LEFT RIGHT COUNT 2 OBO", ["1", "2"], "34", "56712")
        after("LMOVEM s t RIGHT LEFT COUNT 2 OBO", ["3", "4"], "12", "34567")
        after("LMOVEM s t RIGHT RIGHT COUNT 2 OBO", ["4", "3"], "12", "56743")
        after("LMOVEM s t RIGHT RIGHT EXACTLY 4 BULK", list("1234"), "",
              "5671234")
        after("LMOVEM s t RIGHT RIGHT EXACTLY 5 BULK", None, "1234", "567")
        after("LMOVEM s t LEFT RIGHT COUNT 9 BULK", list("1234"), "",
              "5671234")
        after("LMOVEM s s LEFT RIGHT COUNT 2 OBO", ["1", "2"], "3412", "567")
        after("LMOVEM s s LEFT LEFT COUNT 3 OBO", ["3", "2", "1"], "3214",
              "567")
        after("LMOVEM s s RIGHT RIGHT COUNT 4 OBO", list("4321"), "4321",
              "567")
        after("LMOVEM s s RIGHT LEFT COUNT 4 BULK", list("1234"), "1234",
              "567")
        equal(c.command("LMOVEM", "none", "t", "LEFT", "LEFT"), None)


def test_sort_orders_tells_and_stores(server):
    with server.raw() as c:
        c.ok("RPUSH", "l", 3, 10, 1, 2)
        c.ok("SADD", "s", "b", "a", "c")
        c.ok("ZADD", "z", 1, "x", 2, "y", 3, "w")
        for i, word in ((1, "one"), (2, "two"), (3, "three"), (10, "ten")):
            c.ok("SET", "w_%d" % i, 100 - i)
            c.ok("HSET", "h_%d" % i, "name", word, "n", i)
        check(c, [
            ("SORT l", ["1", "2", "3", "10"]),
            ("SORT l ALPHA DESC", ["3", "2", "10", "1"]),
            ("SORT l LIMIT 1 2", ["2", "3"]), ("SORT l LIMIT 9 2", []),
            ("SORT l BY w_*", ["10", "3", "2", "1"]),
            ("SORT l BY h_*->name ALPHA", ["1", "10", "3", "2"]),
            ("SORT_RO l BY nosort GET # GET h_*->name GET none_*",
             ["3", "three", None, "10", "ten", None, "1", "one", None,
              "2", "two", None]),
            ("SORT_RO z BY nosort DESC LIMIT 0 2", ["w", "y"]),
            ("SORT s ALPHA", ["a", "b", "c"]), ("SORT none", []),
            ("SORT s", "-ERR One or more scores can't be converted"),
            ("SORT h_1 BY x", "-" + WRONGTYPE),
            ("SORT_RO l STORE x", "-ERR syntax error"),
            ("SORT s BY nosort STORE out", 3),
            ("LRANGE out 0 -1", ["a", "b", "c"]), ("EXPIRE l 100", 1),
            ("SORT l DESC GET # GET none_* STORE l", 8), ("TTL l", -1),
            ("LRANGE l 0 3", ["10", "", "3", ""]),
            ("SORT none STORE out", 0), ("EXISTS out", 0),
            ("COMMAND GETKEYS SORT a BY x STORE b", ["a", "b"]),
        ])
    server.restart_same()


def test_sort_takes_numbers_behind_blanks_but_not_blanks_alone(server):
    with server.raw() as c:
        c.ok("RPUSH", "blanks", "2", " 1", "\t\n 1.5", "")
        equal(c.ok("SORT", "blanks"), [b"", b" 1", b"\t\n 1.5", b"2"])
        c.ok("RPUSH", "empty", "", "")
        equal(c.ok("SORT", "empty"), [b"", b""])
        equal(c.ok("SORT", "empty", "ALPHA", "DESC"), [b"", b""])
        for bad in (" ", "1 ", "1 2", "4.9e-324", "-1e-310"):
            c.ok("DEL", "blanks")
            c.ok("RPUSH", "blanks", bad)
            lib.is_error(c.command("SORT", "blanks"),
                         "ERR One or more scores can't be converted")


@lib.options(list_max_listpack_size="4")
def test_encodings_follow_the_size(server):
    with server.raw() as c:
        def encoding():
            return c.ok("OBJECT", "ENCODING", "k").decode()

        c.ok("RPUSH", "k", *"abcd")
        equal(encoding(), "listpack")
        c.ok("RPUSH", "k", "e")
        equal(encoding(), "quicklist")
        c.ok("LTRIM", "k", 0, 1)
        equal(encoding(), "listpack")
        c.ok("LSET", "k", 0, "x" * 10000)
        equal(encoding(), "quicklist")
        c.ok("CONFIG", "SET", "list-max-ziplist-size", "-5")
        c.ok("LSET", "k", 0, "x")
        equal(encoding(), "listpack")


def run_model(c, key, steps, rnd):
    """Random commands beside a Python list."""
    model = items(c, key)

    def element():
        kind = rnd.randrange(10)
        if kind < 4:
            return b"%d" % rnd.randrange(-300, 300)
        if kind < 9:
            return b"e" * rnd.randrange(60)
        return b"L" * rnd.randrange(20000)

    for _ in range(steps):
        what = rnd.randrange(12)
        n = len(model)
        at = rnd.randrange(n) if n else 0
        if what < 4 or n < 3:
            new = [element() for _ in range(rnd.randrange(1, 30))]
            if what % 2:
                equal(c.ok("RPUSH", key, *new), n + len(new))
                model += new
            else:
                equal(c.ok("LPUSH", key, *new), n + len(new))
                model[0:0] = new[::-1]
        elif what == 4:
            equal(c.ok("LPOP", key, 5), model[:5])
            del model[:5]
        elif what == 5:
            equal(c.ok("RPOP", key), model.pop())
        elif what == 6:
            new = element()
            c.ok("LSET", key, at, new)
            model[at] = new
        elif what == 7:
            new, pivot = element(), model[at]
            equal(c.ok("LINSERT", key, "AFTER", pivot, new), n + 1)
            model.insert(model.index(pivot) + 1, new)
        elif what == 8:
            count, gone = rnd.randrange(-3, 4), model[at]
            places = [i for i in range(n) if model[i] == gone]
            if count > 0:
                places = places[:count]
            elif count < 0:
                places = places[count:]
            equal(c.ok("LREM", key, count, gone), len(places))
            for i in reversed(places):
                del model[i]
        elif what == 9 and n > 400:
            c.ok("LTRIM", key, 7, -8)
            del model[:7], model[-7:]
        elif what == 10:
            c.ok("LMOVE", key, key, "LEFT", "RIGHT")
            model.append(model.pop(0))
        else:
            equal(c.ok("LINDEX", key, at), model[at])
            equal(c.ok("LRANGE", key, at, at + 20), model[at:at + 21])
    equal(items(c, key), model)


@lib.levels("everysec")
@lib.options(list_max_listpack_size="-1")
def test_random_commands_give_what_python_gives(server):
    rnd = random.Random(7)
    with server.raw() as c:
        for i in range(8):
            run_model(c, "k%d" % (i % 3), 400, rnd)


@lib.levels("everysec")
def test_a_list_of_many_elements(server):
    with server.raw() as c:
        for i in range(0, 200000, 1000):
            c.ok("RPUSH", "k", *["job-%08d" % j for j in range(i, i + 1000)])
        equal(c.ok("LLEN", "k"), 200000)
        for i in (0, 99999, 100000, 150001, 199999):
            equal(c.ok("LINDEX", "k", i), b"job-%08d" % i)
        assert c.ok("MEMORY", "USAGE", "k") < 200000 * 15
        equal(c.ok("LREM", "k", 0, "job-00100000"), 1)
        c.ok("COPY", "k", "copy")
        c.ok("LSET", "k", 100000, "other")
        equal(c.ok("LINDEX", "copy", 100000), b"job-00100001")
        c.ok("LTRIM", "k", 100, 109)
        equal(items(c, "k"), [b"job-%08d" % i for i in range(100, 110)])
        equal(c.ok("LLEN", "copy"), 199999)
    server.restart_same(save=True)


@lib.levels("always", "everysec", "no")
def test_what_was_acknowledged_is_there_after_kill_9(server):
    rnd = random.Random(11)
    with server.raw() as c:
        run_model(c, "k", 150, rnd)
        c.ok("RPUSH", "big", *[b"x" * 300] * 2000)
        c.ok("EXPIRE", "big", 1000)
        c.ok("BGSAVE")
        run_model(c, "big", 60, rnd)
        run_model(c, "k", 60, rnd)
        c.ok("RPUSH", "gone", "x")
        c.ok("LPOP", "gone")
        c.ok("RPUSH", "from", *range(10))
        c.ok("LMOVEM", "from", "to", "LEFT", "LEFT", "COUNT", 5, "OBO")
        c.ok("RENAME", "to", "renamed")
        wanted = items(c, "big")
    server.restart_same()
    with server.raw() as c:
        equal(items(c, "big"), wanted)
        assert 900 <= c.ok("TTL", "big") <= 1000
        equal(c.ok("EXISTS", "gone", "to"), 0)
    server.restart_same(save=True)


lib.main(__name__, range(21400, 21440))
