/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules of one destination and one source, of which a packet wants the first match in RFC order.
 *
 * A group takes the form that its size asks for: one rule; a leaf of up to 16 boxes in RFC order, compared one after
 * the other; or an index. In an index, a rule that asks for few and narrow ranges of the destination or the source port
 * is found by the cell of that port (cells.h); another that asks for single values of a port, a length or an ICMP type
 * is found by hash of that value. Both lead to a group of the next level, which is a group like any other, but has no
 * cells, and does not use a field again whose value is known. The rest is in two trees of boxes (tree.h). So a rule
 * costs memory for each cell it touches or each single value it names, at most COMPILED_VALUES of them, and otherwise
 * for itself alone.
 */
#ifndef CLASSIFIER_GROUP_H
#define CLASSIFIER_GROUP_H

#include "classifier/cells.h"

#define GROUP_KIND  3u
#define GROUP_ONE   0u /* struct compiled */
#define GROUP_LEAF  1u /* struct tree_node, a leaf in RFC order */
#define GROUP_INDEX 2u /* struct group_index */

#define GROUP_IN_CELL 0x8000u /* beside lanes: some level above has cells */

struct group_index {
    RCU_POINTER(struct cells) cells[CELLS_LANES]; /* NULL: none. Written by the writer, read by workers */
    uint8_t shift;                                /* of the cells; 0: this index has none */
    struct hash_table values;                     /* of struct group_value */
    struct tree narrow;                           /* no single value, but some narrow field */
    struct tree wide;                             /* neither */
    _Atomic(bool) large;                          /* worth stages of its own, see walk_burst.h. The same */
    _Atomic(uint32_t) lanes;     /* bit l: some rule is in `values` by lane l. Written by the writer, read by workers */
    uint16_t fixed;              /* the writer's: lanes that the levels above have decided; GROUP_IN_CELL */
    uint32_t count;              /* the writer's */
    uint32_t in_lane[BOX_LANES]; /* the writer's: rules in `values` by lane */
};

/* The rules of an index that ask for one value in one lane. */
struct group_value {
    struct hash_item item;
    uint32_t lane_value;
    group_ref rules;
};

#define GROUP_VALUE_LANES 5

/* The component type that a lane of values is compared with. */
static const uint8_t group_lane_type[BOX_LANES] = {
    [BOX_PORT] = FS_PORT,
    [BOX_DESTINATION_PORT] = FS_DESTINATION_PORT,
    [BOX_SOURCE_PORT] = FS_SOURCE_PORT,
    [BOX_ICMP_TYPE] = FS_ICMP_TYPE,
    [BOX_LENGTH] = FS_PACKET_LENGTH,
};

static inline uint32_t group_lane_value(unsigned lane, uint16_t value)
{
    return (uint32_t)lane << 16 | value;
}

static inline uint64_t group_value_hash(uint32_t lane_value)
{
    return hash_mix(lane_value ^ 0x9e3779b97f4a7c15u, 0xd6e8feb86659fd93u);
}

static inline uintptr_t group_load(const group_ref *group)
{
    return atomic_load_explicit((group_ref *)(uintptr_t)group, memory_order_acquire);
}

/* `fixed`: lanes in which every rule of the group has the same value. False when memory is short: nothing changed. */
bool group_insert(group_ref *group, struct mem *mem, const struct compiled *rule, unsigned fixed);

/*
 * Takes out a rule that is in the group and is marked as removed. False when, for lack of memory, it is still referred
 * to, though no packet finds it.
 */
bool group_remove(group_ref *group, struct mem *mem, const struct compiled *rule);

/* Gives back all memory but the rules, by mem_free or mem_retire. */
void group_give(uintptr_t group, struct mem *mem, void (*give)(struct mem *mem, void *block));

#endif
