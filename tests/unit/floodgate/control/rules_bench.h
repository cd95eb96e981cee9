/* SPDX-License-Identifier: BSD-3-Clause */
/* The rule table between a real RIB and a data plane that is only pretended, and rules by their text. */
#ifndef RULES_BENCH_H
#define RULES_BENCH_H

#include <stdarg.h>

#include "bgp/rib.h"
#include "control/rules.h"
#include "fake_dataplane.h"

struct bench {
    struct dataplane *dp;
    struct rules *rules;
    struct bgp_rib *rib;
    struct rule_source peer, other, config;
    unsigned warnings, errors;
    char last_line[512]; /* of the log */
};

extern struct log_hook bench_log;

void bench_fill(struct bench *bench, uint32_t max_rules);
int set_up(void **state); /* *state: a bench with room for 100 rules */
int tear_down(void **state);

struct fs_rule *parse(const char *text, struct fs_actions *actions);
const struct rule *find(struct bench *bench, const char *text);
const struct rule *announce(struct bench *bench, struct rule_source *source, const char *text);
void withdraw(struct bench *bench, struct rule_source *source, const char *text);

#endif
