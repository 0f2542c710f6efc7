/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which snapshots there are, and which go.
 *
 * I1. What is not named like a snapshot is no snapshot; of other names only
 *     temporary ones are ever removed.
 * I2. The newest `keep` stay whatever their content: what is damaged is
 *     renamed at recovery, not here.
 */
#include "snapshot/snapshot.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "snapshot/layout.h"

struct listing {
	struct snapshot_name *names;
	size_t count, capacity;
	char (*temporary)[SNAPSHOT_NAME_SIZE]; /* names to remove */
	size_t temporary_count;
};

static bool is_temporary(const char *name)
{
	size_t size = strlen(name), tail = strlen(SNAPSHOT_TEMPORARY);
	char head[SNAPSHOT_NAME_SIZE];
	uint64_t lsn;
	uint32_t epoch;

	if (size < tail || size >= sizeof(head) ||
	    strcmp(name + size - tail, SNAPSHOT_TEMPORARY) != 0)
		return false;
	snprintf(head, sizeof(head), "%.*s", (int)(size - tail), name);
	return snapshot_parse_name(head, &epoch, &lsn);
}

static void found_temporary(struct listing *l, const char *name)
{
	l->temporary = mem_realloc_array(l->temporary, l->temporary_count + 1,
					 sizeof(*l->temporary));
	snprintf(l->temporary[l->temporary_count++], SNAPSHOT_NAME_SIZE, "%s",
		 name);
}

static void found(void *ctx, const char *name)
{
	struct listing *l = ctx;
	struct snapshot_name s = { 0 };

	if (is_temporary(name))
		found_temporary(l, name);
	if (!snapshot_parse_name(name, &s.epoch, &s.lsn)) /* I1 */
		return;
	snprintf(s.name, sizeof(s.name), "%s", name);
	if (l->count == l->capacity) {
		l->capacity = l->capacity ? l->capacity * 2 : 8;
		l->names = mem_realloc_array(l->names, l->capacity,
					     sizeof(*l->names));
	}
	l->names[l->count++] = s;
}

static int newest_first(const void *a, const void *b)
{
	const struct snapshot_name *x = a, *y = b;

	if (x->epoch != y->epoch)
		return x->epoch > y->epoch ? -1 : 1;
	return x->lsn > y->lsn ? -1 : x->lsn < y->lsn;
}

static int list(struct io *io, const char *dir, struct listing *l,
		struct err_message *m)
{
	struct buf path = { 0 };
	int err;

	*l = (struct listing){ 0 };
	buf_printf(&path, "%s%s%c", dir, SNAPSHOT_DIR, 0);
	err = io->ops->list_dir(io, (char *)path.data, found, l);
	if (err == -ENOENT)
		err = 0;
	if (err) {
		err_set(m, ERR_IO, "%s: %s", (char *)path.data,
			strerror(-err));
		err = ERR_IO;
	}
	buf_release(&path);
	if (l->count > 0)
		qsort(l->names, l->count, sizeof(*l->names), newest_first);
	return err;
}

int snapshot_list(struct io *io, const char *dir, struct snapshot_name **out,
		  struct err_message *m)
{
	struct listing l;
	int err = list(io, dir, &l, m);

	mem_free(l.temporary);
	*out = NULL;
	if (err) {
		mem_free(l.names);
		return err;
	}
	*out = l.names;
	return (int)l.count;
}

static int remove_one(struct io *io, const char *dir, const char *name,
		      struct err_message *m)
{
	struct buf path = { 0 };
	int err;

	buf_printf(&path, "%s%s/%s%c", dir, SNAPSHOT_DIR, name, 0);
	err = io->ops->unlink(io, (char *)path.data);
	if (err == -ENOENT)
		err = 0;
	if (err) {
		err_set(m, ERR_IO, "%s: unlink: %s", (char *)path.data,
			strerror(-err));
		err = ERR_IO;
	}
	buf_release(&path);
	return err;
}

int snapshot_sync_names(struct io *io, const char *dir, struct err_message *m)
{
	struct buf path = { 0 };
	int err;

	buf_printf(&path, "%s%s%c", dir, SNAPSHOT_DIR, 0);
	err = io->ops->sync_dir(io, (char *)path.data);
	if (err) {
		err_set(m, ERR_IO, "%s: sync: %s", (char *)path.data,
			strerror(-err));
		err = ERR_IO;
	}
	buf_release(&path);
	return err;
}

int snapshot_prune(struct io *io, const char *dir, unsigned keep,
		   struct err_message *m)
{
	struct listing l;
	bool removed = false;
	size_t i;
	int err;

	assert(keep > 0);
	err = list(io, dir, &l, m);
	for (i = keep; !err && i < l.count; i++, removed = true) /* I2 */
		err = remove_one(io, dir, l.names[i].name, m);
	for (i = 0; !err && i < l.temporary_count; i++, removed = true)
		err = remove_one(io, dir, l.temporary[i], m);
	if (!err && removed)
		err = snapshot_sync_names(io, dir, m);
	mem_free(l.names);
	mem_free(l.temporary);
	return err;
}

int snapshot_drop_older(struct io *io, const char *dir,
			const struct snapshot_name *than, struct err_message *m)
{
	struct listing l;
	size_t i;
	int err = list(io, dir, &l, m);

	for (i = 0; !err && i < l.count; i++)
		if (newest_first(than, &l.names[i]) < 0)
			err = remove_one(io, dir, l.names[i].name, m);
	if (!err) /* also what an earlier try has removed */
		err = snapshot_sync_names(io, dir, m);
	mem_free(l.names);
	mem_free(l.temporary);
	return err;
}
