/* SPDX-License-Identifier: BSD-3-Clause */
/* Types of values: each from text to a field. The schema decides what a text is, not YAML's guess at it. */
#include <stdlib.h>
#include <string.h>

#include "conf/schema.h"

/* `text` as a string of its own in *field. */
static void keep_text(struct cfg_reader *reader, const char *text, void *field)
{
    char *copy = strdup(text);

    if (!copy)
        cfg_problem_add(&reader->problems, 0, "out of memory");
    memcpy(field, &copy, sizeof copy);
}

static bool has_control_characters(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    }
    return false;
}

void cfg_set_text(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    const char *text = cfg_node_text(reader, key, node);

    if (!text)
        return;
    if (text[0] == '\0' || has_control_characters(text) || (key->max > 0 && strlen(text) > key->max))
        cfg_problem_value(reader, key, node);
    else
        keep_text(reader, text, field);
}

const char cfg_name_wants[] = "1 to 32 letters, digits, '.', '_' and '-', the first a letter or digit";

bool cfg_name_ok(const char *name)
{
    static const char CHARS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    static const size_t LONGEST = 32;
    size_t len = strspn(name, CHARS);

    return len > 0 && len <= LONGEST && name[len] == '\0' && !strchr("._-", name[0]);
}

void cfg_set_name(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    const char *text = cfg_node_text(reader, key, node);

    if (!text)
        return;
    if (!cfg_name_ok(text))
        cfg_problem_value(reader, key, node);
    else
        keep_text(reader, text, field);
}

void cfg_set_bool(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    static const struct cfg_choice WORDS[] = {{"true", 1}, {"false", 0}, {"yes", 1}, {"no", 0},
                                              {"on", 1},   {"off", 0},   {0}};
    const char *text = cfg_node_text(reader, key, node);

    if (!text)
        return;
    for (const struct cfg_choice *choice = WORDS; choice->word; choice++) {
        if (strcmp(text, choice->word) == 0) {
            *(bool *)field = choice->value != 0;
            return;
        }
    }
    struct cfg_key told = *key;
    told.wants = "true or false";
    cfg_problem_value(reader, &told, node);
}

bool cfg_parse_uint(const char *text, uint64_t *out)
{
    uint64_t value = 0;

    if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || value > (UINT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (uint64_t)(*text - '0');
    }
    *out = value;
    return true;
}

/* A number within the key's limits; false, reported, otherwise. */
static bool read_uint(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, uint64_t *out)
{
    const char *text = cfg_node_text(reader, key, node);

    if (!text)
        return false;
    if (cfg_parse_uint(text, out) && *out >= key->min && *out <= key->max)
        return true;
    cfg_problem_value(reader, key, node);
    return false;
}

void cfg_set_uint8(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    uint64_t value;

    if (read_uint(reader, key, node, &value))
        *(uint8_t *)field = (uint8_t)value;
}

void cfg_set_uint16(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    uint64_t value;

    if (read_uint(reader, key, node, &value))
        *(uint16_t *)field = (uint16_t)value;
}

void cfg_set_uint32(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    uint64_t value;

    if (read_uint(reader, key, node, &value))
        *(uint32_t *)field = (uint32_t)value;
}

/* DIGITS[.DIGITS]; strtod is of no use here: it takes hexadecimal and infinity, and its dot depends on the locale. */
static bool parse_decimal(const char *text, double *out)
{
    double value = 0;
    double scale = 1;
    size_t digits = 0;
    bool fraction = false;

    for (; *text != '\0'; text++) {
        if (*text == '.' && !fraction && digits > 0) {
            fraction = true;
            digits = 0;
            continue;
        }
        if (*text < '0' || *text > '9' || ++digits > 9)
            return false;
        value = value * 10 + (*text - '0');
        scale *= fraction ? 10 : 1;
    }
    *out = value / scale;
    return digits > 0;
}

void cfg_set_percent(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    const char *text = cfg_node_text(reader, key, node);
    double value;

    if (!text)
        return;
    if (!parse_decimal(text, &value) || value <= 0 || value > 100)
        cfg_problem_value(reader, key, node);
    else
        *(double *)field = value;
}

static const struct cfg_choice *find_choice(const struct cfg_key *key, const char *text)
{
    for (const struct cfg_choice *choice = key->choices; choice->word; choice++) {
        if (strcmp(text, choice->word) == 0)
            return choice;
    }
    return NULL;
}

void cfg_set_choice(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    const char *text = cfg_node_text(reader, key, node);
    const struct cfg_choice *choice = text ? find_choice(key, text) : NULL;

    if (choice)
        memcpy(field, &choice->value, sizeof choice->value);
    else if (text)
        cfg_problem_value(reader, key, node);
}

void cfg_set_choice_text(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    const char *text = cfg_node_text(reader, key, node);

    if (text && find_choice(key, text))
        keep_text(reader, text, field);
    else if (text)
        cfg_problem_value(reader, key, node);
}

void cfg_set_choice_bits(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    struct cfg_key word_key = *key;
    char quoted[CFG_QUOTE_SIZE];
    uint32_t bits = 0;

    if (node->kind == CFG_NODE_BAD)
        return;
    if (node->kind != CFG_NODE_LIST || node->count == 0) {
        cfg_problem_add(&reader->problems, node->line, "%s: %s, not %s", key->name, key->wants,
                        node->kind == CFG_NODE_LIST ? "an empty list" : cfg_node_quote(node, quoted));
        return;
    }
    word_key.wants = NULL; /* of one entry: the words */
    for (const struct cfg_node *child = node->first; child; child = child->next) {
        uint32_t bit = 0;
        cfg_set_choice(reader, &word_key, child, &bit);
        if (bits & bit)
            cfg_problem_add(&reader->problems, child->line, "%s: %s is listed twice", key->name,
                            cfg_node_quote(child, quoted));
        bits |= bit;
    }
    memcpy(field, &bits, sizeof bits);
}
