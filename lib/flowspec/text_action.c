/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Actions as text, both ways. One table holds the names; its order is the canonical order of output.
 */
#include "flowspec/text_action.h"

#include <stdio.h>
#include <string.h>

#define DSCP_MAX 63

typedef bool (*action_parse_fn)(struct fs_lexer *lexer, struct fs_word name, struct fs_actions *out);

static bool fail_twice(const struct fs_lexer *lexer, struct fs_word word, const char *what)
{
    return fs_lex_fail(lexer, "", word, "a rule has one %s", what);
}

/* The word that an action needs behind it. */
static bool take_value(struct fs_lexer *lexer, struct fs_word name, const char *example, struct fs_word *out)
{
    *out = fs_lex_next(lexer);
    return out->len > 0 || fs_lex_fail(lexer, "", name, "a value must follow, such as %s", example);
}

/* Accept is what a rule does anyway; fs_actions_parse sees to it that nothing beside it says otherwise. */
static bool parse_accept(struct fs_lexer *lexer, struct fs_word name, struct fs_actions *out)
{
    (void)lexer;
    (void)name;
    (void)out;
    return true;
}

static bool set_rate_bytes(struct fs_lexer *lexer, struct fs_word name, struct fs_actions *out, float rate)
{
    if (out->rate_bytes_set)
        return fail_twice(lexer, name, "discard or rate-limit in bits or bytes");
    out->rate_bytes_set = true;
    out->rate_bytes_per_s = rate;
    return true;
}

static bool parse_discard(struct fs_lexer *lexer, struct fs_word name, struct fs_actions *out)
{
    return set_rate_bytes(lexer, name, out, 0);
}

/* `per-source [/LENGTH [SOURCES]]` behind a rate. */
static bool parse_per_source(struct fs_lexer *lexer, struct fs_word name, struct fs_per_source *out, float rate)
{
    struct fs_per_source limit = {.set = true, .length = 32, .rate_per_s = rate, .sources = FS_SOURCES_STEP};
    uint64_t number;

    fs_lex_next(lexer);
    struct fs_word word = fs_lex_peek(lexer), digits = word;
    if (fs_word_skip(&digits, "/")) {
        fs_lex_next(lexer);
        if (!fs_word_number(digits, &number) || number > FS_SOURCE_LENGTH_MAX)
            return fs_lex_fail(lexer, "per-source", word, "a prefix length is /0 to /%u", FS_SOURCE_LENGTH_MAX);
        limit.length = (uint8_t)number;
        word = fs_lex_peek(lexer);
        if (word.len > 0 && word.at[0] >= '0' && word.at[0] <= '9') {
            fs_lex_next(lexer);
            if (!fs_word_number(word, &number) || number == 0 || number > FS_SOURCES_MAX || number % FS_SOURCES_STEP)
                return fs_lex_fail(lexer, "per-source", word, "so many sources are a multiple of %u up to %u",
                                   FS_SOURCES_STEP, FS_SOURCES_MAX);
            limit.sources = (uint32_t)number;
        }
    }
    if (out->set)
        return fail_twice(lexer, name, "rate-limit per-source of a kind");
    *out = limit;
    return true;
}

static bool parse_rate_limit(struct fs_lexer *lexer, struct fs_word name, struct fs_actions *out)
{
    struct fs_word word;
    bool packets;
    float rate;

    if (!take_value(lexer, name, "10mbps", &word))
        return false;
    const char *why = fs_rate_parse(word, &rate, &packets);
    if (why)
        return fs_lex_fail(lexer, "rate-limit", word, "%s", why);
    if (fs_word_is(fs_lex_peek(lexer), "per-source"))
        return parse_per_source(lexer, name, packets ? &out->source_packets : &out->source_bytes, rate);
    if (!packets)
        return set_rate_bytes(lexer, name, out, rate);
    if (out->rate_packets_set)
        return fail_twice(lexer, name, "rate-limit in packets");
    out->rate_packets_set = true;
    out->rate_packets_per_s = rate;
    return true;
}

