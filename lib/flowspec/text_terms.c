/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Expressions of components, read from text: `203.0.113.0/24`, `>=1024&<=2047,53`, `=syn+ack,!rst`.
 */
#include "flowspec/text_terms.h"

#include <string.h>

/* What every term needs to know of the list it stands in. */
struct list {
    const struct fs_lexer *lexer;
    const struct fs_type_info *info;
    uint8_t family;
    struct fs_term *terms;
    unsigned *count;
};

/* Longest first, so that `>` does not hide `>=`. */
static const struct {
    const char *text;
    uint8_t op;
} RELATIONS[] = {
    {"!=", FS_OP_LT | FS_OP_GT},
    {">=", FS_OP_GT | FS_OP_EQ},
    {"<=", FS_OP_LT | FS_OP_EQ},
    {"=", FS_OP_EQ},
    {">", FS_OP_GT},
    {"<", FS_OP_LT},
};

static bool parse_bits(const struct fs_lexer *lexer, const char *subject, struct fs_word whole, struct fs_word word,
                       unsigned most, uint8_t *out)
{
    uint64_t bits;

    if (!fs_word_number(word, &bits) || bits > most)
        return fs_lex_fail(lexer, subject, whole, "prefix length is 0 to %u", most);
    *out = (uint8_t)bits;
    return true;
}

bool fs_prefix_parse(const struct fs_lexer *lexer, struct fs_word word, struct fs_component *out, uint8_t *family)
{
    const char *subject = fs_type_name(out->type);
    const char *slash = memchr(word.at, '/', word.len);
    struct fs_word host = {.at = word.at, .len = slash ? (size_t)(slash - word.at) : word.len};
    char text[IP_TEXT_SIZE];
    struct ip_addr addr;

    if (!fs_word_copy(host, text, sizeof text) || !ip_addr_parse(text, &addr))
        return fs_lex_fail(lexer, subject, word, "not a prefix such as 203.0.113.0/24 or 2001:db8::/32");
    *family = addr.family;
    memcpy(out->octets, addr.octets, sizeof out->octets);
    unsigned most = ip_family_bits(addr.family);
    out->length = (uint8_t)most;
    if (!slash)
        return true;

    struct fs_word length = {.at = slash + 1, .len = word.len - host.len - 1};
    const char *dash = memchr(length.at, '-', length.len);
    if (!dash)
        return parse_bits(lexer, subject, word, length, most, &out->length);
    if (addr.family != IP_V6)
        return fs_lex_fail(lexer, subject, word, "only an IPv6 prefix has an offset; write ADDRESS/LENGTH");
    struct fs_word offset = {.at = length.at, .len = (size_t)(dash - length.at)};
    length = (struct fs_word){.at = dash + 1, .len = length.len - offset.len - 1};
    if (!parse_bits(lexer, subject, word, offset, most, &out->offset) ||
        !parse_bits(lexer, subject, word, length, most, &out->length))
        return false;
    if (out->offset >= out->length && out->length != 0)
        return fs_lex_fail(lexer, subject, word, "the offset must be below the length");
    if (out->offset > 0 && out->length == 0)
        return fs_lex_fail(lexer, subject, word, "the offset must be below the length");
    return true;
}

static bool add_term(const struct list *list, struct fs_word at, uint8_t op, uint64_t value)
{
    if (*list->count == FS_TERMS_MAX)
        return fs_lex_fail(list->lexer, list->info->name, at, "the rule takes more than %u octets", FS_NLRI_MAX);
    list->terms[(*list->count)++] = (struct fs_term){.value = value, .op = op};
    return true;
}

/* One number or name, within the bits that the component has. */
static bool parse_value(const struct list *list, struct fs_word term, struct fs_word word, uint64_t *out)
{
    uint64_t mask = fs_type_mask(list->info, list->family);
    char known[160];
    struct strbuf names = sb_init(known, sizeof known);

    if (!fs_word_number(word, out) && !fs_word_name(word, list->info->names, out)) {
        if (!list->info->names)
            return fs_lex_fail(list->lexer, list->info->name, term,
                               "write a number, as in 53, !=53, >1023 or 1024-2047");
        fs_names_list(list->info->names, &names);
        return fs_lex_fail(list->lexer, list->info->name, term, "write a number or one of: %s", known);
    }
    if ((*out & ~mask) == 0)
        return true;
    if (list->info->kind == FS_KIND_NUMERIC)
        return fs_lex_fail(list->lexer, list->info->name, term, "a value is 0 to %llu", (unsigned long long)mask);
    if (list->family == IP_V6 && (*out & ~mask) == FS_FRAGMENT_DF && fs_type_get(FS_FRAGMENT, IP_V6) == list->info)
        return fs_lex_fail(list->lexer, list->info->name, term, "IPv6 has no dont-fragment bit");
    return fs_lex_fail(list->lexer, list->info->name, term, "bits are within 0x%llx", (unsigned long long)mask);
}

