#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Points on the earth: replies as redis-server's, also in random order."""

import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import differential
import lib
from lib import equal, is_error

UNITS = ("m", "km", "ft", "mi", "KM")


def sicily(c):
    c.ok("GEOADD", "s", "13.361389", "38.115556", "Palermo",
         "15.087269", "37.502669", "Catania", "13.361389", "40", "North")


def changes(server, *args):
    with server.raw() as c:
        before = int(server.info()["rdb_changes_since_last_save"])
        c.ok(*args)
        return int(server.info()["rdb_changes_since_last_save"]) - before


def test_points_come_back_as_they_are_known(server):
    with server.raw() as c:
        sicily(c)
        equal(c.ok("GEOHASH", "s", "Palermo", "none", "Catania"),
              [b"sqc8b49rny0", None, b"sqdtr74hyu0"])
        equal(c.ok("GEOPOS", "s", "Palermo", "none"),
              [[b"13.36138933897018433", b"38.11555639549629859"], None])
        equal(c.ok("GEODIST", "s", "Palermo", "Catania"), b"166274.1516")
        equal(c.ok("GEODIST", "s", "Palermo", "North", "km"), b"209.5997")
        equal(c.ok("ZSCORE", "s", "Palermo"), b"3479099956230698")
        equal(c.ok("GEOPOS", "none", "a"), [None])
        equal(c.ok("GEOHASH", "none", "a"), [None])
    with server.raw(3) as c:
        equal(c.ok("GEOPOS", "s", "Palermo"),
              [[13.36138933897018433, 38.11555639549629859]])


def test_adding_counts_and_logs_what_changes(server):
    with server.raw() as c:
        def add(*args):
            return c.ok("GEOADD", "add", *args)

        equal(add(1, 1, "a", 2, 2, "b"), 2)
        equal(add(1, 1, "a", 2, 2, "b"), 0)
        equal(add(1, 2, "a", 3, 3, "c"), 1)
        equal(add("CH", 1, 1, "a", 2, 2, "b", 4, 4, "d"), 2)
        equal(add("XX", 9, 9, "z", 2, 2, "a"), 0)
        equal(add("XX", "CH", 9, 9, "z", 3, 2, "a"), 1)
        equal(add("NX", 9, 9, "a", 5, 5, "e", 6, 6, "e"), 1)
        equal(c.ok("GEODIST", "add", "e", "e"), b"0.0000")
        equal(c.ok("GEOHASH", "add", "e"),
              c.ok("GEOHASH", "add", "e"))
        equal(add("CH", 7, 7, "f", 8, 8, "f"), 2)
        equal(add(1, 1, "g", 2, 2, "g", 1, 1, "g"), 1)
        equal(c.ok("ZCARD", "add"), 7)
        equal(changes(server, "GEOADD", "add", 1, 1, "g"), 0)
        equal(changes(server, "GEOADD", "add", "CH", "XX", 1, 1, "y"), 0)
        assert changes(server, "GEOADD", "add", 3, 1, "g") > 0


def test_words_that_make_no_sense_are_refused(server):
    with server.raw() as c:
        sicily(c)
        c.ok("SET", "string", "x")
        for text, command in (
                ("ERR invalid longitude,latitude pair 200.000000,0.000000",
                 "GEOADD g 200 0 a"),
                ("ERR value is not a valid float", "GEOADD g x 0 a"),
                ("ERR syntax error", "GEOADD g NX XX 1 1 a"),
                ("ERR syntax error", "GEOADD g 1 1 a 2"),
                ("WRONGTYPE", "GEOADD string 1 1 a"),
                ("WRONGTYPE", "GEODIST string a b"),
                ("WRONGTYPE", "GEOSEARCH string FROMLONLAT 1 1 BYRADIUS 1 m"),
                ("ERR unsupported unit", "GEODIST s Palermo Catania parsec"),
                ("ERR syntax error", "GEODIST s Palermo Catania km x"),
                ("ERR need numeric radius", "GEORADIUS s 1 1 x km"),
                ("ERR radius cannot be negative", "GEORADIUS s 1 1 -1 km"),
                ("ERR COUNT must be > 0", "GEORADIUS s 1 1 1 km COUNT 0"),
                ("ERR the ANY argument requires COUNT argument",
                 "GEORADIUS s 1 1 1 km ANY"),
                ("ERR STORE option in GEORADIUS is not compatible",
                 "GEORADIUS s 1 1 1 km STORE d WITHDIST"),
                ("ERR syntax error", "GEORADIUS_RO s 1 1 1 km STORE d"),
                ("ERR syntax error", "GEORADIUSBYMEMBER_RO s Catania 1 km "
                 "STOREDIST d"),
                ("ERR could not decode requested zset member",
                 "GEORADIUSBYMEMBER s nobody 1 km"),
                ("ERR exactly one of FROMMEMBER or FROMLONLAT",
                 "GEOSEARCH s BYRADIUS 1 m ASC ASC"),
                ("ERR exactly one of BYRADIUS and BYBOX",
                 "GEOSEARCH s FROMLONLAT 1 1 ASC ASC"),
                ("ERR syntax error",
                 "GEOSEARCH s FROMLONLAT 1 1 BYRADIUS 1 m BYBOX 1 1 m"),
                ("ERR need numeric width",
                 "GEOSEARCH s FROMLONLAT 1 1 BYBOX x 1 m"),
                ("ERR need numeric height",
                 "GEOSEARCH s FROMLONLAT 1 1 BYBOX 1 x m"),
                ("ERR height or width cannot be negative",
                 "GEOSEARCH s FROMLONLAT 1 1 BYBOX 1 -1 m"),
                ("ERR GEOSEARCHSTORE is not compatible",
                 "GEOSEARCHSTORE d s FROMLONLAT 1 1 BYRADIUS 1 m WITHHASH")):
            is_error(c.command(*command.split()), text)
        equal(c.ok("EXISTS", "g", "d"), 0)


