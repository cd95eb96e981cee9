/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages are written octet by octet: the feed is not to share code, and so not mistakes, with what it measures.
 * RFC 4271 4, RFC 4760, RFC 8955 4.
 */
#include "bgp_feed.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#define HEADER_LEN     19
#define MESSAGE_ROOM   4096
#define ROUTES_PER_SET 5    /* routes that share their attributes, about as in a table of the Internet */
#define CONNECT_S      20.0 /* for a daemon to start and to agree */

enum { OPEN = 1, UPDATE = 2, NOTIFICATION = 3, KEEPALIVE = 4 };

struct message {
    uint8_t octets[MESSAGE_ROOM];
    size_t len;
};

static void begin(struct message *m, uint8_t type)
{
    memset(m->octets, 0xff, 16);
    m->octets[18] = type;
    m->len = HEADER_LEN;
}

static void put(struct message *m, const void *data, size_t len)
{
    memcpy(m->octets + m->len, data, len);
    m->len += len;
}

static void put_number(struct message *m, uint32_t value, unsigned octets)
{
    for (unsigned i = octets; i-- > 0;)
        m->octets[m->len++] = (uint8_t)(value >> 8 * i);
}

static void patch(struct message *m, size_t at, size_t value)
{
    m->octets[at] = (uint8_t)(value >> 8);
    m->octets[at + 1] = (uint8_t)value;
}

static bool feed_add(struct feed *feed, struct message *m)
{
    patch(m, 16, m->len);
    if (feed->len + m->len > feed->room) {
        size_t room = feed->room == 0 ? 1u << 20 : feed->room * 2;
        uint8_t *bigger = realloc(feed->octets, room);
        if (bigger == NULL)
            return false;
        feed->octets = bigger;
        feed->room = room;
    }
    memcpy(feed->octets + feed->len, m->octets, m->len);
    feed->len += m->len;
    return true;
}

static void put_attribute(struct message *m, uint8_t flags, uint8_t code, const void *value, uint8_t len)
{
    put(m, (const uint8_t[]){flags, code, len}, 3);
    put(m, value, len);
}

/* ORIGIN and an AS path of `ases` numbers, the first ours. */
static void put_path(struct message *m, struct bench_random *random, unsigned ases)
{
    uint8_t path[2 + 4 * 16] = {2, (uint8_t)ases, 0, 0, FEED_AS >> 8, FEED_AS & 255};

    for (unsigned i = 1; i < ases; i++)
        path[2 + 4 * i + 2] = (uint8_t)bench_between(random, 1, 200),
                         path[2 + 4 * i + 3] = (uint8_t)bench_random(random);
    put_attribute(m, 0x40, 1, "", 1);
    put_attribute(m, 0x40, 2, path, (uint8_t)(2 + 4 * ases));
}

bool feed_routes(struct feed *feed, unsigned count, uint64_t seed)
{
    struct bench_random random = {seed};
    struct message m;

    /* each number once, in an order that has nothing to do with addresses: multiplication modulo a power of two */
    for (unsigned n = 0; n < count;) {
        begin(&m, UPDATE);
        put_number(&m, 0, 2);
        size_t at = m.len;
        put_number(&m, 0, 2);
        put_path(&m, &random, bench_between(&random, 2, 6));
        put_attribute(&m, 0x40, 3, (const uint8_t[]){127, 0, 0, 2}, 4);
        put_attribute(&m, 0xc0, 8, (const uint8_t[]){0xfd, 0xe9, 0, (uint8_t)bench_random(&random)}, 4);
        patch(&m, at, m.len - at - 2);
        for (unsigned i = bench_between(&random, 1, 2 * ROUTES_PER_SET - 1); i > 0 && n < count; i--, n++) {
            uint32_t net = (n * 0x9e3779b1u) & ((1u << 20) - 1);
            uint32_t address = (1u << 24) + (net << 8); /* 1.0.0.0/24 to 16.255.255.0/24, and beyond 2^20 a /25 */
            put_number(&m, n < 1u << 20 ? 24 : 25, 1);
            put_number(&m, n < 1u << 20 ? address >> 8 : address, n < 1u << 20 ? 3 : 4);
        }
        if (!feed_add(feed, &m))
            return false;
    }
    feed->count = count;
    return true;
}

