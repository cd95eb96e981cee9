/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 packets cut to an MTU: what comes out is put together again and compared. */
#include "../cm.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_mbuf.h>

#include "packet/fragment.h"

#define L2          18u /* with a VLAN tag */
#define POOL_SIZE   255u
#define PACKET_SIZE 9000u

static struct rte_mempool *pool;

/* A frame of `total` octets of IP with `options` octets of options, as long as the buffers need. */
static struct rte_mbuf *packet_of(uint32_t total, const uint8_t *options, uint32_t options_len, uint16_t fragment)
{
    uint8_t frame[L2 + PACKET_SIZE] = {[L2 - 2] = 0x08};
    uint8_t *ip = frame + L2;
    uint32_t header = 20 + options_len;
    struct rte_mbuf *packet = rte_pktmbuf_alloc(pool);

    memset(frame, 0xee, 12);
    ip[0] = (uint8_t)(4u << 4 | header / 4);
    ip[2] = (uint8_t)(total >> 8);
    ip[3] = (uint8_t)total;
    ip[6] = (uint8_t)(fragment >> 8);
    ip[7] = (uint8_t)fragment;
    ip[8] = 63;
    ip[9] = 17;
    if (options_len > 0)
        memcpy(ip + 20, options, options_len);
    for (uint32_t i = header; i < total; i++)
        ip[i] = (uint8_t)(i * 7 + i / 256);
    assert_non_null(packet);
    assert_true(pkt_append(packet, pool, frame, L2 + total));
    return packet;
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

/* Cuts, checks each fragment, and puts the payload together. `*count`: of fragments; `*later`: header of the second. */
static void cut_and_join(uint32_t total, const uint8_t *options, uint32_t options_len, uint16_t flags, uint16_t mtu,
                         unsigned *count, uint8_t *later)
{
    struct rte_mbuf *packet = packet_of(total, options, options_len, flags), *out[PKT_FRAGMENTS_MAX];
    uint8_t joined[PACKET_SIZE], spare[L2 + PACKET_SIZE], original[L2 + PACKET_SIZE];
    uint32_t done = 0, header = 20 + options_len;

    assert_true(pkt_may_fragment(packet, L2, mtu));
    *count = pkt_fragment(packet, L2, mtu, out, PKT_FRAGMENTS_MAX);
    assert_true(*count >= 2);
    const uint8_t *whole = rte_pktmbuf_read(packet, 0, L2 + total, original);
    for (unsigned i = 0; i < *count; i++) {
        const uint8_t *frame = rte_pktmbuf_read(out[i], 0, rte_pktmbuf_pkt_len(out[i]), spare), *ip = frame + L2;
        uint32_t len = (ip[0] & 15u) * 4, size = get16(ip + 2) - len;
        assert_memory_equal(frame, whole, L2);
        assert_int_equal(rte_pktmbuf_pkt_len(out[i]), L2 + get16(ip + 2));
        assert_true(get16(ip + 2) <= mtu);
        assert_int_equal(ones_sum(ip, len), 0xffff);
        assert_int_equal((get16(ip + 6) & 0x1fff) * 8, (flags & 0x1fffu) * 8 + done);
        assert_int_equal((get16(ip + 6) & 0x2000) != 0, i + 1 < *count || (flags & 0x2000));
        assert_true(i + 1 == *count || size % 8 == 0);
        assert_memory_equal(ip + 8, whole + L2 + 8, 2); /* TTL, protocol */
        memcpy(joined + done, ip + len, size);
        done += size;
        if (i == 1)
            memcpy(later, ip, len);
        rte_pktmbuf_free(out[i]);
    }
    assert_int_equal(done, total - header);
    assert_memory_equal(joined, whole + L2 + header, done);
    rte_pktmbuf_free(packet);
    assert_int_equal(rte_mempool_avail_count(pool), POOL_SIZE);
}

static void fragments_put_together_are_the_packet(void **state)
{
    uint8_t later[60];
    unsigned count;

    (void)state;
    cut_and_join(1501, NULL, 0, 0, 1500, &count, later);
    assert_int_equal(count, 2);
    for (uint32_t total = 1300; total <= PACKET_SIZE; total += 97)
        for (uint16_t mtu = 1280; mtu < total; mtu += 331)
            cut_and_join(total, NULL, 0, 0, mtu, &count, later);
}

static void a_fragment_may_be_cut_again(void **state)
{
    uint8_t later[60];
    unsigned count;

    (void)state;
    cut_and_join(1420, NULL, 0, 0x2000 | 185, 1280, &count, later); /* more to come */
    cut_and_join(1421, NULL, 0, 370, 1280, &count, later);          /* the last */
}

static void options_go_where_they_belong(void **state)
{
    /* NOP, record route (not copied), strict source route (copied), end */
    static const uint8_t OPTIONS[16] = {1, 7, 7, 4, 0, 0, 0, 0, 0x89, 7, 4, 192, 0, 2, 1, 0};
    static const uint8_t KEPT[8] = {0x89, 7, 4, 192, 0, 2, 1, 0};
    static const uint8_t LIES[4] = {7, 40, 4, 0};
    uint8_t later[60];
    unsigned count;

    (void)state;
    cut_and_join(2000, OPTIONS, sizeof OPTIONS, 0, 1280, &count, later);
    assert_int_equal(later[0], 0x47);
    assert_memory_equal(later + 20, KEPT, sizeof KEPT);
    cut_and_join(2000, LIES, sizeof LIES, 0, 1280, &count, later);
    assert_int_equal(later[0], 0x45);
}

static void what_may_not_be_cut_is_not(void **state)
{
    struct rte_mbuf *packet = packet_of(1500, NULL, 0, 0x4000), *out[2];

    (void)state;
    assert_false(pkt_may_fragment(packet, L2, 1280)); /* DF */
    rte_pktmbuf_free(packet);
    packet = packet_of(1280, NULL, 0, 0);
    assert_false(pkt_may_fragment(packet, L2, 1280)); /* fits */
    rte_pktmbuf_free(packet);
    packet = packet_of(PACKET_SIZE, NULL, 0, 0);
    assert_int_equal(pkt_fragment(packet, L2, 1280, out, 2), 0); /* more than there is room for */
    rte_pktmbuf_free(packet);
    packet = packet_of(1500, NULL, 0, 8100);
    assert_int_equal(pkt_fragment(packet, L2, 1280, out, 2), 0); /* of a datagram of more than 65535 octets */
    rte_pktmbuf_free(packet);
    assert_int_equal(rte_mempool_avail_count(pool), POOL_SIZE);
}

static void without_buffers_nothing_is_kept(void **state)
{
    struct rte_mbuf *packet = packet_of(PACKET_SIZE, NULL, 0, 0), *taken[POOL_SIZE], *out[PKT_FRAGMENTS_MAX];
    unsigned count = rte_mempool_avail_count(pool) - 4;

    (void)state;
    assert_int_equal(rte_pktmbuf_alloc_bulk(pool, taken, count), 0);
    assert_int_equal(pkt_fragment(packet, L2, 1280, out, PKT_FRAGMENTS_MAX), 0);
    assert_int_equal(rte_mempool_avail_count(pool), 4);
    rte_pktmbuf_free_bulk(taken, count);
    rte_pktmbuf_free(packet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fragments_put_together_are_the_packet), cmocka_unit_test(a_fragment_may_be_cut_again),
        cmocka_unit_test(options_go_where_they_belong),          cmocka_unit_test(what_may_not_be_cut_is_not),
        cmocka_unit_test(without_buffers_nothing_is_kept),
    };
    char words[][16] = {"fragment", "--no-huge", "--no-pci", "-m32", "-l0", "--no-shconf", "--no-telemetry"};
    char *eal[sizeof words / sizeof words[0] + 1] = {NULL};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        eal[i] = words[i];
    cpu_set_t cpus;
    sched_getaffinity(0, sizeof cpus, &cpus);
    if (rte_eal_init(sizeof words / sizeof words[0], eal) < 0)
        return 1;
    sched_setaffinity(0, sizeof cpus, &cpus); /* off core 0, which others may keep busy */
    pool = rte_pktmbuf_pool_create("packets", POOL_SIZE, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    if (pool == NULL)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rte_mempool_free(pool);
    rte_eal_cleanup();
    return failed;
}
