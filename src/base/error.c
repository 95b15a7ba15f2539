#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

typedef struct status_entry {
    const char *name;
    int exit_status;
    const char *text;
} status_entry;

static const status_entry status_table[] = {
#define STATUS_ENTRY(name, exit_status, text) {#name, exit_status, text},
    ADMMNN_STATUS_MAP(STATUS_ENTRY)
#undef STATUS_ENTRY
};

static const status_entry *entry_of(admmnn_status status) {
    static const status_entry unknown = {"UNKNOWN", 1, "unknown status"};
    size_t count = sizeof status_table / sizeof status_table[0];
    return (size_t)status < count ? &status_table[status] : &unknown;
}

const char *admmnn_status_name(admmnn_status status) {
    return entry_of(status)->name;
}

const char *admmnn_status_text(admmnn_status status) {
    return entry_of(status)->text;
}

int admmnn_status_exit(admmnn_status status) {
    return entry_of(status)->exit_status;
}

/* ---- messages longer than their place ---- */

#define WORD_LEAST ((size_t)64)
static const char gap[] = "...";
#define GAP (sizeof gap - 1)

/* Takes `excess` bytes, and room for the gap, out of the middle of text[from..from + count]. */
static void cut_middle(char *text, size_t from, size_t count, size_t excess) {
    size_t kept = count - excess - GAP;
    size_t head = kept / 2;
    size_t tail = from + count - (kept - head);
    while (head > 0 && ((unsigned char)text[from + head] & 0xc0) == 0x80)
        head--; /* not through a character */
    while (((unsigned char)text[tail] & 0xc0) == 0x80)
        tail++;
    memcpy(text + from + head, gap, GAP);
    memmove(text + from + head + GAP, text + tail, strlen(text + tail) + 1);
}

static size_t longest_word(const char *text, size_t *length) {
    size_t longest = 0;
    *length = 0;
    for (size_t at = 0; text[at] != 0; at += text[at] != 0) {
        size_t count = strcspn(text + at, " ");
        if (count > *length) {
            longest = at;
            *length = count;
        }
        at += count;
    }
    return longest;
}

/* What is long is a path, and what is wrong with it stands behind it: the longest
 * words lose their middle, and only when none is long the message does. */
static void shorten(char *text, size_t most) {
    for (size_t length = strlen(text); length > most; length = strlen(text)) {
        size_t word;
        size_t from = longest_word(text, &word);
        if (word <= WORD_LEAST) {
            cut_middle(text, 0, length, length - most);
            return;
        }
        size_t spare = word - WORD_LEAST;
        cut_middle(text, from, word, length - most < spare ? length - most : spare);
    }
}

/* Whatever the names are that stand in it. */
static void keep_one_line(char *text) {
    for (; *text != 0; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

static void format_message(admmnn_error *err, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(err->message, sizeof err->message, format, arguments);
    char *whole = length >= (int)sizeof err->message ? base_array((size_t)length + 1, 1) : NULL;
    if (whole != NULL) {
        vsnprintf(whole, (size_t)length + 1, format, again);
        shorten(whole, sizeof err->message - 1);
        memcpy(err->message, whole, strlen(whole) + 1);
        base_free(whole);
    }
    va_end(again);
    keep_one_line(err->message);
}

/* ---- failing ---- */

admmnn_status base_fail(admmnn_error *err, admmnn_status status, const char *format, ...) {
    if (err == NULL)
        return status;
    va_list arguments;
    va_start(arguments, format);
    err->status = status;
    format_message(err, format, arguments);
    va_end(arguments);
    return status;
}

admmnn_status base_fail_memory(admmnn_error *err, const char *what) {
    return base_fail(err, ADMMNN_MEMORY, "out of memory for %s", what);
}

admmnn_status base_fail_within(admmnn_error *err, admmnn_status status, const char *format, ...) {
    if (err == NULL)
        return status;
    const admmnn_error inner = *err;
    admmnn_error outer = {.status = status};
    va_list arguments;
    va_start(arguments, format);
    format_message(&outer, format, arguments);
    va_end(arguments);
    return base_fail(err, status, "%s: %s", outer.message, inner.message);
}
