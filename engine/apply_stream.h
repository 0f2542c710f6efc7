/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files that apply records of streams share. Only apply_stream*.c
 * include this.
 */
#ifndef REDOUBT_ENGINE_APPLY_STREAM_H
#define REDOUBT_ENGINE_APPLY_STREAM_H

#include "engine/apply_list.h"
#include "types/stream_group.h"

/* The stream at rec's key, which is there, ready to be changed. */
struct stream *apply_stream_open(struct keyspace *ks,
				 const struct record *rec);

/* NULL, or why rec's key is no stream; *s is the stream or, if it may lack,
 * NULL. */
const char *fits_stream_key(const struct keyspace *ks,
			    const struct record *rec, bool may_lack,
			    const struct stream **s);

/* NULL, or why this is not a run of IDs. */
const char *fits_stream_ids(struct slice ids);

#endif
