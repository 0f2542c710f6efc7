/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs a fuzz target over inputs, without a fuzzer: for `make test`, for
 * coverage, and for looking at one input.
 *
 *   PROGRAM PATH...             inputs, folders of them, or x.corpus
 *   PROGRAM --unpack FILE DIR   x.corpus into a folder
 *   PROGRAM --pack FILE DIR     and back
 *
 * A corpus is its inputs one behind the other, each after its size in four
 * bytes, little-endian.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/coding.h"

#define INPUT_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef void input_fn(void *ctx, const uint8_t *data, size_t size);

static unsigned inputs;

static FILE *open_file(const char *path, const char *mode)
{
	FILE *f = fopen(path, mode);

	if (!f) {
		perror(path);
		exit(74);
	}
	return f;
}

static void run_input(void *ctx, const uint8_t *data, size_t size)
{
	/* a block of just this size: reads behind it are seen */
	uint8_t *copy = malloc(size ? size : 1);

	(void)ctx;
	if (!copy)
		exit(71);
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	inputs++;
}

static void each_of_corpus(FILE *f, input_fn *fn, void *ctx)
{
	static uint8_t data[INPUT_MAX];
	uint8_t size[4];

	while (fread(size, 1, 4, f) == 4) {
		if (get_u32(size) > sizeof(data) ||
		    fread(data, 1, get_u32(size), f) != get_u32(size)) {
			fprintf(stderr, "the corpus is cut off\n");
			exit(65);
		}
		fn(ctx, data, get_u32(size));
	}
}

static void each_of_path(const char *path, input_fn *fn, void *ctx);

static void each_of_folder(const char *path, input_fn *fn, void *ctx)
{
	struct dirent **list;
	char name[4096];
	int count = scandir(path, &list, NULL, alphasort), i;

	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s/%s", path, list[i]->d_name);
		if (list[i]->d_name[0] != '.')
			each_of_path(name, fn, ctx);
		free(list[i]);
	}
	if (count >= 0)
		free(list);
}

static void each_of_path(const char *path, input_fn *fn, void *ctx)
{
	static uint8_t data[INPUT_MAX];
	const char *dot = strrchr(path, '.');
	struct stat st;
	FILE *f;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		each_of_folder(path, fn, ctx);
		return;
	}
	f = open_file(path, "rb");
	if (dot && strcmp(dot, ".corpus") == 0)
		each_of_corpus(f, fn, ctx);
	else
		fn(ctx, data, fread(data, 1, sizeof(data), f));
	fclose(f);
}

/* ctx: the folder. */
static void unpack_input(void *ctx, const uint8_t *data, size_t size)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%05u", (const char *)ctx, inputs++);
	f = open_file(path, "wb");
	fwrite(data, 1, size, f);
	fclose(f);
}

/* ctx: the corpus. */
static void pack_input(void *ctx, const uint8_t *data, size_t size)
{
	uint8_t bytes[4];

	put_u32(bytes, (uint32_t)size);
	fwrite(bytes, 1, 4, ctx);
	fwrite(data, 1, size, ctx);
	inputs++;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *done = "inputs replayed\n1 passed, 0 failed";
	FILE *f;
	int i;

	if (argc == 4 && strcmp(argv[1], "--unpack") == 0) {
		each_of_path(argv[2], unpack_input, argv[3]);
		done = "unpacked";
	} else if (argc == 4 && strcmp(argv[1], "--pack") == 0) {
		f = open_file(argv[2], "wb");
		each_of_folder(argv[3], pack_input, f);
		fclose(f);
		done = "packed";
	} else {
		printf("fuzz target %s: ", slash ? slash + 1 : argv[0]);
		fflush(stdout); /* whose assertion follows, if one does */
		for (i = 1; i < argc; i++)
			each_of_path(argv[i], run_input, NULL);
	}
	printf("%u %s\n", inputs, done);
	return 0;
}
