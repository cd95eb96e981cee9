/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A thread that writes to files, so that the control thread never waits for a disk. Records go in by copy and come out
 * in their order, all that wait at once; what there is no room for is refused, and its owner counts it.
 */
#ifndef FLOODGATE_SPOOL_H
#define FLOODGATE_SPOOL_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>

struct spool;

/* Both are called on the spool's thread. */
struct spool_ops {
    void (*record)(void *ctx, const void *data, size_t len);
    void (*flush)(void *ctx); /* after all records that waited: brings them to the disk */
};

struct spool_conf {
    const char *name; /* of the thread, at most 15 octets */
    size_t room;      /* octets of records that may wait */
    const struct spool_ops *ops;
    void *ctx;
    const cpu_set_t *cpus; /* where the thread may run; NULL: where its creator may */
};

/* NULL when memory is short or there is no thread to be had. */
struct spool *spool_create(const struct spool_conf *conf);

/* Hands all of it to `record` and `flush` first. NULL does nothing. */
void spool_free(struct spool *spool);

/* False: no room, the record is left out. Never waits for the disk. */
bool spool_put(struct spool *spool, const void *data, size_t len);

/* Waits until everything put before is recorded and flushed. */
void spool_wait(struct spool *spool);

/* Octets that its buffers take: after a burst was written, no more than SPOOL_KEPT for each of the two. */
#define SPOOL_KEPT (1u << 20)
size_t spool_memory(struct spool *spool);

#endif
