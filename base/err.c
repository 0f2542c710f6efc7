/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

int err_set(struct err_message *m, int code, const char *format, ...)
{
	va_list args;

	if (m == NULL)
		return code;
	va_start(args, format);
	vsnprintf(m->text, sizeof(m->text), format, args);
	va_end(args);
	return code;
}

enum exit_code err_exit_code(int code)
{
	switch ((enum err)code) {
	case OK:
		return EXIT_OK;
	case ERR_CORRUPT:
	case ERR_UNFIT:
		return EXIT_CORRUPT;
	case ERR_LOCKED:
		return EXIT_LOCKED;
	case ERR_MEMORY:
		return EXIT_MEMORY;
	case ERR_CONFIG:
	case ERR_VERSION: /* a newer program is needed, not a repair */
		return EXIT_CONFIG;
	case ERR_IO:
	case ERR_FULL:
	case ERR_NOT_FOUND:
		break;
	}
	return EXIT_IO;
}
