/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Route targets (RFC 4360, 5668, 5701) and route distinguishers (RFC 4364 4.2) as text.
 */
#include <stdio.h>
#include <string.h>

#include "flowspec/text_lex.h"

static void put_ipv4(uint8_t octets[16], uint32_t address)
{
    for (unsigned i = 0; i < 4; i++)
        octets[i] = (uint8_t)(address >> (8 * (3 - i)));
}

static uint32_t get_ipv4(const uint8_t octets[16])
{
    return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 | octets[3];
}

void fs_route_target_format(const struct fs_route_target *target, struct strbuf *out)
{
    struct ip_addr addr = {.family = target->kind == FS_REDIRECT_RT_IPV6 ? IP_V6 : IP_V4};
    char text[IP_TEXT_SIZE];

    switch (target->kind) {
    case FS_REDIRECT_RT_AS2:
        sb_printf(out, "%u:%u", target->admin, target->value);
        break;
    case FS_REDIRECT_RT_AS4:
        sb_printf(out, "%uL:%u", target->admin, target->value);
        break;
    case FS_REDIRECT_RT_IPV4:
        put_ipv4(addr.octets, target->admin);
        sb_printf(out, "%s:%u", ip_addr_format(&addr, text), target->value);
        break;
    case FS_REDIRECT_RT_IPV6:
        memcpy(addr.octets, target->admin_v6, sizeof addr.octets);
        sb_printf(out, "[%s]:%u", ip_addr_format(&addr, text), target->value);
        break;
    default:
        sb_text(out, "none");
    }
}

/* An AS number: with an L it is a 4-octet one however small. */
static bool parse_as(struct fs_word word, struct fs_route_target *out)
{
    bool wide = word.len > 0 && word.at[word.len - 1] == 'L';
    uint64_t as;

    word.len -= wide;
    if (!fs_word_number(word, &as) || as > UINT32_MAX)
        return false;
    out->kind = wide || as > UINT16_MAX ? FS_REDIRECT_RT_AS4 : FS_REDIRECT_RT_AS2;
    out->admin = (uint32_t)as;
    return true;
}

static bool parse_admin(struct fs_word word, struct fs_route_target *out)
{
    bool bracketed = word.len >= 2 && word.at[0] == '[' && word.at[word.len - 1] == ']';
    struct fs_word host = {.at = word.at + bracketed, .len = word.len - 2u * bracketed};
    char text[IP_TEXT_SIZE];
    struct ip_addr addr;

    if (!bracketed && parse_as(word, out))
        return true;
    if (!fs_word_copy(host, text, sizeof text) || !ip_addr_parse(text, &addr))
        return false;
    if (bracketed != (addr.family == IP_V6))
        return false;
    out->kind = bracketed ? FS_REDIRECT_RT_IPV6 : FS_REDIRECT_RT_IPV4;
    if (bracketed)
        memcpy(out->admin_v6, addr.octets, sizeof out->admin_v6);
    else
        out->admin = get_ipv4(addr.octets);
    return true;
}

bool fs_route_target_parse(const char *text, struct fs_route_target *out)
{
    const char *colon = strrchr(text, ':');
    uint64_t value;

    memset(out, 0, sizeof *out);
    if (!colon)
        return false;
    struct fs_word admin = {.at = text, .len = (size_t)(colon - text)};
    struct fs_word number = {.at = colon + 1, .len = strlen(colon + 1)};
    struct fs_route_target target = {0};
    if (!parse_admin(admin, &target) || !fs_word_number(number, &value) ||
        value > (target.kind == FS_REDIRECT_RT_AS2 ? UINT32_MAX : UINT16_MAX))
        return false;
    target.value = (uint32_t)value;
    *out = target;
    return true;
}

void fs_rd_format(uint64_t rd, struct strbuf *out)
{
    static const uint8_t KINDS[] = {FS_REDIRECT_RT_AS2, FS_REDIRECT_RT_IPV4, FS_REDIRECT_RT_AS4};
    uint64_t type = rd >> 48;
    struct fs_route_target target = {0};

    if (type >= sizeof KINDS) {
        sb_printf(out, "0x%016llx", (unsigned long long)rd);
        return;
    }
    target.kind = KINDS[type];
    target.admin = (uint32_t)(type == 0 ? rd >> 32 & 0xffff : rd >> 16);
    target.value = (uint32_t)(type == 0 ? rd : rd & 0xffff);
    fs_route_target_format(&target, out);
}

bool fs_rd_parse(const char *text, uint64_t *out)
{
    struct fs_word word = {.at = text, .len = strlen(text)};
    struct fs_route_target target;

    if (word.len == 18 && memcmp(text, "0x", 2) == 0)
        return fs_word_number(word, out);
    if (!fs_route_target_parse(text, &target) || target.kind == FS_REDIRECT_RT_IPV6)
        return false;
    if (target.kind == FS_REDIRECT_RT_AS2)
        *out = (uint64_t)target.admin << 32 | target.value;
    else
        *out = (target.kind == FS_REDIRECT_RT_IPV4 ? 1ull : 2ull) << 48 | (uint64_t)target.admin << 16 | target.value;
    return true;
}
