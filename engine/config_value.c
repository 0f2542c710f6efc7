/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values of directives: from words to struct config and back to text.
 *
 * Each type has a setter, which checks everything before it changes anything,
 * and a writer.  A directive without a place in struct config is kept as the
 * text its writer would produce, so that 1kb comes back as 1024 everywhere.
 *
 * I1. A setter that fails has changed nothing.
 * I2. What directive_save writes, directive_set_text reads back to the same
 *     value; directive_show writes the same but for secrets.
 */
#include "engine/config_table.h"

#include "base/mem.h"
#include "base/num.h"
#include "engine/password.h"

#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#define OUTPUT_CLASSES 3
#define SIGNAL_SAVE 1u
#define SIGNAL_NOSAVE 2u
#define SIGNAL_NOW 4u
#define SIGNAL_FORCE 8u

struct setting {
	struct config *config;
	const struct directive *directive;
	const struct directive_words *words;
	struct err_message *m;
};

static void *place(const struct setting *s)
{
	assert(s->directive->offset != DIRECTIVE_INERT);
	return (char *)s->config + s->directive->offset;
}

static const void *place_of(const struct config *c, const struct directive *d)
{
	assert(d->offset != DIRECTIVE_INERT);
	return (const char *)c + d->offset;
}

static char **inert_of(const struct config *c, const struct directive *d)
{
	return &c->inert[d - directives];
}

static bool is_inert(const struct directive *d)
{
	return d->offset == DIRECTIVE_INERT;
}

static void replace_text(char **at, struct slice s)
{
	char *copy = mem_alloc(s.size + 1);

	if (s.size)
		memcpy(copy, s.data, s.size);
	copy[s.size] = 0;
	mem_free(*at);
	*at = copy;
}

static int refuse(const struct setting *s, const char *why)
{
	return err_set(s->m, ERR_CONFIG, "%s", why);
}

/* --- plain values ----------------------------------------------------------*/

static int set_bool(const struct setting *s)
{
	struct slice w = s->words->items[0];
	bool yes = slice_is(w, "yes");

	if (!yes && !slice_is(w, "no"))
		return refuse(s, "argument must be 'yes' or 'no'");
	if (is_inert(s->directive))
		replace_text(inert_of(s->config, s->directive),
			     slice_str(yes ? "yes" : "no"));
	else
		*(bool *)place(s) = yes;
	return OK;
}

static void put_bool(const struct config *c, const struct directive *d,
		     struct buf *out)
{
	buf_put_str(out, *(const bool *)place_of(c, d) ? "yes" : "no");
}

static bool parse_octal(struct slice w, int64_t *out)
{
	int64_t v = 0;
	size_t i;

	for (i = 0; i < w.size; i++) {
		if (w.data[i] < '0' || w.data[i] > '7' || i > 10)
			return false;
		v = v * 8 + (w.data[i] - '0');
	}
	*out = v;
	return w.size > 0;
}

/* *percent: the number is a share of something, kept as such. */
static int parse_number(const struct setting *s, int64_t *out, bool *percent)
{
	const struct directive *d = s->directive;
	struct slice w = s->words->items[0];

	*percent = false;
	if (d->flags & DIRECTIVE_PERCENT && w.size > 1 &&
	    w.data[w.size - 1] == '%') {
		w.size--;
		*percent = true;
		if (!num_parse_i64(w, out) || *out < 0)
			return refuse(s, "argument must be a memory or "
					 "percent value");
		return *out <= 100 ? OK : refuse(s, "percentage argument must "
						    "be less or equal to 100");
	}
	if (d->flags & DIRECTIVE_MEMORY) {
		if (!num_parse_memory(w, out))
			return refuse(s, d->flags & DIRECTIVE_PERCENT ?
				"argument must be a memory or percent value" :
				"argument must be a memory value");
	} else if (d->flags & DIRECTIVE_OCTAL) {
		if (!parse_octal(w, out))
			return refuse(s, "argument couldn't be parsed as an "
					 "octal number");
	} else if (!num_parse_i64(w, out)) {
		return refuse(s, "argument couldn't be parsed into an integer");
	}
	if (*out < d->min || *out > d->max) {
		const char *form = d->flags & DIRECTIVE_OCTAL ?
			"argument must be between %llo and %llo inclusive" :
			"argument must be between %lld and %lld inclusive";
		char text[96];

		snprintf(text, sizeof(text), form, (long long)d->min,
			 (long long)d->max);
		return refuse(s, text);
	}
	return OK;
}

