/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Passwords are kept as SHA-256 only, and compared in constant time.
 */
#ifndef REDOUBT_ENGINE_PASSWORD_H
#define REDOUBT_ENGINE_PASSWORD_H

#include "base/slice.h"

#define PASSWORD_HEX_SIZE 65 /* 64 digits and a 0 */

/* The hash of a password in lower-case hexadecimal. Any thread. */
void password_hash(struct slice password, char out[PASSWORD_HEX_SIZE]);

/* Whether the candidate has this hash. Takes the same time whatever differs;
 * hex NULL does the same work and is false. Any thread. */
bool password_matches(struct slice candidate, const char *hex);

/* Whether s has the form of a hash: 64 lower-case hexadecimal digits. */
bool password_is_hash(struct slice s);

#endif
