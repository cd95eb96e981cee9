/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules by ranges of a port: the values of one lane are cut into cells of equal width, and a packet's port leads to one
 * of them by a shift and a load. A rule that asks for few and narrow ranges of the port is in each cell that they
 * touch, at most CELLS_OF_RULE of them. A cell is a group like any other.
 */
#ifndef CLASSIFIER_CELLS_H
#define CLASSIFIER_CELLS_H

#include "classifier/tree.h"

/* 0: no rule; otherwise an address with its kind in the lowest bits. */
typedef _Atomic(uintptr_t) group_ref; /* written by the writer, read by workers */

#define CELLS_LANES   2 /* destination and source port */
#define CELLS_OF_RULE 8

#define CELLS_SHIFT_FEW  8 /* cells of 256 ports in an index of few rules */
#define CELLS_SHIFT_MANY 4 /* cells of 16 ports in one of many */

/* Rules that are many. Tests build with fewer. */
#ifndef CELLS_MANY
#define CELLS_MANY 512
#endif

/* 65536 >> shift of them. */
struct cells {
    _Alignas(MEM_LINE) group_ref groups[1];
};

static inline unsigned cells_count(unsigned shift)
{
    return 65536u >> shift;
}

static inline unsigned cells_lane(unsigned i)
{
    return i == 0 ? BOX_DESTINATION_PORT : BOX_SOURCE_PORT;
}

/* All empty. NULL when memory is short. */
struct cells *cells_create(struct mem *mem, unsigned shift);

/*
 * The lane (0 or 1) in which the rule touches the fewest cells, which these are (ascending), and how many; 0: it is too
 * wide in both.
 */
unsigned cells_of_rule(const struct compiled *rule, unsigned shift, unsigned *lane, uint16_t cells[CELLS_OF_RULE]);

#endif
