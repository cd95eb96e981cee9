/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a router reads itself: ARP, neighbour discovery, echo, and any packet that an ICMP error quotes. Input: one
 * octet (1: give the ICMP message its right checksum, which no search would find), then the message without its link
 * layer. Besides reads past its end, which ASan sees: what is answered is answered once, and soundly.
 */
#include <stdlib.h>
#include <string.h>

#include "forward/checksum.h"
#include "forward/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

/* The sum over an ICMP message, of IPv6 with its pseudo-header; 0 when it is right. False when there is none. */
static bool icmp_sum(const uint8_t *packet, size_t len, size_t *at, uint16_t *sum)
{
    size_t end;

    if (len >= 40 && packet[0] >> 4 == 6 && packet[6] == 58) {
        *at = 40;
        end = 40 + ((size_t)packet[4] << 8 | packet[5]);
    } else if (len >= 20 && packet[0] >> 4 == 4 && packet[9] == 1) {
        *at = (packet[0] & 15u) * 4u;
        end = (size_t)packet[2] << 8 | packet[3];
    } else {
        return false;
    }
    if (end > len || end < *at + 4)
        return false;
    uint32_t start = *at == 40 && packet[0] >> 4 == 6 ? fwd_sum_add((uint32_t)(end - 40) + 58, packet + 8, 32) : 0;
    *sum = fwd_sum_finish(fwd_sum_add(start, packet + *at, end - *at));
    return true;
}

static void repair(uint8_t *packet, size_t len)
{
    uint16_t sum;
    size_t at;

    if (!icmp_sum(packet, len, &at, &sum))
        return;
    packet[at + 2] = packet[at + 3] = 0;
    icmp_sum(packet, len, &at, &sum);
    packet[at + 2] = (uint8_t)(sum >> 8);
    packet[at + 3] = (uint8_t)sum;
}

static void demand_sound(const uint8_t *packet, size_t len)
{
    uint16_t sum;
    size_t at;

    demand(icmp_sum(packet, len, &at, &sum) && sum == 0);
    demand(packet[0] >> 4 == 6 || fwd_sum_finish(fwd_sum_add(0, packet, (packet[0] & 15u) * 4u)) == 0);
}

static void check_neighbors(const uint8_t *packet, size_t len)
{
    uint8_t built[FWD_MESSAGE_MAX];
    struct fwd_nd nd, again;
    struct fwd_arp arp;

    if (fwd_arp_parse(packet, len, &arp)) {
        demand(!(arp.sender_mac[0] & 1) && arp.sender[0] < 224);
        demand(fwd_arp_build(&arp, built) == FWD_ARP_SIZE && memcmp(built, packet, FWD_ARP_SIZE) == 0);
    }
    if (!fwd_nd_parse(packet, len, &nd))
        return;
    demand(packet[7] == 255 && nd.src[0] != 0xff && nd.target[0] != 0xff && !(nd.mac[0] & 1));
    if (!nd.has_mac)
        return;
    size_t size = fwd_nd_build(&nd, built);
    demand_sound(built, size);
    demand(fwd_nd_parse(built, size, &again) && memcmp(&nd, &again, sizeof nd) == 0);
}

static void check_errors(const uint8_t *packet, size_t len)
{
    static const struct ip_addr FROM[2] = {{IP_V4, {192, 0, 2, 1}}, {IP_V6, {0x20, 1, 0x0d, 0xb8, [15] = 1}}};

    for (unsigned f = 0; f < 2; f++) {
        for (enum fwd_error error = FWD_ERROR_TTL; error <= FWD_ERROR_TOO_BIG; error++) {
            uint8_t built[FWD_MESSAGE_MAX], other[FWD_MESSAGE_MAX];
            size_t size = fwd_error_build(error, 1280, &FROM[f], packet, len, built);
            if (size == 0)
                continue;
            demand(size <= (f == 0 ? 576u : FWD_MESSAGE_MAX));
            demand_sound(built, size);
            for (enum fwd_error then = FWD_ERROR_TTL; then <= FWD_ERROR_TOO_BIG; then++)
                demand(fwd_error_build(then, 1280, &FROM[f], built, size, other) == 0);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    size_t len = size - 1;
    uint8_t *packet = malloc(len > 0 ? len : 1); /* of its own: ASan knows where it ends */
    demand(packet != NULL);
    memcpy(packet, data + 1, len);
    if (data[0] & 1)
        repair(packet, len);
    check_neighbors(packet, len);
    check_errors(packet, len);
    if (fwd_echo_reply(packet, len)) {
        demand_sound(packet, len);
        demand(!fwd_echo_reply(packet, len));
    } else {
        demand((data[0] & 1) || memcmp(packet, data + 1, len) == 0);
    }
    free(packet);
    return 0;
}
