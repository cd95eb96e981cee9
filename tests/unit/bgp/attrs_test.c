/* SPDX-License-Identifier: BSD-3-Clause */
/* What attributes are read as: values, 2-octet peers (RFC 6793), loops, unknown ones, copies. */
#include <stdio.h>
#include <stdlib.h>

#include "bgp/attrs_pool.h"
#include "fixture.h"
#include "update_log.h"

#define REACH  "800e0c 0001850000 060120cb007107"
#define ORIGIN "40010100"
#define PATH   "400206 0201 0000fde9"

static struct update_log *parsed(struct bgp_update_conf conf, const char *attributes)
{
    struct update_log *log = calloc(1, sizeof *log);

    assert_non_null(log);
    log->conf = conf;
    log->conf.families = BGP_IPV4_FLOWSPEC;
    update_log_parse(log, attributes, NULL, NULL);
    return log;
}

static void done(struct update_log *log)
{
    update_log_free(log);
    free(log);
}

static const struct bgp_update_conf wide = {.four_octet_as = true}, narrow = {.four_octet_as = false};

static void expect_blob(const uint8_t *data, size_t len, const char *hex)
{
    uint8_t expected[512];

    assert_int_equal(len, unhex(hex, expected));
    if (len > 0)
        assert_memory_equal(data, expected, len);
}

static void every_value_arrives(void **state)
{
    struct update_log *log = parsed(wide, "800e10 000185 04 c0000209 00 060120cb007107 40010102" PATH
                                          "800404 00000007 400504 000000c8 400600 c00804 fde90001 800904 01020304"
                                          "800a08 0102030405060708 c01008 8006000000000000"
                                          "c01914 000c20010db80000000000000000000000010000"
                                          "c0200c 0000fde90000000100000002");
    const struct bgp_attrs *a = &log->attrs;

    (void)state;
    assert_true(a->has_origin && a->has_med && a->has_local_pref && a->has_originator_id && a->atomic_aggregate);
    assert_int_equal(a->origin, 2);
    assert_int_equal(a->med, 7);
    assert_int_equal(a->local_pref, 200);
    assert_int_equal(a->originator_id, 0x01020304);
    expect_blob(a->as_path, a->as_path_len, "02010000fde9");
    expect_blob(a->communities, a->communities_len, "fde90001");
    expect_blob(a->cluster_list, a->cluster_list_len, "0102030405060708");
    expect_blob(a->ext_comms, a->ext_comms_len, "8006000000000000");
    expect_blob(a->ext_comms6, a->ext_comms6_len, "000c20010db80000000000000000000000010000");
    expect_blob(a->large_comms, a->large_comms_len, "0000fde90000000100000002");
    assert_int_equal(a->next_hop.family, IP_V4);
    assert_int_equal(a->next_hop.octets[3], 9);
    done(log);
}

static void absent_values_are_absent(void **state)
{
    struct update_log *log = parsed(wide, REACH ORIGIN "400200");
    const struct bgp_attrs *a = &log->attrs;

    (void)state;
    assert_false(a->has_med || a->has_local_pref || a->has_originator_id || a->atomic_aggregate);
    assert_int_equal(a->as_path_len, 0);
    assert_null(a->ext_comms);
    assert_null(a->unknown);
    assert_int_equal(a->next_hop.family, IP_NONE);
    assert_int_equal(bgp_as_path_length(a), 0);
    assert_int_equal(bgp_as_path_first(a), 0);
    done(log);
}

/* conforms: RFC 7606 proves 3-8 */
static void the_first_of_a_repeated_attribute_counts(void **state)
{
    struct update_log *log = parsed(wide, REACH ORIGIN PATH "800404 00000001 800404 00000002");

    (void)state;
    assert_int_equal(log->attrs.med, 1);
    done(log);
}

