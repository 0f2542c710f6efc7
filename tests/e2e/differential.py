# SPDX-License-Identifier: BSD-3-Clause
"""What the differential tests share: two servers, the same commands to both,
and what may differ.

Replies are compared as they are on the wire: a double as its text, a set as
distinct from an array.  Replies without an order are compared without it.
What else is meant to differ from Redis 7.0 is in RULES, each with its reason.
"""

import os
import random
import shutil

import lib
from lib import Error

PORTS = range(21700, 21800)
LIMIT = 1 << 20  # proto-max-bulk-len of both, so that big offsets stay cheap
SEED = lib.seed("DIFFERENTIAL_SEED")

EDGES = [
    "0", "1", "-1", "2", "7", "8", "63", "64", "65", "255", "256",
    "2147483646", "2147483647", "2147483648", "-2147483648", "-2147483649",
    "4294967295", "4294967296", "9223372036854775806",
    "9223372036854775807", "-9223372036854775807", "-9223372036854775808",
    "9223372036854775808", "-9223372036854775809", "18446744073709551615",
    "18446744073709551616", "9223372036854775", "9223372036854776",
    "-9223372036854775", "-9223372036854776", "1e308", "1e-308", "1e4932",
    "1e5000", "nan", "inf", "-inf", "", " ", " 1", "1 ", "+1", "01", "-0",
    "0x10", "1.5", "-1.5", "3.0e3", ".5", "5.", "1e", "abc", "1" * 40,
    "0." + "1" * 40, "1\x00", "1,5",
]

# --- both servers -----------------------------------------------------------

class Double(str):
    """The text of a RESP3 double."""


class Set(list):
    """A RESP3 set."""


class Textual(lib.Raw):
    """Replies with what lib.Raw simplifies: doubles and sets."""

    def double(self, text):
        return Double(text.decode())

    def _aggregate(self, kind, count):
        values = super()._aggregate(kind, count)
        return Set(values) if kind == b"~" and count >= 0 else values


class Reference(lib.Server):
    """Debian's redis-server; without it there is nothing to compare. Or
    another program that takes its command line."""

    def __init__(self, program=None, **options):
        program = program or shutil.which("redis-server")
        if not program:
            raise AssertionError("redis-server is not installed: make deps")
        super().__init__(level=None, binary=program, ports=PORTS,
                         options=dict({"save": ""}, **options))


class Pair:
    """Ours and the reference, each with one connection."""

    def __init__(self, server, options=()):
        self.server = server
        self.reference = Reference(**dict({"proto-max-bulk-len": LIMIT},
                                          **dict(options)))
        self.reference.start()
        self.connect(2)

    def connect(self, protocol):
        """New connections to both, that speak RESP2 or RESP3."""
        self.ours = Textual(self.server.port)
        self.theirs = Textual(self.reference.port)
        if protocol == 3:
            for c in (self.ours, self.theirs):
                c.ok("HELLO", 3)

    def both(self, commands):
        """[(command, our reply, their reply)], sent as pipelines: one, but
        for what a SORT follows."""
        first, results = 0, []
        for n, command in enumerate(commands):
            if command[0] in (b"SORT", b"SORT_RO"):
                results += self._pipeline(commands[first:n])
                self._clear_errno()
                first = n
        return results + self._pipeline(commands[first:])

    def _pipeline(self, commands):
        data = b"".join(lib.encode(*c) for c in commands)
        self.ours.send(data)
        self.theirs.send(data)
        return [(c, self.ours.read(), self.theirs.read()) for c in commands]

    def _clear_errno(self):
        """The reference's SORT takes an ERANGE that any number before it left
        in errno for its own; accepting a client ends with EAGAIN there."""
        with self.reference.raw() as c:
            c.ok("PING")

    def restart(self):
        """Ours is killed and started again: what it has is what it had."""
        self.ours.close()
        self.server.restart_same()
        self.theirs.close()
        self.connect(2)

    def close(self):
        self.ours.close()
        self.theirs.close()
        self.reference.remove()


class Walk:
    """Random steps of one command at a time, the same for both servers: a
    subclass has step(), and plain() for replies that are meant to differ."""

    def __init__(self, server, reference, seed):
        self.a, self.b = server.raw(), reference.raw()
        self.random = random.Random(seed)

    @staticmethod
    def plain(reply):
        return reply

    def both(self, *args):
        a, b = self.a.command(*args), self.b.command(*args)
        lib.equal(self.plain(a), self.plain(b), repr(args)[:400])
        return a


def walk(kind, steps):
    """steps (or STEPS of the environment) of a Walk of this kind."""
    with lib.Server("everysec") as server, Reference() as reference:
        pair = kind(server, reference, SEED)
        for _ in range(int(os.environ.get("STEPS", steps))):
            pair.step()


