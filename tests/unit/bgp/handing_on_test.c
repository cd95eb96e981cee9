/* SPDX-License-Identifier: BSD-3-Clause */
/* What is said of a path to whom, and when: RFC 4271 5 and 9.2, RFC 4456 8 and 10. */
#include <stdio.h>
#include <string.h>

#include "bgp/adj_out.h"
#include "bgp/as_path.h"
#include "bgp/export.h"
#include "fixture.h"
#include "flowspec/text.h"
#include "update_log.h"

#define REACH  "800e0c 0001850000 060120cb007107"
#define ORIGIN "40010102"
#define PATH   "400206 0201 0000fde9"

static uint8_t room[BGP_EXPORT_ROOM];
static const struct bgp_export reflected = {
    .local_as = 65000, .from_client = true, .from_router_id = 0x0a000001, .to_router_id = 0x0a000002, .cluster_id = 7};
static const struct bgp_export outside = {.local_as = 65000, .to_ebgp = true, .from_ebgp = true};

/* The attributes of an UPDATE as they are handed on, the MP attribute left out, are these octets. */
static void expect_handed_on(const char *attributes, const struct bgp_export *how, const char *expected)
{
    struct update_log log = {.conf = {.families = BGP_IPV4_FLOWSPEC, .four_octet_as = true}};
    uint8_t sent[2048], wanted[2048];
    struct byte_writer w = bw_init(sent, sizeof sent);
    struct bgp_attrs out;
    size_t len = unhex(expected, wanted);

    update_log_parse(&log, attributes, NULL, NULL);
    bgp_attrs_export(&log.attrs, how, &out, room);
    bgp_attrs_write(&out, true, &w);
    assert_false(w.failed);
    assert_int_equal(bw_len(&w), len);
    assert_memory_equal(sent, wanted, len);
    update_log_free(&log);
}

/* conforms: RFC 4456 proves 10-1 8-1 8-4 */
/* conforms: RFC 4271 proves 5.1.1-1 5.1.2-1 5.1.6-2 */
static void a_reflector_changes_nothing_but_what_is_its_own(void **state)
{
    (void)state;
    expect_handed_on(REACH ORIGIN PATH "800404 00000007 400504 000000c8 400600", &reflected,
                     ORIGIN PATH "800404 00000007 400504 000000c8 400600 800904 0a000001 800a04 00000007");
}

/* conforms: RFC 4271 proves 5.1.1-1 5.1.2-2 5.1.4-2 5.1.5-3 5.1.6-2 */
static void to_another_as_go_the_path_and_what_is_transitive(void **state)
{
    (void)state;
    expect_handed_on(REACH ORIGIN PATH "800404 00000007 400504 000000c8 400600 800904 0a000009 800a04 00000008",
                     &outside, ORIGIN "40020a 0202 0000fde8 0000fde9 400600");
}

/* conforms: RFC 4271 proves 5-5 5-6 */
static void a_partial_bit_that_was_set_stays_set(void **state)
{
    const char *marked = "e00708 0000fde9 c0000201 e00804 fde90001 e01008 8006000000000000"
                         "e01914 000c20010db80000000000000000000000010000 e0200c 0000fde90000000100000002 e0ee01 aa";
    const char *unmarked = "c00708 0000fde9 c0000201 c00804 fde90001 c01008 8006000000000000"
                           "c01914 000c20010db80000000000000000000000010000 c0200c 0000fde90000000100000002";
    char attributes[1024], expected[1024];

    (void)state;
    snprintf(attributes, sizeof attributes, REACH ORIGIN PATH "%s", marked);
    snprintf(expected, sizeof expected, ORIGIN "40020a 0202 0000fde8 0000fde9 %s", marked);
    expect_handed_on(attributes, &outside, expected);
    snprintf(attributes, sizeof attributes, REACH ORIGIN PATH "%s c0ee01 aa", unmarked);
    snprintf(expected, sizeof expected, ORIGIN "40020a 0202 0000fde8 0000fde9 %s e0ee01 aa", unmarked);
    expect_handed_on(attributes, &outside, expected);
}

/* conforms: RFC 4271 proves 5.1.2-3 */
static void a_segment_of_255_ases_gets_a_new_one_in_front(void **state)
{
    static uint8_t path[2 + 255 * 4], out[sizeof path + 6];
    static const uint8_t front[] = {BGP_AS_SEQUENCE, 1, 0, 0, 0xfd, 0xe8};

    (void)state;
    memset(path, 1, sizeof path);
    path[0] = BGP_AS_SEQUENCE;
    path[1] = 255;
    assert_int_equal(bgp_as_path_prepend(path, sizeof path, 65000, out), sizeof out);
    assert_memory_equal(out, front, sizeof front);
    assert_memory_equal(out + sizeof front, path, sizeof path);
    path[1] = 254; /* room for one more in it */
    assert_int_equal(bgp_as_path_prepend(path, sizeof path - 4, 65000, out), sizeof path);
    assert_int_equal(out[1], 255);
    path[0] = BGP_AS_SET;
    assert_int_equal(bgp_as_path_prepend(path, sizeof path - 4, 65000, out), sizeof out - 4);
    assert_memory_equal(out, front, sizeof front);
}