def test_what_is_stored_replaces_the_destination(server):
    with server.raw() as c:
        sicily(c)
        area = ("FROMLONLAT", 15, 37, "BYRADIUS", 200, "km")
        c.ok("SET", "d", "a string")
        equal(c.ok("GEOSEARCHSTORE", "d", "s", *area), 2)
        equal(c.ok("ZRANGE", "d", 0, -1, "WITHSCORES"),
              [b"Palermo", b"3479099956230698",
               b"Catania", b"3479447370796909"])
        equal(c.ok("GEOSEARCHSTORE", "d", "s", *area, "STOREDIST"), 2)
        equal(c.ok("ZRANGE", "d", 0, -1), [b"Catania", b"Palermo"])
        equal(c.ok("GEORADIUS", "s", 15, 37, 100, "km", "STORE", "s"), 1)
        equal(c.ok("ZRANGE", "s", 0, -1), [b"Catania"])
        equal(c.ok("GEORADIUS", "s", 0, 0, 1, "km", "STORE", "d"), 0)
        equal(c.ok("EXISTS", "d"), 0)
        equal(c.ok("GEOSEARCHSTORE", "s", "none", *area), 0)
        equal(c.ok("EXISTS", "s"), 0)
        many = [a for i in range(5000)
                for a in (i % 170, i % 83, b"member-%d" % i * 3)]
        c.ok("GEOADD", "many", *many)
        equal(c.ok("GEOSEARCHSTORE", "d", "many", "FROMLONLAT", 0, 0,
                   "BYRADIUS", 40000, "km"), 5000)
        equal(c.ok("ZRANGE", "d", 0, -1, "WITHSCORES"),
              c.ok("ZRANGE", "many", 0, -1, "WITHSCORES"))


def test_a_polygon_has_what_is_inside_its_corners(server):
    with server.raw() as c:
        for lon in range(-5, 6):
            for lat in range(-5, 6):
                c.ok("GEOADD", "grid", lon, lat, "%d %d" % (lon, lat))

        def inside(*corners):
            names = c.ok("GEOSEARCH", "grid", "BYPOLYGON", len(corners) // 2,
                         *corners)
            return sorted(tuple(map(int, n.split())) for n in names)

        equal(inside(-.5, -.5, -.5, 1.5, 1.5, 1.5, 1.5, -.5),
              [(0, 0), (0, 1), (1, 0), (1, 1)])
        equal(inside(-1.5, -1.5, 0, 0.5, 1.5, -1.5),
              [(-1, -1), (0, -1), (0, 0), (1, -1)])
        equal(len(inside(-179, -80, -179, 80, 179, 80, 179, -80)), 121)
        # A corner that points inwards.
        equal(inside(-1.5, -1.5, -1.5, 1.5, 0.1, -0.5, 1.5, 1.5, 1.5, -1.5),
              [(-1, -1), (-1, 0), (0, -1), (1, -1), (1, 0)])
        found = c.ok("GEOSEARCH", "grid", "BYPOLYGON", 4, -.5, -.5, -.5, 1.5,
                     1.5, 1.5, 1.5, -.5, "ASC", "COUNT", 1, "WITHDIST")
        equal(len(found), 1)
        for command in ("BYPOLYGON 2 1 1 2 2", "BYPOLYGON 4 1 1 2 2 3 3 4",
                        "BYPOLYGON 3 1 1 2 2 3 99",
                        "BYPOLYGON 3 1 1 2 2 3 1 BYRADIUS 1 m"):
            is_error(c.command("GEOSEARCH", "grid", *command.split()), "ERR")


