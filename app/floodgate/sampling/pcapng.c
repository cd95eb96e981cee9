/* SPDX-License-Identifier: BSD-3-Clause */
/* Blocks are written in our own byte order, which the file tells (draft-ietf-opsawg-pcapng 4.1). */
#include "sampling/pcapng.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ports/ports.h"

#define BLOCK_SECTION   0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_PACKET    6u
#define BYTE_ORDER_MARK 0x1a2b3c4du
#define LINK_ETHERNET   1u

#define OPTION_END       0
#define OPTION_COMMENT   1
#define OPTION_IF_NAME   2
#define OPTION_EPB_FLAGS 2
#define OPTION_USERAPPL  4
#define FLAGS_INBOUND    1u

#define BLOCK_OCTETS_MAX 4096

struct pcapng {
    struct pcapng_conf conf;
    FILE *file;
    uint32_t number; /* of the file */
    uint64_t written;
    char path[PCAPNG_PATH_OCTETS];
};

/* One block in the making. What does not fit is left out; the caller's bounds see to it that all does. */
struct block {
    uint32_t used;
    uint8_t octets[BLOCK_OCTETS_MAX];
};

static void put(struct block *block, const void *data, size_t length)
{
    size_t padded = (length + 3) & ~(size_t)3;

    if (block->used + padded > sizeof block->octets)
        return;
    memset(block->octets + block->used, 0, padded);
    if (length > 0)
        memcpy(block->octets + block->used, data, length);
    block->used += (uint32_t)padded;
}

static void put_u32(struct block *block, uint32_t value)
{
    put(block, &value, sizeof value);
}

static void put_option(struct block *block, uint16_t code, const void *data, size_t length)
{
    uint16_t head[2] = {code, (uint16_t)length};

    put(block, head, sizeof head);
    put(block, data, length);
}

static void block_begin(struct block *block, uint32_t type)
{
    block->used = 0;
    put_u32(block, type);
    put_u32(block, 0); /* the length, once it is known */
}

static int block_end(struct pcapng *pcapng, struct block *block)
{
    put_option(block, OPTION_END, NULL, 0);
    uint32_t length = block->used + (uint32_t)sizeof length;
    put_u32(block, length);
    memcpy(block->octets + sizeof length, &length, sizeof length);
    errno = 0;
    if (fwrite(block->octets, block->used, 1, pcapng->file) != 1)
        return errno != 0 ? -errno : -EIO;
    pcapng->written += block->used;
    return 0;
}

static int write_heads(struct pcapng *pcapng)
{
    static const uint16_t VERSION[2] = {1, 0};
    static const uint64_t LENGTH_UNKNOWN = UINT64_MAX;
    static const uint16_t LINK[2] = {LINK_ETHERNET, 0};
    struct block block;
    char name[64];

    block_begin(&block, BLOCK_SECTION);
    put_u32(&block, BYTE_ORDER_MARK);
    put(&block, VERSION, sizeof VERSION);
    put(&block, &LENGTH_UNKNOWN, sizeof LENGTH_UNKNOWN);
    snprintf(name, sizeof name, "floodgate %s", pcapng->conf.version);
    put_option(&block, OPTION_USERAPPL, name, strlen(name));
    int error = block_end(pcapng, &block);
    for (uint16_t i = 0; i < pcapng->conf.ports->count && error == 0; i++) {
        const char *port = pcapng->conf.ports->port[i].name;
        block_begin(&block, BLOCK_INTERFACE);
        put(&block, LINK, sizeof LINK);
        put_u32(&block, pcapng->conf.snap_length);
        put_option(&block, OPTION_IF_NAME, port, strlen(port));
        error = block_end(pcapng, &block);
    }
    return error;
}

void pcapng_path(const char *directory, uint32_t number, char path[PCAPNG_PATH_OCTETS])
{
    snprintf(path, PCAPNG_PATH_OCTETS, "%s/samples-%u.pcapng", directory, number);
}

static void path_set(struct pcapng *pcapng)
{
    pcapng_path(pcapng->conf.directory, pcapng->number, pcapng->path);
}

static int file_begin(struct pcapng *pcapng)
{
    path_set(pcapng);
    errno = 0;
    pcapng->file = fopen(pcapng->path, "wb");
    if (pcapng->file == NULL)
        return -errno;
    pcapng->written = 0;
    int error = write_heads(pcapng);
    if (error < 0) { /* without them no packet in it can be read: the next write begins it again */
        fclose(pcapng->file);
        pcapng->file = NULL;
        unlink(pcapng->path);
    }
    return error;
}

/* The first that is missing, else the one that was written longest ago. */
static uint32_t oldest(struct pcapng *pcapng)
{
    struct timespec least = {0};
    uint32_t found = 0;

    for (uint32_t number = 0; number < pcapng->conf.files; number++) {
        struct stat status;
        pcapng->number = number;
        path_set(pcapng);
        if (stat(pcapng->path, &status) < 0)
            return number;
        if (number == 0 || status.st_mtim.tv_sec < least.tv_sec ||
            (status.st_mtim.tv_sec == least.tv_sec && status.st_mtim.tv_nsec < least.tv_nsec)) {
            least = status.st_mtim;
            found = number;
        }
    }
    return found;
}

struct pcapng *pcapng_open(const struct pcapng_conf *conf)
{
    struct pcapng *pcapng = calloc(1, sizeof *pcapng);

    if (pcapng == NULL)
        return NULL;
    pcapng->conf = *conf;
    pcapng->number = oldest(pcapng);
    int error = file_begin(pcapng);
    if (error == 0)
        error = pcapng_flush(pcapng);
    if (error == 0)
        return pcapng;
    pcapng_close(pcapng);
    errno = -error;
    return NULL;
}

void pcapng_close(struct pcapng *pcapng)
{
    if (pcapng != NULL && pcapng->file != NULL)
        fclose(pcapng->file);
    free(pcapng);
}

static int file_next(struct pcapng *pcapng)
{
    if (pcapng->file != NULL)
        fclose(pcapng->file);
    pcapng->number = (pcapng->number + 1) % pcapng->conf.files;
    return file_begin(pcapng);
}

int pcapng_write(struct pcapng *pcapng, const struct pcapng_packet *packet)
{
    static const uint32_t FLAGS = FLAGS_INBOUND;
    struct block block;
    int error = 0;

    if (pcapng->file == NULL || pcapng->written >= pcapng->conf.file_octets)
        error = file_next(pcapng);
    if (error < 0)
        return error;
    block_begin(&block, BLOCK_PACKET);
    put_u32(&block, packet->port);
    put_u32(&block, (uint32_t)(packet->time_us >> 32)); /* microseconds are what is meant without a word about it */
    put_u32(&block, (uint32_t)packet->time_us);
    put_u32(&block, packet->captured);
    put_u32(&block, packet->length);
    put(&block, packet->octets, packet->captured);
    put_option(&block, OPTION_COMMENT, packet->comment, strlen(packet->comment));
    put_option(&block, OPTION_EPB_FLAGS, &FLAGS, sizeof FLAGS);
    return block_end(pcapng, &block);
}

int pcapng_flush(struct pcapng *pcapng)
{
    errno = 0;
    if (pcapng->file != NULL && fflush(pcapng->file) != 0)
        return errno != 0 ? -errno : -EIO;
    return 0;
}

uint32_t pcapng_number(const struct pcapng *pcapng)
{
    return pcapng->number;
}
