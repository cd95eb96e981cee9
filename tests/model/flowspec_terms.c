/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Operator lists against a second evaluator, written from RFC 8955 4.2.1: the list is first cut into ANDed runs, and
 * each operator is looked up in the RFC's own table of combinations.
 */
#include "flowspec/rule.h"
#include "model.h"
#include "random_rule.h"

#define ITERATIONS 100000
#define VALUES     16

/* RFC 8955 table 1, row by row: lt gt eq. */
static bool numeric_row(unsigned row, uint64_t data, uint64_t value)
{
    switch (row) {
    case 0: /* 0 0 0 false */
        return false;
    case 1: /* 0 0 1 == */
        return data == value;
    case 2: /* 0 1 0 > */
        return data > value;
    case 3: /* 0 1 1 >= */
        return data >= value;
    case 4: /* 1 0 0 < */
        return data < value;
    case 5: /* 1 0 1 <= */
        return data <= value;
    case 6: /* 1 1 0 != */
        return data != value;
    default: /* 1 1 1 true */
        return true;
    }
}

/* RFC 8955 4.2.1.2: not, m. */
static bool bitmask_row(unsigned row, uint64_t data, uint64_t value)
{
    switch (row) {
    case 0: /* any of the bits */
        return (data & value) > 0;
    case 1: /* all of them */
        return (data & value) == value;
    case 2:
        return !((data & value) > 0);
    default:
        return (data & value) != value;
    }
}

static bool holds(const struct fs_component *c, const struct fs_term *term, uint64_t data)
{
    return fs_type_is_bitmask(c->type) ? bitmask_row(term->op & 3, data, term->value)
                                       : numeric_row(term->op & 7, data, term->value);
}

static bool reference(const struct fs_rule *rule, const struct fs_component *c, uint64_t data)
{
    const struct fs_term *terms = &rule->terms[c->first_term];
    bool any = false;

    for (unsigned start = 0, end; start < c->term_count; start = end) {
        bool all = true;
        for (end = start + 1; end < c->term_count && terms[end].op & FS_OP_AND;)
            end++;
        for (unsigned i = start; i < end; i++)
            all &= holds(c, &terms[i], data);
        any |= all;
    }
    return any;
}

/* A value that the list speaks of, or one beside it, or any. */
static uint64_t pick_value(struct random *random, const struct fs_rule *rule, const struct fs_component *c)
{
    const struct fs_term *term = &rule->terms[c->first_term + random_below(random, c->term_count)];

    return random_one_in(random, 4) ? random_value(random, c->type, random_one_in(random, 2))
                                    : term->value + random_below(random, 3) - 1;
}

int main(int argc, char **argv)
{
    unsigned long iterations = model_iterations(argc, argv, ITERATIONS);
    struct random random = {.state = 421};
    unsigned long outcomes[2] = {0, 0};

    for (unsigned long n = 0; n < iterations; n++) {
        struct random_rule_conf conf = {.narrow = n % 2, .terms_max = 1 + (unsigned)(n % 7)};
        struct fs_rule *rule = random_rule(&random, &conf);

        for (unsigned i = 0; i < rule->component_count; i++) {
            const struct fs_component *c = &rule->components[i];
            for (unsigned v = 0; v < VALUES && !fs_type_is_prefix(c->type); v++) {
                uint64_t value = pick_value(&random, rule, c);
                bool want = reference(rule, c, value);
                model_expect(fs_terms_match(rule, c, value) == want, n, "value %llu of type %u: not %d",
                             (unsigned long long)value, c->type, want);
                outcomes[want]++;
            }
        }
        fs_rule_free(rule);
    }
    /* A test whose answers are all alike would not notice a matcher that always says so. */
    model_expect(outcomes[0] > iterations && outcomes[1] > iterations, iterations, "one-sided: %lu false, %lu true",
                 outcomes[0], outcomes[1]);
    printf("%lu false, %lu true\n", outcomes[0], outcomes[1]);
    return 0;
}
