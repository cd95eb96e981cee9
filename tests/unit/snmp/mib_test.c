/* SPDX-License-Identifier: BSD-3-Clause */
/* The walk over the objects, and what they say. */
#include "../cm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mib.h"

#define OBJECTS_MOST 4096
#define TRIES        200000

static const char STATUS[] =
    "{\"version\": \"1.2.3\", \"uptime_s\": 200, \"dataplane\": \"running\", \"ports\": 2, \"workers\": 1,"
    " \"sessions\": {\"configured\": 3, \"established\": 1, \"unknown_connections\": 5},"
    " \"rules\": {\"active\": 3, \"rejected\": 1, \"held\": 2, \"suspended\": 0, \"never-matches\": 0, \"stale\": 0,"
    "  \"dry-run\": 0, \"not-imported\": 4, \"a-new-state\": 1},"
    " \"vetting\": {\"kill_switch\": \"off\", \"kill_switch_peers\": [\"b\"], \"guard\": true, \"breaker\": false,"
    "  \"breaker_trips\": 9007199254740993, \"drop_share_percent\": 12.345, \"samples\": 4096, \"delayed_changes\": 0},"
    " \"counters\": {\"rx_packets\": 24, \"drops\": {\"urpf\": 1, \"blackhole\": 20, \"no_route\": 300}}}";
static const char PORTS[] = "[{\"name\": \"wan\", \"mode\": \"wire\", \"link\": \"up\", \"speed_mbps\": null,"
                            "  \"flowspec\": true, \"counters\": {\"rx_packets\": 7, \"drops\": {\"a\": 1, \"b\": 2}}},"
                            " {\"name\": \"lan\", \"mode\": \"route\", \"link\": \"down\", \"speed_mbps\": 100000,"
                            "  \"flowspec\": false, \"counters\": {\"rx_packets\": 8, \"drops\": {}}}]";
static const char PEERS[] =
    "[{\"name\": \"b\", \"address\": \"192.0.2.1\", \"state\": \"Established\", \"admin_down\": false, \"asn\": 65001,"
    "  \"rules_received\": {\"ipv4\": 7, \"ipv6\": 2}},"
    " {\"name\": \"a@x\", \"address\": \"2001:db8::1\", \"state\": \"Idle\", \"admin_down\": true, \"asn\": "
    "4200000000},"
    " {\"name\": \"a\", \"state\": \"OpenSent\"}, {\"name\": \"b\", \"state\": \"Idle\"}]";

static struct state_view *make_state(void)
{
    struct state_view *view =
        state_view_create(json_loads(STATUS, 0, NULL), json_loads(PORTS, 0, NULL), json_loads(PEERS, 0, NULL));

    assert_non_null(view);
    return view;
}

static struct rule_view *make_rules(unsigned count)
{
    struct rule_view *view = rule_view_create();

    assert_non_null(view);
    for (unsigned i = 0; i < count; i++) {
        /* ids in no order, as the API's order is that of evaluation */
        json_t *rule =
            json_pack("{s:i, s:i, s:s, s:s, s:[s,s], s:s, s:s, s:{s:s, s:s}, s:i}", "id",
                      (int)(1 + (i * 7919) % 100003), "rank", (int)i, "family", i % 2 ? "ipv4" : "ipv6", "match",
                      "protocol =udp", "actions", "mark 46", "accept", "state", "suspended", "reason", "operator: x",
                      "source", "kind", i % 2 ? "bgp" : "config", "peer", "d", "packets", (int)(10 * i));
        assert_true(rule_view_add(view, rule));
        json_decref(rule);
    }
    rule_view_sort(view);
    return view;
}

static unsigned asked_for_rules;

static const struct rule_view *give_rules(void *ctx)
{
    asked_for_rules++;
    return ctx;
}

struct object {
    uint32_t arcs[MIB_ARCS_MOST];
    size_t len;
    struct mib_value value;
};

static struct object all[OBJECTS_MOST];

static int order(const struct object *a, const uint32_t *arcs, size_t len)
{
    for (size_t i = 0; i < a->len && i < len; i++)
        if (a->arcs[i] != arcs[i])
            return a->arcs[i] < arcs[i] ? -1 : 1;
    return a->len < len ? -1 : a->len > len;
}

static size_t walk(struct mib_source *source)
{
    size_t count = 0;

    for (; count < OBJECTS_MOST; count++) {
        const struct object *last = count > 0 ? &all[count - 1] : NULL;
        struct object *next = &all[count];
        if (!mib_next(source, last != NULL ? last->arcs : NULL, last != NULL ? last->len : 0, next->arcs, &next->len,
                      &next->value))
            return count;
    }
    fail_msg("the walk does not end");
    return 0;
}

