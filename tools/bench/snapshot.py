# SPDX-License-Identifier: BSD-3-Clause
"""What a background snapshot costs the others (G20-G22).

A writer overwrites random keys at a steady rate, a prober asks for one key and
takes the time; the figures during the snapshot are set against those before.
Both are processes of their own, and what watches the server looks at it in the
same way before and during: nothing of the measurement falls on one side only.
The time before is halved for an A/A figure: what the machine alone does. The
longest turn, too, is told for the time before: a machine that takes the processor
away shows it in a thread's CPU time, and a longer time catches more of that.
"""
import multiprocessing
import os
import random
import socket
import statistics
import time

from memory import feed_file, json200
from servers import Server, encode

KEYS = int(os.environ.get("SNAPSHOT_KEYS", "5000000"))
RATE = 10000
BEFORE_S = 12


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def probe(port, pipe):
    """Takes times until something comes in on the pipe, then sends the pairs
    (when, milliseconds)."""
    s = socket.create_connection(("127.0.0.1", port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    question, samples = encode("GET", "user:1"), []
    while not pipe.poll():
        begin = time.monotonic()
        s.sendall(question)
        s.recv(4096)
        samples.append((begin, (time.monotonic() - begin) * 1e3))
        time.sleep(0.001)
    pipe.send(samples)


def write_steadily(port):
    s = socket.create_connection(("127.0.0.1", port))
    rnd, value, share = random.Random(1), "x" * 180, RATE // 100
    due = time.monotonic()
    while True:
        s.sendall(b"".join(encode("SET", f"user:{rnd.randrange(KEYS)}", value)
                           for _ in range(share)))
        left = share * 5
        while left > 0:
            left -= len(s.recv(65536))
        due += 0.01
        time.sleep(max(0, due - time.monotonic()))


def watch(server, going):
    """The largest memory seen while going() says so, asked ten times a
    second."""
    peak = 0
    while going():
        peak = max(peak, server.memory())
        time.sleep(0.1)
    return peak


def snapshot_under_load(server):
    """Begin and end of a quiet time, then of a snapshot; memory and turns."""
    server.ask("CONFIG", "RESETSTAT")
    begin = time.monotonic()
    base = watch(server, lambda: time.monotonic() < begin + BEFORE_S and
                 server.info("rdb_bgsave_in_progress") == "0")
    calm = server.info("loop_turn_max_cpu_us")
    server.ask("CONFIG", "RESETSTAT")
    middle = time.monotonic()
    server.ask("BGSAVE")
    peak = watch(server,
                 lambda: server.info("rdb_bgsave_in_progress") == "1")
    turn = server.info("loop_turn_max_cpu_us")
    return {"times": (begin, middle, time.monotonic()),
            "extra": (peak - base) / base,
            "turn": float(turn) if turn else None, "calm": calm}


def measure(name, program, path):
    server = Server(name, program, "everysec",
                    ["--auto-aof-rewrite-percentage", "0"])
    helpers = []
    try:
        server.start()
        server.weigh_in_a_group()
        server.pipe(path)
        time.sleep(2)
        mine, its = multiprocessing.Pipe()
        for work, args in ((write_steadily, (server.port,)),
                           (probe, (server.port, its))):
            helpers.append(multiprocessing.Process(target=work, args=args,
                                                   daemon=True))
            helpers[-1].start()
        time.sleep(2)
        got = snapshot_under_load(server)
        mine.send("stop")
        samples = mine.recv()
    finally:
        for h in helpers:
            h.kill()
        server.remove()
    begin, middle, end = got["times"]

    def tail(start, stop):
        return percentile([ms for t, ms in samples if start <= t < stop], .999)

    half = (begin + middle) / 2
    got["ratio"] = tail(middle, end) / tail(begin, middle)
    got["alike"] = tail(half, middle) / tail(begin, half)
    print(f"       {name}: p99.9 {tail(begin, middle):.2f} ms before, "
          f"{tail(middle, end):.2f} during: {got['ratio']:.2f} (A/A "
          f"{got['alike']:.2f}), extra memory {got['extra'] * 100:.1f} %, "
          f"{end - middle:.1f} s, longest turn {got['turn']} us (before "
          f"{got['calm']})", flush=True)
    return got


def run(ours, peers, rounds, verdicts, wanted):
    if not wanted("G20 G21 G22 snapshot"):
        return
    path = feed_file(json200, KEYS)
    got = [measure("redoubt", ours, path) for _ in range(rounds)]
    for name, program in peers.items():
        measure(name, program, path)
    os.unlink(path)
    verdicts.absolute("G20 longest turn", "us", [g["turn"] for g in got], 1000)
    verdicts.absolute("G21 p99.9 during / before", "",
                      [statistics.median(g["ratio"] for g in got)], 1.5)
    verdicts.absolute("G22 extra memory", "",
                      [max(g["extra"] for g in got)], 0.05)
