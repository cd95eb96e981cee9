/* SPDX-License-Identifier: BSD-3-Clause */
/* Next hops that come and go under the unicast RIB: RFC 4271 9.1.2, 9.1.2.1, 9.1.2.2 e. */
#include "../cm.h"

#include <stdio.h>
#include <string.h>

#include "bgp/communities.h"
#include "bgp/unicast_rib.h"

#define HOPS 4

/* What is known of next hops 192.0.2.0 to .3, and what the RIB told. */
static struct {
    struct bgp_unicast *rib;
    struct bgp_reach reach[HOPS];
    unsigned asked, changed, unsteady;
    const struct bgp_source *best; /* of the prefix told of last; NULL: no route */
    char prefix[IP_TEXT_SIZE];
} net;

static struct bgp_source one = {.number = 1, .router_id = 1, .address = {IP_V4, {10, 0, 0, 1}}};
static struct bgp_source two = {.number = 2, .router_id = 2, .address = {IP_V4, {10, 0, 0, 2}}};

static void on_changed(void *ctx, const struct bgp_route *route, const struct bgp_unicast_path *best)
{
    (void)ctx;
    net.changed++;
    net.best = best != NULL ? best->source : NULL;
    ip_prefix_format(&route->prefix, net.prefix);
}

static void on_ask(void *ctx, const struct ip_addr *address, struct bgp_reach *out)
{
    (void)ctx;
    net.asked++;
    *out = net.reach[address->octets[3] % HOPS];
}

static void on_told(void *ctx, const struct ip_addr *address, const struct bgp_reach *now, bool unsteady)
{
    (void)ctx;
    (void)address;
    (void)now;
    net.unsteady += unsteady;
}

