/* SPDX-License-Identifier: BSD-3-Clause */
/* Route targets: RFC 4360 4, RFC 5668, RFC 5701. */
#include "bgp/route_targets.h"

#include <string.h>

#include "../cm.h"
#include "base/strbuf.h"
#include "flowspec/text.h"

static const uint8_t COMMS[][8] = {
    {0x00, 0x02, 0xfd, 0xe8, 0, 0, 0, 100},  /* 65000:100 */
    {0x80, 0x08, 0xfd, 0xe8, 0, 0, 0, 9},    /* redirect: none */
    {0x00, 0x03, 0xfd, 0xe8, 0, 0, 0, 7},    /* route origin: none */
    {0x01, 0x02, 192, 0, 2, 1, 0, 100},      /* 192.0.2.1:100 */
    {0x02, 0x02, 0xfa, 0x56, 0xea, 0, 0, 1}, /* 4200000000L:1 */
    {0x40, 0x02, 0xfd, 0xe8, 0, 0, 0, 55},   /* not transitive: none */
};
static const uint8_t COMMS6[][20] = {
    {0x00, 0x02, 0x20, 0x01, 0x0d, 0xb8, [17] = 1, [19] = 5}, /* [2001:db8::1]:5 */
    {0x00, 0x0c, 0x20, 0x01, 0x0d, 0xb8, [17] = 1, [19] = 6}, /* redirect to IP: none */
};
static const struct bgp_attrs ATTRS = {
    .ext_comms = COMMS[0], .ext_comms_len = sizeof COMMS, .ext_comms6 = COMMS6[0], .ext_comms6_len = sizeof COMMS6};

static void append(void *ctx, const struct fs_route_target *target)
{
    struct strbuf *text = ctx;

    sb_text(text, text->length > 0 ? " " : "");
    fs_route_target_format(target, text);
}

static void targets_are_told_from_other_communities(void **state)
{
    char said[256] = "";
    struct strbuf text = sb_init(said, sizeof said);

    (void)state;
    bgp_route_targets_each(&ATTRS, append, &text);
    assert_string_equal(said, "65000:100 192.0.2.1:100 4200000000L:1 [2001:db8::1]:5");
}

static bool has(const char *text)
{
    struct fs_route_target target;

    assert_true(fs_route_target_parse(text, &target));
    return bgp_route_target_has(&ATTRS, &target);
}

static void a_target_is_found_in_its_own_form_alone(void **state)
{
    static const char *const THERE[] = {"65000:100", "192.0.2.1:100", "4200000000L:1", "[2001:db8::1]:5"};
    static const char *const ABSENT[] = {"65000:101",       "65001:100",       "65000L:100", "192.0.2.2:100",
                                         "[2001:db8::1]:6", "[2001:db8::2]:5", "65000:55",   "65000:9"};

    (void)state;
    for (size_t i = 0; i < sizeof THERE / sizeof THERE[0]; i++)
        assert_true(has(THERE[i]));
    for (size_t i = 0; i < sizeof ABSENT / sizeof ABSENT[0]; i++)
        assert_false(has(ABSENT[i]));
}

static void a_distinguisher_reads_like_a_target(void **state)
{
    static const char *const TEXTS[] = {"65000:100", "192.0.2.1:100", "4200000000L:1"};
    static const unsigned AT[] = {0, 3, 4};
    uint8_t octets[BGP_ROUTE_TARGET_OCTETS];
    uint64_t rd;

    (void)state;
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        assert_true(fs_rd_parse(TEXTS[i], &rd));
        assert_true(bgp_route_target_of_rd(rd, octets));
        assert_memory_equal(octets, COMMS[AT[i]], sizeof octets);
    }
    assert_true(fs_rd_parse("0x0003000000000001", &rd));
    assert_false(bgp_route_target_of_rd(rd, octets));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_told_from_other_communities),
        cmocka_unit_test(a_target_is_found_in_its_own_form_alone),
        cmocka_unit_test(a_distinguisher_reads_like_a_target),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
