# SPDX-License-Identifier: BSD-3-Clause
"""Calls made up from what a server says of its commands.

COMMAND DOCS has the arguments of each command: names, types, tokens, what is
optional, what repeats.  Calls(client, seed) reads that from one server and
makes calls of it: right ones with options in any order, and ones with values
at an edge, options twice or left out, words too many.
"""

import random

# What stands for the values of an argument: by its name, else by its type.
WORDS = {
    "field": "a b c d f1 1".split(),
    "member": "a b c d m1 m2 1".split(),
    "element": "a b c x 1 2".split(),
    "pivot": "a b c x".split(),
    "group": "g1 g1 g1 g2 nogroup".split(),
    "consumer": "c1 c1 c2 newconsumer".split(),
    "id": "1-1 2-1 3-1 4-1 1 0 0-0 99-1 99-* * - + $ >".split(),
    "start": "0 1 -1 2 -2 - + 1-1 2 (1-1 [a (a -inf (1".split(),
    "stop": "0 1 -1 3 -2 + - 3-1 2 (3-1 [c (c +inf (3".split(),
    "end": "0 1 -1 3 -2 + - 3-1 2 (3-1".split(),
    "min": "0 1 -inf (1 2 - [a (a 1.5 +inf".split(),
    "max": "3 2 +inf (3 + [c (c 2.5 -inf".split(),
    "threshold": "0 1 2 3 100 1-1 2-1 3".split(),
    "pattern": "* a* ? [a-c] * \\* a".split(),
    "encoding": "u8 i8 u1 i5 u63 i64 u64 i65 x8 u0 i16".split(),
    "offset": "0 1 2 #0 #1 7 100 -1".split(),
    "longitude": "13.361389 15.087269 0 -180 180 181 1e2".split(),
    "latitude": "38.115556 37.502669 0 85.05112878 85.06 -86".split(),
    "radius": "100 200 1 0 -1 1e9 x".split(),
    "width": "100 400 1 0 -1".split(),
    "height": "100 400 1 0 -1".split(),
    "score": "0 1 2 3 -1 1.5 inf -inf nan +inf 1e400 0x10".split(),
    "weight": "1 2 0.5 -1 0 inf x".split(),
    "increment": "1 -1 2 0 1.5 9223372036854775807 1e3 nan inf".split(),
    "lbound": "0 1 -5 5".split(),
    "ubound": "100 5 0 9223372036854775807".split(),
    "bit": "0 1 0 1 2 -1".split(),
    "value": ["v", "hello", "10", "1.5", "", "x" * 70, "-1", "5"],
    "data": ["v", "hello", "10", "", "1"],
    "string": ["v", "hello", "10", "", "1"],
    "index": "0 1 -1 2 -2 5 100".split(),
    "serialized-value": ["", "x"],
    "newkey": ["s1", "l2", "none"],
    "type": "string list set zset hash stream STRING none xyz".split(),
    "db": "0 0 1 9 15 16 -1 x".split(),
    "index1": "0 1 15 16".split(),
    "index2": "0 1 15 16".split(),
    "version": "2 3 1 x".split(),
    "cursor": "0 0 0 1 5 x -1".split(),
    "ifeq-value": "hello 10 v".split(),
    "ifne-value": "hello 10 v".split(),
    "idmp-producer": "p1 p2".split(),
    "lastid": "1-1 9-9 0".split(),
    "last-id": "1-1 9-9 0 99-99".split(),
    "max-deleted-id": "1-1 0-0 9-9".split(),
    "entries-read": "0 1 3 -1 100".split(),
    "entries-added": "0 1 4 -1 100".split(),
    "count": "1 2 0 3 10 -1 -2 100".split(),
    "rank": "1 2 -1 -2 0".split(),
    "seconds": "100 1000 100000 0 -1".split(),
    "milliseconds": "100000 1000000 0 -1".split(),
    "ms": "0 1000000 -1".split(),
    "min-idle-time": "0 0 1000000 -1".split(),
    "unix-time-milliseconds": "9999999999999 99999999999999 1 -1".split(),
    "len": "0 1 2 10 -1".split(),
    "weights": "1 2".split(),
    "command-name": "get set nosuch client|list".split(),
    "parameter": "maxmemory hz nosuch".split(),
}
BY_TYPE = {
    "integer": "0 1 2 3 5 10 -1 100 1000".split(),
    "double": "0 1 1.5 -1 inf 1e3".split(),
    "string": ["a", "b", "1", "", "hello"],
    "pattern": "* a* ?".split(),
    "unix-time": "9999999999 99999999999 1 0 -1 9999999999999".split(),
}
SPOILT = [
    "", "x", "-1", "0", "1.5", "2147483648", "4294967296",
    "9223372036854775807", "-9223372036854775808", "9223372036854775808",
    "nan", "inf", " 1", "1 ", "+1", "01", "COUNT", "LIMIT", "a\x00b", "é",
    "*", "-", "+", "NX", "XX", "EX", "GT", "WITHSCORES", "FIELDS", "KEEPTTL",
]
GROUP_KEYS = {
    "string": ["s1", "s2", "s3", "s\x00\xff"], "bitmap": ["s1", "s2"],
    "list": ["l1", "l2"], "set": ["t1", "t2"], "hash": ["h1", "h2"],
    "sorted-set": ["z1", "z2"], "stream": ["x1", "x2"],
    "hyperloglog": ["p1", "p2"], "geo": ["g1"],
}
ALL_KEYS = sum(GROUP_KEYS.values(), [])
COUNTED = ("numkeys", "numfields", "numids")

