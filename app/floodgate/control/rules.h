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

#include "base/clock.h"
#include "base/log.h"
#include "base/ordlist.h"
#include "bgp/rib.h"
#include "flowspec/actions.h"
#include "flowspec/rule.h"

struct dataplane;
struct decisions;
struct guard;
struct journal;
struct judge;
struct pol_peer_policy;
struct bgp_unicast;
struct act_ways;
struct rejudge;
struct vrf_set;

enum rule_state {
    RULE_ACTIVE,
    RULE_REJECTED,
    RULE_HELD,
    RULE_SUSPENDED,
    RULE_NEVER_MATCHES,
    RULE_STALE,
    RULE_DRY_RUN,      /* the data plane counts what it matches, and does nothing to it */
    RULE_NOT_IMPORTED, /* of SAFI 134, and no VRF here imports it: only handed on */
    RULE_STATE_COUNT,
};

/* Active, or stale: that, from a peer whose session is lost. */
static inline bool rule_state_enforced(enum rule_state state)
{
    return state == RULE_ACTIVE || state == RULE_STALE;
}

/*
 * What peers may be told: what is in force here, for they may enforce it, too, and what is for VRFs elsewhere. Not what
 * was rejected or is held, nor what the operator suspended.
 */
static inline bool rule_state_handed_on(enum rule_state state)
{
    return rule_state_enforced(state) || state == RULE_NOT_IMPORTED;
}

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
    const struct bgp_unicast *announced;  /* the owner's: where its own routes are; NULL: it announces none */
    bool judge_again;                     /* the policy changed: rules_judge_again is to look at its rules */
    bool departs;                /* the owner's: it goes, its rules stay as they are for the moment that takes */
    bool killed;                 /* the operator's kill-switch for this source: set by rules_kill */
    uint32_t placed, over_limit; /* rules.c's: rules within the policy's limits, and beyond them */
    uint64_t cost;               /* rules.c's: of those within */
    double changes;              /* rules_pace.c's: changes that it may make at once */
    mono_ms_t changes_at;        /* when that was so */
    uint64_t states[2][RULE_STATE_COUNT]; /* rules.c's: rules whose best path is this source's; IPv4, IPv6 */
};

/* Why a rule that once was fine is not any more. */
enum rule_expiry { RULE_FRESH, RULE_TOO_OLD, RULE_IDLE, RULE_LAPSED };

/* One rule. Only rules*.c write; others read between event callbacks and keep no pointer across them. */
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
    char *tripped;         /* owned: why the circuit breaker suspended it; NULL: it did not */
    uint32_t approved_for; /* number of the source for which the operator let it pass the guard; 0: none */
    bool warned;           /* let through with a warning, which its reason is */
    bool measured;         /* the guard has let it into force: from now on the breaker watches it */
    bool dry_run;          /* the operator's word; a policy may say so, too */
    uint32_t promoted_for; /* likewise the operator's word against that source's dry-run */
    bool delayed;          /* waits in rules_pace.c's queue: its source makes too many changes */
    enum rule_expiry expired;
    uint16_t vrf;          /* where redirects of the program in force lead: control/redirect.h */
    struct act_ways *ways; /* owned */
    bool in_force;         /* the data plane has it */
    struct vrf_set *vrfs;  /* owned: where it is in force; NULL: in the default VRF, or it is not */
    uint8_t marks;         /* of the best path: enum bgp_path_mark */
    bool over_limit;       /* rejected only because its source has all it may have: judged again when a place is free */
    bool outside;          /* refused before anybody asked how many its source has: it takes no place of them */
    bool unplaced;         /* rejected only because memory was short: tried again */
    /* rejudge.c's: rules of the same destination, and those that wait to be judged again */
    uint32_t destination_node;
    bool waits_for_judgement;
    struct rule *destination_next, *destination_previous;
    TAILQ_ENTRY(rule) waiting;
    bool counted; /* rules.c's: in the table of rules by destination */
    uint32_t cost;
    time_t since;       /* when the rule was first announced */
    mono_ms_t since_ms; /* when its source announced it, on the monotonic clock */
    mono_ms_t state_ms; /* when its state last changed */
    /* breaker.c's: what the rule had dropped at some moment of the last two windows */
    uint64_t base_packets;
    mono_ms_t base_ms;
    TAILQ_ENTRY(rule) turn; /* of the queue of delayed rules */
    struct ord_node *links[];
};

