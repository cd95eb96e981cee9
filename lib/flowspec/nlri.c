/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flowspec NLRI: RFC 8955 section 4 (framing, operators, components), RFC 8956 section 3 (IPv6), RFC 8955 section 8
 * (route distinguisher).
 *
 * Decoding reads components and terms as they come, refusing what the RFCs call malformed, and hands them to
 * fs_rule_build, which makes the canonical rule.
 */
#include "flowspec/nlri.h"

#include <string.h>

#include "flowspec/prefix.h"
#include "flowspec/types.h"

#define LENGTH_SHORT_MAX 239 /* above, the length field takes two octets (RFC 8955 4.1) */
#define OP_END           0x80

/* What decoding has gathered so far; the terms bounded by FS_NLRI_MAX, two octets each. */
struct draft {
    unsigned component_count;
    unsigned term_count;
    struct fs_component components[FS_COMPONENTS_MAX];
    struct fs_term terms[FS_TERMS_MAX];
};

static const struct {
    const char *word;
    const char *text;
} ERRORS[FS_ERROR_COUNT] = {
    [FS_OK] = {"ok", "no error"},
    [FS_ERR_LENGTH] = {"length", "the length field is cut short or points past the end of the attribute"},
    [FS_ERR_EMPTY] = {"empty", "the NLRI has no component"},
    [FS_ERR_TRUNCATED] = {"truncated", "a component ends before its value does, or lacks the end-of-list bit"},
    [FS_ERR_UNKNOWN_TYPE] = {"unknown-type", "a component type that the address family does not have"},
    [FS_ERR_ORDER] = {"order", "components are out of order, or one occurs twice"},
    [FS_ERR_PREFIX_LENGTH] = {"prefix-length", "a prefix is longer than an address"},
    [FS_ERR_PREFIX_OFFSET] = {"prefix-offset", "an IPv6 prefix offset is not below the length"},
    [FS_ERR_VALUE_LENGTH] = {"value-length", "a value takes more octets than its component allows"},
    [FS_ERR_TOO_LONG] = {"too-long", "the rule takes more than 4095 octets"},
    [FS_ERR_NO_MEMORY] = {"no-memory", "memory is short"},
};

const char *fs_error_word(enum fs_error error)
{
    return (unsigned)error < FS_ERROR_COUNT ? ERRORS[error].word : "unknown";
}

const char *fs_error_text(enum fs_error error)
{
    return (unsigned)error < FS_ERROR_COUNT ? ERRORS[error].text : "unknown error";
}

static enum fs_error decode_prefix(struct byte_reader *in, const struct fs_nlri_format *format,
                                   struct fs_component *component)
{
    component->length = br_u8(in);
    component->offset = format->family == IP_V6 ? br_u8(in) : 0;
    if (in->failed)
        return FS_ERR_TRUNCATED;
    if (component->length > ip_family_bits(format->family))
        return FS_ERR_PREFIX_LENGTH;
    /* RFC 8956 3.1: offset < length, but for 0/0 */
    if (component->offset >= component->length && (component->offset || component->length))
        return FS_ERR_PREFIX_OFFSET;

    /* The old draft sends the address from its first bit on: a pattern without an offset. */
    unsigned skipped = format->legacy_ipv6_offset ? 0 : component->offset;
    const uint8_t *pattern = br_bytes(in, fs_pattern_octets(component->length - skipped));
    if (!pattern)
        return FS_ERR_TRUNCATED;
    fs_pattern_unpack(pattern, skipped, component->length, component->octets);
    return FS_OK;
}

static uint64_t decode_number(struct byte_reader *in, unsigned octets)
{
    switch (octets) {
    case 1:
        return br_u8(in);
    case 2:
        return br_u16(in);
    case 4:
        return br_u32(in);
    default:
        return br_u64(in);
    }
}

static enum fs_error decode_terms(struct byte_reader *in, const struct fs_type_info *info, struct draft *draft,
                                  struct fs_component *component)
{
    uint8_t op;

    component->first_term = (uint16_t)draft->term_count;
    do {
        op = br_u8(in);
        if (in->failed)
            return FS_ERR_TRUNCATED;
        unsigned octets = 1u << (op >> 4 & 3);
        if (octets > info->most_octets)
            return FS_ERR_VALUE_LENGTH;
        uint64_t value = decode_number(in, octets);
        if (in->failed)
            return FS_ERR_TRUNCATED;
        draft->terms[draft->term_count++] = (struct fs_term){.value = value, .op = op};
    } while (!(op & OP_END));
    component->term_count = (uint16_t)(draft->term_count - component->first_term);
    return FS_OK;
}

