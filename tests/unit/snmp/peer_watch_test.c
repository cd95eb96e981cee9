/* SPDX-License-Identifier: BSD-3-Clause */
/* What happened to the peers between two looks. */
#include "../cm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "event.h"

static char told[1024];

static void on_event(void *ctx, const struct event *event)
{
    size_t used = strlen(told);

    (void)ctx;
    snprintf(told + used, sizeof told - used, "%s%s %s %u %s", used > 0 ? "; " : "", event_name(event->kind),
             event->peer, (unsigned)event->count, event->reason);
}

/* "a up 1" and so on. */
static const char *look(struct peer_watch *watch, bool fresh, const char *peers)
{
    json_t *array = json_array();
    char name[32], state[32];
    int count, used;

    for (const char *at = peers; sscanf(at, "%31s %31s %d%n", name, state, &count, &used) == 3; at += used) {
        bool up = strcmp(state, "up") == 0;
        json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:i, s:s}", "name", name, "address", "192.0.2.1",
                                               "state", up ? "Established" : "Active", "established_count", count,
                                               "last_down", count > 0 ? "hold timer" : ""));
    }
    told[0] = '\0';
    assert_true(peer_watch_look(watch, array, fresh, on_event, NULL));
    json_decref(array);
    return told;
}

static void sessions_that_come_go_and_come_again_are_told(void **state)
{
    struct peer_watch *watch = peer_watch_create();

    (void)state;
    assert_string_equal(look(watch, false, "b up 1 a down 0"), ""); /* the first look */
    assert_string_equal(look(watch, false, "a down 0 b up 1"), "");
    assert_string_equal(look(watch, false, "b up 1 a up 1"), "peer-up a 1 ");
    assert_string_equal(look(watch, false, "a down 1 b up 1"), "peer-down a 1 hold timer");
    /* both ways, of which only the outcome is seen */
    assert_string_equal(look(watch, false, "a down 2 b up 2"),
                        "peer-up a 2 ; peer-down a 2 hold timer; peer-down b 2 hold timer; peer-up b 2 ");
    assert_string_equal(look(watch, false, "a up 9 b down 7"), "peer-up a 9 ; peer-down b 7 hold timer");
    peer_watch_free(watch);
}

static void a_peer_that_is_gone_is_down(void **state)
{
    struct peer_watch *watch = peer_watch_create();

    (void)state;
    look(watch, false, "a up 1 b down 4");
    assert_string_equal(look(watch, false, ""), "peer-down a 1 the peer was removed");
    assert_string_equal(look(watch, false, "c up 1 d down 0"), "peer-up c 1 ");
    peer_watch_free(watch);
}

static void a_router_that_was_started_anew_counts_anew(void **state)
{
    struct peer_watch *watch = peer_watch_create();

    (void)state;
    look(watch, false, "a up 5 b down 5 c up 1");
    assert_string_equal(look(watch, true, "a up 1 b up 1 c down 0"),
                        "peer-down a 1 hold timer; peer-up a 1 ; peer-up b 1 ; peer-down c 0 ");
    assert_string_equal(look(watch, false, "a up 1 b up 1 c down 0"), "");
    peer_watch_free(watch);
}

static void a_peer_that_is_put_in_anew_counts_anew(void **state)
{
    struct peer_watch *watch = peer_watch_create();

    (void)state;
    look(watch, false, "a down 5 b up 5 c up 5");
    assert_string_equal(look(watch, false, "a down 0 b down 0 c up 1"),
                        "peer-down b 0 ; peer-down c 1 hold timer; peer-up c 1 ");
    peer_watch_free(watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_that_come_go_and_come_again_are_told),
        cmocka_unit_test(a_peer_that_is_gone_is_down),
        cmocka_unit_test(a_router_that_was_started_anew_counts_anew),
        cmocka_unit_test(a_peer_that_is_put_in_anew_counts_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
