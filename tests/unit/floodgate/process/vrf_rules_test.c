/* SPDX-License-Identifier: BSD-3-Clause */
/* The classifiers of all VRFs have one limit of memory between them. */
#include "cm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "conf/conf.h"
#include "dataplane/vrf_rules.h"
#include "flowspec/text.h"

#define VRFS    4
#define ROOM    (256u << 10)
#define RULES   20000u
#define NO_RULE UINT32_MAX

static struct vrf_rules *rules_create(struct rcu *rcu, size_t limit)
{
    static char names[VRFS][2] = {"a", "b", "c", "d"};
    struct cfg_vrf vrfs[VRFS] = {{.name = names[0]}, {.name = names[1]}, {.name = names[2]}, {.name = names[3]}};
    const struct cfg cfg = {.vrfs = vrfs, .vrf_count = VRFS};
    struct vrf_rules *rules =
        vrf_rules_create(&cfg, &(struct cls_conf){.engine = CLS_FAST, .rcu = rcu, .memory_bytes = limit});

    assert_non_null(rules);
    return rules;
}

static size_t sum_of(const struct vrf_rules *rules)
{
    struct cls_stats stats;
    size_t sum = 0;

    for (uint16_t vrf = 0; vrf < rules->count; vrf++) {
        cls_stats_get(rules->cls[vrf], &stats);
        sum += stats.memory_bytes;
    }
    return sum;
}

static int place(struct vrf_rules *rules, uint32_t id, uint16_t vrf)
{
    struct vrf_set *set = calloc(1, sizeof *set + sizeof set->numbers[0]);
    struct fs_actions actions;
    struct fs_rule *rule = NULL;
    struct fs_text_error why;
    char text[64];

    assert_non_null(set);
    set->count = 1;
    set->numbers[0] = vrf;
    snprintf(text, sizeof text, "match destination 10.%u.%u.%u/32", id >> 16, id >> 8 & 255, id & 255);
    assert_true(fs_text_parse(text, &rule, &actions, &why));
    int error = vrf_rules_place(rules, id, rule, vrf == 0 ? NULL : set);
    fs_rule_free(rule);
    free(set);
    return error;
}

/* The first of the VRF's rules that is refused. */
static uint32_t fill(struct vrf_rules *rules, uint32_t from, uint16_t vrf)
{
    for (uint32_t id = from; id < from + RULES; id++) {
        int error = place(rules, id, vrf);
        if (error == -ENOMEM)
            return id;
        assert_int_equal(error, 0);
    }
    return NO_RULE;
}

#define LITTLE (16u << 20) /* memory of which empty classifiers take as little as they can */

static void all_vrfs_share_one_limit(void **state)
{
    (void)state;
    struct rcu *rcu = rcu_create(1);
    struct vrf_rules *rules = rules_create(rcu, LITTLE);
    size_t limit = sum_of(rules) + ROOM;
    assert_int_equal(rules->memory_bytes, sum_of(rules));
    vrf_rules_free(rules);

    rules = rules_create(rcu, limit);
    uint32_t full = fill(rules, 1, 1);
    assert_in_range(full, 100, RULES);
    for (uint16_t vrf = 0; vrf <= VRFS; vrf++) /* nothing is left for the others, but what the last did not fit into */
        if (vrf != 1)
            assert_in_range(fill(rules, (vrf + 2u) * RULES, vrf), (vrf + 2u) * RULES, (vrf + 2u) * RULES + full / 10);
    assert_int_equal(rules->memory_bytes, sum_of(rules));
    assert_in_range(rules->memory_bytes, 1, limit);
    /* what one gives back another may take, at once: nobody reads */
    for (uint32_t id = 1; id < full; id++)
        vrf_rules_remove(rules, id);
    assert_int_equal(place(rules, 10 * RULES, 2), 0);
    vrf_rules_free(rules);
    rcu_free(rcu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_vrfs_share_one_limit)};

    return cmocka_run_group_tests_name("vrf rules", tests, NULL, NULL);
}
