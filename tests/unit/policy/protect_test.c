/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include <stdio.h>
#include <string.h>

#include "flowspec/text.h"
#include "policy/policy.h"

static struct fs_rule *parse(const char *text, struct fs_actions *actions)
{
    struct fs_text_error error;
    struct fs_rule *rule;

    assert_true(fs_text_parse(text, &rule, actions, &error));
    return rule;
}

/* Judges a rule where `protect` (its match is `protected`) is all there is. */
static void judge(struct pol_protect protect, const char *protected, const char *text, bool from_configuration,
                  struct pol_verdict *verdict)
{
    struct fs_actions actions, none;
    struct fs_rule *rule = parse(text, &actions), *match = parse(protected, &none);

    protect.match = match;
    pol_judge(&(struct pol_candidate){.rule = rule,
                                      .actions = &actions,
                                      .protects = &protect,
                                      .protect_count = 1,
                                      .from_configuration = from_configuration},
              verdict);
    fs_rule_free(rule);
    fs_rule_free(match);
}

#define BGP "match protocol tcp port 179"

static void assert_refused(const char *protected, const char *text, const char *reason)
{
    struct pol_verdict verdict;

    judge((struct pol_protect){.line = 7}, protected, text, false, &verdict);
    assert_string_equal(verdict.reason, reason);
    assert_int_equal(verdict.state, POL_REJECTED);
}

static void assert_passes(const char *protected, const char *text)
{
    struct pol_verdict verdict;

    judge((struct pol_protect){.line = 7}, protected, text, false, &verdict);
    assert_string_equal(verdict.reason, "");
    assert_int_equal(verdict.state, POL_ACTIVE);
}

static void a_rule_that_meets_protected_traffic_is_refused_with_a_packet(void **state)
{
    (void)state;
    assert_refused(BGP, "match destination 203.0.113.0/24 then discard",
                   "protected: meets 'match protocol =tcp port =179' (line 7), for example: source 198.51.100.1 "
                   "destination 203.0.113.1 protocol tcp source-port 40000 destination-port 179 tcp-flags ack "
                   "packet-length 40");
    assert_refused(
        BGP, "match source-port 179 tcp-flags syn&!ack then discard",
        "protected: meets 'match protocol =tcp port =179' (line 7), for example: source 198.51.100.1 "
        "destination 192.0.2.1 protocol tcp source-port 179 destination-port 179 tcp-flags syn packet-length "
        "40");
    assert_refused("match family ipv6 protocol tcp port 179", "match destination 2001:db8:7::/48 then discard",
                   "protected: meets 'match protocol =tcp port =179' (line 7), for example: source 2001:db8::1 "
                   "destination 2001:db8:7::2 protocol tcp source-port 40000 destination-port 179 tcp-flags ack "
                   "packet-length 60");
}

static void a_rule_that_meets_nothing_protected_passes(void **state)
{
    (void)state;
    assert_passes(BGP, "match destination 203.0.113.7/32 protocol udp source-port 123 then discard");
    assert_passes(BGP, "match fragment is-fragment then discard"); /* no ports there */
    assert_passes(BGP, "match destination-port 80,443 source-port >179 then discard");
    assert_passes(BGP, "match port !=179 destination-port 1-178 source-port 180-1000 then discard");
    assert_passes(BGP, "match protocol tcp packet-length <36 then discard");
    assert_passes(BGP, "match destination 2001:db8::/32 then discard"); /* the other family */
    assert_passes("match destination 192.0.2.0/24", "match destination 198.51.100.0/24 then discard");
    assert_passes("match source 2001:db8::/32", "match source ::1:0:0:0/32-64 destination-port 53 then accept");
}

