/* SPDX-License-Identifier: BSD-3-Clause */
/* The match structure on the NUMA nodes of those who read it: a replica for each node on which a worker runs. */
#ifndef FLOODGATE_MATCH_NODES_H
#define FLOODGATE_MATCH_NODES_H

#include "classifier/classifier.h"

struct match_nodes {
    unsigned count; /* of replicas: 1 where all workers are on one node, which then needs no memory of its own */
    int nodes[CLS_REPLICAS_MAX];
    struct cls_memory memory[CLS_REPLICAS_MAX]; /* of these; refers to `nodes` */
};

/* Adds a worker's node (-1: unknown) unless it is known. What has no place counts as the first. */
void match_nodes_add(struct match_nodes *nodes, int node);

/* The replica for a worker of that node. */
unsigned match_nodes_replica(const struct match_nodes *nodes, int node);

/* `conf` with the replicas and their memory. `nodes` must outlive the classifiers made with it. */
struct cls_conf match_nodes_conf(const struct match_nodes *nodes, struct cls_conf conf);

#endif
