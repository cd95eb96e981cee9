/* SPDX-License-Identifier: BSD-3-Clause */
/* What sound packets turn into. */
#include "../cm.h"

#include <rte_mbuf.h>
#include <string.h>

#include "frame.h"
#include "packet/parse.h"

static void assert_ipv4_fields(const struct pkt_key *key, const struct frame *f)
{
    assert_int_equal(key->malformed, PKT_SOUND);
    assert_int_equal(key->family, IP_V4);
    assert_memory_equal(key->src, "\xc0\x00\x02\x01\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    assert_memory_equal(key->dst, "\xcb\x00\x71\x07\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    assert_int_equal(key->dscp, FRAME_DSCP);
    assert_int_equal(key->flow_label, 0);
    assert_int_equal(key->length, f->len - f->l3);
    assert_int_equal(key->l3_offset, f->l3);
    assert_int_equal(key->l4_offset, f->l4);
}

static void assert_ipv6_fields(const struct pkt_key *key, const struct frame *f)
{
    assert_int_equal(key->malformed, PKT_SOUND);
    assert_int_equal(key->family, IP_V6);
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(key->src[i], 0x20 + i);
        assert_int_equal(key->dst[i], 0x30 + i);
    }
    assert_int_equal(key->dscp, FRAME_DSCP);
    assert_int_equal(key->flow_label, FRAME_FLOW_LABEL);
    assert_int_equal(key->length, f->len - f->l3);
    assert_int_equal(key->l3_offset, f->l3);
    assert_int_equal(key->l4_offset, f->l4);
}

/* conforms: RFC 8955 proves 4.2.2.10-2 */
static void ipv4_udp_gives_addresses_ports_length_and_dscp(void **state)
{
    struct frame f;

    (void)state;
    frame_ethernet(&f);
    frame_ipv4(&f, 17, 0, 0);
    frame_udp(&f, 30);
    frame_end(&f);
    struct pkt_key key = parse_frame(&f);
    assert_ipv4_fields(&key, &f);
    assert_int_equal(key.protocol, 17);
    assert_int_equal(key.has, PKT_HAS_PORTS);
    assert_int_equal(key.src_port, FRAME_SRC_PORT);
    assert_int_equal(key.dst_port, FRAME_DST_PORT);
    assert_int_equal(key.fragment, 0);
    assert_int_equal(key.vlan, 0);
    assert_int_equal(key.l3_offset, 14);
}

static void ipv4_tcp_gives_twelve_flag_bits_without_the_data_offset(void **state)
{
    struct frame f;

    (void)state;
    frame_ethernet(&f);
    frame_ipv4(&f, 6, IPV4_DF, 0);
    frame_tcp(&f, 0xfff, 12);
    frame_payload(&f, 5);
    frame_end(&f);
    struct pkt_key key = parse_frame(&f);
    assert_ipv4_fields(&key, &f);
    assert_int_equal(key.has, PKT_HAS_PORTS | PKT_HAS_TCP_FLAGS);
    assert_int_equal(key.tcp_flags, 0xfff);
    assert_int_equal(key.src_port, FRAME_SRC_PORT);
    assert_int_equal(key.dst_port, FRAME_DST_PORT);
    assert_int_equal(key.fragment, PKT_FRAGMENT_DF);
    frame_u16(&f, f.l4 + 12, 0x8112);
    assert_int_equal(parse_frame(&f).tcp_flags, 0x112);
}

static void ipv4_options_move_the_upper_layer(void **state)
{
    (void)state;
    for (size_t options = 4; options <= 40; options += 4) {
        struct frame f;
        frame_ethernet(&f);
        frame_ipv4(&f, 17, 0, options);
        frame_udp(&f, 1);
        frame_end(&f);
        struct pkt_key key = parse_frame(&f);
        assert_ipv4_fields(&key, &f);
        assert_int_equal(key.dst_port, FRAME_DST_PORT);
    }
}

