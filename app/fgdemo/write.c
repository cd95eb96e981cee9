/* SPDX-License-Identifier: BSD-3-Clause */
#include <limits.h>
#include <pcap/pcap.h>
#include <stdio.h>

#include "capture.h"
#include "traffic.h"

#define SEED          20200830u /* the day a wildcard rule stopped a backbone's BGP */
#define CLEAN_FRAMES  10000u    /* at least: a datagram is never cut in two */
#define ATTACK_SHARE  75u       /* per cent of draws */
#define FRAME_GAP_US  11u
#define FIRST_SECOND  1767225600 /* 2026-01-01 */
#define SNAPSHOT_SIZE 65535

/* What is written, and how much of it. */
struct writing {
    pcap_dumper_t *in, *clean;
    uint64_t in_frames, in_octets, clean_frames;
};

static void put(pcap_dumper_t *dumper, uint64_t number, const struct frame *frame)
{
    uint64_t us = number * FRAME_GAP_US;
    struct pcap_pkthdr header = {
        .ts = {.tv_sec = (time_t)(FIRST_SECOND + us / 1000000), .tv_usec = (suseconds_t)(us % 1000000)},
        .caplen = (bpf_u_int32)frame->length,
        .len = (bpf_u_int32)frame->length,
    };

    pcap_dump((u_char *)dumper, &header, frame->octets);
}

static void put_attack(void *ctx, const struct frame *frame)
{
    struct writing *w = ctx;

    put(w->in, w->in_frames++, frame);
    w->in_octets += frame->length;
}

static void put_clean(void *ctx, const struct frame *frame)
{
    struct writing *w = ctx;

    put(w->clean, w->in_frames, frame);
    w->clean_frames++;
    put_attack(ctx, frame);
}

static int write_traffic(struct writing *w)
{
    struct random random = {.state = SEED};
    struct clean *clean = clean_create(SEED + 1);

    if (!clean) {
        fputs("fgdemo: out of memory\n", stderr);
        return 1;
    }
    while (w->clean_frames < CLEAN_FRAMES) {
        if (random_below(&random, 100) < ATTACK_SHARE)
            attack_next(&random, put_attack, w);
        else
            clean_next(clean, put_clean, w);
    }
    clean_free(clean);
    return 0;
}

static pcap_dumper_t *dump_open(pcap_t *pcap, const char *dir, const char *name)
{
    char path[PATH_MAX];
    pcap_dumper_t *dumper;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    dumper = pcap_dump_open(pcap, path);
    if (!dumper)
        fprintf(stderr, "fgdemo: %s\n", pcap_geterr(pcap));
    return dumper;
}

/* Closes a file and says whether all of it arrived there. */
static int dump_close(pcap_dumper_t *dumper)
{
    int error;

    if (!dumper)
        return 1;
    error = pcap_dump_flush(dumper) != 0;
    if (error)
        perror("fgdemo: write");
    pcap_dump_close(dumper);
    return error;
}

int capture_write(const char *dir)
{
    pcap_t *pcap = pcap_open_dead(DLT_EN10MB, SNAPSHOT_SIZE);
    struct writing w = {0};
    pcap_dumper_t *back;
    int error = 1;

    if (!pcap) {
        fputs("fgdemo: out of memory\n", stderr);
        return 1;
    }
    w.in = dump_open(pcap, dir, "in.pcap");
    w.clean = dump_open(pcap, dir, "clean.pcap");
    back = dump_open(pcap, dir, "back.pcap");
    if (w.in && w.clean && back)
        error = write_traffic(&w);
    error |= dump_close(w.in) | dump_close(w.clean) | dump_close(back);
    pcap_close(pcap);
    if (!error)
        printf("%s/in.pcap: %lu packets, %lu clean and %lu of four attacks (%.1f MB)\n", dir,
               (unsigned long)w.in_frames, (unsigned long)w.clean_frames, (unsigned long)(w.in_frames - w.clean_frames),
               (double)w.in_octets / 1e6);
    return error;
}
