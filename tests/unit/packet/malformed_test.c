/* SPDX-License-Identifier: BSD-3-Clause */
/* Each lie a packet can tell, and the word for it. */
#include "../cm.h"

#include <ctype.h>

#include "frame.h"
#include "packet/parse.h"

static void start_ipv4(struct frame *f, uint8_t protocol, uint16_t fragment, size_t options)
{
    frame_ethernet(f);
    frame_ipv4(f, protocol, fragment, options);
}

static void start_ipv6(struct frame *f, uint8_t next)
{
    frame_ethernet(f);
    frame_ipv6(f, next);
}

static void assert_reason(const struct frame *f, enum pkt_malformed reason)
{
    struct pkt_key key = parse_frame(f);

    assert_string_equal(pkt_malformed_word(key.malformed), pkt_malformed_word(reason));
    if (reason != PKT_SOUND)
        assert_int_equal(key.has, 0); /* nothing of a header that was refused */
}

static void a_frame_below_its_ethernet_or_vlan_header(void **state)
{
    struct frame f;

    (void)state;
    frame_ethernet(&f);
    for (f.len = 0; f.len < 14; f.len++)
        assert_reason(&f, PKT_BAD_ETHERNET);
    f.len = 12;
    frame_tag(&f, 0x88a8, 1);
    frame_tag(&f, 0x8100, 2);
    frame_payload(&f, 2);
    for (f.len = 14; f.len < 22; f.len++) /* the first EtherType says that a tag follows, the second too */
        assert_reason(&f, PKT_BAD_ETHERNET);
    assert_reason(&f, PKT_SOUND);
}

static void a_version_that_is_not_the_ethertypes(void **state)
{
    (void)state;
    for (unsigned version = 0; version < 16; version++) {
        struct frame f;
        start_ipv4(&f, 47, 0, 20); /* 40 octets: long enough for either header */
        frame_end(&f);
        f.octets[f.l3] = (uint8_t)(version << 4 | (f.octets[f.l3] & 0x0f));
        assert_reason(&f, version == 4 ? PKT_SOUND : PKT_BAD_IP_VERSION);
        start_ipv6(&f, 59);
        frame_end(&f);
        f.octets[f.l3] = (uint8_t)(version << 4);
        assert_reason(&f, version == 6 ? PKT_SOUND : PKT_BAD_IP_VERSION);
    }
}

static void an_ipv4_header_shorter_than_five_words_or_than_it_says(void **state)
{
    (void)state;
    for (unsigned ihl = 0; ihl < 16; ihl++) {
        struct frame f;
        start_ipv4(&f, 47, 0, 16); /* nine words are there */
        frame_end(&f);
        f.octets[f.l3] = (uint8_t)(0x40 | ihl);
        assert_reason(&f, ihl < 5 || ihl > 9 ? PKT_BAD_IP_HEADER : PKT_SOUND);
    }
}

static void an_ipv4_length_below_its_header_or_beyond_the_frame(void **state)
{
    struct frame f;

    (void)state;
    start_ipv4(&f, 47, 0, 8);
    frame_payload(&f, 10);
    for (size_t length = 0; length <= 65535; length += length < 60 ? 1 : 1009) {
        frame_set_length(&f, length);
        assert_reason(&f, length < 28 || length > 38 ? PKT_BAD_IP_LENGTH : PKT_SOUND);
    }
}

static void an_ipv6_length_beyond_the_frame(void **state)
{
    struct frame f;

    (void)state;
    start_ipv6(&f, 59);
    frame_payload(&f, 10);
    for (size_t payload = 0; payload <= 65535; payload += payload < 20 ? 1 : 1009) {
        frame_set_length(&f, 40 + payload);
        assert_reason(&f, payload > 10 ? PKT_BAD_IP_LENGTH : PKT_SOUND);
    }
}

static void an_extension_header_cut_short(void **state)
{
    const uint8_t headers[] = {0, 43, 44, 51, 60};

    (void)state;
    for (size_t i = 0; i < sizeof headers; i++) {
        struct frame f;
        start_ipv6(&f, headers[i]);
        frame_extension(&f, 59, 1); /* as AH: (1 + 2) * 4; as a Fragment header: 8 octets, then payload */
        size_t whole = headers[i] == 44 ? 8 : headers[i] == 51 ? 12 : 16;
        frame_payload(&f, 8); /* the frame goes on: the IP packet's own end is what counts */
        for (size_t payload = 0; payload < 24; payload++) {
            frame_set_length(&f, 40 + payload);
            assert_reason(&f, payload < whole ? PKT_BAD_EXTENSION : PKT_SOUND);
        }
    }
}

static void an_authentication_header_below_its_fixed_fields(void **state)
{
    struct frame f;

    (void)state;
    start_ipv6(&f, 51);
    frame_ah(&f, 59, 0);
    frame_payload(&f, 8);
    frame_end(&f);
    assert_reason(&f, PKT_BAD_EXTENSION);
}

