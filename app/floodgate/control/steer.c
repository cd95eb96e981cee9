/* SPDX-License-Identifier: BSD-3-Clause */
/* What the operator may say of rules, peers and the whole: suspend, approve, dry-run, kill-switch, and the journal. */
#include <stdio.h>

#include "control/breaker.h"
#include "control/guard.h"
#include "control/internal.h"
#include "control/journal.h"
#include "control/window.h"
#include "dataplane/dataplane.h"

bool control_rule_steer(struct control *control, uint32_t id, enum control_steer what, const char *by, char *why,
                        size_t size)
{
    static bool (*const STEERS[])(struct rules * rules, uint32_t id, const char *by, char *why, size_t size) = {
        [CONTROL_SUSPEND] = rules_suspend, [CONTROL_RESUME] = rules_resume,   [CONTROL_APPROVE] = rules_approve,
        [CONTROL_DRY_RUN] = rules_dry_run, [CONTROL_PROMOTE] = rules_promote,
    };

    return STEERS[what](control->rules, id, by, why, size);
}

static bool kill_peer(struct control *control, const char *name, bool on, const char *by, bool *changed, char *why,
                      size_t size)
{
    struct peer *peer = peer_find(control, name);

    if (peer == NULL) {
        snprintf(why, size, "there is no peer %s", name);
        return false;
    }
    *changed = rules_kill(control->rules, &peer->source, on, by);
    return true;
}

bool control_kill_switch(struct control *control, const char *peer, bool on, const char *by, bool *changed, char *why,
                         size_t size)
{
    if (peer != NULL)
        return kill_peer(control, peer, on, by, changed, why, size);
    *changed = dataplane_bypassed(control->dp) != on;
    if (!*changed)
        return true;
    dataplane_bypass(control->dp, on);
    log_line(control->log, on ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE, "kill-switch is %s",
             on ? "ON: no rule is enforced" : "off: rules are enforced again");
    journal_add(
        control->journal,
        &(struct journal_entry){.event = "kill-switch", .state = on ? "on" : "off", .step = "operator", .by = by});
    return true;
}

void control_vetting_get(const struct control *control, struct control_vetting *out)
{
    struct breaker_info breaker;

    breaker_info_get(control->breaker, &breaker);
    *out = (struct control_vetting){
        .kill_switch = dataplane_bypassed(control->dp),
        .sense = control->cfg->sense,
        .guard = control->cfg->guard.set,
        .breaker = control->cfg->guard.set && control->cfg->guard.breaker,
        .samples = window_count(guard_window(control->guard)),
        .trips = breaker.trips,
        .drop_share = breaker.packet_share,
        .delayed = rules_delayed(control->rules),
    };
}

bool control_peer_killed(const struct control *control, const char *name)
{
    const struct peer *peer = peer_find(control, name);

    return peer != NULL && peer->source.killed;
}

const struct journal *control_journal(const struct control *control)
{
    return control->journal;
}
