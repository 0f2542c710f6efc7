#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The clients people use: redis-cli, redis-benchmark, redis-py, hiredis."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib  # noqa: E402
from lib import equal, options, wait_until  # noqa: E402

SECONDS = 120 # that a client may take


def run(arguments, input=None, seconds=SECONDS):
    """Output of a program that must succeed and complain about nothing."""
    result = subprocess.run(arguments, input=input, capture_output=True,
                            timeout=seconds)
    if result.returncode or result.stderr:
        raise AssertionError("%s: status %d, stderr %r, stdout %r" % (
            arguments, result.returncode, result.stderr[-2000:],
            result.stdout[-2000:]))
    return result.stdout.decode("utf-8", "replace")


def cli(server, *arguments, **more):
    """redis-cli on the server; what it prints."""
    return run(["redis-cli", "-p", str(server.port)] +
               [str(a) for a in arguments], **more)


def fill(server, count, prefix="key:", value="v"):
    with server.raw() as c:
        c.pipeline([("SET", "%s%d" % (prefix, i), value)
                    for i in range(count)])


def must_have(text, *wanted):
    for line in wanted:
        assert re.search(line, text, re.M), \
            "no %r in:\n%s" % (line, text[-3000:])


# --- redis-benchmark --------------------------------------------------------

BENCHMARKS = {
    "PING_INLINE": "ping", "PING_MBULK": "ping", "SET": "set", "GET": "get",
    "INCR": "incr", "MSET (10 keys)": "mset",
}


def bench(server, *arguments):
    text = run(["redis-benchmark", "-p", str(server.port)] +
               [str(a) for a in arguments])
    return re.sub(r"\r *", "\n", text) # progress is written over itself


def bench_strings(server, clients, pipeline, requests, *more):
    """All string tests of redis-benchmark; every one must show a figure."""
    text = bench(server, "-t", "ping,set,get,incr,mset", "-q", "-c", clients,
                 "-P", pipeline, "-n", requests, "-r", 1000, *more)
    for name in BENCHMARKS:
        must_have(text, re.escape(name) +
                  r": ([1-9][0-9.]*|inf) requests per second, p50=")


def test_benchmark_with_1_client(server):
    bench_strings(server, 1, 1, 200)
    bench_strings(server, 1, 16, 1600)


def test_benchmark_with_50_clients(server):
    bench_strings(server, 50, 1, 1000)
    bench_strings(server, 50, 16, 4000)


def test_benchmark_with_500_clients(server):
    bench_strings(server, 500, 1, 2000)
    bench_strings(server, 500, 16, 8000)


def test_benchmark_in_resp3(server):
    for pipeline in (1, 16):
        for clients in (1, 50):
            bench_strings(server, clients, pipeline, 400, "-3")


@lib.levels("everysec", "no", "off")
def test_benchmark_under_other_levels(server):
    bench_strings(server, 50, 16, 4000)


def test_benchmark_in_full_form(server):
    text = bench(server, "-t", "set,get", "-n", 1000, "-d", 1000, "-c", 10)
    must_have(text, "^====== SET ======", "1000 requests completed in",
              "10 parallel clients", "1000 bytes payload",
              'host configuration "save": ',
              'host configuration "appendonly": yes',
              "Latency by percentile", "throughput summary: ")


def test_benchmark_as_csv_with_threads_and_own_command(server):
    text = bench(server, "-t", "set,get", "-n", 1000, "--csv")
    must_have(text, '^"test","rps"', '^"SET","', '^"GET","')
    text = bench(server, "-t", "set", "-n", 1000, "-q", "--threads", 2)
    must_have(text, "^ *SET: [0-9.]+ requests per second")
    text = bench(server, "-n", 500, "-q", "-r", 10, "getrange",
                 "key:__rand_int__", 0, 3)
    must_have(text, r"^ *getrange .*: [0-9.]+ requests per second")


# --- redis-cli, one command -------------------------------------------------

