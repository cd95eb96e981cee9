/* SPDX-License-Identifier: BSD-3-Clause */
/* Random packet keys, such as the parser could produce, drawn from the pools that random rules use. */
#ifndef MODEL_RANDOM_KEY_H
#define MODEL_RANDOM_KEY_H

#include "packet/key.h"
#include "random_rule.h"

/* A key of either family; now and then one that is malformed or not IP. */
void random_key(struct random *random, struct pkt_key *out);

#endif
