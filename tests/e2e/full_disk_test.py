#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A disk without a free byte: real file systems, filled by real files.

Each test runs on a small tmpfs and on a small ext4 in a file; both need root
to be mounted, without it they are skipped, and say so.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
from lib import equal, is_error, wait_until

MIB = 1 << 20
DISK = 48 * MIB
SEGMENT = 4 * MIB
VALUE = 64 << 10
IMAGES = "/dev/shm" if os.path.isdir("/dev/shm") else None


def run(*args):
    return subprocess.run(args, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)


class Disk:
    """A small file system at a path of its own."""

    def __init__(self, kind, path):
        self.path, self.image = path, None
        if kind == "tmpfs":
            done = run("mount", "-t", "tmpfs", "-o",
                       "mode=0700,size=%d" % DISK, "tmpfs", path)
        else:
            handle, self.image = tempfile.mkstemp(dir=IMAGES)
            os.ftruncate(handle, DISK)
            os.close(handle)
            done = run("mkfs.ext4", "-q", "-F", "-m", "0", "-O",
                       "^has_journal", self.image)
            if done.returncode == 0:
                done = run("mount", "-o", "loop", self.image, path)
        self.why = done.stdout.decode().strip()
        self.mounted = done.returncode == 0
        if self.mounted:
            os.chmod(path, 0o700)

    def close(self):
        if self.mounted:
            run("umount", "-l", self.path)
        if self.image:
            os.unlink(self.image)

    def ballast(self):
        return os.path.join(self.path, "lost+found", "ballast")

    def fill(self, leave=0):
        """Takes all but so many bytes."""
        os.makedirs(os.path.dirname(self.ballast()), exist_ok=True)
        with open(self.ballast(), "ab", buffering=0) as f:
            for size in (MIB, 4096, 1):
                while True:
                    free = os.statvfs(self.path)
                    if free.f_bavail * free.f_bsize < leave + size:
                        break
                    try:
                        if f.write(b"b" * size) < size:
                            break
                    except OSError:
                        break
            os.fsync(f.fileno())

    def empty(self):
        os.unlink(self.ballast())


def on_disks(**options):
    """The test gets a server that was not started, on a disk of each kind."""
    def wrap(test):
        def both():
            for kind in ("tmpfs", "ext4"):
                server = lib.Server(level="always", options=dict(
                    {"log-segment-size": SEGMENT,
                     "enable-debug-command": "yes"}, **options))
                disk = Disk(kind, server.store)
                try:
                    if not disk.mounted:
                        print("SKIPPED %s on %s: cannot mount: %s" %
                              (test.__name__, kind, disk.why))
                        continue
                    test(server, disk)
                finally:
                    if server.process is not None:
                        server.kill()
                    disk.close()
                    server.remove()
        both.__name__ = test.__name__
        both.__doc__ = test.__doc__
        return lib.own(both)
    return wrap


