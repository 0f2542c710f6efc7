/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Server commands. https://redis.io/docs/latest/commands/?group=server
 */
#ifndef REDOUBT_ENGINE_CMD_SERVER_H
#define REDOUBT_ENGINE_CMD_SERVER_H

#include "engine/cmd.h"

/* cmd_server.c */
command_fn cmd_time, cmd_lolwut, cmd_role, cmd_replicaof, cmd_failover,
	cmd_cluster, cmd_asking, cmd_readonly, cmd_module_list;

/* cmd_save.c */
command_fn cmd_save, cmd_bgsave, cmd_bgrewriteaof, cmd_lastsave, cmd_shutdown;

/* cmd_config.c */
command_fn cmd_config_get, cmd_config_set, cmd_config_rewrite,
	cmd_config_resetstat;

/* cmd_info.c */
command_fn cmd_info;

/* cmd_memory.c */
command_fn cmd_memory_usage, cmd_memory_stats, cmd_memory_doctor,
	cmd_memory_purge, cmd_memory_malloc_stats;

/* cmd_command.c, cmd_command_docs.c */
command_fn cmd_command, cmd_command_count, cmd_command_docs, cmd_command_info,
	cmd_command_list, cmd_command_getkeys, cmd_command_getkeysandflags;

/* cmd_acl.c */
command_fn cmd_acl_whoami, cmd_acl_list, cmd_acl_users, cmd_acl_getuser,
	cmd_acl_cat, cmd_acl_setuser, cmd_acl_deluser, cmd_acl_dryrun,
	cmd_acl_genpass, cmd_acl_load, cmd_acl_save, cmd_acl_log;

/* cmd_debug.c */
command_fn cmd_debug;

#endif
