/* SPDX-License-Identifier: BSD-3-Clause */
#include "wal/segment_list.h"

#include "tests/support/suite.h"

#include <errno.h>

/* What the directory "log" holds. */
static const char *const *names;
static int error;

static int list_dir(struct io *io, const char *path, io_name_fn *found,
		    void *ctx)
{
	size_t i;

	(void)io;
	ck_assert_str_eq(path, "log");
	for (i = 0; names[i]; i++)
		found(ctx, names[i]);
	return error;
}

static const struct io_ops ops = { .list_dir = list_dir };
static struct io io = { &ops };

START_TEST(segment_list__sequences_ascend_and_other_names_are_passed_over)
{
	static const char *const given[] = {
		"0000000000000012.seg", "0000000000000003.seg",
		"0000000000000003.seg.torn", "lock", "0000000000000000.seg",
		"0000000000000007.seg", NULL,
	};
	struct segment_list l;

	names = given;
	error = 0;
	ck_assert_int_eq(segment_list_read(&l, &io, "log"), 0);
	ck_assert_uint_eq(l.count, 3);
	ck_assert_uint_eq(l.at[0], 3);
	ck_assert_uint_eq(l.at[1], 7);
	ck_assert_uint_eq(l.at[2], 12);
	segment_list_release(&l);
	ck_assert_uint_eq(l.count, 0);
}
END_TEST

START_TEST(segment_list__no_directory_is_no_segments)
{
	static const char *const given[] = { NULL };
	struct segment_list l;

	names = given;
	error = -ENOENT;
	ck_assert_int_eq(segment_list_read(&l, &io, "log"), 0);
	ck_assert_uint_eq(l.count, 0);
	segment_list_release(&l);
}
END_TEST

START_TEST(segment_list__an_error_leaves_an_empty_list)
{
	static const char *const given[] = { "0000000000000001.seg", NULL };
	struct segment_list l;

	names = given;
	error = -EIO;
	ck_assert_int_eq(segment_list_read(&l, &io, "log"), -EIO);
	ck_assert_uint_eq(l.count, 0);
	segment_list_release(&l); /* once more does no harm */
}
END_TEST

int main(void)
{
	return RUN_TESTS("segment_list",
		segment_list__sequences_ascend_and_other_names_are_passed_over,
		segment_list__no_directory_is_no_segments,
		segment_list__an_error_leaves_an_empty_list);
}
