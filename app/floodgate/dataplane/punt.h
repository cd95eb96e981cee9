/* SPDX-License-Identifier: BSD-3-Clause */
/* Hand-off from a worker to the control thread, with a limit for each kind, so that no flood fills the ring. Worker. */
#ifndef FLOODGATE_PUNT_H
#define FLOODGATE_PUNT_H

#include "dataplane/burst.h"
#include "dataplane/route_plane.h"

/* A packet for the router itself: counted as punted or, beyond the limit of its kind, as dropped. */
void punt_local(struct burst *burst, struct rte_mbuf *packet, const struct pkt_key *key, enum up_kind kind);

/* A packet that waits for neighbour `address` of port `out`; dropped as unresolved where the ring is full. */
void punt_hold(struct burst *burst, struct rte_mbuf *packet, uint16_t out, const struct ip_addr *address);

/* A packet that is dropped for `reason`; the control thread may answer it. `mtu` for UP_TOO_BIG. */
void punt_error(struct burst *burst, struct rte_mbuf *packet, const struct pkt_key *key, enum cnt_drop reason,
                enum up_kind kind, uint16_t mtu);

#endif