static void a_walk_goes_upwards_and_each_object_is_found_by_its_name(void **state)
{
    struct state_view *view = make_state();
    struct rule_view *rules = make_rules(50);
    struct mib_source source = {.state = view, .get_rules = give_rules, .ctx = rules};
    size_t count = walk(&source);
    struct mib_value value;

    (void)state;
    assert_in_range(count, 600, OBJECTS_MOST);
    for (size_t i = 0; i < count; i++) {
        assert_true(i == 0 || order(&all[i], all[i - 1].arcs, all[i - 1].len) > 0);
        assert_true(mib_get(&source, all[i].arcs, all[i].len, &value));
        assert_int_equal(value.number, all[i].value.number);
        assert_string_equal(value.text, all[i].value.text);
        assert_false(mib_get(&source, all[i].arcs, all[i].len - 1, &value));
        all[i].arcs[all[i].len] = 0;
        assert_false(mib_get(&source, all[i].arcs, all[i].len + 1, &value));
    }
    assert_false(mib_get(&source, NULL, 0, &value));
    state_view_drop(view);
    rule_view_drop(rules);
}

/* Whatever is asked: the answer is the first of all objects that is behind it. */
static void what_comes_next_is_what_a_search_of_all_finds(void **state)
{
    struct state_view *view = make_state();
    struct rule_view *rules = make_rules(20);
    struct mib_source source = {.state = view, .get_rules = give_rules, .ctx = rules};
    size_t count = walk(&source);
    struct object found, asked;

    (void)state;
    srand(1);
    for (unsigned try = 0; try < TRIES; try++) {
        asked = all[(unsigned)rand() % count];
        size_t changed = (unsigned)rand() % asked.len;
        asked.arcs[changed] += (uint32_t)(rand() % 3) - 1;
        asked.len = (unsigned)rand() % 2 ? asked.len : changed + 1;
        size_t i = 0;
        while (i < count && order(&all[i], asked.arcs, asked.len) <= 0)
            i++;
        bool any = mib_next(&source, asked.arcs, asked.len, found.arcs, &found.len, &found.value);
        assert_int_equal(any, i < count);
        assert_true(!any || order(&all[i], found.arcs, found.len) == 0);
    }
    state_view_drop(view);
    rule_view_drop(rules);
}

static struct mib_value get(struct mib_source *source, size_t len, const uint32_t *arcs)
{
    struct mib_value value;

    if (!mib_get(source, arcs, len, &value))
        fail_msg("no object %u.%u.%u", arcs[0], arcs[1], arcs[2]);
    return value;
}

#define GET(...) get(&source, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), (uint32_t[]){__VA_ARGS__})

static void objects_say_what_the_router_said(void **state)
{
    struct state_view *view = make_state();
    struct rule_view *rules = make_rules(3);
    struct mib_source source = {.state = view, .get_rules = give_rules, .ctx = rules, .counts = {.suppressed = 4}};
    struct mib_value value;

    (void)state;
    assert_int_equal(GET(1, 1, 0).number, 1);
    assert_string_equal(GET(1, 2, 0).text, "1.2.3");
    assert_int_equal(GET(1, 3, 0).number, 20000);
    assert_int_equal(GET(1, 5, 0).number, 2);
    assert_int_equal(GET(1, 7, 0).number, 1);
    assert_int_equal(GET(2, 9, 0).number, 11); /* a state that the MIB does not know counts, too */
    assert_true(GET(5, 3, 0).number == 9007199254740993);
    assert_int_equal(GET(5, 4, 0).number, 1235);
    assert_int_equal(GET(4, 7, 0).number, 321);
    assert_int_equal(GET(6, 1, 3, 'u', 'r', 'p', 'f').number, 1);
    assert_int_equal(GET(7, 1, 13, 1).number, 3);
    assert_false(mib_get(&source, (uint32_t[]){7, 1, 7, 1}, 4, &value)); /* null: not known */
    assert_int_equal(GET(7, 1, 7, 2).number, 100000);
    assert_int_equal(GET(8, 1, 5, 'b').number, 6); /* of two of a name the first, and one row */
    assert_int_equal(GET(8, 1, 14, 'b').number, 1);
    assert_int_equal(GET(8, 1, 11, 'b').number, 9);
    assert_int_equal(GET(8, 1, 6, 'a', '@', 'x').number, 2);
    assert_int_equal(GET(8, 1, 4, 'a', '@', 'x').number, 4200000000);
    assert_string_equal(GET(9, 1, 3, 7920).text, "mark 46 accept");
    assert_string_equal(GET(9, 1, 7, 7920).text, "d");
    assert_string_equal(GET(9, 1, 7, 1).text, "configuration");
    assert_int_equal(GET(9, 1, 5, 7920).number, 4);
    assert_int_equal(GET(9, 1, 9, 15839).number, 20);
    assert_int_equal(GET(10, 2, 0).number, 4);
    state_view_drop(view);
    rule_view_drop(rules);
}

