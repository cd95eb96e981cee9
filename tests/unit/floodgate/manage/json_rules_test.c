/* SPDX-License-Identifier: BSD-3-Clause */
/* The objects of `fgctl -j rules`, on rules and counters made by hand: the shape is a promise to other programs. */
#include "../../cm.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/dataplane.h"
#include "flowspec/order.h"
#include "flowspec/text.h"
#include "manage/json_rules.h"

#define RULES_MAX 64

/* A data plane and rules as simple as can be; `here` is kept in order by the tests. */
static struct cnt_rule_sum counters;
static struct rule *here[RULES_MAX];
static unsigned here_count;

void dataplane_rule_counters(const struct dataplane *dp, uint32_t id, struct cnt_rule_sum *out)
{
    (void)dp;
    (void)id;
    *out = counters;
}

const char *dataplane_vrf_name(const struct dataplane *dp, uint16_t vrf)
{
    (void)dp;
    return vrf == 1 ? "red" : "blue";
}

bool dataplane_bypassed(const struct dataplane *dp)
{
    (void)dp;
    return false;
}

double dataplane_tsc_to_time(const struct dataplane *dp, uint64_t tsc)
{
    (void)dp;
    return (double)tsc + 0.75;
}

const char *rule_state_name(enum rule_state state)
{
    return state == RULE_ACTIVE ? "active" : "held";
}

const struct rule *rules_next(const struct rules *rules, const struct rule *rule)
{
    unsigned i = 0;

    (void)rules;
    while (rule != NULL && here[i++] != rule)
        ;
    return i < here_count ? here[i] : NULL;
}

const struct rule *rules_after(const struct rules *rules, const struct fs_rule *match)
{
    (void)rules;
    for (unsigned i = 0; i < here_count; i++)
        if (fs_rule_compare(here[i]->match, match) > 0)
            return here[i];
    return NULL;
}

static struct rule *rule_make(const char *text)
{
    struct rule *rule = calloc(1, sizeof *rule);
    struct fs_text_error error;
    struct fs_rule *match;

    assert_true(fs_text_parse(text, &match, &rule->actions, &error));
    rule->match = match;
    rule->id = 7;
    rule->source_kind = BGP_SOURCE_PEER;
    rule->source_name = "detector";
    return rule;
}

static void rule_destroy(struct rule *rule)
{
    fs_rule_free((struct fs_rule *)(uintptr_t)rule->match);
    free(rule);
}

static void expect_json(const struct rule *rule, const char *expected)
{
    json_t *json = json_rule(rule, 0, NULL);
    char *text = json_dumps(json, 0);

    assert_string_equal(text, expected);
    free(text);
    json_decref(json);
}

static void a_rule_looks_as_the_manual_says(void **state)
{
    struct rule *rule = rule_make("match destination 203.0.113.7/32 protocol udp source-port 123 then discard");

    (void)state;
    counters = (struct cnt_rule_sum){
        .packets = 10, .bytes = 4680, .dropped_packets = 10, .dropped_bytes = 4680, .last_hit_tsc = 1767323045};
    expect_json(rule, "{\"id\": 7, \"family\": \"ipv4\", \"rank\": 0, "
                      "\"match\": \"destination 203.0.113.7/32 protocol =udp source-port =123\", "
                      "\"actions\": [\"discard\"], \"nlri\": \"0c0120cb00710703811106817b\", \"vrf\": \"default\", "
                      "\"source\": {\"kind\": \"bgp\", \"peer\": \"detector\"}, \"state\": \"active\", "
                      "\"reason\": \"\", \"packets\": 10, \"bytes\": 4680, \"dropped_packets\": 10, "
                      "\"dropped_bytes\": 4680, \"last_hit\": \"2026-01-02T03:04:05Z\"}");
    rule_destroy(rule);
}

static void a_rule_never_hit_says_null_and_other_sources_have_no_peer(void **state)
{
    struct rule *rule = rule_make("match destination 2001:db8::/64 then rate-limit 10mbps mark 46");

    (void)state;
    counters = (struct cnt_rule_sum){0};
    rule->source_kind = BGP_SOURCE_CONFIG;
    rule->state = RULE_HELD;
    rule->reason = strdup("guard: 40 per cent of the packets");
    expect_json(rule, "{\"id\": 7, \"family\": \"ipv6\", \"rank\": 0, \"match\": \"destination 2001:db8::/64\", "
                      "\"actions\": [\"rate-limit 10mbps\", \"mark 46\"], \"nlri\": \"0b01400020010db800000000\", "
                      "\"vrf\": \"default\", \"source\": {\"kind\": \"config\"}, \"state\": \"held\", "
                      "\"reason\": \"guard: 40 per cent of the packets\", \"packets\": 0, \"bytes\": 0, "
                      "\"dropped_packets\": 0, \"dropped_bytes\": 0, \"last_hit\": null}");
    free(rule->reason);
    rule_destroy(rule);
}

