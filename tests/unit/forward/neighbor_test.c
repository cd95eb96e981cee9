/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbours: ask, hold, answer, release, age, give up. What lib/forward asks for is recorded. */
#include "../cm.h"

#include <string.h>

#include "forward/forward.h"

#define PORT 1

static const uint8_t MAC[6] = {2, 0, 0, 0, 0, 9}, OTHER_MAC[6] = {2, 0, 0, 0, 0, 8};

struct record {
    struct fwd *fwd;
    struct rcu *rcu;
    struct ip_addr host;
    unsigned asked, asked_alone; /* of the whole network; of the known MAC address */
    unsigned released, dropped;
    bool scanned; /* others are asked for, too */
    void *last;
    uint8_t mac[6];
};

static void on_solicit(void *ctx, uint16_t port, const struct ip_addr *address, const uint8_t *mac)
{
    struct record *record = ctx;

    assert_int_equal(port, PORT);
    assert_true(ip_addr_equal(address, &record->host) || record->scanned);
    if (mac == NULL)
        record->asked++;
    else
        record->asked_alone++;
}

static void on_release(void *ctx, void *packet, uint16_t port, const uint8_t *mac)
{
    struct record *record = ctx;

    assert_int_equal(port, PORT);
    record->released++;
    record->last = packet;
    memcpy(record->mac, mac, sizeof record->mac);
}

static void on_drop(void *ctx, void *packet)
{
    struct record *record = ctx;

    record->dropped++;
    record->last = packet;
}

static const struct fwd_ops OPS = {.solicit = on_solicit, .release = on_release, .drop = on_drop};
static struct record r;
static char packets[FWD_HELD_MAX + 2];

static int set_up(void **state)
{
    static const uint16_t VRFS[2] = {FWD_VRF_DEFAULT, FWD_VRF_DEFAULT};
    struct fwd_conf conf = {
        .vrf_count = 1, .port_count = 2, .port_vrfs = VRFS, .neighbor_room = 8, .asked_room = 2, .held_room = 12};
    struct ip_prefix own;

    (void)state;
    memset(&r, 0, sizeof r);
    r.rcu = conf.rcu = rcu_create(1);
    r.fwd = fwd_create(&conf, &OPS, &r);
    assert_non_null(r.fwd);
    assert_true(ip_addr_parse("203.0.113.7", &r.host));
    assert_true(ip_prefix_parse("203.0.113.1/32", &own));
    own.length = 24;
    assert_int_equal(fwd_address_add(r.fwd, PORT, &own), 0);
    fwd_settle(r.fwd);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fwd_free(r.fwd);
    rcu_free(r.rcu);
    return 0;
}

/* What a worker would do with a packet for the host. */
static const struct fwd_hop *hop(void)
{
    return fwd_hop_of(fwd_hops_of(r.fwd), fwd_fib_lookup(fwd_fib_of(r.fwd, FWD_VRF_DEFAULT, IP_V4), r.host.octets));
}

static void visit(void *ctx, const struct fwd_neighbor_info *info)
{
    *(struct fwd_neighbor_info *)ctx = *info;
}

static struct fwd_neighbor_info only(void)
{
    struct fwd_neighbor_info info = {.port = UINT16_MAX};

    fwd_neighbors_walk(r.fwd, visit, &info);
    return info;
}

static void an_answer_releases_what_is_held_in_order(void **state)
{
    (void)state;
    assert_int_equal(hop()->kind, FWD_GLEAN);
    fwd_neighbor_hold(r.fwd, PORT, &r.host, &packets[0], 1000);
    fwd_neighbor_hold(r.fwd, PORT, &r.host, &packets[1], 1000);
    assert_int_equal(r.asked, 1); /* not once for each packet */
    assert_int_equal(only().state, FWD_NEIGHBOR_ASKED);
    assert_int_equal(only().held, 2);
    fwd_neighbor_learn(r.fwd, PORT, &r.host, MAC, FWD_LEARN_ANSWER, 1500);
    fwd_settle(r.fwd);
    assert_int_equal(r.released, 2);
    assert_ptr_equal(r.last, &packets[1]);
    assert_memory_equal(r.mac, MAC, 6);
    assert_int_equal(only().state, FWD_NEIGHBOR_REACHABLE);
    assert_int_equal(only().since, 1500);
    assert_int_equal(hop()->kind, FWD_SEND);
    assert_int_equal(hop()->port, PORT);
    assert_memory_equal(hop()->mac, MAC, 6);
    fwd_neighbor_hold(r.fwd, PORT, &r.host, &packets[2], 1600); /* sent up before the worker saw the answer */
    assert_int_equal(r.released, 3);
    assert_int_equal(r.dropped, 0);
}

