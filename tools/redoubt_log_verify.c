/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * redoubt-log verify: reads every byte that a check covers.
 */
#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "snapshot/snapshot.h"
#include "tools/redoubt_log.h"
#include "wal/recover.h"

struct verify {
	const struct log_options *o;
	struct store_id store;
	unsigned files;
	unsigned damaged;
	int err; /* first read error */
};

static void report(void *ctx, const struct damage *d)
{
	struct verify *v = ctx;

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

static bool wanted(const struct verify *v, const char *name)
{
	return !v->o->file || strcmp(v->o->file, name) == 0;
}

static void take(struct verify *v, const char *name, int places)
{
	v->files++;
	if (places > 0)
		v->damaged++;
	if (places >= 0)
		return;
	fprintf(stderr, "redoubt-log: cannot read %s\n", name);
	if (v->err == OK)
		v->err = places;
}

static void verify_segments(struct verify *v, struct log_segment *segments,
			    int count)
{
	char name[SEGMENT_NAME_SIZE], path[4096];
	int i;

	for (i = 0; i < count; i++) {
		segment_name(name, segments[i].sequence);
		if (!wanted(v, name))
			continue;
		snprintf(path, sizeof(path), "%s/log/%s", v->o->dir, name);
		take(v, name, segment_verify(v->o->io, path, &v->store,
					     report, v));
	}
}

static int verify_snapshots(struct verify *v, struct err_message *m)
{
	struct snapshot_name *names = NULL;
	char path[4096];
	int i, n = snapshot_list(v->o->io, v->o->dir, &names, m);

	for (i = 0; i < n; i++) {
		if (!wanted(v, names[i].name))
			continue;
		snprintf(path, sizeof(path), "%s/snap/%s", v->o->dir,
			 names[i].name);
		take(v, names[i].name,
		     snapshot_verify(v->o->io, path, report, v));
	}
	mem_free(names);
	return n;
}

int log_verify(const struct log_options *o)
{
	struct verify v = { .o = o };
	struct err_message m = { { 0 } };
	struct log_segment *segments = NULL;
	int n = log_segments(o, &segments, &m);

	if (n < 0)
		return log_fail(n, &m);
	verify_segments(&v, segments, n);
	mem_free(segments);
	n = verify_snapshots(&v, &m);
	if (n < 0)
		return log_fail(n, &m);
	if (v.files == 0) {
		fprintf(stderr, "redoubt-log: nothing to verify in %s\n",
			o->dir);
		return EXIT_USAGE;
	}
	printf(o->json ? "{\"files\":%u,\"damaged\":%u}\n" :
			 "%u files read, %u damaged\n", v.files, v.damaged);
	if (v.err)
		return err_exit_code(v.err);
	return v.damaged ? EXIT_CORRUPT : EXIT_OK;
}
