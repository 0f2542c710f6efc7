/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A direct-mapped table: who comes later takes the slot.
 *
 * I1. A slot with an entry holds what hll_count says of that entry.
 */
#include "engine/estimates.h"

#include <assert.h>

#include "base/mem.h"

void estimates_keep(struct estimates **all, const struct estimate *estimate)
{
	assert(estimate->entry != NULL);
	if (!*all)
		*all = mem_calloc(1, sizeof(**all));
	(*all)->at[estimate->hash & (ESTIMATE_SLOTS - 1)] = *estimate;
}

bool estimates_find(const struct estimates *all, uint64_t hash,
		    const struct entry *entry, uint64_t *count)
{
	const struct estimate *slot;

	if (!all)
		return false;
	slot = &all->at[hash & (ESTIMATE_SLOTS - 1)];
	if (slot->entry != entry || slot->hash != hash)
		return false;
	*count = slot->count;
	return true;
}