static int set_number(const struct setting *s)
{
	char text[NUM_I64_SIZE + 1];
	bool percent;
	int64_t v;
	size_t n;

	if (parse_number(s, &v, &percent))
		return ERR_CONFIG;
	if (!is_inert(s->directive)) {
		*(int64_t *)place(s) = v;
		return OK;
	}
	n = num_format_i64(text, v);
	if (percent)
		text[n++] = '%';
	replace_text(inert_of(s->config, s->directive), slice_of(text, n));
	return OK;
}

static void put_number(const struct config *c, const struct directive *d,
		       struct buf *out)
{
	int64_t v = *(const int64_t *)place_of(c, d);

	if (d->flags & DIRECTIVE_OCTAL)
		buf_printf(out, "%llo", (unsigned long long)v);
	else
		buf_printf(out, "%lld", (long long)v);
}

static int set_enum(const struct setting *s)
{
	const struct directive_word *w;
	struct buf text = { 0 };
	int err;

	for (w = s->directive->words; w->name; w++) {
		if (!slice_is(s->words->items[0], w->name))
			continue;
		if (is_inert(s->directive))
			replace_text(inert_of(s->config, s->directive),
				     slice_str(w->name));
		else
			*(int64_t *)place(s) = w->value;
		return OK;
	}
	buf_put_str(&text, "argument(s) must be one of the following: ");
	for (w = s->directive->words; w->name; w++)
		buf_printf(&text, "%s%s", w->name, w[1].name ? ", " : "");
	buf_put_byte(&text, 0);
	err = refuse(s, (const char *)text.data);
	buf_release(&text);
	return err;
}

static void put_enum(const struct config *c, const struct directive *d,
		     struct buf *out)
{
	int64_t v = *(const int64_t *)place_of(c, d);
	const struct directive_word *w;

	for (w = d->words; w->name && w->value != v; w++)
		;
	assert(w->name);
	buf_put_str(out, w->name);
}

static int set_text(const struct setting *s)
{
	struct slice w = s->words->items[0];
	char **at = is_inert(s->directive) ?
		inert_of(s->config, s->directive) : place(s);

	if (w.size == 0 && s->directive->flags & DIRECTIVE_OPTIONAL) {
		mem_free(*at);
		*at = NULL;
		return OK;
	}
	replace_text(at, w);
	return OK;
}

static void put_text(const struct config *c, const struct directive *d,
		     struct buf *out)
{
	const char *text = *(char *const *)place_of(c, d);

	if (text)
		buf_put_str(out, text);
}

/* Whether the word stays one among others in a text. (I2) */
static bool stays_word(struct slice w)
{
	size_t i;

	for (i = 0; i < w.size; i++)
		if (w.data[i] <= ' ' || w.data[i] == '"' ||
		    w.data[i] == '\'' || w.data[i] == '\\')
			return false;
	return w.size > 0;
}

static int set_words(const struct setting *s)
{
	struct buf text = { 0 };
	unsigned i;

	for (i = 0; i < s->words->count; i++)
		if (!stays_word(s->words->items[i]) &&
		    (s->words->count > 1 || s->words->items[i].size > 0))
			return refuse(s, "argument must not contain blanks "
					 "or quotes");
	for (i = 0; i < s->words->count; i++) {
		if (i)
			buf_put_byte(&text, ' ');
		buf_put_slice(&text, s->words->items[i]);
	}
	replace_text(is_inert(s->directive) ?
		     inert_of(s->config, s->directive) : place(s),
		     buf_slice(&text));
	buf_release(&text);
	return OK;
}

/* --- lists with a form of their own ----------------------------------------*/

