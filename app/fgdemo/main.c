/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fgdemo: the captures of `./run demo`, and whether what came out of the router is what should have.
 */
#include <stdio.h>
#include <string.h>

#include "capture.h"

static int usage(void)
{
    fputs("usage: fgdemo write DIR               write in.pcap, clean.pcap and back.pcap there\n"
          "       fgdemo compare FILE EXPECTED   compare two captures, timestamps aside\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "write") == 0)
        return capture_write(argv[2]);
    if (argc == 4 && strcmp(argv[1], "compare") == 0)
        return capture_compare(argv[2], argv[3]);
    return usage();
}
