/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The order of rules as one pure three-way compare: RFC 8955 section 5.1 and appendix A, RFC 8956 section 4 and
 * appendix A. Below 0 means `a` has precedence.
 */
#include "flowspec/order.h"

#include <string.h>

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_prefixes(const struct fs_component *a, const struct fs_component *b)
{
    unsigned common = a->length < b->length ? a->length : b->length;

    /* 1. RFC 8956 4: the lower offset first. */
    if (a->offset != b->offset)
        return compare_numbers(a->offset, b->offset);
    /* 2. One inside the other: the longer first. Bits in front of the offset are 0 in both. */
    if (ip_bits_equal(a->octets, b->octets, common))
        return compare_numbers(b->length, a->length);
    /* 3. Apart: the lower address first. */
    return memcmp(a->octets, b->octets, sizeof a->octets);
}

static int compare_data(const struct fs_rule *a, const struct fs_component *ca, const struct fs_rule *b,
                        const struct fs_component *cb)
{
    unsigned common = ca->data_len < cb->data_len ? ca->data_len : cb->data_len;
    int order = memcmp(a->nlri + ca->data_first, b->nlri + cb->data_first, common);

    /* The longer first where one starts with the other. */
    return order ? order : compare_numbers(cb->data_len, ca->data_len);
}

static int compare_components(const struct fs_rule *a, const struct fs_rule *b)
{
    for (unsigned i = 0; i < a->component_count && i < b->component_count; i++) {
        const struct fs_component *ca = &a->components[i];
        const struct fs_component *cb = &b->components[i];

        /* 1. The lower type first: the other rule lacks that component. */
        if (ca->type != cb->type)
            return compare_numbers(ca->type, cb->type);
        /* 2. Equal types: by prefix, or by the octets of the operator list. */
        int order = fs_type_is_prefix(ca->type) ? compare_prefixes(ca, cb) : compare_data(a, ca, b, cb);
        if (order)
            return order;
    }
    /* 3. All equal so far: the rule that has a further component first. */
    return compare_numbers(b->component_count, a->component_count);
}

int fs_rule_compare(const struct fs_rule *a, const struct fs_rule *b)
{
    if (a->family != b->family)
        return compare_numbers(a->family, b->family);

    int order = compare_components(a, b);
    if (order)
        return order;
    if (a->has_rd != b->has_rd)
        return compare_numbers(a->has_rd, b->has_rd);
    return compare_numbers(a->rd, b->rd);
}
