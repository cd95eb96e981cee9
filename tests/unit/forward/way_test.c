/* SPDX-License-Identifier: BSD-3-Clause */
/* Ways to gateways: found at once, on a port of their own, and there to the end of a worker's burst. */
#include "../cm.h"

#include <string.h>

#include "forward/forward.h"
#include "forward/way.h"

static const uint8_t MAC[6] = {2, 0, 0, 0, 0, 9};

static struct fwd *fwd;
static struct rcu *rcu;
static unsigned asked_port;

static void on_solicit(void *ctx, uint16_t port, const struct ip_addr *address, const uint8_t *mac)
{
    (void)ctx;
    (void)address;
    (void)mac;
    asked_port = port;
}

static void on_release(void *ctx, void *packet, uint16_t port, const uint8_t *mac)
{
    (void)ctx;
    (void)packet;
    (void)port;
    (void)mac;
}

static void on_drop(void *ctx, void *packet)
{
    (void)ctx;
    (void)packet;
}

static struct ip_addr addr(const char *text)
{
    struct ip_addr address;

    assert_true(ip_addr_parse(text, &address));
    return address;
}

static void own(uint16_t port, const char *text, uint8_t length)
{
    struct ip_prefix prefix;

    assert_true(ip_prefix_parse(text, &prefix));
    prefix.length = length;
    assert_int_equal(fwd_address_add(fwd, port, &prefix), 0);
}

static int set_up(void **state)
{
    static const uint16_t VRFS[2] = {FWD_VRF_DEFAULT, FWD_VRF_DEFAULT};
    static const struct fwd_ops OPS = {.solicit = on_solicit, .release = on_release, .drop = on_drop};
    struct fwd_conf conf = {.vrf_count = 1, .port_count = 2, .port_vrfs = VRFS};

    (void)state;
    rcu = conf.rcu = rcu_create(1);
    fwd = fwd_create(&conf, &OPS, NULL);
    assert_non_null(fwd);
    own(0, "198.51.100.1/32", 24);
    own(1, "2001:db8:7::1/128", 64);
    fwd_settle(fwd);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fwd_free(fwd);
    rcu_free(rcu);
    return 0;
}

static const struct fwd_hop *hop_to(const char *text)
{
    const struct ip_addr to = addr(text);
    uint32_t number = fwd_fib_lookup(fwd_fib_of(fwd, FWD_VRF_DEFAULT, to.family), to.octets);

    return fwd_hop_choose(fwd_hops_of(fwd), number, 0);
}

static void route(const char *prefix, const struct ip_addr *gateways, unsigned count)
{
    struct ip_prefix to;

    assert_true(ip_prefix_parse(prefix, &to));
    assert_int_equal(fwd_route_set(fwd, FWD_VRF_DEFAULT, &to, FWD_FROM_STATIC, gateways, count), 0);
}

static void a_route_to_a_new_gateway_leads_there_at_once(void **state)
{
    const struct ip_addr first = addr("198.51.100.2"), both[] = {addr("198.51.100.3"), addr("198.51.100.4")};

    (void)state;
    assert_int_equal(fwd_neighbor_set(fwd, 0, &first, MAC), 0);
    assert_int_equal(fwd_neighbor_set(fwd, 0, &both[0], MAC), 0);
    assert_int_equal(fwd_neighbor_set(fwd, 0, &both[1], MAC), 0);
    route("10.0.0.0/8", &first, 1);
    assert_int_equal(hop_to("10.1.1.1")->kind, FWD_SEND); /* no fwd_settle yet */
    route("10.0.0.0/8", both, 2);
    assert_int_equal(hop_to("10.1.1.1")->kind, FWD_SEND);
    assert_int_equal(hop_to("10.1.1.1")->address.octets[3], 3);
    const struct ip_addr nowhere = addr("192.0.2.1");
    route("10.0.0.0/8", &nowhere, 1);
    assert_int_equal(hop_to("10.1.1.1")->kind, FWD_UNREACHABLE);
}

static void a_hop_that_goes_serves_those_who_hold_its_number(void **state)
{
    const struct ip_addr gateway = addr("198.51.100.2"), to = addr("10.1.1.1");
    struct ip_prefix prefix;

    (void)state;
    assert_int_equal(fwd_neighbor_set(fwd, 0, &gateway, MAC), 0);
    route("10.0.0.0/8", &gateway, 1);
    rcu_reader_online(rcu, 0);
    uint32_t number = fwd_fib_lookup(fwd_fib_of(fwd, FWD_VRF_DEFAULT, IP_V4), to.octets);
    assert_true(ip_prefix_parse("10.0.0.0/8", &prefix));
    fwd_route_clear(fwd, FWD_VRF_DEFAULT, &prefix, FWD_FROM_STATIC);
    rcu_reclaim(rcu);
    fwd_settle(fwd);
    rcu_reclaim(rcu);
    assert_int_equal(fwd_hop_of(fwd_hops_of(fwd), number)->kind, FWD_SEND); /* the burst is not over */
    rcu_quiescent(rcu, 0);
    rcu_reclaim(rcu);
    assert_int_equal(fwd_hop_of(fwd_hops_of(fwd), number)->kind, FWD_UNREACHABLE);
    rcu_reader_offline(rcu, 0);
}

