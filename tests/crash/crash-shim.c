/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A library for LD_PRELOAD that kills its process by SIGKILL at a chosen change of
   the mail, as a power switch would: for tests/integration/test-crash.py.

   CRASH_CONTROL in the environment names a file, see struct control. In processes
   whose program has its name, each system call that changes something below its
   folder is counted, and the process dies before (or, with torn, in the middle of)
   the one whose number is target. Nothing else is changed, and nothing happens in
   other programs. The product knows nothing of it, and what lib-storage does on the
   product's behalf is covered as well.

   fsync() isn't counted: to those who come after a process that was killed, it makes
   no difference. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

/* It's shared by all processes, little-endian as whoever reads it expects. */
struct control {
	/* 0: not counted; a number: die at that one; -1: count only */
	int64_t target;
	int64_t count;
	/* die in the middle of writing more than a page: the kernel looks for
	   signals between pages */
	int64_t torn;
	char program[32];
	char folder[256];
	/* what it was that the process died of */
	char last[320];
};

#define PAGE 4096
#define HALF(size) (((size) / 2 + PAGE - 1) / PAGE * PAGE)

static struct control *control;

static void __attribute__((constructor)) shim_init(void)
{
	const char *path = getenv("CRASH_CONTROL");
	struct control *map;
	int fd;

	if (path == NULL)
		return;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd == -1)
		return;
	map = mmap(NULL, sizeof(*map), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   0);
	close(fd);
	if (map != MAP_FAILED &&
	    strcmp(map->program, program_invocation_short_name) == 0)
		control = map;
}

static void *shim_next(const char *name)
{
	void *func = dlsym(RTLD_NEXT, name);

	if (func == NULL)
		abort();
	return func;
}
#define NEXT(name) ((__typeof__(&name))shim_next(#name))

/* Returns TRUE if the process is to die in the middle of it, which it can; dies before
   it otherwise if it's time. */
static bool shim_count(const char *call, const char *path, size_t size)
{
	bool torn;

	char text[sizeof(control->last)] = "";

	if (control == NULL || control->target == 0 || path == NULL ||
	    strncmp(path, control->folder, strlen(control->folder)) != 0)
		return false;
	if (__sync_add_and_fetch(&control->count, 1) != control->target)
		return false;
	torn = control->torn != 0 && size > PAGE;
	/* not by snprintf() into shared memory, which others read */
	snprintf(text, sizeof(text), "%s%s %s%s", torn ? "half a " : "", call,
		 path, size > PAGE && !torn ? " (by halves, too)" : "");
	memcpy(control->last, text, sizeof(text));
	if (torn)
		return true;
	kill(getpid(), SIGKILL);
	return false;
}

static bool shim_count_fd(const char *call, int fd, size_t size)
{
	char link[64], path[512];
	ssize_t len;
	int saved_errno = errno;
	bool torn = false;

	if (control != NULL && control->target != 0) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		len = readlink(link, path, sizeof(path) - 1);
		if (len > 0) {
			path[len] = '\0';
			torn = shim_count(call, path, size);
		}
	}
	errno = saved_errno;
	return torn;
}

static void shim_die(void)
{
	kill(getpid(), SIGKILL);
}

/* --- writing ------------------------------------------------------------------- */

ssize_t write(int fd, const void *data, size_t size)
{
	if (shim_count_fd("write", fd, size)) {
		(void)!NEXT(write)(fd, data, HALF(size));
		shim_die();
	}
	return NEXT(write)(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	if (shim_count_fd("pwrite", fd, size)) {
		(void)!NEXT(pwrite)(fd, data, HALF(size), offset);
		shim_die();
	}
	return NEXT(pwrite)(fd, data, size, offset);
}

ssize_t writev(int fd, const struct iovec *iov, int count)
{
	size_t size = 0;
	int i;

	for (i = 0; i < count; i++)
		size += iov[i].iov_len;
	if (shim_count_fd("writev", fd, count > 1 ? size : 0)) {
		(void)!NEXT(writev)(fd, iov, count / 2);
		shim_die();
	}
	return NEXT(writev)(fd, iov, count);
}

ssize_t sendfile(int out, int in, off_t *offset, size_t size)
{
	if (shim_count_fd("sendfile", out, size)) {
		(void)!NEXT(sendfile)(out, in, offset, HALF(size));
		shim_die();
	}
	return NEXT(sendfile)(out, in, offset, size);
}

#define SHIM_FD(name, call, args, ...) \
	int name args \
	{ \
		(void)shim_count_fd(call, fd, 0); \
		return NEXT(name)(__VA_ARGS__); \
	}
SHIM_FD(ftruncate, "ftruncate", (int fd, off_t size), fd, size)
SHIM_FD(fallocate, "fallocate", (int fd, int mode, off_t from, off_t size),
	fd, mode, from, size)
SHIM_FD(posix_fallocate, "fallocate", (int fd, off_t from, off_t size),
	fd, from, size)

/* --- names -------------------------------------------------------------------- */

#define SHIM_PATH(name, path, args, ...) \
	int name args \
	{ \
		(void)shim_count(#name, path, 0); \
		return NEXT(name)(__VA_ARGS__); \
	}
SHIM_PATH(rename, to, (const char *from, const char *to), from, to)
SHIM_PATH(link, to, (const char *from, const char *to), from, to)
SHIM_PATH(symlink, to, (const char *from, const char *to), from, to)
SHIM_PATH(unlink, path, (const char *path), path)
SHIM_PATH(rmdir, path, (const char *path), path)
SHIM_PATH(mkdir, path, (const char *path, mode_t mode), path, mode)
SHIM_PATH(truncate, path, (const char *path, off_t size), path, size)

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	if ((flags & (O_CREAT | O_TRUNC)) != 0)
		(void)shim_count("open", path, 0);
	return NEXT(open)(path, flags, mode);
}
