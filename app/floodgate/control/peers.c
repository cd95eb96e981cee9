/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbours: each one session (lib/bgp) with its connections and its timer. Whatever comes from the event
 * base goes into the session, and afterwards the timer is set to the session's next deadline.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "base/strbuf.h"
#include "control/deferral.h"
#include "control/distribute.h"
#include "control/graceful.h"
#include "control/internal.h"
#include "control/judge.h"
#include "control/reachability.h"
#include "control/socket_guard.h"

static const struct {
    uint32_t cfg, bgp;
} FAMILIES[] = {
    {CFG_IPV4_UNICAST, BGP_IPV4_UNICAST},
    {CFG_IPV6_UNICAST, BGP_IPV6_UNICAST},
    {CFG_IPV4_FLOWSPEC, BGP_IPV4_FLOWSPEC},
    {CFG_IPV6_FLOWSPEC, BGP_IPV6_FLOWSPEC},
    {CFG_IPV4_FLOWSPEC_VPN, BGP_IPV4_FLOWSPEC_VPN},
    {CFG_IPV6_FLOWSPEC_VPN, BGP_IPV6_FLOWSPEC_VPN},
    {CFG_IPV4_VPN, BGP_IPV4_VPN},
    {CFG_IPV6_VPN, BGP_IPV6_VPN},
};

mono_ms_t control_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (mono_ms_t)now.tv_sec * MONO_MS_PER_S + (mono_ms_t)now.tv_nsec / 1000000;
}

static uint32_t families_offered(const struct cfg_peer *conf)
{
    uint32_t families = 0;

    for (size_t i = 0; i < sizeof FAMILIES / sizeof FAMILIES[0]; i++)
        families |= (conf->families & FAMILIES[i].cfg) != 0 ? FAMILIES[i].bgp : 0;
    return families;
}

uint32_t peer_families(const struct peer *peer)
{
    return families_offered(&peer->conf);
}

uint32_t peer_cfg_family(uint32_t family)
{
    size_t i = 0;

    while (i + 1 < sizeof FAMILIES / sizeof FAMILIES[0] && FAMILIES[i].bgp != family)
        i++;
    return FAMILIES[i].cfg;
}

/* After every call into the session. */
void peer_timer_arm(struct peer *peer)
{
    mono_ms_t at = bgp_session_deadline(peer->session), now = control_now();

    if (at == peer->timer_at && evtimer_pending(peer->timer, NULL))
        return;
    peer->timer_at = at;
    if (at == UINT64_MAX) {
        evtimer_del(peer->timer);
        return;
    }
    mono_ms_t wait_ms = at > now ? at - now : 0;
    const struct timeval wait = {.tv_sec = (time_t)(wait_ms / MONO_MS_PER_S),
                                 .tv_usec = (suseconds_t)(wait_ms % MONO_MS_PER_S * 1000)};
    evtimer_add(peer->timer, &wait);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct peer *peer = arg;

    (void)fd;
    (void)what;
    bgp_session_tick(peer->session, control_now());
    peer_timer_arm(peer);
}

/* Which of its connections this is. */
static enum bgp_conn connection_number(const struct peer *peer, const struct transport *transport)
{
    return peer->connections[BGP_CONN_OUT] == transport ? BGP_CONN_OUT : BGP_CONN_IN;
}

static void on_connected(void *ctx, struct transport *transport)
{
    struct peer *peer = ctx;

    bgp_session_connected(peer->session, connection_number(peer, transport), control_now());
    peer_timer_arm(peer);
}

static void on_received(void *ctx, struct transport *transport, const void *data, size_t len)
{
    struct peer *peer = ctx;

    bgp_session_receive(peer->session, connection_number(peer, transport), data, len, control_now());
    limit_hold(peer);
    peer_timer_arm(peer);
}

