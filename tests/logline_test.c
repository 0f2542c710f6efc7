/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/logline.h"

#include "tests/support/suite.h"

#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/redoubt-log-XXXXXX";
static char content[20000];

static void setup(void)
{
	close(mkstemp(path));
	log_open(path, LOG_LEVEL_NOTICE);
}

/* Reads the log file and removes it. */
static const char *take(void)
{
	FILE *f = fopen(path, "r");
	size_t size = 0;

	if (f != NULL) {
		size = fread(content, 1, sizeof(content) - 1, f);
		fclose(f);
	}
	content[size] = 0;
	unlink(path);
	return content;
}

static bool looks_like(const char *text, const char *pattern)
{
	regex_t regex;
	int err;

	ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	err = regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return err == 0;
}

START_TEST(logline__has_the_form_that_others_read)
{
	setup();
	log_set_role('M');
	log_line(LOG_LEVEL_WARNING, "Ready to %s", "accept");
	ck_assert(looks_like(take(), "^[0-9]+:M [0-9]{2} [A-Z][a-z]{2} "
				     "[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}\\."
				     "[0-9]{3} # Ready to accept\n$"));
}
END_TEST

START_TEST(logline__the_level_decides)
{
	setup();
	log_line(LOG_LEVEL_DEBUG, "one");
	log_line(LOG_LEVEL_VERBOSE, "two");
	ck_assert_str_eq(take(), "");
	log_set_level(LOG_LEVEL_DEBUG);
	ck_assert_int_eq(log_get_level(), LOG_LEVEL_DEBUG);
	log_line(LOG_LEVEL_DEBUG, "three");
	/* opened anew for each line: a rotated file comes back */
	ck_assert(looks_like(take(), " \\. three\n$"));
	log_set_level(LOG_LEVEL_NOTHING);
	log_line(LOG_LEVEL_WARNING, "four");
	ck_assert_str_eq(take(), "");
}
END_TEST

START_TEST(logline__control_bytes_are_escaped)
{
	setup();
	log_line(LOG_LEVEL_NOTICE, "a\nb\033[0m\x7f\tc \xc3\xa9");
	ck_assert(looks_like(take(), " \\* a\\\\nb\\\\x1b\\[0m\\\\x7f\\\\tc "
				     "\xc3\xa9\n$"));
}
END_TEST

START_TEST(logline__a_long_text_is_cut_not_spilled)
{
	char *text = malloc(10000);

	setup();
	memset(text, 1, 9999);
	text[9999] = 0;
	log_line(LOG_LEVEL_WARNING, "%s", text);
	take();
	ck_assert_uint_gt(strlen(content), 2047 * 4);
	ck_assert_ptr_eq(strchr(content, '\n'), content + strlen(content) - 1);
	free(text);
}
END_TEST

int main(void)
{
	return RUN_TESTS("logline", logline__has_the_form_that_others_read,
			 logline__the_level_decides,
			 logline__control_bytes_are_escaped,
			 logline__a_long_text_is_cut_not_spilled);
}
