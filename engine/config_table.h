/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of directives, and how one is set and shown.  For config*.c and
 * CONFIG's handlers; everybody else reads struct config.
 */
#ifndef REDOUBT_ENGINE_CONFIG_TABLE_H
#define REDOUBT_ENGINE_CONFIG_TABLE_H

#include "engine/config.h"

enum directive_type {
	DIRECTIVE_BOOL,
	DIRECTIVE_NUMBER,
	DIRECTIVE_ENUM,
	DIRECTIVE_TEXT,
	DIRECTIVE_WORDS, /* text of several words */
	DIRECTIVE_SAVE,
	DIRECTIVE_OUTPUT_LIMIT,
	DIRECTIVE_PASSWORD,
	DIRECTIVE_SIGNAL, /* bits of shutdown-on-… */
	DIRECTIVE_EVENTS, /* notify-keyspace-events */
	DIRECTIVE_PERCENTILES,
	DIRECTIVE_OOM_VALUES,
	DIRECTIVE_REPLICAOF,
	DIRECTIVE_DIR,
	DIRECTIVE_REFUSED, /* limits access in a way we do not know */
	DIRECTIVE_TYPES,
};

enum directive_flags {
	DIRECTIVE_FIXED = 1,    /* not at run time */
	DIRECTIVE_GUARDED = 2,  /* likewise, with Redis' word "protected" */
	DIRECTIVE_MEMORY = 4,   /* 1k, 5mb … */
	DIRECTIVE_PERCENT = 8,  /* 5% too */
	DIRECTIVE_OCTAL = 16,
	DIRECTIVE_SECRET = 32,  /* never shown */
	DIRECTIVE_NET = 64,     /* net/ acts on a change */
	DIRECTIVE_NO_GET = 128, /* a line of a file only */
	DIRECTIVE_OURS = 256,   /* not one of Redis' */
	DIRECTIVE_OPTIONAL = 512, /* text: empty is NULL */
	DIRECTIVE_LIST = 1024,  /* of several words */
	DIRECTIVE_HIDDEN = 2048, /* CONFIG GET gives it by its whole name */
};

/* A word of an enumeration; a list ends with one without a name. */
struct directive_word {
	const char *name;
	int64_t value;
};

struct directive {
	const char *name;
	const char *alias;   /* older name, or NULL */
	uint8_t type;
	uint16_t flags;
	uint16_t offset;     /* in struct config; DIRECTIVE_INERT: none */
	const char *initial; /* as a line of a file has it */
	int64_t min, max;    /* of numbers */
	const struct directive_word *words;
};

#define DIRECTIVE_INERT UINT16_MAX

/* In force when there is neither a log nor any line about it. */
#define SAVE_RULES "save 3600 1 300 100 60 10000"

/* In order of name; ends with a row without a name. */
extern const struct directive directives[];

/* Rows, without the last one. */
size_t directives_count(void);

/* By name or alias, case-insensitive; NULL if there is none. */
const struct directive *directive_find(struct slice name);

/* add: another line of a directive that collects. */
struct directive_words {
	const struct slice *items;
	unsigned count;
	bool add;
};

/* Sets the value from the words of a line. OK or ERR_CONFIG, then nothing has
 * changed and m holds Redis' words. */
int directive_set(struct config *c, const struct directive *d,
		  const struct directive_words *words, struct err_message *m);

/* As CONFIG SET has it: one text, split where the directive is a list. */
int directive_set_text(struct config *c, const struct directive *d,
		       struct slice text, struct err_message *m);

/* Appends the value as CONFIG GET shows it. */
void directive_show(const struct config *c, const struct directive *d,
		    struct buf *out);

/* Appends the value as directive_set_text takes it, secrets included. */
void directive_save(const struct config *c, const struct directive *d,
		    struct buf *out);

/* Splits a line into words: quotes, \xHH and the like are undone. The words
 * point into *bytes (released by the caller, as is *words, mem_free). Number
 * of words, or -1 for quotes that do not match. */
int config_split(struct slice line, struct buf *bytes, struct slice **words);

/* Appends s as a word of a line: in quotes if it has to be. */
void config_put_word(struct buf *out, struct slice s);

/*
 * Writes the configuration into its file: lines and comments stay where they
 * are, values change in place, what is new goes to the end.  The file is
 * replaced by a new one that is durable first.  OK or a negative enum err.
 */
int config_rewrite(const struct config *c, struct err_message *m);

#endif
