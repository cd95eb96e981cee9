/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which of several paths of one rule counts: RFC 4271 9.1, RFC 4456 9.
 */
#ifndef BGP_BEST_PATH_H
#define BGP_BEST_PATH_H

#include "bgp/rib.h"

/* The best of a list (linked by `next`), or NULL when it is empty. Does not depend on the order of the list. */
struct bgp_path *bgp_best_path(struct bgp_path *paths);

#endif
