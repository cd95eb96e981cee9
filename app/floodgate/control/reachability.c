/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/reachability.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "control/internal.h"
#include "dataplane/dataplane.h"
#include "forward/way.h"

#define TICK_MS     20    /* from a change of forwarding to the next look at the next hops */
#define LINKS_MS    500   /* between looks at the ports' links */
#define FORGIVE_MS  60000 /* how long a next hop is left out whose way over BGP kept changing */
#define LINKS_MAX   256   /* ports that there may be */
#define ASKED_SLICE 2048  /* next hops asked about in one turn of the event loop */
#define PATHS_SLICE 2048  /* paths decided again */

struct reachability {
    struct control *control;
    const struct fwd *fwd;
    struct event *timer;
    bool armed_at_once; /* there is more to do; else it waits for a tick */
    uint64_t seen;      /* changes of forwarding that the round under way, or the last one, began with */
    mono_ms_t links_at, forgiven_at;
    bool down[LINKS_MAX]; /* links by port, when they were looked at last */
    struct log_limit lines, unsteady_lines;
};

static void arm(struct reachability *reachability, bool at_once)
{
    const struct timeval wait = {.tv_usec = at_once ? 0 : TICK_MS * 1000};

    reachability->armed_at_once = at_once;
    evtimer_add(reachability->timer, &wait);
}

/* The cost that the configuration gives the static route of a prefix. */
static uint32_t static_metric(const struct cfg *cfg, const struct ip_prefix *prefix)
{
    for (size_t i = 0; i < cfg->route_count; i++)
        if (cfg->routes[i].vrf == NULL && cfg->routes[i].prefix.family == prefix->family &&
            cfg->routes[i].prefix.length == prefix->length &&
            memcmp(cfg->routes[i].prefix.octets, prefix->octets, sizeof prefix->octets) == 0)
            return cfg->routes[i].metric;
    return BGP_METRIC_UNKNOWN; /* a reload has it no more, and forwarding is told in a moment */
}

static uint32_t metric_of(const struct control *control, const struct fwd_way *way)
{
    if (way->source == FWD_FROM_STATIC)
        return static_metric(control->cfg, &way->prefix);
    return way->source == FWD_SOURCE_COUNT ? BGP_METRIC_UNKNOWN : 0; /* of a port's network */
}

static void on_ask(void *ctx, const struct ip_addr *address, struct bgp_reach *out)
{
    static const char *const WHY[] = {[FWD_WAY_PORT] = "the link is down",
                                      [FWD_WAY_NO_ROUTE] = "no route",
                                      [FWD_WAY_BLACKHOLE] = "blackhole",
                                      [FWD_WAY_SELF] = "an address of this router",
                                      [FWD_WAY_LOOP] = "routes lead over one another"};
    const struct reachability *reachability = ctx;
    struct fwd_way way;

    fwd_way_find(reachability->fwd, FWD_VRF_DEFAULT, address, &way);
    bool unreachable = way.end != FWD_WAY_PORT || reachability->down[way.port];
    *out = (struct bgp_reach){.unreachable = unreachable,
                              .over_bgp = way.over_bgp,
                              .own_max = way.own_max,
                              .metric = unreachable ? BGP_METRIC_UNKNOWN : metric_of(reachability->control, &way),
                              .why = unreachable ? WHY[way.end] : ""};
}

/* RFC 4271 9.1.2.1: routes that lead over one another are said to the log; so is what an operator will look for. */
static void on_told(void *ctx, const struct ip_addr *address, const struct bgp_reach *now, bool unsteady)
{
    struct reachability *reachability = ctx;
    const struct log_hook *log = reachability->control->log;
    char text[IP_TEXT_SIZE];
    uint64_t held_back;

    if (!log_limit_pass(unsteady ? &reachability->unsteady_lines : &reachability->lines, control_now(), &held_back))
        return;
    if (held_back > 0)
        log_line(log, LOG_LEVEL_NOTICE, "%" PRIu64 " more changes of next hops were not logged", held_back);
    ip_addr_format(address, text);
    if (unsteady)
        log_line(log, LOG_LEVEL_WARNING,
                 "next hop %s: its way over routes of BGP keeps changing, perhaps because they lead over one another: "
                 "routes over it are left out for a minute",
                 text);
    else if (now->unreachable)
        log_line(log, LOG_LEVEL_NOTICE, "next hop %s cannot be reached: %s; routes over it are left out", text,
                 now->why);
    else if (now->metric == BGP_METRIC_UNKNOWN)
        log_line(log, LOG_LEVEL_NOTICE, "next hop %s is reached", text);
    else
        log_line(log, LOG_LEVEL_NOTICE, "next hop %s is reached, metric %" PRIu32, text, now->metric);
}

/* True when a link went up or down. */
static bool links_changed(struct reachability *reachability, mono_ms_t now)
{
    bool changed = false;

    if (now < reachability->links_at)
        return false;
    reachability->links_at = now + LINKS_MS;
    for (uint16_t i = 0; i < LINKS_MAX; i++) {
        bool down = !dataplane_link_up(reachability->control->dp, i);
        changed = changed || down != reachability->down[i];
        reachability->down[i] = down;
    }
    return changed;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct reachability *reachability = arg;
    struct bgp_unicast *routes = reachability->control->routes;
    mono_ms_t now = control_now();

    (void)fd;
    (void)what;
    if (now - reachability->forgiven_at >= FORGIVE_MS) {
        reachability->forgiven_at = now;
        bgp_unicast_reach_forgive(routes);
    }
    /* a change that a round itself makes waits for a tick, too: what leads over itself does not turn in a tight circle
     */
    if (links_changed(reachability, now) ||
        (!reachability->armed_at_once && fwd_route_changes(reachability->fwd) != reachability->seen)) {
        reachability->seen = fwd_route_changes(reachability->fwd);
        bgp_unicast_reach_again(routes);
    }
    arm(reachability, bgp_unicast_reach_run(routes, ASKED_SLICE, PATHS_SLICE));
}

struct reachability *reachability_create(struct control *control)
{
    static const struct bgp_reach_ops OPS = {.ask = on_ask, .told = on_told};
    struct reachability *reachability = calloc(1, sizeof *reachability);

    if (reachability == NULL)
        return NULL;
    reachability->control = control;
    reachability->fwd = dataplane_fwd(control->dp);
    reachability->forgiven_at = control_now();
    if (reachability->fwd == NULL || control->cfg->next_hop_resolution == CFG_RESOLUTION_OFF)
        return reachability; /* nobody is judged */
    links_changed(reachability, reachability->forgiven_at);
    reachability->timer = evtimer_new(control->base, on_timer, reachability);
    if (reachability->timer == NULL) {
        free(reachability);
        return NULL;
    }
    bgp_unicast_reach_by(control->routes, &OPS, reachability);
    arm(reachability, false);
    return reachability;
}

void reachability_free(struct reachability *reachability)
{
    if (reachability != NULL && reachability->timer != NULL)
        event_free(reachability->timer);
    free(reachability);
}

bool reachability_judges(const struct control *control, const struct cfg_peer *conf)
{
    enum cfg_resolution resolution = control->cfg->next_hop_resolution;

    if (dataplane_fwd(control->dp) == NULL || resolution == CFG_RESOLUTION_OFF)
        return false;
    return resolution == CFG_RESOLUTION_ON || conf->install_routes;
}
