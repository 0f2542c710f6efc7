/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/geohash.h"

#include <assert.h>
#include <math.h>

#define STEP_MAX 26 /* halvings of each axis in a full number */
#define EARTH_RADIUS_M 6372797.560856
#define MERCATOR_MAX_M 20037726.37 /* half the way around */
#define RADIANS (M_PI / 180.0)     /* of a degree */

bool geo_valid(struct geo_point p)
{
	return p.lon >= -GEO_LON_MAX && p.lon <= GEO_LON_MAX &&
	       p.lat >= -GEO_LAT_MAX && p.lat <= GEO_LAT_MAX;
}

/* Puts a zero before each bit of v. */
static uint64_t spread(uint32_t v)
{
	uint64_t x = v;

	x = (x | x << 16) & 0x0000ffff0000ffffu;
	x = (x | x << 8) & 0x00ff00ff00ff00ffu;
	x = (x | x << 4) & 0x0f0f0f0f0f0f0f0fu;
	x = (x | x << 2) & 0x3333333333333333u;
	return (x | x << 1) & 0x5555555555555555u;
}

/* The even bits of x, together. */
static uint32_t gather(uint64_t x)
{
	x &= 0x5555555555555555u;
	x = (x | x >> 1) & 0x3333333333333333u;
	x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0fu;
	x = (x | x >> 4) & 0x00ff00ff00ff00ffu;
	x = (x | x >> 8) & 0x0000ffff0000ffffu;
	return (uint32_t)(x | x >> 16);
}

/* A square of the map: one of 2^step columns and rows. */
struct square {
	uint32_t column;
	uint32_t row;
	unsigned step;
};

static uint64_t square_number(struct square s)
{
	return spread(s.column) << 1 | spread(s.row);
}

/* The square that has p, of a map that ends at lat_max. */
static struct square square_of(struct geo_point p, unsigned step,
			       double lat_max)
{
	double across = (p.lon + GEO_LON_MAX) / (GEO_LON_MAX + GEO_LON_MAX);
	double up = (p.lat + lat_max) / (lat_max + lat_max);
	double parts = (double)(UINT64_C(1) << step);

	return (struct square){ (uint32_t)(across * parts),
				(uint32_t)(up * parts), step };
}

/* What a square covers, degrees. */
struct bounds {
	struct geo_point min;
	struct geo_point max;
};

static struct bounds square_bounds(struct square s)
{
	const double lon = GEO_LON_MAX + GEO_LON_MAX;
	const double lat = GEO_LAT_MAX + GEO_LAT_MAX;
	double parts = (double)(UINT64_C(1) << s.step);

	return (struct bounds){
		.min.lon = -GEO_LON_MAX + s.column / parts * lon,
		.max.lon = -GEO_LON_MAX + (s.column + 1.0) / parts * lon,
		.min.lat = -GEO_LAT_MAX + s.row / parts * lat,
		.max.lat = -GEO_LAT_MAX + (s.row + 1.0) / parts * lat,
	};
}

uint64_t geo_encode(struct geo_point p)
{
	assert(geo_valid(p));
	return square_number(square_of(p, STEP_MAX, GEO_LAT_MAX));
}

static double clamp(double v, double limit)
{
	return v > limit ? limit : v < -limit ? -limit : v;
}

struct geo_point geo_decode(uint64_t hash)
{
	struct bounds b = square_bounds((struct square){
		gather(hash >> 1), gather(hash), STEP_MAX });

	return (struct geo_point){
		clamp((b.min.lon + b.max.lon) / 2, GEO_LON_MAX),
		clamp((b.min.lat + b.max.lat) / 2, GEO_LAT_MAX),
	};
}

struct geo_point geo_decode_score(double score)
{
	/* Behind the ends, as the processors do that Redis runs on. */
	if (score >= 0)
		return geo_decode(score < 0x1p64 ? (uint64_t)score : 0);
	return geo_decode(score >= -0x1p63 ? (uint64_t)(int64_t)score :
					     UINT64_C(1) << 63);
}