# What every sequence of calls starts from.
SETUP = [c.split(" ") for c in """FLUSHALL
SET s1 hello
SET s2 10
SET s3 1.5
RPUSH l1 a b c a 1 2
RPUSH l2 a
SADD t1 a b c 1 2
SADD t2 b d 2
HSET h1 a 1 b hello c 1.5
HSET h2 a x f1 5
ZADD z1 1 a 2 b 3 c
ZADD z2 0 a 0 b 0 c 0 d
XADD x1 1-1 a 1
XADD x1 2-1 a 2 b 2
XADD x1 3-1 c 3
XADD x1 4-1 d 4
XGROUP CREATE x1 g1 0
XREADGROUP GROUP g1 c1 COUNT 2 STREAMS x1 >
XADD x2 1-1 a 1
PFADD p1 a b c
PFADD p2 c d
GEOADD g1 13.361389 38.115556 a 15.087269 37.502669 b
EXPIRE h2 70000""".split("\n")] + [["SET", "s\x00\xff", "b\x00\xfe"]]


class Argument:
    """One argument of a description."""

    def __init__(self, flat):
        facts = dict(zip(flat[::2], flat[1::2]))
        self.name = facts[b"name"].decode()
        self.type = str(facts[b"type"].decode())
        self.token = facts.get(b"token", b"").decode()
        self.parts = [Argument(a) for a in facts.get(b"arguments", [])]
        flags = {str(f) for f in facts.get(b"flags", [])}
        self.optional = "optional" in flags
        self.multiple = "multiple" in flags
        self.token_each = "multiple_token" in flags

    def tokens(self):
        """All words that are fixed in it."""
        found = {self.token.upper()} if self.token else set()
        return found.union(*[p.tokens() for p in self.parts])


class Description:
    """A command, or a sub-command: its words, its group, its arguments."""

    def __init__(self, name, facts):
        self.words = name.upper().split("|")
        self.group = facts[b"group"].decode()
        self.arguments = [Argument(a) for a in facts.get(b"arguments", [])]

    def tokens(self):
        return set().union(*[a.tokens() for a in self.arguments])


def descriptions(client):
    """{name: Description} of what a server knows, containers left out."""
    found = {}

    def walk(flat):
        for name, doc in zip(flat[::2], flat[1::2]):
            facts = dict(zip(doc[::2], doc[1::2]))
            if b"subcommands" in facts:
                walk(facts[b"subcommands"])
            else:
                name = name.decode()
                found[name] = Description(name, facts)
    walk(client.ok("COMMAND", "DOCS"))
    return found


class Count:
    """Stands for the number of what follows it."""

    def __init__(self, name):
        self.name = name


class Calls:
    """Random calls of described commands; the same seed, the same calls."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def call(self, description):
        words = list(description.words)
        made = self._all(description.arguments, description.group)
        words += [self._counted(made, i) if isinstance(w, Count) else w
                  for i, w in enumerate(made)]
        words = [w[1] if isinstance(w, tuple) else w for w in words]
        return [w.encode("latin-1", "replace")
                for w in self._spoil(words, len(description.words))]

    def _all(self, arguments, group):
        """The words of these, neighbours that are optional in any order."""
        words, run = [], []
        for a in list(arguments) + [None]:
            if a is not None and a.optional:
                run.append(a)
                continue
            if self.random.random() < 0.4:
                self.random.shuffle(run)
            for option in run:
                if self.random.random() < 0.3:
                    words += self._one(option, group)
            run = []
            if a is not None:
                words += self._one(a, group)
        return words

    def _one(self, a, group):
        words = []
        for n in range(self.random.choice([1, 1, 2, 3]) if a.multiple else 1):
            if a.token and a.type != "pure-token" and \
                    (n == 0 or a.token_each):
                words.append(self._case(a.token))
            words += [("repeated", w) if a.multiple and i == 0 and
                      isinstance(w, str) else w
                      for i, w in enumerate(self._value(a, group))]
        return words

    def _value(self, a, group):
        r = self.random
        if a.type == "pure-token":
            return [self._case(a.token)]
        if a.type == "oneof":
            return self._one(r.choice(a.parts), group)
        if a.type == "block":
            return self._all(a.parts, group)
        if a.name in COUNTED:
            return [Count(a.name)]
        if a.type == "key":
            return [self._key(group)]
        if r.random() < 0.04:
            return [r.choice(SPOILT)]
        return [r.choice(WORDS.get(a.name) or BY_TYPE.get(a.type) or ["a"])]

    def _key(self, group):
        r = self.random
        if r.random() < 0.1:
            return r.choice(["none", "none2", ""])
        if r.random() < 0.1 or group not in GROUP_KEYS:
            return r.choice(ALL_KEYS)
        return r.choice(GROUP_KEYS[group])

    def _counted(self, made, at):
        """How often repeats what stands behind a Count."""
        r = self.random
        if r.random() < 0.1:
            return r.choice(["0", "-1", "1", "2", "100", "x", ""])
        count = 0
        for w in made[at + 1:]:
            if isinstance(w, tuple):
                count += 1
            elif count:
                break
        return str(count or 1)

    def _case(self, token):
        r = self.random.random()
        return token if r < 0.8 else token.lower() if r < 0.95 else \
            token.capitalize()

    def _spoil(self, words, fixed):
        r = self.random
        chance = r.random()
        if chance < 0.75 or len(words) <= fixed:
            return words
        at = r.randrange(fixed, len(words))
        if chance < 0.83:
            words[at] = r.choice(SPOILT)
        elif chance < 0.88:
            words.insert(at, r.choice(SPOILT))
        elif chance < 0.93:
            del words[at:at + r.choice([1, 1, 2])]
        elif chance < 0.97:
            words += words[at:]  # an option twice, or a list that is longer
        else:
            words.append(r.choice(SPOILT))
        return words