static int set_save(const struct setting *s)
{
	const struct directive_words *words = s->words;
	struct config *c = s->config;
	struct save_rule rules[ARRAY_LEN(c->save)];
	uint32_t count = words->add ? c->save_count : 0;
	unsigned i;
	int64_t v[2];

	if (words->count == 0 ||
	    (words->count == 1 && words->items[0].size == 0)) {
		c->save_count = 0;
		return OK;
	}
	memcpy(rules, c->save, sizeof(rules));
	if (words->count % 2)
		return refuse(s, "Invalid save parameters");
	for (i = 0; i < words->count; i += 2) {
		if (!num_parse_i64(words->items[i], &v[0]) ||
		    !num_parse_i64(words->items[i + 1], &v[1]) ||
		    v[0] < 1 || v[1] < 0)
			return refuse(s, "Invalid save parameters");
		if (count == ARRAY_LEN(rules))
			return refuse(s, "Too many save parameters");
		rules[count++] = (struct save_rule){ (uint64_t)v[0],
						     (uint64_t)v[1] };
	}
	memcpy(c->save, rules, sizeof(rules));
	c->save_count = count;
	return OK;
}

static void put_save(const struct config *c, const struct directive *d,
		     struct buf *out)
{
	uint32_t i;

	(void)d;
	for (i = 0; i < c->save_count; i++)
		buf_printf(out, "%s%llu %llu", i ? " " : "",
			   (unsigned long long)c->save[i].seconds,
			   (unsigned long long)c->save[i].changes);
}

static struct output_limit *output_class(struct config *c, struct slice name)
{
	if (slice_is(name, "normal"))
		return &c->output_normal;
	if (slice_is(name, "slave") || slice_is(name, "replica"))
		return &c->output_replica;
	if (slice_is(name, "pubsub"))
		return &c->output_pubsub;
	return NULL;
}

static int set_output_limit(const struct setting *s)
{
	const struct directive_words *words = s->words;
	struct output_limit *to[OUTPUT_CLASSES * 4];
	struct output_limit limits[OUTPUT_CLASSES * 4];
	unsigned i, n = 0;
	int64_t v[3];

	if (words->count == 0 || words->count % 4 ||
	    words->count / 4 > ARRAY_LEN(limits))
		return refuse(s, "Wrong number of arguments in buffer limit "
				 "configuration.");
	for (i = 0; i < words->count; i += 4, n++) {
		const struct slice *w = words->items + i;

		to[n] = output_class(s->config, w[0]);
		if (!to[n])
			return refuse(s, "Invalid client class specified in "
					 "buffer limit configuration.");
		if (!num_parse_memory(w[1], &v[0]) ||
		    !num_parse_memory(w[2], &v[1]) ||
		    !num_parse_i64(w[3], &v[2]) || v[2] < 0)
			return refuse(s, "Error in hard, soft or soft_seconds "
					 "setting in buffer limit "
					 "configuration.");
		limits[n] = (struct output_limit){ (uint64_t)v[0],
						   (uint64_t)v[1],
						   (uint64_t)v[2] };
	}
	for (i = 0; i < n; i++)
		*to[i] = limits[i];
	return OK;
}

static void put_one_limit(struct buf *out, const char *name,
			  const struct output_limit *l)
{
	buf_printf(out, "%s %llu %llu %llu", name, (unsigned long long)l->hard,
		   (unsigned long long)l->soft,
		   (unsigned long long)l->soft_seconds);
}

static void put_output_limit(const struct config *c, const struct directive *d,
			     struct buf *out)
{
	(void)d;
	put_one_limit(out, "normal", &c->output_normal);
	put_one_limit(out, " slave", &c->output_replica);
	put_one_limit(out, " pubsub", &c->output_pubsub);
}

/* "#" and 64 digits is a hash, as CONFIG REWRITE writes it. */
static int set_password(const struct setting *s)
{
	struct slice w = s->words->items[0];
	char hex[PASSWORD_HEX_SIZE];
	char **at = place(s);

	if (w.size == 0) {
		mem_free(*at);
		*at = NULL;
		return OK;
	}
	if (w.data[0] == '#' &&
	    password_is_hash(slice_of(w.data + 1, w.size - 1))) {
		replace_text(at, slice_of(w.data + 1, w.size - 1));
		return OK;
	}
	password_hash(w, hex);
	replace_text(at, slice_str(hex));
	return OK;
}

