/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * redoubt-log cat, tail and stat: what stands in the log.
 */
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "tools/redoubt_log.h"
#include "wal/cursor.h"

#define FOLLOW_PAUSE_NS 50000000
#define TRIES 50

/* Called for each batch that passes the filters. */
typedef void batch_fn(void *ctx, const struct log_options *o,
		      const struct batch_view *v);

/* What the log has. */
struct bounds {
	uint64_t first_lsn, last_lsn; /* 0: no segment is in use */
	int files;
	int wrong; /* ERR_CORRUPT: heads are, as the message says */
	struct err_message message;
};

static int find_bounds(const struct log_options *o, struct bounds *b)
{
	struct log_segment *segments = NULL;
	int i;

	*b = (struct bounds){ .first_lsn = 0 };
	b->files = log_segments(o, &segments, &b->message);
	if (b->files < 0)
		return b->files;
	for (i = 0; i < b->files; i++) {
		if (!segments[i].in_use || segments[i].wrong)
			continue;
		if (b->first_lsn == 0 || segments[i].use.base)
			b->first_lsn = segments[i].use.first_lsn;
		b->last_lsn = segments[i].last_lsn;
	}
	b->wrong = log_heads_check(o, segments, b->files, &b->message);
	mem_free(segments);
	return OK;
}

/* No segment is in use. */
static int nothing_logged(const struct log_options *o, const struct bounds *b)
{
	if (b->wrong)
		return log_fail(b->wrong, &b->message);
	if (b->files == 0 && !log_has_snapshots(o))
		return log_no_store(o);
	fprintf(stderr, "redoubt-log: nothing has been logged in %s/log\n",
		o->dir);
	return EXIT_OK;
}

static void follow_pause(void)
{
	struct timespec t = { .tv_nsec = FOLLOW_PAUSE_NS };

	fflush(stdout);
	nanosleep(&t, NULL);
}

/* The records wanted are not there, or not any more. */
static int fail_walk(const struct log_options *o, int err,
		     struct err_message *m)
{
	size_t size = strlen(m->text);

	if (err == ERR_NOT_FOUND)
		snprintf(m->text + size, sizeof(m->text) - size,
			 ". Next: redoubt-log info --dir %s", o->dir);
	return log_fail(err, m);
}

/* Who wants the batches, and what came of it. */
struct walk {
	batch_fn *each;
	void *ctx;
	bool any; /* something was given */
	struct err_message message;
};

/* Walks the log from first_lsn on. */
static int walk_log(const struct log_options *o, uint64_t first_lsn,
		    struct walk *k)
{
	struct err_message *m = &k->message;
	struct cursor_options co = {
		.io = o->io,
		.dir = o->dir,
		.first_lsn = first_lsn,
		.last_lsn = o->to_lsn,
	};
	struct wal_cursor *cursor;
	struct batch_view v;
	int err;

	/* Who does not follow wants the end looked at closely: a bound. */
	if (!o->follow && co.last_lsn == UINT64_MAX)
		co.last_lsn--;
	err = wal_cursor_open(&cursor, &co, m);
	if (err)
		return err;
	for (;;) {
		err = wal_cursor_next(cursor, &v, m);
		if (err == WAL_END && o->follow && !ferror(stdout)) {
			follow_pause();
			continue;
		}
		if (err)
			break;
		k->any = true;
		if (log_batch_wanted(o, &v))
			k->each(k->ctx, o, &v);
	}
	wal_cursor_close(cursor);
	return err;
}

/* Walks the log from --from on, or from where it begins, or with `last` through
 * its last records only. */
static int walk(const struct log_options *o, bool last, batch_fn *each,
		void *ctx)
{
	struct walk k = { .each = each, .ctx = ctx };
	struct bounds b;
	uint64_t first;
	int tries, err = OK;

	/* A log that is being written may begin elsewhere by now. */
	for (tries = 0; tries < TRIES; tries++) {
		err = find_bounds(o, &b);
		if (err)
			return log_fail(err, &b.message);
		if (b.first_lsn == 0)
			return nothing_logged(o, &b);
		first = b.first_lsn;
		if (last && b.last_lsn >= o->count &&
		    b.last_lsn - o->count + 1 > first)
			first = b.last_lsn - o->count + 1;
		if (o->from_lsn > first)
			first = o->from_lsn;
		err = walk_log(o, first, &k);
		if (err != ERR_NOT_FOUND || k.any || o->from_lsn >= first)
			break;
	}
	fflush(stdout);
	if (b.wrong && (err == WAL_END || err == ERR_CORRUPT))
		return log_fail(b.wrong, &b.message); /* that is why */
	return err == WAL_END ? EXIT_OK : fail_walk(o, err, &k.message);
}

static void put_json(struct buf *out, const struct log_options *o,
		     const struct batch_view *v, const struct record *r)
{
	buf_printf(out, "{\"lsn\":\"%u:%llu\",\"time\":\"", v->epoch,
		   (unsigned long long)r->lsn);
	log_put_time(out, v->time_ms);
	buf_put_str(out, "\",\"user\":");
	json_put_string(out, v->origin.user, SIZE_MAX);
	buf_put_str(out, ",\"client\":");
	json_put_string(out, v->origin.address, SIZE_MAX);
	buf_put_str(out, ",\"command\":");
	json_put_string(out, v->origin.command, SIZE_MAX);
	buf_put_str(out, ",");
	record_describe(out, r, o->value_max);
	buf_put_str(out, "}\n");
}

