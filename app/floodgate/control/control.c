/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control plane as a whole: order of start and stop, and what the API asks of peers.
 */
#include "control/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "bgp/adj_out.h"
#include "bgp/export.h"
#include "control/breaker.h"
#include "control/chores.h"
#include "control/decisions.h"
#include "control/deferral.h"
#include "control/distribute.h"
#include "control/dynamic.h"
#include "control/graceful.h"
#include "control/guard.h"
#include "control/internal.h"
#include "control/journal.h"
#include "control/judge.h"
#include "control/route_distribute.h"
#include "dataplane/dataplane.h"

#define RECLAIM_MS       5    /* how long a rule that was withdrawn keeps its id and memory */
#define PACE_MS          50   /* guard's samples, delayed changes */
#define RETRY_MS         5000 /* between attempts to place rules for which there was no room */
#define STOP_MS          1000 /* for CEASE messages to leave */
#define CEASE_ADMIN_DOWN 2    /* RFC 4486 */

/* RIB -> rule table: the step between the two flows of a rule. */
static void on_best_changed(void *ctx, struct bgp_rib_entry *entry, bool withdrawn)
{
    struct control *control = ctx;

    rules_best_changed(control->rules, entry, withdrawn);
}

static bool on_infeasible(void *ctx, const struct bgp_rib_entry *entry, const struct bgp_path *path)
{
    return route_feed_infeasible(ctx, entry, path);
}

/* Rule table -> peers. */
static void on_rule_changed(void *ctx, const struct rule *rule, bool gone)
{
    distribute_rule(ctx, rule, gone);
}

static void on_reclaim(evutil_socket_t fd, short what, void *arg)
{
    struct control *control = arg;

    (void)fd;
    (void)what;
    dataplane_reclaim(control->dp);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    struct control *control = arg;

    (void)fd;
    (void)what;
    rules_redirects_again(control->rules, false);
    if (rules_want_retry(control->rules))
        rules_retry(control->rules, control->rib);
}

static void on_watch(evutil_socket_t fd, short what, void *arg)
{
    struct control *control = arg;
    mono_ms_t now = control_now();

    (void)fd;
    (void)what;
    guard_collect(control->guard, now);
    rules_pace_tick(control->rules, now);
    if (now - control->watched_at < BREAKER_TICK_MS)
        return;
    control->watched_at = now;
    breaker_tick(control->breaker, control_now()); /* rules may just have come into a state */
}

static void on_journal(evutil_socket_t fd, short what, void *arg)
{
    struct control *control = arg;

    (void)fd;
    (void)what;
    recover_watch(control);
}

static struct event *timer_start(struct event_base *base, unsigned every_ms, event_callback_fn callback, void *arg)
{
    struct event *timer = event_new(base, -1, EV_PERSIST, callback, arg);
    const struct timeval every = {.tv_sec = every_ms / 1000, .tv_usec = every_ms % 1000 * 1000};

    if (timer != NULL)
        event_add(timer, &every);
    return timer;
}

static void control_free(struct control *control)
{
    struct event *timers[] = {control->reclaim_timer, control->retry_timer, control->watch_timer,
                              control->journal_timer};

    for (size_t i = 0; i < sizeof timers / sizeof timers[0]; i++)
        if (timers[i] != NULL)
            event_free(timers[i]);
    incoming_free(control->incoming);
    control->incoming = NULL; /* peers that go have nowhere to take their passwords from */
    for (size_t i = 0; i < control->peer_count; i++)
        peer_free(control->peers[i]);
    free(control->peers);
    while (!LIST_EMPTY(&control->departing))
        peer_free(LIST_FIRST(&control->departing));
    chores_free(control->chores);
    dynamic_free(control->dynamic);
    bgp_adj_out_free(control->adj_out);
    free(control->export_room);
    free(control->route_builder);
    deferral_free(control->deferral);
    bgp_rib_free(control->rib);
    breaker_free(control->breaker);
    rules_free(control->rules);
    route_feed_free(control);
    guard_free(control->guard);
    decisions_free(control->decisions);
    journal_close(control->journal);
    judge_free(control->judge);
    cfg_free(control->loaded);
    free(control);
}

