/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pipeline: fixed stages over a burst, in the order of judgement of the design.
 *
 *   wire:  rx -> parse -> classify -> act -> tx
 *   route: rx -> parse -> local -> classify -> act -> lookup -> forward -> tx
 *
 * A stage that drops packets closes the gaps, so that the next one sees a dense burst. Packets keep their order.
 */
#include "dataplane/pipeline.h"

#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dataplane/burst.h"
#include "dataplane/route_plane.h"
#include "packet/parse.h"
#include "packet/rewrite.h"

/* One in some of what a port receives, before anything is judged. */
static void sample_received(struct burst *burst)
{
    struct sample_tap *tap = burst->worker->tap;
    struct sample_ratio *ratio = &tap->ports[burst->queue->in->index];

    for (uint16_t i = 0; ratio->one_in > 0 && i < burst->count; i++)
        if (sample_due(tap, ratio))
            sample_take(tap, ratio, burst->packets[i], burst->queue->in->index, 0, SAMPLE_RECEIVED, burst->tsc);
}

static void stage_rx(struct burst *burst)
{
    uint64_t bytes = 0;

    for (uint16_t i = 0; i < burst->count; i++)
        bytes += rte_pktmbuf_pkt_len(burst->packets[i]);
    cnt_add(&burst->in->rx_packets, burst->count);
    cnt_add(&burst->in->rx_bytes, bytes);
    if (unlikely(burst->worker->tap != NULL))
        sample_received(burst);
}

/* 1. Parse; malformed packets are counted and dropped. */
static void stage_parse(struct burst *burst)
{
    uint16_t kept = 0;

    pkt_parse_burst(burst->packets, burst->keys, burst->count);
    for (uint16_t i = 0; i < burst->count; i++) {
        if (unlikely(burst->keys[i].malformed != PKT_SOUND)) {
            burst_drop(burst, burst->packets[i], CNT_DROP_MALFORMED);
            continue;
        }
        if (unlikely(kept != i)) {
            burst->packets[kept] = burst->packets[i];
            burst->keys[kept] = burst->keys[i];
        }
        kept++;
    }
    burst->count = kept;
}

/* 2. The first rule in RFC order for each packet, on ports that have Flowspec on. Samples are of what comes in there.
 */
static void stage_classify(struct burst *burst)
{
    struct worker *worker = burst->worker;

    if (burst->queue->in->flowspec)
        sampler_pass(worker->sampler, burst->queue->in->index, burst->queue->vrf, burst->keys, burst->count);
    if (burst->queue->in->flowspec && likely(!atomic_load_explicit(&worker->bypass, memory_order_relaxed)))
        cls_match_burst(burst->cls, burst->keys, burst->rules, burst->count);
    else
        memset(burst->rules, 0, burst->count * sizeof burst->rules[0]); /* CLS_NO_MATCH */
}

/*
 * Follows one packet through its matching rules: the first ends the search unless its action has `continue`
 * (RFC 8955 7.3), then the next one is asked. All of them see the packet as it came in: a mark is written at the end.
 */
static enum act_verdict follow_rules(struct burst *burst, uint16_t i, struct act_packet *packet)
{
    struct worker *worker = burst->worker;
    uint64_t bytes = rte_pktmbuf_pkt_len(burst->packets[i]);
    uint32_t id = burst->rules[i];

    while (id != CLS_NO_MATCH) {
        const struct act_program *program = act_table_get(worker->programs, id);
        struct cnt_rule *counters = cnt_rule_of(worker->rules, id);

        cnt_add(&counters->packets, 1);
        cnt_add(&counters->bytes, bytes);
        atomic_store_explicit(&counters->last_hit_tsc, burst->tsc, memory_order_relaxed);
        enum act_verdict verdict = act_apply(program);
        if (unlikely(program->sample && packet->sampled_by == 0))
            packet->sampled_by = id;
        if (unlikely(program->extra))
            verdict = act_apply_extra(program, packet, &burst->meter, tsc_clock_ns(&worker->clock, burst->tsc));
        if (verdict != ACT_PASS) {
            cnt_add(&counters->dropped_packets, 1);
            cnt_add(&counters->dropped_bytes, bytes);
            return verdict;
        }
        if (likely(!program->go_on))
            break;
        id = cls_match_after(burst->cls, &burst->keys[i], id);
    }
    return ACT_PASS;
}