bool feed_routes6(struct feed *feed, unsigned count, uint64_t seed)
{
    static const uint8_t NEXT_HOP[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 2};
    struct bench_random random = {seed};
    struct message m;

    for (unsigned n = 0; n < count;) {
        begin(&m, UPDATE);
        put_number(&m, 0, 2);
        size_t at = m.len;
        put_number(&m, 0, 2);
        put_path(&m, &random, bench_between(&random, 2, 6));
        put(&m, (const uint8_t[]){0x90, 14, 0, 0, 0, 2, 1, 16}, 8);
        size_t reach = m.len - 4;
        put(&m, NEXT_HOP, sizeof NEXT_HOP);
        put_number(&m, 0, 1);
        for (unsigned i = bench_between(&random, 1, 2 * ROUTES_PER_SET - 1); i > 0 && n < count; i--, n++) {
            put_number(&m, 48, 1);
            put_number(&m, 0x2a00, 2);
            put_number(&m, n * 0x9e3779b1u, 4); /* each number once */
        }
        patch(&m, reach - 2, m.len - reach);
        patch(&m, at, m.len - at - 2);
        if (!feed_add(feed, &m))
            return false;
    }
    feed->count = count;
    return true;
}

/* An UPDATE with rules of rate 0: where its attributes begin, and those of its NLRI. */
struct rules_update {
    size_t attributes, reach;
};

static struct rules_update rules_begin(struct message *m, struct bench_random *random)
{
    struct rules_update update;

    begin(m, UPDATE);
    put_number(m, 0, 2);
    update.attributes = m->len;
    put_number(m, 0, 2);
    put_path(m, random, 1);
    put_attribute(m, 0xc0, 16, (const uint8_t[]){0x80, 6, 0, 0, 0, 0, 0, 0}, 8);
    put(m, (const uint8_t[]){0x90, 14, 0, 0, 0, 1, 133, 0, 0}, 9);
    update.reach = m->len - 5;
    return update;
}

static bool rules_end(struct feed *feed, struct message *m, const struct rules_update *update)
{
    patch(m, update->reach - 2, m->len - update->reach);
    patch(m, update->attributes, m->len - update->attributes - 2);
    return feed_add(feed, m);
}

bool feed_rules(struct feed *feed, unsigned count)
{
    struct bench_random random = {1};
    struct message m;

    for (unsigned n = 0; n < count;) {
        struct rules_update update = rules_begin(&m, &random);
        for (; m.len + 16 < MESSAGE_ROOM && n < count; n++) { /* destination A/32 protocol =udp source-port =123 */
            put(&m, (const uint8_t[]){12, 1, 32}, 3);
            put_number(&m, (10u << 24) + n, 4);
            put(&m, (const uint8_t[]){3, 0x81, 17, 6, 0x81, 123}, 6);
        }
        if (!rules_end(feed, &m, &update))
            return false;
    }
    feed->count = count;
    return true;
}

bool feed_vetted_routes(struct feed *feed)
{
    struct bench_random random = {1};
    struct message m;

    begin(&m, UPDATE);
    put_number(&m, 0, 2);
    size_t at = m.len;
    put_number(&m, 0, 2);
    put_path(&m, &random, 1);
    put_attribute(&m, 0x40, 3, (const uint8_t[]){127, 0, 0, 2}, 4);
    patch(&m, at, m.len - at - 2);
    for (unsigned n = 0; n < 128; n++) /* 10.0.0.0/16 to FEED_LAST_ROUTE */
        put(&m, (const uint8_t[]){16, 10, (uint8_t)n}, 3);
    feed->count = 128;
    return feed_add(feed, &m);
}

/*
 * Of twenty rules sixteen are sound and for different hosts of 10.0.0.0/10; one has a length that no packet has, one
 * rests on no route, one is too wide for the policy, and one is for a protected host.
 */
static void put_vetted(struct message *m, unsigned n, struct feed_vetted *expected)
{
    static const uint8_t NTP[] = {3, 0x81, 17, 6, 0x81, 123}, LENGTH[] = {10, 0xa3, 0, 1, 0x86, 0x83}; /* >=99971 */
    uint32_t host = (10u << 24) + ((n * 0x9e3779b1u) & ((1u << 22) - 1));
    unsigned kind = n % 20;
    uint8_t bits = kind == 2 ? 31 : 32;

    if (kind == 1)
        host |= 128u << 16; /* 10.128.0.0/10 */
    else if (kind == 2)
        host = (10u << 24) + (64u << 16) + 2 * n; /* 10.64.0.0/11 */
    else if (kind == 3)
        host = (10u << 24) + (127u << 16) + n / 20 % 65536;
    put(m, (const uint8_t[]){kind == 0 ? 18 : 12, 1, bits}, 3);
    put_number(m, host, 4);
    put(m, NTP, sizeof NTP);
    if (kind == 0)
        put(m, LENGTH, sizeof LENGTH);
    expected->never += kind == 0;
    expected->rejected += kind >= 1 && kind <= 3;
    expected->active += kind > 3;
}

