/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For a table of sample packets: cut anywhere, they are malformed and nothing past their end is read (run under ASan,
 * each segment is a heap block of its exact size); split anywhere into segments, they give the same key.
 */
#include "../cm.h"

#include <rte_mbuf.h>
#include <string.h>

#include "frame.h"
#include "packet/parse.h"

static void ipv4_tcp(struct frame *f)
{
    frame_ipv4(f, 6, IPV4_DF, 0);
    frame_tcp(f, 0x12, 12);
}

static void ipv4_options_udp(struct frame *f)
{
    frame_ipv4(f, 17, 0, 24);
    frame_udp(f, 6);
}

static void ipv4_icmp_in_two_tags(struct frame *f)
{
    frame_tag(f, 0x88a8, 0x123);
    frame_tag(f, 0x8100, 0x456);
    frame_ipv4(f, 1, 0, 0);
    frame_icmp(f, 3, 1);
}

static void ipv4_first_fragment(struct frame *f)
{
    frame_ipv4(f, 17, IPV4_MF, 4);
    frame_udp(f, 16);
}

static void ipv4_later_fragment(struct frame *f)
{
    frame_ipv4(f, 17, 77, 0);
    frame_payload(f, 5);
}

static void ipv6_udp_in_a_tag(struct frame *f)
{
    frame_tag(f, 0x8100, 0x123);
    frame_ipv6(f, 17);
    frame_udp(f, 3);
}

static void ipv6_tcp(struct frame *f)
{
    frame_ipv6(f, 6);
    frame_tcp(f, 2, 4);
}

static void ipv6_chain_icmp6(struct frame *f)
{
    frame_ipv6(f, 0);
    frame_extension(f, 60, 1);
    frame_extension(f, 43, 0);
    frame_extension(f, 51, 2);
    frame_ah(f, 44, 3);
    frame_fragment(f, 60, 0, false);
    frame_extension(f, 58, 0);
    frame_icmp(f, 135, 0);
}

static void ipv6_first_fragment(struct frame *f)
{
    frame_ipv6(f, 44);
    frame_fragment(f, 6, 0, true);
    frame_tcp(f, 2, 4);
}

static void ipv6_later_fragment(struct frame *f)
{
    frame_ipv6(f, 60);
    frame_extension(f, 44, 0);
    frame_fragment(f, 17, 185, true);
    frame_payload(f, 16);
}

static void (*const samples[])(struct frame *f) = {
    ipv4_tcp,          ipv4_options_udp, ipv4_icmp_in_two_tags, ipv4_first_fragment, ipv4_later_fragment,
    ipv6_udp_in_a_tag, ipv6_tcp,         ipv6_chain_icmp6,      ipv6_first_fragment, ipv6_later_fragment,
};

#define SAMPLES (sizeof samples / sizeof samples[0])

static void sample_build(struct frame *f, size_t i)
{
    frame_ethernet(f);
    samples[i](f);
    frame_end(f);
}

static void every_sample_is_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct frame f;
        sample_build(&f, i);
        assert_int_equal(parse_frame(&f).malformed, PKT_SOUND);
    }
}

static void a_frame_cut_anywhere_is_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct frame f;
        sample_build(&f, i);
        for (size_t len = 0; len < f.len; len++) {
            struct pkt_key key = parse_octets(f.octets, len);
            assert_int_not_equal(key.malformed, PKT_SOUND);
            assert_int_equal(key.has, 0);
        }
    }
}

/* The frame is whole but the IP length says less: what lies behind the IP packet's end must not be taken for headers.
 */
static void an_ip_length_inside_the_headers_is_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct frame f;
        sample_build(&f, i);
        bool later = parse_frame(&f).fragment & PKT_FRAGMENT_IS;
        size_t least = f.octets[f.l3] >> 4 == 4 ? (f.octets[f.l3] & 15) * 4u : 40u;
        size_t headers = later ? f.l4 - f.l3 + 1 : f.l4 - f.l3 + 4; /* each upper layer here has 4 octets at least */
        for (size_t length = least; length < headers; length++) {
            frame_set_length(&f, length);
            struct pkt_key key = parse_frame(&f);
            assert_int_not_equal(key.malformed, PKT_SOUND);
            assert_int_equal(key.has, 0);
        }
    }
}

/* And when frame and IP length are both short, they agree, and only the inner headers are cut. */
static void a_packet_that_ends_inside_its_headers_is_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct frame f;
        sample_build(&f, i);
        bool later = parse_frame(&f).fragment & PKT_FRAGMENT_IS;
        size_t least = f.octets[f.l3] >> 4 == 4 ? (f.octets[f.l3] & 15) * 4u : 40u;
        size_t end = later ? f.l4 + 1 : f.l4 + 4;
        for (size_t len = f.l3 + least; len < end; len++) {
            frame_set_length(&f, len - f.l3);
            assert_int_not_equal(parse_octets(f.octets, len).malformed, PKT_SOUND);
        }
    }
}

static void assert_cut_gives(const struct frame *f, const size_t *cuts, size_t count, const struct pkt_key *want)
{
    struct rte_mbuf *mbuf = mbuf_cut(f->octets, f->len, cuts, count);
    struct pkt_key key;

    memset(&key, 0xff, sizeof key);
    pkt_parse(mbuf, &key);
    assert_memory_equal(&key, want, sizeof key);
    mbuf_free(mbuf);
}

static void every_split_into_segments_gives_the_same_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct frame f;
        sample_build(&f, i);
        struct pkt_key want = parse_frame(&f);
        for (size_t cut = 0; cut < f.len; cut++) {
            assert_cut_gives(&f, &cut, 1, &want);
            for (size_t width = 0; width < 9; width++) { /* a small segment in the middle, or an empty one */
                const size_t pair[] = {cut, cut + width};
                assert_cut_gives(&f, pair, 2, &want);
            }
        }
    }
}

static void one_octet_a_segment_gives_the_same_key(void **state)
{
    size_t cuts[512];

    (void)state;
    for (size_t i = 0; i < 512; i++)
        cuts[i] = i + 1;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct frame f;
        sample_build(&f, i);
        struct pkt_key want = parse_frame(&f);
        assert_true(f.len <= 512);
        assert_cut_gives(&f, cuts, f.len - 1, &want);
    }
}

static void every_octet_may_be_anything_without_a_read_past_the_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct frame f;
        sample_build(&f, i);
        for (size_t at = 12; at < f.len; at++)
            for (unsigned value = 0; value < 256; value += 15) {
                uint8_t kept = f.octets[at];
                f.octets[at] = (uint8_t)value;
                struct pkt_key key = parse_frame(&f);
                assert_true(key.malformed < PKT_MALFORMED_COUNT);
                assert_true(key.malformed != PKT_SOUND || key.family == IP_NONE || key.l3_offset + key.length <= f.len);
                f.octets[at] = kept;
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_is_sound),
        cmocka_unit_test(a_frame_cut_anywhere_is_malformed),
        cmocka_unit_test(an_ip_length_inside_the_headers_is_malformed),
        cmocka_unit_test(a_packet_that_ends_inside_its_headers_is_malformed),
        cmocka_unit_test(every_split_into_segments_gives_the_same_key),
        cmocka_unit_test(one_octet_a_segment_gives_the_same_key),
        cmocka_unit_test(every_octet_may_be_anything_without_a_read_past_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
