# SPDX-License-Identifier: BSD-3-Clause
"""Bytes per element, snapshot time and size, start from a snapshot."""
import os
import tempfile
import time

from servers import Server, encode


def str16(n):
    for i in range(n):
        yield encode("SET", f"key:{i:012d}", f"val-{i:012d}")


def str_ttl(n):
    for i in range(n):
        yield encode("SET", f"session:{i:012d}", f"{i:064d}", "EX", "86400")


def str_int(n):
    for i in range(n):
        yield encode("SET", f"ctr:{i}", str(i * 7))


def json200(n):
    for i in range(n):
        yield encode("SET", f"user:{i}", (
            '{"id":%d,"name":"user-%d","email":"u%d@example.org","roles":'
            '["reader","writer"],"created":"2024-05-%02dT10:00:00Z",'
            '"active":true,"score":%d}') % (i, i, i, i % 28 + 1,
                                            i * 31 % 1000))


def hash8(n):
    for i in range(n // 8):
        yield encode("HSET", f"h:{i}", *(
            w for j in range(8) for w in (f"field{j}", f"value-{i}-{j}")))


def zset1m(n):
    for i in range(0, n, 100):
        yield encode("ZADD", "board", *(
            w for j in range(i, i + 100)
            for w in (str(j * 2654435761 % 1000003), f"player:{j}")))


def set_big(n):
    for i in range(0, n, 100):
        yield encode("SADD", "members",
                     *(f"member:{j}" for j in range(i, i + 100)))


def list1m(n):
    for i in range(0, n, 100):
        yield encode("RPUSH", "queue",
                     *(f"job-{j:012d}-payload" for j in range(i, i + 100)))


def stream(n):
    for i in range(n):
        yield encode("XADD", "events", "*", "type", "click", "user",
                     str(i % 1000), "page", f"/p/{i % 97}")


# shape, must per element, must of snapshot bytes (None: not asked),
# must of start time
SHAPES = [(str16, 0.83, 0.40, 0.45), (str_ttl, 0.80, None, None),
          (str_int, 0.78, None, None), (json200, 0.92, 0.30, 0.45),
          (hash8, 0.88, None, 0.5), (zset1m, 0.73, None, 0.5),
          (set_big, 0.81, None, 0.5), (list1m, 1.02, None, 1.0),
          (stream, 1.02, None, 1.0)]
SIZES = [1000000, 1250000, 1500000, 1750000]


def feed_file(shape, n):
    with tempfile.NamedTemporaryFile(delete=False) as f:
        for command in shape(n):
            f.write(command)
        return f.name


def bytes_per_element(name, program, path, n):
    server = Server(name, program, "none")
    try:
        server.start()
        before = server.memory()
        server.pipe(path)
        time.sleep(2)
        return (server.memory() - before) / n
    finally:
        server.remove()


def save_and_load(name, program, path):
    """Seconds and CPU seconds of SAVE, bytes, seconds of a start with data
    less that of an empty one."""
    server = Server(name, program, "none")
    try:
        empty = server.start()
        server.weigh_in_a_group()
        server.pipe(path)
        time.sleep(1)
        cpu, begin = server.cpu_s(), time.monotonic()
        server.ask("SAVE")
        save = time.monotonic() - begin
        cpu = server.cpu_s() - cpu
        size = server.newest_snapshot_bytes()
        server.stop()
        return save, cpu, size, max(server.start() - empty, 0.001)
    finally:
        server.remove()


def run(ours, peers, rounds, verdicts, wanted):
    servers = [("redoubt", ours), *peers.items()]
    for shape, memory_must, size_must, load_must in SHAPES:
        label = shape.__name__
        if wanted(f"memory {label}"):
            got = {name: [] for name, _ in servers}
            for n in SIZES:
                path = feed_file(shape, n)
                for name, program in servers:
                    got[name].append(bytes_per_element(name, program, path, n))
                os.unlink(path)
            mean = {k: [sum(v) / len(v)] for k, v in got.items()}
            verdicts.row(f"memory {label}", "B/el", mean.pop("redoubt"), mean,
                         memory_must)
        if load_must is None or not wanted(f"G23 G24 G26 {label}"):
            continue
        path = feed_file(shape, 1000000)
        got = {name: [] for name, _ in servers}
        for _ in range(rounds):
            for name, program in servers:
                got[name].append(save_and_load(name, program, path))
        os.unlink(path)
        for i, (row, unit, must) in enumerate((
                ("G23 snapshot wall", "s", 1.0), ("G23 snapshot cpu", "s", 0.8),
                ("G24 snapshot size", "B", size_must),
                ("G26 start", "s", load_must))):
            mine = [g[i] for g in got["redoubt"]]
            if must is None:
                continue
            verdicts.row(f"{row} {label}", unit, mine,
                         {p: [g[i] for g in got[p]] for p in peers}, must)
