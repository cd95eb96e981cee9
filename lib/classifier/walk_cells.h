/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules without a destination where all of them are in cells. The packets of a burst go together, in lists by the form
 * of what their cells hold: whether a cell holds anything, what form that has and whether it fits is not foreseen, so
 * no branch depends on it.
 */
#ifndef CLASSIFIER_WALK_CELLS_H
#define CLASSIFIER_WALK_CELLS_H

#include "classifier/walk_body.h"
#include "classifier/walk_single.h"

/* What a packet finds in an index by cells and by values, of which one lane is looked at twice. */
#define CELLS_GROUPS_MAX ((CELLS_LANES + GROUP_VALUE_LANES + 1) * CLS_BURST_MAX)

/* A cell of a packet that is one rule. */
struct cell_one {
    const struct compiled *rule;
    unsigned packet;
};

/* One that is a leaf. */
struct cell_leaf {
    const struct tree_node *leaf;
    uint32_t fits; /* bit i: box i is yet to be compared */
    unsigned packet;
};

struct cell_index {
    const struct group_index *index;
    unsigned packet;
};

struct cells_walk {
    const struct pkt_key *keys;
    uint32_t *ids;
    unsigned one_count, leaf_count, index_count;
    const struct compiled *const *best[CLS_BURST_MAX]; /* where the match so far is; NULL: none */
    struct cell_one ones[CELLS_GROUPS_MAX];
    struct cell_leaf leaves[CELLS_GROUPS_MAX];
    struct cell_index indexes[CELLS_GROUPS_MAX];
    struct box_key boxes[CLS_BURST_MAX]; /* set where a cell holds something */
};

static inline const void *group_form(uintptr_t group)
{
    return (const void *)(group & ~(uintptr_t)GROUP_KIND);
}

/* Puts what a cell of packet i holds into the list of its form. */
static inline void cell_sort(struct cells_walk *c, uintptr_t group, unsigned i)
{
    const void *form = group_form(group);
    unsigned kind = group & GROUP_KIND;

    c->ones[c->one_count] = (struct cell_one){.rule = form, .packet = i};
    c->one_count += (group != 0) & (kind == GROUP_ONE);
    c->leaves[c->leaf_count] = (struct cell_leaf){.leaf = form, .packet = i};
    c->leaf_count += kind == GROUP_LEAF;
    c->indexes[c->index_count] = (struct cell_index){.index = form, .packet = i};
    c->index_count += kind == GROUP_INDEX;
}

/* Looks into the cells of these packets, and sets the boxes of those that find something. */
static inline void cells_look(struct cells_walk *c, const struct view views[2], uint64_t packets)
{
    uintptr_t groups[CLS_BURST_MAX][CELLS_LANES];
    uint64_t some = 0;

    for (uint64_t left = packets; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        const struct view *view = &views[place_family_index(c->keys[i].family)];
        uintptr_t any = 0;
        for (unsigned lane = 0; lane < CELLS_LANES; lane++) {
            const struct view_cells *cells = &view->cells[lane];
            any |= groups[i][lane] = group_load(&cells->groups[cells_port(&c->keys[i], lane) >> cells->shift]);
        }
        some |= (uint64_t)(any != 0) << i;
    }
    for (uint64_t left = some; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        box_key_fill(&c->boxes[i], &c->keys[i]);
        c->best[i] = NULL;
        for (unsigned lane = 0; lane < CELLS_LANES; lane++)
            cell_sort(c, groups[i][lane], i);
    }
}

/* Asks for what is in the lists. */
static inline void cells_ask(const struct cells_walk *c)
{
    for (unsigned n = 0; n < c->leaf_count; n++) {
        const char *at = (const char *)c->leaves[n].leaf;
        __builtin_prefetch(at);
        __builtin_prefetch(at + MEM_LINE);
        __builtin_prefetch(at + 2 * (size_t)MEM_LINE);
    }
    for (unsigned n = 0; n < c->one_count; n++)
        __builtin_prefetch(c->ones[n].rule);
}

