/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What SCAN, HSCAN, SSCAN and ZSCAN have in common: their arguments, their
 * cursors and the walk through a table.
 *
 * A cursor is the top 52 bits of the position of a walk through a table, which
 * is a hash value: bigger numbers break clients that keep them in a double.
 * The hash is keyed by the store, so a cursor survives growth, restart and
 * failover.  Collections that are no table are given whole, with cursor 0.
 */
#ifndef REDOUBT_ENGINE_SCAN_H
#define REDOUBT_ENGINE_SCAN_H

#include "engine/cmd.h"
#include "types/table.h"

/* Options beside MATCH and COUNT that a command knows. */
enum scan_allowed {
	SCAN_TYPE = 1,
	SCAN_NOVALUES = 2,
	SCAN_NOSCORES = 4,
};

struct scan_options {
	uint64_t position;    /* where the walk goes on; 0: at the start */
	uint64_t count;       /* elements to visit, about; at least 1 */
	struct slice pattern; /* data NULL: everything */
	struct slice type;    /* data NULL: any */
	bool bare;            /* NOVALUES or NOSCORES */
	bool ended;           /* the cursor was never given out: nothing left */
};

/* The cursor at argv[first] and the options behind it; false: an error was
 * replied. The slices live as long as argv. */
bool scan_parse(struct cmd *c, unsigned first, unsigned allowed,
		struct scan_options *o);

/* As scan_parse for `<command> key cursor …`, with the lookup of the key in
 * between, for clients see their errors in that order. False when it has
 * replied: an error, WRONGTYPE, or the empty scan of an absent key. */
bool scan_open(struct cmd *c, enum value_type type, unsigned allowed,
	       struct scan_options *o, const struct entry **e);

/* The cursor of a position; 0: the walk is over. */
uint64_t scan_cursor(uint64_t position);

/* The position of a cursor; false if it was never given out. */
bool scan_position(uint64_t cursor, uint64_t *position);

/* Whether MATCH takes this name. */
bool scan_match(const struct scan_options *o, struct slice name);

/* Visits what is behind o->position, whole buckets, until COUNT has been seen
 * or looked for in vain; returns the cursor to reply. */
uint64_t scan_walk(const struct table *t, const struct scan_options *o,
		   table_visit_fn *visit, void *ctx);

/* The frame of the reply; an array of what was found follows. */
void reply_scan(struct cmd *c, uint64_t cursor);

#endif
