/* SPDX-License-Identifier: BSD-3-Clause */
/* What a rule asks of the classifier, in rules of one host: docs/classifier.md says where the time goes. */
#include "classifier/classifier.h"

#define COST_WITHOUT_PREFIX 8 /* it is in the one group that every packet may have to search */

uint32_t cls_rule_cost(const struct fs_rule *rule)
{
    bool prefix = false;
    uint32_t cost = 1;

    for (unsigned i = 0; i < rule->component_count; i++) {
        const struct fs_component *component = &rule->components[i];
        if (fs_type_is_prefix(component->type))
            prefix = prefix || (component->length > 0 && component->offset == 0);
        else if (component->term_count > 2) /* a value or a range is compared at once; more of them one by one */
            cost += component->term_count - 2u;
    }
    return prefix ? cost : cost + COST_WITHOUT_PREFIX - 1;
}
