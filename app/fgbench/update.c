/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fgbench update: a worker classifies all the time; rules are added and removed at a fixed rate. The time of a change
 * is from the call until the worker has passed a quiescent point after it: then it is visible and complete. What the
 * changes cost the worker is its throughput beside that of the same seconds without changes.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_pause.h>

#include "classifier/classifier.h"
#include "families.h"

#define KEYS        4096
#define BURST       32
#define RATE_PER_S  10000
#define SPARE_SHARE 20 /* one in so many rules is not loaded, but added and removed */
#define ROUNDS      4  /* with and without changes by turns */
#define US_PER_S    1e6

struct world {
    struct rcu *rcu;
    struct cls *cls;
    struct bench_set set;
    struct pkt_key *keys;
    atomic_bool stop;
    atomic_ullong packets; /* written by the worker alone */
    unsigned spare_first;  /* rules from here on are the spare ones */
    unsigned next;
    double *samples;
    unsigned sample_count, samples_max;
};

static void *worker_run(void *arg)
{
    struct world *w = arg;
    uint32_t ids[BURST];
    unsigned at = 0;

    rcu_reader_online(w->rcu, 0);
    while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
        cls_match_burst(w->cls, &w->keys[at], ids, BURST);
        at = (at + BURST) % KEYS;
        atomic_store_explicit(&w->packets, atomic_load_explicit(&w->packets, memory_order_relaxed) + BURST,
                              memory_order_relaxed);
        rcu_quiescent(w->rcu, 0);
    }
    rcu_reader_offline(w->rcu, 0);
    return NULL;
}

/* The spare rules come and go in turn. */
static void change(struct world *w)
{
    unsigned spares = w->set.count - w->spare_first, at = w->spare_first + w->next % spares;
    bool add = w->next / spares % 2 == 0;
    double start = bench_seconds();
    int rc = add ? cls_rule_add(w->cls, at + 1, w->set.fs_rules[at]) : cls_rule_remove(w->cls, at + 1);
    uint64_t ticket = rcu_ticket(w->rcu);

    while (!rcu_seen(w->rcu, ticket))
        rte_pause();
    double took = bench_seconds() - start;
    if (rc != 0)
        fprintf(stderr, "fgbench: rule %u: %s\n", at + 1, strerror(-rc));
    if (w->sample_count < w->samples_max)
        w->samples[w->sample_count++] = took * US_PER_S;
    w->next++;
    rcu_reclaim(w->rcu);
}

