/* SPDX-License-Identifier: BSD-3-Clause */
/* net-snmp's headers want this order */
/* clang-format off */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
/* clang-format on */

#include "notify.h"

#include <stdlib.h>
#include <string.h>

#include "mib.h"
#include "position.h"
#include "say.h"

#define AGENTX_NOTIFY 12 /* RFC 2741, 6.1: h.type */
#define ARCS_MOST     48

struct notify {
    struct board *board;
    const uint32_t *root;
    size_t root_len;
    const char *state_file;
    struct snmp_session *session; /* NULL: none */
    bool leave;                   /* another subagent sends them */
    bool in_flight;
    long request;       /* that is in flight: an answer to an earlier one counts no more */
    struct event event; /* of it */
    struct positions saved;
    struct trouble trouble, file_trouble;
};

struct notify *notify_create(struct board *board, const uint32_t *root, size_t root_len, const char *state_file)
{
    struct notify *notify = calloc(1, sizeof *notify);

    if (notify == NULL)
        return NULL;
    notify->board = board;
    notify->root = root;
    notify->root_len = root_len;
    notify->state_file = state_file;
    return notify;
}

void notify_free(struct notify *notify)
{
    free(notify);
}

/* ---- the message ---- */

static size_t put_root(const struct notify *notify, oid *name)
{
    for (size_t i = 0; i < notify->root_len; i++)
        name[i] = notify->root[i];
    return notify->root_len;
}

static void add_object(const struct notify *notify, netsnmp_pdu *pdu, uint32_t group, uint32_t number, u_char type,
                       const void *value, size_t size)
{
    oid name[ARCS_MOST];
    size_t len = put_root(notify, name);

    name[len++] = MIB_OBJECTS;
    name[len++] = group;
    name[len++] = number;
    name[len++] = 0;
    snmp_pdu_add_variable(pdu, name, len, type, value, size);
}

static void add_text(const struct notify *notify, netsnmp_pdu *pdu, enum mib_event_object object, const char *text)
{
    add_object(notify, pdu, MIB_GROUP_EVENT, object, ASN_OCTET_STR, text, strlen(text));
}

static void add_number(const struct notify *notify, netsnmp_pdu *pdu, enum mib_event_object object, u_char type,
                       uint64_t number)
{
    long value = (long)number; /* as net-snmp wants 32 bits */

    add_object(notify, pdu, MIB_GROUP_EVENT, object, type, &value, sizeof value);
}

static void add_rule(const struct notify *notify, netsnmp_pdu *pdu, const struct event *event)
{
    add_number(notify, pdu, MIB_EVENT_RULE, ASN_UNSIGNED, event->rule);
    add_text(notify, pdu, MIB_EVENT_MATCH, event->match);
}

static void add_trip(const struct notify *notify, netsnmp_pdu *pdu, const struct event *event)
{
    add_number(notify, pdu, MIB_EVENT_SCOPE, ASN_INTEGER, event->scope);
    add_text(notify, pdu, MIB_EVENT_SCOPE_VALUE, event->scope_value);
    add_number(notify, pdu, MIB_EVENT_SHARE, ASN_UNSIGNED, event->share);
    add_number(notify, pdu, MIB_EVENT_LIMIT, ASN_UNSIGNED, event->limit);
}

/* The objects of each notification, in the order of the MIB. */
static void add_objects(const struct notify *notify, netsnmp_pdu *pdu, const struct event *event)
{
    enum event_kind kind = event->kind;
    bool of_rule = kind == EVENT_BREAKER_TRIPPED || kind == EVENT_RULE_HELD;
    bool of_peer = kind == EVENT_PEER_UP || kind == EVENT_PEER_DOWN;

    if (of_rule)
        add_rule(notify, pdu, event);
    if (kind == EVENT_BREAKER_TRIPPED)
        add_trip(notify, pdu, event);
    if (kind == EVENT_KILL_SWITCH)
        add_number(notify, pdu, MIB_EVENT_SWITCH, ASN_INTEGER, event->on ? 1 : 2);
    if (of_rule || of_peer || kind == EVENT_KILL_SWITCH)
        add_text(notify, pdu, MIB_EVENT_PEER, event->peer);
    if (of_peer) {
        add_text(notify, pdu, MIB_EVENT_PEER_ADDRESS, event->address);
        add_number(notify, pdu, MIB_EVENT_PEER_SESSIONS, ASN_UNSIGNED, event->count);
    }
    if (kind == EVENT_KILL_SWITCH)
        add_text(notify, pdu, MIB_EVENT_BY, event->by);
    if (kind != EVENT_KILL_SWITCH && kind != EVENT_PEER_UP)
        add_text(notify, pdu, MIB_EVENT_REASON, event->reason);
    if (of_rule || kind == EVENT_KILL_SWITCH)
        add_text(notify, pdu, MIB_EVENT_TIME, event->time);
}

