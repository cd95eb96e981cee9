/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is done to a packet that a rule matched. The control thread builds a program from a rule's actions
 * (action/build.h); workers look it up by rule id and apply it.
 */
#ifndef ACTION_ACTION_H
#define ACTION_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "action/per_source.h"
#include "action/policer.h"
#include "rcu/rcu.h"

enum act_verdict {
    ACT_PASS, /* goes on to forwarding, or to the next matching rule where the program says so */
    ACT_DROP_DISCARD,
    ACT_DROP_RATE_LIMIT,
    ACT_VERDICT_COUNT,
};

/* Where redirect-ip leads packets that came in by one VRF: an address is looked up in the VRF of the packet. */
struct act_way {
    uint16_t home; /* the VRF, or ACT_ANY_HOME: the rule redirects to a VRF, too, and the address is looked up there */
    uint32_t via;  /* the number of the next hop, 0: none */
};
#define ACT_ANY_HOME UINT16_MAX

/* Immutable once made; one piece of memory, freed with free(). */
struct act_ways {
    uint16_t count;
    struct act_way way[];
};

/* Immutable once published. */
struct act_program {
    bool discard;
    bool go_on; /* `continue`: later matching rules add their actions */
    bool extra; /* there is a limit or a mark: act_apply alone does not tell */
    bool sample;
    uint16_t vrf;          /* redirect: the number of the VRF, 0: none */
    bool copy;             /* redirect-ip: a copy goes to the next hop, the packet on its own way */
    struct act_ways *ways; /* redirect-ip: next hops, one for each VRF whose packets the rule is for; NULL: none */
    bool mark;
    uint8_t dscp;             /* 0..63 where `mark` */
    float rate_bytes_per_s;   /* 0: no limit; octets are those of IP packets, headers included */
    float rate_packets_per_s; /* 0: no limit */
    struct act_source_rate source_bytes, source_packets;
    struct act_sources *by_source[2]; /* of octets, of packets; the table's own, like `limit` */
    struct act_limit *limit;          /* NULL: none. The table's own; it outlives the program where the rates stay */
};

/* Sources that all rules together may follow (16 octets each). */
#define ACT_SOURCES_MAX (16u << 20)

/*
 * Programs by rule id. Written by the control thread, read by workers; a program is replaced as a whole.
 */
struct act_table;

/* `burst_ms` (> 0): how much of a rate may come at once. NULL when memory is short. `rcu` must outlive the table. */
struct act_table *act_table_create(uint32_t capacity, uint32_t burst_ms, struct rcu *rcu);

/* No reader may be online. */
void act_table_free(struct act_table *table);

/*
 * Control thread: publishes a copy of `program` and its ways for the id (NULL: none), ids 1..capacity, and gives it its
 * limit: the one that the id has, filled as it is, where the rates are the same; else a fresh one. 0, -ENOMEM (nothing
 * has changed), or -EINVAL for an id beyond the capacity.
 */
int act_table_set(struct act_table *table, uint32_t id, const struct act_program *program);

/* Worker: the id's program, or NULL. */
const struct act_program *act_table_get(const struct act_table *table, uint32_t id);

/* Worker: what the program says of one packet, its limit and its mark left aside. */
static inline enum act_verdict act_apply(const struct act_program *program)
{
    return program->discard ? ACT_DROP_DISCARD : ACT_PASS;
}

/* What is collected for one packet on its way through the rules that match it. */
struct act_packet {
    uint32_t sampled_by;       /* id of the first rule that asks for a sample, or 0 */
    const struct pkt_key *key; /* read where a limit is per source */
    uint32_t bytes;            /* octets of the IP packet */
    uint32_t via;              /* of the first rule that redirects to an address, or 0 */
    uint32_t copy_via;         /* likewise for a copy */
    uint16_t home;             /* the VRF that it came in by */
    uint16_t vrf;              /* of the first rule that redirects to a VRF, or 0 */
    bool mark;
    uint8_t dscp; /* where `mark`: of the first rule that marks */
};

/* Several marks: the first counts. */
static inline void act_collect_mark(struct act_packet *packet, const struct act_program *program)
{
    if (packet->mark)
        return;
    packet->mark = true;
    packet->dscp = program->dscp;
}

/* Several redirects of a kind: the first counts. An address wins over a VRF, which it needs no lookup in. */
static inline void act_collect_redirect(struct act_packet *packet, const struct act_program *program)
{
    if (packet->vrf == 0)
        packet->vrf = program->vrf;
    uint32_t *via = program->copy ? &packet->copy_via : &packet->via;
    for (uint16_t i = 0; program->ways != NULL && *via == 0 && i < program->ways->count; i++) {
        const struct act_way *way = &program->ways->way[i];
        if (way->home == packet->home || way->home == ACT_ANY_HOME)
            *via = way->via;
    }
}

/* Worker: act_apply for a program with `extra`. `meter` is the burst's, closed after its last packet. */
enum act_verdict act_apply_extra(const struct act_program *program, struct act_packet *packet, struct act_meter *meter,
                                 uint64_t now_ns);

#endif
