/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/distribute.h"

#include <stdlib.h>

#include <event2/event.h>

#include "bgp/adj_out.h"
#include "bgp/export.h"
#include "control/deferral.h"
#include "control/filter.h"
#include "control/internal.h"
#include "control/route_distribute.h"

#define WALK_SLICE 2048 /* rules looked at in one turn of the event loop */

/* What one session has going on. */
struct peer_out {
    struct bgp_out *out;
    struct event *pump;
    struct bgp_session_info session; /* as negotiated */
    /* the walk over all rules: of these families, from behind this one */
    uint32_t walking;
    struct fs_rule *walked; /* NULL: from the start */
    bool again;             /* also what the peer knows already */
    enum bgp_out_kind mark; /* behind each family of the walk, beside what is owed; BGP_OUT_NOTHING: none */
    uint32_t owed;          /* families whose End-of-RIB is still to be sent */
    uint32_t asked;         /* families to send again once all of this has left */
    uint32_t judge_again;   /* families that a walk is still to judge by other words */
    uint64_t short_of_memory;
};

static struct peer *peer_of(const struct rule_source *source)
{
    return (struct peer *)((char *)(uintptr_t)source - offsetof(struct peer, source));
}

/* Families whose rules the peer is told at all. */
static uint32_t families_told(const struct peer *peer)
{
    enum cfg_announce announce = peer->conf.announce;

    if (announce == CFG_ANNOUNCE_DEFAULT)
        announce = peer->source.rib.ebgp ? CFG_ANNOUNCE_NONE : CFG_ANNOUNCE_RULES;
    return announce == CFG_ANNOUNCE_NONE ? 0 : peer->out->session.families & BGP_FLOWSPEC_FAMILIES;
}

const struct cfg_peer *peer_conf_of(const struct bgp_source *source)
{
    return &peer_of((const struct rule_source *)source)->conf; /* the first member of its source */
}

struct bgp_export distribute_export_of(const struct peer *peer, const struct rule_source *source, bool long_lived,
                                       const struct bgp_session_info *session)
{
    bool learned = source->rib.kind == BGP_SOURCE_PEER;

    return (struct bgp_export){
        .local_as = peer->control->cfg->router.asn,
        .cluster_id = control_cluster_id(peer->control),
        .to_ebgp = peer->source.rib.ebgp,
        .to_client = peer->conf.route_reflector_client,
        .to_router_id = session->peer_router_id,
        .from_here = !learned,
        .from_ebgp = learned && source->rib.ebgp,
        .from_client = learned && peer_of(source)->conf.route_reflector_client,
        .from_router_id = source->rib.router_id,
        .long_lived = long_lived,
        .to_long_lived = session->received.long_lived_restart,
    };
}

/* Learned, and not to be told yet (control/deferral.h). */
static bool is_deferred(const struct peer *peer, const struct rule *rule)
{
    return (peer->deferred & rule->family) != 0 && rule->source->rib.kind == BGP_SOURCE_PEER;
}

static bool is_long_lived(const struct bgp_path *path)
{
    return (path->marks & BGP_PATH_LONG_LIVED) != 0;
}

/*
 * The rule's best path, where the peer is to be told it; else NULL. The kill switch stops enforcing on this router
 * alone.
 */
static const struct bgp_path *path_for(const struct peer *peer, const struct rule *rule)
{
    /* a change that waits its turn (max-changes) has not been judged yet */
    if (!rule_state_handed_on(rule->state) || rule->delayed || rule->source == &peer->source ||
        (families_told(peer) & rule->family) == 0 || is_deferred(peer, rule))
        return NULL;
    const struct bgp_rib_entry *entry = bgp_rib_find(peer->control->rib, rule->family, rule->match);
    const struct bgp_path *path = entry != NULL ? entry->best : NULL;
    if (path == NULL || path->source != &rule->source->rib)
        return NULL;
    const struct bgp_export how = distribute_export_of(peer, rule->source, is_long_lived(path), &peer->out->session);
    bool passes = bgp_export_allowed(&path->attrs, &how) &&
                  filter_passes(&peer->conf.export_filter, rule->family, rule->match, &path->attrs);
    return passes ? path : NULL;
}

static void pump_soon(struct peer *peer)
{
    const struct timeval now = {0};

    if (!evtimer_pending(peer->out->pump, NULL))
        evtimer_add(peer->out->pump, &now);
}

/* Nothing is lost for good: memory that was short for the peer's copy is looked for again at its next refresh. */
static void tell_short(struct peer *peer)
{
    if (peer->out->short_of_memory++ == 0)
        log_line(peer->control->log, LOG_LEVEL_ERROR,
                 "peer %s: memory is short, not every rule is announced to it; `peer %s down` and `up` starts afresh",
                 peer->name, peer->name);
}