/* A gateway that is reached by several ways has their numbers until fwd_settle: workers come by it meanwhile. */
static void a_way_that_others_still_lead_to_is_there_to_the_end_of_a_burst(void **state)
{
    const struct ip_addr both[] = {addr("198.51.100.3"), addr("198.51.100.4")}, over = addr("10.1.1.1");
    struct ip_prefix prefix;

    (void)state;
    assert_int_equal(fwd_neighbor_set(fwd, 0, &both[0], MAC), 0);
    assert_int_equal(fwd_neighbor_set(fwd, 0, &both[1], MAC), 0);
    assert_true(ip_prefix_parse("10.0.0.0/8", &prefix));
    route("10.0.0.0/8", both, 2);
    route("192.0.2.0/24", &over, 1);
    rcu_reader_online(rcu, 0);
    fwd_route_clear(fwd, FWD_VRF_DEFAULT, &prefix, FWD_FROM_STATIC);
    rcu_quiescent(rcu, 0);
    const struct fwd_hop *held = hop_to("192.0.2.1");
    const struct fwd_hop before = *held;
    rcu_reclaim(rcu);
    const struct fwd_hop after = *held;
    rcu_quiescent(rcu, 0);
    rcu_reader_offline(rcu, 0);
    assert_int_equal(before.kind, FWD_SEND);
    assert_memory_equal(&before, &after, sizeof before);
    fwd_settle(fwd);
    assert_int_equal(hop_to("192.0.2.1")->kind, FWD_UNREACHABLE);
}

