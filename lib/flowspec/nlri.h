/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flowspec NLRI on the wire: RFC 8955 section 4 (IPv4), RFC 8956 section 3 (IPv6), RFC 8955 section 8 (VPN, SAFI 134).
 */
#ifndef FLOWSPEC_NLRI_H
#define FLOWSPEC_NLRI_H

#include "base/cursor.h"
#include "flowspec/rule.h"

/* Why an NLRI is refused. FS_OK is 0. */
enum fs_error {
    FS_OK = 0,
    FS_ERR_LENGTH,    /* the length field is cut short or points past the end: framing is lost */
    FS_ERR_EMPTY,     /* no component */
    FS_ERR_TRUNCATED, /* a component ends before its value does, or has no end-of-list operator */
    FS_ERR_UNKNOWN_TYPE,
    FS_ERR_ORDER,         /* components out of order or twice */
    FS_ERR_PREFIX_LENGTH, /* longer than the family's addresses */
    FS_ERR_PREFIX_OFFSET, /* IPv6 offset not below the length */
    FS_ERR_VALUE_LENGTH,  /* a value length the component does not allow */
    FS_ERR_TOO_LONG,      /* canonical form exceeds FS_NLRI_MAX */
    FS_ERR_NO_MEMORY,
    FS_ERROR_COUNT,
};

/* A stable word for each ("truncated", "order", ...), and a sentence for people. */
const char *fs_error_word(enum fs_error error);
const char *fs_error_text(enum fs_error error);

struct fs_nlri_format {
    uint8_t family;          /* IP_V4 or IP_V6 */
    bool vpn;                /* SAFI 134: the value starts with a route distinguisher */
    bool legacy_ipv6_offset; /* the old draft's pattern: all `length` bits sent, offset bits included */
};

/*
 * Reads one NLRI, length field included, and advances `in` past it. On FS_OK `*out` is a rule that the caller frees.
 * On FS_ERR_LENGTH the rest of `in` means nothing; on any other error `in` stands at the next NLRI, and the fault is
 * this rule's alone (RFC 7606). `*out` is NULL on errors.
 */
enum fs_error fs_nlri_decode(struct byte_reader *in, const struct fs_nlri_format *format, struct fs_rule **out);

/* Reads an NLRI value of `len` octets that has no length field. */
enum fs_error fs_nlri_decode_value(const uint8_t *value, size_t len, const struct fs_nlri_format *format,
                                   struct fs_rule **out);

/*
 * Writes one NLRI, length field included, in the given form. `format->family` and `vpn` must be the rule's own.
 * A legacy form longer than FS_NLRI_MAX (only IPv6 offsets can make it so) fails the writer.
 */
void fs_nlri_encode(const struct fs_rule *rule, const struct fs_nlri_format *format, struct byte_writer *out);

/* Octets that fs_nlri_encode writes. */
size_t fs_nlri_size(const struct fs_rule *rule, const struct fs_nlri_format *format);

/*
 * Builds a rule from components in any order (used by the text parser). `components[i].first_term` indexes `terms`;
 * `data_first` and `data_len` are ignored. `rd` NULL: SAFI 133. Values, prefix bits and operators are made canonical.
 * Same errors as decoding. The caller frees `*out`.
 */
enum fs_error fs_rule_build(uint8_t family, const uint64_t *rd, const struct fs_component *components, size_t count,
                            const struct fs_term *terms, struct fs_rule **out);

#endif
