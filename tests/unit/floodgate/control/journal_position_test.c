/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading on in the journal from a position: each entry once, over floods of verdicts and over a restart. */
#include "cm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "control/journal.h"
#include "control/journal_ring.h"

static char folder[64], path[96];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/fg-journal-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/journal", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static struct journal *open_journal(uint32_t entries)
{
    static const struct log_hook LOG;

    return journal_open(&(struct cfg_journal){.file = path, .max_mib = 1, .entries = entries}, NULL, &LOG);
}

static void add(struct journal *journal, uint32_t rule, const char *event, const char *step, uint64_t time_ms)
{
    journal_add(
        journal,
        &(struct journal_entry){
            .time_ms = time_ms, .rule = rule, .event = event, .step = step, .state = rule % 2 ? "held" : "active"});
}

struct seen {
    unsigned count;
    uint32_t rules[16];
    uint64_t position;
};

static void on_entry(void *ctx, const struct journal_entry *entry)
{
    struct seen *seen = ctx;

    assert_true(entry->position > seen->position);
    seen->position = entry->position;
    if (seen->count < 16)
        seen->rules[seen->count] = entry->rule;
    seen->count++;
}

static struct seen after(const struct journal *journal, const char *event, uint64_t position, size_t limit)
{
    struct seen seen = {0};

    journal_each(journal,
                 &(struct journal_query){.event = event, .after = true, .after_position = position, .limit = limit},
                 on_entry, &seen);
    return seen;
}

static void what_is_behind_a_position_is_told_once_and_the_first_first(void **state)
{
    struct journal *journal = open_journal(100);

    (void)state;
    for (uint32_t i = 1; i <= 9; i++)
        add(journal, i, "breaker", "breaker", 1767323045000); /* all of one millisecond */
    struct seen seen = after(journal, NULL, 0, 4);
    assert_int_equal(seen.count, 4);
    assert_int_equal(seen.rules[0], 1);
    seen = after(journal, NULL, seen.position, 4);
    assert_int_equal(seen.rules[0], 5);
    seen = after(journal, NULL, seen.position, 4);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.rules[0], 9);
    assert_int_equal(after(journal, NULL, seen.position, 4).count, 0);
    add(journal, 10, "breaker", "breaker", 1767323044000); /* the clock was put back */
    assert_int_equal(after(journal, NULL, seen.position, 4).rules[0], 10);
    journal_close(journal);
}

/* As a rotation does in the end. */
static void cut_first_line(void)
{
    char text[8192];
    FILE *file = fopen(path, "r");
    size_t len;

    assert_non_null(file);
    len = fread(text, 1, sizeof text, file);
    fclose(file);
    char *second = memchr(text, '\n', len);
    assert_non_null(second++);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(second, 1, len - (size_t)(second - text), file), len - (size_t)(second - text));
    fclose(file);
}

static void a_restart_does_not_change_positions(void **state)
{
    struct journal *journal = open_journal(100);
    struct journal_ends ends, again;

    (void)state;
    for (uint32_t i = 1; i <= 5; i++)
        add(journal, i, "breaker", "breaker", 1767323045000 + i / 2);
    struct seen before = after(journal, NULL, 0, 3);
    journal_ends(journal, &ends);
    journal_close(journal);
    cut_first_line();
    journal = open_journal(100);
    journal_ends(journal, &again);
    assert_int_equal(again.position, ends.position);
    add(journal, 6, "breaker", "breaker", 0);
    struct seen seen = after(journal, NULL, before.position, 10);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.rules[0], 4);
    assert_int_equal(seen.rules[2], 6);
    journal_close(journal);
}

static void no_flood_of_verdicts_washes_a_decision_away(void **state)
{
    struct journal *journal = open_journal(10);
    struct journal_ends ends;

    (void)state;
    add(journal, 1, "breaker", "breaker", 0);
    add(journal, 2, "breaker", "kept", 0); /* written again: no news */
    for (uint32_t i = 0; i < 1000; i++)
        add(journal, 100 + i, "verdict", "", 0);
    assert_int_equal(after(journal, JOURNAL_DECISION, 0, 10).count, 1);
    assert_int_equal(after(journal, JOURNAL_DECISION, 0, 10).rules[0], 1);
    assert_int_equal(after(journal, "breaker", 0, 10).count, 0);
    assert_int_equal(after(journal, "verdict", 0, 100).count, 10);
    struct seen held = {0};
    journal_each(journal,
                 &(struct journal_query){.event = "verdict", .state = "held", .after = true, .limit = SIZE_MAX},
                 on_entry, &held);
    assert_int_equal(held.count, 500);
    journal_ends(journal, &ends);
    assert_int_equal(ends.forgotten_decision, 0);
    assert_int_equal(ends.forgotten_held, 0);
    assert_true(ends.forgotten > 0 && ends.forgotten < after(journal, NULL, 0, 1).position);
    for (uint32_t i = 0; i < 5000; i++)
        add(journal, i, "suspend", "operator", 0);
    journal_ends(journal, &ends);
    assert_true(ends.forgotten_decision > 0);
    assert_int_equal(after(journal, JOURNAL_DECISION, ends.forgotten_decision, SIZE_MAX).count,
                     after(journal, JOURNAL_DECISION, 0, SIZE_MAX).count);
    journal_close(journal);
}

static void entries_are_found_by_their_event_and_state(void **state)
{
    struct journal *journal = open_journal(100);
    struct seen seen = {0};

    (void)state;
    for (uint32_t i = 1; i <= 8; i++)
        add(journal, i, i <= 6 ? "verdict" : "suspend", "", 0);
    journal_each(journal, &(struct journal_query){.event = "verdict", .state = "held", .limit = 2}, on_entry, &seen);
    assert_int_equal(seen.count, 2); /* without a position: the latest */
    assert_int_equal(seen.rules[0], 3);
    assert_int_equal(seen.rules[1], 5);
    journal_close(journal);
}

static void positions_stay_within_63_bits_whatever_a_file_says(void **state)
{
    uint64_t last = journal_position(0, UINT64_MAX);

    (void)state;
    assert_true(last < UINT64_C(1) << 62);
    assert_int_equal(journal_position(last, 0), last + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_behind_a_position_is_told_once_and_the_first_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_restart_does_not_change_positions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_flood_of_verdicts_washes_a_decision_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(entries_are_found_by_their_event_and_state, set_up, tear_down),
        cmocka_unit_test_setup_teardown(positions_stay_within_63_bits_whatever_a_file_says, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
