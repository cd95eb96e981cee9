/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The steps of validation, in order, as a table. Each is a pure function of the candidate that leaves the verdict
 * alone when it accepts, and otherwise sets a state and says why.
 */
#include "policy/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/steps.h"

void pol_refuse(struct pol_verdict *verdict, enum pol_state state, const char *fmt, ...)
{
    va_list args;

    verdict->state = state;
    va_start(args, fmt);
    int length = vsnprintf(verdict->reason, sizeof verdict->reason, fmt, args);
    va_end(args);
    if (length >= (int)sizeof verdict->reason)
        strcpy(&verdict->reason[sizeof verdict->reason - 4], "...");
}

/* RFC 8955 7.1 leaves rates that are no finite number undefined: guessing would drop or pass traffic nobody meant. */
static void step_actions(const struct pol_candidate *candidate, struct pol_verdict *verdict)
{
    if (candidate->actions->rate_undefined)
        pol_refuse(verdict, POL_REJECTED, "actions: a rate limit is not a finite number (RFC 8955 section 7.1)");
}

/*
 * A VPN rule (RFC 8955 section 8) holds in the VRFs that import its route targets, never in the default one. Others may
 * want what no VRF here does (RFC 4364 4.3.3), so this step comes behind those that ask what the rule is: what they
 * refuse is not handed on either. Without a VRF no routes can bear a rule out.
 */
static void step_vrf(const struct pol_candidate *candidate, struct pol_verdict *verdict)
{
    const struct pol_vrfs *vrfs = candidate->vrfs;

    if (!candidate->rule->has_rd || (vrfs != NULL && vrfs->importing > 0))
        return;
    if (vrfs == NULL)
        pol_refuse(verdict, POL_REJECTED, "no-vrf: the rule has a route distinguisher, and no VRF imports it");
    else if (vrfs->trusted)
        pol_refuse(verdict, POL_NOT_IMPORTED, "no-vrf: %s", vrfs->why);
    else
        pol_refuse(verdict, POL_REJECTED, "no-vrf: %s; without a VRF no routes bear it out, so it is not handed on",
                   vrfs->why);
}

/* Enforcing half of what a rule asks for is worse than not enforcing it and saying so. */
static void step_enforceable(const struct pol_candidate *candidate, struct pol_verdict *verdict)
{
    if (candidate->unsupported_action != NULL)
        pol_refuse(verdict, POL_REJECTED,
                   "unsupported-action: %s is not carried out by this version, so the rule is not enforced",
                   candidate->unsupported_action);
}

static const struct {
    const char *name;
    void (*judge)(const struct pol_candidate *candidate, struct pol_verdict *verdict);
} steps[] = {
    {"sense", pol_step_sense},               /* can any packet match it? */
    {"actions", step_actions},               /* do its actions mean anything? */
    {"feasibility", pol_step_feasibility},   /* do the unicast routes bear it out? */
    {"policy", pol_step_policy},             /* does the peer's policy allow it? */
    {"max-rules", pol_step_max_rules},       /* and its number of rules? */
    {"protect", pol_step_protect},           /* does it leave alone what is protected? */
    {"vrf", step_vrf},                       /* is there a VRF for it? Else the rest does not matter */
    {"enforceable", step_enforceable},       /* can the data plane carry it out? */
    {"cost", pol_step_cost},                 /* is it within what the peer's rules may cost? */
    {"blast-radius", pol_step_blast_radius}, /* how much of the live traffic does it take? The dearest step: the last */
};

static void run_step(size_t i, const struct pol_candidate *candidate, struct pol_verdict *verdict)
{
    bool warned = verdict->warning; /* a step before did; this one may overrule it */

    verdict->warning = false;
    steps[i].judge(candidate, verdict);
    if (verdict->state != POL_ACTIVE || verdict->warning)
        verdict->step = steps[i].name;
    else
        verdict->warning = warned;
}

bool pol_step_before_place(const char *step)
{
    for (size_t i = 0; step != NULL && steps[i].judge != pol_step_max_rules; i++)
        if (strcmp(steps[i].name, step) == 0)
            return true;
    return false;
}

void pol_judge_each(const struct pol_candidate *candidate, pol_step_fn report, void *ctx, struct pol_verdict *verdict)
{
    memset(verdict, 0, sizeof *verdict);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct pol_verdict own = {.state = POL_ACTIVE};
        run_step(i, candidate, &own);
        report(ctx, steps[i].name, &own);
        /* the first step that does not accept decides; before it, the last that warns is heard */
        if (verdict->state == POL_ACTIVE && (own.state != POL_ACTIVE || own.warning))
            *verdict = own;
    }
}

void pol_judge(const struct pol_candidate *candidate, struct pol_verdict *verdict)
{
    verdict->state = POL_ACTIVE;
    verdict->step = NULL;
    verdict->warning = false;
    verdict->reason[0] = '\0';
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && verdict->state == POL_ACTIVE; i++)
        run_step(i, candidate, verdict);
}
