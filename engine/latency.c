/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Latency: events that took long (latency-monitor-threshold), and a histogram
 * per command (latency-tracking).
 *
 * A histogram has 16 steps per power of two of nanoseconds: 6 % apart, one
 * counter addition per command, 5 KiB per command that was ever called.
 *
 * I1. An event keeps one sample per second, the worst, and the last
 *     SAMPLES_MAX of them.
 * I2. samples[] is a ring; next is where the coming sample goes.
 */
#include "engine/slowlog_cmd.h"

#include <assert.h>

#include "base/mem.h"
#include "base/num.h"

#define SAMPLES_MAX 160
#define EVENTS_MAX 32
#define STEP_BITS 4
#define STEPS (1u << STEP_BITS)
#define BUCKETS ((40 - STEP_BITS + 1) * STEPS) /* up to 2^40 ns, 18 minutes */

struct sample {
	uint64_t time_s;
	uint64_t ms;
};

struct event {
	char name[32];
	unsigned count, next;
	uint64_t max_ms;
	struct sample samples[SAMPLES_MAX];
};

struct histogram {
	uint64_t total;
	uint64_t counts[BUCKETS];
};

struct latency {
	struct event *events[EVENTS_MAX];
	unsigned event_count;
	struct histogram **histograms; /* by command number */
	size_t histogram_count;
};

struct latency *latency_new(void)
{
	struct latency *l = mem_calloc(1, sizeof(*l));

	l->histogram_count = commands_count();
	l->histograms = mem_calloc(l->histogram_count + 1,
				   sizeof(*l->histograms));
	return l;
}

void latency_forget(struct latency *l)
{
	size_t i;

	for (i = 0; i < l->histogram_count; i++) {
		mem_free(l->histograms[i]);
		l->histograms[i] = NULL;
	}
}

void latency_free(struct latency *l)
{
	unsigned i;

	latency_forget(l);
	for (i = 0; i < l->event_count; i++)
		mem_free(l->events[i]);
	mem_free(l->histograms);
	mem_free(l);
}

/* --- events ----------------------------------------------------------------*/

static struct event *event_find(const struct latency *l, struct slice name)
{
	unsigned i;

	for (i = 0; i < l->event_count; i++)
		if (slice_is(name, l->events[i]->name))
			return l->events[i];
	return NULL;
}

/* Sample number i, oldest first. */
static const struct sample *event_sample(const struct event *e, unsigned i)
{
	assert(i < e->count);
	return &e->samples[(e->next + SAMPLES_MAX - e->count + i) %
			   SAMPLES_MAX];
}

void latency_note(struct engine *e, const char *name, uint64_t ms)
{
	struct latency *l = e->latency;
	uint64_t now_s = e->now_ms / 1000;
	struct sample *last;
	struct event *event;

	if (e->config->latency_threshold_ms <= 0 ||
	    ms < (uint64_t)e->config->latency_threshold_ms)
		return;
	event = event_find(l, slice_str(name));
	if (!event) {
		if (l->event_count == EVENTS_MAX)
			return;
		event = mem_calloc(1, sizeof(*event));
		strncpy(event->name, name, sizeof(event->name) - 1);
		l->events[l->event_count++] = event;
	}
	if (ms > event->max_ms)
		event->max_ms = ms;
	last = &event->samples[(event->next + SAMPLES_MAX - 1) % SAMPLES_MAX];
	if (event->count && last->time_s == now_s) { /* I1 */
		if (ms > last->ms)
			last->ms = ms;
		return;
	}
	event->samples[event->next] = (struct sample){ now_s, ms };
	event->next = (event->next + 1) % SAMPLES_MAX;
	if (event->count < SAMPLES_MAX)
		event->count++;
}

void cmd_latency_latest(struct cmd *c)
{
	const struct latency *l = c->engine->latency;
	unsigned i;

	reply_array(c, l->event_count);
	for (i = 0; i < l->event_count; i++) {
		const struct event *e = l->events[i];
		const struct sample *s = event_sample(e, e->count - 1);

		reply_array(c, 4);
		reply_bulk_str(c, e->name);
		reply_i64(c, (int64_t)s->time_s);
		reply_i64(c, (int64_t)s->ms);
		reply_i64(c, (int64_t)e->max_ms);
	}
}

void cmd_latency_history(struct cmd *c)
{
	const struct event *e = event_find(c->engine->latency, c->argv[2]);
	unsigned i;

	reply_array(c, e ? e->count : 0);
	for (i = 0; e && i < e->count; i++) {
		reply_array(c, 2);
		reply_i64(c, (int64_t)event_sample(e, i)->time_s);
		reply_i64(c, (int64_t)event_sample(e, i)->ms);
	}
}