/* `1024-2047` is `>=1024&<=2047`. */
static bool parse_range(const struct list *list, struct fs_word term, const char *dash, uint8_t op)
{
    struct fs_word low = {.at = term.at, .len = (size_t)(dash - term.at)};
    struct fs_word high = {.at = dash + 1, .len = term.len - low.len - 1};
    uint64_t from, to;

    if (!parse_value(list, term, low, &from) || !parse_value(list, term, high, &to))
        return false;
    if (from > to)
        return fs_lex_fail(list->lexer, list->info->name, term, "a range runs upwards");
    return add_term(list, term, op | FS_OP_GT | FS_OP_EQ, from) &&
           add_term(list, term, FS_OP_AND | FS_OP_LT | FS_OP_EQ, to);
}

static bool parse_numeric(const struct list *list, struct fs_word term, uint8_t op)
{
    struct fs_word word = term;
    uint64_t value;

    if (fs_word_is(word, "true"))
        return add_term(list, term, op | FS_OP_LT | FS_OP_GT | FS_OP_EQ, 0);
    if (fs_word_is(word, "false"))
        return add_term(list, term, op, 0);

    uint8_t relation = 0;
    for (size_t i = 0; i < sizeof RELATIONS / sizeof RELATIONS[0] && !relation; i++)
        if (fs_word_skip(&word, RELATIONS[i].text))
            relation = RELATIONS[i].op;
    const char *dash = memchr(word.at, '-', word.len);
    if (!relation && dash)
        return parse_range(list, term, dash, op);
    return parse_value(list, term, word, &value) && add_term(list, term, op | (relation ? relation : FS_OP_EQ), value);
}

/* `syn+ack`: bits by name or number, joined. */
static bool parse_bitmask(const struct list *list, struct fs_word term, uint8_t op)
{
    struct fs_word word = term;
    uint64_t bits = 0;

    if (fs_word_skip(&word, "!"))
        op |= FS_OP_NOT;
    if (fs_word_skip(&word, "="))
        op |= FS_OP_MATCH;
    for (;;) {
        const char *plus = memchr(word.at, '+', word.len);
        struct fs_word one = {.at = word.at, .len = plus ? (size_t)(plus - word.at) : word.len};
        uint64_t value;

        if (!parse_value(list, term, one, &value))
            return false;
        bits |= value;
        if (!plus)
            return add_term(list, term, op, bits);
        word = (struct fs_word){.at = plus + 1, .len = word.len - one.len - 1};
    }
}

bool fs_terms_parse(const struct fs_lexer *lexer, struct fs_word word, uint8_t family, struct fs_component *out,
                    struct fs_term *terms, unsigned *count)
{
    struct list list = {.lexer = lexer, .info = fs_type_get(out->type, family), .family = family};
    const char *end = word.at + word.len;
    uint8_t op = 0;

    list.terms = terms;
    list.count = count;
    out->first_term = (uint16_t)*count;
    for (struct fs_word term = {.at = word.at};; term = (struct fs_word){.at = term.at + term.len + 1}) {
        while (term.at + term.len < end && term.at[term.len] != ',' && term.at[term.len] != '&')
            term.len++;
        if (term.len == 0)
            return fs_lex_fail(lexer, list.info->name, word, "each , or & stands between two terms");
        bool good =
            list.info->kind == FS_KIND_BITMASK ? parse_bitmask(&list, term, op) : parse_numeric(&list, term, op);
        if (!good)
            return false;
        if (term.at + term.len == end)
            break;
        op = term.at[term.len] == '&' ? FS_OP_AND : 0;
    }
    out->term_count = (uint16_t)(*count - out->first_term);
    return true;
}