static int set_up(void **state)
{
    static const struct bgp_unicast_ops OPS = {.changed = on_changed};
    static const struct bgp_reach_ops REACH = {.ask = on_ask, .told = on_told};

    (void)state;
    memset(&net, 0, sizeof net);
    for (unsigned i = 0; i < HOPS; i++)
        net.reach[i].own_max = UINT8_MAX;
    one.next_hops_judged = two.next_hops_judged = true;
    one.blackholes = two.blackholes = false;
    net.rib = bgp_unicast_create(&OPS, NULL);
    bgp_unicast_reach_by(net.rib, &REACH, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bgp_unicast_source_down(net.rib, &one);
    bgp_unicast_source_down(net.rib, &two);
    assert_int_equal(bgp_unicast_next_hops(net.rib), 0);
    bgp_unicast_free(net.rib);
    return 0;
}

static void lose(unsigned hop)
{
    net.reach[hop] = (struct bgp_reach){.unreachable = true, .metric = BGP_METRIC_UNKNOWN, .why = "no route"};
}

static void find(unsigned hop, uint32_t metric)
{
    net.reach[hop] = (struct bgp_reach){.metric = metric, .own_max = UINT8_MAX, .why = ""};
}

static struct bgp_route route_of(const char *prefix)
{
    struct bgp_route route = {.family = BGP_IPV4_UNICAST};

    assert_true(ip_prefix_parse(prefix, &route.prefix));
    return route;
}

static void announce_set(const struct bgp_source *source, const char *prefix, const struct bgp_attrs *attrs)
{
    const struct bgp_route route = route_of(prefix);
    struct bgp_shared_attrs *shared = bgp_unicast_intern(net.rib, attrs);

    assert_non_null(shared);
    assert_int_equal(bgp_unicast_announce(net.rib, source, &route, shared), 0);
    bgp_unicast_release(net.rib, shared);
}

static struct bgp_attrs attrs_over(unsigned hop)
{
    return (struct bgp_attrs){.has_origin = true, .next_hop = {IP_V4, {192, 0, 2, (uint8_t)hop}}};
}

static void announce(const struct bgp_source *source, const char *prefix, unsigned hop)
{
    const struct bgp_attrs attrs = attrs_over(hop);

    announce_set(source, prefix, &attrs);
}

static void withdraw(const struct bgp_source *source, const char *prefix)
{
    const struct bgp_route route = route_of(prefix);

    assert_true(bgp_unicast_withdraw(net.rib, source, &route));
}

/* Everything is asked about and decided again, in slices of one next hop and one path. */
static void settle(void)
{
    unsigned turns = 0;

    bgp_unicast_reach_again(net.rib);
    while (bgp_unicast_reach_run(net.rib, 1, 1))
        assert_true(++turns < 10000);
}

static const struct bgp_source *best_for(const char *prefix, const char *found_as)
{
    const struct bgp_unicast_scope scope = {.family = BGP_IPV4_UNICAST};
    const struct bgp_route at = route_of(prefix);
    struct bgp_unicast_path best;
    struct bgp_route found;
    char text[IP_TEXT_SIZE];

    if (!bgp_unicast_match(net.rib, &scope, &at.prefix, &found, &best))
        return NULL;
    assert_string_equal(ip_prefix_format(&found.prefix, text), found_as);
    return best.source;
}

/* conforms: RFC 4271 proves 3.2-1 9.1.2-1 9.1.2.1-1 refuses 9.1.2-1 */
static void a_route_without_a_way_is_kept_and_left_out(void **state)
{
    (void)state;
    lose(1);
    announce(&one, "198.18.0.0/16", 0);
    announce(&one, "198.18.7.0/24", 1);
    assert_null(net.best);
    assert_string_equal(net.prefix, "198.18.7.0/24");
    assert_int_equal(bgp_unicast_source_count(net.rib, &one, BGP_IPV4_UNICAST), 2);
    assert_int_equal(bgp_unicast_source_unreachable(net.rib, &one), 1);
    assert_ptr_equal(best_for("198.18.7.1/32", "198.18.0.0/16"), &one); /* the best match passes it over */
    announce(&two, "198.18.7.0/24", 2);
    assert_ptr_equal(net.best, &two);
    withdraw(&two, "198.18.7.0/24");
    assert_null(net.best);
    withdraw(&one, "198.18.7.0/24");
    assert_int_equal(bgp_unicast_source_unreachable(net.rib, &one), 0);
}

/* conforms: RFC 4271 proves 9.1.2-1 9.1.2-3 */
static void a_next_hop_that_goes_takes_its_routes_along_and_brings_them_back(void **state)
{
    static const char *const PREFIXES[] = {"198.18.0.0/24", "198.18.1.0/24", "198.18.2.0/24", "198.18.3.0/24"};

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        announce(&one, PREFIXES[i], 0);
    announce(&two, PREFIXES[0], 3);
    announce(&two, "203.0.113.0/24", 3);
    assert_ptr_equal(best_for(PREFIXES[0], PREFIXES[0]), &one);
    net.changed = 0;
    settle();
    assert_int_equal(net.changed, 0); /* nothing has changed */
    lose(0);
    settle();
    assert_int_equal(net.changed, 4); /* and of those over another next hop nobody hears */
    assert_int_equal(bgp_unicast_source_unreachable(net.rib, &one), 4);
    assert_ptr_equal(best_for(PREFIXES[0], PREFIXES[0]), &two);
    assert_null(best_for(PREFIXES[1], ""));
    find(0, 0);
    settle();
    assert_int_equal(net.changed, 8);
    assert_ptr_equal(best_for(PREFIXES[0], PREFIXES[0]), &one);
    assert_ptr_equal(best_for(PREFIXES[3], PREFIXES[3]), &one);
    assert_int_equal(bgp_unicast_source_unreachable(net.rib, &one), 0);
}

/* conforms: RFC 4271 proves 9.1.2.2-1 9.1.2-3 */
static void the_nearer_next_hop_wins_and_an_unknown_distance_decides_nothing(void **state)
{
    (void)state;
    find(0, 20);
    find(1, 10);
    announce(&one, "198.18.0.0/16", 0);
    announce(&two, "198.18.0.0/16", 1);
    assert_ptr_equal(net.best, &two);
    find(1, 30);
    settle();
    assert_ptr_equal(net.best, &one);
    find(1, 10);
    settle();
    assert_ptr_equal(net.best, &two);
    find(0, BGP_METRIC_UNKNOWN); /* e) is skipped: the router id decides */
    settle();
    assert_ptr_equal(net.best, &one);
}

static void paths_that_come_and_go_between_two_slices_are_right(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 9; i++) {
        char prefix[IP_TEXT_SIZE];
        snprintf(prefix, sizeof prefix, "198.18.%u.0/24", i);
        announce(&one, prefix, 0);
    }
    lose(0);
    bgp_unicast_reach_again(net.rib);
    assert_true(bgp_unicast_reach_run(net.rib, 1, 3)); /* the three that came last */
    assert_int_equal(bgp_unicast_source_unreachable(net.rib, &one), 3);
    withdraw(&one, "198.18.5.0/24"); /* the next one to be looked at */
    announce(&one, "198.18.4.0/24", 1);
    announce(&one, "198.18.9.0/24", 0);
    withdraw(&one, "198.18.8.0/24"); /* one that was */
    while (bgp_unicast_reach_run(net.rib, 1, 1))
        ;
    assert_int_equal(bgp_unicast_source_unreachable(net.rib, &one), 7);
    assert_ptr_equal(best_for("198.18.4.0/24", "198.18.4.0/24"), &one);
    assert_null(best_for("198.18.9.0/24", ""));
    assert_null(best_for("198.18.0.0/24", ""));
}

