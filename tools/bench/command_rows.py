# SPDX-License-Identifier: BSD-3-Clause
"""What tools/bench/commands.py measures: groups of rows over one set of data.

A group is (name, commands that fill, rows). A row is (name, command) or (name,
command, options). In commands
    <n>        is a number below n, another one each time
    <+>        counts from 0
    <=>        the last of these counts again
    <.n>       a number below n with a fraction
    <xn>       n bytes
    <dump:key> what the server itself gives for DUMP key
Options: before (commands ahead of each slice), most (commands in a slice),
clients. Several commands in one row are joined by " ; ".
"""
M = 1000000


def many(count, words):
    return " ".join([words] * count)


def fill(command, count, words, at_once=100):
    """`count` times the words, with <+> counting, some in each command."""
    return [(f"{command} {many(at_once, words)}", count // at_once)]


STRINGS = ("strings", [
    *fill("MSET", 100000, "s:<+> <x64>"),
    *fill("MSET", 100000, "n:<+> 17"),
    *fill("MSET", 1000, "t:<+> <x10000>", 10),
    ("SETRANGE big 999999 x", 1),
    ("MSET lcs100a <x100> lcs100b <x100> lcs1ka <x1000> lcs1kb <x1000>", 1),
], [
    ("PING", "PING"),
    ("GET 64 B", "GET s:<100000>"),
    ("GET missing", "GET none:<100000>"),
    ("GET 10 KB", "GET t:<1000>"),
    ("SET 64 B", "SET s:<100000> <x64>"),
    ("SET new", "SET new:<+> <x64>", {
        "most": 400000, "before": [("DEL new:<+>", 400000)]}),
    ("SET 10 KB", "SET t:<1000> <x10000>"),
    ("SET EX", "SET e:<100000> <x64> EX 1000"),
    ("SET GET", "SET s:<100000> <x64> GET"),
    ("SETNX there", "SETNX s:<100000> <x64>"),
    ("SETEX", "SETEX e:<100000> 1000 <x64>"),
    ("GETSET", "GETSET s:<100000> <x64>"),
    ("GETDEL, SET", "GETDEL s:7 ; SET s:7 <x64>"),
    ("GETEX EX", "GETEX s:<100000> EX 1000"),
    ("APPEND", "APPEND a:<100000> <x8>"),
    ("STRLEN", "STRLEN s:<100000>"),
    ("INCR", "INCR n:<100000>"),
    ("INCRBY", "INCRBY n:<100000> 1234567"),
    ("DECR", "DECR n:<100000>"),
    ("INCRBYFLOAT", "INCRBYFLOAT f:<100000> 1.25"),
    ("SETRANGE 64 B", "SETRANGE s:<100000> 20 <x20>"),
    ("SETRANGE 1 MB", "SETRANGE big <999000> <x20>"),
    ("GETRANGE 64 B", "GETRANGE s:<100000> 10 30"),
    ("GETRANGE 1 MB, 100 B", "GETRANGE big 500000 500099"),
    ("GETRANGE 1 MB, 10 KB", "GETRANGE big 500000 509999"),
    ("MGET 10", f"MGET {many(10, 's:<100000>')}"),
    ("MGET 100", f"MGET {many(100, 's:<100000>')}"),
    ("MSET 10", f"MSET {many(10, 's:<100000> <x64>')}"),
    ("MSET 100", f"MSET {many(100, 's:<100000> <x64>')}"),
    ("LCS 100", "LCS lcs100a lcs100b"),
    ("LCS 1000 LEN", "LCS lcs1ka lcs1kb LEN", {"clients": 2}),
])

BITMAPS = ("bitmaps", [
    ("SETRANGE b1k 0 <x1000>", 1), ("SETRANGE b100k 0 <x100000>", 1),
    ("SETRANGE c100k 0 <x100000>", 1), ("SETRANGE c1k 0 <x1000>", 1),
    ("SETRANGE b1m 999999 x", 1),
], [
    ("SETBIT 1 KB", "SETBIT b1k <8000> 1"),
    ("SETBIT 1 MB", "SETBIT b1m <7900000> 1"),
    ("GETBIT 1 MB", "GETBIT b1m <7900000>"),
    ("BITCOUNT 1 KB", "BITCOUNT b1k"),
    ("BITCOUNT 100 KB", "BITCOUNT b100k"),
    ("BITCOUNT range", "BITCOUNT b100k 100 1000"),
    ("BITPOS 1 MB", "SETRANGE empty 999999 x ; BITPOS empty 1"),
    ("BITPOS 1 KB", "BITPOS b1k 1"),
    ("BITOP AND 1 KB", "BITOP AND d b1k c1k"),
    ("BITOP AND 100 KB", "BITOP AND d b100k c100k", {"clients": 2}),
    ("BITOP OR 100 KB", "BITOP OR d b100k c100k", {"clients": 2}),
    ("BITOP NOT 100 KB", "BITOP NOT d b100k", {"clients": 2}),
    ("BITFIELD GET", "BITFIELD b1k GET u8 #<900>"),
    ("BITFIELD SET", "BITFIELD b1k SET u8 #<900> <200>"),
    ("BITFIELD INCRBY", "BITFIELD b1k INCRBY i16 #<400> 3"),
])

KEYS = ("keys", [
    *fill("MSET", 1000000, "s:<+> <x16>"),
    *fill("HSET h10k", 10000, "f:<+> v:<=>"),
    *fill("HSET h10", 10, "f:<+> v:<=>", 10),
    *fill("RPUSH l100", 100, "<1000000>"),
    *fill("RPUSH l10k", 10000, "<1000000>"),
    *fill("RPUSH ids", 100, "<100000>"),
    *fill("ZADD z100", 100, "<.1000> m:<+>"),
    *fill("SADD m100", 100, "member:<+>"),
], [
    ("EXISTS", "EXISTS s:<1000000>"),
    ("EXISTS 10", f"EXISTS {many(10, 's:<1000000>')}"),
    ("TYPE", "TYPE s:<1000000>"),
    ("TTL", "TTL s:<1000000>"),
    ("EXPIRE", "EXPIRE s:<1000000> 10000"),
    ("EXPIRE, PERSIST", "EXPIRE s:5 10000 ; PERSIST s:5"),
    ("PEXPIREAT", "PEXPIREAT s:<1000000> 4000000000000"),
    ("TOUCH", "TOUCH s:<1000000>"),
    ("DEL missing", "DEL none:<1000000>"),
    ("SET, DEL", "SET k:<+> <x16> ; DEL k:<=>"),
    ("SET, UNLINK", "SET k:<+> <x16> ; UNLINK k:<=>"),
    ("RENAME", "SET a v ; RENAME a b"),
    ("COPY small", "COPY s:<1000000> copy REPLACE"),
    ("COPY h10", "COPY h10 copy REPLACE"),
    ("COPY h10k", "COPY h10k copy REPLACE", {"clients": 2}),
    ("DUMP small", "DUMP s:<1000000>"),
    ("DUMP h10", "DUMP h10"),
    ("DUMP h10k", "DUMP h10k", {"clients": 2}),
    ("DUMP z100", "DUMP z100"),
    ("RESTORE small", "RESTORE r:<1000> 0 <dump:s:1> REPLACE"),
    ("RESTORE h10", "RESTORE r:<1000> 0 <dump:h10> REPLACE"),
    ("RESTORE h10k", "RESTORE big 0 <dump:h10k> REPLACE", {"clients": 2}),
    ("OBJECT ENCODING", "OBJECT ENCODING s:<1000000>"),
    ("OBJECT IDLETIME", "OBJECT IDLETIME s:<1000000>"),
    ("MEMORY USAGE", "MEMORY USAGE s:<1000000>"),
    ("RANDOMKEY", "RANDOMKEY"),
    ("SCAN COUNT 10", "SCAN <60000> COUNT 10"),
    ("SCAN COUNT 100", "SCAN <60000> COUNT 100"),
    ("SCAN MATCH", "SCAN <60000> MATCH s:*77 COUNT 100"),
    ("SORT 100", "SORT l100"),
    ("SORT 100 ALPHA", "SORT m100 ALPHA"),
    ("SORT 10k LIMIT", "SORT l10k LIMIT 0 10", {"clients": 2}),
    ("SORT 100 BY GET", "SORT ids BY s:* GET s:* ALPHA"),
    ("SORT BY nosort GET", "SORT ids BY nosort GET s:*"),
    ("SORT STORE", "SORT l100 STORE sorted"),
])

HASHES = ("hashes", [
    *fill("HSET h10", 10, "f:<+> v:<=>", 10),
    *fill("HSET h100", 100, "f:<+> v:<=>"),
    *fill("HSET h10k", 10000, "f:<+> v:<=>"),
    *fill("HSET h1m", 1000000, "f:<+> v:<=>"),
    *fill("HSET hn", 10000, "f:<+> 1"),
    *fill("HSET hd", 10000, "f:<+> v:<=>"),
], [
    ("HSET 10", "HSET h10 f:<10> w:<10>"),
    ("HSET 100", "HSET h100 f:<100> w:<10>"),
    ("HSET 1M", "HSET h1m f:<1000000> w:<10>"),
    ("HSET new", "HSET hnew f:<+> v", {"most": 400000, "before": [("DEL hnew", 1)]}),
    ("HSET 10 fields, new hash", f"HSET nh:<+> {many(10, 'f:<1000> <x10>')}"),
    ("HSETNX there", "HSETNX h10k f:<10000> v"),
    ("HGET 10", "HGET h10 f:<10>"),
    ("HGET 100", "HGET h100 f:<100>"),
    ("HGET 1M", "HGET h1m f:<1000000>"),
    ("HMGET 10 of 10", f"HMGET h10 {many(10, 'f:<10>')}"),
    ("HMGET 10 of 10k", f"HMGET h10k {many(10, 'f:<10000>')}"),
    ("HGETALL 10", "HGETALL h10"),
    ("HGETALL 100", "HGETALL h100"),
    ("HGETALL 10k", "HGETALL h10k", {"clients": 2}),
    ("HKEYS 100", "HKEYS h100"),
    ("HVALS 100", "HVALS h100"),
    ("HLEN", "HLEN h10k"),
    ("HSTRLEN", "HSTRLEN h10k f:<10000>"),
    ("HEXISTS", "HEXISTS h10k f:<10000>"),
    ("HSET, HDEL 10", "HSET h10 x v ; HDEL h10 x"),
    ("HSET, HDEL 10k", "HSET h10k x:<+> v ; HDEL h10k x:<=>"),
    ("HINCRBY", "HINCRBY hn f:<10000> 3"),
    ("HINCRBY 10", "HINCRBY hc f:<10> 3"),
    ("HINCRBYFLOAT", "HINCRBYFLOAT hn g:<10000> 1.5"),
    ("HRANDFIELD", "HRANDFIELD h10k"),
    ("HRANDFIELD 10 of 10", "HRANDFIELD h10 10"),
    ("HRANDFIELD 10 of 10k", "HRANDFIELD h10k 10"),
    ("HRANDFIELD 10 of 100", "HRANDFIELD h100 10 WITHVALUES"),
    ("HRANDFIELD -100 of 10k", "HRANDFIELD h10k -100"),
    ("HSCAN 10", "HSCAN h10 0"),
    ("HSCAN 1M", "HSCAN h1m <60000> COUNT 10"),
    ("HSCAN 1M COUNT 100", "HSCAN h1m <60000> COUNT 100"),
    ("HEXPIRE", "HEXPIRE hd 10000 FIELDS 1 f:<10000>"),
    ("HEXPIRE 10", "HEXPIRE h10 10000 FIELDS 1 f:<10>"),
    ("HTTL", "HTTL hd FIELDS 1 f:<10000>"),
    ("HGET with deadlines", "HGET hd f:<10000>"),
    ("HSET with deadlines", "HSET hd f:<10000> v"),
    ("HEXPIRE, HPERSIST", "HEXPIRE hd 9999 FIELDS 1 f:7 ; "
     "HPERSIST hd FIELDS 1 f:7"),
    ("HGETEX", "HGETEX hd EX 10000 FIELDS 1 f:<10000>"),
    ("HSETEX", "HSETEX hd EX 10000 FIELDS 1 f:<10000> v"),
])

LISTS = ("lists", [
    *fill("RPUSH l100", 100, "element:<+>"),
    *fill("RPUSH l10k", 10000, "element:<+>"),
    *fill("RPUSH l1m", 1000000, "element:<+>"),
], [
    ("LPUSH", "LPUSH l <x20>"),
    ("RPUSH", "RPUSH r <x20>"),
    ("RPUSH 10", f"RPUSH r10 {many(10, '<x20>')}"),
    ("RPUSH small lists", "RPUSH rs:<100000> <x20>"),
    ("LPOP", "LPOP pl", {"most": 400000, "before": [
        ("DEL pl", 1), *fill("RPUSH pl", 400000, "<x20>")]}),
    ("RPOP 10", "RPOP pr 10", {"most": 100000, "before": [
        ("DEL pr", 1), *fill("RPUSH pr", 1000000, "<x20>")]}),
    ("LPUSH, RPOP", "LPUSH q <x20> ; RPOP q"),
    ("LMPOP", "RPUSH q2 <x20> ; LMPOP 2 none q2 LEFT"),
    ("LMOVE", "LMOVE l10k l10k LEFT RIGHT"),
    ("RPOPLPUSH", "RPOPLPUSH l10k l10k"),
    ("LLEN", "LLEN l10k"),
    ("LINDEX 100", "LINDEX l100 <100>"),
    ("LINDEX 10k", "LINDEX l10k <10000>"),
    ("LINDEX 1M", "LINDEX l1m <1000000>"),
    ("LRANGE 0 99", "LRANGE l100 0 99"),
    ("LRANGE 10 of 100", "LRANGE l100 50 59"),
    ("LRANGE 10 of 1M", "LRANGE l1m 500000 500009"),
    ("LRANGE 10k", "LRANGE l10k 0 -1", {"clients": 2}),
    ("LSET 100", "LSET l100 <100> set:<10>"),
    ("LSET 10k", "LSET l10k <10000> element:<10>"),
    ("LSET 1M", "LSET l1m <1000000> element:<10>"),
    ("LINSERT, LREM 100", "LINSERT l100 BEFORE element:50 new ; "
     "LREM l100 1 new"),
    ("LINSERT, LREM 10k", "LINSERT l10k BEFORE element:500 new ; "
     "LREM l10k 1 new", {"before": [
         ("DEL l10k", 1), *fill("RPUSH l10k", 10000, "element:<+>")]}),
    ("LPOS 10k", "LPOS l10k element:500"),
    ("LPOS 10k missing", "LPOS l10k none", {"clients": 2}),
    ("RPUSH, LTRIM", "RPUSH l100 new ; LTRIM l100 -100 -1"),
])

SETS = ("sets", [
    *[c for k in "ab" for n in (100, 10000)
      for c in fill(f"SADD {k}{n}", n, f"member:<{n * 2}>")],
    *[c for k in "ab" for n in (100, 10000)
      for c in fill(f"SADD i{k}{n}", n, f"<{n * 2}>")],
    *fill("SADD s1m", 1000000, "member:<+>"),
    *fill("SADD s10", 10, "member:<+>", 10),
], [
    ("SADD new", "SADD snew member:<+>", {"most": 400000, "before": [
        ("DEL snew", 1)]}),
    ("SADD there", "SADD s1m member:<1000000>"),
    ("SADD small sets", "SADD ss:<100000> member:<1000>"),
    ("SADD ints", "SADD ints <300>"),
    ("SISMEMBER 10", "SISMEMBER s10 member:<20>"),
    ("SISMEMBER 1M", "SISMEMBER s1m member:<2000000>"),
    ("SISMEMBER ints", "SISMEMBER ia100 <200>"),
    ("SMISMEMBER 10", f"SMISMEMBER s1m {many(10, 'member:<2000000>')}"),
    ("SADD, SREM 10", "SADD s10 x ; SREM s10 x"),
    ("SADD, SREM 1M", "SADD s1m x:<+> ; SREM s1m x:<=>"),
    ("SMOVE", "SADD m1 x ; SMOVE m1 m2 x"),
    ("SCARD", "SCARD s1m"),
    ("SMEMBERS 10", "SMEMBERS s10"),
    ("SMEMBERS 100", "SMEMBERS a100"),
    ("SMEMBERS 100 ints", "SMEMBERS ia100"),
    ("SMEMBERS 10k", "SMEMBERS a10000", {"clients": 2}),
    ("SRANDMEMBER 10", "SRANDMEMBER s10"),
    ("SRANDMEMBER 1M", "SRANDMEMBER s1m"),
    ("SRANDMEMBER 1M 10", "SRANDMEMBER s1m 10"),
    ("SRANDMEMBER 1M 100", "SRANDMEMBER s1m 100"),
    ("SRANDMEMBER 1M -100", "SRANDMEMBER s1m -100"),
    ("SRANDMEMBER 100 of 100", "SRANDMEMBER a100 70"),
    ("SPOP", "SPOP ps", {"most": 200000, "before": [
        ("DEL ps", 1), *fill("SADD ps", 400000, "member:<+>")]}),
    ("SPOP 10", "SPOP ps 10", {"most": 30000, "before": [
        ("DEL ps", 1), *fill("SADD ps", 400000, "member:<+>")]}),
    ("SADD, SPOP 10", "SADD s10 x:<1000> ; SPOP s10"),
    ("SINTER 100", "SINTER a100 b100"),
    ("SINTER 100 ints", "SINTER ia100 ib100"),
    ("SINTER 10k", "SINTER a10000 b10000", {"clients": 2}),
    ("SINTER 10k ints", "SINTER ia10000 ib10000", {"clients": 2}),
    ("SINTER 100 1M", "SINTER a100 s1m"),
    ("SINTERCARD 10k LIMIT", "SINTERCARD 2 a10000 b10000 LIMIT 100"),
    ("SINTERCARD 10k", "SINTERCARD 2 a10000 b10000", {"clients": 2}),
    ("SUNION 100", "SUNION a100 b100"),
    ("SUNION 100 ints", "SUNION ia100 ib100"),
    ("SUNION 10k", "SUNION a10000 b10000", {"clients": 2}),
    ("SDIFF 100", "SDIFF a100 b100"),
    ("SDIFF 10k", "SDIFF a10000 b10000", {"clients": 2}),
    ("SDIFF 100 1M", "SDIFF a100 s1m"),
    ("SINTERSTORE 100", "SINTERSTORE d a100 b100"),
    ("SINTERSTORE 10k", "SINTERSTORE d a10000 b10000", {"clients": 2}),
    ("SUNIONSTORE 10k", "SUNIONSTORE d a10000 b10000", {"clients": 2}),
    ("SUNIONSTORE 10k ints", "SUNIONSTORE d ia10000 ib10000", {"clients": 2}),
    ("SDIFFSTORE 10k", "SDIFFSTORE d a10000 b10000", {"clients": 2}),
    ("SSCAN 10", "SSCAN s10 0"),
    ("SSCAN 1M", "SSCAN s1m <60000> COUNT 10"),
])

SORTED_SETS = ("zsets", [
    *[c for k in "ab" for n in (100, 10000)
      for c in fill(f"ZADD {k}{n}", n, f"<.{n}> member:<{n * 2}>")],
    *fill("ZADD z1m", 1000000, "<.1000000> member:<+>"),
    *fill("ZADD lex", 100000, "0 member:<+>"),
    *fill("ZADD z10", 10, "<.10> member:<+>", 10),
], [
    ("ZADD new", "ZADD znew <.1000000> member:<+>", {
        "most": 400000, "before": [("DEL znew", 1)]}),
    ("ZADD rising", "ZADD zup <+> member:<+>", {
        "most": 400000, "before": [("DEL zup", 1)]}),
    ("ZADD update 10", "ZADD z10 <.10> member:<10>"),
    ("ZADD update 100", "ZADD a100 <.100> member:<200>"),
    ("ZADD update 1M", "ZADD z1m <.1000000> member:<1000000>"),
    ("ZADD small zsets", "ZADD zs:<100000> <.10> member:<20>"),
    ("ZINCRBY 100", "ZINCRBY a100 1 member:<200>"),
    ("ZINCRBY 1M", "ZINCRBY z1m 1.5 member:<1000000>"),
    ("ZSCORE 10", "ZSCORE z10 member:<10>"),
    ("ZSCORE 1M", "ZSCORE z1m member:<1000000>"),
    ("ZMSCORE 10", f"ZMSCORE z1m {many(10, 'member:<1000000>')}"),
    ("ZRANK 10", "ZRANK z10 member:<10>"),
    ("ZRANK 100", "ZRANK a100 member:<100>"),
    ("ZRANK 1M", "ZRANK z1m member:<1000000>"),
    ("ZREVRANK WITHSCORE", "ZREVRANK z1m member:<1000000> WITHSCORE"),
    ("ZCARD", "ZCARD z1m"),
    ("ZCOUNT 1M", "ZCOUNT z1m <500000> 700000"),
    ("ZLEXCOUNT", "ZLEXCOUNT lex [member:3 [member:7"),
    ("ZRANGE 0 9 of 1M", "ZRANGE z1m 0 9"),
    ("ZRANGE 10 of 10", "ZRANGE z10 0 -1"),
    ("ZRANGE 100 of 100", "ZRANGE a100 0 -1"),
    ("ZRANGE 100 WITHSCORES", "ZRANGE a100 0 -1 WITHSCORES"),
    ("ZRANGE middle of 1M", "ZRANGE z1m 500000 500009"),
    ("ZRANGE 100 middle of 1M", "ZRANGE z1m 500000 500099 WITHSCORES"),
    ("ZREVRANGE 10 of 1M", "ZREVRANGE z1m 0 9 WITHSCORES"),
    ("ZRANGE 10k", "ZRANGE a10000 0 -1", {"clients": 2}),
    ("ZRANGEBYSCORE LIMIT", "ZRANGEBYSCORE z1m <900000> +inf LIMIT 0 10"),
    ("ZRANGEBYSCORE 100", "ZRANGEBYSCORE a100 20 30"),
    ("ZREVRANGEBYSCORE LIMIT", "ZREVRANGEBYSCORE z1m <900000> -inf "
     "WITHSCORES LIMIT 0 10"),
    ("ZRANGE BYSCORE offset", "ZRANGE z1m 1000 +inf BYSCORE LIMIT 1000 10"),
    ("ZRANGEBYLEX LIMIT", "ZRANGEBYLEX lex [member:5 + LIMIT 0 10"),
    ("ZADD, ZREM 100", "ZADD a100 5 x ; ZREM a100 x"),
    ("ZADD, ZREM 1M", "ZADD z1m <.1000000> x:<+> ; ZREM z1m x:<=>"),
    ("ZADD, ZPOPMIN", "ZADD z1m 0 x ; ZPOPMIN z1m"),
    ("ZADD, ZPOPMAX 10", "ZADD z10 11 x ; ZPOPMAX z10"),
    ("ZMPOP", "ZADD zm 1 a 2 b ; ZMPOP 1 zm MIN COUNT 2"),
    ("ZREMRANGEBYRANK", "ZADD z1m 0 a 0 b ; ZREMRANGEBYRANK z1m 0 1"),
    ("ZREMRANGEBYSCORE", "ZADD z1m -5 a -4 b ; ZREMRANGEBYSCORE z1m -9 -1"),
    ("ZRANDMEMBER", "ZRANDMEMBER z1m"),
    ("ZRANDMEMBER 10", "ZRANDMEMBER z1m 10 WITHSCORES"),
    ("ZRANDMEMBER 10 of 100", "ZRANDMEMBER a100 10"),
    ("ZUNION 100", "ZUNION 2 a100 b100 WITHSCORES"),
    ("ZUNION 10k", "ZUNION 2 a10000 b10000", {"clients": 2}),
    ("ZINTER 100", "ZINTER 2 a100 b100 WITHSCORES"),
    ("ZINTER 10k", "ZINTER 2 a10000 b10000", {"clients": 2}),
    ("ZINTERCARD 10k", "ZINTERCARD 2 a10000 b10000", {"clients": 2}),
    ("ZDIFF 100", "ZDIFF 2 a100 b100 WITHSCORES"),
    ("ZDIFF 10k", "ZDIFF 2 a10000 b10000", {"clients": 2}),
    ("ZUNIONSTORE 100", "ZUNIONSTORE d 2 a100 b100"),
    ("ZUNIONSTORE 10k", "ZUNIONSTORE d 2 a10000 b10000", {"clients": 2}),
    ("ZINTERSTORE 10k", "ZINTERSTORE d 2 a10000 b10000", {"clients": 2}),
    ("ZDIFFSTORE 10k", "ZDIFFSTORE d 2 a10000 b10000", {"clients": 2}),
    ("ZRANGESTORE 100", "ZRANGESTORE d z1m 500000 500099"),
    ("ZSCAN 100", "ZSCAN a100 0"),
    ("ZSCAN 1M", "ZSCAN z1m <60000> COUNT 10"),
])

GEO = ("geo", [
    *fill("GEOADD g", 100000, "<.180> <.80> member:<+>"),
    *fill("GEOADD dense", 10000, "10.<99999> 50.<99999> member:<+>"),
], [
    ("GEOADD", "GEOADD gnew <.180> <.80> member:<100000>"),
    ("GEOPOS", "GEOPOS g member:<100000>"),
    ("GEODIST", "GEODIST g member:<100000> member:<100000>"),
    ("GEOHASH", "GEOHASH g member:<100000>"),
    ("GEOSEARCH 10 hits", "GEOSEARCH dense FROMLONLAT 10.5 50.5 "
     "BYRADIUS 1.5 km ASC"),
    ("GEOSEARCH COUNT 10", "GEOSEARCH dense FROMLONLAT 10.5 50.5 "
     "BYRADIUS 10 km ASC COUNT 10 WITHDIST"),
    ("GEOSEARCH ANY", "GEOSEARCH dense FROMLONLAT 10.5 50.5 "
     "BYRADIUS 50 km COUNT 10 ANY"),
    ("GEOSEARCH BYBOX", "GEOSEARCH dense FROMMEMBER member:<10000> "
     "BYBOX 10 10 km ASC WITHCOORD"),
    ("GEOSEARCH sparse", "GEOSEARCH g FROMLONLAT <.180> <.80> "
     "BYRADIUS 100 km ASC"),
    ("GEOSEARCH 1000 hits", "GEOSEARCH dense FROMLONLAT 10.5 50.5 "
     "BYRADIUS 16 km", {"clients": 2}),
    ("GEORADIUS", "GEORADIUS g <.180> <.80> 200 km WITHDIST"),
    ("GEOSEARCHSTORE", "GEOSEARCHSTORE d dense FROMLONLAT 10.5 50.5 "
     "BYRADIUS 5 km"),
])

ENTRIES = [("DEL s", 1), ("XADD s <+>-1 field <1000000>", 200000),
           ("XGROUP CREATE s g 0", 1)]
DELIVERED = [*ENTRIES, ("XREADGROUP GROUP g c COUNT 1000 STREAMS s >", 200)]

STREAMS = ("streams", [
    ("XADD x 1-<+> field <1000000> other value", 1000000),
    ("XADD s100 1-<+> field <1000000>", 100),
    ("XGROUP CREATE s100 g 0", 1),
    ("XREADGROUP GROUP g c COUNT 100 STREAMS s100 >", 1),
    ("XADD pend 1-<+> field <1000000>", 100000),
    ("XGROUP CREATE pend g 0", 1),
    ("XREADGROUP GROUP g c COUNT 100000 STREAMS pend >", 1),
], [
    ("XADD", "XADD new * field <1000000>"),
    ("XADD 5 fields", "XADD new5 * a 1 b <1000> c 3 d 4 e <x20>"),
    ("XADD MAXLEN ~", "XADD m MAXLEN ~ 1000 * field <1000000>"),
    ("XADD MAXLEN =", "XADD m2 MAXLEN 1000 * field <1000000>"),
    ("XADD small streams", "XADD xs:<10000> * field <1000000>"),
    ("XLEN", "XLEN x"),
    ("XRANGE 10", "XRANGE x - + COUNT 10"),
    ("XRANGE 10 anywhere", "XRANGE x 1-<900000> + COUNT 10"),
    ("XRANGE one", "XRANGE x 1-<900000> 1-<900000> COUNT 1"),
    ("XRANGE 100", "XRANGE s100 - +"),
    ("XREVRANGE 10", "XREVRANGE x + - COUNT 10"),
    ("XREAD 10", "XREAD COUNT 10 STREAMS x 1-<900000>"),
    ("XREAD nothing new", "XREAD STREAMS x $"),
    ("XREADGROUP 1", "XREADGROUP GROUP g c COUNT 1 STREAMS s >",
     {"most": 200000, "before": ENTRIES}),
    ("XREADGROUP 10", "XREADGROUP GROUP g c COUNT 10 STREAMS s >",
     {"most": 20000, "before": ENTRIES}),
    ("XREADGROUP NOACK 10", "XREADGROUP GROUP g c COUNT 10 NOACK "
     "STREAMS s >", {"most": 20000, "before": ENTRIES}),
    ("XREADGROUP history", "XREADGROUP GROUP g c COUNT 10 STREAMS pend "
     "1-<90000>"),
    ("XACK", "XACK s g <+>-1", {"most": 200000, "before": DELIVERED}),
    ("XDEL", "XDEL s <+>-1", {"most": 200000, "before": ENTRIES}),
    ("XPENDING", "XPENDING s100 g"),
    ("XPENDING 10", "XPENDING pend g - + 10"),
    ("XPENDING 10 anywhere", "XPENDING pend g 1-<90000> + 10 c"),
    ("XCLAIM", "XCLAIM pend g c2 0 1-<100000>"),
    ("XCLAIM JUSTID", "XCLAIM pend g c2 0 1-<100000> JUSTID"),
    ("XAUTOCLAIM 10", "XAUTOCLAIM pend g c3 0 1-<90000> COUNT 10"),
    ("XAUTOCLAIM 10 JUSTID", "XAUTOCLAIM pend g c4 0 1-<90000> COUNT 10 "
     "JUSTID"),
    ("XADD, XTRIM", "XADD s100 * field value ; XTRIM s100 MAXLEN 100"),
    ("XINFO STREAM", "XINFO STREAM x"),
    ("XINFO GROUPS", "XINFO GROUPS pend"),
])

HYPERLOGLOGS = ("hyperloglogs", [
    *fill("PFADD a", 100000, "a:<+>"),
    *fill("PFADD b", 100000, "b:<+>"),
    *fill("PFADD sa", 100, "a:<+>"),
    *fill("PFADD sb", 100, "b:<+>"),
    ("PFADD t:<+> a b c d e f", 1000),
], [
    ("PFADD dense", "PFADD a x:<1000000>"),
    ("PFADD sparse", "PFADD t:<1000> x:<40>"),
    ("PFADD new", "PFADD u:<+> x:<40>"),
    ("PFCOUNT", "PFCOUNT a"),
    ("PFADD, PFCOUNT", "PFADD b x:<1000000> ; PFCOUNT b"),
    ("PFCOUNT 2 dense", "PFCOUNT a b", {"clients": 2}),
    ("PFCOUNT 2 sparse", "PFCOUNT sa sb", {"clients": 2}),
    ("PFMERGE dense", "PFMERGE d a b", {"clients": 2}),
    ("PFMERGE dense, DEL", "DEL d ; PFMERGE d a b", {"clients": 2}),
    ("PFADD, PFMERGE", "PFADD a y:<+> ; PFMERGE d a b", {"clients": 2}),
    ("PFMERGE sparse", "PFMERGE sd sa sb", {"clients": 2}),
])

GROUPS = [STRINGS, BITMAPS, KEYS, HASHES, LISTS, SETS, SORTED_SETS, GEO,
          STREAMS, HYPERLOGLOGS]