/* A rule wants a sample of the packet, whatever becomes of it. */
static void sample_judged(struct burst *burst, uint16_t i, uint32_t rule, enum act_verdict verdict)
{
    static const enum sample_verdict VERDICTS[ACT_VERDICT_COUNT] = {
        [ACT_PASS] = SAMPLE_PASSED,
        [ACT_DROP_DISCARD] = SAMPLE_DISCARDED,
        [ACT_DROP_RATE_LIMIT] = SAMPLE_RATE_LIMITED,
    };
    struct sample_tap *tap = burst->worker->tap;

    if (tap != NULL && sample_due(tap, &tap->rules))
        sample_take(tap, &tap->rules, burst->packets[i], burst->queue->in->index, rule, VERDICTS[verdict], burst->tsc);
}

/* Whether a redirect to that next hop would reach it now. One that does not is as if it were absent. */
static bool leads_somewhere(const struct burst *burst, uint32_t via)
{
    return via != 0 && fwd_hop_of(burst->worker->route->hops, via)->kind != FWD_UNREACHABLE;
}

/* A copy of packet `i`, as it is now, for that next hop. Where there is no buffer for it, there is none. */
static void copy_for(struct burst *burst, uint16_t i, uint32_t via)
{
    struct rte_mbuf *copy = rte_pktmbuf_copy(burst->packets[i], burst->packets[i]->pool, 0, UINT32_MAX);
    uint16_t n = burst->copy_count;

    if (copy == NULL)
        return;
    burst->copies[n] = copy;
    burst->copy_keys[n] = burst->keys[i];
    burst->copy_egress[n] = (struct egress){.vrf = burst->egress[i].vrf, .via = via};
    burst->copy_count++;
}

static void redirect(struct burst *burst, uint16_t i, const struct act_packet *packet)
{
    if (packet->vrf != 0)
        burst->egress[i].vrf = packet->vrf;
    if (leads_somewhere(burst, packet->via))
        burst->egress[i].via = packet->via;
    if (leads_somewhere(burst, packet->copy_via))
        copy_for(burst, i, packet->copy_via);
}

/* Copies go through the last two stages as a burst of their own, once the originals are gone. */
static void send_copies(struct burst *burst)
{
    burst->of_copies = true;
    burst->count = burst->copy_count;
    burst->packets = burst->copies;
    memcpy(burst->keys, burst->copy_keys, burst->count * sizeof burst->keys[0]);
    memcpy(burst->egress, burst->copy_egress, burst->count * sizeof burst->egress[0]);
    cnt_add(&burst->in->originated_packets, burst->count);
    stage_lookup(burst);
    stage_forward(burst);
    stage_tx_routed(burst);
}

static enum act_verdict act_on_packet(struct burst *burst, uint16_t i)
{
    struct act_packet packet = {.key = &burst->keys[i], .bytes = burst->keys[i].length, .home = burst->queue->vrf};
    enum act_verdict verdict = follow_rules(burst, i, &packet);

    if (unlikely(packet.sampled_by != 0))
        sample_judged(burst, i, packet.sampled_by, verdict);
    if (unlikely(packet.mark) && verdict == ACT_PASS)
        pkt_set_dscp(burst->packets[i], &burst->keys[i], packet.dscp);
    if (unlikely((packet.vrf | packet.via | packet.copy_via) != 0) && verdict == ACT_PASS && burst->queue->routed)
        redirect(burst, i, &packet);
    return verdict;
}

/* 3. Actions of the rules that matched. */
static void stage_act(struct burst *burst)
{
    static const enum cnt_drop REASONS[ACT_VERDICT_COUNT] = {
        [ACT_DROP_DISCARD] = CNT_DROP_FLOWSPEC_DISCARD,
        [ACT_DROP_RATE_LIMIT] = CNT_DROP_FLOWSPEC_RATE_LIMIT,
    };
    uint16_t kept = 0;

    for (uint16_t i = 0; i < burst->count; i++) {
        enum act_verdict verdict = burst->rules[i] != CLS_NO_MATCH ? act_on_packet(burst, i) : ACT_PASS;
        if (verdict != ACT_PASS)
            burst_drop(burst, burst->packets[i], REASONS[verdict]);
        else if (likely(!burst->queue->routed))
            burst->packets[kept++] = burst->packets[i];
        else
            burst_keep(burst, i, kept++);
    }
    act_meter_close(&burst->meter);
    burst->count = kept;
}