def test_cli_prints_every_kind_of_reply(server):
    equal(cli(server, "SET", "k", "a b\n"), "OK\n")
    equal(cli(server, "GET", "k"), "a b\n\n")
    equal(cli(server, "--no-raw", "GET", "k"), '"a b\\n"\n')
    equal(cli(server, "--no-raw", "GET", "none"), "(nil)\n")
    equal(cli(server, "--no-raw", "STRLEN", "k"), "(integer) 4\n")
    equal(cli(server, "--no-raw", "MGET", "k", "none"),
          '1) "a b\\n"\n2) (nil)\n')
    equal(cli(server, "--csv", "MGET", "k", "none"), '"a b\\n",NULL\n')
    result = subprocess.run(["redis-cli", "-p", str(server.port), "-e",
                             "INCR", "k"], capture_output=True, timeout=20)
    equal(result.returncode, 1)
    equal(result.stderr, b"ERR value is not an integer or out of range\n\n"
          if result.stderr.endswith(b"\n\n") else
          b"ERR value is not an integer or out of range\n")


def test_cli_in_resp3(server):
    cli(server, "-3", "SET", "k", "v")
    must_have(cli(server, "-3", "--no-raw", "HELLO"), '"proto" => .integer. 3')
    equal(cli(server, "-3", "--no-raw", "MGET", "k", "none"),
          '1) "v"\n2) (nil)\n')
    equal(cli(server, "--json", "MGET", "k", "none"), '["v",null]\n')
    equal(cli(server, "--json", "CONFIG", "GET", "maxclients"),
          '{"maxclients":"10000"}\n')
    must_have(cli(server, "-3", "INFO", "server"), "^redis_version:7")
    must_have(cli(server, "-3", "CLIENT", "INFO"), " resp=3 ")


def test_cli_takes_input_in_its_ways(server):
    equal(cli(server, "-x", "SET", "in", input=b"\x00\xff and text"), "OK\n")
    with server.raw() as c:
        equal(c.ok("GET", "in"), b"\x00\xff and text")
    equal(cli(server, "-X", "TAG", "SET", "in", "TAG", input=b"other"), "OK\n")
    equal(cli(server, "-n", 3, "SET", "third", 1), "OK\n")
    equal(cli(server, "-n", 3, "DBSIZE"), "1\n")
    equal(cli(server, "-r", 3, "-i", 0.01, "INCR", "n"), "1\n2\n3\n")
    equal(cli(server, "-u", "redis://127.0.0.1:%d/3" % server.port, "GET",
              "third"), "1\n")
    equal(cli(server, input=b"set a 1\nget a\nincrby a 41\n"), "OK\n1\n42\n")
    with server.raw() as c:
        c.ok("CONFIG", "SET", "requirepass", "secret")
        try:
            equal(cli(server, "--no-auth-warning", "-a", "secret", "GET",
                      "a"), "42\n")
            equal(cli(server, "--no-auth-warning", "--user", "default",
                      "--pass", "secret", "-3", "GET", "a"), "42\n")
        finally:
            c.ok("CONFIG", "SET", "requirepass", "")


def test_cli_info(server):
    for protocol in ("-2", "-3"):
        text = cli(server, protocol, "INFO")
        for section in ("Server", "Clients", "Memory", "Persistence", "Stats",
                        "Replication", "CPU", "Keyspace"):
            must_have(text, "^# %s\r?$" % section)


def test_cli_knows_the_commands_of_the_server(server):
    text = cli(server, "COMMAND", "DOCS", "set")
    must_have(text, "^set$", "^summary$", "^arguments$")
    text = cli(server, "--json", "COMMAND", "DOCS", "set", "getex")
    must_have(text, '"set":{"summary":', '"getex":{"summary":')
    must_have(cli(server, "COMMAND", "LIST"), "^set$", "^get$")


