/* SPDX-License-Identifier: BSD-3-Clause */
/* ARP, neighbour discovery, echo and ICMP errors: each case spoils one thing of a message that is right. */
#include "../cm.h"

#include <stdlib.h>
#include <string.h>

#include "forward/checksum.h"
#include "forward/message.h"

#define ICMP4 1
#define UDP   17
#define ICMP6 58

static const uint8_t MAC[6] = {2, 0, 0, 0, 0, 1};
static const struct ip_addr US4 = {IP_V4, {192, 0, 2, 1}};
static const struct ip_addr US6 = {IP_V6, {0x20, 1, 0x0d, 0xb8, [15] = 1}};

struct packet {
    uint8_t octets[2048];
    size_t len;
};

/* Of ICMP, the checksum is made right. */
static struct packet ipv4(uint8_t protocol, const uint8_t *payload, size_t len)
{
    struct packet packet = {.len = 20 + len};
    uint8_t *at = packet.octets;

    at[0] = 0x45;
    at[2] = (uint8_t)(packet.len >> 8);
    at[3] = (uint8_t)packet.len;
    at[8] = 64;
    at[9] = protocol;
    memcpy(at + 12, (const uint8_t[]){192, 0, 2, 9}, 4);
    memcpy(at + 16, US4.octets, 4);
    memcpy(at + 20, payload, len);
    if (protocol == ICMP4) {
        uint16_t sum = fwd_sum_finish(fwd_sum_add(0, at + 20, len));
        at[22] = (uint8_t)(sum >> 8);
        at[23] = (uint8_t)sum;
    }
    return packet;
}

static void fix6(struct packet *packet)
{
    uint8_t *at = packet->octets;
    size_t len = (size_t)at[4] << 8 | at[5];

    at[42] = at[43] = 0;
    uint16_t sum = fwd_sum_finish(fwd_sum_add(fwd_sum_add((uint32_t)len + ICMP6, at + 8, 32), at + 40, len));
    at[42] = (uint8_t)(sum >> 8);
    at[43] = (uint8_t)sum;
}

static struct packet ipv6(uint8_t next, const uint8_t *payload, size_t len)
{
    struct packet packet = {.len = 40 + len};
    uint8_t *at = packet.octets;

    at[0] = 0x60;
    at[4] = (uint8_t)(len >> 8);
    at[5] = (uint8_t)len;
    at[6] = next;
    at[7] = 255;
    memcpy(at + 8, US6.octets, 16);
    at[23] = 9;
    memcpy(at + 24, US6.octets, 16);
    memcpy(at + 40, payload, len);
    if (next == ICMP6)
        fix6(&packet);
    return packet;
}

/* With memory of exactly `len` octets, so that ASan sees what is read behind them. */
static bool nd_parses(const struct packet *packet, size_t len)
{
    uint8_t *exact = malloc(len + (len == 0));
    struct fwd_nd nd;

    memcpy(exact, packet->octets, len);
    bool parsed = fwd_nd_parse(exact, len, &nd);
    free(exact);
    return parsed;
}

static bool echo_answers(const struct packet *packet, size_t len)
{
    uint8_t *exact = malloc(len + (len == 0));

    memcpy(exact, packet->octets, len);
    bool answered = fwd_echo_reply(exact, len);
    if (!answered)
        assert_memory_equal(exact, packet->octets, len);
    free(exact);
    return answered;
}

static size_t error_size(enum fwd_error error, const struct packet *packet, size_t len)
{
    uint8_t *exact = malloc(len + (len == 0)), out[FWD_MESSAGE_MAX];

    memcpy(exact, packet->octets, len);
    size_t size = fwd_error_build(error, 1400, packet->octets[0] >> 4 == 4 ? &US4 : &US6, exact, len, out);
    free(exact);
    return size;
}

static bool arp_parses(const uint8_t *message, size_t len)
{
    uint8_t *exact = malloc(len + (len == 0));
    struct fwd_arp arp;

    memcpy(exact, message, len);
    bool parsed = fwd_arp_parse(exact, len, &arp);
    free(exact);
    return parsed;
}

