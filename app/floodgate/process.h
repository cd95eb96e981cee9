/* SPDX-License-Identifier: BSD-3-Clause */
/* What the process needs around the router: its standard files, and signals that come when it is ready for them. */
#ifndef FLOODGATE_PROCESS_H
#define FLOODGATE_PROCESS_H

#include <stdbool.h>

/* Before anything is opened. A reader of our output that goes away is no reason to end, either. */
void process_guard(void);

/*
 * SIGTERM, SIGINT and SIGHUP wait from hold to release, so that a stop that comes during start or stop finds something
 * whole, and a reload something to reload. Threads made while they are held (workers, EAL's own) never get them: only
 * the control thread is interrupted.
 */
void process_signals_hold(void);
void process_signals_release(void);

/* Whether a signal to stop waits. */
bool process_stop_waits(void);

#endif
