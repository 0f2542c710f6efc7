/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the log's writing half share.  Nobody outside wal/
 * includes this.
 *
 *   wal.c         life: open, close, positions, questions
 *   wal_begin.c   after replay: settle the tail, first segment; base segments
 *   wal_group.c   append: batches into groups, groups into segments
 *   wal_commit.c  jobs: groups and syncs on their way to the disk
 *   wal_level.c   end of turn: when to write, sync, mark; levels
 *   wal_spare.c   segments ahead of need: spares, recycling
 *   wal_room.c    room, and what is done when the disk is full
 */
#ifndef REDOUBT_WAL_WAL_INTERNAL_H
#define REDOUBT_WAL_WAL_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "wal/wal.h"

#define WAL_PATH_MAX 4096
#define GROUP_SIZE_MAX (256u << 10) /* bytes, unless one batch is bigger */
#define IN_PLACE_MAX (1u << 20) /* bytes that the engine writes in a turn */
#define GROUPS_KEPT 4               /* buffers for reuse */
#define FIRST_SPARE_SIZE (1u << 20) /* of a first start on a slow disk */
#define MARK_DELAY_US 100000
#define SYNC_INTERVAL_US 1000000
#define SPARE_RETRY_US 1000000
#define INLINE_SYNC_US 500    /* a sync that is not quick; */
#define INLINE_SLOW_MAX 8     /* so many of RECENT_SYNCS are forgiven, */
#define STALL_SYNC_US 5000    /* one like this is not, */
#define QUICK_RUN 8           /* until so many in a row are quick */
#define SLOW_WRITE_US 1000
#define RECENT_SYNCS 64
#define SPARES_MAX 4
#define PAYLOAD_POINTS_MAX 256

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* A segment that is written to. */
struct wal_segment {
	struct segment_identity identity;
	int file;
	bool durable_writes; /* opened so that a write is a sync */
	bool synced_early;   /* the sync ahead of its roll was asked for */
	uint64_t first_lsn;
	uint64_t next_offset; /* of the next group that is closed */
	/* Of the groups encoded so far. */
	uint64_t last_lsn;
	uint64_t chain;
	uint64_t record_count;
	uint64_t payload_size;
};

/* What is written together. Each frame of data starts with a place of
 * FRAME_HEADER_SIZE bytes that holds a struct frame_header until the group is
 * encoded. */
struct wal_group {
	struct wal_group *next;
	struct wal_segment *segment;
	struct wal_segment *rolls_from; /* sealed first; NULL: no roll */
	uint8_t *data;                  /* aligned for direct I/O */
	size_t capacity;                /* bytes of data */
	size_t size;                    /* bytes in use; padded when closed */
	uint64_t offset;                /* in the segment */
	uint64_t first_lsn;
	uint64_t last_lsn;    /* first_lsn - 1: no records */
	uint64_t last_ms;     /* time of its last batch */
	uint64_t payload;     /* bytes of batches */
	uint64_t payload_end; /* wal->payload when it was closed */
	uint64_t opened_us;
	size_t frame_at; /* place of the frame being filled */
	uint16_t flags;  /* of its first frame */
};

struct wal_step {
	struct wal_segment *segment;
	const void *data; /* NULL: sync the file */
	size_t size;
	uint64_t offset;
};

/* Steps done in order, by whoever; the first error ends it. */
struct wal_job {
	struct wal_job *next;
	struct wal_step steps[6];
	unsigned step_count;
	struct wal_group *group; /* NULL: a sync */
	uint64_t stamp_lsn;      /* durable LSN in its frames */
	/* A sync: what it makes durable. */
	uint64_t lsn;
	uint64_t payload;
	uint64_t group_count;
	uint64_t started_us;
	/* The outcome. */
	int error; /* 0 or a negative errno */
	unsigned failed_step;
	uint64_t us;
	bool busy; /* submitted, not yet taken back */
};

/* How jobs get done. Two kinds: in place, and by the log thread. */
struct wal_commit_ops {
	void (*submit)(struct wal *w, struct wal_job *job);
	/* A finished job or NULL; wait: blocks until there is one. */
	struct wal_job *(*poll)(struct wal *w, bool wait);
};

/* Tells the engine that a job is finished. Outlives w if it is still queued
 * when w is freed. */
struct wal_wakeup {
	struct completion completion;
	struct wal *wal; /* NULL: w is gone; the engine thread's */
	atomic_bool posted;
};

struct wal_committer {
	pthread_t thread;
	bool running;
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_cond_t done;
	/* Under lock. */
	struct wal_job *queue;
	struct wal_job *finished;
	bool stop;
	/* Read without it: there is something in finished. */
	atomic_bool any_finished;
	struct wal_wakeup *wakeup;
};

/* A file made ahead: durable, empty, and with a name. */
struct wal_spare {
	uint64_t sequence;
	uint64_t salt;
	uint64_t size;
};

/* A sealed segment. */
struct wal_sealed {
	uint64_t sequence;
	uint64_t last_lsn;
	uint64_t size; /* of the file, by its identity */
	uint32_t align;
	bool damaged; /* never used again */
};

