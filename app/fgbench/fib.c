/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fgbench fib: a full table of routes in forwarding. How long it takes to load, what it takes in memory, what a lookup
 * costs a worker, and how many changes a second it takes; every answer that is looked at is compared with a search from
 * end to end of the same routes, before and after a tenth of them has gone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "bench.h"
#include "forward/forward.h"
#include "full_table.h"

#define GATEWAYS     64 /* next hops that the routes share */
#define BURST        32
#define ADDRESSES    (1u << 20)
#define CHECKS       2000
#define QUICK_CHECKS 400
#define TURNS        5

struct bench {
    struct rcu *rcu;
    struct fwd *fwd;
    struct full_table table;
    struct ip_addr gateways[GATEWAYS];
    uint32_t numbers[GATEWAYS]; /* of the next hop of each */
    uint8_t *gone;              /* by route */
    struct bench_random random;
};

static unsigned gateway_of(unsigned route)
{
    return (route * 2654435761u >> 8) % GATEWAYS;
}

static int route_set(struct bench *bench, unsigned route)
{
    return fwd_route_set(bench->fwd, FWD_VRF_DEFAULT, &bench->table.prefixes[route], FWD_FROM_BGP,
                         &bench->gateways[gateway_of(route)], 1);
}

static bool bench_make(struct bench *bench, unsigned family, unsigned count, uint64_t seed)
{
    static const struct fwd_ops NO_OPS;
    static const uint16_t VRFS[1];
    const struct ip_prefix port = {
        .family = (uint8_t)family, .length = family == IP_V4 ? 16 : 48, .octets = {10, 1, 1, 1}};

    *bench = (struct bench){.random = {seed}, .rcu = rcu_create(1), .gone = calloc(count, 1)};
    if (bench->rcu == NULL || bench->gone == NULL || !full_table_make(&bench->table, family, count, &bench->random))
        return false;
    bench->fwd = fwd_create(&(struct fwd_conf){.vrf_count = 1, .port_count = 1, .port_vrfs = VRFS, .rcu = bench->rcu},
                            &NO_OPS, NULL);
    if (bench->fwd == NULL || fwd_address_add(bench->fwd, 0, &port) < 0)
        return false;
    for (unsigned i = 0; i < GATEWAYS; i++) {
        bench->gateways[i] = (struct ip_addr){.family = (uint8_t)family, .octets = {10, 1, 1, (uint8_t)(2 + i)}};
        bench->numbers[i] = fwd_gateway_get(bench->fwd, FWD_VRF_DEFAULT, &bench->gateways[i]);
    }
    return true;
}

static void bench_end(struct bench *bench)
{
    fwd_free(bench->fwd);
    if (bench->rcu != NULL)
        rcu_free(bench->rcu);
    full_table_free(&bench->table);
    free(bench->gone);
}

/* Whether the FIB says what a search of all routes says, for addresses within routes and elsewhere. */
static bool check(struct bench *bench, unsigned count)
{
    const struct fwd_fib *fib = fwd_fib_of(bench->fwd, FWD_VRF_DEFAULT, bench->table.family);

    for (unsigned i = 0; i < count; i++) {
        uint8_t address[16];
        full_table_address(&bench->table, bench_below(&bench->random, bench->table.count), &bench->random, address);
        if (i % 4 == 3) /* near it, where there may be none */
            address[bench->table.family == IP_V4 ? 1 : 3] ^= (uint8_t)bench_between(&bench->random, 1, 255);
        int route = full_table_match(&bench->table, bench->gone, address);
        uint32_t expected = route < 0 ? FWD_NO_ROUTE : bench->numbers[gateway_of((unsigned)route)], found[1];
        const uint8_t *const burst[1] = {address};
        fwd_fib_lookup_burst(fib, burst, found, 1);
        if (address[0] == 10 || (fwd_fib_lookup(fib, address) == expected && found[0] == expected))
            continue; /* 10.1.0.0/16 is the port's own */
        fprintf(stderr, "fgbench: lookup %u is wrong: %u instead of %u\n", i, fwd_fib_lookup(fib, address), expected);
        return false;
    }
    return true;
}

