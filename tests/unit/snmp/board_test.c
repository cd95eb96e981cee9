/* SPDX-License-Identifier: BSD-3-Clause */
/* What the two threads share. */
#include "../cm.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "board.h"

static void events_leave_in_their_order_and_are_counted(void **state)
{
    struct board *board = board_create();
    struct event event = {.kind = EVENT_RULE_HELD}, next;
    struct positions sent;

    (void)state;
    assert_false(board_next(board, &next));
    assert_false(board_sent(board, &sent)); /* nothing was read so far */
    for (uint32_t i = 1; i <= BOARD_EVENTS + 3; i++) {
        event.rule = i;
        board_push(board, &event);
    }
    board_set_read(board, &(struct positions){.decisions = 7, .verdicts = 8});
    assert_int_equal(board_room(board), 0);
    assert_int_equal(board_counts(board).lost, 3);
    for (uint32_t i = 1; i <= BOARD_EVENTS; i++) {
        assert_false(board_sent(board, &sent));
        assert_true(board_next(board, &next));
        assert_true(board_next(board, &next)); /* it stays until it is done with */
        assert_int_equal(next.rule, i);
        board_done(board, i % 2 == 0);
    }
    assert_true(board_sent(board, &sent));
    assert_int_equal(sent.decisions, 7);
    board_count_suppressed(board);
    struct board_counts counts = board_counts(board);
    assert_int_equal(counts.sent, BOARD_EVENTS / 2);
    assert_int_equal(counts.lost, 3 + BOARD_EVENTS / 2);
    assert_int_equal(counts.suppressed, 1);
    assert_int_equal(counts.waiting, 0);
    board_free(board);
}

static void what_was_sent_is_never_before_the_event_that_was(void **state)
{
    struct board *board = board_create();
    struct positions sent;

    (void)state;
    board_set_read(board, &(struct positions){.decisions = 5, .verdicts = 5});
    board_push(board, &(struct event){.kind = EVENT_KILL_SWITCH, .read = {.decisions = 6, .verdicts = 5}});
    board_push(board, &(struct event){.kind = EVENT_PEER_UP}); /* not from the journal */
    board_done(board, true);
    assert_false(board_sent(board, &sent));
    board_done(board, true); /* while the poller still reads */
    assert_true(board_sent(board, &sent));
    assert_int_equal(sent.decisions, 6);
    assert_int_equal(sent.verdicts, 5);
    board_free(board);
}

static void news_are_told_until_they_are_read(void **state)
{
    struct board *board = board_create();
    struct pollfd fd = {.fd = board_news_fd(board), .events = POLLIN};

    (void)state;
    assert_int_equal(poll(&fd, 1, 0), 0);
    board_push(board, &(struct event){.kind = EVENT_PEER_UP});
    board_push(board, &(struct event){.kind = EVENT_PEER_UP});
    assert_int_equal(poll(&fd, 1, 0), 1);
    board_read_news(board);
    board_read_news(board);
    assert_int_equal(poll(&fd, 1, 0), 0);
    board_free(board);
}

static struct state_view *some_state(void)
{
    return state_view_create(json_object(), json_array(), json_array());
}

/* The poller of these tests: gives rules once they are asked for. */
static void *give_rules(void *arg)
{
    struct board *board = arg;

    while (!board_wait(board, board_now_ms() + 60000))
        ;
    board_set_rules(board, rule_view_create(), 3);
    return NULL;
}

static void whoever_reads_the_rules_waits_for_the_first_reading_of_them(void **state)
{
    struct board *board = board_create();
    pthread_t thread;

    (void)state;
    assert_null(board_rules(board)); /* no router, no wait */
    board_set_state(board, some_state());
    assert_int_equal(pthread_create(&thread, NULL, give_rules, board), 0);
    struct rule_view *rules = NULL;
    while (rules == NULL) /* a slow machine may be slower than the wait */
        rules = board_rules(board);
    pthread_join(thread, NULL);
    struct rule_view *again = board_rules(board);
    assert_ptr_equal(again, rules);
    rule_view_drop(rules);
    rule_view_drop(again);
    board_free(board);
}

static void a_view_lives_until_its_last_reader_is_done(void **state)
{
    struct board *board = board_create();

    (void)state;
    board_set_state(board, some_state());
    struct state_view *view = board_state(board);
    board_set_state(board, NULL);
    assert_null(board_state(board));
    assert_true(json_is_object(view->status));
    state_view_drop(view);
    board_free(board);
}

static void a_stop_ends_every_wait(void **state)
{
    struct board *board = board_create();

    (void)state;
    board_set_state(board, some_state());
    board_stop(board);
    assert_false(board_wait(board, board_now_ms() + 3600000));
    assert_null(board_rules(board));
    board_free(board);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_leave_in_their_order_and_are_counted),
        cmocka_unit_test(what_was_sent_is_never_before_the_event_that_was),
        cmocka_unit_test(news_are_told_until_they_are_read),
        cmocka_unit_test(whoever_reads_the_rules_waits_for_the_first_reading_of_them),
        cmocka_unit_test(a_view_lives_until_its_last_reader_is_done),
        cmocka_unit_test(a_stop_ends_every_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
