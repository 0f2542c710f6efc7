/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Places on the earth as numbers: longitude and latitude cut in half 26 times
 * each, the answers interleaved to 52 bits, which a double holds exactly.
 * Places that are near each other mostly have near numbers: an area is a few
 * ranges of them.
 *
 * Arithmetic goes step by step as Redis' does: the same numbers, distances
 * and areas come out, to the last digit.  Pure functions; any thread.
 */
#ifndef REDOUBT_TYPES_GEOHASH_H
#define REDOUBT_TYPES_GEOHASH_H

#include "base/slice.h"

#define GEO_LON_MAX 180.0
#define GEO_LAT_MAX 85.05112878 /* the square map ends here */
#define GEO_TEXT_SIZE 11
#define GEO_RANGES_MAX 9

/* Degrees. */
struct geo_point {
	double lon;
	double lat;
};

/* Whether a point is on the map. */
bool geo_valid(struct geo_point p);

/* The number of a valid point. */
uint64_t geo_encode(struct geo_point p);

/* The middle of the square that the number means; any number will do. */
struct geo_point geo_decode(uint64_t hash);

/* As above, of the score of a sorted set's member. */
struct geo_point geo_decode_score(double score);

/* The geohash that other programs know (geohash.org), 11 letters. */
void geo_text(struct geo_point p, char out[GEO_TEXT_SIZE]);

/* Metres between two points of a sphere (haversine). */
double geo_distance(struct geo_point a, struct geo_point b);

enum geo_shape_kind { GEO_CIRCLE, GEO_BOX, GEO_POLYGON };

/* An area to search. */
struct geo_shape {
	enum geo_shape_kind kind;
	struct geo_point center;  /* of a polygon: the mean of its corners */
	double width, height;     /* metres; of a circle: twice the radius */
	double radius;            /* metres, of a circle */
	struct geo_point middle;  /* of a polygon: of the box around it */
	const struct geo_point *corners; /* of a polygon, in order */
	unsigned corner_count;
};

/* Makes shape the polygon of these corners, three or more, which must stay
 * where they are. */
void geo_polygon(struct geo_shape *shape, const struct geo_point *corners,
		 unsigned count);

/* Whether p lies in the area; *distance: metres from the center. */
bool geo_within(const struct geo_shape *shape, struct geo_point p,
		double *distance);

/* Numbers from min up to, without, max. */
struct geo_range {
	uint64_t min;
	uint64_t max;
};

/* Ranges that together have every place of the area (and others around it);
 * how many. */
unsigned geo_ranges(const struct geo_shape *shape,
		    struct geo_range out[GEO_RANGES_MAX]);

#endif