static void put_password(const struct config *c, const struct directive *d,
			 struct buf *out)
{
	const char *hex = *(char *const *)place_of(c, d);

	if (hex)
		buf_printf(out, "#%s", hex);
}

static const struct directive_word signal_words[] = {
	{ "default", 0 }, { "save", SIGNAL_SAVE }, { "nosave", SIGNAL_NOSAVE },
	{ "now", SIGNAL_NOW }, { "force", SIGNAL_FORCE }, { NULL, 0 },
};

static int set_signal(const struct setting *s)
{
	const struct directive_word *w;
	uint32_t bits = 0;
	unsigned i;

	for (i = 0; i < s->words->count; i++) {
		for (w = signal_words; w->name; w++)
			if (slice_is(s->words->items[i], w->name))
				break;
		if (!w->name)
			return refuse(s, "argument(s) must be one of the "
					 "following: default, save, nosave, "
					 "now, force");
		bits |= (uint32_t)w->value;
	}
	if ((bits & SIGNAL_SAVE) && (bits & SIGNAL_NOSAVE))
		return refuse(s, "Invalid combination of SAVE and NOSAVE");
	*(uint32_t *)place(s) = bits;
	return OK;
}

static void put_signal(const struct config *c, const struct directive *d,
		       struct buf *out)
{
	uint32_t bits = *(const uint32_t *)place_of(c, d);
	const struct directive_word *w;
	bool any = false;

	for (w = signal_words + 1; w->name; w++) {
		if (!(bits & (uint32_t)w->value))
			continue;
		buf_printf(out, "%s%s", any ? " " : "", w->name);
		any = true;
	}
	if (!any)
		buf_put_str(out, "default");
}

/* The order in which the letters come back; A stands for those up to d. */
static int set_events(const struct setting *s)
{
	static const char all[] = "g$lshzxetd", order[] = "g$lshzxetdKEmn";
	struct slice w = s->words->items[0];
	char text[sizeof(order) + 1];
	bool on[sizeof(order)] = { false }, whole = true;
	size_t i, n = 0;

	for (i = 0; i < w.size; i++) {
		const char *at = w.data[i] ? strchr(order, w.data[i]) : NULL;
		size_t k;

		if (w.data[i] == 'A') {
			for (k = 0; k < sizeof(all) - 1; k++)
				on[k] = true;
		} else if (at) {
			on[at - order] = true;
		} else {
			return refuse(s, "Invalid event class character. Use "
					 "'Ag$lshzxeKEtmdn'.");
		}
	}
	for (i = 0; i < sizeof(all) - 1; i++)
		whole = whole && on[i];
	if (whole)
		text[n++] = 'A';
	for (i = whole ? sizeof(all) - 1 : 0; i < sizeof(order) - 1; i++)
		if (on[i])
			text[n++] = order[i];
	replace_text(inert_of(s->config, s->directive), slice_of(text, n));
	return OK;
}

static int set_percentiles(const struct setting *s)
{
	const struct directive_words *words = s->words;
	double v[CONFIG_PERCENTILES_MAX];
	unsigned count = words->count, i;

	if (count == 1 && words->items[0].size == 0)
		count = 0;
	if (count > CONFIG_PERCENTILES_MAX)
		return refuse(s, "too many percentiles");
	for (i = 0; i < count; i++) {
		if (!num_parse_double(words->items[i], &v[i]))
			return refuse(s, "Invalid "
				"latency-tracking-info-percentiles parameters");
		if (v[i] < 0 || v[i] > 100)
			return refuse(s,
				"latency-tracking-info-percentiles parameters "
				"should sit between [0.0,100.0]");
	}
	memcpy(s->config->percentiles, v, count * sizeof(v[0]));
	s->config->percentile_count = count;
	return OK;
}

static void put_percentiles(const struct config *c, const struct directive *d,
			    struct buf *out)
{
	char text[NUM_DOUBLE_SIZE];
	uint32_t i;

