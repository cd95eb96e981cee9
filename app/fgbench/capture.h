/* SPDX-License-Identifier: BSD-3-Clause */
/* Traffic for a router under test: a capture of small UDP packets to hosts of 10.0.0.0/10. */
#ifndef FGBENCH_CAPTURE_H
#define FGBENCH_CAPTURE_H

#include <stdbool.h>

/* Writes `count` frames; false after a message. */
bool capture_write(const char *path, unsigned count);

#endif