/* A path of 2-octet numbers that fills an extended message is twice as long here. */
static void a_path_as_long_as_a_message_fits_when_it_is_widened(void **state)
{
    enum { SEGMENTS = 127, SEGMENT = 2 + 255 * 4 };
    static uint8_t path[SEGMENTS * SEGMENT], message[BGP_EXTENDED_MESSAGE_MAX];
    struct bgp_attrs attrs = {.has_origin = true, .as_path = path, .as_path_len = sizeof path}, out;
    const struct bgp_export how = {.local_as = 65000, .to_ebgp = true, .from_ebgp = true};
    struct byte_writer w = bw_init(message, sizeof message);

    (void)state;
    memset(path, 1, sizeof path);
    for (unsigned i = 0; i < SEGMENTS; i++) {
        path[i * SEGMENT] = BGP_AS_SEQUENCE;
        path[i * SEGMENT + 1] = 255;
    }
    bgp_attrs_export(&attrs, &how, &out, room);
    assert_int_equal(out.as_path_len, sizeof path + 6);
    assert_true(out.as_path + out.as_path_len <= room + BGP_EXPORT_ROOM);
    bgp_attrs_write(&out, false, &w);
    assert_true(w.failed);
}

static struct fs_rule *rule(void)
{
    struct fs_rule *out;
    struct fs_actions actions;
    struct fs_text_error error;

    assert_true(fs_text_parse("match destination 203.0.113.7/32", &out, &actions, &error));
    return out;
}

static struct bgp_attrs with_med(uint32_t med)
{
    return (struct bgp_attrs){.has_origin = true, .has_med = true, .med = med};
}

/* conforms: RFC 4271 proves 9.2-3 9.2.1.1-3 9.1.3-1 */
static void what_a_peer_knows_is_not_said_again_and_of_changes_the_last_counts(void **state)
{
    struct bgp_adj_out *shared = bgp_adj_out_create();
    struct bgp_out *out = bgp_out_open(shared, &(struct bgp_out_conf){.four_octet_as = true, .update_max = 4077});
    struct bgp_attrs one = with_med(1), two = with_med(2);
    struct bgp_out_message message;
    struct fs_rule *r = rule();

    (void)state;
    assert_int_equal(bgp_out_set(out, BGP_IPV4_FLOWSPEC, r, &one, false), 0);
    assert_int_equal(bgp_out_next(out, &message), BGP_OUT_UPDATE);
    assert_int_equal(bgp_out_set(out, BGP_IPV4_FLOWSPEC, r, &one, false), 0);
    assert_int_equal(bgp_out_next(out, &message), BGP_OUT_NOTHING);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(bgp_out_set(out, BGP_IPV4_FLOWSPEC, r, NULL, false), 0);
        assert_int_equal(bgp_out_set(out, BGP_IPV4_FLOWSPEC, r, i % 2 ? &two : &one, false), 0);
    }
    assert_int_equal(bgp_out_next(out, &message), BGP_OUT_UPDATE);
    assert_memory_equal(message.body + message.len - 7, "\x80\4\4\0\0\0\2", 7); /* MULTI_EXIT_DISC 2, the last */
    assert_int_equal(bgp_out_next(out, &message), BGP_OUT_NOTHING);
    assert_int_equal(bgp_out_set(out, BGP_IPV4_FLOWSPEC, r, NULL, false), 0);
    assert_int_equal(bgp_out_next(out, &message), BGP_OUT_UPDATE); /* the withdrawal */
    assert_int_equal(message.body[5], 15);
    assert_int_equal(bgp_out_next(out, &message), BGP_OUT_NOTHING);
    bgp_out_close(out);
    bgp_adj_out_free(shared);
    fs_rule_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reflector_changes_nothing_but_what_is_its_own),
        cmocka_unit_test(to_another_as_go_the_path_and_what_is_transitive),
        cmocka_unit_test(a_partial_bit_that_was_set_stays_set),
        cmocka_unit_test(a_segment_of_255_ases_gets_a_new_one_in_front),
        cmocka_unit_test(a_path_as_long_as_a_message_fits_when_it_is_widened),
        cmocka_unit_test(what_a_peer_knows_is_not_said_again_and_of_changes_the_last_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