static struct control *control_create(const struct control_conf *conf)
{
    static const struct bgp_rib_ops RIB_OPS = {.changed = on_best_changed, .infeasible = on_infeasible};
    struct control *control = calloc(1, sizeof *control);

    if (control == NULL)
        return NULL;
    control->base = conf->base;
    control->dp = conf->dp;
    control->routing = conf->routing;
    control->log = conf->log;
    control->config_file = conf->config_file;
    control->cfg = conf->cfg;
    control->transports.base = conf->base;
    control->config_source.rib = (struct bgp_source){.number = ++control->source_number, .kind = BGP_SOURCE_CONFIG};
    control->api_source.rib = (struct bgp_source){.number = ++control->source_number, .kind = BGP_SOURCE_API};
    control->rib = bgp_rib_create(&RIB_OPS, control);
    control->rules = rules_create(conf->dp, conf->cfg->dataplane.max_rules, conf->log);
    control->judge = judge_create(conf->cfg);
    control->adj_out = bgp_adj_out_create();
    control->export_room = malloc(BGP_EXPORT_ROOM);
    control->route_builder = malloc(sizeof *control->route_builder);
    control->deferral = deferral_create(control);
    control->guard = guard_create(conf->dp);
    control->journal = journal_open(&conf->cfg->journal, conf->helper_cpus, conf->log);
    control->breaker = breaker_create(conf->dp, control->rules, control->guard, conf->log);
    LIST_INIT(&control->departing);
    control->chores = chores_create(conf->base);
    control->peers = calloc(conf->cfg->peer_count + 1, sizeof(struct peer *));
    control->incoming = incoming_create(control);
    control->dynamic = dynamic_create(control);
    control->reclaim_timer = timer_start(conf->base, RECLAIM_MS, on_reclaim, control);
    control->retry_timer = timer_start(conf->base, RETRY_MS, on_retry, control);
    control->watch_timer = timer_start(conf->base, PACE_MS, on_watch, control);
    control->journal_timer = timer_start(conf->base, JOURNAL_WATCH_MS, on_journal, control);
    bool whole = route_feed_create(control) && control->rib != NULL && control->rules != NULL &&
                 control->judge != NULL && control->chores != NULL && control->peers != NULL &&
                 control->incoming != NULL && control->dynamic != NULL && control->adj_out != NULL &&
                 control->export_room != NULL && control->route_builder != NULL && control->deferral != NULL &&
                 control->reclaim_timer != NULL && control->retry_timer != NULL && control->guard != NULL &&
                 control->journal != NULL && control->breaker != NULL && control->watch_timer != NULL &&
                 control->journal_timer != NULL && recover(control);
    for (size_t i = 0; whole && i < conf->cfg->peer_count; i++) {
        if (cfg_peer_is_range(&conf->cfg->peers[i]))
            continue; /* they come by themselves */
        struct peer *peer = peer_create(control, &conf->cfg->peers[i]);
        if (peer == NULL)
            whole = false;
        else
            control->peers[control->peer_count++] = peer;
    }
    if (whole)
        return control;
    control_free(control);
    return NULL;
}

struct control *control_start(const struct control_conf *conf)
{
    struct control *control = control_create(conf);
    struct local_rules_change rules;
    char why[256];

