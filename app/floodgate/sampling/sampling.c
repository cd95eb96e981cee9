/* SPDX-License-Identifier: BSD-3-Clause */
#include "sampling/sampling.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/util.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "base/strbuf.h"
#include "conf/conf.h"
#include "control/rules.h"
#include "dataplane/dataplane.h"
#include "flowspec/text.h"
#include "sampling/pcapng.h"
#include "sampling/sflow.h"
#include "sampling/tap.h"
#include "spool/spool.h"

#define TURN_MS          10
#define SAMPLES_PER_TURN 1024 /* of each worker: a bound on the time the event loop is held */
#define RING_SAMPLES     4096 /* of each worker */
#define COMMENT_OCTETS   1000
#define MIB              (1024u * 1024u)
#define SPOOL_ROOM       (16 * MIB) /* of samples that wait for the disk */

enum stream { STREAM_PORTS, STREAM_RULES, STREAM_COUNT };

/* What the spool's thread writes and the control thread reads. */
struct outcome {
    atomic_ullong written, write_errors;
    atomic_int error; /* of the last batch; 0: it went well */
    atomic_uint number;
    /* the thread's own: of the batch that is not flushed yet */
    unsigned batch;
    int batch_error;
};

struct sampling {
    const struct log_hook *log;
    struct dataplane *dp;
    const struct rules *rules;
    struct event *turn;
    char *directory;
    struct pcapng *files; /* NULL: none; the spool's thread has it */
    struct spool *spool;
    struct outcome outcome;
    uint64_t refused;               /* samples that found no room in the spool */
    bool files_failed, send_failed; /* the last attempt: each change is told once */
    char file[PCAPNG_PATH_OCTETS];  /* for whoever asks */
    int collector;                  /* socket, -1: none */
    struct sflow streams[STREAM_COUNT];
    uint64_t started_ms;
    struct sampling_counts counts; /* but for what the taps count */
    unsigned tap_count;
    struct sample_tap *taps;
};

static uint64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* ---- files ---- */

static void comment_format(const struct sampling *sampling, const struct sample *sample, struct strbuf *out)
{
    static const char *const VERDICTS[] = {
        [SAMPLE_PASSED] = "passed by the rules",
        [SAMPLE_DISCARDED] = "dropped: flowspec_discard",
        [SAMPLE_RATE_LIMITED] = "dropped: flowspec_rate_limit",
    };

    if (sample->rule == 0) {
        sb_printf(out, "port %s, 1 in %u", dataplane_ports(sampling->dp)->port[sample->port].name, sample->one_in);
        return;
    }
    const struct rule *rule = sampling->rules != NULL ? rules_find(sampling->rules, sample->rule) : NULL;
    sb_printf(out, "rule %u, %s", sample->rule, VERDICTS[sample->verdict]);
    if (sample->one_in > 1)
        sb_printf(out, ", 1 in %u", sample->one_in);
    if (rule == NULL)
        return;
    sb_text(out, ": ");
    fs_rule_format(rule->match, &rule->actions, out);
}

/* A sample on its way to the spool's thread: behind this come the octets and the comment with its '\0'. */
struct spooled {
    uint64_t time_us;
    uint32_t length;
    uint16_t port, captured;
};

static void write_sample(struct sampling *sampling, const struct sample *sample)
{
    uint8_t record[sizeof(struct spooled) + SAMPLE_OCTETS_MAX + COMMENT_OCTETS];
    const struct spooled head = {.time_us = (uint64_t)(dataplane_tsc_to_time(sampling->dp, sample->tsc) * 1e6),
                                 .length = sample->length,
                                 .port = sample->port,
                                 .captured = sample->captured};
    char *text = (char *)record + sizeof head + sample->captured;
    struct strbuf comment = sb_init(text, COMMENT_OCTETS);

    memcpy(record, &head, sizeof head);
    memcpy(record + sizeof head, sample->octets, sample->captured);
    comment_format(sampling, sample, &comment);
    if (!spool_put(sampling->spool, record, (size_t)(text - (char *)record) + strlen(text) + 1))
        sampling->refused++;
}

/* On the spool's thread, as the next. */
static void on_record(void *ctx, const void *data, size_t len)
{
    struct sampling *sampling = ctx;
    const uint8_t *octets = (const uint8_t *)data + sizeof(struct spooled);
    struct spooled head;

    (void)len;
    memcpy(&head, data, sizeof head);
    int error = pcapng_write(sampling->files, &(struct pcapng_packet){
                                                  .time_us = head.time_us,
                                                  .port = head.port,
                                                  .length = head.length,
                                                  .captured = head.captured,
                                                  .octets = octets,
                                                  .comment = (const char *)octets + head.captured,
                                              });
    if (error == 0) {
        sampling->outcome.batch++;
    } else {
        atomic_fetch_add(&sampling->outcome.write_errors, 1);
        sampling->outcome.batch_error = error;
    }
    atomic_store(&sampling->outcome.number, pcapng_number(sampling->files));
}

