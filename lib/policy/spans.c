/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Operator lists as spans. A list is an OR of groups, a group an AND of terms: what is left of the values between a
 * group's lowest and highest, without those that `!=` takes out.
 */
#include "policy/spans.h"

#include <stdlib.h>

#define RELATION (FS_OP_LT | FS_OP_GT | FS_OP_EQ)

/* What one AND group allows. */
struct group {
    bool none;
    uint64_t first, last;
    unsigned holes;
    uint32_t hole[FS_TERMS_MAX]; /* values that `!=` takes out */
};

void pol_spans_all(struct pol_spans *spans, uint32_t last)
{
    spans->count = 1;
    spans->at[0] = (struct pol_span){0, last};
}

static void group_start(struct group *group, uint32_t last)
{
    group->none = false;
    group->first = 0;
    group->last = last;
    group->holes = 0;
}

static void group_above(struct group *group, uint64_t value)
{
    if (value > group->first)
        group->first = value;
}

static void group_below(struct group *group, uint64_t value)
{
    if (value < group->last)
        group->last = value;
}

static void group_add(struct group *group, const struct fs_term *term)
{
    unsigned relation = term->op & RELATION;

    if (relation == 0) { /* `false` */
        group->none = true;
    } else if (relation == (FS_OP_LT | FS_OP_GT)) {
        if (term->value <= UINT32_MAX)
            group->hole[group->holes++] = (uint32_t)term->value;
    } else {
        bool equal = relation & FS_OP_EQ;
        if (!(relation & FS_OP_LT)) { /* nothing below the value */
            group->none = group->none || (!equal && term->value == UINT64_MAX);
            group_above(group, equal ? term->value : term->value + 1);
        }
        if (!(relation & FS_OP_GT)) { /* nothing above it */
            group->none = group->none || (!equal && term->value == 0);
            group_below(group, equal ? term->value : term->value - 1);
        }
    }
}

static int hole_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void spans_add(struct pol_spans *spans, uint64_t first, uint64_t last)
{
    if (first <= last)
        spans->at[spans->count++] = (struct pol_span){(uint32_t)first, (uint32_t)last};
}

static void group_end(struct group *group, struct pol_spans *out)
{
    uint64_t first = group->first;

    if (group->none || group->first > group->last)
        return;
    if (group->holes > 1)
        qsort(group->hole, group->holes, sizeof group->hole[0], hole_compare);
    for (unsigned i = 0; i < group->holes; i++) {
        uint64_t hole = group->hole[i];
        if (hole < first || hole > group->last)
            continue;
        if (hole > first)
            spans_add(out, first, hole - 1);
        first = hole + 1;
    }
    spans_add(out, first, group->last);
}

static int span_compare(const void *a, const void *b)
{
    const struct pol_span *x = a, *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

/* Sorts, and joins what overlaps or touches. */
static void spans_merge(struct pol_spans *spans)
{
    unsigned kept = 0;

    if (spans->count < 2)
        return;
    qsort(spans->at, spans->count, sizeof spans->at[0], span_compare);
    for (unsigned i = 1; i < spans->count; i++) {
        if (spans->at[i].first <= (uint64_t)spans->at[kept].last + 1) {
            if (spans->at[i].last > spans->at[kept].last)
                spans->at[kept].last = spans->at[i].last;
        } else {
            spans->at[++kept] = spans->at[i];
        }
    }
    spans->count = kept + 1;
}

void pol_spans_of(const struct fs_rule *rule, const struct fs_component *component, uint32_t last,
                  struct pol_spans *out)
{
    const struct fs_term *terms = &rule->terms[component->first_term];
    struct group group;

    out->count = 0;
    group_start(&group, last);
    for (unsigned i = 0; i < component->term_count; i++) {
        if (i > 0 && !(terms[i].op & FS_OP_AND)) {
            group_end(&group, out);
            group_start(&group, last);
        }
        group_add(&group, &terms[i]);
    }
    group_end(&group, out);
    spans_merge(out);
}

void pol_spans_both(const struct pol_spans *a, const struct pol_spans *b, struct pol_spans *out)
{
    unsigned i = 0, j = 0;

    out->count = 0;
    while (i < a->count && j < b->count) {
        const struct pol_span *x = &a->at[i], *y = &b->at[j];
        uint32_t first = x->first > y->first ? x->first : y->first;
        uint32_t last = x->last < y->last ? x->last : y->last;
        spans_add(out, first, last);
        if (x->last < y->last)
            i++;
        else
            j++;
    }
}

/* The gaps before and between the spans, then the one behind them: at most one more than there were. */
void pol_spans_not(struct pol_spans *spans, uint32_t last)
{
    unsigned count = spans->count;
    uint64_t free = 0; /* the first value behind the spans so far */

    spans->count = 0;
    for (unsigned i = 0; i < count; i++) {
        struct pol_span span = spans->at[i];
        if (span.first > free)
            spans_add(spans, free, (uint64_t)span.first - 1);
        free = (uint64_t)span.last + 1;
    }
    spans_add(spans, free, last);
}

bool pol_spans_have(const struct pol_spans *spans, uint32_t value)
{
    for (unsigned i = 0; i < spans->count && spans->at[i].first <= value; i++)
        if (value <= spans->at[i].last)
            return true;
    return false;
}
