/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * String commands on parts of a value.
 *
 * I1. A write of part of a value is logged as just those bytes (str_write):
 *     appending a byte to a big value costs a byte.
 */
#include "engine/cmd_string.h"
#include "engine/string_value.h"

/* APPEND key value. */
void cmd_append(struct cmd *c)
{
	struct slice bytes = c->argv[2];
	const struct entry *e;
	uint64_t size;

	if (!lookup_string_write(c, c->argv[1], &e))
		return;
	size = string_size(e);
	if (e && !string_size_allowed(c, size, bytes.size))
		return;
	if (!e)
		emit_str_set(c, c->argv[1], bytes, DEADLINE_NONE, CAUSE_append);
	else if (bytes.size > 0)
		emit_str_write(c, c->argv[1], size, bytes, CAUSE_append);
	reply_i64(c, (int64_t)(size + bytes.size));
}

/* SETRANGE key offset value. Nothing to write makes no key. */
void cmd_setrange(struct cmd *c)
{
	struct slice bytes = c->argv[3];
	const struct entry *e;
	int64_t offset;
	uint64_t size;

	if (!arg_i64(c, 2, &offset))
		return;
	if (offset < 0) {
		reply_error(c, "ERR offset is out of range");
		return;
	}
	if (!lookup_string_write(c, c->argv[1], &e))
		return;
	size = string_size(e);
	if (bytes.size == 0) {
		reply_i64(c, (int64_t)size);
		return;
	}
	if (!string_size_allowed(c, (uint64_t)offset, bytes.size))
		return;
	emit_str_write(c, c->argv[1], (uint64_t)offset, bytes, CAUSE_setrange);
	if (size < (uint64_t)offset + bytes.size)
		size = (uint64_t)offset + bytes.size;
	reply_i64(c, (int64_t)size);
}

/* GETRANGE key start end, and SUBSTR; negative counts from the end. */
void cmd_getrange(struct cmd *c)
{
	const struct entry *e;
	int64_t start, end, size;

	if (!arg_i64(c, 2, &start) || !arg_i64(c, 3, &end))
		return;
	if (!lookup_string(c, c->argv[1], &e))
		return;
	size = (int64_t)string_size(e);
	if (start < 0 && end < 0 && start > end) {
		reply_bulk(c, SLICE_LITERAL(""));
		return;
	}
	if (start < 0)
		start = start < -size ? 0 : start + size;
	if (end < 0)
		end = end < -size ? 0 : end + size;
	if (end >= size)
		end = size - 1;
	if (size == 0 || start > end)
		reply_bulk(c, SLICE_LITERAL(""));
	else
		reply_string_range(c, e, (uint64_t)start,
				   (uint64_t)(end - start + 1));
}
