/* SPDX-License-Identifier: BSD-3-Clause */
/* `import` and `export` of a peer. */
#include <stddef.h>
#include <string.h>

#include "conf/schema.h"

static const struct {
    const char *word;
    uint32_t community;
} WELL_KNOWN[] = {
    {"no-export", 0xffffff01u},                                                                    /* RFC 1997 */
    {"no-advertise", 0xffffff02u}, {"no-export-subconfed", 0xffffff03u}, {"no-peer", 0xffffff04u}, /* RFC 3765 */
    {"blackhole", 0xffff029au},                                                                    /* RFC 7999 */
};

static bool parse_part(const char *text, size_t len, uint32_t max, uint32_t *out)
{
    char part[16];
    uint64_t value;

    if (len == 0 || len >= sizeof part)
        return false;
    memcpy(part, text, len);
    part[len] = '\0';
    if (!cfg_parse_uint(part, &value) || value > max)
        return false;
    *out = (uint32_t)value;
    return true;
}

/* A:B, or A:B:C, or a name. */
static bool parse_community(const char *text, struct cfg_community *out)
{
    const char *first = strchr(text, ':'), *second = first ? strchr(first + 1, ':') : NULL;

    *out = (struct cfg_community){.large = second != NULL};
    for (size_t i = 0; i < CFG_COUNT(WELL_KNOWN); i++) {
        if (strcmp(text, WELL_KNOWN[i].word) == 0) {
            out->parts[0] = WELL_KNOWN[i].community;
            return true;
        }
    }
    if (!first)
        return false;
    if (second)
        return parse_part(text, (size_t)(first - text), UINT32_MAX, &out->parts[0]) &&
               parse_part(first + 1, (size_t)(second - first - 1), UINT32_MAX, &out->parts[1]) &&
               parse_part(second + 1, strlen(second + 1), UINT32_MAX, &out->parts[2]);
    uint32_t high, low;
    if (!parse_part(text, (size_t)(first - text), UINT16_MAX, &high) ||
        !parse_part(first + 1, strlen(first + 1), UINT16_MAX, &low))
        return false;
    out->parts[0] = high << 16 | low;
    return true;
}

static void set_community(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node,
                          void *field)
{
    const char *text = cfg_node_text(reader, key, node);
    struct cfg_community community;

    if (!text)
        return;
    if (parse_community(text, &community))
        *(struct cfg_community *)field = community;
    else
        cfg_problem_value(reader, key, node);
}

static const char COMMUNITY_WANTS[] = "a community such as \"65000:100\", \"65000:1:2\" or no-export";

static const struct cfg_key PREFIX_ITEM = {
    .name = "prefixes", .set = cfg_set_prefix, .wants = "a prefix such as 203.0.113.0/24 or \"2001:db8:7::/48\""};
static const struct cfg_key COMMUNITY_ITEM = {.name = "communities", .set = set_community, .wants = COMMUNITY_WANTS};
static const struct cfg_key NOT_COMMUNITY_ITEM = {
    .name = "not-communities", .set = set_community, .wants = COMMUNITY_WANTS};

#define AT(field) offsetof(struct cfg_filter, field)
static const struct cfg_key FILTER_KEYS[] = {
    {.name = "families",
     .set = cfg_set_choice_bits,
     .offset = AT(families),
     .wants = "a list such as [ipv4-flowspec, ipv6-flowspec]",
     .choices = cfg_families},
    {.name = "prefixes",
     .set = cfg_set_list,
     .offset = AT(prefixes),
     .wants = "a list of prefixes, such as [203.0.113.0/24, \"2001:db8:7::/48\"]",
     .item = &PREFIX_ITEM,
     .item_size = sizeof(struct ip_prefix),
     .count_offset = AT(prefix_count)},
    {.name = "communities",
     .set = cfg_set_list,
     .offset = AT(communities),
     .wants = "a list of communities, such as [\"65000:100\", no-export]",
     .item = &COMMUNITY_ITEM,
     .item_size = sizeof(struct cfg_community),
     .count_offset = AT(community_count)},
    {.name = "not-communities",
     .set = cfg_set_list,
     .offset = AT(not_communities),
     .wants = "a list of communities, such as [\"65000:100\", no-export]",
     .item = &NOT_COMMUNITY_ITEM,
     .item_size = sizeof(struct cfg_community),
     .count_offset = AT(not_community_count)},
};
#undef AT

const struct cfg_map cfg_filter_map = {.title = "a filter", .keys = FILTER_KEYS, .key_count = CFG_COUNT(FILTER_KEYS)};

static bool communities_equal(const struct cfg_community *a, size_t a_count, const struct cfg_community *b,
                              size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (a[i].large != b[i].large || memcmp(a[i].parts, b[i].parts, sizeof a[i].parts) != 0)
            return false;
    return true;
}

static bool prefixes_equal(const struct cfg_filter *a, const struct cfg_filter *b)
{
    if (a->prefix_count != b->prefix_count)
        return false;
    for (size_t i = 0; i < a->prefix_count; i++) {
        const struct ip_prefix *x = &a->prefixes[i], *y = &b->prefixes[i];
        if (x->family != y->family || x->length != y->length || memcmp(x->octets, y->octets, sizeof x->octets) != 0)
            return false;
    }
    return true;
}

bool cfg_filter_equal(const struct cfg_filter *a, const struct cfg_filter *b)
{
    return a->families == b->families && prefixes_equal(a, b) &&
           communities_equal(a->communities, a->community_count, b->communities, b->community_count) &&
           communities_equal(a->not_communities, a->not_community_count, b->not_communities, b->not_community_count);
}
