/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include <stdio.h>
#include <string.h>

#include "flowspec/text.h"
#include "policy/policy.h"

static struct ip_prefix destinations[2];
static struct pol_peer_policy customer;

static int set_up(void **state)
{
    (void)state;
    assert_true(ip_prefix_parse("203.0.113.0/24", &destinations[0]));
    assert_true(ip_prefix_parse("2001:db8:7::/48", &destinations[1]));
    customer = (struct pol_peer_policy){
        .name = "customer",
        .destinations = destinations,
        .destination_count = 2,
        .min_length_ipv4 = 28,
        .min_length_ipv6 = 64,
        .actions = POL_ACTION_DISCARD | POL_ACTION_RATE_LIMIT,
        .max_rules = 3,
    };
    return 0;
}

static void judge(const struct pol_peer_policy *policy, uint32_t peer_rules, const char *text,
                  struct pol_verdict *verdict)
{
    struct fs_text_error error;
    struct fs_actions actions;
    struct fs_rule *rule;

    assert_true(fs_text_parse(text, &rule, &actions, &error));
    pol_judge(&(struct pol_candidate){.rule = rule, .actions = &actions, .policy = policy, .peer_rules = peer_rules},
              verdict);
    fs_rule_free(rule);
}

static void assert_verdict(const char *text, const char *reason)
{
    struct pol_verdict verdict;

    judge(&customer, 0, text, &verdict);
    assert_string_equal(verdict.reason, reason);
    assert_int_equal(verdict.state, reason[0] == '\0' ? POL_ACTIVE : POL_REJECTED);
}

#define ELSEWHERE(destination)                                                                                         \
    "policy: destination " destination " is not within the destinations of policy customer: 203.0.113.0/24, "          \
    "2001:db8:7::/48"

static void a_destination_is_within_the_list(void **state)
{
    (void)state;
    assert_verdict("match destination 203.0.113.7/32 then discard", "");
    assert_verdict("match destination 2001:db8:7:1::/64 then discard", "");
    assert_verdict("match destination 203.0.114.7/32 then discard", ELSEWHERE("203.0.114.7/32"));
    assert_verdict("match destination 203.0.112.0/23 then discard", ELSEWHERE("203.0.112.0/23"));
    assert_verdict("match source 203.0.113.7/32 then discard", ELSEWHERE("0.0.0.0/0"));
    assert_verdict("match family ipv6 protocol udp then discard", ELSEWHERE("::/0"));
    /* bits 64 to 127 of any network */
    assert_verdict("match destination ::7/64-128 then discard", ELSEWHERE("::/0"));
    customer.destination_count = 0;
    assert_verdict("match destination 198.51.100.7/32 then discard", "");
}

static void a_destination_has_its_least_length(void **state)
{
    (void)state;
    assert_verdict("match destination 203.0.113.0/28 then discard", "");
    assert_verdict("match destination 203.0.113.0/27 then discard",
                   "policy: destination 203.0.113.0/27 is shorter than min-length ipv4 28 of policy customer");
    assert_verdict("match destination 2001:db8:7::/63 then discard",
                   "policy: destination 2001:db8:7::/63 is shorter than min-length ipv6 64 of policy customer");
    customer.destination_count = 0;
    assert_verdict("match protocol udp then discard",
                   "policy: destination 0.0.0.0/0 is shorter than min-length ipv4 28 of policy customer");
}

static void each_action_is_one_of_those_allowed(void **state)
{
    static const char *const NAMES[] = {"accept",   "discard",     "rate-limit", "mark",
                                        "redirect", "redirect-ip", "sample",     "continue"};
    static const char *const TEXTS[] = {"accept",  "discard",        "rate-limit 1mbps",
                                        "mark 46", "redirect 1:100", "redirect-ip 192.0.2.1",
                                        "sample",  "continue"};
    struct pol_verdict verdict;
    char text[128], reason[256];

    (void)state;
    for (size_t allowed = 0; allowed < 8; allowed++) {
        customer.actions = pol_action_bit(NAMES[allowed]);
        assert_int_not_equal(customer.actions, 0);
        for (size_t asked = 0; asked < 8; asked++) {
            snprintf(text, sizeof text, "match destination 203.0.113.7/32 then %s", TEXTS[asked]);
            snprintf(reason, sizeof reason, "policy: %s is not among the actions of policy customer: %s", NAMES[asked],
                     NAMES[allowed]);
            assert_verdict(text, asked == allowed ? "" : reason);
        }
    }
    customer.actions = POL_ACTION_RATE_LIMIT;
    assert_verdict("match destination 203.0.113.7/32 then rate-limit 1mbps sample mark 8",
                   "policy: mark, sample is not among the actions of policy customer: rate-limit");
    customer.actions = 0;
    judge(&customer, 0, "match destination 203.0.113.7/32 then redirect 1:100 mark 8", &verdict);
    assert_int_equal(verdict.state, POL_ACTIVE);
    assert_int_equal(pol_action_bit("explode"), 0);
}

