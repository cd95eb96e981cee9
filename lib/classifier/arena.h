/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The blocks of one replica, cut from large pieces of memory that may come from one NUMA node.
 *
 * A piece is cut into units; a unit holds blocks of one size, or is part of a block that is larger than a unit's
 * share. So neighbours in use are neighbours in memory, a large set of rules lies in few large pages, and a block
 * costs what its size class says and nothing beside it. A unit without blocks can serve another size, and a piece
 * without units goes back to where it came from.
 */
#ifndef CLASSIFIER_ARENA_H
#define CLASSIFIER_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "classifier/classifier.h"

#define ARENA_LINE    64 /* octets of a cache line */
#define ARENA_CLASSES 68

struct arena_piece;

struct arena {
    struct cls_memory source;
    struct arena_piece *pieces;
    unsigned piece_count;
    struct arena_unit *partial[ARENA_CLASSES]; /* units with a free block, by class */
};

void arena_init(struct arena *arena, const struct cls_memory *source);

/* Gives back every piece; the blocks are gone. */
void arena_fini(struct arena *arena);

/* A block, contents undefined; NULL when there is no memory. It starts at a line if `size` is a number of lines. */
void *arena_alloc(struct arena *arena, size_t size);

/* A block of zeros that costs no pages until it is written to: for large tables. */
void *arena_alloc_zero(struct arena *arena, size_t size);

void arena_free(struct arena *arena, void *block);

/* What a block of that size takes; one of zeros; and this block. */
size_t arena_size(size_t size);
size_t arena_zero_size(size_t size);
size_t arena_block_size(const void *block);

#endif
