/* SPDX-License-Identifier: BSD-3-Clause */
/* The journal: lines, the file, and the thread that writes it. */
#include "cm.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf.h"
#include "control/journal.h"
#include "control/journal_file.h"
#include "control/journal_line.h"
#include "spool/spool.h"

static char folder[64], path[96], rotated[96];
static unsigned errors, notices;
static char last_line[512];

__attribute__((format(printf, 3, 0))) static void on_log(void *ctx, enum log_level level, const char *fmt, va_list args)
{
    (void)ctx;
    errors += level <= LOG_LEVEL_ERROR;
    notices += level == LOG_LEVEL_NOTICE;
    vsnprintf(last_line, sizeof last_line, fmt, args);
}

static const struct log_hook LOG = {.write = on_log};

static int set_up(void **state)
{
    (void)state;
    errors = notices = 0;
    snprintf(folder, sizeof folder, "/tmp/fg-journal-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/journal", folder);
    snprintf(rotated, sizeof rotated, "%s/journal.1", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rmdir(rotated);
    unlink(rotated);
    rmdir(path);
    unlink(path);
    return rmdir(folder);
}

static struct journal *open_journal(uint32_t entries)
{
    return journal_open(&(struct cfg_journal){.file = path, .max_mib = 1, .entries = entries}, NULL, &LOG);
}

static void add(struct journal *journal, uint32_t rule, const char *reason)
{
    journal_add(journal, &(struct journal_entry){.rule = rule,
                                                 .event = "verdict",
                                                 .peer = rule % 2 ? "odd" : "even",
                                                 .state = "active",
                                                 .step = rule % 3 ? "" : "sense",
                                                 .by = "router",
                                                 .text = "match protocol =udp then discard",
                                                 .reason = reason});
}

struct seen {
    unsigned count;
    uint32_t first, last;
    char reason[2048], event[64];
};

static void on_entry(void *ctx, const struct journal_entry *entry)
{
    struct seen *seen = ctx;

    if (seen->count++ == 0)
        seen->first = entry->rule;
    assert_true(seen->last < entry->rule); /* oldest first */
    seen->last = entry->rule;
    snprintf(seen->reason, sizeof seen->reason, "%s", entry->reason);
    snprintf(seen->event, sizeof seen->event, "%s", entry->event);
}

static struct seen ask(const struct journal *journal, struct journal_query query)
{
    struct seen seen = {0};

    if (query.limit == 0)
        query.limit = SIZE_MAX;
    journal_each(journal, &query, on_entry, &seen);
    return seen;
}

static char *slurp(const char *name)
{
    FILE *file = fopen(name, "r");
    char *text = NULL;
    size_t room = 0;

    if (file == NULL)
        return strdup("");
    if (getdelim(&text, &room, '\0', file) < 0) {
        free(text);
        text = strdup("");
    }
    fclose(file);
    return text;
}

static void write_file(const char *name, const char *text, size_t len)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    fclose(file);
}

/* ---- lines ---- */

static void a_line_says_what_the_entry_says(void **state)
{
    const struct journal_entry entry = {.time_ms = 1767323045123,
                                        .rule = 7,
                                        .event = "approve",
                                        .peer = "detector",
                                        .state = "active",
                                        .step = "operator",
                                        .by = "uid 0",
                                        .text = "match protocol =udp then discard",
                                        .reason = "a\tb\nc\x1b[31m"};
    char line[JOURNAL_LINE_OCTETS];
    struct journal_entry back;

    (void)state;
    journal_line_format(&entry, line);
    assert_null(strpbrk(line, "\n\x1b"));
    assert_true(journal_line_parse(line, &back));
    assert_int_equal(back.time_ms, entry.time_ms);
    assert_int_equal(back.rule, 7);
    assert_string_equal(back.event, "approve");
    assert_string_equal(back.peer, "detector");
    assert_string_equal(back.state, "active");
    assert_string_equal(back.step, "operator");
    assert_string_equal(back.by, "uid 0");
    assert_string_equal(back.text, entry.text);
    assert_string_equal(back.reason, "a?b?c?[31m");
}

static void long_texts_are_cut_and_say_so(void **state)
{
    static char text[5000], word[500];
    char line[JOURNAL_LINE_OCTETS];
    struct journal_entry back;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    memset(word, 'w', sizeof word - 1);
    journal_line_format(
        &(struct journal_entry){
            .event = word, .peer = word, .state = word, .step = word, .by = word, .text = text, .reason = text},
        line);
    assert_true(journal_line_parse(line, &back));
    assert_string_equal(back.reason + strlen(back.reason) - 3, "...");
    assert_string_equal(back.text + strlen(back.text) - 3, "...");
    assert_true(strlen(back.by) < sizeof word - 1);
}

