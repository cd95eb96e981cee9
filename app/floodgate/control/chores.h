/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Work that is too long for one turn of the event loop, in small pieces: what a lost session left, above all. All of it
 * together takes a few milliseconds of each turn, one piece of each chore after the other, so that keepalives, the
 * operator and other peers are served meanwhile, however many peers are lost at once. Control thread only.
 */
#ifndef FLOODGATE_CHORES_H
#define FLOODGATE_CHORES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#define CHORE_PIECE 64   /* things looked at in one piece */
#define CHORE_TURN  4096 /* and in one turn of the event loop, by all chores together */

struct chore;
struct chores;
struct event_base;

/*
 * Does a piece: looks at `max` things at the most, and returns at how many. Fewer than `max`: the chore is done; it may
 * be freed by then.
 */
typedef size_t (*chore_fn)(struct chore *chore, size_t max);

/* Embedded in its owner, all zeros but for `work` at first. */
struct chore {
    chore_fn work;
    bool queued; /* there is more to do */
    TAILQ_ENTRY(chore) link;
};

struct chores *chores_create(struct event_base *base); /* NULL: no memory */
void chores_free(struct chores *chores);               /* what is left is not done any more; NULL is fine */

/* Something is to be done: one piece of it at once, the rest in its turn. Not from within a piece. */
void chore_start(struct chores *chores, struct chore *chore);
/* Its owner goes. */
void chore_cancel(struct chores *chores, struct chore *chore);

#endif
