/* SPDX-License-Identifier: BSD-3-Clause */
#include "api/answer.h"

#include <stdlib.h>
#include <string.h>

static const char OK_HEAD[] = "{\"ok\":true,\"result\":";
#define OK_HEAD_LEN (sizeof OK_HEAD - 1)

void answer_init(struct answer *answer, bool (*result)(void *ctx, const char *data, size_t len), void *ctx)
{
    memset(answer, 0, sizeof *answer);
    answer->result = result;
    answer->ctx = ctx;
}

static bool feed_result(struct answer *answer, const char *data, size_t len)
{
    if (len == 0)
        return true;
    if (answer->held && !answer->result(answer->ctx, &answer->last, 1))
        return false;
    answer->held = true;
    answer->last = data[len - 1];
    return len == 1 || answer->result(answer->ctx, data, len - 1);
}

bool answer_feed(struct answer *answer, const char *data, size_t len)
{
    const char *newline = memchr(data, '\n', len);

    if (answer->complete)
        return true;
    if (newline != NULL) {
        answer->complete = true;
        len = (size_t)(newline - data);
    }
    if (answer->ok)
        return feed_result(answer, data, len);

    size_t room = sizeof answer->head - 1 - answer->head_len, taken = len;
    if (answer->head_len < OK_HEAD_LEN && taken > OK_HEAD_LEN - answer->head_len)
        taken = OK_HEAD_LEN - answer->head_len;
    if (taken > room)
        return false;
    memcpy(answer->head + answer->head_len, data, taken);
    answer->head_len += taken;
    answer->ok = answer->head_len == OK_HEAD_LEN && memcmp(answer->head, OK_HEAD, OK_HEAD_LEN) == 0;
    if (answer->ok)
        return feed_result(answer, data + taken, len - taken);
    if (len - taken > sizeof answer->head - 1 - answer->head_len)
        return false;
    memcpy(answer->head + answer->head_len, data + taken, len - taken);
    answer->head_len += len - taken;
    return true;
}

static bool keep(struct splitter *s, char c)
{
    if (s->len == s->size) {
        size_t size = s->size ? s->size * 2 : 1024;
        char *text = realloc(s->text, size);
        if (text == NULL) {
            s->failed = true;
            return false;
        }
        s->text = text;
        s->size = size;
    }
    s->text[s->len++] = c;
    return true;
}

static void finish(struct splitter *s)
{
    if (s->len > 0)
        s->element(s->ctx, s->text, s->len);
    s->len = 0;
}

bool splitter_feed(struct splitter *s, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = data[i];
        if (s->in_string) {
            s->in_string = s->escaped || c != '"';
            s->escaped = !s->escaped && c == '\\';
        } else if (c == '"') {
            s->in_string = true;
        } else if (c == '[' || c == '{') {
            if (s->depth++ == 0)
                continue; /* the array's own bracket */
        } else if (c == ']' || c == '}') {
            if (s->depth > 0 && --s->depth == 0) {
                finish(s);
                continue;
            }
        } else if (c == ',' && s->depth == 1) {
            finish(s);
            continue;
        }
        if (!keep(s, c))
            return false;
    }
    return true;
}

bool splitter_take(void *splitter, const char *data, size_t len)
{
    return splitter_feed(splitter, data, len);
}

void splitter_free(struct splitter *s)
{
    free(s->text);
}

bool answer_text_take(void *text, const char *data, size_t len)
{
    struct answer_text *t = text;

    if (t->size - t->len < len) {
        size_t size = (t->size + len) * 2;
        char *more = realloc(t->text, size);
        if (more == NULL)
            return false;
        t->text = more;
        t->size = size;
    }
    memcpy(t->text + t->len, data, len);
    t->len += len;
    return true;
}