/* As `accepted`, for a packet without a floor. Boxes that need more than the compare are few. */
static inline bool cell_holds(const struct cells_walk *c, const struct box *box, const struct compiled *const *rule,
                              unsigned i)
{
    if (__builtin_expect((box->inexact | box->flags) != 0, 0))
        return box_holds_either(box, &c->boxes[i], &c->keys[i]) &&
               (box->inexact == 0 || inexact_holds(*rule, box->inexact, &c->boxes[i], &c->keys[i]));
    return box_holds(box, &c->boxes[i]);
}

/* Keeps the earlier in RFC order of the packet's matches; most often there is one. */
static inline void cell_found(struct cells_walk *c, uint32_t id, const struct compiled *const *rule, unsigned i,
                              bool holds)
{
    if (__builtin_expect(holds & (c->best[i] != NULL), 0) && compiled_compare(*c->best[i], *rule) < 0)
        return;
    c->best[i] = holds ? rule : c->best[i];
    c->ids[i] = holds ? id : c->ids[i];
}

static inline void cells_ones(struct cells_walk *c)
{
    for (unsigned n = 0; n < c->one_count; n++) {
        const struct cell_one *one = &c->ones[n];
        bool holds = cell_holds(c, &one->rule->box, &one->rule, one->packet);
        cell_found(c, one->rule->box.id, &one->rule, one->packet, holds);
    }
}

/* Compares one box of each leaf, in rounds. A leaf is in RFC order: its first match is the one. */
static inline void cells_leaves(struct cells_walk *c, bool staged)
{
    unsigned count = 0;

    for (unsigned n = 0; n < c->leaf_count; n++) {
        struct cell_leaf at = c->leaves[n];
        at.fits = node_candidates(at.leaf, &c->boxes[at.packet], &c->keys[at.packet]);
        c->leaves[count] = at;
        count += at.fits != 0;
        if (staged)
            __builtin_prefetch(&at.leaf->boxes[__builtin_ctz(at.fits | 1u << (TREE_FANOUT - 1))]);
    }
    while (count > 0) {
        unsigned kept = 0;
        for (unsigned n = 0; n < count; n++) {
            struct cell_leaf at = c->leaves[n];
            unsigned b = (unsigned)__builtin_ctz(at.fits);
            const struct compiled *const *rule = tree_rules(at.leaf) + b;
            bool holds = cell_holds(c, &at.leaf->boxes[b], rule, at.packet);
            cell_found(c, at.leaf->boxes[b].id, rule, at.packet, holds);
            at.fits &= at.fits - 1;
            c->leaves[kept] = at;
            kept += !holds & (at.fits != 0);
        }
        count = kept;
    }
}

/* Cells of many rules. */
static inline void cells_indexes(struct cells_walk *c, const struct view views[2])
{
    for (unsigned n = 0; n < c->index_count;) {
        unsigned i = c->indexes[n].packet;
        struct found best = {.rule = c->best[i] != NULL ? *c->best[i] : NULL, .id = c->ids[i]};
        struct query q;
        query_set(&q, views[place_family_index(c->keys[i].family)].family, &c->keys[i]);
        for (; n < c->index_count && c->indexes[n].packet == i; n++)
            find_in_index(&q, c->indexes[n].index, 0, &best);
        c->ids[i] = best.id;
    }
}

/* The answers of these packets; those that match nothing keep what is there. */
static inline void cells_find(const struct view views[2], const struct pkt_key *keys, uint32_t *ids, uint64_t packets)
{
    struct cells_walk c;

    c.keys = keys;
    c.ids = ids;
    c.one_count = c.leaf_count = c.index_count = 0;
    cells_look(&c, views, packets);
    bool staged = views[0].large | views[1].large;
    if (staged)
        cells_ask(&c);
    cells_ones(&c);
    cells_leaves(&c, staged);
    cells_indexes(&c, views);
}

#endif
