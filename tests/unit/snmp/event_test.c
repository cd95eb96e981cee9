/* SPDX-License-Identifier: BSD-3-Clause */
/* What is read out of the router's journal. */
#include "../cm.h"

#include <string.h>

#include "event.h"

static json_t *entry(const char *event, const char *step, const char *state, const char *reason)
{
    json_t *o =
        json_pack("{s:s, s:I, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "time", "2026-01-02T03:04:05Z", "position",
                  (json_int_t)1809738798774272, "rule", 7, "event", event, "peer", "detector", "state", state, "step",
                  step, "by", "router", "text", "match protocol =udp then discard", "reason", reason);

    assert_non_null(o);
    return o;
}

static void a_trip_says_what_share_of_what_was_over_which_limit(void **state)
{
    static const struct {
        const char *reason;
        enum event_scope scope;
        const char *value;
        uint32_t share, limit;
    } TRIPS[] = {
        {"breaker: rules dropped 75.0 % of all packets for 30 s, more than max-drop-share 20 %; this one, among the "
         "newest, 6387242 packets/s; `rule resume` enforces it again",
         SCOPE_PACKETS, "", 7500, 2000},
        {"breaker: rules dropped 12.3 % of all octets for 1 s, more than max-byte-share 0.25 %; this one, among the "
         "newest, 12.3 %; `rule resume` enforces it again",
         SCOPE_OCTETS, "", 1230, 25},
        {"breaker: rules dropped 100.0 % of protocol 17 for 1 s, more than max-protocol-share 60.5 %; this one, ...",
         SCOPE_PROTOCOL, "17", 10000, 6050},
        {"breaker: rules dropped 99.9 % to 2001:db8::7 for 5 s, more than max-destination-share 90 %; this one, ...",
         SCOPE_DESTINATION, "2001:db8::7", 9990, 9000},
        {"breaker: it was suspended before; `rule resume` enforces it again", SCOPE_OTHER, "", 0, 0},
        {"breaker: rules dropped a lot", SCOPE_OTHER, "", 0, 0},
        {"breaker: rules dropped 5 % of something, more than max-something 4 %", SCOPE_OTHER, "", 500, 0},
        {"", SCOPE_OTHER, "", 0, 0},
    };
    struct event event;

    (void)state;
    for (size_t i = 0; i < sizeof TRIPS / sizeof TRIPS[0]; i++) {
        memset(&event, 0x55, sizeof event);
        event_read_trip(TRIPS[i].reason, &event);
        assert_int_equal(event.scope, TRIPS[i].scope);
        assert_int_equal(event.share, TRIPS[i].share);
        assert_int_equal(event.limit, TRIPS[i].limit);
        assert_string_equal(event.scope_value, TRIPS[i].value);
    }
}

static void a_trip_a_switch_and_a_held_rule_are_events(void **state)
{
    static const struct {
        const char *event, *step, *state;
        enum event_kind kind;
    } ENTRIES[] = {{"breaker", "breaker", "suspended", EVENT_BREAKER_TRIPPED},
                   {"kill-switch", "operator", "on", EVENT_KILL_SWITCH},
                   {"verdict", "blast-radius", "held", EVENT_RULE_HELD}};
    struct event event;

    (void)state;
    for (size_t i = 0; i < sizeof ENTRIES / sizeof ENTRIES[0]; i++) {
        json_t *o = entry(ENTRIES[i].event, ENTRIES[i].step, ENTRIES[i].state, "why");
        assert_true(event_from_journal(o, &event));
        assert_int_equal(event.kind, ENTRIES[i].kind);
        assert_int_equal(event.rule, 7);
        assert_string_equal(event.match, "match protocol =udp then discard");
        assert_string_equal(event.peer, "detector");
        assert_string_equal(event.time, "2026-01-02T03:04:05Z");
        assert_string_equal(event.reason, "why");
        assert_int_equal(event.on, i == 1);
        assert_non_null(event_name(event.kind));
        json_decref(o);
    }
}

static void what_is_written_again_and_other_entries_are_none(void **state)
{
    static const char *const ENTRIES[][3] = {
        {"breaker", "kept", "suspended"},  {"kill-switch", "kept", "on"},        {"verdict", "", "active"},
        {"verdict", "sense", "rejected"},  {"suspend", "operator", "suspended"}, {"withdrawn", "", "suspended"},
        {"verdict", "max-changes", "held"}};
    struct event event;

    (void)state;
    for (size_t i = 0; i < sizeof ENTRIES / sizeof ENTRIES[0]; i++) {
        json_t *o = entry(ENTRIES[i][0], ENTRIES[i][1], ENTRIES[i][2], "");
        assert_false(event_from_journal(o, &event));
        json_decref(o);
    }
    assert_false(event_from_journal(NULL, &event));
}

static void long_texts_are_cut_and_say_so(void **state)
{
    static char text[3000];
    struct event event;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    json_t *o = entry("breaker", "breaker", "suspended", text);
    json_object_set_new(o, "text", json_string(text));
    assert_true(event_from_journal(o, &event));
    assert_int_equal(strlen(event.reason), EVENT_TEXT - 1);
    assert_int_equal(strlen(event.match), EVENT_TEXT - 1);
    assert_string_equal(event.reason + EVENT_TEXT - 4, "...");
    /* and no character in two */
    for (size_t i = 1; i + 2 < sizeof text; i += 2)
        memcpy(&text[i], "\xc3\xa9", 2);
    text[sizeof text - 1] = '\0';
    json_object_set_new(o, "reason", json_string(text));
    assert_true(event_from_journal(o, &event));
    assert_int_equal(strlen(event.reason), EVENT_TEXT - 2);
    assert_string_equal(event.reason + strlen(event.reason) - 5, "\xc3\xa9...");
    json_decref(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trip_says_what_share_of_what_was_over_which_limit),
        cmocka_unit_test(a_trip_a_switch_and_a_held_rule_are_events),
        cmocka_unit_test(what_is_written_again_and_other_entries_are_none),
        cmocka_unit_test(long_texts_are_cut_and_say_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
