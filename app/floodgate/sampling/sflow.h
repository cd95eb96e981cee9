/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Samples as sFlow version 5 datagrams (sflow.org, "sFlow Version 5", July 2004): flow samples with the raw packet
 * header, several in a datagram. Makes octets only; sending is the caller's.
 */
#ifndef FLOODGATE_SAMPLING_SFLOW_H
#define FLOODGATE_SAMPLING_SFLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SFLOW_DATAGRAM_MAX 1400 /* octets: no fragments on the way to the collector */

/* One stream of datagrams: an agent's sub-agent. */
struct sflow {
    uint32_t agent; /* IPv4 address, host order */
    uint32_t sub_agent;
    uint32_t datagrams; /* sequence number of the next one */
    uint32_t samples;   /* of the next sample */
    uint32_t count;     /* samples in the datagram under way */
    size_t length;
    uint8_t octets[SFLOW_DATAGRAM_MAX];
};

struct sflow_sample {
    uint32_t input; /* interface number */
    bool dropped;   /* by a rule: the output says so, else it says that it is not known */
    uint32_t one_in, pool, lost;
    uint32_t frame_length;
    uint32_t captured;
    const uint8_t *octets;
};

void sflow_init(struct sflow *sflow, uint32_t agent, uint32_t sub_agent);

/* Adds a sample. False when the datagram has no room for it: finish it, send it, add again. */
bool sflow_add(struct sflow *sflow, const struct sflow_sample *sample);

/* Completes the datagram in `octets`; its length, 0 when there is nothing in it. The next add begins another one. */
size_t sflow_finish(struct sflow *sflow, uint32_t uptime_ms);

#endif
