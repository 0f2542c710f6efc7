/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/hll.h"

#include <assert.h>
#include <math.h>

#include "base/coding.h"

#define INDEX_BITS 14
#define HASH_SEED 0xadc83b19 /* Redis', or registers would not be the same */
#define ENCODING_AT 4
#define CACHE_AT 8
#define CACHE_STALE 0x80 /* in byte 15 */

#define ZERO_RUN_MAX 64
#define VALUE_RUN_MAX 4
#define VALUE_MAX 32
#define SPLIT_MAX 5 /* bytes that one run may become */

_Static_assert(HLL_REGISTERS == 1 << INDEX_BITS, "index bits");
_Static_assert(HLL_RANK_MAX == 64 - INDEX_BITS + 1, "rank of a zero hash");

/* MurmurHash64A (Austin Appleby, public domain), little endian. */
static uint64_t murmur64a(struct slice s)
{
	const uint64_t m = 0xc6a4a7935bd1e995u;
	uint64_t h = HASH_SEED ^ (s.size * m);
	const uint8_t *p = s.data;
	size_t left;

	for (left = s.size; left >= 8; left -= 8, p += 8) {
		uint64_t k = get_u64(p) * m;

		h ^= (k ^ k >> 47) * m;
		h *= m;
	}
	if (left > 0) {
		uint64_t k = 0;

		while (left-- > 0)
			k = k << 8 | p[left];
		h = (h ^ k) * m;
	}
	h = (h ^ h >> 47) * m;
	return h ^ h >> 47;
}

struct hll_mark hll_mark(struct slice element)
{
	uint64_t hash = murmur64a(element);
	uint64_t rest = hash >> INDEX_BITS | UINT64_C(1) << (64 - INDEX_BITS);

	return (struct hll_mark){
		.index = (uint16_t)(hash & (HLL_REGISTERS - 1)),
		.rank = (uint8_t)(__builtin_ctzll(rest) + 1),
	};
}

/* A run of a sparse value, read. */
struct run {
	uint8_t value;
	uint8_t size;   /* bytes */
	uint16_t count; /* registers */
};

static inline struct run run_read(const uint8_t *p)
{
	if (*p & 0x80)
		return (struct run){ (uint8_t)((*p >> 2 & 31) + 1), 1,
				     (uint16_t)((*p & 3) + 1) };
	if (*p & 0x40)
		return (struct run){ 0, 2,
				     (uint16_t)(((*p & 0x3f) << 8 | p[1]) +
						1) };
	return (struct run){ 0, 1, (uint16_t)(*p + 1) };
}

/* Writes a run of zeros in its shortest form; where the next one goes. */
static uint8_t *put_zeros(uint8_t *p, unsigned count)
{
	if (count == 0)
		return p;
	if (count <= ZERO_RUN_MAX) {
		*p++ = (uint8_t)(count - 1);
		return p;
	}
	*p++ = (uint8_t)(0x40 | (count - 1) >> 8);
	*p++ = (uint8_t)(count - 1);
	return p;
}

static uint8_t *put_value(uint8_t *p, uint8_t value, unsigned count)
{
	if (count > 0)
		*p++ = (uint8_t)(0x80 | (value - 1) << 2 | (count - 1));
	return p;
}

static uint8_t *put_run(uint8_t *p, uint8_t value, unsigned count)
{
	return value ? put_value(p, value, count) : put_zeros(p, count);
}

enum hll_encoding hll_encoding(struct slice value)
{
	return (enum hll_encoding)value.data[ENCODING_AT];
}

enum hll_state hll_check_header(struct slice value)
{
	if (value.size < HLL_HEADER_SIZE || memcmp(value.data, "HYLL", 4) != 0)
		return HLL_OTHER;
	if (value.data[ENCODING_AT] == HLL_DENSE)
		return value.size == HLL_DENSE_SIZE ? HLL_GOOD : HLL_OTHER;
	return value.data[ENCODING_AT] == HLL_SPARSE ? HLL_GOOD : HLL_OTHER;
}

enum hll_state hll_check(struct slice value)
{
	const uint8_t *p = value.data + HLL_HEADER_SIZE;
	const uint8_t *end = value.data + value.size;
	unsigned registers = 0;

	if (hll_check_header(value) != HLL_GOOD)
		return HLL_OTHER;
	if (hll_encoding(value) == HLL_DENSE)
		return HLL_GOOD;
	while (p < end && registers < HLL_REGISTERS) {
		struct run run;

		if ((*p & 0xc0) == 0x40 && end - p < 2)
			return HLL_CORRUPT;
		run = run_read(p);
		registers += run.count;
		p += run.size;
	}
	return p == end && registers == HLL_REGISTERS ? HLL_GOOD : HLL_CORRUPT;
}

