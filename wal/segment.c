/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The blocks of a segment that are not groups, and its name.
 *
 *   identity, 96 bytes               use, 864 bytes
 *     0  4  magic "RDs1"               0  4  magic "RDu1"
 *     4  4  version                    4  4  epoch
 *     8 16  store id                   8  8  sequence
 *    24 16  hash key, two u64         16  8  first LSN
 *    40  8  sequence                  24  8  chain of the segment before
 *    48  8  salt                      32  8  durable LSN
 *    56  8  size of the file          40  8  made at, unix ms
 *    64  4  align                     48  4  1: base, 0: not
 *    68 24  0                         52  4  epochs in the history, n
 *    92  4  CRC32C of 0..91           56 36  0
 *                                     92  4  CRC32C of salt, 0..91, 96..863
 *   seal, 64 bytes                    96 12  n times: epoch u32, first LSN
 *     0  8  records                   …      0 to the end
 *     8  8  last LSN
 *    16  8  chain before the seal
 *    24  8  next sequence, or 0
 *    32  8  next salt
 *    40  8  payload, bytes
 *    48  4  reason
 *    52 12  0
 *
 * I1. Whatever the version, the first 96 bytes keep magic, version and check
 *     where they are: an old reader can always say "too new".
 * I2. Decoders take any bytes and refuse what an encoder would not write.
 */
#include "wal/segment.h"

#include <assert.h>
#include <stdio.h>

#include "base/checksum.h"
#include "base/coding.h"
#include "base/err.h"

#define IDENTITY_MAGIC 0x31734452u /* "RDs1" */
#define USE_MAGIC 0x31754452u      /* "RDu1" */

#define CHECK_AT 92
#define HISTORY_AT 96
#define USE_BASE 1u

_Static_assert(CHECK_AT + 4 == IDENTITY_SIZE, "identity layout");
_Static_assert(HISTORY_AT + EPOCH_HISTORY_MAX * 12 == USE_SIZE, "use layout");
_Static_assert(USE_SIZE <= SEGMENT_ALIGN_MIN, "a block holds a use");
_Static_assert(SEAL_SIZE + FRAME_HEADER_SIZE <= SEGMENT_ALIGN_MIN,
	       "a block holds a seal");