static void a_route_over_the_neighbour_follows_it(void **state)
{
    struct ip_prefix prefix;
    struct ip_addr to;

    (void)state;
    assert_true(ip_prefix_parse("10.0.0.0/8", &prefix));
    assert_true(ip_addr_parse("10.1.2.3", &to));
    assert_int_equal(fwd_route_set(r.fwd, FWD_VRF_DEFAULT, &prefix, FWD_FROM_BGP, &r.host, 1), 0);
    fwd_settle(r.fwd);
    uint32_t number = fwd_fib_lookup(fwd_fib_of(r.fwd, FWD_VRF_DEFAULT, IP_V4), to.octets);
    assert_int_equal(fwd_hop_of(fwd_hops_of(r.fwd), number)->kind, FWD_RESOLVE);
    fwd_neighbor_hold(r.fwd, PORT, &r.host, &packets[0], 0);
    fwd_neighbor_learn(r.fwd, PORT, &r.host, MAC, FWD_LEARN_ANSWER, 10);
    fwd_settle(r.fwd);
    assert_int_equal(fwd_hop_of(fwd_hops_of(r.fwd), number)->kind, FWD_SEND);
    fwd_neighbor_learn(r.fwd, PORT, &r.host, OTHER_MAC, 0, 20); /* it moved, and says so */
    fwd_settle(r.fwd);
    assert_memory_equal(fwd_hop_of(fwd_hops_of(r.fwd), number)->mac, OTHER_MAC, 6);
    fwd_route_clear(r.fwd, FWD_VRF_DEFAULT, &prefix, FWD_FROM_BGP);
    assert_int_equal(fwd_fib_lookup(fwd_fib_of(r.fwd, FWD_VRF_DEFAULT, IP_V4), to.octets), FWD_NO_ROUTE);
}

static void nobody_answers_three_times(void **state)
{
    (void)state;
    fwd_neighbor_hold(r.fwd, PORT, &r.host, &packets[0], 1000);
    fwd_neighbors_tick(r.fwd, 1999);
    assert_int_equal(r.asked, 1);
    fwd_neighbors_tick(r.fwd, 2000);
    fwd_neighbors_tick(r.fwd, 3000);
    assert_int_equal(r.asked, 3);
    assert_int_equal(r.dropped, 0);
    fwd_neighbors_tick(r.fwd, 4000);
    assert_int_equal(r.asked, 3);
    assert_int_equal(r.dropped, 1);
    assert_int_equal(only().port, UINT16_MAX); /* forgotten */
}

static void a_known_neighbour_is_asked_again_alone_and_forgotten_when_it_is_gone(void **state)
{
    (void)state;
    fwd_neighbor_hold(r.fwd, PORT, &r.host, &packets[0], 0);
    fwd_neighbor_learn(r.fwd, PORT, &r.host, MAC, FWD_LEARN_ANSWER, 0);
    fwd_neighbors_tick(r.fwd, 59999);
    assert_int_equal(r.asked_alone, 0);
    fwd_neighbors_tick(r.fwd, 60000);
    assert_int_equal(r.asked_alone, 1);
    assert_int_equal(only().state, FWD_NEIGHBOR_PROBED);
    assert_int_equal(hop()->kind, FWD_SEND); /* packets go on */
    fwd_neighbor_learn(r.fwd, PORT, &r.host, MAC, FWD_LEARN_ANSWER, 60500);
    assert_int_equal(only().state, FWD_NEIGHBOR_REACHABLE);
    for (mono_ms_t now = 120500; now <= 123500; now += 1000)
        fwd_neighbors_tick(r.fwd, now);
    fwd_settle(r.fwd);
    assert_int_equal(r.asked_alone, 4);
    assert_int_equal(r.asked, 1);
    assert_int_equal(only().port, UINT16_MAX);
    assert_int_equal(hop()->kind, FWD_GLEAN);
}

