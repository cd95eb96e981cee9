/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/dataplane.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "base/strbuf.h"
#include "classifier/classifier.h"
#include "conf/conf.h"
#include "dataplane/match_nodes.h"
#include "dataplane/numa.h"
#include "dataplane/route_plane.h"
#include "dataplane/vrf_rules.h"
#include "dataplane/worker.h"
#include "ports/ports.h"

#define MIB (1024u * 1024u)

struct dataplane {
    const struct log_hook *log;
    struct ports *ports;
    struct rcu *rcu;
    struct match_nodes nodes; /* of the workers */
    struct vrf_rules *rules;
    size_t rules_memory_bytes; /* most that they may take */
    struct act_table *programs;
    uint32_t max_rules;
    bool running;
    bool bypassed;
    uint64_t tsc_hz;
    struct tsc_clock clock;
    uint64_t polling_tsc;           /* when polling was last switched on */
    struct route_plane *route;      /* NULL where no port routes */
    struct cnt_port *control_ports; /* the control thread's counters by port */
    void (*stopped)(void *ctx);
    void *stopped_ctx;
    unsigned worker_count;
    struct worker *workers; /* cache-line aligned, so that two never share one */
};

/* A rule that left the classifier: what is to do once no worker can hold its id. */
struct clearing {
    struct dataplane *dp;
    uint32_t id;
    void (*released)(void *ctx, uint32_t id);
    void *ctx;
};

static void *rule_memory_alloc(void *ctx, size_t size)
{
    const struct worker *worker = ctx;

    return numa_place_alloc(size, worker->socket);
}

static void rule_memory_release(void *ctx, void *memory, size_t size)
{
    const struct worker *worker = ctx;

    numa_place_free(memory, size, worker->socket);
}

static int worker_cpu(unsigned lcore)
{
    rte_cpuset_t cpus = rte_lcore_cpuset(lcore);

    if (CPU_COUNT(&cpus) != 1)
        return -1;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &cpus))
            return cpu;
    return -1;
}

/* Queue i of every port goes to worker i, so the workers share the load of every port; what is over goes round. */
static void workers_share_queues(struct dataplane *dp)
{
    unsigned next = 0;

    for (uint16_t p = 0; p < dp->ports->count; p++) {
        const struct port *port = &dp->ports->port[p];
        for (uint16_t q = 0; !port->sub && q < port->queues; q++) {
            /* one queue each when there are enough; single-queue ports are dealt out in turn */
            unsigned to = port->routed && dp->ports->route_alone ? 0 : port->queues == 1 ? next++ : q;
            struct worker *worker = &dp->workers[to % dp->worker_count];
            worker->queues[worker->queue_count++] = (struct worker_queue){.in = port,
                                                                          .out = &dp->ports->port[port->peer],
                                                                          .queue = q,
                                                                          .routed = port->routed,
                                                                          .vrf = route_vrf(dp->route, p),
                                                                          .subs = route_subs(dp->route, p)};
        }
    }
}

static bool worker_sleeps(const struct cfg *cfg, const struct worker *worker)
{
    if (cfg->dataplane.idle != CFG_IDLE_AUTO)
        return cfg->dataplane.idle == CFG_IDLE_SLEEP;
    for (uint16_t i = 0; i < worker->queue_count; i++)
        if (worker->queues[i].in->physical)
            return false;
    return true;
}

/* By VRF, the replica of the classifier that is in memory of the worker's node. NULL when memory is short. */
static const struct cls **worker_classifiers(const struct dataplane *dp, int node)
{
    const struct cls **cls = numa_place_alloc(dp->rules->count * sizeof(struct cls *), node);

    for (uint16_t vrf = 0; cls != NULL && vrf < dp->rules->count; vrf++)
        cls[vrf] = cls_replica(dp->rules->cls[vrf], match_nodes_replica(&dp->nodes, node));
    return cls;
}

static void classifiers_free(struct dataplane *dp)
{
    for (unsigned i = 0; dp->rules != NULL && dp->workers != NULL && i < dp->worker_count; i++)
        numa_place_free(dp->workers[i].vrf_cls, dp->rules->count * sizeof(struct cls *), dp->workers[i].socket);
    vrf_rules_free(dp->rules);
}