static void a_peer_has_so_many_rules(void **state)
{
    struct pol_verdict verdict;

    (void)state;
    judge(&customer, 2, "match destination 203.0.113.7/32 then discard", &verdict);
    assert_int_equal(verdict.state, POL_ACTIVE);
    judge(&customer, 3, "match destination 203.0.113.7/32 then discard", &verdict);
    assert_int_equal(verdict.state, POL_REJECTED);
    assert_string_equal(verdict.reason, "max-rules: the peer has its 3 rules, the most that policy customer allows");
    customer.max_rules = 0;
    judge(&customer, UINT32_MAX, "match destination 203.0.113.7/32 then discard", &verdict);
    assert_int_equal(verdict.state, POL_ACTIVE);
    judge(NULL, UINT32_MAX, "match protocol udp then discard", &verdict);
    assert_int_equal(verdict.state, POL_ACTIVE);
}

static void a_source_has_its_least_length_where_there_is_one(void **state)
{
    (void)state;
    customer.min_source_ipv4 = 24;
    customer.min_source_ipv6 = 48;
    assert_verdict("match destination 203.0.113.7/32 then discard", "");
    assert_verdict("match destination 203.0.113.7/32 source 198.51.100.0/24 then discard", "");
    assert_verdict("match destination 203.0.113.7/32 source 198.51.0.0/16 then discard",
                   "policy: source 198.51.0.0/16 is shorter than min-source-length ipv4 24 of policy customer");
    assert_verdict("match destination 2001:db8:7:1::/64 source 2001:db8::/47 then discard",
                   "policy: source 2001:db8::/47 is shorter than min-source-length ipv6 48 of policy customer");
    /* bits 64 to 127 of any network */
    assert_verdict("match destination 2001:db8:7:1::/64 source ::7/64-128 then discard",
                   "policy: source ::/0 is shorter than min-source-length ipv6 48 of policy customer");
}

static void components_are_required_or_forbidden(void **state)
{
    (void)state;
    customer.destination_count = 0;
    customer.min_length_ipv4 = 0;
    customer.required = 1u << FS_DESTINATION | 1u << FS_PROTOCOL;
    customer.forbidden = 1u << FS_PACKET_LENGTH | 1u << FS_DSCP;
    assert_verdict("match destination 203.0.113.7/32 protocol udp then discard", "");
    assert_verdict("match destination 203.0.113.7/32 then discard",
                   "policy: there is no protocol, which policy customer requires");
    assert_verdict("match protocol udp then discard",
                   "policy: there is no destination, which policy customer requires");
    assert_verdict("match destination 203.0.113.7/32 protocol udp packet-length >1000 then discard",
                   "policy: packet-length is a component that policy customer forbids");
    assert_verdict("match destination 203.0.113.7/32 protocol udp dscp 46 then discard",
                   "policy: dscp is a component that policy customer forbids");
}

static void a_limit_is_not_below_the_lowest_rate(void **state)
{
    (void)state;
    customer.min_rate_bytes_per_s = 125000;
    customer.min_rate_packets_per_s = 100;
#define LIMITED(rate) "match destination 203.0.113.7/32 then rate-limit " rate
    assert_verdict(LIMITED("1mbps"), "");
    assert_verdict(LIMITED("100pps"), "");
    assert_verdict("match destination 203.0.113.7/32 then discard", ""); /* says what it is */
    assert_verdict(LIMITED("124999Bps"),
                   "policy: a limit of 124999 octets/s is below min-rate 125000 of policy customer");
    assert_verdict(LIMITED("99pps"), "policy: a limit of 99 packets/s is below min-packet-rate 100 of policy customer");
    assert_verdict(LIMITED("1mbps per-source /24 4096"), "");
    assert_verdict(LIMITED("8kbps per-source /24 4096"),
                   "policy: a limit of 1000 octets/s for each source is below min-rate 125000 of policy customer");
    assert_verdict(LIMITED("1pps per-source /32 4096"),
                   "policy: a limit of 1 packets/s for each source is below min-packet-rate 100 of policy customer");
    assert_verdict(LIMITED("1mbps rate-limit 50pps"),
                   "policy: a limit of 50 packets/s is below min-packet-rate 100 of policy customer");
}

