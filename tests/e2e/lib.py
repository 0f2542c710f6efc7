# SPDX-License-Identifier: BSD-3-Clause
"""What all end-to-end tests share: a real server, clients, a small runner.

A test file has functions test_<what_must_hold>(server) and ends with

    lib.main(__name__, ports=range(21300, 21400))

Each function gets a running, empty server that it shares with the other tests
of the file; @lib.levels("always", "everysec") runs it once per level,
@lib.own makes the runner give it no server: the test starts its own with
lib.Server(level=...).  A test that has not ended after TEST_SECONDS, or what
@lib.limit(seconds) says, has failed.  Levels: always, everysec, no (appendfsync) and off (no
log at all).  A line per test, then "N passed, N failed".

    tests/e2e/strings_test.py [-v] [part of a test's name ...]
"""

import atexit
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
START_SECONDS = 30
STOP_SECONDS = 30
TEST_SECONDS = int(os.environ.get("TEST_SECONDS", 180))  # for one test

ports_of_file = range(21300, 21400)
all_servers = []
seeds = {}  # of this file's chance, by the name of their variable


# --- RESP -------------------------------------------------------------------

class Error(Exception):
    """An error reply; as a value inside of arrays, raised by ok()."""

    def __eq__(self, other):
        return isinstance(other, Error) and str(self) == str(other)

    def __hash__(self):
        return hash(str(self))


class Simple(str):
    """A simple string, so that +OK and $2 OK can be told apart."""


class Push(list):
    """A RESP3 push message."""


class Map(list):
    """A RESP3 map as a list of pairs, in the order of the wire."""


