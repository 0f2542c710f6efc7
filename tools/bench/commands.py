#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What every command costs: CPU of the server per command, beside the peers.

usage: tools/bench/commands.py [--only TEXT] [--rounds N] [NAME=PROGRAM ...]

All servers are up, keep a log with appendfsync everysec and hold the same data
(command_rows.py); each row's commands are sent to one after the other, 16 at a
time on 10 connections, in slices of a quarter of a second. Of each server the
cheapest slice counts: what the machine does beside can only add. The rows are
shown as they come, and at the end sorted by the ratio to the best peer. Needs
build/bench/commands_load (make bench-commands makes it).
"""
import argparse
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from command_rows import GROUPS  # noqa: E402
from servers import ROOT, Server, encode  # noqa: E402

BUILD = os.environ.get("BUILD", "build")
LOAD = os.path.join(ROOT, BUILD, "bench", "commands_load")
PIPELINE, CLIENTS, RING = 16, 10, 20000
RING_BYTES = 1 << 25
TOKEN = re.compile(rb"<(\+|=|[.x]?[0-9]+|dump:[^>]*)>")


class Words:
    """Commands of a template, each with its own numbers."""

    def __init__(self, template, dump=None):
        self.random, self.counter, self.dump = random.Random(7), -1, dump
        self.commands = [[TOKEN.split(w) for w in c.encode().split()]
                         for c in template.split(" ; ")]

    def token(self, token):
        if token == b"+":
            self.counter += 1
        if token in (b"+", b"="):
            return b"%d" % self.counter
        if token[:1] == b"d":
            return self.dump(token[5:])
        if token[:1] == b"x":
            value = b"%016x" % self.random.getrandbits(64)
            return value.ljust(int(token[1:]), b"x")[:int(token[1:])]
        if token[:1] == b".":
            return b"%.4f" % (self.random.random() * int(token[1:]))
        return b"%d" % self.random.randrange(int(token))

    def word(self, parts):
        if len(parts) == 1:
            return parts[0]
        return b"".join(self.token(p) if i % 2 else p
                        for i, p in enumerate(parts))

    def write(self, path, count, size_max=None):
        """`count` times the commands of the template; how many in all."""
        written = size = 0
        with open(path, "wb") as f:
            while written < count:
                for command in self.commands:
                    size += f.write(encode(*map(self.word, command)))
                    written += 1
                if size_max and size > size_max:
                    break
        return written


def changes(words):
    return any(len(w) > 1 for c in words.commands for w in c)


def load(server, path, clients, pipeline, seconds, most):
    out = subprocess.run([LOAD, str(server.port), path, str(clients),
                          str(pipeline), str(seconds), str(most)],
                         capture_output=True, text=True)
    if out.returncode:
        raise SystemExit(f"{server.name}: {out.stderr} {server.tail()}")
    count, seconds, errors, *error = out.stdout.split(None, 3)
    return int(count), " ".join(error) if int(errors) else None


class Survey:
    def __init__(self, ours, peers, options):
        extra = ["--auto-aof-rewrite-percentage", "0"]
        self.options, self.rows = options, []
        self.dir = tempfile.mkdtemp(prefix="bench-commands-",
                                    dir=os.environ.get("BENCH_DIR"))
        self.servers = [Server("redoubt", ours, "everysec",
                               [*extra, "--recovery-target", "0"])]
        self.servers += [Server(n, p, "everysec", extra)
                         for n, p in peers.items()]

    def path(self, name):
        return os.path.join(self.dir, name)

    def fill(self, server, commands):
        for template, count in commands:
            path = self.path(re.sub(r"\W", "_", template)[:80] + str(count))
            if not os.path.exists(path):
                Words(template).write(path, count)
            _, error = load(server, path, 1, 100, 600, count)
            if error:
                print(f"       {server.name}: {template[:40]}: {error}")

    def request(self, row, server):
        """The file of a row's commands; one for all, if they can share it."""
        words = Words(row[1], lambda key: self.dump(server, key))
        path = self.path("dump" if "<dump:" in row[1] else "row")
        most = row[2].get("most", RING) if len(row) > 2 else RING
        if path.endswith("dump") or server is self.servers[0]:
            self.count = words.write(path, most if changes(words) else 16,
                                     RING_BYTES)
        return path

    @staticmethod
    def dump(server, key):
        reply = server.ask("DUMP", key)
        return reply[reply.index(b"\n") + 1:-2]

    def slice_of(self, row, server):
        options = row[2] if len(row) > 2 else {}
        self.fill(server, options.get("before", []))
        path = self.request(row, server)
        before = server.cpu_s()
        count, error = load(server, path, options.get("clients", CLIENTS),
                            PIPELINE, self.options.seconds,
                            options.get("most", 1 << 40))
        if error:
            return error
        return (server.cpu_s() - before) / count * 1e6

    def measure(self, row):
        got = {s.name: [] for s in self.servers}
        for _ in range(self.options.rounds):
            for server in self.servers:
                got[server.name].append(self.slice_of(row, server))
        least = {}
        for name, values in got.items():
            numbers = [v for v in values if isinstance(v, float)]
            least[name] = min(numbers) if len(numbers) == len(values) else None
            if least[name] is None:
                print(f"       {row[0]}: {name}: {values[0]}")
        peers = [v for n, v in least.items() if n != "redoubt" and v]
        if least["redoubt"] and peers:
            self.rows.append((least["redoubt"] / min(peers), row[0], least))
            self.show(self.rows[-1])

    @staticmethod
    def show(row):
        ratio, name, least = row
        shown = "  ".join(f"{n} {v:9.2f}" if v else f"{n}      none"
                          for n, v in least.items())
        print(f"{name:26} {ratio:5.2f}  {shown}", flush=True)

    def run(self):
        for server in self.servers:
            server.start()
        for name, data, rows in GROUPS:
            rows = [r for r in rows
                    if re.search(self.options.only, f"{name}: {r[0]}")]
            if not rows:
                continue
            print(f"{name}, us of CPU per command", flush=True)
            for server in self.servers:
                server.ask("FLUSHALL")
                self.fill(server, data)
            for row in rows:
                self.measure(row)

    def summary(self):
        print("\nworst first")
        for row in sorted(self.rows, reverse=True):
            self.show(row)
        ratios = [r[0] for r in self.rows]
        if ratios:
            print(f"{len(ratios)} rows, median {statistics.median(ratios):.2f},"
                  f" {sum(r > 1 for r in ratios)} behind the best peer")

    def remove(self):
        for server in self.servers:
            server.remove()
        shutil.rmtree(self.dir)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.25)
    parser.add_argument("--only", default="",
                        help="pattern of \"group: row\" to be measured")
    parser.add_argument("--ours", default=os.path.join(
        ROOT, BUILD, "redoubt-server"))
    parser.add_argument("peers", nargs="*")
    options = parser.parse_args()
    peers = dict(p.split("=", 1) for p in
                 options.peers or os.environ.get("PEERS", "").split() or
                 ["redis=" + (shutil.which("redis-server") or "")])
    survey = Survey(options.ours, peers, options)
    try:
        survey.run()
        survey.summary()
    finally:
        survey.remove()


main()
