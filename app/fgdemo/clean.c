/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ordinary conversations: name lookups, web sessions both ways, QUIC, time, pings, large datagrams in fragments, ARP.
 * Much of it goes to the very hosts that are under attack: a rule that cuts too much would show.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "traffic.h"

#define TALKS 48 /* at the same time */

struct talk {
    const struct kind *kind;
    struct path path;
    uint16_t src_port, dst_port;
    uint32_t seq, ack;
    unsigned step, steps;
};

struct kind {
    const char *src, *dst; /* drawn within `src_bits` and `dst_bits` at their end */
    uint8_t src_bits, dst_bits;
    uint16_t src_port, dst_port; /* 0: any above 1023 */
    uint16_t vlan, outer_vlan;
    uint16_t size_min, size_max; /* of a payload */
    unsigned steps_min, steps_max;
    const char *head; /* how each payload starts, so that tcpdump has something to show */
    size_t head_len;
    void (*next)(const struct talk *talk, struct random *random, struct frame *frame);
};

struct clean {
    struct random random;
    struct talk talks[TALKS];
};

static size_t draw_payload(const struct kind *kind, struct random *random, uint8_t *payload)
{
    size_t len = random_between(random, kind->size_min, kind->size_max);

    random_fill(random, payload, len);
    if (kind->head)
        memcpy(payload, kind->head, kind->head_len);
    return len;
}

static void next_udp(const struct talk *talk, struct random *random, struct frame *frame)
{
    uint8_t payload[4096];
    size_t len = draw_payload(talk->kind, random, payload);

    frame_udp(frame, &talk->path, talk->src_port, talk->dst_port, payload, len);
}

/* One direction of a TCP session: opened, acknowledged, data, closed. Clients open with SYN, servers with SYN ACK. */
static void next_tcp(const struct talk *talk, struct random *random, struct frame *frame)
{
    struct tcp tcp = {.src_port = talk->src_port, .dst_port = talk->dst_port, .flags = TCP_ACK};
    uint8_t payload[1500];
    size_t len = 0;

    tcp.seq = talk->seq + talk->step * 1400;
    tcp.ack = talk->ack + talk->step * 100;
    if (talk->step == 0) {
        tcp.flags = talk->kind->dst_port ? TCP_SYN : TCP_SYN | TCP_ACK;
        tcp.option_len = 20;
    } else if (talk->step + 1 == talk->steps) {
        tcp.flags |= TCP_FIN;
    } else if (talk->step % 3) {
        tcp.flags |= TCP_PSH;
        len = draw_payload(talk->kind, random, payload);
    }
    frame_tcp(frame, &talk->path, &tcp, payload, len);
}

static void next_echo_reply(const struct talk *talk, struct random *random, struct frame *frame)
{
    uint8_t payload[1400];
    size_t len = draw_payload(talk->kind, random, payload);

    frame_echo_reply(frame, &talk->path, talk->src_port, (uint16_t)talk->step, payload, len);
}

static void next_arp(const struct talk *talk, struct random *random, struct frame *frame)
{
    (void)random;
    frame_arp_request(frame, &talk->path.src, &talk->path.dst);
}

#define QUESTION(type) "\3www\7example\3net\0\0" type "\0\1"
#define HEAD(text)     .head = (text), .head_len = sizeof(text) - 1
#define DNS_QUERY      HEAD("\x2a\x17\1\0\0\1\0\0\0\0\0\0" QUESTION("\x1c"))
#define DNS_ANSWER     HEAD("\x2a\x17\x81\x80\0\1\0\0\0\0\0\0" QUESTION("\1"))
#define NTP_SERVER     HEAD("\x24\2\6\xe9") /* version 4, server, stratum 2 */
#define NTP_MONLIST    HEAD("\xd7\0\3\x2a\0\6\0\x48")

#define V4_OUTSIDE      "198.51.100.0", .src_bits = 6
#define V6_OUTSIDE      "2001:db8:c::", .src_bits = 16
#define V4_INSIDE       "203.0.113.0", .dst_bits = 6
#define V6_INSIDE       "2001:db8:7::", .dst_bits = 8
#define V4_VICTIM       "203.0.113.7"
#define V4_WEB          "203.0.113.80"
#define V6_DNS          "2001:db8:7::53"
#define SIZES(min, max) .size_min = (min), .size_max = (max)
#define STEPS(min, max) .steps_min = (min), .steps_max = (max)

