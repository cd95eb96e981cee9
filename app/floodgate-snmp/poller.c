/* SPDX-License-Identifier: BSD-3-Clause */
#include "poller.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "member.h"
#include "pace.h"
#include "router.h"
#include "say.h"

#define PATIENCE_TICKS 3    /* without an answer, until managers are told that the router is down */
#define PEERS_ROOM     128  /* for events of peers; with less they are compared later, and only the outcome is told */
#define JOURNAL_ROOM   16   /* left free */
#define JOURNAL_MOST   1000 /* entries of one answer */
#define COUNT_MOST     10000

struct poller {
    struct poller_conf conf;
    pthread_t thread;
    struct router router;
    struct peer_watch *peers;
    struct pace paces[EVENT_KINDS];
    bool pacing[EVENT_KINDS]; /* that some are left out was told */
    struct trouble trouble;
    unsigned silent_ticks;
    bool answered, told_down; /* ever; that it is down */
    uint64_t pid, uptime_s;
    struct positions read;
    bool placed; /* `read` is where this router's journal is read on */
};

/* ---- events ---- */

static void on_event(void *ctx, const struct event *event)
{
    struct poller *poller = ctx;

    if (pace_take(&poller->paces[event->kind], board_now_ms())) {
        poller->pacing[event->kind] = false;
        board_push(poller->conf.board, event);
        return;
    }
    board_count_suppressed(poller->conf.board);
    if (!poller->pacing[event->kind])
        say("more than %u notifications %s at once: the rest is left out, and counted", poller->conf.burst,
            event_name(event->kind));
    poller->pacing[event->kind] = true;
}

static void router_event(struct poller *poller, enum event_kind kind, const char *reason)
{
    struct event event = {.kind = kind};

    snprintf(event.reason, sizeof event.reason, "%s", reason);
    on_event(poller, &event);
}

/* ---- the journal ---- */

/* Where to read on. Without a position from before, that is the end: what stands there is old. */
static bool place(struct poller *poller, uint64_t end)
{
    struct positions *read = &poller->read;

    if (poller->conf.state_file != NULL && positions_load(poller->conf.state_file, read)) {
        if (read->decisions <= end && read->verdicts <= end)
            return true;
        say("the router's journal ends before what was sent last: reading on from its end");
    }
    *read = (struct positions){.decisions = end, .verdicts = end};
    json_t *entries =
        router_ask(&poller->router, "journal", json_pack("{s:s, s:i}", "event", "decision", "limit", COUNT_MOST));
    size_t old = 0;
    struct event event;
    for (size_t i = 0; i < json_array_size(entries); i++)
        old += event_from_journal(json_array_get(entries, i), &event);
    json_decref(entries);
    if (old > 0)
        say("%zu events in the router's journal are from before and are not sent%s", old,
            poller->conf.state_file == NULL ? "; with --state FILE they would be" : "");
    return entries != NULL;
}

/* Reads on from `*position`, one of `read`, as far as there is room for events. False: the router does not answer. */
static bool read_entries(struct poller *poller, const char *event, const char *state, uint64_t end, uint64_t *position)
{
    size_t room = board_room(poller->conf.board);
    struct event found;

    if (*position >= end || room <= JOURNAL_ROOM)
        return true;
    room -= JOURNAL_ROOM;
    json_int_t limit = room < JOURNAL_MOST ? (json_int_t)room : JOURNAL_MOST;
    json_t *args = json_pack("{s:s, s:I, s:I}", "event", event, "after", (json_int_t)*position, "limit", limit);
    if (state != NULL)
        json_object_set_new(args, "state", json_string(state));
    json_t *entries = router_ask(&poller->router, "journal", args);
    if (entries == NULL)
        return false;
    size_t count = json_array_size(entries);
    for (size_t i = 0; i < count; i++) {
        const json_t *entry = json_array_get(entries, i);
        *position = member_uint(entry, "position");
        if (!event_from_journal(entry, &found))
            continue;
        found.read = poller->read;
        on_event(poller, &found);
    }
    if ((json_int_t)count < limit && *position < end)
        *position = end;
    json_decref(entries);
    return true;
}

/* What the router has no longer cannot be told. */
static void skip_forgotten(struct poller *poller, uint64_t forgotten, uint64_t *position)
{
    if (forgotten <= *position)
        return;
    say("the router's journal has forgotten entries before they were read: notifications are lost");
    board_count_lost(poller->conf.board);
    *position = forgotten;
}

static bool read_journal(struct poller *poller, const json_t *status)
{
    uint64_t end = member_uint(status, "journal.position");

    if (!poller->placed && !place(poller, end))
        return false;
    poller->placed = true;
    if (end == 0)
        return true; /* an empty one: what will be in it is behind what was read, by its time */
    if (poller->read.decisions > end || poller->read.verdicts > end) {
        say("the router's journal begins anew: reading on from its end");
        poller->read = (struct positions){.decisions = end, .verdicts = end};
    }
    skip_forgotten(poller, member_uint(status, "journal.forgotten_decision"), &poller->read.decisions);
    skip_forgotten(poller, member_uint(status, "journal.forgotten_held"), &poller->read.verdicts);
    bool done = read_entries(poller, "decision", NULL, end, &poller->read.decisions) &&
                read_entries(poller, "verdict", "held", end, &poller->read.verdicts);
    board_set_read(poller->conf.board, &poller->read);
    return done;
}

/* ---- a turn ---- */

static void look_at_peers(struct poller *poller, const json_t *peers, bool fresh)
{
    /* while snmpd is away only the outcome counts, but what a restart did is told */
    if (board_room(poller->conf.board) >= PEERS_ROOM || fresh)
        peer_watch_look(poller->peers, peers, fresh, on_event, poller);
}

