/* SPDX-License-Identifier: BSD-3-Clause */
/* Peers of a range: what must stay of them when their range changes and while the router stops. */
#include "cm.h"

#include <event2/event.h>

#include "fake_dataplane.h"
#include "router_bench.h"
#include "speaker.h"

/* clang-format off */
/* 203.0.113.7/32, discard; with a 4-octet AS number, as the session has agreed */
static const uint8_t ANNOUNCE[] = {
    0, 0, 0, 39,                                       /* nothing withdrawn; 39 octets of attributes */
    0x40, 1, 1, 0,                                     /* ORIGIN IGP */
    0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xe9,                /* AS_PATH 65001 */
    0xc0, 16, 8, 0x80, 0x06, 0, 0, 0, 0, 0, 0,         /* traffic-rate-bytes 0 */
    0x80, 14, 12, 0, 1, 133, 0, 0,                     /* MP_REACH ipv4-flowspec, no next hop */
    6, 0x01, 32, 203, 0, 113, 7,
};
/* clang-format on */

static struct speaker speaker, second;

#define SENSORS "    - {name: sensors, range: 127.0.4.0/24, asn: 65001, validation: none"

static void on_over(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    *(bool *)arg = true;
}

/* While sessions end and workers still run, the event loop may turn for seconds. */
static void rules_of_a_range_stay_while_the_router_stops(void **state)
{
    struct router *router = *state;
    const struct timeval longer_than_the_reaper_waits = {.tv_sec = 1, .tv_usec = 200000};
    bool over = false;

    router_start(router, SENSORS "}\n", "");
    speaker_connect(&speaker, router->base, "127.0.4.1", router->port);
    speaker_establish(&speaker, 65001);
    speaker_update(&speaker, ANNOUNCE, sizeof ANNOUNCE);
    assert_true(speaker_wait(router->base, router_one_in_force, router->dp));
    control_goodbye(router->control);
    assert_true(speaker_closed(&speaker));
    event_base_once(router->base, -1, EV_TIMEOUT, on_over, &over, &longer_than_the_reaper_waits);
    while (!over)
        speaker_turn(router->base);
    assert_int_equal(fake_dataplane_in_force(router->dp), 1);
    assert_int_equal(control_peer_count(router->control), 1);
    /* and nobody new comes */
    speaker_close(&speaker);
    speaker_connect(&speaker, router->base, "127.0.4.2", router->port);
    assert_true(speaker_closed(&speaker));
    assert_int_equal(control_peer_count(router->control), 1);
    speaker_close(&speaker);
}

static bool one_received(void *ctx)
{
    return router_peer(ctx).rules_received[0] == 1;
}

static void the_operators_word_on_a_peer_of_a_range_outlives_its_change(void **state)
{
    struct router *router = *state;
    char summary[256], why[256];
    bool changed;

    router_start(router, SENSORS "}\n", "");
    speaker_connect(&speaker, router->base, "127.0.4.1", router->port);
    speaker_establish(&speaker, 65001);
    speaker_connect(&second, router->base, "127.0.4.2", router->port);
    speaker_establish(&second, 65001);
    assert_true(control_kill_switch(router->control, "sensors@127.0.4.1", true, "me", &changed, why, sizeof why));
    router_config_write(router, 65000, SENSORS ", hold-time: 30}\n", "");
    assert_true(control_reload(router->control, summary, sizeof summary, why, sizeof why));
    assert_string_equal(summary, "1 peer changed, 1 peer removed");
    assert_true(speaker_closed(&speaker));
    speaker_close(&speaker);
    speaker_close(&second);
    assert_true(control_peer_killed(router->control, "sensors@127.0.4.1"));
    speaker_connect(&speaker, router->base, "127.0.4.1", router->port);
    speaker_establish(&speaker, 65001);
    speaker_update(&speaker, ANNOUNCE, sizeof ANNOUNCE);
    assert_true(speaker_wait(router->base, one_received, router));
    assert_int_equal(fake_dataplane_in_force(router->dp), 0);
    assert_int_equal(rules_next(control_rules(router->control), NULL)->state, RULE_SUSPENDED);

    assert_true(control_peer_command(router->control, "sensors@127.0.4.1", CONTROL_PEER_DOWN, NULL, why, sizeof why));
    speaker_close(&speaker);
    router_config_write(router, 65000, SENSORS "}\n", "");
    assert_true(control_reload(router->control, summary, sizeof summary, why, sizeof why));
    assert_string_equal(summary, "1 peer changed");
    assert_true(router_peer(router).admin_down);
    assert_string_equal(router_peer(router).range, "sensors");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rules_of_a_range_stay_while_the_router_stops, router_set_up, router_tear_down),
        cmocka_unit_test_setup_teardown(the_operators_word_on_a_peer_of_a_range_outlives_its_change, router_set_up,
                                        router_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