static void put_text(struct buf *out, const struct log_options *o,
		     const struct batch_view *v, const struct record *r)
{
	buf_printf(out, "%u:%llu ", v->epoch, (unsigned long long)r->lsn);
	log_put_time(out, v->time_ms);
	buf_put_byte(out, ' ');
	buf_put_slice(out, v->origin.user);
	buf_put_byte(out, '@');
	buf_put_slice(out, v->origin.address);
	buf_put_byte(out, ' ');
	buf_put_slice(out, v->origin.command);
	buf_put_str(out, "  ");
	record_describe(out, r, o->value_max);
	buf_put_byte(out, '\n');
}

static void print_batch(void *ctx, const struct log_options *o,
			const struct batch_view *v)
{
	struct batch_reader reader = batch_records(v);
	struct buf *line = ctx;
	struct record r;

	while (batch_next(&reader, &r)) {
		if (!log_record_wanted(o, &r))
			continue;
		line->size = 0;
		if (o->human)
			put_text(line, o, v, &r);
		else
			put_json(line, o, v, &r);
		fwrite(line->data, 1, line->size, stdout);
	}
}

int log_cat(const struct log_options *o)
{
	struct buf line = { 0 };
	int code = walk(o, false, print_batch, &line);

	buf_release(&line);
	return code;
}

int log_tail(const struct log_options *o)
{
	struct buf line = { 0 };
	int code = walk(o, true, print_batch, &line);

	buf_release(&line);
	return code;
}

#define COMMANDS_MAX 512

struct tally {
	char name[48];
	uint64_t batches, records, bytes;
};

struct statistics {
	uint64_t records[RECORD_TAG_MAX + 1];
	uint64_t bytes[RECORD_TAG_MAX + 1];
	uint64_t batches;
	uint64_t first_lsn, last_lsn, first_ms, last_ms;
	struct tally commands[COMMANDS_MAX];
	unsigned command_count;
};

static struct tally *tally_of(struct statistics *st, struct slice command)
{
	struct tally *t;
	unsigned i;

	for (i = 0; i < st->command_count; i++)
		if (slice_is(command, st->commands[i].name))
			return &st->commands[i];
	if (st->command_count == COMMANDS_MAX)
		return &st->commands[COMMANDS_MAX - 1];
	t = &st->commands[st->command_count++];
	snprintf(t->name, sizeof(t->name), "%.*s", (int)command.size,
		 (const char *)command.data);
	return t;
}

static void count_batch(void *ctx, const struct log_options *o,
			const struct batch_view *v)
{
	struct batch_reader reader = batch_records(v);
	struct statistics *st = ctx;
	struct tally *t = tally_of(st, v->origin.command);
	const uint8_t *before = reader.in.at;
	struct record r;

	for (; batch_next(&reader, &r); before = reader.in.at) {
		if (!log_record_wanted(o, &r))
			continue;
		st->records[r.type]++;
		st->bytes[r.type] += (uint64_t)(reader.in.at - before);
		t->records++;
		t->bytes += (uint64_t)(reader.in.at - before);
		if (st->first_lsn == 0) {
			st->first_lsn = r.lsn;
			st->first_ms = v->time_ms;
		}
		st->last_lsn = r.lsn;
		st->last_ms = v->time_ms;
	}
	st->batches++;
	t->batches++;
}

static void print_statistics(const struct log_options *o,
			     const struct statistics *st)
{
	struct buf span = { 0 };
	unsigned i;

	log_put_time(&span, st->first_ms);
	buf_put_str(&span, o->json ? "\",\"until\":\"" : " to ");
	log_put_time(&span, st->last_ms);
	buf_put_byte(&span, 0);
	printf(o->json ? "{\"batches\":%llu,\"first_lsn\":%llu,"
			 "\"last_lsn\":%llu,\"since\":\"%s\"}\n" :
			 "%llu batches, LSN %llu to %llu, %s\n",
	       (unsigned long long)st->batches,
	       (unsigned long long)st->first_lsn,
	       (unsigned long long)st->last_lsn, (const char *)span.data);
	buf_release(&span);
	for (i = 0; i <= RECORD_TAG_MAX; i++)
		if (st->records[i])
			printf(o->json ? "{\"record\":\"%s\",\"count\":%llu,"
					 "\"bytes\":%llu}\n" :
					 "record %-12s %12llu  %14llu bytes\n",
			       record_type_name(i),
			       (unsigned long long)st->records[i],
			       (unsigned long long)st->bytes[i]);
	for (i = 0; i < st->command_count; i++)
		printf(o->json ? "{\"command\":\"%s\",\"batches\":%llu,"
				 "\"records\":%llu,\"bytes\":%llu}\n" :
				 "command %-11s %12llu batches, %llu records, "
				 "%llu bytes\n",
		       st->commands[i].name,
		       (unsigned long long)st->commands[i].batches,
		       (unsigned long long)st->commands[i].records,
		       (unsigned long long)st->commands[i].bytes);
}

int log_stat(const struct log_options *o)
{
	struct statistics *st = mem_calloc(1, sizeof(*st));
	int code = walk(o, false, count_batch, st);

	if (code == EXIT_OK || st->batches > 0)
		print_statistics(o, st);
	mem_free(st);
	return code;
}
