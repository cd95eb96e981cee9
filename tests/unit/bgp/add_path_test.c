/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 7911: the capability, NLRI with path ids, and what a route looks like that is sent. */
#include <errno.h>
#include <string.h>

#include "bgp/export.h"
#include "bgp/unicast_rib.h"
#include "bgp/update.h"
#include "fixture.h"

#include <stdio.h>

static void both_ways(struct bgp_session_conf *conf)
{
    conf->families = BGP_IPV4_FLOWSPEC | BGP_IPV6_UNICAST;
    conf->add_path_receive = conf->add_path_send = true;
}

static void only_sends(struct bgp_session_conf *conf)
{
    conf->families = BGP_IPV4_FLOWSPEC;
    conf->add_path_send = true;
}

static void expect_open(void (*configure)(struct bgp_session_conf *conf), const char *octets)
{
    struct fixture *f = fixture_new(configure);

    bgp_session_start(f->session, f->now);
    assert_true(bgp_session_accept(f->session, f->now));
    bgp_session_connected(f->session, BGP_CONN_IN, f->now);
    expect_sent(f, BGP_CONN_IN, octets);
    fixture_free(f);
}

/* conforms: RFC 7911 proves 4-2 */
static void one_capability_for_all_families(void **state)
{
    (void)state;
    expect_open(both_ways, MARKER_HEX "003d 01 04 fde8 005a c0000201 20"
                                      "021e 0104 00020001 0104 00010085 0200 4508 000201 03 000185 03"
                                      "4104 0000fde8");
    expect_open(only_sends, MARKER_HEX "0033 01 04 fde8 005a c0000201 16"
                                       "0214 0104 00010085 0200 4504 000185 02 4104 0000fde8");
}

/* What the peer offers for IPv4 flowspec, and what is agreed on by one who sends and receives. */
static const struct {
    const char *offer;
    bool receive, send;
} offers[] = {
    {"", false, false},
    {"4504 000185 01", false, true},
    {"4504 000185 02", true, false},
    {"4504 000185 03", true, true},
    {"4504 000185 00", false, false},
    {"4504 000185 04", false, false},
    {"4508 000185 03 000285 07", false, false}, /* one value that is none: all of it is ignored */
    {"4503 000185", false, false},
    {"4505 000185 03 00", false, false},
    {"4504 000285 03", false, false}, /* a family that is not agreed on */
    {"4504 006385 03", false, false}, /* one that is not known */
};

static void bring_up(struct fixture *f, const char *parameters)
{
    const struct peer_open open = {4, PEER_AS, 90, PEER_ID, parameters, false};

    bgp_session_start(f->session, f->now);
    assert_true(bgp_session_accept(f->session, f->now));
    bgp_session_connected(f->session, BGP_CONN_IN, f->now);
    receive_open(f, BGP_CONN_IN, open);
    receive_keepalive(f, BGP_CONN_IN);
    expect_state(f, BGP_ESTABLISHED);
}

/* conforms: RFC 7911 proves 4-1 5-2 refuses 4-1 */
static void what_is_agreed_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++) {
        char parameters[128];
        uint8_t octets[64];
        struct fixture *f = fixture_new(both_ways);
        snprintf(parameters, sizeof parameters, "02%02zx 0104 00010085 %s", 6 + unhex(offers[i].offer, octets),
                 offers[i].offer);
        bring_up(f, parameters);
        const struct bgp_session_info info = info_of(f);
        assert_int_equal(info.add_path.receive, offers[i].receive ? BGP_IPV4_FLOWSPEC : 0);
        assert_int_equal(info.add_path.send, offers[i].send ? BGP_IPV4_FLOWSPEC : 0);
        fixture_free(f);
    }
}

static void expect_nlri(const struct bgp_route *route, bool add_path, bool withdraw, const char *octets)
{
    uint8_t nlri[BGP_ROUTE_NLRI_MAX], wanted[BGP_ROUTE_NLRI_MAX];
    size_t len = unhex(octets, wanted);

    assert_int_equal(bgp_route_encode(route, add_path, withdraw, nlri), len);
    assert_memory_equal(nlri, wanted, len);
}

