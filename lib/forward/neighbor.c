/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbours: the states of ARP (RFC 826, RFC 1122 2.3.2) and of RFC 4861 7.3, made simpler: who answered is believed
 * for a minute, then asked again, by unicast, while packets go on; who does not answer three times is forgotten.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "forward/internal.h"

#define REACHABLE_MS 60000u /* RFC 1122 2.3.2.1: of the order of a minute */
#define RETRANS_MS   1000u  /* RFC 4861 section 10: RETRANS_TIMER */
#define SOLICITS_MAX 3u     /* MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT */
#define PATIENCE_MS  200u   /* who has not answered by then makes room for others where there is none */

const char *fwd_neighbor_state_name(enum fwd_neighbor_state state)
{
    static const char *const NAMES[] = {
        [FWD_NEIGHBOR_ASKED] = "asked",
        [FWD_NEIGHBOR_REACHABLE] = "reachable",
        [FWD_NEIGHBOR_PROBED] = "probed",
        [FWD_NEIGHBOR_STATIC] = "static",
    };

    return NAMES[state];
}

struct neighbor *neighbor_find(const struct fwd *fwd, uint16_t port, const struct ip_addr *address)
{
    struct neighbor *neighbor = fwd->neighbors[bucket_of(port, address)];

    while (neighbor != NULL && (neighbor->info.port != port || !ip_addr_equal(&neighbor->info.address, address)))
        neighbor = neighbor->next;
    return neighbor;
}

bool fwd_neighbor_get(const struct fwd *fwd, uint16_t port, const struct ip_addr *address,
                      struct fwd_neighbor_info *out)
{
    const struct neighbor *neighbor = neighbor_find(fwd, port, address);

    if (neighbor != NULL)
        *out = neighbor->info;
    return neighbor != NULL;
}

static struct neighbor *neighbor_make(struct fwd *fwd, uint16_t port, const struct ip_addr *address)
{
    struct neighbor **bucket = &fwd->neighbors[bucket_of(port, address)];
    struct neighbor *neighbor = calloc(1, sizeof *neighbor);

    if (neighbor == NULL)
        return NULL;
    neighbor->info.port = port;
    neighbor->info.address = *address;
    neighbor->next = *bucket;
    *bucket = neighbor;
    fwd->neighbor_count++;
    return neighbor;
}

static struct ip_prefix host_prefix(const struct ip_addr *address)
{
    struct ip_prefix prefix = {.family = address->family, .length = (uint8_t)ip_family_bits(address->family)};

    memcpy(prefix.octets, address->octets, sizeof prefix.octets);
    return prefix;
}

static void held_drop(struct fwd *fwd, struct neighbor *neighbor)
{
    for (unsigned i = 0; i < neighbor->info.held; i++)
        fwd->ops.drop(fwd->ctx, neighbor->held[i]);
    fwd->held_count -= neighbor->info.held;
    neighbor->info.held = 0;
}

static void asked_add(struct fwd *fwd, struct neighbor *neighbor)
{
    struct asked_list *list = &fwd->asked[neighbor->info.port];

    neighbor->asked_before = list->last;
    if (list->last != NULL)
        list->last->asked_after = neighbor;
    else
        list->first = neighbor;
    list->last = neighbor;
    list->count++;
}

/* It answers, or goes. */
static void asked_remove(struct fwd *fwd, struct neighbor *neighbor)
{
    struct asked_list *list = &fwd->asked[neighbor->info.port];

    if (list->first != neighbor && neighbor->asked_before == NULL)
        return; /* it is not there */
    if (neighbor->asked_before != NULL)
        neighbor->asked_before->asked_after = neighbor->asked_after;
    else
        list->first = neighbor->asked_after;
    if (neighbor->asked_after != NULL)
        neighbor->asked_after->asked_before = neighbor->asked_before;
    else
        list->last = neighbor->asked_before;
    neighbor->asked_before = neighbor->asked_after = NULL;
    list->count--;
}

static void neighbor_remove(struct fwd *fwd, struct neighbor *neighbor)
{
    struct neighbor **at = &fwd->neighbors[bucket_of(neighbor->info.port, &neighbor->info.address)];
    struct ip_prefix host = host_prefix(&neighbor->info.address);

    held_drop(fwd, neighbor);
    asked_remove(fwd, neighbor);
    while (*at != neighbor)
        at = &(*at)->next;
    *at = neighbor->next;
    fwd->neighbor_count--;
    if (neighbor->number != 0) {
        fwd_fib_set(fib_of(fwd, fwd->port_vrfs[neighbor->info.port], host.family), &host, FWD_FROM_NEIGHBOR,
                    FWD_NO_ROUTE);
        hop_give(fwd, neighbor->number);
        fwd->changed = true;
    }
    free(neighbor);
}

