/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Import and export filters of a peer: a few questions to a rule or a route and its attributes, all of which must be
 * answered yes.
 */
#ifndef FLOODGATE_FILTER_H
#define FLOODGATE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "bgp/update.h"
#include "conf/conf.h"

/* `family`: enum bgp_family. A rule without a destination lies within no prefix. */
bool filter_passes(const struct cfg_filter *filter, uint32_t family, const struct fs_rule *rule,
                   const struct bgp_attrs *attrs);
bool filter_route_passes(const struct cfg_filter *filter, const struct bgp_route *route, const struct bgp_attrs *attrs);

#endif
