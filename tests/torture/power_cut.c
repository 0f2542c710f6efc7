/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Real power cuts: the server's store lies on an ext4 file system in an image
 * on tmpfs.  The file system is shut down under it without flushing its
 * journal (FS_IOC_SHUTDOWN), so that what was not synced is gone, as after a
 * power failure; then kill -9, unmount, mount again (which replays the
 * journal), restart, compare.
 *
 * always: everything acknowledged before the cut is there, and nothing that is
 * sent after it is acknowledged.  everysec and no: each connection's writes
 * survive up to some point, which is not before the window's begin (everysec)
 * nor before the last WAITAOF that said yes.  Now and then the server is given
 * time to notice: it must end by itself with exit code 74.
 *
 * Needs root, mkfs.ext4 and loop devices; says so and passes without them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/torture/support/options.h"
#include "tests/torture/support/rig.h"

#define SHUTDOWN_IOCTL _IOR('X', 125, uint32_t) /* FS_IOC_SHUTDOWN */
#define SHUTDOWN_NO_LOG_FLUSH 2
#define IMAGE_SIZE (INT64_C(256) << 20)
#define RUN_US_MAX 40000
#define LONG_RUN_US_MAX 5000000 /* everysec: longer than its window */
#define NOTICE_US 1500000
#define EXIT_IO_CODE 74

struct disk {
	char image[PATH_SIZE];
	char mounted_at[PATH_SIZE];
	bool mounted;
};

static void run_mkfs(const char *image)
{
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		execlp("mkfs.ext4", "mkfs.ext4", "-q", "-F", "-E",
		       "lazy_itable_init=1", image, (char *)NULL);
		_exit(126);
	}
	waitpid(child, &status, 0);
	if (status != 0) {
		printf("power_cut: skipped: mkfs.ext4 failed\n");
		unlink(image);
		exit(0);
	}
}

/* Attaches the image to a free loop device; fd of the device, or -1. */
static int attach(const struct disk *d, char device[PATH_SIZE])
{
	int image = open(d->image, O_RDWR | O_CLOEXEC);
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	struct loop_config config = { .fd = (uint32_t)image };
	int loop = -1;

	config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
	for (int try = 0; try < 20 && image >= 0 && control >= 0; try++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		if (number < 0)
			break;
		snprintf(device, PATH_SIZE, "/dev/loop%d", number);
		loop = open(device, O_RDWR | O_CLOEXEC);
		if (loop < 0)
			break;
		if (ioctl(loop, LOOP_CONFIGURE, &config) == 0)
			break;
		close(loop);
		loop = -1;
	}
	if (image >= 0)
		close(image);
	if (control >= 0)
		close(control);
	return loop;
}

static bool disk_mount(struct disk *d)
{
	char device[PATH_SIZE];
	int loop = attach(d, device);

	if (loop < 0)
		return false;
	d->mounted = mount(device, d->mounted_at, "ext4", 0, "") == 0;
	close(loop);
	return d->mounted;
}

static bool disk_unmount(struct disk *d)
{
	for (int try = 0; d->mounted && try < 500; try++) {
		if (umount(d->mounted_at) == 0)
			d->mounted = false;
		else if (errno == EBUSY)
			usleep(2000);
		else
			break;
	}
	return !d->mounted;
}

/* Nothing that is not on the disk yet will ever be. */
static bool disk_cut(const struct disk *d)
{
	uint32_t how = SHUTDOWN_NO_LOG_FLUSH;
	int fd = open(d->mounted_at, O_RDONLY | O_CLOEXEC);
	bool done = fd >= 0 && ioctl(fd, SHUTDOWN_IOCTL, &how) == 0;

	if (fd >= 0)
		close(fd);
	return done;
}

static void disk_open(struct disk *d, const char *dir)
{
	int fd;

	snprintf(d->image, PATH_SIZE, "/dev/shm/torture-%d.image", getpid());
	snprintf(d->mounted_at, PATH_SIZE, "%s", dir);
	fd = open(d->image, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, IMAGE_SIZE) != 0) {
		printf("power_cut: skipped: no %s: %s\n", d->image,
		       strerror(errno));
		exit(0);
	}
	close(fd);
	run_mkfs(d->image);
	if (disk_mount(d) && disk_cut(d) && disk_unmount(d) && disk_mount(d))
		return;
	printf("power_cut: skipped: cannot mount or shut down an image: %s\n",
	       strerror(errno));
	disk_unmount(d);
	unlink(d->image);
	exit(0);
}

