/* SPDX-License-Identifier: BSD-3-Clause */
#include "fake_dataplane.h"

#include "classifier/classifier.h"
#include "cm.h"
#include "flowspec/order.h"
#include "routing/routing.h"

#include <errno.h>
#include <stdlib.h>

struct dataplane *fake_dataplane_create(void)
{
    struct dataplane *dp = calloc(1, sizeof *dp);

    assert_non_null(dp);
    dp->room = FAKE_IDS;
    return dp;
}

void fake_dataplane_release(struct dataplane *dp)
{
    for (uint32_t id = 0; id < FAKE_IDS; id++) {
        struct fake_slot *slot = &dp->slots[id];
        if (!slot->clearing)
            continue;
        slot->clearing = false;
        slot->released(slot->ctx, id);
    }
}

void fake_dataplane_free(struct dataplane *dp)
{
    fake_dataplane_release(dp);
    for (uint32_t id = 0; id < FAKE_IDS; id++)
        fs_rule_free(dp->slots[id].rule);
    free(dp);
}

unsigned fake_dataplane_in_force(const struct dataplane *dp)
{
    unsigned count = 0;

    for (uint32_t id = 0; id < FAKE_IDS; id++)
        count += dp->slots[id].in_force;
    return count;
}

int dataplane_rule_open(struct dataplane *dp, uint32_t id)
{
    assert_in_range(id, 1, FAKE_IDS - 1);
    assert_false(dp->slots[id].in_force);
    assert_false(dp->slots[id].clearing);
    dp->slots[id].opened++;
    return 0;
}

int dataplane_rule_set(struct dataplane *dp, uint32_t id, const struct fs_rule *rule, const struct act_program *program,
                       const struct vrf_set *vrfs)
{
    struct fake_slot *slot = &dp->slots[id];

    assert_int_equal(vrfs != NULL, rule->has_rd);
    assert_in_range(id, 1, FAKE_IDS - 1);
    assert_false(slot->clearing);
    assert_true(slot->opened > 0);
    for (uint32_t other = 0; other < FAKE_IDS; other++)
        if (other != id && dp->slots[other].in_force && fs_rule_equal(dp->slots[other].rule, rule))
            return -EEXIST;
    if (!slot->in_force && fake_dataplane_in_force(dp) >= dp->room)
        return -ENOMEM;
    fs_rule_free(slot->rule);
    slot->rule = fs_rule_dup(rule);
    slot->program = *program;
    slot->in_force = true;
    dp->sets++;
    return 0;
}

void dataplane_rule_clear(struct dataplane *dp, uint32_t id, void (*released)(void *ctx, uint32_t id), void *ctx)
{
    struct fake_slot *slot = &dp->slots[id];

    assert_true(slot->in_force);
    slot->in_force = false;
    slot->clearing = true;
    slot->released = released;
    slot->ctx = ctx;
    dp->clears++;
    if (dp->release_at_once)
        fake_dataplane_release(dp);
}

void dataplane_reclaim(struct dataplane *dp)
{
    dp->reclaims++;
    fake_dataplane_release(dp);
}

void dataplane_settle(struct dataplane *dp)
{
    fake_dataplane_release(dp);
}

uint32_t dataplane_match_after(const struct dataplane *dp, uint16_t vrf, const struct pkt_key *key, uint32_t id)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < FAKE_IDS; i++) {
        const struct fs_rule *rule = dp->slots[i].in_force ? dp->slots[i].rule : NULL;
        if (rule == NULL || rule->has_rd != (vrf != 0) || !cls_rule_matches(rule, key) ||
            (id != 0 && (i == id || fs_rule_compare(rule, dp->slots[id].rule) < 0)))
            continue;
        if (best == 0 || fs_rule_compare(rule, dp->slots[best].rule) < 0)
            best = i;
    }
    return best;
}

const struct act_program *dataplane_program(const struct dataplane *dp, uint32_t id)
{
    return dp->slots[id].in_force ? &dp->slots[id].program : NULL;
}

void dataplane_bypass(struct dataplane *dp, bool on)
{
    dp->bypassed = on;
}

bool dataplane_bypassed(const struct dataplane *dp)
{
    return dp->bypassed;
}

void dataplane_guard_every(struct dataplane *dp, uint32_t every)
{
    dp->sample_every = every;
}

unsigned dataplane_samples_take(struct dataplane *dp, struct pkt_key *out, uint16_t *vrfs, unsigned max)
{
    (void)dp;
    (void)out;
    (void)vrfs;
    (void)max;
    return 0;
}

void dataplane_flowspec_counters(const struct dataplane *dp, struct cnt_port_sum *out)
{
    *out = dp->seen;
}

void dataplane_rule_counters(const struct dataplane *dp, uint32_t id, struct cnt_rule_sum *out)
{
    *out = dp->counters[id];
}

double dataplane_tsc_to_time(const struct dataplane *dp, uint64_t tsc)
{
    (void)dp;
    return (double)tsc; /* seconds since the epoch */
}

struct fwd *dataplane_fwd(const struct dataplane *dp)
{
    return dp->fwd;
}

bool dataplane_link_up(const struct dataplane *dp, uint16_t port)
{
    (void)dp;
    (void)port;
    return true;
}

/* Routes belong to a part that these tests leave out; without it, nobody is to be told of them. */
void routing_reconfigure(struct routing *routing, const struct cfg *old, const struct cfg *fresh)
{
    (void)old;
    (void)fresh;
    assert_null(routing);
}

const char *dataplane_vrf_name(const struct dataplane *dp, uint16_t vrf)
{
    (void)dp;
    return vrf == 0 ? "default" : "other";
}
