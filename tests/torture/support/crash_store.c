/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/torture/support/crash_store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/support/shapes.h"

/* Observers get the engine alone; a worker has one trace at a time. */
static struct crash_store *watched;

/* --- what was ------------------------------------------------------------ */

static int key_number(struct slice key)
{
	int n = 0;
	size_t i;

	for (i = 1; i < key.size; i++)
		n = n * 10 + (key.data[i] - '0');
	return key.size > 1 && n < CRASH_KEYS ? n : -1;
}

static void change(struct crash_store *s, uint64_t db, struct slice key,
		   uint64_t lsn)
{
	int n = key_number(key);

	if (n >= 0 && db < CRASH_DBS)
		s->changed[db][n] = lsn;
}

static void note_record(struct engine *e, const struct record *r)
{
	struct crash_store *s = watched;

	assert(s != NULL && s->engine == e);
	if (r->key.size == 0)
		s->changed_all = r->lsn;
	change(s, r->db, r->key, r->lsn);
	change(s, r->other_db, r->other, r->lsn);
	/* The batch has no end yet: its last record's state is its state. */
	if (!s->batch_open)
		s->state_count++;
	assert(s->state_count <= CRASH_STATES_MAX);
	s->batch_open = true;
	s->states[s->state_count - 1] = (struct crash_state){
		.lsn = r->lsn,
		.digest = digest_keyspace(&e->ks),
	};
}

static void note_batch(struct engine *e)
{
	(void)e;
	watched->batch_open = false;
}

static const struct observer observer = {
	.name = "crash",
	.note = note_record,
	.act = note_batch,
};

static const struct crash_state *state_at(const struct crash_store *s,
					  uint64_t lsn)
{
	size_t low = 0, high = s->state_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (s->states[middle].lsn < lsn)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < s->state_count && s->states[low].lsn == lsn)
		return &s->states[low];
	return NULL;
}

static bool same(struct hash128 a, struct hash128 b)
{
	return a.low == b.low && a.high == b.high;
}

static void forget(struct crash_store *s, uint64_t lsn)
{
	while (s->states[s->state_count - 1].lsn > lsn)
		s->state_count--;
	s->bounds.appended_lsn = lsn;
	s->batch_open = false;
	s->reply_count = 0;
	s->changed_all = lsn;
	memset(s->changed, 0, sizeof(s->changed));
}

/* --- life ---------------------------------------------------------------- */

static void set(struct config *c, const char *line)
{
	struct buf warnings = { 0 };
	struct err_message m;
	int err = config_set_line(c, slice_str(line), &warnings, &m);

	assert(err == OK);
	buf_release(&warnings);
}

static const char *const limits[] = {
	"hash-max-listpack-entries 5", "list-max-listpack-size 4",
	"set-max-listpack-entries 5",  "set-max-intset-entries 5",
	"zset-max-listpack-entries 5", "stream-node-max-entries 4",
	"hll-sparse-max-bytes 64",
};

static struct config *new_config(int64_t segment_size, int64_t rewrite)
{
	struct config *c = config_new();
	size_t i;

	/* Small collections have few elements here: some shall be big. */
	for (i = 0; i < ARRAY_LEN(limits); i++)
		set(c, limits[i]);

	mem_free(c->dir);
	c->dir = mem_strdup(CRASH_STORE);
	set(c, "databases 2");
	c->save_count = 0;
	c->segment_size = segment_size;
	c->rewrite_min_size = rewrite;
	c->recovery_target_s = 0;
	c->snapshot_level = 1;
	return c;
}

struct crash_store *crash_store_new(struct crash_run *run)
{
	struct crash_store *s = malloc(sizeof(*s));
	int64_t size = 65536;
	int64_t rewrite = crash_below(run, 4) ? INT64_MAX : 40000;

	assert(s != NULL);
	commands_init();
	memset(s, 0, offsetof(struct crash_store, states));
	s->config = new_config(size, rewrite);
	s->checks = new_config(size, rewrite);
	s->states[0] = (struct crash_state){ 0 };
	s->state_count = 1;
	return s;
}

void crash_store_free(struct crash_store *s)
{
	crash_store_abandon(s);
	config_free(s->config);
	config_free(s->checks);
	buf_release(&s->out);
	buf_release(&s->read);
	free(s);
}

void crash_store_disk(struct crash_run *run)
{
	struct io *io;

	run->sim = sim_new(run->seed);
	io = sim_io(run->sim);
	io->ops->mkdir(io, CRASH_STORE);
	io->ops->sync_dir(io, "");
	sim_refuse(run->sim, crash_below(run, 4) == 0,
		   crash_below(run, 4) == 0);
}

static void note_fatal(void *ctx, int exit_code, const char *message)
{
	struct crash_store *s = ctx;

	assert(exit_code == EXIT_IO);
	s->fatal = true;
	snprintf(s->fatal_text, sizeof(s->fatal_text), "%s", message);
}

static struct engine *new_engine(struct crash_store *s, struct config *c,
				 struct sim *disk)
{
	const struct engine_host host = { .fatal = note_fatal, .ctx = s };
	struct engine *e = engine_new(c, sim_io(disk), &host);

