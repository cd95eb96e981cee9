/* SPDX-License-Identifier: BSD-3-Clause */
#include "classifier/arena.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PIECE     CLS_MEMORY_ALIGN
#define UNIT      65536u
#define UNITS     (PIECE / UNIT)
#define PAGE      4096u
#define SMALL_MAX 32768u /* larger blocks take whole units */

/* AddressSanitizer watches blocks of malloc and would see none of ours. */
#if defined(__SANITIZE_ADDRESS__)
#define BLOCKS_OF_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BLOCKS_OF_MALLOC 1
#endif
#endif
#ifndef BLOCKS_OF_MALLOC
#define BLOCKS_OF_MALLOC 0
#endif

struct free_block {
    struct free_block *next;
};

struct arena_unit {
    uint32_t size;  /* of its blocks, or of the one that starts here */
    uint16_t used;  /* blocks */
    uint16_t fresh; /* blocks that were never handed out: the first of the unit */
    uint8_t class;
    struct free_block *free;   /* blocks that were */
    struct arena_unit *before; /* in the list of units with a free block of this size */
    struct arena_unit *after;
};

struct arena_piece {
    struct arena_piece *before, *after;
    size_t size;
    uint32_t used; /* bit u: unit u */
    bool whole;    /* it is one block */
    struct arena_unit units[UNITS];
};

#define HEADER ((sizeof(struct arena_piece) + ARENA_LINE - 1) / ARENA_LINE * ARENA_LINE)

_Static_assert(UNITS == 32, "a bit of arena_piece.used for each");
_Static_assert(sizeof(struct free_block) <= 16, "the smallest block holds it");

/* Classes: steps of 16 octets up to 256, then lines up to 16 of them, then eight to each doubling. */
static unsigned class_of(size_t size, size_t *rounded)
{
    size_t steps = (size + 15) / 16, lines = (size + ARENA_LINE - 1) / ARENA_LINE;

    if (steps <= 16) {
        *rounded = (steps > 0 ? steps : 1) * 16;
        return (unsigned)(steps > 0 ? steps - 1 : 0);
    }
    if (lines <= 16) {
        *rounded = lines * ARENA_LINE;
        return 11 + (unsigned)lines;
    }
    unsigned doubling = 63 - (unsigned)__builtin_clzll(lines - 1); /* 4: lines 17 to 32 */
    size_t step = (size_t)1 << (doubling - 3), eighth = (lines - 1 - ((size_t)1 << doubling)) / step;
    *rounded = (((size_t)1 << doubling) + (eighth + 1) * step) * ARENA_LINE;
    return 28 + (doubling - 4) * 8 + (unsigned)eighth;
}

static struct arena_piece *piece_of(const void *block)
{
    return (struct arena_piece *)((uintptr_t)block & ~((uintptr_t)PIECE - 1));
}

static struct arena_unit *unit_of(const void *block)
{
    return &piece_of(block)->units[((uintptr_t)block & (PIECE - 1)) / UNIT];
}

/* The first octet of a unit that blocks may use: the piece's header lies in its first unit. */
static char *unit_start(struct arena_unit *unit)
{
    struct arena_piece *piece = piece_of(unit);
    size_t number = (size_t)(unit - piece->units);

    return (char *)piece + number * UNIT + (number == 0 ? HEADER : 0);
}

static unsigned unit_capacity(struct arena_unit *unit, size_t size)
{
    return (unsigned)((UNIT - (unit == piece_of(unit)->units ? HEADER : 0)) / size);
}

/* What a piece for one block of that size takes. */
static size_t piece_size(size_t size)
{
    return (HEADER + size + PAGE - 1) / PAGE * PAGE;
}

static void list_add(struct arena *arena, struct arena_unit *unit)
{
    struct arena_unit **head = &arena->partial[unit->class];

    unit->before = NULL;
    unit->after = *head;
    if (*head != NULL)
        (*head)->before = unit;
    *head = unit;
}