struct wal_sealed_list {
	struct wal_sealed *at; /* ascending */
	size_t count;
	size_t capacity;
};

enum spare_need { SPARE_NOT_YET, SPARE_SOON, SPARE_NOW };

struct wal_spares {
	pthread_t thread;
	bool running;
	pthread_mutex_t numbering; /* held while a spare gets its name; taken
				      before lock */
	pthread_mutex_t lock;
	pthread_cond_t work;
	/* Under lock. */
	struct wal_spare ready[SPARES_MAX + 2]; /* ascending */
	unsigned count;
	struct wal_sealed_list covered; /* to be recycled or removed */
	uint64_t next_sequence;
	int error; /* negative errno of the last try, 0: went well */
	uint64_t error_us;
	int dir_error; /* a sync of the directory failed: final */
	bool stop;
	/* By how full the segment in use is. */
	_Atomic enum spare_need need;
	/* The last group was written in place, for one client alone. */
	atomic_bool alone;
	/* When the last group was written: nobody is disturbed later. */
	_Atomic uint64_t last_group_us;
	/* The engine should look at room again. */
	atomic_bool changed;
	/* No segment is in use: a small one will do (wal_room.c). */
	atomic_bool stalled;
};

/* payload as it was when last_lsn was lsn. */
struct payload_point {
	uint64_t lsn;
	uint64_t payload;
};

struct wal {
	/* What wal_append touches. */
	struct wal_position at;
	enum wal_level level;
	bool failed;
	struct wal_group *open;
	size_t group_max; /* bytes of frames in a group of many batches */
	uint64_t payload; /* bytes of batches appended since the start */
	uint64_t origin_generation;
	struct origin_dictionary *origins;
	uint64_t now_us; /* of this turn */

	/* What wal_room and wal_congested touch. */
	uint64_t room_all;  /* bytes, the reserve included */
	uint64_t room_kept; /* what is left of it for commands that add */
	uint64_t written_payload;
	uint64_t durable_payload;
	uint64_t pending_max;

	/* When the disk is full: wal_room.c. */
	int shortage;    /* negative errno of the last try for a spare */
	bool whole_spare; /* one that is not small is ready */
	bool said_short; /* in the server's log */
	bool stalled_base;
	uint64_t stalled_again_us; /* next try, if not even prepared */
	uint64_t small_again_us;   /* next try for a small one */

	struct io *io;
	struct wal_options options;
	char *dir;
	char *log_dir;
	uint64_t segment_size;
	uint32_t align;
	struct store_id store;
	uint64_t content_seed;
	struct wal_known known;
	struct wal_recovery recovery;
	struct epoch_history history;
	bool begun;
	bool settled; /* the recovered tail is sealed */
	uint64_t settled_chain; /* behind that seal */

	struct wal_segment *segment;         /* of the newest group */
	struct wal_segment *written_segment; /* of the last group written */
	struct wal_group *queue;             /* closed, not submitted */
	struct wal_group **queue_end;
	struct wal_group *unused; /* for reuse */
	struct wal_sealed_list sealed;
	uint8_t *roll_blocks; /* seal and use, align bytes each */

	struct wal_committer committer;
	struct wal_job write_job;
	struct wal_job sync_job;
	uint64_t group_count;  /* written */
	uint64_t synced_count; /* of these, durable */
	uint64_t marked_lsn;   /* highest durable mark written, or given up */
	uint64_t sync_target;  /* sync until durable_lsn is there; 0: none */
	uint64_t last_group_us;
	uint64_t last_sync_us;  /* start of it */
	uint64_t last_write_us; /* how long it took */
	uint64_t recent_us[RECENT_SYNCS];
	unsigned recent_slow; /* of these, not quick */
	unsigned quick_run;   /* quick ones in a row, till now */
	bool disk_quick;      /* by these: a commit may be in place */
	uint64_t unsynced_us; /* when the oldest of it came; 0: none */

	struct wal_spares spares;

	uint64_t retain_lsn;
	uint64_t newest_snapshot_lsn;
	uint64_t snapshot_payload;  /* payload when that LSN was the last */
	uint64_t recovered_payload; /* in the log above it at the start */
	struct payload_point points[PAYLOAD_POINTS_MAX];
	unsigned point_count;
	uint64_t point_interval;

	struct wal_stats stats;
};

static inline uint64_t align_up(uint64_t n, uint64_t align)
{
	return (n + align - 1) & ~(align - 1);
}

/* wal.c */

/* Says it, calls options.fatal, and lets nothing more happen. s may be NULL;
 * what: "write of". */
void wal_fail(struct wal *w, const struct wal_segment *s, const char *what,
	      uint64_t offset, int error);
/* dir/log/name into out. */
void wal_path(const struct wal *w, char out[WAL_PATH_MAX], const char *name);
void wal_segment_path(const struct wal *w, char out[WAL_PATH_MAX],
		      uint64_t sequence);
void sealed_add(struct wal_sealed_list *l, const struct wal_sealed *s);

/* wal_begin.c */

/* Settles the recovered tail if that is still to do, and starts a segment
 * behind it; base: nothing before belongs to it. ERR_FULL: the disk has no
 * place for one; what can be settled is. */
