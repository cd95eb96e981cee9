/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define FRAME_LEN    60
#define ETHERNET_LEN 14
#define LINK_TYPE    1 /* Ethernet */

/* RFC 1071 */
static uint16_t checksum(const uint8_t *octets, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i += 2)
        sum += (uint32_t)octets[i] << 8 | octets[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void frame_make(struct bench_random *random, uint8_t frame[FRAME_LEN])
{
    static const uint8_t HEAD[] = {2,    0, 0, 0,
                                   0,    2, 2, 0,
                                   0,    0, 0, 1,
                                   8,    0, /* Ethernet */
                                   0x45, 0, 0, FRAME_LEN - ETHERNET_LEN,
                                   0,    0, 0, 0,
                                   64,   17};
    uint8_t *ip = frame + ETHERNET_LEN;

    memset(frame, 0, FRAME_LEN);
    memcpy(frame, HEAD, sizeof HEAD);
    for (unsigned i = 0; i < 3; i++)
        ip[13 + i] = ip[17 + i] = (uint8_t)bench_random(random);
    ip[12] = 198;
    ip[16] = 10;
    ip[17] &= 0x3f;
    uint16_t sum = checksum(ip, 20);
    ip[10] = (uint8_t)(sum >> 8);
    ip[11] = (uint8_t)sum;
    for (unsigned i = 20; i < 24; i++) /* ports */
        ip[i] = (uint8_t)bench_random(random);
    ip[25] = FRAME_LEN - ETHERNET_LEN - 20;
}

bool capture_write(const char *path, unsigned count)
{
    const uint32_t head[] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, LINK_TYPE}; /* pcap, host byte order */
    const uint32_t record[] = {0, 0, FRAME_LEN, FRAME_LEN};
    struct bench_random random = {1};
    uint8_t frame[FRAME_LEN];
    FILE *file = fopen(path, "wb");

    if (file != NULL) {
        fwrite(head, sizeof head, 1, file);
        for (unsigned i = 0; i < count; i++) {
            frame_make(&random, frame);
            fwrite(record, sizeof record, 1, file);
            fwrite(frame, sizeof frame, 1, file);
        }
        if (fclose(file) == 0)
            return true;
    }
    fprintf(stderr, "fgbench: cannot write %s\n", path);
    return false;
}
