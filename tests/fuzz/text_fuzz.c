/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rule text. What parses prints canonically, and that parses to the same rule and actions and prints the same; what
 * does not names a column within the text and a printable reason. Actions survive extended communities too.
 */
#include <stdlib.h>
#include <string.h>

#include "flowspec/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char text[FS_RULE_TEXT_MAX];
static char again[FS_RULE_TEXT_MAX];

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_error(const struct fs_text_error *error, const char *input)
{
    require(error->column >= 1 && error->column <= strlen(input) + 1);
    require(error->text[0] != '\0');
    for (const char *c = error->text; *c; c++)
        require(*c >= ' ' && *c < 0x7f);
}

static void check_communities(const struct fs_actions *actions)
{
    struct fs_ext_comms comms;
    struct fs_actions back;

    fs_actions_encode(actions, 65000, &comms);
    fs_actions_decode(comms.comms[0], comms.count * 8u, comms.comms6[0], comms.count6 * 20u, &back);
    require(fs_actions_equal(actions, &back));
}

static void check_rule(const struct fs_rule *rule, const struct fs_actions *actions)
{
    struct strbuf out = sb_init(text, sizeof text), out_again = sb_init(again, sizeof again);
    struct fs_text_error error;
    struct fs_actions actions_back;
    struct fs_rule *back;

    fs_rule_format(rule, actions, &out);
    require(!sb_truncated(&out));
    require(fs_text_parse(text, &back, &actions_back, &error));
    require(fs_rule_equal(rule, back) && fs_actions_equal(actions, &actions_back));
    fs_rule_format(back, &actions_back, &out_again);
    require(strcmp(text, again) == 0);
    fs_rule_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *input = malloc(size + 1); /* exactly as long as the text, so that a read past it shows */
    struct fs_text_error error;
    struct fs_actions actions;
    struct fs_rule *rule;

    if (!input)
        return 0;
    if (size > 0)
        memcpy(input, data, size);
    input[size] = '\0';
    if (fs_text_parse(input, &rule, &actions, &error)) {
        check_rule(rule, &actions);
        check_communities(&actions);
    } else {
        require(rule == NULL);
        check_error(&error, input);
    }
    fs_rule_free(rule);
    free(input);
    return 0;
}
