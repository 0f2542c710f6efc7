/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The options that SET and its kin share: conditions, deadlines, bounds.
 * One table of words (string_options.c) says which exclude each other.
 */
#ifndef REDOUBT_ENGINE_STRING_OPTIONS_H
#define REDOUBT_ENGINE_STRING_OPTIONS_H

#include "engine/cmd.h"

enum string_option {
	OPTION_NX = 1 << 0,
	OPTION_XX = 1 << 1,
	OPTION_IFEQ = 1 << 2,  /* value is these bytes */
	OPTION_IFNE = 1 << 3,
	OPTION_IFDEQ = 1 << 4, /* DIGEST of the value is this */
	OPTION_IFDNE = 1 << 5,
	OPTION_GET = 1 << 6,
	OPTION_EX = 1 << 7,
	OPTION_PX = 1 << 8,
	OPTION_EXAT = 1 << 9,
	OPTION_PXAT = 1 << 10,
	OPTION_KEEPTTL = 1 << 11,
	OPTION_PERSIST = 1 << 12,
	OPTION_ENX = 1 << 13,  /* a deadline only where there is none */
	OPTION_BYINT = 1 << 14,
	OPTION_BYFLOAT = 1 << 15,
	OPTION_LBOUND = 1 << 16,
	OPTION_UBOUND = 1 << 17,
	OPTION_SATURATE = 1 << 18,
};

#define OPTIONS_DEADLINE \
	(OPTION_EX | OPTION_PX | OPTION_EXAT | OPTION_PXAT)
#define OPTIONS_ON_VALUE \
	(OPTION_IFEQ | OPTION_IFNE | OPTION_IFDEQ | OPTION_IFDNE)
#define OPTIONS_CONDITION (OPTION_NX | OPTION_XX | OPTIONS_ON_VALUE)

struct string_options {
	uint32_t given;      /* enum string_option */
	uint64_t deadline;   /* DEADLINE_NONE, DEADLINE_KEEP or unix ms */
	bool dead;           /* the deadline has already passed */
	/* Arguments of options, by index in argv; 0: not given. */
	unsigned deadline_index;
	unsigned condition_index;
	unsigned by_index;
	unsigned lower_index;
	unsigned upper_index;
};

/* Reads argv from `first` on, where only `allowed` may stand. False: the
 * error (syntax, or an invalid time) has been replied. */
bool string_options_parse(struct cmd *c, unsigned first, uint32_t allowed,
			  struct string_options *o);

/* Whether the condition allows what the command wants to do to e (NULL:
 * absent). Value conditions want a string or nothing. False for another
 * reason than the condition: the error has been replied (c->failed). */
bool string_condition(struct cmd *c, const struct string_options *o,
		      const struct entry *e);

/* A time argument as Redis checks it: seconds or milliseconds, from now or
 * since 1970; must be positive. False: the error has been replied. Times
 * beyond DEADLINE_MAX_MS become that. */
bool deadline_arg(struct cmd *c, unsigned index, uint32_t unit,
		  uint64_t *deadline_ms);

#endif
