/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/hll.h"

#include <assert.h>
#include <math.h>

#include "base/coding.h"
#include "types/hll_registers.h"

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

#define EACH_BYTE UINT64_C(0x0101010101010101)

static inline bool is_two_byte_run(uint8_t first)
{
	return first >> 6 == 1;
}

/* Whether there may be such a byte among eight. */
static inline bool has_two_byte_run(uint64_t bytes)
{
	return ~bytes & bytes << 1 & 0x80 * EACH_BYTE;
}

static inline unsigned sum_bytes(uint64_t bytes)
{
	const uint64_t evens = UINT64_C(0x00ff00ff00ff00ff);

	bytes = (bytes & evens) + (bytes >> 8 & evens);
	return (unsigned)(bytes * UINT64_C(0x0001000100010001) >> 48);
}

/* Of eight bytes (0xff where one begins with 01) where runs begin that have
 * two: each byte of a row but those that are the second of the one before.  A
 * sum carries through a row to its end. */
static inline uint64_t two_byte_runs(uint64_t rows)
{
	const uint64_t evens = UINT64_C(0x00ff00ff00ff00ff);
	uint64_t starts = rows & ~(rows << 8) & EACH_BYTE;
	uint64_t from_even = rows & ~(rows + (starts & evens));

	return (from_even & evens) | (rows & ~from_even & ~evens);
}

/* The registers of the runs that lie in eight bytes, of which the first begins
 * there; *size: of those runs, 7 or 8. No branches: what comes next is
 * anybody's guess. */
