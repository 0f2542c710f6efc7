# SPDX-License-Identifier: BSD-3-Clause
"""Servers under measurement: start, ask, weigh, stop.

A peer is given as NAME=PROGRAM: anything that takes redis-server's command
line. Ours is build/redoubt-server. All run in fresh directories below
BENCH_DIR (default: the system's temporary directory) on loopback ports.
"""
import glob
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOADER = os.environ.get("LOADER", "redis-benchmark")
# Half the system calls of redis-benchmark.
LEAN_LOADER = os.path.join(ROOT, os.environ.get("BUILD", "build"), "bench",
                           "set_load")
LEVELS = {
    "none": ["--appendonly", "no", "--save", ""],
    "everysec": ["--appendonly", "yes", "--appendfsync", "everysec",
                 "--save", ""],
    "always": ["--appendonly", "yes", "--appendfsync", "always", "--save", ""],
}
_next_port = [int(os.environ.get("BENCH_PORT", "17000"))]


def encode(*words):
    parts = [b"*%d\r\n" % len(words)]
    for w in words:
        if isinstance(w, str):
            w = w.encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(w), w))
    return b"".join(parts)


class Server:
    """One server process in a directory of its own."""

    def __init__(self, name, program, level, extra=(), wrapper=()):
        _next_port[0] += 1
        self.name, self.port = name, _next_port[0]
        self.dir = tempfile.mkdtemp(prefix=f"bench-{name}-",
                                    dir=os.environ.get("BENCH_DIR"))
        self.command = [*wrapper, program, "--port", str(self.port), "--dir",
                        self.dir, *LEVELS[level], *extra]
        self.process, self.groups = None, {}

    def start(self, wait_s=120):
        self.log = open(self.dir + ".out", "ab")
        self.process = subprocess.Popen(self.command, cwd=self.dir,
                                        stdout=self.log, stderr=self.log)
        begin = time.monotonic()
        while time.monotonic() - begin < wait_s:
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} ended with "
                                 f"{self.process.returncode}: {self.tail()}")
            try:
                if self.ask("PING").startswith(b"+PONG"):
                    return time.monotonic() - begin
            except OSError:
                pass
            time.sleep(0.005)
        raise SystemExit(f"{self.name} does not answer: {self.tail()}")

    def tail(self):
        with open(self.dir + ".out", errors="replace") as f:
            return f.read()[-400:]

    def ask(self, *words, timeout=900):
        """One command on a connection of its own; the raw reply."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as s:
            s.settimeout(timeout)
            s.sendall(encode(*words))
            reply = s.recv(1 << 16)
            while reply[:1] == b"$" and reply[:2] != b"$-":
                head, _, rest = reply.partition(b"\r\n")
                if len(rest) >= int(head[1:]) + 2:
                    break
                reply += s.recv(1 << 16)
            return reply

    def info(self, field, section="all"):
        for line in self.ask("INFO", section).decode().split("\r\n"):
            if line.startswith(field + ":"):
                return line.split(":", 1)[1]
        return None

    def cpu_s(self):
        if "cpuacct" in self.groups:
            with open(self.groups["cpuacct"] + "/cpuacct.usage") as f:
                return int(f.read()) / 1e9
        total = 0
        for path in glob.glob(f"/proc/{self.process.pid}/task/*/schedstat"):
            try:
                total += int(open(path).read().split()[0])
            except OSError:
                pass
        return total / 1e9

    def weigh_in_a_group(self):
        """From now on memory() and cpu_s() ask control groups of the kernel
        (version 1), which costs the server nothing and knows children and
        threads that have ended; without the right to make groups they go on
        walking page tables and threads."""
        name = f"bench-{self.process.pid}"
        try:
            for kind in ("memory", "cpuacct"):
                group = f"/sys/fs/cgroup/{kind}/{name}"
                os.mkdir(group)
                self.groups[kind] = group
                with open(group + "/cgroup.procs", "w") as f:
                    f.write(str(self.process.pid))
        except OSError:
            print("       no control groups: weighing disturbs the server")

    def memory(self):
        """Resident and swapped bytes of the process and its children, shared
        pages counted once."""
        if "memory" in self.groups:
            stat = dict(line.split() for line in
                        open(self.groups["memory"] + "/memory.stat"))
            return int(stat["total_rss"]) + int(stat.get("total_swap", 0))
        pids, total = [str(self.process.pid)], 0
        for path in glob.glob(f"/proc/{pids[0]}/task/*/children"):
            try:
                pids += open(path).read().split()
            except OSError:
                pass
        for pid in pids:
            try:
                for line in open(f"/proc/{pid}/smaps_rollup"):
                    if line.startswith(("Pss:", "SwapPss:")):
                        total += int(line.split()[1]) * 1024
            except OSError:
                pass
        return total

    def bytes_of(self, pattern):
        return sum(os.path.getsize(f)
                   for f in glob.glob(os.path.join(self.dir, pattern))
                   if os.path.isfile(f))

    def snapshot_bytes(self):
        return self.bytes_of("snap/*.snap") or self.bytes_of("dump.rdb")

    def newest_snapshot_bytes(self):
        files = glob.glob(os.path.join(self.dir, "snap/*.snap"))
        if files:
            return os.path.getsize(max(files, key=os.path.getmtime))
        return self.bytes_of("dump.rdb")

    def log_bytes(self):
        own = self.info("log_payload_bytes")
        return int(own) if own else self.bytes_of("appendonlydir/*incr*")

    def pipe(self, path):
        subprocess.run(f"redis-cli -p {self.port} --pipe < {path}", shell=True,
                       check=True, stdout=subprocess.DEVNULL)

    def stop(self, signal_kill=False):
        if self.process and self.process.poll() is None:
            (self.process.kill if signal_kill else self.process.terminate)()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def remove(self):
        self.stop(signal_kill=True)
        shutil.rmtree(self.dir, ignore_errors=True)
        for group in self.groups.values():
            os.rmdir(group)
        self.groups = {}
        if os.path.exists(self.dir + ".out"):
            os.unlink(self.dir + ".out")


def load_command(port, words, program=LOADER):
    """The load generator's command line; ended by force after a while: it
    never gives up on a server that has died."""
    return ["timeout", "300", program, "-p", str(port), *words.split()]


def ratios(ours, others, lower_is_better=True):
    """Median, smallest and largest of ours / best other, round by round."""
    best = min if lower_is_better else max
    got = [mine / best(o[i] for o in others)
           for i, mine in enumerate(ours)]
    return statistics.median(got), min(got), max(got)


class Verdicts:
    """Collects one line a row and counts what is met."""

    def __init__(self):
        self.passed = self.failed = 0

    def row(self, name, unit, ours, others, must, lower_is_better=True):
        """ours: list per round; others: {peer: list}."""
        med = statistics.median
        shown = f"{name:34} {med(ours):12.3f} {unit:6}"
        for peer, values in others.items():
            shown += f"  {peer} {med(values):.3f}"
        mid, low, high = ratios(ours, list(others.values()), lower_is_better)
        good = mid <= must if lower_is_better else mid >= must
        self.count(good, f"{shown}  ratio {mid:.2f} ({low:.2f}..{high:.2f})"
                         f" must {'<=' if lower_is_better else '>='} {must}")

    def absolute(self, name, unit, ours, must):
        value = statistics.median(ours)
        self.count(value <= must, f"{name:34} {value:12.3f} {unit:6}"
                                  f"  must <= {must}")

    def count(self, good, text):
        self.passed += good
        self.failed += not good
        print(f"{'met   ' if good else 'MISSED'} {text}", flush=True)