/* RFC 8955 4.2: types strictly ascending, each known, up to the last octet. */
static enum fs_error decode_components(struct byte_reader *in, const struct fs_nlri_format *format, struct draft *draft)
{
    unsigned last = 0;

    while (br_left(in) > 0) {
        unsigned type = br_u8(in);
        const struct fs_type_info *info = fs_type_get(type, format->family);

        if (!info)
            return FS_ERR_UNKNOWN_TYPE;
        if (type <= last)
            return FS_ERR_ORDER;
        last = type;

        struct fs_component *component = &draft->components[draft->component_count++];
        *component = (struct fs_component){.type = (uint8_t)type};
        enum fs_error error = info->kind == FS_KIND_PREFIX ? decode_prefix(in, format, component)
                                                           : decode_terms(in, info, draft, component);
        if (error)
            return error;
    }
    return FS_OK;
}

enum fs_error fs_nlri_decode_value(const uint8_t *value, size_t len, const struct fs_nlri_format *format,
                                   struct fs_rule **out)
{
    struct byte_reader in = br_init(value, len);
    struct draft draft;
    uint64_t rd = 0;

    *out = NULL;
    draft.component_count = 0;
    draft.term_count = 0;
    if (len > FS_NLRI_MAX)
        return FS_ERR_TOO_LONG;
    if (len == 0)
        return FS_ERR_EMPTY;
    if (format->vpn)
        rd = br_u64(&in);
    if (in.failed)
        return FS_ERR_TRUNCATED;
    enum fs_error error = decode_components(&in, format, &draft);
    if (error)
        return error;
    return fs_rule_build(format->family, format->vpn ? &rd : NULL, draft.components, draft.component_count, draft.terms,
                         out);
}

enum fs_error fs_nlri_decode(struct byte_reader *in, const struct fs_nlri_format *format, struct fs_rule **out)
{
    size_t len = br_u8(in);

    *out = NULL;
    if (len > LENGTH_SHORT_MAX)
        len = (len & 0x0f) << 8 | br_u8(in);
    const uint8_t *value = br_bytes(in, len);
    if (in->failed)
        return FS_ERR_LENGTH;
    return fs_nlri_decode_value(value, len, format, out);
}

/* Octets that the legacy form of one component has more than the RFC's. */
static size_t legacy_surplus(const struct fs_rule *rule, const struct fs_nlri_format *format,
                             const struct fs_component *component)
{
    if (!format->legacy_ipv6_offset || rule->family != IP_V6 || !fs_type_is_prefix(component->type))
        return 0;
    return fs_pattern_octets(component->length) - fs_pattern_octets(component->length - component->offset);
}

static size_t value_size(const struct fs_rule *rule, const struct fs_nlri_format *format)
{
    size_t size = rule->nlri_len;

    for (unsigned i = 0; i < rule->component_count; i++)
        size += legacy_surplus(rule, format, &rule->components[i]);
    return size;
}

size_t fs_nlri_size(const struct fs_rule *rule, const struct fs_nlri_format *format)
{
    size_t size = value_size(rule, format);

    return size + (size > LENGTH_SHORT_MAX ? 2 : 1);
}

void fs_nlri_encode(const struct fs_rule *rule, const struct fs_nlri_format *format, struct byte_writer *out)
{
    size_t size = value_size(rule, format);

    if (size > FS_NLRI_MAX) {
        out->failed = true;
        return;
    }
    if (size > LENGTH_SHORT_MAX)
        bw_u16(out, (uint16_t)(0xf000 | size));
    else
        bw_u8(out, (uint8_t)size);
    if (size == rule->nlri_len && !format->legacy_ipv6_offset) {
        bw_bytes(out, rule->nlri, rule->nlri_len);
        return;
    }

    if (rule->has_rd)
        bw_u64(out, rule->rd);
    for (unsigned i = 0; i < rule->component_count; i++) {
        const struct fs_component *component = &rule->components[i];

        bw_u8(out, component->type);
        if (fs_type_is_prefix(component->type) && rule->family == IP_V6) {
            bw_u8(out, component->length);
            bw_u8(out, component->offset);
            bw_bytes(out, component->octets, fs_pattern_octets(component->length));
        } else {
            bw_bytes(out, rule->nlri + component->data_first, component->data_len);
        }
    }
}
