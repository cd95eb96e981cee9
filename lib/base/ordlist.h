/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An ordered, intrusive list with logarithmic search: a skip list (W. Pugh, 1990).
 *
 * One thread writes. The bottom level is an ordinary singly linked list whose links are stored with release order,
 * so any number of other threads may walk it with ord_first and ord_next while it changes, provided that the memory
 * of a removed node is kept until those readers have passed a quiescent point (lib/rcu). A reader that stands on a
 * removed node still finds its way on. Search, insert and remove belong to the writer.
 */
#ifndef BASE_ORDLIST_H
#define BASE_ORDLIST_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define ORD_LEVELS 12 /* a level holds one in four: comfortable to 16 M nodes */

/* Embedded in the owner's struct. */
struct ord_node {
    _Atomic(struct ord_node *) next; /* written by the writer, read by anybody */
    struct ord_node **up;            /* the writer's: next node of each higher level, `levels` of them */
    uint8_t levels;                  /* 0..ORD_LEVELS, set before the node is inserted, then fixed */
};

/* Three-way: below, equal to or above zero as the key of `node` sorts before, with or after `key`. */
typedef int (*ord_compare_fn)(const struct ord_node *node, const void *key);

struct ord_list {
    _Atomic(struct ord_node *) first; /* written by the writer, read by anybody */
    struct ord_node *top[ORD_LEVELS]; /* the writer's */
    ord_compare_fn compare;
    uint64_t random; /* state of the generator that draws levels */
    size_t count;    /* the writer's */
};

void ord_init(struct ord_list *list, ord_compare_fn compare);

/* Draws how many higher levels the next node shall have; its owner allocates that many links beside itself. */
uint8_t ord_draw_levels(struct ord_list *list);

/* The first node that is not before `key`, or NULL. */
struct ord_node *ord_find(const struct ord_list *list, const void *key);

/* The node equal to `key`, or NULL. */
struct ord_node *ord_find_equal(const struct ord_list *list, const void *key);

/* Puts `node`, its `up` and `levels` set, in its place. `key` is the node's own key; keys in the list are unique. */
void ord_insert(struct ord_list *list, struct ord_node *node, const void *key);

/* Takes `node` out. `key` is the node's own key. */
void ord_remove(struct ord_list *list, struct ord_node *node, const void *key);

/* Puts `fresh` in the place of `old`, in one step for readers: keys equal, `levels` and room in `up` the same. */
void ord_replace(struct ord_list *list, struct ord_node *old, struct ord_node *fresh, const void *key);

static inline struct ord_node *ord_first(const struct ord_list *list)
{
    return atomic_load_explicit(&list->first, memory_order_acquire);
}

static inline struct ord_node *ord_next(const struct ord_node *node)
{
    return atomic_load_explicit(&node->next, memory_order_acquire);
}

#endif