static bool was_restarted(struct poller *poller, const json_t *status)
{
    uint64_t pid = member_uint(status, "pid"), uptime_s = member_uint(status, "uptime_s");
    bool restarted = poller->answered && (pid != poller->pid || uptime_s < poller->uptime_s);

    poller->pid = pid;
    poller->uptime_s = uptime_s;
    return restarted;
}

static void on_answer(struct poller *poller, const json_t *status, bool restarted)
{
    if (!poller->answered || poller->trouble.text[0] != '\0' || restarted)
        say("%s floodgate %s at %s", restarted ? "connected to a new" : "connected to", member_text(status, "version"),
            poller->conf.socket);
    if (restarted)
        router_event(poller, EVENT_ROUTER_UP, "the router was started anew");
    else if (poller->told_down)
        router_event(poller, EVENT_ROUTER_UP, "the router answers again");
    trouble_over(&poller->trouble);
    poller->answered = true;
    poller->told_down = false;
    poller->silent_ticks = 0;
}

/* One that keeps us waiting is silent for as many ticks. */
static void on_silence(struct poller *poller, uint64_t asked_ms)
{
    unsigned ticks = 1 + (unsigned)((board_now_ms() - asked_ms) / POLLER_TICK_MS);

    if (atomic_load_explicit(poller->conf.stop, memory_order_relaxed))
        return;
    board_set_state(poller->conf.board, NULL);
    board_set_rules(poller->conf.board, NULL, 0);
    trouble_say(&poller->trouble, "no answer from the router at %s: %s; trying again each second", poller->conf.socket,
                poller->router.why);
    poller->silent_ticks += ticks;
    if (poller->answered && !poller->told_down && poller->silent_ticks >= PATIENCE_TICKS) {
        router_event(poller, EVENT_ROUTER_DOWN, poller->router.why);
        poller->told_down = true;
    }
}

/* A connection from before may be that of a router which is no more, which is known at once: then by a new one. */
static json_t *ask_status(struct poller *poller)
{
    bool from_before = poller->router.fd >= 0;
    uint64_t asked_ms = board_now_ms();
    json_t *status = router_ask(&poller->router, "status", NULL);

    if (status == NULL && from_before && board_now_ms() - asked_ms < POLLER_TICK_MS)
        status = router_ask(&poller->router, "status", NULL);
    return status;
}

static bool ask_state(struct poller *poller, json_t **status, json_t **ports, json_t **peers)
{
    *ports = *peers = NULL;
    *status = ask_status(poller);
    if (*status != NULL)
        *ports = router_ask(&poller->router, "ports", NULL);
    if (*ports != NULL)
        *peers = router_ask(&poller->router, "peers", NULL);
    return *peers != NULL;
}

static void poll_state(struct poller *poller)
{
    uint64_t asked_ms = board_now_ms();
    json_t *status, *ports, *peers;

    if (!ask_state(poller, &status, &ports, &peers)) {
        json_decref(status);
        json_decref(ports);
        on_silence(poller, asked_ms);
        return;
    }
    bool restarted = was_restarted(poller, status);
    on_answer(poller, status, restarted);
    look_at_peers(poller, peers, restarted);
    if (!read_journal(poller, status)) {
        json_decref(status);
        json_decref(ports);
        json_decref(peers);
        on_silence(poller, asked_ms);
        return;
    }
    board_set_state(poller->conf.board, state_view_create(status, ports, peers));
}

static void take_rule(void *ctx, const json_t *rule)
{
    rule_view_add(ctx, rule);
}

static void poll_rules(struct poller *poller)
{
    struct rule_view *view = rule_view_create();
    uint64_t from_ms = board_now_ms();

    if (view == NULL)
        return;
    json_t *args = json_pack("{s:I}", "limit", (json_int_t)poller->conf.rules_most);
    if (poller->conf.rules_most == 0) {
        json_decref(args);
    } else if (!router_each(&poller->router, "rules", args, take_rule, view)) {
        rule_view_drop(view);
        view = NULL;
    }
    if (view != NULL)
        rule_view_sort(view);
    board_set_rules(poller->conf.board, view, board_now_ms() - from_ms);
}

static void *run(void *arg)
{
    struct poller *poller = arg;
    uint64_t next_ms = board_now_ms();

    while (!atomic_load_explicit(poller->conf.stop, memory_order_relaxed)) {
        if (board_now_ms() >= next_ms) {
            poll_state(poller);
            next_ms = board_now_ms() + POLLER_TICK_MS;
        }
        if (board_wait(poller->conf.board, next_ms))
            poll_rules(poller);
    }
    return NULL;
}

struct poller *poller_start(const struct poller_conf *conf)
{
    struct poller *poller = calloc(1, sizeof *poller);

    if (poller == NULL)
        return NULL;
    poller->conf = *conf;
    poller->peers = peer_watch_create();
    for (unsigned kind = 0; kind < EVENT_KINDS; kind++)
        pace_init(&poller->paces[kind], conf->burst, conf->per_s, board_now_ms());
    router_init(&poller->router, conf->socket, conf->stop);
    if (poller->peers != NULL && pthread_create(&poller->thread, NULL, run, poller) == 0)
        return poller;
    peer_watch_free(poller->peers);
    free(poller);
    return NULL;
}

void poller_join(struct poller *poller)
{
    if (poller == NULL)
        return;
    pthread_join(poller->thread, NULL);
    router_close(&poller->router);
    peer_watch_free(poller->peers);
    free(poller);
}
