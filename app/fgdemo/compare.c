/* SPDX-License-Identifier: BSD-3-Clause */
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "capture.h"

static pcap_t *open_or_say(const char *file)
{
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_open_offline(file, error);

    if (!pcap)
        fprintf(stderr, "fgdemo: %s\n", error);
    return pcap;
}

static bool same(const struct pcap_pkthdr *a, const u_char *a_octets, const struct pcap_pkthdr *b,
                 const u_char *b_octets)
{
    return a->len == b->len && a->caplen == b->caplen && memcmp(a_octets, b_octets, a->caplen) == 0;
}

/* pcap_next_ex: 1 a record, PCAP_ERROR_BREAK the end, PCAP_ERROR a broken file. */
static int compare(pcap_t *got, const char *got_name, pcap_t *expected, const char *expected_name)
{
    struct pcap_pkthdr *got_header, *expected_header;
    const u_char *got_octets, *expected_octets;

    for (unsigned long count = 0;; count++) {
        int g = pcap_next_ex(got, &got_header, &got_octets);
        int e = pcap_next_ex(expected, &expected_header, &expected_octets);

        if (g == PCAP_ERROR || e == PCAP_ERROR) {
            fprintf(stderr, "fgdemo: %s: %s\n", g == PCAP_ERROR ? got_name : expected_name,
                    pcap_geterr(g == PCAP_ERROR ? got : expected));
            return 2;
        }
        if (g != 1 && e != 1) {
            printf("identical: %lu packets\n", count);
            return 0;
        }
        if (g != e) {
            printf("different: %s ends after %lu packets, %s goes on\n", g == 1 ? expected_name : got_name, count,
                   g == 1 ? got_name : expected_name);
            return 1;
        }
        if (!same(got_header, got_octets, expected_header, expected_octets)) {
            printf("different: packet %lu of %s is not that of %s\n", count + 1, got_name, expected_name);
            return 1;
        }
    }
}

int capture_compare(const char *got, const char *expected)
{
    pcap_t *g = open_or_say(got);
    pcap_t *e = open_or_say(expected);
    int status = g && e ? compare(g, got, e, expected) : 2;

    if (g)
        pcap_close(g);
    if (e)
        pcap_close(e);
    return status;
}