/* conforms: RFC 7911 proves 3-1 */
static void nlri_of_routes(void **state)
{
    struct bgp_route route = {
        .family = BGP_IPV4_UNICAST, .path_id = 0x01020304, .prefix = {.family = IP_V4, .octets = {10, 1, 2}}};
    struct bgp_route vpn = {.family = BGP_IPV6_VPN,
                            .path_id = 7,
                            .rd = {0, 0, 0xfd, 0xe8, 0, 0, 0, 1},
                            .label = 0xfffff,
                            .prefix = {.family = IP_V6, .length = 128, .octets = {0x20, 1, [15] = 9}}};

    (void)state;
    expect_nlri(&route, false, false, "00");
    route.prefix.length = 23;
    expect_nlri(&route, false, true, "17 0a0102");
    expect_nlri(&route, true, false, "01020304 17 0a0102");
    expect_nlri(&vpn, true, false, "00000007 d8 fffff1 0000fde8 00000001 20010000 00000000 00000000 00000009");
    expect_nlri(&vpn, false, true, "d8 800000 0000fde8 00000001 20010000 00000000 00000000 00000009");
}

static const uint8_t PATH[] = {2, 1, 0, 0, 0xfd, 0xe9};

static struct bgp_attrs some_attrs(uint8_t family)
{
    return (struct bgp_attrs){.has_origin = true,
                              .as_path = PATH,
                              .as_path_len = sizeof PATH,
                              .next_hop = {.family = family, .octets = {192, 0, 2, 9}}};
}

/* The bodies of UPDATEs with routes, octet by octet. */
static void expect_body(uint32_t family, const struct bgp_attrs *attrs, const char *nlri, const char *body)
{
    static struct bgp_builder builder;
    uint8_t octets[64], wanted[256];
    size_t len = unhex(nlri, octets), wanted_len = unhex(body, wanted);

    bgp_builder_begin_routes(&builder, family, attrs, true, 4077);
    assert_true(bgp_builder_add_nlri(&builder, octets, len));
    assert_int_equal(bgp_builder_finish(&builder), wanted_len);
    assert_memory_equal(builder.body, wanted, wanted_len);
}

/* conforms: RFC 4271 proves 5-8 */
static void bodies_with_routes(void **state)
{
    struct bgp_attrs ipv4 = some_attrs(IP_V4), ipv6 = some_attrs(IP_V6);

    (void)state;
    expect_body(BGP_IPV4_UNICAST, &ipv4, "080a", "0000 0014 40010100 400206 0201 0000fde9 400304 c0000209 080a");
    expect_body(BGP_IPV4_UNICAST, NULL, "080a", "0002 080a 0000");
    expect_body(BGP_IPV6_UNICAST, &ipv6, "1020010db8",
                "0000 002b 900e001a 000201 10 c0000209 000000000000000000000000 00 1020010db8"
                "40010100 400206 0201 0000fde9");
    expect_body(BGP_IPV6_UNICAST, NULL, "1020010db8", "0000 000c 900f0008 000201 1020010db8");
    expect_body(BGP_IPV4_VPN, &ipv4, "60 000641 0000fde8 00000001 0a",
                "0000 002f 900e001e 000180 0c 0000000000000000 c0000209 00 60 000641 0000fde8 00000001 0a"
                "40010100 400206 0201 0000fde9");
}

/* Not an octet more than the session allows, and not one less where another prefix would have fitted. */
static void full_to_the_last_octet(void **state)
{
    static struct bgp_builder builder;
    const uint8_t nlri[] = {32, 10, 0, 0, 1};
    struct bgp_attrs attrs = some_attrs(IP_V4);

    (void)state;
    for (size_t max = 60; max < 80; max++) {
        bgp_builder_begin_routes(&builder, BGP_IPV4_UNICAST, &attrs, true, max);
        while (bgp_builder_add_nlri(&builder, nlri, sizeof nlri)) {
        }
        size_t len = bgp_builder_finish(&builder);
        assert_true(len <= max && len > max - sizeof nlri);
        bgp_builder_begin_routes(&builder, BGP_IPV4_UNICAST, NULL, true, max);
        while (bgp_builder_add_nlri(&builder, nlri, sizeof nlri)) {
        }
        len = bgp_builder_finish(&builder);
        assert_true(len <= max && len > max - sizeof nlri);
    }
    bgp_builder_begin_routes(&builder, BGP_IPV4_UNICAST, &attrs, true, 20); /* not even the attributes */
    assert_false(bgp_builder_add_nlri(&builder, nlri, sizeof nlri));
    assert_int_equal(bgp_builder_finish(&builder), 0);
}

