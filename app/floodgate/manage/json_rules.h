/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules as JSON: the objects of `fgctl -j rules`, and the walk that yields them a slice at a time. Control thread.
 */
#ifndef FLOODGATE_JSON_RULES_H
#define FLOODGATE_JSON_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "control/rules.h"

struct dataplane;

/* One rule. NULL when memory is short. */
json_t *json_rule(const struct rule *rule, uint32_t rank, const struct dataplane *dp);

/* Its parts, for answers of another shape. */
json_t *json_rule_source(const struct rule *rule);
json_t *json_actions(const struct fs_actions *actions);
json_t *json_match(const struct fs_rule *match);

/* Which rules are asked for. */
struct rule_filter {
    uint8_t family; /* IP_NONE: both */
    int state;      /* enum rule_state, or -1: every one */
    bool killed;    /* the kill-switch is on: no rule is active */
    char peer[128]; /* "": from anywhere */
    uint64_t limit; /* at most so many */
};

/*
 * A walk over the rules in evaluation order that may rest between any two of them while rules come and go: it
 * remembers the rule it saw last by value, and goes on with the one after it.
 */
struct rule_walk;

struct rule_walk *rule_walk_create(const struct rules *rules, const struct rule_filter *filter);
void rule_walk_free(struct rule_walk *walk);

/*
 * Calls `emit` for rules that pass the filter, `visits` rules looked at the most. True while there may be more. The
 * walk ends early when memory is short.
 */
bool rule_walk_slice(struct rule_walk *walk, unsigned visits,
                     void (*emit)(void *ctx, const struct rule *rule, uint32_t rank), void *ctx);

#endif
