/* SPDX-License-Identifier: BSD-3-Clause */
/* A BGP speaker that says one thing as fast as it is taken: prepared UPDATEs to one receiver. */
#ifndef FGBENCH_BGP_FEED_H
#define FGBENCH_BGP_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FEED_AS      65001u
#define FEED_ADDRESS "127.0.0.2" /* where it connects from */

/* The configuration of the router under measurement, up to its first peer; printf: the port that it listens on. */
#define FEED_ROUTER                                                                                                    \
    "router: {id: 192.0.2.1, asn: 65000}\n"                                                                            \
    "dataplane: {workers: [1], hugepages: \"off\", memory: 1024, start: manual, max-rules: 2000000}\n"                 \
    "ports:\n"                                                                                                         \
    "  - {name: wan, device: \"net_null0,no-rx=1\", mode: wire, peer: lan}\n"                                          \
    "  - {name: lan, device: \"net_null1,no-rx=1\", mode: wire, peer: wan}\n"                                          \
    "bgp:\n"                                                                                                           \
    "  listen: [{address: 127.0.0.1, port: %u}]\n"                                                                     \
    "  peers:\n"

/* Whole messages, one after the other. */
struct feed {
    uint8_t *octets;
    size_t len, room;
    unsigned count; /* routes or rules */
};

/* `count` IPv4 routes (a tenth of what a set of attributes is shared by in a real table has five routes); false:
 * memory. */
bool feed_routes(struct feed *feed, unsigned count, uint64_t seed);
/* `count` IPv6 routes of the same kind, /48. */
bool feed_routes6(struct feed *feed, unsigned count, uint64_t seed);
/* `count` rules for single addresses, each with a rate of 0. */
bool feed_rules(struct feed *feed, unsigned count);

/* Rules of every kind for a router with validation, in a known mix, and the routes that they rest on. */
#define FEED_PROTECTED  "10.127.0.0/16" /* a rule for a host of it meets what is protected */
#define FEED_LAST_ROUTE "10.127.0.0/16"
struct feed_vetted {
    unsigned active, rejected, never; /* how many rules are to be what */
};
bool feed_vetted_routes(struct feed *feed);
bool feed_vetted_rules(struct feed *feed, unsigned count, struct feed_vetted *expected);

void feed_free(struct feed *feed);

/* Connects and comes to Established with IPv4 and IPv6 unicast and IPv4 flowspec; the socket, or -1 after a message. */
int feed_connect(unsigned short port);
/* From another address of the loopback network than FEED_ADDRESS. */
int feed_connect_from(const char *address, unsigned short port);
/* Sends all of it; false after a message. */
bool feed_send(int fd, const struct feed *feed);
/* Ends the session with a CEASE and waits until the receiver, having read all before it, closes. */
bool feed_close(int fd);

#endif
