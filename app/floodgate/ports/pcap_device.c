/* SPDX-License-Identifier: BSD-3-Clause */
#include "ports/pcap_device.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool check_read(const char *file, char *why, size_t size)
{
    char error[PCAP_ERRBUF_SIZE];

    if (access(file, R_OK) < 0) {
        snprintf(why, size, "cannot read the capture '%s': %s", file, strerror(errno));
        return false;
    }
    pcap_t *pcap = pcap_open_offline(file, error);
    if (pcap == NULL) {
        snprintf(why, size, "'%s' is no capture that can be played: %s", file, error);
        return false;
    }
    int link = pcap_datalink(pcap);
    pcap_close(pcap);
    if (link != DLT_EN10MB) {
        snprintf(why, size, "the capture '%s' has link type %s; only Ethernet (EN10MB) can be played", file,
                 pcap_datalink_val_to_name(link) ? pcap_datalink_val_to_name(link) : "unknown");
        return false;
    }
    return true;
}

static bool check_write(const char *file, char *why, size_t size)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0) {
        snprintf(why, size, "cannot write the capture '%s': %s", file, strerror(errno));
        return false;
    }
    close(fd);
    return true;
}

bool pcap_device_check(const char *device, char *why, size_t size)
{
    if (strncmp(device, "net_pcap", strlen("net_pcap")) != 0)
        return true;

    char *copy = strdup(device);
    char *rest = copy;
    bool sound = copy != NULL;
    if (!sound)
        snprintf(why, size, "out of memory");
    for (char *word; sound && (word = strsep(&rest, ",")) != NULL;) {
        if (strncmp(word, "rx_pcap=", 8) == 0)
            sound = check_read(word + 8, why, size);
        else if (strncmp(word, "tx_pcap=", 8) == 0)
            sound = check_write(word + 8, why, size);
    }
    free(copy);
    return sound;
}

/* The frames of one capture, or -EMSGSIZE. */
static long count_frames(const char *file, char *why, size_t size)
{
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_open_offline(file, error);
    struct pcap_pkthdr *header;
    const u_char *data;
    long count = 0;

    while (pcap != NULL && count >= 0 && pcap_next_ex(pcap, &header, &data) == 1) {
        count++;
        if (header->caplen > PCAP_DEVICE_LOOP_FRAME_MAX) {
            snprintf(why, size, "frame %ld of '%s' has %u octets; infinite_rx plays at most %d", count, file,
                     header->caplen, PCAP_DEVICE_LOOP_FRAME_MAX);
            count = -EMSGSIZE;
        }
    }
    if (pcap != NULL)
        pcap_close(pcap);
    return count;
}

long pcap_device_loop_frames(const char *device, char *why, size_t size)
{
    char *copy = strncmp(device, "net_pcap", strlen("net_pcap")) == 0 ? strdup(device) : NULL;
    char *rest = copy;
    bool loop = strstr(device, ",infinite_rx=1") != NULL;
    long total = 0;

    for (char *word; loop && copy != NULL && total >= 0 && (word = strsep(&rest, ",")) != NULL;) {
        if (strncmp(word, "rx_pcap=", 8) != 0)
            continue;
        long count = count_frames(word + 8, why, size);
        total = count < 0 ? count : total + count;
    }
    free(copy);
    return total;
}
