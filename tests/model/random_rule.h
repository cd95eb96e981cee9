/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random Flowspec rules for the model tests: the same seed gives the same rules on every machine.
 *
 * In narrow form addresses, prefix lengths and values come from small pools, so that rules overlap and packets drawn
 * from the same pools (random_address, random_value) hit them often.
 */
#ifndef MODEL_RANDOM_RULE_H
#define MODEL_RANDOM_RULE_H

#include "flowspec/actions.h"
#include "flowspec/rule.h"

struct random {
    uint64_t state;
};

uint64_t random_next(struct random *random);

/* 0..limit-1; `limit` is 1 or more. */
unsigned random_below(struct random *random, unsigned limit);

/* True once in `n`. */
bool random_one_in(struct random *random, unsigned n);

struct random_rule_conf {
    uint8_t family;          /* IP_V4 or IP_V6; IP_NONE: either */
    bool vpn;                /* rules carry a route distinguisher */
    bool narrow;             /* small pools of addresses and values */
    unsigned components_max; /* 0: up to 5 */
    unsigned terms_max;      /* a component; 0: up to 4 */
};

/* A rule of its own, for fs_rule_free. Never NULL: memory running out ends the program. */
struct fs_rule *random_rule(struct random *random, const struct random_rule_conf *conf);

/* A rule that differs from `rule` in one small thing: a prefix bit or length, a term, an operator, a component. */
struct fs_rule *random_relative(struct random *random, const struct random_rule_conf *conf, const struct fs_rule *rule);

/* An address of the family, in network order; from the small pool where `narrow`. Octets beyond the family's are 0. */
void random_address(struct random *random, unsigned family, bool narrow, uint8_t out[16]);

/* A value of a component that is no prefix. */
uint64_t random_value(struct random *random, unsigned type, bool narrow);

/* A set of actions that text and extended communities can carry. */
void random_actions(struct random *random, struct fs_actions *out);

#endif