/* Whether an address is on the network of the port, host routes left aside: else it gets no route of its own. */
static bool is_on_link(const struct fwd *fwd, uint16_t port, const struct ip_addr *address)
{
    struct fwd_route route;

    if (!fwd_fib_find_within(fib_of(fwd, fwd->port_vrfs[port], address->family), address,
                             (int)ip_family_bits(address->family) - 1, &route))
        return false;
    return route.source == FWD_FROM_CONNECTED && fwd_hop_of(fwd->hops, route.value)->port == port;
}

/* The neighbour has this MAC address: in force for all routes that lead to it, and for what is held. */
static int neighbor_resolve(struct fwd *fwd, struct neighbor *neighbor, const uint8_t *mac)
{
    struct fwd_hop hop;
    struct ip_prefix host = host_prefix(&neighbor->info.address);
    bool fresh = neighbor->number == 0;

    if (fresh && (neighbor->number = hop_take(fwd, OWNER_NEIGHBOR, neighbor)) == 0)
        return -ENOMEM;
    memset(&hop, 0, sizeof hop);
    hop.kind = FWD_SEND;
    hop.port = neighbor->info.port;
    hop.address = neighbor->info.address;
    memcpy(hop.mac, mac, sizeof hop.mac);
    if (fresh || memcmp(neighbor->info.mac, mac, sizeof hop.mac) != 0) {
        memcpy(neighbor->info.mac, mac, sizeof neighbor->info.mac);
        int error = fwd_hops_set(fwd->hops, neighbor->number, &hop);
        if (error == 0 && fresh && is_on_link(fwd, neighbor->info.port, &neighbor->info.address))
            error = fwd_fib_set(fib_of(fwd, fwd->port_vrfs[neighbor->info.port], host.family), &host, FWD_FROM_NEIGHBOR,
                                neighbor->number);
        fwd->changed = true;
        if (error < 0)
            return error;
    }
    for (unsigned i = 0; i < neighbor->info.held; i++)
        fwd->ops.release(fwd->ctx, neighbor->held[i], neighbor->info.port, mac);
    fwd->held_count -= neighbor->info.held;
    neighbor->info.held = 0;
    return 0;
}

int fwd_neighbor_set(struct fwd *fwd, uint16_t port, const struct ip_addr *address, const uint8_t *mac)
{
    struct neighbor *neighbor = neighbor_find(fwd, port, address);

    if (neighbor == NULL && (neighbor = neighbor_make(fwd, port, address)) == NULL)
        return -ENOMEM;
    asked_remove(fwd, neighbor);
    neighbor->info.state = FWD_NEIGHBOR_STATIC;
    return neighbor_resolve(fwd, neighbor, mac);
}

void fwd_neighbor_unset(struct fwd *fwd, uint16_t port, const struct ip_addr *address)
{
    struct neighbor *neighbor = neighbor_find(fwd, port, address);

    if (neighbor != NULL && neighbor->info.state == FWD_NEIGHBOR_STATIC)
        neighbor_remove(fwd, neighbor);
}

void fwd_neighbor_learn(struct fwd *fwd, uint16_t port, const struct ip_addr *address, const uint8_t *mac, unsigned how,
                        mono_ms_t now)
{
    struct neighbor *neighbor = neighbor_find(fwd, port, address);

    /* nobody makes us remember what we did not ask for: RFC 826 merges, it does not add, unless we are the target */
    if (neighbor == NULL || neighbor->info.state == FWD_NEIGHBOR_STATIC)
        return;
    bool known = neighbor->info.state != FWD_NEIGHBOR_ASKED;
    if (mac == NULL && !known)
        return;
    bool same = known && (mac == NULL || memcmp(neighbor->info.mac, mac, 6) == 0);
    if (same && (how & FWD_LEARN_ANSWER) == 0)
        return; /* a hint that says nothing new confirms nothing */
    if (known && !same && (how & FWD_LEARN_KEEP)) {
        if (neighbor->info.state == FWD_NEIGHBOR_REACHABLE)
            neighbor->next_at = now;
        return;
    }
    asked_remove(fwd, neighbor);
    neighbor->info.state = FWD_NEIGHBOR_REACHABLE;
    neighbor->info.since = now;
    neighbor->asked = 0;
    neighbor->next_at = now + REACHABLE_MS;
    if (neighbor_resolve(fwd, neighbor, same ? neighbor->info.mac : mac) < 0)
        neighbor_remove(fwd, neighbor);
}

