/* SPDX-License-Identifier: BSD-3-Clause */
#include "speaker.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bgp/notification.h"
#include "bgp/session.h"

#include "announce.h"
#include "report.h"
#include "transport.h"

#define WAITING_MAX        (1024 * 1024) /* octets handed to the transport ahead of the router */
#define PACE_MS            10            /* between looks at the clock with --rate */
#define DELIVERY_POLL_MS   1
#define RATE_SLICES        10 /* with --rate, an UPDATE holds at most this part of a second's rules */
#define CONNECT_RETRY_S    1
#define LOCAL_PREF_DEFAULT 100

enum phase {
    PHASE_CONNECTING,
    PHASE_SENDING,    /* a pass over the file is under way */
    PHASE_DELIVERING, /* all is handed over, not all is acknowledged */
    PHASE_IDLE,       /* staying */
    PHASE_LEAVING,
};

enum { SIGNALS = 4 };

struct speaker {
    const struct options *options;
    const struct rule_file *file;
    struct event_base *base;
    struct event *session_timer, *pace_timer, *wait_timer;
    struct event *signals[SIGNALS];
    struct transport *transport;
    struct bgp_session *session;
    struct log_hook log;
    enum phase phase;
    int status;
    uint32_t taken;                    /* families the peer takes */
    struct announce *pass;             /* the one under way or the last */
    double pass_began_s, pass_ended_s; /* on the monotonic clock */
    bool leave, withdraw;              /* asked for while a pass was under way */
    uint32_t again;                    /* families to announce again */
    bool end_of_rib_sent;              /* once a session (RFC 4724 2) */
    char why[160];                     /* the last failure to connect */
};

static double now_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static mono_ms_t now_ms(void)
{
    return (mono_ms_t)(now_s() * 1e3);
}

static void arm_ms(struct event *timer, mono_ms_t ms)
{
    event_add(timer, &(struct timeval){(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)});
}

static void arm_session(struct speaker *s)
{
    mono_ms_t deadline = bgp_session_deadline(s->session), now = now_ms();

    if (deadline == UINT64_MAX)
        event_del(s->session_timer);
    else
        arm_ms(s->session_timer, deadline > now ? deadline - now : 0);
}

/* Ends the run; a session that is up hears of it first. */
static void leave(struct speaker *s, int status)
{
    if (s->phase == PHASE_LEAVING)
        return;
    s->phase = PHASE_LEAVING;
    s->status = status;
    bool connected = transport_is_up(s->transport);
    bgp_session_stop(s->session, BGP_CEASE_SHUTDOWN, "fginject is done", now_ms());
    event_del(s->session_timer);
    event_del(s->pace_timer);
    event_del(s->wait_timer);
    if (!connected)
        event_base_loopbreak(s->base);
}

static void begin_pass(struct speaker *s, bool withdraw, uint32_t families)
{
    struct bgp_session_info info;
    struct announce *pass = s->pass;

    bgp_session_info_get(s->session, &info);
    memset(pass, 0, offsetof(struct announce, builder));
    pass->file = s->file;
    pass->attrs = (struct bgp_update_attrs){.local_as = s->options->local_as,
                                            .ebgp = info.peer_as != s->options->local_as,
                                            .four_octet_as = info.four_octet_as,
                                            .local_pref = LOCAL_PREF_DEFAULT};
    pass->families = families;
    pass->withdraw = withdraw;
    pass->legacy_ipv6_offset = s->options->legacy_ipv6_offset;
    pass->update_max = bgp_session_update_max(s->session);
    unsigned slice = s->options->rate_per_s / RATE_SLICES;
    pass->rules_max = s->options->rate_per_s == 0 ? UINT32_MAX : slice > 0 ? slice : 1;
    s->pass_began_s = now_s();
    s->pass_ended_s = 0;
    s->phase = PHASE_SENDING;
    arm_ms(s->pace_timer, 0);
}

/* After the first pass of the session (RFC 4724 2). */
static void send_end_of_rib(struct speaker *s)
{
    uint8_t body[16];

    for (unsigned bit = 0; bit < BGP_FAMILY_COUNT && !s->end_of_rib_sent; bit++) {
        uint32_t family = 1u << bit;
        if (s->taken & family & BGP_FLOWSPEC_FAMILIES)
            bgp_session_send_update(s->session, body, bgp_end_of_rib(family, body));
    }
    s->end_of_rib_sent = true;
}

/* Whether --rate allows one more UPDATE now. */
static bool rate_allows(const struct speaker *s)
{
    double due = (now_s() - s->pass_began_s) * s->options->rate_per_s;

    return s->options->rate_per_s == 0 || (double)s->pass->rules <= due;
}