bool feed_vetted_rules(struct feed *feed, unsigned count, struct feed_vetted *expected)
{
    struct bench_random random = {1};
    struct message m;

    *expected = (struct feed_vetted){0};
    for (unsigned n = 0; n < count;) {
        struct rules_update update = rules_begin(&m, &random);
        for (; m.len + 20 < MESSAGE_ROOM && n < count; n++)
            put_vetted(&m, n, expected);
        if (!rules_end(feed, &m, &update))
            return false;
    }
    feed->count = count;
    return true;
}

void feed_free(struct feed *feed)
{
    free(feed->octets);
    *feed = (struct feed){0};
}

static bool send_all(int fd, const uint8_t *octets, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, octets, len, MSG_NOSIGNAL);
        if (sent <= 0 && errno != EINTR)
            return false;
        if (sent > 0) {
            octets += sent;
            len -= (size_t)sent;
        }
    }
    return true;
}

/* Reads messages up to one of `type`. */
static bool expect(int fd, uint8_t type)
{
    uint8_t octets[MESSAGE_ROOM];

    for (;;) {
        if (recv(fd, octets, HEADER_LEN, MSG_WAITALL) != HEADER_LEN)
            return false;
        size_t rest = (size_t)(octets[16] << 8 | octets[17]) - HEADER_LEN;
        uint8_t got = octets[18];
        if (rest > sizeof octets || (rest > 0 && recv(fd, octets, rest, MSG_WAITALL) != (ssize_t)rest))
            return false;
        if (got == type || got == NOTIFICATION)
            return got == type;
    }
}

static bool establish(int fd)
{
    static const uint8_t BODY[] = {
        4,
        FEED_AS >> 8,
        FEED_AS & 255,
        0,
        0,
        192,
        0,
        2,
        99, /* hold time 0: no timers disturb */
        26,
        2,
        24, /* one parameter: capabilities */
        1,
        4,
        0,
        1,
        0,
        1,
        1,
        4,
        0,
        1,
        0,
        133,
        1,
        4,
        0,
        2,
        0,
        1, /* IPv4 unicast and flowspec, IPv6 unicast */
        65,
        4,
        0,
        0,
        FEED_AS >> 8,
        FEED_AS & 255, /* 4-octet AS numbers */
    };
    struct message m;

    begin(&m, OPEN);
    put(&m, BODY, sizeof BODY);
    patch(&m, 16, m.len);
    if (!send_all(fd, m.octets, m.len) || !expect(fd, OPEN))
        return false;
    begin(&m, KEEPALIVE);
    patch(&m, 16, m.len);
    return send_all(fd, m.octets, m.len) && expect(fd, KEEPALIVE);
}

int feed_connect(unsigned short port)
{
    return feed_connect_from(FEED_ADDRESS, port);
}

int feed_connect_from(const char *address, unsigned short port)
{
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons(port)};
    double until = bench_seconds() + CONNECT_S;

    inet_pton(AF_INET, address, &from.sin_addr);
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    while (bench_seconds() < until) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (bind(fd, (struct sockaddr *)&from, sizeof from) == 0 &&
            connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && establish(fd))
            return fd;
        close(fd);
        usleep(50000);
    }
    fprintf(stderr, "fgbench: no session with the BGP daemon on port %u\n", port);
    return -1;
}

bool feed_send(int fd, const struct feed *feed)
{
    if (send_all(fd, feed->octets, feed->len))
        return true;
    fprintf(stderr, "fgbench: the BGP daemon closed the session\n");
    return false;
}

bool feed_close(int fd)
{
    struct message m;
    uint8_t octets[MESSAGE_ROOM];

    begin(&m, NOTIFICATION);
    put(&m, (const uint8_t[]){6, 2}, 2);
    patch(&m, 16, m.len);
    bool fine = send_all(fd, m.octets, m.len);
    while (fine && recv(fd, octets, sizeof octets, 0) > 0)
        ;
    return fine;
}