/* One more to ask for, or NULL when there is no room: RFC 6583 6.2. */
static struct neighbor *neighbor_ask(struct fwd *fwd, uint16_t port, const struct ip_addr *address, mono_ms_t now)
{
    const struct asked_list *list = &fwd->asked[port];
    bool full = list->count >= fwd->asked_room || fwd->neighbor_count >= fwd->neighbor_room;

    if (full && list->first != NULL && now - list->first->info.since >= PATIENCE_MS)
        neighbor_remove(fwd, list->first);
    else if (full)
        return NULL;
    struct neighbor *neighbor = neighbor_make(fwd, port, address);
    if (neighbor == NULL)
        return NULL;
    asked_add(fwd, neighbor);
    neighbor->info.since = now;
    neighbor->asked = 1;
    neighbor->next_at = now + RETRANS_MS;
    fwd->ops.solicit(fwd->ctx, port, address, NULL);
    return neighbor;
}

void fwd_neighbor_hold(struct fwd *fwd, uint16_t port, const struct ip_addr *address, void *packet, mono_ms_t now)
{
    struct neighbor *neighbor = neighbor_find(fwd, port, address);

    if (neighbor != NULL && neighbor->info.state != FWD_NEIGHBOR_ASKED) { /* it answered meanwhile */
        fwd->ops.release(fwd->ctx, packet, port, neighbor->info.mac);
        return;
    }
    if (neighbor == NULL)
        neighbor = neighbor_ask(fwd, port, address, now);
    if (neighbor == NULL || (neighbor->info.held == 0 && fwd->held_count >= fwd->held_room)) {
        fwd->ops.drop(fwd->ctx, packet);
        return;
    }
    /* RFC 1122 2.3.2.2: at least the latest is kept */
    if (neighbor->info.held == FWD_HELD_MAX || fwd->held_count >= fwd->held_room) {
        fwd->ops.drop(fwd->ctx, neighbor->held[0]);
        memmove(neighbor->held, neighbor->held + 1, (FWD_HELD_MAX - 1) * sizeof neighbor->held[0]);
        neighbor->info.held--;
        fwd->held_count--;
    }
    neighbor->held[neighbor->info.held++] = packet;
    fwd->held_count++;
}

/* Its time has come: ask, or give up. */
static void neighbor_due(struct fwd *fwd, struct neighbor *neighbor, mono_ms_t now)
{
    bool known = neighbor->info.state != FWD_NEIGHBOR_ASKED;

    if (neighbor->asked == SOLICITS_MAX) {
        neighbor_remove(fwd, neighbor);
        return;
    }
    if (known)
        neighbor->info.state = FWD_NEIGHBOR_PROBED;
    neighbor->asked++;
    neighbor->next_at = now + RETRANS_MS;
    fwd->ops.solicit(fwd->ctx, neighbor->info.port, &neighbor->info.address, known ? neighbor->info.mac : NULL);
}

void fwd_neighbors_tick(struct fwd *fwd, mono_ms_t now)
{
    for (unsigned b = 0; b < BUCKETS; b++) {
        struct neighbor *next;
        for (struct neighbor *neighbor = fwd->neighbors[b]; neighbor != NULL; neighbor = next) {
            next = neighbor->next;
            if (neighbor->info.state != FWD_NEIGHBOR_STATIC && now >= neighbor->next_at)
                neighbor_due(fwd, neighbor, now);
        }
    }
}

void fwd_neighbors_drop_held(struct fwd *fwd)
{
    for (unsigned b = 0; b < BUCKETS; b++)
        for (struct neighbor *neighbor = fwd->neighbors[b]; neighbor != NULL; neighbor = neighbor->next)
            held_drop(fwd, neighbor);
}

void fwd_neighbors_walk(const struct fwd *fwd, void (*visit)(void *ctx, const struct fwd_neighbor_info *info),
                        void *ctx)
{
    for (unsigned b = 0; b < BUCKETS; b++)
        for (const struct neighbor *neighbor = fwd->neighbors[b]; neighbor != NULL; neighbor = neighbor->next)
            visit(ctx, &neighbor->info);
}

void neighbors_free(struct fwd *fwd)
{
    for (unsigned b = 0; b < BUCKETS; b++) {
        while (fwd->neighbors[b] != NULL) {
            struct neighbor *neighbor = fwd->neighbors[b];
            fwd->neighbors[b] = neighbor->next;
            held_drop(fwd, neighbor);
            free(neighbor);
        }
    }
}
