/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Four floods, as they look at the victim's border.
 */
#include <string.h>

#include "traffic.h"

/* NTP reflection: mode 7 monlist answers (6 of 72 octets each) from misconfigured servers; some in a customer VLAN. */
static void ntp_reflection(struct random *random, frame_sink sink, void *ctx)
{
    uint8_t payload[440] = {0xd7, 0x00, 0x03, 0x2a, 0x00, 0x06, 0x00, 0x48};
    struct frame frame;
    struct path path = {
        .src = addr_within(random, "198.18.0.0", 16),
        .dst = addr_of("203.0.113.7"),
        .vlan = random_below(random, 4) == 0 ? 100 : 0,
        .ttl = (uint8_t)random_between(random, 40, 60),
        .id = (uint16_t)random_next(random),
    };

    random_fill(random, payload + 8, sizeof(payload) - 8);
    frame_udp(&frame, &path, 123, (uint16_t)random_between(random, 1024, 65535), payload, sizeof(payload));
    sink(ctx, &frame);
}

/* DNS reflection: answers to ANY of some 4 kB. Their later fragments carry no ports. */
static void dns_reflection(struct random *random, frame_sink sink, void *ctx)
{
    uint8_t payload[4096] = {0x12, 0x34, 0x81, 0x80, 0, 1, 0, 40};
    size_t len = random_between(random, 3000, sizeof(payload));
    struct frame frame;
    struct path path = {
        .src = addr_within(random, "192.0.2.0", 8),
        .dst = addr_of("203.0.113.7"),
        .ttl = (uint8_t)random_between(random, 40, 60),
        .id = (uint16_t)random_next(random),
    };

    random_fill(random, payload + 8, len - 8);
    frame_udp(&frame, &path, 53, (uint16_t)random_between(random, 1024, 65535), payload, len);
    send_whole(&frame, random_next(random), sink, ctx);
}

/* SYN flood: spoofed sources, and none of the options that a real stack sends. */
static void syn_flood(struct random *random, frame_sink sink, void *ctx)
{
    struct frame frame;
    struct path path = {
        .src = addr_within(random, "198.18.0.0", 16),
        .dst = addr_of("203.0.113.80"),
        .ttl = (uint8_t)random_between(random, 40, 250),
        .id = (uint16_t)random_next(random),
    };
    struct tcp tcp = {
        .src_port = (uint16_t)random_between(random, 1024, 65535),
        .dst_port = 443,
        .seq = random_next(random),
        .flags = TCP_SYN,
    };

    path.src.octets[1] |= 1; /* 198.19.0.0/16: beside the reflectors */
    frame_tcp(&frame, &path, &tcp, NULL, 0);
    sink(ctx, &frame);
}

/* IPv6 UDP flood to the name server, on any port but its own; some datagrams in fragments. */
static void udp6_flood(struct random *random, frame_sink sink, void *ctx)
{
    uint8_t payload[2800];
    size_t len = random_below(random, 8) ? random_between(random, 16, 1200) : random_between(random, 1500, 2800);
    struct frame frame;
    struct path path = {
        .src = addr_within(random, "2001:db8:bad::", 64),
        .dst = addr_of("2001:db8:7::53"),
        .ttl = (uint8_t)random_between(random, 40, 60),
        .flow_label = random_below(random, 1 << 20),
    };

    random_fill(random, payload, len);
    frame_udp(&frame, &path, (uint16_t)random_between(random, 1024, 65535),
              (uint16_t)random_between(random, 1024, 65535), payload, len);
    send_whole(&frame, random_next(random), sink, ctx);
}

void attack_next(struct random *random, frame_sink sink, void *ctx)
{
    static void (*const attacks[])(struct random *, frame_sink, void *) = {
        ntp_reflection,
        dns_reflection,
        syn_flood,
        udp6_flood,
    };

    attacks[random_below(random, sizeof(attacks) / sizeof(attacks[0]))](random, sink, ctx);
}
