/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcores.h"

#include <stdbool.h>

#include "conf/conf.h"

/* The n-th CPU of the set, counted round. */
static unsigned nth_cpu(const cpu_set_t *cpus, unsigned n)
{
    n %= (unsigned)CPU_COUNT(cpus);
    for (unsigned cpu = 0;; cpu++)
        if (CPU_ISSET(cpu, cpus) && n-- == 0)
            return cpu;
}

/*
 * Lcore N runs on CPU N. Where this machine (or its cpuset) has no such CPU the lcore shares one that is there: a
 * laptop or a CI machine then runs the configuration of a bigger one, slower but the same. Returns the CPU.
 */
static unsigned lcore_add(struct strbuf *out, unsigned lcore, const cpu_set_t *cpus, const struct log_hook *log)
{
    unsigned cpu = lcore;

    if (lcore >= CPU_SETSIZE || !CPU_ISSET(lcore, cpus)) {
        cpu = nth_cpu(cpus, lcore);
        log_line(log, LOG_LEVEL_WARNING, "lcore %u: this process may not run on CPU %u; using CPU %u", lcore, lcore,
                 cpu);
    }
    sb_printf(out, "%s%u@%u", out->length > 0 ? "," : "", lcore, cpu);
    return cpu;
}

void lcores_choose(const struct cfg_dataplane *dp, const cpu_set_t *cpus, struct strbuf *out,
                   const struct log_hook *log)
{
    unsigned control_cpu = lcore_add(out, dp->control_lcore, cpus, log);
    bool alone = true;

    for (unsigned i = 0; !dp->workers_auto && i < dp->worker_count; i++)
        lcore_add(out, dp->workers[i], cpus, log);
    if (!dp->workers_auto)
        return;
    /* every CPU but the one that the control thread really has; EAL knows no lcore beyond CFG_LCORES_MAX */
    for (unsigned cpu = 0; cpu < CFG_LCORES_MAX; cpu++) {
        if (!CPU_ISSET(cpu, cpus) || cpu == control_cpu || cpu == dp->control_lcore)
            continue;
        lcore_add(out, cpu, cpus, log);
        alone = false;
    }
    if (alone) /* one CPU: control and worker share it */
        lcore_add(out, dp->control_lcore == 0 ? 1 : 0, cpus, log);
}

void lcores_rest(cpu_set_t *cpus, const cpu_set_t *workers)
{
    cpu_set_t rest;

    CPU_XOR(&rest, cpus, workers);
    CPU_AND(&rest, &rest, cpus);
    if (CPU_COUNT(&rest) > 0)
        *cpus = rest;
}
