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
void info_server(const struct engine *e, struct buf *out);
void info_clients(const struct engine *e, struct buf *out);
void info_cpu(const struct engine *e, struct buf *out);
void info_replication(const struct engine *e, struct buf *out);
void info_modules(const struct engine *e, struct buf *out);
void info_cluster(const struct engine *e, struct buf *out);
void info_keyspace(const struct engine *e, struct buf *out);

/* info_persistence.c */
void info_memory(const struct engine *e, struct buf *out);
void info_persistence(const struct engine *e, struct buf *out);
void info_stats(const struct engine *e, struct buf *out);
void info_commandstats(const struct engine *e, struct buf *out);
void info_errorstats(const struct engine *e, struct buf *out);

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
