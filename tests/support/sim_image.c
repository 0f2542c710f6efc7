/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/sim_image.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#define PAGE_SIZE 4096u

struct page {
	uint32_t refs;
	uint64_t hash; /* 0: not computed */
	uint8_t data[PAGE_SIZE];
};

struct image {
	uint32_t refs;
	uint64_t size;
	size_t page_count; /* slots in pages */
	struct page **pages;
};

static void page_unref(struct page *p)
{
	if (p != NULL && --p->refs == 0)
		free(p);
}

struct image *image_new(void)
{
	struct image *i = calloc(1, sizeof(*i));

	assert(i != NULL);
	i->refs = 1;
	return i;
}

struct image *image_ref(struct image *i)
{
	i->refs++;
	return i;
}

void image_unref(struct image *i)
{
	size_t n;

	if (i == NULL || --i->refs > 0)
		return;
	for (n = 0; n < i->page_count; n++)
		page_unref(i->pages[n]);
	free(i->pages);
	free(i);
}

uint64_t image_size(const struct image *i)
{
	return i->size;
}

/* Makes *ip ours alone; its pages stay shared. */
static struct image *image_own(struct image **ip)
{
	struct image *old = *ip;
	struct image *new;
	size_t n;

	if (old->refs == 1)
		return old;
	new = image_new();
	new->size = old->size;
	new->page_count = old->page_count;
	new->pages = calloc(old->page_count + 1, sizeof(struct page *));
	assert(new->pages != NULL);
	for (n = 0; n < old->page_count; n++) {
		new->pages[n] = old->pages[n];
		if (new->pages[n] != NULL)
			new->pages[n]->refs++;
	}
	old->refs--;
	*ip = new;
	return new;
}

static struct page *page_own(struct image *i, size_t n)
{
	struct page *old = i->pages[n];
	struct page *new;

	if (old != NULL && old->refs == 1) {
		old->hash = 0;
		return old;
	}
	new = malloc(sizeof(*new));
	assert(new != NULL);
	new->refs = 1;
	new->hash = 0;
	if (old != NULL) {
		memcpy(new->data, old->data, PAGE_SIZE);
		old->refs--;
	} else {
		memset(new->data, 0, PAGE_SIZE);
	}
	i->pages[n] = new;
	return new;
}

static void grow(struct image *i, uint64_t size)
{
	size_t count = (size_t)((size + PAGE_SIZE - 1) / PAGE_SIZE);

	if (size > i->size)
		i->size = size;
	if (count <= i->page_count)
		return;
	i->pages = reallocarray(i->pages, count, sizeof(struct page *));
	assert(i->pages != NULL);
	memset(i->pages + i->page_count, 0,
	       (count - i->page_count) * sizeof(struct page *));
	i->page_count = count;
}

/* Writes within one page. */
static void write_page(struct image *i, uint64_t offset, const uint8_t *data,
		       size_t size)
{
	size_t n = (size_t)(offset / PAGE_SIZE);
	size_t at = (size_t)(offset % PAGE_SIZE);
	struct page *p;

	if (data == NULL && i->pages[n] == NULL)
		return;
	if (data == NULL && size == PAGE_SIZE) {
		page_unref(i->pages[n]);
		i->pages[n] = NULL;
		return;
	}
	p = page_own(i, n);
	if (data != NULL)
		memcpy(p->data + at, data, size);
	else
		memset(p->data + at, 0, size);
}

void image_write(struct image **ip, uint64_t offset, const void *data,
		 size_t size)
{
	struct image *i = image_own(ip);
	const uint8_t *from = data;

	grow(i, offset + size);
	while (size > 0) {
		size_t n = PAGE_SIZE - (size_t)(offset % PAGE_SIZE);

		if (n > size)
			n = size;
		write_page(i, offset, from, n);
		offset += n;
		size -= n;
		if (from != NULL)
			from += n;
	}
}

void image_resize(struct image **ip, uint64_t size)
{
	struct image *i = image_own(ip);
	uint64_t old = i->size;

	if (size < old)
		image_write(ip, size, NULL, (size_t)(old - size));
	grow(i, size);
	i->size = size;
}

size_t image_read(const struct image *i, uint64_t offset, void *data,
		  size_t size)
{
	uint8_t *to = data;
	size_t done = 0;

	if (offset >= i->size)
		return 0;
	if (size > i->size - offset)
		size = (size_t)(i->size - offset);
	while (done < size) {
		size_t at = (size_t)((offset + done) % PAGE_SIZE);
		size_t n = PAGE_SIZE - at;
		const struct page *p = i->pages[(offset + done) / PAGE_SIZE];

		if (n > size - done)
			n = size - done;
		if (p != NULL)
			memcpy(to + done, p->data + at, n);
		else
			memset(to + done, 0, n);
		done += n;
	}
	return size;
}

/* A page of zeros that was written hashes like one that was not. */
static uint64_t page_hash(struct page *p)
{
	static const uint8_t zeros[PAGE_SIZE];

	if (p == NULL)
		return 1;
	if (p->hash == 0) {
		p->hash = XXH3_64bits(p->data, PAGE_SIZE);
		if (memcmp(p->data, zeros, PAGE_SIZE) == 0)
			p->hash = 1;
	}
	return p->hash;
}

uint64_t image_hash(const struct image *i)
{
	uint64_t hash = i->size * UINT64_C(0x9e3779b97f4a7c15) + 7;
	size_t n;

	for (n = 0; n * PAGE_SIZE < i->size; n++) {
		uint64_t h = page_hash(i->pages[n]);

		if (h != 1)
			hash = (hash ^ h ^ (n << 48)) *
			       UINT64_C(0xd6e8feb86659fd93);
		hash ^= hash >> 29;
	}
	return hash;
}
