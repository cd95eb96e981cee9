/* SPDX-License-Identifier: BSD-3-Clause */
/* fgbench bgp: what a router is like while it takes out what a lost session left. */
#ifndef FGBENCH_BGP_LOST_H
#define FGBENCH_BGP_LOST_H

#include <stdbool.h>

#include "daemon.h"

struct bgp_lost {
    double seconds;          /* until rules and routes of the peer are gone */
    double longest_answer_s; /* of the API meanwhile, which is asked again and again: the longest turn of the control
                                thread, and a little */
};

/* A peer with rules and routes was just lost. False: not all was gone in time. */
bool bgp_lost_wait(const struct daemon *daemon, struct bgp_lost *out);

#endif
