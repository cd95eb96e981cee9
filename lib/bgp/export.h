/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What of a path's attributes is said to whom: RFC 4271 5 and 9.1.3, RFC 1997 (well-known communities), RFC 4360 6, RFC
 * 4456 8 (reflection), RFC 6793 4.2.2 (speakers of 2-octet AS numbers), RFC 8955 4 (no next hop).
 */
#ifndef BGP_EXPORT_H
#define BGP_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "bgp/update.h"

/* From whom a path is and to whom it goes. */
struct bgp_export {
    uint32_t local_as;
    bool to_ebgp;
    bool to_client; /* of route reflection */
    bool from_ebgp;
    bool from_client;
    bool from_here;          /* the configuration or the operator; the other from_* do not count */
    uint32_t from_router_id; /* BGP identifier of the peer it is from */
    uint32_t to_router_id;   /* of the peer it goes to */
    uint32_t cluster_id;     /* ours */
    bool long_lived;         /* the path is long-lived stale here (RFC 9494) */
    bool to_long_lived;      /* the peer knows of such paths */
};

/*
 * Whether a path may be announced at all: NO_ADVERTISE, NO_EXPORT, NO_EXPORT_SUBCONFED; what is long-lived stale, here
 * or at one before us, only to peers that know of such paths (RFC 9494 4.6); from an internal peer to
 * another only by reflection, and never back to its originator.
 */
bool bgp_export_allowed(const struct bgp_attrs *attrs, const struct bgp_export *how);

#define BGP_EXPORT_ROOM (4 * BGP_EXTENDED_MESSAGE_MAX)

/*
 * The attributes as they are sent, for flowspec rules: `out` points into `attrs` and into `room` (BGP_EXPORT_ROOM
 * octets). To external peers: our AS in front, no LOCAL_PREF, no MED that somebody else set, nothing of reflection, no
 * non-transitive extended communities. To internal ones: LOCAL_PREF, and what RFC 4456 adds where the path is
 * reflected. A path that is long-lived stale has the community that says so (RFC 9494 4.3).
 */
void bgp_attrs_export(const struct bgp_attrs *attrs, const struct bgp_export *how, struct bgp_attrs *out,
                      uint8_t *room);

/*
 * The same for routes, which have a next hop: `next_hop`, or where that is IP_NONE the one they came with (RFC 4271
 * 5.1.3, RFC 4456 10).
 */
void bgp_attrs_export_route(const struct bgp_attrs *attrs, const struct bgp_export *how, const struct ip_addr *next_hop,
                            struct bgp_attrs *out, uint8_t *room);

/* One attribute: flags (the Extended Length bit is added where it is needed), code, length, value. */
void bgp_attr_write(struct byte_writer *w, uint8_t flags, uint8_t code, const void *value, size_t len);

/*
 * All attributes of a set but the MP ones, by ascending code, unknown ones at the end. AS4_PATH and AS4_AGGREGATOR are
 * added for a speaker of 2-octet numbers where they are needed.
 */
void bgp_attrs_write(const struct bgp_attrs *attrs, bool four_octet_as, struct byte_writer *w);
/* And with NEXT_HOP: what goes with IPv4 routes that stand in the NLRI field (RFC 4271 4.3). */
void bgp_attrs_write_next_hop(const struct bgp_attrs *attrs, bool four_octet_as, struct byte_writer *w);

#endif
