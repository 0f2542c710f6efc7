/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The timing wheel.
 *
 * Time is counted in ticks of 16 ms.  Level k has 64 slots of 64^k ticks; an
 * item stands at the level of the highest base-64 digit in which its tick
 * differs from the present one, in the slot of that digit.  When the present
 * enters a slot of a higher level the slot is spread out: each item's owner is
 * asked for the exact deadline.
 *
 * W1. Items stand at or before the tick of their deadline, rounded up: none
 *     fires before its time is asked for, and 16 ms late at most.
 * W2. What is due already when added stands in `due`, or in `later` while a
 *     poll is going on, so that a poll ends.
 * W3. If the clock goes back the wheel follows.  Its slots then come round
 *     earlier than meant for the items in them, never later: digit by digit
 *     the first occurrence of a slot in the new future is not behind the one
 *     that was meant.  The owner's answer puts them right.
 *
 * A slot is a list of chunks whose sizes double from 32 bytes to 4 KiB, so
 * that a slot of few items is small and one of many has no overhead.
 */
#include "types/wheel.h"

#include "base/grave.h"
#include "base/mem.h"
#include "base/slab.h"

#include <assert.h>

#define TICK_SHIFT 4
#define LEVEL_BITS 6
#define SLOTS (1 << LEVEL_BITS)
#define LEVELS 8
#define TICK_MAX ((UINT64_C(1) << (LEVEL_BITS * LEVELS)) - 1)

#define CHUNK_SIZE_MIN 32
#define CHUNK_SIZE_MAX 4096

struct chunk {
	struct chunk *next;
	uint32_t size; /* bytes of this block */
	uint32_t used; /* items */
	uint64_t items[];
};

_Static_assert(sizeof(struct chunk) == 16, "two items fit in 32 bytes");

struct wheel {
	uint64_t tick; /* the present: slots up to here have fired */
	size_t count;
	size_t memory;
	bool polling;
	struct chunk *due;   /* W2 */
	struct chunk *later; /* W2 */
	uint64_t filled[LEVELS]; /* a bit per slot that has items */
	struct chunk *slots[LEVELS][SLOTS];
};

/* --- lists of chunks ---------------------------------------------------- */

static inline uint32_t chunk_capacity(const struct chunk *c)
{
	return (c->size - (uint32_t)sizeof(*c)) / sizeof(uint64_t);
}

static struct chunk *chunk_push(struct wheel *w, struct chunk *head)
{
	uint32_t size = head == NULL ? CHUNK_SIZE_MIN : head->size;
	struct chunk *c;

	if (head != NULL && size < CHUNK_SIZE_MAX)
		size *= 2;
	c = slab_alloc(size);
	c->next = head;
	c->size = size;
	c->used = 0;
	w->memory += size;
	return c;
}

static struct chunk *chunk_pop(struct wheel *w, struct chunk *head)
{
	struct chunk *next = head->next;

	w->memory -= head->size;
	slab_free(head, head->size);
	return next;
}

static inline void list_push(struct wheel *w, struct chunk **list,
			     uint64_t hash)
{
	struct chunk *c = *list;

	if (c == NULL || c->used == chunk_capacity(c))
		c = *list = chunk_push(w, c);
	c->items[c->used++] = hash;
	w->count++;
}

/* Takes one item off a list that has some. */
static inline uint64_t list_pop(struct wheel *w, struct chunk **list)
{
	struct chunk *c = *list;
	uint64_t hash = c->items[--c->used];

	w->count--;
	if (c->used == 0)
		*list = chunk_pop(w, c);
	return hash;
}

/* Frees up to *work chunks, which become fewer; whether that was all. */
static bool list_free(struct wheel *w, struct chunk **list, unsigned *work)
{
	for (; *list != NULL && *work > 0; --*work)
		*list = chunk_pop(w, *list);
	return *list == NULL;
}

/* --- life --------------------------------------------------------------- */

struct wheel *wheel_new(uint64_t now_ms)
{
	struct wheel *w = mem_calloc(1, sizeof(*w));

	w->tick = now_ms >> TICK_SHIFT;
	assert(w->tick < TICK_MAX);
	w->memory = sizeof(*w);
	return w;
}

/* Frees about `work` chunks; true while there are more. */
static bool take_apart(void *object, unsigned work)
{
	struct wheel *w = object;
	int level, slot;

	for (level = 0; level < LEVELS; level++)
		for (slot = 0; slot < SLOTS; slot++)
			if (!list_free(w, &w->slots[level][slot], &work))
				return true;
	if (!list_free(w, &w->due, &work) || !list_free(w, &w->later, &work))
		return true;
	mem_free(w);
	return false;
}

void wheel_free(struct wheel *w)
{
	if (w != NULL)
		grave_add(take_apart, w, w->memory / CHUNK_SIZE_MAX);
}

static inline unsigned digit(uint64_t tick, unsigned level)
{
	return tick >> (level * LEVEL_BITS) & (SLOTS - 1);
}

void wheel_add(struct wheel *w, uint64_t hash, uint64_t deadline_ms)
{
	uint64_t tick = deadline_ms >> TICK_SHIFT;
	unsigned level, slot;

	/* W1: rounded up */
	tick += (deadline_ms & ((1 << TICK_SHIFT) - 1)) != 0;
	if (tick <= w->tick) {
		list_push(w, w->polling ? &w->later : &w->due, hash);
		return;
	}
	if (tick > TICK_MAX)
		tick = TICK_MAX;
	level = (63 - (unsigned)__builtin_clzll(tick ^ w->tick)) / LEVEL_BITS;
	slot = digit(tick, level);
	list_push(w, &w->slots[level][slot], hash);
	w->filled[level] |= UINT64_C(1) << slot;
}

