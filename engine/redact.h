/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which arguments must never be shown: in the slow log, in MONITOR.
 */
#ifndef REDOUBT_ENGINE_REDACT_H
#define REDOUBT_ENGINE_REDACT_H

#include "engine/cmd.h"

#define REDACTED "(redacted)"

/* Argument number index of c as it may be shown: itself or "(redacted)". */
struct slice redact_argument(const struct cmd *c, unsigned index);

/* Appends s in quotes, with escapes for what is not printable. */
void redact_put_quoted(struct buf *out, struct slice s);

#endif
