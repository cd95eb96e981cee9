/* SPDX-License-Identifier: BSD-3-Clause */
/* Looks into the arguments of a net_pcap device before DPDK does, so that a wrong file is named in one clear line. */
#ifndef FLOODGATE_PCAP_DEVICE_H
#define FLOODGATE_PCAP_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Checks every file that a device string like "net_pcap0,rx_pcap=in.pcap,tx_pcap=out.pcap" names: captures to play
 * must be readable Ethernet captures, files to write must be writable. True for any other device. On false `why` has
 * one line that names the file.
 */
bool pcap_device_check(const char *device, char *why, size_t size);

#endif
