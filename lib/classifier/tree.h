/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A tree of boxes (as an R-tree, Guttman 1984, but in a fixed order): what is left of a large group when no single
 * value tells its rules apart. A leaf holds up to 16 rules' boxes, an inner node the boxes around its children. Memory
 * is linear in the rules, whatever they are.
 *
 * Two orders: RFC order, for rules that are wide in every field (the first match found ends the search); and by each
 * rule's narrowest field, so that neighbours lie close together and whole branches are passed by.
 *
 * Nodes never change: the writer replaces the path to a leaf and publishes the root.
 */
#ifndef CLASSIFIER_TREE_H
#define CLASSIFIER_TREE_H

#include <stddef.h>

#include "classifier/compile.h"

#define TREE_FANOUT    16
#define TREE_DEPTH_MAX 24 /* a level has at least 8 times the nodes of the one above when it comes up */

/* One lane of all boxes of a node, side by side, as in struct box: a packet looks at two first, and seldom further. */
struct tree_filter {
    alignas(MEM_LINE) uint16_t low[TREE_FANOUT]; /* behind the last box: what no packet fits */
    uint16_t high_not[TREE_FANOUT];
};

/*
 * The boxes of an inner node are around many rules and overlap. So its filter in the first lane is kept once for each
 * of TREE_STRIPS strips of values in the second: around those rules alone that have values of that strip.
 */
#define TREE_STRIPS 16

struct tree_node {
    alignas(MEM_LINE) uint16_t count;
    bool leaf;
    bool others;        /* boxes ask for something in other lanes than the filters' */
    bool either_port;   /* a filter is of the lane where a packet is compared twice */
    uint8_t lanes[2];   /* of the filters: the ones that tell the boxes apart best */
    uint8_t shift;      /* of a value in the second lane: its strip */
    uint16_t last;      /* strip, of all values from there on */
    uint16_t strips_at; /* octets from here to the first strip */
    /* the writer's, in inner nodes, by child: what the next copy of this node need not read from all children again */
    uint8_t shifts[TREE_FANOUT]; /* what shift it needs */
    uint16_t below[TREE_FANOUT]; /* bit l: a filter of it is of lane l */
    struct tree_filter filters[2];
    struct box boxes[];
    /* behind them: `const struct compiled *` of each (of the first rule below); in inner nodes also each child */
};

_Static_assert(offsetof(struct tree_node, filters) == MEM_LINE, "one line in front of the filters");

struct tree {
    RCU_POINTER(struct tree_node) root; /* NULL: empty. Written by the writer, read by workers */
    uint16_t fixed;                     /* the writer's: bit l: all rules have the same value in lane l */
    bool narrow;                        /* the writer's: ordered by the narrowest field, not by RFC order */
};

static inline const struct compiled **tree_rules(const struct tree_node *node)
{
    return (const struct compiled **)(uintptr_t)(node->boxes + node->count);
}

static inline struct tree_node **tree_children(const struct tree_node *node)
{
    return (struct tree_node **)(uintptr_t)(tree_rules(node) + node->count);
}

/*
 * The filter for the first lane, to go by the packet's value in the second: of an inner node, one for the rules in each
 * strip of values there; of a leaf, whose own filters are exact, the same for all.
 */
static inline const struct tree_filter *tree_strip(const struct tree_node *node, uint16_t second)
{
    unsigned strip = (unsigned)second >> node->shift, last = node->last;

    return (const struct tree_filter *)((uintptr_t)node + node->strips_at) + (strip < last ? strip : last);
}

/* A leaf of its own with these rules, in the order given, which is no part of any tree. NULL when memory is short. */
struct tree_node *tree_leaf_create(struct mem *mem, const struct compiled *const *rules, unsigned count);

/* Makes the box of a leaf one that no packet is in: what is left to do when there is no memory for another leaf. */
void tree_leaf_hide(struct tree_node *leaf, unsigned at);

/* Whether some lane that is not in `fixed` is narrow enough in the box to order the rule by it. */
bool tree_box_is_narrow(const struct box *box, unsigned fixed);

bool tree_insert(struct tree *tree, struct mem *mem, const struct compiled *rule);

/* False when, for lack of memory, the rule stays where it is, but so that no packet finds it. */
bool tree_remove(struct tree *tree, struct mem *mem, const struct compiled *rule);

/* Gives back every node, by mem_free or mem_retire. */
void tree_give(struct tree *tree, struct mem *mem, void (*give)(struct mem *mem, void *block));

void tree_each(const struct tree *tree, void (*visit)(void *ctx, const struct compiled *rule), void *ctx);

#endif