/* Only now it is known what became of the batch: until then it is in a buffer, where every write goes well. */
static void on_flush(void *ctx)
{
    struct sampling *sampling = ctx;
    struct outcome *outcome = &sampling->outcome;
    int error = pcapng_flush(sampling->files);

    atomic_fetch_add(error == 0 ? &outcome->written : &outcome->write_errors, outcome->batch);
    atomic_store(&outcome->error, error != 0 ? error : outcome->batch_error);
    outcome->batch = 0;
    outcome->batch_error = 0;
}

static const char *file_now(struct sampling *sampling)
{
    pcapng_path(sampling->directory, atomic_load(&sampling->outcome.number), sampling->file);
    return sampling->file;
}

/* Tells each change of whether files can be written. */
static void files_watch(struct sampling *sampling)
{
    int error = atomic_load(&sampling->outcome.error);

    if (error < 0 && !sampling->files_failed)
        log_line(sampling->log, LOG_LEVEL_ERROR, "sampling: cannot write %s: %s", file_now(sampling), strerror(-error));
    else if (error == 0 && sampling->files_failed)
        log_line(sampling->log, LOG_LEVEL_NOTICE, "sampling: writing %s again", file_now(sampling));
    sampling->files_failed = error < 0;
}

/* ---- collector ---- */

static void stream_send(struct sampling *sampling, struct sflow *stream)
{
    uint32_t samples = stream->count;
    size_t length = sflow_finish(stream, (uint32_t)(now_ms() - sampling->started_ms));

    if (length == 0)
        return;
    bool failed = send(sampling->collector, stream->octets, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0;
    sampling->counts.datagrams += !failed;
    sampling->counts.exported += failed ? 0 : samples;
    sampling->counts.send_errors += failed;
    if (failed && !sampling->send_failed)
        log_line(sampling->log, LOG_LEVEL_WARNING, "sampling: cannot send to the collector: %s", strerror(errno));
    sampling->send_failed = failed;
}

static void export_sample(struct sampling *sampling, const struct sample *sample)
{
    struct sflow *stream = &sampling->streams[sample->rule != 0 ? STREAM_RULES : STREAM_PORTS];
    const struct sflow_sample entry = {
        .input = sample->port + 1u,
        .dropped = sample->verdict == SAMPLE_DISCARDED || sample->verdict == SAMPLE_RATE_LIMITED,
        .one_in = sample->one_in,
        .pool = sample->pool,
        .lost = sample->lost,
        .frame_length = sample->length,
        .captured = sample->captured,
        .octets = sample->octets,
    };

    if (sflow_add(stream, &entry))
        return;
    stream_send(sampling, stream);
    sflow_add(stream, &entry); /* the longest sample fits an empty datagram */
}

static int collector_open(const char *endpoint, const struct log_hook *log)
{
    struct sockaddr_storage to;
    int length = sizeof to;

    if (evutil_parse_sockaddr_port(endpoint, (struct sockaddr *)&to, &length) < 0)
        return -EINVAL;
    int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, (socklen_t)length) == 0)
        return fd;
    int error = errno;
    log_line(log, LOG_LEVEL_ERROR, "sampling: cannot reach the collector %s: %s", endpoint, strerror(error));
    if (fd >= 0)
        close(fd);
    return -error;
}

/* ---- the turn ---- */

static unsigned tap_serve(struct sampling *sampling, struct sample_tap *tap)
{
    struct sample sample;
    unsigned count = 0;

    while (count < SAMPLES_PER_TURN && rte_ring_sc_dequeue_elem(tap->ring, &sample, tap->element_size) == 0) {
        if (sampling->files != NULL)
            write_sample(sampling, &sample);
        if (sampling->collector >= 0)
            export_sample(sampling, &sample);
        count++;
    }
    return count;
}

/* Returns how many samples there were. */
static unsigned serve(struct sampling *sampling)
{
    unsigned count = 0;

    for (unsigned i = 0; i < sampling->tap_count; i++)
        count += tap_serve(sampling, &sampling->taps[i]);
    for (unsigned i = 0; i < STREAM_COUNT && sampling->collector >= 0; i++)
        stream_send(sampling, &sampling->streams[i]);
    if (sampling->files != NULL)
        files_watch(sampling);
    return count;
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    serve(arg);
}

void sampling_drain(struct sampling *sampling)
{
    while (sampling != NULL && serve(sampling) > 0)
        continue;
    if (sampling != NULL && sampling->spool != NULL) {
        spool_wait(sampling->spool);
        files_watch(sampling);
    }
}

/* ---- start and stop ---- */