static int worker_setup(struct dataplane *dp, struct worker *worker, unsigned lcore)
{
    worker->index = (unsigned)(worker - dp->workers);
    worker->lcore = lcore;
    worker->cpu = worker_cpu(lcore);
    worker->socket = numa_place_of_cpu(worker->cpu);
    worker->rcu = dp->rcu;
    worker->vrf_cls = worker_classifiers(dp, worker->socket);
    worker->programs = dp->programs;
    worker->clock = dp->clock;
    worker->ports = numa_place_alloc(dp->ports->count * sizeof *worker->ports, worker->socket);
    worker->rules = cnt_rule_table_create(dp->max_rules, rule_memory_alloc, rule_memory_release, worker);
    worker->sampler = numa_place_alloc(sizeof *worker->sampler, worker->socket);
    if (worker->sampler != NULL)
        worker->sampler->random = (worker->index + 1) * 0x9e3779b97f4a7c15u;
    bool whole = worker->vrf_cls != NULL && worker->ports != NULL && worker->rules != NULL && worker->sampler != NULL;
    return whole ? 0 : -ENOMEM;
}

static int workers_create(struct dataplane *dp, const struct cfg *cfg)
{
    unsigned lcore, i = 0;

    dp->worker_count = rte_lcore_count() - 1;
    dp->workers = numa_place_alloc(dp->worker_count * sizeof *dp->workers, -1);
    dp->rcu = rcu_create(dp->worker_count);
    if (dp->workers == NULL || dp->rcu == NULL)
        return -ENOMEM;
    dp->programs = act_table_create(dp->max_rules, cfg->dataplane.burst_ms, dp->rcu);
    RTE_LCORE_FOREACH_WORKER(lcore)
    match_nodes_add(&dp->nodes, numa_place_of_cpu(worker_cpu(lcore)));
    uint32_t memory_mib =
        cfg->dataplane.rules_memory_mib > 0 ? cfg->dataplane.rules_memory_mib : cfg->dataplane.memory_mib;
    dp->rules_memory_bytes = (size_t)memory_mib * MIB;
    struct cls_conf conf = {.engine = CLS_FAST, .rcu = dp->rcu, .memory_bytes = dp->rules_memory_bytes};
    conf = match_nodes_conf(&dp->nodes, conf);
    dp->rules = vrf_rules_create(cfg, &conf);
    if (dp->programs == NULL || dp->rules == NULL)
        return -ENOMEM;
    RTE_LCORE_FOREACH_WORKER(lcore)
    if (worker_setup(dp, &dp->workers[i++], lcore) < 0)
        return -ENOMEM;
    dp->control_ports = numa_place_alloc((dp->ports->count + 1u) * sizeof *dp->control_ports, -1);
    if (dp->control_ports == NULL || route_plane_create(&dp->route, cfg, dp->ports, dp->rcu, dp->tsc_hz) < 0)
        return -ENOMEM;
    workers_share_queues(dp);
    for (i = 0; i < dp->worker_count && dp->route != NULL; i++)
        route_plane_join(dp->route, &dp->workers[i], dp->ports);
    for (i = 0; i < dp->worker_count; i++)
        dp->workers[i].may_sleep = worker_sleeps(cfg, &dp->workers[i]);
    return 0;
}

struct dataplane *dataplane_create(const struct cfg *cfg, struct ports *ports, const struct log_hook *log)
{
    struct dataplane *dp = calloc(1, sizeof *dp);

    if (dp == NULL)
        return NULL;
    dp->log = log;
    dp->ports = ports;
    dp->max_rules = cfg->dataplane.max_rules;
    dp->tsc_hz = tsc_clock_measure_hz();
    dp->clock = tsc_clock_start(rte_rdtsc(), dp->tsc_hz);
    if (workers_create(dp, cfg) < 0) {
        log_line(log, LOG_LEVEL_ERROR, "no memory for the data plane");
        dataplane_free(dp);
        return NULL;
    }
    numa_place_warn(dp->workers, dp->worker_count, numa_place_of_cpu(worker_cpu(rte_get_main_lcore())), log);
    return dp;
}

