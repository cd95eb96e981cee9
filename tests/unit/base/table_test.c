/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include <stdlib.h>

#include "base/table.h"

static const struct table_column COLUMNS[] = {
    {.title = "ID", .right = true},
    {.title = "MATCH", .wrap = true},
    {.title = "PACKETS", .right = true},
    {.title = "STATE"},
};

static struct table *two_rules(void)
{
    struct table *table = table_create(COLUMNS, 4);

    table_cell(table, "7");
    table_cell(table, "destination 203.0.113.7/32 protocol =udp");
    table_number(table, 1234567);
    table_cell_styled(table, TABLE_GREEN, "active");
    table_cellf(table, "%d", 12);
    table_cell(table, "source-port =53");
    table_number(table, 0);
    table_cell_styled(table, TABLE_RED, "rejected");
    return table;
}

static void expect_printed(struct table *table, const struct table_form *form, const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    table_print(table, out, form);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

static void aligns_columns_and_leaves_no_trailing_blanks(void **state)
{
    struct table *table = two_rules();

    (void)state;
    assert_int_equal(table_rows(table), 2);
    expect_printed(table, &(struct table_form){.width = 0},
                   "ID  MATCH                                       PACKETS  STATE\n"
                   " 7  destination 203.0.113.7/32 protocol =udp  1,234,567  active\n"
                   "12  source-port =53                                   0  rejected\n");
    assert_int_equal(table_rows(table), 0);
    table_free(table);
}

static void wraps_one_column_at_blanks_to_fit_the_width(void **state)
{
    struct table *table = two_rules();

    (void)state;
    expect_printed(table, &(struct table_form){.width = 51},
                   "ID  MATCH                         PACKETS  STATE\n"
                   " 7  destination 203.0.113.7/32  1,234,567  active\n"
                   "    protocol =udp\n"
                   "12  source-port =53                     0  rejected\n");
    table_free(table);
}

static void a_short_column_is_not_widened_where_nothing_fits(void **state)
{
    static const struct table_column two[] = {{.title = "A"}, {.title = "B", .wrap = true}, {.title = "C"}};
    struct table *table = table_create(two, 3);

    (void)state;
    table_cell(table, "wide");
    table_cell(table, "x y");
    table_cell(table, "z");
    expect_printed(table, &(struct table_form){.width = 5}, "A     B    C\nwide  x y  z\n");
    table_free(table);
}

static void colours_only_where_asked(void **state)
{
    static const struct table_column one[] = {{.title = "STATE"}};
    struct table *table = table_create(one, 1);

    (void)state;
    table_cell_styled(table, TABLE_GREEN, "active");
    expect_printed(table, &(struct table_form){.colour = true, .indent = 2},
                   "  \033[1mSTATE\033[0m\n  \033[32mactive\033[0m\n");
    table_free(table);
}

static void prints_in_pieces_under_one_header_with_the_widths_seen_before(void **state)
{
    static const struct table_column two[] = {{.title = "A"}, {.title = "B"}};
    struct table *table = table_create(two, 2);

    (void)state;
    table_cell(table, "wide");
    table_cell(table, "x");
    expect_printed(table, &(struct table_form){.width = 0}, "A     B\nwide  x\n");
    table_cell(table, "n");
    table_cell(table, "y");
    expect_printed(table, &(struct table_form){.width = 0}, "n     y\n");
    table_free(table);
}

static void control_characters_never_reach_the_terminal(void **state)
{
    static const struct table_column one[] = {{.title = "T"}};
    struct table *table = table_create(one, 1);

    (void)state;
    table_cell(table, "a\033[2Jb\nc");
    expect_printed(table, &(struct table_form){.no_header = true}, "a [2Jb c\n");
    table_free(table);
}

static void counts_columns_of_utf8_not_octets(void **state)
{
    static const struct table_column two[] = {{.title = "A"}, {.title = "B"}};
    struct table *table = table_create(two, 2);

    (void)state;
    table_cell(table, "\xc3\xa9t\xc3\xa9");
    table_cell(table, "x");
    table_cell(table, "abc");
    table_cell(table, "y");
    expect_printed(table, &(struct table_form){.no_header = true}, "\xc3\xa9t\xc3\xa9  x\nabc  y\n");
    table_free(table);
}

static void groups_digits_by_three(void **state)
{
    char text[NUMBER_TEXT_SIZE];

    (void)state;
    assert_string_equal(number_group(0, text), "0");
    assert_string_equal(number_group(999, text), "999");
    assert_string_equal(number_group(1000, text), "1,000");
    assert_string_equal(number_group(1234567, text), "1,234,567");
    assert_string_equal(number_group(UINT64_MAX, text), "18,446,744,073,709,551,615");
}

static void shows_three_digits_with_an_si_prefix(void **state)
{
    char text[NUMBER_TEXT_SIZE];

    (void)state;
    assert_string_equal(number_si(0, "pps", text), "0 pps");
    assert_string_equal(number_si(999.4, "pps", text), "999 pps");
    assert_string_equal(number_si(999.6, "pps", text), "1.00 kpps");
    assert_string_equal(number_si(1250000, "bit/s", text), "1.25 Mbit/s");
    assert_string_equal(number_si(9.999e9, "bit/s", text), "10.0 Gbit/s");
    assert_string_equal(number_si(100e9, "bit/s", text), "100 Gbit/s");
}

static void says_durations_in_two_units(void **state)
{
    char text[NUMBER_TEXT_SIZE];

    (void)state;
    assert_string_equal(number_duration(0, text), "0 s");
    assert_string_equal(number_duration(59, text), "59 s");
    assert_string_equal(number_duration(200, text), "3 min 20 s");
    assert_string_equal(number_duration(7200, text), "2 h");
    assert_string_equal(number_duration(86400 * 3 + 3600 * 4 + 59, text), "3 d 4 h");
}

static void a_file_has_no_colours_and_the_width_that_is_asked_for(void **state)
{
    FILE *out = tmpfile();

    (void)state;
    unsetenv("COLUMNS");
    assert_int_equal(table_form_of(out).width, 0);
    setenv("COLUMNS", "72", 1);
    assert_int_equal(table_form_of(out).width, 72);
    assert_false(table_form_of(out).colour);
    unsetenv("COLUMNS");
    fclose(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aligns_columns_and_leaves_no_trailing_blanks),
        cmocka_unit_test(wraps_one_column_at_blanks_to_fit_the_width),
        cmocka_unit_test(a_short_column_is_not_widened_where_nothing_fits),
        cmocka_unit_test(colours_only_where_asked),
        cmocka_unit_test(prints_in_pieces_under_one_header_with_the_widths_seen_before),
        cmocka_unit_test(control_characters_never_reach_the_terminal),
        cmocka_unit_test(counts_columns_of_utf8_not_octets),
        cmocka_unit_test(a_file_has_no_colours_and_the_width_that_is_asked_for),
        cmocka_unit_test(groups_digits_by_three),
        cmocka_unit_test(shows_three_digits_with_an_si_prefix),
        cmocka_unit_test(says_durations_in_two_units),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
