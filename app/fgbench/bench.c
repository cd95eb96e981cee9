/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>
#include <sys/mman.h>

#define LARGE_PAGE 0x200000u

/* SplitMix64 (Steele, Lea, Flood, 2014): the same seed gives the same rules and packets on every machine. */
uint64_t bench_random(struct bench_random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint32_t bench_below(struct bench_random *random, uint32_t limit)
{
    return (uint32_t)((bench_random(random) >> 32) * limit >> 32);
}

uint32_t bench_between(struct bench_random *random, uint32_t first, uint32_t last)
{
    return first + bench_below(random, last - first + 1);
}

bool bench_percent(struct bench_random *random, unsigned percent)
{
    return bench_below(random, 100) < percent;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

void *bench_large_alloc(size_t size)
{
    void *memory;

    size = (size + LARGE_PAGE - 1) & ~(size_t)(LARGE_PAGE - 1);
    if (posix_memalign(&memory, LARGE_PAGE, size) != 0)
        return NULL;
    madvise(memory, size, MADV_HUGEPAGE); /* that it is refused only costs time */
    return memset(memory, 0, size);
}

double bench_median(double *values, unsigned count)
{
    qsort(values, count, sizeof *values, compare_doubles);
    return values[count / 2];
}

double bench_quantile(const double *sorted, unsigned count, double q)
{
    unsigned at = (unsigned)(q * count);

    return sorted[at < count ? at : count - 1];
}

double bench_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Figures by name: one table for the output for people and for programs. */
static const struct {
    const char *name;
    size_t offset;
} figures[] = {
#define FIGURE(member)                                                                                                 \
    {                                                                                                                  \
#member, offsetof(struct bench_record, member)                                                                 \
    }
    FIGURE(cycles_per_packet),
    FIGURE(best_cycles_per_packet),
    FIGURE(mpps),
    FIGURE(build_s),
    FIGURE(cpu_s),
    FIGURE(memory_bytes),
    FIGURE(ratio),
    FIGURE(p50_us),
    FIGURE(p99_us),
    FIGURE(p999_us),
    FIGURE(max_us),
    FIGURE(per_second),
    FIGURE(worker_loss_percent),
#undef FIGURE
};

#define FIGURES (sizeof figures / sizeof figures[0])

static json_t *records;

static double *figure_of(struct bench_record *record, size_t i)
{
    return (double *)((char *)record + figures[i].offset);
}

struct bench_record bench_record_empty(void)
{
    struct bench_record record = {.bench = "", .family = "", .traffic = "", .engine = ""};

    for (size_t i = 0; i < FIGURES; i++)
        *figure_of(&record, i) = -1;
    return record;
}

void bench_record_add(const struct bench_record *record)
{
    struct bench_record copy = *record;
    json_t *object =
        json_pack("{s:s, s:s, s:i, s:i, s:s, s:s}", "bench", record->bench, "family", record->family, "ip",
                  (int)record->ip, "rules", (int)record->rules, "traffic", record->traffic, "engine", record->engine);

    printf("%-9s ip%u %8u %-13s %-16s", record->family, record->ip, record->rules, record->traffic, record->engine);
    if (record->stage != NULL) {
        printf(" %-8s", record->stage);
        json_object_set_new(object, "stage", json_string(record->stage));
    }
    for (size_t i = 0; i < FIGURES; i++) {
        double value = *figure_of(&copy, i);
        if (value < 0)
            continue;
        printf(" %s=%.*f", figures[i].name, value < 100 ? 2 : 0, value);
        json_object_set_new(object, figures[i].name, json_real(round(value * 1000) / 1000));
    }
    printf("\n");
    fflush(stdout);
    if (records == NULL)
        records = json_array();
    json_array_append_new(records, object);
}

bool bench_records_write(const char *path)
{
    if (records == NULL)
        records = json_array();
    if (json_dump_file(records, path, JSON_INDENT(1)) == 0)
        return true;
    fprintf(stderr, "fgbench: cannot write %s\n", path);
    return false;
}
