#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""CONFIG and the configuration file, end to end."""

import hashlib
import os
import re
import subprocess

import lib
from lib import equal, is_error

DEBIAN_LIKE = """\
# a configuration as distributions ship it
bind 127.0.0.1 -::1
protected-mode yes
tcp-backlog 511
timeout 0
tcp-keepalive 300
loglevel notice
databases 16
save 3600 1 300 100 60 10000
stop-writes-on-bgsave-error yes
rdbcompression yes
dbfilename dump.rdb
replica-serve-stale-data yes
repl-diskless-sync yes
acllog-max-len 128
lazyfree-lazy-eviction no
oom-score-adj-values 0 200 800
appendonly no
appendfilename "appendonly.aof"
appendfsync everysec
hash-max-listpack-entries 512
client-output-buffer-limit normal 0 0 0
client-output-buffer-limit replica 256mb 64mb 60
client-output-buffer-limit pubsub 32mb 8mb 60
latency-monitor-threshold 0
notify-keyspace-events ""
jemalloc-bg-thread yes
"""


def get(c, *names):
    reply = c.ok("CONFIG", "GET", *names)
    return {reply[i].decode(): reply[i + 1].decode()
            for i in range(0, len(reply), 2)}


def failed(name, reason):
    return ("ERR CONFIG SET failed (possibly related to argument '%s') - %s"
            % (name, reason))


def test_get_takes_globs_and_older_names(server):
    with server.raw() as c:
        everything = get(c, "*")
        assert len(everything) >= 195, len(everything)
        assert "slave-priority" in everything
        assert "replica-priority" in everything
        # a name that is written out is given back as it was written
        equal(get(c, "MAXMEMORY"), {"MAXMEMORY": "0"})
        equal(get(c, "MAXMEMOR?"), {"maxmemory": "0"})
        equal(sorted(get(c, "hz", "port", "h?")), ["hz", "port"])
        equal(get(c, "nothing*"), {})
        equal(get(c, "requirepass"), {"requirepass": ""})
        equal(get(c, "key-load*"), {})
        equal(get(c, "key-load-delay"), {"key-load-delay": "0"})
    with server.raw(protocol=3) as c:
        assert isinstance(c.ok("CONFIG", "GET", "port"), lib.Map)


def test_names_of_newer_servers_are_known(server):
    with server.raw() as c:
        for name, value in (
                ("max-new-connections-per-cycle", "10"),
                ("hide-user-data-from-log", "yes"),
                ("rdb-version-check", "strict"),
                ("dual-channel-replication-enabled", "no"),
                ("replica-full-sync-buffer-limit", "0"),
                ("server-cpulist", ""), ("primaryauth", ""),
                ("commandlog-execution-slower-than", "10000"),
                ("commandlog-slow-execution-max-len", "128")):
            equal(get(c, name), {name: value})
        # both names are listed, and what is listed can be put back
        c.ok("CONFIG", "SET", "server-cpulist", "0-1", "bio_cpulist", "")
        equal(get(c, "server_cpulist"), {"server_cpulist": "0-1"})
        is_error(c.command("CONFIG", "SET", "rdb-version-check", "x"),
                 failed("rdb-version-check",
                        "argument(s) must be one of the following: strict"))
        is_error(c.command("CONFIG", "SET",
                           "latency-tracking-info-percentiles", "101"),
                 failed("latency-tracking-info-percentiles",
                        "latency-tracking-info-percentiles parameters should "
                        "sit between [0.0,100.0]"))


@lib.own
def test_without_a_log_the_rules_for_snapshots_are_those_of_redis():
    rules = "3600 1 300 100 60 10000"
    for options, wanted in (([], rules), (["--save", ""], ""),
                            (["--save", "5", "6"], "5 6"),
                            (["--appendonly", "yes"], "")):
        s = lib.Server(level="off", options=options)
        try:
            s.start()
            with s.raw() as c:
                equal(get(c, "save"), {"save": wanted})
                c.ok("SET", "k", "v")
            equal(s.stop(), 0)
            s.start()
            equal(s.command("GET", "k"),
                  None if options == ["--save", ""] else b"v")
        finally:
            s.remove()


def test_every_value_can_be_set_to_itself(server):
    fixed = re.compile("can't set (immutable|protected) config")
    with server.raw() as c:
        for name, value in get(c, "*").items():
            if name in ("appendonly", "appendfsync", "bind", "port"):
                continue
            reply = c.command("CONFIG", "SET", name, value)
            if reply != "OK":
                assert fixed.search(str(reply)), (name, reply)
            equal(get(c, name), {name: value})