/* Cycles of one lookup in a burst, over addresses that are spread over all routes. */
static void measure_lookups(struct bench *bench, struct bench_record *record, double seconds)
{
    const struct fwd_fib *fib = fwd_fib_of(bench->fwd, FWD_VRF_DEFAULT, bench->table.family);
    uint8_t(*addresses)[16] = malloc(ADDRESSES * sizeof *addresses);
    double figures[TURNS], until;

    if (addresses == NULL)
        return;
    for (unsigned i = 0; i < ADDRESSES; i++)
        full_table_address(&bench->table, bench_below(&bench->random, bench->table.count), &bench->random,
                           addresses[i]);
    for (unsigned turn = 0; turn < TURNS; turn++) {
        uint64_t cycles = 0, packets = 0;
        until = bench_seconds() + seconds / TURNS;
        for (unsigned at = 0; bench_seconds() < until; at = (at + 64 * BURST) % ADDRESSES) {
            uint64_t start = rte_rdtsc();
            for (unsigned burst = at; burst < at + 64 * BURST; burst += BURST) {
                const uint8_t *pointers[BURST];
                uint32_t numbers[BURST];
                for (unsigned i = 0; i < BURST; i++)
                    pointers[i] = addresses[burst + i];
                fwd_fib_lookup_burst(fib, pointers, numbers, BURST);
            }
            cycles += rte_rdtsc() - start;
            packets += (uint64_t)64 * BURST;
        }
        figures[turn] = (double)cycles / (double)packets;
    }
    record->cycles_per_packet = bench_median(figures, TURNS);
    record->best_cycles_per_packet = figures[0]; /* sorted by now */
    record->mpps = (double)rte_get_tsc_hz() / record->cycles_per_packet / 1e6;
    free(addresses);
}

/* Every tenth route goes; the time that takes. */
static double withdraw_some(struct bench *bench)
{
    double start = bench_seconds();

    for (unsigned i = 0; i < bench->table.count; i += 10) {
        bench->gone[i] = 1;
        fwd_route_clear(bench->fwd, FWD_VRF_DEFAULT, &bench->table.prefixes[i], FWD_FROM_BGP);
    }
    fwd_settle(bench->fwd);
    rcu_synchronize(bench->rcu);
    return bench_seconds() - start;
}

static bool measure(struct bench *bench, const struct bench_options *options)
{
    unsigned count = bench->table.count, checks = options->quick ? QUICK_CHECKS : CHECKS;
    struct bench_record record = bench_record_empty();
    double start = bench_seconds();

    for (unsigned i = 0; i < count; i++)
        if (route_set(bench, i) < 0)
            return false;
    fwd_settle(bench->fwd);
    record.build_s = bench_seconds() - start;
    record.bench = "fib";
    record.family = "full-table";
    record.traffic = "hit-uniform";
    record.engine = "floodgate";
    record.ip = bench->table.family == IP_V4 ? 4 : 6;
    record.rules = count;
    record.per_second = count / record.build_s;
    record.memory_bytes = (double)fwd_memory_bytes(bench->fwd);
    measure_lookups(bench, &record, options->quick ? 0.1 : options->seconds);
    if (!check(bench, checks))
        return false;
    bench_record_add(&record);

    record = bench_record_empty();
    record.bench = "fib";
    record.family = "full-table";
    record.traffic = "withdrawals";
    record.engine = "floodgate";
    record.ip = bench->table.family == IP_V4 ? 4 : 6;
    record.rules = (count + 9) / 10;
    record.build_s = withdraw_some(bench);
    record.per_second = record.rules / record.build_s;
    if (!check(bench, checks))
        return false;
    bench_record_add(&record);
    printf("%u lookups compared with a search of all routes: the same\n", 2 * checks);
    return true;
}

static bool run(unsigned family, unsigned count, const struct bench_options *options)
{
    struct bench bench;
    bool fine = bench_make(&bench, family, count, options->seed);

    if (!fine)
        fprintf(stderr, "fgbench: memory is short\n");
    fine = fine && measure(&bench, options);
    bench_end(&bench);
    return fine;
}

int bench_fib(const struct bench_options *options)
{
    unsigned v4 = options->rules != 0 ? options->rules : options->quick ? FULL_TABLE_V4 / 20 : FULL_TABLE_V4;
    unsigned v6 = options->rules != 0 ? options->rules : options->quick ? FULL_TABLE_V6 / 20 : FULL_TABLE_V6;
    bool fine = options->ip == 6 || run(IP_V4, v4, options);

    return fine && (options->ip == 4 || run(IP_V6, v6, options)) ? 0 : 1;
}
