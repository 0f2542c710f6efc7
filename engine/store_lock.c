/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The directory of a store: one owner, one process, and no store where none
 * should be.
 *
 * I1. The lock belongs to the open file: it goes with the process, however
 *     that ends. The file stays; it says nothing.
 * I2. A directory in which others may write is not ours to trust.
 */
#include "engine/recover.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

#define OTHERS_MAY_WRITE 022

struct store_lock {
	struct io *io;
	int file;
};

static int make_dir(struct io *io, const char *dir, struct err_message *m)
{
	int err = io->ops->mkdir(io, dir);

	if (err && err != -EEXIST)
		return err_set(m, ERR_IO, "cannot make directory %s: %s", dir,
			       strerror(-err));
	err = io->ops->mode(io, dir);
	if (err < 0)
		return err_set(m, ERR_IO, "directory %s: %s", dir,
			       strerror(-err));
	if (err & OTHERS_MAY_WRITE) /* I2 */
		return err_set(m, ERR_CONFIG,
			       "directory %s may be written by others (mode "
			       "%03o): run chmod go-w on it", dir, err & 0777);
	return OK;
}

int store_lock(struct store_lock **out, struct io *io, const char *dir,
	       struct err_message *m)
{
	struct buf path = { 0 };
	int err, file;

	*out = NULL;
	err = make_dir(io, dir, m);
	if (err)
		return err;
	buf_printf(&path, "%s/%s%c", dir, STORE_LOCK_NAME, 0);
	file = io->ops->open(io, (char *)path.data,
			     IO_READ | IO_WRITE | IO_CREATE);
	if (file < 0) {
		err = err_set(m, ERR_IO, "cannot open %s: %s",
			      (char *)path.data, strerror(-file));
		goto fail;
	}
	err = io->ops->lock(io, file); /* I1 */
	if (err) {
		io->ops->close(io, file);
		if (err == -EWOULDBLOCK)
			err = err_set(m, ERR_LOCKED,
				      "%s is held by another server: stop it, "
				      "or give this one a `dir` of its own",
				      (char *)path.data);
		else
			err = err_set(m, ERR_IO, "cannot lock %s: %s",
				      (char *)path.data, strerror(-err));
		goto fail;
	}
	*out = mem_alloc(sizeof(**out));
	**out = (struct store_lock){ .io = io, .file = file };
fail:
	buf_release(&path);
	return err;
}

void store_unlock(struct store_lock *lock)
{
	if (!lock)
		return;
	lock->io->ops->close(lock->io, lock->file);
	mem_free(lock);
}

/* --- a new store --------------------------------------------------------- */

struct census {
	const struct config *config;
	char found[256]; /* a name that does not belong here */
};

static bool ends_with(const char *name, const char *end)
{
	size_t size = strlen(name), tail = strlen(end);

	return size >= tail && strcmp(name + size - tail, end) == 0;
}

static bool is_base_name(const char *name, const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return path && strcmp(name, slash ? slash + 1 : path) == 0;
}

/* Files that hold no data: what a server is told, says, or leaves behind. */
static bool harmless(const struct config *c, const char *name)
{
	static const char *const names[] = { STORE_LOCK_NAME, "log", "snap",
					     "lost+found", "stdout",
					     "stderr" };
	static const char *const ends[] = { ".conf", ".log", ".pid", ".sock" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	for (i = 0; i < ARRAY_LEN(ends); i++)
		if (ends_with(name, ends[i]))
			return true;
	return is_base_name(name, c->file) || is_base_name(name, c->logfile) ||
	       is_base_name(name, c->pidfile) ||
	       is_base_name(name, c->unixsocket);
}

static void count_name(void *ctx, const char *name)
{
	struct census *c = ctx;

	if (harmless(c->config, name))
		return;
	strncpy(c->found, name, sizeof(c->found) - 1);
}

int store_may_create(struct io *io, const struct config *c,
		     struct err_message *m)
{
	struct census census = { .config = c };
	int err;

	if (!c->create_store)
		return err_set(m, ERR_CONFIG,
			       "there is no store in %s, and create-store is "
			       "no: is the right file system mounted?", c->dir);
	err = io->ops->list_dir(io, c->dir, count_name, &census);
	if (err)
		return err_set(m, ERR_IO, "cannot list %s: %s", c->dir,
			       strerror(-err));
	if (census.found[0])
		return err_set(m, ERR_CONFIG,
			       "there is no store in %s, and a new one is made "
			       "only in an empty directory (found \"%s\"): set "
			       "`dir`", c->dir, census.found);
	return OK;
}