def test_set_is_all_or_nothing(server):
    with server.raw() as c:
        before = get(c, "hz", "maxmemory", "timeout")
        is_error(c.command("CONFIG", "SET", "hz", 20, "maxmemory", "x",
                           "timeout", 5),
                 failed("maxmemory", "argument must be a memory value"))
        equal(get(c, "hz", "maxmemory", "timeout"), before)
        is_error(c.command("CONFIG", "SET", "hz", 20, "maxclients",
                           2000000000),
                 "ERR CONFIG SET failed (possibly related to argument "
                 "'maxclients') - The operating system")
        equal(get(c, "hz", "maxmemory", "timeout"), before)
        equal(c.ok("CONFIG", "SET", "hz", 20, "timeout", 50), "OK")
        equal(get(c, "hz", "timeout"), {"hz": "20", "timeout": "50"})
        c.ok("CONFIG", "SET", "hz", 10, "timeout", 0)


@lib.levels("always", "everysec")
def test_a_refused_set_leaves_the_log_as_it_was(server):
    with server.raw() as c, lib.socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        is_error(c.command("CONFIG", "SET", "appendonly", "no", "appendfsync",
                           "no", "port", port),
                 failed("port", "Unable to listen on this port: "))
        equal(get(c, "appendonly", "appendfsync"),
              {"appendonly": "yes", "appendfsync": server.level})
        equal(server.info("persistence")["aof_enabled"], "1")
        c.ok("SET", "acknowledged", "v")
    server.restart_same()
    equal(server.command("GET", "acknowledged"), b"v")


def test_refusals_have_the_usual_words(server):
    cases = [
        (("port", "1", "port", "2"), failed("port", "duplicate parameter")),
        (("databases", "4"), failed("databases",
                                    "can't set immutable config")),
        (("logfile", "/tmp/x"), failed("logfile",
                                       "can't set immutable config")),
        (("dir", "/tmp"), failed("dir", "can't set protected config")),
        (("dbfilename", "x"), failed("dbfilename",
                                     "can't set protected config")),
        (("foo", "bar"), "ERR Unknown option or number of arguments for "
                         "CONFIG SET - 'foo'"),
        (("user", "bar"), "ERR Unknown option or number of arguments for "
                          "CONFIG SET - 'user'"),
        (("hz", "x"), failed("hz", "argument couldn't be parsed into an "
                                   "integer")),
        (("timeout", "-1"), failed("timeout", "argument must be between 0 "
                                   "and 2147483647 inclusive")),
        (("latency-tracking", "x"),
         failed("latency-tracking", "argument must be 'yes' or 'no'")),
        (("loglevel", "x"),
         failed("loglevel", "argument(s) must be one of the following: ")),
        (("save", "1"), failed("save", "Invalid save parameters")),
        (("maxmemory-clients", "200%"),
         failed("maxmemory-clients", "percentage argument must be less or "
                                     "equal to 100")),
        (("create-store", "no"), failed("create-store",
                                        "can't set immutable config")),
        (("hz",), "ERR wrong number of arguments for 'config|set' command"),
        (("hz", "1", "timeout"),
         "ERR syntax error"),
    ]
    with server.raw() as c:
        for arguments, error in cases:
            is_error(c.command("CONFIG", "SET", *arguments), error)
        is_error(c.command("CONFIG", "REWRITE"),
                 "ERR The server is running without a config file")


def test_some_directives_act_at_once(server):
    with server.raw() as c:
        c.ok("CONFIG", "SET", "maxmemory", 1)
        is_error(c.command("SET", "a", 1), "OOM command not allowed")
        equal(c.ok("HEXPIRE", "none", 9, "FIELDS", 1, "a"), [-2])
        c.ok("CONFIG", "SET", "maxmemory", 0)
        c.ok("SET", "a", 1)
        c.ok("CONFIG", "SET", "slowlog-log-slower-than", 0)
        c.ok("PING")
        assert c.ok("SLOWLOG", "LEN") >= 1
        c.ok("CONFIG", "SET", "slowlog-max-len", 1)
        equal(c.ok("SLOWLOG", "LEN"), 1)
        c.ok("CONFIG", "SET", "slowlog-log-slower-than", 10000,
             "slowlog-max-len", 128)
        free = lib.free_port()
        c.ok("CONFIG", "SET", "port", free)
        with lib.Raw(free) as other:
            equal(other.ok("PING"), "PONG")
        with lib.socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            busy = taken.getsockname()[1]
            is_error(c.command("CONFIG", "SET", "port", busy, "hz", 50),
                     failed("port", "Unable to listen on this port"))
            equal(get(c, "port", "hz"), {"port": str(free), "hz": "10"})
        c.ok("CONFIG", "SET", "port", server.port)


