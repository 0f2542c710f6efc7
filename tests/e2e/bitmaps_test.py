#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Bitmap commands, end to end: sparse values, the newer operations of BITOP,
what survives a kill.  differential_test.py compares the rest with Redis."""

import random
import time

import lib
from lib import equal, is_error

LAST_BIT = (512 << 23) - 1  # of a value of 512 MiB


def test_each_command_in_its_plain_form(server):
    with server.raw() as c:
        equal(c.ok("SETBIT", "k", 7, 1), 0)
        equal(c.ok("SETBIT", "k", 7, 1), 1)
        equal(c.ok("GETBIT", "k", 7), 1)
        equal(c.ok("GETBIT", "k", 1000), 0)
        equal(c.ok("GET", "k"), b"\x01")
        c.ok("SET", "s", "foobar")
        equal(c.ok("BITCOUNT", "s"), 26)
        equal(c.ok("BITCOUNT", "s", 1, 1), 6)
        equal(c.ok("BITCOUNT", "s", 5, 30, "BIT"), 17)
        equal(c.ok("BITPOS", "s", 1), 1)
        equal(c.ok("BITPOS", "s", 0, 2, -1, "BIT"), 3)
        equal(c.ok("BITOP", "AND", "d", "s", "k"), 6)
        equal(c.ok("GET", "d"), b"\x00" * 6)
        equal(c.ok("BITFIELD", "f", "SET", "u8", 0, 255, "INCRBY", "u8", 0,
                   10, "OVERFLOW", "SAT", "INCRBY", "u8", 0, 255),
              [0, 9, 255])
        equal(c.ok("BITFIELD", "f", "OVERFLOW", "FAIL", "INCRBY", "u8", 0, 1),
              [None])
        equal(c.ok("BITFIELD_RO", "f", "GET", "i8", 0), [-1])
        is_error(c.command("BITFIELD_RO", "f", "SET", "u8", 0, 1),
                 "ERR BITFIELD_RO only supports the GET subcommand")
        is_error(c.command("SETBIT", "k", LAST_BIT + 1, 1),
                 "ERR bit offset is not an integer or out of range")


def test_a_sparse_value_of_512_mib_is_quick_to_count_and_search(server):
    with server.raw() as c:
        before = int(server.info("memory")["used_memory"])
        equal(c.ok("SETBIT", "k", LAST_BIT, 1), 0)
        equal(c.ok("STRLEN", "k"), 512 << 20)
        c.ok("SETBIT", "k", 12345, 1)
        start = time.monotonic()
        equal(c.ok("BITCOUNT", "k"), 2)
        equal(c.ok("BITCOUNT", "k", 2000, -1), 1)
        equal(c.ok("BITCOUNT", "k", 12345, LAST_BIT - 1, "BIT"), 1)
        equal(c.ok("BITPOS", "k", 1), 12345)
        equal(c.ok("BITPOS", "k", 1, 2000), LAST_BIT)
        equal(c.ok("BITPOS", "k", 0), 0)
        equal(c.ok("BITFIELD", "k", "GET", "u4", LAST_BIT - 3), [1])
        equal(c.ok("BITOP", "OR", "copy", "k", "none"), 512 << 20)
        equal(c.ok("BITOP", "XOR", "k", "k", "copy"), 512 << 20)
        equal(c.ok("BITCOUNT", "k"), 0)
        equal(c.ok("BITCOUNT", "copy"), 2)
        took = time.monotonic() - start
        assert took < 2, "took %.2f s" % took
        used = int(server.info("memory")["used_memory"]) - before
        assert used < 32 << 20, "two sparse values take %d bytes" % used


def model(operation, values):
    size = max(len(v) for v in values)
    columns = [v + b"\x00" * (size - len(v)) for v in values]
    out = bytearray()
    for bytes_ in zip(*columns):
        first, others = bytes_[0], 0
        for b in bytes_[1:]:
            others |= b
        once = 0
        for i in range(8):
            if sum(b >> i & 1 for b in bytes_) == 1:
                once |= 1 << i
        out.append({"DIFF": first & ~others, "DIFF1": others & ~first,
                    "ANDOR": first & others, "ONE": once}[operation] & 255)
    return bytes(out)


def test_bitop_diff_diff1_andor_one(server):
    rng = random.Random(7)
    with server.raw() as c:
        for operation in ("DIFF", "DIFF1", "ANDOR", "ONE"):
            for size in (1, 9, 1000, 65536, 70001):
                values = [rng.randbytes(max(1, size - 13 * i))
                          for i in range(rng.randrange(2, 5))]
                for i, v in enumerate(values):
                    c.ok("SET", "s%d" % i, v)
                keys = ["s%d" % i for i in range(len(values))]
                # Also into one of the sources.
                for target in ("d", "s0"):
                    equal(c.ok("BITOP", operation, target, *keys), size)
                    got = c.ok("GET", target)
                    assert got == model(operation, values), \
                        "%s of %d bytes into %s" % (operation, size, target)
        is_error(c.command("BITOP", "DIFF", "d", "s1"), "ERR BITOP DIFF")
        is_error(c.command("BITOP", "NOT", "d", "s1", "s2"), "ERR BITOP NOT")
        is_error(c.command("BITOP", "NAND", "d", "s1"), "ERR syntax error")
        equal(c.ok("BITOP", "ONE", "d", "none", "none2"), 0)
        equal(c.ok("EXISTS", "d"), 0)


def test_arguments_are_checked_before_the_key_is_looked_up(server):
    with server.raw() as c:
        for command in (("BITCOUNT", "none", 0, "x"),
                        ("BITPOS", "none", 1, "x"),
                        ("BITCOUNT", "none", 0, 1, "hello"),
                        ("BITPOS", "none", 1, 0, 1, "hello"),
                        ("BITPOS", "none", 2), ("BITCOUNT", "none", 0)):
            is_error(c.command(*command), "ERR")


def test_a_refused_write_still_makes_the_value_long_enough(server):
    with server.raw() as c:
        equal(c.ok("BITFIELD", "k", "OVERFLOW", "FAIL", "INCRBY", "u2", 100,
                   99), [None])
        equal(c.ok("STRLEN", "k"), 13)


def test_bitfield_set_to_what_is_there_is_no_change(server):
    with server.raw() as c:
        def changes(*args):
            before = int(server.info()["rdb_changes_since_last_save"])
            c.ok(*args)
            return int(server.info()["rdb_changes_since_last_save"]) - before

        equal(changes("BITFIELD", "f", "SET", "i5", 0, 0), 1) # the key
        equal(changes("BITFIELD", "f", "SET", "i5", 0, 0), 0)
        equal(changes("BITFIELD", "f", "SET", "u5", 0, 33), 1) # wraps to 1
        equal(changes("BITFIELD", "f", "SET", "u5", 0, 65), 0)
        equal(changes("BITFIELD", "f", "SET", "i5", 90, 0), 1) # length
        equal(changes("BITFIELD", "f", "INCRBY", "i5", 0, 0), 1)
        equal(changes("BITFIELD", "f", "SET", "i5", 90, 0,
                      "SET", "i5", 0, 3), 1)
        equal(c.ok("STRLEN", "f"), 12)


@lib.levels("always", "everysec", "no")
def test_bits_are_there_after_kill_9(server):
    with server.raw() as c:
        c.ok("SETBIT", "sparse", LAST_BIT, 1)
        c.ok("SETBIT", "sparse", 3, 1)
        c.ok("BITFIELD", "f", "SET", "i64", 5, -2, "INCRBY", "u7", 200, 5)
        c.ok("SET", "a", b"\x0f" * 70000)
        c.ok("BITOP", "NOT", "b", "a")
        c.ok("BITOP", "OR", "wide", "a", "sparse")
    server.restart_same()
    with server.raw() as c:
        equal(c.ok("BITCOUNT", "sparse"), 2)
        equal(c.ok("BITPOS", "sparse", 1, 1), LAST_BIT)
        equal(c.ok("GET", "b"), b"\xf0" * 70000)
        equal(c.ok("STRLEN", "wide"), 512 << 20)


lib.main(__name__, range(21300, 21340))
