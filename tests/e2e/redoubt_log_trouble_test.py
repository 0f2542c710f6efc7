#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""redoubt-log on stores in trouble: each command says what is wrong, where, and
what to do next, with the exit code that stands in its help."""
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
from lib import equal

TOOL = os.path.join(lib.BUILD, "redoubt-log")
COMMANDS = ("info", "cat", "stat", "tail", "verify")
ALIGN = 4096


def run(store, *args, out=subprocess.PIPE):
    done = subprocess.run([TOOL, args[0], "--dir", store, *args[1:]],
                          stdout=out, stderr=subprocess.PIPE, timeout=60)
    said = (done.stdout or b"").decode(errors="replace")
    return done.returncode, said, done.stderr.decode()


def check(store, command, code, *words):
    """Ends with the code; its message has the words and the next command."""
    got, said, error = run(store, command)
    equal(got, code, (command, said[-300:], error))
    if command == "verify" and code == 65:
        said += error
        assert "DAMAGED" in said, said
    else:
        said = error
        assert said.startswith("redoubt-log: "), said
    assert "Next: " in said, (command, said)
    for word in words:
        assert word in said, (command, word, said)


def segments(store):
    """Paths of those in use, oldest first."""
    found = []
    for path in sorted(glob.glob(os.path.join(store, "log", "*.seg"))):
        with open(path, "rb") as f:
            f.seek(ALIGN)
            if f.read(4) == b"RDu1":
                found.append(path)
    return found


def flip(path, offset):
    with open(path, "r+b") as f:
        f.seek(offset)
        byte = f.read(1)
        f.seek(offset)
        f.write(bytes([byte[0] ^ 4]))


class Stores:
    """A store with several segments, killed; copies of it to damage."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="redoubt-e2e-")
        self.number = 0

    def make(self, tag):
        server = lib.Server(level="always", options={
            "log-segment-size": 262144}).start()
        with server.raw() as c:
            for i in range(400):
                c.ok("SET", "key:%s:%d" % (tag, i), os.urandom(1000))
                if i == 150:
                    c.ok("SAVE")
        time.sleep(0.3)  # an idle mark behind the last group
        server.kill()
        store = os.path.join(self.dir, tag)
        shutil.copytree(server.store, store)
        server.remove()
        return store

    def copy(self, store):
        self.number += 1
        path = os.path.join(self.dir, "copy-%d" % self.number)
        shutil.copytree(store, path)
        return path

    def close(self):
        shutil.rmtree(self.dir)


def with_stores(test):
    def wrapped():
        stores = Stores()
        try:
            test(stores)
        finally:
            stores.close()
    wrapped.__name__ = test.__name__
    return lib.own(wrapped)


@with_stores
def test_a_flipped_bit_is_named_by_every_command(stores):
    good = stores.make("a")
    for command in COMMANDS:
        code, _, error = run(good, command)
        equal((code, error), (0, ""), command)
    count = len(segments(good))
    assert count >= 3, count
    places = {"identity": 30, "use block": ALIGN + 24,
              "frame header": 2 * ALIGN + 8, "content": 2 * ALIGN + 400}
    for what, offset in places.items():
        for index in (1, count - 1):
            store = stores.copy(good)
            path = segments(store)[index]
            flip(path, offset)
            name = os.path.basename(path)
            for command in ("cat", "stat", "verify"):
                check(store, command, 65, name, "offset", "LSN")
            if offset < 2 * ALIGN:
                check(store, "info", 65, name, "offset", "LSN")
                assert "damaged" in run(store, "info")[1]
            else:
                equal(run(store, "info")[0], 0)
            shutil.rmtree(store)


@with_stores
def test_a_snapshot_with_a_flipped_bit_is_found(stores):
    store = stores.make("a")
    snap = glob.glob(os.path.join(store, "snap", "*.snap"))[0]
    for offset in (20, 4096 + 80, os.path.getsize(snap) - 30):
        flip(snap, offset)
        check(store, "verify", 65, os.path.basename(snap), "offset", "LSN")
        flip(snap, offset)
    equal(run(store, "verify")[0], 0)


@with_stores
def test_a_file_that_is_cut_off_is_named(stores):
    good = stores.make("a")
    count = len(segments(good))
    for index in (1, count - 1):
        for size in (10, ALIGN + 10, 2 * ALIGN, 5 * ALIGN + 100):
            store = stores.copy(good)
            path = segments(store)[index]
            os.truncate(path, size)
            for command in ("info", "cat", "stat", "tail", "verify"):
                check(store, command, 65, os.path.basename(path), "offset",
                      "LSN")
            shutil.rmtree(store)


