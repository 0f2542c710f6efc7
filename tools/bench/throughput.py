# SPDX-License-Identifier: BSD-3-Clause
"""Throughput, latency and CPU per operation beside the peers (G2-G11), and of
one command of each type."""
import csv
import io
import os
import subprocess
import time

from servers import LEAN_LOADER, LOADER, Server, load_command

VALUE = "-d 64 -r 1000000"
XADD = "-r 1000000 XADD mystream * field __rand_int__"
# name, level, loader arguments, beside it, operations, [(figure, must)]
# rps: higher is better; p99 and cpu: lower.
ROWS = [
    ("G2 G6 get P16", "none", f"-c 50 -P 16 {VALUE} -t get", None, 1000000,
     [("cpu", 0.90), ("rps", 1.00)]),
    ("G3 set P16", "none", f"-c 50 -P 16 {VALUE} -t set", None, 1000000,
     [("cpu", 0.80)]),
    ("G4 G6 set P16 everysec", "everysec", f"-c 50 -P 16 {VALUE} -t set", None,
     1000000, [("cpu", 0.70), ("rps", 1.3)]),
    ("G5 zadd P16 everysec", "everysec", f"-c 50 -P 16 {VALUE} -t zadd", None, 1000000,
     [("cpu", 0.60), ("rps", 1.2)]),
    ("lpush P16", "none", f"-c 50 -P 16 {VALUE} -t lpush", None, 1000000,
     [("rps", 0.97)]),
    ("rpush P16", "none", f"-c 50 -P 16 {VALUE} -t rpush", None, 1000000,
     [("rps", 0.97)]),
    ("lpop P16", "none", f"-c 50 -P 16 {VALUE} -t lpop", None, 1000000,
     [("rps", 0.97)]),
    ("hset P16", "none", f"-c 50 -P 16 {VALUE} -t hset", None, 1000000,
     [("rps", 0.97)]),
    ("sadd P16", "none", f"-c 50 -P 16 {VALUE} -t sadd", None, 1000000,
     [("rps", 0.97)]),
    ("zadd P16", "none", f"-c 50 -P 16 {VALUE} -t zadd", None, 1000000,
     [("rps", 1.2)]),
    ("xadd P16", "none", f"-c 50 -P 16 {XADD}", None, 1000000,
     [("rps", 1.2)]),
    ("G7 set c1 always", "always", f"-c 1 -P 1 {VALUE} -t set", None, 20000,
     [("rps", 1.35), ("p99", 0.80), ("cpu", 0.65)]),
    ("G8 set c50 always", "always", f"-c 50 -P 1 {VALUE} -t set", None, 200000,
     [("rps", 1.20), ("p99", 0.80)]),
    ("G9 set c500 always", "always", f"-c 500 -P 1 {VALUE} -t set", None,
     200000, [("rps", 1.10), ("p99", 0.80)]),
    ("G10 set c50 P16 always", "always", f"-c 50 -P 16 {VALUE} -t set", None,
     1000000, [("rps", 1.35)]),
    ("G11 get beside set always", "always", f"-c 50 -P 1 {VALUE} -t get",
     f"-c 8 -P 1 {VALUE} -t set -n 1000000000", 200000,
     [("rps", 1.2), ("p99", 0.7)]),
]
# The durable rows again with a load generator that leaves the server to be the
# bottleneck: with many connections redis-benchmark is.
ROWS += [(f"{row[0]} lean", *row[1:]) for row in ROWS
         if row[0][:3] in ("G7 ", "G8 ", "G9 ", "G10")]

SLICES = 3  # slices of a row's operations a round


def loader(port, words, program=LOADER):
    ran = subprocess.run(load_command(port, f"--csv {words}", program),
                         capture_output=True, text=True)
    rows = [r for r in csv.reader(io.StringIO(ran.stdout))
            if len(r) > 7 and r[0] != "test"]
    if not rows:
        raise SystemExit(f"{program} {words} gave no figures: {ran.stdout}"
                         f"{ran.stderr}")
    return float(rows[-1][1]), float(rows[-1][6])


def warm(server):
    """Steady state of a log: files used before, an idle disk.

    A first life writes new files; after a rewrite a server that recycles its
    log has blocks to overwrite. All servers get the same."""
    loader(server.port, f"-n 20000 -c 50 -P 1 {VALUE} -t set")
    loader(server.port, f"-n 1500000 -c 50 -P 32 {VALUE} -t set")
    server.ask("BGREWRITEAOF")


def fill(server, level, words):
    server.start()
    if level == "always":
        warm(server)
    if "-t get" in words:
        loader(server.port, f"-n 400000 -c 50 -P 32 {VALUE} -t set")
    if "-t lpop" in words:
        loader(server.port, f"-n 4000000 -c 50 -P 32 {VALUE} -t rpush")


def slice_of(server, row, count):
    name, _, words, beside, _, _ = row
    program = LEAN_LOADER if name.endswith(" lean") else LOADER
    side = None
    try:
        if beside:
            side = subprocess.Popen(load_command(server.port, f"-q {beside}"),
                                    stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL)
            time.sleep(0.5)
        before = server.cpu_s()
        rps, p99 = loader(server.port, f"-n {count} {words}", program)
        return {"rps": rps, "p99": p99,
                "cpu": (server.cpu_s() - before) / count * 1e6}
    finally:
        if side:
            side.kill()
            side.wait()


def measure(programs, row, rounds):
    """Each round is a slice of every server, all of them up and warm: what the
    machine does beside hits them alike."""
    _, level, words, _, count, _ = row
    servers = {n: Server(n, p, level) for n, p in programs.items()}
    got = {name: [] for name in programs}
    try:
        for server in servers.values():
            fill(server, level, words)
        os.sync()
        time.sleep(3)
        for _ in range(rounds * SLICES):
            for name, server in servers.items():
                got[name].append(slice_of(server, row, count // SLICES))
                time.sleep(0.2)
    finally:
        for server in servers.values():
            server.remove()
    return got


def run(ours, peers, rounds, verdicts, wanted):
    for row in ROWS:
        if not wanted(row[0]):
            continue
        got = measure({"redoubt": ours, **peers}, row, rounds)
        for figure, must in row[5]:
            mine = [g[figure] for g in got["redoubt"]]
            theirs = {p: [g[figure] for g in got[p]] for p in peers}
            unit = {"rps": "1/s", "p99": "ms", "cpu": "us/op"}[figure]
            verdicts.row(f"{row[0]} {figure}", unit, mine, theirs, must,
                         figure != "rps")
