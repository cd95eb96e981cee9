/* SPDX-License-Identifier: BSD-3-Clause */
#include "classifier/ports.h"

static bool is_one(const struct box *box, enum box_lane lane)
{
    return box->low[lane] == box_high(box, lane);
}

uint16_t ports_of(const struct compiled *rule)
{
    uint16_t values[COMPILED_VALUES], bits = 0;
    uint8_t protocol = (uint8_t)rule->box.low[BOX_PROTOCOL];

    if (!is_one(&rule->box, BOX_PROTOCOL))
        return SHAPES_PORTS_ANY;
    if (is_one(&rule->box, BOX_DESTINATION_PORT))
        return place_ports_bit(protocol, rule->box.low[BOX_DESTINATION_PORT]);
    unsigned count = compiled_values(rule, BOX_DESTINATION_PORT, values);
    for (unsigned i = 0; i < count; i++)
        bits |= place_ports_bit(protocol, values[i]);
    return count > 0 ? bits : SHAPES_PORTS_ANY;
}

uint16_t ports_ranges_of(const struct compiled *rule)
{
    uint16_t first = place_ranges_bit(rule->box.low[BOX_DESTINATION_PORT]);
    uint16_t last = place_ranges_bit(box_high(&rule->box, BOX_DESTINATION_PORT));

    return (uint16_t)((last | (last - 1)) & ~(first - 1)); /* all from one to the other */
}

uint32_t ports_pair_of(const struct compiled *rule)
{
    const struct box *box = &rule->box;

    return is_one(box, BOX_PROTOCOL) && is_one(box, BOX_DESTINATION_PORT)
               ? fine_pair((uint8_t)box->low[BOX_PROTOCOL], box->low[BOX_DESTINATION_PORT])
               : 0;
}
