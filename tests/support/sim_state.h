/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of the simulated disk, shared by sim_io.c (calls) and
 * sim_crash.c (states after a crash).
 */
#ifndef REDOUBT_TESTS_SIM_STATE_H
#define REDOUBT_TESTS_SIM_STATE_H

#include "base/slice.h"
#include "tests/support/sim_image.h"
#include "tests/support/sim_io.h"

#include <pthread.h>

#define SIM_FILES_MAX 256
#define SIM_HANDLES_MAX 64
#define SIM_NAMES_MAX 128
#define SIM_PATH_MAX 96

struct sim_file {
	uint32_t number;
	bool used;
	bool locked;
	struct image *durable;
	struct image *view;  /* durable and what is pending */
	struct image *cache; /* NULL, or what readers of lost pages see */
};

enum unit_kind { UNIT_DATA, UNIT_SIZE, UNIT_LINK, UNIT_RENAME, UNIT_UNLINK };

/* One thing that lands or does not. */
struct unit {
	enum unit_kind kind;
	int file;        /* index; of names: the file behind the name */
	uint64_t offset; /* UNIT_SIZE: the new size */
	size_t size;
	uint8_t *data; /* NULL: zeros */
	char *path;    /* of names */
	char *to;      /* of renames */
};

struct sim_name {
	char path[SIM_PATH_MAX];
	int file; /* index; -1: a directory */
};

struct sim_names {
	size_t count;
	struct sim_name at[SIM_NAMES_MAX];
};

struct sim_handle {
	bool used;
	int file;
	unsigned flags;
};

struct sim {
	struct io io; /* first: the program holds a pointer to it */
	pthread_mutex_t lock;
	struct sim_file files[SIM_FILES_MAX];
	size_t file_count;
	struct sim_handle handles[SIM_HANDLES_MAX];
	struct sim_names live;
	struct sim_names durable;
	struct unit *units;
	size_t unit_count;
	size_t unit_capacity;
	struct sim_fault fault;
	uint64_t calls;
	uint64_t limit;
	bool lie;
	bool refuse_direct;
	bool refuse_allocate;
	uint64_t random;
	uint64_t mono_us;
	uint64_t wall_ms;
	uint64_t trace;
	sim_boundary_fn *boundary;
	void *boundary_ctx;
};

extern const struct io_ops sim_ops;

/* The next of a sequence of 64-bit numbers (splitmix64, Steele 2014). */
uint64_t sim_random(uint64_t *state);

/* A new empty file; its index. */
int sim_file_new(struct sim *s);

/* Index of a name, or -1. */
int names_find(const struct sim_names *n, const char *path);
void names_add(struct sim_names *n, const char *path, int file);
void names_remove(struct sim_names *n, const char *path);

/* Carries a unit out on names and durable images; a UNIT_RENAME may keep the
 * old name. */
void unit_land(struct sim *s, const struct unit *u, bool keep_old);
void unit_release(struct unit *u);

#endif
