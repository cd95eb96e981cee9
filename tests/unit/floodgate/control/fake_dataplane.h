/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A data plane without workers: keeps what was set by id, releases what was cleared only when asked to, and can be told
 * to have no room. It fails the test when a contract of dataplane.h is broken: an id set while it is being cleared, an
 * id cleared that is not in force.
 */
#ifndef FAKE_DATAPLANE_H
#define FAKE_DATAPLANE_H

#include "dataplane/dataplane.h"

#define FAKE_IDS 8192

struct fake_slot {
    bool in_force, clearing;
    unsigned opened; /* times its counters were made zero */
    struct act_program program;
    struct fs_rule *rule; /* a copy */
    void (*released)(void *ctx, uint32_t id);
    void *ctx;
};

struct dataplane {
    struct fake_slot slots[FAKE_IDS];
    unsigned sets, clears;
    uint32_t room;        /* rules in force at the same time */
    bool release_at_once; /* as a data plane that does not poll */
    uint64_t reclaims;
    bool bypassed;
    uint32_t sample_every;
    struct cnt_port_sum seen;               /* what dataplane_flowspec_counters says */
    struct cnt_rule_sum counters[FAKE_IDS]; /* and dataplane_rule_counters */
    struct fwd *fwd;                        /* NULL: no port routes */
};

struct dataplane *fake_dataplane_create(void);
void fake_dataplane_free(struct dataplane *dp); /* releases what waits, as the real one does */
void fake_dataplane_release(struct dataplane *dp);
unsigned fake_dataplane_in_force(const struct dataplane *dp);

#endif
