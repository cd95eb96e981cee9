/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/vrf_rules.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

uint16_t vrf_number_of(const struct cfg *cfg, const char *name)
{
    for (size_t i = 0; name != NULL && i < cfg->vrf_count; i++)
        if (strcmp(cfg->vrfs[i].name, name) == 0)
            return (uint16_t)(i + 1);
    return 0;
}

struct vrf_rules *vrf_rules_create(const struct cfg *cfg, const struct cls_conf *conf)
{
    uint16_t count = (uint16_t)(cfg->vrf_count + 1);
    struct vrf_rules *rules = calloc(1, sizeof *rules + count * sizeof rules->cls[0]);

    if (rules == NULL)
        return NULL;
    struct cls_conf own = *conf;
    own.shared_bytes = &rules->memory_bytes;
    rules->count = count;
    rules->names = calloc(count, sizeof(char *));
    bool whole = rules->names != NULL;
    for (uint16_t vrf = 0; whole && vrf < count; vrf++) {
        rules->names[vrf] = strdup(vrf == 0 ? "default" : cfg->vrfs[vrf - 1].name);
        rules->cls[vrf] = cls_create(&own);
        whole = rules->names[vrf] != NULL && rules->cls[vrf] != NULL;
    }
    if (whole)
        return rules;
    vrf_rules_free(rules);
    return NULL;
}

void vrf_rules_free(struct vrf_rules *rules)
{
    if (rules == NULL)
        return;
    for (uint16_t vrf = 0; vrf < rules->count; vrf++) {
        if (rules->cls[vrf] != NULL)
            cls_free(rules->cls[vrf]);
        if (rules->names != NULL)
            free(rules->names[vrf]);
    }
    free(rules->names);
    free(rules);
}

int vrf_rules_place(struct vrf_rules *rules, uint32_t id, const struct fs_rule *rule, const struct vrf_set *vrfs)
{
    int error = 0;

    if (vrfs == NULL)
        return cls_rule_add(rules->cls[0], id, rule);
    for (uint16_t i = 0; i < vrfs->count && error == 0; i++)
        error = cls_rule_add(rules->cls[vrfs->numbers[i]], id, rule); /* 0 where it is already */
    for (uint16_t vrf = 1; vrf < rules->count && error == 0; vrf++)
        if (!vrf_set_has(vrfs, vrf))
            cls_rule_remove(rules->cls[vrf], id);
    return error;
}

void vrf_rules_remove(struct vrf_rules *rules, uint32_t id)
{
    if (cls_rule_remove(rules->cls[0], id) == 0) /* then it is of SAFI 133, and in no other */
        return;
    for (uint16_t vrf = 1; vrf < rules->count; vrf++)
        cls_rule_remove(rules->cls[vrf], id);
}