static void tell(struct peer *peer, const struct rule *rule, const struct bgp_path *path, bool again)
{
    struct bgp_attrs attrs;
    int error;

    if (path != NULL) {
        const struct bgp_export how =
            distribute_export_of(peer, rule->source, is_long_lived(path), &peer->out->session);
        bgp_attrs_export(&path->attrs, &how, &attrs, peer->control->export_room);
        error = bgp_out_set(peer->out->out, rule->family, rule->match, &attrs, again);
    } else {
        error = bgp_out_set(peer->out->out, rule->family, rule->match, NULL, again);
    }
    if (error != 0)
        tell_short(peer);
}

void distribute_rule(struct control *control, const struct rule *rule, bool gone)
{
    if (control->stopping)
        return; /* sessions end with a CEASE, and that says it all */
    if (rule->delayed && !gone)
        return; /* peers keep what they know until its turn, as the data plane does */
    for (size_t i = 0; i < control->peer_count; i++) {
        struct peer *peer = control->peers[i];
        if (peer == NULL || peer->out == NULL || (peer->out->session.families & rule->family) == 0)
            continue;
        tell(peer, rule, gone ? NULL : path_for(peer, rule), false);
        if (!bgp_out_empty(peer->out->out))
            pump_soon(peer);
    }
}

/* Remembers where the walk rests; false when memory is short. */
static bool walk_rest(struct peer_out *out, const struct rule *rule)
{
    fs_rule_free(out->walked);
    out->walked = rule != NULL ? fs_rule_dup(rule->match) : NULL;
    return rule == NULL || out->walked != NULL;
}

/* One turn of the walk; true when it is done. */
static bool walk(struct peer *peer)
{
    struct peer_out *out = peer->out;
    const struct rules *rules = peer->control->rules;
    const struct rule *rule = out->walked != NULL ? rules_after(rules, out->walked) : rules_next(rules, NULL);
    const struct rule *last = NULL;

    for (unsigned i = 0; i < WALK_SLICE && rule != NULL; i++) {
        if ((rule->family & out->walking) != 0)
            tell(peer, rule, path_for(peer, rule), out->again);
        last = rule;
        rule = rules_next(rules, rule);
    }
    bool rests = walk_rest(out, rule != NULL ? last : NULL);
    if (!rests)
        tell_short(peer);
    return rule == NULL || !rests;
}

static void walk_start(struct peer *peer, uint32_t families, bool again, enum bgp_out_kind mark)
{
    struct peer_out *out = peer->out;

    out->walking = families;
    out->again = again;
    out->mark = mark;
    pump_soon(peer);
}

static void mark_end(struct peer *peer, uint32_t family, enum bgp_out_kind mark)
{
    if (bgp_out_mark(peer->out->out, family, mark) != 0)
        tell_short(peer);
}

/* The walk is done: its marks go behind what it queued, and what was asked for meanwhile is next. */
static void walk_done(struct peer *peer)
{
    struct peer_out *out = peer->out;
    uint32_t ends = out->walking & out->owed & ~peer->deferred;

    out->owed &= ~ends;
    for (uint32_t family = 1; family < 1u << BGP_FAMILY_COUNT; family <<= 1) {
        if ((ends & family) != 0)
            mark_end(peer, family, BGP_OUT_END_OF_RIB);
        if ((out->walking & family) != 0 && out->mark != BGP_OUT_NOTHING)
            mark_end(peer, family, out->mark);
    }
    out->walking = 0;
    if (out->judge_again != 0)
        walk_start(peer, out->judge_again, false, BGP_OUT_NOTHING);
    out->judge_again = 0;
}

/* What the peer asked for and may be told: an EoRR makes it forget what it kept and is not told yet. */
static uint32_t asked_now(const struct peer *peer)
{
    return peer->out->asked & ~peer->deferred;
}

/*
 * RFC 7313 4: what the peer asked for, between BoRR and EoRR. Not before the former EoRR has left: a BoRR ahead of it
 * would make stale what was sent, and that EoRR the peer forget it. And however often it asks and does not read, no
 * more than one is on its way.
 */
static void refresh_start(struct peer *peer)
{
    uint32_t asked = asked_now(peer);

    for (uint32_t family = 1; family < 1u << BGP_FAMILY_COUNT; family <<= 1)
        if ((asked & family) != 0)
            bgp_session_send_refresh_mark(peer->session, family, false);
    walk_start(peer, asked, true, BGP_OUT_END_OF_REFRESH);
    peer->out->asked &= ~asked;
}

/* Nothing is to be said, now or soon. */
static bool all_said(const struct peer *peer)
{
    return peer->out->walking == 0 && asked_now(peer) == 0 && bgp_out_empty(peer->out->out);
}

size_t distribute_octets_waiting(const struct peer *peer)
{
    size_t octets = 0;

    for (unsigned i = 0; i < BGP_CONN_COUNT; i++)
        if (peer->connections[i] != NULL)
            octets += transport_queued(peer->connections[i]);
    return octets;
}

static void send_marker(struct peer *peer, uint32_t family, enum bgp_out_kind kind)
{
    uint8_t marker[16];

    if (kind == BGP_OUT_END_OF_RIB)
        bgp_session_send_update(peer->session, marker, bgp_end_of_rib(family, marker));
    else
        bgp_session_send_refresh_mark(peer->session, family, true);
}

