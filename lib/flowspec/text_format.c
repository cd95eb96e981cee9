/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rule -> text. Canonical: one rule has one text, and the text gives back the same NLRI octet for octet.
 */
#include <stdio.h>

#include "flowspec/text.h"
#include "flowspec/types.h"

/* By FS_OP_LT, FS_OP_GT and FS_OP_EQ; RFC 8955 4.2.1.1 table 1. */
static const char *const RELATIONS[] = {"false", "=", ">", ">=", "<", "<=", "!=", "true"};

static const char *value_name(const struct fs_type_info *info, uint64_t value)
{
    for (size_t i = 0; i < info->shown_names; i++)
        if (info->names[i].value == value)
            return info->names[i].name;
    return NULL;
}

static void format_numeric(const struct fs_type_info *info, const struct fs_term *term, struct strbuf *out)
{
    unsigned relation = term->op & (FS_OP_LT | FS_OP_GT | FS_OP_EQ);
    const char *name = value_name(info, term->value);

    sb_text(out, RELATIONS[relation]);
    if (relation == 0 || relation == (FS_OP_LT | FS_OP_GT | FS_OP_EQ))
        return;
    if (name)
        sb_text(out, name);
    else
        sb_printf(out, "%llu", (unsigned long long)term->value);
}

static void format_bits(const struct fs_type_info *info, uint64_t bits, struct strbuf *out)
{
    uint64_t named = 0;
    const char *joint = "";

    for (size_t i = 0; i < info->shown_names; i++)
        named |= info->names[i].value;
    if (bits == 0 || (bits & ~named) != 0) {
        sb_printf(out, "0x%llx", (unsigned long long)bits);
        return;
    }
    for (size_t i = 0; i < info->shown_names; i++) {
        if (bits & info->names[i].value) {
            sb_text(out, joint);
            sb_text(out, info->names[i].name);
            joint = "+";
        }
    }
}

static void format_terms(const struct fs_rule *rule, const struct fs_component *component, struct strbuf *out)
{
    const struct fs_type_info *info = fs_type_any(component->type);

    for (unsigned i = 0; i < component->term_count; i++) {
        const struct fs_term *term = &rule->terms[component->first_term + i];

        if (i > 0)
            sb_char(out, term->op & FS_OP_AND ? '&' : ',');
        if (info->kind == FS_KIND_NUMERIC) {
            format_numeric(info, term, out);
            continue;
        }
        sb_text(out, term->op & FS_OP_NOT ? "!" : "");
        sb_text(out, term->op & FS_OP_MATCH ? "=" : "");
        format_bits(info, term->value, out);
    }
}

/* RFC 8956 3.1: address/length, or address/offset-length. */
static void format_prefix(const struct fs_rule *rule, const struct fs_component *component, struct strbuf *out)
{
    struct ip_addr addr = {.family = rule->family};
    char text[IP_TEXT_SIZE];

    for (unsigned i = 0; i < sizeof addr.octets; i++)
        addr.octets[i] = component->octets[i];
    sb_printf(out, "%s/", ip_addr_format(&addr, text));
    if (component->offset > 0)
        sb_printf(out, "%u-", component->offset);
    sb_printf(out, "%u", component->length);
}

void fs_match_format(const struct fs_rule *rule, struct strbuf *out)
{
    for (unsigned i = 0; i < rule->component_count; i++) {
        const struct fs_component *component = &rule->components[i];

        sb_printf(out, "%s%s ", i > 0 ? " " : "", fs_type_name(component->type));
        if (fs_type_is_prefix(component->type))
            format_prefix(rule, component, out);
        else
            format_terms(rule, component, out);
    }
}

/* IPv4 is what a reader assumes; IPv6 shows in prefixes and in flow-label. */
static bool family_shows(const struct fs_rule *rule)
{
    return rule->family == IP_V4 || fs_rule_component(rule, FS_DESTINATION) || fs_rule_component(rule, FS_SOURCE) ||
           fs_rule_component(rule, FS_FLOW_LABEL);
}

void fs_rule_format(const struct fs_rule *rule, const struct fs_actions *actions, struct strbuf *out)
{
    sb_text(out, "match ");
    if (!family_shows(rule))
        sb_text(out, "family ipv6 ");
    if (rule->has_rd) {
        sb_text(out, "rd ");
        fs_rd_format(rule->rd, out);
        sb_char(out, ' ');
    }
    fs_match_format(rule, out);
    sb_text(out, " then ");
    fs_actions_format(actions, out);
}
