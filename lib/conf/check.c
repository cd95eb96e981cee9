/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/check.h"

#include <stdlib.h>
#include <string.h>

#include "flowspec/order.h"

void cfg_check(struct cfg_reader *reader)
{
    cfg_check_dataplane(reader);
    cfg_check_ports(reader);
    cfg_check_routing(reader);
    cfg_check_bgp(reader);
    cfg_check_rules(reader);
    cfg_check_sampling(reader);
}

/* Equal items in the order of the file: they are entries of one array. */
static int unique_compare(const void *left, const void *right, void *arg)
{
    const struct cfg_unique *unique = arg;
    const char *a = *(const char *const *)left;
    const char *b = *(const char *const *)right;
    int order = unique->compare(a, b);

    return order ? order : a < b ? -1 : a > b;
}

void cfg_check_unique(struct cfg_reader *reader, const struct cfg_unique *unique)
{
    struct cfg_unique by = *unique;
    size_t count = 0;

    if (unique->count < 2)
        return;
    const char **items = calloc(unique->count, sizeof *items);
    if (!items) {
        cfg_problem_add(&reader->problems, 0, "out of memory");
        return;
    }
    for (size_t i = 0; i < unique->count; i++) {
        const char *item = (const char *)unique->items + i * unique->size;
        if (unique->present(item))
            items[count++] = item;
    }
    qsort_r(items, count, sizeof items[0], unique_compare, &by);
    for (size_t i = 1, first = 0; i < count; i++) {
        if (unique->compare(items[first], items[i]) == 0)
            unique->report(reader, items[first], items[i]);
        else
            first = i;
    }
    free(items);
}

int cfg_addr_compare(const struct ip_addr *a, const struct ip_addr *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return memcmp(a->octets, b->octets, sizeof a->octets);
}

void cfg_check_dataplane(struct cfg_reader *reader)
{
    const struct cfg_dataplane *dataplane = &reader->cfg->dataplane;
    unsigned line = cfg_line_of(reader, dataplane->workers, 0);

    for (unsigned i = 0; i < dataplane->worker_count; i++) {
        if (dataplane->workers[i] == dataplane->control_lcore)
            cfg_problem_add(&reader->problems, line,
                            "workers: lcore %u is the control thread's; take another one, or set 'control'",
                            dataplane->control_lcore);
    }
}

static bool rule_present(const void *item)
{
    return ((const struct cfg_rule *)item)->rule != NULL;
}

static int rule_compare(const void *a, const void *b)
{
    return fs_rule_compare(((const struct cfg_rule *)a)->rule, ((const struct cfg_rule *)b)->rule);
}

static void rule_again(struct cfg_reader *reader, const void *first, const void *again)
{
    const struct cfg_rule *rule = again;

    cfg_problem_add(&reader->problems, rule->line, "rules: the same match as the rule on line %u",
                    ((const struct cfg_rule *)first)->line);
}

void cfg_check_rules(struct cfg_reader *reader)
{
    const struct cfg *cfg = reader->cfg;
    struct cfg_unique rules = {cfg->rules,   cfg->rule_count, sizeof cfg->rules[0],
                               rule_present, rule_compare,    rule_again};

    cfg_check_unique(reader, &rules);
    if (cfg->dataplane.max_rules > 0 && cfg->rule_count > cfg->dataplane.max_rules)
        cfg_problem_add(&reader->problems, cfg_line_of(reader, &cfg->rules, 0),
                        "rules: %zu rules are more than max-rules in dataplane allows (%u)", cfg->rule_count,
                        cfg->dataplane.max_rules);
}
