/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/torture/support/rig.h"

#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"

/* The worst moment for a crash: a reader has just seen what its writer has no
 * acknowledgement of. One that comes so late ends the round. */
#define LATE_US 20000

void rig_init(struct rig *r, const struct rig_options *o)
{
	*r = (struct rig){ .options = *o, .random = { o->seed } };
	r->reader.fd = -1;
	process_init(&r->server, o->binary, o->dir);
	for (unsigned i = 0; i < WRITERS_MAX; i++) {
		r->order[i] = i;
		r->writers[i].wire.fd = -1;
		model_init(&r->writers[i].base, i);
		model_init(&r->writers[i].live, i);
		model_init(&r->writers[i].read, i);
	}
}

void rig_release(struct rig *r)
{
	for (unsigned i = 0; i < WRITERS_MAX; i++) {
		struct writer *w = &r->writers[i];

		wire_release(&w->wire);
		model_release(&w->base);
		model_release(&w->live);
		model_release(&w->read);
		mem_free(w->ops);
	}
	wire_release(&r->reader);
	buf_release(&r->expect.bulk);
}

bool rig_start(struct rig *r)
{
	static const unsigned sizes[] = { 64 << 10, 128 << 10, 256 << 10,
					  1 << 20 };
	uint64_t start_us = clock_us(), us;
	struct buf text = { 0 };
	bool ready;

	if (r->segment_size == 0 || random_below(&r->random, 8) == 0)
		r->segment_size = sizes[random_below(&r->random, 4)];
	process_start(&r->server, &(struct process_options){
		.level = r->options.level, .segment_size = r->segment_size });
	ready = process_ready(&r->server);
	us = clock_us() - start_us;
	r->counts.starts++;
	r->counts.start_us_sum += us;
	if (us > r->counts.start_us_max)
		r->counts.start_us_max = us;
	if (ready)
		return true;
	r->counts.false_alarms++;
	process_describe(&text, &r->server);
	fprintf(stderr, "FALSE ALARM: the server does not start: %.*s\n",
		(int)text.size, (const char *)text.data);
	process_show_log(&r->server);
	buf_release(&text);
	return false;
}

/* --- writing ------------------------------------------------------------- */

static bool any_certain_key(const struct model *m)
{
	for (unsigned i = 0; i < 2 * MODEL_KEYS; i++)
		if (i % MODEL_KEYS < SHORT_FIRST &&
		    m->entries[i / MODEL_KEYS][i % MODEL_KEYS].present)
			return true;
	return false;
}

/* Who takes part, and how deep the pipelines are. */
static bool begin_round(struct rig *r)
{
	struct random *x = &r->random;

	for (unsigned i = WRITERS_MAX - 1; i > 0; i--) {
		unsigned j = (unsigned)random_below(x, i + 1);
		unsigned other = r->order[j];

		r->order[j] = r->order[i];
		r->order[i] = other;
	}
	r->active = random_below(x, 4) == 0 ? 1 :
		    2 + (unsigned)random_below(x, WRITERS_MAX - 1);
	r->may_flush_all = false;
	for (unsigned i = 1; r->active == 1 && i < WRITERS_MAX; i++)
		r->may_flush_all |= any_certain_key(
			&r->writers[r->order[i]].live);
	r->ending = r->cut = r->died = false;
	r->crash_ms = 0;
	memset(r->seen, 0, sizeof(r->seen));
	for (unsigned i = 0; i < r->active; i++) {
		struct writer *w = &r->writers[r->order[i]];

		if (!wire_open(&w->wire, r->server.socket))
			return false;
		w->selected = 0;
		w->depth = random_below(x, 3) == 0 ? 1 :
			   1 + (unsigned)random_below(x, 1u <<
				random_below(x, 7));
	}
	r->reader_next = 0;
	if (r->may_flush_all || random_below(x, 2) == 0)
		return true;
	if (!wire_open(&r->reader, r->server.socket))
		return false;
	wire_put(&r->reader, "SELECT 14"); /* WITNESS_DB */
	return true;
}