/* The master puts sysUpTime.0 before it. NULL when memory is short. */
static netsnmp_pdu *build(const struct notify *notify, const struct event *event)
{
    static const oid TRAP_OID[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};
    oid kind[ARCS_MOST];
    size_t len = put_root(notify, kind);
    netsnmp_pdu *pdu = snmp_pdu_create(AGENTX_NOTIFY);
    long suppressed = (long)board_counts(notify->board).suppressed;

    if (pdu == NULL)
        return NULL;
    kind[len++] = MIB_NOTIFICATIONS;
    kind[len++] = event->kind;
    snmp_pdu_add_variable(pdu, TRAP_OID, OID_LENGTH(TRAP_OID), ASN_OBJECT_ID, kind, len * sizeof kind[0]);
    add_objects(notify, pdu, event);
    add_object(notify, pdu, MIB_GROUP_NOTIFICATION, MIB_NOTIFICATIONS_SUPPRESSED, ASN_COUNTER, &suppressed,
               sizeof suppressed);
    return pdu;
}

/* ---- and its way ---- */

static void save(struct notify *notify, const struct positions *positions)
{
    if (notify->state_file == NULL || memcmp(positions, &notify->saved, sizeof *positions) == 0)
        return;
    int error = positions_save(notify->state_file, positions);
    if (error < 0) {
        trouble_say(&notify->file_trouble, "%s: %s; after a restart events may be sent again", notify->state_file,
                    strerror(-error));
        return;
    }
    trouble_over(&notify->file_trouble);
    notify->saved = *positions;
}

/* All that was read was sent. */
static void save_read(struct notify *notify)
{
    struct positions read;

    if (!notify->in_flight && board_sent(notify->board, &read))
        save(notify, &read);
}

static void finish(struct notify *notify, bool sent)
{
    notify->in_flight = false;
    board_done(notify->board, sent);
    if (notify->event.read.decisions > 0)
        save(notify, &notify->event.read);
}

static int on_answer(int operation, netsnmp_session *session, int request, netsnmp_pdu *pdu, void *magic)
{
    struct notify *notify = magic;
    bool answer = operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE, late = operation == NETSNMP_CALLBACK_OP_TIMED_OUT;

    if (!(answer || late) || !notify->in_flight || session != notify->session || request != notify->request)
        return 1;
    bool taken = answer && pdu->errstat == SNMP_ERR_NOERROR;
    if (taken)
        trouble_over(&notify->trouble);
    else if (answer)
        trouble_say(&notify->trouble, "snmpd does not take a notification %s: error %ld",
                    event_name(notify->event.kind), pdu->errstat);
    else
        trouble_say(&notify->trouble, "snmpd does not say whether it took a notification %s",
                    event_name(notify->event.kind));
    finish(notify, taken);
    notify_run(notify);
    return 1;
}

/* What cannot be sent stays on the board: the session will be found broken. */
static void send_event(struct notify *notify)
{
    netsnmp_pdu *pdu = build(notify, &notify->event);

    if (pdu == NULL)
        return;
    pdu->version = notify->session->version;
    pdu->sessid = notify->session->sessid;
    pdu->reqid = notify->request = snmp_get_next_reqid();
    notify->in_flight = true;
    if (snmp_async_send(notify->session, pdu, on_answer, notify) != 0)
        return;
    notify->in_flight = false;
    snmp_free_pdu(pdu);
}

void notify_session(struct notify *notify, struct snmp_session *session)
{
    notify->session = session;
    notify->in_flight = false; /* no answer comes any more; it stays on the board, and goes again */
}

void notify_leave(struct notify *notify, bool leave)
{
    notify->leave = leave;
}

bool notify_waits(const struct notify *notify)
{
    return notify->in_flight;
}

void notify_run(struct notify *notify)
{
    if (notify->session == NULL || notify->in_flight)
        return;
    while (notify->leave && board_next(notify->board, &notify->event))
        board_drop(notify->board);
    if (board_next(notify->board, &notify->event))
        send_event(notify);
    else
        save_read(notify);
}
