/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/listen.h"

#include "base/logline.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* One address to listen on. */
struct target {
	char host[256];
	bool optional; /* written with a '-' in front */
};

/* Keeps errno. */
static void fail(struct err_message *m, const struct target *t, int port,
		 const char *what)
{
	int error = errno;

	err_set(m, ERR_CONFIG,
		"Could not create server TCP listening socket %s:%d: %s: %s",
		t->host, port, what, strerror(error));
	errno = error;
}

/* Is it that this machine has no such address or protocol? */
static bool is_absent(int error)
{
	return error == EADDRNOTAVAIL || error == EAFNOSUPPORT ||
	       error == EPROTONOSUPPORT || error == ENOPROTOOPT ||
	       error == ENOENT;
}

static struct addrinfo *resolve(const struct target *t, int port,
				struct err_message *m)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE }, *found = NULL;
	const char *host = t->host;
	char service[16];
	int error;

	if (strcmp(host, "*") == 0) {
		host = NULL;
		hints.ai_family = AF_INET;
	} else if (strcmp(host, "::*") == 0) {
		host = NULL;
		hints.ai_family = AF_INET6;
	}
	snprintf(service, sizeof(service), "%d", port);
	error = getaddrinfo(host, service, &hints, &found);
	if (error == 0)
		return found;
	errno = error == EAI_SYSTEM ? errno : EADDRNOTAVAIL;
	err_set(m, ERR_CONFIG,
		"Could not create server TCP listening socket %s:%d: %s",
		t->host, port, gai_strerror(error));
	return NULL;
}

