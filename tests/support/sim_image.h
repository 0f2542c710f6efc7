/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bytes of one simulated file: 4 KiB pages, shared until written.
 *
 * Images and pages are counted references, so that copying a disk of many
 * files costs a few pointers.  A missing page reads as zeros.  One thread.
 */
#ifndef REDOUBT_TESTS_SIM_IMAGE_H
#define REDOUBT_TESTS_SIM_IMAGE_H

#include <stddef.h>
#include <stdint.h>

struct image;

/* An empty file. */
struct image *image_new(void);

/* One more owner of the same bytes. */
struct image *image_ref(struct image *i);
void image_unref(struct image *i);

/* Bytes. */
uint64_t image_size(const struct image *i);

/* Writers may replace *i when others own it too. data NULL: zeros. The size
 * grows as needed. */
void image_write(struct image **i, uint64_t offset, const void *data,
		 size_t size);

/* Cuts, or grows with zeros. */
void image_resize(struct image **i, uint64_t size);

/* Bytes read; less than size only at the end. */
size_t image_read(const struct image *i, uint64_t offset, void *data,
		  size_t size);

/* Hash of size and content. */
uint64_t image_hash(const struct image *i);

#endif