def test_limits_of_small_values_hold_for_the_next_command(server):
    rows = (("list-max-listpack-size", "RPUSH", "quicklist"),
            ("hash-max-listpack-entries", "HSET", "hashtable"),
            ("set-max-intset-entries", "SADD", "hashtable"),
            ("zset-max-listpack-entries", "ZADD", "skiplist"))
    with server.raw() as c:
        for name, write, big in rows:
            before = get(c, name)[name]
            small = "intset" if write == "SADD" else "listpack"
            for limit, wanted in ((1, big), (before, small)):
                replies = c.pipeline([("DEL", "k"),
                                      ("CONFIG", "SET", name, limit),
                                      (write, "k", 1, 2, 3, 4),
                                      ("OBJECT", "ENCODING", "k")])
                equal(replies[3], wanted, name)


def test_limits_of_a_refused_change_do_not_hold(server):
    with server.raw() as c, lib.socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = taken.getsockname()[1]
        for order in (("port", busy, "hash-max-listpack-entries", 1),
                      ("hash-max-listpack-entries", 1, "port", busy)):
            c.ok("DEL", "h")
            replies = c.pipeline([("CONFIG", "SET") + order,
                                  ("HSET", "h", "a", 1, "b", 2),
                                  ("OBJECT", "ENCODING", "h")])
            is_error(replies[0], failed("port", "Unable to listen"))
            equal(replies[2], "listpack")


@lib.own
def test_a_distributions_file_is_obeyed():
    with Configured(DEBIAN_LIKE) as s:
        with s.raw() as c:
            equal(get(c, "appendonly", "save"),
                  {"appendonly": "no",
                   "save": "3600 1 300 100 60 10000"})
            equal(s.info("persistence")["aof_enabled"], "0")
            equal(s.info("server")["config_file"], s.path)


@lib.own
def test_rewrite_keeps_comments_and_order():
    with Configured("# first\nhz 15\nunknown-thing 1\n# last\n") as s:
        with s.raw() as c:
            c.ok("CONFIG", "SET", "hz", 30, "slowlog-max-len", 7)
            c.ok("CONFIG", "REWRITE")
        with open(s.path) as f:
            text = f.read()
        assert text.startswith("# first\nhz 30\nunknown-thing 1\n# last\n"
                               "# Generated by CONFIG REWRITE\n"), text
        assert "slowlog-max-len 7\n" in text, text
        s.restart(kill=False)
        with s.raw() as c:
            equal(get(c, "hz", "slowlog-max-len"),
                  {"hz": "30", "slowlog-max-len": "7"})
        assert "unknown-thing" in s.log_tail()


@lib.own
def test_rewrite_keeps_that_no_snapshot_is_wanted():
    with Configured("appendonly no\n") as s:
        with s.raw() as c:
            c.ok("CONFIG", "REWRITE")
            with open(s.path) as f:
                assert "save" not in f.read()
            c.ok("CONFIG", "SET", "save", "")
            c.ok("CONFIG", "REWRITE")
        s.restart(kill=False)
        with s.raw() as c:
            equal(get(c, "save"), {"save": ""})


