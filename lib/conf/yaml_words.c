/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libyaml's syntax errors in an operator's words. libyaml says what its grammar missed; what people did wrong to get
 * there is a short list.
 */
#include <string.h>

#include <yaml.h>

#include "conf/tree.h"

struct yaml_words {
    const char *problem; /* libyaml's words, or the start of them */
    const char *words;   /* ours */
    const char *opened;  /* what the line number of the opening follows; NULL: `words` stands alone */
};

static const struct yaml_words WORDS[] = {
    {"mapping values are not allowed",
     "a ':' where no key can be: check the indentation, and that the line before has its ':'; put text with ': ' in it "
     "in quotes",
     NULL},
    {"could not find expected ':'", "a line without a colon: each line is 'key: value' or '- entry'", NULL},
    {"block sequence entries are not allowed", "a '-' entry where no list can be: a list starts on a line of its own",
     NULL},
    {"mapping keys are not allowed", "a '?' or a key where no key can be: check the indentation", NULL},
    {"found character that cannot start any token", "a text cannot start with this character: put it in quotes", NULL},
    {"did not find expected ',' or ']'", "expected ',' or ']'", "in the list that '[' opens on line"},
    {"did not find expected ',' or '}'", "expected ',' or '}'", "in the map that '{' opens on line"},
    {"did not find expected '-' indicator", "expected another '- entry'",
     "at the indentation of the list that starts on line"},
    {"did not find expected key", "expected another 'key: value'",
     "at the indentation of the block that starts on line"},
    {"did not find expected node content", "a value is missing here", NULL},
    {"found unexpected end of stream", "the file ends inside quotes", "that are opened on line"},
    {"found unexpected document indicator", "'---' or '...' inside quotes", "that are opened on line"},
    {"found unknown escape character", "an unknown '\\' escape: in single quotes a '\\' is just a '\\'", NULL},
    {"did not find expected hexdecimal number", "a '\\' escape without its hexadecimal digits", NULL},
    {"found invalid Unicode character escape code", "a '\\' escape for a character that does not exist", NULL},
    {"found a tab character", "a tab in the indentation: use blanks", NULL},
    {"did not find expected <document start>",
     "more text where the configuration has ended: check the indentation, and take out a '...' line", NULL},
    {"control characters are not allowed", "a control character: the file must be plain text", NULL},
    {"did not find expected alphabetic or numeric character", "a '&' or '*' starts this text: put it in quotes", NULL},
};

static const char NOT_UTF8[] = "octets that are not UTF-8: the file must be plain text in UTF-8";

/* The line that holds octet `offset`, 1-based. */
static unsigned line_of_offset(const char *text, size_t len, size_t offset)
{
    unsigned line = 1;

    for (size_t i = 0; i < len && i < offset; i++)
        line += text[i] == '\n';
    return line;
}

/* Whether the line's indentation holds a tab. */
static bool line_has_tab(const char *text, size_t len, unsigned line)
{
    size_t at = 0;

    for (unsigned number = 1; number < line && at < len; at++)
        number += text[at] == '\n';
    for (; at < len && (text[at] == ' ' || text[at] == '\t'); at++) {
        if (text[at] == '\t')
            return true;
    }
    return false;
}

static const struct yaml_words *find_words(const char *problem)
{
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        if (strncmp(problem, WORDS[i].problem, strlen(WORDS[i].problem)) == 0)
            return &WORDS[i];
    }
    return NULL;
}

void cfg_yaml_explain(const void *parser_pointer, const char *text, size_t len, struct cfg_problems *problems)
{
    const yaml_parser_t *parser = parser_pointer;
    const char *problem = parser->problem ? parser->problem : "not valid";
    const struct yaml_words *words = find_words(problem);
    unsigned line = (unsigned)parser->problem_mark.line + 1;
    unsigned opened = (unsigned)parser->context_mark.line + 1;

    if (parser->error == YAML_MEMORY_ERROR) {
        cfg_problem_add(problems, 0, "out of memory");
        return;
    }
    if (parser->error == YAML_READER_ERROR) {
        line = line_of_offset(text, len, parser->problem_offset);
        cfg_problem_add(problems, line, "%s", words ? words->words : NOT_UTF8);
        return;
    }
    if (line_has_tab(text, len, line))
        cfg_problem_add(problems, line, "a tab in the indentation: use blanks");
    else if (words && words->opened && parser->context)
        cfg_problem_add(problems, line, "%s %s %u", words->words, words->opened, opened);
    else if (words)
        cfg_problem_add(problems, line, "%s", words->words);
    else
        cfg_problem_add(problems, line, "not valid YAML: %s", problem);
}