static void a_source_that_is_not_judged_and_a_blackhole_count_in_any_case(void **state)
{
    static const uint8_t COMMUNITY[] = {0xff, 0xff, 0x02, 0x9a};
    struct bgp_attrs attrs = attrs_over(0);

    (void)state;
    lose(0);
    attrs.communities = COMMUNITY;
    attrs.communities_len = sizeof COMMUNITY;
    announce_set(&one, "198.18.0.1/32", &attrs);
    assert_null(net.best); /* of this peer the community means nothing here */
    one.blackholes = true;
    announce_set(&one, "198.18.0.2/32", &attrs);
    assert_ptr_equal(net.best, &one);
    two.next_hops_judged = false;
    announce(&two, "198.18.1.0/24", 0);
    assert_ptr_equal(net.best, &two);
    settle();
    assert_int_equal(bgp_unicast_source_unreachable(net.rib, &two), 0);
}

/* conforms: RFC 4271 proves 9.1.2.1-3 */
static void a_way_that_keeps_turning_over_bgp_is_left_out_until_it_is_forgiven(void **state)
{
    (void)state;
    announce(&one, "198.18.0.0/16", 0);
    for (unsigned i = 0; i <= BGP_REACH_CHANGES_MAX; i++) {
        if (i % 2 == 0)
            lose(0);
        else
            find(0, 0);
        net.reach[0].over_bgp = true;
        settle();
    }
    assert_int_equal(net.unsteady, 1);
    find(0, 0);
    settle();
    assert_null(net.best);
    bgp_unicast_reach_forgive(net.rib);
    settle();
    assert_ptr_equal(net.best, &one);
}

/* conforms: RFC 4271 proves 9.1.2.1-1 */
static void a_route_that_would_be_the_way_to_itself_is_left_out_alone(void **state)
{
    (void)state;
    find(1, 0);
    net.reach[1].own_max = 16; /* 192.0.0.0/16 or so leads to the next hop */
    announce(&one, "192.0.2.0/24", 1);
    assert_null(net.best);
    announce(&one, "192.0.2.0/24", 0); /* on the network of a port */
    assert_ptr_equal(net.best, &one);
    announce(&one, "198.18.0.0/24", 1);
    assert_ptr_equal(net.best, &one);
    announce(&one, "192.0.0.0/8", 1);
    assert_ptr_equal(net.best, &one);
    find(1, 0);
    net.reach[1].own_max = 0;
    net.best = &two;
    settle();
    assert_null(best_for("192.0.9.1/32", ""));
    assert_ptr_equal(best_for("198.18.0.0/24", "198.18.0.0/24"), &one);
    find(1, 0);
    net.reach[1].own_max = 32;
    settle();
    assert_ptr_equal(best_for("192.0.9.1/32", "192.0.0.0/8"), &one);
}

static void a_next_hop_is_asked_about_once_however_many_routes_lead_over_it(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        struct bgp_attrs attrs = attrs_over(0);
        char prefix[IP_TEXT_SIZE];
        attrs.has_med = true;
        attrs.med = i;
        snprintf(prefix, sizeof prefix, "198.18.%u.0/24", i);
        announce_set(&one, prefix, &attrs);
    }
    assert_int_equal(net.asked, 1);
    assert_int_equal(bgp_unicast_next_hops(net.rib), 1);
}

#define REACH_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REACH_TEST(a_route_without_a_way_is_kept_and_left_out),
        REACH_TEST(a_next_hop_that_goes_takes_its_routes_along_and_brings_them_back),
        REACH_TEST(the_nearer_next_hop_wins_and_an_unknown_distance_decides_nothing),
        REACH_TEST(paths_that_come_and_go_between_two_slices_are_right),
        REACH_TEST(a_source_that_is_not_judged_and_a_blackhole_count_in_any_case),
        REACH_TEST(a_way_that_keeps_turning_over_bgp_is_left_out_until_it_is_forgiven),
        REACH_TEST(a_route_that_would_be_the_way_to_itself_is_left_out_alone),
        REACH_TEST(a_next_hop_is_asked_about_once_however_many_routes_lead_over_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