@lib.own
def test_without_a_log_writes_end_when_snapshots_fail():
    with lib.Server(level="off") as s:
        snap = os.path.join(s.store, "snap")
        with s.raw() as c:
            c.ok("SET", "k", 1)
            c.ok("SAVE")
            os.rename(snap, snap + ".away")
            with open(snap, "w"):
                pass
            is_error(c.command("SAVE"), "ERR")
            is_error(c.command("SET", "k", 2), "MISCONF")
            equal(c.ok("GET", "k"), b"1")
            c.ok("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
            equal(c.ok("SET", "k", 3), "OK")
            c.ok("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes")
            is_error(c.command("SET", "k", 4), "MISCONF")
            c.ok("CONFIG", "SET", "save", "")
            equal(c.ok("SET", "k", 5), "OK")
            c.ok("CONFIG", "SET", "save", "900 1")
            os.remove(snap)
            os.rename(snap + ".away", snap)
            c.ok("SAVE")
            equal(c.ok("SET", "k", 6), "OK")


@lib.own
def test_a_file_that_redis_rewrote_keeps_its_password():
    line = ("user default on sanitize-payload #%s ~* &* +@all\n" %
            hashlib.sha256(b"moon").hexdigest())
    with Configured("requirepass \"moon\"\n" + line) as s:
        with s.raw() as c:
            is_error(c.command("PING"), "NOAUTH")
            equal(c.ok("AUTH", "moon"), "OK")
            c.ok("CONFIG", "SET", "requirepass", "sun")
            c.ok("CONFIG", "REWRITE")
        s.restart(kill=False)
        with s.raw() as c:
            is_error(c.command("AUTH", "moon"), "WRONGPASS")
            equal(c.ok("AUTH", "sun"), "OK")
    s = Configured(line.replace("on", "on nopass", 1))
    equal(subprocess.run([s.binary, "--check-config", s.path], timeout=20,
                         capture_output=True).returncode, 78)
    s.remove()


@lib.own
def test_a_wrong_file_ends_the_start():
    s = Configured("port abc\n")
    result = subprocess.run([s.binary, s.path], capture_output=True,
                            timeout=20)
    equal(result.returncode, 78)
    text = result.stderr.decode()
    for part in ("*** FATAL CONFIG FILE ERROR", "at line 1", ">>> 'port abc'",
                 "argument couldn't be parsed into an integer"):
        assert part in text, (part, text)
    s.remove()


@lib.own
def test_configuration_from_standard_input():
    s = lib.Server()
    process = subprocess.Popen(
        [s.binary, "-", "--port", str(s.port), "--dir", s.store],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    process.stdin.write(b"hz 33\n")
    process.stdin.close()
    s.process = process
    s.wait_ready()
    with s.raw() as c:
        equal(get(c, "hz"), {"hz": "33"})
    s.remove()


class Configured(lib.Server):
    """A server with a configuration file."""

    def __init__(self, text):
        super().__init__()
        self.path = os.path.join(self.dir, "redis.conf")
        with open(self.path, "w") as f:
            f.write(text)

    def arguments(self):
        return [self.binary, self.path, "--port", str(self.port), "--dir",
                self.store]


# --- the log's levels at run time -------------------------------------------

@lib.own
def test_levels_change_while_it_runs():
    with lib.Server(options={"enable-debug-command": "yes"}) as s:
        with s.raw() as c:
            for i, level in enumerate(("everysec", "no", "always",
                                       "everysec", "always")):
                c.ok("CONFIG", "SET", "appendfsync", level)
                c.ok("SET", "k%d" % i, level)
                equal(s.info("persistence")["log_level"], level)
        s.restart_same()


@lib.own
def test_the_log_begins_behind_a_snapshot():
    with lib.Server(level="off",
                    options={"enable-debug-command": "yes"}) as s:
        with s.raw() as c, s.raw() as writer:
            c.pipeline([("SET", "before:%d" % i, i) for i in range(20000)])
            c.send_command("CONFIG", "SET", "appendonly", "yes",
                           "appendfsync", "always")
            writer.pipeline([("SET", "during:%d" % i, i)
                             for i in range(1000)])
            equal(c.read(), "OK")
            equal(get(c, "appendonly"), {"appendonly": "yes"})
            c.ok("SET", "after", 1)
            equal(s.info("persistence")["log_level"], "always")
        s.restart_same()
        equal(s.command("DBSIZE"), 21001)


@lib.own
def test_the_log_can_be_switched_off_and_on():
    with lib.Server(options={"enable-debug-command": "yes"}) as s:
        with s.raw() as c:
            c.ok("SET", "a", 1)
            c.ok("CONFIG", "SET", "appendonly", "no")
            equal(s.info("persistence")["aof_enabled"], "0")
            c.ok("SET", "b", 2)
            c.ok("CONFIG", "SET", "appendonly", "yes")
            c.ok("SET", "c", 3)
        s.restart_same()
        equal(s.command("DBSIZE"), 3)


@lib.own
def test_switching_the_log_on_twice_leaves_nothing_held():
    with lib.Server(level="off",
                    options={"enable-debug-command": "yes"}) as s:
        with s.raw() as first, s.raw() as second:
            first.ok("DEBUG", "POPULATE", 200000)
            first.send_command("CONFIG", "SET", "appendonly", "yes")
            lib.wait_until(lambda: s.info("persistence")[
                "aof_rewrite_in_progress"] == "1", what="the snapshot")
            second.ok("CLIENT", "UNPAUSE")
            second.send_command("CONFIG", "SET", "appendonly", "yes")
            first.close() # takes its wish with it
            second.read()
            second.ok("SET", "short", "life", "PX", 10)
            lib.wait_until(lambda: second.ok("DBSIZE") == 200000,
                           what="the key to expire")


def test_resetstat_clears_the_counters(server):
    with server.raw() as c:
        c.ok("PING")
        c.command("NOSUCHCOMMAND")
        assert "errorstat_ERR" in server.info("errorstats")
        c.ok("CONFIG", "RESETSTAT")
        text = c.ok("INFO", "everything").decode()
        assert "cmdstat_ping:" not in text, text
        assert "errorstat_" not in text, text
        stats = server.info("stats")
        assert int(stats["total_commands_processed"]) < 10, stats
        assert int(stats["loop_turn_max_cpu_us"]) < 100000, stats


lib.main(__name__, ports=range(21230, 21260))
