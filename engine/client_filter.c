/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each word is a term; NOT- before it puts it among the unwanted ones. A
 * connection passes if every wanted term is true of it and no unwanted one.
 *
 * I1. Words come in any order; one that comes twice counts as it came last,
 *     but for IDs, which add up.
 */
#include "engine/client_filter.h"

#include "base/mem.h"
#include "base/num.h"
#include "engine/cmd_connection.h"

enum client_type { CLIENT_NORMAL, CLIENT_PUBSUB, CLIENT_REPLICA,
		   CLIENT_PRIMARY };

/* All that CLIENT LIST may show anywhere, also what cannot be here. */
#define KNOWN_FLAGS "AbBcdeEiIMNOPrRStTuUx"
#define KNOWN_CAPABILITIES "r"

static const char *const term_words[TERMS] = {
	[TERM_ID] = "id",
	[TERM_TYPE] = "type",
	[TERM_ADDR] = "addr",
	[TERM_LADDR] = "laddr",
	[TERM_USER] = "user",
	[TERM_NAME] = "name",
	[TERM_FLAGS] = "flags",
	[TERM_LIB_NAME] = "lib-name",
	[TERM_LIB_VER] = "lib-ver",
	[TERM_DB] = "db",
	[TERM_CAPA] = "capa",
	[TERM_IP] = "ip",
};

static int parse_type(struct slice s)
{
	if (slice_is(s, "normal"))
		return CLIENT_NORMAL;
	if (slice_is(s, "pubsub"))
		return CLIENT_PUBSUB;
	if (slice_is(s, "replica") || slice_is(s, "slave"))
		return CLIENT_REPLICA;
	if (slice_is(s, "master") || slice_is(s, "primary"))
		return CLIENT_PRIMARY;
	return -1;
}

static bool quoted_error(struct cmd *c, const char *before, struct slice s)
{
	reply_errorf(c, "ERR %s '%.*s'", before,
		     (int)(s.size < 128 ? s.size : 128),
		     (const char *)s.data);
	return false;
}

/* Every byte of s is one of known. */
static bool all_known(struct cmd *c, struct slice s, const char *known,
		      const char *what)
{
	size_t i;

	for (i = 0; i < s.size; i++)
		if (!s.data[i] || !strchr(known, s.data[i]))
			break;
	if (i == s.size)
		return true;
	reply_errorf(c, "ERR Unknown %s found in the provided filter: %.*s",
		     what, (int)(s.size < 128 ? s.size : 128),
		     (const char *)s.data);
	return false;
}

static bool parse_number(struct cmd *c, struct slice s, const char *name,
			 int64_t *out)
{
	if (!num_parse_i64(s, out)) {
		reply_errorf(c, "ERR %s is not an integer or out of range",
			     name);
		return false;
	}
	if (*out < 1) {
		reply_errorf(c, "ERR %s should be greater than 0", name);
		return false;
	}
	return true;
}

static bool parse_db(struct cmd *c, struct slice s, int64_t *out)
{
	if (!num_parse_i64(s, out)) {
		reply_error(c, "ERR DB is not an integer or out of range");
		return false;
	}
	if (*out < 0 || *out >= (int64_t)c->ks->db_count) {
		reply_errorf(c, "ERR DB number should be between 0 and %u",
			     c->ks->db_count - 1);
		return false;
	}
	return true;
}

/* The numbers behind ID; *at is moved behind them. */
static bool parse_ids(struct cmd *c, struct client_filter *f,
		      struct client_terms *t, unsigned *at)
{
	unsigned first = *at;
	int64_t id;

	if (!t->ids)
		t->ids = mem_calloc(c->argc, sizeof(*t->ids));
	for (; *at < c->argc && num_parse_i64(c->argv[*at], &id); ++*at) {
		if (id < 1 && !f->is_list)
			goto fail; /* LIST has no connection to show */
		t->ids[t->id_count++] = id;
	}
	if (*at > first)
		return true;
fail:
	reply_error(c, f->is_list ? "ERR Invalid client ID" :
		       "ERR client-id should be greater than 0");
	return false;
}

/* The one value of a term. */
static bool parse_value(struct cmd *c, struct client_terms *t,
			enum client_term term, struct slice value)
{
	t->text[term] = value;
	switch (term) {
	case TERM_TYPE:
		t->type = parse_type(value);
		return t->type >= 0 ||
		       quoted_error(c, "Unknown client type", value);
	case TERM_USER:
		return slice_equal(value, SLICE_LITERAL("default")) ||
		       quoted_error(c, "No such user", value);
	case TERM_DB:
		return parse_db(c, value, &t->db);
	case TERM_FLAGS:
		return all_known(c, value, KNOWN_FLAGS, "flags");
	case TERM_CAPA:
		return all_known(c, value, KNOWN_CAPABILITIES, "capa");
	default:
		return true;
	}
}

static bool parse_skip_me(struct cmd *c, struct slice value,
			  struct client_filter *f)
{
	f->skip_me = slice_is(value, "yes");
	if (f->skip_me || slice_is(value, "no"))
		return true;
	reply_syntax_error(c);
	return false;
}

