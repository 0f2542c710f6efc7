#include "tests/torture/support/crash_log.h"
static void none(struct crash_run *r)
{
	(void)r;
}
const struct crash_ops crash_damage_ops = { .name = "damage", .trace = none };
