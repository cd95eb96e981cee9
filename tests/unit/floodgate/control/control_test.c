/* SPDX-License-Identifier: BSD-3-Clause */
/* The whole control plane over loopback sockets: what peers, strangers and operators do to it. */
#include "cm.h"

#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "fake_dataplane.h"
#include "router_bench.h"
#include "speaker.h"

#define RULE_NTP "match destination 203.0.113.7/32 protocol =udp source-port =123"
#define DETECTOR "    - {name: detector, address: 127.0.0.2, asn: 65001, passive: true, validation: none}\n"

/* clang-format off */
/* 203.0.113.7/32, UDP, source port 123, discard; with a 4-octet AS number, as the session has agreed */
static const uint8_t ANNOUNCE_NTP[] = {
    0, 0, 0, 46,                                       /* nothing withdrawn; 46 octets of attributes */
    0x40, 1, 1, 0,                                     /* ORIGIN IGP */
    0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xe9,                /* AS_PATH 65001 */
    0xc0, 16, 8, 0x80, 0x06, 0, 0, 0, 0, 0, 0,         /* traffic-rate-bytes 0 */
    0x80, 14, 19, 0, 1, 133, 0, 0,                     /* MP_REACH ipv4-flowspec, no next hop */
    13, 0x01, 32, 203, 0, 113, 7, 0x03, 0x81, 17, 0x06, 0x91, 0, 123,
};
/* a rule of four octets that starts with a type 0x63, which there is not */
static const uint8_t ANNOUNCE_BAD[] = {
    0, 0, 0, 26,
    0x40, 1, 1, 0,
    0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xe9,
    0x80, 14, 10, 0, 1, 133, 0, 0,
    4, 0x63, 1, 2, 3,
};
/* clang-format on */
static const uint8_t WITHDRAW_NTP[] = {0,  0,   0, 20,  0x80, 15,   17,   0,  1,    133,  13, 0x01,
                                       32, 203, 0, 113, 7,    0x03, 0x81, 17, 0x06, 0x91, 0,  123};

static struct speaker speaker, second;

static void announce_ntp(struct speaker *from)
{
    speaker_update(from, ANNOUNCE_NTP, sizeof ANNOUNCE_NTP);
}

static void an_announced_rule_bites_until_it_is_withdrawn(void **state)
{
    struct router *router = *state;

    router_start(router, DETECTOR, "");
    speaker_connect(&speaker, router->base, "127.0.0.2", router->port);
    speaker_establish(&speaker, 65001);
    announce_ntp(&speaker);
    assert_true(speaker_wait(router->base, router_one_in_force, router->dp));
    const struct rule *rule = rules_next(control_rules(router->control), NULL);
    assert_int_equal(rule->state, RULE_ACTIVE);
    assert_string_equal(rule->source_name, "detector");
    assert_int_equal(router_peer(router).rules_received[0], 1);
    assert_int_equal(router_peer(router).rules_active[0], 1);
    speaker_update(&speaker, WITHDRAW_NTP, sizeof WITHDRAW_NTP);
    assert_true(speaker_wait(router->base, router_none_in_force, router->dp));
    assert_int_equal(router_peer(router).withdrawals, 1);
    assert_true(router_logged(router, "peer detector: up, AS 65001, router id 192.0.2.9, ipv4-flowspec ipv6-flowspec"));
    speaker_close(&speaker);
}

/* conforms: RFC 4271 proves 8.2.2-4 */
static void a_session_that_closes_takes_its_rules_along(void **state)
{
    struct router *router = *state;

    router_start(router, DETECTOR, "");
    speaker_connect(&speaker, router->base, "127.0.0.2", router->port);
    speaker_establish(&speaker, 65001);
    announce_ntp(&speaker);
    assert_true(speaker_wait(router->base, router_one_in_force, router->dp));
    speaker_close(&speaker);
    assert_true(speaker_wait(router->base, router_none_in_force, router->dp));
    assert_true(router_logged(router, "peer detector: 1 rule gone with the session"));
}

