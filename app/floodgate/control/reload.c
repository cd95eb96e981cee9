/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reload: the file is read whole, judged whole, and only then applied. What cannot change while packets flow is refused
 * before anything is touched; the one step that can fail (listening on a new address) comes first.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "control/breaker.h"
#include "control/deferral.h"
#include "control/distribute.h"
#include "control/dynamic.h"
#include "control/guard.h"
#include "control/internal.h"
#include "control/judge.h"
#include "control/redirect.h"
#include "routing/routing.h"

/* RFC 4486 subcodes of CEASE */
#define CEASE_DECONFIGURED 3
#define CEASE_CHANGED      6

/* Collects what stands against the new file: all of it goes to the log, the first to the caller. */
struct problems {
    const struct log_hook *log;
    char *why;
    size_t size;
    unsigned count;
};

static void problem_take(struct problems *problems, const char *line)
{
    if (problems->count++ == 0)
        snprintf(problems->why, problems->size, "%s", line);
    log_line(problems->log, LOG_LEVEL_ERROR, "%s", line);
}

static void on_problem(void *ctx, const char *file, unsigned line, const char *text)
{
    char whole[512];

    if (line > 0)
        snprintf(whole, sizeof whole, "%s:%u: %s", file, line, text);
    else
        snprintf(whole, sizeof whole, "%s: %s", file, text);
    problem_take(ctx, whole);
}