/* Whatever octet of a line is lost or another one, and wherever it ends: it is no line. */
static void no_torn_line_is_taken_for_a_whole_one(void **state)
{
    char fields[JOURNAL_LINE_OCTETS], line[JOURNAL_LINE_OCTETS + JOURNAL_HEAD_OCTETS + 1], torn[sizeof line];

    (void)state;
    journal_line_format(&(struct journal_entry){.time_ms = 1, .event = "verdict", .reason = "sense: no"}, fields);
    journal_line_head(fields, strlen(fields), line);
    strcat(line, fields);
    size_t len = strlen(line);
    assert_true(journal_line_whole(line, len));
    for (size_t i = 0; i < len; i++) {
        assert_false(journal_line_whole(line, i));
        memcpy(torn, line, len + 1);
        torn[i] ^= 0x20;
        assert_false(journal_line_whole(torn, len));
        torn[i] = '\0';
        assert_false(journal_line_whole(torn, len));
    }
    assert_false(journal_line_whole("", 0));
}

/* ---- the journal ---- */

static void entries_are_found_by_rule_peer_and_step_and_survive(void **state)
{
    struct journal *journal = open_journal(100);

    (void)state;
    for (uint32_t i = 1; i <= 12; i++)
        add(journal, i, "why");
    for (unsigned round = 0; round < 2; round++) {
        assert_int_equal(ask(journal, (struct journal_query){0}).count, 12);
        assert_int_equal(ask(journal, (struct journal_query){.rule = 5}).first, 5);
        assert_int_equal(ask(journal, (struct journal_query){.peer = "odd"}).count, 6);
        assert_int_equal(ask(journal, (struct journal_query){.step = "sense"}).count, 4);
        assert_int_equal(ask(journal, (struct journal_query){.peer = "odd", .step = "sense"}).first, 3);
        assert_int_equal(ask(journal, (struct journal_query){.limit = 3}).first, 10);
        assert_int_equal(ask(journal, (struct journal_query){.peer = "nobody"}).count, 0);
        journal_close(journal);
        journal = open_journal(100);
        assert_int_equal(journal_torn(journal), 0);
    }
    journal_close(journal);
    assert_int_equal(errors, 0);
}

static void the_oldest_are_forgotten_in_memory_and_not_in_the_file(void **state)
{
    struct journal *journal = open_journal(5);

    (void)state;
    for (uint32_t i = 1; i <= 12; i++)
        add(journal, i, "why");
    struct seen seen = ask(journal, (struct journal_query){0});
    assert_int_equal(seen.count, 5);
    assert_int_equal(seen.first, 8);
    journal_close(journal);
    journal = open_journal(100);
    assert_int_equal(ask(journal, (struct journal_query){0}).count, 12);
    journal_close(journal);
}

/* The file cut at every octet of its last line: the others are there, and what is added then is there, too. */
static void a_torn_last_line_is_skipped_wherever_it_was_torn(void **state)
{
    struct journal *journal = open_journal(100);

    (void)state;
    for (uint32_t i = 1; i <= 3; i++)
        add(journal, i, "why");
    journal_close(journal);
    char *whole = slurp(path);
    size_t len = strlen(whole), two = (size_t)(strchr(strchr(whole, '\n') + 1, '\n') + 1 - whole);
    for (size_t cut = two; cut < len; cut++) {
        write_file(path, whole, cut);
        journal = open_journal(100);
        bool only_its_end = cut == len - 1; /* the newline: nothing of the line itself */
        assert_int_equal(journal_torn(journal), cut > two && !only_its_end);
        assert_int_equal(ask(journal, (struct journal_query){0}).last, only_its_end ? 3 : 2);
        add(journal, 9, "after");
        journal_close(journal);
        journal = open_journal(100);
        struct seen seen = ask(journal, (struct journal_query){0});
        assert_int_equal(seen.count, only_its_end ? 4 : 3);
        assert_int_equal(seen.last, 9);
        journal_close(journal);
    }
    free(whole);
}

/* What was decided is in the file before, until it has been written again. */
static void a_file_is_rotated_once_more_only_when_it_is_settled(void **state)
{
    struct journal_file *file = journal_file_open(path, 100, false, false);
    struct stat status;

    (void)state;
    for (unsigned i = 0; i < 8; i++)
        journal_file_line(file, "0123456789012345678901234567890123456789", 40);
    assert_int_equal(journal_file_rotations(file), 1);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 7 * 50);
    journal_file_settled(file);
    journal_file_line(file, "0123456789012345678901234567890123456789", 40);
    assert_int_equal(journal_file_rotations(file), 2);
    assert_int_equal(stat(rotated, &status), 0);
    assert_int_equal(status.st_size, 7 * 50);
    journal_file_close(file);
}

