/* SPDX-License-Identifier: BSD-3-Clause */
#include "fs_test.h"

static void a_copy_outlives_its_original(void **state)
{
    struct fs_rule *rule = rule_from_text("match rd 65000:1 destination 10.0.0.0/8 port 1-5 tcp-flags syn");
    struct fs_rule *copy = fs_rule_dup(rule);

    (void)state;
    assert_true(fs_rule_equal(rule, copy));
    fs_rule_free(rule);
    assert_string_equal(match_of(copy), "destination 10.0.0.0/8 port >=1&<=5 tcp-flags syn");
    assert_string_equal(hex_of(copy), "130000fde800000001"
                                      "01080a"
                                      "040301c505"
                                      "098002");
    fs_rule_free(copy);
}

static void a_copy_of_a_rule_without_terms_is_whole(void **state)
{
    struct fs_rule *rule = rule_from_text("match source 2001:db8::/32");
    struct fs_rule *copy = fs_rule_dup(rule);

    (void)state;
    assert_true(fs_rule_equal(rule, copy));
    fs_rule_free(rule);
    fs_rule_free(copy);
    fs_rule_free(NULL);
}

static void types_have_names_and_kinds(void **state)
{
    (void)state;
    assert_string_equal(fs_type_name(FS_DESTINATION), "destination");
    assert_string_equal(fs_type_name(FS_FLOW_LABEL), "flow-label");
    assert_null(fs_type_name(0));
    assert_null(fs_type_name(14));
    assert_null(fs_type_name(255));
    assert_true(fs_type_is_bitmask(FS_FRAGMENT) && fs_type_is_bitmask(FS_TCP_FLAGS));
    assert_false(fs_type_is_bitmask(FS_DSCP));
    assert_true(fs_type_is_prefix(FS_SOURCE));
    assert_false(fs_type_is_prefix(FS_PROTOCOL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_outlives_its_original),
        cmocka_unit_test(a_copy_of_a_rule_without_terms_is_whole),
        cmocka_unit_test(types_have_names_and_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