static void a_long_match_is_whole(void **state)
{
    char text[8192] = "match destination-port 1";
    struct rule *rule;

    (void)state;
    for (unsigned i = 2; i < 900; i++)
        sprintf(text + strlen(text), ",%u", i);
    rule = rule_make(text);
    json_t *json = json_match(rule->match);
    assert_non_null(strstr(json_string_value(json), ",=899"));
    json_decref(json);
    rule_destroy(rule);
}

/* What a walk saw, as "destination/rank " each. */
static char seen[1024];

static void see(void *ctx, const struct rule *rule, uint32_t rank)
{
    char match[128];
    struct strbuf sb = sb_init(match, sizeof match);

    (void)ctx;
    fs_match_format(rule->match, &sb);
    sprintf(seen + strlen(seen), "%s@%u ", match + strlen("destination "), rank);
}

static int four_rules(void **state)
{
    static const char *const TEXTS[] = {"match destination 192.0.2.1/32", "match destination 192.0.2.2/32",
                                        "match destination 192.0.2.3/32", "match destination 2001:db8::1/128"};

    (void)state;
    seen[0] = '\0';
    for (here_count = 0; here_count < 4; here_count++)
        here[here_count] = rule_make(TEXTS[here_count]);
    return 0;
}

static int no_rules(void **state)
{
    (void)state;
    while (here_count > 0)
        rule_destroy(here[--here_count]);
    return 0;
}

static const struct rule_filter ALL = {.family = IP_NONE, .state = -1, .limit = UINT64_MAX};

static void a_walk_in_slices_sees_every_rule_once_in_order(void **state)
{
    struct rule_walk *walk = rule_walk_create(NULL, &ALL);

    (void)state;
    while (rule_walk_slice(walk, 1, see, NULL))
        ;
    assert_string_equal(seen, "192.0.2.1/32@0 192.0.2.2/32@1 192.0.2.3/32@2 2001:db8::1/128@0 ");
    rule_walk_free(walk);
}

static void a_walk_goes_on_when_the_rule_it_rested_at_is_gone(void **state)
{
    struct rule_walk *walk = rule_walk_create(NULL, &ALL);

    (void)state;
    assert_true(rule_walk_slice(walk, 2, see, NULL));
    rule_destroy(here[1]);
    memmove(&here[1], &here[2], 2 * sizeof here[0]);
    here_count = 3;
    assert_false(rule_walk_slice(walk, 100, see, NULL));
    assert_string_equal(seen, "192.0.2.1/32@0 192.0.2.2/32@1 192.0.2.3/32@2 2001:db8::1/128@0 ");
    rule_walk_free(walk);
}

static void expect_filtered(const struct rule_filter *filter, const char *expected)
{
    struct rule_walk *walk = rule_walk_create(NULL, filter);

    seen[0] = '\0';
    while (rule_walk_slice(walk, 1, see, NULL))
        ;
    assert_string_equal(seen, expected);
    rule_walk_free(walk);
}

static void filters_keep_the_rank_among_all_rules(void **state)
{
    (void)state;
    here[1]->state = RULE_HELD;
    here[2]->source_name = "customer";
    expect_filtered(&(struct rule_filter){.family = IP_V6, .state = -1, .limit = UINT64_MAX}, "2001:db8::1/128@0 ");
    expect_filtered(&(struct rule_filter){.state = RULE_HELD, .limit = UINT64_MAX}, "192.0.2.2/32@1 ");
    expect_filtered(&(struct rule_filter){.state = -1, .peer = "customer", .limit = UINT64_MAX}, "192.0.2.3/32@2 ");
    expect_filtered(&(struct rule_filter){.state = -1, .limit = 2}, "192.0.2.1/32@0 192.0.2.2/32@1 ");
    expect_filtered(&(struct rule_filter){.state = -1, .limit = 0}, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_looks_as_the_manual_says),
        cmocka_unit_test(a_rule_never_hit_says_null_and_other_sources_have_no_peer),
        cmocka_unit_test(a_long_match_is_whole),
        cmocka_unit_test_setup_teardown(a_walk_in_slices_sees_every_rule_once_in_order, four_rules, no_rules),
        cmocka_unit_test_setup_teardown(a_walk_goes_on_when_the_rule_it_rested_at_is_gone, four_rules, no_rules),
        cmocka_unit_test_setup_teardown(filters_keep_the_rank_among_all_rules, four_rules, no_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
