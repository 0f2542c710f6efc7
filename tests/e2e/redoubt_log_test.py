#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""redoubt-log on a living and on a dead store."""
import glob
import json
import os
import subprocess
import time

import lib

TOOL = os.path.join(lib.BUILD, "redoubt-log")


def log(server, *args, status=0):
    done = subprocess.run([TOOL, args[0], "--dir", server.store, *args[1:]],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=60)
    assert done.returncode == status, (done.returncode, done.stderr)
    if status == 0:
        assert done.stderr == b"", done.stderr
    return done.stdout.decode()


def records(server, *args):
    return [json.loads(line)
            for line in log(server, "cat", *args).splitlines()]


def write_some(server):
    with server.raw() as c:
        c.ok("SET", "user:1", "ann")
        c.ok("SET", "user:2", "bob", "PXAT", 4102444800000)
        c.ok("APPEND", "user:1", "e")
        c.ok("INCRBY", "hits", 5)
        c.ok("SELECT", 3)
        c.ok("MSET", "a", "1", "b", b"\xff\x00\n\"")
        c.ok("DEL", "a")


@lib.levels("always", "everysec")
def test_cat_shows_who_did_what_in_order(server):
    server.command("FLUSHALL")
    write_some(server)
    time.sleep(0.05)
    got = records(server)[-7:]
    lib.equal([r["type"] for r in got],
              ["str_set", "str_set", "str_write", "str_set", "str_set",
               "str_set", "key_del"])
    lib.equal([r["command"] for r in got],
              ["set", "set", "append", "incrby", "mset", "mset", "del"])
    lib.equal(got[0]["key"], "user:1")
    lib.equal(got[0]["user"], "default")
    assert got[0]["client"].startswith("127.0.0.1:")
    lib.equal(got[1]["deadline"], 4102444800000)
    lib.equal(got[6]["db"], 3)
    lsns = [int(r["lsn"].split(":")[1]) for r in got]
    lib.equal(lsns, list(range(lsns[0], lsns[0] + 7)))
    assert got[0]["time"][:2] == "20" and got[0]["time"][-1] == "Z"


def test_cat_filters(server):
    server.command("FLUSHALL")
    write_some(server)
    history = records(server, "--key", "user:1")[-2:]
    lib.equal([r["command"] for r in history], ["set", "append"])
    position = history[1]["lsn"]
    lib.equal(records(server, "--from", position)[0]["lsn"], position)
    only = records(server, "--from", position, "--to",
                   position.split(":")[1])
    lib.equal(len(only), 1)
    assert all(r["command"] == "mset"
               for r in records(server, "--command", "MSET"))
    assert records(server, "--type", "key_del")[-1]["key"] == "a"
    lib.equal(records(server, "--user", "nobody"), [])
    lib.equal(records(server, "--since", "2200-01-01"), [])
    lib.equal(records(server, "--until", "2000-01-01T00:00"), [])
    assert records(server, "--since", "2000-01-01") != []
    when = history[1]["time"]  # as it is shown, it can be asked for
    assert history[1] in records(server, "--since", when)
    assert history[1] not in records(server, "--until", when)
    assert "user:1" in log(server, "cat", "--human", "--key", "user:*")


def test_short_values_leave_the_names_of_who_did_it_whole(server):
    write_some(server)
    r = records(server, "--key", "user:1", "--value-max", "2")[-1]
    lib.equal([r["user"], r["command"], r["key"]], ["default", "append", "us"])
    assert r["client"].startswith("127.0.0.1:")


def test_what_all_keys_have_gone_through_is_in_the_history_of_each(server):
    with server.raw() as c:
        c.ok("SET", "cat:1", "a")
        c.ok("FLUSHDB")
        c.ok("SET", "cat:1", "b")
        c.ok("SWAPDB", 0, 5)
        c.ok("SET", "dog:1", "c")
        c.ok("FLUSHALL")
    history = records(server, "--key", "cat:*")[-5:]
    lib.equal([r["type"] for r in history],
              ["str_set", "db_flush", "str_set", "db_swap", "all_flush"])