/* conforms: RFC 4760 proves 3-1 */
static void next_hops_are_read_in_all_their_lengths(void **state)
{
    static const struct {
        const char *reach;
        uint8_t family, last;
    } cases[] = {
        {"800e0d 000185 01 aa 00 060120cb007107", IP_NONE, 0},
        {"800e18 000185 0c 00000000000000000a000005 00 060120cb007107", IP_V4, 0},
        {"800e1c 000185 10 20010db8000000000000000000000007 00 060120cb007107", IP_V6, 7},
        {"800e2c 000185 20 20010db8000000000000000000000008 fe800000000000000000000000000001 00 060120cb007107", IP_V6,
         8},
        {"800e24 000185 18 0000000000000000 20010db8000000000000000000000009 00 060120cb007107", IP_V6, 9},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512];
        snprintf(text, sizeof text, "%s" ORIGIN PATH, cases[i].reach);
        struct update_log *log = parsed(wide, text);
        assert_int_equal(log->attrs.next_hop.family, cases[i].family);
        assert_int_equal(log->attrs.next_hop.octets[15], cases[i].last);
        done(log);
    }
}

/* RFC 6793 4.2.3 */
static void two_octet_paths_are_merged_with_what_was_carried_around(void **state)
{
    static const struct {
        const char *attributes, *path;
        unsigned length;
    } cases[] = {
        /* no AS4_PATH: widened as it is */
        {"400206 0202 fde9 5ba0", "0202 0000fde9 00005ba0", 2},
        /* one AS ahead of a path of one */
        {"400206 0202 fde9 5ba0 c01106 0201 00011170", "0201 0000fde9 0201 00011170", 2},
        {"400204 0201 5ba0 c01106 0201 00011170", "0201 00011170", 1},
        /* AS4_PATH longer than AS_PATH: ignored */
        {"400204 0201 5ba0 c0110a 0202 00011170 00011171", "0201 00005ba0", 1},
        /* confederation segments in an AS4_PATH are left out of it (section 6) */
        {"400206 0202 fde9 5ba0 c0110c 0301 0000000a 0201 00011170", "0201 0000fde9 0201 00011170", 2},
        /* a set counts as one */
        {"40020c 0202 fde9 5ba0 0102 0001 0002 c0110c 0201 00011170 0101 00000005",
         "0201 0000fde9 0201 00011170 0101 00000005", 3},
        {"40020a 0102 0001 0002 0201 5ba0 c01106 0201 00011170", "0102 00000001 00000002 0201 00011170", 2},
        /* confederation segments in front stay and do not count */
        {"40020a 0302 000a 000b 0201 5ba0 c01106 0201 00011170", "0302 0000000a 0000000b 0201 00011170", 1},
        /* an aggregator with a real number: the AS4 attributes are stale */
        {"400204 0201 5ba0 c01106 0201 00011170 c00706 0005 01020304 c01208 00011170 01020304", "0201 00005ba0", 1},
        {"400204 0201 5ba0 c01106 0201 00011170 c00706 5ba0 01020304 c01208 00011170 01020304", "0201 00011170", 1},
        {"400204 0201 5ba0 c01106 0201 00011170 c00706 0005 01020304", "0201 00011170", 1},
        {"400200", "", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512];
        snprintf(text, sizeof text, REACH ORIGIN "%s", cases[i].attributes);
        struct update_log *log = parsed(narrow, text);
        expect_blob(log->attrs.as_path, log->attrs.as_path_len, cases[i].path);
        assert_int_equal(bgp_as_path_length(&log->attrs), cases[i].length);
        done(log);
    }
}

