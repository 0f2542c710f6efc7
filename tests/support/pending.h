/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pending entries of consumers that are numbers, for models of a group.
 */
#ifndef REDOUBT_TESTS_SUPPORT_PENDING_H
#define REDOUBT_TESTS_SUPPORT_PENDING_H

#include "types/stream_group.h"

/* The consumer of this name; NULL: there is none. */
const struct stream_consumer *pending_consumer(const struct stream_group *g,
					       uint32_t who);

/* Makes p pending for a consumer, which is made if there is none. */
void pending_put(struct stream_group *g, uint32_t who, struct stream_pending p);

/* Deletes a consumer, if there is one. */
void pending_forget(struct stream_group *g, uint32_t who);

/* p is this consumer's; 0: nobody's. */
void pending_assert_owner(const struct stream_group *g,
			  const struct stream_pending *p, uint32_t who);

#endif
