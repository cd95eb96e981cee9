/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The router's API socket: one connection, kept from question to question. One thread.
 */
#ifndef FLOODGATE_SNMP_ROUTER_H
#define FLOODGATE_SNMP_ROUTER_H

#include <stdatomic.h>
#include <stdbool.h>

#include <jansson.h>

#define ROUTER_WHY 256

struct router {
    const char *socket;
    const atomic_bool *stop; /* ends a wait for an answer; written by whoever stops the program */
    int fd;                  /* -1: not connected */
    char why[ROUTER_WHY];    /* what went wrong with the last question, in a few words */
};

void router_init(struct router *router, const char *socket, const atomic_bool *stop);
void router_close(struct router *router);

/* The whole result, the caller's to decref. NULL: see `why`. Takes `args`, which may be NULL. */
json_t *router_ask(struct router *router, const char *command, json_t *args);

/* Asks for an array, and gives its elements one by one as they come. False: see `why`. Takes `args`. */
bool router_each(struct router *router, const char *command, json_t *args,
                 void (*element)(void *ctx, const json_t *json), void *ctx);

#endif