/* A listening socket, or -1, errno and the step that failed. */
static int listen_at(const struct sockaddr *address, socklen_t size,
		     int backlog, const char **step)
{
	int on = 1, error, file;

	*step = "socket";
	file = socket(address->sa_family,
		      SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (file < 0)
		return -1;
	if (address->sa_family == AF_INET6)
		setsockopt(file, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	*step = "bind";
	if (bind(file, address, size) == 0) {
		*step = "listen";
		if (listen(file, backlog) == 0)
			return file;
	}
	error = errno;
	close(file);
	errno = error;
	return -1;
}

/* The socket, or -1 with errno and m. */
static int open_tcp(const struct target *t, const struct config *config,
		    struct err_message *m)
{
	int port = (int)config->port, file;
	struct addrinfo *a = resolve(t, port, m);
	const char *step;

	if (a == NULL)
		return -1;
	file = listen_at(a->ai_addr, a->ai_addrlen, (int)config->tcp_backlog,
			 &step);
	if (file < 0)
		fail(m, t, port, step);
	freeaddrinfo(a);
	return file;
}

/* The next word of the bind directive; false: no more. */
static bool next_target(const char **list, struct target *t)
{
	const char *p = *list + strspn(*list, " \t");
	size_t size = strcspn(p, " \t");

	*list = p + size;
	t->optional = *p == '-';
	if (t->optional) {
		p++;
		size--;
	}
	if (size == 0 || size >= sizeof(t->host))
		return false;
	memcpy(t->host, p, size);
	t->host[size] = 0;
	return true;
}

static void add(struct listeners *l, int file, bool is_unix)
{
	l->list[l->count++] = (struct listener){
		.source = { SOURCE_LISTENER, file }, .is_unix = is_unix
	};
}

/* Opens the TCP ones of config behind those in l. */
static int listeners_open_tcp(struct listeners *l, const struct config *config,
			      struct err_message *m)
{
	const char *list = config->bind && *config->bind ? config->bind : "*";
	unsigned before = l->count;
	struct target t;
	int file;

	if (config->port == 0)
		return OK;
	while (next_target(&list, &t)) {
		if (l->count - before == LISTENERS_MAX - 1)
			return err_set(m, ERR_CONFIG,
				       "bind has more than %d addresses",
				       LISTENERS_MAX - 1);
		file = open_tcp(&t, config, m);
		if (file >= 0) {
			add(l, file, false);
			continue;
		}
		if (t.optional && is_absent(errno))
			continue;
		log_line(LOG_LEVEL_WARNING, "%s", m->text);
		return ERR_CONFIG;
	}
	if (l->count == before)
		return err_set(m, ERR_CONFIG,
			       "none of the addresses of bind exists here: %s",
			       config->bind);
	return OK;
}

/* A socket file that nobody listens on any more is in the way; anything else
 * is not ours to remove. */
static bool remove_stale(const struct sockaddr_un *address)
{
	struct stat st;
	int file, refused;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT;
	if (!S_ISSOCK(st.st_mode)) {
		errno = EEXIST;
		return false;
	}
	file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (file < 0)
		return false;
	refused = connect(file, (const struct sockaddr *)address,
			  sizeof(*address)) < 0;
	close(file);
	if (!refused) {
		errno = EADDRINUSE;
		return false;
	}
	return unlink(address->sun_path) == 0;
}

/* The file has its mode from the moment it appears: nobody else can connect
 * between bind and chmod. */
static int open_unix(const struct config *config, struct err_message *m)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mode = config->unixsocketperm ? (mode_t)config->unixsocketperm
					     : 0600;
	mode_t old;
	int file = -1, result;

	if (strlen(config->unixsocket) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		goto fail;
	}
	strcpy(address.sun_path, config->unixsocket);
	if (!remove_stale(&address))
		goto fail;
	file = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (file < 0)
		goto fail;
	old = umask(0777 & ~mode);
	result = bind(file, (struct sockaddr *)&address, sizeof(address));
	umask(old);
	if (result < 0 || listen(file, (int)config->tcp_backlog) < 0)
		goto fail;
	return file;
fail:
	err_set(m, ERR_CONFIG, "Failed opening Unix socket: %s: %s",
		config->unixsocket, strerror(errno));
	log_line(LOG_LEVEL_WARNING, "%s", m->text);
	if (file >= 0)
		close(file);
	return -1;
}

int listeners_open(struct listeners *l, const struct config *config,
		   struct err_message *m)
{
	int file, err;

	l->count = 0;
	err = listeners_open_tcp(l, config, m);
	if (err)
		goto fail;
	if (config->unixsocket && *config->unixsocket) {
		file = open_unix(config, m);
		if (file < 0) {
			err = ERR_CONFIG;
			goto fail;
		}
		add(l, file, true);
	}
	if (l->count == 0) {
		err = err_set(m, ERR_CONFIG, "Configured to not listen "
			      "anywhere: port is 0 and unixsocket is not set");
		goto fail;
	}
	return OK;
fail:
	listeners_close(l);
	return err;
}

/* Closes the TCP ones and keeps the others. */
static void close_tcp(struct listeners *l)
{
	unsigned i, kept = 0;

	for (i = 0; i < l->count; i++)
		if (l->list[i].is_unix)
			l->list[kept++] = l->list[i];
		else
			close(l->list[i].source.file);
	l->count = kept;
}

int listeners_reopen_tcp(struct listeners *l, const struct config *config,
			 struct err_message *m)
{
	struct sockaddr_storage old[LISTENERS_MAX];
	socklen_t size = sizeof(old[0]);
	unsigned i, count = 0;
	const char *step;
	int file;

	for (i = 0; i < l->count; i++, size = sizeof(old[0]))
		if (!l->list[i].is_unix &&
		    getsockname(l->list[i].source.file,
				(struct sockaddr *)&old[count], &size) == 0)
			count++;
	/* An address that stays can only be bound again when it is free. */
	close_tcp(l);
	if (listeners_open_tcp(l, config, m) == OK)
		return OK;
	close_tcp(l);
	for (i = 0; i < count; i++) {
		file = listen_at((struct sockaddr *)&old[i], sizeof(old[i]),
				 (int)config->tcp_backlog, &step);
		if (file >= 0)
			add(l, file, false);
		else
			log_line(LOG_LEVEL_WARNING, "A listening socket is "
				 "lost: %s: %s", step, strerror(errno));
	}
	return ERR_CONFIG;
}

void listeners_close(struct listeners *l)
{
	while (l->count)
		close(l->list[--l->count].source.file);
}