/* Packets per second of the worker during `seconds`, with or without changes. */
static double run_phase(struct world *w, double seconds, bool changes)
{
    unsigned long long before = atomic_load(&w->packets);
    double start = bench_seconds(), now = start, due = start;

    while (now < start + seconds) {
        if (changes && now >= due) {
            change(w);
            due += 1.0 / RATE_PER_S;
        } else {
            rte_pause();
        }
        now = bench_seconds();
    }
    return (double)(atomic_load(&w->packets) - before) / (now - start);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void report(struct world *w, double quiet, double changing, double load_s)
{
    struct bench_record record = bench_record_empty();
    struct cls_stats stats;

    cls_stats_get(w->cls, &stats);
    qsort(w->samples, w->sample_count, sizeof *w->samples, compare_doubles);
    record.bench = "update";
    record.family = w->set.family->name;
    record.ip = w->set.ip;
    record.rules = w->set.count;
    record.traffic = bench_traffic_name(BENCH_HIT_UNIFORM);
    record.engine = "floodgate";
    record.p50_us = bench_quantile(w->samples, w->sample_count, 0.5);
    record.p99_us = bench_quantile(w->samples, w->sample_count, 0.99);
    record.p999_us = bench_quantile(w->samples, w->sample_count, 0.999);
    record.max_us = w->samples[w->sample_count - 1];
    record.per_second = RATE_PER_S;
    record.worker_loss_percent = quiet > changing ? 100 * (1 - changing / quiet) : 0;
    record.build_s = load_s;
    record.memory_bytes = (double)stats.memory_bytes;
    bench_record_add(&record);
}

static void pin(pthread_t thread, unsigned cpu)
{
    cpu_set_t cpus;

    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    pthread_setaffinity_np(thread, sizeof cpus, &cpus);
}

static int measure(struct world *w, double seconds, double load_s)
{
    double quiet = 0, changing = 0;
    pthread_t thread;

    if (pthread_create(&thread, NULL, worker_run, w) != 0)
        return 1;
    /* each on a core of its own; where that is not possible, say nothing and measure what there is */
    cpu_set_t before;
    bool known = pthread_getaffinity_np(pthread_self(), sizeof before, &before) == 0;
    pin(pthread_self(), 0);
    pin(thread, 1);
    for (unsigned round = 0; round < ROUNDS; round++) {
        quiet += run_phase(w, seconds / ROUNDS / 2, false) / ROUNDS;
        changing += run_phase(w, seconds / ROUNDS / 2, true) / ROUNDS;
    }
    atomic_store(&w->stop, true);
    pthread_join(thread, NULL);
    if (known)
        pthread_setaffinity_np(pthread_self(), sizeof before, &before);
    if (w->sample_count == 0)
        return 1;
    report(w, quiet, changing, load_s);
    return 0;
}

static int run_set(const struct bench_options *options, const struct bench_family *family, unsigned ip, unsigned rules)
{
    static struct world w;
    int rc = 0;

    memset(&w, 0, sizeof w);
    w.rcu = rcu_create(1);
    w.cls = cls_create(&(struct cls_conf){.engine = CLS_FAST, .rcu = w.rcu});
    w.keys = aligned_alloc(64, KEYS * sizeof *w.keys);
    w.samples_max = (unsigned)(RATE_PER_S * options->seconds) + 1;
    w.samples = calloc(w.samples_max, sizeof *w.samples);
    if (!bench_set_make(&w.set, family, ip, rules, options->seed))
        return 1;
    /* which rules are spare must not depend on the order */
    struct bench_random random = {options->seed};
    for (unsigned i = w.set.count - 1; i > 0; i--) {
        unsigned j = bench_below(&random, i + 1);
        struct fs_rule *rule = w.set.fs_rules[i];
        w.set.fs_rules[i] = w.set.fs_rules[j];
        w.set.fs_rules[j] = rule;
    }
    bench_traffic_make(&w.set, BENCH_HIT_UNIFORM, options->seed, w.keys, KEYS);
    w.spare_first = w.set.count - w.set.count / SPARE_SHARE;
    double start = bench_seconds();
    for (unsigned i = 0; i < w.spare_first && rc == 0; i++) {
        rc = cls_rule_add(w.cls, i + 1, w.set.fs_rules[i]);
        if (i % 256 == 0)
            rcu_reclaim(w.rcu);
    }
    double load_s = bench_seconds() - start;
    rcu_reclaim(w.rcu);
    rc = rc != 0 ? 1 : measure(&w, options->quick ? 0.4 : options->seconds, load_s);
    cls_free(w.cls);
    rcu_free(w.rcu);
    bench_set_free(&w.set);
    free(w.samples);
    free(w.keys);
    return rc;
}

int bench_update(const struct bench_options *options)
{
    static const unsigned SIZES[] = {100000, 1000000};
    const char *name = options->family != NULL ? options->family : "mixed";
    int rc = 0;

    for (unsigned f = 0; f < bench_family_count; f++) {
        for (unsigned s = 0; s < 2 && strcmp(name, bench_families[f].name) == 0; s++) {
            unsigned rules = options->rules ? options->rules : options->quick ? 1000 : SIZES[s];
            if ((options->rules || options->quick) && s > 0)
                break;
            if (options->ip != 6)
                rc |= run_set(options, &bench_families[f], 4, rules);
            if (options->ip == 6)
                rc |= run_set(options, &bench_families[f], 6, rules);
        }
    }
    return rc;
}
