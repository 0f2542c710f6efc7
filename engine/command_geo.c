/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rows of the geo commands.
 */
#include "engine/command.h"

#include "engine/cmd_geo.h"

#define UNIT "<M|KM|FT|MI>"
#define REPLY_OPTIONS "[WITHCOORD] [WITHDIST] [WITHHASH] "
#define COUNT_OPTION "[COUNT:(count [ANY])] [ASC|DESC]"
#define STORE_OPTION " [STORE:key|STOREDIST:key]"
#define SEARCH_AREA "[FROMMEMBER:member|FROMLONLAT:(longitude=double " \
	"latitude=double)] <BYRADIUS:(radius=double " UNIT ")|" \
	"BYBOX:(width=double height=double " UNIT ")|" \
	"BYPOLYGON:(numvertices=integer (longitude=double " \
	"latitude=double)...)> "

struct command commands_geo[] = {
	{ .name = "geoadd", .handler = cmd_geoadd, .arity = -5,
	  .flags = CMD_WRITE | CMD_DENYOOM,
	  .group = GROUP_GEO,
	  .first_key = 1, .key_flags = KEY_RW | KEY_UPDATE,
	  .since = "3.2.0", .complexity = "O(log(N)) for each point",
	  .summary = "Adds points, or gives them other places.",
	  .arguments = "key [NX|XX] [CH] (longitude=double latitude=double "
		"member)..." },
	{ .name = "geodist", .handler = cmd_geodist, .arity = -4,
	  .flags = CMD_READONLY,
	  .group = GROUP_GEO,
	  .first_key = 1, .key_flags = KEY_RO | KEY_ACCESS,
	  .since = "3.2.0", .complexity = "O(1)",
	  .summary = "Tells how far it is from one point to another.",
	  .arguments = "key member1 member2 [M|KM|FT|MI]" },
	{ .name = "geohash", .handler = cmd_geohash, .arity = -2,
	  .flags = CMD_READONLY,
	  .group = GROUP_GEO,
	  .first_key = 1, .key_flags = KEY_RO | KEY_ACCESS,
	  .since = "3.2.0", .complexity = "O(1) for each member",
	  .summary = "Gives points as geohash texts.",
	  .arguments = "key [member...]" },
	{ .name = "geopos", .handler = cmd_geopos, .arity = -2,
	  .flags = CMD_READONLY,
	  .group = GROUP_GEO,
	  .first_key = 1, .key_flags = KEY_RO | KEY_ACCESS,
	  .since = "3.2.0", .complexity = "O(1) for each member",
	  .summary = "Gives the longitude and latitude of points.",
	  .arguments = "key [member...]" },
	{ .name = "georadius", .handler = cmd_georadius, .arity = -6,
	  .flags = CMD_WRITE | CMD_DENYOOM | CMD_MOVABLE_KEYS,
	  .group = GROUP_GEO,
	  .first_key = 1, .key_flags = KEY_RO | KEY_ACCESS,
	  .rest_flags = KEY_OW | KEY_UPDATE,
	  .get_keys = keys_georadius,
	  .since = "3.2.0", .deprecated = "6.2.0",
	  .complexity = "O(N+log(M)) in the points near the area and those "
		"of the key",
	  .summary = "Finds the points around a place.",
	  .arguments = "key longitude=double latitude=double radius=double "
		UNIT " " REPLY_OPTIONS COUNT_OPTION STORE_OPTION },
	{ .name = "georadius_ro", .handler = cmd_georadius_ro, .arity = -6,
	  .flags = CMD_READONLY,
	  .group = GROUP_GEO,
	  .first_key = 1, .key_flags = KEY_RO | KEY_ACCESS,
	  .since = "3.2.10", .deprecated = "6.2.0",
	  .complexity = "O(N+log(M)) in the points near the area and those "
		"of the key",
	  .summary = "Finds the points around a place, without storing them.",
	  .arguments = "key longitude=double latitude=double radius=double "
		UNIT " " REPLY_OPTIONS COUNT_OPTION },
	{ .name = "georadiusbymember", .handler = cmd_georadiusbymember,
	  .arity = -5,
	  .flags = CMD_WRITE | CMD_DENYOOM | CMD_MOVABLE_KEYS,
	  .group = GROUP_GEO,
	  .first_key = 1, .key_flags = KEY_RO | KEY_ACCESS,
	  .rest_flags = KEY_OW | KEY_UPDATE,
	  .get_keys = keys_georadius,
	  .since = "3.2.0", .deprecated = "6.2.0",
	  .complexity = "O(N+log(M)) in the points near the area and those "
		"of the key",
	  .summary = "Finds the points around one of them.",
	  .arguments = "key member radius=double " UNIT " " REPLY_OPTIONS
		COUNT_OPTION STORE_OPTION },
	{ .name = "georadiusbymember_ro", .handler = cmd_georadiusbymember_ro,
	  .arity = -5,
	  .flags = CMD_READONLY,
	  .group = GROUP_GEO,
	  .first_key = 1, .key_flags = KEY_RO | KEY_ACCESS,
	  .since = "3.2.10", .deprecated = "6.2.0",
	  .complexity = "O(N+log(M)) in the points near the area and those "
		"of the key",
	  .summary = "Finds the points around one of them, without storing "
		"them.",
	  .arguments = "key member radius=double " UNIT " " REPLY_OPTIONS
		COUNT_OPTION },
	{ .name = "geosearch", .handler = cmd_geosearch, .arity = -7,
	  .flags = CMD_READONLY,
	  .group = GROUP_GEO,
	  .first_key = 1, .key_flags = KEY_RO | KEY_ACCESS,
	  .since = "6.2.0",
	  .complexity = "O(N+log(M)) in the points near the area and those "
		"of the key",
	  .summary = "Finds the points in a circle, a box or a polygon.",
	  .arguments = "key " SEARCH_AREA REPLY_OPTIONS COUNT_OPTION },
	{ .name = "geosearchstore", .handler = cmd_geosearchstore, .arity = -8,
	  .flags = CMD_WRITE | CMD_DENYOOM,
	  .group = GROUP_GEO,
	  .first_key = 1, .last_key = 2, .key_flags = KEY_OW | KEY_UPDATE,
	  .rest_flags = KEY_RO | KEY_ACCESS,
	  .since = "6.2.0",
	  .complexity = "O(N+log(M)) in the points near the area and those "
		"of the key",
	  .summary = "Stores the points in a circle, a box or a polygon.",
	  .arguments = "destination source " SEARCH_AREA COUNT_OPTION
		" [STOREDIST]" },
	{ 0 },
};