/* Discards everything to 10.0.first.0 up to 10.0.first.199. */
static void announce_200(struct speaker *from, uint8_t first)
{
    uint8_t body[4096];
    size_t len = sizeof ANNOUNCE_NTP - 14 - 8, mp_len = 5 + 200 * 7;

    memcpy(body, ANNOUNCE_NTP, len);
    body[2] = (uint8_t)((len + 4 + mp_len - 4) >> 8);
    body[3] = (uint8_t)(len + 4 + mp_len - 4);
    memcpy(body + len, (const uint8_t[]){0x90, 14, (uint8_t)(mp_len >> 8), (uint8_t)mp_len, 0, 1, 133, 0, 0}, 9);
    len += 9;
    for (uint8_t i = 0; i < 200; i++, len += 7)
        memcpy(body + len, (const uint8_t[]){6, 0x01, 32, 10, 0, first, i}, 7);
    speaker_update(from, body, len);
}

static bool all_5000_in_force(void *ctx)
{
    return fake_dataplane_in_force(ctx) == 5000;
}

static bool some_have_left(void *ctx)
{
    return fake_dataplane_in_force(ctx) < 5000;
}

static void thousands_of_rules_leave_before_the_next_session_announces(void **state)
{
    struct router *router = *state;

    router_start(router, DETECTOR, "");
    speaker_connect(&speaker, router->base, "127.0.0.2", router->port);
    speaker_establish(&speaker, 65001);
    for (uint8_t i = 0; i < 25; i++)
        announce_200(&speaker, i);
    assert_true(speaker_wait(router->base, all_5000_in_force, router->dp));
    speaker_close(&speaker);
    assert_true(speaker_wait(router->base, some_have_left, router->dp));
    speaker_connect(&speaker, router->base, "127.0.0.2", router->port);
    speaker_establish(&speaker, 65001);
    announce_ntp(&speaker);
    assert_true(speaker_wait(router->base, router_one_in_force, router->dp));
    assert_true(router_logged(router, "peer detector: 5000 rules gone with the session"));
    speaker_close(&speaker);
    assert_true(speaker_wait(router->base, router_none_in_force, router->dp));
}

static void a_bad_rule_is_counted_and_the_session_lives(void **state)
{
    struct router *router = *state;

    router_start(router, DETECTOR, "");
    speaker_connect(&speaker, router->base, "127.0.0.2", router->port);
    speaker_establish(&speaker, 65001);
    speaker_update(&speaker, ANNOUNCE_BAD, sizeof ANNOUNCE_BAD);
    announce_ntp(&speaker);
    assert_true(speaker_wait(router->base, router_one_in_force, router->dp));
    assert_int_equal(router_peer(router).bad_nlri, 1);
    assert_non_null(strstr(router_peer(router).last_bad, "ipv4-flowspec rule refused (NLRI 0463010203)"));
    assert_true(router_logged(router, "peer detector: ipv4-flowspec rule refused (NLRI 0463010203)"));
    speaker_close(&speaker);
}

static void a_stranger_is_turned_away(void **state)
{
    struct router *router = *state;

    router_start(router, DETECTOR, "");
    for (int i = 0; i < 20; i++) {
        speaker_connect(&speaker, router->base, "127.0.0.3", router->port);
        assert_true(speaker_closed(&speaker));
        speaker_close(&speaker);
    }
    assert_int_equal(control_unknown_connections(router->control), 20);
    unsigned lines = 0;
    for (const char *at = router->log; (at = strstr(at, "connection from 127.0.0.3 closed")) != NULL; at++)
        lines++;
    assert_in_range(lines, 1, 5);
}

static void garbage_gets_a_notification_and_the_next_try_is_welcome(void **state)
{
    struct router *router = *state;
    const uint8_t *body;

    router_start(router, DETECTOR, "");
    speaker_connect(&speaker, router->base, "127.0.0.2", router->port);
    speaker_send(&speaker, "GET / HTTP/1.1\r\nHost: router\r\n\r\n", 32);
    assert_true(speaker_expect(&speaker, 3, &body) >= 2);
    assert_int_equal(body[0], 1); /* Message Header Error: Connection Not Synchronized */
    assert_int_equal(body[1], 1);
    assert_true(speaker_closed(&speaker));
    speaker_close(&speaker);
    assert_true(router_logged(router, "peer detector: "));
    speaker_connect(&speaker, router->base, "127.0.0.2", router->port);
    speaker_establish(&speaker, 65001);
    speaker_close(&speaker);
}