@with_stores
def test_a_segment_of_another_store_is_named(stores):
    good, other = stores.make("a"), stores.make("b")
    for index in (1, -1):
        store = stores.copy(good)
        path = segments(store)[index]
        shutil.copy(segments(other)[index], path)
        for command in COMMANDS:
            check(store, command, 65, os.path.basename(path), "another store")
        shutil.rmtree(store)
    store = stores.copy(good)
    paths = segments(store)
    shutil.copy(paths[1], paths[2])
    for command in COMMANDS:
        check(store, command, 65, os.path.basename(paths[2]), "renamed")


@with_stores
def test_a_missing_segment_is_a_gap(stores):
    store = stores.make("a")
    paths = segments(store)
    os.unlink(paths[-2])
    for command in ("cat", "stat"):
        check(store, command, 65, os.path.basename(paths[-3]), "offset",
              "LSN")


@with_stores
def test_what_cannot_be_read_is_no_damage(stores):
    store = stores.make("a")
    path = segments(store)[1]
    os.unlink(path)
    os.mkdir(path)
    for command in COMMANDS:
        code, said, error = run(store, command)
        equal(code, 74, (command, said, error))
        assert path in error, error


@with_stores
def test_output_that_cannot_be_written_is_told(stores):
    store = stores.make("a")
    for command in COMMANDS:
        with open("/dev/full", "wb") as full:
            code, _, error = run(store, command, out=full)
        equal(code, 74, command)
        assert "cannot write" in error, error
    with open("/dev/full", "wb") as full:
        code, _, error = run(store, "tail", "-f", out=full)
    equal(code, 74)


@with_stores
def test_a_newer_version_is_told(stores):
    store = stores.make("a")
    path = segments(store)[1]
    with open(path, "r+b") as f:
        f.seek(4)
        f.write(b"\x02")
    for command in ("info", "cat", "stat", "tail", "verify"):
        code, said, error = run(store, command)
        assert code in (65, 78), (command, code, said, error)
        assert os.path.basename(path) in said + error, (command, error)


@lib.own
def test_a_store_that_is_written_and_compacted_can_be_looked_at():
    server = lib.Server(level="everysec", options={
        "log-segment-size": 262144,
        "auto-aof-rewrite-min-size": 262144}).start()
    begin = time.monotonic()
    stop = threading.Event()

    def write():
        with server.raw() as c:
            while not stop.is_set():
                c.pipeline([("SET", "key:%d" % i, os.urandom(500))
                            for i in range(50)])

    writers = [threading.Thread(target=write) for _ in range(2)]
    for w in writers:
        w.start()
    looked = left = 0
    try:
        while time.monotonic() < begin + (12 if looked >= 10 else 60):
            for command in COMMANDS:
                code, said, error = run(server.store, command)
                # the log went on faster than it was read
                if code == 74 and ("has left the log" in error or
                                   "is not in the log" in error):
                    assert "Next: redoubt-log info" in error, error
                    left += 1
                    continue
                equal((code, error), (0, ""), (command, said[-500:]))
                looked += 1
    finally:
        stop.set()
        for w in writers:
            w.join()
    assert looked >= 10, (looked, left)
    assert int(server.info("persistence")["rdb_saves"]) > 2
    server.remove()


@lib.own
def test_a_store_without_a_log_or_without_anything():
    directory = tempfile.mkdtemp(prefix="redoubt-e2e-")
    for store in (directory, "/nonexistent"):
        for command in COMMANDS:
            check(store, command, 64, store, "holds no store")
    os.rmdir(directory)
    server = lib.Server(level="off").start()
    server.command("SET", "a", "b")
    server.command("SAVE")
    for command in ("cat", "stat", "tail"):
        code, said, error = run(server.store, command)
        equal(code, 0)
        assert said == "" or command == "stat", said
        assert "nothing has been logged" in error, error
    for command in ("info", "verify"):
        equal(run(server.store, command)[0], 0, command)
    server.remove()


@lib.own
def test_wrong_arguments_are_refused():
    for args in (["cat", "--file", "x"], ["info", "-f"], ["cat", "-n", "4"],
                 ["verify", "--key", "a"], ["tail", "-n", "-1"],
                 ["tail", "-n"], ["cat", "--type", "no_such"],
                 ["stat", "--value-max", "9"], ["cat", "--value-max", "x"],
                 ["cat", "--to", "1:2:3"], ["cat", "--from", "-1"],
                 ["cat", "extra"], ["info", ""], ["Cat"], [""],
                 ["cat", "--since", "2020-13-77x"], ["cat", "--key"]):
        done = subprocess.run([TOOL, *args], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        equal(done.returncode, 64, args)
        equal(done.stdout, b"", args)
        assert b"Next: redoubt-log --help" in done.stderr, done.stderr
    code, _, error = run("/tmp", "verify", "--file", "0000000000000001.seg")
    equal(code, 64)
    assert "0000000000000001.seg" in error and "Next: " in error, error


lib.main(__name__, ports=range(21800, 21840))
