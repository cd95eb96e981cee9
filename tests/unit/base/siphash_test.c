/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include "base/siphash.h"

/* Key 00 01 .. 0f, of the authors' paper and reference vectors. */
static const struct siphash_key KEY = {{0x0706050403020100u, 0x0f0e0d0c0b0a0908u}};

static void known_inputs_have_their_known_hashes(void **state)
{
    uint8_t octets[64];

    (void)state;
    for (unsigned i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)i;
    assert_int_equal(siphash(&KEY, octets, 0), 0x726fdb47dd0e0e31u);
    assert_int_equal(siphash(&KEY, octets, 1), 0x74f839c593dc67fdu);
    assert_int_equal(siphash(&KEY, octets, 8), 0x93f5f5799a932462u);
    assert_int_equal(siphash(&KEY, octets, 15), 0xa129ca6149be45e5u);
    assert_int_equal(siphash(&KEY, octets, 63), 0x958a324ceb064572u);
}

static void another_key_makes_another_hash(void **state)
{
    const struct siphash_key other = {{KEY.word[0], KEY.word[1] ^ 1}};

    (void)state;
    assert_int_not_equal(siphash(&KEY, "abc", 3), siphash(&other, "abc", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_inputs_have_their_known_hashes),
        cmocka_unit_test(another_key_makes_another_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