bool hll_cached(struct slice value, uint64_t *out)
{
	*out = get_u64(value.data + CACHE_AT);
	return !(value.data[HLL_HEADER_SIZE - 1] & CACHE_STALE);
}

/* Four registers are three bytes. */
static inline uint32_t get_four(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

uint8_t hll_dense_get(struct slice value, unsigned index)
{
	const uint8_t *four = value.data + HLL_HEADER_SIZE + index / 4 * 3;

	return get_four(four) >> index % 4 * 6 & 63;
}

/* Sets one of the four registers that `four` holds. */
static void four_set(uint8_t *four, unsigned index, uint8_t rank)
{
	unsigned shift = index % 4 * 6;
	uint32_t bits = get_four(four);

	bits = (bits & ~(UINT32_C(63) << shift)) | (uint32_t)rank << shift;
	four[0] = (uint8_t)bits;
	four[1] = (uint8_t)(bits >> 8);
	four[2] = (uint8_t)(bits >> 16);
}

static void dense_set(uint8_t *value, unsigned index, uint8_t rank)
{
	four_set(value + HLL_HEADER_SIZE + index / 4 * 3, index, rank);
}

struct hll_patch hll_dense_patch(struct slice value, struct hll_mark mark)
{
	unsigned bit = mark.index % 4 * 6;
	size_t four = HLL_HEADER_SIZE + mark.index / 4 * 3;
	struct hll_patch patch = {
		.offset = four + bit / 8,
		.size = bit % 8 <= 2 ? 1 : 2,
	};

	memcpy(patch.bytes, value.data + four, 3);
	four_set(patch.bytes, mark.index, mark.rank);
	memmove(patch.bytes, patch.bytes + bit / 8, patch.size);
	return patch;
}

/* How many registers have each value. */
struct histogram {
	uint32_t at[64];
};

/* sigma and tau of Ertl, "New cardinality estimation algorithms for
 * HyperLogLog sketches", 2017 (arXiv:1702.01284), algorithms 5 and 6: what
 * registers at 0 and at the highest value stand for. */
static double ertl_sigma(double x)
{
	double term = 1, sum = x, before;

	if (x == 1)
		return INFINITY;
	do {
		before = sum;
		x *= x;
		sum += x * term;
		term += term;
	} while (sum != before);
	return sum;
}

static double ertl_tau(double x)
{
	double term = 1, sum = 1 - x, before;

	if (x == 0 || x == 1)
		return 0;
	do {
		before = sum;
		x = sqrt(x);
		term *= 0.5;
		sum -= (1 - x) * (1 - x) * term;
	} while (sum != before);
	return sum / 3;
}

/* The estimate (Ertl, algorithm 6). */
static uint64_t estimate(const struct histogram *h)
{
	const double m = HLL_REGISTERS;
	const double alpha = 0.721347520444481703680; /* 1 / (2 ln 2) */
	double z = m * ertl_tau((m - h->at[HLL_RANK_MAX]) / m);
	unsigned rank;

	for (rank = HLL_RANK_MAX - 1; rank >= 1; rank--)
		z = (z + h->at[rank]) * 0.5;
	z += m * ertl_sigma(h->at[0] / m);
	return (uint64_t)llroundl(alpha * m * m / z);
}

/* Eight registers, which are six bytes (and there may be no more to read), as
 * eight bytes. */
static inline uint64_t get_eight(const uint8_t *p)
{
	uint64_t x = get_u32(p) | (uint64_t)get_u16(p + 4) << 32;

	x = (x & 0x000000ffffff) | (x & 0xffffff000000) << 8;
	x = (x & 0x00000fff00000fff) | (x & 0x00fff00000fff000) << 4;
	return (x & 0x003f003f003f003f) | (x & 0x0fc00fc00fc00fc0) << 2;
}

/* Eight counters a value, so that equal neighbours do not wait for each
 * other. */
struct lanes {
	uint16_t at[8][64];
};

static inline void lanes_add(struct lanes *l, uint64_t eight)
{
	l->at[0][eight & 63]++;
	l->at[1][eight >> 8 & 63]++;
	l->at[2][eight >> 16 & 63]++;
	l->at[3][eight >> 24 & 63]++;
	l->at[4][eight >> 32 & 63]++;
	l->at[5][eight >> 40 & 63]++;
	l->at[6][eight >> 48 & 63]++;
	l->at[7][eight >> 56 & 63]++;
}

static struct histogram lanes_sum(const struct lanes *l)
{
	struct histogram h = { 0 };
	unsigned lane, i;

	for (lane = 0; lane < 8; lane++)
		for (i = 0; i < 64; i++)
			h.at[i] += l->at[lane][i];
	return h;
}

static struct histogram dense_histogram(const uint8_t *p)
{
	const uint8_t *end = p + HLL_REGISTERS / 8 * 6;
	struct lanes lanes = { 0 };

	for (; p < end; p += 6)
		lanes_add(&lanes, get_eight(p));
	return lanes_sum(&lanes);
}

static struct histogram sparse_histogram(const uint8_t *p, const uint8_t *end)
{
	struct histogram h = { 0 };

	while (p < end) {
		struct run run = run_read(p);

		h.at[run.value] += run.count;
		p += run.size;
	}
	return h;
}

uint64_t hll_count(struct slice value)
{
	const uint8_t *body = value.data + HLL_HEADER_SIZE;
	struct histogram h = hll_encoding(value) == HLL_DENSE ?
		dense_histogram(body) :
		sparse_histogram(body, value.data + value.size);

	return estimate(&h);
}

uint64_t hll_count_registers(const uint8_t *registers)
{
	struct lanes lanes = { 0 };
	struct histogram h;
	unsigned i;

	for (i = 0; i < HLL_REGISTERS; i += 8)
		lanes_add(&lanes, get_u64(registers + i));
	h = lanes_sum(&lanes);
	return estimate(&h);
}

/* The higher of each of eight bytes below 128. */
static inline uint64_t max_eight(uint64_t a, uint64_t b)
{
	const uint64_t tops = 0x8080808080808080;
	uint64_t not_less = ((a | tops) - b) & tops;
	uint64_t take_a = not_less - (not_less >> 7);

	return (a & take_a) | (b & ~take_a);
}

static void dense_max_into(uint8_t *registers, const uint8_t *p)
{
	uint8_t *end = registers + HLL_REGISTERS;

	for (; registers < end; registers += 8, p += 6)
		put_u64(registers, max_eight(get_u64(registers),
					     get_eight(p)));
}

void hll_max_into(uint8_t *registers, struct slice value)
{
	const uint8_t *p = value.data + HLL_HEADER_SIZE;
	const uint8_t *end = value.data + value.size;

	if (hll_encoding(value) == HLL_DENSE) {
		dense_max_into(registers, p);
		return;
	}
	while (p < end) {
		struct run run = run_read(p);
		unsigned i;

		for (i = 0; run.value && i < run.count; i++)
			if (registers[i] < run.value)
				registers[i] = run.value;
		registers += run.count;
		p += run.size;
	}
}

void hll_describe(struct slice value, struct buf *out)
{
	const uint8_t *p = value.data + HLL_HEADER_SIZE;
	const uint8_t *end = value.data + value.size;

	while (p < end) {
		struct run run = run_read(p);

		if (run.value)
			buf_printf(out, "v:%u,%u ", run.value, run.count);
		else
			buf_printf(out, "%c:%u ", run.size == 1 ? 'z' : 'Z',
				   run.count);
		p += run.size;
	}
	if (out->size > 0)
		out->size--; /* the last blank */
}

/* --- changing ------------------------------------------------------------- */

static void edit_init(struct hll_edit *e, size_t sparse_max)
{
	e->sparse_max = sparse_max;
	e->hint = HLL_HEADER_SIZE;
	e->hint_first = 0;
}

void hll_edit_new(struct hll_edit *e, size_t sparse_max)
{
	edit_init(e, sparse_max);
	memset(e->bytes, 0, HLL_HEADER_SIZE);
	memcpy(e->bytes, "HYLL", 4);
	e->bytes[ENCODING_AT] = HLL_SPARSE;
	put_zeros(e->bytes + HLL_HEADER_SIZE, HLL_REGISTERS);
	e->size = HLL_SPARSE_EMPTY_SIZE;
}

void hll_edit_open(struct hll_edit *e, struct slice value, size_t sparse_max)
{
	assert(value.size <= sizeof(e->bytes));
	edit_init(e, sparse_max);
	memcpy(e->bytes, value.data, value.size);
	e->size = value.size;
}

void hll_edit_to_dense(struct hll_edit *e)
{
	uint8_t dense[HLL_DENSE_SIZE] = { 0 };
	const uint8_t *p = e->bytes + HLL_HEADER_SIZE;
	const uint8_t *end = e->bytes + e->size;
	unsigned index = 0;

	if (hll_encoding(hll_edit_value(e)) == HLL_DENSE)
		return;
	while (p < end) {
		struct run run = run_read(p);
		unsigned stop = index + run.count;

		if (!run.value)
			index = stop;
		while (index < stop)
			dense_set(dense, index++, run.value);
		p += run.size;
	}
	memcpy(dense, e->bytes, HLL_HEADER_SIZE);
	dense[ENCODING_AT] = HLL_DENSE;
	memcpy(e->bytes, dense, sizeof(dense));
	e->size = sizeof(dense);
}

static bool dense_raise(struct hll_edit *e, struct hll_mark mark)
{
	if (hll_dense_get(hll_edit_value(e), mark.index) >= mark.rank)
		return false;
	dense_set(e->bytes, mark.index, mark.rank);
	e->bytes[HLL_HEADER_SIZE - 1] |= CACHE_STALE;
	return true;
}

/* A run in its place. */
struct found {
	struct run run;
	size_t at;
	unsigned first;        /* register */
	size_t before;         /* the run in front of it, or `at` */
	unsigned before_first; /* its first register */
};

/* The run of register `index`, from the hint on if that lies in front. */
static struct found find_run(const struct hll_edit *e, unsigned index)
{
	struct found f = { .at = HLL_HEADER_SIZE };

	if (e->hint_first <= index) {
		f.at = e->hint;
		f.first = e->hint_first;
		f.run = run_read(e->bytes + f.at);
		/* The run in front of the hint is not known. */
		if (index < f.first + f.run.count)
			f = (struct found){ .at = HLL_HEADER_SIZE };
	}
	f.before = f.at;
	f.before_first = f.first;
	for (;;) {
		assert(f.at < e->size);
		f.run = run_read(e->bytes + f.at);
		if (index < f.first + f.run.count)
			return f;
		f.before = f.at;
		f.before_first = f.first;
		f.at += f.run.size;
		f.first += f.run.count;
	}
}

/* Joins neighbours of one value, from the run at `at` on, as far as a change
 * there can have made some; as Redis does, so that values stay equal. */
static void join_runs(struct hll_edit *e, size_t at)
{
	unsigned looks;

	for (looks = 0; looks < 5 && at < e->size; looks++) {
		uint8_t *p = e->bytes + at;
		struct run run = run_read(p), next;

		if (!run.value || at + 1 == e->size || !(p[1] & 0x80)) {
			at += run.size;
			continue;
		}
		next = run_read(p + 1);
		if (next.value != run.value ||
		    run.count + next.count > VALUE_RUN_MAX) {
			at++;
			continue;
		}
		put_value(p, run.value, run.count + next.count);
		memmove(p + 1, p + 2, e->size - at - 2);
		e->size--;
	}
}

static bool sparse_raise(struct hll_edit *e, struct hll_mark mark)
{
	struct found f = find_run(e, mark.index);
	unsigned in_front = mark.index - f.first;
	uint8_t split[SPLIT_MAX], *end = split, *p = e->bytes + f.at;
	size_t size;

	if (f.run.value >= mark.rank)
		return false;
	end = put_run(end, f.run.value, in_front);
	end = put_value(end, mark.rank, 1);
	end = put_run(end, f.run.value, f.run.count - in_front - 1);
	size = (size_t)(end - split);
	if (size > f.run.size &&
	    e->size + size - f.run.size > e->sparse_max) {
		hll_edit_to_dense(e);
		return dense_raise(e, mark);
	}
	memmove(p + size, p + f.run.size, e->size - f.at - f.run.size);
	memcpy(p, split, size);
	e->size += size - f.run.size;
	join_runs(e, f.before);
	e->hint = f.before;
	e->hint_first = f.before_first;
	e->bytes[HLL_HEADER_SIZE - 1] |= CACHE_STALE;
	return true;
}

bool hll_edit_raise(struct hll_edit *e, struct hll_mark mark)
{
	if (hll_encoding(hll_edit_value(e)) == HLL_SPARSE) {
		if (mark.rank <= VALUE_MAX)
			return sparse_raise(e, mark);
		hll_edit_to_dense(e);
	}
	return dense_raise(e, mark);
}

bool hll_edit_merge(struct hll_edit *e, const uint8_t *registers)
{
	bool raised = false;
	unsigned i;

	for (i = 0; i < HLL_REGISTERS; i++)
		if (registers[i])
			raised |= hll_edit_raise(e, (struct hll_mark){
				(uint16_t)i, registers[i] });
	return raised;
}
