/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/guard.h"

#include <stdlib.h>
#include <string.h>

#include "classifier/classifier.h"
#include "conf/conf.h"
#include "control/internal.h"
#include "dataplane/dataplane.h"
#include "packet/key.h"

#define TAKE_AT_A_TIME 64
#define PART_LEAST     20 /* a protocol or a destination counts when it has at least 1/20 of the window's packets */

struct guard {
    struct dataplane *dp;
    bool on;
    struct pol_guard limits;
    size_t first, count; /* of the window, a ring */
    uint64_t bytes;      /* sum over the window; so is the next */
    uint32_t by_protocol[256];
    mono_ms_t at[GUARD_WINDOW];
    uint32_t destination_head[GUARD_WINDOW]; /* the first 32 bits, host order: most rules are told apart by them */
    struct pkt_key keys[GUARD_WINDOW];
};

struct guard *guard_create(struct dataplane *dp)
{
    struct guard *guard = aligned_alloc(64, (sizeof *guard + 63) / 64 * 64);

    if (guard == NULL)
        return NULL;
    memset(guard, 0, sizeof *guard);
    guard->dp = dp;
    return guard;
}

void guard_free(struct guard *guard)
{
    free(guard);
}

void guard_configure(struct guard *guard, const struct cfg_guard *cfg)
{
    static const enum pol_breach BREACHES[] = {[CFG_BREACH_DEFAULT] = POL_BREACH_HOLD,
                                               [CFG_BREACH_HOLD] = POL_BREACH_HOLD,
                                               [CFG_BREACH_REJECT] = POL_BREACH_REJECT,
                                               [CFG_BREACH_WARN] = POL_BREACH_WARN,
                                               [CFG_BREACH_IGNORE] = POL_BREACH_IGNORE};

    guard->on = cfg->set;
    guard->limits = (struct pol_guard){
        .max_packets = cfg->max_drop_share,
        .max_bytes = cfg->max_byte_share,
        .max_protocol = cfg->max_protocol_share,
        .max_destination = cfg->max_destination_share,
        .window_s = cfg->window_s,
        .min_samples = cfg->min_samples,
        .on_breach = BREACHES[cfg->on_breach],
    };
    dataplane_guard_every(guard->dp, cfg->set ? cfg->sample : 0);
}

static void window_drop_first(struct guard *guard)
{
    const struct pkt_key *key = &guard->keys[guard->first];

    guard->bytes -= key->length;
    guard->by_protocol[key->protocol]--;
    guard->first = (guard->first + 1) % GUARD_WINDOW;
    guard->count--;
}

void guard_add(struct guard *guard, const struct pkt_key *key, mono_ms_t now)
{
    if (guard->count == GUARD_WINDOW)
        window_drop_first(guard);
    size_t at = (guard->first + guard->count++) % GUARD_WINDOW;
    guard->keys[at] = *key;
    guard->at[at] = now;
    guard->destination_head[at] =
        (uint32_t)key->dst[0] << 24 | (uint32_t)key->dst[1] << 16 | (uint32_t)key->dst[2] << 8 | key->dst[3];
    guard->bytes += key->length;
    guard->by_protocol[key->protocol]++;
}

void guard_collect(struct guard *guard, mono_ms_t now)
{
    struct pkt_key keys[TAKE_AT_A_TIME];
    mono_ms_t window_ms = (mono_ms_t)guard->limits.window_s * MONO_MS_PER_S;
    unsigned taken;

    if (!guard->on)
        return;
    for (unsigned rounds = 0; rounds < GUARD_WINDOW / TAKE_AT_A_TIME; rounds++) {
        taken = dataplane_samples_take(guard->dp, keys, TAKE_AT_A_TIME);
        for (unsigned i = 0; i < taken; i++)
            guard_add(guard, &keys[i], now);
        if (taken < TAKE_AT_A_TIME)
            break;
    }
    while (guard->count > 0 && now - guard->at[guard->first] > window_ms)
        window_drop_first(guard);
}

size_t guard_samples(const struct guard *guard)
{
    return guard->count;
}

void guard_each(const struct guard *guard, void (*visit)(void *ctx, const struct pkt_key *key), void *ctx)
{
    for (size_t i = 0; i < guard->count; i++)
        visit(ctx, &guard->keys[(guard->first + i) % GUARD_WINDOW]);
}

static int compare_destination(const void *a, const void *b)
{
    return memcmp((*(const struct pkt_key *const *)a)->dst, (*(const struct pkt_key *const *)b)->dst, 16);
}

static int compare_port(const void *a, const void *b)
{
    const struct pkt_key *x = *(const struct pkt_key *const *)a, *y = *(const struct pkt_key *const *)b;
    uint32_t left = (uint32_t)x->protocol << 16 | x->dst_port, right = (uint32_t)y->protocol << 16 | y->dst_port;

    return left < right ? -1 : left > right;
}

static uint32_t seen_to(const struct guard *guard, const struct pkt_key *key)
{
    uint32_t seen = 0;

    for (size_t i = 0; i < guard->count; i++)
        seen += memcmp(guard->keys[(guard->first + i) % GUARD_WINDOW].dst, key->dst, sizeof key->dst) == 0;
    return seen;
}

