/* SPDX-License-Identifier: BSD-3-Clause */
#include "board.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define RULES_FRESH_MS 2000  /* an older reading is done again, while it is still given out ... */
#define RULES_OLD_MS   60000 /* ... up to this age */
#define RULES_EFFORT   10    /* reading takes at most one tenth of the time */
#define RULES_WAIT_MS  4000  /* a manager may have given up by then, and asks again */
#define MS_PER_S       1000u
#define NS_PER_MS      1000000

struct board {
    pthread_mutex_t lock; /* everything below */
    pthread_cond_t changed;
    struct state_view *state;
    struct rule_view *rules;
    uint64_t rules_at_ms, rules_took_ms; /* when they were read, and for how long */
    bool rules_wanted, stopped;
    struct event events[BOARD_EVENTS]; /* a ring */
    size_t first, count;
    struct board_counts counts;
    struct positions read;
    int news_fd;
};

uint64_t board_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * MS_PER_S + (uint64_t)now.tv_nsec / NS_PER_MS;
}

struct board *board_create(void)
{
    struct board *board = calloc(1, sizeof *board);
    pthread_condattr_t attr;

    if (board == NULL)
        return NULL;
    board->news_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (board->news_fd < 0) {
        free(board);
        return NULL;
    }
    pthread_mutex_init(&board->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&board->changed, &attr);
    pthread_condattr_destroy(&attr);
    return board;
}

void board_free(struct board *board)
{
    if (board == NULL)
        return;
    state_view_drop(board->state);
    rule_view_drop(board->rules);
    pthread_cond_destroy(&board->changed);
    pthread_mutex_destroy(&board->lock);
    close(board->news_fd);
    free(board);
}

static void tell_agent(struct board *board)
{
    if (eventfd_write(board->news_fd, 1) < 0 && errno != EAGAIN) /* EAGAIN: it has not read 2^64 of them */
        abort();
}

void board_read_news(struct board *board)
{
    eventfd_t count;

    eventfd_read(board->news_fd, &count); /* none: nothing happened */
}

int board_news_fd(const struct board *board)
{
    return board->news_fd;
}

void board_set_state(struct board *board, struct state_view *view)
{
    pthread_mutex_lock(&board->lock);
    struct state_view *before = board->state;
    board->state = view;
    pthread_mutex_unlock(&board->lock);
    state_view_drop(before);
}

struct state_view *board_state(struct board *board)
{
    pthread_mutex_lock(&board->lock);
    struct state_view *view = state_view_hold(board->state);
    pthread_mutex_unlock(&board->lock);
    return view;
}

void board_set_rules(struct board *board, struct rule_view *view, uint64_t took_ms)
{
    pthread_mutex_lock(&board->lock);
    struct rule_view *before = board->rules;
    board->rules = view;
    board->rules_at_ms = board_now_ms();
    board->rules_took_ms = took_ms;
    board->rules_wanted = false;
    pthread_cond_broadcast(&board->changed);
    pthread_mutex_unlock(&board->lock);
    rule_view_drop(before);
}

/* False once it is `until_ms`. With the lock. */
static bool wait_change(struct board *board, uint64_t until_ms)
{
    const struct timespec until = {.tv_sec = (time_t)(until_ms / MS_PER_S),
                                   .tv_nsec = (long)(until_ms % MS_PER_S) * NS_PER_MS};

    return pthread_cond_timedwait(&board->changed, &board->lock, &until) == 0;
}

/* With the lock. */
static bool rules_younger(const struct board *board, uint64_t age_ms)
{
    return board->rules != NULL && board_now_ms() - board->rules_at_ms <= age_ms;
}

/* With the lock: asks for a new reading where this one is old, and waits for it where it is of no use any more. */
static void want_rules(struct board *board)
{
    uint64_t until_ms = board_now_ms() + RULES_WAIT_MS, effort_ms = RULES_EFFORT * board->rules_took_ms;

    if (board->state == NULL)
        return; /* the router does not answer */
    if (rules_younger(board, effort_ms > RULES_FRESH_MS ? effort_ms : RULES_FRESH_MS))
        return;
    board->rules_wanted = true;
    pthread_cond_broadcast(&board->changed);
    if (rules_younger(board, RULES_OLD_MS))
        return;
    while (board->rules_wanted && !board->stopped && wait_change(board, until_ms))
        ;
}

struct rule_view *board_rules(struct board *board)
{
    pthread_mutex_lock(&board->lock);
    want_rules(board);
    struct rule_view *view = rules_younger(board, RULES_OLD_MS) ? rule_view_hold(board->rules) : NULL;
    pthread_mutex_unlock(&board->lock);
    return view;
}

bool board_wait(struct board *board, uint64_t until_ms)
{
    pthread_mutex_lock(&board->lock);
    while (!board->rules_wanted && !board->stopped && wait_change(board, until_ms))
        ;
    bool wanted = board->rules_wanted;
    pthread_mutex_unlock(&board->lock);
    return wanted;
}

size_t board_room(struct board *board)
{
    pthread_mutex_lock(&board->lock);
    size_t room = BOARD_EVENTS - board->count;
    pthread_mutex_unlock(&board->lock);
    return room;
}

void board_push(struct board *board, const struct event *event)
{
    pthread_mutex_lock(&board->lock);
    if (board->count < BOARD_EVENTS)
        board->events[(board->first + board->count++) % BOARD_EVENTS] = *event;
    else
        board->counts.lost++;
    if (event->read.decisions > 0)
        board->read = event->read; /* else, with it sent, all until the reading before would seem to be all */
    pthread_mutex_unlock(&board->lock);
    tell_agent(board);
}

void board_count_suppressed(struct board *board)
{
    pthread_mutex_lock(&board->lock);
    board->counts.suppressed++;
    pthread_mutex_unlock(&board->lock);
}

void board_count_lost(struct board *board)
{
    pthread_mutex_lock(&board->lock);
    board->counts.lost++;
    pthread_mutex_unlock(&board->lock);
}

bool board_next(struct board *board, struct event *out)
{
    pthread_mutex_lock(&board->lock);
    bool any = board->count > 0;
    if (any)
        *out = board->events[board->first];
    pthread_mutex_unlock(&board->lock);
    return any;
}

static void take_first(struct board *board)
{
    board->first = (board->first + 1) % BOARD_EVENTS;
    board->count--;
}

void board_drop(struct board *board)
{
    pthread_mutex_lock(&board->lock);
    take_first(board);
    pthread_mutex_unlock(&board->lock);
}

void board_done(struct board *board, bool sent)
{
    pthread_mutex_lock(&board->lock);
    take_first(board);
    board->counts.sent += sent;
    board->counts.lost += !sent;
    pthread_mutex_unlock(&board->lock);
}

void board_set_read(struct board *board, const struct positions *read)
{
    pthread_mutex_lock(&board->lock);
    board->read = *read;
    pthread_mutex_unlock(&board->lock);
    tell_agent(board);
}

bool board_sent(struct board *board, struct positions *out)
{
    pthread_mutex_lock(&board->lock);
    bool all = board->count == 0 && board->read.decisions > 0;
    *out = board->read;
    pthread_mutex_unlock(&board->lock);
    return all;
}

struct board_counts board_counts(struct board *board)
{
    pthread_mutex_lock(&board->lock);
    struct board_counts counts = board->counts;
    counts.waiting = board->count;
    pthread_mutex_unlock(&board->lock);
    return counts;
}

void board_stop(struct board *board)
{
    pthread_mutex_lock(&board->lock);
    board->stopped = true;
    pthread_cond_broadcast(&board->changed);
    pthread_mutex_unlock(&board->lock);
}