static void send_more(struct rig *r, struct writer *w, int64_t now_ms)
{
	struct op_choice choice = {
		.live = &w->live,
		.may_flush_all = r->may_flush_all,
		.redis = r->server.redis,
		.switch_level = r->options.switch_level,
	};

	while (w->op_count - w->acked < w->depth) {
		struct op *op;

		if (w->op_count == w->op_capacity) {
			w->op_capacity = 2 * w->op_capacity + 256;
			w->ops = mem_realloc_array(w->ops, w->op_capacity,
						   sizeof(*w->ops));
		}
		choice.unsettled = w->op_count - w->acked;
		choice.last = w->op_count ? &w->ops[w->op_count - 1] : NULL;
		op = &w->ops[w->op_count++];
		op->sent_ms = now_ms;
		choice.number = ++r->number;
		op_choose(op, &r->random, &choice);
		op_encode(&w->wire.out, op, w->live.writer, &w->selected);
	}
}

static bool reply_fits(const struct expect *e, const struct reply *p)
{
	switch (e->type) {
	case EXPECT_ANY: return true;
	case EXPECT_OK: return p->type == '+' && slice_is(p->text, "OK");
	case EXPECT_INTEGER:
		return p->type == ':' && p->integer == e->integer;
	case EXPECT_BULK:
		return p->type == '$' &&
		       slice_equal(p->text, buf_slice(&e->bulk));
	case EXPECT_NIL: return p->type == 0;
	case EXPECT_ERROR: return p->type == '-';
	case EXPECT_SCALARS:
		return p->type != '-' && p->scalars == e->integer;
	case EXPECT_SYNCED: return p->scalars == 2 && p->first >= 0;
	}
	return false;
}

static void report_reply(const struct writer *w, const struct op *op,
			 const struct expect *e, const struct reply *p)
{
	fprintf(stderr, "WRONG REPLY: writer %u, op %" PRIx64 " %s key %u %u "
		"size %u amount %" PRId64 ": got %c%.*s, expected type %d "
		"integer %" PRId64 " bulk of %zu bytes\n", w->live.writer,
		op->number, op_name(op), op->key, op->key2, op->size,
		op->amount, p->type ? p->type : '_',
		(int)(p->text.size > 60 ? 60 : p->text.size),
		(const char *)p->text.data, e->type, e->integer,
		e->bulk.size);
}

static bool is_error(const struct reply *p, const char *start)
{
	size_t size = strlen(start);

	return p->type == '-' && p->text.size >= size &&
	       memcmp(p->text.data, start, size) == 0;
}

static bool is_refusal(const struct rig *r, const struct reply *p)
{
	return is_error(p, "MISCONF ") ||
	       (r->options.may_end && is_error(p, "OOM "));
}

/* The next acknowledgement of w. */
static bool take_reply(struct rig *r, struct writer *w, const struct reply *p,
		       int64_t now_ms)
{
	struct op *op = &w->ops[w->acked];

	if (w->acked == w->op_count) {
		fprintf(stderr, "WRONG REPLY: one more than commands\n");
		return false;
	}
	if (++w->replies < op->replies)
		return p->type == '+';
	w->replies = 0;
	w->acked++;
	op->acked_ms = now_ms;
	r->counts.acked++;
	if (is_refusal(r, p)) {
		r->counts.refused++;
		op_make_void(op);
		return true;
	}
	if (r->cut && w->acked > w->sent_at_cut && op_surely_writes(op) &&
	    strcmp(r->options.level, "always") == 0) {
		fprintf(stderr, "FALSE REPLY: writer %u: %s was sent %" PRId64
			" ms after the disk died, and acknowledged\n",
			w->live.writer, op_name(op),
			op->sent_ms - r->crash_ms);
		return false;
	}
	model_exec(&w->live, op, &r->expect);
	if (!reply_fits(&r->expect, p)) {
		report_reply(w, op, &r->expect, p);
		return false;
	}
	if (r->expect.type == EXPECT_SYNCED && p->first > 0)
		w->synced = w->acked;
	return true;
}