/* Nobody else gets the number of such a way until those who lead to it have been found anew. */
static void a_way_that_others_still_lead_to_is_nobody_elses(void **state)
{
    static const uint8_t OTHER[6] = {2, 0, 0, 0, 0, 66};
    const struct ip_addr both[] = {addr("198.51.100.3"), addr("198.51.100.4")}, over = addr("10.1.1.1");
    const struct ip_addr strangers[] = {addr("198.51.100.66"), addr("198.51.100.67"), addr("198.51.100.68")};
    static const char *const ELSEWHERE[] = {"172.16.0.0/16", "172.17.0.0/16", "172.18.0.0/16"};
    struct ip_prefix prefix;

    (void)state;
    assert_int_equal(fwd_neighbor_set(fwd, 0, &both[0], MAC), 0);
    assert_int_equal(fwd_neighbor_set(fwd, 0, &both[1], MAC), 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(fwd_neighbor_set(fwd, 0, &strangers[i], OTHER), 0);
    assert_true(ip_prefix_parse("10.0.0.0/8", &prefix));
    route("10.0.0.0/8", both, 2);
    route("192.0.2.0/24", &over, 1);
    fwd_route_clear(fwd, FWD_VRF_DEFAULT, &prefix, FWD_FROM_STATIC);
    rcu_synchronize(rcu);
    for (unsigned i = 0; i < 3; i++) {
        route(ELSEWHERE[i], &strangers[i], 1);
        assert_memory_equal(hop_to("192.0.2.1")->mac, MAC, sizeof MAC);
    }
    fwd_settle(fwd);
    assert_int_equal(hop_to("192.0.2.1")->kind, FWD_UNREACHABLE);
    assert_memory_equal(hop_to("172.18.0.1")->mac, OTHER, sizeof OTHER);
}

/* What is given back comes back: a router whose routes flap for years does not run out of numbers. */
static void numbers_come_back(void **state)
{
    const struct ip_addr ways[] = {addr("198.51.100.3"), addr("198.51.100.4")};
    struct ip_prefix prefix;

    (void)state;
    assert_true(ip_prefix_parse("10.0.0.0/8", &prefix));
    for (unsigned i = 0; i < 100000; i++) {
        route("10.0.0.0/8", ways, 2);
        fwd_route_clear(fwd, FWD_VRF_DEFAULT, &prefix, FWD_FROM_STATIC);
        fwd_settle(fwd);
        rcu_reclaim(rcu);
    }
}

static void a_link_local_gateway_is_on_its_port(void **state)
{
    const struct ip_addr gateways[] = {addr("fe80::9"), addr("fe80::9")};
    const uint16_t ports[] = {1, 0};
    struct ip_prefix prefix;
    static char packet;

    (void)state;
    assert_true(ip_prefix_parse("2001:db8:9::/48", &prefix));
    assert_int_equal(fwd_route_set_on(fwd, FWD_VRF_DEFAULT, &prefix, FWD_FROM_STATIC, gateways, ports, 1), 0);
    assert_int_equal(hop_to("2001:db8:9::1")->kind, FWD_RESOLVE);
    assert_int_equal(hop_to("2001:db8:9::1")->port, 1);
    fwd_neighbor_hold(fwd, 1, &gateways[0], &packet, 0);
    assert_int_equal(asked_port, 1);
    fwd_neighbor_learn(fwd, 1, &gateways[0], MAC, FWD_LEARN_ANSWER, 1);
    fwd_settle(fwd);
    assert_int_equal(hop_to("2001:db8:9::1")->kind, FWD_SEND);
    /* the same address on another port is another neighbour */
    assert_int_equal(fwd_route_set_on(fwd, FWD_VRF_DEFAULT, &prefix, FWD_FROM_STATIC, gateways + 1, ports + 1, 1), 0);
    assert_int_equal(hop_to("2001:db8:9::1")->kind, FWD_RESOLVE);
    assert_int_equal(hop_to("2001:db8:9::1")->port, 0);
    /* a route over it, too */
    const struct ip_addr far = addr("2001:db8:9::1");
    route("2001:db8:a::/48", &far, 1);
    assert_int_equal(hop_to("2001:db8:a::1")->kind, FWD_RESOLVE);
    assert_int_equal(hop_to("2001:db8:a::1")->address.octets[15], 9);
}

static void bgp(const char *prefix, const char *over)
{
    const struct ip_addr gateway = addr(over);
    struct ip_prefix to;

    assert_true(ip_prefix_parse(prefix, &to));
    assert_int_equal(fwd_route_set(fwd, FWD_VRF_DEFAULT, &to, FWD_FROM_BGP, &gateway, 1), 0);
}

static struct fwd_way way_to(const char *text)
{
    const struct ip_addr to = addr(text);
    struct fwd_way way;

    fwd_way_find(fwd, FWD_VRF_DEFAULT, &to, &way);
    return way;
}

static void the_way_to_an_address_is_told_with_what_it_leads_over(void **state)
{
    const struct ip_addr near = addr("198.51.100.2"), away = addr("10.9.9.9"), both[] = {away, near};
    uint64_t changes = fwd_route_changes(fwd);

    (void)state;
    assert_int_equal(way_to("10.1.1.1").end, FWD_WAY_NO_ROUTE);
    assert_int_equal(way_to("198.51.100.1").end, FWD_WAY_SELF);
    assert_int_equal(way_to("198.51.100.7").end, FWD_WAY_PORT);
    assert_int_equal(way_to("198.51.100.7").source, FWD_FROM_CONNECTED);
    assert_int_equal(way_to("198.51.100.7").own_max, UINT8_MAX);
    assert_int_equal(way_to("2001:db8:7::9").port, 1);
    route("10.1.0.0/16", &near, 1);
    assert_true(fwd_route_changes(fwd) > changes);
    bgp("10.2.0.0/16", "10.1.1.1");
    struct fwd_way way = way_to("10.2.0.1");
    assert_int_equal(way.end, FWD_WAY_PORT);
    assert_true(way.over_bgp);
    assert_int_equal(way.source, FWD_FROM_STATIC); /* whose cost is that of the way */
    assert_int_equal(way.prefix.length, 16);
    assert_int_equal(way.prefix.octets[1], 1);
    assert_false(way_to("10.1.0.1").over_bgp);
    route("10.3.0.0/16", both, 2); /* one of its gateways is enough */
    assert_int_equal(way_to("10.3.0.1").end, FWD_WAY_PORT);
    route("10.4.0.0/16", NULL, 0);
    bgp("10.5.0.0/16", "10.4.0.1");
    assert_int_equal(way_to("10.5.0.1").end, FWD_WAY_BLACKHOLE);
}

/* RFC 4271 9.1.2.1 */
static void routes_that_lead_over_themselves_or_one_another_are_no_way(void **state)
{
    const struct ip_addr near = addr("198.51.100.2");

    (void)state;
    bgp("10.0.0.0/8", "10.0.0.1");
    assert_int_equal(way_to("10.0.0.1").end, FWD_WAY_NO_ROUTE);
    route("0.0.0.0/0", &near, 1);
    assert_int_equal(way_to("10.0.0.1").end, FWD_WAY_PORT); /* with or without the first */
    assert_int_equal(way_to("10.0.0.1").own_max, 0);
    bgp("172.16.0.0/16", "172.17.0.1");
    bgp("172.17.0.0/16", "172.16.0.1");
    assert_int_equal(way_to("172.16.0.9").end, FWD_WAY_LOOP);
    assert_true(way_to("172.16.0.9").over_bgp);
}

#define WAY_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WAY_TEST(a_route_to_a_new_gateway_leads_there_at_once),
        WAY_TEST(a_hop_that_goes_serves_those_who_hold_its_number),
        WAY_TEST(a_way_that_others_still_lead_to_is_there_to_the_end_of_a_burst),
        WAY_TEST(a_way_that_others_still_lead_to_is_nobody_elses),
        WAY_TEST(numbers_come_back),
        WAY_TEST(a_link_local_gateway_is_on_its_port),
        WAY_TEST(the_way_to_an_address_is_told_with_what_it_leads_over),
        WAY_TEST(routes_that_lead_over_themselves_or_one_another_are_no_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
