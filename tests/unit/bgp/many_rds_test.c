/* SPDX-License-Identifier: BSD-3-Clause */
/* Labelled VPN routes under thousands of route distinguishers: what a question costs, by what it looks at. */
#include <stdlib.h>
#include <string.h>

#include "../cm.h"
#include "bgp/unicast_rib.h"

#define RDS 5000

static const struct bgp_source SOURCE = {.number = 1, .router_id = 1, .address = {IP_V4, {192, 0, 2, 1}}};
static const struct bgp_attrs ATTRS = {.has_origin = true};

static void changed(void *ctx, const struct bgp_route *route, const struct bgp_unicast_path *best)
{
    (void)route;
    (void)best;
    ++*(size_t *)ctx;
}

static bool asked(void *ctx, const struct bgp_attrs *attrs)
{
    (void)attrs;
    ++*(size_t *)ctx;
    return true;
}

/* 0.0.0.0/0 of an RD, or its own 10.x.y.0/24. */
static struct bgp_route route_of(unsigned rd, bool own)
{
    struct bgp_route route = {.family = BGP_IPV4_VPN, .rd = {0, 0, 0xfd, 0xe8, 0, 0, (uint8_t)(rd >> 8), (uint8_t)rd}};

    route.prefix.family = IP_V4;
    if (own)
        route.prefix =
            (struct ip_prefix){.family = IP_V4, .length = 24, .octets = {10, (uint8_t)(rd >> 8), (uint8_t)rd}};
    return route;
}

/* Announced in an order of its own. */
static struct bgp_unicast *filled(size_t *changes, unsigned stride)
{
    static const struct bgp_unicast_ops OPS = {.changed = changed};
    struct bgp_unicast *rib = bgp_unicast_create(&OPS, changes);
    struct bgp_shared_attrs *shared = bgp_unicast_intern(rib, &ATTRS);

    for (unsigned i = 0; i < RDS; i++) {
        for (unsigned own = 0; own < 2; own++) {
            const struct bgp_route route = route_of(i * stride % RDS, own != 0);
            assert_int_equal(bgp_unicast_announce(rib, &SOURCE, &route, shared), 0);
        }
    }
    bgp_unicast_release(rib, shared);
    return rib;
}

static void a_question_looks_at_those_that_hold_the_prefix(void **state)
{
    size_t changes = 0, looked_at = 0;
    struct bgp_unicast *rib = filled(&changes, 1);
    const struct bgp_unicast_scope scope = {.family = BGP_IPV4_VPN, .imports = asked, .ctx = &looked_at};
    struct bgp_unicast_path best;
    struct bgp_route route;

    (void)state;
    for (unsigned rd = 0; rd < RDS; rd++) {
        const struct bgp_route own = route_of(rd, true);
        assert_true(bgp_unicast_match(rib, &scope, &own.prefix, &route, &best));
        assert_int_equal(route.prefix.length, 24);
        assert_memory_equal(route.rd, own.rd, sizeof own.rd);
    }
    assert_int_equal(looked_at, RDS); /* one each, though each RD covers it by its default route */
    looked_at = 0;
    struct ip_prefix some = {.family = IP_V4, .length = 16, .octets = {10, 3}};
    assert_false(bgp_unicast_other_neighbour(rib, &scope, &some, 0, &route, &best)); /* our own AS: no AS path */
    assert_int_equal(looked_at, 256);
    looked_at = 0;
    some.octets[0] = 198;
    assert_true(bgp_unicast_match(rib, &scope, &some, &route, &best));
    assert_int_equal(looked_at, RDS); /* all of them hold it */
    bgp_unicast_free(rib);
}

static void the_answer_does_not_depend_on_the_order_of_arrival(void **state)
{
    static const unsigned STRIDES[] = {1, 3, 7, 4999};
    const struct bgp_unicast_scope scope = {.family = BGP_IPV4_VPN};
    const struct ip_prefix some = {.family = IP_V4, .length = 24, .octets = {198, 51, 100}};
    const struct bgp_route last = route_of(RDS - 1, false);

    (void)state;
    for (size_t i = 0; i < sizeof STRIDES / sizeof STRIDES[0]; i++) {
        size_t changes = 0;
        struct bgp_unicast *rib = filled(&changes, STRIDES[i]);
        struct bgp_unicast_path best;
        struct bgp_route route;
        assert_true(bgp_unicast_match(rib, &scope, &some, &route, &best));
        assert_memory_equal(route.rd, last.rd, sizeof last.rd);
        bgp_unicast_free(rib);
    }
}

static void holders_go_one_by_one(void **state)
{
    size_t changes = 0, looked_at = 0;
    struct bgp_unicast *rib = filled(&changes, 1);
    const struct bgp_unicast_scope scope = {.family = BGP_IPV4_VPN, .imports = asked, .ctx = &looked_at};
    const struct ip_prefix some = {.family = IP_V4, .length = 24, .octets = {198, 51, 100}};
    struct bgp_unicast_path best;
    struct bgp_route route;

    (void)state;
    for (unsigned i = 0; i < RDS; i++) {
        const struct bgp_route whole = route_of(i * 7 % RDS, false), own = route_of(i * 7 % RDS, true);
        assert_true(bgp_unicast_withdraw(rib, &SOURCE, &whole));
        assert_true(bgp_unicast_withdraw(rib, &SOURCE, &own));
        if (i % 50 != 0 && i + 10 < RDS)
            continue;
        looked_at = 0;
        bool found = bgp_unicast_match(rib, &scope, &some, &route, &best);
        assert_true(found == (i + 1 < RDS));
        assert_int_equal(looked_at, RDS - 1 - i);
    }
    assert_int_equal(bgp_unicast_count(rib, BGP_IPV4_VPN), 0);
    assert_int_equal(changes, 4 * RDS);
    bgp_unicast_free(rib);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_looks_at_those_that_hold_the_prefix),
        cmocka_unit_test(the_answer_does_not_depend_on_the_order_of_arrival),
        cmocka_unit_test(holders_go_one_by_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