static const struct kind kinds[] = {
    {V4_OUTSIDE, .dst = V4_INSIDE, .src_port = 53, SIZES(60, 480), STEPS(1, 3), DNS_ANSWER, .next = next_udp},
    {V4_OUTSIDE, .dst = V4_VICTIM, .src_port = 53, SIZES(60, 480), STEPS(1, 3), DNS_ANSWER, .next = next_udp},
    {V6_OUTSIDE, .dst = V6_DNS, .dst_port = 53, SIZES(33, 33), STEPS(1, 3), DNS_QUERY, .next = next_udp},
    {V4_OUTSIDE, .dst = V4_WEB, .dst_port = 443, SIZES(180, 900), STEPS(6, 20), .next = next_tcp},
    {V4_OUTSIDE, .dst = V4_WEB, .dst_port = 443, .vlan = 100, SIZES(180, 900), STEPS(6, 20), .next = next_tcp},
    {V4_OUTSIDE, .dst = V4_INSIDE, .src_port = 443, SIZES(1, 1440), STEPS(6, 30), .next = next_tcp},
    {V6_OUTSIDE, .dst = V6_INSIDE, .src_port = 443, SIZES(1, 1420), STEPS(6, 30), .next = next_tcp},
    {V6_OUTSIDE, .dst = V6_INSIDE, .dst_port = 80, .vlan = 7, .outer_vlan = 200, SIZES(1, 700), STEPS(6, 12),
     .next = next_tcp},
    {V4_OUTSIDE, .dst = V4_INSIDE, .src_port = 443, SIZES(1200, 1350), STEPS(4, 30), .next = next_udp},
    {V6_OUTSIDE, .dst = V6_INSIDE, .src_port = 443, SIZES(1200, 1350), STEPS(4, 30), .next = next_udp},
    {V4_OUTSIDE, .dst = V4_VICTIM, .src_port = 123, .dst_port = 123, SIZES(48, 48), STEPS(1, 2), NTP_SERVER,
     .next = next_udp},
    /* The victim's own time server is asked with monlist on purpose: an accept rule lets its answers through. */
    {"198.51.100.123", .dst = V4_VICTIM, .src_port = 123, SIZES(440, 440), STEPS(1, 4), NTP_MONLIST, .next = next_udp},
    {V4_OUTSIDE, .dst = V4_VICTIM, SIZES(16, 1400), STEPS(2, 4), .next = next_echo_reply},
    {V6_OUTSIDE, .dst = V6_DNS, SIZES(16, 1200), STEPS(2, 4), .next = next_echo_reply},
    {V4_OUTSIDE, .dst = "203.0.113.20", .dst_port = 2049, SIZES(1600, 4000), STEPS(1, 4), .next = next_udp},
    {V6_OUTSIDE, .dst = "2001:db8:7::20", .dst_port = 2049, SIZES(1600, 4000), STEPS(1, 4), .next = next_udp},
    {"203.0.113.254", .dst = V4_INSIDE, STEPS(1, 1), .next = next_arp},
};

static uint16_t draw_port(struct random *random, uint16_t wanted)
{
    return wanted ? wanted : (uint16_t)random_between(random, 1024, 65535);
}

static void talk_begin(struct talk *talk, struct random *random)
{
    const struct kind *kind = &kinds[random_below(random, sizeof(kinds) / sizeof(kinds[0]))];

    *talk = (struct talk){
        .kind = kind,
        .path.src = addr_within(random, kind->src, kind->src_bits),
        .path.dst = addr_within(random, kind->dst, kind->dst_bits),
        .path.vlan = kind->vlan,
        .path.outer_vlan = kind->outer_vlan,
        .path.ttl = (uint8_t)random_between(random, 48, 62),
        .path.flow_label = random_below(random, 1 << 20),
        .src_port = draw_port(random, kind->src_port),
        .dst_port = draw_port(random, kind->dst_port),
        .seq = random_next(random),
        .ack = random_next(random),
        .steps = random_between(random, kind->steps_min, kind->steps_max),
    };
}

struct clean *clean_create(uint64_t seed)
{
    struct clean *clean = calloc(1, sizeof(*clean));

    if (!clean)
        return NULL;
    clean->random.state = seed;
    for (unsigned i = 0; i < TALKS; i++)
        talk_begin(&clean->talks[i], &clean->random);
    return clean;
}

void clean_free(struct clean *clean)
{
    free(clean);
}

void clean_next(struct clean *clean, frame_sink sink, void *ctx)
{
    struct random *random = &clean->random;
    struct talk *talk = &clean->talks[random_below(random, TALKS)];
    struct frame frame;

    talk->path.id = (uint16_t)random_next(random);
    talk->kind->next(talk, random, &frame);
    send_whole(&frame, random_next(random), sink, ctx);
    if (++talk->step == talk->steps)
        talk_begin(talk, random);
}
