/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * send and recv without the C library's cancellation points, which cost a
 * process with threads two atomic writes per call.
 */
#ifndef REDOUBT_NET_SOCKET_H
#define REDOUBT_NET_SOCKET_H

#include <sys/socket.h>

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>

static inline ssize_t socket_send(int file, const void *data, size_t size)
{
	return syscall(SYS_sendto, file, data, size, MSG_NOSIGNAL, NULL, 0);
}

static inline ssize_t socket_receive(int file, void *data, size_t size)
{
	return syscall(SYS_recvfrom, file, data, size, 0, NULL, NULL);
}
#else
static inline ssize_t socket_send(int file, const void *data, size_t size)
{
	return send(file, data, size, MSG_NOSIGNAL);
}

static inline ssize_t socket_receive(int file, void *data, size_t size)
{
	return recv(file, data, size, 0);
}
#endif

#endif
