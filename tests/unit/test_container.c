// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <string.h>

#include "steptrace/stream/container.h"

#define ID    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define UID   "8a5e0c7c-1a0d-4f6a-9e0c-0123456789ab"
#define UID_  "8a5e0c7c_1a0d_4f6a_9e0c_0123456789ab"
#define HASH  "0123456789abcdef0123456789abcdef"

static void paths_of_runtimes(void **state)
{
	static const struct {
		const char *path, *id, *pod_uid;
	} rows[] = {
		{"/", "", ""},
		{"", "", ""},
		{"/system.slice/runner.service", "", ""},
		{"/user.slice/user-1000.slice/session-2.scope", "", ""},
		/* Docker, with cgroupfs and with systemd; inside the container as well */
		{"/docker/" ID, ID, ""},
		{"/system.slice/docker-" ID ".scope", ID, ""},
		{"/system.slice/docker-" ID ".scope/worker", ID, ""},
		/* Podman, and the process that supervises the container */
		{"/machine.slice/libpod-" ID ".scope/container", ID, ""},
		{"/machine.slice/libpod-conmon-" ID ".scope", "", ""},
		/* containerd and CRI-O under Kubernetes */
		{"/kubepods/burstable/pod" UID "/" ID, ID, UID},
		{"/kubepods/pod" UID "/" ID, ID, UID},
		{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_
		 ".slice/cri-containerd-" ID ".scope",
		 ID, UID},
		{"/kubepods.slice/kubepods-pod" UID_ ".slice/crio-" ID ".scope", ID, UID},
		{"/kubepods.slice/kubepods-pod" UID_ ".slice/crio-conmon-" ID ".scope", "", UID},
		{"/system.slice/kubepods-besteffort-pod" UID_ ".slice:cri-containerd:" ID, ID, UID},
		{"/kubepods/besteffort/pod" HASH "/" ID, ID, HASH},
		{"/kubepods.slice/kubepods-pod" UID_ ".slice", "", UID},
		/* a cluster in a container: the innermost counts */
		{"/docker/" OTHER "/kubelet/kubepods/pod" UID "/" ID, ID, UID},
		{"/docker/" OTHER "/docker/" ID, ID, ""},
		/* what only looks like it */
		{"/docker/" ID "0", "", ""},
		{"/docker/x" ID, "", ""},
		{"/docker/0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", "",
		 ""},
		{"/docker/0123456789abcdef", "", ""},
		{"/kubepods/pod" UID "0", "", ""},
		{"/kubepods/podium/pod", "", ""},
		{"/kubepods/tripod" UID, "", ""},
		{"/kubepods/pod8a5e0c7c-1a0d-4f6a-9e0c", "", ""},
		{"/kubepods/pod8a5e0c7c-1a0d-4f6a-9e0c-", "", ""},
		{"//docker//" ID "//", ID, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct container found;

		container__recognise(rows[i].path, &found);
		if (strcmp(found.id, rows[i].id) != 0 ||
		    strcmp(found.pod_uid, rows[i].pod_uid) != 0)
			fail_msg("%s: '%s', '%s'", rows[i].path, found.id, found.pod_uid);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_of_runtimes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
