/* SPDX-License-Identifier: BSD-3-Clause */
/* The reader's side of the fast engine, once for each instruction set. */
#ifndef CLASSIFIER_WALK_H
#define CLASSIFIER_WALK_H

#include "classifier/place.h"

struct walk_ops {
    /* As cls_match_burst. */
    void (*burst)(const struct places *places, const struct pkt_key *keys, uint32_t *ids, unsigned count);
    /* The first match after the rule `floor` (NULL: of all), or CLS_NO_MATCH. */
    uint32_t (*after)(const struct places *places, const struct pkt_key *key, const struct compiled *floor);
};

extern const struct walk_ops walk_scalar_ops;

#if defined(__x86_64__)
extern const struct walk_ops walk_avx2_ops;
extern const struct walk_ops walk_avx512_ops;
#endif

#endif
