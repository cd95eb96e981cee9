/* SPDX-License-Identifier: BSD-3-Clause */
/* Starts DPDK's environment abstraction layer as the configuration asks. */
#ifndef FLOODGATE_EAL_H
#define FLOODGATE_EAL_H

#include <sched.h>

#include "base/log.h"

struct cfg;

/*
 * Builds EAL's arguments (cores, memory, allowed devices) and starts it. The calling thread becomes the control
 * thread's lcore. `helper_cpus`: where other threads may run, which are those that the process was started with but for
 * the workers'. 0, or -errno after one clear line in the log. May be called once in a process.
 */
int eal_start(const struct cfg *cfg, char **extra_args, int extra_count, cpu_set_t *helper_cpus,
              const struct log_hook *log);
void eal_stop(void);

#endif