static void the_first_as_and_the_length(void **state)
{
    static const struct {
        const char *path;
        uint32_t first;
        unsigned length;
    } cases[] = {
        {"", 0, 0},
        {"0202 0000fde9 00011170", 65001, 2},
        {"0102 0000fde9 00011170", 0, 1},
        {"0301 00000005 0201 00011170", 70000, 1},
        {"0401 00000005", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t path[64];
        struct bgp_attrs attrs = {.as_path = path, .as_path_len = unhex(cases[i].path, path)};
        assert_int_equal(bgp_as_path_first(&attrs), cases[i].first);
        assert_int_equal(bgp_as_path_length(&attrs), cases[i].length);
    }
}

#define DROPPED "unreach ipv4-flowspec 0120cb007107\n"

/* conforms: RFC 4271 proves 9.1.2-4 refuses 9.1.2-4 */
/* conforms: RFC 4456 proves 8-3 8-5 refuses 8-3 8-5 */
static void paths_that_came_back_are_not_used(void **state)
{
    struct bgp_update_conf conf = {
        .four_octet_as = true, .local_as = 65001, .router_id = 0x01020304, .cluster_id = 0x01020304};
    struct update_log *log = parsed(conf, REACH ORIGIN "40020a 0202 00000005 0000fde9");

    (void)state;
    assert_string_equal(log->text, "attribute AS_PATH: our own AS is in it; treated as withdrawal\n" DROPPED);
    done(log);
    log = parsed(conf, REACH ORIGIN "400200 800904 01020304");
    assert_string_equal(log->text, "attribute ORIGINATOR_ID: is our own; treated as withdrawal\n" DROPPED);
    done(log);
    log = parsed(conf, REACH ORIGIN "400200 800a08 0a000001 01020304");
    assert_string_equal(log->text, "attribute CLUSTER_LIST: our own cluster is in it; treated as withdrawal\n" DROPPED);
    done(log);
    log = parsed(conf, REACH ORIGIN "400206 0201 00000005 800904 01020305 800a04 0a000001");
    assert_string_equal(log->text, "reach ipv4-flowspec 0120cb007107\n");
    done(log);
    /* a loop is nobody's fault: it does not reset where nothing was announced (RFC 7606 5.2) */
    log = parsed(conf, ORIGIN PATH);
    assert_string_equal(log->text, "attribute AS_PATH: our own AS is in it; treated as withdrawal\n");
    done(log);
    /* hidden behind AS_TRANS */
    conf.four_octet_as = false;
    conf.local_as = 70000;
    log = parsed(conf, REACH ORIGIN "400204 0201 5ba0 c01106 0201 00011170");
    assert_string_equal(log->text, "attribute AS_PATH: our own AS is in it; treated as withdrawal\n" DROPPED);
    done(log);
}

/* conforms: RFC 4271 proves 5-5 5-6 5-7 refuses 5-7 */
static void unknown_transitive_attributes_are_kept_with_partial_set(void **state)
{
    struct update_log *log = parsed(wide, REACH "c0ee02 beef" ORIGIN "80ef01 01" PATH "d0f00001 aa");

    (void)state;
    expect_blob(log->attrs.unknown, log->attrs.unknown_len, "e0ee02beef f0f00001aa");
    done(log);
    log = parsed(narrow, REACH "c0ee02 beef" ORIGIN "400204 0201 fde9");
    expect_blob(log->attrs.unknown, log->attrs.unknown_len, "e0ee02beef");
    expect_blob(log->attrs.as_path, log->attrs.as_path_len, "02010000fde9");
    done(log);
}

static void copies_are_equal_until_any_part_differs(void **state)
{
    static const char *const others[] = {
        REACH "40010101" PATH "c01008 8006000000000000 800404 00000001",
        REACH ORIGIN "400200 c01008 8006000000000000 800404 00000001",
        REACH ORIGIN PATH "c01008 8006000000000001 800404 00000001",
        REACH ORIGIN PATH "c01008 8006000000000000 800404 00000002",
        REACH ORIGIN PATH "c01008 8006000000000000",
        REACH ORIGIN PATH "800404 00000001",
        REACH ORIGIN PATH "c01008 8006000000000000 800404 00000001 c0ee00",
        REACH ORIGIN PATH "c01008 8006000000000000 800404 00000001 400600",
        "800e10 000185 04 c0000209 00 060120cb007107" ORIGIN PATH "c01008 8006000000000000 800404 00000001",
    };
    struct update_log *log = parsed(wide, REACH ORIGIN PATH "c01008 8006000000000000 800404 00000001");
    struct bgp_attrs copy;

    (void)state;
    assert_true(bgp_attrs_dup(&log->attrs, &copy));
    assert_true(bgp_attrs_equal(&log->attrs, &copy));
    assert_true(bgp_attrs_hash(&log->attrs) == bgp_attrs_hash(&copy));
    assert_ptr_not_equal(copy.as_path, log->attrs.as_path);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct update_log *other = parsed(wide, others[i]);
        if (bgp_attrs_equal(&copy, &other->attrs) || bgp_attrs_equal(&other->attrs, &copy))
            fail_msg("%s", others[i]);
        done(other);
    }
    done(log);
    bgp_attrs_free(&copy);
    bgp_attrs_free(&copy);
}

