/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values and deadlines of fields in one command: HGETDEL, HGETEX, HSETEX.
 *
 * I1. A value is replied before the record that may remove it is emitted: its
 *     bytes die there.
 * I2. A deadline in the past removes the field at once.
 */
#include "engine/cmd_hash.h"

#include "engine/hash_fields.h"

/* What happens to the deadlines. */
enum times { TIME_NONE, TIME_SET, TIME_KEEP, TIME_PERSIST };

struct ex_options {
	enum times time;
	uint64_t when_ms;
	bool only_new, only_old; /* FNX, FXX: fields */
	bool key_new, key_old;   /* NX, XX: the hash, as in Valkey */
	unsigned time_index;     /* in argv, of the time's word; 0: none */
	unsigned first;          /* field in argv */
};

static const struct time_word {
	const char *word;
	int64_t unit_ms;
	bool absolute;
} time_words[] = {
	{ "ex", 1000, false },
	{ "px", 1, false },
	{ "exat", 1000, true },
	{ "pxat", 1, true },
};

static const struct time_word *find_time_word(struct slice s)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(time_words); i++)
		if (slice_is(s, time_words[i].word))
			return &time_words[i];
	return NULL;
}

/* The time behind the word at argv[index]. False: replied. */
static bool arg_time(struct cmd *c, unsigned index, struct ex_options *o)
{
	const struct time_word *w = find_time_word(c->argv[index]);

	o->time = TIME_SET;
	return arg_field_time(c, index + 1, w->unit_ms, w->absolute,
			      &o->when_ms);
}

/* Replies each field's value, and puts those that are there into the run. */
static void reply_values(struct cmd *c, const struct entry *e,
			 struct field_run *run, unsigned first, bool dated_only)
{
	unsigned i;

	reply_array(c, c->argc - first);
	for (i = first; i < c->argc; i++) {
		struct hash_item item;

		if (run_meet(run, c->argv[i]))
			e = hash_again(c);
		if (!hash_live(c, e, c->argv[i], &item)) {
			reply_null(c);
			continue;
		}
		reply_bulk(c, item.value); /* I1 */
		if (!dated_only || item.deadline_ms)
			run_put(run, c->argv[i]);
	}
	run_emit(run);
}

/* HGETDEL key FIELDS numfields field … */
void cmd_hgetdel(struct cmd *c)
{
	const struct entry *e;
	struct field_run run;

	if (!lookup_typed_write(c, c->argv[1], VALUE_hash, &e) ||
	    !arg_fields(c, 2, FIELD_COUNT_ERROR) ||
	    !hash_open_write(c, 4, c->argc, 1, &e))
		return;
	run = run_begin(c, REC_hash_del, 0, CAUSE_hdel);
	reply_values(c, e, &run, 4, false);
}

/* The options of HGETEX; false: replied. */
static bool arg_getex(struct cmd *c, struct ex_options *o)
{
	o->first = 4;
	if (arg_is(c, 2, "persist")) {
		o->time = TIME_PERSIST;
		o->first = 5;
	} else if (find_time_word(c->argv[2])) {
		if (!arg_time(c, 2, o))
			return false;
		o->first = 6;
	}
	if (o->first > c->argc) {
		reply_wrong_arity(c);
		return false;
	}
	return arg_fields(c, o->first - 2, FIELD_COUNT_ERROR);
}

static void reply_only(struct cmd *c, const struct entry *e, unsigned first)
{
	unsigned i;

	reply_array(c, c->argc - first);
	for (i = first; i < c->argc; i++) {
		struct hash_item item;

		if (hash_live(c, e, c->argv[i], &item))
			reply_bulk(c, item.value);
		else
			reply_null(c);
	}
}

/* HGETEX key [EX s|PX ms|EXAT t|PXAT t|PERSIST] FIELDS numfields field … */
void cmd_hgetex(struct cmd *c)
{
	struct ex_options o = { 0 };
	const struct entry *e;
	struct field_run run;

	if (!lookup_typed_write(c, c->argv[1], VALUE_hash, &e) ||
	    !arg_getex(c, &o) ||
	    !hash_open_write(c, o.first, c->argc, 1, &e))
		return;
	if (o.time == TIME_NONE) {
		reply_only(c, e, o.first);
		return;
	}
	if (o.time == TIME_PERSIST)
		run = run_begin(c, REC_hash_expire, 0, CAUSE_hpersist);
	else if (o.when_ms > c->now_ms)
		run = run_begin(c, REC_hash_expire, o.when_ms, CAUSE_hexpire);
	else
		run = run_begin(c, REC_hash_del, 0, CAUSE_hdel); /* I2 */
	reply_values(c, e, &run, o.first, o.time == TIME_PERSIST);
}

/* --- HSETEX ------------------------------------------------------------- */

