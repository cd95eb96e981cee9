/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fgbench classify: cycles per packet of every engine on the same rules and packets, one process, one core. The
 * engines take turns, so that a busy moment of the machine meets all of them; a figure is the median of the turns.
 * Every answer of every engine is compared with that of the first, packet by packet, before anything is timed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "acl.h"
#include "classifier/classifier.h"

#define CHUNK         2048 /* packets that are timed at once */
#define PACKETS_MIN   32768
#define PACKETS_MAX   262144 /* enough that a large set's rules do not all stay in the cache */
#define BURST         32
#define ACL_RULES_MAX 250000u /* of sets that it takes minutes to build, or more memory than 12 GiB */
#define ENGINES_MAX   (CLS_SIMD_COUNT + 1)
#define MILLION       1e6
#define REPS          11
#define REPS_MIN      3
#define TRAFFIC_S     15 /* of measuring one traffic, about: where a turn is slow there are fewer of them */

struct engine {
    char name[32];
    struct cls *cls;       /* ours */
    struct bench_acl *acl; /* or rte_acl */
    double cycles[BENCH_REPS_MAX];
    double build_s;
    double memory_bytes;
};

struct bench {
    const struct bench_options *options;
    struct bench_set set;
    struct rcu *rcu;
    unsigned engine_count;
    unsigned packets;
    struct engine engines[ENGINES_MAX];
    struct pkt_key *keys;
    void *acl_packets;
    uint32_t *ids, *wanted;
};

static void engine_match(const struct bench *b, const struct engine *engine, unsigned from, uint32_t *ids)
{
    for (unsigned first = from; first < from + CHUNK; first += BURST) {
        if (engine->cls != NULL)
            cls_match_burst(engine->cls, &b->keys[first], &ids[first], BURST);
        else
            bench_acl_match(engine->acl, b->acl_packets, first, &ids[first], BURST);
    }
}

static bool add_ours(struct bench *b, enum cls_simd simd)
{
    struct engine *engine = &b->engines[b->engine_count];
    struct cls_stats stats;

    if (!cls_simd_available(simd))
        return true;
    snprintf(engine->name, sizeof engine->name, "floodgate-%s", cls_simd_name(simd));
    engine->cls = cls_create(&(struct cls_conf){.engine = CLS_FAST, .simd = simd, .rcu = b->rcu});
    if (engine->cls == NULL)
        return false;
    b->engine_count++;
    double start = bench_seconds();
    for (unsigned i = 0; i < b->set.count; i++) {
        /* in an order that is not theirs */
        unsigned at = (unsigned)((uint64_t)i * 2654435761u % b->set.count);
        int rc = cls_rule_add(engine->cls, at + 1, b->set.fs_rules[at]);
        if (rc != 0) {
            fprintf(stderr, "fgbench: rule %u: %s\n", at + 1, strerror(-rc));
            return false;
        }
        if (i % 256 == 0)
            rcu_reclaim(b->rcu);
    }
    engine->build_s = bench_seconds() - start;
    rcu_reclaim(b->rcu);
    cls_stats_get(engine->cls, &stats);
    engine->memory_bytes = (double)stats.memory_bytes;
    return stats.rules == b->set.count;
}

static void add_acl(struct bench *b)
{
    struct engine *engine = &b->engines[b->engine_count];
    const char *why = "set too large";

    snprintf(engine->name, sizeof engine->name, "rte_acl");
    engine->memory_bytes = -1;
    if (b->options->no_acl)
        return;
    if (b->set.count <= ACL_RULES_MAX || b->set.family->acl_builds)
        engine->acl = bench_acl_create(&b->set, &engine->build_s, &why);
    if (engine->acl == NULL)
        printf("%s, %u rules: rte_acl left out: %s\n", b->set.family->name, b->set.count, why);
    else
        b->engine_count++;
}

static void engine_match_all(const struct bench *b, const struct engine *engine, uint32_t *ids)
{
    for (unsigned from = 0; from < b->packets; from += CHUNK)
        engine_match(b, engine, from, ids);
}

static unsigned differences(struct bench *b)
{
    unsigned count = 0;

    engine_match_all(b, &b->engines[0], b->wanted);
    for (unsigned e = 1; e < b->engine_count; e++) {
        engine_match_all(b, &b->engines[e], b->ids);
        for (unsigned i = 0; i < b->packets; i++)
            count += b->ids[i] != b->wanted[i];
    }
    return count;
}

/* Chunks, so that one that another process interrupts does not spoil the rest. */
static double engine_cycles(const struct bench *b, const struct engine *engine)
{
    double cycles[PACKETS_MAX / CHUNK];

    for (unsigned i = 0; i < b->packets / CHUNK; i++) {
        uint64_t start = rte_rdtsc_precise();
        engine_match(b, engine, i * CHUNK, b->ids);
        cycles[i] = (double)(rte_rdtsc_precise() - start) / CHUNK;
    }
    return bench_median(cycles, b->packets / CHUNK);
}

