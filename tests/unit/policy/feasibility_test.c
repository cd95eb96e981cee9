/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 9117 section 4, condition by condition, over a real unicast RIB. */
#include "../cm.h"

#include <string.h>

#include "flowspec/text.h"
#include "policy/feasibility.h"
#include "policy/policy.h"

#define RULE "match destination 203.0.113.7/32 then discard"

static const uint8_t PATH_1[] = {2, 2, 0, 0, 0xfd, 0xe9, 0, 0, 0xfd, 0xf3}; /* 65001 65011 */
static const uint8_t PATH_2[] = {2, 1, 0, 0, 0xfd, 0xea};                   /* 65002 */
static const uint8_t CONFED[] = {3, 1, 0, 0, 0xfc, 0x18};                   /* (64536) */
static const uint8_t CONFED_SET[] = {4, 1, 0, 0, 0xfc, 0x18};

static const struct bgp_source ebgp_1 = {1, BGP_SOURCE_PEER, true, 1, {IP_V4, {192, 0, 2, 1}}};
static const struct bgp_source ebgp_2 = {2, BGP_SOURCE_PEER, true, 2, {IP_V4, {192, 0, 2, 2}}};
static const struct bgp_source ibgp_1 = {3, BGP_SOURCE_PEER, false, 3, {IP_V4, {10, 0, 0, 1}}};
static const struct bgp_source ibgp_2 = {4, BGP_SOURCE_PEER, false, 4, {IP_V4, {10, 0, 0, 2}}};

#define PATH(name)                                                                                                     \
    {                                                                                                                  \
        .has_origin = true, .as_path = name, .as_path_len = sizeof name                                                \
    }
static const struct bgp_attrs from_1 = PATH(PATH_1), from_2 = PATH(PATH_2), confed = PATH(CONFED);
static const struct bgp_attrs confed_set = PATH(CONFED_SET);
static const struct bgp_attrs empty = {.has_origin = true, .as_path = PATH_1, .as_path_len = 0};
static const struct bgp_attrs reflected = {.has_origin = true,
                                           .as_path = PATH_1,
                                           .as_path_len = sizeof PATH_1,
                                           .has_originator_id = true,
                                           .originator_id = 0x0a000009};

static void on_changed(void *ctx, const struct bgp_route *route, const struct bgp_unicast_path *best)
{
    (void)ctx;
    (void)route;
    (void)best;
}

static struct bgp_unicast *routes;

static int set_up(void **state)
{
    static const struct bgp_unicast_ops OPS = {.changed = on_changed};

    (void)state;
    routes = bgp_unicast_create(&OPS, NULL);
    return routes == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    bgp_unicast_free(routes);
    return 0;
}

static struct bgp_route route_of(const char *prefix)
{
    struct bgp_route route = {0};

    assert_true(ip_prefix_parse(prefix, &route.prefix));
    route.family = route.prefix.family == IP_V6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST;
    return route;
}

static void announce(const struct bgp_source *source, const char *prefix, const struct bgp_attrs *attrs)
{
    struct bgp_route route = route_of(prefix);
    struct bgp_shared_attrs *shared = bgp_unicast_intern(routes, attrs);

    assert_int_equal(bgp_unicast_announce(routes, source, &route, shared), 0);
    bgp_unicast_release(routes, shared);
}

static void withdraw(const struct bgp_source *source, const char *prefix)
{
    struct bgp_route route = route_of(prefix);

    assert_true(bgp_unicast_withdraw(routes, source, &route));
}

/* What the steps of validation make of the rule; "" when it is active. */
static const char *verdict_of(const char *text, const struct bgp_source *source, const struct bgp_attrs *attrs)
{
    static struct pol_verdict verdict;
    struct pol_origin origin = {.routes = routes, .source = source, .attrs = attrs};
    struct fs_text_error error;
    struct fs_actions actions;
    struct fs_rule *rule;

    assert_true(fs_text_parse(text, &rule, &actions, &error));
    pol_judge(&(struct pol_candidate){.rule = rule, .actions = &actions, .origin = &origin}, &verdict);
    fs_rule_free(rule);
    assert_int_equal(verdict.state, verdict.reason[0] == '\0' ? POL_ACTIVE : POL_REJECTED);
    return verdict.reason;
}

static void assert_verdict(const char *text, const struct bgp_source *source, const struct bgp_attrs *attrs,
                           const char *reason)
{
    assert_string_equal(verdict_of(text, source, attrs), reason);
}

/* conforms: RFC 9117 proves 4.1-1 refuses 4.1-1 */
/* conforms: RFC 8956 proves 5-1 refuses 5-1 */
static void a_rule_needs_a_destination_prefix_without_an_offset(void **state)
{
    (void)state;
    announce(&ebgp_1, "0.0.0.0/0", &from_1);
    announce(&ebgp_1, "::/0", &from_1);
    assert_verdict("match source 203.0.113.7/32 then discard", &ebgp_1, &from_1,
                   "infeasible: it has no destination prefix (RFC 9117 4.1 a)");
    assert_verdict("match destination 2001:db8::/64-104 then discard", &ebgp_1, &from_1,
                   "infeasible: its destination prefix has an offset (RFC 9117 4.1 a)");
    assert_verdict("match destination 2001:db8::/32 then discard", &ebgp_1, &from_1, "");
    assert_verdict(RULE, &ebgp_1, &from_1, "");
}