class Raw:
    """A client that speaks RESP2 and RESP3 by hand: bytes in, values out.

    Bulk strings are bytes, simple strings Simple, errors Error values, null
    None, maps Map, sets set or list, doubles float, booleans bool.
    """

    def __init__(self, port=None, path=None, timeout=30):
        if path:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(path)
        else:
            self.socket = socket.create_connection(("127.0.0.1", port),
                                                   timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def close(self):
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_command(self, *args):
        self.send(encode(*args))

    def line(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("closed after %r" % line)
        return line[:-2]

    def exactly(self, size):
        data = self.file.read(size)
        if len(data) < size:
            raise ConnectionError("closed in a reply")
        return data

    def read(self):
        """One reply."""
        line = self.line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return Simple(rest.decode("latin-1"))
        if kind == b"-":
            return Error(rest.decode("latin-1"))
        if kind in b":(":
            return int(rest)
        if kind == b"$" or kind == b"!" or kind == b"=":
            return self._bulk(kind, int(rest))
        if kind in b"*~>":
            return self._aggregate(kind, int(rest))
        if kind == b"%":
            return Map([(self.read(), self.read())
                        for _ in range(int(rest))])
        if kind == b"_":
            return None
        if kind == b"#":
            return rest == b"t"
        if kind == b",":
            return self.double(rest)
        if kind == b"|":
            for _ in range(int(rest)):
                self.read(), self.read()
            return self.read()
        raise ValueError("not RESP: %r" % line)

    def double(self, text):
        return float(text)

    def _bulk(self, kind, size):
        if size < 0:
            return None
        data = self.exactly(size + 2)
        assert data.endswith(b"\r\n"), data[-10:]
        if kind == b"!":
            return Error(data[:-2].decode("latin-1"))
        return data[4:-2] if kind == b"=" else data[:-2]

    def _aggregate(self, kind, count):
        if count < 0:
            return None
        values = [self.read() for _ in range(count)]
        return Push(values) if kind == b">" else values

    def command(self, *args):
        """Sends one command and reads its reply; errors are values."""
        self.send_command(*args)
        return self.read()

    def ok(self, *args):
        """As command, but an error reply is raised."""
        reply = self.command(*args)
        if isinstance(reply, Error):
            raise reply
        return reply

    def pipeline(self, commands):
        """Sends all at once; the list of their replies."""
        self.send(b"".join(encode(*c) for c in commands))
        return [self.read() for _ in commands]

    def is_closed(self):
        """Whether the server has closed; nothing may be left to read."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True
        except socket.timeout:
            return False


def to_bytes(value):
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if isinstance(value, float):
        return repr(value).encode()
    return str(value).encode()


def encode(*args):
    """A command as RESP. A str is split nowhere; numbers become text."""
    parts = [b"*%d\r\n" % len(args)]
    for a in args:
        b = to_bytes(a)
        parts.append(b"$%d\r\n%s\r\n" % (len(b), b))
    return b"".join(parts)


# --- the server -------------------------------------------------------------

claims = {}  # port: a socket whose name says to other runs that it is ours


def claim_port(port):
    """False: another run uses it. A server takes a while until it listens,
    and who finds another run's server there would test that one."""
    if port not in claims:
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind("\0redoubt-e2e-port-%d" % port)
        except OSError:
            claim.close()
            return False
        claims[port] = claim
    return True


def release_port(port):
    if port in claims:
        claims.pop(port).close()


def free_port(ports=None):
    """A port of the range that nobody listens on, or is about to; one that
    this run has used before only if there is no other."""
    candidates = list(ports or ports_of_file)
    random.SystemRandom().shuffle(candidates)
    candidates.sort(key=lambda port: port in claims)
    for port in candidates:
        if not claim_port(port):
            continue
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise RuntimeError("no free port in %r" % (ports,))


def level_arguments(level):
    if level == "off":
        return ["--appendonly", "no"]
    return ["--appendonly", "yes", "--appendfsync", level]


class Server:
    """build/redoubt-server in a directory of its own.

    options: further directives, {"maxclients": 10} or a list of arguments.
    binary: another program that takes redis-server's command line.
    """

    def __init__(self, level="always", options=(), ports=None, binary=None):
        self.level = level
        self.binary = binary or os.path.join(BUILD, "redoubt-server")
        self.options = options
        self.dir = tempfile.mkdtemp(prefix="redoubt-e2e-")
        self.log_path = os.path.join(self.dir, "server.log")
        self.store = os.path.join(self.dir, "data")
        os.mkdir(self.store, 0o700)
        self.port = free_port(ports)
        self.process = None
        all_servers.append(self)

    def arguments(self):
        args = [self.binary, "--port", str(self.port), "--dir", self.store]
        if os.path.basename(self.binary) == "redoubt-server":
            args += level_arguments(self.level)
        if isinstance(self.options, dict):
            for name, value in self.options.items():
                args += ["--" + name, str(value)]
        else:
            args += list(self.options)
        return args

    def start(self, wait=True):
        """Starts the process; waits until it answers unless told not to."""
        assert self.process is None, "already started"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.arguments(), stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, cwd=self.dir)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, seconds=START_SECONDS):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError("server ended with %d at the start:\n%s" %
                                   (self.process.returncode, self.log_tail()))
            try:
                with Raw(self.port, timeout=seconds) as c:
                    reply = c.command("PING")
                if not str(reply).startswith("LOADING"):
                    return
            except OSError:
                pass
            time.sleep(0.01)
        raise RuntimeError("server not ready after %d s:\n%s" %
                           (seconds, self.log_tail()))

    def kill(self):
        """kill -9, and waits for the end."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self):
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(STOP_SECONDS)
        self.process = None
        return status

    def wait_end(self, seconds=STOP_SECONDS):
        """For a server that ends by itself: its exit status."""
        status = self.process.wait(seconds)
        self.process = None
        return status

    def restart(self, kill=True):
        """Ends it (kill -9, or SIGTERM) and starts it on the same store."""
        if self.process is not None:
            if kill:
                self.kill()
            else:
                self.stop()
        return self.start()

    def restart_same(self, kill=True, save=False):
        """As restart, behind a SAVE if wanted; what it holds is the same."""
        before = self.digest()
        if save:
            self.command("SAVE")
        self.restart(kill)
        equal(self.digest(), before, "digest")

    def alive(self):
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self):
        return self.process.pid

    def client(self, **options):
        """A redis.Redis (redis-py)."""
        import redis
        return redis.Redis(port=self.port, **options)

    def raw(self, protocol=2, timeout=30):
        c = Raw(self.port, timeout=timeout)
        if protocol == 3:
            c.ok("HELLO", 3)
        return c

    def command(self, *args):
        """One command on a connection of its own."""
        with self.raw() as c:
            return c.ok(*args)

    def digest(self):
        """DEBUG DIGEST: equal states have equal digests."""
        return str(self.command("DEBUG", "DIGEST"))

    def info(self, *sections):
        """INFO as {field: text}."""
        text = self.command("INFO", *sections).decode()
        return dict(line.split(":", 1) for line in text.split("\r\n")
                    if ":" in line and not line.startswith("#"))

    def log_tail(self, size=4000):
        with open(self.log_path, "rb") as f:
            data = f.read()
        return data[-size:].decode("utf-8", "replace")

    def remove(self):
        """Ends it and deletes its directory."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process = None
        release_port(self.port)
        shutil.rmtree(self.dir, ignore_errors=True)
        if self in all_servers:
            all_servers.remove(self)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.remove()


@atexit.register
def _remove_servers():
    for server in list(all_servers):
        server.remove()


