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


def instructions(name, program, test, count):
    server = Server(name, program, "none",
                    wrapper=("valgrind", "--tool=callgrind", "--quiet",
                             "--trace-children=yes",
                             "--callgrind-out-file=callgrind.%p"))
    try:
        server.start()
        subprocess.run(load_command(server.port, f"-q -n {count} -c 10 -P 16"
                                    f" -d 64 -r 10000 -t {test}"),
                       stdout=subprocess.DEVNULL, check=True)
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


def run(ours, peers, rounds, verdicts, wanted):
    for test in ("get", "set"):
        if not wanted(f"G15 instructions {test}"):
            continue
        got = {}
        for name, program in [("redoubt", ours), *peers.items()]:
            few = instructions(name, program, test, FEW)
            many = instructions(name, program, test, MANY)
            got[name] = [(many - few) / (MANY - FEW)]
        verdicts.row(f"G15 instructions {test} P16", "1/op",
                     got.pop("redoubt"), got, 0.60)
