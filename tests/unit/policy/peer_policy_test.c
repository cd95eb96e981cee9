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
}

#define POLICY_TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        POLICY_TEST(a_destination_is_within_the_list),    POLICY_TEST(a_destination_has_its_least_length),
        POLICY_TEST(each_action_is_one_of_those_allowed), POLICY_TEST(a_peer_has_so_many_rules),
        POLICY_TEST(policies_differ_in_any_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