def value(i):
    return (b"%d " % i) * (VALUE // len(b"%d " % i))


def write_until_refused(c, start=0):
    """The numbers of the values that were acknowledged."""
    i, refused = start, 0
    while refused < 20:  # a spare may be under way
        reply = c.command("SET", "key:%d" % i, value(i))
        if str(reply) == "OK":
            i, refused = i + 1, 0
            continue
        is_error(reply, "MISCONF")
        refused += 1
        time.sleep(0.1)
    return i


def check_values(c, numbers):
    for i in numbers:
        equal(c.ok("GET", "key:%d" % i), value(i), "key:%d" % i)


def writes_resume(server):
    def works():
        with server.raw() as c:
            return str(c.command("SET", "again", "1")) == "OK"
    wait_until(works, 10, "writes go on by themselves")


@on_disks(**{"retain-on-full": "keep"})
def test_a_start_without_a_free_byte_serves_reads_and_resumes(server, disk):
    disk.fill(20 * MIB)
    server.start()
    with server.raw() as c:
        count = write_until_refused(c)
        assert count > 100, count
        check_values(c, range(count))
        equal(c.command("DEL", "key:0"), 1)
    digest = server.digest()
    for kill in (True, False, True):
        server.kill() if kill else equal(server.stop(), 0)
        disk.fill()
        server.start()
        equal(server.digest(), digest)
        with server.raw() as c:
            check_values(c, range(1, count))
            is_error(c.command("SET", "key:1", "x"), "MISCONF")
            equal(c.ok("DBSIZE"), count - 1)
            equal(server.info("persistence")["log_short"], "1")
    disk.empty()
    writes_resume(server)
    with server.raw() as c:
        end = write_until_refused(c, count)
        assert end > count + 100, (count, end)
    server.restart()
    with server.raw() as c:
        check_values(c, range(1, end))
        equal(c.ok("GET", "again"), "1")


@on_disks(**{"retain-on-full": "keep"})
def test_what_stood_behind_the_cut_is_room_for_commands_that_free(server,
                                                                  disk):
    server.start()
    with server.raw() as c:
        for i in range(10):
            c.ok("SET", "key:%d" % i, value(i))
    server.kill()
    for name in os.listdir(os.path.join(server.store, "log")):
        with open(os.path.join(server.store, "log", name), "rb") as f:
            f.seek(4096)
            if f.read(4) != b"RDu1":  # a spare
                os.unlink(f.name)
    disk.fill()
    server.start()
    with server.raw() as c:
        check_values(c, range(10))
        is_error(c.command("SET", "key:1", "x"), "MISCONF")
        equal(c.command("DEL", "key:0", "key:1"), 2)
        is_error(c.command("APPEND", "key:2", "x"), "MISCONF")
        equal(c.command("UNLINK", "key:2"), 1)
    server.restart()
    with server.raw() as c:
        equal(c.ok("DBSIZE"), 7)
    disk.empty()
    writes_resume(server)


def overwrite(c, count, tries):
    """So many writes of five keys, by a client that tries again; how many
    went through."""
    for i in range(count):
        for _ in range(tries):
            reply = c.command("SET", "key:%d" % (i % 5), value(i))
            if str(reply) == "OK":
                break
            is_error(reply, "MISCONF")
            time.sleep(0.1)
        else:
            return i
    return count


def overwrite_and_save(c, times):
    for _ in range(times):
        equal(overwrite(c, 60, 1), 60)
        c.ok("SAVE")


@on_disks(**{"retain-on-full": "drop"})
def test_history_beyond_the_minimum_goes_before_writes_do(server, disk):
    disk.fill(24 * MIB)
    server.start()
    with server.raw() as c:
        equal(overwrite(c, 1500, 400), 1500)
    server.restart_same()
    with server.raw() as c:
        equal(c.ok("GET", "key:4"), value(1499))


@on_disks(**{"retain-on-full": "keep"})
def test_history_is_kept_if_wanted(server, disk):
    disk.fill(24 * MIB)
    server.start()
    with server.raw() as c:
        overwrite_and_save(c, 2)
        assert overwrite(c, 1500, 20) < 1500
        is_error(c.command("SET", "key:0", value(0)), "MISCONF")
        c.ok("CONFIG", "SET", "retain-on-full", "drop")
        equal(overwrite(c, 500, 400), 500)


def snapshots(server):
    return sorted(os.listdir(os.path.join(server.store, "snap")))


@on_disks(**{"retain-on-full": "keep", "retain-snapshots": "5"})
def test_keep_gives_back_what_is_beyond_two_snapshots(server, disk):
    disk.fill(40 * MIB)
    server.start()
    with server.raw() as c:
        overwrite_and_save(c, 5)
        before = snapshots(server)
        equal(len(before), 5)
        disk.fill()
        done = overwrite(c, 1500, 20)
        assert 120 < done < 1500, done  # of 12 MiB that came back
        equal(snapshots(server), before[-2:])
    server.restart_same()
    equal(snapshots(server), before[-2:])
    disk.empty()
    writes_resume(server)


def frees(server, disk):
    """Commands that free, expiry and an orderly end go on without a free
    byte; writes resume by themselves."""
    disk.fill(16 * MIB)
    server.start()
    with server.raw() as c:
        for i in range(50):
            c.ok("SET", "due:%d" % i, "x", "PX", "6000")
        write_until_refused(c)
        disk.fill()
        write_until_refused(c, 100000)
        while str(c.command("SET", "small", "1")) == "OK":
            pass
        is_error(c.command("APPEND", "key:0", "1"), "MISCONF")
        equal(c.command("DEL", "key:0", "key:1"), 2)
        equal(c.command("UNLINK", "key:2"), 1)
        wait_until(lambda: server.info("stats")["expired_keys"] == "50", 15,
                   "keys that are due leave")
        equal(c.command("EXISTS", "due:0", "due:49"), 0)
        c.ok("FLUSHALL")
        equal(c.ok("DBSIZE"), 0)
    equal(server.stop(), 0)
    server.start()
    with server.raw() as c:
        equal(c.ok("DBSIZE"), 0)
    disk.empty()
    writes_resume(server)


@on_disks(**{"retain-on-full": "keep", "log-segment-size": 65536})
def test_the_smallest_segments_have_room_for_what_frees(server, disk):
    frees(server, disk)


@on_disks(**{"retain-on-full": "keep", "log-segment-size": MIB})
def test_small_segments_have_room_for_what_frees(server, disk):
    frees(server, disk)


def start_limited(server, size):
    """Files of the server may have so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        server.start()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@lib.own
def test_a_limit_on_the_size_of_files_ends_nothing():
    server = lib.Server(level="always", options={
        "log-segment-size": SEGMENT, "enable-debug-command": "yes"})
    start_limited(server, 6 * MIB)
    random = os.urandom(8 * MIB)
    with server.raw() as c:
        is_error(c.command("SET", "big", random), "MISCONF")
        for i in range(0, len(random), VALUE):
            c.ok("SET", "key:%d" % i, random[i:i + VALUE])
        is_error(c.command("SET", "big", random), "MISCONF")
        is_error(c.command("SAVE"), "ERR")
        equal(server.info("persistence")["rdb_last_bgsave_status"], "err")
        equal(server.info("persistence")["log_short"], "0")
        c.ok("SET", "small", "1")
    digest = server.digest()
    server.kill()
    start_limited(server, 6 * MIB)
    equal(server.digest(), digest)
    equal(server.stop(), 0)
    server.start()
    with server.raw() as c:
        c.ok("SET", "big", random)
        c.ok("SAVE")
    server.remove()


def big_writes(c, long):
    """Commands of many records, each with the long name in it."""
    numbers = range(1, 401)
    ids = ["%d-0" % i for i in numbers]
    for i in ids:
        c.ok("XADD", long, i, "f", "v")
        c.ok("XADD", "s" + i, "1-0", "f", "v")
        c.ok("XGROUP", "CREATE", "s" + i, "g", "0")
        c.ok("XGROUP", "CREATE", "groups", i, "0", "MKSTREAM")
    c.ok("XGROUP", "CREATE", long, "g", "0")
    c.ok("XREADGROUP", "GROUP", "g", "c", "STREAMS", long, ">")
    for i in ids:
        c.ok("XGROUP", "CREATE", long, i, "0")
        c.ok("XREADGROUP", "GROUP", i, "c", "COUNT", 1, "STREAMS", long, ">")
    longer, members = 5 * long, ["%d" % i + 400 * "m" for i in range(8000)]
    c.ok("SADD", "set", *members)
    return [
        ("RPUSH", longer, *members),
        ("SORT", "set", "BY", "nosort", "STORE", longer),
        ("SUNIONSTORE", longer, "set"),
        ("ZUNIONSTORE", longer, 1, "set"),
        ("XACKDEL", long, "g", "IDS", 400, *ids),
        ("XDELEX", long, "IDS", 400, *ids),
        ("XNACK", long, "g", "FAIL", "IDS", 400, *reversed(ids)),
        ("XCLAIM", long, "g", "c", 0, *reversed(ids)),
        ("XTRIM", long, "MAXLEN", 0, "DELREF"),
        ("XADD", long, "MAXLEN", 0, "DELREF", "*", "f", "v"),
        ("XREADGROUP", "GROUP", "g", long, "STREAMS",
         *("s" + i for i in ids), *(">" for _ in ids)),
        ("BITFIELD", long + b"b",
         *(word for i in numbers for word in ("SET", "u8", 8 * i, 1))),
        ("RESTORE", long + b"r", 0, c.ok("DUMP", "groups")),
    ]


@lib.own
def test_what_a_command_will_write_is_known_before_it_does():
    """A batch of more than a file can hold is refused: without a place it
    would be the end of the server."""
    server = lib.Server(level="no", options={
        "log-segment-size": SEGMENT, "enable-debug-command": "yes"})
    start_limited(server, 6 * MIB)
    with server.raw() as c:
        commands = big_writes(c, b"n" * 20000)
        digest = server.digest()
        for command in commands:
            is_error(c.command(*command), "MISCONF")
        equal(server.digest(), digest)
        equal(server.stop(), 0)
    server.start()
    with server.raw() as c:
        for command in commands:
            assert not isinstance(c.command(*command), lib.Error), command[0]
    server.remove()


lib.main(__name__, ports=range(21750, 21780))
