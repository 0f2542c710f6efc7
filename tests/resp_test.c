/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/resp.h"

#include "base/buf.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>

/* A parser with a buffer that moves whenever bytes come, so that a pointer
 * kept by mistake is noticed; commands are appended to `seen` as
 * "[a][bc]\n", the end as "!error\n". */
struct fixture {
	struct resp parser;
	struct resp_args args;
	struct resp_limits limits;
	uint8_t *data;
	size_t size;
	struct buf seen;
	bool ended;
};

static void fixture_init(struct fixture *f)
{
	*f = (struct fixture){ .limits = { 512 * 1024 * 1024, true } };
}

static void fixture_release(struct fixture *f)
{
	resp_args_release(&f->args);
	free(f->data);
	buf_release(&f->seen);
}

static void note(struct fixture *f, const struct slice *argv, unsigned argc)
{
	unsigned i;

	for (i = 0; i < argc; i++) {
		buf_put_byte(&f->seen, '[');
		buf_put_slice(&f->seen, argv[i]);
		buf_put_byte(&f->seen, ']');
	}
	buf_put_byte(&f->seen, '\n');
}

/* Appends bytes to a fresh buffer of just the right size. */
static void append(struct fixture *f, const void *bytes, size_t size)
{
	size_t drop = f->parser.start;
	uint8_t *fresh = malloc(f->size - drop + size + 1);

	if (f->size)
		memcpy(fresh, f->data + drop, f->size - drop);
	memcpy(fresh + f->size - drop, bytes, size);
	if (f->data)
		resp_moved(&f->args, f->data + drop, fresh);
	resp_dropped(&f->parser, drop);
	free(f->data);
	f->data = fresh;
	f->size += size - drop;
}

static void feed(struct fixture *f, const void *bytes, size_t size)
{
	struct resp_input in = { .limits = &f->limits };

	append(f, bytes, size);
	in.data = f->data;
	in.size = f->size;
	while (!f->ended) {
		switch (resp_parse(&f->parser, &in, &f->args)) {
		case RESP_MORE:
			return;
		case RESP_COMMAND:
			note(f, f->args.list, f->args.count);
			f->args.count = 0;
			break;
		case RESP_ATTACK:
			buf_put_str(&f->seen, "!attack\n");
			f->ended = true;
			break;
		case RESP_ERROR:
			buf_printf(&f->seen, "!%s\n", in.error);
			f->ended = true;
			break;
		}
	}
}

static void expect(struct fixture *f, const char *want)
{
	ck_assert_uint_eq(f->seen.size, strlen(want));
	if (f->seen.size)
		ck_assert_mem_eq(f->seen.data, want, f->seen.size);
}

static void check(const char *bytes, const char *want)
{
	struct fixture f;

	fixture_init(&f);
	feed(&f, bytes, strlen(bytes));
	expect(&f, want);
	fixture_release(&f);
}

static void check_unauthenticated(const char *bytes, const char *want)
{
	struct fixture f;

	fixture_init(&f);
	f.limits.authenticated = false;
	feed(&f, bytes, strlen(bytes));
	expect(&f, want);
	fixture_release(&f);
}

/* Streams and what comes of them. */
static const char *const streams[][2] = {
	{ "*1\r\n$4\r\nPING\r\n", "[PING]\n" },
	{ "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$0\r\n\r\n", "[SET][a][]\n" },
	{ "*2\r\n$3\r\nGET\r\n$10\r\n0123456789\r\n*1\r\n$1\r\nx\r\n",
	  "[GET][0123456789]\n[x]\n" },
	{ "*0\r\n*-1\r\n*-5\r\n*1\r\n$1\r\na\r\n", "[a]\n" },
	{ "PING\r\n\r\n  \r\nget  a\tb \n*1\r\n$2\r\nab\r\n",
	  "[PING]\n[get][a][b]\n[ab]\n" },
	{ "set \"a b\" '\\'c\\n' \"\\x41\\x4a\\n\\r\\t\\a\\b\\q\\\"\" \"\"\n",
	  "[set][a b]['c\\n][AJ\n\r\t\a\bq\"][]\n" },
	{ "a\"b c\"\n", "[ab c]\n" },
	{ "\"\\xzz\\x4\"\n", "[xzzx4]\n" },
	{ "*2\r\n$3\r\na\r\n\r\n$1\r\n$\r\n", "[a\r\n][$]\n" },
	{ "*1\r\n$1\r\na\r\n*2\r\n$1\r\nb\r\n:1\r\n",
	  "[a]\n!ERR Protocol error: expected '$', got ':'\n" },
	{ "x\r\n*1\r\n$-1\r\n", "[x]\n!ERR Protocol error: invalid bulk "
				"length\n" },
	{ "get \"a\r\n", "!ERR Protocol error: unbalanced quotes in "
			 "request\n" },
	{ "get 'a'b\r\n", "!ERR Protocol error: unbalanced quotes in "
			  "request\n" },
	{ "*x\r\n", "!ERR Protocol error: invalid multibulk length\n" },
	{ "PING\r\nPOST / HTTP/1.1\r\nGET x\r\n", "[PING]\n!attack\n" },
	{ "GET / HTTP/1.1\r\nhost: localhost\r\nSET a b\r\n",
	  "[GET][/][HTTP/1.1]\n!attack\n" },
};

