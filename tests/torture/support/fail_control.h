/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory that a process and its preloaded allocator share with who started it:
 * which allocation fails. It is a file that FAIL_CONTROL names.
 */
#ifndef REDOUBT_TESTS_TORTURE_SUPPORT_FAIL_CONTROL_H
#define REDOUBT_TESTS_TORTURE_SUPPORT_FAIL_CONTROL_H

#include <stdatomic.h>
#include <stdint.h>

#define FAIL_CONTROL "FAIL_CONTROL"

struct fail_control {
	_Atomic uint64_t calls;   /* of malloc and its kin, so far */
	_Atomic uint64_t fail_at; /* the number of the one; 0: none */
	_Atomic uint64_t failed;  /* how many did */
	_Atomic uint32_t forever; /* all behind it as well */
	uint32_t unused;
};

#endif
