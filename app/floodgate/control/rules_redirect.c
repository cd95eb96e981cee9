/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules whose redirects lead elsewhere, or nowhere, since routes or VRFs have changed. */
#include <string.h>

#include "control/redirect.h"
#include "control/rules_internal.h"

#define NOTE_SIZE 256

/* The reason is ours to change: there is none, or it is about a redirect. */
static bool told_otherwise(const struct rules *rules, const struct rule *rule)
{
    const char *reason = rule->reason != NULL ? rule->reason : "";
    char note[NOTE_SIZE] = "";

    if (reason[0] != '\0' && strncmp(reason, "redirect-unresolved:", strlen("redirect-unresolved:")) != 0)
        return false;
    redirect_note(rules->dp, &rule->actions, rule->vrf, rule->via, note, sizeof note);
    return strcmp(note, reason) != 0;
}

void rules_redirects_again(struct rules *rules, bool vrfs_changed)
{
    for (struct ord_node *node = ord_first(&rules->list); node != NULL; node = ord_next(node)) {
        struct rule *rule = (struct rule *)node;
        bool redirects = rule->actions.redirect.kind != FS_REDIRECT_NONE || rule->actions.redirect_ip_set;
        if (rule->state == RULE_ACTIVE && rule->in_force && redirects && (vrfs_changed || told_otherwise(rules, rule)))
            rule_decide(rules, rule);
    }
}
