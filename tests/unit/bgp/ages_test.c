/* SPDX-License-Identifier: BSD-3-Clause */
/* Ages of paths where they wrap, and where lines are drawn for ever and nothing ever ends. */
#include "../cm.h"
#include "bgp/ages.h"

#define ROUNDS 100000

static void refreshes_without_an_end_never_mix_up_old_and_new(void **state)
{
    struct bgp_ages ages = {0};
    static uint16_t borne[ROUNDS + 1];

    (void)state;
    borne[0] = bgp_ages_add(&ages, 100);
    for (unsigned i = 1; i <= ROUNDS; i++) {
        bgp_ages_mark(&ages, BGP_PATH_UNREFRESHED);
        assert_true(ages.lines[2].sum.paths >= 1);
        borne[i] = bgp_ages_add(&ages, 1);
        assert_int_equal(bgp_ages_marks(&ages, borne[i]), 0);
        assert_int_equal(bgp_ages_marks(&ages, borne[0]), BGP_PATH_UNREFRESHED);
    }
    bgp_ages_end(&ages, BGP_PATH_UNREFRESHED);
    assert_int_equal(bgp_ages_staying(&ages).paths, ages.newest.paths);
    for (unsigned i = 0; i <= ROUNDS; i++)
        bgp_ages_remove(&ages, borne[i], i == 0 ? 100 : 1);
    assert_int_equal(ages.all.paths, 0);
    assert_int_equal(ages.all.octets, 0);
    for (unsigned i = 0; i < BGP_PATH_MARK_COUNT; i++)
        assert_int_equal(ages.lines[i].sum.paths + ages.lines[i].sum.octets, 0);
}

static void ages_wrap(void **state)
{
    struct bgp_ages ages = {0};

    (void)state;
    uint16_t kept = bgp_ages_add(&ages, 1), other = bgp_ages_add(&ages, 1);
    for (unsigned i = 0; i < ROUNDS; i++) {
        bgp_ages_mark(&ages, i % 2 == 0 ? BGP_PATH_UNREFRESHED : BGP_PATH_STALE);
        assert_int_equal(ages.lines[i % 2 == 0 ? 2 : 0].sum.paths, 2);
        bgp_ages_remove(&ages, kept, 1);
        kept = bgp_ages_add(&ages, 1);
        assert_int_equal(bgp_ages_marks(&ages, kept), 0);
        assert_int_not_equal(bgp_ages_marks(&ages, other), 0);
        bgp_ages_remove(&ages, other, 1);
        other = bgp_ages_add(&ages, 1);
    }
    assert_int_equal(ages.lines[0].sum.paths + ages.lines[2].sum.paths, 0);
}

static void what_is_gone_stays_gone_when_less_ends(void **state)
{
    struct bgp_ages ages = {0};

    (void)state;
    uint16_t first = bgp_ages_add(&ages, 1);
    bgp_ages_mark(&ages, BGP_PATH_STALE);
    uint16_t second = bgp_ages_add(&ages, 1);
    bgp_ages_mark(&ages, BGP_PATH_GONE);
    bgp_ages_end(&ages, BGP_PATH_STALE);
    assert_int_equal(bgp_ages_marks(&ages, first), BGP_PATH_STALE | BGP_PATH_GONE);
    assert_int_equal(bgp_ages_marks(&ages, second), BGP_PATH_GONE);
    assert_int_equal(bgp_ages_staying(&ages).paths, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refreshes_without_an_end_never_mix_up_old_and_new),
        cmocka_unit_test(ages_wrap),
        cmocka_unit_test(what_is_gone_stays_gone_when_less_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