void geo_text(struct geo_point p, char out[GEO_TEXT_SIZE])
{
	static const char letters[] = "0123456789bcdefghjkmnpqrstuvwxyz";
	uint64_t hash = square_number(square_of(p, STEP_MAX, 90));
	unsigned i;

	/* 52 bits are ten letters and 2 bits, which nobody shows. */
	for (i = 0; i < GEO_TEXT_SIZE - 1; i++)
		out[i] = letters[hash >> (STEP_MAX * 2 - 5 * (i + 1)) & 31];
	out[i] = '0';
}

/* Metres along a meridian. */
static double lat_distance(double a, double b)
{
	return EARTH_RADIUS_M * fabs(b * RADIANS - a * RADIANS);
}

double geo_distance(struct geo_point a, struct geo_point b)
{
	double v = sin((b.lon * RADIANS - a.lon * RADIANS) / 2);
	double a_lat, b_lat, u;

	if (v == 0)
		return lat_distance(a.lat, b.lat);
	a_lat = a.lat * RADIANS;
	b_lat = b.lat * RADIANS;
	u = sin((b_lat - a_lat) / 2);
	return 2.0 * EARTH_RADIUS_M *
	       asin(sqrt(u * u + cos(a_lat) * cos(b_lat) * v * v));
}

/* --- areas ---------------------------------------------------------------- */

/* The mean of points of a sphere, as directions from its center. */
static struct geo_point mean_point(const struct geo_point *points,
				   unsigned count)
{
	double x = 0, y = 0, z = 0;
	unsigned i;

	for (i = 0; i < count; i++) {
		double lon = points[i].lon * RADIANS;
		double lat = points[i].lat * RADIANS;

		x += cos(lat) * cos(lon);
		y += cos(lat) * sin(lon);
		z += sin(lat);
	}
	return (struct geo_point){ atan2(y, x) / RADIANS,
				   atan2(z, sqrt(x * x + y * y)) / RADIANS };
}

void geo_polygon(struct geo_shape *shape, const struct geo_point *corners,
		 unsigned count)
{
	struct geo_point min = corners[0], max = corners[0];
	double widest;
	unsigned i;

	assert(count >= 3);
	for (i = 1; i < count; i++) {
		min.lon = fmin(min.lon, corners[i].lon);
		min.lat = fmin(min.lat, corners[i].lat);
		max.lon = fmax(max.lon, corners[i].lon);
		max.lat = fmax(max.lat, corners[i].lat);
	}
	*shape = (struct geo_shape){
		.kind = GEO_POLYGON,
		.center = mean_point(corners, count),
		.middle = { (min.lon + max.lon) / 2, (min.lat + max.lat) / 2 },
		.height = lat_distance(min.lat, max.lat),
		.corners = corners,
		.corner_count = count,
	};
	/* A degree of longitude is longest where the equator is nearest. */
	widest = min.lat > 0 ? min.lat : max.lat < 0 ? max.lat : 0;
	shape->width = EARTH_RADIUS_M * (max.lon - min.lon) * RADIANS *
		       cos(widest * RADIANS);
}

/* An even number of edges to the east of p: outside. */
static bool in_polygon(const struct geo_shape *shape, struct geo_point p)
{
	struct geo_point a = shape->corners[shape->corner_count - 1];
	bool inside = false;
	unsigned i;

	for (i = 0; i < shape->corner_count; i++) {
		struct geo_point b = shape->corners[i];

		if ((a.lat > p.lat) != (b.lat > p.lat) &&
		    p.lon < (b.lon - a.lon) * (p.lat - a.lat) /
					(b.lat - a.lat) + a.lon)
			inside = !inside;
		a = b;
	}
	return inside;
}

bool geo_within(const struct geo_shape *shape, struct geo_point p,
		double *distance)
{
	struct geo_point center = shape->center;

	if (shape->kind == GEO_BOX) {
		struct geo_point level = { center.lon, p.lat };

		if (lat_distance(p.lat, center.lat) > shape->height / 2 ||
		    geo_distance(p, level) > shape->width / 2)
			return false;
	} else if (shape->kind == GEO_POLYGON && !in_polygon(shape, p)) {
		return false;
	} else if (shape->kind == GEO_CIRCLE &&
		   lat_distance(p.lat, center.lat) > shape->radius * 1.001) {
		return false; /* without a look at the longitude */
	}
	*distance = geo_distance(center, p);
	return shape->kind != GEO_CIRCLE || *distance <= shape->radius;
}

