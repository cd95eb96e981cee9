/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules the router knows, in evaluation order, whatever their state: what `fgctl rules` shows.
 *
 * The rule feed of RFC order: RIB -> verdict (lib/policy) -> program (lib/action) -> data plane. A rule keeps its id
 * from its first announcement until its last withdrawal, through changes of source, actions and state.
 * Control thread only.
 */
#ifndef FLOODGATE_RULES_H
#define FLOODGATE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

#include "base/log.h"
#include "base/ordlist.h"
#include "bgp/rib.h"
#include "flowspec/actions.h"
#include "flowspec/rule.h"

struct dataplane;
struct judge;
struct pol_peer_policy;
struct bgp_unicast;
struct rejudge;

enum rule_state {
    RULE_ACTIVE,
    RULE_REJECTED,
    RULE_HELD,
    RULE_SUSPENDED,
    RULE_NEVER_MATCHES,
    RULE_STALE,
    RULE_STATE_COUNT,
};

const char *rule_state_name(enum rule_state state); /* "active", "never-matches", ... */
bool rule_state_parse(const char *name, enum rule_state *out);

/*
 * Who announces rules: a peer, the configuration, the operator. Embedded in its owner, which keeps it until the RIB
 * has no path of it. A pointer to `rib` is what the RIB knows of it.
 */
struct rule_source {
    struct bgp_source rib;                /* first */
    const char *name;                     /* the peer's; NULL for configuration and API */
    const struct pol_peer_policy *policy; /* the owner's to set; NULL: none */
    const struct bgp_unicast *routes;     /* the owner's: what its rules are validated against; NULL: nothing */
    bool judge_again;                     /* the policy changed: rules_judge_again is to look at its rules */
    uint32_t placed, over_limit;          /* rules.c's: rules within the policy's max-rules, and beyond it */
    uint64_t states[2][RULE_STATE_COUNT]; /* rules.c's: rules whose best path is this source's; IPv4, IPv6 */
};

/* One rule. Only rules.c writes; others read between event callbacks and keep no pointer across them. */
struct rule {
    struct ord_node node; /* first: a node is its rule */
    uint32_t id;
    uint32_t family;             /* enum bgp_family */
    const struct fs_rule *match; /* owned */
    struct fs_actions actions;   /* of the best path */
    enum bgp_source_kind source_kind;
    const char *source_name; /* the peer's name; NULL for configuration and API */
    struct rule_source *source;
    const struct bgp_path *path; /* the best one, in the RIB */
    enum rule_state state;
    char *reason; /* owned; NULL when there is none */
    bool suspended_by_operator;
    bool in_force;   /* the data plane has it */
    bool over_limit; /* rejected only because its source has its max-rules: judged again when a place is free */
    bool unplaced;   /* rejected only because memory was short: tried again */
    time_t since;    /* when the rule was first announced */
    /* rejudge.c's: rules of the same destination, and those that wait to be judged again */
    uint32_t destination_node;
    bool waits_for_judgement;
    struct rule *destination_next, *destination_previous;
    TAILQ_ENTRY(rule) waiting;
    struct ord_node *links[];
};

struct rules;

/* `max_rules`: ids at the same time; beyond that a rule is refused and logged, once per burst of refusals. */
struct rules *rules_create(struct dataplane *dp, uint32_t max_rules, const struct log_hook *log);
/* Forgets the rules. Those in force stay in the data plane, which goes next. */
void rules_free(struct rules *rules);

/*
 * From now on rules are judged by `judge`, which stays the caller's and must outlive its use here (NULL: by nothing of
 * the configuration's).
 */
void rules_judge_by(struct rules *rules, const struct judge *judge);

/* Rules are kept in this index while they are in the table; NULL at first: in none. */
void rules_index_by(struct rules *rules, struct rejudge *rejudge);

/* Judges one rule anew. */
void rules_judge_one(struct rules *rules, struct rule *rule);

/* Hears of each rule whose state, source or best path is another one, and of each that goes (`gone`, a moment before).
 */
typedef void (*rules_changed_fn)(void *ctx, const struct rule *rule, bool gone);
void rules_tell(struct rules *rules, rules_changed_fn changed, void *ctx);

/* Judges anew all rules, or those of the sources marked for it (and unmarks none); those whose verdict changes follow.
 */
void rules_judge_again(struct rules *rules, bool all);

/*
 * The RIB's best path for a rule is new or changed, or is gone. The source of entry->best is embedded in a struct
 * rule_source. entry->owner is the rule, or NULL when there was no id or memory for it.
 */
void rules_best_changed(struct rules *rules, struct bgp_rib_entry *entry, bool withdrawn);

/* Whether a rule was refused for want of an id or of memory, and there may be room now. */
bool rules_want_retry(const struct rules *rules);

/* Tries again to enforce what memory was short for, and what of the RIB has no rule yet. Takes a while: seldom. */
void rules_retry(struct rules *rules, struct bgp_rib *rib);

/* NULL starts, NULL ends; evaluation order, IPv4 first. */
const struct rule *rules_next(const struct rules *rules, const struct rule *rule);
const struct rule *rules_find(const struct rules *rules, uint32_t id);

/*
 * The first rule evaluated after `match`, whether or not a rule equal to it is (still) here: where a walk that had
 * rested goes on. Logarithmic.
 */
const struct rule *rules_after(const struct rules *rules, const struct fs_rule *match);

/* Rules evaluated before this one within its family: the `rank` of the API. Walks the rules before it. */
uint32_t rules_rank(const struct rules *rules, const struct rule *rule);

/* Rules in each state. */
void rules_count(const struct rules *rules, uint32_t count[RULE_STATE_COUNT]);

/*
 * The operator's word. False when there is no such rule or it is not in a state for that; `why` then says so.
 */
bool rules_suspend(struct rules *rules, uint32_t id, char *why, size_t size);
bool rules_resume(struct rules *rules, uint32_t id, char *why, size_t size);

#endif
