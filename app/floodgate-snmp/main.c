/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * floodgate-snmp: an AgentX subagent that puts a router's counters, tables and events under a running snmpd. Two
 * threads: one asks the router (poller.h), this one serves snmpd (agent.h); the board is between them.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "agent.h"
#include "board.h"
#include "options.h"
#include "poller.h"
#include "say.h"

static atomic_bool stop; /* written by the signal's handler, read by both threads */
static int wake_fd = -1; /* written before the handler is there; the board's: its reader returns from a wait */

static void on_signal(int number)
{
    (void)number;
    atomic_store(&stop, true);
    eventfd_write(wake_fd, 1);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* The order of start, and its reverse. */
static int run(const struct options *options)
{
    struct board *board = board_create();
    int status = EXIT_FAILURE;

    if (board == NULL)
        return status;
    wake_fd = board_news_fd(board);
    catch_signals();
    struct agent *agent = agent_start(&(struct agent_conf){.board = board,
                                                           .agentx = options->agentx,
                                                           .root = options->root,
                                                           .root_len = options->root_len,
                                                           .state_file = options->state_file});
    struct poller *poller = NULL;
    if (agent != NULL)
        poller = poller_start(&(struct poller_conf){.board = board,
                                                    .socket = options->socket,
                                                    .state_file = options->state_file,
                                                    .rules_most = options->rules_most,
                                                    .burst = options->burst,
                                                    .per_s = options->per_s,
                                                    .stop = &stop});
    if (poller != NULL) {
        while (!atomic_load(&stop))
            agent_turn(agent);
        status = EXIT_SUCCESS;
        say("ends");
    }
    board_stop(board);
    poller_join(poller);
    if (agent != NULL)
        agent_stop(agent);
    board_free(board);
    return status;
}

int main(int argc, char **argv)
{
    struct options options;

    switch (options_read(argc, argv, &options)) {
    case OPTIONS_DONE:
        return EXIT_SUCCESS;
    case OPTIONS_WRONG:
        return EXIT_FAILURE;
    case OPTIONS_RUN:
        break;
    }
    return run(&options);
}