static void list_drop(struct arena *arena, struct arena_unit *unit)
{
    if (unit->before != NULL)
        unit->before->after = unit->after;
    else
        arena->partial[unit->class] = unit->after;
    if (unit->after != NULL)
        unit->after->before = unit->before;
}

static struct arena_piece *piece_take(struct arena *arena, size_t size)
{
    struct arena_piece *piece = arena->source.take(arena->source.ctx, size);

    if (piece == NULL)
        return NULL;
    /* a page of 2 MiB spares a large set its TLB misses; a small one should not pay for it */
    if (arena->piece_count > 0)
        madvise(piece, size / PIECE * PIECE, MADV_HUGEPAGE);
    piece->size = size;
    piece->before = NULL;
    piece->after = arena->pieces;
    if (arena->pieces != NULL)
        arena->pieces->before = piece;
    arena->pieces = piece;
    arena->piece_count++;
    return piece;
}

static void piece_give(struct arena *arena, struct arena_piece *piece)
{
    if (piece->before != NULL)
        piece->before->after = piece->after;
    else
        arena->pieces = piece->after;
    if (piece->after != NULL)
        piece->after->before = piece->before;
    arena->piece_count--;
    arena->source.give(arena->source.ctx, piece, piece->size);
}

/* The first of `count` neighbouring units that are free, or UNITS. */
static unsigned free_units(const struct arena_piece *piece, unsigned first, unsigned count)
{
    unsigned run = 0;

    for (unsigned at = first; at < UNITS; at++) {
        run = piece->used >> at & 1 ? 0 : run + 1;
        if (run == count)
            return at + 1 - count;
    }
    return UNITS;
}

/* Neighbouring units, marked as used. The first of a piece, which holds the header, only where one is enough. */
static struct arena_unit *units_take(struct arena *arena, unsigned count, bool any)
{
    struct arena_piece *piece = arena->pieces;
    unsigned at = UNITS;

    for (; piece != NULL; piece = piece->after)
        if (piece->used != UINT32_MAX && (at = free_units(piece, any ? 0 : 1, count)) < UNITS)
            break;
    if (piece == NULL) {
        piece = piece_take(arena, PIECE);
        if (piece == NULL)
            return NULL;
        at = any ? 0 : 1;
    }
    piece->used |= (uint32_t)((((uint64_t)1 << count) - 1) << at);
    return &piece->units[at];
}

/* Gives the units back, and their piece when nothing is left in it and another one is there to go on with. */
static void units_give(struct arena *arena, struct arena_unit *unit, unsigned count)
{
    struct arena_piece *piece = piece_of(unit);

    piece->used &= ~(uint32_t)((((uint64_t)1 << count) - 1) << (unit - piece->units));
    if (piece->used != 0)
        return;
    for (const struct arena_piece *other = arena->pieces; other != NULL; other = other->after) {
        if (other != piece && other->used != UINT32_MAX) {
            piece_give(arena, piece);
            return;
        }
    }
}

static void *unit_pop(struct arena *arena, struct arena_unit *unit)
{
    void *block = unit->free;

    if (block != NULL)
        unit->free = unit->free->next;
    else
        block = unit_start(unit) + (size_t)unit->size * --unit->fresh;
    unit->used++;
    if (unit->free == NULL && unit->fresh == 0)
        list_drop(arena, unit);
    return block;
}

static void *small_alloc(struct arena *arena, size_t size)
{
    size_t rounded;
    unsigned class = class_of(size, &rounded);
    struct arena_unit *unit = arena->partial[class];

    if (unit == NULL) {
        unit = units_take(arena, 1, true);
        if (unit == NULL)
            return NULL;
        unit->size = (uint32_t)rounded;
        unit->class = (uint8_t) class;
        unit->used = 0;
        unit->free = NULL;
        unit->fresh = (uint16_t)unit_capacity(unit, rounded);
        list_add(arena, unit);
    }
    return unit_pop(arena, unit);
}

