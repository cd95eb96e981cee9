/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's rte_acl on the same rules and packets, for comparison. */
#ifndef FGBENCH_ACL_H
#define FGBENCH_ACL_H

#include "families.h"

struct bench_acl;

/*
 * Builds rte_acl's tables for the set. NULL when it does not get done within the limits, or refuses; `why` says it.
 * The best of rte_acl's methods that this processor has is used.
 */
struct bench_acl *bench_acl_create(const struct bench_set *set, double *build_s, const char **why);
void bench_acl_free(struct bench_acl *acl);

/* The packets in the form that rte_acl reads; to be freed by the caller. */
void *bench_acl_packets(unsigned ip, const struct pkt_key *keys, unsigned count);

/* The id of the first matching rule for each of `count` packets from `first` on, or 0. */
void bench_acl_match(const struct bench_acl *acl, const void *packets, unsigned first, uint32_t *ids, unsigned count);

#endif
