/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * redoubt-log verify: reads every byte that a check covers.
 *
 * F1. What a running server is at looks like damage for a moment: a group that
 *     is half written, a roll, a file that is recycled.  Damage is what is
 *     found again, in the same place, each time the file is read.
 * F2. A file that is gone by then was no longer needed.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "snapshot/snapshot.h"
#include "tools/redoubt_log.h"
#include "wal/recover.h"
#include "wal/segment_list.h"

#define READS 4 /* of a file that looks damaged */
#define PAUSE_NS 100000000 /* before the second; twice as long each time */

struct verify {
	const struct log_options *o;
	struct store_id store;
	unsigned files;
	unsigned damaged;
	int err; /* first read error */
};

/* The places of one reading. */
struct places {
	struct damage *at;
	size_t count;
};

/* Reads one file: number of places or a negative enum err. */
typedef int read_fn(struct verify *v, const char *path, struct places *out);

static void collect(void *ctx, const struct damage *d)
{
	struct places *p = ctx;

	p->at = mem_realloc_array(p->at, p->count + 1, sizeof(*p->at));
	p->at[p->count++] = *d;
}

static int read_segment(struct verify *v, const char *path, struct places *out)
{
	return segment_verify(v->o->io, path, &v->store, collect, out);
}

static int read_snapshot(struct verify *v, const char *path,
			 struct places *out)
{
	return snapshot_verify(v->o->io, path, collect, out);
}

static void report(const struct verify *v, const struct damage *d)
{
	if (v->o->json)
		printf("{\"file\":\"%s\",\"offset\":%llu,\"size\":%llu,"
		       "\"first_lsn\":%llu,\"last_lsn\":%llu,\"what\":\"%s\"}"
		       "\n",
		       d->file, (unsigned long long)d->offset,
		       (unsigned long long)d->size,
		       (unsigned long long)d->first_lsn,
		       (unsigned long long)d->last_lsn, d->what);
	else
		printf("DAMAGED %s offset %llu, %llu bytes, LSN %llu to %llu: "
		       "%s\n", d->file, (unsigned long long)d->offset,
		       (unsigned long long)d->size,
		       (unsigned long long)d->first_lsn,
		       (unsigned long long)d->last_lsn, d->what);
}

static bool has_place(const struct places *p, const struct damage *d)
{
	size_t i;

	for (i = 0; i < p->count; i++)
		if (p->at[i].offset == d->offset &&
		    strcmp(p->at[i].what, d->what) == 0)
			return true;
	return false;
}

/* Leaves in *p what is in both; returns how many. */
static int intersect(struct places *p, const struct places *other)
{
	size_t i, kept = 0;

	for (i = 0; i < p->count; i++)
		if (has_place(other, &p->at[i]))
			p->at[kept++] = p->at[i];
	p->count = kept;
	return (int)kept;
}

/* 0, or why the file cannot be opened, -errno. */
static int try_open(const struct verify *v, const char *path)
{
	const struct io_ops *ops = v->o->io->ops;
	int file = ops->open(v->o->io, path, IO_READ);

	if (file < 0)
		return file;
	ops->close(v->o->io, file);
	return 0;
}

/* Places that are there each time, or a negative enum err. (F1) */
static int read_again(struct verify *v, const char *path, read_fn *read,
		      struct places *p)
{
	struct timespec pause = { .tv_nsec = PAUSE_NS };
	int i, n = read(v, path, p);

	for (i = 1; i < READS && n != 0 && try_open(v, path) == 0; i++) {
		struct places again = { .count = 0 };

		nanosleep(&pause, NULL);
		pause.tv_nsec *= 2;
		if (n < 0) {
			p->count = 0;
			n = read(v, path, p);
			continue;
		}
		n = read(v, path, &again);
		if (n > 0)
			n = intersect(p, &again);
		mem_free(again.at);
	}
	return n;
}

static void verify_file(struct verify *v, const char *folder, const char *name,
			read_fn *read)
{
	struct places p = { .count = 0 };
	char path[4096];
	size_t i;
	int n, err;

	if (v->o->file && strcmp(v->o->file, name) != 0)
		return;
	snprintf(path, sizeof(path), "%s/%s/%s", v->o->dir, folder, name);
	n = read_again(v, path, read, &p);
	err = n != 0 ? try_open(v, path) : 0;
	if (err == -ENOENT) { /* F2 */
		mem_free(p.at);
		return;
	}
	v->files++;
	v->damaged += n > 0;
	for (i = 0; n > 0 && i < p.count; i++)
		report(v, &p.at[i]);
	mem_free(p.at);
	if (n >= 0)
		return;
	fprintf(stderr, "redoubt-log: %s: %s\n", path,
		n == ERR_VERSION ? "written by a newer version" :
		err ? strerror(-err) : "cannot be read");
	if (v->err == OK)
		v->err = n;
}

static int verify_segments(struct verify *v, struct err_message *m)
{
	char name[SEGMENT_NAME_SIZE], path[4096];
	struct segment_list list;
	size_t i;
	int err;

	snprintf(path, sizeof(path), "%s/log", v->o->dir);
	err = segment_list_read(&list, v->o->io, path);
	if (err)
		return err_set(m, ERR_IO, "cannot read %s: %s", path,
			       strerror(-err));
	for (i = 0; i < list.count; i++) {
		segment_name(name, list.at[i]);
		verify_file(v, "log", name, read_segment);
	}
	segment_list_release(&list);
	return OK;
}

static int verify_snapshots(struct verify *v, struct err_message *m)
{
	struct snapshot_name *names = NULL;
	int i, n = snapshot_list(v->o->io, v->o->dir, &names, m);

	for (i = 0; i < n; i++)
		verify_file(v, "snap", names[i].name, read_snapshot);
	mem_free(names);
	return n < 0 ? n : OK;
}

int log_verify(const struct log_options *o)
{
	struct verify v = { .o = o };
	struct err_message m = { { 0 } };
	int err = verify_segments(&v, &m);

	if (!err)
		err = verify_snapshots(&v, &m);
	if (err)
		return log_fail(err, &m);
	if (v.files == 0 && !o->file)
		return log_no_store(o);
	if (v.files == 0) {
		fprintf(stderr, "redoubt-log: no file %s in %s/log or "
			"%s/snap. Next: redoubt-log info --dir %s\n", o->file,
			o->dir, o->dir, o->dir);
		return EXIT_USAGE;
	}
	printf(o->json ? "{\"files\":%u,\"damaged\":%u}\n" :
			 "%u files read, %u damaged\n", v.files, v.damaged);
	if (v.damaged)
		fprintf(stderr, "redoubt-log: damaged. Next: copy %s, then "
			"start the server on the copy; it says what it can do "
			"without\n", o->dir);
	if (v.err)
		return err_exit_code(v.err);
	return v.damaged ? EXIT_CORRUPT : EXIT_OK;
}
