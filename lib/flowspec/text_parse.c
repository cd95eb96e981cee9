/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rule text -> rule and actions. Words are sorted by what they name first; the family then follows from prefixes, from
 * flow-label and from `family`; only then are operator lists read, because what a value may be depends on the family.
 */
#include <stdio.h>
#include <string.h>

#include "flowspec/nlri.h"
#include "flowspec/text_action.h"
#include "flowspec/text_lex.h"
#include "flowspec/text_terms.h"

/* A component as it stands in the text. */
struct item {
    struct fs_word name;
    struct fs_word value;
};

struct draft {
    struct fs_lexer *lexer;
    struct item items[FS_COMPONENTS_MAX];
    struct item family_item;
    struct item rd_item;
    struct fs_word then; /* `len` 0: the text has no actions */
    uint8_t family;
    bool has_rd;
    uint64_t rd;
    unsigned component_count;
    unsigned term_count;
    struct fs_component components[FS_COMPONENTS_MAX];
    struct fs_term terms[FS_TERMS_MAX];
};

static unsigned type_of(struct fs_word word)
{
    for (unsigned type = 1; type <= FS_COMPONENTS_MAX; type++)
        if (fs_word_is(word, fs_type_name(type)))
            return type;
    return 0;
}

static bool fail_unknown(const struct fs_lexer *lexer, struct fs_word word)
{
    char known[200];
    struct strbuf out = sb_init(known, sizeof known);

    if (word.at[0] == ',' || word.at[0] == '&')
        return fs_lex_fail(lexer, "", word, "terms are joined without blanks, as in 53,123");
    for (unsigned type = 1; type <= FS_COMPONENTS_MAX; type++)
        sb_printf(&out, "%s ", fs_type_name(type));
    return fs_lex_fail(lexer, "", word, "not one of: %sfamily rd then", known);
}

static bool add_item(struct draft *draft, struct item item)
{
    unsigned type = type_of(item.name);

    if (type == 0)
        return fail_unknown(draft->lexer, item.name);
    for (unsigned i = 0; i < draft->component_count; i++)
        if (draft->components[i].type == type)
            return fs_lex_fail(draft->lexer, "", item.name, "stands twice; join its terms with , or &");
    draft->items[draft->component_count] = item;
    draft->components[draft->component_count++] = (struct fs_component){.type = (uint8_t)type};
    return true;
}

/* Up to `then` or the end: pairs of a name and a value. */
static bool collect(struct draft *draft)
{
    struct fs_lexer *lexer = draft->lexer;

    for (;;) {
        struct item item = {.name = fs_lex_next(lexer)};
        struct item *place = fs_word_is(item.name, "family") ? &draft->family_item
                             : fs_word_is(item.name, "rd")   ? &draft->rd_item
                                                             : NULL;

        if (item.name.len == 0 || fs_word_is(item.name, "then")) {
            draft->then = item.name;
            return true;
        }
        if (!place && !type_of(item.name))
            return fail_unknown(lexer, item.name);
        item.value = fs_lex_peek(lexer);
        if (item.value.len == 0 || fs_word_is(item.value, "then"))
            return fs_lex_fail(lexer, "", item.name, "a value must follow");
        fs_lex_next(lexer);
        if (strchr(",&", item.value.at[item.value.len - 1]))
            return fs_lex_fail(lexer, "", item.value, "terms are joined without blanks, as in 53,123");
        if (place && place->name.len > 0)
            return fs_lex_fail(lexer, "", item.name, "stands twice");
        if (place)
            *place = item;
        else if (!add_item(draft, item))
            return false;
    }
}

static bool set_family(struct draft *draft, const struct item *item, uint8_t family)
{
    const char *mine = family == IP_V6 ? "IPv6" : "IPv4";
    const char *other = family == IP_V6 ? "IPv4" : "IPv6";
    char subject[32];

    if (draft->family != IP_NONE && draft->family != family) {
        fs_word_copy(item->name, subject, sizeof subject);
        if (draft->family_item.name.len > 0)
            return fs_lex_fail(draft->lexer, subject, item->value, "this belongs to %s, family says %s", mine, other);
        return fs_lex_fail(draft->lexer, subject, item->value, "this belongs to %s, the words before it to %s", mine,
                           other);
    }
    draft->family = family;
    return true;
}

static bool settle_family(struct draft *draft)
{
    const struct item *given = &draft->family_item;

    if (given->name.len > 0) {
        if (!fs_word_is(given->value, "ipv4") && !fs_word_is(given->value, "ipv6"))
            return fs_lex_fail(draft->lexer, "family", given->value, "write ipv4 or ipv6");
        draft->family = fs_word_is(given->value, "ipv6") ? IP_V6 : IP_V4;
    }
    for (unsigned i = 0; i < draft->component_count; i++) {
        struct fs_component *component = &draft->components[i];
        uint8_t family = IP_V6;

        if (fs_type_is_prefix(component->type)) {
            if (!fs_prefix_parse(draft->lexer, draft->items[i].value, component, &family))
                return false;
        } else if (component->type != FS_FLOW_LABEL) {
            continue;
        }
        if (!set_family(draft, &draft->items[i], family))
            return false;
    }
    if (draft->family == IP_NONE)
        draft->family = IP_V4;
    return true;
}

static bool settle_rd(struct draft *draft)
{
    char text[64];

    draft->has_rd = draft->rd_item.name.len > 0;
    if (!draft->has_rd)
        return true;
    if (fs_word_copy(draft->rd_item.value, text, sizeof text) && fs_rd_parse(text, &draft->rd))
        return true;
    return fs_lex_fail(draft->lexer, "rd", draft->rd_item.value,
                       "write 65000:100, 192.0.2.1:100, 4200000000L:100 or 0x and 16 digits");
}

static bool settle_terms(struct draft *draft)
{
    for (unsigned i = 0; i < draft->component_count; i++) {
        struct fs_component *component = &draft->components[i];

        if (!fs_type_is_prefix(component->type) && !fs_terms_parse(draft->lexer, draft->items[i].value, draft->family,
                                                                   component, draft->terms, &draft->term_count))
            return false;
    }
    return true;
}

static bool build(struct draft *draft, struct fs_rule **rule)
{
    struct fs_word start = {.at = draft->lexer->start};
    enum fs_error error = fs_rule_build(draft->family, draft->has_rd ? &draft->rd : NULL, draft->components,
                                        draft->component_count, draft->terms, rule);

    if (error == FS_ERR_EMPTY)
        return fs_lex_fail(draft->lexer, "", start,
                           "a rule has at least one component; destination 0.0.0.0/0 or ::/0 matches everything");
    if (error)
        return fs_lex_fail(draft->lexer, "", start, "%s", fs_error_text(error));
    return true;
}

bool fs_text_parse(const char *text, struct fs_rule **rule, struct fs_actions *actions, struct fs_text_error *error)
{
    struct fs_lexer lexer = {.start = text, .at = text, .error = error};
    struct draft draft;

    *rule = NULL;
    memset(actions, 0, sizeof *actions);
    memset(error, 0, sizeof *error);
    memset(&draft, 0, offsetof(struct draft, components));
    draft.lexer = &lexer;

    struct fs_word first = fs_lex_next(&lexer);
    if (!fs_word_is(first, "match"))
        return fs_lex_fail(&lexer, "", first, "a rule starts with match");
    if (!collect(&draft) || !settle_family(&draft) || !settle_rd(&draft) || !settle_terms(&draft))
        return false;
    if (draft.then.len > 0 && !fs_actions_parse(&lexer, draft.then, actions))
        return false;
    return build(&draft, rule);
}
