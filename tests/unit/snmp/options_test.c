/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

/* Words with blanks between them. */
static enum options_said read_words(const char *words, struct options *out)
{
    static char text[512];
    char *argv[16] = {(char[]){"floodgate-snmp"}};
    int argc = 1;

    strncpy(text, words, sizeof text - 1);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    optind = 0; /* glibc: begin anew */
    return options_read(argc, argv, out);
}

static void options_have_their_defaults(void **state)
{
    struct options options;

    (void)state;
    unsetenv("FLOODGATE_SOCKET");
    assert_int_equal(read_words("", &options), OPTIONS_RUN);
    assert_string_equal(options.socket, "/run/floodgate/api.sock");
    assert_null(options.agentx);
    assert_null(options.state_file);
    assert_int_equal(options.rules_most, 10000);
    assert_int_equal(options.root_len, 10);
    assert_int_equal(options.root[9], 9469);
    setenv("FLOODGATE_SOCKET", "other.sock", 1);
    assert_int_equal(read_words("", &options), OPTIONS_RUN);
    assert_string_equal(options.socket, "other.sock");
    unsetenv("FLOODGATE_SOCKET");
}

static void options_are_read(void **state)
{
    struct options options;

    (void)state;
    assert_int_equal(read_words("-s a.sock --agentx tcp:localhost:7051 --state here --oid .1.3.6.1.4.1.4294967295.1 "
                                "--rules 0 --burst 10000 --rate=1",
                                &options),
                     OPTIONS_RUN);
    assert_string_equal(options.socket, "a.sock");
    assert_string_equal(options.agentx, "tcp:localhost:7051");
    assert_string_equal(options.state_file, "here");
    assert_int_equal(options.root_len, 8);
    assert_int_equal(options.root[6], 4294967295);
    assert_int_equal(options.rules_most, 0);
    assert_int_equal(options.burst, 10000);
    assert_int_equal(options.per_s, 1);
}

static void wrong_ones_are_refused(void **state)
{
    static const char *const WRONG[] = {
        "--oid 1.3",
        "--oid 1..3.6",
        "--oid 1.3.6.x",
        "--oid 1.3.6.",
        "--oid 1.3.6.4294967296",
        "--oid -1.3.6",
        "--rules -1",
        "--rules 1000001",
        "--rules 10k",
        "--rules",
        "--burst 0",
        "--rate 0",
        "--rate",
        "--nonsense",
        "word",
        "-x",
        "-s",
        "--oid 1.3.6.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1", /* 29: an index below it might not fit */
    };
    struct options options;

    (void)state;
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++)
        if (read_words(WRONG[i], &options) != OPTIONS_WRONG)
            fail_msg("%s is taken", WRONG[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_have_their_defaults),
        cmocka_unit_test(options_are_read),
        cmocka_unit_test(wrong_ones_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
