/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Glob patterns as KEYS, SCAN, CONFIG GET and PSUBSCRIBE have them:
 * `*`, `?`, `[a-z]`, `[^a]`, backslash.  https://redis.io/commands/keys
 *
 * Runs in O(pattern * text) at worst, whatever the pattern: a thousand stars
 * cost no more than one (RELIABILITY: CVE-2022-36021 and its kind).
 */
#ifndef REDOUBT_BASE_GLOB_H
#define REDOUBT_BASE_GLOB_H

#include "base/slice.h"

/* Does the whole text match the whole pattern? */
bool glob_match(struct slice pattern, struct slice text, bool ignore_case);

#endif
