/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sets of numbers as sorted, disjoint, closed spans: what an operator list (RFC 8955 section 4.2.1.1) stands for over
 * the values that its field can have. Exact. Private to lib/policy.
 */
#ifndef POLICY_SPANS_H
#define POLICY_SPANS_H

#include <stdbool.h>
#include <stdint.h>

#include "flowspec/rule.h"

/*
 * A list of n terms changes its truth at most twice a term, so it has at most n + 1 spans; the common part of two
 * lists, those of both terms together. Before they are merged, the spans of one list are at most 2n.
 */
#define POL_SPANS_MAX (2 * FS_TERMS_MAX + 1)

struct pol_span {
    uint32_t first, last;
};

struct pol_spans {
    unsigned count;
    struct pol_span at[POL_SPANS_MAX];
};

/* Every value from 0 to `last`. */
void pol_spans_all(struct pol_spans *spans, uint32_t last);

/* The values from 0 to `last` that satisfy a numeric component of a rule. */
void pol_spans_of(const struct fs_rule *rule, const struct fs_component *component, uint32_t last,
                  struct pol_spans *out);

/* What both have; `out` is neither of them. All operator lists that went into both are of two rules at most. */
void pol_spans_both(const struct pol_spans *a, const struct pol_spans *b, struct pol_spans *out);

/* In place: the values from 0 to `last` that are not in the set. */
void pol_spans_not(struct pol_spans *spans, uint32_t last);

bool pol_spans_have(const struct pol_spans *spans, uint32_t value);

#endif
