/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/bare.h"

#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "engine/keyspace.h"
#include "tests/support/sim_io.h"

#define WORDS_MAX 32

/* Observers get the engine alone; a test has one bare engine at a time. */
static struct bare *watched;

static void note(struct engine *e, const struct record *r)
{
	struct bare *b = watched;

	(void)e;
	if (b->record_count < BARE_RECORDS_MAX)
		b->records[b->record_count] = (struct bare_record){
			.type = r->type,
			.cause = r->cause,
			.value_size = r->value.size,
			.offset = r->offset,
			.deadline = r->deadline,
		};
	b->record_count++;
}

static void make_store(struct bare *b)
{
	struct io *io = sim_io(b->sim);

	io->ops->mkdir(io, "store");
	mem_free(b->config->dir);
	b->config->dir = mem_strdup("store");
	b->config->appendonly = false;
}

struct bare *bare_new(void)
{
	static const struct observer observer = { "bare", note, NULL, NULL };
	static const struct engine_host host;
	struct bare *b = mem_calloc(1, sizeof(*b));
	struct err_message m;

	commands_init();
	watched = b;
	b->sim = sim_new(1);
	b->config = config_new();
	make_store(b);
	b->engine = engine_new(b->config, sim_io(b->sim), &host);
	b->engine->threads = false;
	observe(&b->engine->observers, &observer);
	ck_assert_msg(engine_recover(b->engine, &m) == OK, "%s", m.text);
	b->session.out = &b->out;
	b->session.flags = SESSION_INTERNAL;
	engine_add_session(b->engine, &b->session);
	return b;
}

void bare_free(struct bare *b)
{
	struct err_message m;

	keyspace_check(&b->engine->ks);
	engine_remove_session(b->engine, &b->session);
	ck_assert_msg(engine_stop(b->engine, false, &m) == OK, "%s", m.text);
	engine_free(b->engine);
	config_free(b->config);
	sim_free(b->sim);
	buf_release(&b->out);
	mem_free(b);
}

struct slice bare_call(struct bare *b, const struct slice *argv, unsigned argc)
{
	struct parsed_command p = { .argv = argv, .argc = argc };

	b->out.size = 0;
	b->record_count = 0;
	engine_clock(b->engine);
	ck_assert(engine_execute(b->engine, &b->session, &p));
	engine_turn(b->engine, false, true);
	buf_put_byte(&b->out, 0);
	return slice_of(b->out.data, b->out.size - 1);
}

const char *bare_run(struct bare *b, const char *text)
{
	struct slice argv[WORDS_MAX];
	unsigned argc = 0;

	while (*text) {
		size_t size = strcspn(text, " ");

		ck_assert(argc < WORDS_MAX);
		if (size)
			argv[argc++] = slice_of(text, size);
		text += size + (text[size] == ' ');
	}
	return (const char *)bare_call(b, argv, argc).data;
}

void bare_set(struct bare *b, const char *key, struct slice value)
{
	struct slice argv[3] = { SLICE_LITERAL("SET"), slice_str(key), value };
	struct slice reply = bare_call(b, argv, 3);

	ck_assert_str_eq((const char *)reply.data, "+OK\r\n");
}

void bare_get(struct bare *b, const char *key, struct buf *out)
{
	struct slice argv[2] = { SLICE_LITERAL("GET"), slice_str(key) };
	struct slice reply = bare_call(b, argv, 2);
	const char *end;
	size_t size;

	ck_assert_int_eq(reply.data[0], '$');
	size = strtoul((const char *)reply.data + 1, (char **)&end, 10);
	ck_assert_uint_eq((size_t)((const uint8_t *)end + 4 - reply.data) +
				  size,
			  reply.size);
	buf_put(out, end + 2, size);
}

int64_t bare_number(struct bare *b, const char *text)
{
	const char *reply = bare_run(b, text);

	ck_assert_msg(reply[0] == ':', "%s: %s", text, reply);
	return strtoll(reply + 1, NULL, 10);
}
