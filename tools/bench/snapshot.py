# SPDX-License-Identifier: BSD-3-Clause
"""What a background snapshot costs the others (G20-G22).

A writer overwrites random keys at a steady rate, a prober asks for one key and
takes the time; the figures during the snapshot are set against those before.
"""
import os
import random
import socket
import statistics
import threading
import time

from memory import feed_file, json200
from servers import Server, encode

KEYS = int(os.environ.get("SNAPSHOT_KEYS", "5000000"))
RATE = 10000


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


class Probe(threading.Thread):
    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.samples, self.going = port, [], True

    def run(self):
        s = socket.create_connection(("127.0.0.1", self.port))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        question = encode("GET", "user:1")
        while self.going:
            begin = time.perf_counter()
            s.sendall(question)
            s.recv(4096)
            self.samples.append((time.perf_counter() - begin) * 1e3)
            time.sleep(0.001)


def write_steadily(port, going):
    s = socket.create_connection(("127.0.0.1", port))
    rnd, value, share = random.Random(1), "x" * 180, RATE // 100
    due = time.monotonic()
    while going.is_set():
        s.sendall(b"".join(encode("SET", f"user:{rnd.randrange(KEYS)}", value)
                           for _ in range(share)))
        left = share * 5
        while left > 0:
            left -= len(s.recv(65536))
        due += 0.01
        time.sleep(max(0, due - time.monotonic()))


def measure(name, program, path):
    server = Server(name, program, "everysec",
                    ["--auto-aof-rewrite-percentage", "0"])
    try:
        server.start()
        server.pipe(path)
        time.sleep(2)
        going = threading.Event()
        going.set()
        threading.Thread(target=write_steadily, args=(server.port, going),
                         daemon=True).start()
        probe = Probe(server.port)
        probe.start()
        time.sleep(6)
        before, probe.samples = probe.samples, []
        base = peak = server.memory()
        server.ask("CONFIG", "RESETSTAT")
        begin = time.monotonic()
        server.ask("BGSAVE")
        time.sleep(0.05)
        while server.info("rdb_bgsave_in_progress") == "1":
            peak = max(peak, server.memory())
            time.sleep(0.1)
        seconds, during = time.monotonic() - begin, probe.samples
        turn = server.info("loop_turn_max_cpu_us")
        probe.going = False
        going.clear()
        return {"ratio": percentile(during, .999) / percentile(before, .999),
                "extra": (peak - base) / base, "seconds": seconds,
                "turn": float(turn) if turn else None}
    finally:
        server.remove()


def run(ours, peers, rounds, verdicts, wanted):
    if not wanted("G20 G21 G22 snapshot"):
        return
    path = feed_file(json200, KEYS)
    got = [measure("redoubt", ours, path) for _ in range(rounds)]
    for name, program in peers.items():
        g = measure(name, program, path)
        print(f"       {name}: p99.9 during/before {g['ratio']:.2f}, extra "
              f"memory {g['extra'] * 100:.1f} %, {g['seconds']:.1f} s")
    os.unlink(path)
    verdicts.absolute("G20 longest turn", "us", [g["turn"] for g in got], 1000)
    verdicts.absolute("G21 p99.9 during / before", "",
                      [statistics.median(g["ratio"] for g in got)], 1.5)
    verdicts.absolute("G22 extra memory", "",
                      [max(g["extra"] for g in got)], 0.05)
