/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Server commands. https://redis.io/docs/latest/commands/?group=server
 */
#ifndef REDOUBT_ENGINE_CMD_SERVER_H
#define REDOUBT_ENGINE_CMD_SERVER_H

#include "engine/cmd.h"

/* cmd_server.c */
void cmd_time(struct cmd *c);
void cmd_lolwut(struct cmd *c);
void cmd_role(struct cmd *c);
void cmd_replicaof(struct cmd *c);
void cmd_failover(struct cmd *c);
void cmd_cluster(struct cmd *c);
void cmd_asking(struct cmd *c);
void cmd_readonly(struct cmd *c);
void cmd_module_list(struct cmd *c);

/* cmd_save.c */
void cmd_save(struct cmd *c);
void cmd_bgsave(struct cmd *c);
void cmd_bgrewriteaof(struct cmd *c);
void cmd_lastsave(struct cmd *c);
void cmd_shutdown(struct cmd *c);

/* cmd_config.c */
void cmd_config_get(struct cmd *c);
void cmd_config_set(struct cmd *c);
void cmd_config_rewrite(struct cmd *c);
void cmd_config_resetstat(struct cmd *c);

/* cmd_info.c */
void cmd_info(struct cmd *c);

/* cmd_memory.c */
void cmd_memory_usage(struct cmd *c);
void cmd_memory_stats(struct cmd *c);
void cmd_memory_doctor(struct cmd *c);
void cmd_memory_purge(struct cmd *c);
void cmd_memory_malloc_stats(struct cmd *c);

/* cmd_command.c, cmd_command_docs.c */
void cmd_command(struct cmd *c);
void cmd_command_count(struct cmd *c);
void cmd_command_docs(struct cmd *c);
void cmd_command_info(struct cmd *c);
void cmd_command_list(struct cmd *c);
void cmd_command_getkeys(struct cmd *c);
void cmd_command_getkeysandflags(struct cmd *c);

/* cmd_function.c */
void cmd_function_flush(struct cmd *c);
void cmd_function_list(struct cmd *c);

/* cmd_acl.c */
void cmd_acl_whoami(struct cmd *c);
void cmd_acl_list(struct cmd *c);
void cmd_acl_users(struct cmd *c);
void cmd_acl_getuser(struct cmd *c);
void cmd_acl_cat(struct cmd *c);
void cmd_acl_setuser(struct cmd *c);
void cmd_acl_deluser(struct cmd *c);
void cmd_acl_dryrun(struct cmd *c);
void cmd_acl_genpass(struct cmd *c);
void cmd_acl_load(struct cmd *c);
void cmd_acl_save(struct cmd *c);
void cmd_acl_log(struct cmd *c);

/* cmd_debug.c */
void cmd_debug(struct cmd *c);

#endif