def test_tail_shows_the_last_and_follows(server):
    server.command("SET", "before", "x")
    lines = log(server, "tail", "-n", "1").splitlines()
    lib.equal(json.loads(lines[-1])["key"], "before")
    tail = subprocess.Popen([TOOL, "tail", "-f", "-n", "1", "--dir",
                             server.store], stdout=subprocess.PIPE)
    try:
        lib.equal(json.loads(tail.stdout.readline())["key"], "before")
        server.command("SET", "after", "y")
        lib.equal(json.loads(tail.stdout.readline())["key"], "after")
    finally:
        tail.kill()
        tail.wait()
        tail.stdout.close()


def test_info_and_stat_count(server):
    server.command("FLUSHALL")
    for i in range(20):
        server.command("SET", "k%d" % i, "v")
    server.command("BGSAVE")
    lib.wait_until(lambda: server.info("persistence")
                   ["rdb_bgsave_in_progress"] == "0")
    assert "snapshot " in log(server, "info")
    rows = [json.loads(r) for r in log(server, "info", "--json").splitlines()]
    assert any(r.get("state") == "open" for r in rows)
    lib.equal(rows[-1]["last_lsn"],
              int(server.info("persistence")["applied_lsn"]))
    rows = [json.loads(r) for r in log(server, "stat", "--json").splitlines()]
    sets = [r for r in rows if r.get("record") == "str_set"][0]
    assert sets["count"] >= 20
    assert any(r.get("command") == "set" for r in rows)
    assert "str_set" in log(server, "stat")


@lib.own
def test_verify_finds_a_flipped_byte():
    server = lib.Server(level="always").start()
    for i in range(50):
        server.command("SET", "key%d" % i, "value" * 40)
    server.command("SAVE")
    server.stop()
    assert "0 damaged" in log(server, "verify")
    path = sorted(glob.glob(os.path.join(server.store, "log", "*.seg")))[0]
    with open(path, "r+b") as f:
        data = f.read()
        at = data.index(b"valuevaluevalue")
        f.seek(at)
        f.write(b"V")
    said = log(server, "verify", status=65)
    assert "DAMAGED " + os.path.basename(path) in said, said
    row = json.loads(log(server, "verify", "--json", "--file",
                         os.path.basename(path), status=65).split("\n")[0])
    assert row["offset"] <= at < row["offset"] + row["size"], (row, at)
    assert row["first_lsn"] > 0
    snap = glob.glob(os.path.join(server.store, "snap", "*.snap"))[0]
    with open(snap, "r+b") as f:
        f.seek(4096 + 80)
        byte = f.read(1)
        f.seek(4096 + 80)
        f.write(bytes([byte[0] ^ 1]))
    assert os.path.basename(snap) in log(server, "verify", status=65)


def test_wrong_use_is_told(server):
    for args in (["nonsense"], ["cat", "--from", "x"], ["cat", "--dir"],
                 ["cat", "--since", "yesterday"]):
        done = subprocess.run([TOOL, *args], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        lib.equal(done.returncode, 64, args)
        assert b"redoubt-log" in done.stderr
    done = subprocess.run([TOOL, "info", "--dir", "/nonexistent"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode != 0 and b"/nonexistent" in done.stderr
    for args in (["--help"], ["help"], ["cat", "--help"], ["verify", "-h"]):
        done = subprocess.run([TOOL, *args], stdout=subprocess.PIPE)
        assert done.returncode == 0 and b"verify" in done.stdout, args
    done = subprocess.run([TOOL, "--version"], stdout=subprocess.PIPE)
    assert done.returncode == 0 and b"redoubt-log 0." in done.stdout


lib.main(__name__, ports=range(21700, 21750))