/* A frame longer than the port can send would be cut or lost there without a word. Returns the octets to send. */
static uint64_t drop_too_long(struct burst *burst, uint32_t max_frame)
{
    uint16_t kept = 0;
    uint64_t bytes = 0;

    for (uint16_t i = 0; i < burst->count; i++) {
        uint32_t length = rte_pktmbuf_pkt_len(burst->packets[i]);
        if (unlikely(length > max_frame)) {
            burst_drop(burst, burst->packets[i], CNT_DROP_MTU_EXCEEDED);
            continue;
        }
        bytes += length;
        burst->packets[kept++] = burst->packets[i];
    }
    burst->count = kept;
    return bytes;
}

/* 4. Wire mode: out of the paired port. */
static void stage_tx(struct burst *burst)
{
    const struct worker_queue *queue = burst->queue;
    struct cnt_port *out = &burst->worker->ports[queue->out->index];
    uint64_t bytes = drop_too_long(burst, queue->out->max_frame), unsent_bytes = 0;

    if (burst->count == 0)
        return;
    /* a packet that is sent is no longer ours to look at */
    uint16_t sent = rte_eth_tx_burst(queue->out->dpdk_id, queue->queue, burst->packets, burst->count);
    for (uint16_t i = sent; i < burst->count; i++) {
        unsent_bytes += rte_pktmbuf_pkt_len(burst->packets[i]);
        burst_drop(burst, burst->packets[i], CNT_DROP_TX_FULL);
    }
    cnt_add(&out->tx_packets, sent);
    cnt_add(&out->tx_bytes, bytes - unsent_bytes);
}

/* In the order in which they run; `stage` is what its cycles are counted as. */
static const struct pipeline_stage {
    void (*run)(struct burst *burst);
    enum dataplane_stage stage;
} WIRE[] =
    {
        {stage_rx, DATAPLANE_RX},   {stage_parse, DATAPLANE_PARSE}, {stage_classify, DATAPLANE_CLASSIFY},
        {stage_act, DATAPLANE_ACT}, {stage_tx, DATAPLANE_TX},
},
  ROUTE[] = {
      {stage_rx, DATAPLANE_RX},           {stage_parse, DATAPLANE_PARSE},
      {stage_local, DATAPLANE_LOCAL},     {stage_classify, DATAPLANE_CLASSIFY},
      {stage_act, DATAPLANE_ACT},         {stage_lookup, DATAPLANE_LOOKUP},
      {stage_forward, DATAPLANE_FORWARD}, {stage_tx_routed, DATAPLANE_TX},
};

void pipeline_run(struct worker *worker, const struct worker_queue *queue, struct rte_mbuf **packets, uint16_t count,
                  uint64_t start_tsc)
{
    struct burst burst;

    burst.worker = worker;
    burst.queue = queue;
    burst.cls = worker->vrf_cls[queue->vrf];
    burst.in = &worker->ports[queue->in->index];
    burst.tsc = start_tsc;
    burst.count = count;
    burst.packets = packets;
    burst.meter.limit = NULL;
    burst.copy_count = 0;
    burst.oversized = burst.of_copies = false;

    uint64_t before = start_tsc;
    const struct pipeline_stage *stage = queue->routed ? ROUTE : WIRE;
    const struct pipeline_stage *end = stage + (queue->routed ? RTE_DIM(ROUTE) : RTE_DIM(WIRE));
    for (; stage < end; stage++) {
        stage->run(&burst);
        uint64_t now = rte_rdtsc();
        cnt_add(&worker->stage_cycles[stage->stage], now - before);
        before = now;
    }
    if (unlikely(burst.copy_count > 0))
        send_copies(&burst);
}
