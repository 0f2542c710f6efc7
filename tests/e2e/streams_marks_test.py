#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What streams have got since Redis 8: trimming with regard to groups,
messages that are added once, pending entries that are given back, and claiming
while reading; with what of it survives a kill, a snapshot and a payload."""

import random
import time

import lib
from lib import check, equal, is_error
from streams_test import entry, pairs_of

PORTS = range(18300, 18340)
MOST = 2 ** 63 - 1


def pending(c, key, group="g"):
    """[[id, consumer, deliveries], …]"""
    return [[p[0].decode(), p[1].decode(), p[3]]
            for p in c.ok("XPENDING", key, group, "-", "+", 100000)]


def ids(c, key):
    return [e[0].decode() for e in c.ok("XRANGE", key, "-", "+")]


def fill(c, key, count, *groups):
    """Entries 1-0 …, all of them read by the groups."""
    c.pipeline([("XADD", key, "%d-0" % (i + 1), "f", i)
                for i in range(count)])
    for group in groups:
        c.ok("XGROUP", "CREATE", key, group, "0", "MKSTREAM")
        c.ok("XREADGROUP", "GROUP", group, "c", "STREAMS", key, ">")


# --- trimming ---------------------------------------------------------------

def test_trimming_keeps_what_groups_have_to_do_with(server):
    with server.raw() as c:
        for i in range(1, 6):
            c.ok("XADD", "a", i, "f", "v")
        c.ok("XGROUP", "CREATE", "a", "g", "0")
        c.ok("XADD", "a", "MAXLEN", "=", 1, "ACKED", "6", "f", "v")
        equal(c.ok("XLEN", "a"), 6)
        c.ok("XREADGROUP", "GROUP", "g", "c", "COUNT", 1, "STREAMS", "a", ">")
        c.ok("XACK", "a", "g", "1")
        c.ok("XADD", "a", "ACKED", "MAXLEN", "=", 1, "7", "f", "v")
        equal(ids(c, "a"), ["%d-0" % i for i in range(2, 8)])
        c.ok("XREADGROUP", "GROUP", "g", "c", "STREAMS", "a", ">")
        c.ok("XACK", "a", "g", 3, 4, 6)
        # 2 and 5 stay, what is behind them goes until the limit is met
        equal(c.ok("XTRIM", "a", "MAXLEN", 4, "ACKED"), 2)
        equal(ids(c, "a"), ["2-0", "5-0", "6-0", "7-0"])
        equal(c.ok("XTRIM", "a", "MINID", 7, "ACKED"), 1)
        equal(ids(c, "a"), ["2-0", "5-0", "7-0"])
        c.ok("XACK", "a", "g", 2, 5, 7)
        c.ok("XADD", "a", "MAXLEN", 1, "ACKED", "8", "f", "v")
        equal(ids(c, "a"), ["8-0"])


def test_trimming_takes_what_is_pending_along(server):
    with server.raw() as c:
        fill(c, "d", 6, "g", "h")
        c.ok("XDEL", "d", "1")
        equal(c.ok("XTRIM", "d", "MAXLEN", 3, "DELREF"), 2)
        for group in "gh":  # 1-0 was no entry any more
            equal([p[0] for p in pending(c, "d", group)],
                  ["1-0", "4-0", "5-0", "6-0"])
        equal(c.ok("XTRIM", "d", "MAXLEN", 2, "KEEPREF"), 1)
        equal(len(pending(c, "d")), 4)
        c.ok("XADD", "d", "MINID", 6, "DELREF", "9", "f", "v")
        equal(ids(c, "d"), ["6-0", "9-0"])
        equal([p[0] for p in pending(c, "d")], ["1-0", "4-0", "6-0"])
        equal(c.ok("XDELEX", "d", "DELREF", "IDS", 1, 4), [-1])
        equal([p[0] for p in pending(c, "d")], ["1-0", "6-0"])
        check(c, [
            ("XTRIM d MAXLEN 1 DELREF ACKED", "-ERR syntax error"),
            ("XTRIM d DELREF KEEPREF", "-ERR syntax error"),
            ("XDELEX d ACKED DELREF IDS 1 6", "-ERR syntax error"),
            ("XDELEX d IDS 1 6-0 ACKED", [2]),
            ("XDELEX d IDS 1 6 7", "-ERR syntax error"),
            ("XADD none NOMKSTREAM MAXLEN 1 ACKED * f v", None),
            ("XADD n MAXLEN 0 ACKED 1-1 f v", "1-1"), ("XLEN n", 0),
        ])


def test_trimming_whole_blocks_looks_into_them(server):
    with server.raw() as c:
        c.ok("CONFIG", "SET", "stream-node-max-entries", 2)
        fill(c, "w", 5, "g")
        c.ok("XACK", "w", "g", 1, 2, 4)
        equal(c.ok("XTRIM", "w", "MINID", "~", "6-0", "ACKED"), 3)
        equal(ids(c, "w"), ["3-0", "5-0"])
        equal(pending(c, "w"), [["3-0", "c", 1], ["5-0", "c", 1]])
        fill(c, "w2", 4, "g")
        equal(c.ok("XTRIM", "w2", "MINID", "~", "5-0", "DELREF"), 4)
        equal(c.ok("XPENDING", "w2", "g"), [0, None, None, None])
        fill(c, "w3", 9, "g")
        c.ok("XACK", "w3", "g", *range(1, 10))
        equal(c.ok("XTRIM", "w3", "MAXLEN", "~", 2, "LIMIT", 4, "ACKED"), 4)
        c.ok("CONFIG", "SET", "stream-node-max-entries", 100)


@lib.levels("no")
def test_trimming_agrees_with_a_model(server):
    chance = random.Random(3)
    with server.raw() as c:
        for turn in range(60):
            key = "m%d" % turn
            fill(c, key, 40, *"gh"[:turn % 3])
            free = set(range(1, 41))
            for group in "gh"[:turn % 3]:
                done = {i for i in range(1, 41) if chance.random() < 0.7}
                c.ok("XACK", key, group, *done)
                free &= done
            keep = chance.randrange(41)
            gone = sorted(free)[:40 - keep]
            equal(c.ok("XTRIM", key, "MAXLEN", keep, "ACKED"), len(gone))
            equal(ids(c, key), ["%d-0" % i for i in range(1, 41)
                                if i not in gone])


# --- messages that are added once --------------------------------------------

def marks(c, key):
    info = pairs_of(c.ok("XINFO", "STREAM", key))
    equal({n: v for n, v in pairs_of(c.ok("XINFO", "STREAM", key,
                                          "FULL")).items()
           if n.startswith(("idmp", "pids", "iids"))},
          {n: v for n, v in info.items()
           if n.startswith(("idmp", "pids", "iids"))})
    return [info.get(n) for n in ("pids-tracked", "iids-tracked",
                                  "iids-added", "iids-duplicates")]


def settings(c, key):
    info = pairs_of(c.ok("XINFO", "STREAM", key))
    return info.get("idmp-duration"), info.get("idmp-maxsize")


def test_a_message_is_added_once(server):
    with server.raw() as c:
        c.ok("XADD", "plain", "*", "f", "v")
        equal(settings(c, "plain"), (None, None))
        one = c.ok("XADD", "s", "IDMP", "p1", "m1", "*", "f", "v")
        equal(c.ok("XADD", "s", "IDMP", "p1", "m1", "*", "other", "w"), one)
        two = c.ok("XADD", "s", "MAXLEN", "~", 100, "IDMP", "p1", "m2",
                   "KEEPREF", "*", "f", "v")
        three = c.ok("XADD", "s", "IDMP", "p2", "m1", "*", "f", "v")
        assert len({one, two, three}) == 3
        equal(c.ok("XLEN", "s"), 3)
        equal(marks(c, "s"), [2, 3, 3, 1])
        equal(settings(c, "s"), (100, 100))
        c.ok("XDEL", "s", one)
        equal(c.ok("XADD", "s", "IDMP", "p1", "m1", "*", "f", "v"), one)
        c.ok("XTRIM", "s", "MAXLEN", 0)
        equal(c.ok("XADD", "s", "IDMP", "p1", "m2", "*", "f", "v"), two)
        equal(marks(c, "s"), [2, 3, 3, 3])
        for long in (b"\x00\xff", "x" * 70000):
            first = c.ok("XADD", "s", "IDMP", long, long, "*", "f", "v")
            equal(c.ok("XADD", "s", "IDMP", long, long, "*", "f", "w"), first)
        check(c, [
            ("XADD no NOMKSTREAM IDMP p m * f v", None), ("EXISTS no", 0),
            ("XADD s IDMP p * f v", "-ERR Invalid stream ID"),
            ("XADD s IDMP p m 1-1 f v", "-ERR IDMP/IDMPAUTO can be used only "
             "with auto-generated IDs"),
            ("XADD s IDMP p m 5-* f v", "-ERR IDMP/IDMPAUTO can be used"),
            ("XADD s IDMPAUTO p IDMP p m * f v",
             "-ERR IDMP/IDMPAUTO specified multiple times"),
            ("SET str x", b"OK"),
            ("XADD str IDMP p m * f v", "-WRONGTYPE"),
        ])
        is_error(c.command("XADD", "s", "IDMP", "", "m", "*", "f", "v"),
                 "ERR IDMP requires a non-empty producer ID")
        is_error(c.command("XADD", "s", "IDMP", "p", "", "*", "f", "v"),
                 "ERR IDMP requires a non-empty idempotent ID")
        is_error(c.command("XADD", "s", "IDMPAUTO", "", "*", "f", "v"),
                 "ERR IDMPAUTO requires a non-empty producer ID")


def test_a_message_is_known_by_its_content(server):
    with server.raw() as c:
        def add(*pairs, producer="p"):
            return c.ok("XADD", "auto", "IDMPAUTO", producer, "*", *pairs)
        one = add("a", "1", "b", "2")
        equal(add("b", "2", "a", "1"), one)
        others = {add("a", "2", "b", "1"), add("a", "1"), add("b", "2"),
                  add("a", "1", "b", "2", "b", "2"), add("a1", "b2"),
                  add("a", "1b", "", "2"), add("a", "1", "b", "2",
                                               producer="q")}
        equal(len(others), 7)
        assert one not in others
        equal(marks(c, "auto"), [2, 8, 8, 1])


def test_marks_end_by_time_and_by_number(server):
    with server.raw() as c:
        def add(message, producer="p"):
            return c.ok("XADD", "e", "IDMP", producer, message, "*", "f", "v")
        add("init")
        equal(c.ok("XCFGSET", "e", "IDMP-MAXSIZE", 3, "IDMP-DURATION", 60),
              b"OK")
        equal(marks(c, "e"), [0, 0, 1, 0])
        given = [add(i) for i in range(5)]
        equal([add(i) for i in (2, 3, 4)], given[2:])
        assert add(0) != given[0]
        equal(add(4), given[4])
        equal(marks(c, "e"), [1, 3, 7, 4])
        c.ok("XCFGSET", "e", "IDMP-MAXSIZE", 3)  # the same: nothing changes
        equal(add(4), given[4])
        c.ok("XCFGSET", "e", "IDMP-DURATION", 1)
        first = add("again")
        equal(add("again"), first)
        time.sleep(1.1)
        equal(marks(c, "e"), [0, 0, 8, 6])
        second = add("again")
        assert second != first
        equal(add("again"), second)
        equal(marks(c, "e"), [1, 1, 9, 7])
        equal(settings(c, "e"), (1, 3))
        check(c, [
            ("XCFGSET e", "-ERR At least one parameter"),
            ("XCFGSET none IDMP-DURATION 5", "-ERR no such key"),
            ("XCFGSET e IDMP-DURATION", "-ERR syntax error"),
            ("XCFGSET e NONSENSE 1", "-ERR syntax error"),
            ("XCFGSET e IDMP-DURATION x IDMP-MAXSIZE",
             "-ERR value is not an integer"),
            ("XCFGSET e IDMP-DURATION 0", "-ERR IDMP-DURATION must be between"),
            ("XCFGSET e IDMP-DURATION 86401",
             "-ERR IDMP-DURATION must be between"),
            ("XCFGSET e IDMP-MAXSIZE 10001",
             "-ERR IDMP-MAXSIZE must be between"),
            ("XCFGSET e IDMP-MAXSIZE -1", "-ERR IDMP-MAXSIZE must be between"),
            ("SET str2 x", b"OK"), ("XCFGSET str2 IDMP-MAXSIZE 1",
                                    "-WRONGTYPE"),
        ])
        equal(settings(c, "e"), (1, 3))


def test_directives_are_what_new_marks_begin_with(server):
    with server.raw() as c:
        c.ok("CONFIG", "SET", "stream-idmp-duration", 33)
        c.ok("CONFIG", "SET", "stream-idmp-maxsize", 44)
        c.ok("XADD", "dir", "IDMP", "p", "m", "*", "f", "v")
        c.ok("CONFIG", "SET", "stream-idmp-duration", 100)
        c.ok("CONFIG", "SET", "stream-idmp-maxsize", 100)
        c.ok("XADD", "dir", "IDMP", "p", "n", "*", "f", "v")
        equal(settings(c, "dir"), (33, 44))
        for bad in (0, 86401, -1):
            assert "must be between" in str(c.command(
                "CONFIG", "SET", "stream-idmp-duration", bad))


# --- what is given back -------------------------------------------------------

def test_pending_entries_are_given_back(server):
    with server.raw() as c:
        fill(c, "n", 5, "g")
        check(c, [
            ("XNACK n g FAIL IDS 1 3-0", 1), ("XNACK n g SILENT IDS 1 1-0", 1),
            ("XNACK n g FATAL IDS 1 4-0", 1),
            ("XNACK n g FAIL IDS 3 9-9 3-0 8", 1),
            ("XNACK n g SILENT IDS 2 1 1", 2),
        ])
        equal(pending(c, "n"), [["1-0", "", 0], ["2-0", "c", 1],
                                ["3-0", "", 1], ["4-0", "", MOST],
                                ["5-0", "c", 1]])
        rows = c.ok("XPENDING", "n", "g", "-", "+", 9)
        equal([r[2] for r in rows if r[1] == b""], [-1, -1, -1])
        equal(c.ok("XPENDING", "n", "g"),
              [5, b"1-0", b"5-0", [[b"c", b"2"]]])
        group = pairs_of(pairs_of(c.ok("XINFO", "STREAM", "n",
                                       "FULL"))["groups"][0])
        equal((group["pel-count"], group["nacked-count"]), (5, 3))
        equal(group["pending"][3], [b"4-0", b"", 0, MOST])
        equal(c.ok("XREADGROUP", "GROUP", "g", "c", "STREAMS", "n", "0"),
              [[b"n", [entry("2-0", "f", "1"), entry("5-0", "f", "4")]]])
        # the line is 4, 3, 1 by now; XCLAIM takes any, whatever its idle time
        equal(c.ok("XCLAIM", "n", "g", "d", 10 ** 9, 3), [entry("3-0", "f",
                                                               "2")])
        equal(c.ok("XAUTOCLAIM", "n", "g", "d", 10 ** 9, "-", "JUSTID"),
              [b"0-0", [b"1-0", b"4-0"], []])
        equal(pending(c, "n")[3], ["4-0", "d", MOST])
        equal(c.ok("XGROUP", "DELCONSUMER", "n", "g", "d"), 3)
        equal(c.ok("XNACK", "n", "g", "FAIL", "IDS", 1, 2), 1)
        equal(c.ok("XGROUP", "DELCONSUMER", "n", "g", "c"), 1)
        equal(pending(c, "n"), [["2-0", "", 2]])
        equal(c.ok("XACK", "n", "g", 2), 1)
        equal(c.ok("XPENDING", "n", "g"), [0, None, None, None])


def test_giving_back_may_set_and_make(server):
    with server.raw() as c:
        fill(c, "f", 3)
        c.ok("XGROUP", "CREATE", "f", "g", "0")
        check(c, [
            ("XNACK f g FAIL IDS 3 1 2 9 FORCE", 2),
            ("XNACK f g FATAL RETRYCOUNT 7 IDS 1 2", 1),
            ("XNACK f g FATAL FORCE IDS 1 3", 1),
            ("XNACK f g SILENT IDS 1 3", 1),
            ("XNACK f g FAIL IDS 1 1 RETRYCOUNT 42", 1),
        ])
        equal(pending(c, "f"), [["1-0", "", 42], ["2-0", "", 7],
                                ["3-0", "", MOST]])
        check(c, [
            ("XNACK none g FAIL IDS 1 1", "-NOGROUP"),
            ("XNACK f none FAIL IDS 1 1", "-NOGROUP"),
            ("SET str x", b"OK"), ("XNACK str g FAIL IDS 1 1", "-WRONGTYPE"),
            ("XNACK f g BAD IDS 1 1", "-ERR mode must be SILENT, FAIL, or "
             "FATAL"),
            ("XNACK f g FAIL FATAL IDS 1 1", "-ERR Unrecognized XNACK option "
             "'FATAL'"),
            ("XNACK f g FAIL IDS 1 1 2", "-ERR Unrecognized XNACK option '2'"),
            ("XNACK f g FAIL IDS 1 1 RETRYCOUNT",
             "-ERR Unrecognized XNACK option"),
            ("XNACK f g FAIL FORCE RETRYCOUNT 5",
             "-ERR syntax error, expected IDS keyword"),
            ("XNACK f g FAIL IDS 0 1", "-ERR numids must be a positive"),
            ("XNACK f g FAIL IDS x 1", "-ERR numids must be a positive"),
            ("XNACK f g FAIL IDS 2 1", "-ERR number of IDs doesn't match"),
            ("XNACK f g FAIL IDS 1 x", "-ERR Invalid stream ID"),
            ("XNACK f g FAIL IDS 1 1 RETRYCOUNT x", "-ERR value is not an"),
            ("XNACK f g FAIL IDS 1 1 RETRYCOUNT -1",
             "-ERR Invalid RETRYCOUNT value, must be >= 0"),
            ("XNACK f g FAIL IDS 1", "-ERR wrong number of arguments"),
        ])


# --- claiming while reading ---------------------------------------------------

def claim(c, key, consumer, idle, *more):
    """[[id, idle, deliveries], …]"""
    reply = c.ok("XREADGROUP", "GROUP", "g", consumer, *more, "CLAIM", idle,
                 "STREAMS", key, ">")
    return [[e[0].decode(), e[2], e[3]] for e in reply[0][1]] if reply else []


def test_reading_claims_what_is_idle(server):
    with server.raw() as c:
        fill(c, "r", 6, "g")
        now = int(c.ok("TIME")[0]) * 1000
        for i, ago in ((1, 20), (2, 50), (3, 30), (4, 40), (5, 1)):
            c.ok("XCLAIM", "r", "g", "c", 0, i, "TIME", now - ago * 1000,
                 "JUSTID")
        c.ok("XADD", "r", "7-0", "f", 6)
        got = claim(c, "r", "d", 15000, "COUNT", 3)
        equal([e[0] for e in got], ["2-0", "4-0", "3-0"])
        assert 50000 <= got[0][1] < 60000, got
        equal([e[2] for e in got], [1, 1, 1])
        c.ok("XNACK", "r", "g", "FAIL", "IDS", 2, 6, 5)
        got = claim(c, "r", "d", 15000)
        equal([e[0] for e in got], ["6-0", "5-0", "1-0", "7-0"])
        equal(got[3], ["7-0", 0, 0])
        equal(pending(c, "r"), [["1-0", "d", 2], ["2-0", "d", 2],
                                ["3-0", "d", 2], ["4-0", "d", 2],
                                ["5-0", "d", 2], ["6-0", "d", 2],
                                ["7-0", "d", 1]])
        equal(claim(c, "r", "e", 15000), [])
        equal(claim(c, "r", "e", MOST), [])
        equal(len(claim(c, "r", "e", 0, "COUNT", 2)), 2)
        reply = c.ok("XREADGROUP", "GROUP", "g", "e", "CLAIM", 0, "STREAMS",
                     "r", "0")
        equal([len(e) for e in reply[0][1]], [2, 2])


def test_reading_takes_off_what_is_gone(server):
    with server.raw() as c:
        fill(c, "gone", 4, "g")
        c.ok("XDEL", "gone", 1, 2)
        equal([e[0] for e in claim(c, "gone", "d", 0, "COUNT", 1)], ["3-0"])
        equal(pending(c, "gone"), [["3-0", "d", 2], ["4-0", "c", 1]])
        c.ok("XTRIM", "gone", "MAXLEN", 0)
        equal(claim(c, "gone", "d", 0), [])
        equal(pending(c, "gone"), [])


def test_claiming_takes_off_what_is_gone_in_few_records(server):
    with server.raw() as c:
        fill(c, "gone", 20000, "g")
        c.ok("XTRIM", "gone", "MINID", "15000-0")
        c.ok("XDEL", "gone", "20000-0")
        before = int(server.info("persistence")["applied_lsn"])
        got = claim(c, "gone", "d", 0, "COUNT", 2)
        equal([e[0] for e in got], ["15000-0", "15001-0"])
        equal(c.ok("XPENDING", "gone", "g")[0], 5001)
        c.ok("XTRIM", "gone", "MAXLEN", 0)
        equal(claim(c, "gone", "d", 0, "COUNT", 1), [])
        equal(c.ok("XPENDING", "gone", "g")[0], 0)
        after = int(server.info("persistence")["applied_lsn"])
        assert after - before < 20, after - before


def test_reading_with_claim_in_other_forms(server):
    with server.raw() as c:
        fill(c, "o", 1, "g")
        c.ok("XADD", "o", "2-0", "f", 1)
        equal([e[0::2] for e in claim(c, "o", "d", 0, "NOACK")],
              [["1-0", 1], ["2-0", 0]])
        equal(pending(c, "o"), [["1-0", "d", 2]])
        c.ok("HELLO", 3)
        reply = c.ok("XREADGROUP", "GROUP", "g", "d", "CLAIM", 0, "STREAMS",
                     "o", ">")
        equal(type(reply), lib.Map)
        c.ok("HELLO", 2)
        check(c, [
            ("XREADGROUP GROUP g d CLAIM x STREAMS o >",
             "-ERR min-idle-time is not an integer"),
            ("XREADGROUP GROUP g d CLAIM -1 STREAMS o >",
             "-ERR min-idle-time must be a positive integer"),
            ("XREADGROUP GROUP g d CLAIM STREAMS o >",
             "-ERR min-idle-time is not an integer"),
            ("XREADGROUP GROUP none d CLAIM 1 STREAMS o >", "-NOGROUP"),
            ("XREAD CLAIM 1 STREAMS o 0",
             "-ERR The CLAIM option is only supported by XREADGROUP"),
            ("COMMAND GETKEYS XREADGROUP CLAIM 5 GROUP g d STREAMS o >",
             [b"o"]),
        ])


# --- what is kept ---------------------------------------------------------------

def known(c, key):
    info = pairs_of(c.ok("XINFO", "STREAM", key))
    for name in ("radix-tree-keys", "radix-tree-nodes", "pids-tracked",
                 "iids-tracked"):
        info.pop(name, None)
    return (info, pending(c, key), ids(c, key),
            c.ok("DEBUG", "DIGEST-VALUE", key))


def build(c, key, count):
    commands = [("XADD", key, "%d-0" % (i + 1), "f", i) for i in range(count)]
    commands += [("XGROUP", "CREATE", key, "g", "0"),
                 ("XREADGROUP", "GROUP", "g", "c", "STREAMS", key, ">"),
                 ("XCFGSET", key, "IDMP-DURATION", 5000, "IDMP-MAXSIZE", 300)]
    for i in range(count):
        commands.append(("XADD", key, "IDMP", "producer %d" % (i % 7),
                         "m%d" % (i % (count // 2)), "*", "f", i))
    for i in range(count, 0, -3):
        commands.append(("XNACK", key, "g", "FAIL", "IDS", 1, i))
    commands += [("XADD", key, "IDMPAUTO", "p", "*", "a", 1),
                 ("XNACK", key, "g", "FATAL", "IDS", 1, 5),
                 ("XREADGROUP", "GROUP", "g", "d", "COUNT", 9, "CLAIM", 0,
                  "STREAMS", key, ">"),
                 ("XTRIM", key, "MINID", 8, "DELREF"),
                 ("XACK", key, "g", 9, 10, 12),
                 ("XTRIM", key, "MINID", 14, "ACKED")]
    for reply in c.pipeline(commands):
        assert not isinstance(reply, lib.Error), reply


@lib.levels("always", "everysec", "no")
def test_all_of_it_survives_a_kill_and_a_snapshot(server):
    keys = ("big", "small", "other", "copy")
    with server.raw() as c:
        c.ok("FLUSHALL")
        build(c, "big", 3000)
        build(c, "small", 30)
        build(c, "x", 40)
        c.ok("RENAME", "x", "other")
        c.ok("COPY", "big", "copy")
        c.ok("XADD", "copy", "IDMP", "producer 1", "new", "*", "f", "v")
        equal(c.ok("XADD", "copy", "IDMP", "producer 1", "new", "*", "f", "w"),
              ids(c, "copy")[-1].encode())
        before = [known(c, k) for k in keys]
        assert c.ok("MEMORY", "USAGE", "big") > 100000
    if server.level == "everysec":
        time.sleep(2.5)
    server.restart_same(kill=server.level != "no")
    server.restart_same(save=True)
    with server.raw() as c:
        equal([known(c, k) for k in keys], before)
        size = c.ok("XLEN", "big")
        equal(c.ok("XADD", "big", "IDMP", "producer 3", "m1494", "*", "f", 0),
              c.ok("XADD", "big", "IDMP", "producer 3", "m1494", "*", "f", 1))
        assert c.ok("XLEN", "big") - size <= 1
        # the line of what was given back is the same: the lowest came last
        got = claim(c, "small", "z", 10 ** 9, "COUNT", 2)
        assert [e[0] for e in got] == sorted(
            (e[0] for e in got), key=lambda i: -int(i[:-2])), got
    server.command("DEBUG", "RELOAD")


def test_payloads_keep_what_was_given_back(server):
    with server.raw() as c:
        fill(c, "p", 6, "g")
        c.ok("XNACK", "p", "g", "FAIL", "IDS", 3, 5, 1, 3)
        c.ok("XNACK", "p", "g", "FATAL", "IDS", 1, 2)
        before = c.ok("DEBUG", "DIGEST-VALUE", "p")
        data = c.ok("DUMP", "p")
        equal(c.ok("RESTORE", "q", 0, data), b"OK")
        equal(c.ok("DEBUG", "DIGEST-VALUE", "q"), before)
        equal([e[0] for e in claim(c, "q", "d", 10 ** 9)],
              ["5-0", "1-0", "3-0", "2-0"])
        # a consumer who is really called so stays one
        c.ok("XREADGROUP", "GROUP", "g", "", "STREAMS", "p", "0")
        c.ok("XCLAIM", "p", "g", "", 0, 6)
        before = c.ok("DEBUG", "DIGEST-VALUE", "p")
        equal(c.ok("RESTORE", "q", 0, c.ok("DUMP", "p"), "REPLACE"), b"OK")
        equal(c.ok("DEBUG", "DIGEST-VALUE", "q"), before)
        # marks have no place in a payload
        c.ok("XADD", "p", "IDMP", "a", "b", "*", "f", "v")
        c.ok("RESTORE", "q", 0, c.ok("DUMP", "p"), "REPLACE")
        equal(settings(c, "q"), (None, None))


if __name__ == "__main__":
    lib.main(__name__, ports=PORTS)