/* --- firing ------------------------------------------------------------- */

struct poll {
	wheel_fire_fn *fire;
	void *ctx;
	size_t limit; /* items left to handle */
};

/* Fires a list until it is empty; false when the limit came first. */
static bool fire_list(struct wheel *w, struct chunk **list, struct poll *p)
{
	while (*list != NULL) {
		uint64_t hash, deadline_ms;

		if (p->limit == 0)
			return false;
		p->limit--;
		hash = list_pop(w, list);
		deadline_ms = p->fire(p->ctx, hash);
		if (deadline_ms != 0)
			wheel_add(w, hash, deadline_ms);
	}
	return true;
}

/* Fires or spreads out all slots that begin at the present tick, the far ones
 * first, for they feed the near ones; false when the limit came first. */
static bool fire_tick(struct wheel *w, struct poll *p)
{
	int level = LEVELS - 1;

	for (; level >= 0; level--) {
		unsigned slot = digit(w->tick, (unsigned)level);
		uint64_t below = UINT64_C(1) << (level * LEVEL_BITS);

		if ((w->tick & (below - 1)) != 0 ||
		    !(w->filled[level] >> slot & 1))
			continue;
		if (!fire_list(w, &w->slots[level][slot], p))
			return false;
		w->filled[level] &= ~(UINT64_C(1) << slot);
	}
	return true;
}

/* The first tick behind the present at which a slot of this level begins that
 * has items; UINT64_MAX if none. */
static uint64_t level_next(const struct wheel *w, unsigned level)
{
	uint64_t filled = w->filled[level];
	unsigned now = digit(w->tick, level), shift = level * LEVEL_BITS;
	uint64_t above = (w->tick >> shift) & ~(uint64_t)(SLOTS - 1);
	uint64_t ahead = now == SLOTS - 1 ? 0 : filled >> (now + 1)
							<< (now + 1);

	if (filled == 0)
		return UINT64_MAX;
	if (ahead != 0)
		return (above | (uint64_t)__builtin_ctzll(ahead)) << shift;
	/* in the next round */
	above += SLOTS;
	return (above | (uint64_t)__builtin_ctzll(filled)) << shift;
}

static uint64_t next_tick(const struct wheel *w)
{
	uint64_t next = UINT64_MAX;
	unsigned level;

	for (level = 0; level < LEVELS; level++) {
		uint64_t tick = level_next(w, level);

		if (tick < next)
			next = tick;
	}
	return next;
}

/* Puts what the poll found due already to `due`. */
static void end_poll(struct wheel *w)
{
	w->polling = false;
	while (w->later != NULL) {
		uint64_t hash = list_pop(w, &w->later);

		list_push(w, &w->due, hash);
	}
}

size_t wheel_poll(struct wheel *w, uint64_t now_ms, size_t limit,
		  wheel_fire_fn *fire, void *ctx)
{
	struct poll p = { fire, ctx, limit };
	uint64_t now = now_ms >> TICK_SHIFT;
	bool done;

	assert(!w->polling);
	if (now > TICK_MAX - 1)
		now = TICK_MAX - 1;
	if (now < w->tick) {
		w->tick = now; /* W3 */
		return 0;
	}
	w->polling = true;
	/* a limit may have cut short the tick at which the last poll ended */
	done = fire_list(w, &w->due, &p) && fire_tick(w, &p);
	while (done && w->tick < now) {
		uint64_t next = next_tick(w);

		w->tick = next < now ? next : now;
		done = fire_tick(w, &p);
	}
	end_poll(w);
	return limit - p.limit;
}

/* --- figures ------------------------------------------------------------ */

size_t wheel_count(const struct wheel *w)
{
	return w->count;
}

uint64_t wheel_next_ms(const struct wheel *w)
{
	unsigned level;
	uint64_t next;

	if (w->due != NULL)
		return w->tick << TICK_SHIFT;
	/* cut short by a limit */
	for (level = 0; level < LEVELS; level++)
		if (w->filled[level] >> digit(w->tick, level) & 1 &&
		    (w->tick & ((UINT64_C(1) << (level * LEVEL_BITS)) - 1)) ==
			    0)
			return w->tick << TICK_SHIFT;
	next = next_tick(w);
	return next == UINT64_MAX ? next : next << TICK_SHIFT;
}

size_t wheel_memory(const struct wheel *w)
{
	return w->memory;
}

static void list_check(const struct chunk *c, size_t *count, size_t *memory)
{
	for (; c != NULL; c = c->next) {
		assert(c->used > 0);
		assert(c->used <= chunk_capacity(c));
		*count += c->used;
		*memory += c->size;
	}
}

void wheel_check(const struct wheel *w)
{
	size_t count = 0, memory = sizeof(*w);
	int level, slot;

	assert(!w->polling);
	assert(w->later == NULL);
	list_check(w->due, &count, &memory);
	for (level = 0; level < LEVELS; level++) {
		for (slot = 0; slot < SLOTS; slot++) {
			assert((w->slots[level][slot] != NULL) ==
			       (w->filled[level] >> slot & 1));
			list_check(w->slots[level][slot], &count, &memory);
		}
	}
	assert(count == w->count);
	assert(memory == w->memory);
}