static void arp_is_of_ipv4_over_ethernet_and_from_one_host(void **state)
{
    static const struct {
        unsigned at;
        uint8_t value;
    } SPOILED[] = {{1, 6},    {2, 0x86}, {4, 0},    {4, 8},    {5, 0},   {5, 16},
                   {8, 0xff}, {8, 1},    {14, 224}, {14, 255}, {14, 127}};
    struct fwd_arp arp = {.operation = FWD_ARP_REQUEST, .sender = {192, 0, 2, 9}, .target = {192, 0, 2, 1}};
    uint8_t message[FWD_ARP_SIZE], probe[FWD_ARP_SIZE];

    (void)state;
    memcpy(arp.sender_mac, MAC, 6);
    assert_int_equal(fwd_arp_build(&arp, message), FWD_ARP_SIZE);
    for (size_t len = 0; len < FWD_ARP_SIZE; len++)
        assert_false(arp_parses(message, len));
    assert_true(arp_parses(message, FWD_ARP_SIZE));
    for (size_t i = 0; i < sizeof SPOILED / sizeof SPOILED[0]; i++) {
        uint8_t spoiled[FWD_ARP_SIZE];
        memcpy(spoiled, message, sizeof spoiled);
        spoiled[SPOILED[i].at] = SPOILED[i].value;
        assert_false(arp_parses(spoiled, sizeof spoiled));
    }
    memcpy(probe, message, sizeof probe);
    memset(probe + 14, 0, 4);
    assert_true(arp_parses(probe, sizeof probe)); /* RFC 5227 2.1.1: must be answered */
    probe[17] = 1;
    assert_false(arp_parses(probe, sizeof probe)); /* 0.0.0.1 */
}

static struct packet nd_of(uint8_t type, uint8_t flags)
{
    struct fwd_nd nd = {.type = type, .flags = flags};
    struct packet packet = {.len = 0};

    memcpy(nd.mac, MAC, 6);
    memcpy(nd.src, US6.octets, 16);
    nd.src[15] = 9;
    memcpy(nd.dst, US6.octets, 16);
    memcpy(nd.target, US6.octets, 16);
    packet.len = fwd_nd_build(&nd, packet.octets);
    return packet;
}

static void nd_that_is_cut_or_spoiled_is_none(void **state)
{
    static const struct {
        unsigned at;
        uint8_t value;
    } SPOILED[] = {
        {0, 0x40},             /* not IPv6 */
        {4, 1},                /* longer than the packet */
        {5, 23},               /* shorter than the message */
        {6, 0},                /* behind an extension header */
        {7, 254},   {7, 0},    /* came over a router */
        {8, 0xff},             /* from a group */
        {40, 133},  {40, 137}, /* other types */
        {41, 1},               /* code */
        {48, 0xff},            /* target is a group */
        {65, 0},    {65, 2},   /* option: no length, longer than the message */
        {66, 1},               /* the MAC address of a group */
    };

    (void)state;
    for (uint8_t type = FWD_ND_SOLICIT; type <= FWD_ND_ADVERTISE; type++) {
        struct packet packet = nd_of(type, 0);
        assert_true(nd_parses(&packet, packet.len));
        assert_true(nd_parses(&packet, packet.len + 10)); /* padding */
        for (size_t len = 0; len < packet.len; len++)
            assert_false(nd_parses(&packet, len));
        for (size_t i = 0; i < sizeof SPOILED / sizeof SPOILED[0]; i++) {
            struct packet spoiled = packet;
            spoiled.octets[SPOILED[i].at] = SPOILED[i].value;
            if (SPOILED[i].at != 4)
                fix6(&spoiled);
            assert_false(nd_parses(&spoiled, spoiled.len));
        }
        packet.octets[42] ^= 1;
        assert_false(nd_parses(&packet, packet.len));
    }
}

