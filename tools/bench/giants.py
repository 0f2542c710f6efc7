#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What one value of many elements costs the others: a hash, a set, a sorted
set, a list and a stream of 10,000,000 elements each.

usage: tools/bench/giants.py [--elements N] [--size BYTES] [--only TYPE]
                             [--rows TEXT] [--rounds R] [NAME=PROGRAM ...]

Of ours, per type:
  snapshot   loop_turn_max_cpu_us while a snapshot passes under load
  UNLINK, DEL, expiry   the same while the value is deleted, and the seconds
             until the memory is back (but for 5 % of what the value took,
             and 8 MiB)
  commands   the same while one command does something to the value that needs
             no reply of its size; what must look at each element is listed
             as it is
  scan       HSCAN, SSCAN, ZSCAN while the value grows: all that was there
  load       seconds from snap/ to the first reply, less an empty start, as a
             share of the peers' with their dump.rdb
--size makes elements (of hashes: values) of that many bytes.
Turns and memory are medians of R rounds; beside a snapshot's turn stands the
longest of the same load without one, which is the machine's share. Not part of
tools/bench/run: it takes some GB and many minutes.
"""
import argparse
import os
import shutil
import socket
import sys
import tempfile
import threading
import time

from servers import ROOT, Server, Verdicts, encode

sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
import lib  # noqa: E402

TURN_US = 1000
BACK_S = 5.0
SLACK = 8 << 20  # buffers of the log and of clients, whatever the value
RUN = 200  # elements in one command
padding = b""


def members(first, count):
    return [b"member:%09d%b" % (i, padding)
            for i in range(first, first + count)]


def add_hash(first, count):
    return encode("HSET", "giant", *(
        w for i in range(first, first + count)
        for w in (b"member:%09d" % i, b"value-%06d%b" % (i % 1000000,
                                                         padding))))


def add_set(first, count):
    return encode("SADD", "giant", *members(first, count))


def add_zset(first, count):
    return encode("ZADD", "giant", *(
        w for i, m in enumerate(members(first, count))
        for w in (b"%d" % ((first + i) * 2654435761 % 1000003), m)))


def add_list(first, count):
    return encode("RPUSH", "giant", *members(first, count))


def add_stream(first, count):
    return b"".join(encode("XADD", "giant", "*", "member", m)
                    for m in members(first, count))


def write_one(kind, i, count):
    """A small change somewhere in the value."""
    m = members(i * 7919 % count, 1)[0]
    return {"hash": lambda: encode("HSET", "giant", m, b"new-%d" % i),
            "set": lambda: encode("SREM" if i % 2 else "SADD", "giant", m),
            "zset": lambda: encode("ZADD", "giant", str(i), m),
            "list": lambda: encode("LSET", "giant", str(i % 1000), b"new"),
            "stream": lambda: encode("XADD", "giant", "*", "member", m),
            }[kind]()


# type: what adds elements, what iterates, must of the start's time
TYPES = {"hash": (add_hash, "HSCAN", 0.5), "set": (add_set, "SSCAN", 0.5),
         "zset": (add_zset, "ZSCAN", 0.5), "list": (add_list, None, 1.0),
         "stream": (add_stream, None, 1.0)}


def feed(kind, n):
    """A file with the commands that make the value."""
    add = TYPES[kind][0]
    with tempfile.NamedTemporaryFile(delete=False) as f:
        for first in range(0, n, RUN):
            f.write(add(first, min(RUN, n - first)))
        return f.name


class Load(threading.Thread):
    """Small keys, and the value itself if wanted, at a steady rate."""

    def __init__(self, port, kind, count, touch):
        super().__init__(daemon=True)
        self.args = (kind, count, touch)
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(60)
        self.going, self.done = True, 0

    def run(self):
        kind, count, touch = self.args
        replies, due = self.socket.makefile("rb"), time.monotonic()
        while self.going:
            batch = [encode("SET", b"small:%d" % (self.done + i), b"x" * 64)
                     for i in range(40)]
            if touch:
                batch += [write_one(kind, self.done + i, count)
                          for i in range(10)]
            self.socket.sendall(b"".join(batch))
            for _ in batch:
                line = replies.readline()
                if line[:1] == b"$":  # XADD's ID
                    replies.readline()
            self.done += len(batch)
            due += 0.01
            time.sleep(max(0, due - time.monotonic()))

    def stop(self):
        self.going = False
        self.join()
        self.socket.close()


def longest_turn(server):
    return float(server.info("loop_turn_max_cpu_us") or "nan")


def start_with(program, name, path):
    server = Server(name, program, "everysec",
                    ["--auto-aof-rewrite-percentage", "0"])
    server.start()
    server.pipe(path)
    time.sleep(2)
    return server


def during_snapshot(ours, kind, path, n):
    server = start_with(ours, "redoubt", path)
    try:
        load = Load(server.port, kind, n, True)
        load.start()
        time.sleep(1)
        server.ask("CONFIG", "RESETSTAT")
        time.sleep(5)
        calm = longest_turn(server)
        server.ask("CONFIG", "RESETSTAT")
        begin = time.monotonic()
        server.ask("BGSAVE")
        time.sleep(0.05)
        while server.info("rdb_bgsave_in_progress") == "1":
            time.sleep(0.05)
        took, turn = time.monotonic() - begin, longest_turn(server)
        load.stop()
        print(f"       {kind}: snapshot of {took:.1f} s beside "
              f"{load.done} writes, longest turn {turn:.0f} us, before "
              f"{calm:.0f}", flush=True)
        return turn
    finally:
        server.remove()


def during_deletion(ours, kind, path, how):
    """The longest turn, and seconds until the memory is back."""
    server = Server("redoubt", ours, "everysec",
                    ["--auto-aof-rewrite-percentage", "0"])
    try:
        server.start()
        server.weigh_in_a_group()
        # The load's own keys come first: they shall not count as memory.
        load = Load(server.port, kind, 1, False)
        empty = server.memory()
        server.pipe(path)
        time.sleep(2)
        full = server.memory()
        load.start()
        time.sleep(0.5)
        server.ask("CONFIG", "RESETSTAT")
        begin = time.monotonic()
        if how == "expiry":
            server.ask("PEXPIRE", "giant", "100")
            begin += 0.1
        else:
            server.ask(how, "giant")
        enough = empty + (full - empty) * 0.05 + SLACK
        while time.monotonic() - begin < 60:
            if server.memory() - load.done * 200 <= enough:
                break
            time.sleep(0.05)
        back, turn = time.monotonic() - begin, longest_turn(server)
        load.stop()
        return turn, back
    finally:
        server.remove()


def pending_of(server, consumers):
    """Everything in the stream is delivered to these by turns."""
    server.ask("XGROUP", "CREATE", "giant", "g", "0")
    with tempfile.NamedTemporaryFile(delete=False) as f:
        for i in range(int(server.ask("XLEN", "giant")[1:]) // 1000 + 1):
            f.write(encode("XREADGROUP", "GROUP", "g",
                           consumers[i % len(consumers)], "COUNT", "1000",
                           "STREAMS", "giant", ">"))
    server.pipe(f.name)
    os.unlink(f.name)


def keys_with_a_deadline(server, n):
    at = int(time.time() * 1000) + 5000 + n // 200
    with tempfile.NamedTemporaryFile(delete=False) as f:
        for i in range(n):
            f.write(encode("SET", b"due:%09d" % i, b"x" * 64, "PXAT",
                           str(at)))
    server.pipe(f.name)
    os.unlink(f.name)
    time.sleep(max(0, at / 1000 - time.time()))


def fields_with_a_deadline(server, n):
    at = int(time.time() * 1000) + 5000 + n // 200
    with tempfile.NamedTemporaryFile(delete=False) as f:
        for first in range(0, n, RUN):
            f.write(encode("HPEXPIREAT", "giant", str(at), "FIELDS", str(RUN),
                           *(b"member:%09d" % i
                             for i in range(first, first + RUN))))
    server.pipe(f.name)
    os.unlink(f.name)
    server.ask("CONFIG", "RESETSTAT")
    time.sleep(max(0, at / 1000 - time.time()))


def one_by_one(kind, count):
    """Elements that are not there yet, a command each."""
    def prepare(server, n):
        add = TYPES[kind][0]
        with tempfile.NamedTemporaryFile(delete=False) as f:
            for i in range(n, n + count):
                f.write(add(i, 1))
        server.ask("CONFIG", "RESETSTAT")
        server.pipe(f.name)
        os.unlink(f.name)
    return prepare


def asks(*words):
    return lambda server, n: server.ask(*words)


GROUP = ("XREADGROUP", "GROUP", "g", "c", "COUNT", "10", "CLAIM", "0",
         "STREAMS", "giant", ">")
ANY = [("RENAME over it", asks("SET", "k", "v"), "RENAME k giant"),
       ("SET over it", None, "SET giant v"),
       ("RENAME of it", None, "RENAME giant k"),
       ("FLUSHALL SYNC", None, "FLUSHALL SYNC"),
       ("FLUSHALL ASYNC", None, "FLUSHALL ASYNC"),
       ("SWAPDB", None, "SWAPDB 0 1"),
       ("MEMORY USAGE", None, "MEMORY USAGE giant"),
       ("MEMORY PURGE", asks("UNLINK", "giant"), "MEMORY PURGE"),
       ("smaller packed limits", None,
        "CONFIG SET hash-max-listpack-entries 1 set-max-listpack-entries 1 "
        "zset-max-listpack-entries 1 list-max-listpack-size 16"),
       ("BGSAVE", None, "BGSAVE"),
       ("COPY", None, "COPY giant k")]
# type: what is prepared, and the command; {n}, {half}: of the elements
COMMANDS = {
    "hash": [("fields due", fields_with_a_deadline, "PING"),
             ("keys due", keys_with_a_deadline, "PING")],
    "set": [("SINTERSTORE over it", asks("SADD", "s", "a"),
             "SINTERSTORE giant s s"),
            ("SPOP half", None, "SPOP giant {half}")],
    "zset": [("ZREMRANGEBYRANK all", None, "ZREMRANGEBYRANK giant 0 -1"),
             ("ZREMRANGEBYRANK half", None,
              "ZREMRANGEBYRANK giant 0 {half}"),
             ("ZRANGESTORE over it", asks("ZADD", "z", "1", "a"),
              "ZRANGESTORE giant z 0 -1")],
    "list": [("LTRIM to one", None, "LTRIM giant 0 0"),
             ("LTRIM to half", None, "LTRIM giant {half} -1"),
             ("LTRIM of the middle", None, "LTRIM giant 1000 -1000")],
    "stream": [("XTRIM MAXLEN 0", None, "XTRIM giant MAXLEN 0"),
               ("XTRIM MAXLEN half", None, "XTRIM giant MAXLEN {half}"),
               ("XGROUP DESTROY",
                lambda s, n: pending_of(s, ["c"]), "XGROUP DESTROY giant g"),
               ("XGROUP DELCONSUMER, the only one",
                lambda s, n: pending_of(s, ["c"]),
                "XGROUP DELCONSUMER giant g c"),
               ("XGROUP DELCONSUMER, one of two",
                lambda s, n: pending_of(s, ["c", "d"]),
                "XGROUP DELCONSUMER giant g c"),
               ("UNLINK with a group",
                lambda s, n: pending_of(s, ["c", "d"]), "UNLINK giant"),
               ("XREADGROUP CLAIM",
                lambda s, n: pending_of(s, ["c", "d"]), " ".join(GROUP))],
}


def longest_of(ours, kind, path, n, row):
    """The longest turn from a command on, until all is quiet again."""
    name, prepare, command = row
    server = start_with(ours, "redoubt", path)
    try:
        server.ask("CONFIG", "RESETSTAT")
        if prepare:
            prepare(server, n)
        time.sleep(1)
        if not name.startswith(("fields", "keys", "one by one")):
            server.ask("CONFIG", "RESETSTAT")
        server.ask(*command.format(n=n, half=n // 2).split())
        time.sleep(1)
        while server.info("lazyfree_pending_objects") != "0" or \
                server.info("rdb_bgsave_in_progress") != "0":
            time.sleep(0.1)
        return longest_turn(server)
    finally:
        server.remove()


def during_commands(ours, kind, path, n, a, verdicts):
    rows = ANY + COMMANDS[kind] + [
        ("one by one more", one_by_one(kind, n // 10), "PING")]
    for row in rows:
        if a.match in row[0]:
            verdicts.absolute(f"{kind}: {row[0]}", "us",
                              [longest_of(ours, kind, path, n, row)
                               for _ in range(a.rounds)], TURN_US)


def scan_while_growing(ours, kind, n):
    """Members that were there throughout and were not returned."""
    add, scan, _ = TYPES[kind]
    server = Server("redoubt", ours, "none")
    try:
        server.start()
        first = max(n // 10, RUN) // RUN * RUN
        adder = lib.Raw(server.port)
        scanner = lib.Raw(server.port, timeout=600)
        for at in range(0, first, RUN):
            adder.send(add(at, RUN))
            adder.read()
        seen, cursor, at = set(), b"0", first
        step = 1 if kind == "set" else 2
        while True:
            cursor, part = scanner.ok(scan, "giant", cursor, "COUNT", 500)
            seen.update(int(m[7:16]) for m in part[::step]
                        if int(m[7:16]) < first)
            if cursor == b"0":
                break
            for _ in range(10):
                if at < n:
                    adder.send(add(at, RUN))
                    adder.read()
                    at += RUN
        print(f"       {scan}: {first} members while growing to {at}")
        return first - len(seen)
    finally:
        server.remove()


def load_time(name, program, path):
    server = Server(name, program, "none")
    try:
        empty = server.start()
        server.pipe(path)
        server.ask("SAVE")
        server.stop()
        return max(server.start(600) - empty, 0.001)
    finally:
        server.remove()


def measure(kind, a, peers, verdicts):
    n, ours = a.elements // RUN * RUN, a.ours
    path = feed(kind, n)
    try:
        if a.rows in "snapshot":
            verdicts.absolute(f"{kind} turn beside a snapshot", "us",
                              [during_snapshot(ours, kind, path, n)
                               for _ in range(a.rounds)], TURN_US)
        for how in ("UNLINK", "DEL", "expiry"):
            if a.rows not in how:
                continue
            got = [during_deletion(ours, kind, path, how)
                   for _ in range(a.rounds)]
            verdicts.absolute(f"{kind} turn, {how}", "us",
                              [turn for turn, _ in got], TURN_US)
            verdicts.absolute(f"{kind} memory back, {how}", "s",
                              [back for _, back in got], BACK_S)
        if a.rows in "commands":
            during_commands(ours, kind, path, n, a, verdicts)
        if TYPES[kind][1] and a.rows in "scan":
            verdicts.absolute(f"{kind} members missed by the iteration", "",
                              [scan_while_growing(ours, kind, n)], 0)
        if a.rows in "load":
            verdicts.row(f"G26 start {kind}", "s",
                         [load_time("redoubt", ours, path)],
                         {name: [load_time(name, program, path)]
                          for name, program in peers.items()}, TYPES[kind][2])
    finally:
        os.unlink(path)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--elements", type=int, default=10000000)
    parser.add_argument("--only", default="", help="hash, set, zset, …")
    parser.add_argument("--rows", default="",
                        help="snapshot, UNLINK, DEL, expiry, commands, scan "
                             "or load")
    parser.add_argument("--match", default="",
                        help="of the commands: those with this in their name")
    parser.add_argument("--size", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--ours", default=os.path.join(
        ROOT, os.environ.get("BUILD", "build"), "redoubt-server"))
    parser.add_argument("peers", nargs="*")
    a = parser.parse_args()
    global padding
    padding = b"x" * max(0, a.size - 16)
    peers = dict(p.split("=", 1)
                 for p in a.peers or os.environ.get("PEERS", "").split())
    if not peers:
        peers = {"redis": shutil.which("redis-server")}
    verdicts = Verdicts()
    for kind in TYPES:
        if a.only in ("", kind):
            measure(kind, a, peers, verdicts)
    print(f"{verdicts.passed} passed, {verdicts.failed} failed")
    return verdicts.failed > 0


sys.exit(main())