static void only_actions_that_take_traffic_away_are_refused(void **state)
{
    static const struct {
        const char *actions;
        bool refused;
    } CASES[] = {
        {"accept", false},
        {"discard", true},
        {"rate-limit 10gbps", true},
        {"rate-limit 5kpps", true},
        {"mark 46", false},
        {"sample", false},
        {"continue", false},
        {"redirect 65000:100", true},
        {"redirect-ip 192.0.2.9", true},
        {"redirect-ip 192.0.2.9 copy", false},
        {"mark 46 sample rate-limit 1mbps", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct pol_verdict verdict;
        char text[128];
        snprintf(text, sizeof text, "match protocol tcp then %s", CASES[i].actions);
        judge((struct pol_protect){.line = 7}, BGP, text, false, &verdict);
        assert_int_equal(verdict.state, CASES[i].refused ? POL_REJECTED : POL_ACTIVE);
    }
}

static void assert_spared(struct pol_protect protect, const char *text, bool from_configuration, bool spared)
{
    bool six = strncmp(text, "match family ipv6", 17) == 0 || strchr(text, ':') != NULL;
    struct pol_verdict verdict;

    judge(protect,
          six ? "match family ipv6 protocol tcp destination-port 179 fragment !first-fragment"
              : "match protocol tcp destination-port 179 fragment !first-fragment",
          text, from_configuration, &verdict);
    assert_int_equal(verdict.state, spared ? POL_ACTIVE : POL_REJECTED);
}

static void an_entry_can_let_narrow_rules_through(void **state)
{
    const struct pol_protect protect = {.line = 7, .unless_longer_than = 28};

    (void)state;
    assert_spared(protect, "match destination 203.0.113.0/28 then discard", false, false);
    assert_spared(protect, "match destination 203.0.113.0/29 then discard", false, true);
    assert_spared(protect, "match source 203.0.113.0/29 then discard", false, true);
    assert_spared(protect, "match destination 203.0.113.0/24 source 203.0.113.0/28 then discard", false, false);
    assert_spared(protect, "match protocol tcp then discard", false, false);
    assert_spared(protect, "match destination 2001:db8::/29 then discard", false, true);
    /* bits 64 to 127 of any network: a long pattern and a wide rule */
    assert_spared(protect, "match destination ::7/64-128 then discard", false, false);
    assert_spared((struct pol_protect){.line = 7}, "match destination 203.0.113.7/32 then discard", false, false);
}

static void what_is_protected_unasked_is_so_from_rules_that_take_all_of_it(void **state)
{
    static const struct {
        const char *match;
        bool spared;
    } CASES[] = {
        {"protocol tcp", false},
        {"protocol true", false},
        {"protocol !=udp", false},
        {"protocol udp", true},
        {"destination 0.0.0.0/0", false},
        {"destination 203.0.0.0/16", false},
        {"destination 203.0.0.0/17", true},
        {"source 203.0.0.0/17", true},
        {"port 179", false},
        {"destination-port 179", false},
        {"source-port 179", true}, /* the other direction */
        {"destination-port 100-200", false},
        {"port 53", true},
        {"port >=0", false},
        {"source-port >1023", true},
        {"source-port >=0 destination-port !=53", false},
        {"tcp-flags syn", true},
        {"tcp-flags syn,!syn", false},
        {"packet-length >=40", false},
        {"packet-length >=41", true},
        {"dscp 48", true},
        {"dscp <=63", false},
        {"fragment !is-fragment", false},
        {"fragment is-fragment", true},
        {"family ipv6 flow-label 5 protocol tcp", true},
        {"family ipv6 protocol tcp", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const struct pol_protect protect = {.whole = true, .unless_longer_than = 16};
        char text[128];
        snprintf(text, sizeof text, "match %s then discard", CASES[i].match);
        assert_spared(protect, text, false, CASES[i].spared);
        assert_spared(protect, text, true, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_that_meets_protected_traffic_is_refused_with_a_packet),
        cmocka_unit_test(a_rule_that_meets_nothing_protected_passes),
        cmocka_unit_test(only_actions_that_take_traffic_away_are_refused),
        cmocka_unit_test(an_entry_can_let_narrow_rules_through),
        cmocka_unit_test(what_is_protected_unasked_is_so_from_rules_that_take_all_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
