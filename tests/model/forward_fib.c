/* SPDX-License-Identifier: BSD-3-Clause */
/* The FIB against a list of routes that is searched from end to end: random routes come, change and go. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward/fib.h"

#define ROUTES  300
#define CHANGES 3000
#define PROBES  40

static uint64_t state = 0x1234567;

static uint32_t random_below(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 33) % n);
}

/* Few distinct octets, so that prefixes nest and addresses meet them. */
static void random_octets(uint8_t *octets, unsigned size)
{
    memset(octets, 0, 16);
    for (unsigned i = 0; i < size; i++)
        octets[i] = (uint8_t)(random_below(8) == 0 ? random_below(256) : 10 + random_below(2));
}

static uint32_t naive(const struct fwd_route *routes, const uint8_t *address)
{
    uint32_t value = FWD_NO_ROUTE;
    int best = -1;

    for (unsigned i = 0; i < ROUTES; i++) {
        const struct ip_prefix *prefix = &routes[i].prefix;
        if (routes[i].value == FWD_NO_ROUTE || prefix->length <= best ||
            !ip_bits_equal(prefix->octets, address, prefix->length))
            continue;
        best = prefix->length;
        value = routes[i].value;
    }
    return value;
}

static bool probe(const struct fwd_fib *fib, const struct fwd_route *routes, unsigned size)
{
    uint8_t octets[PROBES][16];
    const uint8_t *addresses[PROBES];
    uint32_t found[PROBES];

    for (unsigned i = 0; i < PROBES; i++) {
        random_octets(octets[i], size);
        addresses[i] = octets[i];
    }
    fwd_fib_lookup_burst(fib, addresses, found, PROBES);
    for (unsigned i = 0; i < PROBES; i++)
        if (found[i] != naive(routes, octets[i]) || fwd_fib_lookup(fib, octets[i]) != found[i])
            return false;
    return true;
}

static bool change(struct fwd_fib *fib, struct fwd_route *routes, unsigned family)
{
    struct fwd_route *route = &routes[random_below(ROUTES)];
    unsigned bits = ip_family_bits(family);

    if (route->value != FWD_NO_ROUTE && random_below(2) == 0) {
        route->value = FWD_NO_ROUTE;
    } else {
        if (route->value == FWD_NO_ROUTE) {
            route->prefix = (struct ip_prefix){.family = (uint8_t)family, .length = (uint8_t)random_below(bits + 1)};
            random_octets(route->prefix.octets, bits / 8);
            ip_bits_keep(route->prefix.octets, 16, 0, route->prefix.length);
            for (unsigned i = 0; i < ROUTES; i++) /* one that is there already is left alone */
                if (routes[i].value != FWD_NO_ROUTE &&
                    memcmp(&routes[i].prefix, &route->prefix, sizeof route->prefix) == 0)
                    return true;
        }
        route->value = 1 + random_below(5);
    }
    return fwd_fib_set(fib, &route->prefix, FWD_FROM_STATIC, route->value) == 0;
}

static bool run(struct fwd_nodes *nodes, struct rcu *rcu, unsigned family)
{
    struct fwd_route routes[ROUTES] = {{.value = FWD_NO_ROUTE}};
    struct fwd_fib *fib = fwd_fib_create(nodes, family);
    bool good = fib != NULL;

    for (unsigned i = 0; good && i < CHANGES; i++) {
        good = change(fib, routes, family) && probe(fib, routes, ip_family_bits(family) / 8);
        rcu_reclaim(rcu);
    }
    rcu_synchronize(rcu);
    fwd_fib_free(fib);
    return good;
}

int main(void)
{
    struct rcu *rcu = rcu_create(1);
    struct fwd_nodes *nodes = fwd_nodes_create(65536, rcu);
    bool good = run(nodes, rcu, IP_V4) && run(nodes, rcu, IP_V6);

    fwd_nodes_free(nodes);
    rcu_free(rcu);
    printf("%s\n", good ? "the FIB and the list agree" : "the FIB and the list differ");
    return good ? 0 : 1;
}