/* The term that a word names, TERMS if none. */
static enum client_term find_term(struct slice word, bool *unwanted)
{
	unsigned term;

	*unwanted = word.size > 4 && slice_is(slice_of(word.data, 4), "not-");
	if (*unwanted)
		word = slice_of(word.data + 4, word.size - 4);
	for (term = 0; term < TERMS; term++)
		if (slice_is(word, term_words[term]))
			break;
	return term;
}

/* One word and its values; *at is moved behind them. */
static bool parse_one(struct cmd *c, unsigned *at, struct client_filter *f)
{
	struct slice word = c->argv[*at], value;
	enum client_term term;
	struct client_terms *t;
	bool unwanted;

	if (*at + 1 == c->argc) {
		reply_syntax_error(c);
		return false;
	}
	value = c->argv[*at + 1];
	term = find_term(word, &unwanted);
	if (term < TERMS) {
		t = unwanted ? &f->unwanted : &f->wanted;
		t->given |= 1u << term;
		++*at;
		if (term == TERM_ID)
			return parse_ids(c, f, t, at);
		++*at;
		return parse_value(c, t, term, value);
	}
	*at += 2;
	if (slice_is(word, "maxage"))
		return parse_number(c, value, "maxage", &f->age_s);
	if (slice_is(word, "idle"))
		return parse_number(c, value, "idle", &f->idle_s);
	if (slice_is(word, "skipme"))
		return parse_skip_me(c, value, f);
	reply_syntax_error(c);
	return false;
}

bool client_filter_parse(struct cmd *c, unsigned first,
			 struct client_filter *f)
{
	unsigned at = first;

	f->age_s = f->idle_s = -1;
	while (at < c->argc)
		if (!parse_one(c, &at, f))
			return false;
	return true;
}

void client_filter_release(struct client_filter *f)
{
	mem_free(f->wanted.ids);
	mem_free(f->unwanted.ids);
}

/* --- asking ----------------------------------------------------------------*/

static bool is_listed(const struct client_terms *t, uint64_t id)
{
	unsigned i;

	for (i = 0; i < t->id_count; i++)
		if ((uint64_t)t->ids[i] == id)
			return true;
	return false;
}

static bool is_text(struct slice wanted, const char *text)
{
	return slice_equal(wanted, slice_str(text ? text : ""));
}

/* "127.0.0.1:5000", "[::1]:5000": the part before the port. */
static struct slice host_of(const char *address)
{
	const char *colon = strrchr(address, ':');
	size_t size = colon ? (size_t)(colon - address) : strlen(address);

	if (size > 2 && address[0] == '[')
		return slice_of(address + 1, size - 2);
	return slice_of(address, size);
}

/* s shows all of these flags. */
static bool has_flags(const struct session *s, struct slice flags)
{
	struct buf shown = { 0 };
	bool has = true;
	size_t i;

	client_put_flags(s, &shown);
	for (i = 0; i < flags.size; i++)
		has &= memchr(shown.data, flags.data[i], shown.size) != NULL;
	buf_release(&shown);
	return has;
}

static bool is_true(const struct client_terms *t, enum client_term term,
		    const struct session *s)
{
	switch (term) {
	case TERM_ID: return is_listed(t, s->id);
	case TERM_TYPE: return t->type == CLIENT_NORMAL;
	case TERM_ADDR: return is_text(t->text[term], s->address);
	case TERM_LADDR: return is_text(t->text[term], s->local_address);
	case TERM_USER: return s->flags & SESSION_AUTHENTICATED;
	case TERM_NAME: return is_text(t->text[term], s->name);
	case TERM_FLAGS: return has_flags(s, t->text[term]);
	case TERM_LIB_NAME: return is_text(t->text[term], s->lib_name);
	case TERM_LIB_VER: return is_text(t->text[term], s->lib_version);
	case TERM_DB: return t->db == (int64_t)s->db;
	case TERM_CAPA: return s->flags & SESSION_CAN_REDIRECT;
	case TERM_IP: return slice_equal(t->text[term], host_of(s->address));
	case TERMS: break;
	}
	return false;
}

bool client_filter_passes(const struct engine *e, const struct client_filter *f,
			  const struct session *s, const struct session *me)
{
	unsigned term;

	if (s->flags & SESSION_INTERNAL || (f->skip_me && s == me))
		return false;
	if (f->age_s >= 0 &&
	    (e->now_ms - s->created_ms) / 1000 < (uint64_t)f->age_s)
		return false;
	if (f->idle_s >= 0 &&
	    (e->now_ms - s->active_ms) / 1000 < (uint64_t)f->idle_s)
		return false;
	for (term = 0; term < TERMS; term++) {
		if (f->wanted.given & 1u << term &&
		    !is_true(&f->wanted, term, s))
			return false;
		if (f->unwanted.given & 1u << term &&
		    is_true(&f->unwanted, term, s))
			return false;
	}
	return true;
}
