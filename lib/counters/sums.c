/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums over workers, and the words for drop reasons. */
#include "counters/counters.h"

void cnt_port_sum_add(struct cnt_port_sum *sum, const struct cnt_port *block)
{
    sum->rx_packets += cnt_get(&block->rx_packets);
    sum->rx_bytes += cnt_get(&block->rx_bytes);
    sum->tx_packets += cnt_get(&block->tx_packets);
    sum->tx_bytes += cnt_get(&block->tx_bytes);
    sum->punted_packets += cnt_get(&block->punted_packets);
    sum->originated_packets += cnt_get(&block->originated_packets);
    for (unsigned reason = 0; reason < CNT_DROP_COUNT; reason++)
        sum->drops[reason] += cnt_get(&block->drops[reason]);
}

void cnt_rule_sum_add(struct cnt_rule_sum *sum, const struct cnt_rule *block)
{
    uint64_t last_hit_tsc = cnt_get(&block->last_hit_tsc);

    sum->packets += cnt_get(&block->packets);
    sum->bytes += cnt_get(&block->bytes);
    sum->dropped_packets += cnt_get(&block->dropped_packets);
    sum->dropped_bytes += cnt_get(&block->dropped_bytes);
    if (last_hit_tsc > sum->last_hit_tsc)
        sum->last_hit_tsc = last_hit_tsc;
}

int cnt_port_sum_balanced(const struct cnt_port_sum *sum)
{
    uint64_t out = sum->tx_packets + sum->punted_packets;

    for (unsigned reason = 0; reason < CNT_DROP_COUNT; reason++)
        out += sum->drops[reason];
    return sum->rx_packets + sum->originated_packets == out;
}

static const struct {
    const char *name;
    const char *help;
} drop_reasons[CNT_DROP_COUNT] = {
    [CNT_DROP_FLOWSPEC_DISCARD] = {"flowspec_discard", "A Flowspec rule discards the packet."},
    [CNT_DROP_FLOWSPEC_RATE_LIMIT] = {"flowspec_rate_limit", "The packet exceeds the rate limit of a Flowspec rule."},
    [CNT_DROP_MALFORMED] = {"malformed", "The headers are cut short or contradict each other."},
    [CNT_DROP_NO_ROUTE] = {"no_route", "No route covers the destination address."},
    [CNT_DROP_BLACKHOLE] = {"blackhole", "The route to the destination is a black hole."},
    [CNT_DROP_TTL_EXPIRED] = {"ttl_expired", "The TTL or hop limit ran out."},
    [CNT_DROP_NEIGHBOR_UNRESOLVED] = {"neighbor_unresolved", "The next hop's MAC address is not known."},
    [CNT_DROP_MTU_EXCEEDED] = {"mtu_exceeded", "The packet is larger than the outgoing port carries."},
    [CNT_DROP_TX_FULL] = {"tx_full", "The outgoing port's queue is full."},
    [CNT_DROP_NOT_FOR_ROUTER] = {"not_for_router", "A frame for another station or VLAN, or of no protocol routed."},
    [CNT_DROP_PUNT_LIMIT] = {"punt_limit", "More for the router itself than it takes at once."},
    [CNT_DROP_URPF] = {"urpf", "No route covers the source address, and the port asks for one."},
};

const char *cnt_drop_name(enum cnt_drop reason)
{
    return (unsigned)reason < CNT_DROP_COUNT ? drop_reasons[reason].name : "unknown";
}

const char *cnt_drop_help(enum cnt_drop reason)
{
    return (unsigned)reason < CNT_DROP_COUNT ? drop_reasons[reason].help : "Not a drop reason.";
}