def test_cli_hints_while_one_types(server):
    """In a terminal redis-cli asks COMMAND DOCS and shows what may follow."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm"
        os.environ["HOME"] = "/nonexistent"
        os.execvp("redis-cli", ["redis-cli", "-p", str(server.port)])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ,
                struct.pack("HHHH", 25, 200, 0, 0))
    seen = b""

    def read_until(wanted, seconds=20):
        nonlocal seen
        end = time.monotonic() + seconds
        while not re.search(wanted, seen):
            left = end - time.monotonic()
            assert left > 0, "no %r in %r" % (wanted, seen)
            if select.select([terminal], [], [], left)[0]:
                seen += os.read(terminal, 4096)

    try:
        read_until(rb"> ")
        os.write(terminal, b"getex ")
        read_until(rb"key \[EX seconds")
        seen = b""
        os.write(terminal, b"nokey\r")
        # What is typed before the next prompt is thrown away.
        read_until(rb"(?s)\(nil\).*> ")
        os.write(terminal, b"exit\r")
        # It ends when all it has written has been read.
        while select.select([terminal], [], [], 20)[0]:
            try:
                if not os.read(terminal, 4096):
                    break
            except OSError:
                break
        status = []

        def has_ended():
            status[:] = os.waitpid(child, os.WNOHANG)
            return status[0]

        wait_until(has_ended, 20, "the end of redis-cli")
        child = 0
        equal(os.waitstatus_to_exitcode(status[1]), 0)
    finally:
        if child:
            os.kill(child, 9)
            os.waitpid(child, 0)
        os.close(terminal)


# --- redis-cli, its modes ---------------------------------------------------

def test_cli_scan(server):
    fill(server, 500)
    fill(server, 20, "other:")
    equal(len(set(cli(server, "--scan").split())), 520)
    found = cli(server, "--scan", "--pattern", "other:*").split()
    equal(sorted(found), sorted("other:%d" % i for i in range(20)))
    equal(len(cli(server, "-3", "--scan", "--pattern", "key:1?").split()), 10)


def test_cli_biggest_keys(server):
    fill(server, 300)
    cli(server, "SET", "the-big-one", "x" * 5000)
    for protocol in ("-2", "-3"):
        text = cli(server, protocol, "--bigkeys")
        must_have(text, "Sampled 301 keys in the keyspace",
                  'Biggest string found .?"the-big-one".? has 5000 bytes',
                  "^301 strings with 5300 bytes")
        text = cli(server, protocol, "--memkeys")
        must_have(text, "Sampled 301 keys in the keyspace",
                  'Biggest string found .?"the-big-one".? has [0-9]+ bytes')
        cli(server, protocol, "--memkeys-samples", 3)


@options(maxmemory_policy="allkeys-lfu")
def test_cli_hot_keys(server):
    fill(server, 50)
    with server.raw() as c:
        c.pipeline([("GET", "key:7")] * 2000)
    must_have(cli(server, "--hotkeys"), "Sampled 50 keys in the keyspace",
              'hot key found with counter: [0-9]+\tkeyname: "key:7"')


def test_cli_latency(server):
    text = cli(server, "--raw", "--latency", "-i", 1)
    must_have(text, r"^[0-9]+ [0-9]+ [0-9.]+ [0-9]+$")
    text = cli(server, "--csv", "--latency", "-i", 1)
    must_have(text, "^[0-9]+,[0-9]+,[0-9.]+,[0-9]+$")


def endless(server, arguments, wanted, act=lambda: None):
    """A mode that ends only when it is stopped: its output has these lines
    after a while, and nothing is on stderr."""
    process = subprocess.Popen(
        ["stdbuf", "-oL", "redis-cli", "-p", str(server.port)] + arguments,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    os.set_blocking(process.stdout.fileno(), False)
    text = ""

    def complete():
        nonlocal text
        text += (process.stdout.read() or b"").decode()
        act()
        time.sleep(0.02)
        return all(re.search(w, text, re.M) for w in wanted)

    try:
        try:
            wait_until(complete, 30)
        except AssertionError:
            raise AssertionError("%r not in %r" % (wanted, text))
        assert process.poll() is None, "ended: %r" % text
    finally:
        process.kill()
        _, errors = process.communicate()
    equal(errors, b"")
    return text


def test_cli_latency_history_and_distribution(server):
    endless(server, ["--raw", "--latency-history", "-i", "1"],
            [r"^[0-9]+ [0-9]+ [0-9.]+ [0-9]+"])
    endless(server, ["--latency-dist", "-i", "1"], ["---------", "\\."])


def test_cli_stat(server):
    fill(server, 12)
    text = endless(server, ["--stat", "-i", "0.1"],
                   ["^keys +mem +clients +blocked +requests +connections",
                    r"^12 +[0-9.]+[KMG] +[0-9]+ +0 +[0-9]+ \(\+[0-9]+\)"])
    assert text.count("\n") >= 3, text


def test_cli_monitor(server):
    with server.raw() as c:
        for protocol in ("-2", "-3"):
            endless(server, [protocol, "MONITOR"],
                    [r"^OK$", r'^[0-9]+\.[0-9]{6} \[0 127\.0\.0\.1:[0-9]+\] '
                     r'"SET" "mon" "a\\x00 \\"b"$'],
                    lambda: c.ok("SET", "mon", b'a\0 "b'))


def test_cli_pipe(server):
    commands = b"".join(lib.encode("SET", "pipe:%d" % i, "v" * (i % 100))
                        for i in range(20000))
    text = cli(server, "--pipe", input=commands)
    must_have(text, "^All data transferred", "^errors: 0, replies: 20000$")
    equal(cli(server, "DBSIZE"), "20000\n")
    equal(cli(server, "GET", "pipe:3"), "vvv\n")
    text = cli(server, "--pipe", input=b"SET in line\r\nGET in\r\n")
    must_have(text, "^errors: 0, replies: 2$")


# --- hiredis ----------------------------------------------------------------

def test_hiredis(server):
    program = os.path.join(lib.BUILD, "tests", "e2e", "hiredis_client")
    assert os.path.exists(program), "make %s" % program
    text = run([program, str(server.port)])
    must_have(text, "^RESP2: [0-9]+ checks passed$",
              "^RESP3: ([0-9]+ checks passed|this hiredis does not know it)$")


# --- redis-py ---------------------------------------------------------------

def py(server, **more):
    return server.client(decode_responses=True, **more)


def test_redis_py_strings(server):
    r = py(server)
    assert r.ping() is True
    assert r.set("k", "v") is True
    assert r.set("k", "w", nx=True) is None
    assert r.set("k", "w", xx=True, get=True) == "v"
    assert r.set("t", 1, ex=100) and 0 < r.ttl("t") <= 100
    assert r.set("t", 1, px=5000) and 0 < r.pttl("t") <= 5000
    assert r.set("t", 2, keepttl=True) and r.pttl("t") > 0
    assert r.set("t", 2, exat=int(time.time()) + 50) and r.ttl("t") > 0
    assert (r.get("k"), r.get("none"), r["k"]) == ("w", None, "w")
    assert r.append("k", "xyz") == 4 and r.strlen("k") == 4
    assert r.getrange("k", 1, 2) == "xy" and r.substr("k", 0, 1) == "wx"
    assert r.setrange("k", 1, "__") == 4 and r.get("k") == "w__z"
    assert r.getset("k", "n") == "w__z" and r.getdel("k") == "n"
    assert r.getex("t", persist=True) == "2" and r.ttl("t") == -1
    assert r.getex("t", ex=10) == "2" and r.ttl("t") > 0
    assert r.mset({"a": 1, "b": 2}) and r.mget("a", "x", "b") == \
        ["1", None, "2"]
    assert r.msetnx({"b": 3, "c": 3}) is False and r.get("c") is None
    assert r.setnx("c", 1) is True and r.setnx("c", 2) is False
    assert r.setex("s", 10, "v") and r.psetex("s", 10000, "v")
    assert (r.incr("n"), r.incr("n", 5), r.incrby("n", 2)) == (1, 6, 8)
    assert (r.decr("n"), r.decrby("n", 3)) == (7, 4)
    assert r.incrbyfloat("f", "0.5") == 0.5
    r.mset({"x": "ohmytext", "y": "mynewtext"})
    assert r.lcs("x", "y") == "mytext" and r.lcs("x", "y", len=True) == 6
    assert r.lcs("x", "y", idx=True, minmatchlen=4, withmatchlen=True) == \
        ["matches", [[[4, 7], [5, 8], 4]], "len", 6]


def test_redis_py_bitmaps(server):
    r = server.client()
    assert r.setbit("b", 7, 1) == 0 and r.getbit("b", 7) == 1
    assert r.bitcount("b") == 1 and r.bitcount("b", 0, 6, "BIT") == 0
    assert r.bitpos("b", 1) == 7 and r.bitpos("b", 0, 0, -1) == 0
    r.set("c", b"\xf0")
    assert r.bitop("OR", "d", "b", "c") == 1 and r.get("d") == b"\xf1"
    assert r.bitop("NOT", "e", "c") == 1 and r.get("e") == b"\x0f"
    field = r.bitfield("f", default_overflow="SAT")
    assert field.set("u8", 0, 200).incrby("u8", 0, 100).get("u8", 0) \
        .overflow("FAIL").incrby("u8", 0, 1).execute() == [0, 255, 255, None]


def test_redis_py_keys(server):
    r = py(server)
    r.mset({"k%d" % i: i for i in range(300)})
    assert r.dbsize() == 300 and "k1" in r and r.exists("k1", "k2", "no") == 2
    assert r.type("k1") == "string" and r.type("no") == "none"
    assert sorted(r.keys("k1?")) == ["k1%d" % i for i in range(10)]
    assert len(set(r.scan_iter(count=50))) == 300
    assert set(r.scan_iter(match="k29?")) == {"k29%d" % i for i in range(10)}
    assert len(list(r.scan_iter(_type="string"))) == 300
    cursor, some = r.scan(0, count=10)
    assert cursor > 0 and some
    assert r.delete("k1", "no") == 1 and r.unlink("k2", "k3") == 2
    assert r.rename("k4", "n4") and r.renamenx("k5", "n4") is False
    assert r.copy("n4", "n5") and r.get("n5") == "4"
    assert r.copy("n4", "n5", replace=True, destination_db=1)
    assert r.move("n5", 2) and r.touch("k6", "no") == 1
    assert r.randomkey() in r
    assert r.expire("k6", 100) and 0 < r.ttl("k6") <= 100
    assert r.expire("k6", 50, gt=True) is False
    assert r.pexpire("k7", 100000) and r.persist("k7") and r.ttl("k7") == -1
    then = int(time.time()) + 1000
    assert r.expireat("k8", then) and r.expiretime("k8") == then
    assert r.pexpireat("k8", then * 1000) and r.pexpiretime("k8") == \
        then * 1000
    assert r.object("encoding", "k9") == "int"
    assert r.object("refcount", "k9") and r.object("idletime", "k9") == 0
    assert r.swapdb(0, 1) and r.dbsize() == 1
    assert r.flushdb() and r.dbsize() == 0 and r.flushall()


def test_redis_py_pipelines_and_pools(server):
    import redis
    r = py(server)
    pipe = r.pipeline(transaction=False)
    for i in range(1000):
        pipe.set("p%d" % i, i).incr("p%d" % i)
    replies = pipe.execute()
    assert replies[0::2] == [True] * 1000
    assert replies[1::2] == list(range(1, 1001))
    pipe.set("s", "text").incr("s").get("s")
    replies = pipe.execute(raise_on_error=False)
    assert isinstance(replies[1], redis.ResponseError), replies
    assert replies[2] == "text"
    pool = redis.ConnectionPool(port=server.port, max_connections=5)
    clients = [redis.Redis(connection_pool=pool) for _ in range(20)]
    for i, client in enumerate(clients):
        client.set("pool%d" % i, i)
        assert client.get("pool%d" % i) == b"%d" % i
    pool.disconnect()
    again = redis.Redis.from_url("redis://127.0.0.1:%d/5" % server.port)
    assert again.set("five", 5) and py(server, db=5).get("five") == "5"


def test_redis_py_server_commands(server):
    r = py(server, client_name="me")
    me = [c for c in r.client_list() if c["name"] == "me"]
    assert len(me) == 1 and me[0]["cmd"] == "client|list", me
    assert int(me[0]["id"]) == r.client_id() == r.client_info()["id"]
    assert r.client_getname() == "me" and r.client_setname("you")
    info = r.info()
    assert info["redis_version"] and info["uptime_in_seconds"] >= 0
    assert r.info("memory")["used_memory"] > 0
    assert r.info("keyspace") == {} and r.set("k", "v")
    assert r.info("keyspace")["db0"]["keys"] == 1
    assert r.config_get("maxmem*")["maxmemory"] == "0"
    assert r.config_set("slowlog-max-len", 100)
    assert r.config_get("slowlog-max-len") == {"slowlog-max-len": "100"}
    assert r.config_resetstat() and r.time()[0] > 0
    assert r.command_count() == len(r.command()) > 90
    assert r.command()["get"]["arity"] == 2
    assert r.slowlog_reset() and r.slowlog_len() == 0
    assert r.memory_usage("k") > 0 and r.memory_stats()["keys.count"] == 1
    assert r.echo("hello") == "hello" and r.lastsave()
    assert r.role()[0] == "master" and r.wait(0, 10) == 0
    assert r.client_pause(1) and r.client_unpause()
    assert r.client_no_evict("ON") and r.acl_whoami() == "default"
    assert r.bgsave()
    with r.monitor() as m:
        py(server).set("seen", "x")
        while True:
            line = m.next_command()
            if "seen" in line["command"]:
                break
        assert line["command"] == "SET seen x" and line["db"] == 0, line
    r.close()


lib.main(__name__, ports=range(21500, 21530))
