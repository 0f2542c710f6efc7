/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/torture/support/wire.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define READ_SIZE 65536

int64_t wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

uint64_t clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

bool wire_open(struct wire *w, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	assert(strlen(path) < sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	w->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (w->fd < 0)
		return false;
	w->in.size = w->taken = 0;
	w->out.size = w->sent = 0;
	if (connect(w->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return true;
	wire_close(w);
	return false;
}

void wire_close(struct wire *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

void wire_release(struct wire *w)
{
	wire_close(w);
	buf_release(&w->in);
	buf_release(&w->out);
}

void wire_put(struct wire *w, const char *command)
{
	unsigned words = 1;
	const char *end;

	for (const char *p = command; *p; p++)
		words += *p == ' ';
	buf_printf(&w->out, "*%u\r\n", words);
	for (; *command; command = *end ? end + 1 : end) {
		end = strchrnul(command, ' ');
		buf_printf(&w->out, "$%zu\r\n%.*s\r\n",
			   (size_t)(end - command), (int)(end - command),
			   command);
	}
}

static bool would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

bool wire_send(struct wire *w)
{
	while (w->sent < w->out.size) {
		ssize_t n = send(w->fd, w->out.data + w->sent,
				 w->out.size - w->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0)
			return would_block();
		w->sent += (size_t)n;
	}
	w->sent = w->out.size = 0;
	return true;
}

bool wire_fill(struct wire *w)
{
	if (w->taken == w->in.size) {
		w->taken = w->in.size = 0;
	} else if (w->taken > READ_SIZE) {
		buf_drop_front(&w->in, w->taken);
		w->taken = 0;
	}
	for (;;) {
		uint8_t *to = buf_reserve(&w->in, READ_SIZE);
		ssize_t n = recv(w->fd, to, READ_SIZE, MSG_DONTWAIT);

		if (n < 0)
			return would_block();
		if (n == 0)
			return false;
		w->in.size += (size_t)n;
		if (n < READ_SIZE)
			return true;
	}
}

/* One line at *at; 0 if it is not whole yet. */
static bool take_line(const struct wire *w, size_t *at, struct slice *line)
{
	const uint8_t *from = w->in.data + *at;
	const uint8_t *end = memchr(from, '\n', w->in.size - *at);

	if (!end || end == from)
		return false;
	*line = slice_of(from, (size_t)(end - from) - 1);
	*at += line->size + 2;
	return true;
}

static void note_scalar(struct reply *r, char type, int64_t integer,
			struct slice text)
{
	if (r->scalars++ == 0)
		r->first = type == ':' ? integer : -1;
	r->type = type;
	r->integer = integer;
	r->text = text;
}

static void note_word(struct wire *w, struct slice text)
{
	if (w->words == NULL)
		return;
	buf_put_slice(w->words, text);
	buf_put_byte(w->words, 0);
}

/* Takes a reply of `left` values, counting down; see wire_next. */
static int take_values(struct wire *w, size_t *at, struct reply *r)
{
	int64_t left = 1;
	struct slice line;

	for (; left > 0; left--) {
		int64_t number;
		char type;

		if (*at >= w->in.size || !take_line(w, at, &line))
			return 0;
		if (line.size == 0)
			return -1;
		type = (char)line.data[0];
		number = strtoll((const char *)line.data + 1, NULL, 10);
		if (type == '*') {
			left += number > 0 ? number : 0;
		} else if (type == '$' && number < 0) {
			note_scalar(r, 0, 0, line);
			note_word(w, slice_str("nil"));
		} else if (type == '$') {
			if (w->in.size - *at < (size_t)number + 2)
				return 0;
			note_scalar(r, type, 0, slice_of(w->in.data + *at,
							 (size_t)number));
			*at += (size_t)number + 2;
			note_word(w, r->text);
		} else if (type == ':' || type == '+' || type == '-') {
			note_scalar(r, type, number,
				    slice_of(line.data + 1, line.size - 1));
			note_word(w, r->text);
		} else {
			return -1;
		}
	}
	return 1;
}

int wire_next(struct wire *w, struct reply *r)
{
	size_t at = w->taken;
	int got;

	if (w->taken == w->in.size)
		return 0;
	*r = (struct reply){ 0 };
	if (w->words != NULL)
		w->words->size = 0;
	got = take_values(w, &at, r);
	if (got == 1)
		w->taken = at;
	return got;
}

bool wire_wait(struct wire *w, struct reply *r)
{
	uint64_t end_us = clock_us() + WIRE_TIMEOUT_MS * UINT64_C(1000);
	int got = wire_next(w, r);

	while (got == 0 && clock_us() < end_us) {
		struct pollfd p = { .fd = w->fd, .events = POLLIN };

		if (!wire_send(w))
			return false;
		if (w->sent < w->out.size)
			p.events |= POLLOUT;
		if (poll(&p, 1, WIRE_TIMEOUT_MS) <= 0 || !wire_fill(w))
			return wire_next(w, r) == 1;
		got = wire_next(w, r);
	}
	return got == 1;
}
