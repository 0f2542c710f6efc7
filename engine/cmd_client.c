/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CLIENT: what a connection says of itself and asks of others.
 */
#include "engine/cmd_connection.h"

#include "base/mem.h"
#include "engine/client_filter.h"

bool client_word_is_clean(struct slice s)
{
	size_t i;

	for (i = 0; i < s.size; i++)
		if (s.data[i] < '!' || s.data[i] > '~')
			return false;
	return true;
}

static void replace(char **at, struct slice s)
{
	mem_free(*at);
	*at = NULL;
	if (s.size == 0)
		return;
	*at = mem_alloc(s.size + 1);
	memcpy(*at, s.data, s.size);
	(*at)[s.size] = 0;
}

bool client_set_name(struct cmd *c, struct slice name)
{
	if (!client_word_is_clean(name)) {
		reply_error(c, "ERR Client names cannot contain spaces, "
			       "newlines or special characters.");
		return false;
	}
	replace(&c->session->name, name);
	return true;
}

void cmd_client_id(struct cmd *c)
{
	reply_i64(c, (int64_t)c->session->id);
}

void cmd_client_setname(struct cmd *c)
{
	if (client_set_name(c, c->argv[2]))
		reply_ok(c);
}

void cmd_client_getname(struct cmd *c)
{
	if (c->session->name)
		reply_bulk_str(c, c->session->name);
	else
		reply_null(c);
}

void cmd_client_setinfo(struct cmd *c)
{
	const char *what = NULL;
	char **at = NULL;

	if (arg_is(c, 2, "lib-name")) {
		what = "lib-name";
		at = &c->session->lib_name;
	} else if (arg_is(c, 2, "lib-ver")) {
		what = "lib-ver";
		at = &c->session->lib_version;
	} else {
		reply_errorf(c, "ERR Unrecognized option '%.*s'",
			     (int)(c->argv[2].size < 128 ? c->argv[2].size :
							   128),
			     (const char *)c->argv[2].data);
		return;
	}
	if (!client_word_is_clean(c->argv[3])) {
		reply_errorf(c, "ERR %s cannot contain spaces, newlines or "
				"special characters.", what);
		return;
	}
	replace(at, c->argv[3]);
	reply_ok(c);
}

/* ON or OFF switches a flag; false: replied a syntax error. */
static bool set_flag(struct cmd *c, uint32_t flag)
{
	if (arg_is(c, 2, "on")) {
		c->session->flags |= flag;
	} else if (arg_is(c, 2, "off")) {
		c->session->flags &= ~flag;
	} else {
		reply_syntax_error(c);
		return false;
	}
	return true;
}

void cmd_client_no_evict(struct cmd *c)
{
	if (set_flag(c, SESSION_NO_EVICT))
		reply_ok(c);
}

void cmd_client_no_touch(struct cmd *c)
{
	if (set_flag(c, SESSION_NO_TOUCH))
		reply_ok(c);
}

void cmd_client_reply(struct cmd *c)
{
	struct session *s = c->session;

	if (arg_is(c, 2, "on")) {
		s->flags &= ~(uint32_t)(SESSION_REPLY_OFF |
					SESSION_REPLY_SKIP |
					SESSION_REPLY_SKIP_NEXT);
		reply_ok(c);
	} else if (arg_is(c, 2, "off")) {
		s->flags |= SESSION_REPLY_OFF;
	} else if (arg_is(c, 2, "skip")) {
		if (!(s->flags & SESSION_REPLY_OFF))
			s->flags |= SESSION_REPLY_SKIP_NEXT;
	} else {
		reply_syntax_error(c);
	}
}

void cmd_client_getredir(struct cmd *c)
{
	reply_i64(c, -1); /* tracking is off */
}

void cmd_client_trackinginfo(struct cmd *c)
{
	reply_map(c, 3);
	reply_bulk_str(c, "flags");
	reply_set(c, 1);
	reply_bulk_str(c, "off");
	reply_bulk_str(c, "redirect");
	reply_i64(c, -1);
	reply_bulk_str(c, "prefixes");
	reply_array(c, 0);
}

void cmd_client_tracking(struct cmd *c)
{
	if (arg_is(c, 2, "off"))
		reply_ok(c);
	else if (arg_is(c, 2, "on"))
		reply_error(c, "ERR client-side caching is not supported");
	else
		reply_syntax_error(c);
}

void cmd_client_caching(struct cmd *c)
{
	reply_error(c, "ERR CLIENT CACHING can be called only when the client "
		       "is in tracking mode with OPTIN or OPTOUT mode enabled");
}

