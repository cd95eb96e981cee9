/* SPDX-License-Identifier: BSD-3-Clause */
/* What the benchmarks share: options, random numbers, and the records that --json writes. */
#ifndef FGBENCH_BENCH_H
#define FGBENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_SIZES_MAX 8
#define BENCH_REPS_MAX  31

struct bench_options {
    const char *command;
    const char *family; /* NULL: all */
    unsigned ip;        /* 4, 6; 0: both */
    unsigned rules;     /* 0: the command's usual sizes */
    uint64_t seed;
    double seconds;   /* of measuring a point, about */
    bool no_acl;      /* without rte_acl */
    bool quick;       /* small sizes and short: for a test that figures come out */
    const char *json; /* NULL: none */
};

struct bench_random {
    uint64_t state;
};

uint64_t bench_random(struct bench_random *random);
uint32_t bench_below(struct bench_random *random, uint32_t limit); /* 0 .. limit-1 */
uint32_t bench_between(struct bench_random *random, uint32_t first, uint32_t last);
bool bench_percent(struct bench_random *random, unsigned percent);

/* Zeroed memory in large pages, where the system grants these, as a router's packets lie in. For free(). */
void *bench_large_alloc(size_t size);

double bench_median(double *values, unsigned count); /* sorts them */
double bench_quantile(const double *sorted, unsigned count, double q);
double bench_seconds(void); /* of a monotonic clock */

/* One measured point. A figure that is below 0 was not measured and is left out. */
struct bench_record {
    const char *bench, *family, *traffic, *engine;
    const char *stage; /* of the pipeline; NULL: not of one */
    unsigned ip, rules;
    double cycles_per_packet, best_cycles_per_packet, mpps, build_s, cpu_s, memory_bytes, ratio;
    double p50_us, p99_us, p999_us, max_us, per_second, worker_loss_percent;
};

struct bench_record bench_record_empty(void);

/* Prints a line for people and remembers the record. */
void bench_record_add(const struct bench_record *record);

/* Writes all records as a JSON array. False, with a message, when that fails. */
bool bench_records_write(const char *path);

int bench_classify(const struct bench_options *options);
int bench_update(const struct bench_options *options);
int bench_validate(const struct bench_options *options);
int bench_fib(const struct bench_options *options);
int bench_pipeline(const struct bench_options *options);
int bench_bgp(const struct bench_options *options);
bool bench_bgp_full(const struct bench_options *options); /* bgp_full.c: a part of the former */

#endif
