/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The comparison after a crash: read everything, then find how many of each
 * writer's operations the store has.
 */
#include <inttypes.h>
#include <stdio.h>

#include "tests/torture/support/rig.h"

/* Acknowledgements older than this survive a power cut under everysec. */
#define EVERYSEC_WINDOW_MS 3000

/* A command with the key's name in the place of $. */
static void put_question(struct wire *w, const char *command, unsigned writer,
			 unsigned key)
{
	const char *place = strchr(command, '$');
	struct buf line = { 0 };

	buf_put(&line, command, (size_t)(place - command));
	model_key_name(&line, writer, key);
	buf_put_str(&line, place + 1);
	buf_put_byte(&line, 0);
	wire_put(w, (const char *)line.data);
	buf_release(&line);
}

/* All that is asked about a key. */
static void put_questions(struct wire *w, unsigned writer, unsigned key,
			  bool redis)
{
	const char *side = model_side_question(key);

	put_question(w, model_question(key), writer, key);
	if (side && !redis)
		put_question(w, side, writer, key);
	put_question(w, "PEXPIRETIME $", writer, key);
}

static void put_requests(struct wire *w, unsigned writer, bool redis)
{
	char command[32];

	snprintf(command, sizeof(command), "SELECT %d", WITNESS_DB);
	wire_put(w, command);
	snprintf(command, sizeof(command), "GET w%u", writer);
	wire_put(w, command);
	for (unsigned db = 0; db < 2; db++) {
		snprintf(command, sizeof(command), "SELECT %u",
			 2 * writer + db);
		wire_put(w, command);
		for (unsigned key = 0; key < MODEL_KEYS; key++)
			put_questions(w, writer, key, redis);
	}
}

/* An answer in words. False: it is none; an error may stand for no key. */
static bool read_words(struct wire *w, struct buf *words, bool or_error)
{
	struct reply p;
	bool fine;

	w->words = words;
	fine = wire_wait(w, &p) && (p.type != '-' || or_error);
	if (p.type == '-')
		words->size = 0;
	w->words = NULL;
	return fine;
}

static bool read_value(struct wire *w, struct entry *e, unsigned key)
{
	struct buf words = { 0 };
	struct reply p;
	bool fine;

	e->value.size = e->side.size = 0;
	if (model_has_words(key)) {
		fine = read_words(w, &words, key >= STREAM_FIRST);
		model_take_words(e, key, &words);
		buf_release(&words);
		e->present = true;
		return fine;
	}
	if (!wire_wait(w, &p) || (p.type != '$' && p.type != 0))
		return false;
	e->present = p.type == '$';
	if (e->present)
		model_take_string(e, key, p.text);
	return true;
}

static bool read_side(struct wire *w, struct entry *e, unsigned key)
{
	struct buf words = { 0 };
	bool fine = read_words(w, &words, false);

	model_take_side(e, key, &words);
	buf_release(&words);
	return fine;
}

static bool read_entry(struct wire *w, struct entry *e, unsigned key,
		       bool redis)
{
	struct reply p;

	if (!read_value(w, e, key))
		return false;
	if (model_side_question(key) && !redis && !read_side(w, e, key))
		return false;
	if (!wire_wait(w, &p) || p.type != ':')
		return false;
	if (p.integer == -2)
		e->present = false;
	e->deadline_low = e->deadline_high = p.integer > 0 ? p.integer : 0;
	return true;
}

static bool read_writer(struct wire *w, struct model *read, bool redis)
{
	struct reply p;

	put_requests(w, read->writer, redis);
	if (!wire_wait(w, &p) || !wire_wait(w, &p))
		return false;
	read->flushed_all = false;
	read->witness = 0;
	for (size_t i = 0; p.type == '$' && i < p.text.size; i++)
		read->witness = 10 * read->witness + p.text.data[i] - '0';
	for (unsigned i = 0; i < 2 * MODEL_KEYS; i++) {
		if (i % MODEL_KEYS == 0 && (!wire_wait(w, &p) || p.type != '+'))
			return false;
		if (!read_entry(w, &read->entries[i / MODEL_KEYS]
						 [i % MODEL_KEYS],
				i % MODEL_KEYS, redis))
			return false;
	}
	return true;
}