static bool parse_mark(struct fs_lexer *lexer, struct fs_word name, struct fs_actions *out)
{
    struct fs_word word;
    uint64_t dscp;

    if (!take_value(lexer, name, "46", &word))
        return false;
    if ((!fs_word_number(word, &dscp) && !fs_word_name(word, FS_DSCP_NAMES, &dscp)) || dscp > DSCP_MAX)
        return fs_lex_fail(lexer, "mark", word, "a DSCP is 0 to %u, or a name such as ef, af11 or cs1", DSCP_MAX);
    if (out->mark_set)
        return fail_twice(lexer, name, "mark");
    out->mark_set = true;
    out->dscp = (uint8_t)dscp;
    return true;
}

static bool parse_redirect(struct fs_lexer *lexer, struct fs_word name, struct fs_actions *out)
{
    struct fs_route_target target;
    struct fs_word word;
    char text[80];

    if (!take_value(lexer, name, "65000:100", &word))
        return false;
    if (!fs_word_copy(word, text, sizeof text) || !fs_route_target_parse(text, &target))
        return fs_lex_fail(lexer, "redirect", word,
                           "write a route target: 65000:100, 192.0.2.1:100, 4200000000L:100 or [2001:db8::1]:100");
    if (out->redirect.kind != FS_REDIRECT_NONE)
        return fail_twice(lexer, name, "redirect");
    out->redirect = target;
    return true;
}

static bool parse_redirect_ip(struct fs_lexer *lexer, struct fs_word name, struct fs_actions *out)
{
    struct fs_word word;
    struct ip_addr addr = {.family = IP_NONE};
    char text[IP_TEXT_SIZE];

    if (!take_value(lexer, name, "192.0.2.1", &word))
        return false;
    bool next_hop = fs_word_is(word, "next-hop");
    if (!next_hop && (!fs_word_copy(word, text, sizeof text) || !ip_addr_parse(text, &addr)))
        return fs_lex_fail(lexer, "redirect-ip", word, "write an IPv4 or IPv6 address, or next-hop");
    if (out->redirect_ip_set)
        return fail_twice(lexer, name, "redirect-ip");
    out->redirect_ip_set = true;
    out->redirect_ip = addr;
    if (fs_word_is(fs_lex_peek(lexer), "copy")) {
        fs_lex_next(lexer);
        out->redirect_ip_copy = true;
    }
    return true;
}

static bool parse_sample(struct fs_lexer *lexer, struct fs_word name, struct fs_actions *out)
{
    if (out->sample)
        return fail_twice(lexer, name, "sample");
    out->sample = true;
    return true;
}

static bool parse_continue(struct fs_lexer *lexer, struct fs_word name, struct fs_actions *out)
{
    if (out->go_on)
        return fail_twice(lexer, name, "continue");
    out->go_on = true;
    return true;
}

static const struct {
    const char *name;
    action_parse_fn parse;
} ACTIONS[] = {
    {"accept", parse_accept}, {"discard", parse_discard},   {"rate-limit", parse_rate_limit},
    {"mark", parse_mark},     {"redirect", parse_redirect}, {"redirect-ip", parse_redirect_ip},
    {"sample", parse_sample}, {"continue", parse_continue},
};

#define ACTION_COUNT (sizeof ACTIONS / sizeof ACTIONS[0])

static bool parse_one(struct fs_lexer *lexer, struct fs_word name, struct fs_actions *out)
{
    char known[120];
    struct strbuf list = sb_init(known, sizeof known);

    for (size_t i = 0; i < ACTION_COUNT; i++) {
        if (fs_word_is(name, ACTIONS[i].name))
            return ACTIONS[i].parse(lexer, name, out);
        sb_printf(&list, "%s%s", i ? " " : "", ACTIONS[i].name);
    }
    return fs_lex_fail(lexer, "", name, "not one of: %s", known);
}

bool fs_actions_parse(struct fs_lexer *lexer, struct fs_word then, struct fs_actions *out)
{
    struct fs_word name = fs_lex_next(lexer);
    struct fs_word accept = {.len = 0};

    if (name.len == 0)
        return fs_lex_fail(lexer, "", then, "an action must follow, such as discard");
    for (; name.len > 0; name = fs_lex_next(lexer)) {
        if (fs_word_is(name, "accept"))
            accept = name;
        if (!parse_one(lexer, name, out))
            return false;
    }
    if (accept.len > 0 &&
        (out->rate_bytes_set || out->rate_packets_set || out->source_bytes.set || out->source_packets.set))
        return fs_lex_fail(lexer, "", accept, "the same rule takes packets away; say one of the two");
    return true;
}