def with_reference(rules=None, **directives):
    """Runs test(pair). rules: more of them, as in RULES; directives: of both
    servers, _ for -."""
    options = {name.replace("_", "-"): value
               for name, value in directives.items()}

    def mark(test):
        def run(server):
            pair = Pair(server, options)
            rules_of_test.update(rules or {})
            try:
                test(pair)
            finally:
                rules_of_test.clear()
                pair.close()
        run.options = dict({"proto-max-bulk-len": LIMIT}, **options)
        run.seconds = getattr(test, "seconds", lib.TEST_SECONDS)
        return run
    return mark


# --- equal, but for the order -----------------------------------------------

def shown(reply):
    """The reply with the types of its parts, to be compared and sorted."""
    if isinstance(reply, list):
        return (type(reply).__name__, [shown(r) for r in reply])
    if isinstance(reply, tuple):
        return ("pair", [shown(r) for r in reply])
    return (type(reply).__name__, str(reply))


def sorted_reply(reply):
    return sorted(shown(r) for r in reply)


def pairs(reply):
    """[[a, b], ...] of a flat list, or of a map."""
    if isinstance(reply, lib.Map):
        return [list(p) for p in reply]
    return [reply[i:i + 2] for i in range(0, len(reply), 2)]


def without_order(command, ours, theirs):
    return sorted_reply(ours) == sorted_reply(theirs)


def pairs_without_order(command, ours, theirs):
    return type(ours) is type(theirs) and \
        sorted_reply(pairs(ours)) == sorted_reply(pairs(theirs))


def chosen_at_random(command, ours, theirs):
    """As many, of the same kinds."""
    return len(ours) == len(theirs) and \
        {type(r) for r in ours} == {type(r) for r in theirs}


def scanned(command, ours, theirs):
    """A cursor and a part: how much a call gives is everyone's own affair."""
    return len(ours) == len(theirs) == 2 and isinstance(ours[1], list)


def geo_search(command, ours, theirs):
    words = [w.upper() for w in command]
    if b"ASC" in words or b"DESC" in words:
        return shown(ours) == shown(theirs)
    if b"COUNT" in words:
        return len(ours) == len(theirs)  # which ones is not said
    return without_order(command, ours, theirs)


def sorted_by_pattern(command, ours, theirs):
    """Elements of equal weight have no order."""
    if any(w.upper() == b"LIMIT" for w in command):
        return len(ours) == len(theirs)
    return without_order(command, ours, theirs)


def without_times(command, ours, theirs):
    return shown(no_times(ours)) == shown(no_times(theirs))


# Of XINFO: times, what 7.2 has and 7.0 has not, how things lie in memory, and
# the lag, which 7.2 guesses better.
PASSING = (b"idle", b"inactive", b"seen-time", b"active-time",
           b"radix-tree-keys", b"radix-tree-nodes", b"lag")


def no_times(reply):
    if isinstance(reply, lib.Map):
        return lib.Map([(k, no_times(v)) for k, v in reply
                        if k not in PASSING])
    if not isinstance(reply, list):
        return reply
    if any(k in PASSING or k == b"pel-count" for k in reply if
           isinstance(k, bytes)):
        flat = []
        for k, v in pairs(reply):
            if k not in PASSING:
                flat += [k, no_times(v)]
        return flat
    # Pending entries: ID, (consumer,) idle or delivery time, deliveries.
    if len(reply) in (3, 4) and isinstance(reply[-1], int) and \
            isinstance(reply[-2], int) and isinstance(reply[0], bytes):
        return reply[:-2] + reply[-1:]
    return [no_times(r) for r in reply]


UNORDERED = {
    name: rule for names, rule in (
        ("KEYS SMEMBERS SINTER SUNION SDIFF HKEYS HVALS", without_order),
        ("HGETALL", pairs_without_order),
        ("SPOP SRANDMEMBER HRANDFIELD ZRANDMEMBER", chosen_at_random),
        ("SCAN SSCAN HSCAN ZSCAN", scanned),
        ("GEOSEARCH GEORADIUS GEORADIUS_RO GEORADIUSBYMEMBER "
         "GEORADIUSBYMEMBER_RO", geo_search),
        ("XPENDING XINFO", without_times),
    ) for name in names.encode().split()
}

# How far apart times may be that the servers tell.
APPROXIMATE = {b"TTL": 1, b"PTTL": 2000, b"EXPIRETIME": 1,
               b"PEXPIRETIME": 2000}


def same(command, ours, theirs):
    name = command[0].upper()
    if name in APPROXIMATE and isinstance(ours, int) and \
            isinstance(theirs, int) and ours > 0 and theirs > 0:
        return abs(ours - theirs) <= APPROXIMATE[name]
    if isinstance(ours, list) and type(ours) is type(theirs):
        if name in (b"SORT", b"SORT_RO") and \
                any(w.upper() == b"BY" for w in command):
            return sorted_by_pattern(command, ours, theirs)
        if name in UNORDERED:
            return UNORDERED[name](command, ours, theirs)
    return shown(ours) == shown(theirs)