static void a_wrong_as_is_refused_by_name(void **state)
{
    struct router *router = *state;
    const uint8_t *body;

    router_start(router, DETECTOR, "");
    speaker_connect(&speaker, router->base, "127.0.0.2", router->port);
    assert_true(speaker_expect(&speaker, 1, NULL) > 0);
    speaker_open(&speaker, 64999, 90);
    assert_true(speaker_expect(&speaker, 3, &body) >= 2);
    assert_int_equal(body[0], 2); /* OPEN Message Error: Bad Peer AS */
    assert_int_equal(body[1], 2);
    assert_true(router_logged(router, "peer detector: NOTIFICATION sent: OPEN Message Error: Bad Peer AS"));
    speaker_close(&speaker);
}

static void a_half_open_connection_gives_way_to_the_next(void **state)
{
    struct router *router = *state;

    router_start(router, DETECTOR, "");
    speaker_connect(&speaker, router->base, "127.0.0.2", router->port);
    assert_true(speaker_expect(&speaker, 1, NULL) > 0); /* and says nothing */
    speaker_connect(&second, router->base, "127.0.0.2", router->port);
    speaker_establish(&second, 65001);
    assert_true(speaker_closed(&speaker));
    speaker_close(&speaker);
    speaker_close(&second);
}

static void a_second_connection_of_an_established_peer_is_refused(void **state)
{
    struct router *router = *state;

    router_start(router, DETECTOR, "");
    speaker_connect(&speaker, router->base, "127.0.0.2", router->port);
    speaker_establish(&speaker, 65001);
    speaker_connect(&second, router->base, "127.0.0.2", router->port);
    assert_true(speaker_closed(&second));
    assert_int_equal(router_peer(router).refused_connections, 1);
    announce_ntp(&speaker); /* the first one lives */
    assert_true(speaker_wait(router->base, router_one_in_force, router->dp));
    speaker_close(&speaker);
    speaker_close(&second);
}

/* conforms: RFC 4271 proves 8.2.1-2 */
static void an_active_peer_is_connected_to_from_our_own_address(void **state)
{
    struct router *router = *state;
    char peers[256];
    uint16_t port;
    int listening = speaker_listen("127.0.0.4", &port);

    snprintf(peers, sizeof peers, "    - {name: far, address: 127.0.0.4, port: %u, asn: 65001, validation: none}\n",
             port);
    router_start(router, peers, "");
    speaker_accept(&speaker, router->base, listening);
    speaker_establish(&speaker, 65001);
    announce_ntp(&speaker);
    assert_true(speaker_wait(router->base, router_one_in_force, router->dp));
    speaker_close(&speaker);
    close(listening);
}

static void a_refused_connect_is_logged_once_with_its_reason(void **state)
{
    struct router *router = *state;
    char peers[256], line[128];
    uint16_t port = speaker_free_port();

    snprintf(peers, sizeof peers,
             "    - {name: far, address: 127.0.0.1, port: %u, asn: 65001, validation: none, connect-retry: 1}\n", port);
    router_start(router, peers, "");
    for (int i = 0; i < 1200; i++)
        speaker_turn(router->base);
    snprintf(line, sizeof line, "peer far: cannot connect to 127.0.0.1 port %u: Connection refused", port);
    assert_true(router_logged(router, line));
    assert_null(strstr(strstr(router->log, line) + 1, line));
}

/* conforms: RFC 4271 proves 9.4-1 */
static void the_configurations_rules_are_in_force(void **state)
{
    struct router *router = *state;

    router_start(router, DETECTOR, "rules:\n  - " RULE_NTP " then discard\n");
    assert_int_equal(fake_dataplane_in_force(router->dp), 1);
    assert_int_equal(rules_next(control_rules(router->control), NULL)->source_kind, BGP_SOURCE_CONFIG);
}

static void the_operator_adds_and_deletes_his_own_rules_only(void **state)
{
    struct router *router = *state;
    char why[256];
    uint32_t id, other;

    router_start(router, DETECTOR, "rules:\n  - " RULE_NTP " then discard\n");
    id = rules_next(control_rules(router->control), NULL)->id;
    assert_true(
        control_rule_add(router->control, "match destination 192.0.2.0/24 then discard", &other, why, sizeof why));
    assert_int_equal(fake_dataplane_in_force(router->dp), 2);
    assert_false(control_rule_del(router->control, id, why, sizeof why));
    assert_non_null(strstr(why, "configuration file"));
    assert_true(control_rule_del(router->control, other, why, sizeof why));
    assert_int_equal(fake_dataplane_in_force(router->dp), 1);
    assert_false(control_rule_add(router->control, "match destnation 192.0.2.0/24", &other, why, sizeof why));
    assert_memory_equal(why, "column 7: ", 10);
}

