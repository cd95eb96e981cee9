/* SPDX-License-Identifier: BSD-3-Clause */
/* net-snmp's headers want this order */
/* clang-format off */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <net-snmp/agent/agent_callbacks.h>
#include <net-snmp/library/fd_event_manager.h>
/* clang-format on */

#include "agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "member.h"
#include "mib.h"
#include "notify.h"
#include "options.h"
#include "say.h"

#define ATTACH_S       1        /* between two attempts, and between two looks whether snmpd is still there */
#define PATIENCE_US    5000000L /* for an answer of snmpd */
#define SETTLE_MS      1000
#define SETTLE_STEP_MS 5
#define NAME           "floodgate-snmp"
#define ROOM_BELOW     (1 + 3 + INDEX_TEXT_MOST) /* arcs below the root: objects, group, entry, column, index */
#define DEFAULT_ADDR   "/var/agentx/master"
#define ANSWER_S       8   /* that snmpd gives us: twice what board_rules may wait */
#define PRIORITY_SAME  127 /* RFC 2741, 6.2.3: t.priority */

_Static_assert(OPTIONS_OID_MOST + ROOM_BELOW <= MAX_OID_LEN, "an object's name has room");

struct agent {
    struct agent_conf conf;
    struct notify *notify;
    bool attached;
    bool refused; /* snmpd has another subagent for our subtree: then all is left to that */
    struct trouble trouble, refusal, library;
};

static const char *address_of(const struct agent *agent)
{
    return agent->conf.agentx != NULL ? agent->conf.agentx : DEFAULT_ADDR;
}

/* ---- objects ---- */

static const struct rule_view *get_rules(void *ctx)
{
    return board_rules(ctx);
}

static bool set_value(netsnmp_variable_list *var, const struct mib_value *value)
{
    static const u_char TYPES[] = {
        [MIB_INTEGER] = ASN_INTEGER,     [MIB_GAUGE] = ASN_GAUGE,     [MIB_COUNTER32] = ASN_COUNTER,
        [MIB_COUNTER64] = ASN_COUNTER64, [MIB_TICKS] = ASN_TIMETICKS, [MIB_TEXT] = ASN_OCTET_STR};
    struct counter64 wide = {.high = value->number >> 32, .low = value->number & UINT32_MAX};
    long number = (long)(value->number & UINT32_MAX);
    u_char type = TYPES[value->kind];

    if (value->kind == MIB_TEXT)
        return snmp_set_var_typed_value(var, type, value->text, text_fit(value->text, MIB_TEXT_MOST)) == 0;
    if (value->kind == MIB_COUNTER64)
        return snmp_set_var_typed_value(var, type, &wide, sizeof wide) == 0;
    if (value->kind != MIB_COUNTER32 && value->kind != MIB_TICKS && value->number > UINT32_MAX)
        number = value->kind == MIB_INTEGER ? INT32_MAX : UINT32_MAX; /* a gauge sticks, a counter wraps */
    return snmp_set_var_typed_value(var, type, &number, sizeof number) == 0;
}

/* The arcs of `name` below floodgateObjects. */
static size_t arcs_below(const struct agent *agent, const oid *name, size_t len, uint32_t *arcs)
{
    size_t base = agent->conf.root_len + 1, count = 0;

    for (size_t i = base; i < len && count < MIB_ARCS_MOST; i++)
        arcs[count++] = (uint32_t)name[i];
    return count;
}

static size_t objects_oid(const struct agent *agent, oid *name)
{
    size_t len = 0;

    for (; len < agent->conf.root_len; len++)
        name[len] = agent->conf.root[len];
    name[len++] = MIB_OBJECTS;
    return len;
}

