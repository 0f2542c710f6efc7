#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""DUMP, RESTORE and MIGRATE, end to end: payloads of every type and of every
encoding that RDB versions 1 to 12 know, payloads exchanged with Debian's
redis-server, damage, and what survives a kill."""

import os
import random
import struct

import lib
from differential import Reference
from lib import Error, equal, is_error

PORTS = range(21600, 21650)
SEED = lib.seed("DUMP_SEED")
VERSION = 11
BAD = "ERR Bad data format"
WRONG = "ERR DUMP payload version or checksum are wrong"

# --- payloads by hand -------------------------------------------------------


def _crc_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x95ac9329ac4bc9b5 if value & 1 else 0)
        table.append(value)
    return table


CRC_TABLE = _crc_table()


def crc64(data):
    crc = 0
    for byte in data:
        crc = (crc >> 8) ^ CRC_TABLE[(crc ^ byte) & 0xff]
    return crc


def payload(kind, body, version=VERSION):
    data = bytes([kind]) + body + struct.pack("<H", version)
    return data + struct.pack("<Q", crc64(data))


def reversion(data, version):
    """The same payload as another version says it."""
    return payload(data[0], data[1:-10], version)


def length(n):
    if n < 64:
        return bytes([n])
    if n < 16384:
        return struct.pack(">H", 0x4000 | n)
    return b"\x80" + struct.pack(">I", n)


def text(s):
    return length(len(s)) + s


def listpack(elements):
    body = b""
    for e in elements:
        if isinstance(e, bytes):
            if len(e) < 64:
                e = bytes([0x80 | len(e)]) + e
            elif len(e) < 4096:
                e = struct.pack(">H", 0xe000 | len(e)) + e
            else:
                e = b"\xf0" + struct.pack("<I", len(e)) + e
        elif 0 <= e < 128:
            e = bytes([e])
        elif -4096 <= e < 4096:
            e = struct.pack(">H", 0xc000 | (e & 0x1fff))
        elif -32768 <= e < 32768:
            e = b"\xf1" + struct.pack("<h", e)
        elif -(1 << 23) <= e < 1 << 23:
            e = b"\xf2" + struct.pack("<i", e)[:3]
        elif -(1 << 31) <= e < 1 << 31:
            e = b"\xf3" + struct.pack("<i", e)
        else:
            e = b"\xf4" + struct.pack("<q", e)
        back, n = bytes([len(e) & 127]), len(e) >> 7
        while n:
            back = bytes([n & 127]) + bytes([back[0] | 128]) + back[1:]
            n >>= 7
        body += e + back
    return struct.pack("<IH", len(body) + 7, len(elements)) + body + b"\xff"


def ziplist(elements):
    body, before, tail = b"", 0, 10
    for e in elements:
        if isinstance(e, bytes):
            if len(e) < 64:
                e = bytes([len(e)]) + e
            elif len(e) < 16384:
                e = struct.pack(">H", 0x4000 | len(e)) + e
            else:
                e = b"\x80" + struct.pack(">I", len(e)) + e
        elif 0 <= e <= 12:
            e = bytes([0xf1 + e])
        elif -128 <= e < 128:
            e = b"\xfe" + struct.pack("<b", e)
        elif -32768 <= e < 32768:
            e = b"\xc0" + struct.pack("<h", e)
        elif -(1 << 23) <= e < 1 << 23:
            e = b"\xf0" + struct.pack("<i", e)[:3]
        elif -(1 << 31) <= e < 1 << 31:
            e = b"\xd0" + struct.pack("<i", e)
        else:
            e = b"\xe0" + struct.pack("<q", e)
        head = (bytes([before]) if before < 254 else
                b"\xfe" + struct.pack("<I", before))
        tail = 10 + len(body)
        before = len(head) + len(e)
        body += head + e
    return (struct.pack("<IIH", len(body) + 11, tail, len(elements)) + body +
            b"\xff")


def zipmap(pairs):
    def size(n):
        return bytes([n]) if n < 254 else b"\xfe" + struct.pack("<I", n)
    body = bytes([len(pairs)])
    for field, value in pairs:
        body += size(len(field)) + field + size(len(value)) + b"\x02" + value
        body += b"??"  # two bytes nobody uses
    return body + b"\xff"


def intset(numbers, width):
    form = {2: "<h", 4: "<i", 8: "<q"}[width]
    return (struct.pack("<II", width, len(numbers)) +
            b"".join(struct.pack(form, n) for n in numbers))


NUMBERS = [0, 1, 12, 13, -1, 127, 128, -128, 4095, 4096, -4097, 32767, -32769,
           1 << 22, -(1 << 23), 1 << 30, -(1 << 31), 1 << 40, -(1 << 63)]
STRINGS = [b"", b"a", b"x" * 63, b"y" * 64, b"z" * 253, b"q" * 254,
           b"r" * 4095, b"s" * 4096, b"t" * 16370, b"u" * 16384, b"v" * 20000]
ELEMENTS = STRINGS + NUMBERS + [b"last"]


def plain(e):
    return e if isinstance(e, bytes) else b"%d" % e


def restore(c, body, *options, key="k"):
    c.ok("DEL", key)
    return c.command("RESTORE", key, "0", body, *options)


def takes(c, body, *question):
    equal(restore(c, body), b"OK")
    return c.ok(*question)


def test_strings_of_every_encoding(server):
    packed = b"\x02abc" + b"\xe0\x00\x02" + b"\x20\x02"
    wanted = b"abc" * 5
    with server.raw() as c:
        for body, value in [
                (text(b""), b""), (text(b"abc"), b"abc"),
                (text(b"x" * 100), b"x" * 100),
                (text(b"x" * 20000), b"x" * 20000),
                (b"\x81" + struct.pack(">Q", 3) + b"abc", b"abc"),
                (b"\xc0\xff", b"-1"), (b"\xc1\x00\x80", b"-32768"),
                (b"\xc2\xff\xff\xff\x7f", b"2147483647"),
                (b"\xc3" + length(len(packed)) + length(15) + packed,
                 wanted)]:
            for version in range(1, 13):
                equal(takes(c, payload(0, body, version), "GET", "k"), value)


def test_lists_of_every_encoding(server):
    strings = [plain(e) for e in ELEMENTS]
    nodes = -(-len(ELEMENTS) // 5)
    with server.raw() as c:
        for body in [
                payload(1, length(len(strings)) +
                        b"".join(text(s) for s in strings)),
                payload(10, text(ziplist(ELEMENTS))),
                payload(14, length(3) + text(ziplist(ELEMENTS[:7])) +
                        text(ziplist([])) + text(ziplist(ELEMENTS[7:]))),
                payload(18, length(nodes) + b"".join(
                    b"\x02" + text(listpack(ELEMENTS[i:i + 5]))
                    for i in range(0, len(ELEMENTS), 5))),
                payload(18, length(len(strings)) +
                        b"".join(b"\x01" + text(s) for s in strings))]:
            equal(takes(c, body, "LRANGE", "k", "0", "-1"), strings)


def test_sets_of_every_encoding(server):
    strings = [plain(e) for e in ELEMENTS]
    with server.raw() as c:
        for body in [
                payload(2, length(len(strings)) +
                        b"".join(text(s) for s in strings)),
                payload(20, text(listpack(ELEMENTS)))]:
            equal(sorted(takes(c, body, "SMEMBERS", "k")), sorted(strings))
        for width, numbers in [(2, [-3, 0, 7]), (4, [-70000, 1, 70000]),
                               (8, [-(1 << 63), 5, (1 << 63) - 1])]:
            body = payload(11, text(intset(numbers, width)))
            equal(sorted(takes(c, body, "SMEMBERS", "k")),
                  sorted(b"%d" % n for n in numbers))


def test_hashes_of_every_encoding(server):
    fields = [b"f%d" % i for i in range(len(ELEMENTS))] + [b"7"]
    values = ELEMENTS + [b"seven"]
    flat = [x for pair in zip(fields, values) for x in pair]
    flat[-2] = 7
    wanted = dict(zip(fields, map(plain, values)))
    pairs = [(f, v) for f, v in wanted.items()]
    with server.raw() as c:
        for body in [
                payload(4, length(len(pairs)) + b"".join(
                    text(f) + text(v) for f, v in pairs)),
                payload(9, text(zipmap(pairs))),
                payload(13, text(ziplist(flat))),
                payload(16, text(listpack(flat)))]:
            got = takes(c, body, "HGETALL", "k")
            equal(dict(zip(got[::2], got[1::2])), wanted)


def test_deadlines_of_fields(server):
    far = 1 << 42
    first = far - 5
    with server.raw() as c:
        for body in [
                payload(25, struct.pack("<Q", far) + text(listpack(
                    [b"a", b"1", 0, b"b", b"2", far, b"dead", b"3", 77])), 12),
                payload(24, struct.pack("<Q", first) + length(2) + b"\x00" +
                        text(b"a") + text(b"1") + b"\x06" + text(b"b") +
                        text(b"2"), 12)]:
            got = takes(c, body, "HGETALL", "k")
            equal(sorted(got), [b"1", b"2", b"a", b"b"])
            equal(c.ok("HPEXPIRETIME", "k", "FIELDS", "2", "a", "b"),
                  [-1, far])
            again = c.ok("DUMP", "k")
            equal(again[-10:-8], b"\x0c\x00")
            before = c.ok("DEBUG", "DIGEST-VALUE", "k")
            equal(restore(c, again), b"OK")
            equal(c.ok("DEBUG", "DIGEST-VALUE", "k"), before)
        # nothing is left of it
        body = payload(25, struct.pack("<Q", 5) + text(listpack(
            [b"a", b"1", 5])), 12)
        equal(restore(c, body), b"OK")
        equal(c.ok("EXISTS", "k"), 0)


def test_sorted_sets_of_every_encoding(server):
    members = [plain(e) for e in ELEMENTS]
    scores = [i * 1.5 for i in range(len(members) - 3)] + [
        float("inf"), float("-inf"), 1e300]
    wanted = dict(zip(members, scores))
    flat = [x for m, s in zip(ELEMENTS, scores)
            for x in (m, int(s) if s == int(min(max(s, -1e9), 1e9)) else
                      repr(s).encode())]

    def old_score(s):
        if s == float("inf"):
            return b"\xfe"
        if s == float("-inf"):
            return b"\xff"
        return bytes([len(repr(s))]) + repr(s).encode()

    with server.raw() as c:
        for body in [
                payload(3, length(len(members)) + b"".join(
                    text(m) + old_score(s) for m, s in wanted.items())),
                payload(5, length(len(members)) + b"".join(
                    text(m) + struct.pack("<d", s)
                    for m, s in wanted.items())),
                payload(12, text(ziplist(flat))),
                payload(17, text(listpack(flat)))]:
            got = takes(c, body, "ZRANGE", "k", "0", "-1", "WITHSCORES")
            equal({m: float(s) for m, s in zip(got[::2], got[1::2])}, wanted)


# --- streams ----------------------------------------------------------------

def stream_nodes():
    """Entries 5-1 a 1 b 2 · 5-2 c x · (5-9 deleted) · 6-0 a 1 b z."""
    pack = listpack([3, 1, 2, b"a", b"b", 0,
                     2, 0, 0, 1, 2, 5,
                     0, 0, 1, 1, b"c", b"x", 6,
                     3, 0, 8, 1, 2, 5,
                     2, 1, -1, 1, b"z", 5])
    return length(1) + text(struct.pack(">QQ", 5, 1)) + text(pack)


ENTRIES = [[b"5-1", [b"a", b"1", b"b", b"2"]], [b"5-2", [b"c", b"x"]],
           [b"6-0", [b"a", b"1", b"b", b"z"]]]


def stream_group(kind, read=b"\x02"):
    out = text(b"g") + length(5) + length(2)
    if kind != 15:
        out += read
    out += length(2)
    for seq, deliveries in ((1, 3), (2, 1)):
        out += struct.pack(">QQ", 5, seq) + struct.pack("<Q", 1000 + seq)
        out += length(deliveries)
    out += length(2)
    for name, ids in ((b"alice", [1]), (b"bob", [2])):
        out += text(name) + struct.pack("<Q", 2000)
        if kind == 21:
            out += struct.pack("<Q", 1500)
        out += length(len(ids))
        out += b"".join(struct.pack(">QQ", 5, seq) for seq in ids)
    return out


def stream_body(kind, nodes=None, group=None):
    out = (nodes or stream_nodes()) + length(3) + length(7) + length(0)
    if kind != 15:
        out += length(5) + length(1) + length(5) + length(9) + length(9)
    return out + length(1) + (group or stream_group(kind))


def test_streams_of_every_version(server):
    with server.raw() as c:
        for kind in (15, 19, 21):
            body = payload(kind, stream_body(kind))
            equal(takes(c, body, "XRANGE", "k", "-", "+"), ENTRIES)
            info = c.ok("XINFO", "STREAM", "k")
            info = dict(zip(info[::2], info[1::2]))
            equal(info[b"length"], 3)
            equal(info[b"last-generated-id"], b"7-0")
            equal(info[b"entries-added"], 3 if kind == 15 else 9)
            equal(c.ok("XPENDING", "k", "g"), [2, b"5-1", b"5-2", [
                [b"alice", b"1"], [b"bob", b"1"]]])
            pending = c.ok("XPENDING", "k", "g", "-", "+", "10")
            equal([p[:2] + p[3:] for p in pending],
                  [[b"5-1", b"alice", 3], [b"5-2", b"bob", 1]])
            before = c.ok("DEBUG", "DIGEST-VALUE", "k")
            again = c.ok("DUMP", "k")
            equal(restore(c, again), b"OK")
            equal(c.ok("DEBUG", "DIGEST-VALUE", "k"), before)


def test_streams_that_make_no_sense(server):
    none = length(0) + length(0)
    with server.raw() as c:
        for kind in (15, 19, 21):
            good = stream_body(kind)
            equal(restore(c, payload(kind, good)), b"OK")
            group = stream_group(kind)
            for nodes in [
                    length(2) + 2 * stream_nodes()[1:],  # IDs fall back
                    length(1) + text(b"short") + text(listpack([0])),
                    length(1) + text(bytes(16)) + text(listpack([])),
                    length(0)]:
                is_error(restore(c, payload(kind, stream_body(
                    kind, nodes))), BAD)
            for wrong in [
                    group.replace(b"\x03bob", b"\x03bop") + b"\x00",
                    group.replace(b"bob", b"al").replace(b"alice", b"al"),
                    group[:-1] + b"\x01",  # pending, but of nobody
                    text(b"g") + none]:
                is_error(restore(c, payload(kind, stream_body(
                    kind, None, wrong))), BAD)


# --- damage -----------------------------------------------------------------

def test_what_is_refused(server):
    good = payload(0, text(b"v"))
    with server.raw() as c:
        equal(c.command("RESTORE", "k", "0", good), b"OK")
        is_error(c.command("RESTORE", "k", "0", good), "BUSYKEY Target key")
        is_error(c.command("RESTORE", "k", "0", good[:-1]), "BUSYKEY")
        c.ok("DEL", "k")
        for data in (b"", b"x", good[:-1], good[:-1] + b"?",
                     good[:-8] + bytes(8),
                     payload(0, text(b"v"), 13), payload(0, text(b"v"), 80)):
            is_error(c.command("RESTORE", "k", "0", data), WRONG)
        for kind, body in [
                (0, b""), (0, b"\x05abc"), (0, text(b"v") + b"x"),
                (0, b"\xc4"), (0, b"\x82"), (0, b"\xc3\x02\x40\xff\x20\x00"),
                (0, b"\xc3\x01\x81" + b"\x7f" * 8 + b"\x00"),
                (1, b"\x00"), (1, b"\x02" + text(b"a")), (2, b"\x00"),
                (2, b"\x02" + text(b"a") * 2),  # twice the same
                (4, b"\x02" + 2 * (text(b"f") + text(b"v"))),
                (5, b"\x02" + 2 * (text(b"m") + bytes(8))),
                (5, b"\x01" + text(b"m") + struct.pack("<d", float("nan"))),
                (3, b"\x01" + text(b"m") + b"\xfd"), (6, b"\x00"), (7, b"\x00"),
                (8, b"\x00"), (255, b"\x00"),
                (10, text(ziplist([]))), (11, text(intset([2, 1], 2))),
                (11, text(intset([1, 2], 4)[:-1])),
                (16, text(listpack([b"odd"]))),
                (17, text(listpack([b"m", b"no number"]))),
                (18, b"\x01\x03" + text(b"x"))]:
            is_error(c.command("RESTORE", "k", "0", payload(kind, body)), BAD)
        equal(c.ok("DBSIZE"), 0)


def test_damage_is_refused_or_leaves_a_value_that_works(server):
    chance = random.Random(SEED)
    read = {"string": "GET k", "list": "LRANGE k 0 -1",
            "set": "SMEMBERS k", "hash": "HGETALL k",
            "zset": "ZRANGE k 0 -1 WITHSCORES", "stream": "XRANGE k - +"}
    elements = STRINGS[1:6] + NUMBERS
    bodies = [
        (1, length(2) + text(b"a") + text(b"bb")),
        (10, text(ziplist(elements))), (20, text(listpack(elements))),
        (14, b"\x01" + text(ziplist(elements))),
        (18, b"\x01\x02" + text(listpack(elements))),
        (16, text(listpack(elements))), (9, text(zipmap([(b"a", b"b")]))),
        (12, text(ziplist([b"a", 1, b"b", 2]))), (21, stream_body(21)),
        (19, stream_body(19)), (24, struct.pack("<Q", 1 << 42) + b"\x01\x05" +
                                text(b"f") + text(b"v"))]
    with server.raw() as c:
        for _ in range(4000):
            kind, body = chance.choice(bodies)
            body = bytearray(body)
            for _ in range(chance.randrange(1, 4)):
                at = chance.randrange(len(body))
                change = chance.randrange(3)
                if change == 0:
                    body[at] = chance.randrange(256)
                elif change == 1:
                    body[at] ^= 1 << chance.randrange(8)
                elif len(body) > 1:
                    del body[at]
            reply = restore(c, payload(kind, bytes(body)))
            if isinstance(reply, Error):
                is_error(reply, BAD)
                continue
            kind_now = c.ok("TYPE", "k")
            if kind_now != "none":
                c.ok(*read[kind_now].split())
                before = c.ok("DEBUG", "DIGEST-VALUE", "k")
                equal(restore(c, c.ok("DUMP", "k")), b"OK")
                equal(c.ok("DEBUG", "DIGEST-VALUE", "k"), before)


# --- options ----------------------------------------------------------------

def test_options_of_restore(server):
    with server.raw() as c:
        c.ok("SET", "from", "v")
        data = c.ok("DUMP", "from")
        equal(c.ok("RESTORE", "k", "100000", data), b"OK")
        assert 90000 < c.ok("PTTL", "k") <= 100000
        equal(c.ok("RESTORE", "k", "0", data, "REPLACE"), b"OK")
        equal(c.ok("PTTL", "k"), -1)
        equal(c.ok("RESTORE", "k", "4000000000000", data, "ABSTTL",
                   "REPLACE"), b"OK")
        equal(c.ok("PEXPIRETIME", "k"), 4000000000000)
        equal(c.ok("RESTORE", "k", "1000", data, "ABSTTL", "REPLACE"), b"OK")
        equal(c.ok("EXISTS", "k"), 0)
        for arguments, error in [
                (("-1", data), "ERR Invalid TTL value, must be >= 0"),
                (("x", data), "ERR value is not an integer"),
                (("0", data, "IDLETIME", "-1"), "ERR Invalid IDLETIME value"),
                (("0", data, "FREQ", "256"), "ERR Invalid FREQ value"),
                (("0", data, "FREQ"), "ERR syntax error"),
                (("0", data, "FREQ", "1", "IDLETIME", "1"),
                 "ERR syntax error"),
                (("0", data, "NO"), "ERR syntax error")]:
            is_error(c.command("RESTORE", "k", *arguments), error)
        c.ok("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        c.ok("RESTORE", "k", "0", data, "IDLETIME", "1000")
        assert 1000 <= c.ok("OBJECT", "IDLETIME", "k") < 1010
        c.ok("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
        c.ok("RESTORE", "k", "0", data, "FREQ", "100", "REPLACE")
        assert 98 <= c.ok("OBJECT", "FREQ", "k") <= 100
        c.ok("CONFIG", "SET", "maxmemory-policy", "noeviction")
        equal(c.ok("DUMP", "none"), None)


# --- with redis-server ------------------------------------------------------

def fill(c, chance):
    """Keys of every type and encoding that a server may choose."""
    def some(n):
        return [b"%d" % chance.randrange(1 << 40) if chance.random() < .3 else
                bytes(chance.choice(b"ab\x00\xff") for _ in range(
                    chance.choice((1, 5, 30, 70, 300))))
                for _ in range(n)]
    for i, n in enumerate((1, 10, 100, 600, 3000)):
        c.ok("SET", "string%d" % i, b"".join(some(n)))
        c.ok("SET", "number%d" % i, str(chance.randrange(-9 ** i, 9 ** i * 9)))
        c.ok("RPUSH", "list%d" % i, *some(n))
        c.ok("SADD", "set%d" % i, *some(n))
        c.ok("SADD", "ints%d" % i, *range(0, n * 7, 7))
        c.ok("HSET", "hash%d" % i, *some(2 * n))
        c.ok("ZADD", "zset%d" % i, *[
            x for m in some(n) for x in (chance.uniform(-9, 9), m)])
        c.pipeline([
            ["XADD", "stream%d" % i, "%d-%d" % (1000 + e // 3, e)] +
            (["a", e, "b", "x" * (e % 40)] if e % 7 else ["z", e])
            for e in range(n)])
        c.ok("XGROUP", "CREATE", "stream%d" % i, "g", "0")
        c.ok("XGROUP", "CREATE", "stream%d" % i, "empty", "$")
        for name in ("alice", "bob"):
            c.ok("XREADGROUP", "GROUP", "g", name, "COUNT", 1 + n // 3,
                 "STREAMS", "stream%d" % i, ">")
        if n > 1:
            c.ok("XDEL", "stream%d" % i, "1000-0")
    for size in (16376, 16377, 16378, 16379, 16380):
        c.ok("RPUSH", "edge", "e" * size)


def contents(c, key):
    kind = c.ok("TYPE", key)
    if kind == "string":
        return c.ok("GET", key)
    if kind == "list":
        return c.ok("LRANGE", key, "0", "-1")
    if kind == "set":
        return sorted(c.ok("SMEMBERS", key))
    if kind == "zset":
        flat = c.ok("ZRANGE", key, "0", "-1", "WITHSCORES")
        return [(m, float(score)) for m, score in zip(flat[::2], flat[1::2])]
    if kind == "hash":
        flat = c.ok("HGETALL", key)
        return sorted(zip(flat[::2], flat[1::2]))
    groups = c.ok("XINFO", "GROUPS", key)
    return [c.ok("XRANGE", key, "-", "+"), groups] + [
        [row[:2] + row[3:] for row in
         c.ok("XPENDING", key, g[1], "-", "+", "100000")] for g in groups]


@lib.limit(300)
def test_payloads_of_redis_are_taken_with_equal_contents(server):
    chance = random.Random(SEED)
    with Reference() as redis, redis.raw() as theirs, server.raw() as ours:
        fill(theirs, chance)
        for key in theirs.ok("KEYS", "*"):
            data = theirs.ok("DUMP", key)
            equal(ours.command("RESTORE", key, "0", data), b"OK", key)
            assert contents(ours, key) == contents(theirs, key), key


@lib.limit(300)
def test_redis_takes_our_payloads_with_equal_contents(server):
    """Redis 7.0 is asked with its own version: but for streams, the encodings
    that are written have not changed since."""
    chance = random.Random(SEED)
    with Reference() as redis, redis.raw() as theirs, server.raw() as ours:
        fill(ours, chance)
        for compress in ("yes", "no"):
            ours.ok("CONFIG", "SET", "rdbcompression", compress)
            theirs.ok("FLUSHALL")
            for key in ours.ok("KEYS", "*"):
                if key.startswith(b"stream"):
                    continue
                data = reversion(ours.ok("DUMP", key), 10)
                equal(theirs.command("RESTORE", key, "0", data), b"OK", key)
                assert contents(ours, key) == contents(theirs, key), key


# --- MIGRATE ----------------------------------------------------------------

@lib.own
def test_migrate_moves_keys_of_every_type(_=None):
    chance = random.Random(SEED)
    with lib.Server("always", ports=PORTS) as one, \
            lib.Server("always", ports=PORTS) as two, \
            one.raw() as a, two.raw() as b:
        fill(a, chance)
        a.ok("PEXPIRE", "set1", "100000")
        before = {key: contents(a, key) for key in a.ok("KEYS", "*")}
        keys = a.ok("KEYS", "*")
        half = len(keys) // 2
        target = ("MIGRATE", "127.0.0.1", str(two.port))
        equal(a.ok(*target, keys[0], "0", "5000"), b"OK")
        equal(a.ok(*target, "", "0", "5000", "COPY", "KEYS",
                   *keys[1:half]), b"OK")
        equal(a.ok("DBSIZE"), len(keys) - 1)
        is_error(a.command(*target, "", "0", "5000", "KEYS", *keys[1:]),
                 "ERR Target instance replied with error: BUSYKEY")
        equal(a.ok("DBSIZE"), half - 1)
        equal(b.ok("DBSIZE"), len(keys))
        equal(a.ok(*target, "", "0", "5000", "REPLACE", "KEYS", *keys), b"OK")
        equal(a.ok("DBSIZE"), 0)
        equal(a.ok(*target, "none", "0", "5000"), "NOKEY")
        assert 0 < b.ok("PTTL", "set1") <= 100000
        b.ok("PERSIST", "set1")
        one.restart()
        two.restart()
        with one.raw() as a, two.raw() as b:
            equal(a.ok("DBSIZE"), 0)
            assert before == {key: contents(b, key) for key in keys}


@lib.own
def test_migrate_keeps_the_keys_when_it_fails(_=None):
    with lib.Server("always", ports=PORTS) as one, \
            lib.Server("always", ["--requirepass", "secret"],
                       PORTS) as two, one.raw() as c:
        c.ok("MSET", "a", "1", "b", "2")
        target = ("MIGRATE", "127.0.0.1", str(two.port), "a", "0", "1000")
        is_error(c.command("MIGRATE", "127.0.0.1", str(lib.free_port(PORTS)),
                           "a", "0", "1000"),
                 "IOERR error or timeout connecting")
        is_error(c.command(*target),
                 "ERR Target instance replied with error: NOAUTH")
        is_error(c.command(*target, "AUTH", "wrong"),
                 "ERR Target instance replied with error: WRONGPASS")
        is_error(c.command(*target, "KEYS", "a"),
                 "ERR When using MIGRATE KEYS option")
        is_error(c.command(*target[:3], "", "99", "1000", "AUTH", "secret",
                           "KEYS", "a", "b"),
                 "ERR Target instance replied with error: ERR DB index")
        equal(c.ok("DBSIZE"), 2)
        equal(c.ok(*target, "REPLACE", "AUTH2", "default", "secret"), b"OK")
        equal(c.ok("KEYS", "*"), [b"b"])
        # what no server would take is not sent: not a part of it, either
        c.ok("CONFIG", "SET", "proto-max-bulk-len", "1mb")
        c.ok("RPUSH", "long", *[random.Random(1).randbytes(1 << 19)] * 3)
        is_error(c.command(*target[:3], "", "0", "1000", "REPLACE", "AUTH",
                           "secret", "KEYS", "b", "long"),
                 "ERR a payload of 15")
        equal(c.ok("EXISTS", "b", "long"), 2)
        equal(c.ok("DEL", "long"), 1)
        # to itself: what it has just written does not go
        is_error(c.command("MIGRATE", "127.0.0.1", str(one.port), "b", "0",
                           "1000", "REPLACE"), "ERR The target has the keys")
        equal(c.ok("GET", "b"), b"2")


# --- what is kept -----------------------------------------------------------

@lib.levels("always", "everysec", "no")
def test_what_was_restored_survives_a_kill(server):
    chance = random.Random(SEED)
    with server.raw() as c:
        c.ok("FLUSHALL")
        fill(c, chance)
        for key in c.ok("KEYS", "*"):
            before = c.ok("DEBUG", "DIGEST-VALUE", key)
            data = c.ok("DUMP", key)
            equal(c.ok("RESTORE", key, "0", data, "REPLACE"), b"OK")
            equal(c.ok("DEBUG", "DIGEST-VALUE", key), before)
            c.ok("RESTORE", b"copy:" + key, "10000000", data)
    server.restart_same(kill=server.level != "no")


lib.main(__name__, ports=PORTS)