static void redirects_lead_where_they_may(void **state)
{
    static const struct fs_route_target TARGETS[] = {{.kind = FS_REDIRECT_RT_AS2, .admin = 65000, .value = 100}};
    struct ip_prefix scrubbers[2];

    (void)state;
    assert_true(ip_prefix_parse("192.0.2.0/28", &scrubbers[0]));
    assert_true(ip_prefix_parse("2001:db8:5::/64", &scrubbers[1]));
    customer.actions = 0;
    assert_verdict("match destination 203.0.113.7/32 then redirect 1:1", "");
    assert_verdict("match destination 203.0.113.7/32 then redirect-ip 198.51.100.1", "");
    customer.redirect_targets = TARGETS;
    customer.redirect_target_count = 1;
    customer.redirect_addresses = scrubbers;
    customer.redirect_address_count = 2;
    assert_verdict("match destination 203.0.113.7/32 then redirect 65000:100", "");
    assert_verdict("match destination 203.0.113.7/32 then redirect 65000:101",
                   "policy: redirect 65000:101 is not among the redirect-targets of policy customer");
    assert_verdict("match destination 203.0.113.7/32 then redirect-ip 192.0.2.15", "");
    assert_verdict("match destination 203.0.113.7/32 then redirect-ip 192.0.2.16 copy",
                   "policy: redirect-ip 192.0.2.16 is not within the redirect-addresses of policy customer");
    assert_verdict("match destination 2001:db8:7:1::/64 then redirect-ip 2001:db8:5::1", "");
    assert_verdict("match destination 2001:db8:7:1::/64 then redirect-ip 2001:db8:6::1",
                   "policy: redirect-ip 2001:db8:6::1 is not within the redirect-addresses of policy customer");
}

static void one_destination_has_so_many_rules_and_all_so_much_cost(void **state)
{
    struct fs_text_error error;
    struct pol_verdict verdict;
    struct fs_actions actions;
    struct fs_rule *rule;

    (void)state;
    assert_true(fs_text_parse("match destination 203.0.113.7/32 then discard", &rule, &actions, &error));
    customer.max_rules_per_destination = 2;
    customer.cost_budget = 10;
    struct pol_candidate candidate = {
        .rule = rule, .actions = &actions, .policy = &customer, .destination_rules = 1, .cost = 4, .peer_cost = 6};
    pol_judge(&candidate, &verdict);
    assert_int_equal(verdict.state, POL_ACTIVE);
    candidate.destination_rules = 2;
    pol_judge(&candidate, &verdict);
    assert_int_equal(verdict.state, POL_REJECTED);
    assert_string_equal(verdict.step, "max-rules");
    assert_non_null(strstr(verdict.reason, "policy customer"));
    assert_true(pol_waits_for_place(verdict.reason));
    candidate.destination_rules = 0;
    candidate.peer_cost = 7;
    pol_judge(&candidate, &verdict);
    assert_int_equal(verdict.state, POL_REJECTED);
    assert_string_equal(verdict.step, "cost");
    assert_memory_equal(verdict.reason, "cost-budget: ", 13);
    assert_true(pol_waits_for_place(verdict.reason));
    fs_rule_free(rule);
}

static bool announces_24(void *ctx, const struct ip_prefix *prefix)
{
    return prefix->length >= 24 && ip_bits_equal(prefix->octets, ((struct ip_prefix *)ctx)->octets, 24);
}

