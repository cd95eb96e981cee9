/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any frame, cut to any MTU. Input: the MTU less 68 (two octets), octets before the IP header, one octet of flags
 * (1: give the packet a header and a length that are right, which is what leaves the parser), then the frame. What
 * comes out is whole packets that fit, each with a right checksum; put together they are the original; and no buffer is
 * lost, whatever came of it.
 */
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_mbuf.h>

#include "packet/fragment.h"
#include "packet/parse.h"

#define HEAD       4u /* octets of the input before the frame */
#define POOL_SIZE  255u
#define L2_MAX     40u
#define MTU_MIN    68u
#define HEADER_MIN 20u

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rte_mempool *pool;

static void demand(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char words[][16] = {"fuzz", "--no-huge", "--no-pci", "-m32", "-l0", "--no-shconf", "--no-telemetry"};
    char *eal[sizeof words / sizeof words[0] + 1] = {NULL};

    (void)argc;
    (void)argv;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        eal[i] = words[i];
    demand(rte_eal_init(sizeof words / sizeof words[0], eal) >= 0);
    pool = rte_pktmbuf_pool_create("packets", POOL_SIZE, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    demand(pool != NULL);
    return 0;
}

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint16_t ones_sum(const uint8_t *octets, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i += 2)
        sum += get16(octets + i);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* What a frame that the parser has let pass has: version, header length and total length that fit, no DF. */
static void repair(uint8_t *frame, size_t len, uint32_t l2_len)
{
    uint8_t *ip = frame + l2_len;
    uint32_t room = (uint32_t)(len - l2_len), header = (ip[0] & 15u) * 4;

    if (header < HEADER_MIN || header > room)
        header = HEADER_MIN;
    ip[0] = (uint8_t)(4u << 4 | header / 4);
    ip[2] = (uint8_t)(room >> 8);
    ip[3] = (uint8_t)room;
    ip[6] &= (uint8_t)~0x40u;
}

/* One fragment, `done` octets of payload into the original. Returns how many octets of payload it has. */
static uint32_t check_fragment(struct rte_mbuf *fragment, const uint8_t *whole, uint32_t l2_len, uint32_t mtu,
                               uint32_t done)
{
    static uint8_t spare[L2_MAX + UINT16_MAX];
    const uint8_t *original = whole + l2_len;
    uint32_t original_header = (original[0] & 15u) * 4, original_end = get16(original + 2) - original_header;
    const uint8_t *frame = rte_pktmbuf_read(fragment, 0, rte_pktmbuf_pkt_len(fragment), spare), *ip = frame + l2_len;
    uint32_t header = (ip[0] & 15u) * 4, total = get16(ip + 2), size = total - header, flags = get16(ip + 6);

    rte_mbuf_sanity_check(fragment, 1);
    demand(memcmp(frame, whole, l2_len) == 0 && rte_pktmbuf_pkt_len(fragment) == l2_len + total);
    demand(ip[0] >> 4 == 4 && header >= HEADER_MIN && header <= original_header && total <= mtu && total > header);
    demand(done > 0 || header == original_header);
    demand(ones_sum(ip, header) == 0xffff);
    demand(memcmp(ip + 4, original + 4, 2) == 0 && memcmp(ip + 8, original + 8, 2) == 0);
    demand(memcmp(ip + 12, original + 12, 8) == 0);
    demand((flags & 0x1fff) * 8 == (get16(original + 6) & 0x1fff) * 8 + done);
    bool last = done + size == original_end;
    demand((flags & 0xc000) == 0); /* the reserved bit is zero on the way out, whatever came in */
    demand(((flags & 0x2000) != 0) == (!last || (original[6] & 0x20)));
    demand(last || size % 8 == 0);
    demand(done + size <= original_end && memcmp(ip + header, original + original_header + done, size) == 0);
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t frame[L2_MAX + UINT16_MAX];
    struct rte_mbuf *out[PKT_FRAGMENTS_MAX];
    uint32_t done = 0;

    if (size < HEAD + L2_MAX + HEADER_MIN || size - HEAD > sizeof frame)
        return 0;
    uint16_t mtu = (uint16_t)(MTU_MIN + get16(data) % 9000), l2_len = data[2] % (L2_MAX + 1);
    size_t len = size - HEAD;
    memcpy(frame, data + HEAD, len);
    if (data[3] & 1)
        repair(frame, len, l2_len);
    struct rte_mbuf *packet = rte_pktmbuf_alloc(pool);
    demand(packet != NULL && pkt_append(packet, pool, frame, len));
    if (pkt_may_fragment(packet, l2_len, mtu)) {
        unsigned count = pkt_fragment(packet, l2_len, mtu, out, PKT_FRAGMENTS_MAX);
        for (unsigned i = 0; i < count; i++)
            done += check_fragment(out[i], frame, l2_len, mtu, done);
        demand(count == 0 || done == get16(frame + l2_len + 2) - (frame[l2_len] & 15u) * 4);
        rte_pktmbuf_free_bulk(out, count);
    }
    demand(rte_pktmbuf_pkt_len(packet) == len);
    rte_pktmbuf_free(packet);
    demand(rte_mempool_avail_count(pool) == POOL_SIZE);
    return 0;
}
