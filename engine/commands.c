/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The joined command table and its lookup by name.
 *
 * I1. Built once, before any thread starts; read-only afterwards.
 * I2. Two open-addressed indexes: commands, and sub-commands by their full
 *     name "container|sub".  A name is compared as up to four 64-bit words of
 *     lower-case letters, so that a hit costs no loop over characters.
 */
#include "engine/command.h"

#include <assert.h>

#include "base/coding.h"
#include "base/mem.h"

#define INDEX_SIZE 2048 /* power of two, several times the rows */
#define NAME_WORDS 5
#define NAME_SIZE_MAX (NAME_WORDS * 8)

struct name {
	uint64_t word[NAME_WORDS];
	size_t size;
};

static struct command *tables[] = {
#define X(name) commands_##name,
	COMMAND_TABLES(X)
#undef X
};

static struct command **rows;
static size_t row_count;
static uint16_t index_slots[INDEX_SIZE]; /* row number + 1 */
static struct name *names;

/* Bit 5 makes letters lower case; other bytes map alike on both sides. */
#define LOWER UINT64_C(0x2020202020202020)

/* The first part of a name, or all of it, word by word. */
static bool name_begin(struct name *n, const uint8_t *data, size_t size)
{
	size_t i = 0, left = size % 8;

	if (size > NAME_SIZE_MAX)
		return false;
	for (; size - i >= 8; i += 8)
		n->word[i / 8] = get_u64(data + i) | LOWER;
	if (left)
		n->word[i / 8] = get_tail(data + i, left) |
				 LOWER >> (8 - left) * 8;
	n->size = size;
	return true;
}

/* What goes behind it, byte by byte. */
static bool name_add(struct name *n, const uint8_t *data, size_t size)
{
	size_t i;

	if (n->size + size > NAME_SIZE_MAX)
		return false;
	for (i = 0; i < size; i++, n->size++)
		n->word[n->size / 8] |= (uint64_t)(data[i] | 0x20)
					<< (n->size % 8 * 8);
	return true;
}

static size_t name_hash(const struct name *n)
{
	uint64_t h = n->size;
	int i;

	for (i = 0; i < NAME_WORDS && (size_t)i * 8 < n->size; i++)
		h = (h ^ n->word[i]) * UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(h >> 53) & (INDEX_SIZE - 1);
}

static bool name_equal(const struct name *a, const struct name *b)
{
	size_t i;

	if (a->size != b->size)
		return false;
	for (i = 0; i * 8 < a->size; i++)
		if (a->word[i] != b->word[i])
			return false;
	return true;
}

static struct command *name_find(const struct name *n)
{
	size_t at = name_hash(n);

	for (; index_slots[at]; at = (at + 1) & (INDEX_SIZE - 1)) {
		size_t row = index_slots[at] - 1u;

		if (name_equal(&names[row], n))
			return rows[row];
	}
	return NULL;
}

static void row_add(struct command *c)
{
	struct name n = { 0 };
	size_t at;

	assert(name_begin(&n, (const uint8_t *)c->name, strlen(c->name)));
	assert(!name_find(&n));
	if (c->first_key) {
		c->last_key = c->last_key ? c->last_key : c->first_key;
		c->key_step = c->key_step ? c->key_step : 1;
	}
	c->number = (uint16_t)row_count;
	c->name_size = (uint16_t)strlen(c->name);
	c->is_part = strchr(c->name, '|') != NULL;
	rows[row_count] = c;
	names[row_count] = n;
	for (at = name_hash(&n); index_slots[at];
	     at = (at + 1) & (INDEX_SIZE - 1))
		;
	index_slots[at] = (uint16_t)++row_count;
}

void commands_init(void)
{
	size_t i, count = 0;
	struct command *c;

	if (rows)
		return;
	for (i = 0; i < ARRAY_LEN(tables); i++)
		for (c = tables[i]; c->name; c++)
			count++;
	assert(count * 2 < INDEX_SIZE);
	rows = mem_calloc(count, sizeof(struct command *));
	names = mem_calloc(count, sizeof(struct name));
	for (i = 0; i < ARRAY_LEN(tables); i++)
		for (c = tables[i]; c->name; c++)
			row_add(c);
}

size_t commands_count(void)
{
	return row_count;
}

struct command *command_at(size_t number)
{
	assert(number < row_count);
	return rows[number];
}

struct command *command_by_name(struct slice full_name)
{
	struct name n = { 0 };

	if (!name_begin(&n, full_name.data, full_name.size))
		return NULL;
	return name_find(&n);
}

struct command *command_lookup(const struct slice *argv, unsigned argc,
			       struct command **container)
{
	struct name n = { 0 };
	struct command *c;

	*container = NULL;
	if (!name_begin(&n, argv[0].data, argv[0].size))
		return NULL;
	c = name_find(&n);
	if (!c || c->is_part)
		return NULL;
	if (!(c->flags & CMD_CONTAINER) || argc < 2)
		return c;
	*container = c;
	if (!name_add(&n, (const uint8_t *)"|", 1) ||
	    !name_add(&n, argv[1].data, argv[1].size))
		return NULL;
	c = name_find(&n);
	return c;
}