/* Capabilities are a client's offers; those we do not know change nothing. */
void cmd_client_capa(struct cmd *c)
{
	unsigned i;

	for (i = 2; i < c->argc; i++)
		if (arg_is(c, i, "redirect"))
			c->session->flags |= SESSION_CAN_REDIRECT;
	reply_ok(c);
}

void cmd_client_lsn(struct cmd *c)
{
	const struct session *s = c->session;

	if (s->write_lsn == 0) {
		reply_null(c);
		return;
	}
	if (c->gate < s->write_lsn)
		c->gate = s->write_lsn;
	reply_bulk_printf(c, "%u:%llu", s->write_epoch,
			  (unsigned long long)s->write_lsn);
}

/* --- CLIENT LIST -----------------------------------------------------------*/

void client_put_flags(const struct session *s, struct buf *out)
{
	size_t before = out->size;

	if (s->flags & SESSION_MONITOR)
		buf_put_byte(out, 'O');
	if (s->flags & SESSION_PARKED)
		buf_put_byte(out, 'b');
	if (s->flags & SESSION_CLOSE_AFTER_REPLY)
		buf_put_byte(out, 'c');
	if (s->flags & SESSION_CLOSING)
		buf_put_byte(out, 'A');
	if (s->flags & SESSION_UNIX)
		buf_put_byte(out, 'U');
	if (s->flags & SESSION_NO_EVICT)
		buf_put_byte(out, 'e');
	if (s->flags & SESSION_NO_TOUCH)
		buf_put_byte(out, 'T');
	if (out->size == before)
		buf_put_byte(out, 'N');
}

void client_describe(const struct engine *e, const struct session *s,
		     struct buf *out)
{
	struct session_figures f = { .file = -1 };

	if (e->host.figures)
		e->host.figures(e->host.ctx, (struct session *)s, &f);
	buf_printf(out, "id=%llu addr=%s laddr=%s fd=%d name=%s age=%llu "
		   "idle=%llu flags=", (unsigned long long)s->id, s->address,
		   s->local_address, f.file, s->name ? s->name : "",
		   (unsigned long long)((e->now_ms - s->created_ms) / 1000),
		   (unsigned long long)((e->now_ms - s->active_ms) / 1000));
	client_put_flags(s, out);
	buf_printf(out, " db=%u sub=0 psub=0 ssub=0 multi=-1 qbuf=%zu "
		   "qbuf-free=%zu argv-mem=%zu multi-mem=0 rbs=%zu rbp=%zu "
		   "obl=%zu oll=%zu omem=%zu tot-mem=%zu events=%s%s", s->db,
		   f.query_size, f.query_free, f.argv_bytes, f.output_size,
		   f.query_peak, f.output_size, f.output_entries,
		   f.output_size, f.memory, f.readable ? "r" : "",
		   f.writable ? "w" : "");
	buf_printf(out, " cmd=%s user=%s redir=-1 resp=%u capa=%s lib-name=%s "
		   "lib-ver=%s", s->last_command ? s->last_command->name :
		   "NULL", s->flags & SESSION_AUTHENTICATED ? "default" : "",
		   s->protocol,
		   s->flags & SESSION_CAN_REDIRECT ? "r" : "",
		   s->lib_name ? s->lib_name : "",
		   s->lib_version ? s->lib_version : "");
	buf_printf(out, " watch=0 tot-net-in=%llu tot-net-out=%llu "
		   "tot-cmds=%llu",
		   (unsigned long long)s->bytes_in,
		   (unsigned long long)s->bytes_out,
		   (unsigned long long)s->commands);
}

void cmd_client_info(struct cmd *c)
{
	struct buf out = { 0 };

	client_describe(c->engine, c->session, &out);
	buf_put_byte(&out, '\n');
	reply_verbatim(c, "txt", buf_slice(&out));
	buf_release(&out);
}

static void reply_list(struct cmd *c, const struct client_filter *f)
{
	const struct session *s;
	struct buf out = { 0 };

	for (s = c->engine->sessions; s; s = s->next) {
		if (!client_filter_passes(c->engine, f, s, c->session))
			continue;
		client_describe(c->engine, s, &out);
		buf_put_byte(&out, '\n');
	}
	reply_verbatim(c, "txt", buf_slice(&out));
	buf_release(&out);
}

void cmd_client_list(struct cmd *c)
{
	struct client_filter f = { .is_list = true };

	if (client_filter_parse(c, 2, &f))
		reply_list(c, &f);
	client_filter_release(&f);
}
