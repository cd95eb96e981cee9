/* SPDX-License-Identifier: BSD-3-Clause */
#include "process.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* Started without stdin, stdout or stderr, the next file opened would get its number, and our log or READY in it. */
static void reserve_standard_files(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

void process_guard(void)
{
    reserve_standard_files();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a journal or capture that may not grow: write(2) says so */
}

static void set_mask(int how)
{
    sigset_t ours;

    sigemptyset(&ours);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGHUP);
    pthread_sigmask(how, &ours, NULL);
}

void process_signals_hold(void)
{
    set_mask(SIG_BLOCK);
}

void process_signals_release(void)
{
    set_mask(SIG_UNBLOCK);
}

bool process_stop_waits(void)
{
    sigset_t waiting;

    return sigpending(&waiting) == 0 && (sigismember(&waiting, SIGTERM) || sigismember(&waiting, SIGINT));
}
