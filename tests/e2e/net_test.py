#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Connections: protocol, limits, gates, sockets, start and end."""

import os
import resource
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib  # noqa: E402
from lib import encode, is_error, own, options, wait_until  # noqa: E402


def lan_address():
    """An address of this machine that is not loopback; None: it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))
            address = s.getsockname()[0]
        except OSError:
            return None
    return None if address.startswith("127.") else address


def equal(got, wanted):
    """A wanted str may have come as a simple or as a bulk string."""
    if isinstance(got, bytes) and isinstance(wanted, str):
        wanted = wanted.encode()
    if got != wanted:
        raise AssertionError("got %.300r, wanted %.300r" % (got, wanted))


def answers(server):
    """Is there room for one more client?"""
    with server.raw() as c:
        try:
            return c.command("PING") == "PONG"
        except OSError:
            return False


# --- requests ---------------------------------------------------------------

def test_inline_commands_are_understood(server):
    with server.raw() as c:
        c.send(b'SET "in line" \'a b\'\r\nget "in\\x20line"\n\r\n'
               b'ECHO "\\x41\\n"\r\n')
        equal(c.read(), "OK")
        equal(c.read(), "a b")
        equal(c.read(), "A\n")


def test_bytes_one_by_one_make_the_same_command(server):
    with server.raw() as c:
        for byte in encode("SET", "slow", "v") + b"GET slow\r\n":
            c.send(bytes([byte]))
        equal(c.read(), "OK")
        equal(c.read(), "v")


def test_big_values_come_and_go_whole(server):
    with server.raw() as c:
        for size in (16383, 16384, 32768, 65536, 1 << 20, 20_000_000):
            value = os.urandom(1024) * (size // 1024 + 1)
            value = value[:size]
            equal(c.command("SET", "big", value), "OK")
            equal(c.command("GET", "big"), value)
        c.ok("DEL", "big")


def test_big_value_in_small_pieces_between_small_commands(server):
    value = os.urandom(300_000)
    stream = (encode("SET", "p", "1") + encode("SET", "q", value) +
              encode("GET", "p") + encode("STRLEN", "q"))
    with server.raw() as c:
        for i in range(0, len(stream), 7001):
            c.send(stream[i:i + 7001])
            if i % 5 == 0:
                time.sleep(0.0005)
        equal([c.read() for _ in range(4)],
              ["OK", "OK", b"1", len(value)])
        c.ok("DEL", "q")


def test_a_long_pipeline_is_answered_in_order(server):
    with server.raw() as c:
        n = 20000
        thread = threading.Thread(target=c.send, args=(b"".join(
            encode("ECHO", i) for i in range(n)),))
        thread.start()
        for i in range(n):
            equal(c.read(), b"%d" % i)
        thread.join()


def test_long_commands_of_one_client_take_turns(server):
    """More words than a batch holds, and each longer than a client's share
    of a turn: other clients get theirs between two of them."""
    with server.raw() as c:
        c.pipeline([["ZADD", "z"] + [w for i in range(100)
                                     for w in (i, "m%d" % i)]])
        slow = ["ZINTERCARD", 300] + ["z"] * 300
        replies = c.pipeline([["INFO", "stats"]] + [slow] * 12 +
                             [["INFO", "stats"]])
    equal(replies[1:-1], [100] * 12)
    before, after = (
        int(reply.split(b"eventloop_cycles:")[1].split()[0])
        for reply in (replies[0], replies[-1]))
    if after - before < 4:
        raise AssertionError("%d turns" % (after - before))


def test_commands_of_many_arguments(server):
    keys = [b"k%d" % i for i in range(5000)]
    with server.raw() as c:
        equal(c.ok("MSET", *[x for k in keys for x in (k, b"v")]), "OK")
        equal(c.ok("DEL", *keys), 5000)


def test_a_command_of_more_than_a_million_arguments_survives_a_kill(server):
    some = [b"%d" % (i % 1000) for i in range(1 << 20)]
    with server.raw() as c:
        equal(c.ok("RPUSH", "l", *some), 1 << 20)
        equal(c.ok("SADD", "s", *some), 1000)
    server.restart_same()


def test_protocol_errors_are_said_and_close(server):
    for request, text in [
            (b"*1\r\n:1\r\n", "expected '$', got ':'"),
            (b"*x\r\n", "invalid multibulk length"),
            (b"*2147483648\r\n", "invalid multibulk length"),
            (b"*1\r\n$-2\r\n", "invalid bulk length"),
            (b"*1\r\n$536870913\r\n", "invalid bulk length"),
            (b'SET "a\r\n', "unbalanced quotes in request"),
            (b"a" * 70000, "too big inline request"),
            (b"*" + b"1" * 70000, "too big mbulk count string"),
            (b"*1\r\n$" + b"1" * 70000, "too big bulk count string")]:
        with server.raw() as c:
            c.send(encode("PING") + request)
            equal(c.read(), "PONG")
            equal(str(c.read()), "ERR Protocol error: " + text)
            assert c.is_closed()


def test_browsers_are_shown_the_door(server):
    for text in (b"POST / HTTP/1.1\r\nHost: x\r\n\r\nSET stolen 1\r\n",
                 b"GET / HTTP/1.1\r\nHost: x\r\n\r\nSET stolen 1\r\n",
                 b"post / x\r\nSET stolen 1\r\n"):
        with server.raw() as c:
            c.send(text)
            while True:
                try:
                    if not c.socket.recv(1000):
                        break
                except ConnectionError:
                    break
    equal(server.command("EXISTS", "stolen"), 0)


def test_announced_sizes_take_no_memory(server):
    def resident():
        with open("/proc/%d/statm" % server.pid) as f:
            return int(f.read().split()[1]) * resource.getpagesize()
    before = resident()
    clients = [server.raw() for _ in range(100)]
    for c in clients:
        c.send(b"*1000000\r\n$500000000\r\nx")
    time.sleep(0.2)
    equal(server.command("PING"), "PONG")
    assert resident() - before < 100 * 80 * 1024, resident() - before
    for c in clients:
        c.close()


def test_half_closed_clients_get_their_replies(server):
    with server.raw() as c:
        c.send(encode("SET", "half", "1") + encode("GET", "half"))
        c.socket.shutdown(socket.SHUT_WR)
        equal(c.read(), "OK")
        equal(c.read(), b"1")
        assert c.is_closed()


def test_quit_answers_and_closes_and_the_rest_is_not_run(server):
    with server.raw() as c:
        c.send(b"QUIT\r\nSET after quit\r\n" + encode("SET", "after", "quit"))
        equal(c.read(), "OK")
        assert c.is_closed()
    equal(server.command("EXISTS", "after"), 0)


# --- gates ------------------------------------------------------------------

@lib.levels("always", "everysec", "no", "off")
def test_many_clients_get_every_reply(server):
    failures = []

    def work(number):
        try:
            with server.raw() as c:
                for i in range(200):
                    key = "w%d" % (i % 7)
                    equal(c.command("SET", key, number), "OK")
                    c.ok("GET", key)
                    replies = c.pipeline([("INCR", "n%d" % number)] * 5)
                    equal(replies, list(range(i * 5 + 1, i * 5 + 6)))
        except Exception as e:  # noqa: BLE001
            failures.append(e)

    server.command("FLUSHALL")
    threads = [threading.Thread(target=work, args=(i,)) for i in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    equal(failures, [])


@lib.levels("always")
def test_a_reply_comes_after_its_write_is_durable(server):
    with server.raw() as writer, server.raw() as reader:
        for i in range(200):
            equal(writer.command("SET", "durable", i), "OK")
            lsn = int(writer.ok("CLIENT", "LSN").split(b":")[1])
            durable = int(server.info("persistence")["durable_lsn"])
            assert durable >= lsn, (durable, lsn)
            equal(reader.command("GET", "durable"), b"%d" % i)


@own
def test_what_is_held_leaves_at_an_orderly_end():
    with lib.Server(level="always") as s:
        clients = [s.raw() for _ in range(50)]
        for i, c in enumerate(clients):
            c.send(encode("SET", "k%d" % i, "v"))
        status = s.stop()
        equal(status, 0)
        answered = 0
        for c in clients:
            try:
                answered += c.read() == "OK"
            except ConnectionError:
                pass
        s.start()
        kept = sum(s.command("EXISTS", "k%d" % i) for i in range(50))
        assert kept >= answered, (kept, answered)


def test_paused_commands_go_on_where_they_stopped(server):
    with server.raw() as control, server.raw() as array, server.raw() as line:
        equal(control.ok("CLIENT", "PAUSE", 100000, "WRITE"), "OK")
        array.send(encode("ECHO", "before") + encode("SET", "paused", "1") +
                   encode("GET", "paused") + encode("ECHO", "after"))
        line.send(b'ECHO "be\\x66ore"\r\nAPPEND line "\\x61"\r\n'
                  b'APPEND line \'b\'\r\nECHO after\r\n')
        equal(array.read(), "before")
        equal(line.read(), "before")
        time.sleep(0.05)
        equal(control.ok("EXISTS", "paused", "line"), 0)
        # bytes that come while it waits are not lost either
        array.send(encode("INCR", "paused"))
        equal(control.ok("CLIENT", "UNPAUSE"), "OK")
        equal([array.read() for _ in range(4)], ["OK", b"1", b"after", 2])
        equal([line.read() for _ in range(3)], [1, 2, b"after"])
        equal(control.ok("GET", "line"), "ab")


def test_a_paused_client_may_go(server):
    with server.raw() as control:
        equal(control.ok("CLIENT", "PAUSE", 100000, "WRITE"), "OK")
        gone = [server.raw() for _ in range(20)]
        for i, c in enumerate(gone):
            c.send(encode("SET", "gone", i) + encode("SET", "gone", i))
        for c in gone[:10]:
            c.close()
        killed = str(control.ok("CLIENT", "KILL", "ADDR", "%s:%d" %
                                gone[10].socket.getsockname()))
        equal(killed, "1")
        assert gone[10].is_closed()
        equal(control.ok("CLIENT", "UNPAUSE"), "OK")
        for c in gone[11:]:
            equal([c.read(), c.read()], ["OK", "OK"])
            c.close()


def test_a_waiting_client_that_goes_is_forgotten(server):
    with server.raw() as c:
        c.send(encode("SET", "x", 1) + encode("WAIT", 1, 0))
        equal(c.read(), "OK")
        wait_until(lambda: server.info("clients")["blocked_clients"] == "1")
    wait_until(lambda: server.info("clients")["blocked_clients"] == "0")


def test_half_closed_clients_get_what_takes_a_while(server):
    with server.raw() as c, socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        c.send(encode("SET", "slow", "v") +
               encode("MIGRATE", "127.0.0.1", mute.getsockname()[1], "slow",
                      0, 300) + encode("GET", "slow"))
        wait_until(lambda: server.info("clients")["blocked_clients"] == "1")
        c.socket.shutdown(socket.SHUT_WR)
        equal(c.read(), "OK")
        is_error(c.read(), "IOERR")
        equal(c.read(), b"v")
        assert c.is_closed()


def test_a_client_that_goes_with_its_command_waits_for_nothing(server):
    with server.raw() as c:
        equal(c.command("PING"), "PONG")
        server.process.send_signal(signal.SIGSTOP)
        c.send(encode("SET", "x", 1) + encode("WAIT", 1, 0))
        c.socket.shutdown(socket.SHUT_WR)
        server.process.send_signal(signal.SIGCONT)
        equal(c.read(), "OK")
        assert c.is_closed()
    equal(server.info("clients")["blocked_clients"], "0")


# --- limits -----------------------------------------------------------------

@options(maxclients=5)
def test_maxclients_refuses_the_next(server):
    clients = []
    while len(clients) < 5:
        c = server.raw()
        try:
            if c.command("PING") == "PONG":
                clients.append(c)
        except OSError:
            pass
    with server.raw() as c:
        equal(str(c.read()), "ERR max number of clients reached")
        assert c.is_closed()
    clients.pop().close()
    wait_until(lambda: answers(server))
    for c in clients:
        c.close()


@own
def test_strangers_are_few_small_and_short_lived():
    with lib.Server(level="off", options={
            "requirepass": "secret", "maxclients": 40,
            "auth-timeout": 1}) as s:
        check_strangers(s)


def check_strangers(server):
    with server.raw() as c:
        is_error(c.command("GET", "a"), "NOAUTH")
        c.send(b"*11\r\n")
        equal(str(c.read()),
              "ERR Protocol error: unauthenticated multibulk length")
        assert c.is_closed()
    with server.raw() as c:
        c.send(b"*2\r\n$4\r\nAUTH\r\n$16385\r\n")
        equal(str(c.read()),
              "ERR Protocol error: unauthenticated bulk length")
    strangers = [server.raw() for _ in range(20)]
    refused = 0
    for c in strangers:
        reply = c.command("PING")
        is_error(reply, ("NOAUTH", "ERR max number of clients reached"))
        refused += "max number" in str(reply)
    equal(refused, 10)
    start = time.monotonic()
    for c in strangers:
        assert c.is_closed()
    assert time.monotonic() - start < 4


@own
def test_a_password_lifts_the_limits_at_once():
    with lib.Server(level="off", options={"requirepass": "secret"}) as s, \
            s.raw() as c:
        c.send(encode("AUTH", "secret") + encode("SET", "pw", "x" * 20000) +
               encode("MGET", *["pw"] * 15))
        equal(c.read(), "OK")
        equal(c.read(), "OK")
        equal(len(c.read()), 15)


@own
def test_without_a_password_nobody_has_to_authenticate_in_time():
    with lib.Server(level="off", options={
            "requirepass": "secret", "auth-timeout": 1}) as s:
        with s.raw() as early, s.raw() as control:
            equal(control.ok("AUTH", "secret"), "OK")
            equal(control.ok("CONFIG", "SET", "requirepass", ""), "OK")
            wait_until(lambda: control.ok("INFO", "clients").find(
                b"unauthenticated_clients:0") > 0)
            time.sleep(1.5)
            equal(early.command("PING"), "PONG")


@own
def test_strangers_who_do_not_read_are_cut_off():
    with lib.Server(level="off", options={"requirepass": "secret"}) as s, \
            s.raw() as c:
        closed = False
        try:
            for _ in range(2000):
                c.send(encode("GET", "a") * 1000)
        except OSError:
            closed = True
        assert closed or c.is_closed()


@own
def test_idle_clients_go_after_timeout():
    with lib.Server(level="off", options={"timeout": 1}) as s:
        with s.raw() as idle, s.raw() as busy:
            end = time.monotonic() + 4
            idle.socket.settimeout(0.1)
            while not idle.is_closed():
                busy.ok("PING")
                assert time.monotonic() < end
            busy.ok("PING")


@own
def test_clients_that_do_not_read_are_idle_too():
    size = 60_000_000
    with lib.Server(level="off", options={"timeout": 2}) as s:
        s.command("SET", "big", "x" * size)
        with s.raw() as c:
            c.send_command("GET", "big")
            wait_until(lambda: s.info("clients")["connected_clients"] == "1",
                       what="the end of who does not read")
        with s.raw() as c:  # who takes its time is not idle
            c.send_command("GET", "big")
            for _ in range(15):
                c.exactly(size // 16)
                time.sleep(0.2)
            c.exactly(size + len(b"$60000000\r\n\r\n") - size // 16 * 15)


@own
def test_clients_that_still_send_are_not_idle():
    with lib.Server(level="off", options={"timeout": 2}) as s:
        with s.raw() as c:
            command = encode("SET", "k", "x" * 15000)
            for i in range(0, len(command), 1000):
                c.send(command[i:i + 1000])
                time.sleep(0.3)
            equal(c.read(), "OK")


@own
def test_output_limit_closes_who_does_not_read():
    limit = "normal 2mb 1mb 60"
    with lib.Server(level="off", options=[
            "--client-output-buffer-limit", *limit.split()]) as s:
        s.command("SET", "big", "x" * 100_000)
        with s.raw() as c:
            c.send(encode("GET", "big") * 400)
            wait_until(lambda: "limit" in s.log_tail(), what="a log line")
        s.command("SET", "bigger", "x" * 5_000_000)
        with s.raw() as c:  # one reply may be as big as it is
            equal(len(c.ok("GET", "bigger")), 5_000_000)


@own
def test_query_limit_closes_who_sends_too_much():
    with lib.Server(level="off", options={
            "client-query-buffer-limit": "1mb"}) as s:
        with s.raw() as c:
            try:
                c.send(b"*2\r\n$3\r\nGET\r\n$400000000\r\n" + b"x" * 4000000)
                assert c.is_closed()
            except OSError:
                pass
        equal(s.command("PING"), "PONG")


@own
def test_a_start_that_could_not_work_says_why():
    s = lib.Server(level="off")
    nowhere = os.path.join(s.dir, "none", "log")
    end = subprocess.run(s.arguments() + ["--logfile", nowhere],
                         capture_output=True, timeout=30)
    equal(end.returncode, 78)
    assert b"Can't open the log file " + nowhere.encode() + \
        b": No such file or directory" in end.stderr, end.stderr
    end = subprocess.run(
        s.arguments(), capture_output=True, timeout=30,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE,
                                              (40, 40)))
    equal(end.returncode, 78)
    assert b"limit on open files (ulimit -n) is 40: at least 65 are" in \
        end.stderr, end.stderr
    os.rmdir(s.store)
    end = subprocess.run(s.arguments() + ["--create-store", "no"],
                         capture_output=True, timeout=30)
    equal(end.returncode, 78)
    assert b"is the right file system mounted" in end.stderr, end.stderr
    assert not os.path.exists(s.store)
    s.remove()


@own
def test_accepting_survives_the_end_of_files():
    def few_files():
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))

    s = lib.Server(level="off")
    with open(s.log_path, "ab") as log:
        s.process = subprocess.Popen(s.arguments(), stdout=log, stderr=log,
                                     cwd=s.dir, preexec_fn=few_files)
    try:
        s.wait_ready()
        assert "maxclients becomes 36" in s.log_tail(), s.log_tail()
        clients = [socket.create_connection(("127.0.0.1", s.port))
                   for _ in range(150)]
        time.sleep(0.3)
        for c in clients:
            c.close()
        wait_until(lambda: answers(s), seconds=3)
    finally:
        s.remove()


def test_clients_that_reset_before_accept_do_no_harm(server):
    for _ in range(300):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack("ii", 1, 0))
        s.connect(("127.0.0.1", server.port))
        s.close()
    equal(server.command("PING"), "PONG")


# --- sockets ----------------------------------------------------------------

@own
def test_unix_socket_has_its_mode_and_serves():
    with lib.Server(level="off", options=[
            "--unixsocket", "s.sock", "--unixsocketperm", "700"]) as s:
        path = os.path.join(s.dir, "s.sock")
        equal(stat.S_IMODE(os.stat(path).st_mode), 0o700)
        with lib.Raw(path=path) as c:
            equal(c.command("PING"), "PONG")
            assert b"s.sock:0" in c.ok("CLIENT", "LIST")
        s.kill()
        s.start()  # the stale file is no obstacle
        with lib.Raw(path=path) as c:
            equal(c.command("PING"), "PONG")
        equal(s.command("CONFIG", "SET", "port", lib.free_port()), "OK")
        equal(s.stop(), 0)
        assert not os.path.exists(path)


@own
def test_protected_mode_refuses_strangers_only():
    address = lan_address()
    if address is None:
        return
    with lib.Server(level="off", options={"bind": "*"}) as s:
        with socket.create_connection((address, s.port)) as c:
            assert c.recv(1000).startswith(b"-DENIED ")
            equal(c.recv(1), b"")
        equal(s.command("PING"), "PONG")
        s.command("CONFIG", "SET", "protected-mode", "no")
        with socket.create_connection((address, s.port)) as c:
            c.sendall(b"PING\r\n")
            equal(c.recv(100), b"+PONG\r\n")


@own
def test_absent_addresses_may_be_optional():
    with lib.Server(level="off", options={
            "bind": "127.0.0.1 -192.0.2.77"}) as s:
        equal(s.command("PING"), "PONG")
    s = lib.Server(level="off", options={"bind": "127.0.0.1 192.0.2.77"})
    s.start(wait=False)
    equal(s.wait_end(), 78)
    assert "Could not create server TCP listening socket 192.0.2.77:" in \
        s.log_tail()
    s.remove()


@own
def test_a_taken_port_ends_the_start_before_the_store_is_touched():
    with lib.Server(level="off") as s:
        other = lib.Server(level="always")
        other.port = s.port
        other.start(wait=False)
        equal(other.wait_end(), 78)
        assert ("Could not create server TCP listening socket" in
                other.log_tail())
        assert "bind: Address already in use" in other.log_tail()
        equal(os.listdir(other.store), [])
        other.remove()
        equal(s.command("PING"), "PONG")


def test_port_changes_while_running(server):
    old, new = server.port, lib.free_port()
    with server.raw() as c:
        equal(c.ok("CONFIG", "SET", "port", new), "OK")
        with lib.Raw(new) as d:
            equal(d.command("PING"), "PONG")
        try:
            lib.Raw(old).close()
            raise AssertionError("the old port still answers")
        except ConnectionRefusedError:
            pass
        equal(c.ok("CONFIG", "SET", "port", old), "OK")
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            is_error(c.command("CONFIG", "SET", "port",
                               taken.getsockname()[1]), "ERR")
        equal(c.ok("CONFIG", "GET", "port"), [b"port", b"%d" % old])
    equal(server.command("PING"), "PONG")


# --- the process ------------------------------------------------------------

def run(*args, stdin=None):
    program = os.path.join(lib.BUILD, "redoubt-server")
    return subprocess.run([program, *args], capture_output=True, text=True,
                          input=stdin, timeout=20)


@own
def test_words_that_are_answered_at_once():
    for word in ("--version", "-v"):
        result = run(word)
        equal(result.returncode, 0)
        assert "v=" in result.stdout and "bits=64" in result.stdout
    for word in ("--help", "-h"):
        result = run(word)
        equal(result.returncode, 0)
        assert result.stdout.startswith("Usage:")
    equal(run("--test-memory", "100").returncode, 64)
    result = run("--check-config", "--port", "21199")
    equal((result.returncode, result.stdout), (0, "configuration ok\n"))
    result = run("-", "--port", "21199", "--check-config",
                 stdin="timeout 1\n")
    equal((result.returncode, result.stdout), (0, "configuration ok\n"))
    result = run("--check-config", "-", stdin="port abc\n")
    equal(result.returncode, 78)
    assert "FATAL CONFIG FILE ERROR" in result.stderr, result.stderr


@own
def test_a_service_manager_is_told():
    s = lib.Server(level="off", options=["--supervised", "systemd"])
    path = os.path.join(s.dir, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as n:
        n.bind(path)
        n.settimeout(10)
        os.environ["NOTIFY_SOCKET"] = path
        try:
            s.start()
        finally:
            del os.environ["NOTIFY_SOCKET"]
        told = b""
        while b"READY=1" not in told:
            told += n.recv(1000)
        assert b"STATUS=" in told
        equal(s.stop(), 0)
        while b"STOPPING=1" not in told:
            told += n.recv(1000)
    s.remove()


@own
def test_pid_file_comes_and_goes():
    s = lib.Server(level="off")
    path = os.path.join(s.dir, "pid")
    s.options = ["--pidfile", path]
    s.start()
    with open(path) as f:
        equal(int(f.read()), s.pid)
    equal(s.stop(), 0)
    assert not os.path.exists(path)
    log = s.log_tail()
    for line in ("Server initialized", "Ready to accept connections tcp",
                 "ready to exit, bye bye"):
        assert line in log, line
    s.remove()


@own
def test_a_start_that_fails_leaves_the_pid_file_of_who_runs():
    with lib.Server(level="off") as s:
        path, log = os.path.join(s.dir, "pid"), os.path.join(s.dir, "log")
        s.stop()
        s.options = ["--pidfile", path, "--logfile", log]
        old = os.umask(0o027)
        try:
            s.start()
        finally:
            os.umask(old)
        for name in (path, log):
            equal(stat.S_IMODE(os.stat(name).st_mode), 0o640)
        other = [s.binary, "--port", str(lib.free_port()), "--dir", s.store,
                 "--pidfile", path]
        end = subprocess.run(other, capture_output=True, timeout=30)
        equal(end.returncode, 73)
        assert b"is held by another server" in end.stderr, end.stderr
        with open(path) as f:
            equal(int(f.read()), s.pid)
        equal(s.stop(), 0)
        with open(os.path.join(s.store, "stranger"), "w"):
            pass
        os.remove(os.path.join(s.store, "redoubt.lock"))
        for name in ("snap", "log"):
            shutil.rmtree(os.path.join(s.store, name), ignore_errors=True)
        end = subprocess.run(other, capture_output=True, timeout=30)
        equal(end.returncode, 78)
        assert not os.path.exists(path)


@own
def test_a_crash_leaves_a_report():
    with lib.Server(level="always") as s:
        s.command("SET", "canary", "moon")
        s.process.send_signal(signal.SIGSEGV)
        equal(s.wait_end(), -signal.SIGSEGV)
        log = s.log_tail()
        assert "BUG REPORT START" in log and "last LSN 1" in log, log
        s.start()
        equal(s.command("GET", "canary"), b"moon")


@own
def test_ten_thousand_idle_connections_are_small():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 12000:
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (12000, hard))
    with lib.Server(level="off", options={"maxclients": 11000}) as s:
        def resident():
            with open("/proc/%d/statm" % s.pid) as f:
                return int(f.read().split()[1]) * resource.getpagesize()
        clients = []
        before = resident()
        for i in range(10000):
            c = socket.create_connection(("127.0.0.1", s.port))
            c.sendall(b"PING\r\n")
            equal(c.recv(100), b"+PONG\r\n")
            clients.append(c)
        each = (resident() - before) / 10000
        for c in clients:
            c.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert each < 1500, each


if __name__ == "__main__":
    lib.main(__name__, ports=range(21100, 21200))
