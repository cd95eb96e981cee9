/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration's word on rules, in the form in which the steps of validation take it. Immutable; a reload makes
 * another one. It points into the configuration it was made from.
 */
#ifndef FLOODGATE_JUDGE_H
#define FLOODGATE_JUDGE_H

#include <stdbool.h>

#include "conf/conf.h"
#include "policy/policy.h"

struct judge;

/* NULL when memory is short. `cfg` must outlive it. */
struct judge *judge_create(const struct cfg *cfg);
void judge_free(struct judge *judge);

/* The policy of that name; NULL: none (`name` may be NULL, too). Valid as long as the judge. */
const struct pol_peer_policy *judge_policy(const struct judge *judge, const char *name);

/* Sets what of the candidate comes from the configuration. `judge` may be NULL: then nothing is protected. */
void judge_prepare(const struct judge *judge, struct pol_candidate *candidate);

/* The configuration it was made from; NULL without a judge. */
const struct cfg *judge_cfg(const struct judge *judge);

/*
 * What of an active rule's actions has no effect now, for its `reason`: a stable word, then text. "" when all of them
 * have. `judge` may be NULL.
 */
void judge_note(const struct judge *judge, const struct fs_actions *actions, char *note, size_t size);

/* Whether both configurations ask the same of rules of all sources, so that no verdict changes for that. */
bool judge_general_equal(const struct cfg *a, const struct cfg *b);

/* pol_candidate.announces, for `destinations: from-routes`: `source` is a struct rule_source. */
bool judge_source_announces(void *source, const struct ip_prefix *prefix);

#endif
