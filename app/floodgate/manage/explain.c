/* SPDX-License-Identifier: BSD-3-Clause */
#include "manage/explain.h"

#include <stdio.h>
#include <string.h>

#include "classifier/classifier.h"
#include "control/control.h"
#include "dataplane/dataplane.h"
#include "manage/frame_hex.h"
#include "manage/json_limit.h"
#include "manage/json_rules.h"
#include "manage/json_util.h"
#include "manage/packet_text.h"
#include "packet/parse.h"
#include "ports/ports.h"

#define MATCHES_MAX      64     /* rules shown */
#define ASLEEP_MAX       16     /* rules not in force shown */
#define ASLEEP_LOOKED_AT 200000 /* rules: a bound on the time the event loop is held */

struct explanation {
    const struct dataplane *dp;
    const struct control *control;
    const struct port *port;
    struct pkt_key key;
    bool dropped;
    uint32_t dropped_by;
    enum cnt_drop drop_reason;
    struct act_packet collected; /* as a worker collects it */
    json_t *answer;
};

static void json_reached(json_t *o, const struct rule *rule, bool reached, bool ends_search)
{
    json_set_uint(o, "id", rule->id);
    json_object_set_new(o, "match", json_match(rule->match));
    json_object_set_new(o, "actions", json_actions(&rule->actions));
    json_object_set_new(o, "source", json_rule_source(rule));
    json_object_set_new(o, "reached", json_boolean(reached));
    json_object_set_new(o, "ends_search", json_boolean(ends_search));
}

/* The rule's limit at this moment goes into `o`. Returns whether the packet conforms to it. */
static bool explain_limit(const struct explanation *e, const struct act_program *program, json_t *o)
{
    bool conforms;
    json_t *limit = json_limit(program, dataplane_policer_now_ns(e->dp), &e->key, &conforms);

    if (limit != NULL) {
        json_object_set_new(limit, "conforms", json_boolean(conforms));
        json_object_set_new(o, "limit", limit);
    }
    return conforms;
}

static void explain_drop(struct explanation *e, uint32_t rule, enum cnt_drop reason)
{
    e->dropped = true;
    e->dropped_by = rule;
    e->drop_reason = reason;
}

/* Each rule in force that matches, in order; the search of a worker ends where `reached` turns false. */
static void explain_rules(struct explanation *e)
{
    const struct cls *cls = dataplane_classifier(e->dp, dataplane_port_vrf(e->dp, e->port->index));
    json_t *matches = json_array();
    bool reached = true, more = false;

    for (uint32_t id = cls_match_after(cls, &e->key, CLS_NO_MATCH); id != CLS_NO_MATCH && (reached || !more);
         id = cls_match_after(cls, &e->key, id)) {
        const struct rule *rule = rules_find(control_rules(e->control), id);
        const struct act_program *program = dataplane_program(e->dp, id);
        if (rule == NULL || program == NULL)
            continue;
        json_t *o = json_object();
        bool discards = act_apply(program) == ACT_DROP_DISCARD, exceeds = !explain_limit(e, program, o);
        bool ends_search = discards || exceeds || !program->go_on;
        json_reached(o, rule, reached, ends_search);
        more = more || json_array_size(matches) == MATCHES_MAX;
        if (more)
            json_decref(o);
        else
            json_array_append_new(matches, o);
        if (reached && (discards || exceeds))
            explain_drop(e, id, discards ? CNT_DROP_FLOWSPEC_DISCARD : CNT_DROP_FLOWSPEC_RATE_LIMIT);
        else if (reached && program->mark)
            act_collect_mark(&e->collected, program);
        reached = reached && !ends_search;
    }
    json_object_set_new(e->answer, "matches", matches);
    json_object_set_new(e->answer, "more_matches", json_boolean(more));
}

/* Rules that match and are not enforced: the answer to "there is a rule, so why does it pass?" */
static void explain_asleep(struct explanation *e)
{
    const struct rules *rules = control_rules(e->control);
    json_t *asleep = json_array();
    unsigned looked_at = 0;

    for (const struct rule *rule = rules_next(rules, NULL);
         rule != NULL && looked_at < ASLEEP_LOOKED_AT && json_array_size(asleep) < ASLEEP_MAX;
         rule = rules_next(rules, rule), looked_at++) {
        if (rule->in_force || !cls_rule_matches(rule->match, &e->key))
            continue;
        json_t *o = json_object();
        json_set_uint(o, "id", rule->id);
        json_object_set_new(o, "match", json_match(rule->match));
        json_object_set_new(o, "actions", json_actions(&rule->actions));
        json_object_set_new(o, "source", json_rule_source(rule));
        json_set_text(o, "state", rule_state_name(rule->state));
        json_set_text(o, "reason", rule->reason != NULL ? rule->reason : "");
        json_array_append_new(asleep, o);
    }
    json_object_set_new(e->answer, "not_enforced", asleep);
}