static void from_routes_is_what_the_peer_announces(void **state)
{
    struct fs_text_error error;
    struct pol_verdict verdict;
    struct fs_actions actions;
    struct fs_rule *rule;

    (void)state;
    customer.destination_count = 0;
    customer.from_routes = true;
    for (unsigned i = 0; i < 3; i++) {
        const char *const texts[] = {"match destination 203.0.113.7/32 then discard",
                                     "match destination 203.0.114.7/32 then discard",
                                     "match protocol udp then discard"};
        assert_true(fs_text_parse(texts[i], &rule, &actions, &error));
        struct pol_candidate candidate = {.rule = rule,
                                          .actions = &actions,
                                          .policy = &customer,
                                          .announces = announces_24,
                                          .announces_ctx = &destinations[0]};
        pol_judge(&candidate, &verdict);
        assert_int_equal(verdict.state, i == 0 ? POL_ACTIVE : POL_REJECTED);
        if (i > 0)
            assert_non_null(strstr(verdict.reason, "(from-routes of policy customer)"));
        candidate.announces = NULL; /* it announces nothing at all */
        pol_judge(&candidate, &verdict);
        assert_int_equal(verdict.state, POL_REJECTED);
        fs_rule_free(rule);
    }
}

static void policies_differ_in_any_key(void **state)
{
    struct pol_peer_policy other = customer;
    struct ip_prefix others[2] = {destinations[0], destinations[1]};

    (void)state;
    other.destinations = others;
    assert_true(pol_peer_policy_equal(&customer, &other));
    assert_true(pol_peer_policy_equal(NULL, NULL));
    assert_false(pol_peer_policy_equal(&customer, NULL));
    assert_false(pol_peer_policy_equal(NULL, &customer));
    others[1].octets[5] ^= 1;
    assert_false(pol_peer_policy_equal(&customer, &other));
    others[1].octets[5] ^= 1;
    other.destination_count = 1;
    assert_false(pol_peer_policy_equal(&customer, &other));
    other = customer;
    other.name = "another";
    assert_false(pol_peer_policy_equal(&customer, &other));
    other = customer;
    other.min_length_ipv4++;
    assert_false(pol_peer_policy_equal(&customer, &other));
    other = customer;
    other.min_length_ipv6++;
    assert_false(pol_peer_policy_equal(&customer, &other));
    other = customer;
    other.actions = POL_ACTION_MARK;
    assert_false(pol_peer_policy_equal(&customer, &other));
    other = customer;
    other.max_rules++;
    assert_false(pol_peer_policy_equal(&customer, &other));
#define DIFFERS(member)                                                                                                \
    do {                                                                                                               \
        other = customer;                                                                                              \
        other.member = 1;                                                                                              \
        assert_false(pol_peer_policy_equal(&customer, &other));                                                        \
    } while (0)
    DIFFERS(from_routes);
    DIFFERS(min_source_ipv4);
    DIFFERS(min_source_ipv6);
    DIFFERS(required);
    DIFFERS(forbidden);
    DIFFERS(min_rate_bytes_per_s);
    DIFFERS(min_rate_packets_per_s);
    DIFFERS(max_rules_per_destination);
    DIFFERS(cost_budget);
    DIFFERS(max_changes_per_s);
    DIFFERS(max_age_s);
    DIFFERS(idle_age_s);
    DIFFERS(dry_run);
    DIFFERS(on_breach);
    other = customer;
    other.redirect_addresses = others;
    other.redirect_address_count = 1;
    assert_false(pol_peer_policy_equal(&customer, &other));
    const struct fs_route_target target = {.kind = FS_REDIRECT_RT_AS2, .admin = 1, .value = 1};
    other = customer;
    other.redirect_targets = &target;
    other.redirect_target_count = 1;
    assert_false(pol_peer_policy_equal(&customer, &other));
}

#define POLICY_TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        POLICY_TEST(a_destination_is_within_the_list),
        POLICY_TEST(a_destination_has_its_least_length),
        POLICY_TEST(each_action_is_one_of_those_allowed),
        POLICY_TEST(a_peer_has_so_many_rules),
        POLICY_TEST(a_source_has_its_least_length_where_there_is_one),
        POLICY_TEST(components_are_required_or_forbidden),
        POLICY_TEST(a_limit_is_not_below_the_lowest_rate),
        POLICY_TEST(redirects_lead_where_they_may),
        POLICY_TEST(one_destination_has_so_many_rules_and_all_so_much_cost),
        POLICY_TEST(from_routes_is_what_the_peer_announces),
        POLICY_TEST(policies_differ_in_any_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
