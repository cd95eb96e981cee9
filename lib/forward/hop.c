/* SPDX-License-Identifier: BSD-3-Clause */
#include "forward/hop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct fwd_hop UNREACHABLE = {.kind = FWD_UNREACHABLE};

const char *fwd_kind_name(enum fwd_kind kind)
{
    static const char *const NAMES[] = {
        [FWD_UNREACHABLE] = "unreachable", [FWD_BLACKHOLE] = "blackhole", [FWD_SELF] = "local",
        [FWD_GLEAN] = "connected",         [FWD_RESOLVE] = "unresolved",  [FWD_SEND] = "send",
        [FWD_SPREAD] = "multipath",
    };

    return NAMES[kind];
}

struct fwd_hops *fwd_hops_create(uint32_t room, struct rcu *rcu)
{
    struct fwd_hops *hops = calloc(1, sizeof *hops + room * sizeof hops->slots[0]);

    if (hops == NULL)
        return NULL;
    hops->rcu = rcu;
    hops->room = room;
    for (uint32_t i = 0; i < room; i++)
        rcu_publish(&hops->slots[i], &UNREACHABLE);
    return hops;
}

void fwd_hops_free(struct fwd_hops *hops)
{
    if (hops == NULL)
        return;
    for (uint32_t i = 0; i < hops->room; i++) {
        const struct fwd_hop *hop = rcu_load(&hops->slots[i]);
        if (hop != &UNREACHABLE)
            free((void *)(uintptr_t)hop);
    }
    free(hops);
}

int fwd_hops_set(struct fwd_hops *hops, uint32_t number, const struct fwd_hop *hop)
{
    const struct fwd_hop *old = rcu_load(&hops->slots[number]);
    const struct fwd_hop *fresh = &UNREACHABLE;

    if (memcmp(old, hop, sizeof *hop) == 0)
        return 0;
    if (hop->kind != FWD_UNREACHABLE) {
        struct fwd_hop *copy = malloc(sizeof *copy);
        if (copy == NULL)
            return -ENOMEM;
        memcpy(copy, hop, sizeof *copy);
        fresh = copy;
    }
    rcu_publish(&hops->slots[number], fresh);
    if (old != &UNREACHABLE)
        rcu_retire(hops->rcu, free, (void *)(uintptr_t)old);
    return 0;
}

void fwd_hops_clear(struct fwd_hops *hops, uint32_t number)
{
    const struct fwd_hop *old = rcu_load(&hops->slots[number]);

    rcu_publish(&hops->slots[number], &UNREACHABLE);
    if (old != &UNREACHABLE)
        rcu_retire(hops->rcu, free, (void *)(uintptr_t)old);
}
