/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The demo's capture files: writing them, and comparing what a router let through with what it should have.
 */
#ifndef FGDEMO_CAPTURE_H
#define FGDEMO_CAPTURE_H

/*
 * Writes DIR/in.pcap (clean traffic and attacks, mixed), DIR/clean.pcap (the clean part, in the same order) and
 * DIR/back.pcap (nothing: what the inside port plays). 0, or 1 after a line on stderr.
 */
int capture_write(const char *dir);

/*
 * Compares two captures record by record, every octet, timestamps aside. 0 when equal, 1 when not, 2 when one cannot
 * be read; one line either way.
 */
int capture_compare(const char *got, const char *expected);

#endif