/* conforms: RFC 8956 proves 3.4-2 */
static void icmp_is_found_in_its_own_family_only(void **state)
{
    const struct {
        unsigned family;
        uint8_t protocol;
        bool found;
    } cases[] = {{4, 1, true}, {4, 58, false}, {6, 58, true}, {6, 1, false}};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct frame f;
        frame_ethernet(&f);
        if (cases[i].family == 4)
            frame_ipv4(&f, cases[i].protocol, 0, 0);
        else
            frame_ipv6(&f, cases[i].protocol);
        frame_icmp(&f, 8, 3);
        frame_end(&f);
        struct pkt_key key = parse_frame(&f);
        assert_int_equal(key.malformed, PKT_SOUND);
        assert_int_equal(key.has, cases[i].found ? PKT_HAS_ICMP : 0);
        assert_int_equal(key.icmp_type, cases[i].found ? 8 : 0);
        assert_int_equal(key.icmp_code, cases[i].found ? 3 : 0);
    }
}

static void other_protocols_are_sound_without_an_upper_layer(void **state)
{
    const uint8_t protocols[] = {2, 47, 50, 51, 89, 132, 136, 255};

    (void)state;
    for (size_t i = 0; i < sizeof protocols; i++)
        for (size_t payload = 0; payload < 3; payload++) {
            struct frame f;
            frame_ethernet(&f);
            frame_ipv4(&f, protocols[i], 0, 0);
            frame_payload(&f, payload);
            frame_end(&f);
            struct pkt_key key = parse_frame(&f);
            assert_ipv4_fields(&key, &f);
            assert_int_equal(key.protocol, protocols[i]);
            assert_int_equal(key.has, 0);
        }
}

static void ipv6_gives_addresses_flow_label_and_length_with_the_header(void **state)
{
    struct frame f;

    (void)state;
    frame_ethernet(&f);
    frame_ipv6(&f, 6);
    frame_tcp(&f, 2, 0);
    frame_payload(&f, 9);
    frame_end(&f);
    struct pkt_key key = parse_frame(&f);
    assert_ipv6_fields(&key, &f);
    assert_int_equal(key.length, 40 + 20 + 9);
    assert_int_equal(key.protocol, 6);
    assert_int_equal(key.tcp_flags, 2);
    assert_int_equal(key.has, PKT_HAS_PORTS | PKT_HAS_TCP_FLAGS);
    assert_int_equal(key.dst_port, FRAME_DST_PORT);
}

/* conforms: RFC 8956 proves 3.3-1 */
static void each_extension_header_is_walked_to_the_upper_layer(void **state)
{
    const uint8_t walked[] = {0, 43, 60};

    (void)state;
    for (size_t i = 0; i < sizeof walked; i++)
        for (unsigned units = 0; units < 256; units += 85) {
            struct frame f;
            frame_ethernet(&f);
            frame_ipv6(&f, walked[i]);
            frame_extension(&f, 17, (uint8_t)units);
            frame_udp(&f, 4);
            frame_end(&f);
            struct pkt_key key = parse_frame(&f);
            assert_ipv6_fields(&key, &f);
            assert_int_equal(key.protocol, 17);
            assert_int_equal(key.src_port, FRAME_SRC_PORT);
        }
}

static void the_authentication_header_counts_in_words_of_four(void **state)
{
    (void)state;
    for (unsigned words = 1; words < 256; words += 127) {
        struct frame f;
        frame_ethernet(&f);
        frame_ipv6(&f, 51);
        frame_ah(&f, 6, (uint8_t)words);
        frame_tcp(&f, 0x10, 0);
        frame_end(&f);
        struct pkt_key key = parse_frame(&f);
        assert_ipv6_fields(&key, &f);
        assert_int_equal(key.protocol, 6);
        assert_int_equal(key.tcp_flags, 0x10);
    }
}

/* conforms: RFC 8956 proves 3.3-1 */
static void a_chain_of_all_extension_headers_is_walked(void **state)
{
    struct frame f;

    (void)state;
    frame_ethernet(&f);
    frame_ipv6(&f, 0);
    frame_extension(&f, 60, 0);
    frame_extension(&f, 43, 1);
    frame_extension(&f, 44, 2);
    frame_fragment(&f, 51, 0, true);
    frame_ah(&f, 60, 4);
    frame_extension(&f, 58, 0);
    frame_icmp(&f, 128, 0);
    frame_payload(&f, 8);
    frame_end(&f);
    struct pkt_key key = parse_frame(&f);
    assert_ipv6_fields(&key, &f);
    assert_int_equal(key.protocol, 58);
    assert_int_equal(key.has, PKT_HAS_ICMP);
    assert_int_equal(key.icmp_type, 128);
    assert_int_equal(key.fragment, PKT_FRAGMENT_FIRST);
}