void dataplane_free(struct dataplane *dp)
{
    if (dp == NULL)
        return;
    dataplane_stop(dp);
    classifiers_free(dp);
    if (dp->programs != NULL)
        act_table_free(dp->programs);
    route_plane_free(dp->route);
    numa_place_free(dp->control_ports, (dp->ports->count + 1u) * sizeof *dp->control_ports, -1);
    if (dp->rcu != NULL)
        rcu_free(dp->rcu); /* releases what is still retired */
    for (unsigned i = 0; dp->workers != NULL && i < dp->worker_count; i++) {
        struct worker *worker = &dp->workers[i];
        if (worker->rules != NULL)
            cnt_rule_table_free(worker->rules);
        numa_place_free(worker->sampler, sizeof *worker->sampler, worker->socket);
        numa_place_free(worker->ports, dp->ports->count * sizeof *worker->ports, worker->socket);
    }
    numa_place_free(dp->workers, dp->worker_count * sizeof *dp->workers, -1);
    free(dp);
}

int dataplane_start(struct dataplane *dp)
{
    if (dp->running)
        return 0;
    dp->polling_tsc = rte_rdtsc();
    for (unsigned i = 0; i < dp->worker_count; i++) {
        struct worker *worker = &dp->workers[i];
        atomic_store_explicit(&worker->stop, false, memory_order_relaxed);
        int error = rte_eal_remote_launch(worker_run, worker, worker->lcore);
        if (error < 0) {
            log_line(dp->log, LOG_LEVEL_ERROR, "cannot start the worker on lcore %u: %s", worker->lcore,
                     strerror(-error));
            dp->running = true; /* so that those already started are stopped */
            dataplane_stop(dp);
            return error;
        }
    }
    dp->running = true;
    return 0;
}

void dataplane_stop(struct dataplane *dp)
{
    if (!dp->running)
        return;
    for (unsigned i = 0; i < dp->worker_count; i++)
        atomic_store_explicit(&dp->workers[i].stop, true, memory_order_relaxed);
    rte_eal_mp_wait_lcore();
    dp->running = false;
    rcu_synchronize(dp->rcu); /* nobody reads now: all that was retired goes */
    if (dp->stopped != NULL)
        dp->stopped(dp->stopped_ctx);
}

bool dataplane_running(const struct dataplane *dp)
{
    return dp->running;
}

int dataplane_rule_open(struct dataplane *dp, uint32_t id)
{
    for (unsigned i = 0; i < dp->worker_count; i++)
        if (cnt_rule_table_reset(dp->workers[i].rules, id) < 0)
            return -ENOMEM;
    return 0;
}

int dataplane_rule_set(struct dataplane *dp, uint32_t id, const struct fs_rule *rule, const struct act_program *program,
                       const struct vrf_set *vrfs)
{
    bool fresh = act_table_get(dp->programs, id) == NULL;

    /* the program before the rule: whoever meets the rule finds what to do */
    int error = act_table_set(dp->programs, id, program);
    if (error == 0 && (fresh || vrfs != NULL)) {
        error = vrf_rules_place(dp->rules, id, rule, vrfs);
        if (error < 0 && fresh) {
            vrf_rules_remove(dp->rules, id);
            rcu_synchronize(dp->rcu); /* a worker may have met it in the first of its VRFs, or replicas */
            act_table_set(dp->programs, id, NULL);
        }
    }
    return error;
}

static void clearing_release(void *ctx, void *memory)
{
    struct clearing *clearing = memory;

    (void)ctx;
    act_table_set(clearing->dp->programs, clearing->id, NULL);
    if (clearing->released != NULL)
        clearing->released(clearing->ctx, clearing->id);
    free(clearing);
}

void dataplane_rule_clear(struct dataplane *dp, uint32_t id, void (*released)(void *ctx, uint32_t id), void *ctx)
{
    struct clearing *clearing = malloc(sizeof *clearing);

    vrf_rules_remove(dp->rules, id);
    if (clearing == NULL) { /* no memory to wait with: wait here */
        rcu_synchronize(dp->rcu);
        act_table_set(dp->programs, id, NULL);
        if (released != NULL)
            released(ctx, id);
        return;
    }
    *clearing = (struct clearing){.dp = dp, .id = id, .released = released, .ctx = ctx};
    rcu_retire_ctx(dp->rcu, clearing_release, NULL, clearing);
    if (!dp->running)
        rcu_synchronize(dp->rcu);
}

void dataplane_reclaim(struct dataplane *dp)
{
    rcu_reclaim(dp->rcu);
}

void dataplane_settle(struct dataplane *dp)
{
    rcu_synchronize(dp->rcu);
}

