/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: configuration, line by line, as a file has it.
 */
#include "engine/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *c = config_new();
	struct buf warnings = { 0 };
	struct err_message m;
	size_t at = 0;

	while (at < size) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t length = end ? (size_t)(end - data) - at : size - at;
		struct slice line = slice_of(data + at, length);

		/* Files of this machine are not the parser's business. */
		if (length < 7 || !slice_is(slice_of(line.data, 7), "include"))
			config_set_line(c, line, &warnings, &m);
		at += length + 1;
	}
	buf_release(&warnings);
	config_free(c);
	return 0;
}
