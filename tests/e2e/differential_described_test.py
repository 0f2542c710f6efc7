#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every command on values, with all its options, to this server and to others:
one of them at least must answer alike, and have the same contents after it.

The calls are made from the servers' own descriptions (described.py).  Without
DIFFERENTIAL_PEERS, which names programs (the newest Redis and Valkey, say),
the other is Debian's redis-server.  The run is always the same;
DIFFERENTIAL_CALLS (of each command) and DIFFERENTIAL_SEED make others,
DIFFERENTIAL_COMMANDS="hsetex zadd" picks.  What may differ is in KNOWN below
and in differential.py.
"""

import collections
import math
import os
import re

import described
import differential
import lib
from differential import SEED, same, shown
from lib import Error

PORTS = range(22000, 22040)
CALLS = int(os.environ.get("DIFFERENTIAL_CALLS", 30))
SEQUENCE = 5
GROUPS = set(described.GROUP_KEYS) | {"generic"}

# Not for this test, and why.
LEFT_OUT = {
    "blocking": "blmove blmpop blpop brpop brpoplpush bzmpop bzpopmax "
                "bzpopmin wait waitaof blmovem",
    "tests of their own": "migrate restore dump restore-asking keys pfdebug "
                          "pfselftest sort sort_ro",
    "chance or the clock": "randomkey object|freq object|idletime "
                           "object|encoding object|help xgroup|help "
                           "xinfo|help",
}
SKIPPED = set(" ".join(LEFT_OUT.values()).split())

# A negative count gives so many.
REPEATS = ("SRANDMEMBER", "HRANDFIELD", "ZRANDMEMBER")
DEADLINES = {b"HTTL": 1, b"HPTTL": 2000, b"HEXPIRETIME": 1,
             b"HPEXPIRETIME": 2000}

READ = {
    "string": [[b"GET"]],
    "list": [[b"LRANGE", 0, -1]],
    "set": [[b"SMEMBERS"]],
    "zset": [[b"ZRANGE", 0, -1, b"WITHSCORES"]],
    "hash": [[b"HGETALL"]],
    "stream": [[b"XINFO", b"STREAM"], [b"XRANGE", b"-", b"+"],
               [b"XINFO", b"GROUPS"]],
}


# (call, ours, theirs) as patterns: why they differ.  Of the others one at
# least answers as ours does, but for these.
KNOWN = [
    ("LSET", "-ERR index out of range", "'OK'",
     "an index is cut to 32 bits there"),
    ("GEO", "-ERR could not decode requested zset member",
     "-ERR member .* does not exist", "the text of Redis 7"),
    ("GEOSEARCH", "-ERR GEOSEARCH BYPOLYGON", "-ERR invalid number of vert",
     "one text for all numbers that are too small"),
    ("ZINCRBY", "-ERR value is not a valid float", "-ERR syntax error",
     "takes the options of ZADD there"),
    ("", r"'TTL'.*279679\d+", "'TTL'", "deadlines end in year 10889"),
    (r"P?EXPIREAT .*\d{13}.* [GL]T", "'int'", "'int'", "likewise"),
    (r"Z.* (\(?[ \t]|\(?[-+]?0x)", "", "-ERR min or max is not a float",
     "blanks and hexadecimal digits: Redis 7"),
    ("XADD .*LIMIT", "-ERR syntax error, LIMIT", "-ERR Invalid stream ID",
     "of two mistakes the other is told"),
    ("XSETID", "-ERR (syntax error|entries_added)", "-ERR The ID",
     "likewise"),
    ("HSETEX", "-ERR", "", "refuses what Redis 8 refuses, with its texts"),
    ("XGROUP", "-ERR unknown subcommand", "-(NOGROUP|WRONGTYPE|ERR The XG)",
     "likewise"),
]
# What only Redis 7.0 does.
KNOWN_OF_7_0 = [
    ("BITCOUNT|BITPOS|GETEX", "-ERR", "", "looks the key up first"),
    ("X(AUTO)?CLAIM", "", "consumers", "makes no consumer without entries"),
    ("XREAD .* [+]", "", "-ERR Invalid stream ID", "+ came with 7.4"),
    ("XSETID", "-ERR The ID", "-ERR The ID", "checks in another order"),
    ("OBJECT REFCOUNT", "", "2147483647", "shares small numbers"),
]


class Peer:
    """A server, what it says of its commands, a connection."""

    def __init__(self, server):
        self.server = server
        self.name = os.path.basename(server.binary)
        self.connect(2)
        self.described = described.descriptions(self.client)

    def connect(self, protocol):
        self.client = differential.Textual(self.server.port)
        if protocol == 3:
            self.client.ok("HELLO", 3)

    def contents(self):
        """{key: what is in it}, as text that can be compared."""
        c = self.client
        keys = sorted(c.ok("KEYS", "*"))
        kinds = [str(k) for k in c.pipeline([[b"TYPE", k] for k in keys])]
        asked = [[r[0], k] + r[1:] if r[0] != b"XINFO" else r + [k]
                 for k, kind in zip(keys, kinds) for r in READ.get(kind, [])]
        asked += [[b"TTL", k] for k in keys]
        return [(a, r) for a, r in zip(asked, c.pipeline(asked))]


def random_one(command, reply):
    """One of several: without a count, or all counts."""
    return command[0].upper().decode() in REPEATS and len(command) == 2 and \
        isinstance(reply, bytes)


def equal(command, ours, theirs):
    if random_one(command, ours):
        return random_one(command, theirs)
    if command[0].upper() == b"SPOP" and isinstance(ours, bytes):
        return isinstance(theirs, bytes)
    if same(command, ours, theirs) or \
            differential.known_difference(command, ours, theirs):
        return True
    name = command[0].upper()
    if isinstance(ours, list) and (name.startswith(b"GEO") or
                                   b"WITHSCORES" in command):
        return same_numbers(ours, theirs)
    if name in DEADLINES and isinstance(ours, list) and \
            isinstance(theirs, list) and len(ours) == len(theirs):
        return all(a == b or min(a, b) > 0 and
                   abs(a - b) <= DEADLINES[name]
                   for a, b in zip(ours, theirs))
    if name == b"XADD" and isinstance(ours, bytes) and b"*" in command:
        return isinstance(theirs, bytes)
    return False


def equal_contents(ours, theirs):
    return len(ours) == len(theirs) and all(
        a[0] == b[0] and equal(a[0], a[1], b[1])
        for a, b in zip(ours, theirs))


def brief(reply):
    if isinstance(reply, Error):
        return "-" + str(reply)
    text = repr(shown(reply))
    return text if len(text) < 150 else text[:150] + "..."


def kind(reply):
    return "-" + str(reply) if isinstance(reply, Error) else \
        type(reply).__name__


class Tour:
    """The calls of one run, and the differences they have found."""

    def __init__(self, ours, peers):
        self.ours, self.peers = ours, peers
        self.calls = described.Calls(SEED)
        self.found = collections.OrderedDict()
        self.made = 0

    def sequence(self, name):
        """A few calls of one command on fresh data."""
        known = [p for p in self.peers if name in p.described]
        sources = [p.described[name] for p in known]
        sources.append(self.ours.described.get(name, sources[0]))
        calls = []
        while len(calls) < SEQUENCE:
            call = self.calls.call(self.calls.random.choice(sources))
            if suits(call):
                calls.append(call)
        known = [p for p in known if not unknown_words(
            calls, sources, p.described[name])]
        for p in [self.ours] + known:
            p.client.pipeline(described.SETUP)
            p.replies = p.client.pipeline(calls)
        self.made += len(calls)
        known = self.compare(calls, known)
        if known and not by_chance(calls):
            ours = self.ours.contents()
            if not any(equal_contents(ours, p.contents()) for p in known):
                self.report(calls, len(calls) - 1, "contents",
                            [(p.name, difference(ours, p.contents()))
                             for p in known] + [("ours", "")])

    def compare(self, calls, known):
        """The servers that have answered all calls alike."""
        for i, call in enumerate(calls):
            ours = self.ours.replies[i]
            alike = [p for p in known if equal(call, ours, p.replies[i])]
            if not alike:
                self.report(calls, i, kind(ours), [(p.name, brief(
                    p.replies[i])) for p in known] + [("ours", brief(ours))])
                return []
            known = alike
            if by_chance([call]):
                return []
        return known

    def report(self, calls, at, what, replies):
        rules = KNOWN + KNOWN_OF_7_0 * (self.peers[0].name == "redis-server")
        if all(is_known(calls[at], replies[-1][1], text, rules)
               for _, text in replies[:-1]):
            return
        name = b" ".join(calls[at][:2]).decode("latin-1").upper() if len(
            calls[at]) > 1 and b"|" in calls[at][0] else \
            calls[at][0].decode().upper()
        key = (name, what, tuple(kind_of(r) for _, r in replies))
        if key not in self.found:
            self.found[key] = [0, calls[:at + 1], replies]
        self.found[key][0] += 1


def is_known(call, ours, theirs, rules):
    """For contents, what is shown of both is in theirs."""
    text = b" ".join(call).decode("latin-1").upper()
    return any(re.match(c, text) and re.search(a, ours or theirs) and
               re.search(b, theirs) for c, a, b, _ in rules)


def kind_of(text):
    return text if text.startswith("-") else re.sub(r"[0-9'a-z\W]+", "", text)


def unknown_words(calls, sources, description):
    """Options in the calls that only some servers know, and this one not."""
    words = {w.decode("latin-1").upper() for call in calls for w in call}
    tokens = set().union(*[s.tokens() for s in sources])
    return words & (tokens - description.tokens())


def same_numbers(ours, theirs):
    """Coordinates, distances, scores: how many digits they have differs."""
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(
            same_numbers(a, b) for a, b in zip(ours, theirs))
    try:
        return ours == theirs or math.isclose(
            float(ours), float(theirs), rel_tol=1e-12)
    except (TypeError, ValueError):
        return False


def suits(call):
    """No call that waits, or whose reply is as long as a number says."""
    words = [w.upper() for w in call]
    if b"BLOCK" in words:
        return False
    if words[0].decode() in REPEATS:
        return not any(re.match(rb"-\d{4}", w) for w in words)
    if words[0] in (b"XADD", b"XCFGSET"):
        return not any(w.startswith(b"IDMP") for w in words)
    return True


def by_chance(calls):
    return any(c[0].upper() == b"SPOP" or
               c[0].upper() == b"XADD" and any(w[-1:] == b"*" for w in c)
               for c in calls)


def difference(ours, theirs):
    for a, b in zip(ours, theirs):
        if a[0] != b[0] or not equal(a[0], a[1], b[1]):
            return "%r: %s, ours %s" % (b[0], brief(b[1]), brief(a[1]))
    return "%d keys, ours %d" % (len(theirs), len(ours))


def told(found):
    lines = []
    for (name, what, _), (count, calls, replies) in found.items():
        lines.append("%s (%d times)" % (name, count))
        lines += ["    > %r" % b" ".join(c)[:400] for c in calls]
        lines += ["    %-12s %s" % (who, r) for who, r in replies]
    return "\n".join(lines)


def peers():
    programs = os.environ.get("DIFFERENTIAL_PEERS", "").split()
    return [differential.Reference(p, **{"proto-max-bulk-len": differential.LIMIT}).start()
            for p in programs or [None]]


def run(server, protocol):
    others = [Peer(p) for p in peers()]
    tour = Tour(Peer(server), others)
    for p in [tour.ours] + others:
        p.connect(protocol)
    wanted = os.environ.get("DIFFERENTIAL_COMMANDS", "").split()
    names = sorted({name for p in others for name, d in p.described.items()
                    if d.group in GROUPS and name not in SKIPPED})
    try:
        for name in [n for n in names if not wanted or n in wanted]:
            for _ in range(0, CALLS, SEQUENCE):
                tour.sequence(name)
    finally:
        for p in others:
            p.server.remove()
    if tour.found:
        raise AssertionError("%d calls, %d differences:\n%s" % (
            tour.made, len(tour.found), told(tour.found)))


@lib.options(proto_max_bulk_len=differential.LIMIT)
@lib.limit(600 + CALLS * 10)
def test_every_call_is_answered_as_one_of_the_others_does(server):
    run(server, 2)


@lib.options(proto_max_bulk_len=differential.LIMIT)
@lib.limit(600 + CALLS * 10)
def test_every_call_is_answered_alike_in_the_newer_protocol(server):
    run(server, 3)


# Of INFO: what stands for things that are not here, or names what there is.
NOT_HERE = re.compile(
    r"cmdstat_|latency_percentiles|errorstat_|db\d|module$|io_thread|engine"
    r"|tls_|valkey_|server_mode|availability|clients_hz|used_active_time"
    r"|cluster_slot|slot_migration|mem_cluster|mem_replica|replicas_waiting"
    r"|acl_access_denied_tls|expired_keys_with|total_net_cluster|db\d_")


def test_info_has_every_field_of_the_others(server):
    ours = set(server.info("everything"))
    for other in peers():
        missing = {name for name in other.info("everything")
                   if not NOT_HERE.match(name)} - ours
        other.remove()
        assert not missing, missing


lib.main(__name__, PORTS)