static void measure(struct bench *b, unsigned reps)
{
    for (unsigned rep = 0; rep < reps; rep++)
        for (unsigned e = 0; e < b->engine_count; e++)
            b->engines[e].cycles[rep] = engine_cycles(b, &b->engines[e]);
}

static void report(struct bench *b, enum bench_traffic traffic, unsigned reps)
{
    const struct engine *last = &b->engines[b->engine_count - 1];
    double acl = -1;

    for (unsigned e = 0; e < b->engine_count; e++)
        bench_median(b->engines[e].cycles, reps); /* sorts */
    if (last->acl != NULL)
        acl = last->cycles[reps / 2];
    for (unsigned e = 0; e < b->engine_count; e++) {
        struct bench_record record = bench_record_empty();
        const struct engine *engine = &b->engines[e];
        record.bench = "classify";
        record.family = b->set.family->name;
        record.ip = b->set.ip;
        record.rules = b->set.count;
        record.traffic = bench_traffic_name(traffic);
        record.engine = engine->name;
        record.cycles_per_packet = engine->cycles[reps / 2];
        record.best_cycles_per_packet = engine->cycles[0];
        record.mpps = (double)rte_get_tsc_hz() / record.cycles_per_packet / MILLION;
        record.build_s = engine->build_s;
        record.memory_bytes = engine->memory_bytes;
        if (acl > 0 && engine->acl == NULL)
            record.ratio = acl / record.cycles_per_packet;
        bench_record_add(&record);
    }
}

/* An odd number of turns, to go by how long the first took. */
static unsigned reps_in_time(const struct bench *b, double turn_s)
{
    double reps = TRAFFIC_S / turn_s;

    if (b->options->quick || reps < REPS_MIN)
        return REPS_MIN;
    return reps >= REPS ? REPS : (unsigned)reps | 1u;
}

static int run_traffics(struct bench *b)
{
    for (enum bench_traffic traffic = 0; traffic < BENCH_TRAFFICS; traffic++) {
        bench_traffic_make(&b->set, traffic, b->options->seed, b->keys, b->packets);
        b->acl_packets = bench_acl_packets(b->set.ip, b->keys, b->packets);
        double start = bench_seconds();
        unsigned wrong = differences(b), reps = reps_in_time(b, bench_seconds() - start);
        if (wrong > 0) {
            fprintf(stderr, "fgbench: %s, %u rules, %s: the engines differ on %u packets\n", b->set.family->name,
                    b->set.count, bench_traffic_name(traffic), wrong);
            return 1;
        }
        measure(b, reps);
        report(b, traffic, reps);
        free(b->acl_packets);
    }
    return 0;
}

static int run_set(const struct bench_options *options, const struct bench_family *family, unsigned ip, unsigned rules)
{
    static struct bench b;
    int rc = 1;

    memset(&b, 0, sizeof b);
    b.options = options;
    b.packets = rules < PACKETS_MIN ? PACKETS_MIN : PACKETS_MAX;
    b.rcu = rcu_create(1);
    b.keys = bench_large_alloc(b.packets * sizeof *b.keys);
    b.ids = calloc(b.packets, sizeof *b.ids);
    b.wanted = calloc(b.packets, sizeof *b.wanted);
    bool made = bench_set_make(&b.set, family, ip, rules, options->seed);
    for (enum cls_simd simd = CLS_SIMD_COUNT - 1; made && simd >= CLS_SIMD_SCALAR; simd--)
        made = add_ours(&b, simd);
    if (made) {
        add_acl(&b);
        rc = run_traffics(&b);
    }
    for (unsigned e = 0; e < b.engine_count; e++) {
        cls_free(b.engines[e].cls);
        bench_acl_free(b.engines[e].acl);
    }
    bench_set_free(&b.set);
    rcu_free(b.rcu);
    free(b.keys);
    free(b.ids);
    free(b.wanted);
    return rc;
}

int bench_classify(const struct bench_options *options)
{
    static const unsigned SIZES[] = {1000, 10000, 100000, 1000000};
    int rc = 0;

    for (unsigned f = 0; f < bench_family_count; f++) {
        const struct bench_family *family = &bench_families[f];
        if (options->family != NULL && strcmp(options->family, family->name) != 0)
            continue;
        for (unsigned ip = 4; ip <= 6; ip += 2) {
            if (options->ip != 0 && options->ip != ip)
                continue;
            for (unsigned s = 0; s < sizeof SIZES / sizeof SIZES[0]; s++) {
                unsigned rules = options->rules ? options->rules : SIZES[s];
                if ((s > 0 && (options->rules || options->quick)) || rules > family->most_rules)
                    continue;
                rc |= run_set(options, family, ip, rules);
            }
        }
    }
    return rc;
}
