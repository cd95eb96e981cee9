/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One question to the router and its answer. Every function prints what went wrong on stderr, in one line, and returns
 * the exit status that goes with it.
 */
#ifndef FGCTL_CLIENT_H
#define FGCTL_CLIENT_H

#include "fgctl.h"

/* Asks, and gives the whole result, the caller's to decref. `args` (may be NULL) is taken. */
enum fgctl_status client_call(const struct fgctl *ctl, const char *command, json_t *args, json_t **result);

/* Asks, and writes the result to stdout as it comes. */
enum fgctl_status client_pass(const struct fgctl *ctl, const char *command, json_t *args);

/* Asks for an array, and gives its elements one by one as they come: a million of them need no memory. */
enum fgctl_status client_each(const struct fgctl *ctl, const char *command, json_t *args,
                              void (*element)(void *ctx, const json_t *json), void *ctx);

#endif