# --- what is meant to differ ------------------------------------------------

def rule_bits(command, ours, theirs):
    """arguments are checked before the key is looked up: Redis 7.2"""
    return isinstance(ours, Error) and isinstance(theirs, int)


def rule_cursor(command, ours, theirs):
    """a cursor is a canonical number, what else strtoul takes is not"""
    return str(ours) == "ERR invalid cursor"


def rule_shortest(command, ours, theirs):
    """the shortest text that is this double: Redis 7.2; and -0 stays -0, in
    small sets too"""
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(
            rule_shortest(command, a, b) for a, b in zip(ours, theirs))
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        return rule_shortest(command, list(ours), list(theirs))
    if shown(ours) == shown(theirs):
        return True
    if type(ours) is not type(theirs) or \
            not isinstance(ours, (bytes, Double)):
        return False
    try:
        return float(ours) == float(theirs) and (
            len(ours) <= len(theirs) or ours in (b"-0", "-0"))
    except ValueError:
        return False


# (ours, theirs): why.
ENCODINGS = {
    (b"listpack", b"quicklist"): "small lists are packed: Redis 7.2",
    (b"listpack", b"hashtable"): "small sets are packed: Redis 7.2",
    (b"listpack", b"skiplist"): "a small result of ZRANGESTORE is packed",
    (b"embstr", b"raw"): "of strings it is the length that counts",
}


def rule_encoding(command, ours, theirs):
    """a value may be held in another way: ENCODINGS"""
    return (ours, theirs) in ENCODINGS


def rule_packed_bytes(command, ours, theirs):
    """a limit in bytes holds beside the number of elements"""
    return theirs == b"listpack" and ours in (b"hashtable", b"skiplist")


def rule_unbalanced(command, ours, theirs):
    """the text names the command: Redis 7.2"""
    return "Unbalanced" in str(ours) and "Unbalanced" in str(theirs)


def rule_least(command, ours, theirs):
    """the least number has no opposite, and is refused: Redis 7.2"""
    return "9223372036854775807" in str(ours) and isinstance(ours, Error)


def rule_withscore(command, ours, theirs):
    """WITHSCORE came with Redis 7.2"""
    return len(command) == 4 and "wrong number of arg" in str(theirs)


def rule_hyperloglog(command, ours, theirs):
    """PFCOUNT keeps no count in the value here: a read does not write"""
    if not isinstance(ours, bytes) or not isinstance(theirs, bytes):
        return False
    return ours[:4] == b"HYLL" and ours[:8] + ours[16:] == \
        theirs[:8] + theirs[16:]


SCORES = """ZADD ZINCRBY ZSCORE ZMSCORE ZRANGE ZREVRANGE ZRANGEBYSCORE
    ZREVRANGEBYSCORE ZPOPMIN ZPOPMAX ZMPOP ZUNION ZINTER ZDIFF
    """.encode().split()


RULES = {
    b"BITCOUNT": [rule_bits],
    b"BITPOS": [rule_bits],
    b"GET": [rule_hyperloglog],
    b"OBJECT": [rule_encoding],
    b"SCAN": [rule_cursor],
    b"SSCAN": [rule_cursor],
    b"HSCAN": [rule_cursor],
    b"ZSCAN": [rule_cursor],
}
RULES.update({b"XREAD": [rule_unbalanced], b"XREADGROUP": [rule_unbalanced]})
RULES.update({b"LREM": [rule_least], b"LPOS": [rule_least]})
RULES.update({b"ZRANK": [rule_withscore], b"ZREVRANK": [rule_withscore]})
RULES.update({name: [rule_shortest] for name in SCORES})


# Of the test that runs: with_reference.
rules_of_test = {}


def known_difference(command, ours, theirs):
    """The reason, if this difference is meant."""
    name = command[0].upper()
    for rule in RULES.get(name, []) + rules_of_test.get(name, []):
        if rule(command, ours, theirs):
            return rule.__doc__
    return None


def compare(results, where):
    for command, ours, theirs in results:
        if same(command, ours, theirs) or \
                known_difference(command, ours, theirs):
            continue
        raise AssertionError("%s: %s\n  ours      %s\n  reference %s" % (
            (where, b" ".join(command)[:300]) + parting(ours, theirs)))


def parting(ours, theirs, around=300):
    """The texts of both, from a bit before they part."""
    a, b = repr(no_times(ours)), repr(no_times(theirs))
    at = len(os.path.commonprefix([a, b]))
    start = max(0, at - around // 3)
    return tuple(("..." if start else "") + text[start:at + around]
                 for text in (a, b))
