/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sets keys over many connections, each of which sends when it has all its
 * replies.
 *
 *   set_load -p PORT [-c CONNECTIONS] [-P PIPELINE] [-n COMMANDS]
 *            [-d VALUE_BYTES] [-r KEYS] [-t set] [--csv] [-q]
 *
 * The options are redis-benchmark's, and so is what --csv prints, so that it
 * can stand in for it (LOADER of tools/bench/run).  It takes two system calls a
 * request and a wait for many of them, where redis-benchmark takes four; so
 * with many connections it is the server that is measured.
 */
#include "base/io.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS 512
#define SLOTS_US 1000000 /* latencies above count as this */
#define REPLY "+OK\r\n"
#define REPLY_SIZE (sizeof(REPLY) - 1)
#define KEY_DIGITS 12

struct connection {
	int file;
	uint64_t begun_us;
	size_t awaited; /* bytes of replies */
	char *request;  /* PIPELINE commands */
};

static unsigned port = 6379, connection_count = 50, pipeline = 1;
static unsigned long command_count = 100000, key_count = 1000000;
static unsigned value_size = 64;
static size_t key_at, command_size; /* offset in a command, bytes of it */
static unsigned long sent, done;
static uint64_t random_state = 88172645463325252u;
static uint32_t slots[SLOTS_US + 1]; /* batches of replies, by us */

__attribute__((noreturn)) static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_us(void)
{
	return io_posix()->ops->mono_us(io_posix());
}

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void put_keys(struct connection *c)
{
	unsigned i, j;

	for (i = 0; i < pipeline; i++) {
		char *digits = c->request + i * command_size + key_at;
		uint64_t key = random_next() % key_count;

		for (j = KEY_DIGITS; j-- > 0; key /= 10)
			digits[j] = (char)('0' + key % 10);
	}
}

static void send_batch(struct connection *c)
{
	size_t size = pipeline * command_size;

	put_keys(c);
	c->awaited = pipeline * REPLY_SIZE;
	c->begun_us = now_us();
	sent += pipeline;
	if (send(c->file, c->request, size, MSG_NOSIGNAL) != (ssize_t)size)
		die("send");
}

static void read_replies(struct connection *c)
{
	char bytes[4096];
	ssize_t got = recv(c->file, bytes, sizeof(bytes), 0);
	uint64_t took;

	if (got < 0)
		die("recv");
	if (got == 0) {
		fprintf(stderr, "the server has ended the connection\n");
		exit(1);
	}
	if (bytes[got - 1] == '\n' &&
	    ((size_t)got < REPLY_SIZE ||
	     memcmp(bytes + got - REPLY_SIZE, REPLY, REPLY_SIZE) != 0)) {
		fprintf(stderr, "the server says %.*s", (int)got, bytes);
		exit(1);
	}
	if ((size_t)got > c->awaited) {
		fprintf(stderr, "more replies than requests\n");
		exit(1);
	}
	c->awaited -= (size_t)got;
	if (c->awaited)
		return;
	took = now_us() - c->begun_us;
	slots[took < SLOTS_US ? took : SLOTS_US]++;
	done += pipeline;
	if (sent < command_count)
		send_batch(c);
}

static void connect_one(struct connection *c, int poller)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
	char command[256];
	int one = 1, head;
	unsigned i;

	c->file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->file < 0 || connect(c->file, (struct sockaddr *)&a, sizeof(a)))
		die("connect");
	setsockopt(c->file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (epoll_ctl(poller, EPOLL_CTL_ADD, c->file, &e))
		die("epoll_ctl");
	head = snprintf(command, sizeof(command),
			"*3\r\n$3\r\nSET\r\n$16\r\nkey:%0*d\r\n$%u\r\n",
			KEY_DIGITS, 0, value_size);
	key_at = (size_t)(strstr(command, "key:") + 4 - command);
	command_size = (size_t)head + value_size + 2;
	c->request = mem_calloc(pipeline, command_size);
	for (i = 0; i < pipeline; i++) {
		char *p = c->request + i * command_size;

		memcpy(p, command, (size_t)head);
		memset(p + head, 'x', value_size);
		memcpy(p + head + value_size, "\r\n", 2);
	}
}

/* The latency that `share` of all batches do not exceed, milliseconds. */
static double percentile(double share)
{
	uint64_t all = 0, count = 0;
	unsigned i;

	for (i = 0; i <= SLOTS_US; i++)
		all += slots[i];
	for (i = 0; i < SLOTS_US; i++) {
		count += slots[i];
		if (count && (double)count >= share * (double)all)
			break;
	}
	return i / 1000.0;
}

static void run(void)
{
	struct connection *list = mem_calloc(connection_count, sizeof(*list));
	int poller = epoll_create1(EPOLL_CLOEXEC), count, i;
	struct epoll_event events[EVENTS];
	uint64_t begun_us;
	double took_s;

	for (i = 0; i < (int)connection_count; i++)
		connect_one(&list[i], poller);
	begun_us = now_us();
	for (i = 0; i < (int)connection_count && sent < command_count; i++)
		send_batch(&list[i]);
	while (done < sent) {
		count = epoll_wait(poller, events, EVENTS, -1);
		for (i = 0; i < count; i++)
			read_replies(events[i].data.ptr);
	}
	took_s = (double)(now_us() - begun_us) / 1e6;
	printf("\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\","
	       "\"p50_latency_ms\",\"p95_latency_ms\",\"p99_latency_ms\","
	       "\"max_latency_ms\"\n");
	printf("\"SET\",\"%.2f\",\"%.3f\",\"%.3f\",\"%.3f\",\"%.3f\","
	       "\"%.3f\",\"%.3f\"\n", (double)done / took_s,
	       took_s * 1000 * connection_count * pipeline / (double)done,
	       percentile(0), percentile(0.5), percentile(0.95),
	       percentile(0.99), percentile(1));
}

static unsigned long number_of(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text == 0 || *end || n == 0 || n > 1000000000) {
		fprintf(stderr, "set_load: \"%s\" is not a number from 1 to "
			"1000000000\n", text);
		exit(64);
	}
	return n;
}

/* One option and its value, or an option without. The number of words. */
static int option(const char *name, const char *value)
{
	if (strcmp(name, "--csv") == 0 || strcmp(name, "-q") == 0)
		return 1;
	if (value && strcmp(name, "-t") == 0 && strcmp(value, "set") == 0)
		return 2;
	if (value && name[0] == '-' && name[1] && name[2] == 0 &&
	    strchr("pcPndr", name[1])) {
		unsigned long n = number_of(value);

		switch (name[1]) {
		case 'p': port = (unsigned)n; break;
		case 'c': connection_count = (unsigned)n; break;
		case 'P': pipeline = (unsigned)n; break;
		case 'n': command_count = n; break;
		case 'd': value_size = (unsigned)n; break;
		case 'r': key_count = n; break;
		}
		return 2;
	}
	fprintf(stderr, "set_load: unknown option \"%s\"; see the top of "
		"tools/bench/set_load.c\n", name);
	exit(64);
}

int main(int argc, char **argv)
{
	int i = 1;

	while (i < argc)
		i += option(argv[i], argv[i + 1]);
	run();
	return 0;
}
