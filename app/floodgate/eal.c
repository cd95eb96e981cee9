/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>

#include "base/strbuf.h"
#include "conf/conf.h"
#include "lcores.h"
#include "log.h"

#define ARGS_MAX    256
#define LCORES_TEXT 2048

struct args {
    char *argv[ARGS_MAX];
    int argc;
    bool full; /* or no memory for one more */
};

static void args_add(struct args *args, const char *text)
{
    if (args->argc == ARGS_MAX) {
        args->full = true;
        return;
    }
    args->argv[args->argc] = strdup(text);
    if (args->argv[args->argc] == NULL)
        args->full = true;
    else
        args->argc++;
}

/* Whether the device is a PCI address (0000:3b:00.0 or 3b:00.0) and not a virtual device. */
static bool device_is_pci(const char *device)
{
    unsigned a, b, c, d;

    return sscanf(device, "%x:%x:%x.%x", &a, &b, &c, &d) == 4 || sscanf(device, "%x:%x.%x", &a, &b, &c) == 3;
}

/* Any free hugepage of any size? */
static bool hugepages_free(void)
{
    glob_t found;
    bool any = false;

    if (glob("/sys/kernel/mm/hugepages/hugepages-*/free_hugepages", 0, NULL, &found) != 0)
        return false;
    for (size_t i = 0; i < found.gl_pathc && !any; i++) {
        FILE *file = fopen(found.gl_pathv[i], "r");
        unsigned long count = 0;
        if (file == NULL)
            continue;
        any = fscanf(file, "%lu", &count) == 1 && count > 0;
        fclose(file);
    }
    globfree(&found);
    return any;
}

/* EAL takes more than there is without a word, or crashes on it: 0, or -ENOMEM after a line in the log. */
static int check_memory(const struct cfg *cfg, const struct log_hook *log)
{
    uint64_t there_mib = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) >> 20;

    if (cfg->dataplane.memory_mib <= there_mib)
        return 0;
    log_line(log, LOG_LEVEL_ERROR, "dataplane.memory: %u MiB is more than the %" PRIu64 " MiB of this machine",
             cfg->dataplane.memory_mib, there_mib);
    return -ENOMEM;
}

static int add_memory(struct args *args, const struct cfg *cfg, const struct log_hook *log)
{
    char text[32];

    if (cfg->dataplane.hugepages == CFG_HUGEPAGES_AUTO && hugepages_free()) {
        args_add(args, "--in-memory"); /* no files in hugetlbfs that would outlive us */
        return 0;
    }
    if (cfg->dataplane.hugepages == CFG_HUGEPAGES_AUTO)
        log_line(log, LOG_LEVEL_NOTICE, "no free hugepages: using %u MiB of ordinary memory (slower on NICs)",
                 cfg->dataplane.memory_mib);
    snprintf(text, sizeof text, "%u", cfg->dataplane.memory_mib);
    args_add(args, "--no-huge");
    args_add(args, "--no-shconf");
    args_add(args, "-m");
    args_add(args, text);
    return check_memory(cfg, log);
}

static void add_cores(struct args *args, const struct cfg *cfg, const cpu_set_t *cpus, const struct log_hook *log)
{
    const struct cfg_dataplane *dp = &cfg->dataplane;
    char text[LCORES_TEXT];
    struct strbuf lcores = sb_init(text, sizeof text);
    char control[16];

    lcores_choose(dp, cpus, &lcores, log);
    args_add(args, "--lcores");
    args_add(args, text);
    snprintf(control, sizeof control, "%u", dp->control_lcore);
    args_add(args, "--main-lcore");
    args_add(args, control);
}

/* Only the NICs that the configuration names are touched; the others stay with their kernel drivers. */
static void add_devices(struct args *args, const struct cfg *cfg)
{
    bool any = false;

    for (size_t i = 0; i < cfg->port_count; i++) {
        if (cfg->ports[i].device == NULL || !device_is_pci(cfg->ports[i].device))
            continue;
        args_add(args, "-a");
        args_add(args, cfg->ports[i].device);
        any = true;
    }
    if (!any)
        args_add(args, "--no-pci");
}

/* EAL prints its whole usage to stdout when it dislikes an argument; its one line on stderr says it better. */
static int eal_init_quietly(int argc, char **argv)
{
    int kept, null;

    fflush(stdout);
    kept = dup(STDOUT_FILENO);
    null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (kept >= 0 && null >= 0)
        dup2(null, STDOUT_FILENO);
    int status = rte_eal_init(argc, argv);
    fflush(stdout);
    if (kept >= 0 && null >= 0)
        dup2(kept, STDOUT_FILENO);
    if (kept >= 0)
        close(kept);
    if (null >= 0)
        close(null);
    return status;
}

/* What is left of the CPUs; where workers have them all, everybody shares. */
static void leave_to_workers(cpu_set_t *cpus)
{
    cpu_set_t workers;
    unsigned lcore;

    CPU_ZERO(&workers);
    RTE_LCORE_FOREACH_WORKER(lcore)
    {
        cpu_set_t own = rte_lcore_cpuset(lcore);
        CPU_OR(&workers, &workers, &own);
    }
    lcores_rest(cpus, &workers);
}

int eal_start(const struct cfg *cfg, char **extra_args, int extra_count, cpu_set_t *helper_cpus,
              const struct log_hook *log)
{
    struct args args = {.argc = 0};
    char *argv[ARGS_MAX];

    FILE *stream = log_dpdk_stream(log);
    if (stream != NULL)
        rte_openlog_stream(stream);
    args_add(&args, "floodgate");
    CPU_ZERO(helper_cpus);
    if (sched_getaffinity(0, sizeof *helper_cpus, helper_cpus) < 0)
        CPU_SET(0, helper_cpus); /* more CPUs than the set holds */
    add_cores(&args, cfg, helper_cpus, log);
    int refused = add_memory(&args, cfg, log);
    add_devices(&args, cfg);
    args_add(&args, "--no-telemetry");
    for (size_t i = 0; i < cfg->dataplane.eal_count; i++)
        args_add(&args, cfg->dataplane.eal[i]);
    for (int i = 0; i < extra_count; i++)
        args_add(&args, extra_args[i]);

    int status = refused < 0 ? refused : args.full ? -E2BIG : 0;
    if (status == 0) {
        memcpy(argv, args.argv, sizeof argv); /* EAL reorders its arguments */
        if (eal_init_quietly(args.argc, argv) < 0)
            status = rte_errno ? -rte_errno : -EINVAL;
        else
            leave_to_workers(helper_cpus);
    }
    if (status < 0 && refused == 0)
        log_line(log, LOG_LEVEL_ERROR,
                 "cannot start DPDK: %s (run with --log-level info to see its own messages; hugepages, memory and EAL "
                 "arguments come from `dataplane` in the configuration)",
                 strerror(-status));
    for (int i = 0; i < args.argc; i++)
        free(args.argv[i]);
    return status;
}

void eal_stop(void)
{
    rte_eal_cleanup();
}
