/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * redoubt-log info: what files there are and what they span.
 *
 * Reads headers only (tools/redoubt_log_heads.c), so it is quick on any size;
 * contents are verify's business.
 */
#include <stdio.h>

#include "base/mem.h"
#include "snapshot/snapshot.h"
#include "tools/redoubt_log.h"

static void print_segment(const struct log_options *o,
			  const struct log_segment *s)
{
	const char *state = s->wrong ? "damaged" :
			    !s->in_use ? "spare" :
			    s->sealed ? "sealed" : "open";
	unsigned long long first = s->in_use ? s->use.first_lsn : 0;

	if (o->json)
		printf("{\"segment\":%llu,\"state\":\"%s\",\"epoch\":%u,"
		       "\"first_lsn\":%llu,\"last_lsn\":%llu,"
		       "\"durable_lsn\":%llu,\"records\":%llu,"
		       "\"frames\":%llu,\"payload_bytes\":%llu,"
		       "\"file_bytes\":%llu}\n",
		       (unsigned long long)s->sequence, state, s->use.epoch,
		       first, (unsigned long long)s->last_lsn,
		       (unsigned long long)s->durable_lsn,
		       (unsigned long long)s->record_count,
		       (unsigned long long)s->frame_count,
		       (unsigned long long)s->content_size,
		       (unsigned long long)s->identity.size);
	else if (!s->in_use)
		printf("segment %016llu  %s, %llu bytes\n",
		       (unsigned long long)s->sequence, state,
		       (unsigned long long)s->identity.size);
	else
		printf("segment %016llu  %s, epoch %u, LSN %llu to %llu, "
		       "%llu records, %llu of %llu bytes used\n",
		       (unsigned long long)s->sequence, state, s->use.epoch,
		       first, (unsigned long long)s->last_lsn,
		       (unsigned long long)s->record_count,
		       (unsigned long long)s->end_offset,
		       (unsigned long long)s->identity.size);
}

static int print_snapshots(const struct log_options *o, struct err_message *m)
{
	struct snapshot_name *names = NULL;
	int i, n = snapshot_list(o->io, o->dir, &names, m);

	for (i = 0; i < n; i++)
		printf(o->json ? "{\"snapshot\":\"%s\",\"epoch\":%u,"
				 "\"lsn\":%llu}\n" :
				 "snapshot %s  epoch %u, LSN %llu\n",
		       names[i].name, names[i].epoch,
		       (unsigned long long)names[i].lsn);
	mem_free(names);
	return n;
}

int log_info(const struct log_options *o)
{
	struct err_message m = { { 0 } }, bad = { { 0 } };
	struct log_segment *segments = NULL;
	uint64_t last = 0, durable = 0;
	uint32_t epoch = 0;
	int i, n, heads;

	n = log_segments(o, &segments, &m);
	if (n < 0)
		return log_fail(n, &m);
	heads = log_heads_check(o, segments, n, &bad);
	for (i = 0; i < n; i++) {
		print_segment(o, &segments[i]);
		if (!segments[i].in_use)
			continue;
		last = segments[i].last_lsn;
		epoch = segments[i].use.epoch;
		if (segments[i].durable_lsn > durable)
			durable = segments[i].durable_lsn;
	}
	mem_free(segments);
	i = print_snapshots(o, &m);
	if (i < 0)
		return log_fail(i, &m);
	if (n == 0 && i == 0)
		return log_no_store(o);
	printf(o->json ? "{\"epoch\":%u,\"last_lsn\":%llu,"
			 "\"durable_mark\":%llu}\n" :
			 "end of the log: %u:%llu, durable mark %llu\n",
	       epoch, (unsigned long long)last, (unsigned long long)durable);
	return heads ? log_fail(heads, &bad) : EXIT_OK;
}