static void the_latest_packets_are_kept(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FWD_HELD_MAX + 1; i++)
        fwd_neighbor_hold(r.fwd, PORT, &r.host, &packets[i], 0);
    assert_int_equal(r.dropped, 1);
    assert_ptr_equal(r.last, &packets[0]);
    fwd_neighbor_learn(r.fwd, PORT, &r.host, MAC, FWD_LEARN_ANSWER, 1);
    assert_int_equal(r.released, FWD_HELD_MAX);
}

static void nobody_is_learned_who_was_not_asked_for(void **state)
{
    (void)state;
    fwd_neighbor_learn(r.fwd, PORT, &r.host, MAC, FWD_LEARN_ANSWER, 0);
    assert_int_equal(only().port, UINT16_MAX);
}

static void a_configured_neighbour_stays(void **state)
{
    (void)state;
    assert_int_equal(fwd_neighbor_set(r.fwd, PORT, &r.host, MAC), 0);
    fwd_neighbor_learn(r.fwd, PORT, &r.host, OTHER_MAC, FWD_LEARN_ANSWER, 0);
    fwd_neighbors_tick(r.fwd, 1000000);
    fwd_settle(r.fwd);
    assert_int_equal(r.asked + r.asked_alone, 0);
    assert_memory_equal(hop()->mac, MAC, 6);
    fwd_neighbor_unset(r.fwd, PORT, &r.host);
    assert_int_equal(hop()->kind, FWD_GLEAN);
}

static void what_is_held_at_the_end_is_dropped(void **state)
{
    (void)state;
    fwd_neighbor_hold(r.fwd, PORT, &r.host, &packets[0], 0);
    fwd_neighbors_drop_held(r.fwd);
    assert_int_equal(r.dropped, 1);
    assert_int_equal(only().held, 0);
}

static struct ip_addr other(uint8_t last)
{
    struct ip_addr address = r.host;

    address.octets[3] = last;
    return address;
}

/* RFC 6583: a scan of the network must not keep its hosts from being found. */
static void who_is_silent_for_longest_makes_room(void **state)
{
    const struct ip_addr first = other(20), second = other(21);

    (void)state;
    r.scanned = true;
    fwd_neighbor_hold(r.fwd, PORT, &first, &packets[0], 1000);
    fwd_neighbor_hold(r.fwd, PORT, &second, &packets[1], 1001);
    fwd_neighbor_hold(r.fwd, PORT, &r.host, &packets[2], 1100); /* the others may still answer */
    assert_int_equal(r.asked, 2);
    assert_int_equal(r.dropped, 1);
    assert_ptr_equal(r.last, &packets[2]);
    fwd_neighbor_hold(r.fwd, PORT, &r.host, &packets[3], 1200);
    assert_int_equal(r.asked, 3);
    assert_int_equal(r.dropped, 2);
    assert_ptr_equal(r.last, &packets[0]);
    fwd_neighbor_learn(r.fwd, PORT, &first, MAC, FWD_LEARN_ANSWER, 1201); /* too late */
    fwd_neighbor_learn(r.fwd, PORT, &r.host, MAC, FWD_LEARN_ANSWER, 1201);
    assert_int_equal(r.released, 1);
    fwd_neighbor_hold(r.fwd, PORT, &first, &packets[4], 1202); /* one that answered leaves its place */
    assert_int_equal(r.asked, 4);
    assert_int_equal(r.dropped, 2);
    fwd_neighbors_tick(r.fwd, 100000);
}