static void small_free(struct arena *arena, struct arena_unit *unit, struct free_block *block)
{
    if (unit->free == NULL && unit->fresh == 0)
        list_add(arena, unit);
    block->next = unit->free;
    unit->free = block;
    if (--unit->used == 0) {
        list_drop(arena, unit);
        units_give(arena, unit, 1);
    }
}

/* A piece for this block alone. */
static void *piece_alloc(struct arena *arena, size_t size)
{
    struct arena_piece *piece = piece_take(arena, piece_size(size));

    if (piece == NULL)
        return NULL;
    piece->used = UINT32_MAX;
    piece->whole = true;
    return (char *)piece + HEADER;
}

static void *units_alloc(struct arena *arena, size_t size)
{
    unsigned count = (unsigned)((size + UNIT - 1) / UNIT);
    struct arena_unit *unit = units_take(arena, count, false);

    if (unit == NULL)
        return NULL;
    unit->size = count * UNIT;
    return unit_start(unit);
}

/* Address space for a start at the right multiple; what lies before and behind goes back. */
static void *system_take(void *ctx, size_t size)
{
    char *space = mmap(NULL, size + PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    (void)ctx;
    if (space == MAP_FAILED)
        return NULL;
    size_t before = (PIECE - (uintptr_t)space % PIECE) % PIECE;
    if (before > 0)
        munmap(space, before);
    if (before < PIECE)
        munmap(space + before + size, PIECE - before);
    return space + before;
}

static void system_give(void *ctx, void *memory, size_t size)
{
    (void)ctx;
    munmap(memory, size);
}

const struct cls_memory cls_system_memory = {.take = system_take, .give = system_give};

void arena_init(struct arena *arena, const struct cls_memory *source)
{
    memset(arena, 0, sizeof *arena);
    arena->source = *source;
}

void arena_fini(struct arena *arena)
{
    while (arena->pieces != NULL)
        piece_give(arena, arena->pieces);
}

#if BLOCKS_OF_MALLOC

void *arena_alloc(struct arena *arena, size_t size)
{
    void *block = NULL;

    (void)arena;
    return posix_memalign(&block, size % ARENA_LINE == 0 ? ARENA_LINE : 16, size) == 0 ? block : NULL;
}

void *arena_alloc_zero(struct arena *arena, size_t size)
{
    (void)arena;
    return calloc(1, size);
}

void arena_free(struct arena *arena, void *block)
{
    (void)arena;
    free(block);
}

size_t arena_size(size_t size)
{
    return size;
}

size_t arena_zero_size(size_t size)
{
    return size;
}

size_t arena_block_size(const void *block)
{
    return malloc_usable_size((void *)(uintptr_t)block);
}

#else

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size <= SMALL_MAX)
        return small_alloc(arena, size);
    return size <= (UNITS - 1) * UNIT ? units_alloc(arena, size) : piece_alloc(arena, size);
}

void *arena_alloc_zero(struct arena *arena, size_t size)
{
    return piece_alloc(arena, size);
}

void arena_free(struct arena *arena, void *block)
{
    struct arena_piece *piece = piece_of(block);
    struct arena_unit *unit = unit_of(block);

    if (piece->whole)
        piece_give(arena, piece);
    else if (unit->size > SMALL_MAX)
        units_give(arena, unit, unit->size / UNIT);
    else
        small_free(arena, unit, block);
}

size_t arena_size(size_t size)
{
    size_t rounded;

    if (size <= SMALL_MAX)
        class_of(size, &rounded);
    else if (size <= (UNITS - 1) * UNIT)
        rounded = (size + UNIT - 1) / UNIT * UNIT;
    else
        rounded = piece_size(size);
    return rounded;
}

size_t arena_zero_size(size_t size)
{
    return piece_size(size);
}

size_t arena_block_size(const void *block)
{
    const struct arena_piece *piece = piece_of(block);

    return piece->whole ? piece->size : unit_of(block)->size;
}

#endif