    if (control == NULL) {
        log_line(conf->log, LOG_LEVEL_ERROR, "no memory for the control plane");
        return NULL;
    }
    unserved_warn(conf->cfg, conf->config_file, conf->log);
    rules_judge_by(control->rules, control->judge);
    rules_index_by(control->rules, control->rejudge);
    rules_tell(control->rules, on_rule_changed, control);
    rules_guard_by(control->rules, control->guard);
    rules_journal_to(control->rules, control->journal);
    rules_remember_in(control->rules, control->decisions);
    guard_configure(control->guard, &conf->cfg->guard);
    breaker_configure(control->breaker, &conf->cfg->guard);
    local_rules_configure(control, NULL, conf->cfg, &rules);
    if (!incoming_set(control->incoming, conf->cfg->listens, conf->cfg->listen_count, why, sizeof why)) {
        log_line(conf->log, LOG_LEVEL_ERROR, "%s", why);
        control_free(control);
        return NULL;
    }
    for (size_t i = 0; i < control->peer_count; i++) {
        /* RFC 4724 4.1: we have (re)started. A rule needs no forwarding here to be right elsewhere: it is preserved */
        bgp_session_restarting(control->peers[i]->session, true, BGP_FLOWSPEC_FAMILIES);
        peer_start(control->peers[i]);
    }
    return control;
}

static void sessions_end(struct control *control)
{
    control->stopping = true;
    for (size_t i = 0; i < control->peer_count; i++)
        peer_stop(control->peers[i], CEASE_ADMIN_DOWN, "floodgate stops");
}

bool control_goodbye(struct control *control)
{
    if (!control->stopping)
        sessions_end(control);
    return control->transports.first == NULL;
}

void control_stop(struct control *control)
{
    if (control == NULL)
        return;
    if (!control->stopping)
        sessions_end(control);
    transport_set_finish(&control->transports, STOP_MS);
    control_free(control);
}

const struct rules *control_rules(const struct control *control)
{
    return control->rules;
}

const struct bgp_unicast *control_routes(const struct control *control)
{
    return control->routes;
}

uint32_t control_cluster_id(const struct control *control)
{
    return control->cfg->cluster_id != 0 ? control->cfg->cluster_id : control->cfg->router.id;
}

size_t control_peer_count(const struct control *control)
{
    return control->peer_count;
}

static void peer_routes_get(const struct peer *peer, struct control_peer *out)
{
    for (unsigned i = 0; i < BGP_FAMILY_COUNT; i++) {
        uint32_t family = 1u << i;
        if ((family & BGP_UNICAST_FAMILIES) == 0)
            continue;
        out->routes[i] = (struct control_peer_routes){
            .accepted = bgp_unicast_source_count(peer->control->routes, &peer->source.rib, family),
            .rejected = peer->routes_rejected[i],
            .sent = route_distribute_sent(peer, family),
        };
    }
    out->routes_unreachable = bgp_unicast_source_unreachable(peer->control->routes, &peer->source.rib);
    out->routes_queued = route_distribute_queued(peer);
    out->routes_too_large = route_distribute_too_large(peer);
}

/* Rules of one IP family, those with a route distinguisher included: [0] IPv4, [1] IPv6. */
static void rule_counts_get(const struct peer *peer, unsigned i, struct control_peer *out)
{
    static const uint32_t FLOWSPEC[2][2] = {{BGP_IPV4_FLOWSPEC, BGP_IPV4_FLOWSPEC_VPN},
                                            {BGP_IPV6_FLOWSPEC, BGP_IPV6_FLOWSPEC_VPN}};
    const struct control *control = peer->control;
    const uint64_t *states = peer->source.states[i];
    bool bypassed = dataplane_bypassed(control->dp); /* then no rule acts, a stale one neither */
    struct distribute_counts counts;

    for (unsigned j = 0; j < 2; j++) {
        out->rules_received[i] += bgp_rib_source_count(control->rib, &peer->source.rib, FLOWSPEC[i][j]);
        distribute_counts_get(peer, FLOWSPEC[i][j], &counts);
        out->rules_sent[i] += counts.sent;
        out->rules_queued[i] += counts.queued;
        out->rules_too_large += counts.too_large;
    }
    out->rules_active[i] = bypassed ? 0 : states[RULE_ACTIVE];
    out->rules_rejected[i] = states[RULE_REJECTED];
    out->rules_not_imported[i] = states[RULE_NOT_IMPORTED];
    out->rules_stale[i] = bypassed ? 0 : states[RULE_STALE];
}