/* One action at a time goes through `line`, so that a caller gets them apart or joined as it wants. */
struct emitter {
    void (*emit)(void *ctx, const char *text);
    void *ctx;
    char text[128];
    struct strbuf line;
};

static struct strbuf *line_begin(struct emitter *emitter, const char *name)
{
    emitter->line = sb_init(emitter->text, sizeof emitter->text);
    sb_text(&emitter->line, name);
    return &emitter->line;
}

static void line_end(struct emitter *emitter)
{
    emitter->emit(emitter->ctx, emitter->text);
}

static void emit_word(struct emitter *emitter, bool wanted, const char *word)
{
    if (!wanted)
        return;
    line_begin(emitter, word);
    line_end(emitter);
}

static void end_per_source(struct emitter *emitter, const struct fs_per_source *limit)
{
    sb_printf(&emitter->line, " per-source /%u %u", limit->length, limit->sources);
    line_end(emitter);
}

static void emit_rates(struct emitter *emitter, const struct fs_actions *actions)
{
    bool discard = actions->rate_bytes_set && actions->rate_bytes_per_s <= 0;

    emit_word(emitter, discard, "discard");
    if (actions->rate_bytes_set && !discard) {
        fs_rate_bytes_format(actions->rate_bytes_per_s, line_begin(emitter, "rate-limit "));
        line_end(emitter);
    }
    if (actions->rate_packets_set) {
        fs_rate_packets_format(actions->rate_packets_per_s, line_begin(emitter, "rate-limit "));
        line_end(emitter);
    }
    if (actions->source_bytes.set) {
        fs_rate_bytes_format(actions->source_bytes.rate_per_s, line_begin(emitter, "rate-limit "));
        end_per_source(emitter, &actions->source_bytes);
    }
    if (actions->source_packets.set) {
        fs_rate_packets_format(actions->source_packets.rate_per_s, line_begin(emitter, "rate-limit "));
        end_per_source(emitter, &actions->source_packets);
    }
    /* Not to be typed: such a rule is rejected, and its listing says why. */
    emit_word(emitter, actions->rate_undefined, "rate-limit undefined");
}

static void emit_redirects(struct emitter *emitter, const struct fs_actions *actions)
{
    char text[IP_TEXT_SIZE];

    if (actions->redirect.kind != FS_REDIRECT_NONE) {
        fs_route_target_format(&actions->redirect, line_begin(emitter, "redirect "));
        line_end(emitter);
    }
    if (actions->redirect_ip_set) {
        struct strbuf *line = line_begin(emitter, "redirect-ip ");

        sb_text(line,
                actions->redirect_ip.family == IP_NONE ? "next-hop" : ip_addr_format(&actions->redirect_ip, text));
        sb_text(line, actions->redirect_ip_copy ? " copy" : "");
        line_end(emitter);
    }
}

void fs_actions_each(const struct fs_actions *actions, void (*emit)(void *ctx, const char *text), void *ctx)
{
    struct emitter emitter = {.emit = emit, .ctx = ctx};

    emit_word(&emitter, fs_actions_accept(actions), "accept");
    emit_rates(&emitter, actions);
    if (actions->mark_set) {
        sb_printf(line_begin(&emitter, "mark "), "%u", actions->dscp);
        line_end(&emitter);
    }
    emit_redirects(&emitter, actions);
    emit_word(&emitter, actions->sample, "sample");
    emit_word(&emitter, actions->go_on, "continue");
}

/* Remembers whether a blank is due. */
struct joiner {
    struct strbuf *out;
    bool any;
};

static void join(void *ctx, const char *text)
{
    struct joiner *joiner = ctx;

    if (joiner->any)
        sb_char(joiner->out, ' ');
    sb_text(joiner->out, text);
    joiner->any = true;
}

void fs_actions_format(const struct fs_actions *actions, struct strbuf *out)
{
    struct joiner joiner = {.out = out};

    fs_actions_each(actions, join, &joiner);
}
