/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The segments of a directory.
 *
 * I1. A name that is not exactly a segment's is nobody's business here.
 * I2. Each sequence stands once: a directory has no name twice.
 */
#include "wal/segment_list.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

static void take_name(void *ctx, const char *name)
{
	struct segment_list *l = ctx;
	uint64_t sequence;

	if (!segment_parse_name(name, &sequence)) /* I1 */
		return;
	if (l->count == l->capacity) {
		l->capacity = l->capacity * 2 + 16;
		l->at = mem_realloc_array(l->at, l->capacity, sizeof(*l->at));
	}
	l->at[l->count++] = sequence;
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int segment_list_read(struct segment_list *list, struct io *io,
		      const char *path)
{
	int err;

	assert(path != NULL);
	*list = (struct segment_list){ 0 };
	err = io->ops->list_dir(io, path, take_name, list);
	if (err < 0) {
		segment_list_release(list);
		return err == -ENOENT ? 0 : err;
	}
	if (list->count > 0)
		qsort(list->at, list->count, sizeof(*list->at), ascending);
	assert(list->count <= list->capacity);
	return 0;
}

void segment_list_release(struct segment_list *list)
{
	mem_free(list->at);
	*list = (struct segment_list){ 0 };
}
