/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A set of pcapng files (draft-ietf-opsawg-pcapng) that are filled in turn: samples-0.pcapng, samples-1.pcapng, ...,
 * each begun anew when its turn comes again. At the start the one that was written longest ago comes first, so that a
 * restart does not destroy what was caught last. One thread at a time.
 */
#ifndef FLOODGATE_SAMPLING_PCAPNG_H
#define FLOODGATE_SAMPLING_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

struct pcapng;
struct ports;

struct pcapng_conf {
    const char *directory;
    uint32_t files;
    uint64_t file_octets;
    uint32_t snap_length;
    const struct ports *ports; /* each is an interface of the file, by index */
    const char *version;
};

/* Begins the first file. NULL: errno tells why. Strings and ports must outlive it. */
struct pcapng *pcapng_open(const struct pcapng_conf *conf);
void pcapng_close(struct pcapng *pcapng);

struct pcapng_packet {
    uint64_t time_us; /* since 1970 */
    uint16_t port;
    uint32_t length;
    uint32_t captured;
    const uint8_t *octets;
    const char *comment; /* of 1000 octets at most */
};

/* Writes one packet, into the next file where this one is full. 0 or -errno: the packet is not, or not wholly, there.
 */
int pcapng_write(struct pcapng *pcapng, const struct pcapng_packet *packet);

/* Hands to the kernel what is buffered. 0 or -errno. */
int pcapng_flush(struct pcapng *pcapng);

/* The number of the file that is being filled, and the path of a number. */
uint32_t pcapng_number(const struct pcapng *pcapng);
#define PCAPNG_PATH_OCTETS 256
void pcapng_path(const char *directory, uint32_t number, char path[PCAPNG_PATH_OCTETS]);

#endif
