# SPDX-License-Identifier: BSD-3-Clause
"""Start from the log alone (G27) and log payload per SET (G28)."""
import os
import random
import subprocess
import tempfile
import time

from servers import Server, encode, load_command

RECORDS = 5000000
NO_REWRITE = ["--auto-aof-rewrite-percentage", "0"]
# A snapshot for the sake of recovery time would hide what is measured.
OWN = ["--recovery-target", "0"]


def feed():
    rnd = random.Random(7)
    with tempfile.NamedTemporaryFile(delete=False) as f:
        for i in range(RECORDS):
            f.write(encode("SET", f"user:{rnd.randrange(RECORDS // 2)}",
                           f"value-{i:058d}"))
        return f.name


def start_from_log(name, program, path):
    server = Server(name, program, "everysec",
                    NO_REWRITE + (OWN if name == "redoubt" else []))
    try:
        empty = server.start()
        server.pipe(path)
        time.sleep(2)
        keys = server.ask("DBSIZE")
        server.stop(signal_kill=True)
        seconds = server.start() - empty
        if server.ask("DBSIZE") != keys:
            raise SystemExit(f"{name}: keys differ after the restart")
        return seconds / RECORDS * 1e6
    finally:
        server.remove()


def bytes_per_set(name, program):
    server = Server(name, program, "everysec",
                    NO_REWRITE + (OWN if name == "redoubt" else []))
    try:
        server.start()
        before, n = server.log_bytes(), 500000
        subprocess.run(load_command(server.port, f"-q -n {n} -c 50 -P 16 -d 64"
                                    " -r 1000000 -t set"),
                       stdout=subprocess.DEVNULL, check=True)
        time.sleep(1.5)
        return (server.log_bytes() - before) / n
    finally:
        server.remove()


def run(ours, peers, rounds, verdicts, wanted):
    servers = [("redoubt", ours), *peers.items()]
    if wanted("G28 log bytes"):
        got = {name: [bytes_per_set(name, program)]
               for name, program in servers}
        verdicts.row("G28 log payload per SET", "B", got.pop("redoubt"), got,
                     0.90)
    if wanted("G27 start from log"):
        path = feed()
        got = {name: [] for name, _ in servers}
        for _ in range(rounds):
            for name, program in servers:
                got[name].append(start_from_log(name, program, path))
        os.unlink(path)
        verdicts.row("G27 start from the log", "us/rec", got.pop("redoubt"),
                     got, 0.45)
