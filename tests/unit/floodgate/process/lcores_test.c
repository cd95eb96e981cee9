/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcores.h"

#include <stdarg.h>

#include "cm.h"
#include "conf/conf.h"

static void count_line(void *ctx, enum log_level level, const char *fmt, va_list args)
{
    (void)fmt;
    (void)args;
    assert_int_equal(level, LOG_LEVEL_WARNING);
    ++*(unsigned *)ctx;
}

/* The lcores of `dp` where CPUs first..last are allowed, and how many warnings there are. */
static void expect(const struct cfg_dataplane *dp, int first, int last, const char *lcores, unsigned warnings)
{
    char text[2048];
    struct strbuf out = sb_init(text, sizeof text);
    unsigned lines = 0;
    struct log_hook log = {.write = count_line, .ctx = &lines};
    cpu_set_t cpus;

    CPU_ZERO(&cpus);
    for (int cpu = first; cpu <= last; cpu++)
        CPU_SET(cpu, &cpus);
    lcores_choose(dp, &cpus, &out, &log);
    assert_string_equal(text, lcores);
    assert_int_equal(lines, warnings);
}

static void workers_run_on_the_cpus_they_name(void **state)
{
    struct cfg_dataplane dp = {.workers = {1, 3}, .worker_count = 2, .control_lcore = 2};

    (void)state;
    expect(&dp, 0, 3, "2@2,1@1,3@3", 0);
}

static void an_lcore_without_a_cpu_shares_one_and_says_so(void **state)
{
    struct cfg_dataplane dp = {.workers = {1, 7}, .worker_count = 2};

    (void)state;
    expect(&dp, 0, 1, "0@0,1@1,7@1", 1);
}

static void auto_takes_every_cpu_but_the_control_threads(void **state)
{
    struct cfg_dataplane dp = {.workers_auto = true, .control_lcore = 1};

    (void)state;
    expect(&dp, 0, 3, "1@1,0@0,2@2,3@3", 0);
}

/* A container that may use CPUs 4 to 7: lcore 0 lands on CPU 4, which no worker may then poll on. */
static void auto_leaves_the_cpu_that_the_control_thread_really_has(void **state)
{
    struct cfg_dataplane dp = {.workers_auto = true, .control_lcore = 0};

    (void)state;
    expect(&dp, 4, 7, "0@4,5@5,6@6,7@7", 1);
}

static void auto_on_one_cpu_shares_it(void **state)
{
    struct cfg_dataplane low = {.workers_auto = true}, high = {.workers_auto = true, .control_lcore = 127};

    (void)state;
    expect(&low, 0, 0, "0@0,1@0", 1);
    expect(&high, 0, 0, "127@0,0@0", 1);
}

static void auto_names_no_lcore_that_eal_does_not_know(void **state)
{
    struct cfg_dataplane dp = {.workers_auto = true, .control_lcore = 126};

    (void)state;
    expect(&dp, 125, 200, "126@126,125@125,127@127", 0);
}

static cpu_set_t cpus_of(unsigned first, unsigned last)
{
    cpu_set_t cpus;

    CPU_ZERO(&cpus);
    for (unsigned cpu = first; cpu <= last; cpu++)
        CPU_SET(cpu, &cpus);
    return cpus;
}

static void the_rest_is_what_no_worker_has(void **state)
{
    cpu_set_t cpus = cpus_of(0, 7), workers = cpus_of(2, 9), rest = cpus_of(0, 1);

    (void)state;
    lcores_rest(&cpus, &workers);
    assert_true(CPU_EQUAL(&cpus, &rest));
    workers = cpus_of(0, 3); /* all: then they are shared */
    lcores_rest(&cpus, &workers);
    assert_true(CPU_EQUAL(&cpus, &rest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_run_on_the_cpus_they_name),
        cmocka_unit_test(an_lcore_without_a_cpu_shares_one_and_says_so),
        cmocka_unit_test(auto_takes_every_cpu_but_the_control_threads),
        cmocka_unit_test(auto_leaves_the_cpu_that_the_control_thread_really_has),
        cmocka_unit_test(auto_on_one_cpu_shares_it),
        cmocka_unit_test(auto_names_no_lcore_that_eal_does_not_know),
        cmocka_unit_test(the_rest_is_what_no_worker_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