/* An attempt to connect that came to nothing; the session retries. */
static void connect_failed(struct peer *peer, const char *why)
{
    const struct cfg_peer *conf = &peer->conf;
    char address[IP_TEXT_SIZE], line[sizeof peer->connect_line];

    snprintf(line, sizeof line, "cannot connect to %s port %u: %s", ip_addr_format(&conf->address, address), conf->port,
             why);
    log_line(peer->control->log, strcmp(line, peer->connect_line) == 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_NOTICE,
             "peer %s: %s", peer->name, line);
    memcpy(peer->connect_line, line, sizeof line);
    peer->connect_told = true; /* the session knows less of the reason than was just logged */
    bgp_session_connect_failed(peer->session, control_now());
    peer->connect_told = false;
    peer_timer_arm(peer);
}

static void on_failed(void *ctx, struct transport *transport, const char *why)
{
    struct peer *peer = ctx;
    enum bgp_conn number = connection_number(peer, transport);

    peer->connections[number] = NULL;
    if (transport_connecting(transport)) {
        connect_failed(peer, why);
        return;
    }
    log_line(peer->control->log, LOG_LEVEL_DEBUG, "peer %s: connection %s", peer->name, why);
    bgp_session_closed(peer->session, number, control_now());
    peer_timer_arm(peer);
}

static void on_drained(void *ctx, struct transport *transport)
{
    (void)transport;
    distribute_writable(ctx);
}

static void on_output(void *ctx, struct transport *transport, size_t left)
{
    struct peer *peer = ctx;

    bgp_session_output(peer->session, connection_number(peer, transport), left, control_now());
}

static const struct transport_ops TRANSPORT_OPS = {
    .output = on_output,
    .connected = on_connected,
    .received = on_received,
    .drained = on_drained,
    .failed = on_failed,
};

static void on_connect_failed(evutil_socket_t fd, short what, void *arg)
{
    struct peer *peer = arg;

    (void)fd;
    (void)what;
    if (peer->connections[BGP_CONN_OUT] == NULL)
        connect_failed(peer, strerror(peer->connect_errno));
}

/* Whether it is the address of a port that has the peer on its network. */
static bool is_next_to(const struct cfg *cfg, const struct ip_addr *address, const struct ip_addr *peer)
{
    for (size_t p = 0; p < cfg->port_count; p++) {
        for (size_t a = 0; a < cfg->ports[p].address_count; a++) {
            const struct ip_prefix *own = &cfg->ports[p].addresses[a];
            if (own->family == address->family && memcmp(own->octets, address->octets, sizeof own->octets) == 0)
                return ip_prefix_covers(own, peer);
        }
    }
    return false;
}

/*
 * The address we listen on, so that the peer sees the neighbour it has configured: the one on the peer's network, else
 * the first. NULL: the system chooses.
 */
static const struct ip_addr *local_address(const struct peer *peer)
{
    static const uint8_t WILDCARD[16];
    const struct cfg *cfg = peer->control->cfg;
    const struct ip_addr *first = NULL;

    for (size_t i = 0; i < cfg->listen_count; i++) {
        const struct ip_addr *address = &cfg->listens[i].address;
        if (address->family != peer->conf.address.family || memcmp(address->octets, WILDCARD, sizeof WILDCARD) == 0)
            continue;
        if (is_next_to(cfg, address, &peer->conf.address))
            return address;
        first = first != NULL ? first : address;
    }
    return first;
}

struct ip_addr peer_local_address(const struct peer *peer)
{
    struct ip_addr address = {.family = IP_NONE};

    for (unsigned i = 0; i < BGP_CONN_COUNT && address.family == IP_NONE; i++)
        if (peer->connections[i] != NULL)
            address = transport_local(peer->connections[i]);
    return address;
}

static struct socket_guard guard_of(const struct peer *peer)
{
    return (struct socket_guard){
        .password = peer->conf.password, .ttl_security = peer->conf.ttl_security, .device = peer->conf.device};
}