static bool tap_create(struct sample_tap *tap, unsigned index, const struct cfg *cfg, const struct ports *ports)
{
    const struct cfg_sampling *conf = &cfg->sampling;
    size_t head = offsetof(struct sample, octets);
    char name[32];

    snprintf(name, sizeof name, "sampling%u", index);
    tap->snap_length = conf->snap_length;
    tap->element_size = (uint32_t)((head + conf->snap_length + 3) & ~(size_t)3);
    tap->random = 0x9e3779b97f4a7c15 * (index + 1);
    tap->rules = (struct sample_ratio){.one_in = conf->rules_one_in, .left = 1};
    for (size_t i = 0; i < conf->port_count; i++) {
        const struct port *port = ports_find(ports, conf->ports[i].port);
        if (port != NULL)
            tap->ports[port->index] = (struct sample_ratio){.one_in = conf->ports[i].one_in, .left = 1};
    }
    tap->ring =
        rte_ring_create_elem(name, tap->element_size, RING_SAMPLES, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    return tap->ring != NULL;
}

static bool taps_create(struct sampling *sampling, const struct sampling_conf *conf)
{
    unsigned count = dataplane_worker_count(conf->dp);

    sampling->taps = aligned_alloc(_Alignof(struct sample_tap), count * sizeof sampling->taps[0]);
    if (sampling->taps == NULL)
        return false;
    memset(sampling->taps, 0, count * sizeof sampling->taps[0]);
    sampling->tap_count = count;
    for (unsigned i = 0; i < count; i++)
        if (!tap_create(&sampling->taps[i], i, conf->cfg, dataplane_ports(conf->dp)))
            return false;
    return true;
}

static bool files_open(struct sampling *sampling, const struct sampling_conf *conf)
{
    static const struct spool_ops OPS = {.record = on_record, .flush = on_flush};
    const struct cfg_sampling *section = &conf->cfg->sampling;

    if (section->directory == NULL)
        return true;
    sampling->directory = strdup(section->directory);
    sampling->files = pcapng_open(&(struct pcapng_conf){.directory = section->directory,
                                                        .files = section->files,
                                                        .file_octets = (uint64_t)section->file_mib * MIB,
                                                        .snap_length = section->snap_length,
                                                        .ports = dataplane_ports(conf->dp),
                                                        .version = conf->version});
    if (sampling->files == NULL)
        log_line(conf->log, LOG_LEVEL_ERROR, "sampling: cannot begin a file in %s: %s", section->directory,
                 strerror(errno));
    else
        atomic_store(&sampling->outcome.number, pcapng_number(sampling->files));
    if (sampling->files != NULL && sampling->directory != NULL)
        sampling->spool = spool_create(&(struct spool_conf){
            .name = "samples", .room = SPOOL_ROOM, .ops = &OPS, .ctx = sampling, .cpus = conf->helper_cpus});
    return sampling->spool != NULL;
}

static bool outlets_open(struct sampling *sampling, const struct sampling_conf *conf)
{
    if (!files_open(sampling, conf))
        return false;
    if (conf->cfg->sampling.collector == NULL)
        return true;
    for (unsigned i = 0; i < STREAM_COUNT; i++)
        sflow_init(&sampling->streams[i], conf->cfg->router.id, i);
    sampling->collector = collector_open(conf->cfg->sampling.collector, conf->log);
    return sampling->collector >= 0;
}

struct sampling *sampling_start(const struct sampling_conf *conf)
{
    struct sampling *sampling = calloc(1, sizeof *sampling);
    const struct timeval every = {.tv_usec = TURN_MS * 1000};

    if (sampling == NULL)
        return NULL;
    sampling->log = conf->log;
    sampling->dp = conf->dp;
    sampling->collector = -1;
    sampling->started_ms = now_ms();
    if (!outlets_open(sampling, conf)) {
        sampling_stop(sampling);
        return NULL;
    }
    sampling->turn = event_new(conf->base, -1, EV_PERSIST, on_turn, sampling);
    if (sampling->turn == NULL || !taps_create(sampling, conf)) {
        log_line(conf->log, LOG_LEVEL_ERROR, "no memory for sampling");
        sampling_stop(sampling);
        return NULL;
    }
    event_add(sampling->turn, &every);
    dataplane_sample(conf->dp, sampling->taps);
    return sampling;
}

void sampling_stop(struct sampling *sampling)
{
    if (sampling == NULL)
        return;
    dataplane_sample(sampling->dp, NULL);
    if (sampling->turn != NULL)
        event_free(sampling->turn);
    spool_free(sampling->spool);
    pcapng_close(sampling->files);
    free(sampling->directory);
    if (sampling->collector >= 0)
        close(sampling->collector);
    for (unsigned i = 0; i < sampling->tap_count; i++)
        rte_ring_free(sampling->taps[i].ring);
    free(sampling->taps);
    free(sampling);
}

void sampling_rules_by(struct sampling *sampling, const struct rules *rules)
{
    if (sampling != NULL)
        sampling->rules = rules;
}

void sampling_counts_get(struct sampling *sampling, struct sampling_counts *out)
{
    if (sampling == NULL) {
        *out = (struct sampling_counts){0};
        return;
    }
    *out = sampling->counts;
    out->written = atomic_load(&sampling->outcome.written);
    out->write_errors = atomic_load(&sampling->outcome.write_errors);
    out->lost = sampling->refused;
    out->taken = 0 - sampling->refused; /* they were taken, but each is counted once */
    out->file = sampling->files != NULL ? file_now(sampling) : NULL;
    for (unsigned i = 0; i < sampling->tap_count; i++) {
        out->taken += cnt_get(&sampling->taps[i].taken);
        out->lost += cnt_get(&sampling->taps[i].lost);
    }
}
