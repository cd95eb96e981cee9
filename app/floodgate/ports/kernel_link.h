/* SPDX-License-Identifier: BSD-3-Clause */
/* The link of a device that lends a kernel interface, as net_af_packet does: the driver does not look at it. */
#ifndef FLOODGATE_KERNEL_LINK_H
#define FLOODGATE_KERNEL_LINK_H

#include <stdbool.h>

/* Control thread. `device` as configured, with `iface=NAME`. False: it is down, has no carrier, or is gone. */
bool kernel_link_up(const char *device);

#endif
