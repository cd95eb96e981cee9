/* SPDX-License-Identifier: BSD-3-Clause */
/* Which rules a changed route marks, and that judging them never keeps the event loop from all else. */
#include "cm.h"

#include <stdlib.h>

#include <event2/event.h>

#include "base/prefix_trie.h"
#include "bgp/types.h"
#include "bgp/update.h"
#include "control/internal.h"
#include "control/rejudge.h"
#include "control/rules.h"
#include "flowspec/text.h"

#define RULES 3

struct bench {
    struct event_base *base;
    struct rejudge *rejudge;
    struct rule *rules[RULES];
    struct fs_rule *match[RULES];
    unsigned judged;
    mono_ms_t takes_ms; /* each judgement, at least */
};

static void judge(void *ctx, struct rule *rule)
{
    struct bench *bench = ctx;
    mono_ms_t until = control_now() + bench->takes_ms;

    (void)rule;
    bench->judged++;
    while (control_now() < until)
        ;
}

static void bench_open(struct bench *bench, mono_ms_t takes_ms)
{
    static const char *const TEXTS[RULES] = {"match destination 203.0.113.0/24 protocol =udp",
                                             "match destination 203.0.113.0/24 protocol =tcp",
                                             "match destination 198.51.100.0/24"};
    struct fs_actions actions;
    struct fs_text_error error;

    *bench = (struct bench){.base = event_base_new(), .takes_ms = takes_ms};
    bench->rejudge = rejudge_create(bench->base, judge, bench);
    for (unsigned i = 0; i < RULES; i++) {
        assert_true(fs_text_parse(TEXTS[i], &bench->match[i], &actions, &error));
        bench->rules[i] = calloc(1, sizeof(struct rule));
        bench->rules[i]->match = bench->match[i];
        bench->rules[i]->destination_node = SLAB_NONE;
        assert_true(rejudge_add(bench->rejudge, bench->rules[i]));
    }
}

static void bench_close(struct bench *bench)
{
    for (unsigned i = 0; i < RULES; i++) {
        rejudge_remove(bench->rejudge, bench->rules[i]);
        free(bench->match[i]);
        free(bench->rules[i]);
    }
    rejudge_free(bench->rejudge);
    event_base_free(bench->base);
}

static void route_changes(struct bench *bench)
{
    const struct bgp_route route = {.family = BGP_IPV4_UNICAST,
                                    .prefix = {.family = IP_V4, .length = 25, .octets = {203, 0, 113}}};

    rejudge_route_changed(bench->rejudge, &route);
}

static void a_route_marks_the_rules_that_rest_on_it_once(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, 0);
    route_changes(&bench);
    route_changes(&bench);
    assert_int_equal(rejudge_waiting(bench.rejudge), 2);
    while (rejudge_waiting(bench.rejudge) > 0)
        event_base_loop(bench.base, EVLOOP_ONCE);
    assert_int_equal(bench.judged, 2);
    bench_close(&bench);
}

static void slow_judgements_take_turns(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, 20);
    route_changes(&bench);
    event_base_loop(bench.base, EVLOOP_ONCE);
    assert_int_equal(bench.judged, 1);
    mono_ms_t rest_from = control_now();
    while (rejudge_waiting(bench.rejudge) > 0)
        event_base_loop(bench.base, EVLOOP_ONCE);
    assert_int_equal(bench.judged, 2);
    assert_true(control_now() - rest_from >= 9 * bench.takes_ms); /* never sooner, however late */
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_route_marks_the_rules_that_rest_on_it_once),
        cmocka_unit_test(slow_judgements_take_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
