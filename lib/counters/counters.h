/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters: every packet ends in exactly one of sent, punted, or dropped for one named reason.
 *
 * A worker owns one cnt_worker block and is its only writer; the control thread reads it at any time. Each field is a
 * relaxed atomic, written as load + add + store without a locked instruction: exact, because there is one writer.
 * Sums over workers are exact at rest and never go back.
 */
#ifndef COUNTERS_COUNTERS_H
#define COUNTERS_COUNTERS_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum cnt_drop {
    CNT_DROP_FLOWSPEC_DISCARD,
    CNT_DROP_FLOWSPEC_RATE_LIMIT,
    CNT_DROP_MALFORMED,
    CNT_DROP_NO_ROUTE,
    CNT_DROP_BLACKHOLE,
    CNT_DROP_TTL_EXPIRED,
    CNT_DROP_NEIGHBOR_UNRESOLVED,
    CNT_DROP_MTU_EXCEEDED,
    CNT_DROP_TX_FULL,
    CNT_DROP_NOT_FOR_ROUTER,
    CNT_DROP_PUNT_LIMIT,
    CNT_DROP_URPF,
    CNT_DROP_COUNT,
};

typedef _Atomic uint64_t cnt_t;

/* Adds as the field's one writer. */
static inline void cnt_add(cnt_t *field, uint64_t n)
{
    atomic_store_explicit(field, atomic_load_explicit(field, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline uint64_t cnt_get(const cnt_t *field)
{
    return atomic_load_explicit(field, memory_order_relaxed);
}

/* One port as one worker saw it. Writer: that worker. Readers: the control thread. */
struct cnt_port {
    alignas(64) cnt_t rx_packets;
    cnt_t rx_bytes;
    cnt_t tx_packets;
    cnt_t tx_bytes;
    cnt_t punted_packets;
    cnt_t originated_packets;
    cnt_t drops[CNT_DROP_COUNT]; /* counted on the port the packet came in by */
};

/* One rule as one worker saw it. Writer: that worker; zeroed by the control thread before the rule's id is in use. */
struct cnt_rule {
    cnt_t packets;
    cnt_t bytes;
    cnt_t dropped_packets;
    cnt_t dropped_bytes;
    cnt_t last_hit_tsc; /* 0: never */
};

/* Sums in plain integers. */
struct cnt_port_sum {
    uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, punted_packets, originated_packets;
    uint64_t drops[CNT_DROP_COUNT];
};

struct cnt_rule_sum {
    uint64_t packets, bytes, dropped_packets, dropped_bytes, last_hit_tsc;
};

void cnt_port_sum_add(struct cnt_port_sum *sum, const struct cnt_port *block);
void cnt_rule_sum_add(struct cnt_rule_sum *sum, const struct cnt_rule *block); /* last_hit_tsc: the latest */

/* rx + originated == tx + punted + sum(drops), in packets: holds exactly whenever no packet is inside the router. */
int cnt_port_sum_balanced(const struct cnt_port_sum *sum);

/* "flowspec_discard", ...: names of the API and of metrics. */
const char *cnt_drop_name(enum cnt_drop reason);

/* What the reason means, a short sentence for operators. */
const char *cnt_drop_help(enum cnt_drop reason);

/*
 * Per-rule counters of one worker, by rule id, in chunks made when first needed so that a million rules cost what they
 * use. The control thread makes room before a rule is published; the worker then finds its counters without a check.
 */
struct cnt_rule_table;

/*
 * Room for ids 1..capacity. `alloc` and `release` give the chunks' memory (a worker's own NUMA node); zeroed by us.
 * `alloc` NULL: the heap.
 */
struct cnt_rule_table *cnt_rule_table_create(uint32_t capacity, void *(*alloc)(void *ctx, size_t size),
                                             void (*release)(void *ctx, void *memory, size_t size), void *ctx);
void cnt_rule_table_free(struct cnt_rule_table *table);

/* Control thread: makes the id's counters exist and be zero. 0, -ENOMEM, or -EINVAL for an id beyond the capacity. */
int cnt_rule_table_reset(struct cnt_rule_table *table, uint32_t id);

/* The id's counters; its chunk must exist. Worker and control thread. */
struct cnt_rule *cnt_rule_of(struct cnt_rule_table *table, uint32_t id);

#endif