static void pump(struct speaker *s)
{
    bgp_session_tick(s->session, now_ms());
    while (s->phase == PHASE_SENDING && transport_waiting(s->transport) < WAITING_MAX) {
        if (!rate_allows(s)) {
            arm_ms(s->pace_timer, PACE_MS);
            break;
        }
        size_t len = announce_next(s->pass);
        if (len == 0) {
            send_end_of_rib(s);
            s->phase = PHASE_DELIVERING;
            arm_ms(s->pace_timer, DELIVERY_POLL_MS);
            break;
        }
        bgp_session_send_update(s->session, s->pass->builder.body, len);
    }
    arm_session(s);
}

/* A pass has been delivered: what is next? */
static void pass_done(struct speaker *s)
{
    const struct options *o = s->options;

    report_pass(s->pass, s->pass_ended_s - s->pass_began_s);
    if (s->pass->too_long > 0)
        s->status = 1;
    if (s->leave && (!o->withdraw || s->pass->withdraw)) {
        leave(s, s->status);
    } else if (s->leave || s->withdraw || (o->withdraw && !o->hold && !s->pass->withdraw)) {
        s->withdraw = false;
        begin_pass(s, true, s->taken);
    } else if (s->again != 0) {
        uint32_t families = s->again;
        s->again = 0;
        begin_pass(s, false, families);
    } else if (o->hold) {
        s->phase = PHASE_IDLE;
    } else {
        leave(s, s->status);
    }
}

static void on_pace(evutil_socket_t fd, short what, void *ctx)
{
    struct speaker *s = ctx;

    (void)fd;
    (void)what;
    if (s->phase == PHASE_SENDING) {
        pump(s);
    } else if (s->phase == PHASE_DELIVERING) {
        /* the clock stops when the last octet is in TCP's hands: the peer may put its acknowledgement off for 40 ms */
        if (s->pass_ended_s <= 0 && transport_waiting(s->transport) == 0)
            s->pass_ended_s = now_s();
        if (s->pass_ended_s > 0 && transport_unacknowledged(s->transport) == 0)
            pass_done(s);
        else
            arm_ms(s->pace_timer, DELIVERY_POLL_MS);
    }
}

static void on_signal(evutil_socket_t number, short what, void *ctx)
{
    struct speaker *s = ctx;

    (void)what;
    bool busy = s->phase == PHASE_SENDING || s->phase == PHASE_DELIVERING;
    if (number == SIGUSR1)
        s->withdraw = true;
    else if (number == SIGUSR2)
        s->again = s->taken;
    else if (s->leave || s->phase == PHASE_CONNECTING || !s->options->withdraw || !s->options->hold)
        leave(s, s->status); /* asked twice, or nothing to undo first */
    else
        s->leave = true;
    if (busy || s->phase != PHASE_IDLE)
        return;
    if (s->withdraw || s->leave) {
        s->withdraw = false;
        begin_pass(s, true, s->taken);
    } else if (s->again != 0) {
        s->again = 0;
        begin_pass(s, false, s->taken);
    }
}

/* --- the session's wishes --- */

static void want_connect(void *ctx)
{
    transport_connect(((struct speaker *)ctx)->transport);
}

static void want_close(void *ctx, enum bgp_conn conn)
{
    (void)conn;
    transport_close(((struct speaker *)ctx)->transport);
}

static void want_send(void *ctx, enum bgp_conn conn, const void *data, size_t len)
{
    (void)conn;
    transport_send(((struct speaker *)ctx)->transport, data, len);
}

static void established(void *ctx)
{
    struct speaker *s = ctx;
    struct bgp_session_info info;

    event_del(s->wait_timer);
    bgp_session_info_get(s->session, &info);
    s->taken = info.families;
    report_peer(s->options, &info);
    if (report_not_taken(s->file, s->taken) > 0)
        s->status = 1;
    begin_pass(s, false, s->taken);
}

/* What the router announces to us is none of our business. */
static void update(void *ctx, const uint8_t *body, size_t len)
{
    (void)ctx;
    (void)body;
    (void)len;
}

static void refresh(void *ctx, uint32_t family)
{
    struct speaker *s = ctx;

    s->again |= family;
    if (s->phase == PHASE_IDLE) {
        s->again = 0;
        begin_pass(s, false, family);
    }
}

static void down(void *ctx)
{
    (void)ctx; /* judge_session sees it */
}

static const struct bgp_session_ops session_ops = {.connect = want_connect,
                                                   .close = want_close,
                                                   .send = want_send,
                                                   .established = established,
                                                   .update = update,
                                                   .refresh = refresh,
                                                   .down = down};

/* After each event: has the session failed for good? A NOTIFICATION either way, or the loss of one that was up. */
static void judge_session(struct speaker *s)
{
    struct bgp_session_info info;

    if (s->phase == PHASE_LEAVING)
        return;
    bgp_session_info_get(s->session, &info);
    bool lost = s->phase != PHASE_CONNECTING && info.state != BGP_ESTABLISHED;
    if (info.last_error.set || lost) {
        fprintf(stderr, "fginject: %s: %s\n", s->options->peer_text, info.last_down);
        leave(s, 1);
        return;
    }
    arm_session(s);
}