static void on_session_connect(void *ctx)
{
    struct peer *peer = ctx;
    const struct socket_guard guard = guard_of(peer);

    peer->connections[BGP_CONN_OUT] =
        transport_connect(&peer->control->transports, &peer->conf.address, peer->conf.port, local_address(peer), &guard,
                          &TRANSPORT_OPS, peer);
    if (peer->connections[BGP_CONN_OUT] == NULL) {
        peer->connect_errno = errno; /* the session must not hear of it before its own call has returned */
        event_active(peer->connect_failed, EV_TIMEOUT, 0);
    }
}

static void on_session_close(void *ctx, enum bgp_conn conn)
{
    struct peer *peer = ctx;

    if (peer->connections[conn] != NULL)
        transport_close(peer->connections[conn]);
    peer->connections[conn] = NULL;
}

static void on_session_send(void *ctx, enum bgp_conn conn, const void *data, size_t len)
{
    struct peer *peer = ctx;

    if (peer->connections[conn] != NULL)
        transport_send(peer->connections[conn], data, len);
}

static void families_format(uint32_t families, struct strbuf *text)
{
    for (uint32_t family = 1; family < 1u << BGP_FAMILY_COUNT; family <<= 1)
        if ((families & family) != 0)
            sb_printf(text, "%s%s", text->length > 0 ? " " : "", bgp_family_name(family));
}

static void on_session_established(void *ctx)
{
    struct peer *peer = ctx;
    struct bgp_session_info info;
    char families[192] = "";
    struct strbuf text = sb_init(families, sizeof families);

    bgp_session_info_get(peer->session, &info);
    families_format(info.families, &text);
    peer->connect_line[0] = peer->session_line[0] = '\0';
    peer->source.rib.address = peer->conf.address;
    update_feed_start(peer);
    graceful_up(peer->graceful, &info);
    bgp_session_restarting(peer->session, false, 0); /* from now on a session that is new is not a restart of ours */
    log_line(peer->control->log, LOG_LEVEL_NOTICE, "peer %s: up, AS %u, router id %u.%u.%u.%u, %s, hold time %u s",
             peer->name, info.peer_as, info.peer_router_id >> 24, info.peer_router_id >> 16 & 255,
             info.peer_router_id >> 8 & 255, info.peer_router_id & 255,
             families[0] != '\0' ? families : "no family in common", info.hold_time_s);
    deferral_check(peer->control->deferral);
    distribute_start(peer);
}

static void on_session_update(void *ctx, const uint8_t *body, size_t len)
{
    update_feed(ctx, body, len);
}

static void on_session_refresh(void *ctx, uint32_t family)
{
    distribute_refresh(ctx, family);
}

static void on_session_down(void *ctx)
{
    struct peer *peer = ctx;
    struct bgp_session_info info;

    distribute_stop(peer);
    if (peer->control->stopping)
        return;
    deferral_check(peer->control->deferral);
    bgp_session_info_get(peer->session, &info);
    if (info.retained != 0) {
        graceful_down(peer->graceful, &info);
        return;
    }
    graceful_lost(peer->graceful);
}

static void on_session_refresh_mark(void *ctx, uint32_t family, bool end)
{
    struct peer *peer = ctx;

    *(end ? &peer->refreshes_ended : &peer->refreshes_begun) += 1;
    graceful_refresh(peer->graceful, family, end);
}

static const struct bgp_session_ops SESSION_OPS = {
    .connect = on_session_connect,
    .close = on_session_close,
    .send = on_session_send,
    .established = on_session_established,
    .update = on_session_update,
    .refresh = on_session_refresh,
    .refresh_mark = on_session_refresh_mark,
    .down = on_session_down,
};

struct peer *peer_create(struct control *control, const struct cfg_peer *conf)
{
    struct peer *peer = calloc(1, sizeof *peer);

