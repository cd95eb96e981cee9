/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One rule as the fast engine keeps it: its box, what orders it among the rules of its destination and source, and the
 * rule itself for what a box cannot say.
 */
#ifndef CLASSIFIER_COMPILE_H
#define CLASSIFIER_COMPILE_H

#include "classifier/box.h"
#include "classifier/hash.h"
#include "flowspec/rule.h"

#define COMPILED_VALUES 8 /* most single values that a component is taken apart into */
#define LIST_NONE       UINT16_MAX

struct compiled {
    struct box box;        /* first: a cache line of its own */
    struct hash_item item; /* by the NLRI */
    uint64_t order[2];     /* the first octets of the NLRI behind the prefixes: lower is evaluated earlier */
    struct fs_rule *rule;
    uint32_t id;
    bool never;   /* no packet can match: in no match structure */
    bool removed; /* the writer's: waiting for its release */
    bool judged;  /* box and list do not say all */
    /* a packet that matches has one of these values in that lane of its box; where no list is needed, LIST_NONE in
     * BOX_LANES, as every packet has */
    uint8_t list_lane;
    uint16_t list[COMPILED_VALUES];
};

_Static_assert(sizeof(struct compiled) == 128, "two lines");

/* With a copy of the rule. NULL when memory is short. */
struct compiled *compiled_create(struct mem *mem, uint32_t id, const struct fs_rule *rule);
void compiled_free(struct mem *mem, struct compiled *compiled);

/*
 * The values of the component that is compared in `lane` when the rule asks for nothing but one of a few single
 * values there (at most COMPILED_VALUES, ascending); 0 otherwise.
 */
unsigned compiled_values(const struct compiled *compiled, enum box_lane lane, uint16_t values[COMPILED_VALUES]);

/* Whether a copy of an id and a brief says all of this rule. */
bool compiled_is_brief(const struct compiled *compiled, uint32_t id, const struct brief *brief);

/* Full RFC order among rules of one destination and one source, by the rules themselves. */
int compiled_compare_rules(const struct compiled *a, const struct compiled *b);

/* The same, quick where the first octets decide. */
static inline int compiled_compare(const struct compiled *a, const struct compiled *b)
{
    for (unsigned i = 0; i < 2; i++)
        if (a->order[i] != b->order[i])
            return a->order[i] < b->order[i] ? -1 : 1;
    return a == b ? 0 : compiled_compare_rules(a, b);
}

/* Judges the components that the box says too little about. Reader. */
bool compiled_exact(const struct fs_rule *rule, unsigned inexact, const struct pkt_key *key);

#endif