static void without_a_router_only_that_and_the_counts_are_left(void **state)
{
    struct mib_source source = {.get_rules = give_rules};

    (void)state;
    assert_int_equal(walk(&source), 5);
    assert_int_equal(all[0].arcs[0], 1);
    assert_int_equal(all[0].value.number, 2);
    assert_int_equal(all[1].arcs[0], MIB_GROUP_NOTIFICATION);
}

static void rules_are_asked_for_when_somebody_reads_them(void **state)
{
    struct state_view *view = make_state();
    struct rule_view *rules = make_rules(3);
    struct mib_source source = {.state = view, .get_rules = give_rules, .ctx = rules};
    uint32_t next[MIB_ARCS_MOST], after[MIB_ARCS_MOST];
    struct mib_value value;
    size_t len, after_len;

    (void)state;
    asked_for_rules = 0;
    assert_true(mib_get(&source, (uint32_t[]){1, 1, 0}, 3, &value));
    assert_true(mib_next(&source, (uint32_t[]){4, 1}, 2, next, &len, &value));
    assert_true(mib_next(&source, (uint32_t[]){10}, 1, next, &len, &value));
    assert_int_equal(asked_for_rules, 0);
    assert_true(mib_next(&source, (uint32_t[]){9}, 1, next, &len, &value));
    assert_true(mib_next(&source, next, len, after, &after_len, &value));
    assert_int_equal(asked_for_rules, 1);
    state_view_drop(view);
    rule_view_drop(rules);
}

/* They may be read too late: then the answer is not that there are none. */
static void rules_that_could_not_be_read_are_not_taken_for_none(void **state)
{
    struct state_view *view = make_state();
    struct mib_source source = {.state = view, .get_rules = give_rules};
    uint32_t next[MIB_ARCS_MOST];
    struct mib_value value;
    size_t len;

    (void)state;
    asked_for_rules = 0;
    assert_true(mib_next(&source, (uint32_t[]){4, 1}, 2, next, &len, &value));
    assert_false(source.rules_missed);
    assert_false(mib_get(&source, (uint32_t[]){9, 1, 2, 7}, 4, &value));
    assert_true(source.rules_missed);
    source.rules_missed = false;
    mib_next(&source, (uint32_t[]){9}, 1, next, &len, &value);
    assert_true(source.rules_missed);
    assert_int_equal(asked_for_rules, 1);
    state_view_drop(view);
}

static void enforcement_is_the_worst_of_what_holds(void **state)
{
    static const struct {
        const char *status;
        unsigned number;
    } CASES[] = {
        {"{\"dataplane\": \"running\", \"vetting\": {\"kill_switch\": \"off\", \"kill_switch_peers\": []}}", 1},
        {"{\"dataplane\": \"running\", \"vetting\": {\"kill_switch\": \"on\", \"kill_switch_peers\": [\"a\"]}}", 3},
        {"{\"dataplane\": \"stopped\", \"vetting\": {\"kill_switch\": \"on\", \"kill_switch_peers\": []}}", 4}};

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct state_view *view = state_view_create(json_loads(CASES[i].status, 0, NULL), json_array(), json_array());
        struct mib_source source = {.state = view};
        assert_int_equal(GET(1, 5, 0).number, CASES[i].number);
        state_view_drop(view);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_walk_goes_upwards_and_each_object_is_found_by_its_name),
        cmocka_unit_test(what_comes_next_is_what_a_search_of_all_finds),
        cmocka_unit_test(objects_say_what_the_router_said),
        cmocka_unit_test(without_a_router_only_that_and_the_counts_are_left),
        cmocka_unit_test(rules_are_asked_for_when_somebody_reads_them),
        cmocka_unit_test(rules_that_could_not_be_read_are_not_taken_for_none),
        cmocka_unit_test(enforcement_is_the_worst_of_what_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
