/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a lost session or a removed peer leaves is taken out a little at a time: how much in one turn of the event loop
 * is counted, and sessions come back, and are lost again, in the middle of it.
 */
#include "cm.h"

#include <string.h>

#include <event2/event.h>

#include "control/chores.h"
#include "control/internal.h"
#include "fake_dataplane.h"
#include "router_bench.h"
#include "speaker.h"

#define DETECTOR "    - {name: detector, address: 127.0.0.2, asn: 65001, passive: true, validation: none}\n"
#define SCRUBBER "    - {name: scrubber, address: 127.0.0.3, asn: 65001, passive: true, validation: none}\n"
#define A_PACKET 200
#define MANY     4000 /* rules of one peer; of two more than what one turn takes */

static struct speaker speaker, second;

/* Discards everything to 10.LEAD.FIRST.0 up to 10.LEAD.FIRST.199. */
static void announce_200(struct speaker *from, uint8_t lead, uint8_t first)
{
    uint8_t body[4096] = {0, 0,    0,    0,    0x40, 1, 1,    0,    0x40, 2, 6, 2, 1, 0,
                          0, 0xfd, 0xe9, 0xc0, 16,   8, 0x80, 0x06, 0,    0, 0, 0, 0, 0};
    size_t len = 28, mp_len = 5 + A_PACKET * 7;

    body[2] = (uint8_t)((len - 4 + 4 + mp_len) >> 8);
    body[3] = (uint8_t)(len - 4 + 4 + mp_len);
    memcpy(body + len, (const uint8_t[]){0x90, 14, (uint8_t)(mp_len >> 8), (uint8_t)mp_len, 0, 1, 133, 0, 0}, 9);
    len += 9;
    for (uint8_t i = 0; i < A_PACKET; i++, len += 7)
        memcpy(body + len, (const uint8_t[]){6, 0x01, 32, 10, lead, first, i}, 7);
    speaker_update(from, body, len);
}

static unsigned awaited;

static bool as_many_in_force(void *dp)
{
    return fake_dataplane_in_force(dp) == awaited;
}

static bool fewer_in_force(void *dp)
{
    return fake_dataplane_in_force(dp) < awaited;
}

/* A session with MANY rules. */
static void filled(struct speaker *by, const struct router *router, const char *from, uint8_t lead)
{
    speaker_connect(by, router->base, from, router->port);
    speaker_establish(by, 65001);
    awaited = fake_dataplane_in_force(router->dp) + MANY;
    for (uint8_t i = 0; i < MANY / A_PACKET; i++)
        announce_200(by, lead, i);
    assert_true(speaker_wait(router->base, as_many_in_force, router->dp));
}

/* Turns the loop until `left` rules are in force; the most that went in one turn. */
static unsigned most_a_turn(const struct router *router, unsigned left)
{
    const struct timeval patience = {.tv_sec = 30};
    unsigned most = 0, before = fake_dataplane_in_force(router->dp);

    event_base_loopexit(router->base, &patience);
    while (before > left && !event_base_got_exit(router->base)) {
        event_base_loop(router->base, EVLOOP_ONCE);
        unsigned now = fake_dataplane_in_force(router->dp);
        most = before - now > most ? before - now : most;
        before = now;
    }
    assert_int_equal(before, left);
    return most;
}

static void two_lost_peers_share_a_turn(void **state)
{
    struct router *router = *state;

    router_start(router, DETECTOR SCRUBBER, "");
    filled(&speaker, router, "127.0.0.2", 1);
    filled(&second, router, "127.0.0.3", 2);
    speaker_close(&speaker);
    speaker_close(&second);
    /* a piece of each at once, and what a turn takes, to the end of its last piece */
    assert_in_range(most_a_turn(router, 0), 1, CHORE_TURN + 3 * CHORE_PIECE);
    assert_true(router_logged(router, "peer detector: 4000 rules gone with the session"));
    assert_true(router_logged(router, "peer scrubber: 4000 rules gone with the session"));
}

static void a_session_that_comes_and_goes_meanwhile_keeps_what_it_announces(void **state)
{
    struct router *router = *state;

    router_start(router, DETECTOR, "");
    filled(&speaker, router, "127.0.0.2", 1);
    for (unsigned i = 0; i < 3; i++) {
        awaited = fake_dataplane_in_force(router->dp);
        speaker_close(&speaker);
        assert_true(speaker_wait(router->base, fewer_in_force, router->dp));
        speaker_connect(&speaker, router->base, "127.0.0.2", router->port);
        speaker_establish(&speaker, 65001);
        announce_200(&speaker, 1, 0); /* these were there before */
        announce_200(&speaker, 3, 0);
        awaited = 2 * A_PACKET;
        if (i == 1)
            continue; /* lost again, whatever has gone by now */
        assert_true(speaker_wait(router->base, as_many_in_force, router->dp));
        assert_int_equal(router_peer(router).rules_received[0], 2 * A_PACKET);
        for (unsigned turn = 0; turn < 20; turn++)
            speaker_turn(router->base);
        assert_true(as_many_in_force(router->dp));
    }
    speaker_close(&speaker);
}

