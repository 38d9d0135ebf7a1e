/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recognises containers by the paths of their cgroups, as container runtimes and Kubernetes make
 * them:
 *
 *	/docker/ID					/system.slice/docker-ID.scope
 *	/machine.slice/libpod-ID.scope/container	/kubepods/burstable/podUID/ID
 *	/kubepods.slice/kubepods-podUID.slice/cri-containerd-ID.scope
 *
 * An id of a container has 64 hexadecimal digits. If containers are nested, the innermost counts.
 * A pod's UID is a UUID, in which systemd has '_' for '-', or 32 hexadecimal digits (a static pod).
 */
#ifndef STEPTRACE_CONTAINER_H
#define STEPTRACE_CONTAINER_H

enum { CONTAINER_ID_DIGITS = 64, POD_UID_CHARACTERS = 36 };

struct container {
	char id[CONTAINER_ID_DIGITS + 1];     /* "": not recognised */
	char pod_uid[POD_UID_CHARACTERS + 1]; /* with '-'; "": not recognised */
};

void container__recognise(const char *cgroup_path, struct container *container);

#endif
