/* SPDX-License-Identifier: BSD-3-Clause */
/* Peers of a range: what must stay of them when their range changes and while the router stops. */
#include "cm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "conf/conf.h"
#include "control/control.h"
#include "fake_dataplane.h"
#include "speaker.h"

struct router {
    char file[64];
    uint16_t port; /* we listen */
    struct event_base *base;
    struct dataplane *dp;
    struct cfg *cfg;
    struct control *control;
    struct log_hook hook;
};

__attribute__((format(printf, 3, 0))) static void on_log(void *ctx, enum log_level level, const char *fmt, va_list args)
{
    (void)ctx;
    (void)level;
    (void)fmt;
    (void)args;
}

static void on_problem(void *ctx, const char *file, unsigned line, const char *text)
{
    (void)ctx;
    print_message("%s:%u: %s\n", file, line, text);
}

static void config_write(const struct router *router, const char *peers)
{
    FILE *out = fopen(router->file, "w");

    assert_non_null(out);
    fprintf(out,
            "router: {id: 192.0.2.1, asn: 65000}\n"
            "ports:\n"
            "  - {name: wan, device: net_null0, mode: wire, peer: lan}\n"
            "  - {name: lan, device: net_null1, mode: wire, peer: wan}\n"
            "bgp:\n"
            "  listen: [{address: 127.0.0.1, port: %u}]\n"
            "  peers:\n%s",
            router->port, peers);
    fclose(out);
}

static void router_start(struct router *router, const char *peers)
{
    config_write(router, peers);
    router->cfg = cfg_load(router->file, on_problem, NULL);
    assert_non_null(router->cfg);
    router->control = control_start(&(struct control_conf){
        .base = router->base, .cfg = router->cfg, .config_file = router->file, .dp = router->dp, .log = &router->hook});
}

static int set_up(void **state)
{
    struct router *router = calloc(1, sizeof *router);
    int fd;

    strcpy(router->file, "/tmp/floodgate-dynamic-XXXXXX");
    fd = mkstemp(router->file);
    assert_true(fd >= 0);
    close(fd);
    router->port = speaker_free_port();
    router->hook = (struct log_hook){.write = on_log, .ctx = router};
    router->base = event_base_new();
    router->dp = fake_dataplane_create();
    *state = router;
    return 0;
}

static int tear_down(void **state)
{
    struct router *router = *state;

    control_stop(router->control);
    cfg_free(router->cfg);
    fake_dataplane_free(router->dp);
    event_base_free(router->base);
    unlink(router->file);
    free(router);
    return 0;
}

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

static bool one_in_force(void *ctx)
{
    return fake_dataplane_in_force(ctx) == 1;
}

static struct control_peer peer_get(const struct router *router)
{
    struct control_peer peer;

    control_peer_get(router->control, 0, &peer);
    return peer;
}

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

    router_start(router, SENSORS "}\n");
    speaker_connect(&speaker, router->base, "127.0.4.1", router->port);
    speaker_establish(&speaker, 65001);
    speaker_update(&speaker, ANNOUNCE, sizeof ANNOUNCE);
    assert_true(speaker_wait(router->base, one_in_force, router->dp));
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
    return peer_get(ctx).rules_received[0] == 1;
}

static void the_operators_word_on_a_peer_of_a_range_outlives_its_change(void **state)
{
    struct router *router = *state;
    char summary[256], why[256];
    bool changed;

    router_start(router, SENSORS "}\n");
    speaker_connect(&speaker, router->base, "127.0.4.1", router->port);
    speaker_establish(&speaker, 65001);
    speaker_connect(&second, router->base, "127.0.4.2", router->port);
    speaker_establish(&second, 65001);
    assert_true(control_kill_switch(router->control, "sensors@127.0.4.1", true, "me", &changed, why, sizeof why));
    config_write(router, SENSORS ", hold-time: 30}\n");
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
    config_write(router, SENSORS "}\n");
    assert_true(control_reload(router->control, summary, sizeof summary, why, sizeof why));
    assert_string_equal(summary, "1 peer changed");
    assert_true(peer_get(router).admin_down);
    assert_string_equal(peer_get(router).range, "sensors");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rules_of_a_range_stay_while_the_router_stops, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_operators_word_on_a_peer_of_a_range_outlives_its_change, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
