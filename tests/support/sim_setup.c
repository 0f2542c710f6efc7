/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/sim_io.h"

#include "tests/support/sim_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct sim *sim_new(uint64_t seed)
{
	struct sim *s = calloc(1, sizeof(*s));

	assert(s != NULL);
	s->io.ops = &sim_ops;
	s->random = seed;
	s->mono_us = 1000000;
	s->wall_ms = UINT64_C(1700000000000);
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

void sim_free(struct sim *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->file_count; i++) {
		image_unref(s->files[i].durable);
		image_unref(s->files[i].view);
		image_unref(s->files[i].cache);
	}
	for (i = 0; i < s->unit_count; i++)
		unit_release(&s->units[i]);
	free(s->units);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

struct io *sim_io(struct sim *s)
{
	return &s->io;
}

void sim_set_fault(struct sim *s, const struct sim_fault *f)
{
	s->fault = *f;
	s->calls = 0;
}

uint64_t sim_calls(const struct sim *s)
{
	return s->calls;
}

void sim_lie(struct sim *s, bool lie)
{
	s->lie = lie;
}

void sim_limit(struct sim *s, uint64_t bytes)
{
	s->limit = bytes;
}

bool sim_is_limited(const struct sim *s)
{
	return s->limit != 0;
}

void sim_refuse(struct sim *s, bool direct, bool allocate)
{
	s->refuse_direct = direct;
	s->refuse_allocate = allocate;
}

void sim_advance_us(struct sim *s, uint64_t us)
{
	s->mono_us += us;
}

void sim_step_wall_ms(struct sim *s, int64_t ms)
{
	s->wall_ms += (uint64_t)ms;
}

void sim_on_boundary(struct sim *s, sim_boundary_fn *fn, void *ctx)
{
	s->boundary = fn;
	s->boundary_ctx = ctx;
}

size_t sim_pending(const struct sim *s)
{
	return s->unit_count;
}

/* The file behind a live name; NULL if there is none. */
static struct sim_file *file_of(const struct sim *s, const char *path)
{
	int i = names_find(&s->live, path);

	if (i < 0 || s->live.at[i].file < 0)
		return NULL;
	return (struct sim_file *)&s->files[s->live.at[i].file];
}

bool sim_exists(const struct sim *s, const char *path)
{
	return names_find(&s->live, path) >= 0;
}

int64_t sim_peek(const struct sim *s, const char *path, uint64_t offset,
		 void *data, size_t size)
{
	const struct sim_file *f = file_of(s, path);

	return f == NULL ? -1
			 : (int64_t)image_read(f->view, offset, data, size);
}

static void name_now(struct sim *s, const char *path, int file)
{
	names_add(&s->live, path, file);
	names_add(&s->durable, path, file);
}

void sim_poke(struct sim *s, const char *path, uint64_t offset,
	      const void *data, size_t size)
{
	struct sim_file *f = file_of(s, path);

	if (f == NULL) {
		int file = sim_file_new(s);

		name_now(s, path, file);
		f = &s->files[file];
	}
	image_write(&f->durable, offset, data, size);
	image_write(&f->view, offset, data, size);
}

void sim_cut(struct sim *s, const char *path, uint64_t size)
{
	struct sim_file *f = file_of(s, path);

	assert(f != NULL);
	image_resize(&f->durable, size);
	image_resize(&f->view, size);
}

void sim_remove(struct sim *s, const char *path)
{
	names_remove(&s->live, path);
	names_remove(&s->durable, path);
}

void sim_copy_file(struct sim *s, const char *from, const char *to)
{
	struct sim_file *f = file_of(s, from);
	int file;

	assert(f != NULL);
	file = sim_file_new(s);
	image_unref(s->files[file].durable);
	image_unref(s->files[file].view);
	s->files[file].durable = image_ref(f->durable);
	s->files[file].view = image_ref(f->view);
	name_now(s, to, file);
}