void dataplane_rule_counters(const struct dataplane *dp, uint32_t id, struct cnt_rule_sum *out)
{
    *out = (struct cnt_rule_sum){0};
    for (unsigned i = 0; i < dp->worker_count; i++)
        cnt_rule_sum_add(out, cnt_rule_of(dp->workers[i].rules, id));
}

void dataplane_port_counters(const struct dataplane *dp, uint16_t port, struct cnt_port_sum *out)
{
    *out = (struct cnt_port_sum){0};
    for (unsigned i = 0; i < dp->worker_count; i++)
        cnt_port_sum_add(out, &dp->workers[i].ports[port]);
    cnt_port_sum_add(out, &dp->control_ports[port]);
}

void dataplane_counters(const struct dataplane *dp, struct cnt_port_sum *out)
{
    *out = (struct cnt_port_sum){0};
    for (unsigned i = 0; i < dp->worker_count; i++)
        for (uint16_t port = 0; port < dp->ports->count; port++)
            cnt_port_sum_add(out, &dp->workers[i].ports[port]);
    for (uint16_t port = 0; port < dp->ports->count; port++)
        cnt_port_sum_add(out, &dp->control_ports[port]);
}

const char *dataplane_port_interface(const struct dataplane *dp, uint16_t port)
{
    return dp->route != NULL && dp->route->ports[port].interface[0] != '\0' ? dp->route->ports[port].interface : NULL;
}

bool dataplane_punt_get(const struct dataplane *dp, unsigned index, struct dataplane_punt *out)
{
    if (dp->route == NULL || index >= UP_PUNT_KINDS)
        return false;
    *out = (struct dataplane_punt){.name = up_kind_name(index), .limit_per_s = dp->route->limits[index].packets_per_s};
    for (unsigned i = 0; i < dp->worker_count; i++) {
        out->packets += cnt_get(&dp->workers[i].punts[index]);
        out->dropped += cnt_get(&dp->workers[i].punt_drops[index]);
    }
    return true;
}

void dataplane_kernel_get(const struct dataplane *dp, struct dataplane_kernel *out)
{
    *out = (struct dataplane_kernel){0};
    if (dp->route == NULL)
        return;
    const struct kernel_counts *counts = &dp->route->kernel;
    *out = (struct dataplane_kernel){.delivered = cnt_get(&counts->delivered),
                                     .lost = cnt_get(&counts->lost),
                                     .taken = cnt_get(&counts->taken),
                                     .refused = cnt_get(&counts->refused)};
}

void dataplane_on_stop(struct dataplane *dp, void (*stopped)(void *ctx), void *ctx)
{
    dp->stopped = stopped;
    dp->stopped_ctx = ctx;
}

struct cnt_port *dataplane_control_counters(struct dataplane *dp, uint16_t port)
{
    return &dp->control_ports[port];
}

struct fwd *dataplane_fwd(const struct dataplane *dp)
{
    return dp->route != NULL ? dp->route->fwd : NULL;
}

struct route_plane *dataplane_route(struct dataplane *dp)
{
    return dp->route;
}

const struct route_plane *dataplane_route_of(const struct dataplane *dp)
{
    return dp->route;
}

double dataplane_tsc_to_time(const struct dataplane *dp, uint64_t tsc)
{
    struct timespec now;

    /* counted back from now, so that the two clocks cannot drift apart */
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9 - (double)(int64_t)(rte_rdtsc() - tsc) / (double)dp->tsc_hz;
}

uint64_t dataplane_policer_now_ns(const struct dataplane *dp)
{
    return tsc_clock_ns(&dp->clock, rte_rdtsc());
}

void dataplane_guard_every(struct dataplane *dp, uint32_t every)
{
    for (unsigned i = 0; i < dp->worker_count; i++)
        atomic_store_explicit(&dp->workers[i].sampler->every, every, memory_order_relaxed);
}

unsigned dataplane_samples_take(struct dataplane *dp, struct pkt_key *out, uint16_t *vrfs, unsigned max)
{
    unsigned count = 0;

    for (unsigned i = 0; i < dp->worker_count; i++)
        count += sampler_take(dp->workers[i].sampler, &out[count], &vrfs[count], max - count);
    return count;
}

void dataplane_bypass(struct dataplane *dp, bool on)
{
    dp->bypassed = on;
    for (unsigned i = 0; i < dp->worker_count; i++)
        atomic_store_explicit(&dp->workers[i].bypass, on, memory_order_relaxed);
}