class Walk(differential.Walk):
    """The same commands for both servers, replies equal."""

    def compare(self, key):
        """The members; 7.0 shows their scores in a longer form."""
        a, b = ([(m, float(s)) for m, s in zip(*[iter(
            c.ok("ZRANGE", key, 0, -1, "WITHSCORES"))] * 2)]
            for c in (self.a, self.b))
        equal(a, b, key)

    def point(self):
        r = self.random
        where = r.random()
        if where < 0.3: # near each other
            return ("%.6f" % r.uniform(10, 11), "%.6f" % r.uniform(50, 51))
        if where < 0.4: # the date line and the edges of the map
            return ("%.9f" % (r.choice((-180, 180)) * r.uniform(.9999, 1)),
                    "%.9f" % (85.05112878 * r.choice((-1, 1, .5)) *
                              r.uniform(.9999, 1)))
        if where < 0.42: # never the same: equal distances have no order
            return r.choice((-180, 180)), r.uniform(-85, 85)
        if where < 0.44:
            return r.uniform(-180, 180), r.choice((-85.05112878, 85.05112878))
        if where < 0.47:
            return (r.uniform(-200, 200), r.uniform(-100, 100))
        return (r.uniform(-180, 180), r.uniform(-85, 85))

    def key(self):
        return "g%d" % self.random.randrange(3)

    def member(self):
        return "m%d" % self.random.randrange(400)

    def length(self):
        return self.random.choice((0, 1)) + self.random.expovariate(1) * \
            10 ** self.random.randrange(0, 8)

    def add(self):
        r = self.random
        args = [w for w in ("NX", "XX", "CH") if r.random() < 0.1]
        for _ in range(r.choice((1, 1, 1, 20))):
            args += [*self.point(), self.member()]
        self.both("GEOADD", self.key(), *args)

    def options(self):
        r = self.random
        args = [w for w in ("WITHDIST", "WITHCOORD", "WITHHASH")
                if r.random() < 0.3]
        kind = r.random()
        if kind < 0.3:
            args.append(r.choice(("ASC", "DESC")))
        elif kind < 0.5:
            args += ["COUNT", r.randrange(1, 20)]
        elif kind < 0.6:
            args += ["COUNT", r.randrange(1, 20), "ANY"]
        elif kind < 0.65:
            args += ["COUNT", r.randrange(1, 20), "DESC"]
        return args

    def area(self):
        r = self.random
        args = ["FROMMEMBER", self.member()] if r.random() < 0.4 else \
            ["FROMLONLAT", *self.point()]
        if r.random() < 0.5:
            return args + ["BYRADIUS", self.length(), r.choice(UNITS)]
        return args + ["BYBOX", self.length(), self.length(), r.choice(UNITS)]

    def search(self):
        r = self.random
        kind = r.random()
        if kind < 0.5:
            self.both("GEOSEARCH", self.key(), *self.area(), *self.options())
        elif kind < 0.7:
            self.both(r.choice(("GEORADIUS", "GEORADIUS_RO")), self.key(),
                      *self.point(), self.length(), r.choice(UNITS),
                      *self.options())
        else:
            self.both(r.choice(("GEORADIUSBYMEMBER",
                                "GEORADIUSBYMEMBER_RO")), self.key(),
                      self.member(), self.length(), r.choice(UNITS),
                      *self.options())

    def store(self):
        r = self.random
        if r.random() < 0.5:
            self.both("GEOSEARCHSTORE", "d", self.key(), *self.area(),
                      *["STOREDIST"][:r.randrange(2)])
        else:
            self.both("GEORADIUS", self.key(), *self.point(), self.length(),
                      r.choice(UNITS), r.choice(("STORE", "STOREDIST")), "d")
        self.compare("d")

    def step(self):
        r = self.random
        what = r.random()
        if what < 0.25:
            self.add()
        elif what < 0.6:
            self.search()
        elif what < 0.65:
            self.store()
        elif what < 0.75:
            self.both("GEOPOS", self.key(), self.member(), self.member())
        elif what < 0.85:
            self.both("GEOHASH", self.key(), self.member(), self.member())
        elif what < 0.97:
            self.both("GEODIST", self.key(), self.member(), self.member(),
                      r.choice(UNITS))
        elif what < 0.98: # scores that are no points
            odd = r.choice((-1, 2 ** 52, 2 ** 53, 10 ** 17, "inf"))
            self.both("ZADD", self.key(), odd, "odd %s" % odd)
            self.both("GEOPOS", self.key(), "odd %s" % odd)
            self.both("GEODIST", self.key(), "odd %s" % odd, self.member())
        else:
            self.both("ZREM", self.key(), *(self.member()
                                            for _ in range(30)))


@lib.own
def test_replies_are_those_of_redis_server():
    differential.walk(Walk, 5000)


@lib.levels("always", "everysec", "no")
def test_points_are_there_after_kill_9(server):
    r = random.Random(5)
    with server.raw() as c:
        for _ in range(300):
            c.ok("GEOADD", "k%d" % r.randrange(4), r.uniform(-180, 180),
                 r.uniform(-85, 85), "m%d" % r.randrange(300))
        c.ok("GEOSEARCHSTORE", "d", "k1", "FROMLONLAT", 10, 10, "BYBOX",
             9000, 9000, "km")
        c.ok("GEORADIUS", "k2", 10, 10, 9000, "km", "STOREDIST", "d2")
        wanted = c.ok("GEOSEARCH", "k3", "FROMLONLAT", 0, 0, "BYRADIUS",
                      5000, "km", "ASC", "WITHCOORD")
    server.restart_same()
    with server.raw() as c:
        equal(c.ok("GEOSEARCH", "k3", "FROMLONLAT", 0, 0, "BYRADIUS",
                   5000, "km", "ASC", "WITHCOORD"), wanted)


lib.main(__name__, range(21340, 21380))
