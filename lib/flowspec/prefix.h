/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Prefix patterns: bits [offset, length) of an address, packed from the first bit on the wire (RFC 8956 3.1).
 * An IPv4 prefix is a pattern with offset 0. Private to lib/flowspec.
 */
#ifndef FLOWSPEC_PREFIX_H
#define FLOWSPEC_PREFIX_H

#include <stdint.h>

/* Octets that so many bits take. */
static inline unsigned fs_pattern_octets(unsigned bits)
{
    return (bits + 7) / 8;
}

/* Clears the bits of an address outside [offset, length). */
void fs_address_keep(uint8_t address[16], unsigned offset, unsigned length);

/* Packs the bits [offset, length) of an address into `pattern`, padding bits 0. */
void fs_pattern_pack(const uint8_t address[16], unsigned offset, unsigned length, uint8_t *pattern);

/* Spreads a packed pattern to where it lies in the address; every other bit becomes 0. */
void fs_pattern_unpack(const uint8_t *pattern, unsigned offset, unsigned length, uint8_t address[16]);

#endif
