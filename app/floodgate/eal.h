/* SPDX-License-Identifier: BSD-3-Clause */
/* Starts DPDK's environment abstraction layer as the configuration asks. */
#ifndef FLOODGATE_EAL_H
#define FLOODGATE_EAL_H

#include "base/log.h"

struct cfg;

/*
 * Builds EAL's arguments (cores, memory, allowed devices) and starts it. The calling thread becomes the control
 * thread's lcore. 0, or -errno after one clear line in the log. May be called once in a process.
 */
int eal_start(const struct cfg *cfg, char **extra_args, int extra_count, const struct log_hook *log);
void eal_stop(void);

#endif