static void few_packets_wait_in_all(void **state)
{
    const struct ip_addr second = other(21);

    (void)state;
    r.scanned = true;
    for (unsigned i = 0; i < FWD_HELD_MAX; i++)
        fwd_neighbor_hold(r.fwd, PORT, &r.host, &packets[i], 0);
    for (unsigned i = 0; i < 4; i++)
        fwd_neighbor_hold(r.fwd, PORT, &second, &packets[i], 0);
    assert_int_equal(r.dropped, 0);
    fwd_neighbor_hold(r.fwd, PORT, &second, &packets[9], 0); /* the latest is kept in place of an older one */
    assert_int_equal(r.dropped, 1);
    assert_ptr_equal(r.last, &packets[0]);
    fwd_neighbor_learn(r.fwd, PORT, &r.host, MAC, FWD_LEARN_ANSWER, 1);
    fwd_neighbor_hold(r.fwd, PORT, &second, &packets[5], 2);
    assert_int_equal(r.dropped, 1);
}

static void learn(const uint8_t *mac, unsigned how, mono_ms_t now)
{
    fwd_neighbor_learn(r.fwd, PORT, &r.host, mac, how, now);
}

/* RFC 4861 7.2.5: without the Override flag. */
static void an_answer_that_does_not_override_makes_doubtful(void **state)
{
    (void)state;
    fwd_neighbor_hold(r.fwd, PORT, &r.host, &packets[0], 0);
    learn(MAC, FWD_LEARN_ANSWER | FWD_LEARN_KEEP, 10); /* nothing to override yet */
    assert_int_equal(r.released, 1);
    learn(OTHER_MAC, FWD_LEARN_ANSWER | FWD_LEARN_KEEP, 20);
    assert_memory_equal(only().mac, MAC, 6);
    fwd_neighbors_tick(r.fwd, 20);
    assert_int_equal(r.asked_alone, 1);
    assert_int_equal(only().state, FWD_NEIGHBOR_PROBED);
    learn(OTHER_MAC, FWD_LEARN_ANSWER | FWD_LEARN_KEEP, 30); /* ignored */
    assert_int_equal(only().state, FWD_NEIGHBOR_PROBED);
    learn(MAC, FWD_LEARN_ANSWER | FWD_LEARN_KEEP, 40);
    assert_int_equal(only().state, FWD_NEIGHBOR_REACHABLE);
    learn(OTHER_MAC, FWD_LEARN_ANSWER, 50);
    assert_memory_equal(only().mac, OTHER_MAC, 6);
}

/* RFC 4861 7.2.4: the answer to one that was asked alone may leave the address out, as Linux does. */
static void an_answer_without_an_address_confirms(void **state)
{
    (void)state;
    fwd_neighbor_hold(r.fwd, PORT, &r.host, &packets[0], 0);
    learn(NULL, FWD_LEARN_ANSWER, 5);
    assert_int_equal(only().state, FWD_NEIGHBOR_ASKED);
    learn(MAC, FWD_LEARN_ANSWER, 10);
    fwd_neighbors_tick(r.fwd, 60010);
    assert_int_equal(only().state, FWD_NEIGHBOR_PROBED);
    learn(NULL, FWD_LEARN_ANSWER | FWD_LEARN_KEEP, 60020);
    assert_int_equal(only().state, FWD_NEIGHBOR_REACHABLE);
    assert_memory_equal(only().mac, MAC, 6);
}

static struct ip_prefix host_route(void)
{
    struct ip_prefix prefix = {.family = IP_V4, .length = 32};

    memcpy(prefix.octets, r.host.octets, sizeof prefix.octets);
    return prefix;
}

static void a_host_that_is_a_neighbour_can_be_blackholed(void **state)
{
    static const enum fwd_source SOURCES[] = {FWD_FROM_STATIC, FWD_FROM_BGP};
    struct ip_prefix prefix = host_route();

    (void)state;
    fwd_neighbor_hold(r.fwd, PORT, &r.host, &packets[0], 0);
    learn(MAC, FWD_LEARN_ANSWER, 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(hop()->kind, FWD_SEND);
        assert_int_equal(fwd_route_set(r.fwd, FWD_VRF_DEFAULT, &prefix, SOURCES[i], NULL, 0), 0);
        assert_int_equal(hop()->kind, FWD_BLACKHOLE);
        fwd_route_clear(r.fwd, FWD_VRF_DEFAULT, &prefix, SOURCES[i]);
    }
    assert_int_equal(hop()->kind, FWD_SEND);
}

