/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include "base/strbuf.h"

static void builds_text(void **state)
{
    char text[32];
    struct strbuf sb = sb_init(text, sizeof text);
    static const uint8_t octets[] = {0x0f, 0xa0};

    (void)state;
    sb_text(&sb, "a");
    sb_char(&sb, '-');
    sb_printf(&sb, "%d.", 42);
    sb_hex(&sb, octets, sizeof octets);
    assert_string_equal(text, "a-42.0fa0");
    assert_int_equal(sb.length, 9);
    assert_false(sb_truncated(&sb));
}

static void counts_what_does_not_fit(void **state)
{
    char text[4] = "zzz";
    struct strbuf sb = sb_init(text, sizeof text);

    (void)state;
    sb_printf(&sb, "%s", "abcdef");
    sb_char(&sb, 'g');
    sb_printf(&sb, "%d", 12);
    assert_string_equal(text, "abc");
    assert_int_equal(sb.length, 9);
    assert_true(sb_truncated(&sb));
}

static void measures_without_a_buffer(void **state)
{
    struct strbuf sb = sb_init(NULL, 0);

    (void)state;
    sb_text(&sb, "abc");
    sb_printf(&sb, "%u", 7u);
    assert_int_equal(sb.length, 4);
    assert_true(sb_truncated(&sb));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_text),
        cmocka_unit_test(counts_what_does_not_fit),
        cmocka_unit_test(measures_without_a_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