static bool all_zero(const uint8_t *data, size_t size)
{
	return size == 0 ||
	       (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

uint64_t store_content_seed(const struct store_id *id)
{
	assert(id != NULL);
	return content_hash(id->id, sizeof(id->id), 0);
}

void epoch_history_add(struct epoch_history *h, uint32_t epoch,
		       uint64_t first_lsn)
{
	assert(h->count <= EPOCH_HISTORY_MAX);
	assert(h->count == 0 || h->at[h->count - 1].epoch < epoch);
	if (h->count == EPOCH_HISTORY_MAX) {
		memmove(h->at, h->at + 1,
			(EPOCH_HISTORY_MAX - 1) * sizeof(h->at[0]));
		h->count--;
	}
	h->at[h->count].epoch = epoch;
	h->at[h->count].first_lsn = first_lsn;
	h->count++;
}

static bool align_valid(uint32_t align)
{
	return align >= SEGMENT_ALIGN_MIN && align <= SEGMENT_ALIGN_MAX &&
	       (align & (align - 1)) == 0;
}

void identity_encode(uint8_t out[IDENTITY_SIZE],
		     const struct segment_identity *i)
{
	uint8_t *p = out;

	assert(align_valid(i->align));
	assert(i->sequence != 0);
	memset(out, 0, IDENTITY_SIZE);
	p = put_u32(p, IDENTITY_MAGIC);
	p = put_u32(p, SEGMENT_VERSION);
	p = put_bytes(p, i->store.id, sizeof(i->store.id));
	p = put_u64(p, i->store.hash_key[0]);
	p = put_u64(p, i->store.hash_key[1]);
	p = put_u64(p, i->sequence);
	p = put_u64(p, i->salt);
	p = put_u64(p, i->size);
	p = put_u32(p, i->align);
	put_u32(out + CHECK_AT, crc32c(0, out, CHECK_AT));
}

int identity_decode(const uint8_t in[IDENTITY_SIZE],
		    struct segment_identity *out)
{
	struct segment_identity i = { 0 };

	if (get_u32(in) != IDENTITY_MAGIC)
		return ERR_NOT_FOUND;
	if (get_u32(in + CHECK_AT) != crc32c(0, in, CHECK_AT))
		return ERR_CORRUPT;
	if (get_u32(in + 4) != SEGMENT_VERSION)
		return ERR_VERSION;
	memcpy(i.store.id, in + 8, sizeof(i.store.id));
	i.store.hash_key[0] = get_u64(in + 24);
	i.store.hash_key[1] = get_u64(in + 32);
	i.sequence = get_u64(in + 40);
	i.salt = get_u64(in + 48);
	i.size = get_u64(in + 56);
	i.align = get_u32(in + 64);
	if (i.sequence == 0 || !align_valid(i.align) || i.size % i.align != 0 ||
	    !all_zero(in + 68, CHECK_AT - 68))
		return ERR_CORRUPT;
	*out = i;
	return OK;
}

/*
 * Epochs ascend, LSNs do not descend; no epoch is above the one that the block
 * is of, and none begins behind the block's first record.
 */
static bool history_fits(const struct segment_use *u)
{
	const struct epoch_history *h = &u->history;
	uint32_t i;

	if (h->count > EPOCH_HISTORY_MAX)
		return false;
	for (i = 1; i < h->count; i++)
		if (h->at[i].epoch <= h->at[i - 1].epoch ||
		    h->at[i].first_lsn < h->at[i - 1].first_lsn)
			return false;
	return h->count == 0 || (h->at[h->count - 1].epoch <= u->epoch &&
				 h->at[h->count - 1].first_lsn <= u->first_lsn);
}

static uint32_t use_check(const uint8_t *use, uint64_t salt)
{
	uint8_t place[8];
	uint32_t crc;

	put_u64(place, salt);
	crc = crc32c(0, place, sizeof(place));
	crc = crc32c(crc, use, CHECK_AT);
	return crc32c(crc, use + HISTORY_AT, USE_SIZE - HISTORY_AT);
}

void use_encode(uint8_t out[USE_SIZE], const struct segment_use *u,
		uint64_t salt)
{
	uint8_t *p = out;
	uint32_t i;

	assert(u->first_lsn != 0);
	assert(history_fits(u));
	memset(out, 0, USE_SIZE);
	p = put_u32(p, USE_MAGIC);
	p = put_u32(p, u->epoch);
	p = put_u64(p, u->sequence);
	p = put_u64(p, u->first_lsn);
	p = put_u64(p, u->chain);
	p = put_u64(p, u->durable_lsn);
	p = put_u64(p, u->created_ms);
	p = put_u32(p, u->base ? USE_BASE : 0);
	p = put_u32(p, u->history.count);
	p = out + HISTORY_AT;
	for (i = 0; i < u->history.count; i++) {
		p = put_u32(p, u->history.at[i].epoch);
		p = put_u64(p, u->history.at[i].first_lsn);
	}
	put_u32(out + CHECK_AT, use_check(out, salt));
}

/* Nothing stands behind the last. */
static bool history_decode(const uint8_t *use, struct epoch_history *h)
{
	const uint8_t *p = use + HISTORY_AT;
	uint32_t i;

	h->count = get_u32(use + 52);
	if (h->count > EPOCH_HISTORY_MAX)
		return false;
	for (i = 0; i < h->count; i++, p += 12) {
		h->at[i].epoch = get_u32(p);
		h->at[i].first_lsn = get_u64(p + 4);
	}
	return all_zero(p, (size_t)(use + USE_SIZE - p));
}

int use_decode(const uint8_t in[USE_SIZE], uint64_t salt,
	       struct segment_use *out)
{
	struct segment_use u = { 0 };
	uint32_t flags = get_u32(in + 48);

	if (get_u32(in) != USE_MAGIC ||
	    get_u32(in + CHECK_AT) != use_check(in, salt))
		return ERR_NOT_FOUND;
	u.epoch = get_u32(in + 4);
	u.sequence = get_u64(in + 8);
	u.first_lsn = get_u64(in + 16);
	u.chain = get_u64(in + 24);
	u.durable_lsn = get_u64(in + 32);
	u.created_ms = get_u64(in + 40);
	u.base = flags & USE_BASE;
	if (u.durable_lsn >= u.first_lsn || (flags & ~USE_BASE) != 0 ||
	    !all_zero(in + 56, CHECK_AT - 56) ||
	    !history_decode(in, &u.history) ||
	    !history_fits(&u))
		return ERR_NOT_FOUND;
	*out = u;
	return OK;
}

void seal_encode(uint8_t out[SEAL_SIZE], const struct segment_seal *s)
{
	uint8_t *p = out;

	assert(s->reason >= SEAL_ROLL);
	assert(s->reason <= SEAL_CUT);
	memset(out, 0, SEAL_SIZE);
	p = put_u64(p, s->record_count);
	p = put_u64(p, s->last_lsn);
	p = put_u64(p, s->chain);
	p = put_u64(p, s->next_sequence);
	p = put_u64(p, s->next_salt);
	p = put_u64(p, s->payload_size);
	put_u32(p, s->reason);
}

bool seal_decode(struct slice in, struct segment_seal *out)
{
	struct segment_seal s = { 0 };

	if (in.size != SEAL_SIZE || !all_zero(in.data + 52, SEAL_SIZE - 52))
		return false;
	s.record_count = get_u64(in.data);
	s.last_lsn = get_u64(in.data + 8);
	s.chain = get_u64(in.data + 16);
	s.next_sequence = get_u64(in.data + 24);
	s.next_salt = get_u64(in.data + 32);
	s.payload_size = get_u64(in.data + 40);
	s.reason = get_u32(in.data + 48);
	if (s.reason < SEAL_ROLL || s.reason > SEAL_CUT)
		return false;
	*out = s;
	return true;
}

uint64_t chain_start(uint64_t previous_chain, uint64_t sequence,
		     uint64_t first_lsn)
{
	return chain_hash(chain_hash(previous_chain, sequence), first_lsn);
}

uint64_t chain_frame(uint64_t chain, const struct frame_header *h)
{
	chain = chain_hash(chain, h->first_lsn);
	chain = chain_hash(chain, (uint64_t)h->epoch << 32 | h->count);
	return chain_hash(chain, h->content_check);
}

void segment_name(char out[SEGMENT_NAME_SIZE], uint64_t sequence)
{
	assert(sequence != 0);
	assert(sequence < UINT64_C(10000000000000000));
	snprintf(out, SEGMENT_NAME_SIZE, "%016llu.seg",
		 (unsigned long long)sequence);
}

bool segment_parse_name(const char *name, uint64_t *sequence)
{
	uint64_t v = 0;
	int i;

	for (i = 0; i < 16; i++) {
		if (name[i] < '0' || name[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(name[i] - '0');
	}
	if (strcmp(name + 16, ".seg") != 0 || v == 0)
		return false;
	*sequence = v;
	return true;
}