    if (peer == NULL)
        return NULL;
    peer->control = control;
    peer->conf = *conf;
    peer->name = strdup(conf->name);
    peer->conf.name = peer->conf.policy = NULL; /* they go with the configuration */
    peer->conf.password = conf->password != NULL ? strdup(conf->password) : NULL;
    peer->conf.device = conf->device != NULL ? strdup(conf->device) : NULL;
    bool whole = (conf->password == NULL) == (peer->conf.password == NULL) &&
                 (conf->device == NULL) == (peer->conf.device == NULL);
    peer->source.name = peer->name;
    peer->source.rib.kind = BGP_SOURCE_PEER;
    peer->source.policy = judge_policy(control->judge, conf->policy);
    recover_peer(peer);
    peer->source.rib.number = ++control->source_number;
    peer->source.rib.address = conf->address;
    peer->source.rib.next_hops_judged = reachability_judges(control, conf);
    peer->source.rib.blackholes = conf->blackhole;
    peer->source.announced = control->routes;
    peer->source.routes = conf->validation == CFG_VALIDATION_RFC9117 ? control->routes : NULL;
    peer->session_log = peer_session_log(peer);
    peer->timer = evtimer_new(control->base, on_timer, peer);
    peer->graceful = graceful_create(peer);
    peer->connect_failed = event_new(control->base, -1, 0, on_connect_failed, peer);
    const struct bgp_session_conf session_conf = {
        .name = peer->name,
        .local_as = control->cfg->router.asn,
        .peer_as = conf->asn,
        .router_id = control->cfg->router.id,
        .families = families_offered(conf),
        .hold_time_s = conf->hold_time_s,
        .connect_retry_s = conf->connect_retry_s,
        .passive = conf->passive,
        .extended_message = conf->extended_message,
        .enhanced_refresh = true,
        .restart_time_s = conf->restart_time_s,
        .long_lived_s = conf->long_lived_s,
        .send_hold_s = conf->send_hold_s,
        .add_path_receive = (conf->add_path & CFG_ADD_PATH_RECEIVE) != 0,
        .add_path_send = (conf->add_path & CFG_ADD_PATH_SEND) != 0,
        .log = &peer->session_log,
    };
    peer->session = bgp_session_create(&session_conf, &SESSION_OPS, peer, control_now());
    if (peer->name == NULL || peer->timer == NULL || peer->connect_failed == NULL || peer->session == NULL ||
        peer->graceful == NULL || !whole) {
        peer_free(peer);
        return NULL;
    }
    incoming_password(control->incoming, peer);
    return peer;
}

/* What it was by its session. */
static void peer_close(struct peer *peer)
{
    distribute_stop(peer);
    if (peer->timer != NULL)
        event_free(peer->timer);
    if (peer->connect_failed != NULL)
        event_free(peer->connect_failed);
    if (peer->session != NULL)
        bgp_session_free(peer->session);
    peer->timer = peer->connect_failed = NULL;
    peer->session = NULL;
    if (peer->conf.password != NULL) {
        memset(peer->conf.password, 0, strlen(peer->conf.password));
        free(peer->conf.password);
        peer->conf.password = NULL;
        incoming_password(peer->control->incoming, peer);
    }
}

void peer_free(struct peer *peer)
{
    peer_close(peer);
    if (peer->departs)
        LIST_REMOVE(peer, departing);
    graceful_free(peer->graceful);
    free(peer->conf.device);
    free(peer->range);
    free(peer->name);
    free(peer);
}

void peer_depart(struct peer *peer)
{
    graceful_drop(peer->graceful);
    if (graceful_quiet(peer->graceful)) {
        peer_free(peer);
        return;
    }
    peer_close(peer);
    peer->conf.import_filter = peer->conf.export_filter = (struct cfg_filter){0}; /* they go with the configuration */
    peer->source.policy = NULL;
    peer->source.departs = true;
    peer->departs = true;
    LIST_INSERT_HEAD(&peer->control->departing, peer, departing);
}

void peer_start(struct peer *peer)
{
    peer->admin_down = false;
    bgp_session_start(peer->session, control_now());
    peer_timer_arm(peer);
}