	(void)d;
	for (i = 0; i < c->percentile_count; i++) {
		if (i)
			buf_put_byte(out, ' ');
		buf_put(out, text, num_format_double(text, c->percentiles[i]));
	}
}

static int set_oom_values(const struct setting *s)
{
	int64_t v, before = INT64_MIN;
	unsigned i;

	if (s->words->count != 3)
		return refuse(s, "wrong number of arguments");
	for (i = 0; i < 3; i++) {
		if (!num_parse_i64(s->words->items[i], &v) || v < -2000 ||
		    v > 2000)
			return refuse(s, "Invalid oom-score-adj-values, "
					 "elements must be between -2000 and "
					 "2000.");
		if (v < before)
			return refuse(s, "The oom-score-adj-values must be in "
					 "ascending order.");
		before = v;
	}
	return set_words(s);
}

static int set_replicaof(const struct setting *s)
{
	const struct slice *w = s->words->items;
	int64_t port;

	if (s->words->count == 1 && w[0].size == 0)
		return set_words(s);
	if (s->words->count != 2)
		return refuse(s, "wrong number of arguments");
	if (slice_is(w[0], "no") && slice_is(w[1], "one")) {
		replace_text(inert_of(s->config, s->directive),
			     slice_str(""));
		return OK;
	}
	if (!num_parse_i64(w[1], &port) || port < 0 || port > 65535)
		return refuse(s, "Invalid master port");
	return set_words(s);
}

/* Absolute from the start: the process may go elsewhere. */
static int set_dir(const struct setting *s)
{
	struct slice w = s->words->items[0];
	struct buf path = { 0 };
	char here[4096];

	while (w.size >= 2 && w.data[0] == '.' && w.data[1] == '/')
		w = slice_of(w.data + 2, w.size - 2);
	if (w.size == 1 && w.data[0] == '.')
		w.size = 0;
	if (w.size == 0 || w.data[0] != '/') {
		if (!getcwd(here, sizeof(here)))
			return refuse(s, "the current directory has no name");
		buf_put_str(&path, here);
		if (w.size)
			buf_put_byte(&path, '/');
	}
	buf_put_slice(&path, w);
	while (path.size > 1 && path.data[path.size - 1] == '/')
		path.size--;
	replace_text(place(s), buf_slice(&path));
	buf_release(&path);
	return OK;
}

/* "#" and the digits of a password's hash */
static bool is_hash_word(struct slice w)
{
	return w.size && w.data[0] == '#' &&
	       password_is_hash(slice_of(w.data + 1, w.size - 1));
}

/* Whether the words of `user` say no more than that the default user may do
 * everything; *hash: with which password, NULL: none. */
static bool is_default_user(const struct directive_words *words,
			    const struct slice **hash)
{
	static const char *const everything[] = {
		"default", "on", "nopass", "~*", "&*", "+@all",
		"sanitize-payload", "skip-sanitize-payload", "allkeys",
		"allchannels", "allcommands",
	};
	bool open = false;
	unsigned i;
	size_t k;

	*hash = NULL;
	for (i = 0; i < words->count; i++) {
		const struct slice *w = &words->items[i];

		open |= slice_is(*w, "nopass");
		if (*hash == NULL && is_hash_word(*w)) {
			*hash = w;
			continue;
		}
		for (k = 0; k < ARRAY_LEN(everything); k++)
			if (slice_is(*w, everything[k]))
				break;
		if (k == ARRAY_LEN(everything))
			return false;
	}
	return !(open && *hash);
}

/* Directives that take rights away: ignoring one would open what its author
 * meant to close. What only states our behaviour is fine. */
static int set_refused(const struct setting *s)
{
	const char *name = s->directive->name;
	struct directive_words password = { .count = 1 };

	if (s->words->count == 1 && s->words->items[0].size == 0) {
		replace_text(inert_of(s->config, s->directive), slice_str(""));
		return OK;
	}
	if (strcmp(name, "user"))
		return err_set(s->m, ERR_CONFIG, "%s is not supported, and "
			       "leaving it out would allow what it forbids",
			       name);
	if (!is_default_user(s->words, &password.items))
		return refuse(s, "users other than a default one with all "
				 "rights are not supported (use requirepass "
				 "for a password)");
	if (password.items == NULL)
		return OK;
	return directive_set(s->config,
			     directive_find(SLICE_LITERAL("requirepass")),
			     &password, s->m);
}

