/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sends the commands of a file, in a ring, and counts the replies.
 *
 *   commands_load PORT FILE CONNECTIONS PIPELINE SECONDS COMMANDS
 *
 * The file holds requests as they go over the wire.  Each connection sends
 * PIPELINE of them at once and waits for all replies; it ends after SECONDS or
 * COMMANDS, what comes first.  Prints the number of commands, the seconds, the
 * number of errors, and the first of these.
 */
#include "base/coding.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256
#define BUFFER_SIZE ((size_t)256 * 1024)
#define LINE_SIZE 200

/* Where replies are read to; what a connection has of one is in its own. */
static char input[BUFFER_SIZE];

struct connection {
	uint64_t awaited; /* replies and elements that are to come */
	uint64_t skip;    /* bytes of a string that are to come */
	unsigned line_size;
	char line[LINE_SIZE];
};

struct load {
	const char *bytes;
	size_t *starts; /* of each command, and the end */
	size_t count;
	size_t next;
	unsigned pipeline;
	uint64_t sent, sent_max;
	double end_s;
	uint64_t errors;
	char error[LINE_SIZE];
	struct connection connections[CONNECTIONS_MAX];
	struct pollfd polls[CONNECTIONS_MAX];
};

__attribute__((noreturn)) static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static char *read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	char *bytes;

	if (!f || fseek(f, 0, SEEK_END) != 0)
		die(path);
	*size = (size_t)ftell(f);
	rewind(f);
	bytes = mem_alloc(*size + 1);
	if (fread(bytes, 1, *size, f) != *size)
		die(path);
	bytes[*size] = 0;
	fclose(f);
	return bytes;
}

/* Behind the "\r\n" of a "*3" or "$5", and the number. */
static const char *read_head(const char *p, char kind, long *number)
{
	char *end;

	if (*p != kind)
		die("not a request");
	*number = strtol(p + 1, &end, 10);
	return end + 2;
}

static void find_commands(struct load *l, const char *bytes, size_t size)
{
	const char *p = bytes;
	size_t room = 0;

	l->bytes = bytes;
	while (p < bytes + size) {
		long words, length;

		if (l->count + 2 > room) {
			room = room ? room * 2 : 1024;
			l->starts = mem_realloc_array(l->starts, room,
						      sizeof(*l->starts));
		}
		l->starts[l->count++] = (size_t)(p - bytes);
		for (p = read_head(p, '*', &words); words > 0; words--)
			p = read_head(p, '$', &length) + length + 2;
	}
	if (l->count == 0)
		die("no commands");
	l->starts[l->count] = size;
}

static void send_all(int fd, const char *p, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, p, size);

		if (n <= 0)
			die("write");
		p += n;
		size -= (size_t)n;
	}
}

/* False: nothing is to be sent any more. */
static bool send_some(struct load *l, unsigned i)
{
	uint64_t left = l->sent_max - l->sent;

	if (left == 0 || now_s() >= l->end_s)
		return false;
	left = left < l->pipeline ? left : l->pipeline;
	l->sent += left;
	l->connections[i].awaited = left;
	while (left > 0) {
		size_t n = l->count - l->next;

		n = n < left ? n : left;
		send_all(l->polls[i].fd, l->bytes + l->starts[l->next],
			 l->starts[l->next + n] - l->starts[l->next]);
		l->next = (l->next + n) % l->count;
		left -= n;
	}
	return true;
}

/* A line of a reply that is whole. */
static void take_line(struct load *l, struct connection *c)
{
	long number;

	c->line[c->line_size] = 0;
	number = strtol(c->line + 1, NULL, 10);
	c->awaited--;
	if (*c->line == '$' && number >= 0)
		c->skip = (uint64_t)number + 2;
	if (*c->line == '*' && number > 0)
		c->awaited += (uint64_t)number;
	if (*c->line == '-' && l->errors++ == 0)
		memcpy(l->error, c->line, sizeof(l->error));
	c->line_size = 0;
}

static void take(struct load *l, struct connection *c, const char *p,
		 const char *end)
{
	while (p < end) {
		size_t n = (size_t)(end - p);

		if (c->skip) {
			n = n < c->skip ? n : c->skip;
			c->skip -= n;
			p += n;
			continue;
		}
		if (*p == '\n')
			take_line(l, c);
		else if (*p != '\r' && c->line_size < LINE_SIZE - 1)
			c->line[c->line_size++] = *p;
		p++;
	}
}

static void connect_to(struct pollfd *poll, unsigned port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int one = 1;

	poll->fd = socket(AF_INET, SOCK_STREAM, 0);
	poll->events = POLLIN;
	if (connect(poll->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		die("connect");
	setsockopt(poll->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* Until every connection has its replies and sends no more. */
static void run(struct load *l, unsigned connections)
{
	unsigned busy = 0, i;

	for (i = 0; i < connections; i++)
		busy += send_some(l, i);
	while (busy > 0) {
		if (poll(l->polls, connections, 10000) <= 0)
			die("no reply");
		for (i = 0; i < connections; i++) {
			struct connection *c = &l->connections[i];
			ssize_t n;

			if (!l->polls[i].revents)
				continue;
			n = read(l->polls[i].fd, input, sizeof(input));
			if (n <= 0)
				die("read");
			take(l, c, input, input + n);
			if (c->awaited == 0 && c->skip == 0)
				busy -= !send_some(l, i);
		}
	}
}

int main(int argc, char **argv)
{
	static struct load load;
	unsigned connections, i;
	double begin_s;
	size_t size;
	char *bytes;

	if (argc != 7) {
		fprintf(stderr, "usage: commands_load PORT FILE CONNECTIONS "
				"PIPELINE SECONDS COMMANDS\n");
		return 64;
	}
	connections = (unsigned)atoi(argv[3]);
	if (connections == 0 || connections > CONNECTIONS_MAX)
		die("connections");
	bytes = read_file(argv[2], &size);
	find_commands(&load, bytes, size);
	for (i = 0; i < connections; i++)
		connect_to(&load.polls[i], (unsigned)atoi(argv[1]));
	load.pipeline = (unsigned)atoi(argv[4]);
	load.sent_max = strtoull(argv[6], NULL, 10);
	begin_s = now_s();
	load.end_s = begin_s + strtod(argv[5], NULL);
	run(&load, connections);
	printf("%llu %f %llu %s\n", (unsigned long long)load.sent,
	       now_s() - begin_s, (unsigned long long)load.errors, load.error);
	mem_free(load.starts);
	mem_free(bytes);
	return 0;
}
