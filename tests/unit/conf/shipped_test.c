/* SPDX-License-Identifier: BSD-3-Clause */
/* The configurations that come with the product are read without a problem; so are the manual's examples. */
#include "../cm.h"

#include <stdlib.h>

#include "collect.h"
#include "yaml_dir.h"

static struct collected found;

static unsigned judge_shipped(const char *path)
{
    found.count = 0;
    struct cfg *cfg = cfg_load(path, collect, &found);
    unsigned wrong = cfg == NULL;

    for (size_t p = 0; p < found.count; p++)
        print_error("%s:%s\n", path, found.text[p]);
    cfg_free(cfg);
    return wrong;
}

static void each_shipped_file_loads(void **state)
{
    unsigned files;

    (void)state;
    assert_int_equal(judge_yaml_files(CONFIG_DIR, judge_shipped, &files), 0);
    assert_true(files >= 3);
}

/* The first literal display of the manual page that starts at or behind `from`, cut out in place; NULL: none. */
static char *cut_example(char *from, char **rest)
{
    static const char BEGIN[] = ".Bd -literal -offset indent\n";
    char *begin = strstr(from, BEGIN);
    char *end = begin ? strstr(begin, "\n.Ed") : NULL;

    if (!end)
        return NULL;
    end[1] = '\0';
    *rest = end + 2;
    return begin + strlen(BEGIN);
}

static void the_manual_s_complete_examples_load(void **state)
{
    FILE *file = fopen(MAN_PAGE, "r");
    char *page = NULL;
    size_t size = 0;
    unsigned complete = 0;

    (void)state;
    assert_non_null(file);
    assert_true(getdelim(&page, &size, '\0', file) > 0);
    fclose(file);
    for (char *rest = page, *text = cut_example(rest, &rest); text; text = cut_example(rest, &rest)) {
        if (strncmp(text, "router:", 7) != 0)
            continue; /* part of a file, or messages */
        struct cfg *cfg = parse_text(text, &found);
        assert_non_null(cfg);
        cfg_free(cfg);
        complete++;
    }
    free(page);
    assert_int_equal(complete, 2);
}

static void the_role_files_are_what_they_say(void **state)
{
    struct cfg *lab = cfg_load(CONFIG_DIR "/lab-pcap.yaml", collect, &found);
    struct cfg *wire = cfg_load(CONFIG_DIR "/wire-nic.yaml", collect, &found);
    struct cfg *edge = cfg_load(CONFIG_DIR "/edge-router.yaml", collect, &found);

    (void)state;
    assert_non_null(lab);
    assert_int_equal(lab->dataplane.hugepages, CFG_HUGEPAGES_OFF);
    assert_int_equal(strncmp(lab->ports[0].device, "net_pcap", 8), 0);
    assert_non_null(wire);
    assert_int_equal(wire->ports[0].mode, CFG_PORT_WIRE);
    assert_int_equal(strncmp(wire->ports[0].device, "0000:", 5), 0);
    assert_non_null(edge);
    assert_int_equal(edge->ports[0].mode, CFG_PORT_ROUTE);
    assert_true(edge->guard.set);
    cfg_free(lab);
    cfg_free(wire);
    cfg_free(edge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_shipped_file_loads),
        cmocka_unit_test(the_manual_s_complete_examples_load),
        cmocka_unit_test(the_role_files_are_what_they_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
