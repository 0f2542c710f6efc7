/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handlers of the geo commands; engine/command_geo.c has their rows.
 */
#ifndef REDOUBT_ENGINE_CMD_GEO_H
#define REDOUBT_ENGINE_CMD_GEO_H

#include "engine/cmd.h"
#include "types/geohash.h"

/* Points by name (cmd_geo.c). */
void cmd_geoadd(struct cmd *c);
void cmd_geopos(struct cmd *c);
void cmd_geohash(struct cmd *c);
void cmd_geodist(struct cmd *c);

/* Points in an area (cmd_geo_search.c). */
void cmd_georadius(struct cmd *c);
void cmd_georadius_ro(struct cmd *c);
void cmd_georadiusbymember(struct cmd *c);
void cmd_georadiusbymember_ro(struct cmd *c);
void cmd_geosearch(struct cmd *c);
void cmd_geosearchstore(struct cmd *c);
int keys_georadius(const struct slice *argv, unsigned argc, unsigned *out);

/* Longitude and latitude from two arguments. False: the error has been
 * replied; so below. */
bool arg_point(struct cmd *c, unsigned index, struct geo_point *out);

/* A unit of length: metres in one. */
bool arg_unit(struct cmd *c, unsigned index, double *out);

/* A distance with four decimals, as a bulk string. */
void reply_distance(struct cmd *c, double distance);

/* [longitude, latitude] */
void reply_point(struct cmd *c, struct geo_point p);

/* What a search asks for (cmd_geo_options.c reads it). */
struct geo_query {
	struct geo_shape shape;
	struct geo_point *corners; /* of a polygon: mem_free */
	double unit;               /* metres in one */
	bool with_dist, with_hash, with_coord;
	bool ascending, descending;
	bool any;      /* the first found do */
	int64_t count; /* 0: all */
	struct slice destination; /* data NULL: reply */
	bool store_dist;
};

enum geo_form {
	GEO_BY_POINT = 1,  /* GEORADIUS: key longitude latitude radius unit */
	GEO_BY_MEMBER = 2, /* GEORADIUSBYMEMBER: key member radius unit */
	GEO_SEARCH = 4,    /* everything by its word */
	GEO_READ_ONLY = 8, /* no STORE */
	GEO_STORE = 16,    /* GEOSEARCHSTORE */
};

/* Reads the arguments behind the key, which holds e (NULL: absent). The
 * caller frees q->corners, whatever comes out. */
bool geo_query_read(struct cmd *c, unsigned form, const struct entry *e,
		    struct geo_query *q);

#endif
