/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A thread that writes to files, so that the control thread never waits for a disk. Records go in by copy and come out
 * in their order, all that wait at once; what there is no room for is refused, and its owner counts it.
 */
#ifndef FLOODGATE_SPOOL_H
#define FLOODGATE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>

struct spool;

/* Both are called on the spool's thread. */
struct spool_ops {
    void (*record)(void *ctx, const void *data, size_t len);
    void (*flush)(void *ctx); /* after all records that waited: brings them to the disk */
};

/* `room`: octets of records that may wait. NULL when memory is short or there is no thread to be had. */
struct spool *spool_create(size_t room, const struct spool_ops *ops, void *ctx);

/* Hands all of it to `record` and `flush` first. NULL does nothing. */
void spool_free(struct spool *spool);

/* False: no room, the record is left out. Never waits for the disk. */
bool spool_put(struct spool *spool, const void *data, size_t len);

/* Waits until everything put before is recorded and flushed. */
void spool_wait(struct spool *spool);

#endif