static bool read_sizes(struct wire *w, uint64_t sizes[DATABASES])
{
	struct reply p;
	char command[16];

	for (unsigned db = 0; db < DATABASES; db++) {
		snprintf(command, sizeof(command), "SELECT %u", db);
		wire_put(w, command);
		wire_put(w, "DBSIZE");
	}
	for (unsigned db = 0; db < DATABASES; db++) {
		if (!wire_wait(w, &p) || !wire_wait(w, &p) || p.type != ':')
			return false;
		sizes[db] = (uint64_t)p.integer;
	}
	return true;
}

static bool read_store(struct rig *r, uint64_t sizes[DATABASES],
		       struct read_time *t)
{
	struct wire w = { .fd = -1 };
	bool fine = wire_open(&w, r->server.socket);

	t->from_ms = wall_ms();
	for (unsigned i = 0; fine && i < WRITERS_MAX; i++) {
		fine = read_writer(&w, &r->writers[i].read, r->server.redis);
		r->counts.values += 2 * MODEL_KEYS;
	}
	fine = fine && read_sizes(&w, sizes);
	t->to_ms = wall_ms();
	if (!fine) {
		fprintf(stderr, "WRONG: the store could not be read\n");
		process_show_log(&r->server);
		r->counts.wrong++;
	}
	wire_release(&w);
	return fine;
}

/* With j operations from `from` on, m equals what was read: that j, or -1. */
static int64_t find_prefix(const struct writer *w, struct model *m, size_t from,
			   const struct read_time *t)
{
	unsigned place = 0;

	for (size_t j = from;; j++) {
		if (model_agrees(m, &w->read, t, &place))
			return (int64_t)j;
		if (j == w->op_count)
			return -1;
		model_exec(m, &w->ops[j], NULL);
	}
}

/* How many operations must have survived. */
static size_t must_survive(const struct rig *r, const struct writer *w)
{
	size_t must = w->acked_at_cut;

	if (!r->options.power || !r->cut)
		return w->acked;
	if (strcmp(r->options.level, "always") == 0)
		return must;
	if (strcmp(r->options.level, "no") == 0)
		return w->synced_at_cut;
	while (must > w->synced_at_cut && w->ops[must - 1].acked_ms >
	       r->crash_ms - EVERYSEC_WINDOW_MS)
		must--;
	return must;
}

/* The number of operations, from `from` on, after which least differs. */
static size_t nearest(struct writer *w, size_t from,
		      const struct read_time *t)
{
	unsigned least = UINT32_MAX;
	size_t near = from;

	model_copy(&w->live, &w->base);
	for (size_t j = 0;; j++) {
		unsigned n = model_differences(&w->live, &w->read, t);

		if (j >= from && n < least) {
			least = n;
			near = j;
		}
		if (j == w->op_count)
			return near;
		model_exec(&w->live, &w->ops[j], NULL);
	}
}

static void report_lost(struct rig *r, struct writer *w, size_t must,
			const struct read_time *t)
{
	struct model *m = &w->live; /* no longer needed */
	unsigned place = 0;
	struct buf text = { 0 };
	int64_t found;
	size_t near;

	model_copy(m, &w->base);
	found = find_prefix(w, m, 0, t);
	if (found >= 0) {
		r->counts.lost += must - (size_t)found;
		fprintf(stderr, "LOST: writer %u: %zu operations must be there"
			" (%zu acknowledged, %zu sent), the store has the "
			"first %" PRId64 "; the next is %s, acknowledged %"
			PRId64 " ms after the crash\n", m->writer, must,
			w->acked, w->op_count, found,
			op_name(&w->ops[found]),
			w->ops[found].acked_ms - r->crash_ms);
	} else {
		r->counts.wrong++;
		fprintf(stderr, "WRONG: writer %u: the store is as after none "
			"of %zu operations (%zu acknowledged, %zu must be "
			"there)\n", m->writer, w->op_count, w->acked, must);
	}
	near = nearest(w, must, t);
	model_copy(m, &w->base);
	for (size_t j = 0; j < near; j++)
		model_exec(m, &w->ops[j], NULL);
	model_agrees(m, &w->read, t, &place);
	model_describe(&text, m, &w->read, place);
	fprintf(stderr, "  nearest is %zu with %u differences: %.*s\n", near,
		model_differences(m, &w->read, t), (int)text.size,
		(const char *)text.data);
	buf_release(&text);
}