	e->threads = false;
	return e;
}

static void add_session(struct engine *e, struct session *session,
			struct buf *out)
{
	*session = (struct session){ .out = out };
	snprintf(session->address, sizeof(session->address), "test:1");
	engine_add_session(e, session);
	out->size = 0;
}

bool crash_store_open(struct crash_run *run, struct crash_store *s,
		      struct sim *disk)
{
	const struct crash_state *state;
	struct err_message m;
	uint64_t lsn;
	int err;

	s->fatal = false;
	s->engine = new_engine(s, s->config, disk);
	err = engine_recover(s->engine, &m);
	if (err) {
		engine_free(s->engine);
		s->engine = NULL;
		if (!run->faulty || err != ERR_IO)
			crash_fail(run, "engine_recover: %d %s", err, m.text);
		return false;
	}
	lsn = s->engine->ks.applied_lsn;
	state = state_at(s, lsn);
	if (state == NULL || lsn < s->bounds.durable_lsn ||
	    !same(state->digest, digest_keyspace(&s->engine->ks)))
		crash_fail(run, "started at LSN %llu, durable %llu: %s",
			   (unsigned long long)lsn,
			   (unsigned long long)s->bounds.durable_lsn,
			   state != NULL ? "another state" : "no such state");
	forget(s, lsn);
	s->snapshots = 0;
	watched = s;
	observe(&s->engine->observers, &observer);
	add_session(s->engine, &s->writer, &s->out);
	add_session(s->engine, &s->reader, &s->read);
	crash_store_note(s);
	return !run->failed;
}

static void leave(struct crash_store *s)
{
	engine_remove_session(s->engine, &s->writer);
	engine_remove_session(s->engine, &s->reader);
}

void crash_store_abandon(struct crash_store *s)
{
	if (s->engine == NULL)
		return;
	leave(s);
	engine_free(s->engine);
	s->engine = NULL;
}

bool crash_store_close(struct crash_run *run, struct crash_store *s,
		       bool save)
{
	bool log = wal_level(s->engine->wal) != WAL_OFF;
	struct err_message m = { { 0 } };
	int err;

	keyspace_check(&s->engine->ks);
	leave(s);
	err = engine_stop(s->engine, save, &m);
	if (err == OK && (log || save)) {
		uint64_t last = s->states[s->state_count - 1].lsn;

		s->bounds.durable_lsn = last;
		s->bounds.written_lsn = last;
	}
	if (err && (!run->faulty || err != ERR_IO))
		crash_fail(run, "engine_stop: %d %s", err, m.text);
	engine_free(s->engine);
	s->engine = NULL;
	return err == OK;
}

/* --- positions ----------------------------------------------------------- */

static void raise(uint64_t *to, uint64_t lsn)
{
	if (lsn > *to)
		*to = lsn;
}

/* Replies whose gate is open have left. */
static void send_replies(struct crash_store *s, enum wal_level level)
{
	uint64_t released = engine_release_lsn(s->engine);
	size_t i, kept = 0;

	for (i = 0; i < s->reply_count; i++) {
		const struct crash_reply *r = &s->replies[i];

		if (r->gate > released) {
			s->replies[kept++] = *r;
			continue;
		}
		if (level == WAL_OFF)
			continue;
		raise(&s->bounds.written_lsn, r->lsn);
		if (level == WAL_ALWAYS)
			raise(&s->bounds.durable_lsn, r->lsn);
	}
	s->reply_count = kept;
}

static bool serves(const struct crash_store *s)
{
	const struct engine *e = s->engine;

	return e != NULL && e->phase == ENGINE_SERVING && e->wal != NULL &&
	       !s->fatal;
}

/* Asks the disk nothing: it is in the middle of a call. */
struct crash_bounds crash_store_bounds(struct crash_store *s)
{
	struct engine *e = s->engine;
	enum wal_level level;

	s->bounds.appended_lsn = s->states[s->state_count - 1].lsn;
	if (!serves(s))
		return s->bounds;
	level = wal_level(e->wal);
	send_replies(s, level);
	if (level != WAL_OFF) {
		raise(&s->bounds.durable_lsn, e->position->durable_lsn);
		raise(&s->bounds.written_lsn, e->position->written_lsn);
	} else {
		s->switched = true;
	}
	return s->bounds;
}

void crash_store_note(struct crash_store *s)
{
	struct snapshotter_status st;

	crash_store_bounds(s);
	if (!serves(s))
		return;
	snapshotter_status(s->engine, &st);
	s->snapshots = st.completed;
	raise(&s->bounds.durable_lsn, st.last_lsn);
	raise(&s->bounds.written_lsn, s->bounds.durable_lsn);
}

/* --- commands ------------------------------------------------------------ */

static void push_reply(struct crash_store *s, uint64_t gate, uint64_t lsn)
{
	if (s->reply_count == CRASH_REPLIES_MAX)
		s->reply_count--; /* one that is not looked at */
	s->replies[s->reply_count++] = (struct crash_reply){ gate, lsn };
}