void control_peer_get(const struct control *control, size_t index, struct control_peer *out)
{
    const struct peer *peer = control->peers[index];

    *out = (struct control_peer){
        .name = peer->name,
        .range = peer->range,
        .address = peer->conf.address,
        .port = peer->conf.port,
        .asn = peer->conf.asn,
        .passive = peer->conf.passive,
        .admin_down = peer->admin_down,
        .families_configured = peer->conf.families,
        .rules_filtered = peer->filtered,
        .withdrawals = peer->withdrawals,
        .bad_nlri = peer->bad_nlri,
        .bad_attributes = peer->bad_attributes,
        .refused_connections = peer->refused_connections,
        .deferred = peer->out != NULL ? peer->deferred : 0,
        .refreshes_begun = peer->refreshes_begun,
        .refreshes_ended = peer->refreshes_ended,
        .password = peer->conf.password != NULL,
        .ttl_security = peer->conf.ttl_security,
        .device = peer->conf.device,
    };
    out->stale_families = graceful_families(peer->graceful, &out->stale_left_s);
    for (unsigned i = 0; i < BGP_CONN_COUNT; i++)
        out->output_waiting_bytes += peer->connections[i] != NULL ? transport_queued(peer->connections[i]) : 0;
    bgp_session_info_get(peer->session, &out->session);
    for (unsigned i = 0; i < 2; i++)
        rule_counts_get(peer, i, out);
    peer_routes_get(peer, out);
    memcpy(out->last_bad, peer->last_bad, sizeof out->last_bad);
}

size_t control_range_count(const struct control *control)
{
    return dynamic_count(control->dynamic);
}

void control_range_get(const struct control *control, size_t index, struct control_range *out)
{
    dynamic_get(control->dynamic, index, out);
}

static bool peer_up(struct peer *peer, const char *reason, char *why, size_t size)
{
    (void)reason;
    if (!peer->admin_down) {
        snprintf(why, size, "peer %s is not down", peer->name);
        return false;
    }
    peer_start(peer);
    return true;
}

static bool peer_down(struct peer *peer, const char *reason, char *why, size_t size)
{
    if (peer->admin_down) {
        snprintf(why, size, "peer %s is down already", peer->name);
        return false;
    }
    peer->admin_down = true;
    peer_stop(peer, CEASE_ADMIN_DOWN, reason);
    deferral_check(peer->control->deferral); /* one that never came has no session whose end would ask */
    return true;
}

static bool peer_ask_again(struct peer *peer, const char *reason, char *why, size_t size)
{
    (void)reason;
    return peer_refresh(peer, why, size);
}

bool control_peer_command(struct control *control, const char *name, enum control_peer_command command,
                          const char *reason, char *why, size_t size)
{
    static const struct {
        const char *word;
        bool (*run)(struct peer *peer, const char *reason, char *why, size_t size);
    } COMMANDS[] = {
        [CONTROL_PEER_UP] = {"up", peer_up},
        [CONTROL_PEER_DOWN] = {"down", peer_down},
        [CONTROL_PEER_REFRESH] = {"refresh", peer_ask_again},
    };
    struct peer *peer = peer_find(control, name);

    if (peer == NULL) {
        snprintf(why, size, "there is no peer %s", name);
        return false;
    }
    if (!COMMANDS[command].run(peer, reason, why, size))
        return false;
    log_line(control->log, LOG_LEVEL_NOTICE, "peer %s: %s by the operator", name, COMMANDS[command].word);
    return true;
}

uint64_t control_unknown_connections(const struct control *control)
{
    return incoming_unknown(control->incoming);
}
