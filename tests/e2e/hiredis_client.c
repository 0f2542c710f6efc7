/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Basic use of the server through hiredis: plain commands, a pipeline, replies
 * of every kind, under RESP2 and RESP3.  Run by clients_test.py:
 *
 *	hiredis_client <port>
 *
 * One line per protocol; exit status 1 and a line on stderr at the first
 * surprise.  A hiredis before 1.0 speaks RESP2 only and says so.
 */
#include <hiredis/hiredis.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static redisContext *context;
static unsigned checks;

static void must(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "%s does not hold (%s)\n", what,
			context && context->err ? context->errstr : "no error");
		exit(1);
	}
	checks++;
}

#define MUST(condition) must(condition, #condition)

static bool is_text(const redisReply *r, int type, const char *text)
{
	return r && r->type == type && r->len == strlen(text) &&
	       !memcmp(r->str, text, r->len);
}

static bool is_number(const redisReply *r, long long number)
{
	return r && r->type == REDIS_REPLY_INTEGER && r->integer == number;
}

static bool is_nil(const redisReply *r)
{
	return r && r->type == REDIS_REPLY_NIL;
}

/* Runs a command, checks that test holds of its reply r. */
#define COMMAND(test, ...)                                    \
	do {                                                  \
		redisReply *r = redisCommand(context, __VA_ARGS__); \
		MUST(test);                                   \
		freeReplyObject(r);                           \
	} while (0)

static void plain_commands(void)
{
	COMMAND(is_text(r, REDIS_REPLY_STATUS, "OK"), "FLUSHALL");
	COMMAND(is_text(r, REDIS_REPLY_STATUS, "PONG"), "PING");
	COMMAND(is_text(r, REDIS_REPLY_STATUS, "OK"), "SET %s %s", "k", "v");
	COMMAND(is_text(r, REDIS_REPLY_STRING, "v"), "GET k");
	COMMAND(is_nil(r), "GET none");
	COMMAND(is_text(r, REDIS_REPLY_STATUS, "OK"), "SET bin %b", "a\0b",
		(size_t)3);
	COMMAND(r && r->type == REDIS_REPLY_STRING && r->len == 3 &&
		!memcmp(r->str, "a\0b", 3), "GET bin");
	COMMAND(is_number(r, 42), "INCRBY n %d", 42);
	COMMAND(r && r->type == REDIS_REPLY_ERROR &&
		!strcmp(r->str, "ERR value is not an integer or out of range"),
		"INCR k");
	COMMAND(r && r->type == REDIS_REPLY_ARRAY && r->elements == 3 &&
		is_text(r->element[0], REDIS_REPLY_STRING, "v") &&
		is_nil(r->element[1]) &&
		is_text(r->element[2], REDIS_REPLY_STRING, "42"),
		"MGET k none n");
	COMMAND(r && r->type == REDIS_REPLY_ARRAY && r->elements == 2 &&
		is_text(r->element[0], REDIS_REPLY_STRING, "0") &&
		r->element[1]->elements == 3, "SCAN 0 COUNT 100");
	COMMAND(is_text(r, REDIS_REPLY_STRING, ""), "ECHO %s", "");
	COMMAND(r && r->type == REDIS_REPLY_ARRAY && r->elements == 0,
		"KEYS nothing*");
}

#define BURST 1000

static void pipeline(void)
{
	redisReply *r;
	int i;

	for (i = 0; i < BURST; i++) {
		redisAppendCommand(context, "SET p:%d value-%d", i, i);
		redisAppendCommand(context, "GET p:%d", i);
	}
	for (i = 0; i < BURST; i++) {
		char wanted[32];

		snprintf(wanted, sizeof(wanted), "value-%d", i);
		MUST(redisGetReply(context, (void **)&r) == REDIS_OK);
		MUST(is_text(r, REDIS_REPLY_STATUS, "OK"));
		freeReplyObject(r);
		MUST(redisGetReply(context, (void **)&r) == REDIS_OK);
		MUST(is_text(r, REDIS_REPLY_STRING, wanted));
		freeReplyObject(r);
	}
}

static void resp3(void)
{
#if HIREDIS_MAJOR >= 1
	COMMAND(r && r->type == REDIS_REPLY_MAP && r->elements == 14,
		"HELLO 3");
	plain_commands();
	pipeline();
	COMMAND(r && r->type == REDIS_REPLY_MAP && r->elements == 2 &&
		is_text(r->element[0], REDIS_REPLY_STRING, "maxmemory"),
		"CONFIG GET maxmemory");
	COMMAND(r && r->type == REDIS_REPLY_VERB && !strcmp(r->vtype, "txt"),
		"INFO server");
	printf("RESP3: %u checks passed\n", checks);
#else
	printf("RESP3: this hiredis does not know it\n");
#endif
}

int main(int argc, char **argv)
{
	struct timeval timeout = { .tv_sec = 30 };

	if (argc != 2) {
		fprintf(stderr, "usage: hiredis_client <port>\n");
		return 64;
	}
	context = redisConnectWithTimeout("127.0.0.1", atoi(argv[1]), timeout);
	MUST(context != NULL && context->err == 0);
	plain_commands();
	pipeline();
	COMMAND(r && r->type == REDIS_REPLY_ARRAY && r->elements == 14,
		"HELLO 2");
	printf("RESP2: %u checks passed\n", checks);
	checks = 0;
	resp3();
	redisFree(context);
	return 0;
}
