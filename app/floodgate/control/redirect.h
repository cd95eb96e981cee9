/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the redirects of a rule lead to: the VRF that imports the route target (RFC 8955 7.4, RFC 8956 6.1), the next
 * hop for an address (draft-ietf-idr-flowspec-redirect-ip). One that leads nowhere is as if it were absent; the packet
 * goes its own way, and the rule's reason says so. Control thread.
 */
#ifndef FLOODGATE_REDIRECT_H
#define FLOODGATE_REDIRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "action/action.h"
#include "flowspec/actions.h"

struct cfg;
struct dataplane;
struct vrf_set;

bool redirect_target_equal(const struct fs_route_target *a, const struct fs_route_target *b);

/*
 * Sets `program->vrf` and `program->ways`. The ways and their next hops are the caller's to give back, once no program
 * has them any more. `cfg` may be NULL: then there are no VRFs. `homes`: the VRFs whose packets the rule is for (NULL:
 * the default one); an address is looked up in each of them, unless the rule redirects to another VRF, too. False:
 * memory is short, and there is nothing to give back.
 */
bool redirect_resolve(struct dataplane *dp, const struct cfg *cfg, const struct fs_actions *actions,
                      const struct vrf_set *homes, struct act_program *program);
void redirect_release(struct dataplane *dp, struct act_ways *ways); /* NULL: nothing */

/*
 * Why the redirects that `vrf` and `ways` stand for have no effect now, a stable word first; "" when they have.
 * Next hops are found anew as routes change, so the answer may change without a call of redirect_resolve.
 */
void redirect_note(const struct dataplane *dp, const struct fs_actions *actions, uint16_t vrf,
                   const struct act_ways *ways, char *note, size_t size);

#endif