/* A message may have hundreds of routes, each with its own label, and attributes of 60,000 octets: held once. */
static void labels_of_a_set_share_its_memory(void **state)
{
    static const uint8_t COMMUNITIES[60000];
    const struct bgp_attrs attrs = {.communities = COMMUNITIES, .communities_len = sizeof COMMUNITIES};
    struct bgp_attrs_pool pool = {0};
    struct bgp_shared_attrs *base = bgp_attrs_pool_take(&pool, &attrs), *labelled[200];

    (void)state;
    assert_ptr_equal(bgp_attrs_pool_label(&pool, base, 0), base);
    bgp_attrs_pool_give(&pool, base);
    for (uint32_t i = 0; i < 200; i++) {
        labelled[i] = bgp_attrs_pool_label(&pool, base, 16 + i / 2);
        assert_int_equal(labelled[i]->attrs.label, 16 + i / 2);
        assert_ptr_equal(labelled[i]->attrs.communities, base->attrs.communities);
        assert_ptr_equal(bgp_attrs_base(labelled[i]), base);
    }
    assert_ptr_equal(labelled[0], labelled[1]);
    assert_int_equal(pool.count, 101);
    bgp_attrs_pool_give(&pool, base); /* they keep it */
    assert_ptr_equal(bgp_attrs_pool_take(&pool, &attrs), base);
    bgp_attrs_pool_give(&pool, base);
    for (uint32_t i = 0; i < 200; i++)
        bgp_attrs_pool_give(&pool, labelled[i]);
    assert_int_equal(pool.count, 0);
    bgp_attrs_pool_clear(&pool);
}

static void a_pool_keeps_each_set_once(void **state)
{
    struct bgp_attrs_pool pool = {0};
    struct bgp_shared_attrs *taken[500];

    (void)state;
    for (uint32_t i = 0; i < 500; i++) {
        taken[i] = bgp_attrs_pool_take(&pool, &(struct bgp_attrs){.has_med = true, .med = i % 250});
        assert_non_null(taken[i]);
        assert_int_equal(taken[i]->attrs.med, i % 250);
    }
    assert_int_equal(pool.count, 250);
    for (uint32_t i = 0; i < 250; i++) {
        assert_ptr_equal(taken[i], taken[i + 250]);
        bgp_attrs_pool_give(&pool, taken[i]);
    }
    assert_int_equal(pool.count, 250);
    for (uint32_t i = 250; i < 500; i++)
        bgp_attrs_pool_give(&pool, taken[i]);
    assert_int_equal(pool.count, 0);
    bgp_attrs_pool_clear(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_arrives),
        cmocka_unit_test(absent_values_are_absent),
        cmocka_unit_test(the_first_of_a_repeated_attribute_counts),
        cmocka_unit_test(next_hops_are_read_in_all_their_lengths),
        cmocka_unit_test(two_octet_paths_are_merged_with_what_was_carried_around),
        cmocka_unit_test(the_first_as_and_the_length),
        cmocka_unit_test(paths_that_came_back_are_not_used),
        cmocka_unit_test(unknown_transitive_attributes_are_kept_with_partial_set),
        cmocka_unit_test(copies_are_equal_until_any_part_differs),
        cmocka_unit_test(labels_of_a_set_share_its_memory),
        cmocka_unit_test(a_pool_keeps_each_set_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
