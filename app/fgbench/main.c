/* SPDX-License-Identifier: BSD-3-Clause */
/* fgbench: the benchmarks. See fgbench(1). */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_log.h>

#include "bench.h"
#include "families.h"

static const struct {
    const char *name;
    int (*run)(const struct bench_options *options);
    const char *help;
} commands[] = {
    {"classify", bench_classify, "cycles per packet, beside rte_acl"},
    {"bgp", bench_bgp, "rules and routes from a BGP session, beside BIRD and GoBGP"},
    {"validate", bench_validate, "rules through every step of validation; what sampling headers costs a worker"},
    {"fib", bench_fib, "a full table of routes: load, memory, lookups, changes; every answer checked"},
    {"pipeline", bench_pipeline, "cycles per packet of each stage of a router that forwards"},
    {"update", bench_update, "time from a change to its visibility while a worker classifies"},
};

static int usage(FILE *out)
{
    fprintf(out, "usage: fgbench COMMAND [--family NAME] [--ip 4|6] [--rules N] [--seed S] [--seconds S] [--no-acl]\n"
                 "               [--quick] [--json FILE]\ncommands:\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].help);
    fprintf(out, "families:");
    for (unsigned i = 0; i < bench_family_count; i++)
        fprintf(out, " %s", bench_families[i].name);
    fprintf(out, "\n");
    return out == stdout ? 0 : 1;
}

static bool family_known(const char *name)
{
    for (unsigned i = 0; i < bench_family_count; i++)
        if (strcmp(name, bench_families[i].name) == 0)
            return true;
    fprintf(stderr, "fgbench: no family `%s`\n", name);
    return false;
}

static bool number(const char *text, double least, double most, double *out)
{
    char *end;

    *out = strtod(text, &end);
    if (end != text && *end == '\0' && *out >= least && *out <= most)
        return true;
    fprintf(stderr, "fgbench: `%s` is not a number from %.0f to %.0f\n", text, least, most);
    return false;
}

/* 1: go on; 0: done (help); -1: wrong. */
static int options_read(int argc, char **argv, struct bench_options *out)
{
    static const struct option LONG[] = {
        {"family", required_argument, NULL, 'f'},  {"ip", required_argument, NULL, 'i'},
        {"rules", required_argument, NULL, 'r'},   {"seed", required_argument, NULL, 's'},
        {"seconds", required_argument, NULL, 't'}, {"no-acl", no_argument, NULL, 'a'},
        {"quick", no_argument, NULL, 'q'},         {"json", required_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    double value;
    int c;

    while ((c = getopt_long(argc, argv, "h", LONG, NULL)) != -1) {
        bool fine = true;
        switch (c) {
        case 'f':
            out->family = optarg;
            fine = family_known(optarg);
            break;
        case 'i':
            fine = number(optarg, 4, 6, &value) && value != 5;
            out->ip = fine ? (unsigned)value : 0;
            break;
        case 'r':
            fine = number(optarg, 1, 2e6, &value);
            out->rules = fine ? (unsigned)value : 0;
            break;
        case 's':
            fine = number(optarg, 0, 1e15, &value);
            out->seed = fine ? (uint64_t)value : 0;
            break;
        case 't':
            fine = number(optarg, 0, 86400, &out->seconds);
            break;
        case 'a':
            out->no_acl = true;
            break;
        case 'q':
            out->quick = true;
            break;
        case 'j':
            out->json = optarg;
            break;
        case 'h':
            usage(stdout);
            return 0;
        default:
            fine = false;
        }
        if (!fine)
            return -1;
    }
    return 1;
}

/* DPDK without hugepages and devices: only its memory, for rte_acl. */
static bool eal_start(bool quick)
{
    char prefix[64];

    snprintf(prefix, sizeof prefix, "--file-prefix=fgbench%d", (int)getpid());
    char *args[] = {(char *)(uintptr_t) "fgbench",
                    (char *)(uintptr_t) "--no-huge",
                    (char *)(uintptr_t) "--no-pci",
                    (char *)(uintptr_t) "--no-shconf",
                    (char *)(uintptr_t) "--no-telemetry",
                    (char *)(uintptr_t) "--log-level=error",
                    (char *)(uintptr_t) "--lcores=0@0",
                    (char *)(uintptr_t) "--force-max-simd-bitwidth=512",
                    (char *)(uintptr_t) "-m",
                    (char *)(uintptr_t)(quick ? "512" : "6144"),
                    prefix};

    if (rte_eal_init(sizeof args / sizeof args[0], args) >= 0)
        return true;
    fprintf(stderr, "fgbench: DPDK does not start\n");
    return false;
}

int main(int argc, char **argv)
{
    struct bench_options options = {.seed = 1, .seconds = 5};
    int go_on = options_read(argc, argv, &options);

    if (go_on <= 0)
        return go_on < 0;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0] && optind < argc; i++) {
        if (strcmp(argv[optind], commands[i].name) != 0)
            continue;
        options.command = commands[i].name;
        if (!eal_start(options.quick))
            return 1;
        int rc = commands[i].run(&options);
        if (options.json != NULL && !bench_records_write(options.json))
            rc = 1;
        rte_eal_cleanup();
        return rc;
    }
    return usage(stderr);
}