static inline unsigned runs_in_eight(uint64_t bytes, unsigned *size)
{
	uint64_t tops = ~bytes & bytes << 1 & 0x80 * EACH_BYTE;
	uint64_t twos = two_byte_runs((tops << 1) - (tops >> 7));
	uint64_t cut = twos & UINT64_C(0xff) << 56;
	uint64_t seconds, ones, is_value = bytes >> 7 & EACH_BYTE;

	*size = 8 - (unsigned)(cut >> 63);
	twos ^= cut;
	seconds = twos << 8;
	ones = (bytes & (63 * EACH_BYTE - 60 * is_value)) & ~twos;
	ones = (ones + EACH_BYTE) & ~seconds & ~cut;
	return sum_bytes(ones) + sum_bytes(bytes & seconds) +
	       256 * sum_bytes(bytes & 63 * EACH_BYTE & twos);
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

static uint8_t dense_get(struct slice value, unsigned index)
{
	const uint8_t *four = value.data + HLL_HEADER_SIZE + index / 4 * 3;

	return get_four(four) >> index % 4 * 6 & 63;
}

static const struct hll_hint no_hint = { HLL_HEADER_SIZE, 0 };

/* A run in its place. */
struct found {
	struct run run;
	size_t at;
	unsigned first;        /* register */
	size_t before;         /* the run in front of it, or `at` */
	unsigned before_first; /* its first register */
};

/* Goes past runs that lie before the register, but for the last eight bytes
 * of these. */
static void skip_runs(struct slice value, unsigned index, struct hll_hint *at)
{
	struct hll_hint next = *at;
	unsigned size;

	while (value.size - next.offset >= 8) {
		unsigned registers = runs_in_eight(
			get_u64(value.data + next.offset), &size);

		if (next.first + registers > index)
			return;
		*at = next;
		next.offset += size;
		next.first += registers;
	}
}

/* The run of register `index`, from a run on that lies before it or is the
 * first. False: runs end before. */
static bool find_run(struct slice value, unsigned index, struct hll_hint from,
		     struct found *f)
{
	skip_runs(value, index, &from);
	*f = (struct found){ .before = from.offset,
			     .before_first = from.first };
	while (from.offset < value.size) {
		const uint8_t *p = value.data + from.offset;

		if (is_two_byte_run(*p) && from.offset + 1 == value.size)
			return false;
		f->run = run_read(p);
		f->at = from.offset;
		f->first = from.first;
		if (index < f->first + f->run.count)
			return true;
		f->before = f->at;
		f->before_first = f->first;
		from.offset += f->run.size;
		from.first += f->run.count;
	}
	return false;
}

bool hll_get(struct slice value, unsigned index, uint8_t *rank,
	     struct hll_hint *hint)
{
	struct found f;

	*hint = no_hint;

	if (hll_encoding(value) == HLL_DENSE) {
		*rank = dense_get(value, index);
		return true;
	}
	if (value.size > HLL_SIZE_MAX || !find_run(value, index, no_hint, &f))
		return false;
	*rank = f.run.value;
	*hint = (struct hll_hint){ f.before, f.before_first };
	return true;
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

/* The estimate (Ertl, algorithm 6) from the sum of 2^-rank over ranks from 1
 * on. */
static uint64_t estimate_of_sum(double sum, unsigned zeros)
{
	const double m = HLL_REGISTERS;
	const double alpha = 0.721347520444481703680; /* 1 / (2 ln 2) */
	double z = sum + m * ertl_sigma(zeros / m);

	return (uint64_t)llroundl(alpha * m * m / z);
}

static uint64_t estimate(const struct histogram *h)
{
	const double m = HLL_REGISTERS;
	double sum = m * ertl_tau((m - h->at[HLL_RANK_MAX]) / m);
	unsigned rank;

	for (rank = HLL_RANK_MAX - 1; rank >= 1; rank--)
		sum = (sum + h->at[rank]) * 0.5;
	return estimate_of_sum(sum, h->at[0]);
}

/* The same number: up to this rank all sums above are of 52 bits, exact. */
static uint64_t quick_estimate(const struct registers_sum *s)
{
	return estimate_of_sum(ldexp((double)s->sum, -REGISTERS_SUM_RANK_MAX),
			       s->zeros);
}

/* How often two neighbours have these values: half as many counters to raise
 * as there are registers. Twice, so that equal ones wait less for each
 * other. */
struct pairs {
	uint16_t at[2][64 * 64];
};

/* Adds four, which begin so many bits apart. */
static inline void pairs_add(struct pairs *p, uint64_t four, unsigned apart)
{
	p->at[0][four & 4095]++;
	p->at[1][four >> apart & 4095]++;
	p->at[0][four >> 2 * apart & 4095]++;
	p->at[1][four >> 3 * apart & 4095]++;
}

static struct histogram pairs_sum(const struct pairs *p)
{
	struct histogram h = { 0 };
	uint16_t low[64] = { 0 };
	unsigned high, i;

	for (high = 0; high < 64; high++) {
		const uint16_t *a = p->at[0] + high * 64;
		const uint16_t *b = p->at[1] + high * 64;
		uint16_t sum = 0;

		for (i = 0; i < 64; i++) {
			uint16_t n = (uint16_t)(a[i] + b[i]);

			low[i] = (uint16_t)(low[i] + n);
			sum = (uint16_t)(sum + n);
		}
		h.at[high] = sum;
	}
	for (i = 0; i < 64; i++)
		h.at[i] += low[i];
	return h;
}

static struct histogram dense_histogram(const uint8_t *p)
{
	const uint8_t *end = p + HLL_REGISTERS / 8 * 6;
	struct pairs pairs = { 0 };

	for (; p < end; p += 6)
		pairs_add(&pairs, registers_get_six(p), 12);
	return pairs_sum(&pairs);
}

static struct histogram bytes_histogram(const uint8_t *registers)
{
	struct pairs pairs = { 0 };
	unsigned i;

	for (i = 0; i < HLL_REGISTERS; i += 8)
		pairs_add(&pairs, registers_pair_up(get_u64(registers + i)),
			  16);
	return pairs_sum(&pairs);
}

/* The sum over runs of one byte, of which there are so many of each byte. */
static void add_runs(struct histogram *h, const uint16_t *of_byte)
{
	unsigned i;

	for (i = 0; i < ZERO_RUN_MAX; i++)
		h->at[0] += of_byte[i] * (i + 1);
	for (i = 0; i < VALUE_MAX * VALUE_RUN_MAX; i++)
		h->at[i / VALUE_RUN_MAX + 1] += of_byte[0x80 + i] *
						(i % VALUE_RUN_MAX + 1);
}

/* Counts bytes first, which wait for nothing, and only then reads them as
 * runs. False: the last run is cut off. */
static bool sparse_histogram(const uint8_t *p, const uint8_t *end,
			     struct histogram *h)
{
	uint16_t of_byte[256] = { 0 };
	unsigned i;

	*h = (struct histogram){ 0 };
	while (p < end) {
		if (end - p >= 8 && !has_two_byte_run(get_u64(p))) {
			for (i = 0; i < 8; i++)
				of_byte[p[i]]++;
			p += 8;
		} else if (!is_two_byte_run(*p)) {
			of_byte[*p++]++;
		} else if (end - p < 2) {
			return false;
		} else {
			h->at[0] += run_read(p).count;
			p += 2;
		}
	}
	add_runs(h, of_byte);
	return true;
}

enum hll_state hll_check(struct slice value)
{
	struct histogram h;
	unsigned i, registers = 0;

	if (hll_check_header(value) != HLL_GOOD)
		return HLL_OTHER;
	if (hll_encoding(value) == HLL_DENSE)
		return HLL_GOOD;
	if (value.size > HLL_SIZE_MAX ||
	    !sparse_histogram(value.data + HLL_HEADER_SIZE,
			      value.data + value.size, &h))
		return HLL_CORRUPT;
	for (i = 0; i < ARRAY_LEN(h.at); i++)
		registers += h.at[i];
	return registers == HLL_REGISTERS ? HLL_GOOD : HLL_CORRUPT;
}

uint64_t hll_count(struct slice value)
{
	const uint8_t *body = value.data + HLL_HEADER_SIZE;
	struct registers_sum sum;
	struct histogram h;

	if (hll_encoding(value) == HLL_SPARSE)
		sparse_histogram(body, value.data + value.size, &h);
	else if (registers_sum_packed(body, &sum))
		return quick_estimate(&sum);
	else
		h = dense_histogram(body);
	return estimate(&h);
}

uint64_t hll_count_registers(const uint8_t *registers)
{
	struct registers_sum sum;
	struct histogram h;

	if (registers_sum_bytes(registers, &sum))
		return quick_estimate(&sum);
	h = bytes_histogram(registers);
	return estimate(&h);
}

void hll_max_into(uint8_t *registers, struct slice value)
{
	const uint8_t *p = value.data + HLL_HEADER_SIZE;
	const uint8_t *end = value.data + value.size;

	if (hll_encoding(value) == HLL_DENSE) {
		registers_max_into(registers, p);
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
	e->sparse_max = sparse_max < HLL_SIZE_MAX ? sparse_max : HLL_SIZE_MAX;
	e->hint = no_hint;
	e->changed = SIZE_MAX;
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

void hll_edit_open(struct hll_edit *e, struct slice value, size_t sparse_max,
		   const struct hll_hint *hint)
{
	assert(value.size <= sizeof(e->bytes));
	edit_init(e, sparse_max);
	if (hint)
		e->hint = *hint;
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
	assert(index == HLL_REGISTERS);
	memcpy(dense, e->bytes, HLL_HEADER_SIZE);
	dense[ENCODING_AT] = HLL_DENSE;
	e->changed = 0;
	memcpy(e->bytes, dense, sizeof(dense));
	e->size = sizeof(dense);
}

/* The value differs from `at` on; so its estimate is no longer true. */
static void note_change(struct hll_edit *e, size_t at)
{
	uint8_t *state = &e->bytes[HLL_HEADER_SIZE - 1];

	if (!(*state & CACHE_STALE))
		at = HLL_HEADER_SIZE - 1;
	*state |= CACHE_STALE;
	if (at < e->changed)
		e->changed = at;
}

static enum hll_raise dense_raise(struct hll_edit *e, struct hll_mark mark)
{
	if (dense_get(hll_edit_value(e), mark.index) >= mark.rank)
		return HLL_NOT_RAISED;
	dense_set(e->bytes, mark.index, mark.rank);
	note_change(e, HLL_HEADER_SIZE + mark.index / 4 * 3);
	return HLL_RAISED;
}

/* From the hint on if the register lies behind its run: what is in front of
 * the hint is not known. */
static bool find_in_edit(const struct hll_edit *e, unsigned index,
			 struct found *f)
{
	struct hll_hint from = e->hint;

	if (from.offset >= e->size || index < from.first ||
	    index < from.first + run_read(e->bytes + from.offset).count)
		from = no_hint;
	return find_run(hll_edit_value(e), index, from, f);
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

/* Makes it dense for a mark, if all of it can be read. */
static enum hll_raise promote(struct hll_edit *e, struct hll_mark mark)
{
	if (hll_check(hll_edit_value(e)) != HLL_GOOD)
		return HLL_DAMAGED;
	hll_edit_to_dense(e);
	return dense_raise(e, mark);
}

static enum hll_raise sparse_raise(struct hll_edit *e, struct hll_mark mark)
{
	uint8_t split[SPLIT_MAX], *end = split, *p;
	struct found f;
	unsigned in_front;
	size_t size;

	if (!find_in_edit(e, mark.index, &f))
		return HLL_DAMAGED;
	e->hint = (struct hll_hint){ f.before, f.before_first };
	if (f.run.value >= mark.rank)
		return HLL_NOT_RAISED;
	in_front = mark.index - f.first;
	end = put_run(end, f.run.value, in_front);
	end = put_value(end, mark.rank, 1);
	end = put_run(end, f.run.value, f.run.count - in_front - 1);
	size = (size_t)(end - split);
	if (size > f.run.size && e->size + size - f.run.size > e->sparse_max)
		return promote(e, mark);
	p = e->bytes + f.at;
	memmove(p + size, p + f.run.size, e->size - f.at - f.run.size);
	memcpy(p, split, size);
	e->size += size - f.run.size;
	join_runs(e, f.before);
	note_change(e, f.before);
	return HLL_RAISED;
}

enum hll_raise hll_edit_raise(struct hll_edit *e, struct hll_mark mark)
{
	if (hll_encoding(hll_edit_value(e)) == HLL_DENSE)
		return dense_raise(e, mark);
	if (mark.rank > VALUE_MAX)
		return promote(e, mark);
	return sparse_raise(e, mark);
}

void hll_edit_unite(struct hll_edit *e, struct slice value)
{
	uint8_t *own = e->bytes + HLL_HEADER_SIZE;
	const uint8_t *p = value.data + HLL_HEADER_SIZE;
	const uint8_t *end = value.data + value.size;
	struct hll_mark mark = { 0 };

	assert(hll_encoding(hll_edit_value(e)) == HLL_DENSE);
	if (hll_encoding(value) == HLL_DENSE) {
		if (registers_raise(own, p))
			note_change(e, HLL_HEADER_SIZE);
		return;
	}
	while (p < end) {
		struct run run = run_read(p);
		unsigned stop = mark.index + run.count;

		mark.rank = run.value;
		for (; run.value && mark.index < stop; mark.index++)
			dense_raise(e, mark);
		mark.index = (uint16_t)stop;
		p += run.size;
	}
}

static void dense_merge(struct hll_edit *e, const uint8_t *registers)
{
	uint8_t *p = e->bytes + HLL_HEADER_SIZE;
	uint8_t own[HLL_REGISTERS] = { 0 };
	unsigned i;

	registers_max_into(own, p);
	for (i = 0; i < HLL_REGISTERS; i += 8, p += 6) {
		uint64_t old = get_u64(own + i);
		uint64_t fresh = get_u64(registers + i);

		if (fresh == old)
			continue; /* most are */
		fresh = registers_max_eight(old, fresh);
		if (fresh == old)
			continue;
		registers_put_eight(p, fresh);
		note_change(e, (size_t)(p - e->bytes));
	}
}

void hll_edit_merge(struct hll_edit *e, const uint8_t *registers)
{
	unsigned i;

	assert(hll_check(hll_edit_value(e)) == HLL_GOOD);
	for (i = 0; i < HLL_REGISTERS; i++) {
		if (hll_encoding(hll_edit_value(e)) == HLL_DENSE) {
			dense_merge(e, registers);
			return;
		}
		if (registers[i])
			hll_edit_raise(e, (struct hll_mark){ (uint16_t)i,
							     registers[i] });
	}
}