static void on_route(void *ctx, const struct bgp_route *route, const struct bgp_unicast_path *best)
{
    (void)route;
    *(uint32_t *)ctx = best != NULL ? best->path_id : 0;
}

static void on_rule(void *ctx, struct bgp_rib_entry *entry, bool withdrawn)
{
    *(uint32_t *)ctx = withdrawn ? 0 : entry->best->path_id;
}

/* One UPDATE has room for hundreds of paths of one prefix, and all of them are compared. */
static void no_more_paths_of_one_prefix_than_can_be_compared(void **state)
{
    static const struct bgp_unicast_ops OPS = {.changed = on_route};
    const struct bgp_source source = {.number = 1, .kind = BGP_SOURCE_PEER}, other = {.number = 2};
    struct bgp_route route = {.family = BGP_IPV4_UNICAST, .prefix = {.family = IP_V4, .length = 8, .octets = {10}}};
    struct bgp_attrs attrs = some_attrs(IP_V4);
    uint32_t best = 0;
    struct bgp_unicast *rib = bgp_unicast_create(&OPS, &best);
    struct bgp_shared_attrs *shared = bgp_unicast_intern(rib, &attrs);

    (void)state;
    for (route.path_id = BGP_PATHS_MAX; route.path_id > 0; route.path_id--)
        assert_int_equal(bgp_unicast_announce(rib, &source, &route, shared), 0);
    assert_int_equal(best, 1); /* the lowest id, announced last */
    route.path_id = BGP_PATHS_MAX + 1;
    assert_int_equal(bgp_unicast_announce(rib, &source, &route, shared), -ENOSPC);
    assert_int_equal(bgp_unicast_source_count(rib, &source, route.family), BGP_PATHS_MAX);
    assert_int_equal(bgp_unicast_announce(rib, &other, &route, shared), 0);
    route.path_id = 1;
    assert_int_equal(bgp_unicast_announce(rib, &source, &route, shared), 0); /* the same one again */
    assert_true(bgp_unicast_withdraw(rib, &source, &route));
    assert_int_equal(best, 2);
    route.path_id = BGP_PATHS_MAX + 1;
    assert_int_equal(bgp_unicast_announce(rib, &source, &route, shared), 0);
    bgp_unicast_release(rib, shared);
    bgp_unicast_free(rib);
}

static void no_more_paths_of_one_rule_than_can_be_compared(void **state)
{
    static const struct bgp_rib_ops OPS = {.changed = on_rule};
    const struct fs_component destination = {.type = FS_DESTINATION, .length = 8, .octets = {10}};
    const struct bgp_source source = {.number = 1, .kind = BGP_SOURCE_PEER};
    struct bgp_attrs attrs = some_attrs(IP_NONE);
    struct fs_rule *rule;
    uint32_t best = 0;
    struct bgp_rib *rib = bgp_rib_create(&OPS, &best);

    (void)state;
    assert_int_equal(fs_rule_build(IP_V4, NULL, &destination, 1, NULL, &rule), FS_OK);
    for (uint32_t id = BGP_PATHS_MAX; id > 0; id--)
        assert_int_equal(bgp_rib_announce_path(rib, &source, BGP_IPV4_FLOWSPEC, id, fs_rule_dup(rule), &attrs), 0);
    assert_int_equal(best, 1);
    assert_int_equal(
        bgp_rib_announce_path(rib, &source, BGP_IPV4_FLOWSPEC, BGP_PATHS_MAX + 1, fs_rule_dup(rule), &attrs), -ENOSPC);
    assert_int_equal(bgp_rib_source_count(rib, &source, BGP_IPV4_FLOWSPEC), BGP_PATHS_MAX);
    assert_true(bgp_rib_withdraw_path(rib, &source, BGP_IPV4_FLOWSPEC, 1, rule));
    assert_int_equal(best, 2);
    assert_int_equal(
        bgp_rib_announce_path(rib, &source, BGP_IPV4_FLOWSPEC, BGP_PATHS_MAX + 1, fs_rule_dup(rule), &attrs), 0);
    fs_rule_free(rule);
    bgp_rib_free(rib);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_capability_for_all_families),
        cmocka_unit_test(what_is_agreed_on),
        cmocka_unit_test(nlri_of_routes),
        cmocka_unit_test(bodies_with_routes),
        cmocka_unit_test(full_to_the_last_octet),
        cmocka_unit_test(no_more_paths_of_one_prefix_than_can_be_compared),
        cmocka_unit_test(no_more_paths_of_one_rule_than_can_be_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