static bool is_named(const struct cmd *c, const char *name)
{
	unsigned i;

	for (i = 2; i < c->argc; i++)
		if (slice_is(c->argv[i], name))
			return true;
	return c->argc == 2;
}

void cmd_latency_reset(struct cmd *c)
{
	struct latency *l = c->engine->latency;
	unsigned i, kept = 0, gone = 0;

	for (i = 0; i < l->event_count; i++) {
		if (is_named(c, l->events[i]->name)) {
			mem_free(l->events[i]);
			gone++;
		} else {
			l->events[kept++] = l->events[i];
		}
	}
	l->event_count = kept;
	reply_i64(c, gone);
}

#define GRAPH_ROWS 4

/* Columns of bars, one per sample, under them its age. */
static void draw(const struct event *e, uint64_t now_s, struct buf *out)
{
	static const char bars[] = "_o#";
	uint64_t low = UINT64_MAX, high = 0;
	unsigned i, row, shown = e->count < 72 ? e->count : 72;
	unsigned first = e->count - shown;

	for (i = first; i < e->count; i++) {
		uint64_t ms = event_sample(e, i)->ms;

		low = ms < low ? ms : low;
		high = ms > high ? ms : high;
	}
	buf_printf(out, "%s - high %llu ms, low %llu ms (all time high %llu "
		   "ms)\n", e->name, (unsigned long long)high,
		   (unsigned long long)low, (unsigned long long)e->max_ms);
	for (row = GRAPH_ROWS; row-- > 0;) {
		for (i = first; i < e->count; i++) {
			uint64_t ms = event_sample(e, i)->ms;
			uint64_t level = high == low ? 1 :
				(ms - low) * (GRAPH_ROWS * 2 - 1) /
				(high - low);

			buf_put_byte(out, (uint8_t)(level / 2 > row ?
				bars[2] : level / 2 < row ? ' ' :
				bars[level % 2]));
		}
		buf_put_byte(out, '\n');
	}
	buf_printf(out, "oldest %llu s ago, newest %llu s ago\n",
		   (unsigned long long)(now_s - event_sample(e, first)->time_s),
		   (unsigned long long)(now_s -
					event_sample(e, e->count - 1)->time_s));
}

void cmd_latency_graph(struct cmd *c)
{
	const struct event *e = event_find(c->engine->latency, c->argv[2]);
	struct buf out = { 0 };

	if (!e) {
		reply_errorf(c, "ERR No samples available for event '%.*s'",
			     (int)(c->argv[2].size < 128 ? c->argv[2].size :
						       128),
			     c->argv[2].data);
		return;
	}
	draw(e, c->now_ms / 1000, &out);
	reply_verbatim(c, "txt", buf_slice(&out));
	buf_release(&out);
}

static void advise(const struct engine *e, const struct event *event,
		   struct buf *out)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < event->count; i++)
		sum += event_sample(event, i)->ms;
	buf_printf(out, "- %s: %u samples, %llu ms on average, %llu ms at "
		   "worst.\n", event->name, event->count,
		   (unsigned long long)(sum / event->count),
		   (unsigned long long)event->max_ms);
	if (!strcmp(event->name, "command"))
		buf_put_str(out, "  Commands that look at many keys or at big "
			    "values take long: SLOWLOG GET names them.\n");
	else if (!strcmp(event->name, "fast-command"))
		buf_put_str(out, "  Commands that are never slow waited for "
			    "the processor: look for other load or swapping "
			    "on this machine.\n");
	if (e->config->slowlog_slower_us < 0)
		buf_put_str(out, "  The slow log is off "
			    "(slowlog-log-slower-than).\n");
}

void cmd_latency_doctor(struct cmd *c)
{
	const struct latency *l = c->engine->latency;
	struct buf out = { 0 };
	unsigned i;

	if (c->engine->config->latency_threshold_ms <= 0)
		buf_put_str(&out, "Latency monitoring is disabled. Set "
			    "latency-monitor-threshold to the milliseconds "
			    "that are too many for you, for example CONFIG "
			    "SET latency-monitor-threshold 100.\n");
	else if (l->event_count == 0)
		buf_put_str(&out, "Nothing took longer than "
			    "latency-monitor-threshold so far.\n");
	else
		buf_put_str(&out, "Latency spikes were observed:\n");
	for (i = 0; i < l->event_count; i++)
		advise(c->engine, l->events[i], &out);
	reply_verbatim(c, "txt", buf_slice(&out));
	buf_release(&out);
}

/* --- histograms ------------------------------------------------------------*/