static bool take_replies(struct rig *r, struct writer *w)
{
	int64_t now_ms = wall_ms();
	struct reply p;
	int got;

	while ((got = wire_next(&w->wire, &p)) == 1)
		if (!take_reply(r, w, &p, now_ms))
			return false;
	if (got < 0)
		fprintf(stderr, "WRONG REPLY: not the protocol\n");
	return got == 0;
}

/* The first reply is that of SELECT; then witnesses in turn. */
static void take_seen(struct rig *r)
{
	struct reply p;

	while (wire_next(&r->reader, &p) == 1) {
		int64_t value = 0;

		if (p.type == '+')
			continue;
		for (size_t i = 0; p.type == '$' && i < p.text.size; i++)
			value = 10 * value + p.text.data[i] - '0';
		r->fresh |= value >
			    r->writers[r->reader_next].live.witness;
		if (!r->cut && value > r->seen[r->reader_next])
			r->seen[r->reader_next] = value;
		r->reader_next = (r->reader_next + 1) % WRITERS_MAX;
		r->counts.seen++;
	}
}

static void read_more(struct rig *r)
{
	char command[16];

	if (r->reader_next != 0 || r->reader.sent < r->reader.out.size ||
	    r->reader.taken < r->reader.in.size)
		return;
	for (unsigned i = 0; i < WRITERS_MAX; i++) {
		snprintf(command, sizeof(command), "GET w%u", i);
		wire_put(&r->reader, command);
	}
}

/* What happened on one connection. False: it ended, or a reply was wrong. */
static bool step_writer(struct rig *r, struct writer *w, short events)
{
	if (events & (POLLIN | POLLHUP | POLLERR)) {
		bool open = wire_fill(&w->wire);

		if (!take_replies(r, w)) {
			r->counts.wrong++;
			return false;
		}
		if (!open) {
			wire_close(&w->wire);
			return r->cut || r->ending;
		}
	}
	if (!r->ending)
		send_more(r, w, wall_ms());
	return wire_send(&w->wire) || r->cut || r->ending;
}

static void step_reader(struct rig *r, short events)
{
	bool open = true;

	if (events & (POLLIN | POLLHUP | POLLERR)) {
		open = wire_fill(&r->reader);
		take_seen(r);
		if (!r->ending)
			read_more(r);
	}
	if (!open || !wire_send(&r->reader))
		wire_close(&r->reader);
}

static bool step(struct rig *r, int timeout_ms)
{
	struct pollfd p[WRITERS_MAX + 1];
	bool fine = true;

	for (unsigned i = 0; i <= r->active; i++) {
		struct wire *w = i < r->active ?
				 &r->writers[r->order[i]].wire : &r->reader;

		p[i] = (struct pollfd){ .fd = w->fd, .events = POLLIN };
		if (w->sent < w->out.size)
			p[i].events |= POLLOUT;
	}
	if (poll(p, r->active + 1, timeout_ms) <= 0)
		return true;
	for (unsigned i = 0; i < r->active; i++)
		if (p[i].revents)
			fine &= step_writer(r, &r->writers[r->order[i]],
					    p[i].revents);
	if (p[r->active].revents)
		step_reader(r, p[r->active].revents);
	return fine;
}

/* A connection has ended, or was not to be had; unless it may be so. */
static bool report_death(struct rig *r)
{
	struct buf text = { 0 };

	r->died = true;
	if (r->options.may_end && r->counts.wrong == 0)
		return true;
	if (r->counts.wrong == 0) {
		usleep(100000);
		process_ended(&r->server);
		process_describe(&text, &r->server);
		fprintf(stderr, "DEATH: a connection ended: server %.*s\n",
			(int)text.size, (const char *)text.data);
		buf_release(&text);
		r->counts.wrong++;
	}
	process_show_log(&r->server);
	return false;
}

