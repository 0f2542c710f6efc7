#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Server commands end to end: figures, the command table, slow log, latency,
memory, snapshots, the end of the process, DEBUG."""

import os
import re
import subprocess
import time

import lib
from lib import equal, is_error

FIELDS = """
redis_version redis_mode os arch_bits process_id run_id tcp_port
uptime_in_seconds uptime_in_days hz config_file executable server_name
redoubt_version connected_clients blocked_clients maxclients
client_recent_max_input_buffer used_memory used_memory_human used_memory_rss
used_memory_peak used_memory_lua used_memory_dataset maxmemory
maxmemory_policy mem_fragmentation_ratio mem_allocator allocator_frag_ratio
lazyfree_pending_objects loading rdb_changes_since_last_save
rdb_bgsave_in_progress rdb_last_save_time rdb_last_bgsave_status
rdb_last_bgsave_time_sec rdb_current_bgsave_time_sec aof_enabled
aof_rewrite_in_progress aof_last_rewrite_time_sec aof_last_bgrewrite_status
aof_last_write_status aof_current_size aof_base_size
total_connections_received total_commands_processed instantaneous_ops_per_sec
total_net_input_bytes total_net_output_bytes instantaneous_input_kbps
rejected_connections sync_full expired_keys evicted_keys keyspace_hits
keyspace_misses pubsub_channels pubsub_patterns latest_fork_usec
total_error_replies role connected_slaves master_replid master_repl_offset
repl_backlog_active repl_backlog_size used_cpu_sys used_cpu_user
cluster_enabled applied_lsn written_lsn durable_lsn epoch oldest_unsynced_ms
log_payload_bytes loop_turn_max_cpu_us
eventloop_cycles eventloop_duration_sum eventloop_duration_cmd_sum
instantaneous_eventloop_cycles_per_sec instantaneous_eventloop_duration_usec
pubsub_clients watching_clients total_watched_keys paused_reason
used_memory_lua_human used_memory_scripts_human used_memory_vm_total_human
allocator_muzzy evicted_scripts
""".split()


def test_info_has_what_exporters_read(server):
    with server.raw() as c:
        c.ok("SET", "a", 1, "EX", 1000)
        text = c.ok("INFO").decode()
        for field in FIELDS:
            assert "\r\n%s:" % field in text, field
        info = server.info()
        equal(info["redis_version"], "7.2.4")
        equal(info["server_name"], "redoubt")
        assert info["db0"].startswith("keys=1,expires=1,avg_ttl=9"), info
        for line in text.split("\r\n"):
            assert not line or line[0] == "#" or ":" in line, line


@lib.own
def test_info_names_listeners_and_what_the_loop_does():
    s = lib.Server(level="off", options=["--bind", "127.0.0.1", "-::1",
                                         "--unixsocket", "s.sock"])
    try:
        s.start()
        info = s.info()
        equal(info["listener0"], "name=tcp,bind=127.0.0.1,bind=-::1,port=%d" %
              s.port)
        assert info["listener1"].endswith("s.sock"), info["listener1"]
        assert info["listener1"].startswith("name=unix,bind="), info
        with s.raw() as c:
            c.pipeline([("SET", "k", "x" * 10)] * 2000)
        later = s.info()
        for name in ("eventloop_cycles", "eventloop_duration_sum",
                     "eventloop_duration_cmd_sum"):
            assert int(later[name]) > int(info[name]), name
        assert int(later["eventloop_duration_cmd_sum"]) <= \
            int(later["eventloop_duration_sum"]), later
        with s.raw() as c:
            c.ok("CLIENT", "PAUSE", 60000, "WRITE")
            paused = s.info("clients")
            equal(paused["paused_actions"], "write")
            assert 50000 < int(paused["paused_timeout_milliseconds"]) <= 60000
            c.ok("CLIENT", "UNPAUSE")
            equal(s.info("clients")["paused_reason"], "none")
    finally:
        s.remove()


def test_info_takes_sections(server):
    def titles(*sections):
        with server.raw() as c:
            text = c.ok("INFO", *sections).decode()
        return [line[2:] for line in text.split("\r\n")
                if line.startswith("# ")]

    default = titles()
    equal(default[:4], ["Server", "Clients", "Memory", "Persistence"])
    assert "Commandstats" not in default
    equal(titles("default"), default)
    equal(titles("everything"), titles("all"))
    assert "Commandstats" in titles("all")
    assert "Latencystats" in titles("all")
    equal(titles("cpu", "KEYSPACE"), ["CPU", "Keyspace"])
    equal(titles("nothing"), [])
    with server.raw(protocol=3) as c:
        assert c.ok("INFO", "server").startswith(b"# Server\r\n")


def test_statistics_count(server):
    with server.raw() as c:
        c.ok("CONFIG", "RESETSTAT")
        c.ok("SET", "a", 1)
        c.ok("GET", "a")
        c.command("GET", "none")
        c.command("GET")
        c.command("INCR", "a", "b", "c")
        c.command("SETRANGE", "a", -1, "x")
    info = server.info("everything")
    equal(info["keyspace_hits"], "1")
    equal(info["keyspace_misses"], "1")
    assert info["cmdstat_get"].startswith("calls=2,usec="), info
    assert info["cmdstat_get"].endswith("rejected_calls=1,failed_calls=0")
    assert info["cmdstat_setrange"].endswith("failed_calls=1"), info
    equal(info["errorstat_ERR"], "count=3")
    assert info["latency_percentiles_usec_get"].startswith("p50="), info


@lib.levels("always", "everysec", "no", "off")
def test_positions_move_with_writes(server):
    with server.raw() as c:
        before = int(server.info("persistence")["applied_lsn"])
        c.pipeline([("INCR", "n")] * 100)
        info = server.info("persistence")
        equal(int(info["applied_lsn"]), before + 100)
        if server.level != "off":
            assert int(info["written_lsn"]) >= before + 100, info
            assert int(info["log_payload_bytes"]) > 0
        if server.level == "always":
            equal(int(info["durable_lsn"]), before + 100)


# --- COMMAND ----------------------------------------------------------------

def test_command_tells_the_table(server):
    with server.raw() as c:
        rows = {row[0].decode(): row for row in c.ok("COMMAND")}
        equal(len(rows), c.ok("COMMAND", "COUNT"))
        row = rows["get"]
        equal(row[1:6], [2, ["readonly", "fast"], 1, 1, 1])
        equal(sorted(row[6]), ["@fast", "@read", "@string"])
        subs = [sub[0].decode() for sub in rows["client"][9]]
        assert "client|kill" in subs and "client|lsn" in subs, subs
        info = c.ok("COMMAND", "INFO", "get", "nothing", "config|set")
        equal(info[0], row)
        equal(info[1], None)
        equal(info[2][0], b"config|set")
        names = c.ok("COMMAND", "LIST")
        assert b"config|get" in names and b"set" in names
        equal(c.ok("COMMAND", "LIST", "FILTERBY", "PATTERN", "xx*"), [])
        strings = c.ok("COMMAND", "LIST", "FILTERBY", "ACLCAT", "string")
        assert b"append" in strings and b"ping" not in strings, strings
        equal(c.ok("COMMAND", "LIST", "FILTERBY", "MODULE", "m"), [])
        is_error(c.command("COMMAND", "LIST", "x"), "ERR syntax error")


def test_command_finds_keys(server):
    with server.raw() as c:
        equal(c.ok("COMMAND", "GETKEYS", "MSET", "a", 1, "b", 2),
              [b"a", b"b"])
        equal(c.ok("COMMAND", "GETKEYS", "BITOP", "AND", "d", "x", "y"),
              [b"d", b"x", b"y"])
        equal(c.ok("COMMAND", "GETKEYSANDFLAGS", "GET", "a"),
              [[b"a", ["RO", "access"]]])
        equal(c.ok("COMMAND", "GETKEYSANDFLAGS", "SET", "a", 1),
              [[b"a", ["OW", "update"]]])
        read, wrote = ["RO", "access"], ["OW", "update"]
        moved = ["RW", "access", "delete"]
        for text, flags in (("COPY a b", [read, wrote]),
                            ("RENAME a b", [moved, wrote]),
                            ("RENAMENX a b", [moved, ["OW", "insert"]]),
                            ("SMOVE a b m", [moved, ["RW", "insert"]]),
                            ("SINTERSTORE a b", [wrote, read]),
                            ("BITFIELD a GET u8 0", [read]),
                            ("BITFIELD a GET u8 0 INCRBY u8 0 1",
                             [["RW", "access", "update"]])):
            equal(c.ok("COMMAND", "GETKEYSANDFLAGS", *text.split()),
                  [list(pair) for pair in zip([b"a", b"b"], flags)], text)
        equal(c.ok("COMMAND", "GETKEYS", "MIGRATE", "h", 1, "", 0, 9, "AUTH",
                   "keys", "KEYS", "a", "b"), [b"a", b"b"])
        is_error(c.command("COMMAND", "GETKEYS", "MIGRATE", "h", 1, "k", 0, 9,
                           "KEYS", "a"), "ERR Invalid arguments specified")
        equal(c.ok("COMMAND", "GETKEYS", "MEMORY", "USAGE", "k"), [b"k"])
        is_error(c.command("COMMAND", "GETKEYS", "PING"),
                 "ERR The command has no key arguments")
        is_error(c.command("COMMAND", "GETKEYS", "foo"),
                 "ERR Invalid command specified")
        is_error(c.command("COMMAND", "GETKEYS", "GET"),
                 "ERR Invalid number of arguments specified for command")


def test_every_command_is_documented(server):
    with server.raw(protocol=3) as c:
        docs = dict(c.ok("COMMAND", "DOCS"))
        equal(len(docs), c.ok("COMMAND", "COUNT"))
        for name, doc in docs.items():
            doc = dict(doc)
            for key in (b"summary", b"since", b"group"):
                assert doc[key], (name, key)
            for sub, sub_doc in doc.get(b"subcommands", []):
                assert sub.startswith(name + b"|"), sub
                check_arguments(sub, dict(sub_doc).get(b"arguments", []))
            check_arguments(name, doc.get(b"arguments", []))
        docs = dict(c.ok("COMMAND", "DOCS", "get", "nothing", "client|kill"))
        equal(sorted(docs), [b"client|kill", b"get"])
        arguments = dict(docs[b"get"])[b"arguments"]
        equal(dict(arguments[0])[b"type"], b"key")


def check_arguments(name, arguments):
    for argument in arguments:
        argument = dict(argument)
        kind = argument[b"type"]
        assert argument[b"name"], (name, argument)
        assert kind in (b"string", b"integer", b"double", b"key", b"pattern",
                        b"unix-time", b"pure-token", b"oneof", b"block"), kind
        equal(kind in (b"oneof", b"block"), b"arguments" in argument,
              str((name, argument)))
        if kind == b"pure-token":
            assert argument[b"token"].isupper() or \
                b"-" in argument[b"token"] or \
                argument[b"token"] in (b"=", b"~", b"*", b"$"), argument
        check_arguments(name, argument.get(b"arguments", []))


def test_redis_cli_shows_help(server):
    result = subprocess.run(["redis-cli", "-p", str(server.port)],
                            input=b"help set\nhelp @connection\n",
                            capture_output=True, timeout=20)
    text = re.sub("\x1b\\[[0-9;]*m", "", result.stdout.decode())
    equal((result.returncode, result.stderr), (0, b""))
    assert "SET key value" in text, text
    assert "CLIENT NO-TOUCH" in text, text


# --- small ones -------------------------------------------------------------

def test_time_role_and_friends(server):
    with server.raw() as c:
        seconds, micros = c.ok("TIME")
        assert abs(int(seconds) - time.time()) < 5 and int(micros) < 1000000
        role = c.ok("ROLE")
        equal((role[0], role[2]), (b"master", []))
        assert abs(c.ok("LASTSAVE") - time.time()) < 1000
        assert b"Redis ver. 7.2.4" in c.ok("LOLWUT")
        c.ok("LOLWUT", "VERSION", 5, 10, 3)
        equal(c.ok("REPLICAOF", "NO", "ONE"), "OK")
        equal(c.ok("SLAVEOF", "no", "one"), "OK")
        is_error(c.command("REPLICAOF", "host", "x"),
                 "ERR Invalid master port")
        is_error(c.command("REPLICAOF", "127.0.0.1", 1), "ERR replication")
        is_error(c.command("FAILOVER"), "ERR FAILOVER requires connected")
        is_error(c.command("FAILOVER", "ABORT"), "ERR No failover in prog")
        for command in (("CLUSTER", "INFO"), ("ASKING",), ("READONLY",),
                        ("READWRITE",)):
            is_error(c.command(*command),
                     "ERR This instance has cluster support disabled")
        equal(c.ok("MODULE", "LIST"), [])
        is_error(c.command("MODULE", "LOAD", "/x.so"),
                 "ERR unknown subcommand")
        is_error(c.command("NOSUCH", "a", "b"),
                 "ERR unknown command 'NOSUCH', with args beginning with: "
                 "'a' 'b' ")
        equal(str(c.command("NOSUCH", "a" * 120, "b" * 9, "c")),
              "ERR unknown command 'NOSUCH', with args beginning with: "
              "'%s' 'bbbbb' " % ("a" * 120))


def test_info_of_a_command_tells_what_each_key_is_for(server):
    with server.raw() as c:
        def specs(name):
            found = []
            for spec in c.ok("COMMAND", "INFO", name)[0][8]:
                spec = dict(zip(spec[::2], spec[1::2]))
                found.append((spec[b"flags"], spec[b"begin_search"][3][1],
                              spec[b"find_keys"][3][1]))
            return found
        equal(specs("copy"), [(["RO", "access"], 1, 0),
                              (["OW", "update"], 2, 0)])
        equal(specs("sunionstore"), [(["OW", "update"], 1, 0),
                                     (["RO", "access"], 2, -1)])
        equal(specs("mset"), [(["OW", "update"], 1, -1)])
        equal(specs("set"), [(["RW", "access", "update", "variable_flags"],
                              1, 0)])


def test_acl_has_one_user(server):
    with server.raw() as c:
        equal(c.ok("ACL", "WHOAMI"), b"default")
        equal(c.ok("ACL", "USERS"), [b"default"])
        equal(c.ok("ACL", "LIST"), [b"user default on nopass "
                                    b"sanitize-payload ~* &* +@all"])
        user = c.ok("ACL", "GETUSER", "default")
        equal(user[0:2], [b"flags", [b"on", b"nopass", b"sanitize-payload"]])
        equal(c.command("ACL", "GETUSER", "nobody"), None)
        assert b"string" in c.ok("ACL", "CAT")
        assert b"get" in c.ok("ACL", "CAT", "read")
        is_error(c.command("ACL", "CAT", "x"), "ERR Unknown category 'x'")
        is_error(c.command("ACL", "SETUSER", "x", "on"), "ERR ")
        is_error(c.command("ACL", "DELUSER", "default"),
                 "ERR The 'default' user cannot be removed")
        equal(c.ok("ACL", "DELUSER", "x"), 0)
        equal(c.ok("ACL", "DRYRUN", "default", "GET", "k"), "OK")
        is_error(c.command("ACL", "DRYRUN", "x", "GET", "k"),
                 "ERR User 'x' not found")
        equal(len(c.ok("ACL", "GENPASS")), 64)
        equal(len(c.ok("ACL", "GENPASS", 5)), 2)
        equal(c.ok("ACL", "LOG"), [])
        equal(c.ok("ACL", "LOG", "RESET"), "OK")
        for command in ("LOAD", "SAVE"):
            is_error(c.command("ACL", command), "ERR This Redis instance is "
                     "not configured to use an ACL file")


# --- slow log, latency, memory ----------------------------------------------

def test_slowlog(server):
    with server.raw() as c:
        c.ok("CONFIG", "SET", "slowlog-log-slower-than", 100000)
        c.ok("SLOWLOG", "RESET")
        c.ok("PING")
        equal(c.ok("SLOWLOG", "LEN"), 0)
        c.ok("CLIENT", "SETNAME", "slow-one")
        c.ok("DEBUG", "SLEEP", 0.15)
        equal(c.ok("SLOWLOG", "LEN"), 1)
        entry = c.ok("SLOWLOG", "GET")[0]
        equal(len(entry), 6)
        assert abs(entry[1] - time.time()) < 5
        assert entry[2] >= 150000, entry
        equal(entry[3], [b"DEBUG", b"SLEEP", b"0.15"])
        equal(entry[5], b"slow-one")
        number = entry[0]
        c.ok("CONFIG", "SET", "slowlog-log-slower-than", 0)
        c.ok("SET", "k", "x" * 200)
        c.ok("MGET", *["k%d" % i for i in range(40)])
        entries = c.ok("SLOWLOG", "GET", 2)
        equal(len(entries[0][3]), 32)
        equal(entries[0][3][31], b"... (10 more arguments)")
        equal(entries[1][3][2], b"x" * 128 + b"... (72 more bytes)")
        assert entries[1][0] > number
        is_error(c.command("SLOWLOG", "GET", -2), "ERR count should be")
        is_error(c.command("SLOWLOG", "GET", "x"), "ERR count should be")
        is_error(c.command("SLOWLOG", "GET", 1, 2), "ERR unknown subcommand")
        is_error(c.command("CONFIG", "SET", "hz", 10, "timeout"),
                 "ERR syntax error")
        c.ok("CONFIG", "SET", "slowlog-log-slower-than", 10000)
        equal(c.ok("SLOWLOG", "RESET"), "OK")
        equal(c.ok("SLOWLOG", "GET", -1), [])


def test_commandlog_keeps_large_requests_and_replies(server):
    with server.raw() as c:
        c.ok("CONFIG", "SET", "commandlog-request-larger-than", 1000,
             "commandlog-reply-larger-than", 2000,
             "slowlog-log-slower-than", -1)
        for kind in ("slow", "large-request", "LARGE-REPLY"):
            c.ok("COMMANDLOG", "RESET", kind)
        c.ok("SET", "small", "x")
        c.ok("SET", "k", "x" * 990)
        c.ok("SET", "l", "y" * 2500)
        c.ok("MGET", "k", "l")
        equal([c.ok("COMMANDLOG", "LEN", kind) for kind in
               ("slow", "large-request", "large-reply")], [0, 2, 1])
        big, less = c.ok("COMMANDLOG", "GET", -1, "large-request")
        request = lib.encode("SET", "l", "y" * 2500)
        equal(big[2], len(request))
        equal(big[3], [b"SET", b"l", b"y" * 128 + b"... (2372 more bytes)"])
        equal(less[0], big[0] - 1)
        reply, = c.ok("COMMANDLOG", "GET", 1, "large-reply")
        equal((reply[2], reply[3]), (4 + 6 + 990 + 2 + 7 + 2500 + 2,
                                     [b"MGET", b"k", b"l"]))
        equal(c.ok("COMMANDLOG", "GET", 0, "large-reply"), [])
        equal(c.ok("SLOWLOG", "LEN"), 0)
        c.ok("CONFIG", "SET", "commandlog-large-request-max-len", 1)
        equal(c.ok("COMMANDLOG", "LEN", "large-request"), 1)
        equal(c.ok("COMMANDLOG", "RESET", "large-request"), "OK")
        equal(c.ok("COMMANDLOG", "LEN", "large-request"), 0)
        c.ok("CONFIG", "SET", "commandlog-request-larger-than", -1)
        c.ok("SET", "l", "y" * 2500)
        equal(c.ok("COMMANDLOG", "LEN", "large-request"), 0)
        for args in (("GET", 1, "x"), ("LEN", "x"), ("RESET", "x")):
            equal(c.command("COMMANDLOG", *args), lib.Error(
                "ERR type should be one of the following: slow, "
                "large-request, large-reply"))
        is_error(c.command("COMMANDLOG", "GET", -2, "slow"),
                 "ERR count should be greater than or equal to -1")
        c.ok("CONFIG", "SET", "commandlog-request-larger-than", 1048576,
             "commandlog-reply-larger-than", 1048576,
             "commandlog-execution-slower-than", 10000,
             "commandlog-large-request-max-len", 128)
        equal(c.ok("CONFIG", "GET", "slowlog-log-slower-than")[1], b"10000")


def test_latency(server):
    with server.raw() as c:
        assert b"disabled" in c.ok("LATENCY", "DOCTOR")
        c.ok("CONFIG", "SET", "latency-monitor-threshold", 50)
        c.ok("LATENCY", "RESET")
        equal(c.ok("LATENCY", "LATEST"), [])
        c.ok("DEBUG", "SLEEP", 0.1)
        latest = c.ok("LATENCY", "LATEST")
        equal(latest[0][0], b"command")
        assert 100 <= latest[0][3] < 5000, latest
        assert c.ok("LATENCY", "HISTORY", "command")[0][1] >= 100
        equal(c.ok("LATENCY", "HISTORY", "nothing"), [])
        assert b"command - high" in c.ok("LATENCY", "GRAPH", "command")
        is_error(c.command("LATENCY", "GRAPH", "x"),
                 "ERR No samples available for event 'x'")
        assert b"command: 1 samples" in c.ok("LATENCY", "DOCTOR")
        equal(c.ok("LATENCY", "RESET", "command", "other"), 1)
        c.ok("CONFIG", "SET", "latency-monitor-threshold", 0)
        c.ok("CONFIG", "RESETSTAT")
        c.ok("SET", "a", 1)
        c.ok("SET", "a", 2)
        reply = c.ok("LATENCY", "HISTOGRAM", "set")
        equal(reply[0], b"set")
        equal(reply[1][0:2], [b"calls", 2])
        equal(reply[1][3][-1], 2)
        assert len(c.ok("LATENCY", "HISTOGRAM")) >= 2
        equal(c.ok("LATENCY", "HISTOGRAM", "nothing"), [])


def test_memory(server):
    with server.raw() as c:
        c.ok("SET", "small", "x")
        c.ok("SET", "big", "x" * 100000)
        assert 16 < c.ok("MEMORY", "USAGE", "small") < 100
        assert c.ok("MEMORY", "USAGE", "big", "SAMPLES", 5) >= 100000
        equal(c.command("MEMORY", "USAGE", "none"), None)
        is_error(c.command("MEMORY", "USAGE", "small", "x"),
                 "ERR syntax error")
        is_error(c.command("MEMORY", "USAGE", "small", "SAMPLES", -1),
                 "ERR syntax error")
        stats = c.ok("MEMORY", "STATS")
        stats = {stats[i].decode(): stats[i + 1]
                 for i in range(0, len(stats), 2)}
        equal(stats["keys.count"], 2)
        assert "db.0" in stats and stats["total.allocated"] > 100000
        assert c.ok("MEMORY", "DOCTOR")
        equal(c.ok("MEMORY", "PURGE"), "OK")
        assert b"slab" in c.ok("MEMORY", "MALLOC-STATS")


# --- durability -------------------------------------------------------------

def test_wait_without_replicas(server):
    with server.raw() as c:
        c.ok("SET", "a", 1)
        equal(c.ok("WAIT", 0, 0), 0)
        start = time.monotonic()
        equal(c.ok("WAIT", 1, 200), 0)
        assert 0.15 < time.monotonic() - start < 2
        is_error(c.command("WAIT", "x", 1), "ERR value is not an integer")
        is_error(c.command("WAIT", 1, -1), "ERR timeout is negative")


@lib.levels("always", "everysec", "no")
def test_waitaof_waits_for_the_disk(server):
    with server.raw() as c:
        c.ok("SET", "a", 1)
        equal(c.ok("WAITAOF", 1, 0, 0), [1, 0])
        info = server.info("persistence")
        equal(info["durable_lsn"], info["applied_lsn"])
        equal(c.ok("WAITAOF", 0, 0, 0), [1, 0])
        equal(c.ok("WAITAOF", 1, 1, 100), [1, 0])
        is_error(c.command("WAITAOF", 2, 0, 0),
                 "ERR value is out of range, value must between 0 and 1")
        is_error(c.command("WAITAOF", 1, -1, 0), "ERR value is out of range")


@lib.levels("off")
def test_waitaof_needs_a_log(server):
    with server.raw() as c:
        is_error(c.command("WAITAOF", 1, 0, 0),
                 "ERR WAITAOF cannot be used when numlocal is set but "
                 "appendonly is disabled.")
        equal(c.ok("WAITAOF", 0, 0, 0), [0, 0])


@lib.own
def test_a_start_tells_damaged_segments_from_missing_ones():
    with lib.Server(level="always") as s:
        s.command("SET", "k", "v")
        s.command("SAVE")
        s.stop()
        log = os.path.join(s.store, "log")
        first = os.path.join(log, sorted(os.listdir(log))[0])
        with open(first, "r+b") as f:
            f.seek(4096)
            f.write(b"X")
        s.start(wait=False)
        equal(s.wait_end(), 65)
        assert "use block cannot be read" in s.log_tail(), s.log_tail()
        for name in os.listdir(log):
            os.remove(os.path.join(log, name))
        s.start(wait=False)
        equal(s.wait_end(), 65)
        assert "is missing" in s.log_tail(), s.log_tail()


@lib.levels("always", "off")
def test_saves(server):
    with server.raw() as c:
        c.ok("SET", "a", 1)
        before = c.ok("LASTSAVE")
        equal(c.ok("SAVE"), "OK")
        assert c.ok("LASTSAVE") >= before
        equal(server.info("persistence")["rdb_changes_since_last_save"], "0")
        equal(c.ok("BGSAVE"), "Background saving started")
        lib.wait_until(lambda: server.info("persistence")
                       ["rdb_bgsave_in_progress"] == "0")
        assert c.ok("BGREWRITEAOF").startswith("Background append only file")
        lib.wait_until(lambda: server.info("persistence")
                       ["aof_rewrite_in_progress"] == "0")
        assert c.ok("BGSAVE", "SCHEDULE").startswith("Background saving")
        is_error(c.command("BGSAVE", "x"), "ERR syntax error")
        lib.wait_until(lambda: server.info("persistence")
                       ["rdb_bgsave_in_progress"] == "0")
        names = os.listdir(os.path.join(server.store, "snap"))
        assert any(name.endswith(".snap") for name in names), names


def shut_down(s, *words):
    with s.raw() as c:
        c.send_command("SHUTDOWN", *words)
        assert c.is_closed()
    equal(s.wait_end(), 0)


@lib.own
@lib.levels("always", "everysec", "no")
def test_shutdown_loses_nothing(level):
    with lib.Server(level, {"enable-debug-command": "yes"}) as s:
        with s.raw() as c:
            c.pipeline([("SET", "k%d" % i, i) for i in range(1000)])
            is_error(c.command("SHUTDOWN", "x"), "ERR syntax error")
            is_error(c.command("SHUTDOWN", "SAVE", "NOSAVE"),
                     "ERR syntax error")
            is_error(c.command("SHUTDOWN", "ABORT"),
                     "ERR No shutdown in progress.")
        for words in ((), ("NOSAVE",), ("SAVE",), ("NOW", "FORCE")):
            digest = s.digest()
            shut_down(s, *words)
            s.start()
            equal(s.digest(), digest)


@lib.own
def test_shutdown_save_keeps_a_store_without_a_log():
    with lib.Server("off", {"enable-debug-command": "yes"}) as s:
        s.command("SET", "a", 1)
        digest = s.digest()
        shut_down(s, "SAVE")
        s.start()
        equal(s.digest(), digest)
        s.command("SET", "b", 1)
        shut_down(s, "NOSAVE")
        s.start()
        equal(s.digest(), digest)


# --- DEBUG ------------------------------------------------------------------

@lib.own
def test_debug_must_be_enabled():
    with lib.Server() as s:
        is_error(s.raw().command("DEBUG", "DIGEST"),
                 "ERR DEBUG command not allowed")
    with lib.Server(options={"enable-debug-command": "local"}) as s:
        equal(len(s.digest()), len("b''") + 40)


def test_debug_digests(server):
    with server.raw() as c:
        empty = c.ok("DEBUG", "DIGEST")
        equal(empty, b"0" * 40)
        c.ok("SET", "a", "v")
        c.ok("SET", "b", "v")
        one, two, none = c.ok("DEBUG", "DIGEST-VALUE", "a", "b", "none")
        equal(one, two)
        equal(none, b"0" * 40)
        full = c.ok("DEBUG", "DIGEST")
        assert full not in (empty, one)
        c.ok("DEL", "b")
        assert c.ok("DEBUG", "DIGEST") != full
        c.ok("SET", "b", "v")
        equal(c.ok("DEBUG", "DIGEST"), full)


@lib.levels("always", "everysec", "off")
def test_debug_reload_gives_the_same_state(server):
    with server.raw() as c:
        c.pipeline([("SET", "k%d" % i, "v" * (i % 50)) for i in range(3000)])
        c.ok("SELECT", 3)
        c.ok("SET", "other", 1, "EX", 1000)
        c.ok("SETRANGE", "big", 200000, "end")
        digest = c.ok("DEBUG", "DIGEST")
        equal(c.ok("DEBUG", "RELOAD"), "OK")
        equal(c.ok("DEBUG", "DIGEST"), digest)
        c.ok("DEL", "other")
        digest = c.ok("DEBUG", "DIGEST")
        if server.level != "off":
            equal(c.ok("DEBUG", "LOADAOF"), "OK")
            equal(c.ok("DEBUG", "RELOAD", "NOSAVE", "NOFLUSH", "MERGE"), "OK")
        else:
            is_error(c.command("DEBUG", "LOADAOF"), "ERR ")
        equal(c.ok("DEBUG", "DIGEST"), digest)
        c.ok("SET", "goes", "on")
        equal(c.ok("GET", "goes"), b"on")
        equal(c.ok("STRLEN", "big"), 200003)
        is_error(c.command("DEBUG", "RELOAD", "x"), "ERR DEBUG RELOAD only")


def test_debug_protocol_shows_every_type(server):
    with server.raw() as c:
        for name, reply in (("string", b"Hello World"), ("integer", 12345),
                            ("double", b"3.141"), ("null", None),
                            ("array", [0, 1, 2]), ("set", [0, 1, 2]),
                            ("map", [0, 0, 1, 1, 2, 0]), ("true", 1),
                            ("false", 0),
                            ("bignum", b"1234567" + b"9" * 30),
                            ("verbatim", b"This is a verbatim\nstring")):
            equal(c.command("DEBUG", "PROTOCOL", name), reply, name)
        is_error(c.command("DEBUG", "PROTOCOL", "push"), "ERR RESP2 is not")
        is_error(c.command("DEBUG", "PROTOCOL", "x"),
                 "ERR Wrong protocol type name")
    with server.raw(protocol=3) as c:
        for name, reply in (("double", 3.141), ("null", None),
                            ("set", [0, 1, 2]),
                            ("map", lib.Map([(0, False), (1, True),
                                             (2, False)])),
                            ("true", True), ("false", False),
                            ("bignum", int("1234567" + "9" * 30)),
                            ("attrib", b"Some real reply following the "
                                       b"attribute"),
                            ("verbatim", b"This is a verbatim\nstring")):
            equal(c.command("DEBUG", "PROTOCOL", name), reply, name)
        push = c.command("DEBUG", "PROTOCOL", "push")
        equal(push, lib.Push([b"server-cpu-usage", 42]))
        equal(c.read(), b"Some real reply following the push reply")


def test_debug_helpers(server):
    with server.raw() as c:
        c.ok("SET", "k", "value")
        assert "encoding:embstr" in c.ok("DEBUG", "OBJECT", "k")
        is_error(c.command("DEBUG", "OBJECT", "none"), "ERR no such key")
        assert "val_sds_len:5" in c.ok("DEBUG", "SDSLEN", "k")
        assert b"number of elements: 1" in c.ok("DEBUG", "HTSTATS", 0)
        is_error(c.command("DEBUG", "HTSTATS", 99), "ERR Out of range")
        is_error(c.command("DEBUG", "HTSTATS-KEY", "k"), "ERR The value")
        equal(c.ok("DEBUG", "STRINGMATCH-LEN", "a*b", "axxb"), 1)
        is_error(c.command("DEBUG", "ERROR", "FOO bar"), "FOO bar")
        is_error(c.command("DEBUG", "ERROR", "--FOO"), "FOO")
        for command in (("LOG", "hi"), ("CHANGE-REPL-ID",),
                        ("QUICKLIST-PACKED-THRESHOLD", 1),
                        ("PAUSE-CRON", 0), ("SET-ACTIVE-EXPIRE", 1),
                        ("SET-DISABLE-DENY-SCRIPTS", 0), ("SLEEP", 0)):
            equal(c.ok("DEBUG", *command), "OK")
        assert b"bits:64" in c.ok("DEBUG", "STRUCTSIZE")
        c.ok("DEBUG", "POPULATE", 100, "pre", 20)
        equal(c.ok("DBSIZE"), 101)
        equal(c.ok("GET", "pre:7"), b"value:7" + b"\0" * 13)
        # Keys that are built in the same place are different keys.
        for i in range(0, 100, 9):
            assert c.ok("GET", "pre:%d" % i).startswith(b"value:%d\0" % i)
        is_error(c.command("DEBUG", "x"),
                 "ERR unknown subcommand or wrong number of arguments for "
                 "'x'. Try DEBUG HELP.")


def test_keys_stay_while_active_expiry_is_off(server):
    with server.raw() as c:
        c.ok("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        c.ok("SET", "brief", 1, "PX", 50)
        time.sleep(0.3)
        assert server.info("keyspace")["db0"].startswith("keys=1,")
        equal(c.command("GET", "brief"), None)
        c.ok("DEBUG", "SET-ACTIVE-EXPIRE", 1)
        lib.wait_until(lambda: "db0" not in server.info("keyspace"))


@lib.own
def test_a_crash_is_reported_and_survived():
    for how in ("SEGFAULT", "PANIC"):
        with lib.Server(options={"enable-debug-command": "yes"}) as s:
            s.command("SET", "a", 1)
            with s.raw() as c:
                c.send_command("DEBUG", how)
                assert c.is_closed()
            assert s.wait_end() != 0
            s.start()
            equal(s.command("GET", "a"), b"1")


@lib.own
def test_a_loading_server_says_so():
    """Whatever may be asked is answered; the connection lives on."""
    with lib.Server(options={"enable-debug-command": "yes",
                             "key-load-delay": 500}) as s:
        s.command("DEBUG", "POPULATE", 5000, "key", 100)
        s.command("BGSAVE")
        lib.wait_until(lambda: s.info()["rdb_bgsave_in_progress"] == "0")
        s.kill()
        s.start(wait=False)
        c = None
        while c is None:
            try:
                c = s.raw()
            except OSError:
                time.sleep(0.01)
        is_error(c.command("PING"), "LOADING Redis is loading the dataset in "
                                    "memory")
        is_error(c.command("SET", "a", 1), "LOADING")
        is_error(c.command("CONFIG", "SET", "appendfsync", "no"), "LOADING")
        info = c.ok("INFO")
        assert b"\nloading:1\r\n" in info
        assert b"loading_total_bytes:" in info
        c.ok("HELLO", 2)
        c.ok("CLIENT", "ID")
        c.ok("CLIENT", "SETNAME", "early")
        for row in c.ok("COMMAND"):
            name, flags = row[0], row[2]
            if b"loading" in [f.encode() for f in flags] and \
                    name not in (b"quit", b"monitor", b"reset", b"shutdown"):
                c.command(name, *[b"x"] * max(0, abs(row[1]) - 1))
        for words in (("CLIENT", "LIST"), ("CLIENT", "LSN"), ("CLIENT", "INFO"),
                      ("CLIENT", "REPLY", "ON"), ("LATENCY", "LATEST"),
                      ("SLOWLOG", "GET"), ("MEMORY", "STATS"), ("TIME",),
                      ("CONFIG", "GET", "*"), ("COMMAND", "DOCS"),
                      ("MEMORY", "DOCTOR"), ("DEBUG", "DIGEST")):
            c.command(*words)
        assert b"\nloading:1\r\n" in c.ok("INFO", "persistence")
        lib.wait_until(lambda: b"\nloading:0\r\n" in c.ok("INFO", "all"), 20)
        equal(c.ok("CLIENT", "GETNAME"), b"early")
        equal(c.ok("DBSIZE"), 5000)


lib.main(__name__, ports=range(21260, 21299))