static void more_extension_headers_than_are_walked(void **state)
{
    (void)state;
    for (unsigned count = 1; count <= PKT_EXTENSIONS_MAX + 2; count++) {
        struct frame f;
        start_ipv6(&f, 60);
        for (unsigned i = 1; i < count; i++)
            frame_extension(&f, 60, 0);
        frame_extension(&f, 17, 0);
        frame_udp(&f, 0);
        frame_end(&f);
        assert_reason(&f, count <= PKT_EXTENSIONS_MAX ? PKT_SOUND : PKT_BAD_EXTENSION);
    }
}

static void a_jumbogram_that_no_port_can_carry(void **state)
{
    struct frame f;

    (void)state;
    start_ipv6(&f, 0);
    frame_extension(&f, 17, 0);
    f.octets[f.l4 - 6] = 0xc2; /* Jumbo Payload, RFC 2675 2 */
    f.octets[f.l4 - 5] = 4;
    frame_udp(&f, 0);
    frame_set_length(&f, 40);
    assert_reason(&f, PKT_BAD_EXTENSION);
}

static void an_ipv4_fragment_that_is_empty_or_ends_between_eights(void **state)
{
    (void)state;
    for (size_t payload = 0; payload <= 24; payload++) {
        struct frame f;
        start_ipv4(&f, 47, IPV4_MF | 2, 0);
        frame_payload(&f, payload);
        frame_end(&f);
        assert_reason(&f, payload == 0 || payload % 8 ? PKT_BAD_FRAGMENT : PKT_SOUND);
        start_ipv4(&f, 47, 2, 0); /* the last one ends where it likes */
        frame_payload(&f, payload);
        frame_end(&f);
        assert_reason(&f, payload == 0 ? PKT_BAD_FRAGMENT : PKT_SOUND);
    }
}

static void an_ipv6_fragment_that_is_empty_or_ends_between_eights(void **state)
{
    (void)state;
    for (size_t payload = 0; payload <= 24; payload++) {
        struct frame f;
        start_ipv6(&f, 44);
        frame_fragment(&f, 47, 2, true);
        frame_payload(&f, payload);
        frame_end(&f);
        assert_reason(&f, payload == 0 || payload % 8 ? PKT_BAD_FRAGMENT : PKT_SOUND);
        start_ipv6(&f, 44);
        frame_fragment(&f, 47, 2, false);
        frame_payload(&f, payload);
        frame_end(&f);
        assert_reason(&f, payload == 0 ? PKT_BAD_FRAGMENT : PKT_SOUND);
    }
}

static void a_fragment_that_ends_beyond_65535_octets(void **state)
{
    struct frame f;

    (void)state;
    for (size_t payload = 1; payload <= 40; payload++) {
        /* 20 octets of header, then 8188 * 8 = 65504: 11 octets are left to 65535 */
        start_ipv4(&f, 47, 8188, 0);
        frame_payload(&f, payload);
        frame_end(&f);
        assert_reason(&f, payload > 11 ? PKT_BAD_FRAGMENT : PKT_SOUND);
        /* an IPv6 payload length counts no header, but the 16 octets of extension headers before the fragment's */
        start_ipv6(&f, 60);
        frame_extension(&f, 44, 1);
        frame_fragment(&f, 47, 8188, false);
        frame_payload(&f, payload);
        frame_end(&f);
        assert_reason(&f, payload > 15 ? PKT_BAD_FRAGMENT : PKT_SOUND);
    }
}

static void a_fragment_of_a_fragment(void **state)
{
    struct frame f;

    (void)state;
    start_ipv6(&f, 44);
    frame_fragment(&f, 44, 0, true);
    frame_fragment(&f, 17, 10, false);
    frame_udp(&f, 0);
    frame_end(&f);
    assert_reason(&f, PKT_BAD_FRAGMENT);
    start_ipv6(&f, 44); /* atomic ones are whole packets, in any number */
    frame_fragment(&f, 44, 0, false);
    frame_fragment(&f, 17, 0, true);
    frame_udp(&f, 8);
    frame_end(&f);
    assert_reason(&f, PKT_SOUND);
}

/* RFC 1858 3.2.2, RFC 3128 */
static void a_tcp_fragment_that_would_overwrite_the_flags(void **state)
{
    (void)state;
    for (uint16_t offset = 1; offset < 4; offset++) {
        struct frame f;
        start_ipv4(&f, 6, IPV4_MF | offset, 0);
        frame_payload(&f, 16);
        frame_end(&f);
        assert_reason(&f, offset == 1 ? PKT_BAD_FRAGMENT : PKT_SOUND);
        f.octets[f.l3 + 9] = 17;
        assert_reason(&f, PKT_SOUND);
    }
}

static void a_tcp_header_cut_short_or_with_a_lying_data_offset(void **state)
{
    (void)state;
    for (unsigned family = 4; family <= 6; family += 2)
        for (unsigned words = 0; words < 16; words++) {
            struct frame f;
            if (family == 4)
                start_ipv4(&f, 6, 0, 0);
            else
                start_ipv6(&f, 6);
            frame_tcp(&f, 2, 8);
            frame_u16(&f, f.l4 + 12, (uint16_t)(words << 12));
            frame_end(&f);
            assert_reason(&f, words < 5 || words > 7 ? PKT_BAD_L4_HEADER : PKT_SOUND);
        }
}

