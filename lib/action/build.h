/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A rule's actions -> the program workers run. The only part of lib/action that knows of Flowspec.
 */
#ifndef ACTION_BUILD_H
#define ACTION_BUILD_H

#include "action/action.h"
#include "flowspec/actions.h"

/*
 * Fills `out`, but for `vrf` and `ways`: what redirects lead to is its owner's to look up. Returns NULL, or the name of
 * the first action that this data plane cannot carry out ("sample", "redirect", ...): such a rule must not be enforced
 * in part.
 */
const char *act_build(const struct fs_actions *actions, struct act_program *out);

#endif
