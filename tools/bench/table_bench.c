/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Times the hash-ordered table: ns per operation and bytes per key.
 *
 *   table_bench [keys in millions, default 1]...
 *
 * Keys are random 64-bit numbers in entries of 16 bytes, which stand in one
 * array: what is timed is the table, not an allocator.
 */
#include "base/checksum.h"
#include "base/mem.h"
#include "types/table_inline.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define AHEAD 16

struct item {
	uint64_t key;
	uint64_t value;
};

static const uint64_t hash_key[2] = { 1, 2 };

static uint64_t key_hash(uint64_t key)
{
	return siphash13(&key, sizeof(key), hash_key);
}

static uint64_t item_hash(const void *ctx, const void *entry)
{
	(void)ctx;
	return key_hash(((const struct item *)entry)->key);
}

static bool item_match(const void *entry, const void *key)
{
	return ((const struct item *)entry)->key == *(const uint64_t *)key;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct item *make_items(size_t count)
{
	struct item *items = mem_calloc(count, sizeof(*items));
	uint64_t state = 88172645463325252ULL;
	size_t i;

	for (i = 0; i < count; i++)
		items[i].key = next_random(&state);
	return items;
}

static void report(const char *what, double begin, size_t count)
{
	printf("  %-28s %8.1f ns/op\n", what,
	       (now_ns() - begin) / (double)count);
}

/* Inserts in batches, prefetched; records the fill and the worst insert. */
static void bench_insert(struct table *t, struct item *items, size_t count)
{
	double begin = now_ns(), bytes = 0, worst = 0;
	size_t i, j, samples = 0;
	uint64_t hashes[AHEAD];

	for (i = 0; i + AHEAD <= count; i += AHEAD) {
		double batch;

		for (j = 0; j < AHEAD; j++) {
			hashes[j] = key_hash(items[i + j].key);
			table_prefetch_bucket(t, hashes[j]);
		}
		batch = now_ns();
		for (j = 0; j < AHEAD; j++)
			table_insert(t, hashes[j], &items[i + j]);
		batch = now_ns() - batch;
		worst = batch > worst ? batch : worst;
		if (i >= count / 2 && i % (count / 1000 / AHEAD * AHEAD) == 0) {
			bytes += (double)table_memory(t) / (double)t->count;
			samples++;
		}
	}
	report("insert, 16 ahead", begin, count);
	printf("  worst 16 inserts             %8.1f us\n", worst / 1000);
	printf("  table from N/2 to N, mean    %8.2f B/key\n",
	       bytes / (double)samples);
	printf("  fill at N                    %8.3f, %zu segments\n",
	       (double)t->count / ((double)t->bucket_count * 8),
	       t->segment_count);
}

static size_t find_batch(const struct table *t, const uint64_t *keys)
{
	uint64_t hashes[AHEAD];
	size_t j, found = 0;

	for (j = 0; j < AHEAD; j++) {
		hashes[j] = key_hash(keys[j]);
		table_prefetch_bucket(t, hashes[j]);
	}
	for (j = 0; j < AHEAD; j++)
		table_prefetch_entry(t, hashes[j]);
	for (j = 0; j < AHEAD; j++)
		found += table_find_inline(t, hashes[j], item_match,
					   &keys[j]).slot != NULL;
	return found;
}

static void bench_find(const struct table *t, const struct item *items,
		       size_t count, bool hit)
{
	uint64_t keys[AHEAD], state = 42;
	size_t i, j, found = 0;
	double begin = now_ns();

	for (i = 0; i < count; i += AHEAD) {
		for (j = 0; j < AHEAD; j++) {
			uint64_t r = next_random(&state);

			/* the item itself is not read: its key is a number
			 * that the loop could not know */
			keys[j] = hit ? items[r % count].key : r;
		}
		found += find_batch(t, keys);
	}
	report(hit ? "find, hit, 16 ahead" : "find, miss, 16 ahead", begin,
	       count);
	if (hit ? found < count : found != 0)
		abort();
}

static void count_entry(void *ctx, void *entry)
{
	*(uint64_t *)ctx += ((const struct item *)entry)->key;
}

static void bench_scan(const struct table *t)
{
	uint64_t position = 0, sum = 0;
	double begin = now_ns();

	do
		position = table_scan(t, position, count_entry, &sum);
	while (position != 0);
	report("scan", begin, t->count);
	if (sum == 0)
		abort();
}

static void bench_remove(struct table *t, struct item *items, size_t count)
{
	double begin = now_ns(), worst = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		uint64_t hash = key_hash(items[i].key);
		double one = now_ns();

		table_remove(t, hash, table_find_inline(t, hash, item_match,
							&items[i].key));
		one = now_ns() - one;
		worst = one > worst ? one : worst;
		if (i == count / 10 * 9)
			printf("  a tenth left                 %8.2f B/key\n",
			       (double)table_memory(t) / (double)t->count);
	}
	report("find and remove", begin, count);
	printf("  worst                        %8.1f us\n", worst / 1000);
}

static void bench(double millions)
{
	size_t count = (size_t)(millions * 1e6) / AHEAD * AHEAD;
	struct item *items = make_items(count);
	struct table t;

	printf("%zu keys\n", count);
	table_init(&t, item_hash, NULL);
	bench_insert(&t, items, count);
	bench_find(&t, items, count, true);
	bench_find(&t, items, count, false);
	bench_scan(&t);
	bench_remove(&t, items, count);
	table_release(&t, NULL, NULL);
	table_reserve(&t, count);
	bench_insert(&t, items, count);
	table_release(&t, NULL, NULL);
	mem_free(items);
}

int main(int argc, char **argv)
{
	int i;

	if (argc == 1)
		bench(1);
	for (i = 1; i < argc; i++)
		bench(strtod(argv[i], NULL));
	return 0;
}
