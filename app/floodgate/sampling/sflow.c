/* SPDX-License-Identifier: BSD-3-Clause */
#include "sampling/sflow.h"

#include "base/cursor.h"

#define VERSION       5
#define ADDRESS_IPV4  1
#define HEAD_OCTETS   28
#define SAMPLE_FLOW   1 /* enterprise 0, format 1 */
#define RECORD_HEADER 1
#define HEADER_ETHER  1
#define SAMPLE_OCTETS (8 + 32 + 8 + 16) /* of one sample, its octets of the packet left out */

#define OUTPUT_UNKNOWN 0
#define OUTPUT_DROPPED (1u << 30 | 258) /* format 1: dropped; 258: by an access list */

void sflow_init(struct sflow *sflow, uint32_t agent, uint32_t sub_agent)
{
    *sflow =
        (struct sflow){.agent = agent, .sub_agent = sub_agent, .datagrams = 1, .samples = 1, .length = HEAD_OCTETS};
}

static void write_sample(struct byte_writer *out, uint32_t number, const struct sflow_sample *sample, uint32_t padded)
{
    static const uint8_t ZEROS[4];

    bw_u32(out, SAMPLE_FLOW);
    bw_u32(out, SAMPLE_OCTETS - 8 + padded);
    bw_u32(out, number);
    bw_u32(out, sample->input & 0xffffff); /* source id of type 0: an interface */
    bw_u32(out, sample->one_in);
    bw_u32(out, sample->pool);
    bw_u32(out, sample->lost);
    bw_u32(out, sample->input);
    bw_u32(out, sample->dropped ? OUTPUT_DROPPED : OUTPUT_UNKNOWN);
    bw_u32(out, 1); /* record */
    bw_u32(out, RECORD_HEADER);
    bw_u32(out, 16 + padded);
    bw_u32(out, HEADER_ETHER);
    bw_u32(out, sample->frame_length);
    bw_u32(out, 0); /* octets stripped: the FCS is not part of frame_length */
    bw_u32(out, sample->captured);
    bw_bytes(out, sample->octets, sample->captured);
    bw_bytes(out, ZEROS, padded - sample->captured);
}

bool sflow_add(struct sflow *sflow, const struct sflow_sample *sample)
{
    uint32_t padded = (sample->captured + 3) & ~3u;

    if (sflow->length + SAMPLE_OCTETS + padded > sizeof sflow->octets)
        return false;
    struct byte_writer out = bw_init(sflow->octets + sflow->length, sizeof sflow->octets - sflow->length);
    write_sample(&out, sflow->samples++, sample, padded);
    sflow->length += SAMPLE_OCTETS + padded;
    sflow->count++;
    return true;
}

size_t sflow_finish(struct sflow *sflow, uint32_t uptime_ms)
{
    size_t length = sflow->length;

    if (sflow->count == 0)
        return 0;
    struct byte_writer out = bw_init(sflow->octets, HEAD_OCTETS);
    bw_u32(&out, VERSION);
    bw_u32(&out, ADDRESS_IPV4);
    bw_u32(&out, sflow->agent);
    bw_u32(&out, sflow->sub_agent);
    bw_u32(&out, sflow->datagrams++);
    bw_u32(&out, uptime_ms);
    bw_u32(&out, sflow->count);
    sflow->count = 0;
    sflow->length = HEAD_OCTETS;
    return length;
}
