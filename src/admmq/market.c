#include "admmq/market.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define BANNER "%%MatrixMarket"
/* Rows without an entry. */
#define MISSING_MOST 1000000U

typedef struct entry {
    uint32_t row, column;
    double value;
} entry;

typedef struct parser {
    const char *name, *at;
    size_t line;
    bool symmetric;
    size_t dimension, entries;
} parser;

static admmnn_status fail_line(const parser *p, const char *what, admmnn_error *err) {
    return base_fail(err, ADMMNN_CORRUPT, "%s: line %zu: %s", p->name, p->line, what);
}

static void next_line(parser *p) {
    p->at += strcspn(p->at, "\n");
    p->at += *p->at == '\n';
    p->line++;
}

static void skip_blanks(parser *p) {
    p->at += strspn(p->at, " \t\r");
}

/* To the next line that is no comment and not empty. */
static void skip_comments(parser *p) {
    skip_blanks(p);
    while (*p->at == '%' || *p->at == '\n') {
        next_line(p);
        skip_blanks(p);
    }
}

static bool read_whole(parser *p, size_t *value) {
    skip_blanks(p);
    *value = 0;
    const char *first = p->at;
    for (; *p->at >= '0' && *p->at <= '9'; p->at++)
        if (!base_multiply(*value, 10, value) ||
            __builtin_add_overflow(*value, (size_t)(*p->at - '0'), value))
            return false;
    return p->at != first;
}

static bool read_value(parser *p, double *value) {
    char *end;
    skip_blanks(p);
    if (isspace((unsigned char)*p->at) || *p->at == 0) /* which strtod would pass over */
        return false;
    *value = strtod(p->at, &end);
    const bool read = end != p->at && isfinite(*value);
    p->at = end;
    return read;
}

static bool at_end_of_line(parser *p) {
    skip_blanks(p);
    return *p->at == '\n' || *p->at == 0;
}

/* Compares the next word without regard to case, as the format asks. */
static bool next_word_is(parser *p, const char *word) {
    skip_blanks(p);
    size_t i = 0;
    while (word[i] != 0 && tolower((unsigned char)p->at[i]) == tolower((unsigned char)word[i]))
        i++;
    if (word[i] != 0 || (p->at[i] != 0 && !isspace((unsigned char)p->at[i])))
        return false;
    p->at += i;
    return true;
}

static admmnn_status read_banner(parser *p, admmnn_error *err) {
    if (!next_word_is(p, BANNER))
        return base_fail(err, ADMMNN_CORRUPT, "%s: not a Matrix Market file", p->name);
    const bool coordinate = next_word_is(p, "matrix") && next_word_is(p, "coordinate") &&
                            (next_word_is(p, "real") || next_word_is(p, "integer"));
    p->symmetric = coordinate && next_word_is(p, "symmetric");
    if (!coordinate || (!p->symmetric && !next_word_is(p, "general")) || !at_end_of_line(p))
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "%s: a 'matrix coordinate' of 'real' or 'integer' numbers, 'symmetric' or "
                         "'general', is read",
                         p->name);
    next_line(p);
    return ADMMNN_OK;
}

static admmnn_status read_sizes(parser *p, admmnn_error *err) {
    size_t columns;
    skip_comments(p);
    if (!read_whole(p, &p->dimension) || !read_whole(p, &columns) || !read_whole(p, &p->entries) ||
        !at_end_of_line(p))
        return fail_line(p, "rows, columns and entries are expected", err);
    if (p->dimension != columns || p->dimension == 0 || p->dimension > UINT32_MAX)
        return fail_line(p, "the matrix is not square, or empty, or too large", err);
    /* An entry takes six bytes of the file at least, and a row without any has no place in
     * a definite matrix: no size is believed beyond that. */
    const size_t most = strlen(p->at) / 6;
    if (p->entries > most || p->dimension > most + MISSING_MOST)
        return fail_line(p, "more rows or entries are declared than the file can hold", err);
    next_line(p);
    return ADMMNN_OK;
}

static admmnn_status read_entry(parser *p, entry *e, admmnn_error *err) {
    size_t row;
    size_t column;
    skip_comments(p);
    if (!read_whole(p, &row) || !read_whole(p, &column) || !read_value(p, &e->value) ||
        !at_end_of_line(p))
        return fail_line(p, "a row, a column and a finite value are expected", err);
    if (row == 0 || row > p->dimension || column == 0 || column > p->dimension)
        return fail_line(p, "the entry stands outside of the matrix", err);
    e->row = (uint32_t)(row - 1);
    e->column = (uint32_t)(column - 1);
    next_line(p);
    return ADMMNN_OK;
}

/* Entries and, of symmetric matrices, their mirror images; *count of them. */
static admmnn_status read_entries(parser *p, entry *entries, size_t *count, admmnn_error *err) {
    *count = 0;
    for (size_t i = 0; i < p->entries; i++) {
        entry e;
        BASE_TRY(read_entry(p, &e, err));
        entries[(*count)++] = e;
        if (p->symmetric && e.row != e.column)
            entries[(*count)++] = (entry){.row = e.column, .column = e.row, .value = e.value};
    }
    skip_comments(p);
    return *p->at == 0 ? ADMMNN_OK : fail_line(p, "nothing is expected after the entries", err);
}

static int by_place(const void *left, const void *right) {
    const entry *a = left;
    const entry *b = right;
    if (a->row != b->row)
        return a->row < b->row ? -1 : 1;
    return (a->column > b->column) - (a->column < b->column);
}

static admmnn_status fill(const parser *p, entry *entries, size_t count, market_matrix *m,
                          admmnn_error *err) {
    qsort(entries, count, sizeof *entries, by_place);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && by_place(&entries[i - 1], &entries[i]) == 0)
            return base_fail(err, ADMMNN_CORRUPT, "%s: the entry of row %u, column %u comes twice",
                             p->name, entries[i].row + 1, entries[i].column + 1);
        m->start[entries[i].row + 1] = i + 1;
        m->column[i] = entries[i].column;
        m->value[i] = entries[i].value;
    }
    for (size_t r = 0; r < m->dimension; r++) /* rows without entries */
        if (m->start[r + 1] < m->start[r])
            m->start[r + 1] = m->start[r];
    return ADMMNN_OK;
}

void market_free(market_matrix *m) {
    base_free(m->start);
    base_free(m->column);
    base_free(m->value);
    *m = (market_matrix){0};
}

static admmnn_status read_matrix(parser *p, entry *entries, market_matrix *m, admmnn_error *err) {
    size_t count;
    BASE_TRY(read_entries(p, entries, &count, err));
    m->dimension = p->dimension;
    m->start = base_array(p->dimension + 1, sizeof *m->start);
    m->column = base_array(count, sizeof *m->column);
    m->value = base_array(count, sizeof *m->value);
    if (m->start == NULL || m->column == NULL || m->value == NULL)
        return base_fail_memory(err, p->name);
    return fill(p, entries, count, m, err);
}

admmnn_status market_parse(const char *name, const char *text, market_matrix *m,
                           admmnn_error *err) {
    parser p = {.name = name, .at = text, .line = 1};
    *m = (market_matrix){0};
    BASE_TRY(read_banner(&p, err));
    BASE_TRY(read_sizes(&p, err));
    entry *entries = base_array(2 * p.entries, sizeof *entries);
    if (entries == NULL)
        return base_fail_memory(err, name);
    admmnn_status status = read_matrix(&p, entries, m, err);
    base_free(entries);
    return status;
}