/* Whether all that stands of PATH.1 had been written again when the router ended, nobody knows. */
static void a_file_before_at_the_start_is_not_settled(void **state)
{
    struct journal *journal = open_journal(100);
    struct stat before, after;

    (void)state;
    assert_false(journal_watch(journal)); /* there is none */
    add(journal, 1, "why");
    journal_close(journal);
    assert_int_equal(rename(path, rotated), 0);
    assert_int_equal(stat(rotated, &before), 0);
    journal = open_journal(100);
    for (uint32_t i = 0; i < 20000; i++)
        add(journal, i, "a reason of some length, so that a mebibyte is full after a while");
    journal_wait(journal);
    assert_int_equal(stat(rotated, &after), 0);
    assert_int_equal(after.st_ino, before.st_ino);
    assert_true(journal_watch(journal)); /* what stands is to be added again */
    assert_false(journal_watch(journal));
    assert_true(journal_settled(journal));
    add(journal, 2, "why");
    journal_wait(journal);
    assert_int_equal(stat(rotated, &after), 0);
    assert_int_not_equal(after.st_ino, before.st_ino);
    journal_close(journal);
}

static void a_full_file_becomes_the_one_before(void **state)
{
    struct journal *journal = open_journal(100000);
    struct stat status;
    uint32_t count = 0;

    (void)state;
    while (stat(rotated, &status) < 0 && count < 20000) {
        for (unsigned i = 0; i < 100; i++)
            add(journal, ++count, "a reason of some length, so that a mebibyte is full after a while");
        journal_wait(journal);
    }
    assert_int_equal(stat(rotated, &status), 0);
    assert_in_range(status.st_size, 1024 * 1024 - 4096, 1024 * 1024);
    assert_true(journal_watch(journal));
    assert_false(journal_watch(journal)); /* once */
    journal_close(journal);
    journal = open_journal(100000);
    struct seen seen = ask(journal, (struct journal_query){0});
    assert_int_equal(seen.count, count); /* both files are read, in their order */
    assert_int_equal(seen.first, 1);
    journal_close(journal);
    assert_int_equal(errors, 0);
}

static void wait_for_retry(void)
{
    const struct timespec pause = {.tv_sec = JOURNAL_RETRY_MS / 1000, .tv_nsec = 50000000};

    nanosleep(&pause, NULL);
}

/* A folder stands where the file is to be moved to. */
static void a_file_that_cannot_be_rotated_grows_on_until_it_can(void **state)
{
    struct journal_file *file;
    struct journal_news news;
    struct stat status;
    char inside[128];

    (void)state;
    assert_int_equal(mkdir(rotated, 0700), 0);
    snprintf(inside, sizeof inside, "%s/x", rotated);
    write_file(inside, "x", 1); /* not even an empty one may go */
    file = journal_file_open(path, 100, false, false);
    for (unsigned i = 0; i < 5; i++)
        journal_file_line(file, "0123456789012345678901234567890123456789", 40);
    assert_true(journal_file_news(file, &news));
    assert_false(news.well);
    assert_int_equal(news.missing, 0);
    assert_memory_equal(news.what, "cannot be rotated and grows on: ", 32);
    assert_false(journal_file_news(file, &news)); /* told once */
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 5 * 50);
    unlink(inside);
    rmdir(rotated);
    wait_for_retry();
    journal_file_line(file, "0123456789012345678901234567890123456789", 40);
    assert_true(journal_file_news(file, &news));
    assert_true(news.well);
    assert_int_equal(journal_file_rotations(file), 1);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 50);
    journal_file_close(file);
}

/* A folder stands where the file is to be. */
static void a_file_that_cannot_be_opened_is_tried_again(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path, 0700), 0);
    struct journal *journal = open_journal(100);
    assert_int_equal(errors, 1);
    assert_non_null(strstr(last_line, "cannot be opened: Is a directory"));
    add(journal, 1, "lost to the file");
    journal_wait(journal);
    rmdir(path);
    wait_for_retry();
    add(journal, 2, "there");
    journal_wait(journal);
    journal_watch(journal);
    assert_int_equal(errors, 1);
    assert_int_equal(notices, 1);
    assert_non_null(strstr(last_line, "written again; 1 entry is not in it"));
    assert_int_equal(ask(journal, (struct journal_query){0}).count, 2);
    journal_close(journal);
    journal = open_journal(100);
    assert_int_equal(ask(journal, (struct journal_query){0}).first, 2);
    journal_close(journal);
}

static void without_a_file_it_is_kept_in_memory(void **state)
{
    struct journal *journal = journal_open(&(struct cfg_journal){.entries = 3, .max_mib = 1}, NULL, &LOG);

    (void)state;
    add(journal, 1, "why");
    assert_false(journal_watch(journal));
    journal_wait(journal);
    assert_int_equal(ask(journal, (struct journal_query){0}).count, 1);
    journal_close(journal);
    journal_add(NULL, &(struct journal_entry){.event = "verdict"}); /* where there is none */
}

