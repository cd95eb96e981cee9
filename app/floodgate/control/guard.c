/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/guard.h"

#include <stdlib.h>

#include "conf/conf.h"
#include "control/internal.h"
#include "control/window.h"
#include "dataplane/dataplane.h"

#define TAKE_AT_A_TIME 64

struct guard {
    struct dataplane *dp;
    bool on;
    struct pol_guard limits;
    struct window *window;
};

struct guard *guard_create(struct dataplane *dp)
{
    struct guard *guard = calloc(1, sizeof *guard);

    if (guard == NULL)
        return NULL;
    guard->dp = dp;
    guard->window = window_create();
    if (guard->window != NULL)
        return guard;
    free(guard);
    return NULL;
}

void guard_free(struct guard *guard)
{
    if (guard != NULL)
        window_free(guard->window);
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

void guard_add(struct guard *guard, const struct pkt_key *key, uint16_t vrf, mono_ms_t now)
{
    window_add(guard->window, key, vrf, now);
}

void guard_collect(struct guard *guard, mono_ms_t now)
{
    mono_ms_t window_ms = (mono_ms_t)guard->limits.window_s * MONO_MS_PER_S;
    struct pkt_key keys[TAKE_AT_A_TIME];
    uint16_t vrfs[TAKE_AT_A_TIME];
    unsigned taken;

    if (!guard->on)
        return;
    for (unsigned rounds = 0; rounds < WINDOW_SIZE / TAKE_AT_A_TIME; rounds++) {
        taken = dataplane_samples_take(guard->dp, keys, vrfs, TAKE_AT_A_TIME);
        for (unsigned i = 0; i < taken; i++)
            window_add(guard->window, &keys[i], vrfs[i], now);
        if (taken < TAKE_AT_A_TIME)
            break;
    }
    window_drop_before(guard->window, now > window_ms ? now - window_ms : 0);
}

const struct window *guard_window(const struct guard *guard)
{
    return guard->window;
}

static void measure(void *ctx, const struct fs_rule *rule, struct pol_blast *out)
{
    struct guard_question *question = ctx;
    struct guard *guard = question->guard;

    guard_collect(guard, control_now());
    window_measure(guard->window, rule, question->vrfs, guard->limits.max_destination, out);
}

void guard_prepare(struct guard *guard, const struct vrf_set *vrfs, struct guard_question *question,
                   struct pol_candidate *candidate)
{
    if (guard == NULL || !guard->on)
        return;
    *question = (struct guard_question){.guard = guard, .vrfs = vrfs};
    candidate->guard = &guard->limits;
    candidate->measure = measure;
    candidate->measure_ctx = question;
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
