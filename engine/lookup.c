/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lookups and arguments: what every handler starts with.
 *
 * I1. The lookup itself raises the command's gate, so no handler can forget:
 *     also an absent key depends on the write that removed it.
 * I2. An expired key is absent to every reader; reading removes nothing.
 * I3. Access history is not state: touched here, never logged.
 */
#include "engine/access.h"
#include "engine/cmd.h"

/* Raises the gate to the last write of the key, if that is not released. */
static void gate_key(struct cmd *c, uint64_t hash)
{
	const struct engine *e = c->engine;
	uint64_t lsn;

	if (e->released_lsn >= e->position->last_lsn)
		return;
	lsn = e->gates[hash & (GATE_SLOTS - 1)];
	if (lsn > c->gate)
		c->gate = lsn;
	if (e->barrier_lsn > c->gate)
		c->gate = e->barrier_lsn;
}

static const struct entry *find(struct cmd *c, uint32_t db, struct slice key)
{
	const struct entry *e = keyspace_find(c->ks, db, key);
	uint64_t deadline;

	gate_key(c, c->ks->memo.hash); /* I1 */
	if (!e)
		return NULL;
	deadline = entry_deadline(e);
	if (deadline && deadline <= c->now_ms) /* I2 */
		return NULL;
	return e;
}

const struct entry *lookup_in(struct cmd *c, uint32_t db, struct slice key)
{
	return find(c, db, key);
}

const struct entry *lookup_write(struct cmd *c, struct slice key)
{
	const struct entry *e = find(c, c->db, key);

	if (e)
		access_touch(c, e);
	return e;
}

const struct entry *lookup_peek(struct cmd *c, struct slice key)
{
	const struct entry *e = find(c, c->db, key);

	if (e)
		c->engine->stats.keyspace_hits++;
	else
		c->engine->stats.keyspace_misses++;
	return e;
}

const struct entry *lookup_read(struct cmd *c, struct slice key)
{
	const struct entry *e = lookup_peek(c, key);

	if (e)
		access_touch(c, e);
	return e;
}

bool lookup_typed(struct cmd *c, struct slice key, enum value_type type,
		  const struct entry **e)
{
	*e = lookup_read(c, key);
	if (*e && entry_type(*e) != type) {
		reply_wrong_type(c);
		return false;
	}
	return true;
}

bool lookup_typed_write(struct cmd *c, struct slice key, enum value_type type,
			const struct entry **e)
{
	*e = lookup_write(c, key);
	if (*e && entry_type(*e) != type) {
		reply_wrong_type(c);
		return false;
	}
	return true;
}

bool arg_i64(struct cmd *c, unsigned index, int64_t *out)
{
	if (num_parse_i64(c->argv[index], out))
		return true;
	reply_not_integer(c);
	return false;
}

bool arg_i64_range(struct cmd *c, unsigned index, int64_t min, int64_t max,
		   int64_t *out)
{
	bool positive = min == 0 && max == INT64_MAX;
	bool number = num_parse_i64(c->argv[index], out);

	if (number && *out >= min && *out <= max)
		return true;
	if (positive) /* also if it is no number at all */
		reply_error(c, "ERR value is out of range, must be positive");
	else if (!number)
		reply_not_integer(c);
	else
		reply_errorf(c, "ERR value is out of range, value must between "
			     "%lld and %lld", (long long)min, (long long)max);
	return false;
}

bool arg_double(struct cmd *c, unsigned index, double *out)
{
	if (num_parse_double(c->argv[index], out))
		return true;
	reply_error(c, "ERR value is not a valid float");
	return false;
}
