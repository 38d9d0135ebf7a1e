/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands of `steptrace`: one table in main.c, one file for each.
 *
 * A command gets its own argv (argv[0] is its name) and returns the program's exit status:
 * 0 done, 1 failed, 2 wrong usage. `inflight` also has 3.
 */
#ifndef STEPTRACE_COMMANDS_H
#define STEPTRACE_COMMANDS_H

enum { STATUS_DONE = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

int cmd_profile(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_latency(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_inflight(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_schema(int argc, char **argv);

#endif
