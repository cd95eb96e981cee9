/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules whose redirects lead elsewhere, or nowhere, since routes or VRFs have changed. */
#include <string.h>

#include "control/redirect.h"
#include "control/rules_internal.h"

#define NOTE_SIZE 256

void rule_redirect_note(const struct rules *rules, const struct rule *rule, char *note, size_t size)
{
    redirect_note(rules->dp, &rule->actions, rule->vrf, rule->ways, note, size);
}

/* The reason is ours to change: there is none, or it is about a redirect. */
static bool told_otherwise(const struct rules *rules, const struct rule *rule)
{
    const char *reason = rule->reason != NULL ? rule->reason : "";
    char note[NOTE_SIZE] = "";

    if (reason[0] != '\0' && strncmp(reason, "redirect-unresolved:", strlen("redirect-unresolved:")) != 0)
        return false;
    rule_redirect_note(rules, rule, note, sizeof note);
    return strcmp(note, reason) != 0;
}

void rules_redirects_again(struct rules *rules, bool vrfs_changed)
{
    for (struct ord_node *node = ord_first(&rules->list); node != NULL; node = ord_next(node)) {
        struct rule *rule = (struct rule *)node;
        bool redirects = rule->actions.redirect.kind != FS_REDIRECT_NONE || rule->actions.redirect_ip_set;
        if (rule_state_enforced(rule->state) && rule->in_force && redirects &&
            (vrfs_changed || told_otherwise(rules, rule)))
            rule_decide(rules, rule);
    }
}

void rules_import_again(struct rules *rules)
{
    for (struct ord_node *node = ord_first(&rules->list); node != NULL; node = ord_next(node)) {
        struct rule *rule = (struct rule *)node;
        if (rule->match->has_rd)
            rules_judge_one(rules, rule);
    }
}
