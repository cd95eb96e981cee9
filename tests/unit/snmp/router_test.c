/* SPDX-License-Identifier: BSD-3-Clause */
/* Questions to a router that answers, refuses, talks nonsense, goes, or stands still. */
#include "../cm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "router.h"

static atomic_bool stop;

/* What a router says of itself that answers with these octets; NULL: it hangs up. */
static const char *ask(const char *answer, json_t **result)
{
    static struct router router;
    char question[256] = "";
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    router_init(&router, "", &stop);
    router.fd = ends[0];
    if (answer != NULL)
        assert_int_equal(write(ends[1], answer, strlen(answer)), (ssize_t)strlen(answer));
    else
        shutdown(ends[1], SHUT_WR);
    *result = router_ask(&router, "journal", json_pack("{s:i}", "limit", 7));
    assert_true(read(ends[1], question, sizeof question - 1) > 0);
    assert_string_equal(question, "{\"command\":\"journal\",\"args\":{\"limit\":7}}\n");
    assert_int_equal(router.fd >= 0, *result != NULL); /* after a failure by a new connection */
    router_close(&router);
    close(ends[1]);
    return router.why;
}

static void an_answer_is_given_or_why_there_is_none(void **state)
{
    static const struct {
        const char *answer, *why;
    } CASES[] = {{"{\"ok\":false,\"error\":\"no such thing\"}\n", "it refuses: no such thing"},
                 {"{\"ok\":true,\"result\":[1,2}\n", "it gave an answer that is not JSON"},
                 {NULL, "it closed the connection"}};
    json_t *result;

    (void)state;
    ask("{\"ok\":true,\"result\":[1,2]}\n", &result);
    assert_int_equal(json_array_size(result), 2);
    json_decref(result);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_string_equal(ask(CASES[i].answer, &result), CASES[i].why);
        assert_null(result);
    }
}

static void nobody_is_waited_for_once_the_program_ends(void **state)
{
    struct router router;
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    router_init(&router, "", &stop);
    router.fd = ends[0];
    atomic_store(&stop, true);
    assert_null(router_ask(&router, "status", NULL));
    atomic_store(&stop, false);
    assert_string_equal(router.why, "the program ends");
    close(ends[1]);
}

/* Its socket is there, and nobody takes connections from it. */
static void a_router_that_stands_still_is_not_waited_for_to_connect(void **state)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), waiting[64];
    size_t count = 0;
    struct router router;

    (void)state;
    snprintf(addr.sun_path, sizeof addr.sun_path, "snmp-router-test-%d.sock", (int)getpid());
    assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(listen(listener, 1), 0);
    do
        waiting[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    while (connect(waiting[count++], (struct sockaddr *)&addr, sizeof addr) == 0 && count < 64);
    assert_int_equal(errno, EAGAIN);
    router_init(&router, addr.sun_path, &stop);
    assert_null(router_ask(&router, "status", NULL));
    assert_string_equal(router.why, "it takes no connection");
    while (count > 0)
        close(waiting[--count]);
    close(listener);
    unlink(addr.sun_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_given_or_why_there_is_none),
        cmocka_unit_test(nobody_is_waited_for_once_the_program_ends),
        cmocka_unit_test(a_router_that_stands_still_is_not_waited_for_to_connect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
