/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PFDEBUG, PFSELFTEST: HyperLogLogs from inside.
 *
 * I1. Only TODENSE writes.
 */
#include "engine/cmd_hll.h"

#include "base/num.h"

static void debug_getreg(struct cmd *c, struct slice value)
{
	uint8_t registers[HLL_REGISTERS] = { 0 };
	unsigned i;

	hll_max_into(registers, value);
	reply_array(c, HLL_REGISTERS);
	for (i = 0; i < HLL_REGISTERS; i++)
		reply_i64(c, registers[i]);
}

static void debug_decode(struct cmd *c, struct slice value)
{
	struct buf text = { 0 };

	if (hll_encoding(value) != HLL_SPARSE) {
		reply_error(c, "ERR HLL encoding is not sparse");
		return;
	}
	hll_describe(value, &text);
	reply_bulk(c, buf_slice(&text));
	buf_release(&text);
}

static void debug_encoding(struct cmd *c, struct slice value)
{
	reply_simple(c, hll_encoding(value) == HLL_DENSE ? "dense" : "sparse");
}

static void debug_todense(struct cmd *c, struct slice value)
{
	bool sparse = hll_encoding(value) == HLL_SPARSE;
	struct hll_edit edit;

	if (sparse) {
		hll_edit_open(&edit, value, 0, NULL);
		hll_edit_to_dense(&edit);
		emit_hll(c, c->argv[2], value, &edit);
	}
	reply_i64(c, sparse);
}

static const struct {
	const char *name;
	void (*run)(struct cmd *c, struct slice value);
} parts[] = {
	{ "getreg", debug_getreg },
	{ "decode", debug_decode },
	{ "encoding", debug_encoding },
	{ "todense", debug_todense },
};

/* PFDEBUG GETREG|DECODE|ENCODING|TODENSE key. */
void cmd_pfdebug(struct cmd *c)
{
	struct slice value;
	unsigned i;

	if (!lookup_hll(c, c->argv[2], &value))
		return;
	if (value.size == 0) {
		reply_error(c, "ERR The specified key does not exist");
		return;
	}
	for (i = 0; i < ARRAY_LEN(parts); i++) {
		if (arg_is(c, 1, parts[i].name)) {
			parts[i].run(c, value);
			return;
		}
	}
	reply_errorf(c, "ERR Unknown PFDEBUG subcommand '%.*s'",
		     (int)(c->argv[1].size < 128 ? c->argv[1].size : 128),
		     (const char *)c->argv[1].data);
}

/* Whether `added` different numbers are estimated within six standard errors,
 * alike by both encodings. */
static bool estimate_is_near(const struct hll_edit *dense,
			     const struct hll_edit *sparse, double added)
{
	double error_max = 6 * 1.04 / 128 * added + 2;
	double count = (double)hll_count(hll_edit_value(dense));

	return hll_check(hll_edit_value(sparse)) == HLL_GOOD &&
	       hll_count(hll_edit_value(sparse)) == (uint64_t)count &&
	       count >= added - error_max && count <= added + error_max;
}

/* PFSELFTEST: numbers are counted as they are added. */
void cmd_pfselftest(struct cmd *c)
{
	struct hll_edit dense, sparse;
	unsigned added, check_at = 1;

	hll_edit_new(&dense, 0);
	hll_edit_to_dense(&dense);
	hll_edit_new(&sparse, 3000);
	for (added = 1; added <= 100000; added++) {
		char text[NUM_I64_SIZE];
		struct hll_mark mark = hll_mark(
			slice_of(text, num_format_i64(text, added)));
		bool alike = hll_edit_raise(&dense, mark) ==
			     hll_edit_raise(&sparse, mark);

		if (alike && added < check_at)
			continue;
		check_at *= 10;
		if (!alike || !estimate_is_near(&dense, &sparse, added)) {
			reply_errorf(c, "ERR TESTFAILED %u numbers are not "
				     "estimated as such", added);
			return;
		}
	}
	reply_ok(c);
}
