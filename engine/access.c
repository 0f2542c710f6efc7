/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Access history of keys.
 *
 * I1. It is no state: who only reads may change it, in entries that are const
 *     to everybody else.
 * I2. Counters grow and decay as with lfu-log-factor 10 and lfu-decay-time 1,
 *     whatever is configured.
 */
#include "engine/access.h"

#define LFU_LOG_FACTOR 10
#define LFU_DECAY_MINUTES 1

bool access_is_lfu(const struct engine *e)
{
	return e->config->maxmemory_policy == POLICY_ALLKEYS_LFU ||
	       e->config->maxmemory_policy == POLICY_VOLATILE_LFU;
}

static uint8_t minutes_now(const struct engine *e)
{
	return (uint8_t)(e->now_ms / 60000);
}

uint16_t access_of_new(const struct engine *e)
{
	if (access_is_lfu(e))
		return (uint16_t)(minutes_now(e) << 8 | ACCESS_LFU_START);
	return e->lru_clock;
}

uint8_t access_frequency(const struct engine *e, const struct entry *entry)
{
	uint16_t access = entry_access(entry);
	uint8_t counter = (uint8_t)access;
	uint8_t age = (uint8_t)(minutes_now(e) - (uint8_t)(access >> 8));
	unsigned periods = age / LFU_DECAY_MINUTES;

	return periods > counter ? 0 : (uint8_t)(counter - periods);
}

uint64_t access_idle_s(const struct engine *e, const struct entry *entry)
{
	return (uint16_t)((uint16_t)(e->now_ms / 1000) - entry_access(entry));
}

/* A cheap generator is good enough: the counter is an estimate. */
static uint32_t next_random(struct engine *e)
{
	uint32_t x = e->access_random;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	e->access_random = x;
	return x;
}

static uint8_t frequency_add(struct engine *e, uint8_t counter)
{
	unsigned base = counter > ACCESS_LFU_START ?
			counter - ACCESS_LFU_START : 0;

	if (counter == 255)
		return counter;
	if (next_random(e) % (base * LFU_LOG_FACTOR + 1) == 0)
		counter++;
	return counter;
}

void access_touch(struct cmd *c, const struct entry *entry)
{
	struct engine *e = c->engine;
	uint16_t access;

	if (__builtin_expect(c->session->flags & SESSION_NO_TOUCH, 0))
		return;
	if (access_is_lfu(e))
		access = (uint16_t)(minutes_now(e) << 8 |
			frequency_add(e, access_frequency(e, entry)));
	else
		access = e->lru_clock;
	entry_set_access((struct entry *)entry, access);
}

void access_set_idle(const struct engine *e, const struct entry *entry,
		     uint64_t idle_s)
{
	if (idle_s > UINT16_MAX)
		idle_s = UINT16_MAX;
	if (!access_is_lfu(e))
		entry_set_access((struct entry *)entry,
				 (uint16_t)(e->lru_clock - idle_s));
}

void access_set_frequency(const struct engine *e, const struct entry *entry,
			  uint8_t frequency)
{
	if (access_is_lfu(e))
		entry_set_access((struct entry *)entry,
				 (uint16_t)(minutes_now(e) << 8 | frequency));
}
