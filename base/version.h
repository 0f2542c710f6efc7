/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who we are, and whose protocol we speak.
 */
#ifndef REDOUBT_BASE_VERSION_H
#define REDOUBT_BASE_VERSION_H

#define REDOUBT_NAME "redoubt"
#define REDOUBT_VERSION "0.1.0"

/* What clients gate their features on: the version of Redis whose commands
 * and replies we follow. */
#define REDIS_VERSION "7.2.4"
#define REDIS_VERSION_NUMBER 0x00070204

#endif
