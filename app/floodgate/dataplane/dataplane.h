/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The data plane: workers that poll ports and run every packet through one pipeline (pipeline.c), and the state they
 * read. All functions here belong to the control thread.
 */
#ifndef FLOODGATE_DATAPLANE_H
#define FLOODGATE_DATAPLANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "action/action.h"
#include "base/log.h"
#include "counters/counters.h"
#include "flowspec/rule.h"

struct cfg;
struct cls;
struct pkt_key;
struct dataplane;
struct fwd;
struct ports;
struct rcu;
struct sample_tap;
struct vrf_set;
struct route_plane;

/* `ports` must be started. NULL after a line in the log. */
struct dataplane *dataplane_create(const struct cfg *cfg, struct ports *ports, const struct log_hook *log);

/* Stops the workers first. */
void dataplane_free(struct dataplane *dp);

/* Polling on or off. Starting what runs, or stopping what rests, does nothing. 0 or -errno after a line in the log. */
int dataplane_start(struct dataplane *dp);
void dataplane_stop(struct dataplane *dp);
bool dataplane_running(const struct dataplane *dp);

/*
 * Readies an id for a new rule: its counters exist and are zero. Once in a rule's life, before it is first set; the id
 * must be free in the data plane (never set, or released). 0 or -ENOMEM.
 */
int dataplane_rule_open(struct dataplane *dp, uint32_t id);

/*
 * Puts a rule into force under an open id, or replaces the program of the id (whose rule must be the same): complete at
 * every worker's next burst. `vrfs`: where packets come in that it is asked about (dataplane/vrf_rules.h); NULL: by
 * ports of the default VRF. Always NULL for a rule without a route distinguisher, never for one with. The counters go
 * on. 0; -EEXIST: an equal rule is in force under another id; -ENOMEM: no room, and nothing changed where the id was
 * not in force; where it was, the rule may be in force in some of the VRFs. Not while the id is being cleared.
 */
int dataplane_rule_set(struct dataplane *dp, uint32_t id, const struct fs_rule *rule, const struct act_program *program,
                       const struct vrf_set *vrfs);

/*
 * Takes a rule out of force. `released(ctx, id)` is called once no worker can hold the id any more: from then on it may
 * be set again, with its counters as they are, or opened for another rule.
 */
void dataplane_rule_clear(struct dataplane *dp, uint32_t id, void (*released)(void *ctx, uint32_t id), void *ctx);

/* Frees what workers no longer hold (retired rules, ids); call it every few milliseconds. */
void dataplane_reclaim(struct dataplane *dp);

/* Waits for the workers' bursts under way and frees all that was retired before. */
void dataplane_settle(struct dataplane *dp);

/*
 * Called at the end of each stop, when no worker runs: the owner of what waits for neighbours ends it, so that every
 * packet is counted.
 */
void dataplane_on_stop(struct dataplane *dp, void (*stopped)(void *ctx), void *ctx);

/* Counters of a port that are the control thread's own, for packets that end with it. */
struct cnt_port *dataplane_control_counters(struct dataplane *dp, uint16_t port);

/* Sums over all workers; the rule's id must be open. */
void dataplane_rule_counters(const struct dataplane *dp, uint32_t id, struct cnt_rule_sum *out);
void dataplane_port_counters(const struct dataplane *dp, uint16_t port, struct cnt_port_sum *out);
void dataplane_counters(const struct dataplane *dp, struct cnt_port_sum *out); /* over all ports */

/* One kind of packets for the router itself: how many were handed to it, and dropped beyond the kind's limit. */
struct dataplane_punt {
    const char *name;
    uint64_t packets, dropped;
    uint32_t limit_per_s; /* `punt-limits` */
};
/* What went to the kernel and came from it by the ports' interfaces. */
struct dataplane_kernel {
    uint64_t delivered, lost, taken, refused; /* as in struct kernel_counts */
};
/* Name of the kernel's interface that stands for the port, or NULL. */
const char *dataplane_port_interface(const struct dataplane *dp, uint16_t port);

/* The kind of that index, false behind the last; false where no port routes. */
bool dataplane_punt_get(const struct dataplane *dp, unsigned index, struct dataplane_punt *out);
void dataplane_kernel_get(const struct dataplane *dp, struct dataplane_kernel *out);

