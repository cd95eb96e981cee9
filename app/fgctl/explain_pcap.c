/* SPDX-License-Identifier: BSD-3-Clause */
#include "explain_pcap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "fgctl.h"

#define FRAME_MAX    65535u
#define ETHERNET_LEN 14u

/* How packets of a link type become Ethernet frames. */
static const struct link {
    int type;
    unsigned header;  /* octets before the network header */
    int ethertype_at; /* where the EtherType stands; -1: it follows from the IP version */
} LINKS[] = {
    {DLT_RAW, 0, -1}, {DLT_IPV4, 0, -1}, {DLT_IPV6, 0, -1}, {DLT_LINUX_SLL, 16, 14}, {DLT_LINUX_SLL2, 20, 0},
};

static const struct link *find_link(int type)
{
    for (size_t i = 0; i < sizeof LINKS / sizeof LINKS[0]; i++)
        if (LINKS[i].type == type)
            return &LINKS[i];
    return NULL;
}

/* Replaces the link header by an Ethernet one, whose addresses mean nothing. False when the packet is too short. */
static bool to_ethernet(const struct link *link, const uint8_t *packet, size_t len, uint8_t *frame, size_t *frame_len)
{
    static const uint8_t ADDRESSES[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};

    if (len < link->header || (link->ethertype_at < 0 && len == 0) || len - link->header > FRAME_MAX - ETHERNET_LEN)
        return false;
    memcpy(frame, ADDRESSES, sizeof ADDRESSES);
    if (link->ethertype_at >= 0) {
        memcpy(frame + 12, packet + link->ethertype_at, 2);
    } else {
        bool v6 = packet[0] >> 4 == 6;
        frame[12] = v6 ? 0x86 : 0x08;
        frame[13] = v6 ? 0xdd : 0x00;
    }
    memcpy(frame + ETHERNET_LEN, packet + link->header, len - link->header);
    *frame_len = len - link->header + ETHERNET_LEN;
    return true;
}

static char *to_hex(const uint8_t *frame, size_t len)
{
    static const char DIGITS[] = "0123456789abcdef";
    char *hex = malloc(2 * len + 1);

    if (hex == NULL)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        hex[2 * i] = DIGITS[frame[i] >> 4];
        hex[2 * i + 1] = DIGITS[frame[i] & 15];
    }
    hex[2 * len] = '\0';
    return hex;
}

/* The packet with what the capture cut off as zeros, then as a frame in hex. */
static char *frame_of(const char *file, unsigned long long nth, int link_type, const struct pcap_pkthdr *header,
                      const uint8_t *data)
{
    const struct link *link = find_link(link_type);
    size_t len = header->len > header->caplen ? header->len : header->caplen, frame_len = len;
    char *hex = NULL;

    if (link == NULL && link_type != DLT_EN10MB) {
        fgctl_refuse("%s: packets of link type %s are not understood, only Ethernet, raw IP and Linux cooked", file,
                     pcap_datalink_val_to_name(link_type) ? pcap_datalink_val_to_name(link_type) : "unknown");
        return NULL;
    }
    if (len > FRAME_MAX) {
        fgctl_refuse("%s: packet %llu has %zu octets, more than the %u of a frame", file, nth, len, FRAME_MAX);
        return NULL;
    }
    if (header->caplen < header->len)
        fprintf(stderr, "fgctl: the capture holds %u of the packet's %u octets; the rest is taken as zeros\n",
                header->caplen, header->len);
    uint8_t *packet = calloc(1, FRAME_MAX), *frame = calloc(1, FRAME_MAX);
    if (packet != NULL && frame != NULL) {
        memcpy(packet, data, header->caplen);
        if (link == NULL)
            hex = to_hex(packet, len);
        else if (to_ethernet(link, packet, len, frame, &frame_len))
            hex = to_hex(frame, frame_len);
    }
    free(packet);
    free(frame);
    if (hex == NULL)
        fgctl_refuse("%s: packet %llu is too short to be one, or memory is short", file, nth);
    return hex;
}

char *pcap_frame_hex(const char *file, unsigned long long nth)
{
    char error[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const uint8_t *data;
    unsigned long long seen = 0;
    int got;
    pcap_t *pcap = pcap_open_offline(file, error);

    if (pcap == NULL) {
        fgctl_refuse("cannot read %s%s%s", strncmp(error, file, strlen(file)) == 0 ? "" : file,
                     strncmp(error, file, strlen(file)) == 0 ? "" : ": ", error);
        return NULL;
    }
    char *hex = NULL;
    while ((got = pcap_next_ex(pcap, &header, &data)) == 1 && ++seen < nth)
        ;
    if (got == 1)
        hex = frame_of(file, nth, pcap_datalink(pcap), header, data);
    else if (got == PCAP_ERROR)
        fgctl_refuse("%s: damaged after packet %llu: %s", file, seen, pcap_geterr(pcap));
    else if (seen == 0)
        fgctl_refuse("%s: holds no packet", file);
    else
        fgctl_refuse("%s: holds %llu %s, there is no packet %llu", file, seen, seen == 1 ? "packet" : "packets", nth);
    pcap_close(pcap);
    return hex;
}