static bool execute(struct engine *e, struct session *session,
		    const char *line)
{
	static struct slice argv[SHAPE_WORDS_MAX];
	struct parsed_command p = { .argv = argv, .db = session->db };

	p.argc = shape_split(line, argv);
	engine_prefetch(e, &p, 1);
	return engine_execute(e, session, &p);
}

const char *crash_store_run(struct crash_store *s, const char *line)
{
	struct engine *e = s->engine;
	uint64_t last = e->position->last_lsn;

	s->out.size = 0;
	buf_reserve(&s->out, 64);
	s->out.data[0] = 0;
	if (s->writer.flags & SESSION_PARKED)
		return "";
	if (!execute(e, &s->writer, line))
		return "";
	if (e->position->last_lsn > last)
		push_reply(s, s->writer.gate, e->position->last_lsn);
	buf_put_byte(&s->out, 0);
	return (const char *)s->out.data;
}

static uint64_t below(void *ctx, uint64_t n)
{
	return crash_below(ctx, n);
}

void crash_store_random(struct crash_run *run, struct crash_store *s,
			size_t size_max)
{
	struct shape_maker m = { .below = below,
				 .ctx = run,
				 .keys = CRASH_KEYS / SHAPE_FAMILIES,
				 .members = 12,
				 .run_max = 1 + (unsigned)size_max / 16,
				 .size_max = size_max,
				 .now_ms = s->engine->now_ms };
	struct buf line = { 0 };

	shape_put(&m, &line);
	crash_store_run(s, (const char *)line.data);
	buf_release(&line);
}

void crash_store_read(struct crash_run *run, struct crash_store *s)
{
	unsigned key = (unsigned)crash_below(run, CRASH_KEYS);
	uint64_t lsn = s->changed[0][key];
	char line[32];

	s->read.size = 0;
	snprintf(line, sizeof(line), "exists k%u", key);
	if (!execute(s->engine, &s->reader, line))
		return;
	raise(&lsn, s->changed_all);
	push_reply(s, s->reader.gate, lsn);
}

void crash_store_turn(struct crash_store *s, struct sim *disk, uint64_t us,
		      bool idle)
{
	sim_advance_us(disk, us);
	engine_clock(s->engine);
	engine_turn(s->engine, idle, true);
	crash_store_note(s);
}

/* --- the check ----------------------------------------------------------- */

struct search {
	const char *end;
	bool found;
};

static void look(void *ctx, const char *name)
{
	struct search *search = ctx;
	size_t size = strlen(name), tail = strlen(search->end);

	if (size >= tail && strcmp(name + size - tail, search->end) == 0)
		search->found = true;
}

bool crash_store_has(struct sim *disk, const char *end)
{
	struct search search = { .end = end };
	struct io *io = sim_io(disk);

	io->ops->list_dir(io, CRASH_STORE "/snap", look, &search);
	return search.found;
}

/* What a recovered engine has, against what was. */
static void compare(struct crash_run *run, struct crash_store *s,
		    const struct engine *e, uint64_t least, uint64_t most)
{
	uint64_t lsn = e->ks.applied_lsn;
	const struct crash_state *state = state_at(s, lsn);

	if (lsn < least || lsn > most)
		crash_fail(run, "recovered to LSN %llu, not within %llu, %llu",
			   (unsigned long long)lsn, (unsigned long long)least,
			   (unsigned long long)most);
	else if (state == NULL)
		crash_fail(run, "recovered to LSN %llu: not the end of a batch",
			   (unsigned long long)lsn);
	else if (!same(state->digest, digest_keyspace(&e->ks)))
		crash_fail(run, "recovered to LSN %llu: not its state",
			   (unsigned long long)lsn);
	keyspace_check(&e->ks);
	wal_check(e->wal);
}

bool crash_store_check(struct crash_run *run, struct crash_store *s,
		       struct sim *disk, const struct crash_bounds *b,
		       struct engine **out)
{
	uint64_t least = run->process ? b->written_lsn : b->durable_lsn;
	struct engine *e;
	struct err_message m;
	int err;

	s->checks->appendonly = s->config->appendonly;
	s->checks->appendfsync = s->config->appendfsync;
	e = new_engine(s, s->checks, disk);
	err = engine_recover(e, &m);
	if (err == ERR_IO && sim_is_limited(disk) && least == 0) {
		/* No room to begin a store: with room it starts. */
		engine_free(e);
		sim_limit(disk, 0);
		e = new_engine(s, s->checks, disk);
		err = engine_recover(e, &m);
	}
	if (err == OK) {
		compare(run, s, e, least, b->appended_lsn);
	} else if (run->damaged && err == ERR_CORRUPT) {
		run->stats->refused++;
	} else if (!run->faulty || err != ERR_IO) {
		crash_fail(run, "engine_recover: %d %s", err, m.text);
	}
	if (err == OK && out != NULL) {
		*out = e;
	} else {
		engine_free(e);
	}
	return err == OK && !run->failed;
}