START_TEST(resp__requests_come_out_whole)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(streams); i++)
		check(streams[i][0], streams[i][1]);
}
END_TEST

START_TEST(resp__two_cuts_anywhere_change_nothing)
{
	size_t i, a, b, size;
	struct fixture f;

	for (i = 0; i < ARRAY_LEN(streams); i++) {
		const char *s = streams[i][0];

		size = strlen(s);
		for (a = 0; a <= size; a++) {
			for (b = a; b <= size; b++) {
				fixture_init(&f);
				feed(&f, s, a);
				feed(&f, s + a, b - a);
				feed(&f, s + b, size - b);
				expect(&f, streams[i][1]);
				fixture_release(&f);
			}
		}
	}
}
END_TEST

START_TEST(resp__byte_by_byte_is_the_same)
{
	struct fixture f;
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(streams); i++) {
		fixture_init(&f);
		for (j = 0; streams[i][0][j]; j++)
			feed(&f, streams[i][0] + j, 1);
		expect(&f, streams[i][1]);
		fixture_release(&f);
	}
}
END_TEST

START_TEST(resp__errors_have_the_texts_clients_know)
{
	check("*2147483648\r\n",
	      "!ERR Protocol error: invalid multibulk length\n");
	check("*99999999999999999999\r\n",
	      "!ERR Protocol error: invalid multibulk length\n");
	check("*3 \r\n", "!ERR Protocol error: invalid multibulk length\n");
	check("*1\r\n$x\r\n", "!ERR Protocol error: invalid bulk length\n");
	check("*1\r\n$536870913\r\n",
	      "!ERR Protocol error: invalid bulk length\n");
	check("*1\r\n$00\r\n", "!ERR Protocol error: invalid bulk length\n");
	check("*1\r\nfoo\r\n",
	      "!ERR Protocol error: expected '$', got 'f'\n");
	check("*1\r\n\r\n", "!ERR Protocol error: expected '$', got '?'\n");
	check("*1\r\n\001oo\r\n",
	      "!ERR Protocol error: expected '$', got '?'\n");
}
END_TEST

/* `head`, then `count` times `byte`: too long for a line. */
static void check_long(const char *head, int byte, size_t count,
		       const char *want)
{
	struct fixture f;
	char *text = malloc(count);

	memset(text, byte, count);
	fixture_init(&f);
	feed(&f, head, strlen(head));
	feed(&f, text, count);
	expect(&f, want);
	fixture_release(&f);
	free(text);
}

START_TEST(resp__a_line_ends_within_64_kib)
{
	check_long("", 'a', RESP_INLINE_MAX, "");
	check_long("", 'a', RESP_INLINE_MAX + 1,
		   "!ERR Protocol error: too big inline request\n");
	check_long("*", '1', RESP_INLINE_MAX + 1,
		   "!ERR Protocol error: too big mbulk count string\n");
	check_long("*1\r\n$", '1', RESP_INLINE_MAX + 1,
		   "!ERR Protocol error: too big bulk count string\n");
}
END_TEST

START_TEST(resp__strangers_have_smaller_limits)
{
	check_unauthenticated("*11\r\n", "!ERR Protocol error: "
			      "unauthenticated multibulk length\n");
	check_unauthenticated("*2\r\n$4\r\nAUTH\r\n$16385\r\n",
			      "!ERR Protocol error: unauthenticated bulk "
			      "length\n");
	check_unauthenticated("*2\r\n$4\r\nAUTH\r\n$1\r\na\r\n",
			      "[AUTH][a]\n");
}
END_TEST

START_TEST(resp__a_number_alone_allocates_nothing)
{
	struct fixture f;
	const char *text = "*1048576\r\n$536870912\r\nx";

	fixture_init(&f);
	feed(&f, text, strlen(text));
	ck_assert(!f.ended);
	ck_assert_uint_eq(f.args.capacity, 0);
	ck_assert_uint_eq(resp_wants(&f.parser, f.size), 536870913);
	fixture_release(&f);
}
END_TEST