/* One destination's packets: into the list of the largest, and the largest part where it is a part worth a limit. */
static void take_destination(const struct guard *guard, const struct pkt_key *key, uint32_t taken,
                             struct pol_blast *out)
{
    struct pol_blast_destination one = {.address = {.family = key->family}, .taken = taken};

    memcpy(one.address.octets, key->dst, sizeof one.address.octets);
    for (unsigned i = 0; i < POL_BLAST_TOP; i++) {
        if (one.taken > out->top_destinations[i].taken) {
            struct pol_blast_destination lower = out->top_destinations[i];
            out->top_destinations[i] = one;
            one = lower;
        }
    }
    if (guard->limits.max_destination <= 0 || taken * PART_LEAST < guard->count * guard->limits.max_destination / 100)
        return;
    uint32_t seen = seen_to(guard, key);
    if (seen * PART_LEAST >= guard->count &&
        (uint64_t)taken * out->destination.seen >= (uint64_t)out->destination.taken * seen) {
        out->destination = (struct pol_part){.seen = seen, .taken = taken};
        out->destination_address.family = key->family;
        memcpy(out->destination_address.octets, key->dst, sizeof out->destination_address.octets);
    }
}

static void take_port(const struct pkt_key *key, uint32_t taken, struct pol_blast *out)
{
    struct pol_blast_port one = {.protocol = key->protocol, .port = key->dst_port, .taken = taken};

    for (unsigned i = 0; (key->has & PKT_HAS_PORTS) && i < POL_BLAST_TOP; i++) {
        if (one.taken > out->top_ports[i].taken) {
            struct pol_blast_port lower = out->top_ports[i];
            out->top_ports[i] = one;
            one = lower;
        }
    }
}

/* What the packets that the rule takes have in common. */
static void sum_up(const struct guard *guard, const struct pkt_key **taken, size_t count, struct pol_blast *out)
{
    size_t run;

    qsort(taken, count, sizeof *taken, compare_destination);
    for (size_t i = 0; i < count; i += run) {
        for (run = 1; i + run < count && compare_destination(&taken[i], &taken[i + run]) == 0; run++)
            ;
        take_destination(guard, taken[i], (uint32_t)run, out);
    }
    qsort(taken, count, sizeof *taken, compare_port);
    for (size_t i = 0; i < count; i += run) {
        for (run = 1; i + run < count && compare_port(&taken[i], &taken[i + run]) == 0; run++)
            ;
        take_port(taken[i], (uint32_t)run, out);
    }
}

static void take_protocols(const struct guard *guard, const uint32_t by_protocol[256], struct pol_blast *out)
{
    for (unsigned i = 0; i < 256; i++) {
        uint32_t seen = guard->by_protocol[i], taken = by_protocol[i];
        if (taken == 0 || seen * PART_LEAST < guard->count ||
            (uint64_t)taken * out->protocol.seen < (uint64_t)out->protocol.taken * seen)
            continue;
        out->protocol = (struct pol_part){.seen = seen, .taken = taken};
        out->protocol_number = (uint8_t)i;
    }
}

static void measure(void *ctx, const struct fs_rule *rule, struct pol_blast *out)
{
    struct guard *guard = ctx;
    const struct fs_component *destination = fs_rule_component(rule, FS_DESTINATION);
    const struct pkt_key *taken[GUARD_WINDOW];
    uint32_t by_protocol[256] = {0}, head = 0, mask = 0;
    size_t count = 0;

    guard_collect(guard, control_now());
    memset(out, 0, sizeof *out);
    if (destination != NULL && destination->offset == 0 && destination->length > 0) {
        const uint8_t *o = destination->octets;
        head = (uint32_t)o[0] << 24 | (uint32_t)o[1] << 16 | (uint32_t)o[2] << 8 | o[3];
        mask = destination->length >= 32 ? UINT32_MAX : ~(UINT32_MAX >> destination->length);
    }
    for (size_t i = 0; i < guard->count; i++) {
        size_t at = (guard->first + i) % GUARD_WINDOW;
        if (((guard->destination_head[at] ^ head) & mask) != 0 || !cls_rule_matches(rule, &guard->keys[at]))
            continue;
        taken[count++] = &guard->keys[at];
        by_protocol[guard->keys[at].protocol]++;
        out->bytes_taken += guard->keys[at].length;
    }
    out->packets = (struct pol_part){.seen = (uint32_t)guard->count, .taken = (uint32_t)count};
    out->bytes_seen = guard->bytes;
    take_protocols(guard, by_protocol, out);
    if (count > 0)
        sum_up(guard, taken, count, out);
}

void guard_prepare(struct guard *guard, struct pol_candidate *candidate)
{
    if (guard == NULL || !guard->on)
        return;
    candidate->guard = &guard->limits;
    candidate->measure = measure;
    candidate->measure_ctx = guard;
}

static bool share_equal(double a, double b)
{
    return !(a < b) && !(a > b);
}

bool guard_equal(const struct cfg_guard *a, const struct cfg_guard *b)
{
    return a->set == b->set && share_equal(a->max_drop_share, b->max_drop_share) &&
           share_equal(a->max_byte_share, b->max_byte_share) &&
           share_equal(a->max_protocol_share, b->max_protocol_share) &&
           share_equal(a->max_destination_share, b->max_destination_share) && a->window_s == b->window_s &&
           a->on_breach == b->on_breach && a->min_samples == b->min_samples;
}
