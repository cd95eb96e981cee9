/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the redirects of a rule lead to: the VRF that imports the route target (RFC 8955 7.4, RFC 8956 6.1), the next
 * hop for an address (draft-ietf-idr-flowspec-redirect-ip). One that leads nowhere is as if it were absent; the packet
 * goes its own way, and the rule's reason says so. Control thread.
 */
#ifndef FLOODGATE_REDIRECT_H
#define FLOODGATE_REDIRECT_H

#include <stddef.h>
#include <stdint.h>

#include "action/action.h"
#include "flowspec/actions.h"

struct cfg;
struct dataplane;

bool redirect_target_equal(const struct fs_route_target *a, const struct fs_route_target *b);

/*
 * Sets `program->vrf`, `program->via` and where that holds. The next hop is the caller's to give back, once no program
 * has it any more. `cfg` may be NULL: then there are no VRFs. `home`: the VRF whose packets the rule is for; an address
 * is looked up there, unless the rule redirects to another VRF, too.
 */
void redirect_resolve(struct dataplane *dp, const struct cfg *cfg, const struct fs_actions *actions, uint16_t home,
                      struct act_program *program);
void redirect_release(struct dataplane *dp, uint32_t via);

/*
 * Why the redirects that `vrf` and `via` stand for have no effect now, a stable word first; "" when they have.
 * Next hops are found anew as routes change, so the answer may change without a call of redirect_resolve.
 */
void redirect_note(const struct dataplane *dp, const struct fs_actions *actions, uint16_t vrf, uint32_t via, char *note,
                   size_t size);

#endif