START_TEST(resp__a_million_arguments_take_linear_time)
{
	struct fixture f;
	const char *arg = "$1\r\nx\r\n";
	struct buf piece = { 0 };
	unsigned i;

	for (i = 0; i < 2048; i++)
		buf_put_str(&piece, arg);
	fixture_init(&f);
	feed(&f, "*1048576\r\n", 10);
	f.seen.size = 0;
	/* This fixture copies all it has at every call: only a share. */
	for (i = 0; i < 64; i++)
		feed(&f, piece.data, piece.size);
	ck_assert_uint_eq(f.args.count, 2048 * 64);
	ck_assert_uint_eq(f.parser.left, 1048576 - 2048 * 64);
	buf_release(&piece);
	fixture_release(&f);
}
END_TEST

/* --- ahead ---------------------------------------------------------------- */

START_TEST(ahead__takes_what_is_whole_and_plain)
{
	struct slice argv[4], in = SLICE_LITERAL(
		"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$0\r\n\r\n*1\r\n$1\r\nx\r\n");
	size_t at = 0;

	ck_assert_uint_eq(resp_parse_ahead(in, &at, argv, 4), 3);
	ck_assert(slice_is(argv[0], "set"));
	ck_assert(slice_is(argv[1], "a"));
	ck_assert_uint_eq(argv[2].size, 0);
	ck_assert_uint_eq(resp_parse_ahead(in, &at, argv, 4), 1);
	ck_assert(slice_is(argv[0], "x"));
	ck_assert_uint_eq(at, in.size);
	ck_assert_uint_eq(resp_parse_ahead(in, &at, argv, 4), 0);
}
END_TEST

START_TEST(ahead__leaves_everything_else_alone)
{
	static const char *const others[] = {
		"PING\r\n", "*0\r\n$1\r\na\r\n", "*-1\r\n*1\r\n$1\r\na\r\n",
		"*1\r\n:1\r\na\r\n", "*1\r\n$-1\r\n\r\n", "*\r\n$1\r\na\r\n",
		"*5\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n",
		"*1\r\n$123456\r\na\r\n", "*1\n$1\na\n12345678",
		"*1\r\n$1x\r\na\r\n\r\n",
	};
	struct slice argv[4];
	size_t i, at = 0;

	for (i = 0; i < ARRAY_LEN(others); i++) {
		ck_assert_uint_eq(resp_parse_ahead(slice_str(others[i]), &at,
						   argv, 4), 0);
		ck_assert_uint_eq(at, 0);
	}
}
END_TEST

START_TEST(ahead__half_a_command_is_none)
{
	const char *whole = "*2\r\n$3\r\nGET\r\n$12\r\nabcdefghijkl\r\n";
	struct slice argv[4];
	size_t size, at = 0;

	for (size = 0; size < strlen(whole); size++) {
		/* A copy of its own: reading behind it is noticed. */
		uint8_t *copy = malloc(size + 1);

		memcpy(copy, whole, size);
		ck_assert_uint_eq(resp_parse_ahead(slice_of(copy, size), &at,
						   argv, 4), 0);
		ck_assert_uint_eq(at, 0);
		free(copy);
	}
}
END_TEST

START_TEST(ahead__agrees_with_the_full_parser)
{
	static const char *const pieces[] = { "*", "$", "1", "2", "0", "-",
					      "\r\n", "\r\n", "a", "bc", "\n" };
	struct test_random random = { test_seed() };
	struct slice argv[RESP_AHEAD_ARGS];
	struct fixture f, g;
	char text[64];
	unsigned round, n, argc;
	size_t at;

	for (round = 0; round < 200000; round++) {
		text[0] = 0;
		strcat(text, "*1\r\n$1\r\n");
		text[test_random_below(&random, 9)] = 0;
		for (n = (unsigned)test_random_below(&random, 12); n; n--)
			strcat(text, pieces[test_random_below(
				       &random, ARRAY_LEN(pieces))]);
		at = 0;
		argc = resp_parse_ahead(slice_str(text), &at, argv,
					RESP_AHEAD_ARGS);
		if (argc == 0)
			continue;
		fixture_init(&f);
		fixture_init(&g);
		note(&f, argv, argc);
		feed(&g, text, at);
		buf_put_byte(&g.seen, 0);
		buf_put_byte(&f.seen, 0);
		ck_assert_str_eq((char *)f.seen.data, (char *)g.seen.data);
		fixture_release(&f);
		fixture_release(&g);
	}
}
END_TEST

int main(void)
{
	return RUN_TESTS("resp", resp__requests_come_out_whole,
			 resp__two_cuts_anywhere_change_nothing,
			 resp__byte_by_byte_is_the_same,
			 resp__errors_have_the_texts_clients_know,
			 resp__a_line_ends_within_64_kib,
			 resp__strangers_have_smaller_limits,
			 resp__a_number_alone_allocates_nothing,
			 resp__a_million_arguments_take_linear_time,
			 ahead__takes_what_is_whole_and_plain,
			 ahead__leaves_everything_else_alone,
			 ahead__half_a_command_is_none,
			 ahead__agrees_with_the_full_parser);
}
