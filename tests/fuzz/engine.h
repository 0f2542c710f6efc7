/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine of the targets that execute commands: a bare one, which stays
 * from one input to the next and is emptied in between, since to start one
 * takes longer than most inputs.
 */
#ifndef REDOUBT_TESTS_FUZZ_ENGINE_H
#define REDOUBT_TESTS_FUZZ_ENGINE_H

#include "engine/engine.h"
#include "tests/support/sim_io.h"

/* Without a log, without threads. */
struct fuzz_engine {
	struct sim *sim;
	struct config *config;
	struct engine *engine;
	struct session session;
	struct buf out; /* replies */
};

/* The engine, empty, with a session that is new; flags of enum
 * session_flags. */
struct fuzz_engine *fuzz_engine_begin(unsigned flags);

/* Executes a command; its reply is appended to f->out. False: the session
 * waits, or is to be closed. */
bool fuzz_execute(struct fuzz_engine *f, const struct slice *argv,
		  unsigned argc);

/* After an input: everything is checked and removed. last: the next input gets
 * another engine. */
void fuzz_engine_end(struct fuzz_engine *f, bool last);

/* A copy in a block of just its size, so that reading behind it is seen; for
 * free(). */
struct slice fuzz_own_copy(struct slice s);

#endif