static void a_reload_changes_only_what_differs(void **state)
{
    struct router *router = *state;
    char summary[256], why[256];

    router_start(router, DETECTOR,
                 "rules:\n  - " RULE_NTP " then discard\n  - match destination 192.0.2.1/32 then discard\n");
    speaker_connect(&speaker, router->base, "127.0.0.2", router->port);
    speaker_establish(&speaker, 65001);
    const struct rules *rules = control_rules(router->control);
    uint32_t id = rules_next(rules, rules_next(rules, NULL))->id; /* the changed one's */
    router_config_write(router, 65000,
                        DETECTOR
                        "    - {name: fresh, address: 127.0.0.9, asn: 65009, passive: true, validation: none}\n",
                        "rules:\n  - " RULE_NTP " then accept\n  - match destination 192.0.2.2/32 then discard\n");
    assert_true(control_reload(router->control, summary, sizeof summary, why, sizeof why));
    assert_string_equal(summary, "1 rule added, 1 rule changed, 1 rule removed, 1 peer added");
    assert_int_equal(fake_dataplane_in_force(router->dp), 2);
    assert_non_null(rules_find(rules, id));
    assert_true(fs_actions_accept(&rules_find(rules, id)->actions));
    assert_int_equal(control_peer_count(router->control), 2);
    assert_int_equal(router_peer(router).session.state, BGP_ESTABLISHED);
    assert_true(control_reload(router->control, summary, sizeof summary, why, sizeof why));
    assert_string_equal(summary, "nothing differs");
    speaker_close(&speaker);
}

static void a_peer_that_a_reload_removes_hears_why(void **state)
{
    struct router *router = *state;
    char summary[256], why[256];
    const uint8_t *body;

    router_start(router, DETECTOR, "");
    speaker_connect(&speaker, router->base, "127.0.0.2", router->port);
    speaker_establish(&speaker, 65001);
    announce_ntp(&speaker);
    assert_true(speaker_wait(router->base, router_one_in_force, router->dp));
    router_config_write(router, 65000,
                        "    - {name: fresh, address: 127.0.0.9, asn: 65009, passive: true, validation: none}\n", "");
    assert_true(control_reload(router->control, summary, sizeof summary, why, sizeof why));
    assert_string_equal(summary, "1 peer added, 1 peer removed");
    assert_int_equal(fake_dataplane_in_force(router->dp), 0);
    assert_true(speaker_expect(&speaker, 3, &body) >= 2);
    assert_int_equal(body[0], 6); /* CEASE: Peer De-configured */
    assert_int_equal(body[1], 3);
    speaker_close(&speaker);
}

static void a_reload_that_needs_a_restart_changes_nothing(void **state)
{
    struct router *router = *state;
    char summary[256], why[256];

    router_start(router, DETECTOR, "rules:\n  - " RULE_NTP " then discard\n");
    router_config_write(router, 65111, DETECTOR, "");
    assert_false(control_reload(router->control, summary, sizeof summary, why, sizeof why));
    assert_non_null(strstr(why, "`router` differs from what runs: that change needs a restart"));
    assert_int_equal(fake_dataplane_in_force(router->dp), 1);
    router_config_write(router, 65000, DETECTOR, "nonsense: 1\n");
    assert_false(control_reload(router->control, summary, sizeof summary, why, sizeof why));
    assert_non_null(strstr(why, router->file));
    assert_int_equal(fake_dataplane_in_force(router->dp), 1);
}

static void a_port_in_use_is_one_clear_line(void **state)
{
    struct router *router = *state;
    char line[128];
    int taken = speaker_listen("127.0.0.1", &router->port);

    router_start(router, DETECTOR, "");
    assert_null(router->control);
    snprintf(line, sizeof line, "cannot listen on 127.0.0.1 port %u: Address already in use (another program listens",
             router->port);
    assert_true(router_logged(router, line));
    close(taken);
}

