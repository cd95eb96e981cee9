/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include <string.h>

#include "base/cursor.h"

static void reads_big_endian_in_order(void **state)
{
    static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct byte_reader r = br_init(data, sizeof data);

    (void)state;
    assert_int_equal(br_u8(&r), 1);
    assert_int_equal(br_u16(&r), 0x0203);
    assert_int_equal(br_u32(&r), 0x04050607);
    assert_true(br_u64(&r) == 0x08090a0b0c0d0e0full);
    assert_false(r.failed);
    assert_int_equal(br_left(&r), 0);
}

static void a_read_past_the_end_fails_for_good(void **state)
{
    static const uint8_t data[] = {1, 2, 3};
    struct byte_reader r = br_init(data, sizeof data);

    (void)state;
    assert_int_equal(br_u32(&r), 0);
    assert_true(r.failed);
    assert_int_equal(br_u8(&r), 0);
    assert_null(br_bytes(&r, 0));
    assert_int_equal(br_left(&r), 0);
}

static void a_sub_reader_ends_where_it_was_told(void **state)
{
    static const uint8_t data[] = {1, 2, 3, 4};
    struct byte_reader r = br_init(data, sizeof data);
    struct byte_reader sub = br_sub(&r, 2);

    (void)state;
    assert_int_equal(br_u16(&sub), 0x0102);
    assert_int_equal(br_u8(&sub), 0);
    assert_true(sub.failed);
    assert_false(r.failed);
    assert_int_equal(br_u16(&r), 0x0304);
    assert_true(br_sub(&r, 1).failed);
}

static void an_empty_buffer_may_be_null(void **state)
{
    struct byte_reader r = br_init(NULL, 0);

    (void)state;
    br_bytes(&r, 0);
    assert_false(r.failed);
    br_u8(&r);
    assert_true(r.failed);
}

static void writes_and_patches(void **state)
{
    uint8_t out[17];
    static const uint8_t want[] = {0xab, 0xcd, 7, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 10, 'x', 'y'};
    struct byte_writer w = bw_init(out, sizeof out);

    (void)state;
    bw_u16(&w, 0);
    bw_u8(&w, 7);
    bw_u32(&w, 9);
    bw_u64(&w, 10);
    bw_bytes(&w, "xy", 2);
    bw_patch_u16(&w, 0, 0xabcd);
    assert_false(w.failed);
    assert_int_equal(bw_len(&w), sizeof want);
    assert_memory_equal(out, want, sizeof want);
}

static void a_write_that_does_not_fit_writes_nothing(void **state)
{
    uint8_t out[3] = {0xee, 0xee, 0xee};
    struct byte_writer w = bw_init(out, 2);

    (void)state;
    bw_u8(&w, 1);
    bw_u16(&w, 0x0203);
    assert_true(w.failed);
    assert_int_equal(bw_len(&w), 1);
    assert_int_equal(bw_left(&w), 0);
    assert_int_equal(out[1], 0xee);
    bw_patch_u16(&w, 0, 1);
    assert_int_equal(out[0], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_big_endian_in_order),
        cmocka_unit_test(a_read_past_the_end_fails_for_good),
        cmocka_unit_test(a_sub_reader_ends_where_it_was_told),
        cmocka_unit_test(an_empty_buffer_may_be_null),
        cmocka_unit_test(writes_and_patches),
        cmocka_unit_test(a_write_that_does_not_fit_writes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
