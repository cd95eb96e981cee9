/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any frame, cut into any segments. Input: how many cuts (0..7), that many octets (each the size of a segment), then
 * the frame. Besides reads past a segment, which ASan sees, a key must not depend on the cuts and must not contradict
 * itself.
 */
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "packet/parse.h"

#define CUTS_MAX  7u
#define FRAME_MAX 65535u /* what one segment of an mbuf can hold */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void check_key(const struct pkt_key *key, size_t len)
{
    demand(key->malformed < PKT_MALFORMED_COUNT);
    if (key->malformed != PKT_SOUND) {
        demand(key->has == 0);
        return;
    }
    demand(key->family == IP_NONE || key->family == IP_V4 || key->family == IP_V6);
    if (key->family == IP_NONE)
        return;
    demand(key->l3_offset + key->length <= len);
    demand(key->l4_offset > key->l3_offset && key->l4_offset <= key->l3_offset + key->length);
    demand(key->dscp < 64 && key->flow_label <= 0xfffff && key->tcp_flags <= 0xfff && key->vlan <= 0xfff);
    if (key->fragment & PKT_FRAGMENT_IS)
        demand(key->has == 0 && !(key->fragment & PKT_FRAGMENT_FIRST));
    if (key->has & PKT_HAS_PORTS)
        demand(key->protocol == 6 || key->protocol == 17);
    demand(!(key->has & PKT_HAS_TCP_FLAGS) || key->protocol == 6);
    demand(!(key->has & PKT_HAS_ICMP) || key->protocol == (key->family == IP_V4 ? 1 : 58));
    demand(key->family == IP_V4 || !(key->fragment & PKT_FRAGMENT_DF));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t cuts[CUTS_MAX], count, at = 0;
    struct pkt_key cut_key;

    if (size < 1)
        return 0;
    count = data[0] % (CUTS_MAX + 1);
    if (size < 1 + count || size - 1 - count > FRAME_MAX)
        return 0;
    for (size_t i = 0; i < count; i++)
        cuts[i] = at += data[1 + i];
    const uint8_t *frame = data + 1 + count;
    size_t len = size - 1 - count;

    struct pkt_key key = parse_octets(frame, len);
    check_key(&key, len);
    struct rte_mbuf *mbuf = mbuf_cut(frame, len, cuts, count);
    pkt_parse(mbuf, &cut_key);
    mbuf_free(mbuf);
    demand(memcmp(&key, &cut_key, sizeof key) == 0);
    return 0;
}
