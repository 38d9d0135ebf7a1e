// SPDX-License-Identifier: BSD-2-Clause
/* The child that reads files: what it may do, and what happens when it is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/process_maps.h"
#include "skipping.h"
#include "steptrace/symbols/helper.h"
#include "steptrace/symbols/modules.h"

static void start(struct helper *helper)
{
	struct error err = {""};

	if (helper__start(helper, &err))
		fail_msg("%s", err.text);
}

/* A line of /proc/PID/status; "" if the process has gone. */
static void status_line(pid_t pid, const char *name, char line[256])
{
	char path[64];
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "r");
	line[0] = 0;
	if (!status)
		return;
	while (fgets(line, 256, status) && strncmp(line, name, strlen(name)) != 0)
		continue;
	fclose(status);
	line[strcspn(line, "\n")] = 0;
}

static bool is_child_of(const char *pid, pid_t parent)
{
	char line[256];
	int found = 0;

	if (atol(pid) <= 0 || kill((pid_t)atol(pid), 0))
		return false;
	status_line((pid_t)atol(pid), "PPid:", line);
	return sscanf(line, "PPid: %d", &found) == 1 && found == parent;
}

static pid_t reader_of(const struct helper *helper)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	while (!found && (entry = readdir(processes)))
		if (is_child_of(entry->d_name, helper->keeper))
			found = (pid_t)atol(entry->d_name);
	closedir(processes);
	assert_true(found > 0);
	return found;
}

/* Asks for something that needs no file. */
static int ask(struct helper *helper, const struct helper_answer **answer)
{
	const struct helper_question question = {
		.kind = HELPER_RULE, .file = 1, .places_count = 1, .places = {0x1000}};

	return helper__ask(helper, &question, -1, answer);
}

static int give_own_program(struct helper *helper, const struct helper_answer **answer)
{
	const struct helper_question question = {.kind = HELPER_FILE, .file = 1};
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), code;

	assert_true(fd >= 0);
	code = helper__ask(helper, &question, fd, answer);
	close(fd);
	return code;
}

static void it_has_no_rights(void **state)
{
	const struct helper_answer *answer;
	struct helper helper;
	char line[256];
	pid_t reader;

	(void)state;
	start(&helper);
	assert_int_equal(ask(&helper, &answer), 0); /* it is confined by now */
	reader = reader_of(&helper);
	for (int i = 0; i < 2; i++) {
		pid_t pid = i ? reader : helper.keeper;

		status_line(pid, "CapPrm:", line);
		assert_string_equal(line, "CapPrm:\t0000000000000000");
		status_line(pid, "CapEff:", line);
		assert_string_equal(line, "CapEff:\t0000000000000000");
		status_line(pid, "NoNewPrivs:", line);
		assert_string_equal(line, "NoNewPrivs:\t1");
		if (geteuid() == 0) {
			status_line(pid, "Uid:", line);
			assert_null(strstr(line, "\t0"));
		}
	}
#if !defined(__SANITIZE_ADDRESS__)
	status_line(reader, "Seccomp:", line);
	assert_string_equal(line, "Seccomp:\t2");
#endif
	helper__close(&helper);
}

/* As libbpf maps the variables of its programs. NULL: it is not permitted. */
static void *map_bpf_array(size_t bytes)
{
	union bpf_attr attr;
	void *array;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = 4;
	attr.value_size = (uint32_t)bytes;
	attr.max_entries = 1;
	attr.map_flags = BPF_F_MMAPABLE;
	fd = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	if (fd < 0)
		return NULL;
	array = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return array == MAP_FAILED ? NULL : array;
}

static bool shares_bpf_map(pid_t pid)
{
	struct process_mapping mapping;
	struct process_maps maps;
	bool found = false;

	assert_int_equal(process_maps__open(&maps, pid), 0);
	while (!found && process_maps__next(&maps, &mapping))
		found = strstr(mapping.untrusted_path, "bpf-map") != NULL;
	process_maps__close(&maps);
	return found;
}

/* A reader that could write to them would tell the tracer's programs what to do. */
static void it_has_no_bpf_maps(void **state)
{
	const struct helper_answer *answer;
	void *array = map_bpf_array(4096);
	struct helper helper;

	(void)state;
	if (!array)
		skip_because("this user may not make BPF maps");
	assert_true(shares_bpf_map(0));
	start(&helper);
	assert_int_equal(ask(&helper, &answer), 0);
	assert_false(shares_bpf_map(helper.keeper));
	assert_false(shares_bpf_map(reader_of(&helper)));
	helper__close(&helper);
	munmap(array, 4096);
}