/* Sends until the socket's buffer has enough; true when nothing is left. */
static bool send_waiting(struct peer *peer)
{
    struct bgp_out_message message;

    while (distribute_octets_waiting(peer) < DISTRIBUTE_QUEUE_OCTETS) {
        enum bgp_out_kind kind = bgp_out_next(peer->out->out, &message);
        if (kind == BGP_OUT_NOTHING)
            return true;
        if (kind == BGP_OUT_UPDATE)
            bgp_session_send_update(peer->session, message.body, message.len);
        else
            send_marker(peer, message.family, kind);
    }
    return false;
}

static void on_pump(evutil_socket_t fd, short what, void *arg)
{
    struct peer *peer = arg;
    struct peer_out *out = peer->out;

    (void)fd;
    (void)what;
    if (!send_waiting(peer)) {
        peer_timer_arm(peer); /* sending moved the keepalive */
        return;               /* distribute_writable goes on */
    }
    if (out->walking != 0 && walk(peer))
        walk_done(peer);
    else if (out->walking == 0 && asked_now(peer) != 0)
        refresh_start(peer); /* all that was queued has just left */
    if (!all_said(peer))
        pump_soon(peer);
    peer_timer_arm(peer);
}

void distribute_writable(struct peer *peer)
{
    if (peer->out != NULL && !all_said(peer))
        pump_soon(peer);
    route_distribute_writable(peer);
}

void distribute_start(struct peer *peer)
{
    struct peer_out *out = calloc(1, sizeof *out);
    struct bgp_session_info info;

    distribute_stop(peer);
    bgp_session_info_get(peer->session, &info);
    const struct bgp_out_conf conf = {
        .four_octet_as = info.four_octet_as,
        .legacy_ipv6_offset = peer->conf.legacy_ipv6_offset,
        .add_path = info.add_path.send,
        .update_max = bgp_session_update_max(peer->session),
    };
    if (out != NULL) {
        out->out = bgp_out_open(peer->control->adj_out, &conf);
        out->pump = evtimer_new(peer->control->base, on_pump, peer);
    }
    if (out == NULL || out->out == NULL || out->pump == NULL) {
        log_line(peer->control->log, LOG_LEVEL_ERROR, "peer %s: no memory to announce anything to it", peer->name);
        if (out != NULL)
            bgp_out_close(out->out);
        if (out != NULL && out->pump != NULL)
            event_free(out->pump);
        free(out);
        return;
    }
    out->session = info;
    peer->out = out;
    /* RFC 4724 2: also where nothing is announced, so that a peer that waits for our rules need not */
    out->owed = info.families & BGP_FLOWSPEC_FAMILIES;
    peer->deferred = deferral_families(peer->control->deferral, peer);
    walk_start(peer, out->owed, false, BGP_OUT_NOTHING);
    route_distribute_start(peer);
}

void distribute_stop(struct peer *peer)
{
    struct peer_out *out = peer->out;

    route_distribute_stop(peer);
    if (out == NULL)
        return;
    peer->out = NULL;
    bgp_out_close(out->out);
    event_free(out->pump);
    fs_rule_free(out->walked);
    free(out);
}

void distribute_refresh(struct peer *peer, uint32_t family)
{
    struct peer_out *out = peer->out;

    if ((family & BGP_UNICAST_FAMILIES) != 0) {
        route_distribute_refresh(peer, family);
        return;
    }
    if (out == NULL || (out->asked & family) != 0)
        return;
    log_line(peer->control->log, LOG_LEVEL_INFO, "peer %s: asks for %s again", peer->name, bgp_family_name(family));
    out->asked |= family;
    pump_soon(peer);
}

void distribute_judge_again(struct peer *peer)
{
    struct peer_out *out = peer->out;

    route_distribute_judge_again(peer);
    if (out == NULL)
        return;
    /* a walk that is on its way starts over: what it said by the old words, it says by the new ones */
    walk_rest(out, NULL);
    if (out->walking != 0)
        out->judge_again = out->session.families & BGP_FLOWSPEC_FAMILIES & ~out->walking;
    else
        walk_start(peer, out->session.families & BGP_FLOWSPEC_FAMILIES, false, BGP_OUT_NOTHING);
}

void distribute_deferred(struct control *control)
{
    for (size_t i = 0; i < control->peer_count; i++) {
        struct peer *peer = control->peers[i];
        if (peer == NULL || peer->out == NULL || peer->deferred == 0)
            continue;
        uint32_t before = peer->deferred;
        peer->deferred &= deferral_families(control->deferral, peer);
        if (peer->deferred != before)
            distribute_judge_again(peer); /* what is owed goes behind it */
    }
}

void distribute_counts_get(const struct peer *peer, uint32_t family, struct distribute_counts *out)
{
    struct bgp_out_counts counts = {0};

    if (peer->out != NULL)
        bgp_out_counts_get(peer->out->out, family, &counts);
    *out = (struct distribute_counts){counts.announced, counts.queued, counts.too_large};
}
