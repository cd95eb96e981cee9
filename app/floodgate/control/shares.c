/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/shares.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "control/guard.h"
#include "control/rules.h"
#include "control/suspects.h"
#include "control/window.h"
#include "dataplane/dataplane.h"
#include "packet/key.h"

#define SAMPLES_LEAST 100
#define SCOPE_TEXT    160

/* A packet of the window, and what takes it. */
struct taken {
    const struct pkt_key *key;
    uint16_t vrf;  /* of the port that it came in by */
    uint32_t rule; /* 0: none */
    float part;    /* of such packets, 0 to 1 */
};

/* PACKETS: where there are several VRFs; counters tell those of all of them together. */
enum kind { PACKETS, OCTETS, PROTOCOL, DESTINATION, KIND_COUNT };

/* The worst part of one kind: the packets of `list` from `first`, so many. */
struct scope {
    size_t first, count;
    double share, limit; /* per cent */
};

struct shares {
    struct dataplane *dp;
    struct rules *rules;
    const struct guard *guard;
    const struct log_hook *log;
    const struct cfg_guard *cfg;
    mono_ms_t ticked_at;
    mono_ms_t over_since[KIND_COUNT]; /* 0: within its limit */
    size_t count;
    struct taken list[WINDOW_SIZE];
};

struct shares *shares_create(struct dataplane *dp, struct rules *rules, const struct guard *guard,
                             const struct log_hook *log)
{
    struct shares *shares = calloc(1, sizeof *shares);

    if (shares == NULL)
        return NULL;
    shares->dp = dp;
    shares->rules = rules;
    shares->guard = guard;
    shares->log = log;
    return shares;
}

void shares_free(struct shares *shares)
{
    free(shares);
}

void shares_configure(struct shares *shares, const struct cfg_guard *cfg)
{
    shares->cfg = cfg;
    memset(shares->over_since, 0, sizeof shares->over_since);
}

/* The part of what the rule matched that it dropped, so far. */
static float part_of(const struct shares *shares, uint32_t id)
{
    struct cnt_rule_sum sum;

    dataplane_rule_counters(shares->dp, id, &sum);
    return sum.packets > 0 ? (float)((double)sum.dropped_packets / (double)sum.packets) : 0;
}

/* As a worker does: the first rule that matches, and further ones while they say `continue`. */
static void on_sample(void *ctx, const struct pkt_key *key, uint16_t vrf)
{
    struct shares *shares = ctx;
    struct taken *taken = &shares->list[shares->count++];
    bool go_on = true;

    *taken = (struct taken){.key = key, .vrf = vrf};
    for (uint32_t id = dataplane_match_after(shares->dp, vrf, key, 0); id != 0 && go_on;
         id = dataplane_match_after(shares->dp, vrf, key, id)) {
        const struct act_program *program = dataplane_program(shares->dp, id);
        float part = part_of(shares, id);
        if (part > taken->part) {
            taken->rule = id;
            taken->part = part;
        }
        go_on = program != NULL && program->go_on;
    }
}

static double weight_of(enum kind kind, const struct taken *taken)
{
    return kind == OCTETS ? taken->key->length : 1;
}

/* Per cent of the packets (or octets) from `first`, so many, that rules take. */
static double share_of(const struct shares *shares, enum kind kind, size_t first, size_t count)
{
    double seen = 0, lost = 0;

    for (size_t i = first; i < first + count; i++) {
        seen += weight_of(kind, &shares->list[i]);
        lost += weight_of(kind, &shares->list[i]) * (double)shares->list[i].part;
    }
    return seen > 0 ? 100 * lost / seen : 0;
}

static int by_vrf(const void *a, const void *b)
{
    return (int)((const struct taken *)a)->vrf - (int)((const struct taken *)b)->vrf;
}

static int by_protocol(const void *a, const void *b)
{
    const struct pkt_key *x = ((const struct taken *)a)->key, *y = ((const struct taken *)b)->key;
    int order = by_vrf(a, b);

    return order != 0 ? order : (int)x->protocol - (int)y->protocol;
}

static int by_destination(const void *a, const void *b)
{
    const struct pkt_key *x = ((const struct taken *)a)->key, *y = ((const struct taken *)b)->key;
    int order = by_vrf(a, b);

    if (order == 0)
        order = memcmp(x->dst, y->dst, sizeof x->dst);
    return order != 0 ? order : (int)x->family - (int)y->family;
}

static int (*const ORDERS[])(const void *a, const void *b) = {
    [PACKETS] = by_vrf, [OCTETS] = by_vrf, [PROTOCOL] = by_protocol, [DESTINATION] = by_destination};

/* How many from `first` on, up to `end`, are the same in that order. */
static size_t run_of(const struct shares *shares, size_t first, size_t end, int (*order)(const void *a, const void *b))
{
    size_t at = first + 1;

    while (at < end && order(&shares->list[first], &shares->list[at]) == 0)
        at++;
    return at - first;
}

/* The worst part of one VRF's packets, which are those from `first`, so many, in the order of the kind. */
static void worst_of_vrf(const struct shares *shares, enum kind kind, size_t first, size_t count, struct scope *worst)
{
    size_t run;

    if (count < SAMPLES_LEAST || count < shares->cfg->min_samples)
        return;
    for (size_t at = first; at < first + count; at += run) {
        run = run_of(shares, at, first + count, ORDERS[kind]);
        double share = run * WINDOW_PART_LEAST >= count ? share_of(shares, kind, at, run) : 0;
        if (share > worst->share) {
            worst->first = at;
            worst->count = run;
            worst->share = share;
        }
    }
}

