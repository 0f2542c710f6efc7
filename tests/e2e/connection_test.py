#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Connection commands end to end: who a client is, what it may do, how it is
treated; passwords."""

import socket
import threading
import time

import lib
from lib import equal, is_error

PASSWORD = "canary-Zk3-password"


def fields(line):
    return dict(f.split("=", 1) for f in line.decode().strip().split(" "))


def client_list(c, *args):
    text = c.ok("CLIENT", "LIST", *args)
    return [fields(line) for line in text.splitlines()]


def test_small_commands(server):
    with server.raw() as c:
        equal(c.ok("PING"), "PONG")
        equal(c.ok("PING", "x"), b"x")
        is_error(c.command("PING", "x", "y"),
                 "ERR wrong number of arguments for 'ping' command")
        equal(c.ok("ECHO", "hello"), b"hello")
        equal(c.ok("SELECT", 3), "OK")
        c.ok("SET", "k", "in three")
        equal(c.ok("SELECT", 0), "OK")
        equal(c.command("GET", "k"), None)
        is_error(c.command("SELECT", "x"), "ERR value is not an integer")
        is_error(c.command("SELECT", 16), "ERR DB index is out of range")
        is_error(c.command("SELECT", -1), "ERR DB index is out of range")


def test_quit_says_ok_and_closes(server):
    with server.raw() as c:
        equal(c.ok("QUIT"), "OK")
        assert c.is_closed()


def test_hello_agrees_on_a_protocol(server):
    with server.raw() as c:
        reply = c.ok("HELLO", 3, "SETNAME", "me")
        assert isinstance(reply, lib.Map), reply
        reply = dict(reply)
        equal(reply[b"server"], b"redis")
        equal(reply[b"version"], b"7.2.4")
        equal(reply[b"proto"], 3)
        equal(reply[b"mode"], b"standalone")
        equal(reply[b"role"], b"master")
        equal(reply[b"modules"], [])
        equal(reply[b"id"], c.ok("CLIENT", "ID"))
        equal(c.ok("CLIENT", "GETNAME"), b"me")
        equal(c.command("GET", "none"), None)
        assert len(c.ok("HELLO", 2)) == 14
        is_error(c.command("HELLO", 4), "NOPROTO unsupported protocol version")
        is_error(c.command("HELLO", "x"), "ERR Protocol version is not an")
        is_error(c.command("HELLO", 3, "FOO"),
                 "ERR Syntax error in HELLO option 'FOO'")
        is_error(c.command("HELLO", 3, "SETNAME", "a b"),
                 "ERR Client names cannot contain spaces")
        equal(len(c.ok("HELLO")), 14)


def test_names_and_library(server):
    with server.raw() as c:
        equal(c.command("CLIENT", "GETNAME"), None)
        c.ok("CLIENT", "SETNAME", "worker-1")
        equal(c.ok("CLIENT", "GETNAME"), b"worker-1")
        is_error(c.command("CLIENT", "SETNAME", "a\nb"),
                 "ERR Client names cannot contain spaces, newlines or special")
        c.ok("CLIENT", "SETNAME", "")
        equal(c.command("CLIENT", "GETNAME"), None)
        c.ok("CLIENT", "SETINFO", "LIB-NAME", "redis-xy")
        c.ok("CLIENT", "SETINFO", "lib-ver", "1.2.3")
        is_error(c.command("CLIENT", "SETINFO", "lib-name", "a b"),
                 "ERR lib-name cannot contain spaces")
        is_error(c.command("CLIENT", "SETINFO", "foo", "x"),
                 "ERR Unrecognized option 'foo'")
        line = fields(c.ok("CLIENT", "INFO"))
        equal(line["lib-name"], "redis-xy")
        equal(line["lib-ver"], "1.2.3")
        equal(line["cmd"], "client|info")
        equal(line["resp"], "2")
        equal(int(line["id"]), c.ok("CLIENT", "ID"))


def test_client_list_and_its_filters(server):
    with server.raw() as a, server.raw() as b:
        one, two = a.ok("CLIENT", "ID"), b.ok("CLIENT", "ID")
        a.ok("CLIENT", "SETNAME", "first")
        ids = [int(f["id"]) for f in client_list(a)]
        assert one in ids and two in ids, ids
        equal([int(f["id"]) for f in client_list(a, "ID", two)], [two])
        equal(len(client_list(a, "ID", one, two, 999999)), 2)
        assert len(client_list(a, "TYPE", "normal")) >= 2
        equal(client_list(a, "TYPE", "replica"), [])
        address = client_list(a, "ID", two)[0]["addr"]
        equal(len(client_list(a, "ADDR", address)), 1)
        is_error(a.command("CLIENT", "LIST", "TYPE", "foo"),
                 "ERR Unknown client type 'foo'")
        is_error(a.command("CLIENT", "LIST", "ID", "x"),
                 "ERR Invalid client ID")
        is_error(a.command("CLIENT", "LIST", "foo"), "ERR syntax error")
        is_error(a.command("CLIENT", "FOO"),
                 "ERR unknown subcommand 'FOO'. Try CLIENT HELP.")
        is_error(a.command("CLIENT"),
                 "ERR wrong number of arguments for 'client' command")
    # Those of Redis 7.2 in its order, newer ones only behind "resp".
    wanted = ["id", "addr", "laddr", "fd", "name", "age", "idle", "flags",
              "db", "sub", "psub", "ssub", "multi", "qbuf", "qbuf-free",
              "argv-mem", "multi-mem", "rbs", "rbp", "obl", "oll", "omem",
              "tot-mem", "events", "cmd", "user", "redir", "resp", "capa",
              "lib-name", "lib-ver", "watch", "tot-net-in", "tot-net-out",
              "tot-cmds"]
    with server.raw() as c:
        equal(list(client_list(c)[0]), wanted)
        c.send_command("CLIENT", "LIST", "ID", c.ok("CLIENT", "ID"))
        assert int(fields(c.read())["qbuf"]) > 0


def test_connections_are_told_apart_by_every_field(server):
    with server.raw() as a, server.raw() as b:
        me, other = a.ok("CLIENT", "ID"), b.ok("CLIENT", "ID")
        b.ok("CLIENT", "SETNAME", "job")
        b.ok("CLIENT", "SETINFO", "lib-name", "mine")
        b.ok("CLIENT", "SETINFO", "lib-ver", "1.2")
        b.ok("CLIENT", "NO-EVICT", "on")
        b.ok("CLIENT", "CAPA", "redirect")
        b.ok("SELECT", 3)
        line = client_list(a, "ID", other)[0]
        equal((line["capa"], line["tot-cmds"]), ("r", "7"))
        assert int(line["tot-net-in"]) > 150 > int(line["tot-net-out"]) > 20
        for name, value in (
                ("NAME", "job"), ("LIB-NAME", "mine"), ("LIB-VER", "1.2"),
                ("FLAGS", "e"), ("DB", 3), ("CAPA", "r"),
                ("ADDR", line["addr"])):
            equal([int(f["id"]) for f in client_list(a, name, value)],
                  [other], name)
            others = {int(f["id"]) for f in client_list(a, "NOT-" + name,
                                                        value)}
            assert me in others and other not in others, (name, others)
        both = client_list(a, "ID", me, other, 99999, "IP", "127.0.0.1",
                           "MAXAGE", 1000000)
        equal(both, [])
        equal(len(client_list(a, "ID", me, other, "IP", "127.0.0.1",
                              "USER", "default", "TYPE", "normal")), 2)
        equal(len(client_list(a, "ID", me, other, "NOT-ID", me)), 1)
        equal(len(client_list(a, "ID", me, other, "SKIPME", "yes")), 1)
        equal(client_list(a, "IDLE", 1000), [])
        equal(client_list(a, "NOT-TYPE", "normal"), [])
        equal(client_list(a, "NAME", "nobody"), [])
        for words, error in (
                (("DB", "x"), "ERR DB is not an integer or out of range"),
                (("DB", 16), "ERR DB number should be between 0 and 15"),
                (("FLAGS", "N9"), "ERR Unknown flags found in the provided "
                 "filter: N9"),
                (("CAPA", "x"), "ERR Unknown capa found in the provided "
                 "filter: x"),
                (("IDLE", 0), "ERR idle should be greater than 0"),
                (("MAXAGE", 0), "ERR maxage should be greater than 0"),
                (("MAXAGE", "x"), "ERR maxage is not an integer or out of "
                 "range"),
                (("NOT-NAME",), "ERR syntax error"),
                (("NOT-SKIPME", "yes"), "ERR syntax error")):
            equal(a.command("CLIENT", "LIST", *words), lib.Error(error))
        equal(a.ok("CLIENT", "KILL", "ID", me, other, "NOT-NAME", "x"), 1)
        assert b.is_closed()


def test_client_kill(server):
    with server.raw() as me:
        with server.raw() as c:
            number = c.ok("CLIENT", "ID")
            equal(me.ok("CLIENT", "KILL", "ID", number), 1)
            assert c.is_closed()
        with server.raw() as c:
            address = fields(c.ok("CLIENT", "INFO"))["addr"]
            equal(me.ok("CLIENT", "KILL", address), "OK")
            assert c.is_closed()
        is_error(me.command("CLIENT", "KILL", "1.2.3.4:5"),
                 "ERR No such client")
        is_error(me.command("CLIENT", "KILL", "ID", 0),
                 "ERR client-id should be greater than 0")
        is_error(me.command("CLIENT", "KILL", "TYPE", "x"),
                 "ERR Unknown client type 'x'")
        is_error(me.command("CLIENT", "KILL", "USER", "nobody"),
                 "ERR No such user 'nobody'")
        is_error(me.command("CLIENT", "KILL", "SKIPME", "x"),
                 "ERR syntax error")
        equal(me.ok("CLIENT", "KILL", "ID", 999999), 0)
        equal(me.ok("CLIENT", "KILL", "TYPE", "pubsub"), 0)
        equal(me.ok("CLIENT", "KILL", "MAXAGE", 100000), 0)
    with server.raw() as me, server.raw() as c:
        assert me.ok("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes") >= 1
        assert c.is_closed()
        equal(me.ok("PING"), "PONG")
        number = me.ok("CLIENT", "ID")
        equal(me.ok("CLIENT", "KILL", "ID", number, "SKIPME", "no"), 1)
        assert me.is_closed()


def test_client_reply(server):
    with server.raw() as c:
        c.send_command("CLIENT", "REPLY", "OFF")
        c.send_command("SET", "quiet", 1)
        c.send_command("INCR", "quiet")
        equal(c.ok("CLIENT", "REPLY", "ON"), "OK")
        equal(c.ok("GET", "quiet"), b"2")
        c.send_command("CLIENT", "REPLY", "SKIP")
        c.send_command("INCR", "quiet")
        equal(c.ok("GET", "quiet"), b"3")
        # A command that waits is muted, too: its reply comes later.
        c.send_command("CLIENT", "REPLY", "SKIP")
        c.send_command("SAVE")
        equal(c.command("ECHO", "after SAVE"), b"after SAVE")
        c.send_command("CLIENT", "REPLY", "OFF")
        c.send_command("SAVE")
        equal(c.ok("CLIENT", "REPLY", "ON"), "OK")
        is_error(c.command("CLIENT", "REPLY", "X"), "ERR syntax error")


def test_switches_of_a_connection(server):
    with server.raw() as c:
        equal(c.ok("CLIENT", "NO-EVICT", "on"), "OK")
        equal(c.ok("CLIENT", "NO-TOUCH", "on"), "OK")
        flags = fields(c.ok("CLIENT", "INFO"))["flags"]
        equal(flags, "eT")
        is_error(c.command("CLIENT", "NO-EVICT", "x"), "ERR syntax error")
        is_error(c.command("CLIENT", "NO-TOUCH", "x"), "ERR syntax error")
        equal(c.ok("CLIENT", "GETREDIR"), -1)
        equal(c.ok("CLIENT", "TRACKINGINFO"),
              [b"flags", [b"off"], b"redirect", -1, b"prefixes", []])
        equal(c.ok("CLIENT", "TRACKING", "off"), "OK")
        is_error(c.command("CLIENT", "TRACKING", "on"), "ERR ")
        is_error(c.command("CLIENT", "CACHING", "foo"),
                 "ERR CLIENT CACHING can be called only when the client is")
        equal(c.ok("CLIENT", "CAPA", "redirect"), "OK")
        equal(c.ok("RESET"), "RESET")
        equal(fields(c.ok("CLIENT", "INFO"))["flags"], "N")


def test_reset_forgets_the_connections_state(server):
    with server.raw(protocol=3) as c:
        c.ok("SELECT", 5)
        c.ok("CLIENT", "SETNAME", "x")
        equal(c.ok("RESET"), "RESET")
        line = fields(c.ok("CLIENT", "INFO"))
        equal((line["db"], line["name"], line["resp"]), ("0", "", "2"))


@lib.levels("always", "everysec", "no", "off")
def test_client_lsn_names_the_last_write(server):
    with server.raw() as c:
        equal(c.command("CLIENT", "LSN"), None)
        c.ok("SET", "k", 1)
        epoch, first = c.ok("CLIENT", "LSN").decode().split(":")
        c.ok("GET", "k")
        c.ok("MSET", "a", 1, "b", 2)
        again, second = c.ok("CLIENT", "LSN").decode().split(":")
        equal((epoch, int(first) + 2), (again, int(second)))
        with server.raw() as other:
            equal(other.command("CLIENT", "LSN"), None)


def test_pause_of_writes_lets_reads_pass(server):
    with server.raw() as admin, server.raw() as c:
        admin.ok("SET", "p", 1)
        admin.ok("CLIENT", "PAUSE", 100000, "WRITE")
        c.send_command("INCR", "p")
        equal(admin.ok("GET", "p"), b"1")
        info = server.info("clients")
        equal(info["blocked_clients"], "1")
        admin.ok("CLIENT", "UNPAUSE")
        equal(c.read(), 2)


def test_pause_of_all_ends_by_itself(server):
    with server.raw() as admin, server.raw() as c:
        start = time.monotonic()
        admin.ok("CLIENT", "PAUSE", 300)
        equal(c.ok("PING"), "PONG")
        assert time.monotonic() - start >= 0.25
        is_error(c.command("CLIENT", "PAUSE", "x"),
                 "ERR timeout is not an integer or out of range")
        is_error(c.command("CLIENT", "PAUSE", -1), "ERR timeout is negative")
        is_error(c.command("CLIENT", "PAUSE", 1, "x"),
                 "ERR CLIENT PAUSE mode must be WRITE or ALL")


def test_unblock_ends_a_wait(server):
    with server.raw() as admin, server.raw() as c:
        number = c.ok("CLIENT", "ID")
        equal(admin.ok("CLIENT", "UNBLOCK", number), 0)
        c.send_command("WAIT", 1, 0)
        lib.wait_until(lambda: admin.ok("CLIENT", "UNBLOCK", number), 5)
        equal(c.read(), 0)
        c.send_command("WAIT", 1, 0)
        lib.wait_until(
            lambda: admin.ok("CLIENT", "UNBLOCK", number, "ERROR"), 5)
        is_error(c.read(), "UNBLOCKED client unblocked via CLIENT UNBLOCK")
        is_error(admin.command("CLIENT", "UNBLOCK", "x"),
                 "ERR value is not an integer or out of range")
        is_error(admin.command("CLIENT", "UNBLOCK", 1, "x"),
                 "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")


def test_help_names_every_subcommand(server):
    with server.raw() as c:
        for name in ("CLIENT", "CONFIG", "COMMAND", "SLOWLOG", "LATENCY",
                     "MEMORY", "ACL", "MODULE", "DEBUG"):
            lines = c.ok(name, "HELP")
            assert lines[0].startswith(name + " "), lines[0]
            assert any(line.startswith("HELP") for line in lines), lines
        text = "\n".join(c.ok("CLIENT", "HELP"))
        for word in ("KILL", "LSN", "NO-TOUCH", "UNPAUSE"):
            assert "\n" + word in text, word


# --- passwords --------------------------------------------------------------

@lib.own
def test_nothing_runs_before_the_password():
    with lib.Server(options={"requirepass": PASSWORD,
                             "enable-debug-command": "yes"}) as s:
        with s.raw() as c:
            for command in (("GET", "a"), ("SET", "a", 1), ("PING",),
                            ("INFO",), ("CONFIG", "GET", "*"),
                            ("CLIENT", "LIST"), ("SHUTDOWN",),
                            ("MONITOR",), ("DEBUG", "DIGEST")):
                is_error(c.command(*command),
                         "NOAUTH Authentication required.")
            is_error(c.command("HELLO", 3), "NOAUTH HELLO must be called")
            is_error(c.command("AUTH", "wrong"), "WRONGPASS invalid username")
            is_error(c.command("AUTH", "nobody", PASSWORD), "WRONGPASS")
            is_error(c.command("AUTH", "a", "b", "c"), "ERR syntax error")
            is_error(c.command("GET", "a"), "NOAUTH")
            equal(c.ok("AUTH", PASSWORD), "OK")
            equal(c.ok("PING"), "PONG")
            equal(c.ok("RESET"), "RESET")
            is_error(c.command("PING"), "NOAUTH")
            reply = dict(c.ok("HELLO", 3, "AUTH", "default", PASSWORD))
            equal(reply[b"proto"], 3)
            c.ok("SET", "a", 1)
            c.ok("CONFIG", "SET", "requirepass", "")
        with s.raw() as c:
            equal(c.ok("GET", "a"), b"1")
            is_error(c.command("AUTH", "x"),
                     "ERR AUTH <password> called without any password")
            equal(c.ok("AUTH", "default", "anything"), "OK")


@lib.own
def test_guesses_become_slow():
    with lib.Server(options={"requirepass": PASSWORD}) as s:
        with s.raw() as c:
            start = time.monotonic()
            for _ in range(5):
                is_error(c.command("AUTH", "guess"), "WRONGPASS")
            assert time.monotonic() - start < 0.3
            start = time.monotonic()
            for _ in range(3):
                is_error(c.command("AUTH", "guess"), "WRONGPASS")
            assert time.monotonic() - start >= 0.3
            with s.raw() as other:  # others do not wait
                start = time.monotonic()
                equal(other.ok("AUTH", PASSWORD), "OK")
                assert time.monotonic() - start < 0.1
                text = other.ok("INFO", "stats").decode()
                assert "acl_access_denied_auth:8\r\n" in text, text


@lib.own
def test_a_password_shows_nowhere():
    with lib.Server(options={"slowlog-log-slower-than": 0}) as s:
        with s.raw() as c, s.raw() as watcher:
            seen = []
            watcher.ok("MONITOR")
            thread = threading.Thread(target=drain, args=(watcher, seen))
            thread.start()
            c.ok("CONFIG", "SET", "requirepass", PASSWORD)
            c.ok("AUTH", PASSWORD)
            c.command("AUTH", "default", PASSWORD + "x")
            c.ok("HELLO", 2, "AUTH", "default", PASSWORD)
            c.ok("CONFIG", "SET", "masterauth", PASSWORD)
            c.ok("ECHO", "end")
            text = repr(c.ok("SLOWLOG", "GET", -1))
            text += repr(c.ok("CONFIG", "GET", "*"))
            text += repr(c.ok("INFO", "everything"))
            text += repr(c.ok("CLIENT", "LIST"))
            text += repr(c.ok("ACL", "LIST"))
            thread.join(10)
            text += repr(seen)
        assert PASSWORD not in text
        assert "(redacted)" in text
        s.stop()
        with open(s.log_path) as log:
            assert PASSWORD not in log.read()


def drain(client, seen):
    """Reads MONITOR's lines up to ECHO end."""
    while True:
        line = client.read()
        seen.append(line)
        if '"ECHO" "end"' in line:
            return


