/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables that mib.c walks over: what mib_groups.c lists. */
#ifndef FLOODGATE_SNMP_MIB_GROUPS_H
#define FLOODGATE_SNMP_MIB_GROUPS_H

#include "mib.h"

struct mib_column {
    uint32_t number;
    enum mib_kind kind;
    const char *path; /* of the member that it shows; NULL: `get` knows */
    /* False: this row has no such object. NULL: the member at `path`. */
    bool (*get)(const struct mib_source *source, size_t row, const struct mib_column *column, struct mib_value *out);
    size_t offset; /* for `get` */
};

struct mib_group {
    uint32_t number;
    bool table;
    size_t (*rows)(struct mib_source *source);
    size_t (*index)(const struct mib_source *source, size_t row, uint32_t *arcs); /* how many arcs; of a table */
    const json_t *(*object)(const struct mib_source *source, size_t row);         /* that paths lead into */
    const struct mib_column *columns;
    size_t column_count;
};

extern const struct mib_group MIB_GROUPS[];
extern const size_t MIB_GROUP_COUNT;

#endif
