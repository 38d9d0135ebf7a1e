/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands of steprun. Each takes its own argv (its name first), prints its own complaints and
 * returns the exit status: 0 done, 1 failed, 2 wrong usage.
 */
#ifndef STEPTRACE_RUNNER_COMMANDS_H
#define STEPTRACE_RUNNER_COMMANDS_H

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Where packs are looked up when no --packs is given. */
#define COMMANDS_DEFAULT_PACKS "packs"

int cmd_exec(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_list(int argc, char **argv);

#endif
