/* SPDX-License-Identifier: BSD-3-Clause */
/* Daemons that are measured: each started in a folder of its own, on a port of its own, and ended again. */
#ifndef FGBENCH_DAEMON_H
#define FGBENCH_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define DAEMON_WORDS_MAX 8

struct daemon {
    char folder[64];
    pid_t pid;
    unsigned short port; /* for BGP, free a moment ago */
};

/* Makes the folder and picks the port; false after a message. From then on daemon_stop cleans up. */
bool daemon_prepare(struct daemon *daemon);

/* Writes a file into the folder. */
__attribute__((format(printf, 3, 4))) bool daemon_file(const struct daemon *daemon, const char *name, const char *fmt,
                                                       ...);

/* Runs a program in the folder; `program` NULL: the floodgate that was built or installed beside this program. */
bool daemon_run(struct daemon *daemon, const char *program, const char *const words[DAEMON_WORDS_MAX]);

/* Ends it and removes the folder. */
void daemon_stop(struct daemon *daemon);

double daemon_memory_peak(const struct daemon *daemon); /* octets, at the most so far */
double daemon_cpu_seconds(const struct daemon *daemon); /* of processor time so far, all threads */

/* Of one thread, by a part of its name; NULL: of the main thread. -1: there is none. */
double daemon_thread_seconds(const struct daemon *daemon, const char *name);

/* What `fgctl -j COMMAND` answers; "" when it does not. The caller frees it. */
char *daemon_ask(const struct daemon *daemon, const char *command);

#endif