bool rig_run(struct rig *r, uint64_t us)
{
	uint64_t now_us = clock_us(), end_us = now_us + us;
	bool any_time = random_below(&r->random, 4) == 0;

	if (!begin_round(r))
		return report_death(r);
	for (unsigned i = 0; i < r->active; i++) {
		struct writer *w = &r->writers[r->order[i]];

		send_more(r, w, wall_ms());
		if (!wire_send(&w->wire))
			return report_death(r);
	}
	if (r->reader.fd >= 0) {
		read_more(r);
		wire_send(&r->reader);
	}
	for (; now_us < end_us; now_us = clock_us()) {
		r->fresh = false;
		if (!step(r, (int)((end_us - now_us) / 1000)))
			return report_death(r);
		if (!any_time && now_us + LATE_US > end_us && r->fresh)
			break;
	}
	return true;
}

void rig_cut(struct rig *r)
{
	step(r, 0);
	for (unsigned i = 0; i < r->active; i++) {
		struct writer *w = &r->writers[r->order[i]];

		w->sent_at_cut = w->op_count;
		w->acked_at_cut = w->acked;
		w->synced_at_cut = w->synced;
	}
	r->crash_ms = wall_ms();
	r->cut = true;
}

bool rig_run_dying(struct rig *r, uint64_t us, bool sending)
{
	uint64_t end_us = clock_us() + us, wrong = r->counts.wrong;

	r->ending = !sending;
	while (clock_us() < end_us && !process_ended(&r->server) &&
	       step(r, 1))
		;
	return r->counts.wrong == wrong;
}

bool rig_drain(struct rig *r)
{
	bool interrupted = false, fine = true;

	r->ending = true;
	if (r->crash_ms == 0)
		r->crash_ms = wall_ms();
	for (unsigned i = 0; i < r->active; i++) {
		struct writer *w = &r->writers[r->order[i]];

		while (w->wire.fd >= 0 && wire_fill(&w->wire) &&
		       w->wire.in.size > w->wire.taken && fine)
			fine = take_replies(r, w);
		fine = fine && take_replies(r, w);
		wire_close(&w->wire);
		interrupted |= w->acked < w->op_count;
		for (size_t k = w->acked; k < w->op_count; k++)
			w->ops[k].acked_ms = r->crash_ms;
		w->replies = 0;
	}
	if (r->reader.fd >= 0) {
		while (wire_fill(&r->reader) &&
		       r->reader.in.size > r->reader.taken)
			take_seen(r);
		take_seen(r);
		wire_close(&r->reader);
	}
	r->counts.crashes++;
	r->counts.interrupted += interrupted;
	if (!fine)
		r->counts.wrong++;
	return fine;
}

/* Of this process, or of its children that have ended. */
static double cpu_seconds(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

bool rig_report(const struct rig *r, const char *what, double seconds)
{
	const struct rig_counts *c = &r->counts;
	uint64_t starts = c->starts ? c->starts : 1;
	double cpu = cpu_seconds(RUSAGE_SELF) +
		     cpu_seconds(RUSAGE_CHILDREN);

	printf("%s %s seed %" PRIu64 ": %" PRIu64 " crashes (%" PRIu64
	       " interrupted unacknowledged writes), %" PRIu64
	       " acknowledged, %" PRIu64 " unacknowledged but there, %" PRIu64
	       " values compared, %" PRIu64 " reads, %" PRIu64
	       " lost in the window, %" PRIu64 " refused; %.1f crashes/s, "
	       "%.1f in a second of one core, start %.1f ms, at most %.1f; %"
	       PRIu64 " lost, %" PRIu64 " wrong, %" PRIu64
	       " false alarms\n", what, r->options.level,
	       r->options.seed, c->crashes, c->interrupted, c->acked,
	       c->survived, c->values, c->seen, c->lost_allowed, c->refused,
	       (double)c->crashes / seconds, (double)c->crashes / cpu,
	       (double)c->start_us_sum / 1000 / (double)starts,
	       (double)c->start_us_max / 1000, c->lost, c->wrong,
	       c->false_alarms);
	fflush(stdout);
	return c->lost == 0 && c->wrong == 0 && c->false_alarms == 0;
}
