// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/pseudonym_key.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_file(int fd, const char *path, struct error *err)
{
	struct stat status;

	if (fstat(fd, &status))
		return error__set(err, -errno, "cannot read the key '%s': %s", path,
				  strerror(errno));
	if (!S_ISREG(status.st_mode))
		return error__set(err, -EINVAL, "the key '%s' is not a regular file", path);
	if (status.st_mode & 077)
		return error__set(
			err, -EPERM,
			"other users may read the key '%s' (only its owner may: chmod 600 %s)",
			path, path);
	if (status.st_size < PSEUDONYM_KEY_MIN_BYTES || status.st_size > PSEUDONYM_KEY_MAX_BYTES)
		return error__set(err, -EINVAL,
				  "the key '%s' has %lld bytes; %d to %d are a key (for example: "
				  "head -c 32 /dev/urandom)",
				  path, (long long)status.st_size, PSEUDONYM_KEY_MIN_BYTES,
				  PSEUDONYM_KEY_MAX_BYTES);
	return 0;
}

static int read_file(int fd, const char *path, struct pseudonym_key *key, struct error *err)
{
	int code = check_file(fd, path, err);
	ssize_t count;

	if (code)
		return code;
	count = read(fd, key->bytes, sizeof(key->bytes));
	if (count < PSEUDONYM_KEY_MIN_BYTES)
		return error__set(err, -EIO, "cannot read the key '%s'", path);
	key->count = (size_t)count;
	return 0;
}

int pseudonym_key__read(const char *path, struct pseudonym_key *key, struct error *err)
{
	int fd, code;

	key->count = 0;
	if (!path)
		return 0;
	/* O_NONBLOCK: the open of a FIFO would wait for its writer. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error__set(err, -errno, "cannot read the key '%s': %s", path,
				  strerror(errno));
	code = read_file(fd, path, key, err);
	close(fd);
	return code;
}

void pseudonym_key__wipe(struct pseudonym_key *key)
{
	explicit_bzero(key, sizeof(*key));
}