/* ---- the thread ---- */

struct heap {
    unsigned records, flushes, next;
    size_t octets;
};

static void on_record(void *ctx, const void *data, size_t len)
{
    struct heap *heap = ctx;
    unsigned number;

    memcpy(&number, data, sizeof number);
    if (number == heap->next)
        heap->next++;
    heap->records++;
    heap->octets += len;
}

static void on_flush(void *ctx)
{
    ((struct heap *)ctx)->flushes++;
}

static void a_spool_keeps_the_order_and_refuses_what_is_too_much(void **state)
{
    static const struct spool_ops OPS = {.record = on_record, .flush = on_flush};
    struct heap heap = {0};
    struct spool *spool =
        spool_create(&(struct spool_conf){.name = "spool", .room = 1 << 20, .ops = &OPS, .ctx = &heap});
    uint8_t record[600] = {0};

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        memcpy(record, &i, sizeof i);
        assert_true(spool_put(spool, record, sizeof i + i % 500));
    }
    spool_wait(spool);
    assert_int_equal(heap.records, 1000);
    assert_int_equal(heap.next, 1000);
    assert_true(heap.flushes >= 1);
    uint8_t *large = calloc(1, (1 << 20) + 1);
    assert_false(spool_put(spool, large, (1 << 20) + 1));
    free(large);
    memcpy(record, &heap.next, sizeof heap.next);
    assert_true(spool_put(spool, record, sizeof record));
    spool_free(spool); /* writes what waits */
    assert_int_equal(heap.records, 1001);
    assert_int_equal(heap.next, 1001);
}

/* What came while the disk was slow took memory, which is given back. */
static void a_spool_is_small_again_after_a_burst(void **state)
{
    static const struct spool_ops OPS = {.record = on_record, .flush = on_flush};
    struct heap heap = {0};
    struct spool *spool =
        spool_create(&(struct spool_conf){.name = "spool", .room = 64 << 20, .ops = &OPS, .ctx = &heap});
    const size_t size = 6 << 20;
    uint8_t *large = calloc(1, size);

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        assert_true(spool_put(spool, large, size));
    spool_wait(spool);
    assert_int_equal(heap.octets, 4 * size);
    assert_true(spool_memory(spool) <= 2 * SPOOL_KEPT);
    assert_true(spool_put(spool, large, 100)); /* and works on */
    spool_wait(spool);
    assert_int_equal(heap.octets, 4 * size + 100);
    free(large);
    spool_free(spool);
}

static void on_record_where(void *ctx, const void *data, size_t len)
{
    (void)data;
    (void)len;
    assert_int_equal(pthread_getaffinity_np(pthread_self(), sizeof(cpu_set_t), ctx), 0);
}

static void on_flush_nothing(void *ctx)
{
    (void)ctx;
}

static void a_spool_runs_where_it_is_told(void **state)
{
    static const struct spool_ops OPS = {.record = on_record_where, .flush = on_flush_nothing};
    cpu_set_t all, one, seen;
    int cpu = 0;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    while (!CPU_ISSET(cpu, &all))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    CPU_ZERO(&seen);
    struct spool *spool =
        spool_create(&(struct spool_conf){.name = "spool", .room = 1 << 20, .ops = &OPS, .ctx = &seen, .cpus = &one});
    assert_true(spool_put(spool, "", 0));
    spool_free(spool);
    assert_true(CPU_EQUAL(&seen, &one));
}

#define JOURNAL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        JOURNAL_TEST(a_line_says_what_the_entry_says),
        JOURNAL_TEST(long_texts_are_cut_and_say_so),
        JOURNAL_TEST(no_torn_line_is_taken_for_a_whole_one),
        JOURNAL_TEST(entries_are_found_by_rule_peer_and_step_and_survive),
        JOURNAL_TEST(the_oldest_are_forgotten_in_memory_and_not_in_the_file),
        JOURNAL_TEST(a_torn_last_line_is_skipped_wherever_it_was_torn),
        JOURNAL_TEST(a_file_before_at_the_start_is_not_settled),
        JOURNAL_TEST(a_full_file_becomes_the_one_before),
        JOURNAL_TEST(a_file_is_rotated_once_more_only_when_it_is_settled),
        JOURNAL_TEST(a_file_that_cannot_be_rotated_grows_on_until_it_can),
        JOURNAL_TEST(a_file_that_cannot_be_opened_is_tried_again),
        JOURNAL_TEST(without_a_file_it_is_kept_in_memory),
        JOURNAL_TEST(a_spool_keeps_the_order_and_refuses_what_is_too_much),
        JOURNAL_TEST(a_spool_is_small_again_after_a_burst),
        JOURNAL_TEST(a_spool_runs_where_it_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
