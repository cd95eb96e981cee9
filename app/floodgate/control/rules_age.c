/* SPDX-License-Identifier: BSD-3-Clause */
/* How old and how idle rules are, by the policies' `max-age` and `idle-age`. */
#include <time.h>

#include "control/rules_internal.h"
#include "dataplane/dataplane.h"

mono_ms_t rules_idle_ms(const struct rules *rules, const struct rule *rule, mono_ms_t now)
{
    struct cnt_rule_sum sum;
    struct timespec wall;

    dataplane_rule_counters(rules->dp, rule->id, &sum);
    if (sum.last_hit_tsc == 0)
        return now - rule->since_ms;
    clock_gettime(CLOCK_REALTIME, &wall);
    double idle_s =
        (double)wall.tv_sec + (double)wall.tv_nsec / 1e9 - dataplane_tsc_to_time(rules->dp, sum.last_hit_tsc);
    return idle_s > 0 ? (mono_ms_t)(idle_s * MONO_MS_PER_S) : 0;
}

void rules_age_again(const struct rules *rules, struct rule *rule, mono_ms_t now)
{
    const struct pol_peer_policy *policy = rule->source->policy;
    uint32_t most_s = 0;
    mono_ms_t age;

    if (rule->expired != RULE_TOO_OLD && rule->expired != RULE_IDLE)
        return;
    if (policy != NULL)
        most_s = rule->expired == RULE_TOO_OLD ? policy->max_age_s : policy->idle_age_s;
    age = rule->expired == RULE_TOO_OLD ? now - rule->since_ms : rules_idle_ms(rules, rule, now);
    if (most_s == 0 || age < (mono_ms_t)most_s * MONO_MS_PER_S)
        rule->expired = RULE_FRESH;
}
