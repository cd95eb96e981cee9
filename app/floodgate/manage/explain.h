/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What would happen to this packet: `fgctl explain`. Asks the classifier and the programs in force, so the answer is
 * the workers' own. Control thread.
 */
#ifndef FLOODGATE_EXPLAIN_H
#define FLOODGATE_EXPLAIN_H

#include <stddef.h>

#include <jansson.h>

struct control;
struct dataplane;

struct explain_request {
    const char *port;   /* name of the port it comes in by; NULL: the first with Flowspec on */
    const char *packet; /* in words, or a frame in hex */
    const char *frame;  /* a frame in hex; NULL when `packet` is set */
};

/* The answer, or NULL with one line in `why`. */
json_t *explain_packet(const struct explain_request *request, const struct dataplane *dp, const struct control *control,
                       char *why, size_t size);

#endif
