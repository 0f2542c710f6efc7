/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * I1. An older snapshot goes only after every byte of those that stay has been
 *     read from the disk and checked, by this process, just now; and not
 *     before there are as many as shall stay.
 * I2. DONE says that the removal is durable: only then may the log be told
 *     that nothing before the oldest that stays is needed.
 * I3. A snapshot that is being written is none of its business: newer names
 *     and temporary ones stay.
 * I4. `state` is stored last: who reads DONE or FAILED may read the rest.
 */
#include "snapshot/trim.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "snapshot/file.h"
#include "snapshot/layout.h"

struct snapshot_trim {
	struct snapshot_trim_options o;
	char *dir;
	pthread_t thread;
	bool started;
	atomic_bool stop;
	_Atomic(enum snapshot_state) state;
	struct err_message message; /* I4 */
	uint64_t lsn;               /* I4 */
};

static bool stopped(void *ctx)
{
	struct snapshot_trim *t = ctx;

	return atomic_load(&t->stop);
}

/* I1 */
static int check(struct snapshot_trim *t, const struct snapshot_name *name)
{
	struct err_message *m = &t->message;
	struct buf path = { 0 };
	struct snapshot_file f;
	int err;

	buf_printf(&path, "%s%s/%s%c", t->dir, SNAPSHOT_DIR, name->name, 0);
	err = snapshot_file_open(&f, t->o.io, (char *)path.data, true, m);
	if (!err)
		err = snapshot_file_header(&f, m);
	if (!err)
		err = snapshot_file_footer(&f, m);
	if (!err)
		err = snapshot_file_check(&f, stopped, t, m);
	snapshot_file_close(&f);
	buf_release(&path);
	return err;
}

static int trim(struct snapshot_trim *t)
{
	struct snapshot_name *names = NULL;
	int i, count, err = OK, keep = (int)t->o.keep;

	count = snapshot_list(t->o.io, t->dir, &names, &t->message);
	if (count < 0)
		err = count;
	else if (count < keep)
		err = err_set(&t->message, ERR_NOT_FOUND, "%d snapshots in %s, "
			      "%d shall stay", count, t->dir, keep);
	for (i = 0; !err && i < keep; i++) /* I1 */
		err = check(t, &names[i]);
	if (!err) {
		t->lsn = names[keep - 1].lsn;
		err = snapshot_drop_older(t->o.io, t->dir, &names[keep - 1],
					  &t->message); /* I3 */
	}
	mem_free(names);
	return err;
}

/* A completion whose only effect is that the engine wakes up. */
static void wake_done(struct completion *c)
{
	mem_free(c);
}

static void work(struct snapshot_trim *t)
{
	struct completion_queue *to = t->o.completions;
	int err = trim(t);
	struct completion *c;

	atomic_store(&t->state, err ? SNAPSHOT_FAILED : SNAPSHOT_DONE); /* I4 */
	if (!t->started || !to)
		return;
	c = mem_alloc(sizeof(*c));
	*c = (struct completion){ .done = wake_done };
	completion_post(to, c);
}

static void *worker(void *arg)
{
	pthread_setname_np(pthread_self(), "trim");
	work(arg);
	return NULL;
}

struct snapshot_trim *
snapshot_trim_start(const struct snapshot_trim_options *o)
{
	struct snapshot_trim *t = mem_calloc(1, sizeof(*t));

	assert(o->keep > 0);
	t->o = *o;
	t->dir = mem_strdup(o->dir);
	atomic_init(&t->state, SNAPSHOT_RUNNING);
	t->started = o->threads;
	if (t->started && pthread_create(&t->thread, NULL, worker, t) == 0)
		return t;
	t->started = false;
	if (o->threads) { /* too long for the engine thread */
		err_set(&t->message, ERR_IO, "no thread for it");
		atomic_store(&t->state, SNAPSHOT_FAILED);
	} else {
		work(t);
	}
	return t;
}

enum snapshot_state snapshot_trim_state(const struct snapshot_trim *t,
					struct err_message *m)
{
	enum snapshot_state state = atomic_load(&t->state);

	if (state == SNAPSHOT_FAILED && m)
		*m = t->message;
	return state;
}

uint64_t snapshot_trim_lsn(const struct snapshot_trim *t)
{
	assert(atomic_load(&t->state) == SNAPSHOT_DONE);
	return t->lsn;
}

void snapshot_trim_free(struct snapshot_trim *t)
{
	if (!t)
		return;
	atomic_store(&t->stop, true);
	if (t->started)
		pthread_join(t->thread, NULL);
	mem_free(t->dir);
	mem_free(t);
}
