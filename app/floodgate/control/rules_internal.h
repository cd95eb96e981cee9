/* SPDX-License-Identifier: BSD-3-Clause */
/* Inside of the rule table: what rules.c, rules_steer.c and rules_pace.c share. */
#ifndef FLOODGATE_RULES_INTERNAL_H
#define FLOODGATE_RULES_INTERNAL_H

#include "control/destination_count.h"
#include "control/log_limit.h"
#include "control/rule_ids.h"
#include "control/rules.h"
#include "policy/policy.h"

TAILQ_HEAD(rule_queue, rule);

struct rules {
    struct dataplane *dp;
    const struct log_hook *log;
    const struct judge *judge;
    struct rejudge *rejudge;
    rules_changed_fn changed; /* NULL: nobody listens */
    void *changed_ctx;
    struct guard *guard;
    struct journal *journal;
    struct decisions *decisions; /* NULL: nothing is remembered of rules that go */
    struct ord_list list;        /* IPv4 first, then RFC order */
    struct rule_ids *ids;
    struct destination_count *destinations;
    uint32_t max_rules, highest_id;
    uint32_t count[RULE_STATE_COUNT];
    uint32_t unplaced; /* rules whose `unplaced` is set */
    bool place_free;   /* a source has a place within its limits and rules that wait for it */
    bool refused;      /* the RIB has rules that got no id or no memory */
    struct log_limit held_lines;
    struct rule_queue delayed; /* in the order in which they came */
    size_t delayed_count;
};

/* rules.c: judges the rule as it is now and makes the data plane follow. */
void rule_decide(struct rules *rules, struct rule *rule);
/* rules.c: a state of its own, without a judgement. */
void rule_set_state(struct rules *rules, struct rule *rule, enum rule_state state, const char *step,
                    const char *reason);
/* rules.c: who announces it, in a word. */
const char *rule_source_text(const struct rule *rule);

/* rules_steer.c: what is to become of a rule that the policy accepts. `state` and `reason` are changed where it is not
 * to be enforced as it says. */
void rule_steer(const struct rule *rule, enum rule_state *state, const char **reason);
bool rule_is_dry_run(const struct rule *rule);
/* rules_steer.c: the log hears of a rule that waits for a person; of many at once of some. */
void rule_tell_held(struct rules *rules, const struct rule *rule);
/* rules_steer.c: writes the rule into the journal. `step` NULL: the word of its reason. */
void rule_record(const struct rules *rules, const struct rule *rule, const char *event, const char *step,
                 const char *by);

/* rules_redirect.c: what of the redirects of a rule in force has no effect now, for its reason; "" when all have. */
void rule_redirect_note(const struct rules *rules, const struct rule *rule, char *note, size_t size);

/* rules_age.c: a rule whose time was up by the former policy has it again where the policy in force grants more. */
void rules_age_again(const struct rules *rules, struct rule *rule, mono_ms_t now);

/* rules_steer.c: what was decided about the rule when it was here before; and the rule goes. */
void rule_remember(struct rules *rules, struct rule *rule);
void rule_keep_decisions(struct rules *rules, struct rule *rule);

/* rules_pace.c: whether the rule's source may make another change now; else the rule waits in the queue. */
bool rule_pace(struct rules *rules, struct rule *rule, mono_ms_t now);
void rule_pace_forget(struct rules *rules, struct rule *rule);

/* Whether it is one of the rules that its source may have. */
static inline bool rule_has_place(const struct rule *rule)
{
    return !rule->over_limit && !rule->outside;
}

#endif