void dataplane_flowspec_counters(const struct dataplane *dp, struct cnt_port_sum *out); /* ports with Flowspec on */

/* Headers of one packet in `every` of each port with Flowspec on are kept for dataplane_samples_take; 0: of none. */
void dataplane_guard_every(struct dataplane *dp, uint32_t every);

/* Takes what workers have sampled since, at most `max` keys, and the VRF of the port that each came in by. Workers
 * leave out what there is no room for. */
unsigned dataplane_samples_take(struct dataplane *dp, struct pkt_key *out, uint16_t *vrfs, unsigned max);

/* The kill-switch: from each worker's next burst on no rule is asked. Rules may be set and cleared meanwhile. */
void dataplane_bypass(struct dataplane *dp, bool on);
bool dataplane_bypassed(const struct dataplane *dp);

/* Wall-clock time, in seconds since the epoch, of a time stamp counter value in the past. */
double dataplane_tsc_to_time(const struct dataplane *dp, uint64_t tsc);

/* Nanoseconds on the clock of the policers, now. */
uint64_t dataplane_policer_now_ns(const struct dataplane *dp);

/* Milliseconds since any worker last received a packet while polling; UINT64_MAX before the first packet. */
uint64_t dataplane_idle_ms(const struct dataplane *dp);

/* Stages of the pipeline, for `fgctl workers`. */
enum dataplane_stage {
    DATAPLANE_RX,
    DATAPLANE_PARSE,
    DATAPLANE_LOCAL, /* routed ports only, as DATAPLANE_LOOKUP and DATAPLANE_FORWARD */
    DATAPLANE_CLASSIFY,
    DATAPLANE_ACT,
    DATAPLANE_LOOKUP,
    DATAPLANE_FORWARD,
    DATAPLANE_TX,
    DATAPLANE_STAGE_COUNT,
};
const char *dataplane_stage_name(enum dataplane_stage stage);

struct dataplane_worker {
    unsigned lcore;
    int cpu;    /* the core it is pinned to, or -1 when it may run on several */
    int socket; /* NUMA node, or -1 */
    uint64_t packets;
    uint64_t polls, busy_polls;
    uint64_t stage_cycles[DATAPLANE_STAGE_COUNT]; /* spent on bursts that had packets */
    char queues[128];                             /* "wan:0 lan:0" */
};
unsigned dataplane_worker_count(const struct dataplane *dp);
void dataplane_worker_get(const struct dataplane *dp, unsigned index, struct dataplane_worker *out);

/* Gives worker i `taps[i]`, which must outlive its polling; NULL: nothing is sampled. Not while polling. */
void dataplane_sample(struct dataplane *dp, struct sample_tap *taps);

/*
 * The next rule in force for packets of that VRF (0: the default one) that matches the key, after `id` in RFC order (0:
 * the first); 0: none.
 */
uint32_t dataplane_match_after(const struct dataplane *dp, uint16_t vrf, const struct pkt_key *key, uint32_t id);

/* What `explain` and tests ask of the state in force. */
const struct cls *dataplane_classifier(const struct dataplane *dp, uint16_t vrf);
/* What the rules of all VRFs take of the memory that they may have, in octets; what is on its way out counts, too. */
void dataplane_rules_memory(const struct dataplane *dp, size_t *used_bytes, size_t *most_bytes);
uint16_t dataplane_vrf_count(const struct dataplane *dp); /* the default one included */
uint16_t dataplane_port_vrf(const struct dataplane *dp, uint16_t port);
const char *dataplane_vrf_name(const struct dataplane *dp, uint16_t vrf); /* "default", or as configured */
const struct act_program *dataplane_program(const struct dataplane *dp, uint32_t id);
struct fwd *dataplane_fwd(const struct dataplane *dp); /* forwarding state; NULL where no port routes */
struct route_plane *dataplane_route(struct dataplane *dp);
const struct route_plane *dataplane_route_of(const struct dataplane *dp); /* the same to look at */
const struct ports *dataplane_ports(const struct dataplane *dp);
/* Whether a routed port's link is up, by index; of a sub-port its parent's. Other ports, and none, count as up. */
bool dataplane_link_up(const struct dataplane *dp, uint16_t port);
struct rcu *dataplane_rcu(struct dataplane *dp);

#endif