def wait_until(condition, seconds=10, what="condition"):
    """Polls until condition() is true; its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("%s: not within %g s" % (what, seconds))
        time.sleep(0.005)


# --- assertions -------------------------------------------------------------

def equal(got, wanted, what=""):
    """A str stands for its bytes, also a simple string, unless a Simple is
    wanted."""
    if not isinstance(wanted, Simple):
        got, wanted = (v.encode() if isinstance(v, str) else v
                       for v in (got, wanted))
    if type(got) is not type(wanted) and not (
            isinstance(got, list) and isinstance(wanted, list)) or \
            got != wanted:
        raise AssertionError("%s: got %r, wanted %r" % (what, got, wanted))


WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


def is_error(reply, start, what=""):
    """The reply is an error whose text starts like this."""
    if not isinstance(reply, Error) or not str(reply).startswith(start):
        raise AssertionError("%s: got %r, wanted an error %r" %
                             (what, reply, start))


def check(c, table):
    """[(command as text, wanted reply)]: "" is an empty argument, "-ERR …" an
    error, a set bulk strings in any order; text in a list is a bulk string."""
    for text, wanted in table:
        reply = c.command(*["" if w == '""' else w for w in text.split()])
        if isinstance(wanted, str) and re.match("-[A-Z]", wanted):
            is_error(reply, wanted[1:], text)
        elif isinstance(wanted, set):
            equal(sorted(reply), sorted(w.encode() for w in wanted), text)
        elif isinstance(wanted, list):
            equal(reply, [w.encode() if isinstance(w, str) else w
                          for w in wanted], text)
        else:
            equal(reply, wanted, text)


# --- the runner -------------------------------------------------------------

def seed(name):
    """Where a file's chance starts: always at the same number, so that a run
    says the same as the one before. The variable of this name in the
    environment gives another; 0 or fresh draws one. Told if a test fails."""
    given = os.environ.get(name) or "1"
    seeds[name] = random.SystemRandom().randrange(1, 1 << 32) \
        if given in ("0", "fresh") else int(given)
    return seeds[name]


def levels(*names):
    """The test runs once under each of these levels."""
    def mark(function):
        function.levels = names
        return function
    return mark


def own(function):
    """The test starts servers of its own; it gets the level or nothing."""
    function.own = True
    return function


def limit(seconds):
    """The test may take so long; without it TEST_SECONDS."""
    def mark(function):
        function.seconds = seconds
        return function
    return mark


class TooLong(BaseException):
    """The test has used up its time; no handler of a test catches it."""


class _Alarm:
    """Raises TooLong in whatever the body waits for. A second alarm follows,
    in case the first one is raised where exceptions are swallowed."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __enter__(self):
        def ring(_number, _frame):
            raise TooLong("no end within %d s" % self.seconds)
        self.old = signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, self.seconds, 5)

    def __exit__(self, *_):
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self.old)


def options(**directives):
    """Directives of the server of this test, _ for -: maxclients=10."""
    def mark(function):
        function.options = {name.replace("_", "-"): value
                            for name, value in directives.items()}
        return function
    return mark


class _Shared:
    """One running server per (level, options) for all tests of the file."""

    def __init__(self):
        self.servers = {}

    def get(self, level, directives):
        key = (level, tuple(sorted(directives.items())))
        server = self.servers.get(key)
        if server is None or not server.alive():
            server = self.servers[key] = Server(
                level, dict({"enable-debug-command": "yes"}, **directives))
            server.start()
        else:
            server.command("FLUSHALL")
        return server


def _run_one(function, level, shared):
    if getattr(function, "own", False):
        if hasattr(function, "levels"):
            return function(level)
        return function()
    server = shared.get(level, getattr(function, "options", {}))
    try:
        function(server)
    except TooLong:
        # Whatever hangs, the next test gets a server of its own.
        sys.stderr.write(server.log_tail())
        server.remove()
        raise
    except Exception:
        sys.stderr.write(server.log_tail())
        raise
    if not server.alive():
        raise AssertionError("the server has died:\n" + server.log_tail())
    return None


def main(module_name, ports=None):
    """Runs the tests of the file if it is the program."""
    global ports_of_file
    if module_name != "__main__":
        return
    # Its servers end with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))
    if ports is not None:
        ports_of_file = ports
    arguments = [a for a in sys.argv[1:] if not a.startswith("-")]
    shared, passed, failed = _Shared(), 0, 0
    module = sys.modules[module_name]
    tests = [(name, f) for name, f in vars(module).items()
             if name.startswith("test_") and callable(f)]
    for name, function in tests:
        if arguments and not any(a in name for a in arguments):
            continue
        for level in getattr(function, "levels", ("always",)):
            label = name[5:]
            if hasattr(function, "levels"):
                label += " [%s]" % level
            start = time.monotonic()
            try:
                with _Alarm(getattr(function, "seconds", TEST_SECONDS)):
                    _run_one(function, level, shared)
                passed += 1
                verdict = "ok"
            except (Exception, TooLong):
                failed += 1
                verdict = "FAILED"
                traceback.print_exc()
                label += "".join(" %s=%d" % s for s in seeds.items())
            print("%-6s %s (%.2f s)" % (verdict, label,
                                        time.monotonic() - start), flush=True)
    _remove_servers()
    print("%d passed, %d failed" % (passed, failed), flush=True)
    sys.exit(1 if failed else 0)
