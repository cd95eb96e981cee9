/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include <string.h>

#include <rte_mbuf.h>

#include "frame.h"
#include "packet/parse.h"
#include "packet/rewrite.h"

/* RFC 1071: a sound header, its checksum included, sums up to all ones. */
static uint16_t ones_sum(const uint8_t *octets, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i += 2)
        sum += (uint32_t)(octets[i] << 8 | octets[i + 1]);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static void build(struct frame *f, bool v6, unsigned tags)
{
    frame_ethernet(f);
    for (unsigned i = 0; i < tags; i++)
        frame_tag(f, 0x8100, (uint16_t)(7 + i));
    if (v6)
        frame_ipv6(f, 17);
    else
        frame_ipv4(f, 17, IPV4_DF, 8);
    frame_udp(f, 20);
    frame_end(f);
}

static void set_checksum(struct frame *f)
{
    frame_u16(f, f->l3 + 10, 0);
    frame_u16(f, f->l3 + 10, (uint16_t)~ones_sum(f->octets + f->l3, (f->octets[f->l3] & 15u) * 4));
}

/* Marks the frame as cut at `cut`, and reads it back. */
static void mark(struct frame *f, size_t cut, uint8_t dscp)
{
    struct rte_mbuf *mbuf = mbuf_cut(f->octets, f->len, &cut, 1);
    struct pkt_key key;
    uint8_t spare[sizeof f->octets];

    pkt_parse(mbuf, &key);
    assert_int_equal(key.malformed, PKT_SOUND);
    pkt_set_dscp(mbuf, &key, dscp);
    memcpy(f->octets, rte_pktmbuf_read(mbuf, 0, (uint32_t)f->len, spare), f->len);
    mbuf_free(mbuf);
}

static void the_dscp_changes_and_nothing_else(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 6; round++) {
        struct frame before, after;
        bool v6 = round % 2;
        build(&before, v6, round / 2);
        if (!v6)
            set_checksum(&before);
        for (size_t cut = 0; cut <= before.l4; cut++) {
            after = before;
            mark(&after, cut, 10);
            assert_int_equal(parse_frame(&after).dscp, 10);
            struct frame expected = before;
            uint8_t *ip = expected.octets + expected.l3;
            if (v6) {
                ip[0] = 0x60 | 10 >> 2;
                ip[1] = (uint8_t)((ip[1] & 0x3f) | (10 & 3) << 6);
            } else {
                ip[1] = 10 << 2 | 3; /* ECN as it was */
                set_checksum(&expected);
            }
            assert_memory_equal(after.octets, expected.octets, before.len);
        }
    }
}

/* Upwards and downwards, over headers whose checksum takes every value. */
static void the_checksum_is_right_for_every_change(void **state)
{
    (void)state;
    for (uint32_t id = 0; id < 0x10000; id++) {
        for (unsigned from = 0; from < 64; from += 43) {
            struct frame f;
            build(&f, false, 0);
            f.octets[f.l3 + 1] = (uint8_t)(from << 2 | 2);
            frame_u16(&f, f.l3 + 4, (uint16_t)id);
            set_checksum(&f);
            mark(&f, f.len, (uint8_t)(63 - from));
            assert_int_equal(ones_sum(f.octets + f.l3, 28), 0xffff);
            assert_int_equal(f.octets[f.l3 + 1], (63 - from) << 2 | 2);
        }
    }
}

static void a_checksum_that_was_wrong_stays_wrong(void **state)
{
    struct frame f;

    (void)state;
    build(&f, false, 0);
    set_checksum(&f);
    f.octets[f.l3 + 11] ^= 0x40;
    mark(&f, f.len, 10);
    assert_int_not_equal(ones_sum(f.octets + f.l3, 28), 0xffff);
}

static void the_same_dscp_writes_nothing(void **state)
{
    struct frame before, after;

    (void)state;
    build(&before, false, 0);
    frame_u16(&before, before.l3 + 10, 0xffff); /* RFC 1624 would write another form of zero */
    after = before;
    mark(&after, 20, FRAME_DSCP);
    assert_memory_equal(after.octets, before.octets, before.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_dscp_changes_and_nothing_else),
        cmocka_unit_test(the_checksum_is_right_for_every_change),
        cmocka_unit_test(a_checksum_that_was_wrong_stays_wrong),
        cmocka_unit_test(the_same_dscp_writes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