static void a_question_about_no_file(void **state)
{
	const struct helper_answer *answer;
	struct helper helper;

	(void)state;
	start(&helper);
	assert_int_equal(ask(&helper, &answer), 0);
	assert_int_equal(answer->code, -ENOENT);
	assert_int_equal(helper.lost, 0);
	helper__close(&helper);
}

static void the_next_one_knows_nothing(void **state)
{
	const struct helper_answer *answer;
	struct helper helper;

	(void)state;
	start(&helper);
	assert_int_equal(give_own_program(&helper, &answer), 0);
	assert_int_equal(answer->code, 0);
	assert_int_equal(ask(&helper, &answer), 0);
	assert_int_equal(answer->code, 0);
	assert_int_equal(helper.generation, 1);
	kill(reader_of(&helper), SIGKILL);
	assert_int_equal(ask(&helper, &answer), -EPIPE);
	assert_int_equal(helper.lost, 1);
	assert_int_equal(ask(&helper, &answer), 0);
	assert_int_equal(answer->code, -ENOENT);
	assert_int_equal(helper.generation, 2);
	assert_int_equal(give_own_program(&helper, &answer), 0);
	assert_int_equal(answer->code, 0);
	helper__close(&helper);
}

static void one_that_does_not_answer(void **state)
{
	const struct helper_answer *answer;
	struct helper helper;
	pid_t reader;

	(void)state;
	start(&helper);
	helper.patience_ms = 10;
	reader = reader_of(&helper);
	kill(reader, SIGSTOP);
	assert_int_equal(ask(&helper, &answer), -EPIPE);
	assert_int_equal(helper.lost, 1);
	helper.patience_ms = HELPER_PATIENCE_MS;
	assert_int_equal(ask(&helper, &answer), 0);
	/* the keeper has ended it, and waited for that, before it forked the next one */
	assert_int_equal(kill(reader, 0), -1);
	assert_int_equal(errno, ESRCH);
	helper__close(&helper);
}

/* It is found before a question is asked, so that no file is to blame. */
static void one_that_has_ended(void **state)
{
	const struct helper_answer *answer;
	struct helper helper;

	(void)state;
	start(&helper);
	kill(reader_of(&helper), SIGKILL);
	while (helper.generation == 1) {
		assert_true(helper__is_ready(&helper));
		sched_yield();
	}
	assert_int_equal(helper.lost, 1);
	assert_int_equal(ask(&helper, &answer), 0);
	helper__close(&helper);
}

static void not_endlessly(void **state)
{
	const struct helper_answer *answer;
	struct helper helper;

	(void)state;
	start(&helper);
	for (int i = 0; i < HELPER_LOST_MAX; i++) {
		assert_true(helper__is_ready(&helper));
		kill(reader_of(&helper), SIGKILL);
		assert_int_equal(ask(&helper, &answer), -EPIPE);
	}
	assert_false(helper__is_ready(&helper));
	assert_int_equal(ask(&helper, &answer), -EPIPE);
	assert_int_equal(helper.lost, HELPER_LOST_MAX);
	helper__close(&helper);
}

/* The keeper: waiting for it again and again would stop the tracer. */
static void a_keeper_that_does_not_answer(void **state)
{
	const struct helper_answer *answer;
	struct helper helper;

	(void)state;
	start(&helper);
	helper.patience_ms = 10;
	kill(reader_of(&helper), SIGKILL);
	assert_int_equal(ask(&helper, &answer), -EPIPE);
	assert_int_equal(helper.lost, 1);
	kill(helper.keeper, SIGSTOP);
	assert_false(helper__is_ready(&helper));
	assert_int_equal(helper.keeper_fd, -1);
	assert_int_equal(helper.lost, 2);
	assert_false(helper__is_ready(&helper));
	assert_int_equal(helper.lost, 2);
	helper__close(&helper);
}

/* ---- modules */

static void add_own_program(struct modules *modules, struct helper *helper, uint32_t number)
{
	struct symbols_troubles troubles = {0};

	assert_int_equal(modules__add(modules, MODULE_FILE, "self", NULL), number);
	modules__at(modules, number)->fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_true(modules__give(modules, number, helper, NULL, &troubles));
}

