/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/geohash.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/suite.h"

static double random_between(struct test_random *r, double min, double max)
{
	return min + (max - min) * ((double)(test_random_next(r) >> 11) *
				    0x1p-53);
}

static struct geo_point random_point(struct test_random *r)
{
	return (struct geo_point){
		random_between(r, -GEO_LON_MAX, GEO_LON_MAX),
		random_between(r, -GEO_LAT_MAX, GEO_LAT_MAX),
	};
}

START_TEST(numbers__are_those_of_the_public_layout)
{
	/* As redis-server 7.0 has them. */
	struct geo_point palermo = { 13.361389, 38.115556 };
	struct geo_point catania = { 15.087269, 37.502669 };
	struct geo_point back;
	char text[GEO_TEXT_SIZE];

	ck_assert_uint_eq(geo_encode(palermo), 3479099956230698);
	ck_assert_uint_eq(geo_encode(catania), 3479447370796909);
	back = geo_decode(3479099956230698);
	ck_assert(back.lon == 13.36138933897018433);
	ck_assert(back.lat == 38.11555639549629859);
	geo_text(back, text);
	ck_assert_mem_eq(text, "sqc8b49rny0", GEO_TEXT_SIZE);
	ck_assert(fabs(geo_distance(back, geo_decode(3479447370796909)) -
		       166274.1516) < 0.0001);
}
END_TEST

START_TEST(numbers__come_back_within_a_metre)
{
	struct test_random r = { test_seed() };
	unsigned i;

	for (i = 0; i < 200000; i++) {
		struct geo_point p = random_point(&r);
		uint64_t hash = geo_encode(p);
		struct geo_point back = geo_decode(hash);

		ck_assert_uint_lt(hash, UINT64_C(1) << 52);
		ck_assert(geo_distance(p, back) < 1);
		ck_assert_uint_eq(geo_encode(back), hash);
		ck_assert_double_eq(geo_decode_score((double)hash).lon,
				    back.lon);
	}
}
END_TEST

START_TEST(numbers__any_score_is_some_point_of_the_map)
{
	static const double scores[] = {
		0, -1, 0.5, 1e15, 0x1p52, 0x1p53, 1e17, 0x1p64, 1e300, -0x1p63,
		-1e300, INFINITY, -INFINITY,
	};
	unsigned i;

	for (i = 0; i < ARRAY_LEN(scores); i++)
		ck_assert(geo_valid(geo_decode_score(scores[i])));
}
END_TEST

START_TEST(points__outside_of_the_map_are_not_valid)
{
	ck_assert(geo_valid((struct geo_point){ -180, 85.05112878 }));
	ck_assert(geo_valid((struct geo_point){ 180, -85.05112878 }));
	ck_assert(!geo_valid((struct geo_point){ 180.000001, 0 }));
	ck_assert(!geo_valid((struct geo_point){ 0, 85.06 }));
	ck_assert(!geo_valid((struct geo_point){ NAN, 0 }));
	ck_assert(!geo_valid((struct geo_point){ 0, NAN }));
}
END_TEST

static bool in_ranges(const struct geo_range *ranges, unsigned count,
		      uint64_t hash)
{
	unsigned i;

	for (i = 0; i < count; i++)
		if (hash >= ranges[i].min && hash < ranges[i].max)
			return true;
	return false;
}

/* A point not far from the center, or anywhere. */
static struct geo_point point_near(struct test_random *r,
				   const struct geo_shape *shape)
{
	double lat = shape->height / 111000, lon = shape->width / 111000;
	struct geo_point p = shape->kind == GEO_POLYGON ? shape->middle :
							  shape->center;

	if (test_random_below(r, 4) == 0)
		return random_point(r);
	lon /= cos(p.lat * M_PI / 180);
	p.lat += random_between(r, -lat, lat);
	p.lon += random_between(r, -lon, lon);
	return geo_valid(p) ? p : random_point(r);
}

static void check_ranges(struct test_random *r, const struct geo_shape *shape)
{
	struct geo_range ranges[GEO_RANGES_MAX];
	unsigned count = geo_ranges(shape, ranges), i;

	ck_assert_uint_le(count, GEO_RANGES_MAX);
	for (i = 0; i < 200; i++) {
		struct geo_point p = point_near(r, shape);
		uint64_t hash = geo_encode(p);
		double distance;

		if (geo_within(shape, geo_decode(hash), &distance))
			ck_assert_msg(in_ranges(ranges, count, hash),
				      "%f %f from %f %f, %f m of %f",
				      p.lon, p.lat, shape->center.lon,
				      shape->center.lat, distance,
				      shape->width);
	}
}

START_TEST(ranges__have_everything_in_a_circle_or_box)
{
	struct test_random r = { test_seed() };
	unsigned i;

	for (i = 0; i < 4000; i++) {
		struct geo_shape shape = {
			.kind = i % 2 ? GEO_CIRCLE : GEO_BOX,
			.center = {
				random_between(&r, -170, 170),
				random_between(&r, -60, 60),
			},
		};

		shape.radius = pow(10, random_between(&r, 0, 5.9));
		shape.width = 2 * shape.radius;
		shape.height = i % 2 ? shape.width :
			       pow(10, random_between(&r, 0, 5.9));
		check_ranges(&r, &shape);
	}
}
END_TEST

START_TEST(ranges__have_everything_in_a_polygon)
{
	struct test_random r = { test_seed() };
	unsigned i, corner;

	for (i = 0; i < 2000; i++) {
		double size = pow(10, random_between(&r, -4, 1));
		struct geo_point corners[12], around = {
			random_between(&r, -160, 160),
			random_between(&r, -60, 60),
		};
		unsigned count = 3 + (unsigned)test_random_below(&r, 10);
		struct geo_shape shape;

		for (corner = 0; corner < count; corner++)
			corners[corner] = (struct geo_point){
				around.lon + random_between(&r, -size, size),
				around.lat + random_between(&r, -size, size),
			};
		geo_polygon(&shape, corners, count);
		check_ranges(&r, &shape);
	}
}
END_TEST

START_TEST(polygon__sides_and_dents)
{
	static const struct geo_point dented[] = {
		{ 0, 0 }, { 0, 10 }, { 5, 5 }, { 10, 10 }, { 10, 0 },
	};
	struct geo_shape shape;
	double distance;

	geo_polygon(&shape, dented, ARRAY_LEN(dented));
	ck_assert(geo_within(&shape, (struct geo_point){ 1, 1 }, &distance));
	ck_assert(geo_within(&shape, (struct geo_point){ 1, 8 }, &distance));
	ck_assert(!geo_within(&shape, (struct geo_point){ 5, 6 }, &distance));
	ck_assert(!geo_within(&shape, (struct geo_point){ -1, 5 }, &distance));
	ck_assert(!geo_within(&shape, (struct geo_point){ 11, 5 }, &distance));
}
END_TEST

int main(void)
{
	return RUN_TESTS("geohash",
		numbers__are_those_of_the_public_layout,
		numbers__come_back_within_a_metre,
		numbers__any_score_is_some_point_of_the_map,
		points__outside_of_the_map_are_not_valid,
		ranges__have_everything_in_a_circle_or_box,
		ranges__have_everything_in_a_polygon,
		polygon__sides_and_dents);
}
