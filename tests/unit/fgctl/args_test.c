/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"

/* The words of a command line, which options are taken out of. */
static char *words[16];
static struct args args;

static void command_line(const char *text)
{
    static char copy[256];
    char *rest = NULL;

    snprintf(copy, sizeof copy, "%s", text);
    args = (struct args){.command = "test", .word = words, .count = 0};
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        words[args.count++] = word;
}

static void options_are_taken_from_anywhere(void **state)
{
    const char *in = NULL, *file = NULL, *none = "unchanged";
    unsigned long long nth = 0;

    (void)state;
    command_line("a --in wan b --file=x.pcap --nth 7 c");
    assert_true(args_option(&args, "--in", &in));
    assert_true(args_option(&args, "--file", &file));
    assert_true(args_option(&args, "--none", &none));
    assert_true(args_number(&args, "--nth", 1, &nth));
    assert_string_equal(in, "wan");
    assert_string_equal(file, "x.pcap");
    assert_string_equal(none, "unchanged");
    assert_int_equal(nth, 7);
    assert_true(args_left(&args, 3, 3, "test"));
    char *joined = args_join(&args, 1);
    assert_string_equal(joined, "b c");
    free(joined);
}

static void a_longer_option_is_another_one(void **state)
{
    const char *in = NULL;

    (void)state;
    command_line("--inner x");
    assert_true(args_option(&args, "--in", &in));
    assert_null(in);
    assert_false(args_left(&args, 0, 9, "test"));
}

static void slips_are_refused(void **state)
{
    const char *in = NULL;
    unsigned long long n = 0;

    (void)state;
    command_line("--in");
    assert_false(args_option(&args, "--in", &in));
    command_line("--in a --in b");
    assert_false(args_option(&args, "--in", &in));
    command_line("--limit 0");
    assert_false(args_number(&args, "--limit", 1, &n));
    command_line("--limit 1x");
    assert_false(args_number(&args, "--limit", 1, &n));
    command_line("--limit=99999999999999999999");
    assert_false(args_number(&args, "--limit", 1, &n));
    command_line("one two");
    assert_false(args_left(&args, 0, 1, "test"));
    assert_false(args_left(&args, 3, 4, "test"));
}

static void a_number_is_digits_only(void **state)
{
    unsigned long long n;

    (void)state;
    assert_true(number_parse("0", &n));
    assert_true(number_parse("9223372036854775807", &n));
    assert_false(number_parse("9223372036854775808", &n));
    assert_false(number_parse("-1", &n));
    assert_false(number_parse("+1", &n));
    assert_false(number_parse("", &n));
    assert_false(number_parse(" 1", &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_taken_from_anywhere),
        cmocka_unit_test(a_longer_option_is_another_one),
        cmocka_unit_test(slips_are_refused),
        cmocka_unit_test(a_number_is_digits_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
