/* SPDX-License-Identifier: BSD-3-Clause */
#include "manage/explain.h"

#include <stdio.h>
#include <string.h>

#include "classifier/classifier.h"
#include "control/control.h"
#include "dataplane/dataplane.h"
#include "dataplane/vrf_set.h"
#include "manage/explain_route.h"
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
    struct frame_head head;
    bool in_words;     /* not a frame */
    const char *local; /* routed ports: explain_local's word; NULL: a wire */
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
    if (rule->reason != NULL)
        json_set_text(o, "note", rule->reason);
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

/* As act_apply_extra does, and what a worker does around it. */
static void collect(struct explanation *e, const struct act_program *program)
{
    if (program->mark)
        act_collect_mark(&e->collected, program);
    act_collect_redirect(&e->collected, program);
}

/* Each rule in force that matches, in order; the search of a worker ends where `reached` turns false. */
static void explain_rules(struct explanation *e)
{
    const struct cls *cls = dataplane_classifier(e->dp, dataplane_port_vrf(e->dp, e->port->index));
    json_t *matches = json_array();
    bool reached = true, more = false;
    uint32_t first = dataplane_bypassed(e->dp) ? CLS_NO_MATCH : cls_match_after(cls, &e->key, CLS_NO_MATCH);

    for (uint32_t id = first; id != CLS_NO_MATCH && (reached || !more); id = cls_match_after(cls, &e->key, id)) {
        const struct rule *rule = rules_find(control_rules(e->control), id);
        const struct act_program *program = dataplane_program(e->dp, id);
        if (rule == NULL || program == NULL)
            continue;
        json_t *o = json_object();
        bool discards = act_apply(program) == ACT_DROP_DISCARD, exceeds = !explain_limit(e, program, o);
        bool ends_search = discards || exceeds || !program->go_on;
        if (reached && program->sample && e->collected.sampled_by == 0)
            e->collected.sampled_by = id;
        json_reached(o, rule, reached, ends_search);
        more = more || json_array_size(matches) == MATCHES_MAX;
        if (more)
            json_decref(o);
        else
            json_array_append_new(matches, o);
        if (reached && (discards || exceeds))
            explain_drop(e, id, discards ? CNT_DROP_FLOWSPEC_DISCARD : CNT_DROP_FLOWSPEC_RATE_LIMIT);
        else if (reached)
            collect(e, program);
        reached = reached && !ends_search;
    }
    json_object_set_new(e->answer, "matches", matches);
    json_object_set_new(e->answer, "more_matches", json_boolean(more));
}

/* Whether packets of that VRF are asked about the rule. */
static bool rule_is_asked(const struct rule *rule, uint16_t vrf, bool killed)
{
    return !killed && rule->in_force && (rule->vrfs != NULL ? vrf_set_has(rule->vrfs, vrf) : vrf == 0);
}

/* Rules that match and are not enforced: the answer to "there is a rule, so why does it pass?" */
static void explain_asleep(struct explanation *e)
{
    const struct rules *rules = control_rules(e->control);
    json_t *asleep = json_array();
    unsigned looked_at = 0;
    bool killed = dataplane_bypassed(e->dp);

    for (const struct rule *rule = rules_next(rules, NULL);
         rule != NULL && looked_at < ASLEEP_LOOKED_AT && json_array_size(asleep) < ASLEEP_MAX;
         rule = rules_next(rules, rule), looked_at++) {
        if (rule_is_asked(rule, e->collected.home, killed) || !cls_rule_matches(rule->match, &e->key))
            continue;
        json_t *o = json_object();
        json_set_uint(o, "id", rule->id);
        json_object_set_new(o, "match", json_match(rule->match));
        json_object_set_new(o, "actions", json_actions(&rule->actions));
        json_object_set_new(o, "source", json_rule_source(rule));
        bool elsewhere = !killed && rule->in_force;
        json_set_text(o, "state", elsewhere ? "other-vrf" : rule_state_name(rule_shown_state(rule, killed)));
        json_set_text(o, "reason", elsewhere ? "it is for packets of other VRFs" : rule_shown_reason(rule, killed));
        json_array_append_new(asleep, o);
    }
    json_object_set_new(e->answer, "not_enforced", asleep);
}

