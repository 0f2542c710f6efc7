/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Access history: the two bytes of an entry that say how recently (LRU) or how
 * often (LFU) a key was used.  Not state: never logged, never digested.
 *
 * LRU: seconds of the engine's clock modulo 2^16 (18 hours; an older key looks
 * younger).  LFU: the upper byte is the time of the last decay in minutes
 * modulo 256, the lower a logarithmic counter (Morris 1978).
 */
#ifndef REDOUBT_ENGINE_ACCESS_H
#define REDOUBT_ENGINE_ACCESS_H

#include "engine/cmd.h"

#define ACCESS_LFU_START 5

/* Notes that c used e, unless the session asked for CLIENT NO-TOUCH. */
void access_touch(struct cmd *c, const struct entry *e);

/* The history a new key begins with. */
uint16_t access_of_new(const struct engine *e);

/* Seconds since the last use, by an LRU policy. */
uint64_t access_idle_s(const struct engine *e, const struct entry *entry);

/* The LFU counter, decayed to now. */
uint8_t access_frequency(const struct engine *e, const struct entry *entry);

/* Give e the history of a key that was used so long ago, or so often; nothing
 * happens if the policy in force does not count that. */
void access_set_idle(const struct engine *e, const struct entry *entry,
		     uint64_t idle_s);
void access_set_frequency(const struct engine *e, const struct entry *entry,
			  uint8_t frequency);

/* Whether the policy in force counts uses instead of time. */
bool access_is_lfu(const struct engine *e);

#endif
