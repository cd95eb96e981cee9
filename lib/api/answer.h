/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An answer of the API while it comes in, in any cut: tells a result from an error, and hands the result's own octets
 * on without keeping them. Answers have a fixed form: {"ok":true,"result":RESULT} or {"ok":false,"error":"..."}.
 */
#ifndef API_ANSWER_H
#define API_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

struct answer {
    /* takes octets of the result; false stops */
    bool (*result)(void *ctx, const char *data, size_t len);
    void *ctx;
    char head[4096]; /* the beginning, until it is known what it is; an error's whole text */
    size_t head_len;
    bool ok;       /* a result: its octets go to `result` */
    bool complete; /* the newline came */
    bool held;     /* the last octet is held back: it may be the closing brace that is not the result's */
    char last;
};

void answer_init(struct answer *answer, bool (*result)(void *ctx, const char *data, size_t len), void *ctx);

/* Takes octets. False when `result` said stop, or when they are no answer. */
bool answer_feed(struct answer *answer, const char *data, size_t len);

/* A result that is kept whole; zeroed at first. `text` is the owner's to free, also after a failure. */
struct answer_text {
    char *text;
    size_t len, size;
};

/* A `result` of answer_init, with a struct answer_text. False when memory is short. */
bool answer_text_take(void *text, const char *data, size_t len);

/*
 * Splits the octets of a JSON array into its elements. Only brackets and strings are looked at: each element is to be
 * parsed by its taker.
 */
struct splitter {
    void (*element)(void *ctx, const char *text, size_t len);
    void *ctx;
    char *text; /* the element under way */
    size_t len, size;
    unsigned depth;
    bool in_string, escaped;
    bool failed; /* memory is short */
};

bool splitter_feed(struct splitter *splitter, const char *data, size_t len);
/* The same as a `result` of answer_init, with a struct splitter. */
bool splitter_take(void *splitter, const char *data, size_t len);
void splitter_free(struct splitter *splitter);

#endif