/* --- the transport's news --- */

static void transport_up(void *ctx)
{
    struct speaker *s = ctx;

    snprintf(s->why, sizeof s->why, "the router did not answer our OPEN");
    bgp_session_connected(s->session, BGP_CONN_OUT, now_ms());
    judge_session(s);
}

static void transport_down(void *ctx, bool was_up, const char *why)
{
    struct speaker *s = ctx;

    snprintf(s->why, sizeof s->why, "%s", why);
    if (s->phase == PHASE_LEAVING) {
        event_base_loopbreak(s->base);
        return;
    }
    if (was_up)
        bgp_session_closed(s->session, BGP_CONN_OUT, now_ms());
    else
        bgp_session_connect_failed(s->session, now_ms());
    judge_session(s);
}

static void transport_received(void *ctx, const void *data, size_t len)
{
    struct speaker *s = ctx;

    bgp_session_receive(s->session, BGP_CONN_OUT, data, len, now_ms());
    judge_session(s);
}

static void transport_drained(void *ctx)
{
    struct speaker *s = ctx;

    if (s->phase == PHASE_SENDING && !evtimer_pending(s->pace_timer, NULL))
        pump(s);
}

static void transport_closed(void *ctx)
{
    struct speaker *s = ctx;

    if (s->phase == PHASE_LEAVING)
        event_base_loopbreak(s->base);
}

static const struct transport_ops transport_callbacks = {.up = transport_up,
                                                         .down = transport_down,
                                                         .received = transport_received,
                                                         .drained = transport_drained,
                                                         .closed = transport_closed};

static void on_session_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct speaker *s = ctx;

    (void)fd;
    (void)what;
    bgp_session_tick(s->session, now_ms());
    judge_session(s);
}

static void on_wait_over(evutil_socket_t fd, short what, void *ctx)
{
    struct speaker *s = ctx;

    (void)fd;
    (void)what;
    fprintf(stderr, "fginject: no session with %s within %u s: %s\n", s->options->peer_text, s->options->wait_s,
            s->why);
    leave(s, 2);
}

static bool set_up(struct speaker *s)
{
    static const int numbers[SIGNALS] = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
    const struct options *o = s->options;

    s->base = event_base_new();
    s->pass = calloc(1, sizeof *s->pass);
    if (s->base == NULL || s->pass == NULL)
        return false;
    s->session_timer = evtimer_new(s->base, on_session_timer, s);
    s->pace_timer = evtimer_new(s->base, on_pace, s);
    s->wait_timer = evtimer_new(s->base, on_wait_over, s);
    if (s->session_timer == NULL || s->pace_timer == NULL || s->wait_timer == NULL)
        return false;
    for (unsigned i = 0; i < SIGNALS; i++) {
        s->signals[i] = evsignal_new(s->base, numbers[i], on_signal, s);
        if (s->signals[i] == NULL || evsignal_add(s->signals[i], NULL) != 0)
            return false;
    }
    s->log = (struct log_hook){.write = report_log, .ctx = (void *)(uintptr_t)o};
    struct bgp_session_conf conf = {.name = o->peer_text,
                                    .local_as = o->local_as,
                                    .peer_as = o->peer_as,
                                    .router_id = o->router_id,
                                    .families = BGP_IPV4_FLOWSPEC | BGP_IPV6_FLOWSPEC | s->file->families,
                                    .hold_time_s = o->hold_time_s,
                                    .connect_retry_s = CONNECT_RETRY_S,
                                    .extended_message = !o->no_extended_message,
                                    .log = &s->log};
    s->session = bgp_session_create(&conf, &session_ops, s, now_ms());
    s->transport = transport_create(s->base, o, &transport_callbacks, s);
    return s->session != NULL && s->transport != NULL;
}

static void free_event(struct event *event)
{
    if (event != NULL)
        event_free(event);
}

static void tear_down(struct speaker *s)
{
    transport_free(s->transport);
    bgp_session_free(s->session);
    for (unsigned i = 0; i < SIGNALS; i++)
        free_event(s->signals[i]);
    free_event(s->wait_timer);
    free_event(s->pace_timer);
    free_event(s->session_timer);
    free(s->pass);
    if (s->base != NULL)
        event_base_free(s->base);
}

int speaker_run(const struct options *options, const struct rule_file *file)
{
    struct speaker s = {.options = options, .file = file, .why = "no answer"};

    if (set_up(&s)) {
        arm_ms(s.wait_timer, (mono_ms_t)options->wait_s * 1000);
        bgp_session_start(s.session, now_ms());
        arm_session(&s);
        event_base_dispatch(s.base);
    } else {
        fprintf(stderr, "fginject: out of memory\n");
        s.status = 2;
    }
    tear_down(&s);
    return s.status;
}
