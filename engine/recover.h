/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The store's directory as the engine opens it: lock, creation, snapshot,
 * replay.  engine_recover (engine/engine.h) is the way in.  Engine thread.
 */
#ifndef REDOUBT_ENGINE_RECOVER_H
#define REDOUBT_ENGINE_RECOVER_H

#include "base/err.h"
#include "base/io.h"
#include "engine/config.h"

#define STORE_LOCK_NAME "redoubt.lock"

struct store_lock;

/* Makes the directory if it is missing, refuses one that others may write to,
 * and locks it. OK, ERR_IO, ERR_CONFIG or ERR_LOCKED; m explains. */
int store_lock(struct store_lock **out, struct io *io, const char *dir,
	       struct err_message *m);

/* Gives the directory free; lock may be NULL. */
void store_unlock(struct store_lock *lock);

/* Whether a new store may be made in c->dir: create-store says so, and nothing
 * lies there that could be data. OK, ERR_CONFIG or ERR_IO. */
int store_may_create(struct io *io, const struct config *c,
		     struct err_message *m);

#endif
