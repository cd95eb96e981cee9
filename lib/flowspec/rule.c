/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules as memory blocks, and the meaning of operator lists (RFC 8955 section 4.2.1).
 */
#include "flowspec/rule.h"

#include <stdlib.h>
#include <string.h>

#include "flowspec/block.h"

static size_t block_size(unsigned components, unsigned terms, size_t nlri_len)
{
    return sizeof(struct fs_rule) + terms * sizeof(struct fs_term) + components * sizeof(struct fs_component) +
           nlri_len;
}

/* Terms come first behind the rule: they are what wants the widest alignment. */
static struct fs_rule *block_lay_out(uint8_t *memory, unsigned components, unsigned terms, size_t nlri_len,
                                     struct fs_block *block)
{
    struct fs_rule *rule = (struct fs_rule *)memory;

    block->terms = (struct fs_term *)(memory + sizeof *rule);
    block->components = (struct fs_component *)(block->terms + terms);
    block->nlri = (uint8_t *)(block->components + components);
    *rule = (struct fs_rule){
        .component_count = (uint8_t)components,
        .term_count = (uint16_t)terms,
        .nlri_len = (uint16_t)nlri_len,
        .components = block->components,
        .terms = block->terms,
        .nlri = block->nlri,
    };
    return rule;
}

struct fs_rule *fs_block_new(unsigned components, unsigned terms, size_t nlri_len, struct fs_block *block)
{
    uint8_t *memory = malloc(block_size(components, terms, nlri_len));

    return memory ? block_lay_out(memory, components, terms, nlri_len, block) : NULL;
}

size_t fs_rule_size(const struct fs_rule *rule)
{
    return block_size(rule->component_count, rule->term_count, rule->nlri_len);
}

struct fs_rule *fs_rule_copy(void *memory, const struct fs_rule *rule)
{
    struct fs_block block;
    struct fs_rule *copy = block_lay_out(memory, rule->component_count, rule->term_count, rule->nlri_len, &block);

    copy->family = rule->family;
    copy->has_rd = rule->has_rd;
    copy->rd = rule->rd;
    if (rule->term_count > 0)
        memcpy(block.terms, rule->terms, rule->term_count * sizeof *rule->terms);
    memcpy(block.components, rule->components, rule->component_count * sizeof *rule->components);
    memcpy(block.nlri, rule->nlri, rule->nlri_len);
    return copy;
}

struct fs_rule *fs_rule_dup(const struct fs_rule *rule)
{
    void *memory = malloc(fs_rule_size(rule));

    return memory ? fs_rule_copy(memory, rule) : NULL;
}

void fs_rule_free(struct fs_rule *rule)
{
    free(rule);
}

bool fs_rule_equal(const struct fs_rule *a, const struct fs_rule *b)
{
    return a->family == b->family && a->has_rd == b->has_rd && a->nlri_len == b->nlri_len &&
           memcmp(a->nlri, b->nlri, a->nlri_len) == 0;
}

const struct fs_component *fs_rule_component(const struct fs_rule *rule, enum fs_type type)
{
    for (unsigned i = 0; i < rule->component_count; i++)
        if (rule->components[i].type == type)
            return &rule->components[i];
    return NULL;
}

/* RFC 8955 4.2.1.1: the operator is the set of outcomes of a comparison that count as true. */
static bool numeric_matches(uint8_t op, uint64_t want, uint64_t value)
{
    unsigned outcome = value < want ? FS_OP_LT : value > want ? FS_OP_GT : FS_OP_EQ;

    return (op & outcome) != 0;
}

/* RFC 8955 4.2.1.2. */
static bool bitmask_matches(uint8_t op, uint64_t want, uint64_t value)
{
    bool result = op & FS_OP_MATCH ? (value & want) == want : (value & want) != 0;

    return op & FS_OP_NOT ? !result : result;
}

bool fs_terms_match(const struct fs_rule *rule, const struct fs_component *component, uint64_t value)
{
    bool bitmask = fs_type_is_bitmask(component->type);
    const struct fs_term *term = &rule->terms[component->first_term];
    const struct fs_term *end = term + component->term_count;
    bool all = false;

    /* AND binds tighter than OR: a run of ANDed terms stands or falls together, and one standing run is enough. */
    for (; term < end; term++) {
        bool one =
            bitmask ? bitmask_matches(term->op, term->value, value) : numeric_matches(term->op, term->value, value);

        if (term->op & FS_OP_AND) {
            all = all && one;
        } else {
            if (all)
                return true;
            all = one;
        }
    }
    return all;
}