/* Finds the point at which w stands; everything starts afresh from there. */
static bool settle(struct rig *r, struct writer *w, const struct read_time *t)
{
	size_t must = must_survive(r, w);
	int64_t found = -1;

	if (must < w->acked) { /* a power cut that may lose some */
		model_copy(&w->live, &w->base);
		for (size_t j = 0; j < must; j++)
			model_exec(&w->live, &w->ops[j], NULL);
	}
	found = find_prefix(w, &w->live, must, t);
	if (found < 0) {
		report_lost(r, w, must, t);
		return false;
	}
	if ((size_t)found > w->acked)
		r->counts.survived += (size_t)found - w->acked;
	else
		r->counts.lost_allowed += w->acked - (size_t)found;
	model_pin(&w->live, &w->read);
	w->op_count = w->acked = w->synced = 0;
	w->sent_at_cut = w->acked_at_cut = w->synced_at_cut = 0;
	return true;
}

/* A flush of everything shows in the databases of the idle writers. */
static void note_flush(struct rig *r, const uint64_t sizes[DATABASES])
{
	struct writer *only = &r->writers[r->order[0]];
	uint64_t others = 0;

	for (unsigned db = 0; db < 2 * WRITERS_MAX; db++)
		if (db / 2 != only->live.writer)
			others += sizes[db];
	only->read.flushed_all = others == 0;
}

static bool check_seen(struct rig *r)
{
	bool fine = true;

	/* Under the weaker levels a reply needs only the write. */
	if (r->options.power && strcmp(r->options.level, "always") != 0)
		return true;
	for (unsigned i = 0; i < WRITERS_MAX; i++) {
		int64_t has = r->writers[i].live.witness;

		if (r->seen[i] <= has)
			continue;
		r->counts.wrong++;
		fine = false;
		fprintf(stderr, "EXPOSED: a reader saw w%u = %" PRId64
			", the store has %" PRId64 "\n", i, r->seen[i], has);
	}
	memset(r->seen, 0, sizeof(r->seen));
	return fine;
}

static bool check_sizes(struct rig *r, const uint64_t sizes[DATABASES],
			const struct read_time *t)
{
	for (unsigned db = 0; db < DATABASES; db++) {
		uint64_t count[2] = { 0, 0 };

		for (unsigned i = 0; i < WRITERS_MAX; i++)
			if (db == WITNESS_DB)
				count[0] += r->writers[i].live.witness != 0;
		if (db < 2 * WRITERS_MAX)
			model_count(&r->writers[db / 2].live, db % 2, t,
				    count);
		else
			count[1] = count[0];
		if (sizes[db] >= count[0] && sizes[db] <= count[1])
			continue;
		r->counts.wrong++;
		fprintf(stderr, "WRONG: db %u has %" PRIu64 " keys, expected %"
			PRIu64 " to %" PRIu64 "\n", db, sizes[db], count[0],
			count[1]);
		return false;
	}
	return true;
}

bool rig_verify(struct rig *r)
{
	uint64_t sizes[DATABASES];
	struct read_time t;
	bool fine = true;

	if (!read_store(r, sizes, &t))
		return false;
	if (r->may_flush_all)
		note_flush(r, sizes);
	r->may_flush_all = false;
	for (unsigned i = 0; i < WRITERS_MAX; i++) {
		struct writer *w = &r->writers[r->order[i]];

		fine &= settle(r, w, &t);
		if (fine && w->live.flushed_all)
			for (unsigned k = 1; k < WRITERS_MAX; k++)
				model_clear(&r->writers[r->order[k]].live);
		w->live.flushed_all = false;
	}
	if (!fine)
		return false;
	for (unsigned i = 0; i < WRITERS_MAX; i++)
		model_copy(&r->writers[i].base, &r->writers[i].live);
	return check_seen(r) && check_sizes(r, sizes, &t);
}
