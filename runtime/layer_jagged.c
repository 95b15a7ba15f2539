/* Words by rows in the order of how many they have, so that vectors have a row in each lane (sliced
 * jagged diagonal storage). */
#include <string.h>

#include "layer_making.h"

/* The list as it was read: by rows. */
typedef struct by_rows {
    uint32_t *starts; /* [rows + 1] */
    uint16_t *words;  /* [kept] */
} by_rows;

static size_t length_of(const uint32_t *starts, size_t row) {
    return starts[row + 1] - starts[row];
}

static size_t vectors_of(size_t count, size_t lanes) {
    return (count + lanes - 1) / lanes;
}

/* ---- whether that pays ---- */

/* Gathers row by row: one at least, as a row is added up and finished by itself. */
static uint64_t gathers_by_rows(const rt_layer *layer, size_t lanes) {
    uint64_t gathers = 0;
    for (size_t row = 0; row < layer->rows; row++) {
        const size_t length = length_of(layer->starts, row);
        gathers += length == 0 ? 1 : vectors_of(length, lanes);
    }
    return gathers;
}

/* Of slices, each as long as its first row. */
static uint64_t gathers_of_slices(const rt_layer *layer, const uint32_t *counts, size_t lanes) {
    uint64_t gathers = 0;
    size_t before = 0;
    for (size_t length = (size_t)layer->columns + 1; length-- > 0;) {
        const size_t after = before + counts[length];
        gathers += length * (uint64_t)(vectors_of(after, lanes) - vectors_of(before, lanes));
        before = after;
    }
    return gathers;
}

/* By an eighth at least: the results go one by one to places of their own. */
static bool pays(const rt_layer *layer, const uint32_t *counts, size_t lanes) {
    return 8 * gathers_of_slices(layer, counts, lanes) <= 7 * gathers_by_rows(layer, lanes);
}

/* ---- making it ---- */

static bool copy_rows(rt_memory *memory, const rt_layer *layer, by_rows *from) {
    const size_t starts = ((size_t)layer->rows + 1) * sizeof *from->starts;
    from->starts = rt_scratch(memory, (size_t)layer->rows + 1, sizeof *from->starts);
    from->words = rt_scratch(memory, layer->kept, sizeof *from->words);
    if (from->starts == NULL || from->words == NULL)
        return false;
    memcpy(from->starts, layer->starts, starts);
    memcpy(from->words, layer->places, layer->kept * sizeof *from->words);
    return true;
}

/* counts[length] of rows becomes where the first of them goes, the longest first; those of one
 * length keep their order. */
static void order_rows(rt_layer *layer, const uint32_t *starts, uint32_t *counts) {
    uint32_t before = 0;
    for (size_t length = (size_t)layer->columns + 1; length-- > 0;) {
        const uint32_t count = counts[length];
        counts[length] = before;
        before += count;
    }
    for (size_t row = 0; row < layer->rows; row++)
        layer->order[counts[length_of(starts, row)]++] = (uint32_t)row;
    for (size_t i = 0; i < layer->rows; i++)
        layer->starts[i + 1] = layer->starts[i] + (uint32_t)length_of(starts, layer->order[i]);
}

/* Rows from number `first` of the order on: the first word of each, then the second of each that
 * has one. */
static uint16_t *put_rows(const rt_layer *layer, const by_rows *from, size_t first, size_t count,
                          uint16_t *to) {
    for (size_t word = 0; word < length_of(layer->starts, first); word++)
        for (size_t i = first; i < first + count && length_of(layer->starts, i) > word; i++)
            *to++ = from->words[from->starts[layer->order[i]] + word];
    return to;
}

static admmnn_runtime_status put_in_order(rt_making *m, uint32_t *counts, size_t lanes) {
    rt_layer *layer = m->layer;
    rt_memory *memory = m->from->opening->memory;
    by_rows from = {NULL, NULL};
    layer->order = rt_take(memory, layer->rows, sizeof *layer->order);
    if (layer->order == NULL || !copy_rows(memory, layer, &from))
        return rt_sources_memory(m->from);
    order_rows(layer, from.starts, counts);
    uint16_t *to = layer->places;
    for (size_t i = 0; i < layer->rows; i += lanes)
        to = put_rows(layer, &from, i, rt_smaller(lanes, layer->rows - i), to);
    layer->form = RT_JAGGED;
    return ADMMNN_RUNTIME_OK;
}

/* Rows of one part, which all run at once. */
static bool may_be_jagged(const rt_making *m) {
    const rt_node *user = rt_making_user(m);
    return m->layer->form == RT_WORDS && m->layer->parts == 1 &&
           m->from->opening->network->kernels->runs_jagged &&
           (user->op != PACK_OP_CONV || user->as.conv.groups == 1);
}

admmnn_runtime_status rt_jag_words(rt_making *m) {
    rt_memory *memory = m->from->opening->memory;
    const size_t lanes = m->from->opening->network->kernels->lanes;
    const size_t mark = rt_scratch_mark(memory);
    if (!may_be_jagged(m))
        return ADMMNN_RUNTIME_OK;
    uint32_t *counts = rt_scratch(memory, (size_t)m->layer->columns + 1, sizeof *counts);
    if (counts == NULL)
        return rt_sources_memory(m->from);
    for (size_t row = 0; row < m->layer->rows; row++)
        counts[length_of(m->layer->starts, row)]++;
    if (pays(m->layer, counts, lanes))
        RT_TRY(put_in_order(m, counts, lanes));
    rt_scratch_release(memory, mark);
    return ADMMNN_RUNTIME_OK;
}