/* A rule of the module, or what came instead. */
static int ask_module(struct modules *modules, struct helper *helper, uint32_t number)
{
	const struct helper_question question = {
		.kind = HELPER_RULE, .file = number, .places_count = 1, .places = {0x1000}};
	const struct helper_answer *answer;

	return modules__ask(modules, helper, &question, -1, &answer);
}

/* Each answer is given in time, but there is no end of them. */
static void the_time_of_a_module(void **state)
{
	struct symbols_troubles troubles = {0};
	struct modules modules = {0};
	struct helper helper;

	(void)state;
	start(&helper);
	add_own_program(&modules, &helper, 1);
	add_own_program(&modules, &helper, 2);
	assert_true(modules__at(&modules, 1)->spent_ns > 0);
	assert_true(modules.spent_ns >=
		    modules__at(&modules, 1)->spent_ns + modules__at(&modules, 2)->spent_ns);
	modules__at(&modules, 1)->spent_ns = MODULE_TIME_NS - 1;
	assert_int_equal(modules.slow_count, 0);
	ask_module(&modules, &helper, 1);
	assert_int_equal(modules.slow_count, 1);
	modules__renew_time(&modules);
	assert_int_equal(ask_module(&modules, &helper, 1), -EPIPE);
	assert_false(modules__give(&modules, 1, &helper, NULL, &troubles));
	assert_int_equal(ask_module(&modules, &helper, 2), 0);
	assert_int_equal(modules.slow_count, 1);
	modules__free(&modules);
	helper__close(&helper);
}

/* The last answer may take what is left, not 5 s. */
static void the_rest_of_the_time(void **state)
{
	struct modules modules = {0};
	struct helper helper;

	(void)state;
	start(&helper);
	helper.patience_ms = INT_MAX;
	add_own_program(&modules, &helper, 1);
	modules__at(&modules, 1)->spent_ns = MODULE_TIME_NS - 1000000;
	kill(reader_of(&helper), SIGSTOP);
	assert_int_equal(ask_module(&modules, &helper, 1), -EPIPE);
	assert_int_equal(modules.slow_count, 1);
	assert_int_equal(helper.lost, 1);
	modules__free(&modules);
	helper__close(&helper);
}

/* No module is to blame: each is asked again when there is time again. */
static void the_time_of_all_modules(void **state)
{
	struct symbols_troubles troubles = {0};
	struct modules modules = {0};
	struct helper helper;

	(void)state;
	start(&helper);
	add_own_program(&modules, &helper, 1);
	modules.spent_ns = MODULES_TIME_NS;
	assert_false(modules.was_stopped);
	assert_int_equal(ask_module(&modules, &helper, 1), -ETIME);
	assert_true(modules.was_stopped);
	modules__at(&modules, 1)->generation = 0;
	assert_false(modules__give(&modules, 1, &helper, NULL, &troubles));
	assert_int_equal(troubles.files_unread, 0);
	modules__renew_time(&modules);
	assert_true(modules__give(&modules, 1, &helper, NULL, &troubles));
	assert_int_equal(ask_module(&modules, &helper, 1), 0);
	modules__free(&modules);
	helper__close(&helper);
}

/* Whatever the reader was lost for, the file may be the reason. */
static void a_file_over_which_one_was_lost(void **state)
{
	struct symbols_troubles troubles = {0};
	struct modules modules = {0};
	struct helper helper;

	(void)state;
	start(&helper);
	for (uint32_t i = 1; i <= 2; i++)
		add_own_program(&modules, &helper, i);
	kill(reader_of(&helper), SIGKILL);
	assert_int_equal(ask_module(&modules, &helper, 1), -EPIPE);
	assert_false(modules__give(&modules, 1, &helper, NULL, &troubles));
	assert_true(modules__give(&modules, 2, &helper, NULL, &troubles));
	assert_int_equal(modules__at(&modules, 2)->generation, 2);
	modules__free(&modules);
	helper__close(&helper);
}

/* Plays a reader that the files have taken over. */
static void require_lost(const void *bytes, size_t size_bytes)
{
	const struct helper_answer *answer;
	struct helper helper;
	int sockets[2];

	start(&helper);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), 0);
	close(helper.reader_fd);
	helper.reader_fd = sockets[0];
	assert_int_equal(send(sockets[1], bytes, size_bytes, 0), size_bytes);
	assert_int_equal(ask(&helper, &answer), -EPIPE);
	assert_int_equal(helper.lost, 1);
	close(sockets[1]);
	helper__close(&helper);
}

