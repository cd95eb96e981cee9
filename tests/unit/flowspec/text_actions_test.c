/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule text of the action side. */
#include "fs_test.h"

#include <stdio.h>

static struct fs_actions actions_from(const char *then)
{
    char text[256];
    struct fs_text_error error;
    struct fs_actions actions;
    struct fs_rule *rule;

    snprintf(text, sizeof text, "match port 1 then %s", then);
    if (!fs_text_parse(text, &rule, &actions, &error))
        fail_msg("'%s': column %zu: %s", text, error.column, error.text);
    fs_rule_free(rule);
    return actions;
}

static const char *printed(const char *then)
{
    static char text[512];
    struct fs_actions actions = actions_from(then);
    struct strbuf out = sb_init(text, sizeof text);

    fs_actions_format(&actions, &out);
    assert_false(sb_truncated(&out));
    return text;
}

static void reads_every_action_and_prints_one_form(void **state)
{
    static const char *const CASES[][2] = {
        {"accept", "accept"},
        {"discard", "discard"},
        {"rate-limit 0mbps", "discard"},
        {"rate-limit 10mbps", "rate-limit 10mbps"},
        {"rate-limit 10000kbps", "rate-limit 10mbps"},
        {"rate-limit 1250000Bps", "rate-limit 10mbps"},
        {"rate-limit 8000000000bps", "rate-limit 8gbps"},
        {"rate-limit 2.5gbps", "rate-limit 2500mbps"},
        {"rate-limit 1Bps", "rate-limit 1Bps"},
        {"rate-limit 12bps", "rate-limit 1.5Bps"},
        {"rate-limit 1kbps", "rate-limit 1kbps"},
        {"rate-limit 126Bps", "rate-limit 126Bps"},
        {"rate-limit 5kpps", "rate-limit 5kpps"},
        {"rate-limit 1500000pps", "rate-limit 1500kpps"},
        {"rate-limit 2000kpps", "rate-limit 2mpps"},
        {"rate-limit 0.5pps", "rate-limit 0.5pps"},
        {"rate-limit 0pps", "rate-limit 0pps"},
        {"rate-limit 1e3pps", "rate-limit 1kpps"},
        {"rate-limit 1mbps per-source /24 4096", "rate-limit 1mbps per-source /24 4096"},
        {"rate-limit 1mbps per-source", "rate-limit 1mbps per-source /32 4096"},
        {"rate-limit 5pps per-source /64 mark 1", "rate-limit 5pps per-source /64 4096 mark 1"},
        {"rate-limit 5pps per-source /64 8192 rate-limit 1gbps rate-limit 1Bps per-source",
         "rate-limit 1gbps rate-limit 1Bps per-source /32 4096 rate-limit 5pps per-source /64 8192"},
        {"mark 0", "mark 0"},
        {"mark ef", "mark 46"},
        {"redirect 65000:100", "redirect 65000:100"},
        {"redirect 192.0.2.1:100", "redirect 192.0.2.1:100"},
        {"redirect 4200000000L:100", "redirect 4200000000L:100"},
        {"redirect [2001:db8::1]:100", "redirect [2001:db8::1]:100"},
        {"redirect-ip 192.0.2.1", "redirect-ip 192.0.2.1"},
        {"redirect-ip 2001:db8::1 copy", "redirect-ip 2001:db8::1 copy"},
        {"redirect-ip next-hop copy sample", "redirect-ip next-hop copy sample"},
        {"accept continue", "continue"},
        {"mark 5 accept", "mark 5"},
        {"continue sample redirect-ip 192.0.2.1 copy redirect 1:2 mark 5 rate-limit 1kpps discard",
         "discard rate-limit 1kpps mark 5 redirect 1:2 redirect-ip 192.0.2.1 copy sample continue"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        assert_string_equal(printed(CASES[i][0]), CASES[i][1]);
        assert_string_equal(printed(CASES[i][1]), CASES[i][1]);
    }
}

static void rates_are_in_bytes_and_packets_per_second(void **state)
{
    struct fs_actions actions = actions_from("rate-limit 10mbps rate-limit 5kpps");

    (void)state;
    assert_true(actions.rate_bytes_set && actions.rate_bytes_per_s == 1250000.0F);
    assert_true(actions.rate_packets_set && actions.rate_packets_per_s == 5000.0F);
}

static void no_then_means_accept(void **state)
{
    struct fs_text_error error;
    struct fs_actions actions;
    struct fs_rule *rule;

    (void)state;
    assert_true(fs_text_parse("match port 1", &rule, &actions, &error));
    assert_true(fs_actions_accept(&actions));
    fs_rule_free(rule);
}

/* Gathers what fs_actions_each emits. */
struct list {
    unsigned count;
    char text[16][128];
};

static void add(void *ctx, const char *text)
{
    struct list *list = ctx;

    snprintf(list->text[list->count++], sizeof list->text[0], "%s", text);
}

static void each_action_comes_in_a_text_of_its_own(void **state)
{
    struct fs_actions actions = actions_from("rate-limit 10mbps redirect-ip 192.0.2.1 copy continue");
    struct list list = {.count = 0};

    (void)state;
    fs_actions_each(&actions, add, &list);
    assert_int_equal(list.count, 3);
    assert_string_equal(list.text[0], "rate-limit 10mbps");
    assert_string_equal(list.text[1], "redirect-ip 192.0.2.1 copy");
    assert_string_equal(list.text[2], "continue");
    actions = (struct fs_actions){0};
    list.count = 0;
    fs_actions_each(&actions, add, &list);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.text[0], "accept");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_action_and_prints_one_form),
        cmocka_unit_test(rates_are_in_bytes_and_packets_per_second),
        cmocka_unit_test(no_then_means_accept),
        cmocka_unit_test(each_action_comes_in_a_text_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
