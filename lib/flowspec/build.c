/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Components -> a canonical rule: the one place that decides what canonical is (see rule.h) and writes the NLRI value.
 */
#include <string.h>

#include "flowspec/block.h"
#include "flowspec/nlri.h"
#include "flowspec/prefix.h"
#include "flowspec/types.h"

#define OP_END    0x80
#define RD_OCTETS 8

#define NUMERIC_BITS (FS_OP_LT | FS_OP_GT | FS_OP_EQ)
#define BITMASK_BITS (FS_OP_NOT | FS_OP_MATCH)

/* Octets of a value on the wire as a power of two: 0..3, the `len` field of an operator. */
static unsigned width_code(uint64_t value, unsigned least_octets)
{
    unsigned code = value > UINT32_MAX ? 3 : value > UINT16_MAX ? 2 : value > UINT8_MAX ? 1 : 0;

    return 1u << code < least_octets ? 2 : code;
}

static struct fs_term canonical_term(const struct fs_type_info *info, unsigned family, const struct fs_term *term,
                                     bool first)
{
    struct fs_term out = {.value = term->value & fs_type_mask(info, family)};
    unsigned relation = term->op & (info->kind == FS_KIND_BITMASK ? BITMASK_BITS : NUMERIC_BITS);

    /* RFC 8955 4.2.1.1: the first AND bit is unset; reserved bits are 0 */
    out.op = (uint8_t)(relation | (first ? 0 : term->op & FS_OP_AND));
    /* `true` and `false` are independent of the value (table 1) */
    if (info->kind == FS_KIND_NUMERIC && (relation == 0 || relation == NUMERIC_BITS))
        out.value = 0;
    return out;
}

static enum fs_error check_prefix(const struct fs_component *component, unsigned family)
{
    if (component->length > ip_family_bits(family))
        return FS_ERR_PREFIX_LENGTH;
    if (component->offset == 0)
        return FS_OK;
    return family == IP_V6 && component->offset < component->length ? FS_OK : FS_ERR_PREFIX_OFFSET;
}

static size_t prefix_size(const struct fs_component *component, unsigned family)
{
    return 2 + (family == IP_V6 ? 1 : 0) + fs_pattern_octets(component->length - component->offset);
}

/* Adds the octets that the component takes, type octet included. */
static enum fs_error measure(const struct fs_component *component, const struct fs_type_info *info, unsigned family,
                             const struct fs_term *terms, size_t *size)
{
    if (info->kind == FS_KIND_PREFIX) {
        enum fs_error error = check_prefix(component, family);

        if (!error)
            *size += prefix_size(component, family);
        return error;
    }
    if (component->term_count == 0)
        return FS_ERR_TRUNCATED;
    *size += 1;
    for (unsigned i = 0; i < component->term_count; i++) {
        const struct fs_term *term = &terms[component->first_term + i];

        if (1u << width_code(term->value, 1) > info->most_octets)
            return FS_ERR_VALUE_LENGTH;
        struct fs_term canonical = canonical_term(info, family, term, i == 0);
        *size += 1 + (1u << width_code(canonical.value, info->least_octets));
    }
    return FS_OK;
}

static uint8_t *write_prefix(const struct fs_component *component, unsigned family, uint8_t *at)
{
    *at++ = component->length;
    if (family == IP_V6)
        *at++ = component->offset;
    fs_pattern_pack(component->octets, component->offset, component->length, at);
    return at + fs_pattern_octets(component->length - component->offset);
}

static uint8_t *write_terms(const struct fs_type_info *info, const struct fs_term *terms, unsigned count, uint8_t *at)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned code = width_code(terms[i].value, info->least_octets);

        *at++ = (uint8_t)(terms[i].op | code << 4 | (i + 1 == count ? OP_END : 0));
        for (unsigned left = 1u << code; left > 0; left--)
            *at++ = (uint8_t)(terms[i].value >> (8 * (left - 1)));
    }
    return at;
}

/* Fills the rule's block from components that were measured before, in ascending order of type. */
static void fill(struct fs_rule *rule, struct fs_block *block, const struct fs_component *const *sorted,
                 const struct fs_term *terms)
{
    uint8_t *at = block->nlri;
    unsigned next_term = 0;

    if (rule->has_rd)
        for (unsigned left = RD_OCTETS; left > 0; left--)
            *at++ = (uint8_t)(rule->rd >> (8 * (left - 1)));
    for (unsigned i = 0; i < rule->component_count; i++) {
        const struct fs_type_info *info = fs_type_any(sorted[i]->type);
        struct fs_component *component = &block->components[i];

        *component = (struct fs_component){.type = sorted[i]->type};
        *at++ = component->type;
        component->data_first = (uint16_t)(at - block->nlri);
        if (info->kind == FS_KIND_PREFIX) {
            component->length = sorted[i]->length;
            component->offset = sorted[i]->offset;
            memcpy(component->octets, sorted[i]->octets, sizeof component->octets);
            fs_address_keep(component->octets, component->offset, component->length);
            at = write_prefix(component, rule->family, at);
        } else {
            component->first_term = (uint16_t)next_term;
            component->term_count = sorted[i]->term_count;
            for (unsigned t = 0; t < component->term_count; t++)
                block->terms[next_term++] =
                    canonical_term(info, rule->family, &terms[sorted[i]->first_term + t], t == 0);
            at = write_terms(info, block->terms + component->first_term, component->term_count, at);
        }
        component->data_len = (uint16_t)(at - block->nlri - component->data_first);
    }
}

/* Puts pointers to the components into ascending order of type; each type has one place. */
static enum fs_error sort_components(unsigned family, const struct fs_component *components, size_t count,
                                     const struct fs_component **sorted)
{
    const struct fs_component *by_type[FS_COMPONENTS_MAX + 1] = {NULL};
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        if (!fs_type_get(components[i].type, family))
            return FS_ERR_UNKNOWN_TYPE;
        if (by_type[components[i].type])
            return FS_ERR_ORDER;
        by_type[components[i].type] = &components[i];
    }
    for (unsigned type = 1; type <= FS_COMPONENTS_MAX; type++)
        if (by_type[type])
            sorted[n++] = by_type[type];
    return FS_OK;
}

enum fs_error fs_rule_build(uint8_t family, const uint64_t *rd, const struct fs_component *components, size_t count,
                            const struct fs_term *terms, struct fs_rule **out)
{
    const struct fs_component *sorted[FS_COMPONENTS_MAX];
    struct fs_block block;
    size_t size = rd ? RD_OCTETS : 0;
    size_t term_count = 0;

    *out = NULL;
    if (count == 0)
        return FS_ERR_EMPTY;
    enum fs_error error = sort_components(family, components, count, sorted);
    if (error)
        return error;
    for (size_t i = 0; i < count; i++) {
        error = measure(sorted[i], fs_type_any(sorted[i]->type), family, terms, &size);
        if (error)
            return error;
        if (size > FS_NLRI_MAX)
            return FS_ERR_TOO_LONG;
        if (!fs_type_is_prefix(sorted[i]->type))
            term_count += sorted[i]->term_count;
    }

    struct fs_rule *rule = fs_block_new((unsigned)count, (unsigned)term_count, size, &block);
    if (!rule)
        return FS_ERR_NO_MEMORY;
    rule->family = family;
    rule->has_rd = rd != NULL;
    rule->rd = rd ? *rd : 0;
    fill(rule, &block, sorted, terms);
    *out = rule;
    return FS_OK;
}