static void answers_that_make_no_sense(void **state)
{
	static struct helper_answer answer;
	const size_t whole = helper_answer__bytes(HELPER_RULE);

	(void)state;
	answer.kind = HELPER_NAMES;
	require_lost(&answer, whole);
	answer.kind = HELPER_RULE;
	require_lost(&answer, whole - 1);
	require_lost(&answer, whole + 1);
	require_lost(&answer, 4);
	answer.code = 5;
	require_lost(&answer, whole);
	answer.code = 0;
	answer.rule.is_there = 1;
	answer.rule.cfa.how = UNWIND_IS_REGISTER;
	answer.rule.cfa.base = UNWIND_REGISTERS;
	require_lost(&answer, whole);
	answer.rule.cfa.base = 0;
	answer.rule.registers[3].how = UNWIND_HOWS_COUNT;
	require_lost(&answer, whole);
}

static void lengths_of_texts(void **state)
{
	static struct helper_answer answer = {.kind = HELPER_NAMES};
	const struct helper_question question = {.kind = HELPER_NAMES, .places_count = 2};
	const size_t head = offsetof(struct helper_answer, texts);
	uint8_t *at = helper_answer__add_text(answer.texts, "one");
	size_t bytes;

	(void)state;
	bytes = (size_t)(helper_answer__add_text(at, "") - (uint8_t *)&answer);
	assert_true(helper_answer__is_valid(&answer, bytes, &question));
	assert_false(helper_answer__is_valid(&answer, bytes - 1, &question));
	assert_false(helper_answer__is_valid(&answer, bytes + 1, &question));
	assert_false(helper_answer__is_valid(&answer, head, &question));
	memset(answer.texts, 0xff, 2);
	assert_false(helper_answer__is_valid(&answer, sizeof(answer), &question));
}

/* ---- the ends */

/* A process that has ended may still wait for its parent. */
static bool is_running(pid_t pid)
{
	char line[256] = "";

	if (kill(pid, 0))
		return false;
	status_line(pid, "State:", line);
	return line[0] && !strstr(line, "\tZ");
}

/* Tells the numbers of both children, and is killed. */
_Noreturn static void play_tracer(int out)
{
	const struct helper_answer *answer;
	struct helper helper;
	pid_t pids[2];

	start(&helper);
	if (ask(&helper, &answer))
		_exit(1);
	pids[0] = helper.keeper;
	pids[1] = reader_of(&helper);
	if (write(out, pids, sizeof(pids)) != sizeof(pids))
		_exit(1);
	raise(SIGKILL);
	_exit(1);
}

static void it_ends_with_the_tracer(void **state)
{
	pid_t tracer, pids[2];
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	tracer = fork();
	if (tracer == 0)
		play_tracer(ends[1]);
	close(ends[1]);
	assert_int_equal(read(ends[0], pids, sizeof(pids)), sizeof(pids));
	waitpid(tracer, NULL, 0);
	for (int i = 0; i < 2; i++)
		while (is_running(pids[i]))
			usleep(1000);
	close(ends[0]);
}

static void closing_ends_the_keeper(void **state)
{
	struct helper helper;
	pid_t keeper;

	(void)state;
	start(&helper);
	keeper = helper.keeper;
	kill(keeper, SIGSTOP);
	helper__close(&helper);
	assert_int_equal(waitpid(keeper, NULL, 0), -1);
	assert_int_equal(errno, ECHILD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_has_no_rights),
		cmocka_unit_test(it_has_no_bpf_maps),
		cmocka_unit_test(a_question_about_no_file),
		cmocka_unit_test(the_next_one_knows_nothing),
		cmocka_unit_test(one_that_does_not_answer),
		cmocka_unit_test(one_that_has_ended),
		cmocka_unit_test(not_endlessly),
		cmocka_unit_test(a_keeper_that_does_not_answer),
		cmocka_unit_test(the_time_of_a_module),
		cmocka_unit_test(the_rest_of_the_time),
		cmocka_unit_test(the_time_of_all_modules),
		cmocka_unit_test(a_file_over_which_one_was_lost),
		cmocka_unit_test(answers_that_make_no_sense),
		cmocka_unit_test(lengths_of_texts),
		cmocka_unit_test(it_ends_with_the_tracer),
		cmocka_unit_test(closing_ends_the_keeper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
