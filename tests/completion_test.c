/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/completion.h"

#include "tests/support/suite.h"

#include <poll.h>
#include <pthread.h>

enum { POSTERS = 4, POSTS = 20000 };

struct job {
	struct completion completion; /* first: done() casts */
	int poster;
	int number;
};

static struct completion_queue queue;
static struct job jobs[POSTERS][POSTS];
static int next_number[POSTERS];
static int done_count;

static void job_done(struct completion *c)
{
	struct job *job = (struct job *)c;

	/* each poster's jobs come in the order of its posts */
	ck_assert_int_eq(job->number, next_number[job->poster]);
	next_number[job->poster]++;
	done_count++;
}

static void post(int poster, int number)
{
	struct job *job = &jobs[poster][number];

	job->completion.done = job_done;
	job->poster = poster;
	job->number = number;
	completion_post(&queue, &job->completion);
}

static bool readable(int timeout_ms)
{
	struct pollfd p = { .fd = queue.event_file, .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1;
}

START_TEST(completion__runs_everything_posted_in_order)
{
	int i;

	ck_assert_int_eq(completion_open(&queue), 0);
	ck_assert(!readable(0));
	ck_assert(!completion_drain(&queue));
	for (i = 0; i < 3; i++)
		post(0, i);
	ck_assert(readable(0));
	ck_assert(completion_drain(&queue));
	ck_assert_int_eq(done_count, 3);
	ck_assert(!readable(0));
	ck_assert(!completion_drain(&queue));
	post(0, 3);
	ck_assert(readable(0));
	ck_assert(completion_drain(&queue));
	completion_close(&queue);
	ck_assert_int_lt(queue.event_file, 0);
}
END_TEST

static void post_again(struct completion *c)
{
	c->done = job_done;
	completion_post(&queue, c);
}

START_TEST(completion__a_job_may_post_itself_again)
{
	ck_assert_int_eq(completion_open(&queue), 0);
	jobs[0][0].completion.done = post_again;
	completion_post(&queue, &jobs[0][0].completion);
	ck_assert(completion_drain(&queue));
	ck_assert_int_eq(done_count, 0);
	ck_assert(readable(0));
	ck_assert(completion_drain(&queue));
	ck_assert_int_eq(done_count, 1);
	completion_close(&queue);
}
END_TEST

static void *poster_main(void *arg)
{
	int poster = (int)(intptr_t)arg, i;

	for (i = 0; i < POSTS; i++)
		post(poster, i);
	return NULL;
}

START_TEST(completion__no_post_is_lost_between_threads)
{
	pthread_t threads[POSTERS];
	intptr_t i;

	ck_assert_int_eq(completion_open(&queue), 0);
	for (i = 0; i < POSTERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, poster_main,
						(void *)i),
				 0);
	/* only the event says when to look: a lost wake-up is a time-out */
	while (done_count < POSTERS * POSTS) {
		ck_assert(readable(10000));
		completion_drain(&queue);
	}
	for (i = 0; i < POSTERS; i++)
		pthread_join(threads[i], NULL);
	completion_close(&queue);
}
END_TEST

int main(void)
{
	return RUN_TESTS("completion",
			 completion__runs_everything_posted_in_order,
			 completion__a_job_may_post_itself_again,
			 completion__no_post_is_lost_between_threads);
}
