/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/numa.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cm.h"
#include "dataplane/worker.h"

static char said[2048];

static void keep_line(void *ctx, enum log_level level, const char *fmt, va_list args)
{
    size_t len = strlen(said);

    (void)ctx;
    assert_int_equal(level, LOG_LEVEL_WARNING);
    vsnprintf(said + len, sizeof said - len, fmt, args);
    strcat(said, "\n");
}

static unsigned warnings(const struct worker *workers, unsigned count, int control_node)
{
    struct log_hook log = {.write = keep_line};
    unsigned lines = 0;

    said[0] = '\0';
    numa_place_warn(workers, count, control_node, &log);
    for (const char *c = said; *c != '\0'; c++)
        lines += *c == '\n';
    return lines;
}

static void all_on_one_node_is_silent(void **state)
{
    struct port port = {.name = "wan", .socket = 0};
    struct worker workers[2] = {{.socket = 0, .queue_count = 1, .queues = {{.in = &port}}}, {.socket = 0}};

    (void)state;
    assert_int_equal(warnings(workers, 2, 0), 0);
}

static void a_port_polled_from_another_node_is_named(void **state)
{
    struct port wan = {.name = "wan", .socket = 1}, lan = {.name = "lan", .socket = 0};
    struct worker worker = {.socket = 0, .lcore = 5, .queue_count = 2, .queues = {{.in = &wan}, {.in = &lan}}};

    (void)state;
    assert_int_equal(warnings(&worker, 1, 0), 1);
    assert_non_null(strstr(said, "port wan is on NUMA node 1"));
    assert_non_null(strstr(said, "lcore 5 on node 0"));
}

static void a_control_thread_apart_from_all_workers_is_told(void **state)
{
    struct worker workers[2] = {{.socket = 1}, {.socket = 1}};

    (void)state;
    assert_int_equal(warnings(workers, 2, 0), 1);
    assert_non_null(strstr(said, "control thread runs on NUMA node 0"));
    workers[1].socket = 0; /* one of them near is enough */
    assert_int_equal(warnings(workers, 2, 0), 0);
}

static void what_has_no_node_is_nowhere_apart(void **state)
{
    struct port port = {.name = "wan", .socket = -1}, placed = {.name = "lan", .socket = 1};
    struct worker worker = {.socket = 0, .queue_count = 1, .queues = {{.in = &port}}};

    (void)state;
    assert_int_equal(warnings(&worker, 1, 0), 0);
    worker = (struct worker){.socket = -1, .queue_count = 1, .queues = {{.in = &placed}}};
    assert_int_equal(warnings(&worker, 1, 0), 0);
    assert_int_equal(warnings(&worker, 1, -1), 0);
    assert_int_equal(numa_place_of_cpu(-1), -1);
}

static void memory_is_zero_and_starts_a_cache_line(void **state)
{
    int nodes[] = {-1, numa_place_of_cpu(0)};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *memory = numa_place_alloc(100, nodes[i]);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 64, 0);
        for (unsigned at = 0; at < 100; at++)
            assert_int_equal(memory[at], 0);
        numa_place_free(memory, 100, nodes[i]);
    }
    numa_place_free(NULL, 100, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_on_one_node_is_silent),
        cmocka_unit_test(a_port_polled_from_another_node_is_named),
        cmocka_unit_test(a_control_thread_apart_from_all_workers_is_told),
        cmocka_unit_test(what_has_no_node_is_nowhere_apart),
        cmocka_unit_test(memory_is_zero_and_starts_a_cache_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
