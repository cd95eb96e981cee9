/* SPDX-License-Identifier: BSD-3-Clause */
/* Files that are no honest mistake, and files that are no files. */
#include "../cm.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "collect.h"
#include "conf/problems.h"
#include "conf/tree.h"

static struct collected found;

static char *repeat(const char *head, const char *part, size_t times)
{
    size_t len = strlen(part);
    char *text = malloc(strlen(head) + len * times + 1);

    assert_non_null(text);
    char *at = stpcpy(text, head);
    for (size_t i = 0; i < times; i++)
        at = stpcpy(at, part);
    return text;
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void deep_nesting_ends_early(void **state)
{
    static const char *const parts[] = {"[", "{a: ", "- "};
    double start = seconds();

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char *text = repeat("router: ", parts[i], 200000);
        assert_null(parse_text(i == 2 ? text + strlen("router: ") : text, &found));
        assert_int_equal(found.count, 1);
        assert_string_equal(found.text[0], "1: nested more than 16 levels deep");
        free(text);
    }
    assert_true(seconds() - start < 5);
}

static void a_flood_of_problems_is_cut(void **state)
{
    char *text = repeat("rules:\n", "- nonsense\n", 5000);

    (void)state;
    assert_null(parse_text(text, &found));
    assert_int_equal(found.count, CFG_PROBLEMS_MAX + 1);
    assert_string_equal(found.text[CFG_PROBLEMS_MAX], "0: 4002 more problems are not shown");
    free(text);
}

static void many_keys_take_no_quadratic_time(void **state)
{
    size_t count = 100000;
    char *text = malloc(count * 16 + 32);
    double start = seconds();

    (void)state;
    assert_non_null(text);
    char *at = stpcpy(text, "policies:\n");
    for (size_t i = 0; i < count; i++)
        at += sprintf(at, "  p%zu: {}\n", i);
    assert_null(parse_text(text, &found)); /* router and ports are missing */
    assert_int_equal(found.count, 2);
    assert_true(seconds() - start < 10);
    free(text);
}

static void problems_come_in_line_order(void **state)
{
    unsigned last = 0;

    (void)state;
    assert_null(parse_text("ports:\n"
                           "  - {name: a, device: net_null0, mode: wire, peer: c}\n" /* found last */
                           "bgp: {colour: blue}\n"
                           "rules: [x]\n"
                           "router: {id: 1, asn: x, id: 2}\n", /* the second id is found first */
                           &found));
    assert_int_equal(found.count, 6);
    for (size_t i = 0; i < found.count; i++) {
        unsigned line = (unsigned)strtoul(found.text[i], NULL, 10);
        assert_true(line >= last);
        last = line;
    }
}

static void messages_carry_no_control_characters(void **state)
{
    char quoted[CFG_QUOTE_SIZE];

    (void)state;
    assert_null(parse_text("router: {id: \"\\e[31m\", \"\\a\": 1, asn: \"1\\n2\"}\n"
                           "rules:\n  - \"match \\e[31m\"\n  - \"match \\x9b31m then discard\"\n",
                           &found));
    assert_true(found.count >= 5);
    for (size_t i = 0; i < found.count; i++) {
        for (const unsigned char *c = (const unsigned char *)found.text[i]; *c != '\0'; c++)
            assert_true(*c >= 0x20 && *c != 0x7f && (*c < 0x80 || *c >= 0xa0));
    }
    assert_string_equal(cfg_quote("a b", quoted), "'a b'");
    assert_string_equal(cfg_quote("-12.5", quoted), "-12.5");
    assert_string_equal(cfg_quote("", quoted), "''");
    assert_int_equal(strlen(cfg_quote("0123456789012345678901234567890123456789012345678901234567890", quoted)), 53);
}

static void octets_that_are_no_text_are_told_with_their_line(void **state)
{
    (void)state;
    assert_null(parse_text("router: {id: 192.0.2.1, asn: 65000}\n# caf\xe9\n", &found));
    assert_int_equal(found.count, 1);
    assert_string_equal(found.text[0], "2: octets that are not UTF-8: the file must be plain text in UTF-8");
}

static void a_file_that_is_none_is_one_problem(void **state)
{
    char missing[] = "/tmp/floodgate-conf-XXXXXX";
    char name[sizeof missing + 8];

    (void)state;
    found.count = 0;
    assert_null(cfg_load("/", collect, &found));
    assert_int_equal(found.count, 1);
    assert_string_equal(found.text[0], "0: is a directory; name the configuration file in it");

    assert_non_null(mkdtemp(missing));
    snprintf(name, sizeof name, "%s/x", missing);
    found.count = 0;
    assert_null(cfg_load(name, collect, &found));
    assert_int_equal(found.count, 1);
    assert_string_equal(found.text[0], "0: cannot be read: No such file or directory");
    rmdir(missing);
}

static void too_large_a_file_is_refused_unread(void **state)
{
    (void)state;
    found.count = 0;
    assert_null(cfg_parse("", (size_t)CFG_FILE_MAX + 1, "x", collect, &found));
    assert_string_equal(found.text[0], "0: larger than 64 MiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deep_nesting_ends_early),
        cmocka_unit_test(a_flood_of_problems_is_cut),
        cmocka_unit_test(many_keys_take_no_quadratic_time),
        cmocka_unit_test(problems_come_in_line_order),
        cmocka_unit_test(messages_carry_no_control_characters),
        cmocka_unit_test(octets_that_are_no_text_are_told_with_their_line),
        cmocka_unit_test(a_file_that_is_none_is_one_problem),
        cmocka_unit_test(too_large_a_file_is_refused_unread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
