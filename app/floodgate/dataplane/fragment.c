/* SPDX-License-Identifier: BSD-3-Clause */
/* The way out of packets that are longer than the MTU and may be cut. */
#include <rte_ether.h>

#include "dataplane/burst.h"
#include "dataplane/route_plane.h"
#include "packet/fragment.h"

bool routed_send_cut(struct worker *worker, uint16_t port, struct rte_mbuf *packet, struct cnt_port *from)
{
    const struct route_port *out = &worker->route->ports[port];
    uint16_t l2_len = (uint16_t)(RTE_ETHER_HDR_LEN + (out->vlan ? RTE_VLAN_HLEN : 0));
    struct rte_mbuf *fragments[PKT_FRAGMENTS_MAX];

    if (likely(rte_pktmbuf_pkt_len(packet) <= (uint32_t)l2_len + out->mtu) ||
        !pkt_may_fragment(packet, l2_len, out->mtu))
        return routed_send(worker, port, &packet, 1) == 1;
    unsigned count = pkt_fragment(packet, l2_len, out->mtu, fragments, PKT_FRAGMENTS_MAX);
    if (count == 0)
        return false;
    cnt_add(&from->originated_packets, count - 1);
    unsigned sent = routed_send(worker, port, fragments, (uint16_t)count);
    cnt_add(&from->drops[CNT_DROP_TX_FULL], count - sent);
    rte_pktmbuf_free_bulk(fragments + sent, count - sent);
    rte_pktmbuf_free(packet);
    return true;
}
