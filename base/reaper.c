/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The freeing thread: a queue under a mutex.  Jobs are big, so one small node
 * and one lock each cost nothing beside what they free.
 */
#include "base/reaper.h"

#include "base/mem.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

struct job {
	struct job *next;
	void (*destroy)(void *);
	void *object;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static struct job *first;
static struct job **last = &first;
static bool running;  /* under lock: the thread takes jobs */
static pthread_t thread; /* written by start and stop only */
static atomic_size_t pending, freed;

/* Pages go back to the system when so much has been freed, at once: left to
 * the allocator they would come back within half a minute. */
#define PURGE_BYTES ((size_t)8 << 20)
static size_t unpurged; /* the thread's */

static void job_run(struct job *job)
{
	job->destroy(job->object);
	mem_free(job);
	atomic_fetch_sub(&pending, 1);
	atomic_fetch_add(&freed, 1);
}

static void *reaper_main(void *unused)
{
	size_t before, after;

	(void)unused;
	pthread_mutex_lock(&lock);
	while (running || first != NULL) {
		struct job *job = first;

		if (job == NULL && unpurged >= PURGE_BYTES) {
			pthread_mutex_unlock(&lock);
			mem_purge();
			unpurged = 0;
			pthread_mutex_lock(&lock);
			continue;
		}
		if (job == NULL) {
			pthread_cond_wait(&wake, &lock);
			continue;
		}
		first = job->next;
		if (first == NULL)
			last = &first;
		pthread_mutex_unlock(&lock);
		before = mem_used();
		job_run(job);
		after = mem_used(); /* others' work shows, too */
		unpurged += before > after ? before - after : 0;
		pthread_mutex_lock(&lock);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* False when there is no thread to take it. */
static bool reaper_queue(struct job *job)
{
	pthread_mutex_lock(&lock);
	if (!running) {
		pthread_mutex_unlock(&lock);
		return false;
	}
	*last = job;
	last = &job->next;
	pthread_cond_signal(&wake);
	pthread_mutex_unlock(&lock);
	return true;
}

void reaper_free(void (*destroy)(void *), void *p)
{
	struct job *job = mem_alloc(sizeof(*job));

	*job = (struct job){ NULL, destroy, p };
	atomic_fetch_add(&pending, 1);
	if (!reaper_queue(job))
		job_run(job);
}

int reaper_start(void)
{
	sigset_t all, before;
	int error;

	assert(!running);
	/* signals are for the threads that wait for them */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	running = true;
	error = pthread_create(&thread, NULL, reaper_main, NULL);
	if (error != 0)
		running = false;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

void reaper_stop(void)
{
	pthread_mutex_lock(&lock);
	if (!running) {
		pthread_mutex_unlock(&lock);
		return;
	}
	running = false;
	pthread_cond_signal(&wake);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	assert(first == NULL);
}

size_t reaper_pending(void)
{
	return atomic_load(&pending);
}

size_t reaper_freed(void)
{
	return atomic_load(&freed);
}
