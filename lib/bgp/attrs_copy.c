/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attribute sets as values: copy, compare, release.
 */
#include <stdlib.h>
#include <string.h>

#include "bgp/attrs_pool.h"
#include "bgp/update.h"

/* The parts of variable length, so that no code has to name each of them again. */
static const struct {
    size_t pointer, length; /* offsets in struct bgp_attrs */
} blobs[] = {
#define BLOB(name)                                                                                                     \
    {                                                                                                                  \
        offsetof(struct bgp_attrs, name), offsetof(struct bgp_attrs, name##_len)                                       \
    }
    BLOB(as_path),     BLOB(communities),  BLOB(ext_comms), BLOB(ext_comms6),
    BLOB(large_comms), BLOB(cluster_list), BLOB(unknown),
#undef BLOB
};
#define BLOB_COUNT (sizeof blobs / sizeof blobs[0])

static const uint8_t *blob_at(const struct bgp_attrs *attrs, size_t i, size_t *len)
{
    const uint8_t *at;

    memcpy(&at, (const char *)attrs + blobs[i].pointer, sizeof at);
    memcpy(len, (const char *)attrs + blobs[i].length, sizeof *len);
    return at;
}

static void blob_set(struct bgp_attrs *attrs, size_t i, const uint8_t *at)
{
    memcpy((char *)attrs + blobs[i].pointer, &at, sizeof at);
}

size_t bgp_attrs_octets(const struct bgp_attrs *attrs)
{
    size_t total = 0, len;

    for (size_t i = 0; i < BLOB_COUNT; i++) {
        blob_at(attrs, i, &len);
        total += len;
    }
    return total;
}

bool bgp_attrs_dup(const struct bgp_attrs *attrs, struct bgp_attrs *out)
{
    size_t total = bgp_attrs_octets(attrs), len;

    uint8_t *memory = malloc(total > 0 ? total : 1);
    if (memory == NULL)
        return false;
    *out = *attrs;
    out->memory = memory;
    for (size_t i = 0; i < BLOB_COUNT; i++) {
        const uint8_t *from = blob_at(attrs, i, &len);
        /* an AS path that is there but empty stays told from one that is absent */
        blob_set(out, i, from != NULL ? memory : NULL);
        if (len > 0)
            memcpy(memory, from, len);
        memory += len;
    }
    return true;
}

void bgp_attrs_free(struct bgp_attrs *attrs)
{
    free(attrs->memory);
    attrs->memory = NULL;
    for (size_t i = 0; i < BLOB_COUNT; i++) {
        size_t none = 0;
        blob_set(attrs, i, NULL);
        memcpy((char *)attrs + blobs[i].length, &none, sizeof none);
    }
}

static bool scalars_equal(const struct bgp_attrs *a, const struct bgp_attrs *b)
{
    return a->has_origin == b->has_origin && a->has_med == b->has_med && a->has_local_pref == b->has_local_pref &&
           a->has_originator_id == b->has_originator_id && a->atomic_aggregate == b->atomic_aggregate &&
           a->has_aggregator == b->has_aggregator && a->partial == b->partial &&
           (!a->has_aggregator || (a->aggregator_as == b->aggregator_as && a->aggregator_id == b->aggregator_id)) &&
           (!a->has_origin || a->origin == b->origin) && (!a->has_med || a->med == b->med) &&
           (!a->has_local_pref || a->local_pref == b->local_pref) &&
           (!a->has_originator_id || a->originator_id == b->originator_id) &&
           ip_addr_equal(&a->next_hop, &b->next_hop) && a->label == b->label;
}

bool bgp_attrs_equal(const struct bgp_attrs *a, const struct bgp_attrs *b)
{
    if (!scalars_equal(a, b))
        return false;
    for (size_t i = 0; i < BLOB_COUNT; i++) {
        size_t a_len, b_len;
        const uint8_t *a_at = blob_at(a, i, &a_len), *b_at = blob_at(b, i, &b_len);
        if (a_len != b_len || (a_len > 0 && memcmp(a_at, b_at, a_len) != 0))
            return false;
    }
    return true;
}

static uint64_t hash_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

/* Eight octets a step: a full table asks for it once an UPDATE. */
static uint64_t hash_octets(uint64_t hash, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t word;

    for (; len >= sizeof word; p += sizeof word, len -= sizeof word) {
        memcpy(&word, p, sizeof word);
        hash = hash_word(hash, word);
    }
    word = 0;
    for (size_t i = 0; i < len; i++)
        word = word << 8 | p[i];
    return hash_word(hash, word);
}

uint64_t bgp_attrs_hash(const struct bgp_attrs *attrs)
{
    const uint32_t scalars[] = {attrs->has_origin ? attrs->origin + 1u : 0, attrs->has_med ? attrs->med : 0,
                                attrs->has_local_pref ? attrs->local_pref : 0,
                                attrs->has_originator_id ? attrs->originator_id : 0, attrs->label};
    uint64_t hash = hash_octets(0xcbf29ce484222325u, scalars, sizeof scalars);

    for (size_t i = 0; i < BLOB_COUNT; i++) {
        size_t len;
        const uint8_t *at = blob_at(attrs, i, &len);
        if (len > 0) /* the place counts, too: the same octets are not the same in another attribute */
            hash = hash_octets(hash_word(hash, len << 8 | i), at, len);
    }
    return hash;
}
