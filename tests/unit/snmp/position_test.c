/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "position.h"

static char folder[64], path[96];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/fg-snmp-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/state", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void positions_are_read_again(void **state)
{
    const struct positions saved = {.decisions = UINT64_MAX, .verdicts = 7};
    struct positions read = {0};

    (void)state;
    assert_false(positions_load(path, &read));
    assert_int_equal(positions_save(path, &saved), 0);
    assert_int_equal(positions_save(path, &saved), 0);
    assert_true(positions_load(path, &read));
    assert_memory_equal(&read, &saved, sizeof read);
}

static void what_is_torn_or_something_else_is_refused(void **state)
{
    static const char *const FILES[] = {"",
                                        "floodgate-snmp positions 12",
                                        "floodgate-snmp positions 12 34",
                                        "floodgate-snmp positions 12 34 en",
                                        "floodgate-snmp positions twelve 34 end",
                                        "root:x:0:0:root:/root:/bin/bash\n"};
    struct positions read = {.decisions = 1, .verdicts = 2};

    (void)state;
    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(FILES[i], file);
        fclose(file);
        assert_false(positions_load(path, &read));
        assert_int_equal(read.decisions, 1);
        assert_int_equal(read.verdicts, 2);
    }
}

static void a_file_that_cannot_be_written_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(positions_save("/nonexistent/state", &(struct positions){0}), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_are_read_again),
        cmocka_unit_test(what_is_torn_or_something_else_is_refused),
        cmocka_unit_test(a_file_that_cannot_be_written_is_an_error),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
