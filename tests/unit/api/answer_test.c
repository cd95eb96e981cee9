/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include <stdlib.h>
#include <string.h>

#include "api/answer.h"

static char seen[8192];

static bool keep(void *ctx, const char *data, size_t len)
{
    (void)ctx;
    strncat(seen, data, len);
    return true;
}

/* Feeds `text` in pieces of `piece` octets. */
static bool feed(struct answer *answer, const char *text, size_t piece)
{
    bool good = true;

    seen[0] = '\0';
    answer_init(answer, keep, NULL);
    for (size_t len = strlen(text); good && len > 0; len -= piece < len ? piece : len) {
        good = answer_feed(answer, text, piece < len ? piece : len);
        text += piece < len ? piece : len;
    }
    return good;
}

static void a_result_comes_out_whole_in_any_cut(void **state)
{
    static const char TEXT[] = "{\"ok\":true,\"result\":[{\"a\":\"}\"},{}]}\n";
    struct answer answer;

    (void)state;
    for (size_t piece = 1; piece <= sizeof TEXT; piece++) {
        assert_true(feed(&answer, TEXT, piece));
        assert_true(answer.ok);
        assert_true(answer.complete);
        assert_string_equal(seen, "[{\"a\":\"}\"},{}]");
    }
}

static void an_error_is_kept_for_its_reader(void **state)
{
    static const char TEXT[] = "{\"ok\":false,\"error\":\"no rule 7\"}\n";
    struct answer answer;

    (void)state;
    for (size_t piece = 1; piece <= sizeof TEXT; piece++) {
        assert_true(feed(&answer, TEXT, piece));
        assert_false(answer.ok);
        assert_true(answer.complete);
        assert_string_equal(seen, "");
        assert_int_equal(answer.head_len, sizeof TEXT - 2);
        assert_memory_equal(answer.head, TEXT, sizeof TEXT - 2);
    }
}

static void an_answer_without_its_newline_is_not_complete(void **state)
{
    struct answer answer;

    (void)state;
    assert_true(feed(&answer, "{\"ok\":true,\"result\":1}", 100));
    assert_false(answer.complete);
    assert_true(feed(&answer, "{\"ok\":", 100));
    assert_false(answer.complete);
}

static void endless_garbage_is_refused(void **state)
{
    char text[8000];
    struct answer answer;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_false(feed(&answer, text, sizeof text));
    assert_false(feed(&answer, text, 7));
}

static void list(void *ctx, const char *text, size_t len)
{
    (void)ctx;
    strncat(seen, text, len);
    strcat(seen, "|");
}

static void expect_split(const char *text, const char *expected)
{
    for (size_t piece = 1; piece <= strlen(text); piece++) {
        struct splitter splitter = {.element = list};
        seen[0] = '\0';
        for (size_t at = 0; at < strlen(text); at += piece)
            assert_true(splitter_feed(&splitter, text + at, strlen(text + at) < piece ? strlen(text + at) : piece));
        assert_string_equal(seen, expected);
        splitter_free(&splitter);
    }
}

static void an_array_splits_into_its_elements(void **state)
{
    (void)state;
    expect_split("[]", "");
    expect_split("[{\"a\":1}]", "{\"a\":1}|");
    expect_split("[{\"a\":[1,2]},{\"b\":{}}]", "{\"a\":[1,2]}|{\"b\":{}}|");
}

static void brackets_and_commas_in_strings_split_nothing(void **state)
{
    (void)state;
    expect_split("[{\"a\":\"]},{\\\"[\"},{\"b\":\"\\\\\"}]", "{\"a\":\"]},{\\\"[\"}|{\"b\":\"\\\\\"}|");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_comes_out_whole_in_any_cut),
        cmocka_unit_test(an_error_is_kept_for_its_reader),
        cmocka_unit_test(an_answer_without_its_newline_is_not_complete),
        cmocka_unit_test(endless_garbage_is_refused),
        cmocka_unit_test(an_array_splits_into_its_elements),
        cmocka_unit_test(brackets_and_commas_in_strings_split_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
