/* SPDX-License-Identifier: BSD-3-Clause */
/* Which lcores there are and on which CPU each runs: EAL's --lcores, from the configuration and the CPUs allowed. */
#ifndef FLOODGATE_LCORES_H
#define FLOODGATE_LCORES_H

#include <sched.h>

#include "base/log.h"
#include "base/strbuf.h"

struct cfg_dataplane;

/*
 * Appends "0@0,1@1": the control thread's lcore first, then the workers'. `cpus` are those this process may run on, one
 * at least. A warning for each lcore that has to share a CPU it does not name.
 */
void lcores_choose(const struct cfg_dataplane *dp, const cpu_set_t *cpus, struct strbuf *out,
                   const struct log_hook *log);

/* Takes those of the workers out of the set, unless nothing would be left. */
void lcores_rest(cpu_set_t *cpus, const cpu_set_t *workers);

#endif