static bool text_equal(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool router_equal(const struct cfg *a, const struct cfg *b)
{
    return a->router.id == b->router.id && a->router.asn == b->router.asn;
}

static bool dataplane_equal(const struct cfg *a, const struct cfg *b)
{
    const struct cfg_dataplane *x = &a->dataplane, *y = &b->dataplane;

    if (x->workers_auto != y->workers_auto || x->hugepages != y->hugepages || x->control_lcore != y->control_lcore ||
        x->idle != y->idle || x->memory_mib != y->memory_mib || x->rules_memory_mib != y->rules_memory_mib ||
        x->max_rules != y->max_rules || x->burst_ms != y->burst_ms || x->exception_path != y->exception_path ||
        x->eal_count != y->eal_count)
        return false;
    if (!x->workers_auto && (x->worker_count != y->worker_count ||
                             memcmp(x->workers, y->workers, x->worker_count * sizeof x->workers[0]) != 0))
        return false;
    for (size_t i = 0; i < x->eal_count; i++)
        if (!text_equal(x->eal[i], y->eal[i]))
            return false;
    return true; /* `start` counts at the start only, and `punt-limits` are changed while the router runs */
}

static bool cluster_equal(const struct cfg *a, const struct cfg *b)
{
    return a->cluster_id == b->cluster_id;
}

static bool vrfs_equal(const struct cfg *a, const struct cfg *b)
{
    if (a->vrf_count != b->vrf_count)
        return false;
    for (size_t i = 0; i < a->vrf_count; i++)
        if (!text_equal(a->vrfs[i].name, b->vrfs[i].name))
            return false;
    return true;
}

static bool port_equal(const struct cfg_port *a, const struct cfg_port *b)
{
    if (!text_equal(a->parent, b->parent) || a->vlan != b->vlan || !text_equal(a->vrf, b->vrf) || a->urpf != b->urpf ||
        a->mtu != b->mtu || !text_equal(a->kernel_name, b->kernel_name) || memcmp(a->mac, b->mac, sizeof a->mac) != 0)
        return false;
    if (!text_equal(a->name, b->name) || !text_equal(a->device, b->device) || a->mode != b->mode ||
        !text_equal(a->peer, b->peer) || a->flowspec != b->flowspec || a->address_count != b->address_count)
        return false;
    for (size_t i = 0; i < a->address_count; i++) {
        const struct ip_prefix *x = &a->addresses[i], *y = &b->addresses[i];
        if (x->family != y->family || x->length != y->length || memcmp(x->octets, y->octets, sizeof x->octets) != 0)
            return false;
    }
    return true;
}

static bool ports_equal(const struct cfg *a, const struct cfg *b)
{
    if (a->port_count != b->port_count)
        return false;
    for (size_t i = 0; i < a->port_count; i++)
        if (!port_equal(&a->ports[i], &b->ports[i]))
            return false;
    return true;
}

static bool sampling_equal(const struct cfg *a, const struct cfg *b)
{
    const struct cfg_sampling *x = &a->sampling, *y = &b->sampling;

    if (x->set != y->set || !text_equal(x->directory, y->directory) || x->file_mib != y->file_mib ||
        x->files != y->files || !text_equal(x->collector, y->collector) || x->snap_length != y->snap_length ||
        x->rules_one_in != y->rules_one_in || x->port_count != y->port_count)
        return false;
    for (size_t i = 0; i < x->port_count; i++)
        if (!text_equal(x->ports[i].port, y->ports[i].port) || x->ports[i].one_in != y->ports[i].one_in)
            return false;
    return true;
}

static bool socket_equal(const struct cfg *a, const struct cfg *b)
{
    return text_equal(a->api.socket, b->api.socket);
}

static bool journal_equal(const struct cfg *a, const struct cfg *b)
{
    return text_equal(a->journal.file, b->journal.file) && a->journal.max_mib == b->journal.max_mib &&
           a->journal.entries == b->journal.entries;
}

static bool resolution_equal(const struct cfg *a, const struct cfg *b)
{
    return a->next_hop_resolution == b->next_hop_resolution;
}

/* Everything that is set up once, before the first packet. */
static const struct {
    const char *section;
    bool (*equal)(const struct cfg *a, const struct cfg *b);
} FIXED[] = {
    {"router", router_equal},   {"dataplane", dataplane_equal},    {"ports", ports_equal},
    {"vrfs", vrfs_equal},       {"sampling", sampling_equal},      {"api.socket", socket_equal},
    {"journal", journal_equal}, {"bgp.cluster-id", cluster_equal}, {"bgp.next-hop-resolution", resolution_equal},
};

static void check_fixed(const struct control *control, const struct cfg *fresh, struct problems *problems)
{
    char line[256];

    for (size_t i = 0; i < sizeof FIXED / sizeof FIXED[0]; i++) {
        if (FIXED[i].equal(control->cfg, fresh))
            continue;
        snprintf(line, sizeof line, "%s: `%s` differs from what runs: that change needs a restart",
                 control->config_file, FIXED[i].section);
        problem_take(problems, line);
    }
}

static bool peer_equal(const struct cfg_peer *a, const struct cfg_peer *b)
{
    return (cfg_peer_is_range(b) || ip_addr_equal(&a->address, &b->address)) && a->port == b->port &&
           a->asn == b->asn && a->passive == b->passive && a->next_hop == b->next_hop && a->add_path == b->add_path &&
           a->install_routes == b->install_routes && a->blackhole == b->blackhole && a->families == b->families &&
           a->validation == b->validation && a->route_reflector_client == b->route_reflector_client &&
           a->legacy_ipv6_offset == b->legacy_ipv6_offset && a->extended_message == b->extended_message &&
           a->remove_med == b->remove_med && memcmp(a->max_prefix, b->max_prefix, sizeof a->max_prefix) == 0 &&
           cfg_filter_equal(&a->import_filter, &b->import_filter) && a->hold_time_s == b->hold_time_s &&
           a->connect_retry_s == b->connect_retry_s && a->restart_time_s == b->restart_time_s &&
           a->long_lived_s == b->long_lived_s && a->send_hold_s == b->send_hold_s &&
           a->ttl_security == b->ttl_security && text_equal(a->password, b->password) &&
           text_equal(a->device, b->device);
}

/* What changes without the session: the rest of `conf`, whose lists belong to the configuration that goes. */
static void peer_renew(struct peer *peer, const struct cfg_peer *conf)
{
    bool other =
        peer->conf.announce != conf->announce || !cfg_filter_equal(&peer->conf.export_filter, &conf->export_filter);

    peer->conf.announce = conf->announce;
    peer->conf.max_prefix_warning = conf->max_prefix_warning;
    peer->conf.import_filter = conf->import_filter;
    peer->conf.export_filter = conf->export_filter;
    if (other)
        distribute_judge_again(peer);
}

/* What the operator said of a peer, which a change of its configuration does not take back. */
struct said {
    bool killed, admin_down;
};

struct peers_change {
    size_t added, removed, changed;
    struct said *said; /* by place in the new configuration, of peers that changed */
};

/*
 * Ends the sessions of peers that are gone or other ones now. Those that stay are moved to their new place, dynamic
 * ones behind all others.
 */
static void peers_keep(struct control *control, const struct cfg *fresh, struct peer **kept,
                       struct peers_change *change)
{
    size_t place = fresh->peer_count;

    for (size_t i = 0; i < control->peer_count; i++) {
        struct peer *peer = control->peers[i];
        const struct cfg_peer *conf = dynamic_conf(fresh, peer);
        if (conf != NULL && peer_equal(&peer->conf, conf)) {
            kept[peer->range != NULL ? place++ : (size_t)(conf - fresh->peers)] = peer;
            peer_renew(peer, conf);
            continue;
        }
        struct peer *again = NULL;
        if (conf != NULL) {
            if (peer->range != NULL)
                again = dynamic_again(control, conf, peer);
            bool stays = peer->range == NULL || again != NULL; /* others of a range come back when they want to */
            change->changed += stays;
            change->added += again != NULL;
            change->removed += !stays;
            if (peer->range == NULL)
                change->said[conf - fresh->peers] =
                    (struct said){.killed = peer->source.killed, .admin_down = peer->admin_down};
            peer_stop(peer, CEASE_CHANGED, "configuration changed");
        } else {
            change->removed++;
            peer_stop(peer, CEASE_DECONFIGURED, NULL);
        }
        control->peers[i] = NULL; /* the rules that others lose are still handed on */
        peer_depart(peer);
        if (again != NULL)
            kept[place++] = again;
    }
}

static void peers_apply(struct control *control, const struct cfg *fresh, struct peer **peers,
                        struct peers_change *change)
{
    size_t count = 0;

    peers_keep(control, fresh, peers, change);
    for (size_t i = 0; i < fresh->peer_count; i++) {
        bool started = peers[i] != NULL;
        if (cfg_peer_is_range(&fresh->peers[i]))
            continue;
        struct peer *peer = started ? peers[i] : peer_create(control, &fresh->peers[i]);
        if (peer == NULL) {
            log_line(control->log, LOG_LEVEL_ERROR, "no memory for peer %s: it is left out", fresh->peers[i].name);
            continue;
        }
        peers[count++] = peer; /* never ahead of i */
        if (!started) {
            change->added++;
            peer->source.killed = change->said[i].killed;
            peer->admin_down = change->said[i].admin_down;
            if (!peer->admin_down)
                peer_start(peer);
        }
    }
    for (size_t i = fresh->peer_count; peers[i] != NULL; i++)
        peers[count++] = peers[i];
    change->added -= change->changed < change->added ? change->changed : change->added; /* those came back */
    free(control->peers);
    control->peers = peers;
    control->peer_count = count;
}

static void say(struct strbuf *text, size_t count, const char *thing, const char *what)
{
    if (count > 0)
        sb_printf(text, "%s%zu %s%s %s", text->length > 0 ? ", " : "", count, thing, count == 1 ? "" : "s", what);
}

static bool imports_equal(const struct cfg *a, const struct cfg *b)
{
    if (a->vrf_count != b->vrf_count)
        return false;
    for (size_t i = 0; i < a->vrf_count; i++) {
        const struct cfg_vrf *x = &a->vrfs[i], *y = &b->vrfs[i];
        if (x->rt_import_count != y->rt_import_count)
            return false;
        for (size_t n = 0; n < x->rt_import_count; n++)
            if (!redirect_target_equal(&x->rt_import[n], &y->rt_import[n]))
                return false;
    }
    return true;
}

/* Exactly the rules that the change concerns: all where what is protected differs, else those of changed policies. */
static void judge_again(struct control *control, const struct cfg *old)
{
    bool other_guard = !guard_equal(&old->guard, &control->cfg->guard);
    bool all = other_guard || !judge_general_equal(old, control->cfg), some = false;

    guard_configure(control->guard, &control->cfg->guard);
    breaker_configure(control->breaker, &control->cfg->guard);
    if (other_guard)
        rules_measure_again(control->rules);
    rules_judge_by(control->rules, control->judge);
    for (size_t i = 0; i < control->peer_count; i++) {
        struct rule_source *source = &control->peers[i]->source;
        const struct cfg_peer *conf = dynamic_conf(control->cfg, control->peers[i]);
        const struct pol_peer_policy *policy = judge_policy(control->judge, conf != NULL ? conf->policy : NULL);
        source->judge_again = !pol_peer_policy_equal(source->policy, policy);
        source->policy = policy;
        some = some || source->judge_again;
    }
    if (all || some)
        rules_judge_again(control->rules, all);
    bool other_imports = !imports_equal(old, control->cfg);
    if (other_imports)
        route_feed_import_again(control, old);
    rules_redirects_again(control->rules, other_imports);
    for (size_t i = 0; i < control->peer_count; i++)
        control->peers[i]->source.judge_again = false;
}

bool control_reload(struct control *control, char *summary, size_t summary_size, char *why, size_t size)
{
    struct problems problems = {.log = control->log, .why = why, .size = size};
    struct cfg *fresh = cfg_load(control->config_file, on_problem, &problems);
    const struct cfg *old = control->cfg;
    struct local_rules_change rules;
    struct peers_change peers = {0};

    if (fresh == NULL)
        return false;
    check_fixed(control, fresh, &problems);
    struct peer **slots = calloc(fresh->peer_count + control->peer_count + 1, sizeof(struct peer *));
    struct judge *judge = judge_create(fresh);
    peers.said = calloc(fresh->peer_count + 1, sizeof *peers.said);
    if (slots == NULL || judge == NULL || peers.said == NULL)
        problem_take(&problems, "no memory to reload");
    if (problems.count > 0 || !incoming_set(control->incoming, fresh->listens, fresh->listen_count, why, size)) {
        free(slots);
        free(peers.said);
        judge_free(judge);
        cfg_free(fresh);
        return false;
    }
    /* from here on nothing is refused any more */
    control->cfg = fresh;
    struct judge *old_judge = control->judge;
    control->judge = judge; /* what new peers get their policy from */
    peers_apply(control, fresh, slots, &peers);
    free(peers.said);
    dynamic_reconfigure(control->dynamic);
    deferral_check(control->deferral); /* a peer that is gone is not waited for */
    judge_again(control, old);
    judge_free(old_judge);
    local_rules_configure(control, old, fresh, &rules);
    if (control->routing != NULL)
        routing_reconfigure(control->routing, old, fresh);
    unserved_warn(fresh, control->config_file, control->log);
    cfg_free(control->loaded);
    control->loaded = fresh;

    struct strbuf text = sb_init(summary, summary_size);
    say(&text, rules.added, "rule", "added");
    say(&text, rules.changed, "rule", "changed");
    say(&text, rules.removed, "rule", "removed");
    say(&text, rules.refused, "rule", "without room");
    say(&text, peers.added, "peer", "added");
    say(&text, peers.changed, "peer", "changed");
    say(&text, peers.removed, "peer", "removed");
    if (text.length == 0)
        sb_text(&text, "nothing differs");
    return true;
}