/* The empty store's directory is there to stay. */
static void disk_sync(const struct disk *d)
{
	int fd = open(d->mounted_at, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		syncfs(fd);
		close(fd);
	}
}

static uint64_t run_us(struct rig *r)
{
	if (strcmp(r->options.level, "always") != 0 &&
	    random_below(&r->random, 40) == 0)
		return random_below(&r->random, LONG_RUN_US_MAX);
	return 1000 + random_below(&r->random, RUN_US_MAX);
}

/* With the disk dead, the server notices at its next sync, and says so. */
static bool wait_for_notice(struct rig *r)
{
	if (!rig_run_dying(r, NOTICE_US, true))
		return false;
	if (!process_ended(&r->server)) {
		/* Nothing was on its way: there was nothing to notice. */
		return true;
	}
	if (WIFEXITED(r->server.status) &&
	    WEXITSTATUS(r->server.status) == EXIT_IO_CODE)
		return true;
	fprintf(stderr, "WRONG: a dead disk must end it with code 74\n");
	process_show_log(&r->server);
	r->counts.wrong++;
	return false;
}

static bool cut_power(struct rig *r, struct disk *d)
{
	bool fine = true;

	rig_cut(r);
	if (!disk_cut(d)) {
		perror("FS_IOC_SHUTDOWN");
		return false;
	}
	if (!r->server.redis && random_below(&r->random, 20) == 0)
		fine = wait_for_notice(r);
	else
		fine = rig_run_dying(r, random_below(&r->random, 3000),
				     false);
	process_stop(&r->server, SIGKILL, 0);
	fine &= rig_drain(r);
	if (disk_unmount(d) && disk_mount(d))
		return fine;
	perror("remount");
	return false;
}

static bool run_round(struct rig *r, struct disk *d)
{
	if (!rig_start(r) || !rig_verify(r))
		return false;
	/* Now and then the power goes while nothing but recovery ran. */
	if (random_below(&r->random, 16) != 0 && !rig_run(r, run_us(r)))
		return false;
	return cut_power(r, d);
}

/* After a bad end the store is copied off the image, for a look at it. */
static void keep_or_drop(struct disk *d, const struct torture_options *o,
			 bool good)
{
	pid_t child = good || !d->mounted ? -1 : fork();

	if (child == 0) {
		char kept[PATH_SIZE];

		snprintf(kept, sizeof(kept), "%s/kept", o->dir);
		execlp("cp", "cp", "-a", d->mounted_at, kept, (char *)NULL);
		_exit(126);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
	disk_unmount(d);
	unlink(d->image);
}

int main(int argc, char **argv)
{
	struct torture_options o;
	struct rig *r = &(struct rig){ 0 };
	struct disk disk = { .mounted = false };
	uint64_t begin_us;
	bool good = true;
	char run_dir[PATH_SIZE];

	if (geteuid() != 0) {
		printf("power_cut: skipped: needs root to mount an image\n");
		return 0;
	}
	torture_parse(&o, argc, argv, "torture-power");
	snprintf(run_dir, sizeof(run_dir), "%s/mount", o.dir);
	mkdir(run_dir, 0700);
	disk_open(&disk, run_dir);
	rig_init(r, &(struct rig_options){
		.binary = o.server, .dir = run_dir, .level = o.level,
		.power = true, .seed = o.seed });
	/* What is no part of the store stays off the disk that dies. */
	snprintf(r->server.socket, PATH_SIZE, "%s/socket", o.dir);
	snprintf(r->server.log, PATH_SIZE, "%s/log", o.dir);
	begin_us = clock_us();
	disk_sync(&disk);
	while (good && (double)(clock_us() - begin_us) / 1e6 < o.seconds &&
	       (o.count == 0 || r->counts.crashes < o.count))
		good = run_round(r, &disk);
	if (good)
		good = rig_start(r) && rig_verify(r);
	process_stop(&r->server, SIGKILL, 0);
	good &= rig_report(r, "power_cut",
			   (double)(clock_us() - begin_us) / 1e6);
	keep_or_drop(&disk, &o, good);
	torture_clean(&o, good);
	rig_release(r);
	return !good;
}
