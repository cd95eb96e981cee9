/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/ordlist.h"

#include <string.h>

/* Where a level's link to the next node is kept: in `node`, or in the list's head when `node` is NULL. */
static struct ord_node **link_up(struct ord_list *list, struct ord_node *node, unsigned level)
{
    return node ? &node->up[level] : &list->top[level];
}

static _Atomic(struct ord_node *) *link_next(struct ord_list *list, struct ord_node *node)
{
    return node ? &node->next : &list->first;
}

void ord_init(struct ord_list *list, ord_compare_fn compare)
{
    memset(list, 0, sizeof *list);
    list->compare = compare;
    list->random = 0x9e3779b97f4a7c15u;
}

uint8_t ord_draw_levels(struct ord_list *list)
{
    uint8_t levels = 0;

    /* xorshift64: cheap, and the same run draws the same levels */
    list->random ^= list->random << 13;
    list->random ^= list->random >> 7;
    list->random ^= list->random << 17;
    for (uint64_t bits = list->random; (bits & 3) == 0 && levels < ORD_LEVELS; bits >>= 2)
        levels++;
    return levels;
}

/* Walks down to `key`: before[level] is the last node of each level that sorts before it; returns the bottom one. */
static struct ord_node *descend(struct ord_list *list, const void *key, struct ord_node *before[ORD_LEVELS])
{
    struct ord_node *at = NULL;

    for (unsigned level = ORD_LEVELS; level-- > 0;) {
        struct ord_node *next;
        while ((next = *link_up(list, at, level)) != NULL && list->compare(next, key) < 0)
            at = next;
        before[level] = at;
    }
    struct ord_node *next;
    while ((next = atomic_load_explicit(link_next(list, at), memory_order_relaxed)) != NULL &&
           list->compare(next, key) < 0)
        at = next;
    return at;
}

struct ord_node *ord_find(const struct ord_list *list, const void *key)
{
    struct ord_node *before[ORD_LEVELS];
    struct ord_list *writable = (struct ord_list *)(uintptr_t)list; /* descend only reads */
    struct ord_node *at = descend(writable, key, before);

    return atomic_load_explicit(link_next(writable, at), memory_order_relaxed);
}

struct ord_node *ord_find_equal(const struct ord_list *list, const void *key)
{
    struct ord_node *node = ord_find(list, key);

    return node != NULL && list->compare(node, key) == 0 ? node : NULL;
}

void ord_insert(struct ord_list *list, struct ord_node *node, const void *key)
{
    struct ord_node *before[ORD_LEVELS];
    struct ord_node *at = descend(list, key, before);

    for (unsigned level = 0; level < node->levels; level++) {
        struct ord_node **link = link_up(list, before[level], level);
        node->up[level] = *link;
        *link = node;
    }
    _Atomic(struct ord_node *) *link = link_next(list, at);
    atomic_store_explicit(&node->next, atomic_load_explicit(link, memory_order_relaxed), memory_order_relaxed);
    atomic_store_explicit(link, node, memory_order_release); /* from here readers see it, whole */
    list->count++;
}

void ord_remove(struct ord_list *list, struct ord_node *node, const void *key)
{
    struct ord_node *before[ORD_LEVELS];
    struct ord_node *at = descend(list, key, before);

    for (unsigned level = 0; level < node->levels; level++)
        *link_up(list, before[level], level) = node->up[level];
    /* node->next stays as it is: a reader that stands here walks on */
    atomic_store_explicit(link_next(list, at), atomic_load_explicit(&node->next, memory_order_relaxed),
                          memory_order_release);
    list->count--;
}

void ord_replace(struct ord_list *list, struct ord_node *old, struct ord_node *fresh, const void *key)
{
    struct ord_node *before[ORD_LEVELS];
    struct ord_node *at = descend(list, key, before);

    for (unsigned level = 0; level < old->levels; level++) {
        fresh->up[level] = old->up[level];
        *link_up(list, before[level], level) = fresh;
    }
    atomic_store_explicit(&fresh->next, atomic_load_explicit(&old->next, memory_order_relaxed), memory_order_relaxed);
    atomic_store_explicit(link_next(list, at), fresh, memory_order_release);
}
