/* SPDX-License-Identifier: BSD-3-Clause */
/* Random packet keys that a given rule matches, or nearly. */
#ifndef MODEL_NEAR_KEY_H
#define MODEL_NEAR_KEY_H

#include "packet/key.h"
#include "random_rule.h"

/* A key bent towards most of the rule's components, often by values at their edges; without a rule any key. */
void near_key(struct random *random, const struct fs_rule *rule, struct pkt_key *key);

#endif