/* What the operator allowed one peer's rule is not allowed to another peer that announces the same. */
static inline bool rule_is_approved(const struct rule *rule)
{
    return rule->approved_for == rule->source->rib.number;
}

/* What operators are told of a rule: with the kill-switch on (`killed`) none is enforced, whatever its own state. */
#define RULE_KILLED_REASON "kill-switch: no rule is enforced until it is off"
static inline enum rule_state rule_shown_state(const struct rule *rule, bool killed)
{
    return killed && rule_state_enforced(rule->state) ? RULE_SUSPENDED : rule->state;
}

static inline const char *rule_shown_reason(const struct rule *rule, bool killed)
{
    if (killed && rule_state_enforced(rule->state))
        return RULE_KILLED_REASON;
    return rule->reason != NULL ? rule->reason : "";
}

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

/*
 * Says anew which redirects lead nowhere: call it where routes may have changed, every second or so. `vrfs_changed`:
 * and looks up all of them again.
 */
void rules_redirects_again(struct rules *rules, bool vrfs_changed);

/* Whether a rule was refused for want of an id or of memory, and there may be room now. */
bool rules_want_retry(const struct rules *rules);

/* Tries again to enforce what memory was short for, and what of the RIB has no rule yet. Takes a while: seldom. */
void rules_retry(struct rules *rules, struct bgp_rib *rib);

/* What VRFs import has changed: rules with a route distinguisher are judged again. */
void rules_import_again(struct rules *rules);

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

/* What measures rules before they get into force, and where verdicts are written; each may be NULL. */
void rules_guard_by(struct rules *rules, struct guard *guard);
void rules_journal_to(struct rules *rules, struct journal *journal);
void rules_remember_in(struct rules *rules, struct decisions *decisions);

/* The limits of the guard are other ones: rules in force are to be measured again, too. */
void rules_measure_again(struct rules *rules);

/* The highest id that a rule has ever had: for walks by rules_find that may rest between two ids. */
uint32_t rules_highest_id(const struct rules *rules);

/*
 * The operator's word (rules_steer.c). False when there is no such rule or it is not in a state for that; `why` then
 * says so. `by`: who, for the journal.
 */
bool rules_suspend(struct rules *rules, uint32_t id, const char *by, char *why, size_t size);
bool rules_resume(struct rules *rules, uint32_t id, const char *by, char *why, size_t size);
bool rules_approve(struct rules *rules, uint32_t id, const char *by, char *why, size_t size);
bool rules_dry_run(struct rules *rules, uint32_t id, const char *by, char *why, size_t size);
bool rules_promote(struct rules *rules, uint32_t id, const char *by, char *why, size_t size);

/* The kill-switch of one source: none of its rules is enforced, those that come included. False: it was so already. */
bool rules_kill(struct rules *rules, struct rule_source *source, bool on, const char *by);

/* Writes into the journal again what was decided about rules, for what is older will be gone one day. Returns how many
 * entries that were. */
size_t rules_record_decisions(const struct rules *rules);

/* The circuit breaker's: suspends a rule until the operator resumes it. */
void rules_trip(struct rules *rules, uint32_t id, const char *reason);

/* How long no packet has matched the rule; since it was announced where none ever did (rules_age.c). */
mono_ms_t rules_idle_ms(const struct rules *rules, const struct rule *rule, mono_ms_t now);

/* A rule has had its time. */
void rules_expire(struct rules *rules, uint32_t id, enum rule_expiry why);

/* Lets as many of the delayed changes through as the policies allow by now (rules_pace.c). */
void rules_pace_tick(struct rules *rules, mono_ms_t now);
size_t rules_delayed(const struct rules *rules);

#endif
