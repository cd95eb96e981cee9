/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IP addresses and prefixes of either family. The family is data, not a doubled interface.
 * Octets are in network order; an IPv4 address uses the first four and leaves the rest zero.
 */
#ifndef BASE_IP_H
#define BASE_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ip_family {
    IP_NONE = 0, /* unset; in a packet key: not an IP packet */
    IP_V4 = 4,
    IP_V6 = 6,
};

#define IP_TEXT_SIZE 52 /* holds any address or prefix as text, terminator included */

struct ip_addr {
    uint8_t family; /* enum ip_family */
    uint8_t octets[16];
};

struct ip_prefix {
    uint8_t family; /* enum ip_family */
    uint8_t length; /* bits, 0..32 or 0..128 */
    uint8_t octets[16];
};

/* Bits in an address of the family: 32, 128, or 0 for IP_NONE. */
static inline unsigned ip_family_bits(unsigned family)
{
    return family == IP_V4 ? 32 : family == IP_V6 ? 128 : 0;
}

/* "ipv4", "ipv6" or "none". */
const char *ip_family_name(unsigned family);

/* Reads an address in its usual text form; false when it is none. */
bool ip_addr_parse(const char *text, struct ip_addr *out);

/*
 * Reads ADDRESS/LENGTH, or ADDRESS alone as a host prefix. Bits beyond the length are cleared.
 * False when the address or the length is not valid.
 */
bool ip_prefix_parse(const char *text, struct ip_prefix *out);

/* Writes the text form into `text` (at least IP_TEXT_SIZE octets) and returns it. */
char *ip_addr_format(const struct ip_addr *addr, char *text);
char *ip_prefix_format(const struct ip_prefix *prefix, char *text);

bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b);

/* Whether the first `length` bits of both are equal. */
bool ip_bits_equal(const uint8_t *a, const uint8_t *b, unsigned length);

/* Clears every bit of `octets` outside [first, end). `size` is the number of octets. */
void ip_bits_keep(uint8_t *octets, size_t size, unsigned first, unsigned end);

/* Whether `prefix` covers `addr` (same family and equal in the prefix's bits). */
bool ip_prefix_covers(const struct ip_prefix *prefix, const struct ip_addr *addr);

#endif
