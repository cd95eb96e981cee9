/* SPDX-License-Identifier: BSD-3-Clause */
/* A search tree of the C library: only rules of sources with such a limit are in it. */
#include "control/destination_count.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct destination {
    uint32_t source;
    uint8_t family, length, offset; /* length 0: rules without a destination, too */
    uint8_t octets[16];
    uint32_t rules;
};

struct destination_count {
    void *root;
};

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, offsetof(struct destination, rules));
}

static void key_of(uint32_t source, const struct fs_rule *rule, struct destination *out)
{
    const struct fs_component *component = fs_rule_component(rule, FS_DESTINATION);

    memset(out, 0, sizeof *out);
    out->source = source;
    out->family = rule->family;
    if (component == NULL)
        return;
    out->length = component->length;
    out->offset = component->offset;
    memcpy(out->octets, component->octets, sizeof out->octets);
}

struct destination_count *destination_count_create(void)
{
    return calloc(1, sizeof(struct destination_count));
}

void destination_count_free(struct destination_count *count)
{
    if (count == NULL)
        return;
    tdestroy(count->root, free);
    free(count);
}

bool destination_count_add(struct destination_count *count, uint32_t source, const struct fs_rule *rule)
{
    struct destination *fresh = malloc(sizeof *fresh);

    if (fresh == NULL)
        return false;
    key_of(source, rule, fresh);
    struct destination **found = tsearch(fresh, &count->root, compare);
    if (found == NULL || *found != fresh) {
        free(fresh);
        if (found == NULL)
            return false;
    }
    (*found)->rules++;
    return true;
}

void destination_count_drop(struct destination_count *count, uint32_t source, const struct fs_rule *rule)
{
    struct destination key;

    key_of(source, rule, &key);
    struct destination **found = tfind(&key, &count->root, compare);
    if (found == NULL || --(*found)->rules > 0)
        return;
    struct destination *gone = *found;
    tdelete(gone, &count->root, compare);
    free(gone);
}

uint32_t destination_count_get(const struct destination_count *count, uint32_t source, const struct fs_rule *rule)
{
    struct destination key;

    key_of(source, rule, &key);
    struct destination **found = tfind(&key, &count->root, compare);
    return found != NULL ? (*found)->rules : 0;
}
