/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands of steprun. Each function takes its own argv (argv[0] is the command's name), prints
 * its own error messages, and returns the exit status: 0 done, 1 failed, 2 wrong usage.
 */
#ifndef STEPTRACE_RUNNER_COMMANDS_H
#define STEPTRACE_RUNNER_COMMANDS_H

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* The folder of packs when no --packs is given. */
#define COMMANDS_DEFAULT_PACKS "packs"

int cmd_exec(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_work(int argc, char **argv);
int cmd_schedule(int argc, char **argv);

#endif