/* How often to halve the map so that a square and its neighbours have
 * everything within this many metres of a point of the square. */
static unsigned step_for(double metres, double lat)
{
	int step = 1;

	if (metres == 0)
		return STEP_MAX;
	while (metres < MERCATOR_MAX_M) {
		metres *= 2;
		step++;
	}
	step -= 2;
	/* Squares get narrower towards the poles. */
	if (lat > 66 || lat < -66)
		step--;
	if (lat > 80 || lat < -80)
		step--;
	return step < 1 ? 1 : step > STEP_MAX ? STEP_MAX : (unsigned)step;
}

/* What to search around center, degrees. */
static struct bounds shape_bounds(const struct geo_shape *shape,
				  struct geo_point center)
{
	double width = shape->width / 2 / EARTH_RADIUS_M;
	double lat_delta = shape->height / 2 / EARTH_RADIUS_M / RADIANS;
	/* Towards the equator a degree of longitude is longer. */
	double side = center.lat < 0 ? center.lat - lat_delta :
				       center.lat + lat_delta;
	double lon_delta = width / cos(side * RADIANS) / RADIANS;

	return (struct bounds){
		.min = { center.lon - lon_delta, center.lat - lat_delta },
		.max = { center.lon + lon_delta, center.lat + lat_delta },
	};
}

/* The square that many columns and rows on; the map has no edges. (A point on
 * its last line has a column or row behind the last, which stays.) */
static struct square beside(struct square s, int columns, int rows)
{
	uint32_t mask = (UINT32_C(1) << s.step) - 1;

	if (columns)
		s.column = (s.column + (uint32_t)columns) & mask;
	if (rows)
		s.row = (s.row + (uint32_t)rows) & mask;
	return s;
}

/* Whether the squares around s reach as far as the bounds. */
static bool reaches(struct square s, const struct bounds *b)
{
	return square_bounds(beside(s, 0, 1)).max.lat >= b->max.lat &&
	       square_bounds(beside(s, 0, -1)).min.lat <= b->min.lat &&
	       square_bounds(beside(s, 1, 0)).max.lon >= b->max.lon &&
	       square_bounds(beside(s, -1, 0)).min.lon <= b->min.lon;
}

/* A square's neighbours, in the order they are searched. */
static const struct {
	int columns;
	int rows;
} places[GEO_RANGES_MAX] = {
	{ 0, 0 }, { 0, 1 }, { 0, -1 }, { 1, 0 }, { -1, 0 },
	{ 1, 1 }, { -1, 1 }, { 1, -1 }, { -1, -1 },
};

unsigned geo_ranges(const struct geo_shape *shape,
		    struct geo_range out[GEO_RANGES_MAX])
{
	double metres = shape->kind == GEO_CIRCLE ? shape->radius :
			sqrt(shape->width / 2 * (shape->width / 2) +
			     shape->height / 2 * (shape->height / 2));
	struct geo_point center = shape->kind == GEO_POLYGON ? shape->middle :
							       shape->center;
	unsigned step = step_for(metres, center.lat), count = 0, i;
	struct bounds area, wanted = shape_bounds(shape, center);
	struct square s = square_of(center, step, GEO_LAT_MAX);

	if (step > 1 && !reaches(s, &wanted))
		s = square_of(center, --step, GEO_LAT_MAX);
	area = square_bounds(s);
	for (i = 0; i < GEO_RANGES_MAX; i++) {
		unsigned shift = STEP_MAX * 2 - step * 2;
		uint64_t number = square_number(beside(s, places[i].columns,
						       places[i].rows));
		struct geo_range range = { number << shift,
					   (number + 1) << shift };

		/* Sides that nothing of the area lies on. */
		if (step >= 2 &&
		    ((places[i].rows < 0 && area.min.lat < wanted.min.lat) ||
		     (places[i].rows > 0 && area.max.lat > wanted.max.lat) ||
		     (places[i].columns < 0 && area.min.lon < wanted.min.lon) ||
		     (places[i].columns > 0 && area.max.lon > wanted.max.lon)))
			continue;
		/* On a map of few squares neighbours are the same. */
		if (count == 0 || range.min != out[count - 1].min)
			out[count++] = range;
	}
	return count;
}
