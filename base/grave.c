/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/grave.h"

#include "base/mem.h"

#include <assert.h>
#include <limits.h>

#define AT_ONCE_MAX 64 /* objects that are not worth waiting */

struct grave {
	struct grave *next;
	grave_step_fn *step;
	void *p;
};

static struct grave *first, *last;
static size_t pending, done;

void grave_add(grave_step_fn *step, void *p, size_t objects)
{
	struct grave *g;

	assert(step != NULL && p != NULL);
	if (objects <= AT_ONCE_MAX) {
		while (step(p, AT_ONCE_MAX))
			;
		return;
	}
	g = mem_alloc(sizeof(*g));
	*g = (struct grave){ .step = step, .p = p };
	if (last)
		last->next = g;
	else
		first = g;
	last = g;
	pending++;
}

bool grave_turn(unsigned work)
{
	struct grave *g = first;

	if (!g)
		return false;
	if (g->step(g->p, work))
		return true;
	first = g->next;
	if (!first)
		last = NULL;
	mem_free(g);
	pending--;
	done++;
	return first != NULL;
}

void grave_finish(void)
{
	while (grave_turn(UINT_MAX))
		;
}

size_t grave_pending(void)
{
	return pending;
}

size_t grave_done(void)
{
	return done;
}