void peer_stop(struct peer *peer, uint8_t subcode, const char *reason)
{
    bgp_session_stop(peer->session, subcode, reason, control_now());
    if (!peer->control->stopping)
        graceful_forget(peer->graceful); /* the session may have been lost already */
    peer_timer_arm(peer);
}

static void refuse_connection(struct peer *peer, evutil_socket_t fd)
{
    uint8_t rejection[BGP_REJECTION_LEN];
    struct transport *transport = transport_accept(&peer->control->transports, fd, &TRANSPORT_OPS, peer);
    struct bgp_session_info info;
    uint64_t held_back;

    peer->refused_connections++;
    if (transport != NULL) {
        transport_send(transport, rejection, bgp_rejection(rejection));
        transport_close(transport);
    }
    if (!log_limit_pass(&peer_lines_of(peer)->refused, control_now(), &held_back))
        return;
    bgp_session_info_get(peer->session, &info);
    /* Idle and not by the operator's will: it broke the session more than once, and waits */
    const char *reason = peer->admin_down         ? "it is administratively down"
                         : info.state == BGP_IDLE ? "the session is held in Idle for a while after "
                                                  : "the session is ";
    log_line(peer->control->log, LOG_LEVEL_NOTICE, "peer %s: a connection from it was refused, %s%s", peer->name,
             reason,
             peer->admin_down         ? ""
             : info.state == BGP_IDLE ? info.last_down
                                      : bgp_state_name(info.state));
    peer_lines_held_back(peer, held_back);
}

void peer_accept(struct peer *peer, evutil_socket_t fd)
{
    const struct socket_guard guard = guard_of(peer);

    if (peer->password_unset || socket_guard_accept(fd, peer->conf.address.family, &guard) < 0) {
        const char *why = peer->password_unset    ? "its password could not be set"
                          : errno == EXDEV        ? "it came in by another device than the peer's"
                          : errno == EHOSTUNREACH ? "it is not one hop away, as its ttl-security wants (RFC 5082)"
                                                  : strerror(errno);
        uint64_t held_back;
        peer->refused_connections++;
        evutil_closesocket(fd);
        if (!log_limit_pass(&peer_lines_of(peer)->refused, control_now(), &held_back))
            return;
        log_line(peer->control->log, LOG_LEVEL_NOTICE, "peer %s: a connection from it was closed: %s", peer->name, why);
        peer_lines_held_back(peer, held_back);
        return;
    }
    if (!bgp_session_accept(peer->session, control_now())) {
        refuse_connection(peer, fd);
        return;
    }
    peer->connections[BGP_CONN_IN] = transport_accept(&peer->control->transports, fd, &TRANSPORT_OPS, peer);
    if (peer->connections[BGP_CONN_IN] != NULL)
        bgp_session_connected(peer->session, BGP_CONN_IN, control_now());
    peer_timer_arm(peer);
}

struct peer *peer_find(const struct control *control, const char *name)
{
    for (size_t i = 0; i < control->peer_count; i++)
        if (strcmp(control->peers[i]->name, name) == 0)
            return control->peers[i];
    return NULL;
}

bool peer_refresh(struct peer *peer, char *why, size_t size)
{
    struct bgp_session_info info;

    bgp_session_info_get(peer->session, &info);
    if (info.state != BGP_ESTABLISHED) {
        snprintf(why, size, "peer %s is %s: there is nobody to ask", peer->name, bgp_state_name(info.state));
        return false;
    }
    if (!info.received.route_refresh) {
        snprintf(why, size, "peer %s did not offer route refresh (RFC 2918)", peer->name);
        return false;
    }
    for (uint32_t family = 1; family < 1u << BGP_FAMILY_COUNT; family <<= 1)
        if ((info.families & family) != 0)
            bgp_session_send_refresh(peer->session, family);
    peer_timer_arm(peer);
    return true;
}