static void nd_addresses_fit_the_message(void **state)
{
    struct packet probe = nd_of(FWD_ND_SOLICIT, 0), told = nd_of(FWD_ND_ADVERTISE, FWD_ND_SOLICITED);

    (void)state;
    memset(probe.octets + 8, 0, 16);
    fwd_nd_group(US6.octets, probe.octets + 24);
    fix6(&probe);
    assert_false(nd_parses(&probe, probe.len)); /* nobody yet, but with a MAC address */
    probe.octets[5] = 24;
    fix6(&probe);
    assert_true(nd_parses(&probe, 64));
    memcpy(probe.octets + 24, US6.octets, 16);
    fix6(&probe);
    assert_false(nd_parses(&probe, 64)); /* not to the group of its target */
    assert_true(nd_parses(&told, told.len));
    told.octets[24] = 0xff;
    fix6(&told);
    assert_false(nd_parses(&told, told.len)); /* an answer to everybody */
    told = nd_of(FWD_ND_ADVERTISE, 0);
    memset(told.octets + 8, 0, 16);
    fix6(&told);
    assert_false(nd_parses(&told, told.len)); /* from nobody */
}

static void echo_answers_one_host_alone(void **state)
{
    static const struct {
        unsigned at;
        uint8_t value;
    } SPOILED4[] = {{0, 0x44}, {0, 0x4f}, {2, 1},    {3, 27},   {6, 0x20}, {7, 1},  {9, 17}, {12, 0},
                    {12, 127}, {12, 224}, {12, 255}, {16, 224}, {16, 255}, {20, 0}, {21, 1}, {22, 0}},
      SPOILED6[] = {{4, 1}, {5, 7}, {6, 44}, {8, 0xff}, {24, 0xff}, {40, 129}, {41, 1}};
    struct packet four = ipv4(ICMP4, (const uint8_t[12]){8, [4] = 1}, 12);
    struct packet six = ipv6(ICMP6, (const uint8_t[12]){128, [4] = 1}, 12);

    (void)state;
    assert_true(echo_answers(&four, four.len));
    assert_true(echo_answers(&six, six.len));
    for (size_t len = 0; len < four.len; len++)
        assert_false(echo_answers(&four, len));
    for (size_t len = 0; len < six.len; len++)
        assert_false(echo_answers(&six, len));
    for (size_t i = 0; i < sizeof SPOILED4 / sizeof SPOILED4[0]; i++) {
        struct packet spoiled = four;
        spoiled.octets[SPOILED4[i].at] = SPOILED4[i].value;
        assert_false(echo_answers(&spoiled, spoiled.len));
    }
    for (size_t i = 0; i < sizeof SPOILED6 / sizeof SPOILED6[0]; i++) {
        struct packet spoiled = six;
        spoiled.octets[SPOILED6[i].at] = SPOILED6[i].value;
        if (SPOILED6[i].at != 4)
            fix6(&spoiled);
        assert_false(echo_answers(&spoiled, spoiled.len));
    }
    memset(six.octets + 8, 0, 16);
    fix6(&six);
    assert_false(echo_answers(&six, six.len)); /* from :: */
    six.octets[23] = 1;
    fix6(&six);
    assert_false(echo_answers(&six, six.len)); /* from ::1 */
}

static void an_icmp_error_never_answers_one(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        uint8_t icmp[16] = {(uint8_t)type};
        struct packet four = ipv4(ICMP4, icmp, 16), six = ipv6(ICMP6, icmp, 16);
        bool asks = type == 0 || type == 8 || (type >= 13 && type <= 18);
        assert_int_equal(error_size(FWD_ERROR_TTL, &four, four.len) > 0, asks);
        assert_int_equal(error_size(FWD_ERROR_TTL, &six, six.len) > 0, type >= 128 && type != 137);
    }
}

