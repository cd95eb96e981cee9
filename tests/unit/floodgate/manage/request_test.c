/* SPDX-License-Identifier: BSD-3-Clause */
#include "../../cm.h"

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "manage/request.h"

static struct evbuffer *in;
static char *line;
static size_t len;

static int new_buffer(void **state)
{
    (void)state;
    in = evbuffer_new();
    return in == NULL;
}

static int free_buffer(void **state)
{
    (void)state;
    evbuffer_free(in);
    return 0;
}

static void expect_line(bool at_end, const char *expected)
{
    assert_int_equal(request_read(in, at_end, &line, &len), REQUEST_LINE);
    assert_string_equal(line, expected);
    assert_int_equal(len, strlen(expected));
    free(line);
}

static void a_line_in_pieces_is_one_request(void **state)
{
    (void)state;
    evbuffer_add_printf(in, "{\"comm");
    assert_int_equal(request_read(in, false, &line, &len), REQUEST_NONE);
    evbuffer_add_printf(in, "and\": 1}\n{");
    expect_line(false, "{\"command\": 1}");
    assert_int_equal(request_read(in, false, &line, &len), REQUEST_NONE);
}

static void lines_at_once_are_requests_in_order_and_blank_ones_are_none(void **state)
{
    (void)state;
    evbuffer_add_printf(in, "a\n\n  \t\r\nb\n");
    expect_line(false, "a");
    expect_line(false, "b");
    assert_int_equal(request_read(in, false, &line, &len), REQUEST_NONE);
}

static void the_end_of_the_stream_ends_the_last_line(void **state)
{
    (void)state;
    evbuffer_add_printf(in, "a\nb");
    expect_line(true, "a");
    expect_line(true, "b");
    assert_int_equal(request_read(in, true, &line, &len), REQUEST_NONE);
}

static void fill(size_t octets)
{
    char *text = malloc(octets);

    memset(text, 'x', octets);
    evbuffer_add(in, text, octets);
    free(text);
}

static void a_line_may_be_as_long_as_the_limit_and_no_longer(void **state)
{
    (void)state;
    fill(REQUEST_MAX);
    assert_int_equal(request_read(in, false, &line, &len), REQUEST_NONE);
    evbuffer_add(in, "\n", 1);
    assert_int_equal(request_read(in, false, &line, &len), REQUEST_LINE);
    assert_int_equal(len, REQUEST_MAX);
    free(line);
    fill(REQUEST_MAX + 1);
    assert_int_equal(request_read(in, false, &line, &len), REQUEST_TOO_LONG);
}

static void expect_parse_error(const char *text, const char *expected)
{
    json_t *request;
    const json_t *args;
    const char *command;
    char why[REQUEST_ERROR];

    assert_false(request_parse(text, strlen(text), &request, &command, &args, why));
    if (strncmp(why, expected, strlen(expected)) != 0)
        assert_string_equal(why, expected);
}

static void what_is_no_request_is_refused_with_its_reason(void **state)
{
    (void)state;
    expect_parse_error("{\"command\": \"rules\"", "not JSON at column ");
    expect_parse_error("{\"command\": \"a\", \"command\": \"b\"}", "not JSON at column ");
    expect_parse_error("[]", "a request is {");
    expect_parse_error("{}", "a request is {");
    expect_parse_error("{\"command\": 7}", "a request is {");
    expect_parse_error("{\"command\": \"rules\", \"arg\": {}}", "unknown key 'arg': a request is {");
    expect_parse_error("{\"command\": \"rules\", \"args\": 1}", "args must be an object: a request is {");
}

static bool check(const char *text, char *why)
{
    static const struct request_arg TABLE[] = {
        {"family", ARG_STRING, false}, {"limit", ARG_UINT, true}, {NULL, 0, false}};
    const json_t *args;
    const char *command;
    json_t *request;

    assert_true(request_parse(text, strlen(text), &request, &command, &args, why));
    assert_string_equal(command, "rules");
    bool good = request_check_args(args, TABLE, why);
    if (good)
        assert_int_equal(request_uint(args, "limit", 0), 3);
    json_decref(request);
    return good;
}

static void arguments_are_checked_against_the_table(void **state)
{
    char why[REQUEST_ERROR];

    (void)state;
    assert_true(check("{\"command\": \"rules\", \"args\": {\"limit\": 3}}", why));
    assert_true(check("{\"command\": \"rules\", \"args\": {\"limit\": 3, \"family\": \"ipv4\"}}", why));
    assert_false(check("{\"command\": \"rules\"}", why));
    assert_string_equal(why, "argument 'limit' is missing");
    assert_false(check("{\"command\": \"rules\", \"args\": {\"limit\": -3}}", why));
    assert_string_equal(why, "argument 'limit' must be a whole number, 0 or above");
    assert_false(check("{\"command\": \"rules\", \"args\": {\"limit\": 3.5}}", why));
    assert_false(check("{\"command\": \"rules\", \"args\": {\"limit\": 3, \"family\": 4}}", why));
    assert_string_equal(why, "argument 'family' must be a string");
    assert_false(check("{\"command\": \"rules\", \"args\": {\"limit\": 3, \"peer\": \"x\"}}", why));
    assert_string_equal(why, "unknown argument 'peer'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_in_pieces_is_one_request, new_buffer, free_buffer),
        cmocka_unit_test_setup_teardown(lines_at_once_are_requests_in_order_and_blank_ones_are_none, new_buffer,
                                        free_buffer),
        cmocka_unit_test_setup_teardown(the_end_of_the_stream_ends_the_last_line, new_buffer, free_buffer),
        cmocka_unit_test_setup_teardown(a_line_may_be_as_long_as_the_limit_and_no_longer, new_buffer, free_buffer),
        cmocka_unit_test(what_is_no_request_is_refused_with_its_reason),
        cmocka_unit_test(arguments_are_checked_against_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
