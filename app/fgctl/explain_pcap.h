/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FGCTL_EXPLAIN_PCAP_H
#define FGCTL_EXPLAIN_PCAP_H

/*
 * The nth packet (from 1) of a pcap or pcapng file as an Ethernet frame in hex, to be freed; NULL after a line on
 * stderr. Packets that were captured without an Ethernet header get one. What the capture cut off is filled with zeros,
 * and said.
 */
char *pcap_frame_hex(const char *file, unsigned long long nth);

#endif
