/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sections of INFO, each appended as "key:value" lines.
 * https://redis.io/docs/latest/commands/info/
 */
#ifndef REDOUBT_ENGINE_INFO_H
#define REDOUBT_ENGINE_INFO_H

#include "engine/engine.h"

typedef void info_fn(const struct engine *e, struct buf *out);

/* info_server.c */
info_fn info_server, info_clients, info_cpu, info_replication, info_modules,
	info_cluster, info_keyspace;

/* info_persistence.c */
info_fn info_memory, info_persistence, info_stats, info_commandstats,
	info_errorstats;

/* One line; the format ends without CRLF. */
void info_line(struct buf *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "name:bytes" and "name_human:…". */
void info_bytes(struct buf *out, const char *name, uint64_t bytes);

/* Figures of the process that several sections share. */
struct info_process {
	uint64_t resident_bytes;
	uint64_t memory_total; /* of the machine */
};

/* Asks the system. */
void info_process(struct info_process *out);

#endif