static void esp_no_next_header_and_unknown_ones_end_the_walk(void **state)
{
    const uint8_t last[] = {50, 59, 135, 139, 140, 253, 255};

    (void)state;
    for (size_t i = 0; i < sizeof last; i++) {
        struct frame f;
        frame_ethernet(&f);
        frame_ipv6(&f, 60);
        frame_extension(&f, last[i], 0);
        frame_end(&f);
        struct pkt_key key = parse_frame(&f);
        assert_ipv6_fields(&key, &f);
        assert_int_equal(key.protocol, last[i]);
        assert_int_equal(key.has, 0);
    }
}

static void a_payload_length_of_zero_is_an_empty_packet(void **state)
{
    struct frame f;

    (void)state;
    frame_ethernet(&f);
    frame_ipv6(&f, 59);
    frame_end(&f);
    struct pkt_key key = parse_frame(&f);
    assert_ipv6_fields(&key, &f);
    assert_int_equal(key.length, 40);
}

/* RFC 8955 4.2.2.12 */
/* conforms: RFC 8955 proves 4.2.2.12-4 */
static void ipv4_fragments_carry_their_bits(void **state)
{
    const struct {
        uint16_t field;
        uint8_t bits;
        bool ports;
    } cases[] = {
        {0, 0, true},
        {IPV4_DF, PKT_FRAGMENT_DF, true},
        {0x8000, 0, true}, /* the reserved flag */
        {IPV4_MF, PKT_FRAGMENT_FIRST, true},
        {IPV4_MF | IPV4_DF, PKT_FRAGMENT_FIRST | PKT_FRAGMENT_DF, true},
        {IPV4_MF | 1, PKT_FRAGMENT_IS, false},
        {IPV4_MF | 0x1000, PKT_FRAGMENT_IS, false},
        {1, PKT_FRAGMENT_IS | PKT_FRAGMENT_LAST, false},
        {0x1000 | IPV4_DF, PKT_FRAGMENT_IS | PKT_FRAGMENT_LAST | PKT_FRAGMENT_DF, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct frame f;
        frame_ethernet(&f);
        frame_ipv4(&f, 17, cases[i].field, 0);
        size_t l4 = f.l4;
        frame_udp(&f, 8);
        f.l4 = l4;
        frame_end(&f);
        struct pkt_key key = parse_frame(&f);
        assert_ipv4_fields(&key, &f);
        assert_int_equal(key.fragment, cases[i].bits);
        assert_int_equal(key.protocol, 17);
        assert_int_equal(key.has, cases[i].ports ? PKT_HAS_PORTS : 0);
        assert_int_equal(key.src_port, cases[i].ports ? FRAME_SRC_PORT : 0);
    }
}

/* RFC 8956 3.6; RFC 6946: offset 0 without more to come is a whole packet */
static void ipv6_fragments_carry_their_bits(void **state)
{
    const struct {
        uint16_t offset;
        bool more;
        uint8_t bits;
        bool ports;
    } cases[] = {
        {0, false, 0, true},
        {0, true, PKT_FRAGMENT_FIRST, true},
        {1, true, PKT_FRAGMENT_IS, false},
        {0x1ff0, false, PKT_FRAGMENT_IS | PKT_FRAGMENT_LAST, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct frame f;
        frame_ethernet(&f);
        frame_ipv6(&f, 44);
        frame_fragment(&f, 17, cases[i].offset, cases[i].more);
        frame_udp(&f, 8);
        frame_end(&f);
        struct pkt_key key = parse_frame(&f);
        assert_ipv6_fields(&key, &f);
        assert_int_equal(key.fragment, cases[i].bits);
        assert_int_equal(key.protocol, 17);
        assert_int_equal(key.has, cases[i].ports ? PKT_HAS_PORTS : 0);
        assert_int_equal(key.dst_port, cases[i].ports ? FRAME_DST_PORT : 0);
    }
}

static void a_later_fragment_is_not_walked_beyond_its_header(void **state)
{
    struct frame f;

    (void)state;
    frame_ethernet(&f);
    frame_ipv6(&f, 44);
    frame_fragment(&f, 60, 100, true);
    frame_payload(&f, 8); /* would be an extension header of (0x81 + 1) * 8 octets */
    frame_end(&f);
    struct pkt_key key = parse_frame(&f);
    assert_ipv6_fields(&key, &f);
    assert_int_equal(key.protocol, 60);
    assert_int_equal(key.has, 0);
}

static void the_first_fragment_may_hold_less_than_its_udp_length_says(void **state)
{
    struct frame f;

    (void)state;
    frame_ethernet(&f);
    frame_ipv4(&f, 17, IPV4_MF, 0);
    frame_udp(&f, 0);
    frame_u16(&f, f.l4 + 4, 4000);
    frame_end(&f);
    struct pkt_key key = parse_frame(&f);
    assert_ipv4_fields(&key, &f);
    assert_int_equal(key.has, PKT_HAS_PORTS);
}

/* RFC 1858 3.2.1 */
static void an_ipv4_first_fragment_may_end_after_the_tcp_flags(void **state)
{
    struct frame f;

    (void)state;
    frame_ethernet(&f);
    frame_ipv4(&f, 6, IPV4_MF, 0);
    frame_tcp(&f, 2, 20);
    f.len = f.l4 + 16;
    frame_end(&f);
    struct pkt_key key = parse_frame(&f);
    assert_ipv4_fields(&key, &f);
    assert_int_equal(key.has, PKT_HAS_PORTS | PKT_HAS_TCP_FLAGS);
    assert_int_equal(key.tcp_flags, 2);
}

static void vlan_tags_are_skipped_and_the_outer_one_kept(void **state)
{
    const uint16_t tpids[] = {0x8100, 0x88a8, 0x9100};

    (void)state;
    for (size_t outer = 0; outer < 3; outer++)
        for (size_t inner = 0; inner < 4; inner++) {
            struct frame f;
            frame_ethernet(&f);
            frame_tag(&f, tpids[outer], 0xe123); /* priority 7 is not part of the id */
            if (inner < 3)
                frame_tag(&f, tpids[inner], 0x0456);
            frame_ipv4(&f, 17, 0, 0);
            frame_udp(&f, 0);
            frame_end(&f);
            struct pkt_key key = parse_frame(&f);
            assert_ipv4_fields(&key, &f);
            assert_int_equal(key.vlan, 0x123);
            assert_int_equal(key.l3_offset, inner < 3 ? 22 : 18);
            assert_int_equal(key.dst_port, FRAME_DST_PORT);
        }
}

static void a_tag_that_the_port_took_off_still_names_the_vlan(void **state)
{
    struct pkt_key key;
    struct frame f;

    (void)state;
    frame_ethernet(&f);
    frame_tag(&f, 0x8100, 0x0456);
    frame_ipv4(&f, 17, 0, 0);
    frame_udp(&f, 0);
    frame_end(&f);
    struct rte_mbuf *mbuf = mbuf_cut(f.octets, f.len, NULL, 0);
    mbuf->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
    mbuf->vlan_tci = 0x6123;
    pkt_parse(mbuf, &key);
    assert_ipv4_fields(&key, &f);
    assert_int_equal(key.vlan, 0x123);
    mbuf->ol_flags |= RTE_MBUF_F_RX_QINQ | RTE_MBUF_F_RX_QINQ_STRIPPED;
    mbuf->vlan_tci_outer = 0x0789;
    pkt_parse(mbuf, &key);
    assert_int_equal(key.vlan, 0x789);
    mbuf_free(mbuf);
}

static void what_is_not_ip_is_sound_and_of_no_family(void **state)
{
    const uint16_t ethertypes[] = {0x0806, 0x8847, 0x88cc, 0x0026, 0x05dc, 0x8100};

    (void)state;
    for (size_t i = 0; i < sizeof ethertypes / sizeof ethertypes[0]; i++)
        for (unsigned tags = 0; tags <= 2; tags += 2) { /* a third tag is not taken for IP either */
            struct frame f;
            if (ethertypes[i] == 0x8100 && tags < 2)
                continue;
            frame_ethernet(&f);
            for (unsigned tag = 0; tag < tags; tag++)
                frame_tag(&f, 0x8100, 5);
            size_t at = f.len;
            frame_payload(&f, 30);
            frame_u16(&f, at, ethertypes[i]);
            struct pkt_key key = parse_frame(&f);
            assert_int_equal(key.malformed, PKT_SOUND);
            assert_int_equal(key.family, IP_NONE);
            assert_int_equal(key.has, 0);
            assert_int_equal(key.vlan, tags ? 5 : 0);
        }
}

static void ethernet_padding_is_not_part_of_the_packet(void **state)
{
    struct frame f;

    (void)state;
    frame_ethernet(&f);
    frame_ipv4(&f, 17, 0, 0);
    frame_udp(&f, 2);
    frame_end(&f);
    struct pkt_key bare = parse_frame(&f);
    frame_payload(&f, 16);
    struct pkt_key padded = parse_frame(&f);
    assert_int_equal(padded.malformed, PKT_SOUND);
    assert_int_equal(padded.length, 30);
    assert_memory_equal(&bare, &padded, sizeof bare);
}

static void a_burst_gives_the_same_keys_as_one_by_one(void **state)
{
    struct rte_mbuf *mbufs[9];
    struct pkt_key keys[9];
    struct frame f[9];

    (void)state;
    for (unsigned count = 0; count <= 9; count++) {
        for (unsigned i = 0; i < count; i++) {
            frame_ethernet(&f[i]);
            frame_ipv4(&f[i], 17, 0, 4 * (i % 4));
            frame_udp(&f[i], i);
            frame_end(&f[i]);
            mbufs[i] = mbuf_cut(f[i].octets, f[i].len, NULL, 0);
        }
        pkt_parse_burst(mbufs, keys, count);
        for (unsigned i = 0; i < count; i++) {
            struct pkt_key one = parse_frame(&f[i]);
            assert_memory_equal(&keys[i], &one, sizeof one);
            assert_ipv4_fields(&keys[i], &f[i]);
            mbuf_free(mbufs[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_udp_gives_addresses_ports_length_and_dscp),
        cmocka_unit_test(ipv4_tcp_gives_twelve_flag_bits_without_the_data_offset),
        cmocka_unit_test(ipv4_options_move_the_upper_layer),
        cmocka_unit_test(icmp_is_found_in_its_own_family_only),
        cmocka_unit_test(other_protocols_are_sound_without_an_upper_layer),
        cmocka_unit_test(ipv6_gives_addresses_flow_label_and_length_with_the_header),
        cmocka_unit_test(each_extension_header_is_walked_to_the_upper_layer),
        cmocka_unit_test(the_authentication_header_counts_in_words_of_four),
        cmocka_unit_test(a_chain_of_all_extension_headers_is_walked),
        cmocka_unit_test(esp_no_next_header_and_unknown_ones_end_the_walk),
        cmocka_unit_test(a_payload_length_of_zero_is_an_empty_packet),
        cmocka_unit_test(ipv4_fragments_carry_their_bits),
        cmocka_unit_test(ipv6_fragments_carry_their_bits),
        cmocka_unit_test(a_later_fragment_is_not_walked_beyond_its_header),
        cmocka_unit_test(the_first_fragment_may_hold_less_than_its_udp_length_says),
        cmocka_unit_test(an_ipv4_first_fragment_may_end_after_the_tcp_flags),
        cmocka_unit_test(vlan_tags_are_skipped_and_the_outer_one_kept),
        cmocka_unit_test(a_tag_that_the_port_took_off_still_names_the_vlan),
        cmocka_unit_test(what_is_not_ip_is_sound_and_of_no_family),
        cmocka_unit_test(ethernet_padding_is_not_part_of_the_packet),
        cmocka_unit_test(a_burst_gives_the_same_keys_as_one_by_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
