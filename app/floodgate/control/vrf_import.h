/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which VRFs import a path, by its route targets (RFC 4364 4.3.1, RFC 8955 8), and in which of them a rule of SAFI 134
 * is feasible: by RFC 8955 6 as revised by RFC 9117, judged by the routes of SAFI 128 that the same VRF imports.
 * Control thread.
 */
#ifndef FLOODGATE_VRF_IMPORT_H
#define FLOODGATE_VRF_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/vrf_set.h"
#include "flowspec/rule.h"
#include "policy/policy.h"

struct bgp_attrs;
struct bgp_unicast_scope;
struct cfg;
struct cfg_vrf;
struct rule_source;

/* Whether the VRF imports what has these attributes. */
bool vrf_imports(const struct cfg_vrf *vrf, const struct bgp_attrs *attrs);

/* The routes of SAFI 128 that VRF `number` (from 1) imports. Valid as long as `cfg`. */
struct bgp_unicast_scope vrf_scope(const struct cfg *cfg, uint16_t number, unsigned ip_family);

struct vrf_verdict {
    struct vrf_set *vrfs;      /* those that import the rule and bear it out; the caller's to free */
    struct pol_vrfs count;     /* its `why` is the one below, so a copy of the struct needs another */
    char why[POL_REASON_SIZE]; /* of the first that imports it and does not */
};

/* `source` as of its path: where it is validated against no routes, every VRF that imports it will do. False: memory.
 */
bool vrf_judge(const struct cfg *cfg, const struct fs_rule *rule, const struct rule_source *source,
               const struct bgp_attrs *attrs, struct vrf_verdict *out);

#endif
