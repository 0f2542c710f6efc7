/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/fuzz/engine.h"

#include <stdlib.h>

#include "base/logline.h"
#include "base/mem.h"

static struct fuzz_engine stays;

static void start(struct fuzz_engine *f)
{
	static const struct engine_host host;
	struct err_message m;

	log_open("", LOG_LEVEL_NOTHING);
	commands_init();
	f->sim = sim_new(1);
	sim_io(f->sim)->ops->mkdir(sim_io(f->sim), "store");
	f->config = config_new();
	mem_free(f->config->dir);
	f->config->dir = mem_strdup("store");
	f->config->appendonly = false;
	f->engine = engine_new(f->config, sim_io(f->sim), &host);
	f->engine->threads = false;
	if (engine_recover(f->engine, &m) != OK)
		abort();
}

static void stop(struct fuzz_engine *f)
{
	struct err_message m;

	if (engine_stop(f->engine, false, &m) != OK)
		abort();
	engine_free(f->engine);
	config_free(f->config);
	sim_free(f->sim);
	buf_release(&f->out);
	f->engine = NULL;
}

static void begin_session(struct fuzz_engine *f, unsigned flags)
{
	f->engine->pause_until_us = 0;
	f->out.size = 0;
	f->session = (struct session){ .flags = flags,
				       .protocol = 2,
				       .out = &f->out };
	engine_add_session(f->engine, &f->session);
}

static void end_session(struct fuzz_engine *f)
{
	engine_remove_session(f->engine, &f->session);
	mem_free(f->session.name);
	mem_free(f->session.lib_name);
	mem_free(f->session.lib_version);
}

struct fuzz_engine *fuzz_engine_begin(unsigned flags)
{
	if (!stays.engine)
		start(&stays);
	begin_session(&stays, flags);
	engine_clock(stays.engine);
	return &stays;
}

bool fuzz_execute(struct fuzz_engine *f, const struct slice *argv,
		  unsigned argc)
{
	struct parsed_command p = { .argv = argv, .argc = argc,
				    .db = f->session.db };

	engine_prefetch(f->engine, &p, 1);
	return engine_execute(f->engine, &f->session, &p);
}

void fuzz_engine_end(struct fuzz_engine *f, bool last)
{
	static const struct slice flush = SLICE_LITERAL("flushall");

	keyspace_check(&f->engine->ks);
	end_session(f);
	begin_session(f, SESSION_INTERNAL);
	if (!fuzz_execute(f, &flush, 1))
		abort();
	while (keyspace_bury(&f->engine->ks, 1024))
		;
	if (keyspace_count(&f->engine->ks) != 0)
		abort();
	engine_turn(f->engine, true, true);
	end_session(f);
	if (last)
		stop(f);
}

struct slice fuzz_own_copy(struct slice s)
{
	uint8_t *copy = malloc(s.size ? s.size : 1);

	if (!copy)
		abort();
	if (s.size)
		memcpy(copy, s.data, s.size);
	return slice_of(copy, s.size);
}