static json_t *verdict_drop(const struct explanation *e)
{
    bool malformed = e->key.malformed != PKT_SOUND;
    json_t *o = json_object();

    json_set_text(o, "verdict", "drop");
    json_set_text(o, "reason", cnt_drop_name(malformed ? CNT_DROP_MALFORMED : e->drop_reason));
    if (malformed)
        json_set_text(o, "detail", pkt_malformed_word(e->key.malformed));
    else
        json_set_uint(o, "rule", e->dropped_by);
    return o;
}

/* A wire: out of the other end, unless that cannot send a frame so long. */
static json_t *verdict_wire(const struct explanation *e)
{
    const struct port *out = &dataplane_ports(e->dp)->port[e->port->peer];
    json_t *o = json_object();

    if (!e->in_words && e->head.len > out->max_frame) {
        json_set_text(o, "verdict", "drop");
        json_set_text(o, "reason", cnt_drop_name(CNT_DROP_MTU_EXCEEDED));
        json_set_text(o, "detail", "the frame is longer than the other port can send");
    } else {
        json_set_text(o, "verdict", "forward");
        json_set_text(o, "egress", out->name);
    }
    return o;
}

static json_t *verdict_routed(const struct explanation *e)
{
    const struct explain_way way = {.dp = e->dp, .in = e->port, .key = &e->key, .head = &e->head};

    if (strcmp(e->local, "transit") == 0)
        return explain_forward(&way, &e->collected, e->answer);
    json_t *o = json_object();
    bool foreign = strcmp(e->local, "foreign") == 0;
    json_set_text(o, "verdict", foreign ? "drop" : "punt");
    json_set_text(o, "reason", foreign ? cnt_drop_name(CNT_DROP_NOT_FOR_ROUTER) : e->local);
    if (foreign)
        json_set_text(o, "detail", "it is for no station of this port");
    return o;
}

static void explain_verdict(struct explanation *e)
{
    json_t *o = e->key.malformed != PKT_SOUND || e->dropped ? verdict_drop(e)
                : e->local != NULL                          ? verdict_routed(e)
                                                            : verdict_wire(e);
    const char *word = json_string_value(json_object_get(o, "verdict"));

    if (e->collected.mark && (strcmp(word, "forward") == 0 || strcmp(word, "hold") == 0))
        json_set_uint(o, "dscp", e->collected.dscp);
    if (e->collected.sampled_by != 0)
        json_set_uint(e->answer, "sampled_by", e->collected.sampled_by);
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

/* Reads the packet and finds its port; what was assumed goes into `assumed`. */
static bool read_packet(const struct explain_request *request, struct explanation *e, struct strbuf *assumed, char *why,
                        size_t size)
{
    const char *frame = request->frame;

    if (frame == NULL && frame_hex_looks_like(request->packet))
        frame = request->packet;
    if (frame != NULL) {
        if (!frame_hex_parse(frame, &e->key, &e->head, why, size))
            return false;
        e->port = explain_port_of(e->dp, e->port, &e->head);
        return true;
    }
    e->in_words = true;
    if (!packet_text_parse(request->packet, &e->key, assumed, why, size))
        return false;
    if (e->port->routed) {
        explain_head_make(e->dp, e->port, &e->key, &e->head);
        sb_text(assumed, assumed->length > 0 ? " ttl 64" : "ttl 64");
    }
    return true;
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

    if (e.port == NULL || !read_packet(request, &e, &assumed, why, size))
        return NULL;

    if (e.port->routed && e.head.checksum_wrong)
        e.key.malformed = PKT_BAD_CHECKSUM;
    bool ip = e.key.malformed == PKT_SOUND && e.key.family != IP_NONE;
    uint16_t vrf = dataplane_port_vrf(dp, e.port->index);
    e.answer = json_object();
    e.collected.home = vrf;
    if (e.port->routed && e.key.malformed == PKT_SOUND) {
        const struct explain_way way = {.dp = dp, .in = e.port, .key = &e.key, .head = &e.head};
        e.local = explain_local(&way);
        json_set_text(e.answer, "local", e.local);
    }
    bool asked = ip && e.port->flowspec && (e.local == NULL || strcmp(e.local, "transit") == 0);
    json_set_text(e.answer, "vrf", dataplane_vrf_name(dp, vrf));
    json_object_set_new(e.answer, "kill_switch", json_boolean(dataplane_bypassed(dp)));
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
    if (asked) {
        explain_rules(&e);
        explain_asleep(&e);
    } else {
        json_object_set_new(e.answer, "matches", json_array());
        json_object_set_new(e.answer, "not_enforced", json_array());
    }
    explain_verdict(&e);
    return e.answer;
}