/* RFC 4443 2.4(e.1) does not stop at an extension header. */
static void an_icmp6_error_behind_extension_headers_is_found(void **state)
{
    static const uint8_t NEXT[] = {0, 43, 44, 51, 60, 135};
    uint8_t chain[8 + 24 + 8] = {60, 0, [8] = ICMP6, [9] = 2, [32] = 1};

    (void)state;
    for (size_t i = 0; i < sizeof NEXT; i++) {
        struct packet packet = ipv6(NEXT[i], chain, sizeof chain);
        for (size_t len = 40; len <= packet.len; len++)
            assert_int_equal(error_size(FWD_ERROR_NO_ROUTE, &packet, len), 0);
        packet.octets[40 + 32] = 128; /* an echo request may be answered */
        assert_int_equal(error_size(FWD_ERROR_NO_ROUTE, &packet, packet.len), 40 + 8 + packet.len);
    }
}

static void no_error_for_later_fragments_and_groups(void **state)
{
    static const struct {
        unsigned at;
        uint8_t value;
    } SPOILED4[] = {{6, 0x1f}, {7, 1}, {0, 0x44}, {12, 0}, {12, 127}, {12, 224}, {12, 255}, {16, 224}, {16, 255}};
    struct packet four = ipv4(UDP, (const uint8_t[8]){0}, 8), six = ipv6(UDP, (const uint8_t[8]){0}, 8);
    struct packet later = ipv6(44, (const uint8_t[16]){UDP, [3] = 8}, 16);

    (void)state;
    assert_int_equal(error_size(FWD_ERROR_TTL, &four, four.len), 28 + four.len);
    for (size_t len = 0; len < 20; len++)
        assert_int_equal(error_size(FWD_ERROR_TTL, &four, len), 0);
    for (size_t len = 0; len < 40; len++)
        assert_int_equal(error_size(FWD_ERROR_TTL, &six, len), 0);
    for (size_t i = 0; i < sizeof SPOILED4 / sizeof SPOILED4[0]; i++) {
        struct packet spoiled = four;
        spoiled.octets[SPOILED4[i].at] = SPOILED4[i].value;
        assert_int_equal(error_size(FWD_ERROR_TTL, &spoiled, spoiled.len), 0);
    }
    four.octets[6] = 0x20; /* the first one of several is told */
    assert_int_not_equal(error_size(FWD_ERROR_TTL, &four, four.len), 0);
    assert_int_equal(error_size(FWD_ERROR_TTL, &later, later.len), 0);
    later.octets[43] = 1;
    assert_int_not_equal(error_size(FWD_ERROR_TTL, &later, later.len), 0);
    six.octets[24] = 0xff;
    assert_int_equal(error_size(FWD_ERROR_TTL, &six, six.len), 0);
    assert_int_not_equal(error_size(FWD_ERROR_TOO_BIG, &six, six.len), 0); /* RFC 4443 2.4(e.3) */
    six.octets[8] = 0xff;
    assert_int_equal(error_size(FWD_ERROR_TOO_BIG, &six, six.len), 0);
}

static void what_is_quoted_ends_with_the_packet_and_fits(void **state)
{
    static const uint8_t LARGE[1600];
    struct packet four = ipv4(UDP, LARGE, 8), six = ipv6(UDP, LARGE, 8);

    (void)state;
    assert_int_equal(error_size(FWD_ERROR_TTL, &four, four.len + 18), 28 + four.len); /* padding stays here */
    assert_int_equal(error_size(FWD_ERROR_TTL, &six, six.len + 18), 48 + six.len);
    four = ipv4(UDP, LARGE, sizeof LARGE);
    six = ipv6(UDP, LARGE, sizeof LARGE);
    assert_int_equal(error_size(FWD_ERROR_TTL, &four, four.len), 576);
    assert_int_equal(error_size(FWD_ERROR_TTL, &six, six.len), 1280);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arp_is_of_ipv4_over_ethernet_and_from_one_host),
        cmocka_unit_test(nd_that_is_cut_or_spoiled_is_none),
        cmocka_unit_test(nd_addresses_fit_the_message),
        cmocka_unit_test(echo_answers_one_host_alone),
        cmocka_unit_test(an_icmp_error_never_answers_one),
        cmocka_unit_test(an_icmp6_error_behind_extension_headers_is_found),
        cmocka_unit_test(no_error_for_later_fragments_and_groups),
        cmocka_unit_test(what_is_quoted_ends_with_the_packet_and_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
