/* SPDX-License-Identifier: BSD-3-Clause */
#include "classifier/cells.h"

#include <string.h>

_Static_assert(COMPILED_VALUES == CELLS_OF_RULE, "each value may lie in a cell of its own");

struct cells *cells_create(struct mem *mem, unsigned shift)
{
    size_t size = cells_count(shift) * sizeof(group_ref);
    struct cells *cells = mem_alloc_line(mem, size);

    if (cells != NULL)
        memset(cells, 0, size);
    return cells;
}

/* The cells of single values, or of the range around all. 0: too many. */
static unsigned cells_in_lane(const struct compiled *rule, unsigned shift, enum box_lane lane,
                              uint16_t cells[CELLS_OF_RULE])
{
    unsigned first = rule->box.low[lane] >> shift, last = box_high(&rule->box, lane) >> shift, used = 0;
    uint16_t values[COMPILED_VALUES];
    unsigned count = compiled_values(rule, lane, values);

    for (unsigned i = 0; i < count; i++)
        if (used == 0 || cells[used - 1] != values[i] >> shift)
            cells[used++] = (uint16_t)(values[i] >> shift);
    if (count > 0 || first > last || last - first >= CELLS_OF_RULE)
        return used;
    for (unsigned cell = first; cell <= last; cell++)
        cells[used++] = (uint16_t)cell;
    return used;
}

unsigned cells_of_rule(const struct compiled *rule, unsigned shift, unsigned *lane, uint16_t cells[CELLS_OF_RULE])
{
    uint16_t other[CELLS_OF_RULE];
    unsigned count = cells_in_lane(rule, shift, cells_lane(0), cells);
    unsigned others = cells_in_lane(rule, shift, cells_lane(1), other);

    *lane = 0;
    if (others == 0 || (count > 0 && count <= others))
        return count;
    *lane = 1;
    memcpy(cells, other, others * sizeof other[0]);
    return others;
}
