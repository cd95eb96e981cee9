/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A Flowspec rule's match (RFC 8955 section 4, RFC 8956 section 3), decoded and canonical.
 *
 * Canonical means that two rules with the same meaning in every field are equal octet for octet in `nlri`:
 * prefix bits outside the pattern are 0; reserved operator bits and the first AND bit are 0; bits of a value that the
 * RFCs leave without a meaning are 0 (data offset beside the TCP flags, DSCP beyond 6 bits, reserved fragment bits, DF
 * in IPv6, every bit of the value of `true` and `false`); each value is in the fewest octets (flow label: at least 4,
 * RFC 8956 3.7); the length field, where one is written, is in its short form below 240. Operators are not simplified
 * beyond that: `=1,=1` and `=1` are two rules.
 *
 * A rule is one immutable heap block: fs_rule_free frees all of it. Safe to read from any thread.
 */
#ifndef FLOWSPEC_RULE_H
#define FLOWSPEC_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define FS_NLRI_MAX       4095   /* octets, the length field not counted (RFC 8955 4.1) */
#define FS_COMPONENTS_MAX 13     /* each type at most once, ascending */
#define FS_TERMS_MAX      2047   /* a term takes at least two octets */
#define FS_RULE_TEXT_MAX  131072 /* any rule and its actions as text fit, terminator included */

enum fs_type {
    FS_DESTINATION = 1,
    FS_SOURCE = 2,
    FS_PROTOCOL = 3,
    FS_PORT = 4,
    FS_DESTINATION_PORT = 5,
    FS_SOURCE_PORT = 6,
    FS_ICMP_TYPE = 7,
    FS_ICMP_CODE = 8,
    FS_TCP_FLAGS = 9,
    FS_PACKET_LENGTH = 10,
    FS_DSCP = 11,
    FS_FRAGMENT = 12,
    FS_FLOW_LABEL = 13, /* IPv6 only, RFC 8956 3.7 */
};

/* Bits of struct fs_term.op, where they are on the wire; `end of list` and `len` are never kept. */
#define FS_OP_AND   0x40
#define FS_OP_LT    0x04 /* numeric_op, RFC 8955 4.2.1.1 */
#define FS_OP_GT    0x02
#define FS_OP_EQ    0x01
#define FS_OP_NOT   0x02 /* bitmask_op, RFC 8955 4.2.1.2 */
#define FS_OP_MATCH 0x01

/* Bits of the fragment bitmask, RFC 8955 4.2.2.12. */
#define FS_FRAGMENT_DF    0x01
#define FS_FRAGMENT_IS    0x02
#define FS_FRAGMENT_FIRST 0x04
#define FS_FRAGMENT_LAST  0x08

/* One {operator, value} pair. */
struct fs_term {
    uint64_t value;
    uint8_t op;
};

struct fs_component {
    uint8_t type; /* enum fs_type */
    /* FS_DESTINATION and FS_SOURCE: match bits [offset, length) of the address against the same bits of `octets`. */
    uint8_t length; /* bits; 0 matches every address */
    uint8_t offset; /* bits; 0 for IPv4 */
    uint8_t octets[16];
    /* every other type: terms[first_term .. first_term + term_count) of the rule, at least one */
    uint16_t first_term;
    uint16_t term_count;
    /* where the component's data (its type octet not counted) lies in the rule's `nlri` */
    uint16_t data_first;
    uint16_t data_len;
};

struct fs_rule {
    uint8_t family;          /* IP_V4 or IP_V6 */
    bool has_rd;             /* SAFI 134: `rd` counts */
    uint8_t component_count; /* 1..FS_COMPONENTS_MAX */
    uint16_t term_count;
    uint16_t nlri_len;                     /* octets at `nlri`, 8 of them the route distinguisher where has_rd */
    uint64_t rd;                           /* route distinguisher as a number, RFC 4364 4.2 */
    const struct fs_component *components; /* ascending by type */
    const struct fs_term *terms;
    const uint8_t *nlri; /* canonical NLRI value, without its length field */
};

/* Whether the type's operators are bitmask_op (TCP flags, fragment); false for numeric_op and prefixes. */
static inline bool fs_type_is_bitmask(unsigned type)
{
    return type == FS_TCP_FLAGS || type == FS_FRAGMENT;
}

static inline bool fs_type_is_prefix(unsigned type)
{
    return type == FS_DESTINATION || type == FS_SOURCE;
}

/* The component of that type, or NULL. */
const struct fs_component *fs_rule_component(const struct fs_rule *rule, enum fs_type type);

/* A copy of its own, or NULL when memory is short. */
struct fs_rule *fs_rule_dup(const struct fs_rule *rule);
void fs_rule_free(struct fs_rule *rule); /* NULL is fine */

/* The same into fs_rule_size octets of the caller's, aligned for any type; fs_rule_free is not for it. */
size_t fs_rule_size(const struct fs_rule *rule);
struct fs_rule *fs_rule_copy(void *memory, const struct fs_rule *rule);

/* Whether both are the same rule: family, SAFI and every octet of the canonical NLRI. */
bool fs_rule_equal(const struct fs_rule *a, const struct fs_rule *b);

/* Whether `value` satisfies the component's operator list (numeric or bitmask by its type), RFC 8955 4.2.1. */
bool fs_terms_match(const struct fs_rule *rule, const struct fs_component *component, uint64_t value);

#endif
