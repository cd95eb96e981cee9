/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * NLRI of unicast (RFC 4271 4.3, RFC 4760 5) and labelled VPN unicast routes (RFC 4364 4.3.4, RFC 8277 2.2).
 */
#ifndef BGP_NLRI_ROUTES_H
#define BGP_NLRI_ROUTES_H

#include "bgp/attrs.h"
#include "bgp/update.h"

/* Whether prefixes of the family follow one another soundly to the end (RFC 7606 5.3), path ids where agreed. */
bool bgp_routes_sound(const struct bgp_update_conf *conf, uint32_t family, struct byte_reader r);

/* Hands each route of a sound list to the reader's callbacks: as withdrawn, or announced with `attrs`. */
void bgp_routes_read(const struct bgp_attr_reader *reader, uint32_t family, struct byte_reader r, bool withdraw,
                     const struct bgp_attrs *attrs);

#endif
