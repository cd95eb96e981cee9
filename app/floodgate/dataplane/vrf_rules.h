/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A classifier for each VRF (RFC 8955 8): rules of SAFI 133 are in that of the default VRF, rules of SAFI 134 in those
 * of the VRFs that import them, under the same id, so that a rule has one program and one set of counters whatever the
 * number of its VRFs. A worker asks the classifier of the VRF of the port that a packet came in by.
 */
#ifndef FLOODGATE_VRF_RULES_H
#define FLOODGATE_VRF_RULES_H

#include <stdint.h>

#include "classifier/classifier.h"
#include "dataplane/vrf_set.h"

struct cfg;

struct vrf_rules {
    uint16_t count; /* the default VRF included: 1 at least */
    char **names;
    size_t memory_bytes; /* in use by all classifiers together: what `memory_bytes` of their configuration bounds */
    struct cls *cls[];   /* by VRF; written at the start only */
};

/* `conf` is what the classifiers are made with; its limit is that of all of them together. NULL when memory is short.
 */
struct vrf_rules *vrf_rules_create(const struct cfg *cfg, const struct cls_conf *conf);
void vrf_rules_free(struct vrf_rules *rules); /* no reader online */

/*
 * Puts the rule into the classifiers of `vrfs` (NULL: of the default VRF) and takes it out of all others. 0, or what
 * cls_rule_add says: then the rule may be in some of them; vrf_rules_remove takes it out.
 */
int vrf_rules_place(struct vrf_rules *rules, uint32_t id, const struct fs_rule *rule, const struct vrf_set *vrfs);
void vrf_rules_remove(struct vrf_rules *rules, uint32_t id);

/* The number of the VRF of that name (NULL: the default one), as everywhere: its place in the configuration, from 1. */
uint16_t vrf_number_of(const struct cfg *cfg, const char *name);

#endif