/* RFC 1858 3.2.1 for IPv4; IPv6 first fragments hold the whole header (RFC 7112) */
static void a_first_fragment_too_small_for_its_tcp_header(void **state)
{
    (void)state;
    for (size_t payload = 8; payload <= 48; payload += 8) {
        struct frame f;
        start_ipv4(&f, 6, IPV4_MF, 0);
        frame_tcp(&f, 2, 20);
        frame_payload(&f, 8);
        f.len = f.l4 + payload;
        frame_end(&f);
        assert_reason(&f, payload < 16 ? PKT_BAD_L4_HEADER : PKT_SOUND);
        start_ipv6(&f, 44);
        frame_fragment(&f, 6, 0, true);
        frame_tcp(&f, 2, 20);
        frame_payload(&f, 8);
        f.len = f.l4 + payload;
        frame_end(&f);
        assert_reason(&f, payload < 40 ? PKT_BAD_L4_HEADER : PKT_SOUND);
    }
}

static void an_ipv6_first_fragment_that_ends_inside_the_header_chain(void **state)
{
    struct frame f;

    (void)state;
    start_ipv6(&f, 44);
    frame_fragment(&f, 60, 0, true);
    frame_extension(&f, 17, 1);
    frame_udp(&f, 0);
    f.len = f.l4 - 8;
    frame_end(&f);
    assert_reason(&f, PKT_BAD_EXTENSION);
    f.len = f.l4;
    frame_end(&f);
    assert_reason(&f, PKT_BAD_L4_HEADER);
}

static void a_udp_length_below_the_header_or_beyond_the_packet(void **state)
{
    (void)state;
    for (unsigned family = 4; family <= 6; family += 2)
        for (unsigned length = 0; length < 40; length++) {
            struct frame f;
            if (family == 4)
                start_ipv4(&f, 17, 0, 0);
            else
                start_ipv6(&f, 17);
            frame_udp(&f, 12);
            frame_u16(&f, f.l4 + 4, (uint16_t)length);
            frame_end(&f);
            frame_payload(&f, 20); /* padding does not help */
            assert_reason(&f, length < 8 || length > 20 ? PKT_BAD_L4_HEADER : PKT_SOUND);
        }
}

static void an_icmp_header_cut_short(void **state)
{
    (void)state;
    for (size_t payload = 0; payload <= 8; payload++) {
        struct frame f;
        start_ipv4(&f, 1, 0, 0);
        frame_icmp(&f, 8, 0);
        frame_set_length(&f, 20 + payload);
        assert_reason(&f, payload < 8 ? PKT_BAD_L4_HEADER : PKT_SOUND);
        start_ipv6(&f, 58);
        frame_icmp(&f, 128, 0);
        frame_set_length(&f, 40 + payload);
        assert_reason(&f, payload < 4 ? PKT_BAD_L4_HEADER : PKT_SOUND);
    }
}

static void every_reason_has_a_word_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PKT_MALFORMED_COUNT; i++) {
        for (const char *c = pkt_malformed_word(i); *c; c++)
            assert_true(islower((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '-');
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(pkt_malformed_word(i), pkt_malformed_word(j));
    }
    assert_string_equal(pkt_malformed_word(PKT_MALFORMED_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_below_its_ethernet_or_vlan_header),
        cmocka_unit_test(a_version_that_is_not_the_ethertypes),
        cmocka_unit_test(an_ipv4_header_shorter_than_five_words_or_than_it_says),
        cmocka_unit_test(an_ipv4_length_below_its_header_or_beyond_the_frame),
        cmocka_unit_test(an_ipv6_length_beyond_the_frame),
        cmocka_unit_test(an_extension_header_cut_short),
        cmocka_unit_test(an_authentication_header_below_its_fixed_fields),
        cmocka_unit_test(more_extension_headers_than_are_walked),
        cmocka_unit_test(a_jumbogram_that_no_port_can_carry),
        cmocka_unit_test(an_ipv4_fragment_that_is_empty_or_ends_between_eights),
        cmocka_unit_test(an_ipv6_fragment_that_is_empty_or_ends_between_eights),
        cmocka_unit_test(a_fragment_that_ends_beyond_65535_octets),
        cmocka_unit_test(a_fragment_of_a_fragment),
        cmocka_unit_test(a_tcp_fragment_that_would_overwrite_the_flags),
        cmocka_unit_test(a_tcp_header_cut_short_or_with_a_lying_data_offset),
        cmocka_unit_test(a_first_fragment_too_small_for_its_tcp_header),
        cmocka_unit_test(an_ipv6_first_fragment_that_ends_inside_the_header_chain),
        cmocka_unit_test(a_udp_length_below_the_header_or_beyond_the_packet),
        cmocka_unit_test(an_icmp_header_cut_short),
        cmocka_unit_test(every_reason_has_a_word_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