/* conforms: RFC 9117 proves 4.1-2 refuses 4.1-2 */
/* conforms: RFC 8955 proves 6-1 refuses 6-1 */
static void the_originator_is_that_of_the_longest_match(void **state)
{
    (void)state;
    assert_verdict(RULE, &ebgp_1, &from_1, "infeasible: no unicast route covers 203.0.113.7/32 (RFC 9117 4.1 b)");
    announce(&ebgp_2, "203.0.0.0/16", &from_2);
    assert_verdict(RULE, &ebgp_1, &from_1,
                   "infeasible: its originator 192.0.2.1 is not that of the route 203.0.0.0/16, 192.0.2.2 "
                   "(RFC 9117 4.1 b.1)");
    announce(&ebgp_1, "203.0.113.0/24", &from_1);
    assert_verdict(RULE, &ebgp_1, &from_1, "");
    assert_int_equal(strncmp(verdict_of(RULE, &ebgp_2, &from_2), "infeasible: its originator", 26), 0);
    withdraw(&ebgp_1, "203.0.113.0/24");
    assert_verdict(RULE, &ebgp_2, &from_2, "");
}

/* conforms: RFC 9117 proves 4.1-2 4.1-3 */
static void an_internal_path_needs_no_route(void **state)
{
    (void)state;
    assert_verdict(RULE, &ibgp_1, &empty, "");
    assert_verdict(RULE, &ibgp_1, &confed, "");
    assert_int_not_equal(verdict_of(RULE, &ibgp_1, &confed_set)[0], '\0');
    assert_int_not_equal(verdict_of(RULE, &ibgp_1, &from_1)[0], '\0');
    assert_int_not_equal(verdict_of(RULE, &ebgp_1, &empty)[0], '\0');
    assert_verdict("match source 203.0.113.7/32 then discard", &ibgp_1, &empty,
                   "infeasible: it has no destination prefix (RFC 9117 4.1 a)");
}

/* conforms: RFC 9117 proves 4.1-4 refuses 4.1-4 */
static void no_more_specific_route_is_another_neighbours(void **state)
{
    const char *rule = "match destination 203.0.113.0/24 then discard";

    (void)state;
    announce(&ebgp_1, "203.0.113.0/24", &from_1);
    announce(&ebgp_1, "203.0.113.128/25", &from_1);
    assert_verdict(rule, &ebgp_1, &from_1, "");
    announce(&ebgp_2, "203.0.113.64/26", &from_2);
    assert_verdict(rule, &ebgp_1, &from_1,
                   "infeasible: the more specific route 203.0.113.64/26 came from AS 65002, the route 203.0.113.0/24 "
                   "from AS 65001 (RFC 9117 4.1 c)");
    assert_int_not_equal(verdict_of(rule, &ibgp_1, &empty)[0], '\0');
    assert_verdict("match destination 203.0.113.128/25 then discard", &ebgp_1, &from_1, "");
    withdraw(&ebgp_2, "203.0.113.64/26");
    assert_verdict(rule, &ebgp_1, &from_1, "");
}

/* conforms: RFC 9117 proves 4.1-5 */
static void the_originator_is_its_id_where_there_is_one(void **state)
{
    static struct bgp_attrs other;

    (void)state;
    other = reflected;
    other.originator_id++;
    announce(&ibgp_1, "203.0.113.0/24", &reflected);
    assert_verdict(RULE, &ibgp_2, &reflected, "");
    assert_int_equal(strncmp(verdict_of(RULE, &ibgp_1, &from_1), "infeasible: its originator 10.0.0.1", 35), 0);
    assert_int_equal(strncmp(verdict_of(RULE, &ibgp_1, &other), "infeasible: its originator 10.0.0.10", 36), 0);
}

/* conforms: RFC 9117 proves 4.2-1 refuses 4.2-1 */
static void over_ebgp_the_paths_begin_with_the_same_as(void **state)
{
    (void)state;
    announce(&ebgp_1, "203.0.113.0/24", &from_2); /* a route server: its peer's AS is not in the path */
    assert_verdict(RULE, &ebgp_1, &from_2, "");
    assert_verdict(RULE, &ebgp_1, &from_1,
                   "infeasible: its AS path begins with AS 65001, that of the route 203.0.113.0/24 with AS 65002 "
                   "(RFC 9117 4.2)");
    announce(&ibgp_1, "203.0.113.0/25", &from_2); /* inside, the originator suffices */
    assert_verdict(RULE, &ibgp_1, &from_1, "");
}

#define FEASIBILITY_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FEASIBILITY_TEST(a_rule_needs_a_destination_prefix_without_an_offset),
        FEASIBILITY_TEST(the_originator_is_that_of_the_longest_match),
        FEASIBILITY_TEST(an_internal_path_needs_no_route),
        FEASIBILITY_TEST(no_more_specific_route_is_another_neighbours),
        FEASIBILITY_TEST(the_originator_is_its_id_where_there_is_one),
        FEASIBILITY_TEST(over_ebgp_the_paths_begin_with_the_same_as),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
