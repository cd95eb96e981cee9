/* SPDX-License-Identifier: BSD-3-Clause */
/* Looks into the arguments of a net_pcap device before DPDK does, so that a wrong file is named in one clear line. */
#ifndef FLOODGATE_PCAP_DEVICE_H
#define FLOODGATE_PCAP_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#define PCAP_DEVICE_LOOP_FRAME_MAX 2048 /* octets; with infinite_rx the driver wants each frame in one buffer */

/*
 * Checks every file that a device string like "net_pcap0,rx_pcap=in.pcap,tx_pcap=out.pcap" names: captures to play
 * must be readable Ethernet captures, files to write must be writable. True for any other device. On false `why` has
 * one line that names the file.
 */
bool pcap_device_check(const char *device, char *why, size_t size);

/*
 * With infinite_rx=1 the driver keeps the whole capture in buffers of the port and never gives them back: how many that
 * takes, 0 for any other device. -EMSGSIZE with one line in `why` when a frame is too long for it.
 */
long pcap_device_loop_frames(const char *device, char *why, size_t size);

#endif
