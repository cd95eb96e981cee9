/* SPDX-License-Identifier: BSD-3-Clause */
/* The Internet checksum (RFC 1071). */
#ifndef FORWARD_CHECKSUM_H
#define FORWARD_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Adds octets that start at an even place; at most 64 KiB in all. */
static inline uint32_t fwd_sum_add(uint32_t sum, const uint8_t *octets, size_t len)
{
    size_t i = 0;

    for (; i + 1 < len; i += 2)
        sum += (uint32_t)octets[i] << 8 | octets[i + 1];
    if (i < len)
        sum += (uint32_t)octets[i] << 8;
    return sum;
}

/* The checksum; 0 over what carries a right one. */
static inline uint16_t fwd_sum_finish(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

#endif
