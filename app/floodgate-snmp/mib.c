/* SPDX-License-Identifier: BSD-3-Clause */
#include "mib.h"

#include <string.h>

#include "member.h"
#include "mib_groups.h"

/* As OIDs are ordered: arc by arc, and what ends first comes first. */
static int compare(const uint32_t *a, size_t a_len, const uint32_t *b, size_t b_len)
{
    for (size_t i = 0; i < a_len && i < b_len; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return a_len < b_len ? -1 : a_len > b_len;
}

static size_t column_arcs(const struct mib_group *group, const struct mib_column *column, uint32_t *arcs)
{
    size_t len = 0;

    arcs[len++] = group->number;
    if (group->table)
        arcs[len++] = 1; /* the entry */
    arcs[len++] = column->number;
    return len;
}

static size_t index_arcs(const struct mib_group *group, const struct mib_source *source, size_t row, uint32_t *arcs)
{
    if (group->table)
        return group->index(source, row, arcs);
    arcs[0] = 0;
    return 1;
}

/* How many rows have an index that is not behind this one; of an exact one, the row itself is the last of them. */
static size_t rows_up_to(const struct mib_group *group, const struct mib_source *source, size_t rows,
                         const uint32_t *index, size_t len)
{
    uint32_t arcs[MIB_ARCS_MOST];
    size_t low = 0, high = rows;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(arcs, index_arcs(group, source, middle, arcs), index, len) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool get_member(const struct mib_group *group, const struct mib_source *source, size_t row,
                       const struct mib_column *column, struct mib_value *out)
{
    const json_t *value = member(group->object(source, row), column->path);

    if (value == NULL || json_is_null(value))
        return false;
    if (column->kind == MIB_TEXT)
        out->text = json_is_string(value) ? json_string_value(value) : "";
    else if (json_is_boolean(value))
        out->number = json_is_true(value) ? 1 : 2; /* TruthValue */
    else
        out->number = (uint64_t)json_integer_value(value);
    return true;
}

static bool get_value(const struct mib_group *group, const struct mib_source *source, size_t row,
                      const struct mib_column *column, struct mib_value *out)
{
    *out = (struct mib_value){.kind = column->kind, .text = ""};
    return column->get != NULL ? column->get(source, row, column, out) : get_member(group, source, row, column, out);
}

bool mib_get(struct mib_source *source, const uint32_t *arcs, size_t len, struct mib_value *out)
{
    uint32_t head[3], index[MIB_ARCS_MOST];

    for (size_t g = 0; g < MIB_GROUP_COUNT; g++) {
        const struct mib_group *group = &MIB_GROUPS[g];
        if (len == 0 || arcs[0] != group->number)
            continue;
        for (size_t c = 0; c < group->column_count; c++) {
            size_t head_len = column_arcs(group, &group->columns[c], head);
            if (len <= head_len || memcmp(arcs, head, head_len * sizeof *arcs) != 0)
                continue;
            size_t upto = rows_up_to(group, source, group->rows(source), arcs + head_len, len - head_len);
            if (upto == 0)
                return false;
            size_t index_len = index_arcs(group, source, upto - 1, index);
            return compare(index, index_len, arcs + head_len, len - head_len) == 0 &&
                   get_value(group, source, upto - 1, &group->columns[c], out);
        }
    }
    return false;
}

/* The first object of the column behind the arcs. */
static bool next_in_column(const struct mib_group *group, const struct mib_column *column, struct mib_source *source,
                           const uint32_t *arcs, size_t len, uint32_t *next, size_t *next_len, struct mib_value *out)
{
    size_t head_len = column_arcs(group, column, next), from = 0;
    size_t shared = len < head_len ? len : head_len;
    int order = compare(next, shared, arcs, shared);

    if (order < 0)
        return false; /* the whole column is before them */
    size_t rows = group->rows(source);
    if (order == 0 && len > head_len)
        from = rows_up_to(group, source, rows, arcs + head_len, len - head_len);
    for (size_t row = from; row < rows; row++) {
        if (!get_value(group, source, row, column, out))
            continue;
        *next_len = head_len + index_arcs(group, source, row, next + head_len);
        return true;
    }
    return false;
}

bool mib_next(struct mib_source *source, const uint32_t *arcs, size_t len, uint32_t *next, size_t *next_len,
              struct mib_value *out)
{
    for (size_t g = 0; g < MIB_GROUP_COUNT; g++) {
        const struct mib_group *group = &MIB_GROUPS[g];
        if (len > 0 && group->number < arcs[0])
            continue;
        for (size_t c = 0; c < group->column_count; c++)
            if (next_in_column(group, &group->columns[c], source, arcs, len, next, next_len, out))
                return true;
    }
    return false;
}