static void answer_next(const struct agent *agent, struct mib_source *source, netsnmp_request_info *request)
{
    netsnmp_variable_list *var = request->requestvb;
    uint32_t arcs[MIB_ARCS_MOST], next[MIB_ARCS_MOST];
    oid name[MAX_OID_LEN];
    size_t next_len, len, count = 0;
    struct mib_value value;

    len = objects_oid(agent, name);
    /* what is asked may be before our tree: then everything of it comes next */
    if (snmp_oid_compare(var->name, var->name_length, name, len) > 0)
        count = arcs_below(agent, var->name, var->name_length, arcs);
    if (!mib_next(source, arcs, count, next, &next_len, &value))
        return; /* the library goes on to the next tree */
    for (size_t i = 0; i < next_len; i++)
        name[len++] = next[i];
    snmp_set_var_objid(var, name, len);
    if (!set_value(var, &value))
        netsnmp_set_request_error(NULL, request, SNMP_ERR_GENERR);
}

static void answer_get(const struct agent *agent, struct mib_source *source, netsnmp_agent_request_info *info,
                       netsnmp_request_info *request)
{
    netsnmp_variable_list *var = request->requestvb;
    uint32_t arcs[MIB_ARCS_MOST];
    struct mib_value value;
    size_t count = arcs_below(agent, var->name, var->name_length, arcs);

    if (!mib_get(source, arcs, count, &value))
        netsnmp_set_request_error(info, request, SNMP_NOSUCHINSTANCE);
    else if (!set_value(var, &value))
        netsnmp_set_request_error(info, request, SNMP_ERR_GENERR);
}

static int on_request(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
                      netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
    const struct agent *agent = handler->myvoid;
    struct state_view *state = board_state(agent->conf.board);
    struct mib_source source = {
        .state = state, .counts = board_counts(agent->conf.board), .get_rules = get_rules, .ctx = agent->conf.board};

    (void)registration;
    for (netsnmp_request_info *request = requests; request != NULL; request = request->next) {
        if (request->processed)
            continue;
        source.rules_missed = false;
        if (info->mode == MODE_GETNEXT)
            answer_next(agent, &source, request);
        else if (info->mode == MODE_GET)
            answer_get(agent, &source, info, request);
        if (source.rules_missed) /* an empty table would be a lie */
            netsnmp_set_request_error(info, request, SNMP_ERR_GENERR);
    }
    state_view_drop(state);
    rule_view_drop((struct rule_view *)(uintptr_t)source.rules);
    return SNMP_ERR_NOERROR;
}

static bool register_objects(struct agent *agent)
{
    oid name[MAX_OID_LEN];
    size_t len = objects_oid(agent, name);
    netsnmp_handler_registration *registration =
        netsnmp_create_handler_registration("floodgate", on_request, name, len, HANDLER_CAN_RONLY);

    if (registration == NULL)
        return false;
    registration->handler->myvoid = agent;
    registration->priority = PRIORITY_SAME;
    registration->timeout = ANSWER_S;
    return netsnmp_register_handler(registration) == MIB_REGISTERED_OK;
}

/* ---- the session ---- */

static int on_attached(int major, int minor, void *session, void *arg)
{
    struct agent *agent = arg;
    netsnmp_session *with = session;

    (void)major;
    (void)minor;
    with->retries = 0; /* over a stream nothing gets lost, and a notification sent again would be doubled */
    with->timeout = PATIENCE_US;
    agent->attached = true;
    agent->refused = false;
    trouble_over(&agent->trouble);
    say("attached to snmpd at %s", address_of(agent));
    notify_session(agent->notify, with);
    return 0;
}

static int on_detached(int major, int minor, void *session, void *arg)
{
    struct agent *agent = arg;

    (void)major;
    (void)minor;
    (void)session;
    agent->attached = false;
    notify_session(agent->notify, NULL);
    trouble_say(&agent->trouble, "snmpd at %s has gone; attaching again each second", address_of(agent));
    return 0;
}