static void explain_verdict(struct explanation *e)
{
    const struct ports *ports = dataplane_ports(e->dp);
    bool malformed = e->key.malformed != PKT_SOUND;
    json_t *o = json_object();

    json_set_text(o, "verdict", malformed || e->dropped ? "drop" : "forward");
    if (malformed) {
        json_set_text(o, "reason", cnt_drop_name(CNT_DROP_MALFORMED));
        json_set_text(o, "detail", pkt_malformed_word(e->key.malformed));
    } else if (e->dropped) {
        json_set_text(o, "reason", cnt_drop_name(e->drop_reason));
        json_set_uint(o, "rule", e->dropped_by);
    } else {
        json_set_text(o, "egress", ports->port[e->port->peer].name);
        if (e->collected.mark)
            json_set_uint(o, "dscp", e->collected.dscp);
    }
    json_object_set_new(e->answer, "verdict", o);
}

static void set_built(json_t *object, const char *name, void (*build)(const struct pkt_key *, struct strbuf *),
                      const struct pkt_key *key)
{
    char text[512];
    struct strbuf sb = sb_init(text, sizeof text);

    build(key, &sb);
    json_set_text(object, name, text);
}

/* Reads the packet into `key`; what was assumed goes into `assumed`. */
static bool read_packet(const struct explain_request *request, struct pkt_key *key, struct strbuf *assumed, char *why,
                        size_t size)
{
    const char *frame = request->frame;

    if (frame == NULL && frame_hex_looks_like(request->packet))
        frame = request->packet;
    if (frame != NULL)
        return frame_hex_parse(frame, key, why, size);
    return packet_text_parse(request->packet, key, assumed, why, size);
}

/* The port of that name; without a name the first one where rules are asked. NULL with one line in `why`. */
static const struct port *choose_port(const struct ports *ports, const char *name, char *why, size_t size)
{
    struct strbuf sb = sb_init(why, size);
    const struct port *port = name != NULL ? ports_find(ports, name) : NULL;

    for (uint16_t i = 0; name == NULL && port == NULL && i < ports->count; i++)
        if (ports->port[i].flowspec)
            port = &ports->port[i];
    if (port != NULL)
        return port;
    if (name == NULL)
        sb_text(&sb, "no port has Flowspec on: say which port the packet comes in by (--in); the ports are");
    else
        sb_printf(&sb, "no port '%s': the ports are", name);
    for (uint16_t i = 0; i < ports->count; i++)
        sb_printf(&sb, "%s %s", i > 0 ? "," : "", ports->port[i].name);
    return NULL;
}

json_t *explain_packet(const struct explain_request *request, const struct dataplane *dp, const struct control *control,
                       char *why, size_t size)
{
    struct explanation e = {
        .dp = dp, .control = control, .port = choose_port(dataplane_ports(dp), request->port, why, size)};
    char assumed_text[256];
    struct strbuf assumed = sb_init(assumed_text, sizeof assumed_text);

    if (e.port == NULL || !read_packet(request, &e.key, &assumed, why, size))
        return NULL;

    bool ip = e.key.malformed == PKT_SOUND && e.key.family != IP_NONE;
    e.answer = json_object();
    json_set_text(e.answer, "port", e.port->name);
    json_object_set_new(e.answer, "port_chosen", json_boolean(request->port == NULL));
    json_object_set_new(e.answer, "flowspec", json_boolean(e.port->flowspec));
    json_object_set_new(e.answer, "polling", json_boolean(dataplane_running(dp)));
    json_object_set_new(e.answer, "family", ip ? json_string(ip_family_name(e.key.family)) : json_null());
    if (ip) {
        set_built(e.answer, "packet", packet_text_format, &e.key);
        set_built(e.answer, "brief", packet_text_brief, &e.key);
    }
    if (e.key.vlan != 0)
        json_set_uint(e.answer, "vlan", e.key.vlan);
    json_set_text(e.answer, "assumed", assumed_text);
    if (ip && e.port->flowspec) {
        explain_rules(&e);
        explain_asleep(&e);
    } else {
        json_object_set_new(e.answer, "matches", json_array());
        json_object_set_new(e.answer, "not_enforced", json_array());
    }
    explain_verdict(&e);
    return e.answer;
}