static void stopping_says_goodbye(void **state)
{
    struct router *router = *state;
    const uint8_t *body;

    router_start(router, DETECTOR, "");
    speaker_connect(&speaker, router->base, "127.0.0.2", router->port);
    speaker_establish(&speaker, 65001);
    announce_ntp(&speaker);
    assert_true(speaker_wait(router->base, router_one_in_force, router->dp));
    control_stop(router->control);
    router->control = NULL;
    assert_int_equal(fake_dataplane_in_force(router->dp), 1); /* no packet passes while workers finish */
    assert_true(speaker_expect(&speaker, 3, &body) >= 2);
    assert_int_equal(body[0], 6); /* CEASE: Administrative Shutdown */
    assert_int_equal(body[1], 2);
    speaker_close(&speaker);
}

static void the_operator_takes_a_peer_down_and_up(void **state)
{
    struct router *router = *state;
    const uint8_t *body;
    char why[256];

    router_start(router, DETECTOR, "");
    speaker_connect(&speaker, router->base, "127.0.0.2", router->port);
    speaker_establish(&speaker, 65001);
    assert_false(control_peer_command(router->control, "detector", CONTROL_PEER_UP, NULL, why, sizeof why));
    assert_true(control_peer_command(router->control, "detector", CONTROL_PEER_DOWN, NULL, why, sizeof why));
    assert_true(speaker_expect(&speaker, 3, &body) >= 2);
    assert_int_equal(body[0], 6);
    speaker_close(&speaker);
    speaker_connect(&speaker, router->base, "127.0.0.2", router->port);
    assert_true(speaker_closed(&speaker));
    speaker_close(&speaker);
    assert_true(control_peer_command(router->control, "detector", CONTROL_PEER_UP, NULL, why, sizeof why));
    speaker_connect(&speaker, router->base, "127.0.0.2", router->port);
    speaker_establish(&speaker, 65001);
    assert_false(control_peer_command(router->control, "nobody", CONTROL_PEER_DOWN, NULL, why, sizeof why));
    assert_string_equal(why, "there is no peer nobody");
    speaker_close(&speaker);
}

static void what_is_not_served_is_said_at_the_start(void **state)
{
    struct router *router = *state;

    router_start(router, "    - {name: detector, address: 127.0.0.2, asn: 65001, passive: true}\n",
                 "routes: [{prefix: 203.0.113.0/24, via: 198.51.100.2}]\n");
    assert_true(router_logged(router, "`routes` is read and checked, but NOT acted on by this version"));
}

#define CONTROL_TEST(name) cmocka_unit_test_setup_teardown(name, router_set_up, router_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTROL_TEST(an_announced_rule_bites_until_it_is_withdrawn),
        CONTROL_TEST(a_session_that_closes_takes_its_rules_along),
        CONTROL_TEST(thousands_of_rules_leave_before_the_next_session_announces),
        CONTROL_TEST(a_bad_rule_is_counted_and_the_session_lives),
        CONTROL_TEST(a_stranger_is_turned_away),
        CONTROL_TEST(garbage_gets_a_notification_and_the_next_try_is_welcome),
        CONTROL_TEST(a_wrong_as_is_refused_by_name),
        CONTROL_TEST(a_half_open_connection_gives_way_to_the_next),
        CONTROL_TEST(a_second_connection_of_an_established_peer_is_refused),
        CONTROL_TEST(an_active_peer_is_connected_to_from_our_own_address),
        CONTROL_TEST(a_refused_connect_is_logged_once_with_its_reason),
        CONTROL_TEST(the_configurations_rules_are_in_force),
        CONTROL_TEST(the_operator_adds_and_deletes_his_own_rules_only),
        CONTROL_TEST(a_reload_changes_only_what_differs),
        CONTROL_TEST(a_peer_that_a_reload_removes_hears_why),
        CONTROL_TEST(a_reload_that_needs_a_restart_changes_nothing),
        CONTROL_TEST(a_port_in_use_is_one_clear_line),
        CONTROL_TEST(stopping_says_goodbye),
        CONTROL_TEST(the_operator_takes_a_peer_down_and_up),
        CONTROL_TEST(what_is_not_served_is_said_at_the_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
