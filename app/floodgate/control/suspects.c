/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/suspects.h"

#include <stdlib.h>

#include "control/rules.h"

static unsigned width_of(const struct rule *rule)
{
    const struct fs_component *destination = fs_rule_component(rule->match, FS_DESTINATION);
    unsigned bits = ip_family_bits(rule->match->family);

    return destination != NULL && destination->offset == 0 ? bits - destination->length : bits;
}

bool suspects_add(struct suspects *suspects, const struct rule *rule, double amount)
{
    if (!rule_state_enforced(rule->state) || rule_is_approved(rule))
        return true;
    if (suspects->count == suspects->room) {
        size_t room = suspects->room > 0 ? 2 * suspects->room : 64;
        struct suspect *more = realloc(suspects->list, room * sizeof *more);
        if (more == NULL)
            return false;
        suspects->list = more;
        suspects->room = room;
    }
    suspects->list[suspects->count++] =
        (struct suspect){.id = rule->id, .since_ms = rule->since_ms, .width = width_of(rule), .amount = amount};
    return true;
}

static int newest_first(const void *a, const void *b)
{
    const struct suspect *x = a, *y = b;
    mono_ms_t x_s = x->since_ms / MONO_MS_PER_S, y_s = y->since_ms / MONO_MS_PER_S;

    if (x_s != y_s)
        return x_s > y_s ? -1 : 1;
    if (x->width != y->width)
        return x->width > y->width ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

void suspects_sort(struct suspects *suspects)
{
    if (suspects->count > 0)
        qsort(suspects->list, suspects->count, sizeof suspects->list[0], newest_first);
}

void suspects_free(struct suspects *suspects)
{
    free(suspects->list);
    *suspects = (struct suspects){0};
}
