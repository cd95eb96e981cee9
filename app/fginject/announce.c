/* SPDX-License-Identifier: BSD-3-Clause */
#include "announce.h"

static bool wanted(const struct announce *a, const struct rule_item *item)
{
    return (item->family & a->families) != 0;
}

static void begin(struct announce *a, const struct rule_item *item)
{
    struct bgp_update_attrs attrs = a->attrs;

    attrs.ext_comms = item->comms.comms[0];
    attrs.ext_comms_len = item->comms.count * sizeof item->comms.comms[0];
    attrs.ext_comms6 = item->comms.comms6[0];
    attrs.ext_comms6_len = item->comms.count6 * sizeof item->comms.comms6[0];
    bgp_builder_begin(&a->builder, item->family, a->withdraw, &attrs, a->legacy_ipv6_offset, a->update_max);
}

static bool alike(const struct announce *a, const struct rule_item *x, const struct rule_item *y)
{
    return a->withdraw ? x->family == y->family : rule_items_alike(x, y);
}

size_t announce_next(struct announce *a)
{
    const struct rule_item *first = NULL;

    for (; a->next < a->file->count; a->next++) {
        const struct rule_item *item = &a->file->items[a->next];
        if (!wanted(a, item))
            continue;
        if (first == NULL) {
            first = item;
            begin(a, item);
        } else if (!alike(a, first, item) || a->builder.count >= a->rules_max) {
            break;
        }
        if (bgp_builder_add(&a->builder, item->rule))
            continue;
        if (a->builder.count > 0)
            break;
        a->too_long++;
        first = NULL;
    }
    size_t len = first != NULL ? bgp_builder_finish(&a->builder) : 0;
    if (len > 0) {
        a->rules += a->builder.count;
        a->updates++;
    }
    return len;
}