/* --- one interface ---------------------------------------------------------*/

static const struct {
	int (*set)(const struct setting *s);
	/* NULL: always kept as text */
	void (*put)(const struct config *c, const struct directive *d,
		    struct buf *out);
	bool elsewhere; /* in more than one member, not at the offset */
} kinds[DIRECTIVE_TYPES] = {
	[DIRECTIVE_BOOL] = { set_bool, put_bool },
	[DIRECTIVE_NUMBER] = { set_number, put_number },
	[DIRECTIVE_ENUM] = { set_enum, put_enum },
	[DIRECTIVE_TEXT] = { set_text, put_text },
	[DIRECTIVE_WORDS] = { set_words, put_text },
	[DIRECTIVE_SAVE] = { set_save, put_save, true },
	[DIRECTIVE_OUTPUT_LIMIT] = { set_output_limit, put_output_limit,
				     true },
	[DIRECTIVE_PASSWORD] = { set_password, put_password },
	[DIRECTIVE_SIGNAL] = { set_signal, put_signal },
	[DIRECTIVE_EVENTS] = { set_events, NULL },
	[DIRECTIVE_PERCENTILES] = { set_percentiles, put_percentiles, true },
	[DIRECTIVE_OOM_VALUES] = { set_oom_values, NULL },
	[DIRECTIVE_REPLICAOF] = { set_replicaof, NULL },
	[DIRECTIVE_DIR] = { set_dir, put_text },
	[DIRECTIVE_REFUSED] = { set_refused, NULL },
};

static bool takes_many(const struct directive *d)
{
	return d->flags & DIRECTIVE_LIST || d->type == DIRECTIVE_REFUSED;
}

/* Values are kept as C strings. */
static bool holds_zero(const struct directive_words *words)
{
	unsigned i;

	for (i = 0; i < words->count; i++)
		if (words->items[i].size &&
		    memchr(words->items[i].data, 0, words->items[i].size))
			return true;
	return false;
}

int directive_set(struct config *c, const struct directive *d,
		  const struct directive_words *words, struct err_message *m)
{
	struct setting s = { c, d, words, m };

	if (words->count != 1 && !takes_many(d))
		return refuse(&s, "wrong number of arguments");
	if (words->count == 0)
		return refuse(&s, "wrong number of arguments");
	if (holds_zero(words) && d->type != DIRECTIVE_PASSWORD)
		return refuse(&s, "argument must not contain a zero byte");
	return kinds[d->type].set(&s);
}

int directive_set_text(struct config *c, const struct directive *d,
		       struct slice text, struct err_message *m)
{
	struct directive_words words = { &text, 1, false };
	struct buf bytes = { 0 };
	struct slice *items = NULL;
	int count, err;

	if (!takes_many(d) || text.size == 0)
		return directive_set(c, d, &words, m);
	count = config_split(text, &bytes, &items);
	if (count < 0) {
		err = err_set(m, ERR_CONFIG, "Unbalanced quotes in argument");
	} else {
		words.items = items;
		words.count = (unsigned)count;
		err = directive_set(c, d, &words, m);
	}
	mem_free(items);
	buf_release(&bytes);
	return err;
}

void directive_save(const struct config *c, const struct directive *d,
		    struct buf *out)
{
	if (is_inert(d) && !kinds[d->type].elsewhere) {
		const char *text = *inert_of(c, d);

		if (text)
			buf_put_str(out, text);
		return;
	}
	kinds[d->type].put(c, d, out);
}

void directive_show(const struct config *c, const struct directive *d,
		    struct buf *out)
{
	size_t before = out->size;

	directive_save(c, d, out);
	if (d->flags & DIRECTIVE_SECRET && out->size > before) {
		out->size = before;
		buf_put_str(out, "********");
	}
}
