#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes inputs of fuzz_command.c of sequences of commands as text:
seeds.py FILE FOLDER."""

import os
import sys

ARGUMENT_MAX = 41
TWO_WORDS = ("xgroup", "xinfo", "object", "client", "config", "memory",
             "command", "slowlog", "latency", "acl", "function", "script")


def name_hash(name):
    """That of put_name."""
    h = 2166136261
    for byte in name.encode():
        h = (h ^ byte) * 16777619 & 0xffffffff
    return (h ^ h >> 16) & 0xffff


def command(words):
    name, rest = words[0].lower(), words[1:]
    if name in TWO_WORDS:
        name, rest = name + "|" + rest[0].lower(), rest[1:]
    out = bytes([0]) + name_hash(name).to_bytes(2, "big") + bytes([len(rest)])
    for word in rest:
        text = word.encode()[:ARGUMENT_MAX]
        out += bytes([4 + 6 * len(text)]) + text
    return out


def sequence(lines):
    out = b""
    for i, line in enumerate(lines):
        out += command(line.split())
        if i % 4 == 3:
            out += b"\0"  # time passes
    return out


def main():
    with open(sys.argv[1], encoding="ascii") as f:
        text = "\n".join(line for line in f.read().split("\n")
                         if not line.startswith("#"))
    for i, part in enumerate(text.strip().split("\n\n")):
        path = os.path.join(sys.argv[2], "seed-%03d" % i)
        with open(path, "wb") as f:
            f.write(sequence(part.strip().split("\n")))


main()
