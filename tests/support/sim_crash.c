/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * States after a crash.
 *
 * The list of pending units is in the order of the calls.  A state is the
 * durable image plus the units picked, carried out in that order: two writes
 * of one sector leave the later one if both landed.
 */
#include "tests/support/sim_io.h"

#include "tests/support/sim_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool unit_picked(const struct sim_crash *how, size_t i, uint64_t *random,
			unsigned chance)
{
	switch (how->kind) {
	case SIM_CRASH_PROCESS:
	case SIM_CRASH_ALL:
		return true;
	case SIM_CRASH_PREFIX:
		return i < how->choice;
	case SIM_CRASH_SUBSET:
		return i < 64 && (how->choice >> i & 1);
	case SIM_CRASH_ONE_MISSING:
		return i != how->choice;
	case SIM_CRASH_ONE_PRESENT:
		return i == how->choice;
	case SIM_CRASH_RANDOM:
		return sim_random(random) % 8 < chance;
	default:
		return false;
	}
}

/* Half of the bytes of one pending sector become rubbish, as of a drive that
 * lost power while its head was on it. */
static void spoil_sector(struct sim *s, const struct sim *from,
			 uint64_t *random)
{
	size_t start, n;

	if (from->unit_count == 0)
		return;
	start = (size_t)(sim_random(random) % from->unit_count);
	for (n = 0; n < from->unit_count; n++) {
		const struct unit *u =
			&from->units[(start + n) % from->unit_count];
		uint8_t rubbish[SIM_SECTOR];
		uint64_t at = u->offset;
		size_t i;

		if (u->kind != UNIT_DATA ||
		    image_size(s->files[u->file].durable) < at + SIM_SECTOR)
			continue;
		for (i = 0; i < sizeof(rubbish); i++)
			rubbish[i] = (uint8_t)sim_random(random);
		image_write(&s->files[u->file].durable, at, rubbish,
			    sizeof(rubbish));
		return;
	}
}

static void copy_units(struct sim *s, const struct sim *from)
{
	size_t i;

	s->units = calloc(from->unit_count + 1, sizeof(struct unit));
	assert(s->units != NULL);
	s->unit_capacity = from->unit_count + 1;
	s->unit_count = from->unit_count;
	for (i = 0; i < from->unit_count; i++) {
		const struct unit *u = &from->units[i];
		struct unit *new = &s->units[i];

		*new = *u;
		if (u->data != NULL) {
			new->data = malloc(u->size);
			assert(new->data != NULL);
			memcpy(new->data, u->data, u->size);
		}
		new->path = u->path != NULL ? strdup(u->path) : NULL;
		new->to = u->to != NULL ? strdup(u->to) : NULL;
	}
}

static void copy_names(struct sim_names *to, const struct sim_names *from)
{
	to->count = from->count;
	memcpy(to->at, from->at, from->count * sizeof(from->at[0]));
}

/* Everything but handles, faults and hooks. */
static struct sim *copy_base(const struct sim *from, uint64_t seed)
{
	struct sim *s = sim_new(seed);
	size_t i;

	s->file_count = from->file_count;
	for (i = 0; i < from->file_count; i++) {
		const struct sim_file *f = &from->files[i];

		s->files[i] = *f;
		s->files[i].locked = false;
		s->files[i].cache = NULL;
		if (!f->used)
			continue;
		s->files[i].durable = image_ref(f->durable);
		s->files[i].view = image_ref(f->view);
		if (f->cache != NULL)
			s->files[i].cache = image_ref(f->cache);
	}
	copy_names(&s->durable, &from->durable);
	s->mono_us = from->mono_us;
	s->wall_ms = from->wall_ms;
	s->trace = from->trace;
	s->limit = from->limit;
	s->refuse_direct = from->refuse_direct;
	s->refuse_allocate = from->refuse_allocate;
	return s;
}

/* What no name reaches is gone. */
static void drop_unnamed(struct sim *s)
{
	size_t i, n;

	for (i = 0; i < s->file_count; i++) {
		struct sim_file *f = &s->files[i];

		for (n = 0; n < s->live.count; n++)
			if (s->live.at[n].file == (int)i)
				break;
		if (!f->used || n < s->live.count)
			continue;
		image_unref(f->durable);
		image_unref(f->view);
		*f = (struct sim_file){ 0 };
	}
}

/* The live view becomes what is durable. */
static void settle(struct sim *s)
{
	size_t i;

	for (i = 0; i < s->file_count; i++) {
		struct sim_file *f = &s->files[i];

		if (!f->used)
			continue;
		image_unref(f->view);
		image_unref(f->cache);
		f->cache = NULL;
		f->view = image_ref(f->durable);
	}
	copy_names(&s->live, &s->durable);
	drop_unnamed(s);
}

struct sim *sim_crash(const struct sim *from, const struct sim_crash *how)
{
	struct sim *s = copy_base(from, how->seed);
	uint64_t random = how->seed ^ UINT64_C(0x5bd1e9955bd1e995);
	unsigned chance = 1 + (unsigned)(sim_random(&random) % 7);
	size_t i;

	if (how->kind == SIM_CRASH_PROCESS) {
		copy_units(s, from);
		copy_names(&s->live, &from->live);
		return s;
	}
	for (i = 0; i < from->unit_count; i++)
		if (unit_picked(how, i, &random, chance))
			unit_land(s, &from->units[i],
				  how->both_names && sim_random(&random) % 2);
	if (how->garbage)
		spoil_sector(s, from, &random);
	settle(s);
	return s;
}

uint64_t sim_trace_hash(const struct sim *s)
{
	return s->trace;
}

uint64_t sim_hash(const struct sim *s)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < s->live.count; i++) {
		const struct sim_name *n = &s->live.at[i];
		uint64_t h = UINT64_C(0xcbf29ce484222325);
		const char *c;

		for (c = n->path; *c != 0; c++)
			h = (h ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
		if (n->file >= 0)
			h ^= image_hash(s->files[n->file].view) << 1;
		h ^= h >> 31;
		sum += h * UINT64_C(0x9fb21c651e98df25);
	}
	return sum;
}
