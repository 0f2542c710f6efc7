# SPDX-License-Identifier: BSD-3-Clause
"""User-space instructions per operation under callgrind (G15).

The same fixed load with 20,000 and with 220,000 operations; the difference is
200,000 operations without start and end. Deterministic, so a gate where clocks
are noisy.
"""
import glob
import os
import re
import subprocess

from servers import Server, load_command

FEW, MANY = 20000, 220000


RANDOM = "-d 64 -r 1000000"
# test, loader arguments, must; what is popped was pushed before.
ROWS = [
    ("get", "-d 64 -r 10000 -t get", 0.60),
    ("set", "-d 64 -r 10000 -t set", 0.60),
    ("rpush", f"{RANDOM} -t rpush", 0.70),
    ("lpop", f"{RANDOM} -t lpop", 0.70),
    ("hset", f"{RANDOM} -t hset", 0.70),
    ("sadd", f"{RANDOM} -t sadd", 0.70),
    ("zadd", f"{RANDOM} -t zadd", 0.70),
    ("xadd", f"{RANDOM} XADD mystream * field __rand_int__", 0.70),
]


def instructions(name, program, words, count):
    server = Server(name, program, "none",
                    wrapper=("valgrind", "--tool=callgrind", "--quiet",
                             "--trace-children=yes",
                             "--callgrind-out-file=callgrind.%p"))
    try:
        server.start()
        if words.endswith("-t lpop"):
            # The same number for both counts: it cancels out.
            load(server, f"-n {MANY} {RANDOM} -t rpush")
        load(server, f"-n {count} {words}")
        server.stop()
        total = 0
        for path in glob.glob(os.path.join(server.dir, "callgrind.*")):
            for line in open(path, errors="replace"):
                found = re.match(r"(?:summary|totals): (\d+)", line)
                if found:
                    total += int(found.group(1))
                    break
        return total
    finally:
        server.remove()


def load(server, words):
    subprocess.run(load_command(server.port, f"-q -c 10 -P 16 {words}"),
                   stdout=subprocess.DEVNULL, check=True)


def run(ours, peers, rounds, verdicts, wanted):
    for test, words, must in ROWS:
        if not wanted(f"G15 instructions {test}"):
            continue
        got = {}
        for name, program in [("redoubt", ours), *peers.items()]:
            few = instructions(name, program, words, FEW)
            many = instructions(name, program, words, MANY)
            got[name] = [(many - few) / (MANY - FEW)]
        verdicts.row(f"G15 instructions {test} P16", "1/op",
                     got.pop("redoubt"), got, must)
