/* SPDX-License-Identifier: BSD-3-Clause */
/* Replicas of the match structure by NUMA node. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/match_nodes.h"

static void workers_of_one_node_share_one(void **state)
{
    struct match_nodes nodes = {0};

    (void)state;
    match_nodes_add(&nodes, 0);
    match_nodes_add(&nodes, 0);
    struct cls_conf conf = match_nodes_conf(&nodes, (struct cls_conf){.engine = CLS_FAST, .memory_bytes = 5});
    assert_int_equal(conf.replicas, 1);
    assert_null(conf.memory);
    assert_int_equal(conf.memory_bytes, 5);
    assert_int_equal(match_nodes_replica(&nodes, 0), 0);
}

static void each_node_has_its_own(void **state)
{
    struct match_nodes nodes = {0};

    (void)state;
    match_nodes_add(&nodes, 1);
    match_nodes_add(&nodes, 0);
    match_nodes_add(&nodes, 1);
    assert_int_equal(nodes.count, 2);
    assert_int_equal(match_nodes_replica(&nodes, 1), 0);
    assert_int_equal(match_nodes_replica(&nodes, 0), 1);
    assert_int_equal(match_nodes_replica(&nodes, 7), 0);
    for (int node = 2; node < 20; node++)
        match_nodes_add(&nodes, node);
    assert_int_equal(nodes.count, CLS_REPLICAS_MAX);
    assert_int_equal(match_nodes_replica(&nodes, 19), 0);
}

/* Of node 0, which every machine has, and of no node in particular. */
static void a_classifier_lives_in_their_memory(void **state)
{
    struct match_nodes nodes = {0};
    struct rcu *rcu = rcu_create(1);

    (void)state;
    match_nodes_add(&nodes, 0);
    match_nodes_add(&nodes, -1);
    struct cls_conf conf = match_nodes_conf(&nodes, (struct cls_conf){.engine = CLS_FAST, .rcu = rcu});
    struct cls *cls = cls_create(&conf);
    assert_non_null(cls);
    assert_int_equal(cls_replicas(cls), 2);
    cls_free(cls);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *memory = nodes.memory[i].take(nodes.memory[i].ctx, 3u << 20);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % CLS_MEMORY_ALIGN, 0);
        assert_int_equal(memory[(3u << 20) - 1], 0);
        memset(memory, 1, 3u << 20);
        nodes.memory[i].give(nodes.memory[i].ctx, memory, 3u << 20);
    }
    rcu_free(rcu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_of_one_node_share_one),
        cmocka_unit_test(each_node_has_its_own),
        cmocka_unit_test(a_classifier_lives_in_their_memory),
    };

    return cmocka_run_group_tests_name("match_nodes", tests, NULL, NULL);
}
