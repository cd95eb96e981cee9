/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

const char *ip_family_name(unsigned family)
{
    return family == IP_V4 ? "ipv4" : family == IP_V6 ? "ipv6" : "none";
}

bool ip_addr_parse(const char *text, struct ip_addr *out)
{
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, text, out->octets) == 1) {
        out->family = IP_V4;
        return true;
    }
    if (inet_pton(AF_INET6, text, out->octets) == 1) {
        out->family = IP_V6;
        return true;
    }
    memset(out, 0, sizeof *out);
    return false;
}

/* A decimal number of at most three digits and nothing else. */
static bool parse_length(const char *text, unsigned *out)
{
    unsigned value = 0;
    size_t digits = 0;

    for (; text[digits] >= '0' && text[digits] <= '9' && digits < 3; digits++)
        value = value * 10 + (unsigned)(text[digits] - '0');
    *out = value;
    return digits > 0 && text[digits] == '\0';
}

bool ip_prefix_parse(const char *text, struct ip_prefix *out)
{
    char host[IP_TEXT_SIZE];
    const char *slash = strchr(text, '/');
    size_t host_len = slash ? (size_t)(slash - text) : strlen(text);
    struct ip_addr addr;

    memset(out, 0, sizeof *out);
    if (host_len >= sizeof host)
        return false;
    memcpy(host, text, host_len);
    host[host_len] = '\0';
    if (!ip_addr_parse(host, &addr))
        return false;

    unsigned length = ip_family_bits(addr.family);
    if (slash && (!parse_length(slash + 1, &length) || length > ip_family_bits(addr.family)))
        return false;
    out->family = addr.family;
    out->length = (uint8_t)length;
    memcpy(out->octets, addr.octets, sizeof out->octets);
    ip_bits_keep(out->octets, sizeof out->octets, 0, length);
    return true;
}

char *ip_addr_format(const struct ip_addr *addr, char *text)
{
    if (addr->family == IP_NONE ||
        !inet_ntop(addr->family == IP_V4 ? AF_INET : AF_INET6, addr->octets, text, IP_TEXT_SIZE))
        snprintf(text, IP_TEXT_SIZE, "none");
    return text;
}

char *ip_prefix_format(const struct ip_prefix *prefix, char *text)
{
    struct ip_addr addr = {.family = prefix->family};

    memcpy(addr.octets, prefix->octets, sizeof addr.octets);
    ip_addr_format(&addr, text);
    size_t used = strlen(text);
    snprintf(text + used, IP_TEXT_SIZE - used, "/%u", prefix->length);
    return text;
}

bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
    return a->family == b->family && memcmp(a->octets, b->octets, sizeof a->octets) == 0;
}

bool ip_bits_equal(const uint8_t *a, const uint8_t *b, unsigned length)
{
    unsigned whole = length / 8;
    unsigned rest = length % 8;

    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || ((a[whole] ^ b[whole]) & (0xff00u >> rest) & 0xff) == 0;
}

void ip_bits_keep(uint8_t *octets, size_t size, unsigned first, unsigned end)
{
    for (size_t i = 0; i < size; i++) {
        unsigned mask = 0;
        for (unsigned bit = 0; bit < 8; bit++) {
            unsigned position = (unsigned)i * 8 + bit;
            if (position >= first && position < end)
                mask |= 0x80u >> bit;
        }
        octets[i] &= (uint8_t)mask;
    }
}

bool ip_prefix_covers(const struct ip_prefix *prefix, const struct ip_addr *addr)
{
    return prefix->family == addr->family && ip_bits_equal(prefix->octets, addr->octets, prefix->length);
}
