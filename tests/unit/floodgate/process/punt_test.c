/* SPDX-License-Identifier: BSD-3-Clause */
/* Floods of packets for the router while the control thread takes none: what sessions and neighbours live on passes. */
#include "cm.h"

#include <sched.h>
#include <stdlib.h>

#include <rte_eal.h>
#include <rte_mbuf.h>

#include "dataplane/buffers.h"
#include "dataplane/burst.h"
#include "dataplane/punt.h"

#define POOL_SIZE  4095u /* as a virtual port has them */
#define RING_SLOTS 4096u
#define HZ         1000000000u
#define FLOOD      10000u

static struct rte_mempool *pool;
static struct route_plane *route;
static struct worker *worker;
static struct port port = {.name = "up", .routed = true};
static struct worker_queue queue = {.in = &port, .out = &port, .routed = true};
static uint64_t now_tsc;

static int set_up(void **state)
{
    (void)state;
    route = calloc(1, sizeof *route);
    worker = aligned_alloc(64, (sizeof *worker + 63) / 64 * 64);
    assert_true(route != NULL && worker != NULL);
    *worker = (struct worker){.route = route};
    worker->ports = calloc(1, sizeof *worker->ports);
    pool = rte_pktmbuf_pool_create("packets", POOL_SIZE, 0, PORTS_NOTE_SIZE, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    route->up_first = rte_ring_create("up_first", RING_SLOTS, SOCKET_ID_ANY, RING_F_SC_DEQ);
    route->up = rte_ring_create("up", RING_SLOTS, SOCKET_ID_ANY, RING_F_SC_DEQ);
    assert_true(worker->ports != NULL && pool != NULL && route->up_first != NULL && route->up != NULL);
    for (unsigned kind = 0; kind < UP_KIND_COUNT; kind++)
        punt_limit_set(&route->limits[kind], 10000000, HZ);
    now_tsc = 10 * (uint64_t)HZ;
    return 0;
}

static void ring_end(struct rte_ring *ring)
{
    void *packet;

    while (rte_ring_dequeue(ring, &packet) == 0)
        rte_pktmbuf_free(packet);
    rte_ring_free(ring);
}

static int tear_down(void **state)
{
    (void)state;
    ring_end(route->up_first);
    ring_end(route->up);
    assert_int_equal(rte_mempool_avail_count(pool), POOL_SIZE);
    rte_mempool_free(pool);
    free(worker->ports);
    free(worker);
    free(route);
    return 0;
}

/* So many of a kind, as fast as its limit lets them in. Returns how many were handed up. */
static unsigned flood(enum up_kind kind, unsigned of)
{
    struct burst burst = {.worker = worker, .queue = &queue, .in = worker->ports};
    const struct pkt_key key = {.l3_offset = 14};
    const struct ip_addr neighbor = {.family = IP_V4};
    unsigned before = POOL_SIZE - rte_mempool_avail_count(pool);

    for (unsigned i = 0; i < of; i++) {
        struct rte_mbuf *packet = rte_pktmbuf_alloc(pool);
        if (packet == NULL) /* the port receives nothing any more */
            break;
        burst.tsc = now_tsc += HZ / 1000;
        if (kind == UP_HOLD)
            punt_hold(&burst, packet, 0, &neighbor);
        else if (kind >= UP_TTL_EXPIRED)
            punt_error(&burst, packet, &key, CNT_DROP_TTL_EXPIRED, kind, 0);
        else
            punt_local(&burst, packet, &key, kind);
    }
    return POOL_SIZE - rte_mempool_avail_count(pool) - before;
}

static void a_flood_leaves_buffers_for_what_sessions_live_on(void **state)
{
    static const enum up_kind FLOODS[] = {UP_LOCAL, UP_TCP, UP_ICMP, UP_BGP_OTHER, UP_HOLD, UP_TTL_EXPIRED};

    (void)state;
    for (unsigned i = 0; i < sizeof FLOODS / sizeof FLOODS[0]; i++)
        flood(FLOODS[i], FLOOD);
    assert_in_range(rte_mempool_avail_count(pool), BUFFERS_LEFT_BY_OTHERS - 1, POOL_SIZE);
    assert_int_equal(flood(UP_BGP, 100), 100);
    /* somebody who sends as if he were a peer */
    flood(UP_BGP, FLOOD);
    assert_int_equal(flood(UP_ARP, 100), 100);
    assert_int_equal(flood(UP_ND, 100), 100);
    flood(UP_ARP, FLOOD);
    assert_in_range(rte_mempool_avail_count(pool), BUFFERS_LEFT_BY_NEIGHBORS - 1, POOL_SIZE);
}

static void a_flood_of_bgp_leaves_room_in_the_ring(void **state)
{
    (void)state;
    flood(UP_BGP, FLOOD);
    assert_int_equal(rte_ring_count(route->up), 0);
    assert_int_equal(flood(UP_ARP, 200), 200);
}

static void what_is_refused_is_counted(void **state)
{
    (void)state;
    unsigned taken = flood(UP_LOCAL, FLOOD);
    assert_int_equal(cnt_get(&worker->ports->punted_packets), taken);
    assert_int_equal(cnt_get(&worker->ports->drops[CNT_DROP_PUNT_LIMIT]), FLOOD - taken);
    assert_int_equal(cnt_get(&worker->punt_drops[UP_LOCAL]), FLOOD - taken);
}

#define PUNT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PUNT_TEST(a_flood_leaves_buffers_for_what_sessions_live_on),
        PUNT_TEST(a_flood_of_bgp_leaves_room_in_the_ring),
        PUNT_TEST(what_is_refused_is_counted),
    };
    char words[][16] = {"punt", "--no-huge", "--no-pci", "-m64", "-l0", "--no-shconf", "--no-telemetry"};
    char *eal[sizeof words / sizeof words[0] + 1] = {NULL};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        eal[i] = words[i];
    cpu_set_t cpus;
    sched_getaffinity(0, sizeof cpus, &cpus);
    if (rte_eal_init(sizeof words / sizeof words[0], eal) < 0)
        return 1;
    sched_setaffinity(0, sizeof cpus, &cpus); /* off core 0, which others may keep busy */
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rte_eal_cleanup();
    return failed;
}
