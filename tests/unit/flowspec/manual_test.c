/* SPDX-License-Identifier: BSD-3-Clause */
/* Every rule that floodgate-rules(5) shows parses, and every name that the parser knows stands in the manual. */
#include "fs_test.h"

#include <stdio.h>

#define EXAMPLES_MIN 5

static const char *manual; /* its path */

static void examples_parse(void **state)
{
    FILE *file = fopen(manual, "r");
    unsigned examples = 0;
    char line[512];

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, ".Dl match ", 10) != 0)
            continue;
        fs_rule_free(rule_from_text(line + 4));
        examples++;
    }
    fclose(file);
    assert_true(examples >= EXAMPLES_MIN);
}

static void names_are_documented(void **state)
{
    static char text[65536];
    FILE *file = fopen(manual, "r");

    (void)state;
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    assert_true(len > 0 && len < sizeof text - 1);
    for (unsigned type = 1; type <= FS_COMPONENTS_MAX; type++) {
        char row[64];

        snprintf(row, sizeof row, ".It Cm %s Ta %u Ta", fs_type_name(type), type);
        if (!strstr(text, row))
            fail_msg("%s is not in the table of the manual", fs_type_name(type));
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_parse),
        cmocka_unit_test(names_are_documented),
    };

    if (argc < 2)
        return 2;
    manual = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
