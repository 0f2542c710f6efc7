/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests: arrays of bulk strings, and inline commands, parsed as they come.
 * https://redis.io/docs/latest/develop/reference/protocol-spec/
 *
 * Arguments are slices of the caller's buffer; nothing is copied.  The parser
 * remembers where it stopped, so every byte is looked at once however it is
 * cut.  When the buffer moves, resp_moved tells the arguments.
 *
 * Inline arguments are unquoted in place: their bytes in the buffer change, so
 * that a line must not be parsed twice.  Any thread, one at a time.
 */
#ifndef REDOUBT_NET_RESP_H
#define REDOUBT_NET_RESP_H

#include "base/slice.h"

#define RESP_INLINE_MAX (64 * 1024) /* bytes of a line */
#define RESP_ARGS_MAX INT32_MAX
#define RESP_ARGS_MAX_UNAUTHENTICATED 10
#define RESP_BULK_MAX_UNAUTHENTICATED (16 * 1024)
#define RESP_AHEAD_ARGS 32 /* what resp_parse_ahead takes */

/* Where parsing stands.  Zeroed to start. */
struct resp {
	size_t start;    /* first byte of the command being parsed */
	size_t at;       /* next byte to look at */
	size_t scanned;  /* no line ends between at and here */
	uint32_t left;   /* arguments to come; 0: between commands */
	bool in_bulk;    /* bulk_size is known, its bytes are next */
	size_t bulk_size;
};

/* Arguments so far; grows.  Zeroed to start. */
struct resp_args {
	struct slice *list;
	unsigned count;
	unsigned capacity;
};

struct resp_limits {
	size_t bulk_max; /* proto-max-bulk-len */
	bool authenticated;
};

enum resp_result {
	RESP_MORE,    /* the command goes on behind the buffer's end */
	RESP_COMMAND, /* args holds it */
	RESP_ATTACK,  /* a web browser talks: close without a word */
	RESP_ERROR,   /* error says what to reply before closing */
};

#define RESP_ERROR_SIZE 80

/* A buffer and what came of it. */
struct resp_input {
	uint8_t *data;
	size_t size;
	const struct resp_limits *limits;
	char error[RESP_ERROR_SIZE]; /* C string, "ERR Protocol error: …" */
};

/* Goes on parsing.  After RESP_COMMAND, r->start and r->at are behind the
 * command, and the caller empties args before the next. */
enum resp_result resp_parse(struct resp *r, struct resp_input *in,
			    struct resp_args *args);

/* The quick way for what nearly all commands look like: one complete array of
 * at most RESP_AHEAD_ARGS short strings at `at`.  Writes the arguments to argv
 * (room of them), moves *at behind the command and returns their number.
 * 0: not such a command, or too many; nothing has changed. */
unsigned resp_parse_ahead(struct slice in, size_t *at, struct slice *argv,
			  unsigned room);

/* How many bytes the buffer should have room for, behind those in it, so that
 * a big argument comes in whole; 0: nothing special. */
size_t resp_wants(const struct resp *r, size_t size);

/* The bytes of the buffer moved: those at `from` are at `to` now. */
void resp_moved(struct resp_args *args, const uint8_t *from,
		const uint8_t *to);

/* Drops the first n bytes of the buffer from all positions. */
void resp_dropped(struct resp *r, size_t n);

/* A copy of argc slices (not of their bytes) in an empty args. */
void resp_args_copy(struct resp_args *args, const struct slice *argv,
		    unsigned argc);

/* Frees the list, not the bytes. */
void resp_args_release(struct resp_args *args);

#endif
