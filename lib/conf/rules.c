/* SPDX-License-Identifier: BSD-3-Clause */
/* Sections `rules` and `protect`. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "conf/schema.h"
#include "flowspec/text.h"

/*
 * The node's text as one line: a rule may be folded over several (`>` or `|`), and the rule grammar knows blanks only.
 * The caller frees it; NULL, reported, when there is none.
 */
static char *rule_line(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node)
{
    const char *text;

    if (node->kind == CFG_NODE_MAP) {
        cfg_problem_add(&reader->problems, node->line,
                        "%s: an entry is one line of text, not a map: put a rule with ': ' in it in quotes", key->name);
        return NULL;
    }
    text = cfg_node_text(reader, key, node);
    if (!text)
        return NULL;
    if (strlen(text) >= FS_RULE_TEXT_MAX) {
        cfg_problem_add(&reader->problems, node->line, "%s: a rule is at most %d octets of text", key->name,
                        FS_RULE_TEXT_MAX - 1);
        return NULL;
    }
    char *line = strdup(text);
    if (!line) {
        cfg_problem_add(&reader->problems, 0, "out of memory");
        return NULL;
    }
    size_t len = strlen(line);
    for (size_t i = 0; i < len; i++) {
        if (line[i] == '\n' || line[i] == '\t')
            line[i] = ' ';
    }
    while (len > 0 && line[len - 1] == ' ')
        line[--len] = '\0';
    return line;
}

/* Whether `line` holds the word `then`: no expression of the grammar has it. */
static bool has_then(const char *line)
{
    for (const char *at = line; (at = strstr(at, "then")) != NULL; at += 4) {
        if (at > line && at[-1] == ' ' && (at[4] == ' ' || at[4] == '\0'))
            return true;
    }
    return false;
}

static void set_rule_text(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node,
                          void *field)
{
    struct cfg_rule *rule = field;
    struct fs_text_error error = {0};
    char *line = rule_line(reader, key, node);

    rule->line = node->line;
    rule->text = line;
    if (line && !fs_text_parse(line, &rule->rule, &rule->actions, &error))
        cfg_problem_add(&reader->problems, node->value_line, "%s: column %zu of the rule: %s", key->name, error.column,
                        error.text);
}

static void set_protect_text(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node,
                             void *field)
{
    struct cfg_rule *rule = field;

    set_rule_text(reader, key, node, field);
    if (rule->rule && has_then(rule->text))
        cfg_problem_add(&reader->problems, node->value_line,
                        "protect: an entry names traffic that no rule may touch: a match without 'then'");
}

const struct cfg_key cfg_rule_item = {
    .name = "rules",
    .set = set_rule_text,
    .wants = "a rule such as 'match destination 203.0.113.7/32 protocol udp then discard'"};

#define AT(field) offsetof(struct cfg_rule, field)
static const struct cfg_key LONGER_KEYS[] = {
    {.name = "ipv4", .set = cfg_set_uint8, .offset = AT(unless_longer_ipv4), .min = 1, .max = 31, .unit = "bits"},
    {.name = "ipv6", .set = cfg_set_uint8, .offset = AT(unless_longer_ipv6), .min = 1, .max = 127, .unit = "bits"},
};

static const struct cfg_map LONGER_MAP = {
    .title = "unless-longer-than", .keys = LONGER_KEYS, .key_count = CFG_COUNT(LONGER_KEYS)};

static const struct cfg_key LONGER_MAP_KEY = {.name = "unless-longer-than", .set = cfg_set_map, .map = &LONGER_MAP};

/* A number is bits of IPv4: a prefix of so many bits would be a vast one in IPv6. */
static void set_longer(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *object)
{
    struct cfg_rule *rule = object;

    if (node->kind == CFG_NODE_MAP)
        cfg_set_map(reader, &LONGER_MAP_KEY, node, object);
    else
        cfg_set_uint8(reader, key, node, &rule->unless_longer_ipv4);
}

static const struct cfg_key PROTECT_KEYS[] = {
    {.name = "match",
     .set = set_protect_text,
     .offset = 0, /* its text and its rule are fields of the entry */
     .required = true,
     .wants = "a match such as 'match protocol tcp port 179'"},
    {.name = "unless-longer-than",
     .set = set_longer,
     .offset = 0,
     .min = 1,
     .max = 31,
     .wants = "1 to 31 bits, or a map such as {ipv4: 28, ipv6: 56}"},
};
#undef AT

static const struct cfg_map PROTECT_MAP = {
    .title = "an entry of protect", .keys = PROTECT_KEYS, .key_count = CFG_COUNT(PROTECT_KEYS)};

static const struct cfg_key PROTECT_MAP_KEY = {.name = "protect", .set = cfg_set_map, .map = &PROTECT_MAP};

/* An entry is a match, or a map of a match and its exceptions. */
static void set_protect(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    if (node->kind == CFG_NODE_MAP)
        cfg_set_map(reader, &PROTECT_MAP_KEY, node, field);
    else
        set_protect_text(reader, key, node, field);
}

const struct cfg_key cfg_protect_item = {
    .name = "protect", .set = set_protect, .wants = "a match such as 'match protocol tcp port 179'"};