static unsigned bucket_of(uint64_t nsec)
{
	unsigned log, index;

	if (nsec < STEPS)
		return (unsigned)nsec;
	log = 63 - (unsigned)__builtin_clzll(nsec);
	index = (log - STEP_BITS + 1) * STEPS +
		(unsigned)((nsec >> (log - STEP_BITS)) & (STEPS - 1));
	return index < BUCKETS ? index : BUCKETS - 1;
}

/* The highest value that falls into the bucket. */
static uint64_t bucket_top(unsigned index)
{
	unsigned log = index / STEPS, step = index % STEPS;

	if (log == 0)
		return index;
	return ((uint64_t)(STEPS + step + 1) << (log - 1)) - 1;
}

void latency_track(struct engine *e, const struct command *command,
		   uint64_t nsec)
{
	struct histogram **at = &e->latency->histograms[command->number];

	assert(command->number < e->latency->histogram_count);
	if (__builtin_expect(!*at, 0))
		*at = mem_calloc(1, sizeof(**at));
	(*at)->counts[bucket_of(nsec)]++;
	(*at)->total++;
}

static double percentile_usec(const struct histogram *h, double percentile)
{
	double exact = (double)h->total * percentile / 100;
	uint64_t want = (uint64_t)exact, seen = 0;
	unsigned i;

	if ((double)want < exact || want == 0)
		want++;
	for (i = 0; i < BUCKETS; i++) {
		seen += h->counts[i];
		if (seen >= want)
			return (double)bucket_top(i) / 1000;
	}
	return 0;
}

void latency_info(const struct engine *e, struct buf *out)
{
	const struct latency *l = e->latency;
	char text[NUM_DOUBLE_SIZE];
	uint32_t k;
	size_t i;

	for (i = 0; i < l->histogram_count; i++) {
		const struct histogram *h = l->histograms[i];

		if (!h)
			continue;
		buf_printf(out, "latency_percentiles_usec_%s:",
			   command_at(i)->name);
		for (k = 0; k < e->config->percentile_count; k++) {
			double p = e->config->percentiles[k];

			buf_put_str(out, k ? ",p" : "p");
			buf_put(out, text, num_format_double(text, p));
			buf_printf(out, "=%.3f", percentile_usec(h, p));
		}
		buf_put_str(out, "\r\n");
	}
}

/* Calls, and pairs of "up to so many microseconds" and a running sum, by
 * powers of two, from the first to the last that say something. */
static void reply_histogram(struct cmd *c, const struct command *command,
			    const struct histogram *h)
{
	uint64_t sums[42] = { 0 }, top[42], seen = 0;
	unsigned rows = 0, i = 0, k, first = 0;

	for (k = 0; seen < h->total && k < ARRAY_LEN(sums); k++) {
		top[k] = (UINT64_C(1024) << k) - 1;
		while (i < BUCKETS && bucket_top(i) <= top[k])
			seen += h->counts[i++];
		if (i == BUCKETS || k == ARRAY_LEN(sums) - 1)
			seen = h->total;
		sums[k] = seen;
		rows = k + 1;
	}
	while (first + 1 < rows && sums[first] == 0)
		first++;
	reply_bulk_str(c, command->name);
	reply_map(c, 2);
	reply_bulk_str(c, "calls");
	reply_i64(c, (int64_t)h->total);
	reply_bulk_str(c, "histogram_usec");
	reply_map(c, rows - first);
	for (k = first; k < rows; k++) {
		reply_i64(c, (int64_t)(top[k] / 1000));
		reply_i64(c, (int64_t)sums[k]);
	}
}

/* Whether row number i is asked for: by its name, or its container's. */
static bool is_wanted(const struct cmd *c, size_t i)
{
	const char *name = command_at(i)->name;
	const char *bar = strchr(name, '|');
	unsigned k;

	for (k = 2; k < c->argc; k++) {
		struct slice a = c->argv[k];

		if (slice_is(a, name))
			return true;
		if (bar && a.size == (size_t)(bar - name) &&
		    strncasecmp((const char *)a.data, name, a.size) == 0)
			return true;
	}
	return c->argc == 2;
}

void cmd_latency_histogram(struct cmd *c)
{
	const struct latency *l = c->engine->latency;
	size_t i, count = 0;

	for (i = 0; i < l->histogram_count; i++)
		count += l->histograms[i] && is_wanted(c, i);
	reply_map(c, count);
	for (i = 0; i < l->histogram_count; i++)
		if (l->histograms[i] && is_wanted(c, i))
			reply_histogram(c, command_at(i), l->histograms[i]);
}
