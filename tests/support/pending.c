/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/pending.h"

#include <stdio.h>

#include "tests/support/suite.h"

#define NAME_SIZE 16

static struct slice name_of(uint32_t who, char *out)
{
	return slice_of(out, (size_t)snprintf(out, NAME_SIZE, "c%u", who));
}

const struct stream_consumer *pending_consumer(const struct stream_group *g,
					       uint32_t who)
{
	char name[NAME_SIZE];

	return stream_consumer_find(g, name_of(who, name));
}

void pending_put(struct stream_group *g, uint32_t who, struct stream_pending p)
{
	char name[NAME_SIZE];

	p.consumer = stream_consumer_make(g, name_of(who, name))->number;
	stream_pending_put(g, &p);
}

void pending_forget(struct stream_group *g, uint32_t who)
{
	char name[NAME_SIZE];

	stream_consumer_delete(g, name_of(who, name));
}

void pending_assert_owner(const struct stream_group *g,
			  const struct stream_pending *p, uint32_t who)
{
	char name[NAME_SIZE];

	ck_assert(slice_equal(stream_pending_owner(g, p),
			      who ? name_of(who, name) : slice_of("", 0)));
}