/* The part of the kind with the largest share, and its limit. A limit of 0: none. */
static struct scope worst(struct shares *shares, enum kind kind)
{
    const double limits[] = {[PACKETS] = window_is_plain(guard_window(shares->guard)) ? 0 : shares->cfg->max_drop_share,
                             [OCTETS] = shares->cfg->max_byte_share,
                             [PROTOCOL] = shares->cfg->max_protocol_share,
                             [DESTINATION] = shares->cfg->max_destination_share};
    struct scope scope = {.limit = limits[kind]};
    size_t run;

    if (scope.limit <= 0)
        return scope;
    qsort(shares->list, shares->count, sizeof shares->list[0], ORDERS[kind]);
    for (size_t at = 0; at < shares->count; at += run) {
        run = run_of(shares, at, shares->count, by_vrf);
        worst_of_vrf(shares, kind, at, run, &scope);
    }
    return scope;
}

static void scope_text(const struct shares *shares, enum kind kind, const struct scope *scope, char text[SCOPE_TEXT])
{
    const struct taken *taken = &shares->list[scope->first];
    struct ip_addr address = {.family = taken->key->family};
    char address_text[IP_TEXT_SIZE], vrf[64] = "";
    unsigned window_s = shares->cfg->window_s;

    memcpy(address.octets, taken->key->dst, sizeof address.octets);
    if (!window_is_plain(guard_window(shares->guard)))
        snprintf(vrf, sizeof vrf, " in VRF %.40s", dataplane_vrf_name(shares->dp, taken->vrf));
    if (kind == PACKETS || kind == OCTETS)
        snprintf(text, SCOPE_TEXT, "of all %s%s for %u s, more than %s %g %%", kind == OCTETS ? "octets" : "packets",
                 vrf, window_s, kind == OCTETS ? "max-byte-share" : "max-drop-share", scope->limit);
    else if (kind == PROTOCOL)
        snprintf(text, SCOPE_TEXT, "of protocol %u%s for %u s, more than max-protocol-share %g %%",
                 taken->key->protocol, vrf, window_s, scope->limit);
    else
        snprintf(text, SCOPE_TEXT, "to %s%s for %u s, more than max-destination-share %g %%",
                 ip_addr_format(&address, address_text), vrf, window_s, scope->limit);
}

static int by_rule(const void *a, const void *b)
{
    uint32_t x = ((const struct taken *)a)->rule, y = ((const struct taken *)b)->rule;

    return x < y ? -1 : x > y;
}

/* Rules that take packets of the scope, each with how much of it, in per cent. */
static void find_suspects(struct shares *shares, enum kind kind, const struct scope *scope, struct suspects *out)
{
    struct taken *list = &shares->list[scope->first];
    double seen = 0;
    size_t run;

    for (size_t i = 0; i < scope->count; i++)
        seen += weight_of(kind, &list[i]);
    qsort(list, scope->count, sizeof list[0], by_rule);
    for (size_t i = 0; i < scope->count; i += run) {
        double lost = 0;
        for (run = 0; i + run < scope->count && list[i + run].rule == list[i].rule; run++)
            lost += weight_of(kind, &list[i + run]) * (double)list[i + run].part;
        const struct rule *rule = list[i].rule != 0 ? rules_find(shares->rules, list[i].rule) : NULL;
        if (rule != NULL && !suspects_add(out, rule, 100 * lost / seen))
            break;
    }
    suspects_sort(out);
}

static unsigned trip(struct shares *shares, enum kind kind, const struct scope *scope)
{
    char what[SCOPE_TEXT], reason[SCOPE_TEXT + 160];
    struct suspects found = {0};
    double share = scope->share;
    unsigned count = 0;

    scope_text(shares, kind, scope, what); /* before the list is in another order */
    find_suspects(shares, kind, scope, &found);
    for (; count < found.count && share > scope->limit; count++) {
        snprintf(
            reason, sizeof reason,
            "breaker: rules dropped %.1f %% %s; this one, among the newest, %.1f %%; `rule resume` enforces it again",
            scope->share, what, found.list[count].amount);
        rules_trip(shares->rules, found.list[count].id, reason);
        share -= found.list[count].amount;
    }
    if (share > scope->limit)
        log_line(
            shares->log, LOG_LEVEL_ERROR,
            "breaker: rules drop %.1f %% %s, and none is left to suspend: what drops was approved or resumed by the "
            "operator",
            share, what);
    suspects_free(&found);
    return count;
}

unsigned shares_tick(struct shares *shares, mono_ms_t now)
{
    mono_ms_t window_ms = (mono_ms_t)shares->cfg->window_s * MONO_MS_PER_S;
    unsigned count = 0;

    if (now - shares->ticked_at < SHARES_TICK_MS)
        return 0;
    shares->ticked_at = now;
    shares->count = 0;
    window_each(guard_window(shares->guard), on_sample, shares);
    bool killed = dataplane_bypassed(shares->dp); /* then nothing is taken */
    for (enum kind kind = PACKETS; kind < KIND_COUNT; kind++) {
        struct scope scope = killed ? (struct scope){.limit = 1} : worst(shares, kind);
        if (scope.share <= scope.limit) {
            shares->over_since[kind] = 0;
        } else if (shares->over_since[kind] == 0) {
            shares->over_since[kind] = now;
        } else if (now - shares->over_since[kind] >= window_ms) {
            count += trip(shares, kind, &scope);
            shares->over_since[kind] = 0;
        }
    }
    return count;
}
