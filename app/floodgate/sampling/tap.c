/* SPDX-License-Identifier: BSD-3-Clause */
#include "sampling/tap.h"

#include <string.h>

#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

void sample_take(struct sample_tap *tap, const struct sample_ratio *ratio, const struct rte_mbuf *packet, uint16_t port,
                 uint32_t rule, enum sample_verdict verdict, uint64_t tsc)
{
    struct sample *sample = &tap->scratch;
    uint32_t length = rte_pktmbuf_pkt_len(packet);

    sample->tsc = tsc;
    sample->rule = rule;
    sample->length = length;
    sample->one_in = ratio->one_in;
    sample->pool = ratio->pool;
    sample->lost = (uint32_t)cnt_get(&tap->lost);
    sample->port = port;
    sample->captured = (uint16_t)(length < tap->snap_length ? length : tap->snap_length);
    sample->verdict = (uint8_t)verdict;
    const void *head = rte_pktmbuf_read(packet, 0, sample->captured, sample->octets);
    if (head != sample->octets)
        memcpy(sample->octets, head, sample->captured);
    if (rte_ring_sp_enqueue_elem(tap->ring, sample, tap->element_size) == 0)
        cnt_add(&tap->taken, 1);
    else
        cnt_add(&tap->lost, 1);
}
