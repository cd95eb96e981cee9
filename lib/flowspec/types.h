/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What this library knows of each component type, in one table: its name in text, its kind of operators, what its
 * values may be on the wire and which of their bits mean something. Private to lib/flowspec.
 */
#ifndef FLOWSPEC_TYPES_H
#define FLOWSPEC_TYPES_H

#include <stddef.h>
#include <stdint.h>

enum fs_kind {
    FS_KIND_PREFIX,
    FS_KIND_NUMERIC,
    FS_KIND_BITMASK,
};

struct fs_name {
    const char *name;
    uint64_t value;
};

struct fs_type_info {
    const char *name;
    enum fs_kind kind;
    uint8_t most_octets;         /* of a value on the wire; above that an NLRI is malformed */
    uint8_t least_octets;        /* of a value in canonical form */
    uint64_t mask_v4;            /* bits of a value that mean something; 0: no such component in IPv4 */
    uint64_t mask_v6;            /* the same for IPv6 */
    const struct fs_name *names; /* of values or bits, ended by a NULL name; NULL: none */
    size_t shown_names;          /* so many of them are used in output too */
};

/* NULL when there is no such type. */
const struct fs_type_info *fs_type_any(unsigned type);

/* NULL when the family has no such component. */
const struct fs_type_info *fs_type_get(unsigned type, unsigned family);

static inline uint64_t fs_type_mask(const struct fs_type_info *info, unsigned family)
{
    return family == 6 ? info->mask_v6 : info->mask_v4;
}

/* The names of DSCP values, for the `mark` action. */
extern const struct fs_name FS_DSCP_NAMES[];

#endif
