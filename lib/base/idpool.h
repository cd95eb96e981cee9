/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stable small numbers: ids from 1 to `capacity`, each held by one owner at a time. 0 is never given out.
 * A freed id is reused last (first in, first out), so that a late reader of an old id seldom meets a new owner.
 * Not thread-safe: one owner thread.
 */
#ifndef BASE_IDPOOL_H
#define BASE_IDPOOL_H

#include <stdint.h>

#define ID_NONE 0u

struct idpool;

/* NULL when memory is short. Takes 4 octets per id that was ever handed out at the same time. */
struct idpool *idpool_create(uint32_t capacity);
void idpool_free(struct idpool *pool);

/* An unused id, or ID_NONE when `capacity` ids are out or memory is short. */
uint32_t idpool_take(struct idpool *pool);

/* Gives an id back. It must have been taken and not given back since. */
void idpool_give(struct idpool *pool, uint32_t id);

/* Ids that are out now. */
uint32_t idpool_used(const struct idpool *pool);

#endif