int wal_first_segment(struct wal *w, bool base, struct err_message *m);
/* Puts s, which follows what is settled, into use; frees it if that fails. */
int wal_use_segment(struct wal *w, struct wal_segment *s, bool base,
		    struct err_message *m);
/* The threads that are not running yet, if there are to be any. */
int helpers_start(struct wal *w, struct err_message *m);
/* Seals the segment being written, all of which is durable, and closes it. */
int wal_seal_segment(struct wal *w, struct err_message *m);

/* wal_group.c */

/* Opens s's file the way the level in force wants it. 0 or -errno. */
int segment_open(struct wal *w, struct wal_segment *s);
void segment_free(struct wal *w, struct wal_segment *s);
/* Makes the seal behind s's groups, which are durable when it is written, in a
 * block of align bytes. next may be NULL. Returns the chain behind it. */
uint64_t segment_put_seal(struct wal *w, struct wal_segment *s, uint8_t *block,
			  const struct wal_spare *next,
			  enum seal_reason reason);
/* Makes the use block of s and starts its chain; the LSNs before it are
 * durable when it is written. */
void segment_put_use(struct wal *w, struct wal_segment *s, uint8_t *block,
		     uint64_t chain, bool base);
/* Takes the next spare for the records behind last_lsn; at least `need` bytes
 * of groups fit. NULL after wal_fail. */
struct wal_segment *segment_take(struct wal *w, uint64_t need);
void origins_restart(struct wal *w);
void group_close(struct wal *w);
/* A group without records, to carry the durable LSN. */
void group_mark(struct wal *w);
/* The oldest closed group, or NULL. Closes the open one if there is none. */
struct wal_group *group_take(struct wal *w);
void group_encode(struct wal *w, struct wal_group *g, uint64_t durable_lsn);
void group_release(struct wal *w, struct wal_group *g);
void groups_free(struct wal *w);

/* wal_commit.c */

/* Starts the log thread if there are to be threads. 0 or -errno. */
int committer_start(struct wal *w);
/* Ends it; what it has not begun is not done. */
void committer_stop(struct wal *w);
/* Any helper thread: makes the engine call wal_poll. */
void committer_wake(struct wal *w);
/* Submits a group that nothing stands before; in place if `here`. */
void commit_group(struct wal *w, struct wal_group *g, bool here);
void commit_sync(struct wal *w, bool here);
/* Takes in what is finished; wait: at least one, if one is on its way. */
void commit_poll(struct wal *w, bool wait);
static inline bool commit_busy(const struct wal *w)
{
	return w->write_job.busy || w->sync_job.busy;
}

/* wal_level.c */

/* Writes everything appended, waiting for it. */
void level_drain(struct wal *w);
/* Submits what may go now; alone: in place if that is quick. */
void level_commit(struct wal *w, bool alone);

/* wal_spare.c */

/* Locks only; spares_release is the other end. */
void spares_init(struct wal *w);
/* Starts the thread if there are to be threads. 0 or -errno. */
int spares_start(struct wal *w);
/* Ends it, soon. */
void spares_stop(struct wal *w);
/* After spares_stop. */
void spares_release(struct wal *w);
/* Makes one now, in the engine thread; takes the place of the next one if that
 * is too small. 0 or -errno. */
int spare_make(struct wal *w, uint64_t size, bool zeros);
/* Makes the file of s, which is not ready, anew for w->align, under the same
 * name and with the same salt; s->size may grow. 0 or -errno. */
int spare_remake(struct wal *w, struct wal_spare *s);
/* Makes one for the reserve, where the disk has no place for a whole one. */
int spare_make_small(struct wal *w, bool engine);
/* Removes what a crash left under temporary names. */
void spares_clean(struct wal *w);
/* A usable one that recovery found. */
void spare_adopt(struct wal *w, const struct wal_spare *s);
/* Takes the next one that holds `need` bytes of groups; false: none does. */
bool spare_take(struct wal *w, uint64_t need, struct wal_spare *out);
/* Looks at the next one without taking it. */
bool spare_peek(struct wal *w, struct wal_spare *out);
/* Without a thread: makes and removes what is due. */
void spares_step(struct wal *w);
/* Bytes that groups can take of a segment of this size. */
uint64_t segment_capacity(uint64_t size, uint32_t align);
/* Size of a file that holds `need` bytes of groups, at least segment_size. */
uint64_t segment_size_for(const struct wal *w, uint64_t need);
/* Takes in news from the thread. */
void spares_poll(struct wal *w);

/* wal_room.c */

/* Whether this negative errno says so. */
bool disk_is_full(int error);
/* Computes room_all and room_kept. */
void room_update(struct wal *w);
/* In the server's log, when room got short or is there again. */
void room_say(struct wal *w);
/* Size of a file that holds the reserve. */
uint64_t spare_small_size(const struct wal *w);
/* Goes on without a segment until there is a spare. */
int stall_begin(struct wal *w, bool base, struct err_message *m);
/* While it is stalled: starts the segment if that can be by now. */
void stall_step(struct wal *w);

#endif