def test_monitor_shows_commands(server):
    with server.raw() as c, server.raw() as watcher:
        equal(watcher.ok("MONITOR"), "OK")
        c.ok("SELECT", 2)
        c.ok("SET", "a b", "\x00\"\n")
        c.ok("CONFIG", "GET", "port")  # admin commands are not shown
        c.ok("PING")
        lines = [watcher.read() for _ in range(3)]
        assert lines[0].endswith('"SELECT" "2"'), lines
        assert lines[1].endswith('"SET" "a b" "\\x00\\"\\n"'), lines
        assert lines[2].endswith('"PING"'), lines
        assert " [2 127.0.0.1:" in lines[1], lines
        stamp = float(lines[0].split(" ")[0].lstrip("+"))
        assert abs(stamp - time.time()) < 5
        equal(watcher.ok("RESET"), "RESET")
        c.ok("SET", "x", 1)
        equal(watcher.ok("PING"), "PONG")


def test_redis_py_connects_under_both_protocols(server):
    for protocol in (2, 3):
        with server.raw(protocol=protocol) as c:
            equal(c.ok("PING"), "PONG")
    client = server.client()
    assert client.ping()
    client.client_setname("py")
    assert client.client_getname() in ("py", b"py")
    assert client.client_id() > 0
    assert any(x["name"] == "py" for x in client.client_list())
    client.close()


def test_an_inline_client_can_quit(server):
    with socket.create_connection(("127.0.0.1", server.port), 10) as s:
        s.sendall(b"PING\r\nQUIT\r\n")
        data = b""
        while True:
            piece = s.recv(100)
            if not piece:
                break
            data += piece
        equal(data, b"+PONG\r\n+OK\r\n")


lib.main(__name__, ports=range(21200, 21230))
