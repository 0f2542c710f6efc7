#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Stream commands, end to end: each in its plain form, random ones against a
model under several limits of the blocks, big streams in snapshots, and what
survives a kill: entries, groups, what is pending, how often it was
delivered."""

import random
import time

import lib
from lib import WRONGTYPE, check, equal

LIMITS = ("stream-node-max-bytes", "stream-node-max-entries")


def limit(c, *values):
    for name, value in zip(LIMITS, values):
        c.ok("CONFIG", "SET", name, value)


def entry(id_, *pairs):
    return [id_.encode(), [p.encode() for p in pairs]]


def pairs_of(reply):
    """A flat array of names and values as a dictionary."""
    names = [n.decode() for n in reply[::2]]
    return dict(zip(names, reply[1::2]))


def test_each_command_on_entries(server):
    one, two = entry("1-1", "a", "b"), entry("2-0", "a", "b", "c", "17")
    with server.raw() as c:
        check(c, [
            ("XADD s NOMKSTREAM 1-1 a b", None), ("EXISTS s", 0),
            ("XADD s 1-1 a b", "1-1"), ("XADD s 2 a b c 17", "2-0"),
            ("TYPE s", b"stream"), ("OBJECT ENCODING s", "stream"),
            ("XLEN s", 2), ("XLEN none", 0),
            ("XRANGE s - +", [one, two]), ("XREVRANGE s + -", [two, one]),
            ("XRANGE s (1-1 +", [two]), ("XRANGE s - (2-0", [one]),
            ("XRANGE s - + COUNT 1", [one]), ("XRANGE s 1 1", [one]),
            ("XRANGE s 1-2 1", []), ("XRANGE none - +", []),
            ("XREVRANGE s + - COUNT 1", [two]),
            ("XADD s 2-0 a b", "-ERR The ID specified in XADD is equal or "
             "smaller"), ("XADD s 0-0 a b", "-ERR The ID specified in XADD "
                          "must be greater than 0-0"),
            ("XADD s 2-* x y", "2-1"), ("XADD s 7-* x y", "7-0"),
            ("XADD s x-1 x y", "-ERR Invalid stream ID"),
            ("XADD s 8 x", "-ERR wrong number of arguments for 'xadd'"),
            ("XDEL s 2-0 2-0 3-3", 1), ("XLEN s", 3), ("XDEL none 1", 0),
            ("XTRIM s MAXLEN 2", 1), ("XTRIM s MINID 7", 1),
            ("XRANGE s - +", [entry("7-0", "x", "y")]),
            ("XADD s MAXLEN = 1 8-1 n o", "8-1"), ("XLEN s", 1),
            ("XTRIM s MAXLEN 0", 1), ("EXISTS s", 1), ("XLEN s", 0),
            ("XADD s 8-1 n o", "-ERR The ID specified"),
            ("XTRIM s LIMIT 0", "-ERR syntax error, XTRIM must be called"),
            ("XTRIM s LIMIT 1", "-ERR syntax error, LIMIT cannot be used "
             "without specifying"),
            ("XADD s LIMIT 0 9 a b", "-ERR syntax error, LIMIT cannot be "
             "used without the special"),
            ("XSETID s 1 MAXDELETEDID 9 ENTRIESADDED x", "-ERR The ID "
             "specified in XSETID is smaller than the provided"),
            ("XSETID s 9-9", b"OK"), ("XADD s 9-* n o", "9-10"),
            ("XREAD STREAMS s none 0 0",
             [[b"s", [entry("9-10", "n", "o")]]]),
            ("XREAD COUNT 1 STREAMS s 9-10", None),
            ("XREAD STREAMS s $", None),
            ("XREAD STREAMS s +", [[b"s", [entry("9-10", "n", "o")]]]),
            ("XREAD BLOCK 10 STREAMS s 0",
             [[b"s", [entry("9-10", "n", "o")]]]),
            ("SET str x", b"OK"), ("XADD str * a b", "-" + WRONGTYPE),
            ("XLEN str", "-" + WRONGTYPE),
            ("XREAD STREAMS str 0", "-" + WRONGTYPE),
            ("XGROUP CREATE str g 0", "-" + WRONGTYPE),
        ])


@lib.levels("always", "no")
def test_counters_at_their_end_survive_a_kill(server):
    most = 2 ** 63 - 1
    with server.raw() as c:
        c.ok("XADD", "s", "1-1", "f", "v")
        c.ok("XGROUP", "CREATE", "s", "g", 0, "ENTRIESREAD", most)
        c.ok("XGROUP", "CREATE", "s", "h", 0)
        for i in range(2, 5):
            c.ok("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
            c.ok("XREADGROUP", "GROUP", "h", "c", "NOACK", "STREAMS", "s", ">")
            c.ok("XSETID", "s", "%d-0" % i, "ENTRIESADDED", most)
            c.ok("XADD", "s", "%d-1" % i, "f", "v")
        c.ok("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
        c.ok("XREADGROUP", "GROUP", "h", "c", "NOACK", "STREAMS", "s", ">")
        c.ok("XGROUP", "CREATE", "s", "i", "$")
        c.ok("XINFO", "STREAM", "s", "FULL")
    server.restart_same()
    with server.raw() as c:
        equal(c.ok("XLEN", "s"), 4)


def test_claiming_goes_on_at_an_id_of_all_digits(server):
    most = "%d-%d" % (2 ** 64 - 1, 2 ** 64 - 2)
    with server.raw() as c:
        c.ok("XADD", "most", "1-1", "f", "v")
        c.ok("XADD", "most", most, "f", "v")
        c.ok("XGROUP", "CREATE", "most", "g", 0)
        c.ok("XREADGROUP", "GROUP", "g", "c", "STREAMS", "most", ">")
        equal(c.ok("XAUTOCLAIM", "most", "g", "d", 0, 0, "COUNT", 1)[0], most)


def test_read_replies_are_maps_in_resp3(server):
    with server.raw() as c:
        c.ok("HELLO", "3")
        c.ok("XADD", "three", "1-1", "a", "b")
        reply = c.ok("XREAD", "STREAMS", "three", "0")
        equal(reply, lib.Map([(b"three", [entry("1-1", "a", "b")])]))
        c.ok("XGROUP", "CREATE", "three", "g", "0")
        reply = c.ok("XREADGROUP", "GROUP", "g", "c", "STREAMS", "three", ">")
        equal(reply, lib.Map([(b"three", [entry("1-1", "a", "b")])]))
        equal(c.ok("XREADGROUP", "GROUP", "g", "c", "STREAMS", "three", ">"),
              None)


def test_each_command_on_groups(server):
    one, two = entry("1-0", "a", "b"), entry("2-0", "a", "b")
    with server.raw() as c:
        check(c, [
            ("XGROUP CREATE g1 g 0", "-ERR The XGROUP subcommand requires"),
            ("XGROUP CREATE g1 g $ MKSTREAM", b"OK"),
            ("XGROUP CREATE g1 g 0", "-BUSYGROUP"),
            ("XGROUP CREATE g1 h -", "-ERR Invalid stream ID specified"),
            ("XGROUP CREATE g1 h +", "-ERR Invalid stream ID specified"),
            ("XGROUP SETID g1 g +", b"OK"), ("XGROUP SETID g1 g -", b"OK"),
            ("XGROUP CREATE g1 h 0 ENTRIESREAD 1 ENTRIESREAD 1",
             "-ERR unknown subcommand or wrong number of arguments"),
            ("XGROUP SETID g1 g 0 ENTRIESREAD 1 ENTRIESREAD 1",
             "-ERR unknown subcommand or wrong number of arguments"),
            ("XADD g1 1 a b", "1-0"), ("XADD g1 2 a b", "2-0"),
            ("XREADGROUP GROUP no c STREAMS g1 >", "-NOGROUP"),
            ("XREADGROUP GROUP g c COUNT 1 STREAMS g1 >", [[b"g1", [one]]]),
            ("XREADGROUP GROUP g d STREAMS g1 >", [[b"g1", [two]]]),
            ("XREADGROUP GROUP g d STREAMS g1 >", None),
            ("XREADGROUP GROUP g c STREAMS g1 0", [[b"g1", [one]]]),
            ("XREADGROUP GROUP g c STREAMS g1 1", [[b"g1", []]]),
            ("XPENDING g1 g", [2, b"1-0", b"2-0", [[b"c", b"1"],
                                                   [b"d", b"1"]]]),
            ("XCLAIM g1 g c 0 2-0", [two]),
            ("XCLAIM g1 g d 1000000 2-0", []),
            ("XCLAIM g1 g d 0 1-0 2-0 JUSTID", [b"1-0", b"2-0"]),
            ("XAUTOCLAIM g1 g c 0 - COUNT 1", [b"2-0", [one], []]),
            ("XDEL g1 2", 1),
            ("XREADGROUP GROUP g d STREAMS g1 0", [[b"g1", [[b"2-0",
                                                             None]]]]),
            ("XAUTOCLAIM g1 g c 0 0 JUSTID", [b"0-0", [b"1-0"], [b"2-0"]]),
            ("XACK g1 g 1 2", 1), ("XACK g1 g 1", 0), ("XACK no g 1", 0),
            ("XPENDING g1 g", [0, None, None, None]),
            ("XGROUP CREATECONSUMER g1 g e", 1),
            ("XGROUP CREATECONSUMER g1 g e", 0),
            ("XGROUP SETID g1 g 0", b"OK"),
            ("XREADGROUP GROUP g e STREAMS g1 >", [[b"g1", [one]]]),
            ("XGROUP DELCONSUMER g1 g e", 1),
            ("XGROUP DELCONSUMER g1 g e", 0),
            ("XGROUP DESTROY g1 g", 1), ("XGROUP DESTROY g1 g", 0),
            ("XINFO GROUPS g1", []),
        ])


def test_entries_are_removed_with_regard_to_groups(server):
    with server.raw() as c:
        for i in range(1, 7):
            c.ok("XADD", "d", i, "f", i)
        for group in "ab":
            c.ok("XGROUP", "CREATE", "d", group, "0")
            c.ok("XREADGROUP", "GROUP", group, "c", "COUNT", 5, "STREAMS",
                 "d", ">")
        check(c, [("XDELEX d IDS 2 1 9", [1, -1]), ("XLEN d", 5)])
        pending = c.ok("XPENDING", "d", "a", "1", "1", 9, "c")
        equal([(p[0], p[1], p[3]) for p in pending], [(b"1-0", b"c", 1)])
        check(c, [
            ("XDELEX d ACKED IDS 2 2 6", [2, 2]), ("XLEN d", 5),
            ("XDELEX d DELREF IDS 2 2 2", [1, -1]),
            ("XPENDING d a 2 2 9", []), ("XPENDING d b 2 2 9", []),
            ("XACKDEL d a ACKED IDS 1 3", [2]), ("XACK d a 3", 0),
            ("XACKDEL d b ACKED IDS 1 3", [1]), ("XRANGE d 3 3", []),
            ("XACKDEL d a KEEPREF IDS 2 4 4", [1, -1]),
            ("XACK d b 4", 1),
            ("XACKDEL d a DELREF IDS 1 5", [1]), ("XACK d b 5", 0),
            ("XLEN d", 1), ("XDELEX none IDS 1 1", [-1]),
            ("XACKDEL none a IDS 1 1", [-1]),
            ("XACKDEL d none IDS 1 1", [-1]),
            ("XDELEX d IDS 0 1", "-ERR Number of IDs must be a positive"),
            ("XDELEX d IDS 2 1", "-ERR The `numids` parameter must match"),
            ("XDELEX d FOO IDS 1 1", "-ERR syntax error"),
            ("XDELEX d IDS 1 x", "-ERR Invalid stream ID"),
        ])


def test_info_tells_how_far_groups_have_come(server):
    with server.raw() as c:
        for i in range(1, 6):
            c.ok("XADD", "i", i, "f", i)
        c.ok("XGROUP", "CREATE", "i", "g", "0")
        c.ok("XREADGROUP", "GROUP", "g", "c", "COUNT", "2", "STREAMS", "i",
             ">")
        group = pairs_of(c.ok("XINFO", "GROUPS", "i")[0])
        equal((group["entries-read"], group["lag"], group["pending"]),
              (2, 3, 2))
        c.ok("XDEL", "i", "4")
        group = pairs_of(c.ok("XINFO", "GROUPS", "i")[0])
        equal((group["entries-read"], group["lag"]), (2, None))
        stream = pairs_of(c.ok("XINFO", "STREAM", "i"))
        equal((stream["length"], stream["entries-added"],
               stream["max-deleted-entry-id"]), (4, 5, b"4-0"))
        equal(stream["first-entry"], entry("1-0", "f", "1"))
        equal(stream["last-entry"], entry("5-0", "f", "5"))
        consumer = pairs_of(c.ok("XINFO", "CONSUMERS", "i", "g")[0])
        equal((consumer["name"], consumer["pending"]), (b"c", 2))
        full = pairs_of(c.ok("XINFO", "STREAM", "i", "FULL"))
        equal(len(full["entries"]), 4)
        equal(pairs_of(full["groups"][0])["pel-count"], 2)


def test_a_group_behind_which_entries_went_is_not_told_to_be_behind(server):
    def told(client):
        group = pairs_of(client.ok("XINFO", "GROUPS", "w")[0])
        return group["entries-read"], group["lag"]

    with server.raw() as c:
        def read():
            c.ok("XREADGROUP", "GROUP", "g", "c", "COUNT", 1, "STREAMS", "w",
                 ">")
            return told(c)
        for i in range(1, 4):
            c.ok("XADD", "w", i, "f", i)
        c.ok("XGROUP", "CREATE", "w", "g", "0")
        equal(read(), (1, 2))
        c.ok("XDEL", "w", 2)
        equal(read(), (3, 0), "beyond a hole")
        for i in range(4, 8):
            c.ok("XADD", "w", i, "f", i)
        c.ok("XTRIM", "w", "MAXLEN", 2)
        equal(told(c), (3, 2), "trimmed above")
        equal(read(), (6, 1), "beyond what was trimmed")
    server.restart_same()
    with server.raw() as c:
        equal(told(c), (6, 1))


class Model:
    """A stream as a list of (ID, pairs)."""

    def __init__(self, seed):
        self.random, self.entries, self.last = random.Random(seed), [], 0

    def step(self, c, key):
        dice = self.random.randrange(20)
        if dice == 0 and self.entries:
            keep = self.random.randrange(len(self.entries) + 1)
            equal(c.ok("XTRIM", key, "MAXLEN", keep),
                  len(self.entries) - keep)
            del self.entries[:len(self.entries) - keep]
        elif dice < 4 and self.entries:
            at = self.random.randrange(len(self.entries))
            equal(c.ok("XDEL", key, self.entries[at][0], "1-1"), 1)
            del self.entries[at]
        elif dice == 4:
            self.compare(c, key)
        else:
            self.add(c, key)

    def add(self, c, key):
        self.last += self.random.randrange(1, 1000)
        count = 1 if self.random.randrange(5) else 3
        pairs = []
        for i in range(count):
            pairs += ["f%d" % i, str(self.random.choice(
                [0, -1, 127, 128, 8319, 8320, 2**15, -2**31, 2**63 - 1,
                 2**64, "", "007", "word", "long" * 60]))]
        id_ = "%d-0" % self.last
        c.ok("XADD", key, id_, *pairs)
        self.entries.append((id_, pairs))

    def compare(self, c, key):
        a, b = sorted(self.random.randrange(self.last + 2) for _ in "ab")
        wanted = [entry(i, *p) for i, p in self.entries
                  if a <= int(i[:-2]) <= b]
        equal(c.ok("XRANGE", key, a, b), wanted)
        equal(c.ok("XREVRANGE", key, b, a), wanted[::-1])


@lib.levels("no")
def test_random_commands_agree_with_a_model_under_all_limits(server):
    with server.raw() as c:
        for values in ((4096, 100), (0, 0), (100, 0), (0, 1), (0, 3)):
            limit(c, *values)
            model = Model(repr(values))
            for _ in range(600):
                model.step(c, "m")
            model.compare(c, "m")
            c.ok("DEL", "m")
        limit(c, 4096, 100)


def delivered(c, key):
    """What is pending in group g: [id, consumer, deliveries]."""
    return [[p[0], p[1], p[3]]
            for p in c.ok("XPENDING", key, "g", "-", "+", 100000)]


def fill_groups(c, key, count):
    c.pipeline([("XADD", key, i + 1, "n", i, "word", "w%d" % (i % 7))
                for i in range(count)])
    commands = [
        ("XGROUP", "CREATE", key, "g", "0"),
        ("XGROUP", "CREATE", key, "idle", "$"),
        ("XGROUP", "CREATECONSUMER", key, "g", "lazy"),
    ]
    for i in range(30):
        commands.append(("XREADGROUP", "GROUP", "g", "c%d" % (i % 3), "COUNT",
                         count // 60, "STREAMS", key, ">"))
    for i in range(1, count // 4, 3):
        commands.append(("XACK", key, "g", i))
    commands += [
        ("XREADGROUP", "GROUP", "g", "c1", "COUNT", 5, "STREAMS", key, "0"),
        ("XCLAIM", key, "g", "c2", 0, 2, 3, 5, "RETRYCOUNT", 77),
        ("XAUTOCLAIM", key, "g", "c0", 0, 10, "COUNT", 20),
        ("XREADGROUP", "GROUP", "idle", "n", "NOACK", "STREAMS", key, ">"),
    ]
    for i in range(count // 2, count // 2 + 50, 2):
        commands.append(("XDEL", key, i))
    commands.append(("XTRIM", key, "MINID", 30))
    for reply in c.pipeline(commands):
        assert not isinstance(reply, lib.Error), reply


def known(c, key):
    """What a reader can see of a stream and its groups, without times."""
    groups = [pairs_of(g) for g in c.ok("XINFO", "GROUPS", key)]
    stream = pairs_of(c.ok("XINFO", "STREAM", key))
    for name in ("radix-tree-keys", "radix-tree-nodes"):
        del stream[name]
    return stream, groups, delivered(c, key), c.ok("XRANGE", key, "-", "+")


@lib.levels("always", "everysec")
def test_groups_survive_a_kill(server):
    with server.raw() as c:
        fill_groups(c, "small", 60)
        fill_groups(c, "big", 3000)
        c.ok("XGROUP", "CREATE", "empty", "g", "0", "MKSTREAM")
        c.ok("COPY", "big", "copy")
        c.ok("RENAME", "small", "other")
        c.ok("PEXPIREAT", "copy", 4102444800000)
        before = [known(c, k) for k in ("other", "big", "empty", "copy")]
    if server.level == "everysec":
        time.sleep(2.5)
    server.restart_same()
    server.restart_same(save=True)
    with server.raw() as c:
        after = [known(c, k) for k in ("other", "big", "empty", "copy")]
        equal(after, before)
        c.ok("XADD", "big", "*", "still", "there")
        c.ok("XREADGROUP", "GROUP", "g", "c1", "STREAMS", "big", ">")
    server.command("DEBUG", "RELOAD")


def lazily_freed(c):
    info = c.ok("INFO", "memory", "stats").decode()
    return [int(info.split(name + ":")[1].split()[0])
            for name in ("lazyfree_pending_objects", "lazyfreed_objects")]


@lib.levels("always")
def test_what_was_pending_for_deleted_consumers_goes_in_steps(server):
    count = 20000
    with server.raw(timeout=120) as c:
        c.pipeline([("XADD", "big", i + 1, "a", "b") for i in range(count)])
        c.ok("XGROUP", "CREATE", "big", "g", "0")
        c.pipeline([("XREADGROUP", "GROUP", "g", "c%d" % (i % 2), "COUNT",
                     "100", "STREAMS", "big", ">")
                    for i in range(count // 100)])
        freed = lazily_freed(c)[1]
        c.ok("BGSAVE")
        replies = c.pipeline([
            ("XGROUP", "DELCONSUMER", "big", "g", "c0"),
            ("XPENDING", "big", "g"),
            ("XPENDING", "big", "g", "-", "+", "1"),
            ("XREADGROUP", "GROUP", "g", "c2", "COUNT", "1", "CLAIM", "0",
             "STREAMS", "big", ">"),
            ("XAUTOCLAIM", "big", "g", "c3", "0", "0", "COUNT", "1",
             "JUSTID"),
            ("XACK", "big", "g", "1", "101"),
            ("COPY", "big", "copy")])
        equal(replies[0], count // 2)
        equal(replies[1], [count // 2, b"101-0", b"%d-0" % count,
                           [[b"c1", b"%d" % (count // 2)]]])
        equal(replies[2][0][:2], [b"101-0", b"c1"])
        equal(replies[3][0][1][0][0], b"101-0")
        equal(replies[4][1:], [[b"101-0"], []])
        equal(replies[5], 1)
        lib.wait_until(lambda: lazily_freed(c)[0] == 0)
        assert lazily_freed(c)[1] >= freed + 2  # what was c0's, and a sweep
        lib.wait_until(lambda: b"rdb_bgsave_in_progress:0" in
                       c.ok("INFO", "persistence"))
        before = [known(c, k) for k in ("big", "copy")]
        equal(c.ok("XGROUP", "DESTROY", "copy", "g"), 1)
    server.restart_same()
    server.restart_same(save=True)
    with server.raw(timeout=120) as c:
        equal(known(c, "big"), before[0])
        equal(before[1], before[0])


@lib.levels("no")
def test_a_big_stream_is_saved_while_it_changes(server):
    count = 100000
    with server.raw(timeout=120) as c:
        for start in range(0, count, 10000):
            c.pipeline([("XADD", "huge", i + 1, "user", i % 1000, "page",
                         "/p/%d" % (i % 97))
                        for i in range(start, start + 10000)])
        c.ok("XGROUP", "CREATE", "huge", "g", "0")
        c.ok("XREADGROUP", "GROUP", "g", "c", "COUNT", 20000, "STREAMS",
             "huge", ">")
        c.ok("BGSAVE")
        for i in range(1, 1500):
            c.pipeline([("XDEL", "huge", i * 61),
                        ("XACK", "huge", "g", i * 3),
                        ("XADD", "huge", "*", "late", i)])
        lib.wait_until(lambda: b"rdb_bgsave_in_progress:0" in
                       c.ok("INFO", "persistence"), 60)
        before = known(c, "huge")[:3]
    server.restart_same()
    with server.raw(timeout=120) as c:
        equal(known(c, "huge")[:3], before)
        equal(c.ok("UNLINK", "huge"), 1)
        equal(c.ok("EXISTS", "huge"), 0)


if __name__ == "__main__":
    lib.main(__name__, ports=range(21500, 21540))