/* The fields behind the word FIELDS at argv[index]. False: replied. */
static bool arg_pairs(struct cmd *c, unsigned index, struct ex_options *o)
{
	int64_t count;

	if (index + 1 >= c->argc ||
	    !num_parse_i64(c->argv[index + 1], &count) || count < 1 ||
	    count > INT32_MAX) {
		reply_error(c, "ERR invalid number of fields");
		return false;
	}
	o->first = index + 2;
	if (2 * count == (int64_t)c->argc - (int64_t)o->first)
		return true;
	reply_wrong_arity(c);
	return false;
}

/* NX or XX at argv[index]: whether it is one. */
static bool arg_key_condition(const struct cmd *c, unsigned index,
			      struct ex_options *o)
{
	bool nx = arg_is(c, index, "nx"), xx = arg_is(c, index, "xx");

	if ((nx && o->key_old) || (xx && o->key_new))
		return false;
	o->key_new |= nx;
	o->key_old |= xx;
	return nx || xx;
}

/* One option at argv[index], not FIELDS. Returns how many arguments it takes;
 * 0: replied. */
static unsigned arg_option(struct cmd *c, unsigned index, struct ex_options *o)
{
	const struct time_word *w = find_time_word(c->argv[index]);
	bool keep = arg_is(c, index, "keepttl");
	bool fnx = arg_is(c, index, "fnx"), fxx = arg_is(c, index, "fxx");

	if ((w || keep) && o->time != TIME_NONE) {
		reply_error(c, "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL "
			       "arguments can be specified");
		return 0;
	}
	if ((fnx || fxx) && (o->only_new || o->only_old)) {
		reply_error(c, "ERR Only one of FXX or FNX arguments can be "
			       "specified");
		return 0;
	}
	o->only_new |= fnx;
	o->only_old |= fxx;
	if (keep)
		o->time = TIME_KEEP;
	if (keep || fnx || fxx || arg_key_condition(c, index, o))
		return 1;
	if (w && index + 1 < c->argc)
		return arg_time(c, index, o) ? 2 : 0;
	reply_errorf(c, "ERR unknown argument: %.*s",
		     c->argv[index].size < 128 ? (int)c->argv[index].size : 128,
		     (const char *)c->argv[index].data);
	return 0;
}

static bool arg_setex(struct cmd *c, struct ex_options *o)
{
	unsigned i, taken;

	for (i = 2; i < c->argc; i += taken) {
		if (arg_is(c, i, "fields"))
			return arg_pairs(c, i, o);
		taken = arg_option(c, i, o);
		if (!taken)
			return false;
	}
	reply_error(c, "ERR missing FIELDS argument");
	return false;
}

/* Whether NX, XX, FNX and FXX let it happen. */
static bool may_set(struct cmd *c, const struct entry *e,
		    const struct ex_options *o)
{
	unsigned i;

	if ((o->key_new && e) || (o->key_old && !e))
		return false;
	if (!o->only_new && !o->only_old)
		return true;
	for (i = o->first; i < c->argc; i += 2) {
		struct hash_item item;

		if (hash_live(c, e, c->argv[i], &item) == o->only_new)
			return false;
	}
	return true;
}

/* The deadline has passed already. (I2) */
static void remove_fields(struct cmd *c, const struct entry *e, unsigned first)
{
	struct field_run run = run_begin(c, REC_hash_del, 0, CAUSE_hdel);
	unsigned i;

	for (i = first; i < c->argc; i += 2) {
		struct hash_item item;

		if (run_meet(&run, c->argv[i]))
			e = hash_again(c);
		if (e && hash_find(e, c->argv[i], &item))
			run_put(&run, c->argv[i]);
	}
	run_emit(&run);
}

static void set_fields(struct cmd *c, const struct ex_options *o)
{
	uint64_t deadline = DEADLINE_NONE;
	struct field_run run;
	unsigned i;

	if (o->time == TIME_KEEP)
		deadline = DEADLINE_KEEP;
	else if (o->time == TIME_SET)
		deadline = o->when_ms;
	run = run_begin(c, REC_hash_set, deadline, CAUSE_hset);
	for (i = o->first; i < c->argc; i += 2) {
		run_put(&run, c->argv[i]);
		run_put(&run, c->argv[i + 1]);
		run_cut(&run);
	}
	run_emit(&run);
}

/* HSETEX key [NX|XX] [FNX|FXX] [EX s|PX ms|EXAT t|PXAT t|KEEPTTL] FIELDS
 * numfields field value … */
void cmd_hsetex(struct cmd *c)
{
	struct ex_options o = { 0 };
	const struct entry *e;

	if (!arg_setex(c, &o) ||
	    !hash_open_write(c, o.first, c->argc, 2, &e))
		return;
	if (!may_set(c, e, &o)) {
		reply_i64(c, 0);
		return;
	}
	if (o.time == TIME_SET && o.when_ms <= c->now_ms)
		remove_fields(c, e, o.first);
	else
		set_fields(c, &o);
	reply_i64(c, 1);
}