static void a_reload_does_not_wait_for_what_a_removed_peer_announced(void **state)
{
    struct router *router = *state;
    char summary[256], why[256];

    router_start(router, DETECTOR, "policies:\n  none-of-it: {actions: [accept]}\n");
    filled(&speaker, router, "127.0.0.2", 1);
    router_config_write(router, 65000, SCRUBBER, "policies:\n  none-of-it: {actions: [discard]}\n");
    assert_true(control_reload(router->control, summary, sizeof summary, why, sizeof why));
    assert_string_equal(summary, "1 peer added, 1 peer removed");
    assert_int_equal(control_peer_count(router->control), 1);
    assert_in_range(fake_dataplane_in_force(router->dp), MANY / 2, MANY - 1);
    /* and back, under the same name, before the former one has gone; its policy lets nothing in */
    router_config_write(router, 65000,
                        "    - {name: detector, address: 127.0.0.2, asn: 65001, passive: true, validation: none,\n"
                        "       policy: none-of-it}\n",
                        "policies:\n  none-of-it: {actions: [accept]}\n");
    assert_true(control_reload(router->control, summary, sizeof summary, why, sizeof why));
    assert_in_range(fake_dataplane_in_force(router->dp), MANY / 2, MANY - 1);
    speaker_close(&speaker);
    assert_in_range(most_a_turn(router, 0), 1, CHORE_TURN);
    assert_true(router_logged(router, "peer detector: 4000 rules gone with the session"));
}

static void a_router_stops_while_something_is_taken_out(void **state)
{
    struct router *router = *state;
    char summary[256], why[256];

    router_start(router, DETECTOR SCRUBBER, "");
    filled(&speaker, router, "127.0.0.2", 1);
    filled(&second, router, "127.0.0.3", 2);
    speaker_close(&second);
    router_config_write(router, 65000, SCRUBBER, "");
    assert_true(control_reload(router->control, summary, sizeof summary, why, sizeof why));
    speaker_turn(router->base);
    speaker_close(&speaker);
}

struct load {
    struct chore chore; /* first */
    size_t left, most;
    mono_ms_t takes_ms; /* a piece */
    unsigned pieces;
};

static size_t work(struct chore *chore, size_t max)
{
    struct load *load = (struct load *)chore;
    size_t now = load->left < max ? load->left : max;
    mono_ms_t until = control_now() + load->takes_ms;

    while (control_now() < until)
        ;
    load->left -= now;
    load->pieces++;
    return now;
}

static void chores_take_turns(void **state)
{
    struct router *router = *state;
    struct chores *chores = chores_create(router->base);
    struct load loads[3] = {{.chore = {.work = work}, .left = 10000},
                            {.chore = {.work = work}, .left = 10000},
                            {.chore = {.work = work}, .left = 10}};

    router_start(router, DETECTOR, "");
    for (unsigned i = 0; i < 3; i++)
        chore_start(chores, &loads[i].chore);
    assert_int_equal(loads[2].left, 0); /* little is done at once */
    assert_false(loads[2].chore.queued);
    while (loads[0].left + loads[1].left > 0) {
        size_t before = loads[0].left + loads[1].left;
        event_base_loop(router->base, EVLOOP_ONCE);
        assert_in_range(before - (loads[0].left + loads[1].left), 0, CHORE_TURN);
        assert_in_range(loads[0].pieces, loads[1].pieces - 1, loads[1].pieces + 1);
    }
    loads[0].left = loads[1].left = SIZE_MAX / 2;
    loads[0].takes_ms = loads[1].takes_ms = 6; /* each is a turn by itself */
    chore_start(chores, &loads[0].chore);
    chore_start(chores, &loads[1].chore);
    for (unsigned turn = 0; turn < 6; turn++) {
        unsigned pieces = loads[0].pieces + loads[1].pieces;
        event_base_loop(router->base, EVLOOP_ONCE);
        assert_in_range(loads[0].pieces + loads[1].pieces, pieces, pieces + 1);
    }
    chore_cancel(chores, &loads[0].chore);
    assert_false(loads[0].chore.queued);
    chores_free(chores);
}

#define SLICES_TEST(name) cmocka_unit_test_setup_teardown(name, router_set_up, router_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SLICES_TEST(two_lost_peers_share_a_turn),
        SLICES_TEST(a_session_that_comes_and_goes_meanwhile_keeps_what_it_announces),
        SLICES_TEST(a_reload_does_not_wait_for_what_a_removed_peer_announced),
        SLICES_TEST(a_router_stops_while_something_is_taken_out),
        SLICES_TEST(chores_take_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
