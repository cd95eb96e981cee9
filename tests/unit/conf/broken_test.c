/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every file of tests/vectors/broken-config opens with the problems that reading it must report, all of them, in this
 * order and in these words:
 *   # expect: LINE: TEXT
 */
#include "../cm.h"

#include "collect.h"
#include "yaml_dir.h"

static const char MARK[] = "# expect: ";

/* The lines of the file's head that start with MARK, without it. */
static size_t read_expectations(const char *path, struct collected *expected)
{
    char line[1024];
    FILE *file = fopen(path, "r");

    expected->count = 0;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) && strncmp(line, MARK, strlen(MARK)) == 0) {
        line[strcspn(line, "\n")] = '\0';
        snprintf(expected->text[expected->count++], sizeof expected->text[0], "%s", line + strlen(MARK));
    }
    fclose(file);
    return expected->count;
}

/* 0 when the file's problems are the expected ones; else tells what differs. */
static unsigned judge_file(const char *path)
{
    static struct collected expected;
    static struct collected found;
    unsigned wrong = 0;

    found.count = 0;
    if (read_expectations(path, &expected) == 0) {
        print_error("%s: expects nothing\n", path);
        wrong++;
    }
    struct cfg *cfg = cfg_load(path, collect, &found);
    if (cfg) {
        print_error("%s: was taken as valid\n", path);
        wrong++;
    }
    cfg_free(cfg);
    for (size_t i = 0; i < found.count || i < expected.count; i++) {
        const char *want = i < expected.count ? expected.text[i] : "(nothing)";
        const char *have = i < found.count ? found.text[i] : "(nothing)";
        if (strcmp(want, have) == 0)
            continue;
        print_error("%s:\n  want %s\n  have %s\n", path, want, have);
        wrong++;
    }
    return wrong;
}

static void each_broken_file_is_reported_in_its_words(void **state)
{
    unsigned files;

    (void)state;
    assert_int_equal(judge_yaml_files(BROKEN_CONFIG_DIR, judge_file, &files), 0);
    assert_true(files >= 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_broken_file_is_reported_in_its_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