/* What the library says: what we say ourselves is left out. That a registration is refused is said in no other way. */
static int on_log(int major, int minor, void *message, void *arg)
{
    static const char REFUSED[] = "registering pdu failed: ";
    struct agent *agent = arg;
    const struct snmp_log_message *log = message;

    (void)major;
    (void)minor;
    if (log->priority > LOG_ERR)
        return 0;
    if (strncmp(log->msg, REFUSED, sizeof REFUSED - 1) != 0) {
        trouble_say(&agent->library, "%.*s", (int)strcspn(log->msg, "\n"), log->msg);
        return 0;
    }
    agent->refused = true;
    trouble_say(&agent->refusal,
                "snmpd refuses our objects (AgentX error %.*s; 263: another subagent has them, give this one another "
                "--oid); nothing is served or sent, and it is tried again each second",
                (int)strcspn(log->msg + sizeof REFUSED - 1, "!\n"), log->msg + sizeof REFUSED - 1);
    return 0;
}

/* Each second. Registers everything once more, if it was refused. */
static void on_tick(unsigned alarm, void *arg)
{
    struct agent *agent = arg;

    (void)alarm;
    if (!agent->attached || !agent->refused)
        return;
    agent->refused = false;
    register_mib_detach();
    register_mib_reattach(); /* may call on_log */
    if (!agent->refused) {
        trouble_over(&agent->refusal);
        say("snmpd takes our objects now");
    }
    notify_leave(agent->notify, agent->refused);
}

static void on_news(int fd, void *arg)
{
    struct agent *agent = arg;

    (void)fd;
    board_read_news(agent->conf.board);
    notify_run(agent->notify);
}

/* Everything about it comes from the command line: no files are read or written. */
static void configure(struct agent *agent)
{
    setenv("MIBS", "", 1);
    setenv("MIBDIRS", "/nonexistent", 1);
    snmp_disable_log();
    netsnmp_register_loghandler(NETSNMP_LOGHANDLER_CALLBACK, LOG_DEBUG);
    snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, on_log, agent);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_ROLE, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_NO_ROOT_ACCESS, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_NO_CONNECTION_WARNINGS, 1);
    netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, address_of(agent));
    netsnmp_enable_subagent();
}

struct agent *agent_start(const struct agent_conf *conf)
{
    struct agent *agent = calloc(1, sizeof *agent);

    if (agent == NULL)
        return NULL;
    agent->conf = *conf;
    agent->notify = notify_create(conf->board, agent->conf.root, conf->root_len, conf->state_file);
    if (agent->notify == NULL) {
        free(agent);
        return NULL;
    }
    configure(agent);
    snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START, on_attached, agent);
    snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_STOP, on_detached, agent);
    if (init_agent(NAME) != 0 || !register_objects(agent)) {
        say("net-snmp does not start");
        agent_stop(agent);
        return NULL;
    }
    /* init_agent sets its own */
    netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL, ATTACH_S);
    init_snmp(NAME);
    if (!agent->attached)
        trouble_say(&agent->trouble,
                    "no snmpd takes subagents at %s (`master agentx` in snmpd.conf); trying again "
                    "each second",
                    address_of(agent));
    register_readfd(board_news_fd(conf->board), on_news, agent);
    snmp_alarm_register(ATTACH_S, SA_REPEAT, on_tick, agent);
    return agent;
}

void agent_turn(struct agent *agent)
{
    agent_check_and_process(1);
    notify_leave(agent->notify, agent->refused);
    notify_run(agent->notify);
}

/* What is on its way is answered at once, or not at all: without the answer it would be sent again by the next of us.
 */
static void settle(const struct agent *agent)
{
    const struct timespec pause = {.tv_nsec = SETTLE_STEP_MS * 1000000L};

    for (int waited_ms = 0; notify_waits(agent->notify) && waited_ms < SETTLE_MS; waited_ms += SETTLE_STEP_MS) {
        if (agent_check_and_process(0) == 0)
            nanosleep(&pause, NULL);
    }
}

void agent_stop(struct agent *agent)
{
    settle(agent);
    unregister_readfd(board_news_fd(agent->conf.board));
    /* net-snmp frees what a callback was registered with, unless that is taken back */
    snmp_unregister_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START, on_attached, agent, 1);
    snmp_unregister_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_STOP, on_detached, agent, 1);
    snmp_unregister_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, on_log, agent, 1);
    snmp_shutdown(NAME);
    notify_free(agent->notify);
    free(agent);
}