static void one_that_answers_while_it_is_blackholed_is_reached_afterwards(void **state)
{
    struct ip_prefix prefix = host_route();

    (void)state;
    assert_int_equal(fwd_route_set(r.fwd, FWD_VRF_DEFAULT, &prefix, FWD_FROM_BGP, NULL, 0), 0);
    fwd_neighbor_hold(r.fwd, PORT, &r.host, &packets[0], 0); /* the router's own packet to it */
    learn(MAC, FWD_LEARN_ANSWER, 0);
    assert_int_equal(hop()->kind, FWD_BLACKHOLE);
    fwd_route_clear(r.fwd, FWD_VRF_DEFAULT, &prefix, FWD_FROM_BGP);
    assert_int_equal(hop()->kind, FWD_SEND);
}

/* A peer that announces its own address, say. */
static void a_host_route_over_the_host_itself_leads_there_by_its_network(void **state)
{
    struct ip_prefix prefix = host_route();

    (void)state;
    assert_int_equal(fwd_route_set(r.fwd, FWD_VRF_DEFAULT, &prefix, FWD_FROM_BGP, &r.host, 1), 0);
    fwd_settle(r.fwd);
    assert_int_equal(hop()->kind, FWD_RESOLVE);
    fwd_neighbor_hold(r.fwd, PORT, &r.host, &packets[0], 0);
    learn(MAC, FWD_LEARN_ANSWER, 0);
    fwd_settle(r.fwd);
    assert_int_equal(hop()->kind, FWD_SEND);
    assert_memory_equal(hop()->mac, MAC, 6);
}

static void a_gateway_that_only_its_own_route_covers_is_unreachable(void **state)
{
    struct ip_prefix prefix, all;
    struct ip_addr gateway;

    (void)state;
    assert_true(ip_prefix_parse("10.0.0.0/8", &prefix));
    assert_true(ip_prefix_parse("0.0.0.0/0", &all));
    assert_true(ip_addr_parse("10.1.1.1", &gateway));
    assert_int_equal(fwd_route_set(r.fwd, FWD_VRF_DEFAULT, &prefix, FWD_FROM_BGP, &gateway, 1), 0);
    assert_int_equal(fwd_route_set(r.fwd, FWD_VRF_DEFAULT, &all, FWD_FROM_STATIC, &r.host, 1), 0);
    fwd_settle(r.fwd);
    uint32_t number = fwd_fib_lookup(fwd_fib_of(r.fwd, FWD_VRF_DEFAULT, IP_V4), gateway.octets);
    assert_int_equal(fwd_hop_of(fwd_hops_of(r.fwd), number)->kind, FWD_UNREACHABLE);
}

#define NEIGHBOR_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NEIGHBOR_TEST(an_answer_releases_what_is_held_in_order),
        NEIGHBOR_TEST(a_route_over_the_neighbour_follows_it),
        NEIGHBOR_TEST(nobody_answers_three_times),
        NEIGHBOR_TEST(a_known_neighbour_is_asked_again_alone_and_forgotten_when_it_is_gone),
        NEIGHBOR_TEST(the_latest_packets_are_kept),
        NEIGHBOR_TEST(a_host_that_is_a_neighbour_can_be_blackholed),
        NEIGHBOR_TEST(one_that_answers_while_it_is_blackholed_is_reached_afterwards),
        NEIGHBOR_TEST(a_host_route_over_the_host_itself_leads_there_by_its_network),
        NEIGHBOR_TEST(a_gateway_that_only_its_own_route_covers_is_unreachable),
        NEIGHBOR_TEST(nobody_is_learned_who_was_not_asked_for),
        NEIGHBOR_TEST(a_configured_neighbour_stays),
        NEIGHBOR_TEST(what_is_held_at_the_end_is_dropped),
        NEIGHBOR_TEST(who_is_silent_for_longest_makes_room),
        NEIGHBOR_TEST(few_packets_wait_in_all),
        NEIGHBOR_TEST(an_answer_that_does_not_override_makes_doubtful),
        NEIGHBOR_TEST(an_answer_without_an_address_confirms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
