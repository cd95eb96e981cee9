/* SPDX-License-Identifier: BSD-3-Clause */
#include "flowspec/prefix.h"

#include <string.h>

void fs_address_keep(uint8_t address[16], unsigned offset, unsigned length)
{
    memset(address, 0, offset / 8);
    if (offset % 8)
        address[offset / 8] &= (uint8_t)(0xffu >> (offset % 8));
    if (length % 8)
        address[length / 8] &= (uint8_t)(0xff00u >> (length % 8));
    unsigned used = fs_pattern_octets(length);
    memset(address + used, 0, 16 - used);
}

void fs_pattern_pack(const uint8_t address[16], unsigned offset, unsigned length, uint8_t *pattern)
{
    unsigned octets = fs_pattern_octets(length - offset);
    unsigned first = offset / 8;
    unsigned shift = offset % 8;

    for (unsigned i = 0; i < octets; i++) {
        unsigned pair = (unsigned)address[first + i] << 8;

        if (first + i + 1 < 16)
            pair |= address[first + i + 1];
        pattern[i] = (uint8_t)(pair >> (8 - shift));
    }
    if ((length - offset) % 8)
        pattern[octets - 1] &= (uint8_t)(0xff00u >> ((length - offset) % 8));
}

void fs_pattern_unpack(const uint8_t *pattern, unsigned offset, unsigned length, uint8_t address[16])
{
    unsigned octets = fs_pattern_octets(length - offset);
    unsigned first = offset / 8;
    unsigned shift = offset % 8;

    memset(address, 0, 16);
    for (unsigned i = 0; i < octets; i++) {
        address[first + i] |= (uint8_t)(pattern[i] >> shift);
        if (first + i + 1 < 16)
            address[first + i + 1] = (uint8_t)(pattern[i] << (8 - shift));
    }
    fs_address_keep(address, offset, length);
}