bool dataplane_bypassed(const struct dataplane *dp)
{
    return dp->bypassed;
}

void dataplane_flowspec_counters(const struct dataplane *dp, struct cnt_port_sum *out)
{
    *out = (struct cnt_port_sum){0};
    for (unsigned i = 0; i < dp->worker_count; i++)
        for (uint16_t port = 0; port < dp->ports->count; port++)
            if (dp->ports->port[port].flowspec)
                cnt_port_sum_add(out, &dp->workers[i].ports[port]);
}

uint64_t dataplane_idle_ms(const struct dataplane *dp)
{
    uint64_t last = 0;

    for (unsigned i = 0; i < dp->worker_count; i++) {
        uint64_t seen = cnt_get(&dp->workers[i].last_rx_tsc);
        last = seen > last ? seen : last;
    }
    if (last == 0)
        return UINT64_MAX;
    last = last > dp->polling_tsc ? last : dp->polling_tsc; /* the time without polling does not count */
    uint64_t now = rte_rdtsc();
    return now > last ? (now - last) / (dp->tsc_hz / 1000) : 0;
}

const char *dataplane_stage_name(enum dataplane_stage stage)
{
    static const char *const NAMES[DATAPLANE_STAGE_COUNT] = {"rx",  "parse",  "local",   "classify",
                                                             "act", "lookup", "forward", "tx"};

    return NAMES[stage];
}

unsigned dataplane_worker_count(const struct dataplane *dp)
{
    return dp->worker_count;
}

void dataplane_worker_get(const struct dataplane *dp, unsigned index, struct dataplane_worker *out)
{
    const struct worker *worker = &dp->workers[index];
    struct strbuf queues = sb_init(out->queues, sizeof out->queues);

    out->lcore = worker->lcore;
    out->cpu = worker->cpu;
    out->socket = worker->socket;
    out->packets = cnt_get(&worker->packets);
    out->polls = cnt_get(&worker->polls);
    out->busy_polls = cnt_get(&worker->busy_polls);
    for (unsigned stage = 0; stage < DATAPLANE_STAGE_COUNT; stage++)
        out->stage_cycles[stage] = cnt_get(&worker->stage_cycles[stage]);
    for (uint16_t i = 0; i < worker->queue_count; i++)
        sb_printf(&queues, "%s%s:%u", i > 0 ? " " : "", worker->queues[i].in->name, worker->queues[i].queue);
}

void dataplane_sample(struct dataplane *dp, struct sample_tap *taps)
{
    for (unsigned i = 0; i < dp->worker_count; i++)
        dp->workers[i].tap = taps != NULL ? &taps[i] : NULL;
}

void dataplane_rules_memory(const struct dataplane *dp, size_t *used_bytes, size_t *most_bytes)
{
    *used_bytes = dp->rules->memory_bytes;
    *most_bytes = dp->rules_memory_bytes;
}

const struct cls *dataplane_classifier(const struct dataplane *dp, uint16_t vrf)
{
    return dp->rules->cls[vrf];
}

uint32_t dataplane_match_after(const struct dataplane *dp, uint16_t vrf, const struct pkt_key *key, uint32_t id)
{
    return cls_match_after(dp->rules->cls[vrf], key, id); /* CLS_NO_MATCH is 0 */
}

uint16_t dataplane_vrf_count(const struct dataplane *dp)
{
    return dp->rules->count;
}

uint16_t dataplane_port_vrf(const struct dataplane *dp, uint16_t port)
{
    return route_vrf(dp->route, port);
}

const char *dataplane_vrf_name(const struct dataplane *dp, uint16_t vrf)
{
    return dp->rules->names[vrf];
}

const struct act_program *dataplane_program(const struct dataplane *dp, uint32_t id)
{
    return act_table_get(dp->programs, id);
}

bool dataplane_link_up(const struct dataplane *dp, uint16_t port)
{
    const struct ports *ports = dp->ports;

    return port >= ports->count || !ports->port[port].routed || port_link_up(&ports->port[ports->port[port].parent]);
}

const struct ports *dataplane_ports(const struct dataplane *dp)
{
    return dp->ports;
}

struct rcu *dataplane_rcu(struct dataplane *dp)
{
    return dp->rcu;
}
