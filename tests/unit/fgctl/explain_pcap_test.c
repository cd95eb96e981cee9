/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "explain_pcap.h"

static char file[] = "/tmp/explain_pcap_XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(file);
    close(fd);
    return fd < 0;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(file);
}

/* Writes a capture of `count` equal packets. */
static void write_capture(int link_type, const char *packet, unsigned caplen, unsigned len, int count)
{
    pcap_t *pcap = pcap_open_dead(link_type, 65535);
    pcap_dumper_t *dumper = pcap_dump_open(pcap, file);
    struct pcap_pkthdr header = {.caplen = caplen, .len = len};

    assert_non_null(dumper);
    for (int i = 0; i < count; i++)
        pcap_dump((u_char *)dumper, &header, (const u_char *)packet);
    pcap_dump_close(dumper);
    pcap_close(pcap);
}

static void expect_hex(unsigned long long nth, const char *expected)
{
    char *hex = pcap_frame_hex(file, nth);

    assert_non_null(hex);
    assert_string_equal(hex, expected);
    free(hex);
}

static void an_ethernet_frame_is_taken_as_it_is(void **state)
{
    (void)state;
    write_capture(DLT_EN10MB, "\x01\x02\xab", 3, 3, 2);
    expect_hex(1, "0102ab");
    expect_hex(2, "0102ab");
    assert_null(pcap_frame_hex(file, 3));
}

static void raw_ip_gets_an_ethernet_header(void **state)
{
    (void)state;
    write_capture(DLT_RAW, "\x45\x00", 2, 2, 1);
    expect_hex(1, "02000000000102000000000208004500");
    write_capture(DLT_RAW, "\x60\x00", 2, 2, 1);
    expect_hex(1, "02000000000102000000000286dd6000");
}

static void a_cooked_header_is_replaced(void **state)
{
    (void)state;
    write_capture(DLT_LINUX_SLL, "\x00\x00\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01\x00\x00\x08\x00\x45", 17, 17, 1);
    expect_hex(1, "020000000001020000000002080045");
    write_capture(DLT_LINUX_SLL, "\x00\x00\x00\x01", 4, 4, 1);
    assert_null(pcap_frame_hex(file, 1));
}

static void what_the_capture_cut_off_is_zeros(void **state)
{
    (void)state;
    write_capture(DLT_EN10MB, "\x01\x02", 2, 5, 1);
    expect_hex(1, "0102000000");
}

static void what_is_no_packet_of_ours_is_refused(void **state)
{
    (void)state;
    write_capture(DLT_IEEE802_11, "\x01\x02", 2, 2, 1);
    assert_null(pcap_frame_hex(file, 1));
    write_capture(DLT_EN10MB, "", 0, 0, 0);
    assert_null(pcap_frame_hex(file, 1));
    write_capture(DLT_EN10MB, "\x01\x02", 2, 70000, 1);
    assert_null(pcap_frame_hex(file, 1));
    assert_null(pcap_frame_hex("/nonexistent/file.pcap", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ethernet_frame_is_taken_as_it_is),  cmocka_unit_test(raw_ip_gets_an_ethernet_header),
        cmocka_unit_test(a_cooked_header_is_replaced),          cmocka_unit_test(what_the_capture_cut_off_is_zeros),
        cmocka_unit_test(what_is_no_packet_of_ours_is_refused),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
