/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a rule is said to ask for of protocol and destination port: never less than what it matches, and for single
 * values and narrow ranges not much more.
 */
#include "../cm.h"

#include <stdlib.h>
#include <string.h>

#include "classifier/classifier.h"
#include "classifier/ports.h"
#include "rules.h"

struct fixture {
    struct rcu *rcu;
    struct mem mem;
    struct compiled *rule;
    struct destination destination;
};

static int set_up(void **state)
{
    struct fixture *f = aligned_alloc(MEM_LINE, sizeof *f);

    if (f == NULL)
        return -1;
    memset(f, 0, sizeof *f);
    f->rcu = rcu_create(1);
    f->mem.rcu = f->rcu;
    arena_init(&f->mem.arena, &cls_system_memory);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    rcu_free(f->rcu);
    arena_fini(&f->mem.arena);
    free(f);
    return 0;
}

/* The destination of this rule alone. */
static void rule_set(struct fixture *f, const char *text)
{
    struct fs_rule *rule = rule_of(text);

    f->rule = compiled_create(&f->mem, 1, rule);
    assert_non_null(f->rule);
    fs_rule_free(rule);
    f->destination.ports = ports_of(f->rule);
    f->destination.ranges = ports_ranges_of(f->rule);
}

static void rule_drop(struct fixture *f)
{
    compiled_free(&f->mem, f->rule);
}

static void no_packet_that_matches_is_denied(void **state)
{
    static const char *const RULES[] = {
        "destination 203.0.113.0/24",
        "destination 203.0.113.0/24 protocol =tcp",
        "destination 203.0.113.0/24 protocol =tcp destination-port =80",
        "destination 203.0.113.0/24 protocol =tcp destination-port =22,=443,=8080,=65535",
        "destination 203.0.113.0/24 protocol =tcp,=udp destination-port =53,=5353",
        "destination 203.0.113.0/24 protocol =udp destination-port >=4090&<=12290",
        "destination 203.0.113.0/24 protocol =udp destination-port >=30000&<=30010,=53",
        "destination 203.0.113.0/24 protocol =udp destination-port !=53",
        "destination 203.0.113.0/24 protocol =udp port =53",
        "destination 203.0.113.0/24 destination-port >60000",
        "destination 203.0.113.0/24 protocol !=tcp destination-port <100",
    };
    static const uint8_t PROTOCOLS[] = {1, 6, 17, 132};
    struct fixture *f = *state;
    struct pkt_key key = udp4_key();

    for (unsigned r = 0; r < sizeof RULES / sizeof RULES[0]; r++) {
        unsigned matches = 0;
        rule_set(f, RULES[r]);
        for (uint32_t i = 0; i < sizeof PROTOCOLS << 16; i++) {
            key.protocol = PROTOCOLS[i >> 16];
            key.dst_port = (uint16_t)i;
            if (!cls_rule_matches(f->rule->rule, &key))
                continue;
            matches++;
            if (!destination_has_ports(&f->destination, key.protocol, key.dst_port))
                fail_msg("'%s' denies protocol %u port %u", RULES[r], key.protocol, key.dst_port);
        }
        assert_true(matches > 0);
        rule_drop(f);
    }
}

static void most_others_are_denied(void **state)
{
    struct fixture *f = *state;
    unsigned others = 0;

    rule_set(f, "destination 203.0.113.0/24 protocol =tcp destination-port =22,=443,=993");
    for (uint32_t port = 0; port <= UINT16_MAX; port++)
        others += destination_has_ports(&f->destination, 6, (uint16_t)port);
    assert_in_range(others, 3, 4096 / 16 * 3 + 100); /* of one range, three bits in sixteen */
    rule_drop(f);
    rule_set(f, "destination 203.0.113.0/24 protocol =tcp destination-port >=8000&<=8300");
    assert_true(destination_has_ports(&f->destination, 6, 8100));
    assert_true(destination_has_ports(&f->destination, 6, 8200)); /* beyond 8191 */
    assert_false(destination_has_ports(&f->destination, 6, 443));
    assert_false(destination_has_ports(&f->destination, 6, 50000));
    assert_int_equal(ports_pair_of(f->rule), 0);
    rule_drop(f);
    rule_set(f, "destination 203.0.113.0/24 protocol =tcp destination-port =80");
    assert_int_equal(ports_pair_of(f->rule), fine_pair(6, 80));
    rule_drop(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_packet_that_matches_is_denied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(most_others_are_denied, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
